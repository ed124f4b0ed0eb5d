//! `/api/v1/bookmarks`.

use crate::http::api::described::{ApiRouter, routes};
use axum::Json;
use axum::extract::{Path, Query, State as Shared};
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::State;
use super::caller::SignedIn;
use super::instant::Instant;
use super::page::{Page, Wish};
use super::problem::Problem;
use super::repository::{Repository, listed, repository_id};

pub(super) fn routes() -> ApiRouter {
    ApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(put, remove))
}

/// A repository on a list of one's own.
#[derive(Debug, Serialize, ToSchema)]
struct Bookmark {
    /// The list.
    list: String,
    /// The repository.
    repository: Repository,
    /// Since when it is there.
    created_at: Instant,
}

/// Bookmarks of one's own
///
/// In the order of their lists. Nobody else sees them. Repositories that the caller may not see any more are left out, so
/// that a page may hold fewer than were wished for.
#[utoipa::path(get, path = "/bookmarks", tag = "repositories", params(Wish), responses(
    (status = 200, body = Page<Bookmark>), (status = 401, body = Problem), (status = 403, body = Problem)))]
async fn list(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Query(wish): Query<Wish>,
) -> Result<Json<Page<Bookmark>>, Problem> {
    let (list, id) = wish.after().rsplit_once('/').unwrap_or(("", ""));
    let after = (list, id.parse().unwrap_or(i64::MIN));
    let (found, next) = state.app.list_bookmarks(&caller, after, wish.limit()).await?;
    let items = found.into_iter().map(|one| Bookmark {
        list: one.bookmark.shelf,
        repository: listed(&one.facts),
        created_at: Instant(one.bookmark.created_at),
    });
    Ok(Json(Page {
        items: items.collect(),
        next: next.map(|(list, id)| format!("{list}/{id}")),
    }))
}

/// Put a repository on a list
///
/// A list is there as long as something is on it; an account has at most 2,000 bookmarks.
#[utoipa::path(put, path = "/bookmarks/{list}/{id}", tag = "repositories",
    params(("list" = String, Path, description = "The list"), ("id" = String, Path, description = "The repository's id")),
    responses((status = 204), (status = 400, body = Problem), (status = 401, body = Problem), (status = 404, body = Problem),
    (status = 409, body = Problem)))]
async fn put(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path((list, id)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    state
        .app
        .set_bookmark(&caller, &list, repository_id(&id)?, true)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Take a repository off a list
#[utoipa::path(delete, path = "/bookmarks/{list}/{id}", tag = "repositories",
    params(("list" = String, Path, description = "The list"), ("id" = String, Path, description = "The repository's id")),
    responses((status = 204), (status = 400, body = Problem), (status = 401, body = Problem)))]
async fn remove(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path((list, id)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    state
        .app
        .set_bookmark(&caller, &list, repository_id(&id)?, false)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
