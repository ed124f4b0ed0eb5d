//! The audit log: events are added, read and dropped, never changed.

use super::dialect::{Tx, list, on, statements};
use super::error::{StoreError, unreadable, writing};
use super::row::row;
use crate::domain::{Actor, AuditEvent, AuditFilter, AuditTarget, EventId, OrganisationId};

statements! {
    ADD_EVENT = "insert into audit_event (event_id, created_at, action, actor_kind, actor_id, actor_name, credential,
        target_kind, target_id, target_name, organisation_id, address, client, request_id, state_before, state_after)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)";
    LIST_EVENTS = "select event_id, created_at, action, actor_kind, actor_id, actor_name, credential, target_kind, target_id,
        target_name, organisation_id, address, client, request_id, state_before, state_after from audit_event
        where event_id < $1 and event_id >= $2 order by event_id desc limit $3";
    LIST_EVENTS_OF_ORGANISATION = "select event_id, created_at, action, actor_kind, actor_id, actor_name, credential,
        target_kind, target_id, target_name, organisation_id, address, client, request_id, state_before, state_after
        from audit_event where organisation_id = $1 and event_id < $2 and event_id >= $3
        and (target_name = $4 or $4 is null) and (actor_name = $5 or $5 is null) and (action = $6 or $6 is null)
        order by event_id desc limit $7";
    LIST_EVENTS_OF_TARGET = "select event_id, created_at, action, actor_kind, actor_id, actor_name, credential,
        target_kind, target_id, target_name, organisation_id, address, client, request_id, state_before, state_after
        from audit_event where target_name = $1 and event_id < $2 and event_id >= $3
        and (actor_name = $4 or $4 is null) and (action = $5 or $5 is null) order by event_id desc limit $6";
    LIST_EVENTS_OF_ACTOR = "select event_id, created_at, action, actor_kind, actor_id, actor_name, credential,
        target_kind, target_id, target_name, organisation_id, address, client, request_id, state_before, state_after
        from audit_event where actor_name = $1 and event_id < $2 and event_id >= $3
        and (action = $4 or $4 is null) order by event_id desc limit $5";
    LIST_EVENTS_OF_ACTION = "select event_id, created_at, action, actor_kind, actor_id, actor_name, credential,
        target_kind, target_id, target_name, organisation_id, address, client, request_id, state_before, state_after
        from audit_event where action = $1 and event_id < $2 and event_id >= $3 order by event_id desc limit $4";
    LIST_EVENTS_SINCE = "select event_id, created_at, action, actor_kind, actor_id, actor_name, credential, target_kind,
        target_id, target_name, organisation_id, address, client, request_id, state_before, state_after from audit_event
        where event_id > $1 order by event_id limit $2";
    DROP_EVENTS = "delete from audit_event where event_id in (
        select event_id from audit_event where event_id < $1 order by event_id limit $2)";
}

row! {
struct EventRow {
    event_id: i64,
    created_at: i64,
    action: String,
    actor_kind: String,
    actor_id: Option<i64>,
    actor_name: String,
    credential: Option<String>,
    target_kind: String,
    target_id: Option<i64>,
    target_name: String,
    organisation_id: Option<i64>,
    address: Option<String>,
    client: String,
    request_id: Option<String>,
    state_before: Option<String>,
    state_after: Option<String>,
}
}

impl EventRow {
    fn into_event(self) -> Result<AuditEvent, StoreError> {
        Ok(AuditEvent {
            event_id: EventId::from_i64(self.event_id),
            created_at: self.created_at,
            action: self.action.parse().map_err(unreadable("audit event"))?,
            actor: Actor {
                kind: self.actor_kind.parse().map_err(unreadable("audit event"))?,
                id: self.actor_id,
                name: self.actor_name,
                credential: self.credential,
                address: self.address,
                client: self.client,
                request_id: self.request_id,
            },
            target: AuditTarget {
                kind: self.target_kind.parse().map_err(unreadable("audit event"))?,
                id: self.target_id,
                name: self.target_name,
            },
            organisation_id: self.organisation_id.map(OrganisationId::from_i64),
            before: self.state_before,
            after: self.state_after,
        })
    }
}

/// Adds an event.
pub async fn add_event(tx: &mut Tx, event: &AuditEvent) -> Result<(), StoreError> {
    let (actor, target) = (&event.actor, &event.target);
    on!(tx, c => sqlx::query(ADD_EVENT)
        .bind(event.event_id.as_i64())
        .bind(event.created_at)
        .bind(event.action.as_str())
        .bind(actor.kind.as_str())
        .bind(actor.id)
        .bind(&actor.name)
        .bind(actor.credential.as_deref())
        .bind(target.kind.as_str())
        .bind(target.id)
        .bind(&target.name)
        .bind(event.organisation_id.map(OrganisationId::as_i64))
        .bind(actor.address.as_deref())
        .bind(&actor.client)
        .bind(actor.request_id.as_deref())
        .bind(event.before.as_deref())
        .bind(event.after.as_deref())
        .execute(c).await.map(drop))
    .map_err(writing("audit event"))
}

/// At most `limit` events that pass the filter, the newest first, those older than `after`.
pub async fn list_events(
    tx: &mut Tx,
    filter: &AuditFilter,
    after: Option<EventId>,
    limit: u32,
) -> Result<Vec<AuditEvent>, StoreError> {
    let end = filter.to.map_or(i64::MAX, |to| EventId::first_of(to).as_i64());
    let before = after.map_or(end, |id| id.as_i64().min(end));
    let from = filter
        .from
        .map_or(i64::MIN, |from| EventId::first_of(from).as_i64());
    let (target, actor) = (filter.target.as_deref(), filter.actor.as_deref());
    let action = filter.action.map(crate::domain::AuditAction::as_str);
    let limit = i64::from(limit);
    let rows = match (filter.organisation_id, target, actor, action) {
        (Some(organisation), target, actor, action) => list!(
            "audit events",
            tx,
            EventRow,
            LIST_EVENTS_OF_ORGANISATION,
            organisation.as_i64(),
            before,
            from,
            target,
            actor,
            action,
            limit
        ),
        (None, Some(target), actor, action) => list!(
            "audit events",
            tx,
            EventRow,
            LIST_EVENTS_OF_TARGET,
            target,
            before,
            from,
            actor,
            action,
            limit
        ),
        (None, None, Some(actor), action) => list!(
            "audit events",
            tx,
            EventRow,
            LIST_EVENTS_OF_ACTOR,
            actor,
            before,
            from,
            action,
            limit
        ),
        (None, None, None, Some(action)) => list!(
            "audit events",
            tx,
            EventRow,
            LIST_EVENTS_OF_ACTION,
            action,
            before,
            from,
            limit
        ),
        (None, None, None, None) => list!("audit events", tx, EventRow, LIST_EVENTS, before, from, limit),
    }?;
    rows.into_iter().map(EventRow::into_event).collect()
}

/// At most `limit` events newer than `after`, the oldest first: for whoever reads along.
pub async fn list_events_since(
    tx: &mut Tx,
    after: EventId,
    limit: u32,
) -> Result<Vec<AuditEvent>, StoreError> {
    list!(
        "audit events",
        tx,
        EventRow,
        LIST_EVENTS_SINCE,
        after.as_i64(),
        i64::from(limit)
    )?
    .into_iter()
    .map(EventRow::into_event)
    .collect()
}

/// Drops at most `limit` of the events before a time (milliseconds since 1970), the oldest first; says how many.
pub async fn drop_events(tx: &mut Tx, before_ms: i64, limit: u32) -> Result<u64, StoreError> {
    on!(tx, c => sqlx::query(DROP_EVENTS)
        .bind(EventId::first_of(before_ms).as_i64()).bind(i64::from(limit))
        .execute(c).await.map(|done| done.rows_affected()))
    .map_err(writing("audit events"))
}
