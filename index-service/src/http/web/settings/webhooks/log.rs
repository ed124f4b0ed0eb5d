//! What a webhook was told, and what was answered.

use askama::Template;
use axum::response::Response;

use super::super::fields::{Draft, Fields};
use super::super::place::{At, Place};
use crate::app::AppError;
use crate::domain::webhook::{DeliveryState, HookDelivery};
use crate::domain::{DeliveryId, WebhookId};
use crate::http::State as Parts;
use crate::http::web::fault::PageError;
use crate::http::web::page::render_with;
use crate::http::web::view::View;

/// Deliveries on a page.
const PAGE: u32 = 25;

#[derive(Template)]
#[template(path = "settings/delivery.html")]
struct Delivery {
    view: View,
    place: Place,
    draft: Draft,
    webhook: String,
    line: Line,
    message: String,
    request: Option<(String, String)>,
    response: Option<(String, String)>,
}

/// A delivery in a list.
pub(super) struct Line {
    pub(super) id: String,
    pub(super) event_key: String,
    pub(super) about: String,
    pub(super) state_key: &'static str,
    /// How the state is coloured.
    pub(super) state_kind: &'static str,
    pub(super) created_at: i64,
    pub(super) attempts: i64,
    pub(super) attempted_at: Option<i64>,
    pub(super) due_at: Option<i64>,
    pub(super) duration_ms: Option<i64>,
    pub(super) status: Option<i64>,
    pub(super) error: Option<String>,
    pub(super) is_waiting: bool,
}

/// A page of what a webhook was told, and where the next is.
pub(super) async fn list(
    state: &Parts,
    at: &At,
    id: WebhookId,
    query: &Fields,
    address: &str,
) -> Result<(Vec<Line>, Option<String>), AppError> {
    let mut found = state
        .app
        .list_deliveries(&at.caller, &at.hooks(), id, query.before_id(), PAGE + 1)
        .await?;
    let more = found.len() > PAGE as usize;
    found.truncate(PAGE as usize);
    let next = found.last().filter(|_| more);
    let next = next.map(|last| format!("{address}&after={}", last.delivery_id));
    Ok((found.iter().map(Line::from).collect(), next))
}

/// The page of one delivery.
pub(super) async fn page(
    state: &Parts,
    at: At,
    draft: Draft,
    webhook: WebhookId,
    delivery: DeliveryId,
) -> Result<Response, PageError> {
    let scope = at.hooks();
    let found = state
        .app
        .show_delivery(&at.caller, &scope, webhook, delivery)
        .await?;
    let page = Delivery {
        line: Line::from(&found),
        message: found.message(),
        webhook: webhook.to_string(),
        response: found
            .status
            .and(found.response_body)
            .map(|body| (found.response_headers.unwrap_or_default(), body)),
        request: found
            .request_body
            .map(|body| (found.request_headers.unwrap_or_default(), body)),
        view: at.view,
        place: at.place,
        draft,
    };
    Ok(render_with(page.draft.status(), &page))
}

impl From<&HookDelivery> for Line {
    fn from(found: &HookDelivery) -> Self {
        let (state_key, state_kind) = match found.state {
            DeliveryState::Waiting => ("settings-delivery-waiting", "quiet"),
            DeliveryState::Delivered => ("settings-delivery-delivered", "good"),
            DeliveryState::Dead => ("settings-delivery-dead", "bad"),
        };
        let facts = &found.facts;
        let name = facts.repository.as_deref().unwrap_or(&facts.namespace);
        let about = match &facts.tag {
            Some(tag) => format!("{name}:{tag}"),
            None => name.to_owned(),
        };
        Self {
            id: found.delivery_id.to_string(),
            event_key: format!("settings-event-{}", found.kind.as_str().replace('.', "-")),
            about,
            state_key,
            state_kind,
            created_at: found.created_at,
            attempts: found.attempts,
            attempted_at: found.attempted_at,
            // What somebody asked for is due before everything else.
            due_at: found.due_at.map(|due_at| due_at.max(found.created_at)),
            duration_ms: found.duration_ms,
            status: found.status,
            error: found.error.clone(),
            is_waiting: found.state == DeliveryState::Waiting,
        }
    }
}
