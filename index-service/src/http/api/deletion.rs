//! `/api/v1/deleted-repositories`: what can be restored.

use crate::http::api::described::{ApiRouter, routes};
use axum::extract::{Path, Query, State};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::caller::SignedIn;
use super::instant::Instant;
use super::namespace::namespace_name;
use super::page::{Page, Wish};
use super::problem::Problem;
use super::repository::{Repository, listed, repository_id, repository_name};

pub(super) fn routes() -> ApiRouter {
    ApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(restore))
        .routes(routes!(purge))
}

/// A deleted repository.
#[derive(Debug, Serialize, ToSchema)]
struct DeletedRepository {
    /// The id.
    id: String,
    /// The name that it had.
    name: String,
    /// When it was deleted.
    deleted_at: Instant,
    /// Until when it can be restored.
    restorable_until: Instant,
}

/// Whose deleted repositories.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Place {
    /// The namespace.
    namespace: String,
}

/// How a repository is restored.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Restoration {
    /// Under this name of its namespace; absent for the name that it had.
    name: Option<String>,
}

/// Deleted repositories
///
/// Those of a namespace that can be restored, for those who administer it.
#[utoipa::path(get, path = "/deleted-repositories", tag = "repositories", params(Place, Wish), responses(
    (status = 200, body = Page<DeletedRepository>), (status = 400, body = Problem), (status = 401, body = Problem),
    (status = 403, body = Problem)))]
async fn list(
    State(state): State<super::State>,
    SignedIn(caller): SignedIn,
    Query(place): Query<Place>,
    Query(wish): Query<Wish>,
) -> Result<axum::Json<Page<DeletedRepository>>, Problem> {
    let (name, id) = wish.after().split_once(' ').unwrap_or_default();
    let after = (name, id.parse().unwrap_or(i64::MIN));
    let namespace = namespace_name(&place.namespace)?;
    let deleted = state
        .app
        .list_deleted(&caller, &namespace, after, wish.limit() + 1)
        .await?;
    Ok(axum::Json(Page::new(
        &wish,
        deleted,
        |one| format!("{} {}", one.name, one.repository_id),
        |one| DeletedRepository {
            id: one.repository_id.to_string(),
            name: one.name.to_string(),
            deleted_at: Instant(one.deleted_at),
            restorable_until: Instant(one.purge_after),
        },
    )))
}

/// Restore a repository
///
/// With its content, id and rules, by those who administer its namespace. When another repository has its name by now,
/// under another name.
#[utoipa::path(post, path = "/deleted-repositories/{id}/restore", tag = "repositories", request_body = Restoration,
    params(("id" = String, Path, description = "Its id")), responses(
    (status = 200, body = Repository), (status = 400, body = Problem), (status = 401, body = Problem),
    (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn restore(
    State(state): State<super::State>,
    SignedIn(caller): SignedIn,
    Path(id): Path<String>,
    axum::Json(restoration): axum::Json<Restoration>,
) -> Result<axum::Json<Repository>, Problem> {
    let name = restoration.name.as_deref().map(repository_name).transpose()?;
    let facts = state
        .app
        .restore_repository(&caller, repository_id(&id)?, name.as_ref())
        .await?;
    Ok(axum::Json(listed(&facts)))
}

/// Remove the content of a deleted repository now
///
/// It cannot be restored any more. By those who administer its namespace. When the registry cannot be reached now, the content
/// goes as soon as it can.
#[utoipa::path(delete, path = "/deleted-repositories/{id}", tag = "repositories",
    params(("id" = String, Path, description = "Its id")), responses(
    (status = 204), (status = 400, body = Problem), (status = 401, body = Problem), (status = 404, body = Problem),
    (status = 503, body = Problem)))]
async fn purge(
    State(state): State<super::State>,
    SignedIn(caller): SignedIn,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    state.app.purge_repository(&caller, repository_id(&id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
#[path = "deletion/tests.rs"]
mod tests;
