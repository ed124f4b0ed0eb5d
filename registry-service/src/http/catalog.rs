//! `/v2/_catalog`: the repositories that the registry holds and the token may see.

use axum::response::Response;
use http::StatusCode;
use serde::Serialize;
use shared::oci::RepositoryName;

use super::dispatch::Asked;
use super::error::Error;
use super::{Service, answer, page};
use crate::auth::{Listed, Pullable};
use crate::endpoint::query;
use crate::registry::Page;

/// Length of a page when the client does not say, as in distribution.
const DEFAULT_PAGE: usize = 100;

#[derive(Serialize)]
struct Catalog<'a> {
    repositories: &'a [RepositoryName],
}

/// `GET _catalog`, in the order of their bytes.
pub(super) async fn list(asked: &Asked<'_>) -> Result<Response, Error> {
    let limit = page::limit(asked.query(), DEFAULT_PAGE, asked.service.options.max_catalog)?;
    let last = query::find(asked.query(), "last");
    let page = match asked.authorized.listed() {
        Listed::Everything => {
            let registry = &asked.service.registry;
            registry.list_repositories(last.as_deref(), limit).await?
        }
        Listed::ByPolicy(pullable) => pulled(asked.service, &pullable, last, limit).await?,
        Listed::Only(names) => held(asked.service, names, last.as_deref(), limit).await?,
    };
    let body = answer::json(&Catalog {
        repositories: &page.items,
    });
    let mut response = answer::full(StatusCode::OK, "application/json", body);
    if let Some(last) = page.items.last().filter(|_| page.more) {
        let path = format!("{}/v2/_catalog", asked.base_url());
        page::link_next(&mut response, &path, last.as_str(), limit, &[]);
    }
    Ok(response)
}

/// Those of all repositories, in their order, that may be pulled.
async fn pulled(
    service: &Service,
    pullable: &Pullable,
    last: Option<impl Into<String>>,
    limit: usize,
) -> Result<Page<RepositoryName>, Error> {
    /// How many names are looked at together.
    const STRETCH: usize = 1_000;
    let mut page = Page::empty();
    let mut last: Option<String> = last.map(Into::into);
    loop {
        let stretch = service
            .registry
            .list_repositories(last.as_deref(), STRETCH)
            .await?;
        last = stretch.items.last().map(ToString::to_string);
        for name in stretch.items.into_iter().filter(|name| pullable.holds(name)) {
            if page.items.len() == limit {
                page.more = true;
                return Ok(page);
            }
            page.items.push(name);
        }
        if !stretch.more {
            return Ok(page);
        }
    }
}

/// Those of a token's names, in their order, that hold anything.
async fn held(
    service: &Service,
    names: Vec<(RepositoryName, RepositoryName)>,
    last: Option<&str>,
    limit: usize,
) -> Result<Page<RepositoryName>, Error> {
    let mut page = Page::empty();
    let after = names
        .into_iter()
        .filter(|(name, _)| last.is_none_or(|last| name.as_str() > last));
    for (name, stored_as) in after {
        if !service.registry.holds_anything(&stored_as).await? {
            continue;
        }
        if page.items.len() == limit {
            page.more = true;
            break;
        }
        page.items.push(name);
    }
    Ok(page)
}
