//! What webhooks are told: the queue, and the log of what became of it.

use super::dialect::{Tx, find, list, on, statements};
use super::error::{StoreError, unreadable, writing};
use super::row::row;
use crate::domain::webhook::{Facts, HookDelivery};
use crate::domain::{DeliveryId, EventKind, WebhookId};

statements! {
    ADD_DELIVERY = "insert into webhook_delivery (delivery_id, webhook_id, message_id, event, facts, state, created_at, due_at,
        attempts, error) values ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9)";
    COUNT_WAITING = "select count(*) as number from (select delivery_id from webhook_delivery
        where webhook_id = $1 and due_at is not null limit $2) walk";
    FIND_NEXT = "select delivery_id, webhook_id, message_id, event, facts, state, created_at, due_at, attempts, attempted_at,
        duration_ms, status, error, request_headers, request_body, response_headers, response_body from webhook_delivery
        where webhook_id = $1 and due_at <= $2 order by due_at, delivery_id limit 1";
    FIND_DELIVERY = "select delivery_id, webhook_id, message_id, event, facts, state, created_at, due_at, attempts,
        attempted_at, duration_ms, status, error, request_headers, request_body, response_headers, response_body
        from webhook_delivery where webhook_id = $1 and delivery_id = $2";
    LIST_DELIVERIES = "select delivery_id, webhook_id, message_id, event, facts, state, created_at, due_at, attempts,
        attempted_at, duration_ms, status, error, request_headers, request_body, response_headers, response_body
        from webhook_delivery where webhook_id = $1 and delivery_id < $2 order by delivery_id desc limit $3";
    FIND_EARLIEST = "select due_at from webhook_delivery where webhook_id = $1 and due_at is not null
        order by due_at limit 1";
    SETTLE_DELIVERY = "update webhook_delivery set state = $1, due_at = $2, attempts = attempts + 1, attempted_at = $3,
        duration_ms = $4, status = $5, error = $6, request_headers = $7, request_body = $8, response_headers = $9,
        response_body = $10 where delivery_id = $11 and due_at is not null";
    GIVE_UP_WAITING = "update webhook_delivery set state = 'dead', due_at = null, error = $1
        where webhook_id = $2 and due_at is not null";
    FIND_LAST_KEPT = "select delivery_id from webhook_delivery where webhook_id = $1 order by delivery_id desc limit 1 offset $2";
    DROP_BEFORE = "delete from webhook_delivery where webhook_id = $1 and delivery_id <= $2 and due_at is null";
    DROP_OLD = "delete from webhook_delivery where delivery_id in (select delivery_id from webhook_delivery
        where delivery_id < $1 and due_at is null order by delivery_id limit $2)";
    REMOVE_DELIVERIES = "delete from webhook_delivery where webhook_id = $1";
}

row! {
struct DeliveryRow {
    delivery_id: i64,
    webhook_id: i64,
    message_id: i64,
    event: String,
    facts: String,
    state: String,
    created_at: i64,
    due_at: Option<i64>,
    attempts: i64,
    attempted_at: Option<i64>,
    duration_ms: Option<i64>,
    status: Option<i64>,
    error: Option<String>,
    request_headers: Option<String>,
    request_body: Option<String>,
    response_headers: Option<String>,
    response_body: Option<String>,
}
}

row! {
struct NumberRow {
    number: i64,
}
}

row! {
struct DueRow {
    due_at: Option<i64>,
}
}

row! {
struct IdRow {
    delivery_id: i64,
}
}

impl DeliveryRow {
    fn into_delivery(self) -> Result<HookDelivery, StoreError> {
        Ok(HookDelivery {
            delivery_id: DeliveryId::from_i64(self.delivery_id),
            webhook_id: WebhookId::from_i64(self.webhook_id),
            message_id: DeliveryId::from_i64(self.message_id),
            kind: self.event.parse().map_err(unreadable("delivery"))?,
            facts: serde_json::from_str(&self.facts).map_err(unreadable("delivery"))?,
            state: self.state.parse().map_err(unreadable("delivery"))?,
            created_at: self.created_at,
            due_at: self.due_at,
            attempts: self.attempts,
            attempted_at: self.attempted_at,
            duration_ms: self.duration_ms,
            status: self.status,
            error: self.error,
            request_headers: self.request_headers,
            request_body: self.request_body,
            response_headers: self.response_headers,
            response_body: self.response_body,
        })
    }
}

/// What is to be told.
#[derive(Debug, Clone, Copy)]
pub struct NewDelivery<'a> {
    /// A new id.
    pub delivery_id: DeliveryId,
    /// To whom.
    pub webhook_id: WebhookId,
    /// The delivery that it repeats, or itself.
    pub message_id: DeliveryId,
    /// What happened.
    pub kind: EventKind,
    /// What happened, in detail.
    pub facts: &'a Facts,
    /// Now, in milliseconds since 1970.
    pub now_ms: i64,
    /// Whether somebody asks for it, and waits: then it comes before everything else.
    pub is_asked: bool,
    /// Why it is not sent at all.
    pub refused: Option<&'a str>,
}

/// Adds something to the queue, or to the log alone when it is refused.
pub async fn add_delivery(tx: &mut Tx, new: &NewDelivery<'_>) -> Result<(), StoreError> {
    let facts = serde_json::to_string(new.facts).map_err(unreadable("delivery"))?;
    let (state, due_at) = match new.refused {
        None if new.is_asked => ("waiting", Some(0)),
        None => ("waiting", Some(new.now_ms)),
        Some(_) => ("dead", None),
    };
    on!(tx, c => sqlx::query(ADD_DELIVERY)
        .bind(new.delivery_id.as_i64())
        .bind(new.webhook_id.as_i64())
        .bind(new.message_id.as_i64())
        .bind(new.kind.as_str())
        .bind(&facts)
        .bind(state)
        .bind(new.now_ms)
        .bind(due_at)
        .bind(new.refused)
        .execute(c).await.map(drop))
    .map_err(writing("delivery"))
}

/// How many deliveries wait for a webhook, counted up to `limit`.
pub async fn count_waiting(tx: &mut Tx, webhook_id: WebhookId, limit: u32) -> Result<i64, StoreError> {
    let row = find!(
        "deliveries",
        tx,
        NumberRow,
        COUNT_WAITING,
        webhook_id.as_i64(),
        i64::from(limit)
    )?;
    Ok(row.map_or(0, |row| row.number))
}

/// The delivery of a webhook that is due longest.
pub async fn find_next(
    tx: &mut Tx,
    webhook_id: WebhookId,
    now_ms: i64,
) -> Result<Option<HookDelivery>, StoreError> {
    find!(
        "delivery",
        tx,
        DeliveryRow,
        FIND_NEXT,
        webhook_id.as_i64(),
        now_ms
    )?
    .map(DeliveryRow::into_delivery)
    .transpose()
}

/// A delivery of a webhook.
pub async fn find_delivery(
    tx: &mut Tx,
    webhook_id: WebhookId,
    delivery_id: DeliveryId,
) -> Result<Option<HookDelivery>, StoreError> {
    find!(
        "delivery",
        tx,
        DeliveryRow,
        FIND_DELIVERY,
        webhook_id.as_i64(),
        delivery_id.as_i64()
    )?
    .map(DeliveryRow::into_delivery)
    .transpose()
}

/// At most `limit` deliveries of a webhook, the newest first, those before `before`.
pub async fn list_deliveries(
    tx: &mut Tx,
    webhook_id: WebhookId,
    before: i64,
    limit: u32,
) -> Result<Vec<HookDelivery>, StoreError> {
    list!(
        "deliveries",
        tx,
        DeliveryRow,
        LIST_DELIVERIES,
        webhook_id.as_i64(),
        before,
        i64::from(limit)
    )?
    .into_iter()
    .map(DeliveryRow::into_delivery)
    .collect()
}

/// When the next delivery of a webhook is due, if one waits.
pub async fn find_earliest(tx: &mut Tx, webhook_id: WebhookId) -> Result<Option<i64>, StoreError> {
    let row = find!("delivery", tx, DueRow, FIND_EARLIEST, webhook_id.as_i64())?;
    Ok(row.and_then(|row| row.due_at))
}

/// Writes down what became of an attempt, as `delivery` says it.
pub async fn settle_delivery(tx: &mut Tx, delivery: &HookDelivery) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(SETTLE_DELIVERY)
        .bind(delivery.state.as_str())
        .bind(delivery.due_at)
        .bind(delivery.attempted_at)
        .bind(delivery.duration_ms)
        .bind(delivery.status)
        .bind(delivery.error.as_deref())
        .bind(delivery.request_headers.as_deref())
        .bind(delivery.request_body.as_deref())
        .bind(delivery.response_headers.as_deref())
        .bind(delivery.response_body.as_deref())
        .bind(delivery.delivery_id.as_i64())
        .execute(c).await.map(drop))
    .map_err(writing("delivery"))
}

/// Gives up everything that waits for a webhook, and says why.
pub async fn give_up_waiting(tx: &mut Tx, webhook_id: WebhookId, why: &str) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(GIVE_UP_WAITING).bind(why).bind(webhook_id.as_i64()).execute(c).await.map(drop))
        .map_err(writing("deliveries"))
}

/// Forgets all but about `kept` deliveries of a webhook; those that wait stay.
pub async fn drop_beyond(tx: &mut Tx, webhook_id: WebhookId, kept: u32) -> Result<(), StoreError> {
    let last = find!(
        "delivery",
        tx,
        IdRow,
        FIND_LAST_KEPT,
        webhook_id.as_i64(),
        i64::from(kept)
    )?;
    let Some(IdRow { delivery_id }) = last else {
        return Ok(());
    };
    on!(tx, c => sqlx::query(DROP_BEFORE).bind(webhook_id.as_i64()).bind(delivery_id).execute(c).await.map(drop))
        .map_err(writing("deliveries"))
}

/// Forgets at most `limit` deliveries from before `before`; says how many.
pub async fn drop_old(tx: &mut Tx, before: DeliveryId, limit: u32) -> Result<u64, StoreError> {
    on!(tx, c => sqlx::query(DROP_OLD).bind(before.as_i64()).bind(i64::from(limit))
        .execute(c).await.map(|done| done.rows_affected()))
    .map_err(writing("deliveries"))
}

/// Removes all deliveries of a webhook.
pub async fn remove_deliveries(tx: &mut Tx, webhook_id: WebhookId) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(REMOVE_DELIVERIES).bind(webhook_id.as_i64()).execute(c).await.map(drop))
        .map_err(writing("deliveries"))
}
