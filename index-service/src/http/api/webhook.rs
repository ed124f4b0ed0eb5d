//! `/api/v1/repositories/{id}/webhooks` and `/api/v1/namespaces/{name}/webhooks`: the same for either place.

mod delivery;
mod namespace;
mod place;
mod repository;
#[cfg(test)]
mod tests;

use crate::http::api::described::ApiRouter;
use axum::Json;
use axum::response::{IntoResponse, Response};
use http::header::CACHE_CONTROL;
use http::{HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};
use shared::secret::Secret;
use shared::token::TagSet;
use utoipa::ToSchema;

use super::State;
use super::idempotency::ShowsSecret;
use super::instant::Instant;
use super::page::{Page, Wish};
use super::problem::Problem;
use crate::app::AppError;
use crate::app::caller::Caller;
use crate::app::webhook::{DEFAULT_OVERLAP_HOURS, HookScope, HookWish, ShownHook};
use crate::domain::webhook::DisabledBecause;
use crate::domain::{EventKind, HookFormat, WebhookId};

pub(super) fn routes() -> ApiRouter {
    repository::routes().merge(namespace::routes())
}

/// A webhook: an address that is told what happens.
#[derive(Debug, Serialize, ToSchema)]
struct Webhook {
    /// The id.
    id: String,
    /// What people call it.
    name: String,
    /// The address without what may be a secret: scheme, host and the last characters.
    url: String,
    /// In which form it is told: `docker_hub`, `cloudevents`, `slack`, `feishu`, `dingtalk` or `wecom`.
    format: &'static str,
    /// What it is told of.
    events: Vec<&'static str>,
    /// Of which tags, by patterns; absent for every tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<Vec<String>>,
    /// Whether it is told anything.
    enabled: bool,
    /// Why not: `asked`, `failing` (for days), `gone` (the receiver said so) or `permission` (of whoever made it, or changed it last).
    #[serde(skip_serializing_if = "Option::is_none")]
    disabled_because: Option<&'static str>,
    /// Since when not.
    #[serde(skip_serializing_if = "Option::is_none")]
    disabled_at: Option<Instant>,
    /// Attempts that failed since the last that did not.
    failures: i64,
    /// When the first of them was.
    #[serde(skip_serializing_if = "Option::is_none")]
    failing_since: Option<Instant>,
    /// When something was sent last.
    #[serde(skip_serializing_if = "Option::is_none")]
    attempted_at: Option<Instant>,
    /// When something was taken last.
    #[serde(skip_serializing_if = "Option::is_none")]
    delivered_at: Option<Instant>,
    /// Since when it has its secret; absent without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_set_at: Option<Instant>,
    /// Until when the secret before signs, too.
    #[serde(skip_serializing_if = "Option::is_none")]
    former_secret_until: Option<Instant>,
    /// On whose rights it stands: who made it, or changed it last.
    #[serde(skip_serializing_if = "Option::is_none")]
    kept_by: Option<String>,
    /// When it was made.
    created_at: Instant,
}

/// A webhook with the secret that its deliveries are signed with.
#[derive(Debug, Serialize, ToSchema)]
struct WebhookWithSecret {
    /// What it signs with: it is not shown again. Absent where the receiver has none, or makes one.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
    /// The webhook.
    #[serde(flatten)]
    webhook: Webhook,
}

/// A webhook to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewWebhook {
    /// What people call it.
    #[serde(default)]
    #[schema(max_length = 100)]
    name: String,
    /// Where it is sent: `https://…` or `http://…`, on the public Internet or where the operator allows it.
    #[schema(max_length = 2048)]
    url: String,
    /// `docker_hub` (absent), `cloudevents`, `slack`, `feishu`, `dingtalk` or `wecom`.
    format: Option<String>,
    /// What it is told of; absent for `push`.
    #[schema(max_items = 20)]
    events: Option<Vec<String>>,
    /// Patterns of the tags that it is told of, such as `v*`; absent for every tag.
    #[schema(max_items = 20)]
    tags: Option<Vec<String>>,
    /// The secret that a bot of Feishu or DingTalk signs by.
    #[schema(max_length = 256)]
    secret: Option<String>,
    /// Whether it is told anything; absent for yes.
    enabled: Option<bool>,
}

/// What of a webhook shall be otherwise; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct WebhookChange {
    /// What people call it.
    #[schema(max_length = 100)]
    name: Option<String>,
    /// Where it is sent.
    #[schema(max_length = 2048)]
    url: Option<String>,
    /// `docker_hub`, `cloudevents`, `slack`, `feishu`, `dingtalk` or `wecom`.
    format: Option<String>,
    /// What it is told of.
    #[schema(max_items = 20)]
    events: Option<Vec<String>>,
    /// Patterns of the tags that it is told of; an empty list for every tag.
    #[schema(max_items = 20)]
    tags: Option<Vec<String>>,
    /// The secret that a bot of Feishu or DingTalk signs by; empty for none.
    #[schema(max_length = 256)]
    secret: Option<String>,
    /// Whether it is told anything.
    enabled: Option<bool>,
}

/// Another secret.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewHookSecret {
    /// How long the one before signs besides, 0 to 720; absent for 24.
    #[schema(minimum = 0, maximum = 720)]
    overlap_hours: Option<u16>,
}

impl NewWebhook {
    fn parse(self) -> Result<HookWish, AppError> {
        let change = WebhookChange {
            name: Some(self.name),
            url: Some(self.url),
            format: self.format,
            events: self.events,
            tags: self.tags,
            secret: self.secret,
            enabled: self.enabled,
        };
        change.parse()
    }
}

impl WebhookChange {
    fn parse(self) -> Result<HookWish, AppError> {
        Ok(HookWish {
            label: self.name,
            url: self.url.map(Secret::new),
            format: self
                .format
                .map(|word| word.parse::<HookFormat>().map_err(|error| invalid(&error)))
                .transpose()?,
            events: self
                .events
                .map(|words| words.iter().map(|word| event(word)).collect())
                .transpose()?,
            tags: self.tags.map(|patterns| tags(&patterns)).transpose()?,
            secret: self.secret.map(Secret::new),
            is_enabled: self.enabled,
        })
    }
}

fn event(word: &str) -> Result<EventKind, AppError> {
    word.parse::<EventKind>().map_err(|error| invalid(&error))
}

fn tags(patterns: &[String]) -> Result<TagSet, AppError> {
    if patterns.is_empty() {
        return Ok(TagSet::Every);
    }
    let patterns = patterns
        .iter()
        .map(|text| text.parse())
        .collect::<Result<_, _>>()
        .map_err(|error| invalid(&error))?;
    TagSet::only(patterns).map_err(|error| invalid(&error))
}

fn invalid(error: &dyn std::fmt::Display) -> AppError {
    AppError::Invalid(error.to_string())
}

fn webhook_id(text: &str) -> Result<WebhookId, AppError> {
    text.parse()
        .map(WebhookId::from_i64)
        .map_err(|_| AppError::NotFound("there is no such webhook here".to_owned()))
}

impl From<ShownHook> for Webhook {
    fn from(shown: ShownHook) -> Self {
        let ShownHook { webhook, keeper } = shown;
        Self {
            id: webhook.webhook_id.to_string(),
            name: webhook.label,
            url: webhook.shown_url,
            format: webhook.format.as_str(),
            events: webhook.filter.events.iter().map(|kind| kind.as_str()).collect(),
            tags: match &webhook.filter.tags {
                TagSet::Every => None,
                TagSet::Only(patterns) => Some(patterns.iter().map(ToString::to_string).collect()),
            },
            enabled: webhook.is_enabled,
            disabled_because: webhook.disabled_because.map(DisabledBecause::as_str),
            disabled_at: webhook.disabled_at.map(Instant),
            failures: webhook.failures,
            failing_since: webhook.failing_since.map(Instant),
            attempted_at: webhook.attempted_at.map(Instant),
            delivered_at: webhook.delivered_at.map(Instant),
            secret_set_at: webhook.secret_set_at.map(Instant),
            former_secret_until: webhook.former_secret_until.map(Instant),
            kept_by: keeper,
            created_at: Instant(webhook.created_at),
        }
    }
}

async fn page(
    state: &State,
    caller: &Caller,
    scope: &HookScope,
    wish: &Wish,
) -> Result<Json<Page<Webhook>>, Problem> {
    let found = state
        .app
        .list_webhooks(caller, scope, wish.after_id(), wish.limit() + 1)
        .await?;
    Ok(Json(Page::new(
        wish,
        found,
        |shown| shown.webhook.webhook_id.to_string(),
        Webhook::from,
    )))
}

async fn make(
    state: &State,
    caller: &Caller,
    scope: &HookScope,
    new: NewWebhook,
) -> Result<Response, Problem> {
    let (made, secret) = state.app.create_webhook(caller, scope, new.parse()?).await?;
    Ok(shown_once(made, secret.as_ref()))
}

async fn edit(
    state: &State,
    caller: &Caller,
    scope: &HookScope,
    id: &str,
    change: WebhookChange,
) -> Result<Json<Webhook>, Problem> {
    let changed = state
        .app
        .change_webhook(caller, scope, webhook_id(id)?, change.parse()?)
        .await?;
    Ok(Json(changed.into()))
}

async fn replace_secret(
    state: &State,
    caller: &Caller,
    scope: &HookScope,
    id: &str,
    new: &NewHookSecret,
) -> Result<Response, Problem> {
    let overlap = new.overlap_hours.unwrap_or(DEFAULT_OVERLAP_HOURS);
    let (changed, secret) = state
        .app
        .rotate_webhook(caller, scope, webhook_id(id)?, overlap)
        .await?;
    Ok(shown_once(changed, Some(&secret)))
}

/// 201 with a secret, which nothing on the way may keep.
fn shown_once(shown: ShownHook, secret: Option<&Secret<String>>) -> Response {
    let body = WebhookWithSecret {
        secret: secret.map(|secret| secret.expose().clone()),
        webhook: shown.into(),
    };
    (
        StatusCode::CREATED,
        [(CACHE_CONTROL, HeaderValue::from_static("no-store"))],
        axum::Extension(ShowsSecret),
        Json(body),
    )
        .into_response()
}
