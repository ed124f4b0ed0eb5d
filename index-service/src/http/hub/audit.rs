//! `/v2/auditlogs/{account}`: the audit log, of an organisation for its owners, of everything for administrators of the site.

use axum::extract::{Path, State as Shared};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::caller::SignedIn;
use super::error::HubError;
use super::page::Wish;
use super::shown::namespace_name;
use crate::app::AppError;
use crate::app::audit::rfc3339;
use crate::domain::{AuditAction, AuditEvent, AuditFilter};
use crate::http::State;

/// Most events that are looked through for a page.
const MOST: usize = 2_000;

pub(super) async fn list(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path(account): Path<String>,
    wish: Wish,
) -> Result<axum::Json<Value>, HubError> {
    let word = |name: &str| Some(wish.word(name).to_owned()).filter(|text| !text.is_empty());
    let time = |name: &str| match word(name) {
        Some(text) => OffsetDateTime::parse(&text, &Rfc3339)
            .map(|time| i64::try_from(time.unix_timestamp_nanos().div_euclid(1_000_000)).ok())
            .map_err(|_| HubError::invalid("a time is written as 2027-01-15T08:00:00Z (RFC 3339)")),
        None => Ok(None),
    };
    let mut filter = AuditFilter {
        actor: word("actor"),
        target: word("name"),
        action: match word("action") {
            Some(text) => Some(text.parse().map_err(HubError::invalid)?),
            None => None,
        },
        from: time("from")?,
        to: time("to")?,
        ..AuditFilter::default()
    };
    let (offset, limit) = wish.range();
    let most = u32::try_from(offset.saturating_add(limit).min(MOST)).unwrap_or(u32::MAX);
    let name = namespace_name(&account)?;
    let found = state
        .app
        .list_audit(&caller, Some(&name), &filter, None, most)
        .await;
    let events = match found {
        // No organisation: what an account did, for administrators.
        Err(AppError::NotFound(text)) => {
            if !caller.is_admin() {
                return Err(AppError::NotFound(text).into());
            }
            filter.actor = Some(name.to_string());
            state.app.list_audit(&caller, None, &filter, None, most).await?
        }
        other => other?,
    };
    let shown: Vec<Value> = events
        .iter()
        .skip(offset)
        .take(limit)
        .map(|event| show_event(&account, event))
        .collect();
    Ok(axum::Json(json!({ "logs": shown })))
}

/// What an event may be called.
pub(super) async fn actions(SignedIn(_): SignedIn, Path(_): Path<String>) -> axum::Json<Value> {
    let mut groups = serde_json::Map::new();
    for action in AuditAction::EVERY {
        let word = action.as_str();
        let group = word.split('.').next().unwrap_or(word);
        let listed = groups
            .entry(group)
            .or_insert_with(|| json!({"label": group, "actions": []}));
        if let Some(actions) = listed["actions"].as_array_mut() {
            actions.push(json!({"name": word, "label": word, "description": ""}));
        }
    }
    axum::Json(json!({ "actions": groups }))
}

fn show_event(account: &str, event: &AuditEvent) -> Value {
    let state = |text: &Option<String>| {
        let parsed = text
            .as_deref()
            .and_then(|text| serde_json::from_str::<Value>(text).ok());
        parsed.unwrap_or(Value::Null)
    };
    json!({
        "account": account,
        "action": event.action.as_str(),
        "name": event.target.name,
        "actor": event.actor.name,
        "data": {"before": state(&event.before), "after": state(&event.after)},
        "timestamp": rfc3339(event.created_at),
        "action_description": event.action.as_str(),
    })
}
