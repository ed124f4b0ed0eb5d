//! Pages of a repository: `/r/NAME` and what lies behind `/r/NAME/-/`; `/_/NAME` for official ones. Programs get JSON at the
//! first.

mod activity;
mod calendar;
mod chart;
mod comment;
mod compare;
mod deed;
mod head;
mod image;
mod overview;
mod place;
mod tag;
mod tag_list;

use axum::Router;
use axum::extract::{FromRequestParts as _, Path, Query, State as Shared};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use http::HeaderValue;
use http::header::VARY;
use http::request::Parts;
use serde::Deserialize;
use shared::oci::RepositoryName;
use shared::oci::name::LIBRARY;

use super::fault::PageError;
use super::page::see;
use super::short_name;
use super::visitor::Visitor;
use crate::app::caller::Caller;
use crate::app::content::TagPlace;
use crate::app::repository_page::RepositoryHead;
use crate::http::{State, named};

use place::{Place, place};

/// Pages of repositories.
pub(in crate::http) fn routes() -> Router<State> {
    Router::new()
        .route("/r/{*path}", named("web.repository", get(look).post(deed::act)))
        .route("/_/{*path}", named("web.official", get(look_at_official)))
}

/// What the addresses of these pages may say behind their question mark.
#[derive(Debug, Default, Deserialize)]
struct Wish {
    /// Which page of a list, from 1.
    page: Option<usize>,
    /// A part of the names of tags.
    q: Option<String>,
    /// In which order.
    order: Option<String>,
    /// The digest of the image of an index.
    image: Option<String>,
    /// What is compared.
    from: Option<String>,
    to: Option<String>,
    platform: Option<String>,
    /// Where a list goes on.
    before: Option<i64>,
    after: Option<i64>,
    /// Behind which tag they are looked at.
    behind: Option<String>,
    /// By what counts are told, and of how many days.
    by: Option<String>,
    days: Option<i64>,
    /// The comment whose answers are shown.
    thread: Option<i64>,
}

impl Wish {
    /// What stands in an address; what is no wish there is none.
    fn of(parts: &Parts) -> Self {
        let wish = Query::<Self>::try_from_uri(&parts.uri);
        wish.map(|Query(wish)| wish).unwrap_or_default()
    }

    /// Which page of a list, from 0.
    fn page(&self) -> usize {
        self.page.unwrap_or(1).clamp(1, 100_000) - 1
    }

    /// Behind which tag they are looked at; the beginning for what is no place.
    fn behind(&self) -> Option<TagPlace> {
        self.behind.as_deref().and_then(|text| text.parse().ok())
    }

    /// What is looked for in names.
    fn part(&self) -> &str {
        let part = self.q.as_deref().unwrap_or_default().trim();
        if part.len() > 128 { "" } else { part }
    }
}

async fn look(Shared(state): Shared<State>, Path(path): Path<String>, parts: Parts) -> Response {
    look_at(&state, &path, false, parts).await
}

async fn look_at_official(Shared(state): Shared<State>, Path(path): Path<String>, parts: Parts) -> Response {
    look_at(&state, &path, true, parts).await
}

async fn look_at(state: &State, path: &str, is_official: bool, mut parts: Parts) -> Response {
    let found = place(path);
    if matches!(found, None | Some((_, Place::Overview))) && !super::reads_pages(&parts.headers) {
        let name = found.map_or(path, |(name, _)| name);
        return short_name::answer(state, name, is_official, parts).await;
    }
    let Some((name, place)) = found else {
        return PageError::not_found().into_response();
    };
    let name = if is_official {
        format!("{LIBRARY}/{name}")
    } else {
        name.to_owned()
    };
    let visitor = match Visitor::from_request_parts(&mut parts, state).await {
        Ok(visitor) => visitor,
        Err(error) => return error.into_response(),
    };
    let page = page(state, visitor, &name, place, &parts).await;
    let mut response = page.into_response();
    // Programs get something else at the same address.
    let varies = HeaderValue::from_static("accept");
    response.headers_mut().append(VARY, varies);
    response
}

async fn page(
    state: &State,
    visitor: Visitor,
    name: &str,
    place: Place<'_>,
    parts: &Parts,
) -> Result<Response, PageError> {
    let wish = Wish::of(parts);
    if place == Place::Overview && name.contains([':', '@']) {
        return refer(state, &visitor.caller, name).await;
    }
    let name = repository_name(name)?;
    if place == Place::Overview {
        return overview::show(state, visitor, &name).await;
    }
    let head = state.app.repository_head(&visitor.caller, &name).await?;
    if let Some(moved) = moved(&head, &name, &visitor) {
        return Ok(moved);
    }
    match place {
        Place::Overview => Err(PageError::not_found()),
        Place::Tags => tag_list::show(state, visitor, &head, &wish).await,
        Place::Tag(tag) => tag::show(state, visitor, &head, tag, &wish).await,
        Place::Deletion(tag) => tag::show_deletion(state, visitor, &head, tag, None).await,
        Place::Manifest(digest) => tag::show_manifest(state, visitor, &head, digest, &wish).await,
        Place::Compare => compare::show(state, visitor, &head, &wish).await,
        Place::Activity => activity::show(state, visitor, &head, &wish).await,
        Place::Comments => comment::show(state, visitor, &head, &wish, None).await,
    }
}

/// `NAME:TAG` and `NAME@DIGEST`, which may be the beginning of one, have pages of their own.
async fn refer(state: &State, caller: &Caller, text: &str) -> Result<Response, PageError> {
    let found = state.app.resolve_short_name(caller, text, false).await?;
    let base = path_of(found.repository.facts.name.as_str());
    let reference = found.reference.ok_or_else(PageError::not_found)?;
    Ok(see(&match reference.tag {
        Some(tag) => format!("{base}/-/tags/{tag}"),
        None => format!("{base}/-/manifests/{}", reference.digest),
    }))
}

/// The same page of a repository that was found by a former name, under its present one.
fn moved(head: &RepositoryHead, asked: &RepositoryName, visitor: &Visitor) -> Option<Response> {
    let name = &head.facts().name;
    // Names of one segment and those in `library` are the same.
    let bare = |name: &RepositoryName| {
        let text = name.as_str();
        let prefix = format!("{LIBRARY}/");
        text.strip_prefix(&prefix).unwrap_or(text).to_owned()
    };
    if bare(name) == bare(asked) {
        return None;
    }
    let rest = visitor.view.path.split_once("/-/");
    Some(see(&match rest {
        Some((_, rest)) => format!("{}/-/{rest}", path_of(name.as_str())),
        None => path_of(name.as_str()),
    }))
}

/// The name in an address; what is no name, no repository has.
fn repository_name(text: &str) -> Result<RepositoryName, PageError> {
    text.parse().map_err(|_| PageError::not_found())
}

/// The page of a repository.
fn path_of(name: &str) -> String {
    format!("/r/{name}")
}

#[cfg(test)]
mod tests;
