//! `/api/v1/account/notifications`: what one's own account is told.

use crate::http::api::described::{ApiRouter, routes};
use axum::Json;
use axum::extract::{Path, Query, State as Shared};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::State;
use super::caller::SignedIn;
use super::instant::Instant;
use super::page::{Page, Wish};
use super::problem::Problem;
use crate::app::AppError;
use crate::app::notice::NoticeChoice;
use crate::domain::notice::InvalidNoticeKind;
use crate::domain::{Notice, NoticeId, NoticeKind};

pub(super) fn routes() -> ApiRouter {
    ApiRouter::new()
        .routes(routes!(list, remove_all))
        .routes(routes!(read_all))
        .routes(routes!(remove))
        .routes(routes!(read))
        .routes(routes!(choices, choose))
}

/// Something that an account is told.
#[derive(Debug, Serialize, ToSchema)]
struct AccountNotification {
    /// Its id.
    id: String,
    /// `member`, `collaborator`, `comment`, `reply`, `approval`, `webhook`, `quota`, `token_ending`, `token_leaked` or `sign_in`.
    kind: &'static str,
    /// What it is about, as that was called then: a repository, a pattern, an organisation, a namespace, the label of an access
    /// token, a program.
    subject: String,
    /// The account that did it.
    #[serde(skip_serializing_if = "Option::is_none")]
    actor: Option<String>,
    /// What else there is to say: the role, the rights, why a webhook is off, the percents and what of, when a token ends
    /// (milliseconds since 1970), from which address.
    detail: String,
    /// The page that it leads to.
    path: String,
    /// When it was written.
    created_at: Instant,
    /// When it was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    read_at: Option<Instant>,
}

impl From<Notice> for AccountNotification {
    fn from(notice: Notice) -> Self {
        Self {
            id: notice.notice_id.to_string(),
            kind: notice.kind.as_str(),
            path: notice.path(),
            subject: notice.subject,
            actor: notice.actor,
            detail: notice.detail,
            created_at: Instant(notice.created_at),
            read_at: notice.read_at.map(Instant),
        }
    }
}

/// A kind of notification.
#[derive(Debug, Serialize, ToSchema)]
struct NotificationChoice {
    /// The kind.
    kind: &'static str,
    /// Whether the account is told of it.
    is_on: bool,
}

/// Of what an account is told.
#[derive(Debug, Serialize, ToSchema)]
struct NotificationChoices {
    /// Every kind.
    items: Vec<NotificationChoice>,
}

impl From<Vec<NoticeChoice>> for NotificationChoices {
    fn from(choices: Vec<NoticeChoice>) -> Self {
        let shown = |choice: NoticeChoice| NotificationChoice {
            kind: choice.kind.as_str(),
            is_on: choice.is_on,
        };
        Self {
            items: choices.into_iter().map(shown).collect(),
        }
    }
}

/// Of what an account is not told.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NotificationsOff {
    /// The kinds that are off; every other is on.
    #[schema(max_items = 10)]
    off: Vec<String>,
}

/// What one's account is told
///
/// The newest first. The last 200 are kept, for 90 days. Nobody else sees them.
#[utoipa::path(get, path = "/account/notifications", tag = "accounts", params(Wish), responses(
    (status = 200, body = Page<AccountNotification>), (status = 400, body = Problem), (status = 401, body = Problem),
    (status = 403, body = Problem)))]
async fn list(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Query(wish): Query<Wish>,
) -> Result<Json<Page<AccountNotification>>, Problem> {
    let before = wish.after().parse().unwrap_or(i64::MAX);
    let read = state.app.list_notices(&caller, before, wish.limit() + 1).await?;
    Ok(Json(Page::new(
        &wish,
        read,
        |notice| notice.notice_id.to_string(),
        AccountNotification::from,
    )))
}

/// Mark a notification as read
#[utoipa::path(put, path = "/account/notifications/{id}/read", tag = "accounts",
    params(("id" = String, Path, description = "Its id")), responses((status = 200, body = AccountNotification),
    (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn read(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path(id): Path<String>,
) -> Result<Json<AccountNotification>, Problem> {
    let notice = state.app.read_notice(&caller, notice_id(&id)?).await?;
    Ok(Json(notice.into()))
}

/// Mark all notifications as read
#[utoipa::path(put, path = "/account/notifications/read", tag = "accounts", responses(
    (status = 204), (status = 401, body = Problem), (status = 403, body = Problem)))]
async fn read_all(Shared(state): Shared<State>, SignedIn(caller): SignedIn) -> Result<StatusCode, Problem> {
    state.app.read_notices(&caller, None).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Delete a notification
#[utoipa::path(delete, path = "/account/notifications/{id}", tag = "accounts",
    params(("id" = String, Path, description = "Its id")), responses(
    (status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn remove(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    state.app.remove_notice(&caller, notice_id(&id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Delete all notifications
#[utoipa::path(delete, path = "/account/notifications", tag = "accounts", responses(
    (status = 204), (status = 401, body = Problem), (status = 403, body = Problem)))]
async fn remove_all(Shared(state): Shared<State>, SignedIn(caller): SignedIn) -> Result<StatusCode, Problem> {
    state.app.remove_notices(&caller, None).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Of what one's account is told
#[utoipa::path(get, path = "/account/notification-choices", tag = "accounts", responses(
    (status = 200, body = NotificationChoices), (status = 401, body = Problem), (status = 403, body = Problem)))]
async fn choices(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
) -> Result<Json<NotificationChoices>, Problem> {
    Ok(Json(state.app.notice_choices(&caller).await?.into()))
}

/// Choose of what one's account is told
///
/// What it was told before stays.
#[utoipa::path(put, path = "/account/notification-choices", tag = "accounts", request_body = NotificationsOff, responses(
    (status = 200, body = NotificationChoices), (status = 400, body = Problem), (status = 401, body = Problem),
    (status = 403, body = Problem)))]
async fn choose(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Json(body): Json<NotificationsOff>,
) -> Result<Json<NotificationChoices>, Problem> {
    let off: Result<Vec<NoticeKind>, InvalidNoticeKind> = body.off.iter().map(|kind| kind.parse()).collect();
    let off = off.map_err(|error| AppError::Invalid(error.to_string()))?;
    Ok(Json(state.app.choose_notices(&caller, &off).await?.into()))
}

fn notice_id(text: &str) -> Result<NoticeId, AppError> {
    let id = text
        .parse()
        .map_err(|_| AppError::NotFound("there is no such notification".to_owned()))?;
    Ok(NoticeId::from_i64(id))
}

#[cfg(test)]
#[path = "notice/tests.rs"]
mod tests;
