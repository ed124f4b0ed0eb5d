//! What webhooks were told.

use axum::Json;
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::super::State;
use super::super::instant::Instant;
use super::super::page::{Page, Wish};
use super::super::problem::Problem;
use super::webhook_id;
use crate::app::AppError;
use crate::app::caller::Caller;
use crate::app::webhook::HookScope;
use crate::domain::DeliveryId;
use crate::domain::webhook::HookDelivery;

/// Something that a webhook is, or was, told.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct WebhookDelivery {
    /// The id.
    id: String,
    /// The message's id as the receiver sees it: the same for what is delivered again.
    message_id: String,
    /// What happened.
    event: &'static str,
    /// The repository, by its name then; absent for a namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    repository: Option<String>,
    /// The tag that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    tag: Option<String>,
    /// `waiting`, `delivered` or `dead` (given up).
    state: &'static str,
    /// Since when it is known.
    created_at: Instant,
    /// When it is to be sent; absent for what is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    due_at: Option<Instant>,
    /// How often it was sent.
    attempts: i64,
    /// When it was sent last.
    #[serde(skip_serializing_if = "Option::is_none")]
    attempted_at: Option<Instant>,
    /// How long that took, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_ms: Option<i64>,
    /// The status that was answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<i64>,
    /// Why it was not taken, or not sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// What was sent last; absent in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<SentMessage>,
    /// What was answered; absent in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    response: Option<ReceivedAnswer>,
}

/// What was sent.
#[derive(Debug, Serialize, ToSchema)]
struct SentMessage {
    /// Headers, in lines.
    headers: String,
    /// The body.
    body: String,
}

/// What was answered.
#[derive(Debug, Serialize, ToSchema)]
struct ReceivedAnswer {
    /// Headers, in lines, as far as they are kept.
    headers: String,
    /// The beginning of the body: 4 KiB.
    body: String,
}

impl WebhookDelivery {
    fn listed(delivery: HookDelivery) -> Self {
        Self {
            request: None,
            response: None,
            ..Self::whole(delivery)
        }
    }

    fn whole(delivery: HookDelivery) -> Self {
        Self {
            id: delivery.delivery_id.to_string(),
            message_id: delivery.message(),
            event: delivery.kind.as_str(),
            repository: delivery.facts.repository,
            tag: delivery.facts.tag,
            state: delivery.state.as_str(),
            created_at: Instant(delivery.created_at),
            // What somebody asked for is due before everything else.
            due_at: delivery
                .due_at
                .map(|due_at| Instant(due_at.max(delivery.created_at))),
            attempts: delivery.attempts,
            attempted_at: delivery.attempted_at.map(Instant),
            duration_ms: delivery.duration_ms,
            status: delivery.status,
            error: delivery.error,
            request: delivery.request_body.map(|body| SentMessage {
                headers: delivery.request_headers.unwrap_or_default(),
                body,
            }),
            response: delivery
                .status
                .and(delivery.response_body)
                .map(|body| ReceivedAnswer {
                    headers: delivery.response_headers.unwrap_or_default(),
                    body,
                }),
        }
    }
}

fn delivery_id(text: &str) -> Result<DeliveryId, AppError> {
    text.parse()
        .map(DeliveryId::from_i64)
        .map_err(|_| AppError::NotFound("the webhook has no such delivery".to_owned()))
}

pub(super) async fn page(
    state: &State,
    caller: &Caller,
    scope: &HookScope,
    id: &str,
    wish: &Wish,
) -> Result<Json<Page<WebhookDelivery>>, Problem> {
    let before = wish.after().parse().unwrap_or(i64::MAX);
    let found = state
        .app
        .list_deliveries(caller, scope, webhook_id(id)?, before, wish.limit() + 1)
        .await?;
    Ok(Json(Page::new(
        wish,
        found,
        |delivery| delivery.delivery_id.to_string(),
        WebhookDelivery::listed,
    )))
}

pub(super) async fn find(
    state: &State,
    caller: &Caller,
    scope: &HookScope,
    (id, delivery): (&str, &str),
) -> Result<Json<WebhookDelivery>, Problem> {
    let found = state
        .app
        .show_delivery(caller, scope, webhook_id(id)?, delivery_id(delivery)?)
        .await?;
    Ok(Json(WebhookDelivery::whole(found)))
}

pub(super) async fn again(
    state: &State,
    caller: &Caller,
    scope: &HookScope,
    (id, delivery): (&str, &str),
) -> Result<(StatusCode, Json<WebhookDelivery>), Problem> {
    let made = state
        .app
        .redeliver(caller, scope, webhook_id(id)?, delivery_id(delivery)?)
        .await?;
    Ok((StatusCode::ACCEPTED, Json(WebhookDelivery::listed(made))))
}

pub(super) async fn test(
    state: &State,
    caller: &Caller,
    scope: &HookScope,
    id: &str,
) -> Result<(StatusCode, Json<WebhookDelivery>), Problem> {
    let made = state.app.ping_webhook(caller, scope, webhook_id(id)?).await?;
    Ok((StatusCode::ACCEPTED, Json(WebhookDelivery::listed(made))))
}
