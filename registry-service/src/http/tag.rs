//! Tags: end-8 of the distribution-spec.

use axum::response::Response;
use http::StatusCode;
use serde::Serialize;
use shared::oci::{RepositoryName, Tag};

use super::answer;
use super::dispatch::Asked;
use super::error::Error;
use super::page;
use crate::endpoint::query;

#[derive(Serialize)]
struct TagList<'a> {
    name: &'a RepositoryName,
    tags: &'a [Tag],
}

/// `GET tags/list`, in the order of their bytes.
pub(super) async fn list(asked: &Asked<'_>, name: &RepositoryName) -> Result<Response, Error> {
    let longest = asked.service.options.max_tags;
    let limit = page::limit(asked.query(), longest, longest)?;
    let last = query::find(asked.query(), "last");
    let stored_as = asked.authorized.stored_as(name);
    let page = asked
        .service
        .registry
        .list_tags(stored_as, last.as_deref(), limit)
        .await?;
    let body = answer::json(&TagList {
        name,
        tags: &page.items,
    });
    let mut response = answer::full(StatusCode::OK, "application/json", body);
    if let Some(last) = page.items.last().filter(|_| page.more) {
        let path = format!("{}/v2/{name}/tags/list", asked.base_url());
        page::link_next(&mut response, &path, last.as_str(), limit, &[]);
    }
    Ok(response)
}
