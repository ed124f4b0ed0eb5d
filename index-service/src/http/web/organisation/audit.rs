//! What happened in an organisation.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use serde_json::Value;

use crate::app::AppError;
use crate::domain::{AuditAction, AuditEvent, AuditFilter, EventId};
use crate::http::State as Parts;
use crate::http::web::fault::PageError;
use crate::http::web::page::render_with;
use crate::http::web::settings::fields::{Draft, Fields, as_day};
use crate::http::web::settings::place::{At, Place};
use crate::http::web::view::View;

/// Events on a page.
const PAGE: u32 = 50;
/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

#[derive(Template)]
#[template(path = "organisation/audit.html")]
struct Audit {
    view: View,
    place: Place,
    draft: Draft,
    actions: Vec<&'static str>,
    events: Vec<Line>,
    next: Option<String>,
}

/// An event in a list.
struct Line {
    at: i64,
    action: &'static str,
    actor: String,
    credential: String,
    target_kind: &'static str,
    target: String,
    address: String,
    before: String,
    after: String,
}

pub(super) async fn show(
    State(state): State<Parts>,
    at: At,
    Query(query): Query<Fields>,
) -> Result<Response, PageError> {
    let mut draft = Draft::asked(query);
    let (events, next) = match list(&state, &at, &draft.fields).await {
        Ok(found) => found,
        Err(error) => {
            draft = Draft::refused("filter", draft.fields, error, &at.view)?;
            (Vec::new(), None)
        }
    };
    let page = Audit {
        actions: AuditAction::EVERY.iter().map(|one| one.as_str()).collect(),
        events,
        next,
        view: at.view,
        place: at.place,
        draft,
    };
    Ok(render_with(page.draft.status(), &page))
}

async fn list(state: &Parts, at: &At, query: &Fields) -> Result<(Vec<Line>, Option<String>), AppError> {
    // PostgreSQL takes no text with a NUL.
    let text = |name: &str| query.some(name).filter(|text| !text.contains('\0'));
    let filter = AuditFilter {
        organisation_id: None,
        actor: text("actor").map(str::to_owned),
        target: text("target").map(str::to_owned),
        action: query.parse("action")?,
        from: query.day("from")?,
        to: query.day("to")?.map(|start| start + DAY_MS),
    };
    let after = query.some("after").and_then(|text| text.parse().ok());
    let mut events = state
        .app
        .list_audit(
            &at.caller,
            Some(&at.namespace()),
            &filter,
            after.map(EventId::from_i64),
            PAGE + 1,
        )
        .await?;
    let more = events.len() > PAGE as usize;
    events.truncate(PAGE as usize);
    let next = events.last().filter(|_| more).map(|last| {
        let mut address = form_urlencoded::Serializer::new(format!("{}?", at.place.here()));
        for name in ["actor", "target", "action", "from", "to"] {
            if let Some(text) = query.some(name) {
                address.append_pair(name, text);
            }
        }
        address.append_pair("after", &last.event_id.to_string());
        address.finish()
    });
    Ok((events.into_iter().map(Line::from).collect(), next))
}

impl From<AuditEvent> for Line {
    fn from(event: AuditEvent) -> Self {
        Self {
            at: event.created_at,
            action: event.action.as_str(),
            actor: event.actor.name,
            credential: event.actor.credential.unwrap_or_default(),
            target_kind: event.target.kind.as_str(),
            target: event.target.name,
            address: event.actor.address.unwrap_or_default(),
            before: event.before.map(|text| told(&text)).unwrap_or_default(),
            after: event.after.map(|text| told(&text)).unwrap_or_default(),
        }
    }
}

/// What was so, as people read it: `name: value`, without what is empty and without ids.
fn told(json: &str) -> String {
    let Ok(Value::Object(fields)) = serde_json::from_str(json) else {
        return json.to_owned();
    };
    let told = fields.iter().filter(|(name, _)| !name.ends_with("_id"));
    let told = told.map(|(name, value)| (name, shown(name, value)));
    let told: Vec<String> = told
        .filter(|(_, text)| !text.is_empty())
        .map(|(name, text)| format!("{name}: {text}"))
        .collect();
    told.join(", ")
}

fn shown(name: &str, value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| shown("", item)).collect();
            items.join(" ")
        }
        Value::Object(fields) => {
            let fields = fields
                .iter()
                .map(|(name, value)| format!("{name} {}", shown(name, value)));
            format!("({})", fields.collect::<Vec<_>>().join(", "))
        }
        Value::Number(number) if name.ends_with("_at") || name.ends_with("_until") => {
            number.as_i64().map(as_day).unwrap_or_default()
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::told;

    #[test]
    fn what_was_so_is_told_without_braces() {
        let json = r#"{"role":"owner","end":null,"n":1,"subject_id":"7","ends_at":0,"tags":["a","b"],"rules":[{"x":[1]}]}"#;
        assert_eq!(
            told(json),
            "ends_at: 1970-01-01, n: 1, role: owner, rules: (x 1), tags: a b"
        );
        assert_eq!(told("x"), "x");
    }
}
