//! Webhooks, and which of them have something to send.

use super::dialect::{Tx, find, list, on, statements};
use super::error::{StoreError, unreadable, writing};
use super::row::row;
use crate::domain::webhook::{DisabledBecause, HookFilter, HookPlace, Keeper, Webhook};
use crate::domain::{EventKind, NamespaceId, RepositoryId, WebhookId};
use shared::token::TagSet;

statements! {
    CREATE_WEBHOOK = "insert into webhook (webhook_id, place_kind, place_id, label, format, events, tags, shown_url, sealed,
        secret_set_at, former_secret_until, keeper_kind, keeper_id, is_enabled, failures, claimed_until, created_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 0, 0, $15)";
    CHANGE_WEBHOOK = "update webhook set label = $1, format = $2, events = $3, tags = $4, shown_url = $5, sealed = $6,
        secret_set_at = $7, former_secret_until = $8, keeper_kind = $9, keeper_id = $10 where webhook_id = $11";
    SET_SEALED = "update webhook set sealed = $1 where webhook_id = $2";
    ENABLE_WEBHOOK = "update webhook set is_enabled = $1, disabled_because = null, disabled_at = null, failures = 0,
        failing_since = null where webhook_id = $2";
    DISABLE_WEBHOOK = "update webhook set is_enabled = $1, disabled_because = $2, disabled_at = $3, due_at = null
        where webhook_id = $4";
    FIND_WEBHOOK = "select webhook_id, place_kind, place_id, label, format, events, tags, shown_url, sealed, secret_set_at,
        former_secret_until, keeper_kind, keeper_id, is_enabled, disabled_because, disabled_at, failures, failing_since,
        attempted_at, delivered_at, created_at from webhook where place_kind = $1 and place_id = $2 and webhook_id = $3";
    LIST_WEBHOOKS = "select webhook_id, place_kind, place_id, label, format, events, tags, shown_url, sealed, secret_set_at,
        former_secret_until, keeper_kind, keeper_id, is_enabled, disabled_because, disabled_at, failures, failing_since,
        attempted_at, delivered_at, created_at from webhook where place_kind = $1 and place_id = $2 and webhook_id > $3
        order by webhook_id limit $4";
    FIND_CLAIMED = "select webhook_id, place_kind, place_id, label, format, events, tags, shown_url, sealed, secret_set_at,
        former_secret_until, keeper_kind, keeper_id, is_enabled, disabled_because, disabled_at, failures, failing_since,
        attempted_at, delivered_at, created_at from webhook where webhook_id = $1 and claimed_until = $2";
    LIST_SEALED = "select webhook_id, sealed from webhook where webhook_id > $1 order by webhook_id limit $2";
    COUNT_WEBHOOKS = "select count(*) as number from webhook where place_kind = $1 and place_id = $2";
    /// Without an order, which no index has for both kinds of places: they are few.
    LIST_LISTENERS = "select webhook_id, events, tags from webhook where is_enabled and ((place_kind = 'repository'
        and place_id = $1) or (place_kind = 'namespace'
        and place_id = (select r.namespace_id from repository r where r.repository_id = $1))) limit $2";
    LIST_NAMESPACE_LISTENERS = "select webhook_id, events, tags from webhook where is_enabled and place_kind = 'namespace'
        and place_id = $1 limit $2";
    /// Holds the row until the transaction ends, so that whoever lets go of it sees what was added meanwhile.
    WAKE_WEBHOOK = "update webhook set due_at = coalesce(due_at, $1) where webhook_id = $2";
    ROUSE_WEBHOOK = "update webhook set due_at = $1 where webhook_id = $2";
    FIND_DUE_WEBHOOK = "select webhook_id, claimed_until from webhook where due_at <= $1 and claimed_until <= $1 limit 1";
    CLAIM_WEBHOOKS = "update webhook set claimed_until = $1 where due_at <= $2 and claimed_until <= $2
        and webhook_id in (select webhook_id from webhook where due_at <= $2 and claimed_until <= $2 order by due_at limit $3)
        returning webhook_id, claimed_until";
    HOLD_CLAIM = "update webhook set claimed_until = claimed_until where webhook_id = $1 and claimed_until = $2";
    RELEASE_WEBHOOK = "update webhook set due_at = $1, claimed_until = 0 where webhook_id = $2";
    NOTE_SUCCESS = "update webhook set failures = 0, failing_since = null, attempted_at = $1, delivered_at = $1
        where webhook_id = $2";
    NOTE_FAILURE = "update webhook set failures = failures + 1, failing_since = coalesce(failing_since, $1),
        attempted_at = $1 where webhook_id = $2";
    REMOVE_WEBHOOK = "delete from webhook where webhook_id = $1";
}

row! {
struct WebhookRow {
    webhook_id: i64,
    place_kind: String,
    place_id: i64,
    label: String,
    format: String,
    events: String,
    tags: Option<String>,
    shown_url: String,
    sealed: String,
    secret_set_at: Option<i64>,
    former_secret_until: Option<i64>,
    keeper_kind: String,
    keeper_id: i64,
    is_enabled: bool,
    disabled_because: Option<String>,
    disabled_at: Option<i64>,
    failures: i64,
    failing_since: Option<i64>,
    attempted_at: Option<i64>,
    delivered_at: Option<i64>,
    created_at: i64,
}
}

row! {
struct ListenerRow {
    webhook_id: i64,
    events: String,
    tags: Option<String>,
}
}

row! {
struct ClaimRow {
    webhook_id: i64,
    claimed_until: i64,
}
}

row! {
struct SealedRow {
    webhook_id: i64,
    sealed: String,
}
}

row! {
struct NumberRow {
    number: i64,
}
}

/// A word that no version of this program writes.
#[derive(Debug, thiserror::Error)]
#[error("a webhook belongs to a known kind of place and is kept by a known kind of account")]
struct InvalidKind;

impl WebhookRow {
    fn into_webhook(self) -> Result<Webhook, StoreError> {
        let kind = || unreadable("webhook")(InvalidKind);
        Ok(Webhook {
            webhook_id: WebhookId::from_i64(self.webhook_id),
            place: HookPlace::of_parts(&self.place_kind, self.place_id).ok_or_else(kind)?,
            label: self.label,
            format: self.format.parse().map_err(unreadable("webhook"))?,
            filter: filter(&self.events, self.tags.as_deref())?,
            shown_url: self.shown_url,
            sealed: self.sealed,
            secret_set_at: self.secret_set_at,
            former_secret_until: self.former_secret_until,
            keeper: Keeper::of_parts(&self.keeper_kind, self.keeper_id).ok_or_else(kind)?,
            is_enabled: self.is_enabled,
            disabled_because: self
                .disabled_because
                .as_deref()
                .map(str::parse)
                .transpose()
                .map_err(unreadable("webhook"))?,
            disabled_at: self.disabled_at,
            failures: self.failures,
            failing_since: self.failing_since,
            attempted_at: self.attempted_at,
            delivered_at: self.delivered_at,
            created_at: self.created_at,
        })
    }
}

fn filter(events: &str, tags: Option<&str>) -> Result<HookFilter, StoreError> {
    Ok(HookFilter {
        events: HookFilter::read_events(events),
        tags: TagSet::parse(tags).map_err(unreadable("webhook"))?,
    })
}

/// Who may be told of something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// The webhook.
    pub webhook_id: WebhookId,
    /// What it wants to be told of.
    pub filter: HookFilter,
}

impl Listener {
    /// Whether it wants to be told of this.
    pub fn wants(&self, kind: EventKind, tag: Option<&str>) -> bool {
        self.filter.wants(kind, tag)
    }
}

/// A webhook that is claimed: nobody else sends for it until then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HookClaim {
    /// The webhook.
    pub webhook_id: WebhookId,
    /// Until when, in milliseconds since 1970: the claim's number, too.
    pub until: i64,
}

/// Adds a webhook.
pub async fn create_webhook(tx: &mut Tx, new: &Webhook) -> Result<(), StoreError> {
    let ((place_kind, place_id), (keeper_kind, keeper_id)) = (new.place.to_parts(), new.keeper.to_parts());
    on!(tx, c => sqlx::query(CREATE_WEBHOOK)
        .bind(new.webhook_id.as_i64())
        .bind(place_kind)
        .bind(place_id)
        .bind(&new.label)
        .bind(new.format.as_str())
        .bind(new.filter.events_text())
        .bind(new.filter.tags.to_text())
        .bind(&new.shown_url)
        .bind(&new.sealed)
        .bind(new.secret_set_at)
        .bind(new.former_secret_until)
        .bind(keeper_kind)
        .bind(keeper_id)
        .bind(new.is_enabled)
        .bind(new.created_at)
        .execute(c).await.map(drop))
    .map_err(writing("webhook"))
}

/// Writes down what a webhook is, its state apart.
pub async fn change_webhook(tx: &mut Tx, webhook: &Webhook) -> Result<(), StoreError> {
    let (keeper_kind, keeper_id) = webhook.keeper.to_parts();
    on!(tx, c => sqlx::query(CHANGE_WEBHOOK)
        .bind(&webhook.label)
        .bind(webhook.format.as_str())
        .bind(webhook.filter.events_text())
        .bind(webhook.filter.tags.to_text())
        .bind(&webhook.shown_url)
        .bind(&webhook.sealed)
        .bind(webhook.secret_set_at)
        .bind(webhook.former_secret_until)
        .bind(keeper_kind)
        .bind(keeper_id)
        .bind(webhook.webhook_id.as_i64())
        .execute(c).await.map(drop))
    .map_err(writing("webhook"))
}

/// Replaces what is kept sealed of a webhook.
pub async fn set_sealed(tx: &mut Tx, webhook_id: WebhookId, sealed: &str) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(SET_SEALED).bind(sealed).bind(webhook_id.as_i64()).execute(c).await.map(drop))
        .map_err(writing("webhook"))
}

/// Switches a webhook on, as if nothing had failed.
pub async fn enable_webhook(tx: &mut Tx, webhook_id: WebhookId) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(ENABLE_WEBHOOK).bind(true).bind(webhook_id.as_i64()).execute(c).await.map(drop))
        .map_err(writing("webhook"))
}

/// Switches a webhook off. What waits for it is given up by [`super::webhook_delivery::give_up_waiting`].
pub async fn disable_webhook(
    tx: &mut Tx,
    webhook_id: WebhookId,
    because: DisabledBecause,
    now_ms: i64,
) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(DISABLE_WEBHOOK)
        .bind(false).bind(because.as_str()).bind(now_ms).bind(webhook_id.as_i64())
        .execute(c).await.map(drop))
    .map_err(writing("webhook"))
}

/// A webhook of a place.
pub async fn find_webhook(
    tx: &mut Tx,
    place: HookPlace,
    webhook_id: WebhookId,
) -> Result<Option<Webhook>, StoreError> {
    let (kind, id) = place.to_parts();
    find!(
        "webhook",
        tx,
        WebhookRow,
        FIND_WEBHOOK,
        kind,
        id,
        webhook_id.as_i64()
    )?
    .map(WebhookRow::into_webhook)
    .transpose()
}

/// At most `limit` webhooks of a place, the oldest first, those behind `after`.
pub async fn list_webhooks(
    tx: &mut Tx,
    place: HookPlace,
    after: i64,
    limit: u32,
) -> Result<Vec<Webhook>, StoreError> {
    let (kind, id) = place.to_parts();
    list!(
        "webhooks",
        tx,
        WebhookRow,
        LIST_WEBHOOKS,
        kind,
        id,
        after,
        i64::from(limit)
    )?
    .into_iter()
    .map(WebhookRow::into_webhook)
    .collect()
}

/// At most `limit` webhooks of all places with what is kept sealed of them, in the order of their ids, those behind `after`.
pub async fn list_sealed(
    tx: &mut Tx,
    after: i64,
    limit: u32,
) -> Result<Vec<(WebhookId, String)>, StoreError> {
    let rows = list!("webhooks", tx, SealedRow, LIST_SEALED, after, i64::from(limit))?;
    Ok(rows
        .into_iter()
        .map(|row| (WebhookId::from_i64(row.webhook_id), row.sealed))
        .collect())
}

/// How many webhooks a place has.
pub async fn count_webhooks(tx: &mut Tx, place: HookPlace) -> Result<i64, StoreError> {
    let (kind, id) = place.to_parts();
    let row = find!("webhooks", tx, NumberRow, COUNT_WEBHOOKS, kind, id)?;
    Ok(row.map_or(0, |row| row.number))
}

/// At most `limit` webhooks that may be told what happens to a repository, in the order of their ids.
pub async fn list_listeners(
    tx: &mut Tx,
    repository_id: RepositoryId,
    limit: u32,
) -> Result<Vec<Listener>, StoreError> {
    let rows = list!(
        "webhooks",
        tx,
        ListenerRow,
        LIST_LISTENERS,
        repository_id.as_i64(),
        i64::from(limit)
    )?;
    listeners(rows)
}

/// The same of what happens to a namespace.
pub async fn list_namespace_listeners(
    tx: &mut Tx,
    namespace_id: NamespaceId,
    limit: u32,
) -> Result<Vec<Listener>, StoreError> {
    let rows = list!(
        "webhooks",
        tx,
        ListenerRow,
        LIST_NAMESPACE_LISTENERS,
        namespace_id.as_i64(),
        i64::from(limit)
    )?;
    listeners(rows)
}

fn listeners(rows: Vec<ListenerRow>) -> Result<Vec<Listener>, StoreError> {
    let mut listeners = rows
        .into_iter()
        .map(|row| {
            Ok(Listener {
                webhook_id: WebhookId::from_i64(row.webhook_id),
                filter: filter(&row.events, row.tags.as_deref())?,
            })
        })
        .collect::<Result<Vec<_>, StoreError>>()?;
    listeners.sort_by_key(|listener| listener.webhook_id);
    Ok(listeners)
}

/// Something is to be sent for a webhook from `now_ms` on, unless it pauses. Whoever wakes several does so in the order of
/// their ids, so that no two wait for each other.
pub async fn wake_webhook(tx: &mut Tx, webhook_id: WebhookId, now_ms: i64) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(WAKE_WEBHOOK).bind(now_ms).bind(webhook_id.as_i64()).execute(c).await.map(drop))
        .map_err(writing("webhook"))
}

/// The same although it pauses.
pub async fn rouse_webhook(tx: &mut Tx, webhook_id: WebhookId, now_ms: i64) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(ROUSE_WEBHOOK).bind(now_ms).bind(webhook_id.as_i64()).execute(c).await.map(drop))
        .map_err(writing("webhook"))
}

/// Whether anything is to be sent.
pub async fn is_webhook_due(tx: &mut Tx, now_ms: i64) -> Result<bool, StoreError> {
    Ok(find!("webhook", tx, ClaimRow, FIND_DUE_WEBHOOK, now_ms)?.is_some())
}

/// Claims at most `limit` webhooks for which something is to be sent, until `until_ms`: nobody else gets them before.
pub async fn claim_webhooks(
    tx: &mut Tx,
    until_ms: i64,
    now_ms: i64,
    limit: u32,
) -> Result<Vec<HookClaim>, StoreError> {
    let rows = list!(
        "webhooks",
        tx,
        ClaimRow,
        CLAIM_WEBHOOKS,
        until_ms,
        now_ms,
        i64::from(limit)
    )?;
    Ok(rows
        .into_iter()
        .map(|row| HookClaim {
            webhook_id: WebhookId::from_i64(row.webhook_id),
            until: row.claimed_until,
        })
        .collect())
}

/// The webhook of a claim, unless the claim has ended.
pub async fn find_claimed(tx: &mut Tx, claim: HookClaim) -> Result<Option<Webhook>, StoreError> {
    find!(
        "webhook",
        tx,
        WebhookRow,
        FIND_CLAIMED,
        claim.webhook_id.as_i64(),
        claim.until
    )?
    .map(WebhookRow::into_webhook)
    .transpose()
}

/// Keeps others from the webhook of a claim until the transaction ends; says whether the claim stands.
pub async fn hold_claim(tx: &mut Tx, claim: HookClaim) -> Result<bool, StoreError> {
    on!(tx, c => sqlx::query(HOLD_CLAIM).bind(claim.webhook_id.as_i64()).bind(claim.until)
        .execute(c).await.map(|done| done.rows_affected() > 0))
    .map_err(writing("webhook"))
}

/// Lets go of a webhook whose claim is held: something is to be sent at `due_at`, or nothing.
pub async fn release_webhook(
    tx: &mut Tx,
    webhook_id: WebhookId,
    due_at: Option<i64>,
) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(RELEASE_WEBHOOK).bind(due_at).bind(webhook_id.as_i64()).execute(c).await.map(drop))
        .map_err(writing("webhook"))
}

/// Notes that something was taken, or that it was not.
pub async fn note_attempt(
    tx: &mut Tx,
    webhook_id: WebhookId,
    is_taken: bool,
    now_ms: i64,
) -> Result<(), StoreError> {
    let text = if is_taken { NOTE_SUCCESS } else { NOTE_FAILURE };
    on!(tx, c => sqlx::query(text).bind(now_ms).bind(webhook_id.as_i64()).execute(c).await.map(drop))
        .map_err(writing("webhook"))
}

/// Removes a webhook, whose deliveries are removed before.
pub async fn remove_webhook(tx: &mut Tx, webhook_id: WebhookId) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(REMOVE_WEBHOOK).bind(webhook_id.as_i64()).execute(c).await.map(drop))
        .map_err(writing("webhook"))
}
