//! What becomes of comments.

use crate::http::api::described::{ApiRouter, routes};
use axum::Json;
use axum::extract::{Path, Query, State as Shared};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::State;
use super::super::caller::SignedIn;
use super::super::page::{Page, Wish};
use super::super::problem::Problem;
use super::super::repository::repository_id;
use super::{Comment, comment_id};
use crate::app::comment::{Reported, Verdict};

pub(super) fn routes() -> ApiRouter {
    ApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(decide))
        .routes(routes!(report))
}

/// A comment that waits for a verdict.
#[derive(Debug, Serialize, ToSchema)]
struct CommentToModerate {
    /// The comment.
    comment: Comment,
    /// What people say is wrong with it: at most 20 reasons.
    reasons: Vec<String>,
}

/// What is decided about a comment; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CommentVerdict {
    /// Whether it is shown; else it is hidden. Either way what was reported is dealt with.
    shown: Option<bool>,
    /// Whether nobody but those who manage the repository may answer any more; of the comment that begins a thread.
    locked: Option<bool>,
}

/// What is wrong with a comment.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewCommentReport {
    /// In one line, at most 100 characters.
    reason: String,
}

impl From<Reported> for CommentToModerate {
    fn from(reported: Reported) -> Self {
        Self {
            comment: reported.comment.into(),
            reasons: reported.reports.into_iter().map(|report| report.reason).collect(),
        }
    }
}

/// Comments that wait for a verdict
///
/// Those of new people, and those that were reported; for those who manage the repository.
#[utoipa::path(get, path = "/repositories/{id}/comments/moderation", tag = "comments",
    params(Wish, ("id" = String, Path, description = "The repository's id")), responses(
    (status = 200, body = Page<CommentToModerate>), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem)))]
async fn list(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path(id): Path<String>,
    Query(wish): Query<Wish>,
) -> Result<Json<Page<CommentToModerate>>, Problem> {
    let found = state
        .app
        .list_comments_to_moderate(&caller, repository_id(&id)?, wish.after_id(), wish.limit() + 1)
        .await?;
    Ok(Json(Page::new(
        &wish,
        found,
        |one| one.comment.comment_id.to_string(),
        CommentToModerate::from,
    )))
}

/// Show, hide or lock a comment
///
/// By those who manage the repository.
#[utoipa::path(put, path = "/repositories/{id}/comments/{comment}/verdict", tag = "comments", request_body = CommentVerdict,
    params(("id" = String, Path, description = "The repository's id"), ("comment" = String, Path, description = "Its id")),
    responses((status = 200, body = Comment), (status = 400, body = Problem), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn decide(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path((id, comment)): Path<(String, String)>,
    Json(wanted): Json<CommentVerdict>,
) -> Result<Json<Comment>, Problem> {
    let verdict = Verdict {
        is_shown: wanted.shown,
        is_locked: wanted.locked,
    };
    let comment = state
        .app
        .moderate_comment(&caller, repository_id(&id)?, comment_id(&comment)?, verdict)
        .await?;
    Ok(Json(comment.into()))
}

/// Say what is wrong with a comment
///
/// With an account, once; those who manage the repository are shown it.
#[utoipa::path(post, path = "/repositories/{id}/comments/{comment}/report", tag = "comments", request_body = NewCommentReport,
    params(("id" = String, Path, description = "The repository's id"), ("comment" = String, Path, description = "Its id")),
    responses((status = 204), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem)))]
async fn report(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path((id, comment)): Path<(String, String)>,
    Json(new): Json<NewCommentReport>,
) -> Result<StatusCode, Problem> {
    state
        .app
        .report_comment(&caller, repository_id(&id)?, comment_id(&comment)?, &new.reason)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
