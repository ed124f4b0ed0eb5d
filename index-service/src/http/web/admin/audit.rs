//! What happened on the site.

use askama::Template;
use axum::extract::{Query, State as Shared};
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use super::Administrator;
use crate::app::AppError;
use crate::domain::{AuditAction, AuditEvent, AuditFilter, EventId, NamespaceName};
use crate::http::State;
use crate::http::web::fault::PageError;
use crate::http::web::frame::{Frame, Paged, Place, problem, query};
use crate::http::web::page::render_with;
use crate::http::web::view::View;

/// Events on a page.
const EVENTS: u32 = 30;

#[derive(Template)]
#[template(path = "admin/audit.html")]
struct AuditPage {
    view: View,
    frame: Frame,
    events: Paged<AuditEvent>,
    typed: Typed,
    actions: &'static [AuditAction],
}

/// Which events are looked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Typed {
    organisation: String,
    actor: String,
    target: String,
    action: String,
    /// A day.
    from: String,
    /// A day, which is within.
    to: String,
}

impl Typed {
    fn filter(&self) -> Result<(Option<NamespaceName>, AuditFilter), AppError> {
        let text = |text: &str| {
            let text = text.trim();
            (!text.is_empty() && !text.contains('\0')).then(|| text.to_owned())
        };
        let organisation = match text(&self.organisation) {
            Some(name) => Some(
                name.parse()
                    .map_err(|_| AppError::NotFound(format!("there is no organisation {name}")))?,
            ),
            None => None,
        };
        let action: Option<AuditAction> =
            match text(&self.action) {
                Some(word) => Some(word.parse().map_err(
                    |error: crate::domain::audit::InvalidAuditAction| AppError::Invalid(error.to_string()),
                )?),
                None => None,
            };
        let filter = AuditFilter {
            organisation_id: None,
            actor: text(&self.actor),
            target: text(&self.target),
            action,
            from: day(&self.from, 0)?,
            to: day(&self.to, 1)?,
        };
        Ok((organisation, filter))
    }

    fn query(&self) -> String {
        query(&[
            ("organisation", &self.organisation),
            ("actor", &self.actor),
            ("target", &self.target),
            ("action", &self.action),
            ("from", &self.from),
            ("to", &self.to),
        ])
    }
}

/// The beginning of a day in UTC, or of so many days later, in milliseconds since 1970.
fn day(text: &str, later: i64) -> Result<Option<i64>, AppError> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let parsed = OffsetDateTime::parse(&format!("{text}T00:00:00Z"), &Rfc3339);
    let at = parsed
        .ok()
        .and_then(|at| at.checked_add(Duration::days(later)))
        .ok_or_else(|| AppError::Invalid("a day is written as 2027-01-15".to_owned()))?;
    Ok(Some(at.unix_timestamp() * 1000))
}

pub(super) async fn show(
    Shared(state): Shared<State>,
    Administrator { caller, view }: Administrator,
    Query(typed): Query<Typed>,
    Query(place): Query<Place>,
) -> Result<Response, PageError> {
    let after = place.is_later().then(|| EventId::from_i64(place.before_id()));
    let read = match typed.filter() {
        Ok((organisation, filter)) => {
            state
                .app
                .list_audit(&caller, organisation.as_ref(), &filter, after, EVENTS + 1)
                .await
        }
        Err(error) => Err(error),
    };
    let (events, (status, problem)) = match read {
        Ok(events) => (events, (StatusCode::OK, String::new())),
        Err(error) => {
            let (status, text) = problem(error, &view)?;
            (Vec::new(), (status, text))
        }
    };
    let path = format!("/admin/audit{}", typed.query());
    let page = AuditPage {
        events: Paged::new(&place, &path, events, EVENTS, |event: &AuditEvent| {
            event.event_id.to_string()
        }),
        frame: Frame {
            problem,
            ..Frame::of("audit")
        },
        typed,
        actions: AuditAction::EVERY,
        view,
    };
    Ok(render_with(status, &page))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_midnight_utc_and_nonsense_is_said() {
        assert_eq!(day("2027-01-15", 0).unwrap(), Some(1_799_971_200_000));
        assert_eq!(day("2027-01-15", 1).unwrap(), Some(1_800_057_600_000));
        assert_eq!(day("", 0).unwrap(), None);
        for text in ["yesterday", "2027-13-01", "9999-12-31T", "-1"] {
            assert!(day(text, 0).is_err(), "{text}");
        }
        assert!(day("9999-12-31", 1).is_err());
    }
}
