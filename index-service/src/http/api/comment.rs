//! `/api/v1/repositories/{id}/comments` and `/api/v1/site/comments`.

mod moderation;

use crate::http::api::described::{ApiRouter, routes};
use axum::Json;
use axum::extract::{Path, Query, State as Shared};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::State;
use super::caller::{Anyone, SignedIn};
use super::instant::Instant;
use super::page::{Page, Wish};
use super::problem::Problem;
use super::repository::repository_id;
use crate::app::AppError;
use crate::app::comment::{Comments, KnownComment};
use crate::domain::CommentId;
use crate::domain::comment::Board;
use crate::http::markdown::render;

pub(super) fn routes() -> ApiRouter {
    ApiRouter::new()
        .routes(routes!(site, allow))
        .routes(routes!(settings, set))
        .routes(routes!(threads, write))
        .routes(routes!(replies))
        .routes(routes!(edit, delete))
        .merge(moderation::routes())
}

/// Whether the site has comments.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SiteComments {
    /// Whether those who manage a repository can open comments there.
    allowed: bool,
}

/// What was decided about the comments of a repository.
#[derive(Debug, Serialize, ToSchema)]
struct CommentSettings {
    /// Whether comments are written and shown, if the site has them.
    open: bool,
    /// Whether the first comment of somebody waits until it was looked at.
    newcomers_wait: bool,
    /// Whether the site has comments.
    allowed: bool,
}

/// What shall be decided.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewCommentSettings {
    /// Whether comments are written and shown.
    open: bool,
    /// Whether the first comment of somebody waits until it was looked at. Default: true.
    newcomers_wait: Option<bool>,
}

/// A comment.
#[derive(Debug, Serialize, ToSchema)]
struct Comment {
    /// Its id.
    id: String,
    /// The comment that begins the thread which it answers in; absent for one that begins a thread.
    #[serde(skip_serializing_if = "Option::is_none")]
    thread: Option<String>,
    /// Who wrote it.
    author: String,
    /// In Markdown; empty when it is deleted.
    text: String,
    /// The same as HTML, in which nothing runs and nothing is fetched from elsewhere.
    html: String,
    /// `shown`; `waiting` or `hidden`, as its author and those who manage the repository see it; `deleted`.
    state: &'static str,
    /// Whether nobody answers any more.
    locked: bool,
    /// Shown answers of a thread; 0 elsewhere.
    replies: i64,
    /// When it was written.
    created_at: Instant,
    /// When it was changed last.
    #[serde(skip_serializing_if = "Option::is_none")]
    edited_at: Option<Instant>,
}

impl From<KnownComment> for Comment {
    fn from(known: KnownComment) -> Self {
        Self {
            id: known.comment_id.to_string(),
            thread: known.thread_id.map(|id| id.to_string()),
            author: known.username,
            html: render(&known.text),
            text: known.text,
            state: known.state.as_str(),
            locked: known.locked_at.is_some(),
            replies: known.replies,
            created_at: Instant(known.created_at),
            edited_at: known.edited_at.map(Instant),
        }
    }
}

/// A comment to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewComment {
    /// In Markdown, 1 to 10,000 bytes.
    text: String,
    /// The id of the comment that it answers; absent to begin a thread.
    reply_to: Option<String>,
}

/// Another text of a comment.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ChangedComment {
    /// In Markdown, 1 to 10,000 bytes.
    text: String,
}

pub(super) fn comment_id(text: &str) -> Result<CommentId, AppError> {
    text.parse()
        .map(CommentId::from_i64)
        .map_err(|_| AppError::NotFound("there is no such comment".to_owned()))
}

fn shown(comments: Comments) -> CommentSettings {
    CommentSettings {
        open: comments.board.is_open,
        newcomers_wait: comments.board.newcomers_wait,
        allowed: comments.is_allowed,
    }
}

fn page(wish: &Wish, found: Vec<KnownComment>) -> Page<Comment> {
    Page::new(
        wish,
        found,
        |comment| comment.comment_id.to_string(),
        Comment::from,
    )
}

/// Whether the site has comments
#[utoipa::path(get, path = "/site/comments", tag = "comments", responses((status = 200, body = SiteComments)))]
async fn site(Shared(state): Shared<State>) -> Result<Json<SiteComments>, Problem> {
    let allowed = state.app.are_comments_allowed().await?;
    Ok(Json(SiteComments { allowed }))
}

/// Give the site comments, or take them away
///
/// By its administrators. Without comments on the site no repository shows any; what was written stays.
#[utoipa::path(put, path = "/site/comments", tag = "comments", request_body = SiteComments, responses(
    (status = 200, body = SiteComments), (status = 400, body = Problem), (status = 401, body = Problem),
    (status = 403, body = Problem)))]
async fn allow(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Json(wanted): Json<SiteComments>,
) -> Result<Json<SiteComments>, Problem> {
    state.app.allow_comments(&caller, wanted.allowed).await?;
    Ok(Json(wanted))
}

/// Whether a repository has comments
///
/// For whoever may pull it.
#[utoipa::path(get, path = "/repositories/{id}/comments/settings", tag = "comments",
    params(("id" = String, Path, description = "The repository's id")), responses(
    (status = 200, body = CommentSettings), (status = 401, body = Problem), (status = 404, body = Problem)))]
async fn settings(
    Shared(state): Shared<State>,
    Anyone(caller): Anyone,
    Path(id): Path<String>,
) -> Result<Json<CommentSettings>, Problem> {
    let comments = state
        .app
        .show_comment_settings(&caller, repository_id(&id)?)
        .await?;
    Ok(Json(shown(comments)))
}

/// Open or close the comments of a repository
///
/// By those who manage it. Closed, they are kept and shown to nobody else.
#[utoipa::path(put, path = "/repositories/{id}/comments/settings", tag = "comments", request_body = NewCommentSettings,
    params(("id" = String, Path, description = "The repository's id")), responses(
    (status = 200, body = CommentSettings), (status = 400, body = Problem), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn set(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path(id): Path<String>,
    Json(wanted): Json<NewCommentSettings>,
) -> Result<Json<CommentSettings>, Problem> {
    let board = Board {
        is_open: wanted.open,
        newcomers_wait: wanted.newcomers_wait.unwrap_or(true),
    };
    let comments = state
        .app
        .set_comment_settings(&caller, repository_id(&id)?, board)
        .await?;
    Ok(Json(shown(comments)))
}

/// Threads of comments
///
/// The newest first, for whoever may pull the repository. What waits or is hidden is shown to its author and to those who
/// manage the repository.
#[utoipa::path(get, path = "/repositories/{id}/comments", tag = "comments",
    params(Wish, ("id" = String, Path, description = "The repository's id")), responses(
    (status = 200, body = Page<Comment>), (status = 401, body = Problem), (status = 404, body = Problem)))]
async fn threads(
    Shared(state): Shared<State>,
    Anyone(caller): Anyone,
    Path(id): Path<String>,
    Query(wish): Query<Wish>,
) -> Result<Json<Page<Comment>>, Problem> {
    let before = wish.after().parse().unwrap_or(i64::MAX);
    let found = state
        .app
        .list_comment_threads(&caller, repository_id(&id)?, before, wish.limit() + 1)
        .await?;
    Ok(Json(page(&wish, found)))
}

/// Write a comment
///
/// With an account that may pull the repository, at most 20 within an hour. The first of somebody new may wait until one of
/// those who manage the repository shows it.
#[utoipa::path(post, path = "/repositories/{id}/comments", tag = "comments", request_body = NewComment,
    params(("id" = String, Path, description = "The repository's id")), responses(
    (status = 201, body = Comment), (status = 400, body = Problem), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 404, body = Problem), (status = 429, body = Problem)))]
async fn write(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path(id): Path<String>,
    Json(new): Json<NewComment>,
) -> Result<(StatusCode, Json<Comment>), Problem> {
    let answers = new.reply_to.as_deref().map(comment_id).transpose()?;
    let written = state
        .app
        .write_comment(&caller, repository_id(&id)?, &new.text, answers)
        .await?;
    Ok((StatusCode::CREATED, Json(written.into())))
}

/// Answers to a comment
///
/// The oldest first.
#[utoipa::path(get, path = "/repositories/{id}/comments/{comment}/replies", tag = "comments",
    params(Wish, ("id" = String, Path, description = "The repository's id"),
    ("comment" = String, Path, description = "The id of the comment that begins the thread")), responses(
    (status = 200, body = Page<Comment>), (status = 401, body = Problem), (status = 404, body = Problem)))]
async fn replies(
    Shared(state): Shared<State>,
    Anyone(caller): Anyone,
    Path((id, comment)): Path<(String, String)>,
    Query(wish): Query<Wish>,
) -> Result<Json<Page<Comment>>, Problem> {
    let found = state
        .app
        .list_comment_replies(
            &caller,
            repository_id(&id)?,
            comment_id(&comment)?,
            wish.after_id(),
            wish.limit() + 1,
        )
        .await?;
    Ok(Json(page(&wish, found)))
}

/// Change one's own comment
#[utoipa::path(patch, path = "/repositories/{id}/comments/{comment}", tag = "comments", request_body = ChangedComment,
    params(("id" = String, Path, description = "The repository's id"), ("comment" = String, Path, description = "Its id")),
    responses((status = 200, body = Comment), (status = 400, body = Problem), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn edit(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path((id, comment)): Path<(String, String)>,
    Json(changed): Json<ChangedComment>,
) -> Result<Json<Comment>, Problem> {
    let comment = state
        .app
        .edit_comment(&caller, repository_id(&id)?, comment_id(&comment)?, &changed.text)
        .await?;
    Ok(Json(comment.into()))
}

/// Delete a comment
///
/// One's own, or any as one who manages the repository. Its place in the thread stays.
#[utoipa::path(delete, path = "/repositories/{id}/comments/{comment}", tag = "comments",
    params(("id" = String, Path, description = "The repository's id"), ("comment" = String, Path, description = "Its id")),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn delete(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path((id, comment)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    state
        .app
        .delete_comment(&caller, repository_id(&id)?, comment_id(&comment)?)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests;
