//! Tags deleted and restored: `/api/v1/repositories/{id}/tags/{tag}`, `/api/v1/repositories/{id}/deleted-tags`.

use crate::http::api::described::{ApiRouter, routes};
use axum::extract::{Path, Query, State};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::caller::{Anyone, SignedIn};
use super::instant::Instant;
use super::page::{Page, Wish};
use super::problem::Problem;
use super::repository::repository_id;
use crate::app::content_deletion::shown::ContentDeletion;
use crate::domain::DeletionId;

pub(super) fn routes() -> ApiRouter {
    ApiRouter::new()
        .routes(routes!(delete_tag))
        .routes(routes!(restore_tag))
        .routes(routes!(list_deleted_tags))
}

/// A tag or a manifest that was deleted, or was to be.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Deletion {
    /// The id.
    id: String,
    /// The id of its repository.
    repository_id: String,
    /// The tag; absent for a manifest.
    tag: Option<String>,
    /// The manifest, or what the tag pointed to.
    digest: String,
    /// `deleted` (and can be restored), `restored`, `purged` (gone for good), `kept` (it had moved, or the registry refused),
    /// or `pending`.
    state: &'static str,
    /// When.
    deleted_at: Instant,
    /// By whom; absent for a policy of retention.
    deleted_by: Option<String>,
    /// In which run of a policy.
    run_id: Option<String>,
    /// By which of the policy's rules, counted from 1.
    rule: Option<i64>,
    /// When it was pushed last.
    pushed_at: Option<Instant>,
    /// When it was pulled last.
    pulled_at: Option<Instant>,
    /// Until when it can be restored at least.
    restorable_until: Option<Instant>,
}

/// Which state of a tag is meant.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Expectation {
    /// Only while the tag points to this manifest.
    #[param(max_length = 140)]
    digest: Option<String>,
}

/// To what a tag shall point again.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TagRestoration {
    /// A manifest to which it pointed before; absent for a deleted tag, which gets what it pointed to last.
    #[schema(max_length = 140)]
    digest: Option<String>,
}

/// What was restored.
#[derive(Debug, Serialize, ToSchema)]
struct RestoredTag {
    /// The manifest to which the tag points again.
    digest: String,
    /// Tags of signatures and the like that were restored with it.
    with: Vec<String>,
}

/// Delete a tag
///
/// What it points to stays in the registry until the time to restore it is over. By those who may delete it.
#[utoipa::path(delete, path = "/repositories/{id}/tags/{tag}", tag = "content",
    params(("id" = String, Path, description = "The repository's id"), ("tag" = String, Path, description = "The tag"),
        Expectation), responses(
    (status = 200, body = Deletion), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem), (status = 409, body = Problem), (status = 503, body = Problem)))]
async fn delete_tag(
    State(state): State<super::State>,
    SignedIn(caller): SignedIn,
    Path((id, tag)): Path<(String, String)>,
    Query(expected): Query<Expectation>,
) -> Result<axum::Json<Deletion>, Problem> {
    let deleted = state
        .app
        .delete_tag(&caller, repository_id(&id)?, &tag, expected.digest.as_deref())
        .await?;
    Ok(axum::Json(show_deletion(deleted)))
}

/// Restore a tag
///
/// A deleted tag points again to what it pointed to last, or any tag to a manifest of its history, while the registry holds
/// that. By those who may push it.
#[utoipa::path(post, path = "/repositories/{id}/tags/{tag}/restore", tag = "content", request_body = TagRestoration,
    params(("id" = String, Path, description = "The repository's id"), ("tag" = String, Path, description = "The tag")),
    responses((status = 200, body = RestoredTag), (status = 400, body = Problem), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem),
    (status = 503, body = Problem)))]
async fn restore_tag(
    State(state): State<super::State>,
    SignedIn(caller): SignedIn,
    Path((id, tag)): Path<(String, String)>,
    axum::Json(wish): axum::Json<TagRestoration>,
) -> Result<axum::Json<RestoredTag>, Problem> {
    let restored = state
        .app
        .restore_tag(&caller, repository_id(&id)?, &tag, wish.digest.as_deref())
        .await?;
    Ok(axum::Json(RestoredTag {
        digest: restored.digest,
        with: restored.with,
    }))
}

/// Deleted tags
///
/// Those that were deleted through the index, by people or by a policy of retention, and can be restored; the last deleted
/// first.
#[utoipa::path(get, path = "/repositories/{id}/deleted-tags", tag = "content",
    params(("id" = String, Path, description = "The repository's id"), Wish), responses(
    (status = 200, body = Page<Deletion>), (status = 404, body = Problem)))]
async fn list_deleted_tags(
    State(state): State<super::State>,
    Anyone(caller): Anyone,
    Path(id): Path<String>,
    Query(wish): Query<Wish>,
) -> Result<axum::Json<Page<Deletion>>, Problem> {
    let before = DeletionId::from_i64(wish.after().parse().unwrap_or(i64::MAX));
    let found = state
        .app
        .list_deleted_tags(&caller, repository_id(&id)?, before, wish.limit() + 1)
        .await?;
    let key = |one: &ContentDeletion| one.deletion_id.to_string();
    Ok(axum::Json(Page::new(&wish, found, key, show_deletion)))
}

pub(super) fn show_deletion(one: ContentDeletion) -> Deletion {
    Deletion {
        id: one.deletion_id.to_string(),
        repository_id: one.repository_id.to_string(),
        tag: one.tag,
        digest: one.digest,
        state: one.state.as_str(),
        deleted_at: Instant(one.deleted_at),
        deleted_by: one.deleted_by,
        run_id: one.run_id.map(|id| id.to_string()),
        rule: one.rule,
        pushed_at: one.pushed_at.map(Instant),
        pulled_at: one.pulled_at.map(Instant),
        restorable_until: one.purge_after.map(Instant),
    }
}
