//! `/api/v1/audit`: what happened.

use crate::http::api::described::{ApiRouter, routes};
use axum::extract::{Query, State};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use utoipa::{IntoParams, ToSchema};

use super::caller::SignedIn;
use super::instant::Instant;
use super::page::{Page, Wish};
use super::problem::Problem;
use crate::app::AppError;
use crate::domain::{AuditEvent, AuditFilter, EventId, NamespaceName};

pub(super) fn routes() -> ApiRouter {
    ApiRouter::new().routes(routes!(list))
}

/// Something that happened.
#[derive(Debug, Serialize, ToSchema)]
struct Event {
    /// The id, in the order of time.
    id: String,
    /// When.
    at: Instant,
    /// What, such as `repository.visibility`.
    action: &'static str,
    /// Who.
    actor: EventActor,
    /// To what.
    target: EventTarget,
    /// The client's address.
    address: Option<String>,
    /// The client's program.
    client: String,
    /// The request, as the server's log names it.
    request_id: Option<String>,
    /// What was so before.
    #[schema(value_type = Option<Object>)]
    before: Option<Value>,
    /// What is so since.
    #[schema(value_type = Option<Object>)]
    after: Option<Value>,
}

/// Who did something.
#[derive(Debug, Serialize, ToSchema)]
struct EventActor {
    /// `account`, `robot`, `anonymous`, `machine` (a command on the server's machine) or `service` (by itself).
    kind: &'static str,
    /// Its id.
    id: Option<String>,
    /// Its name at that time.
    name: String,
    /// The credential, such as `pat:17`.
    credential: Option<String>,
}

/// What something was done to.
#[derive(Debug, Serialize, ToSchema)]
struct EventTarget {
    /// What kind of thing, such as `repository`.
    kind: &'static str,
    /// Its id.
    id: Option<String>,
    /// Its name at that time.
    name: String,
}

/// Which events are looked for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Search {
    /// Those that concern this organisation, whose owners may read them.
    organisation: Option<String>,
    /// Those of this account or robot.
    actor: Option<String>,
    /// Those about what has, or had, this name.
    target: Option<String>,
    /// Those of this kind, such as `repository.visibility`.
    action: Option<String>,
    /// Those at this time or later (RFC 3339).
    from: Option<String>,
    /// Those before this time (RFC 3339).
    to: Option<String>,
}

/// What happened
///
/// The newest first. Administrators of the site read everything, owners of an organisation what concerns it.
#[utoipa::path(get, path = "/audit", tag = "audit", params(Search, Wish), responses(
    (status = 200, body = Page<Event>), (status = 400, body = Problem), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn list(
    State(state): State<super::State>,
    SignedIn(caller): SignedIn,
    Query(search): Query<Search>,
    Query(wish): Query<Wish>,
) -> Result<axum::Json<Page<Event>>, Problem> {
    let (organisation, filter) = search.parse()?;
    let after = wish.after().parse().ok().map(EventId::from_i64);
    let events = state
        .app
        .list_audit(&caller, organisation.as_ref(), &filter, after, wish.limit() + 1)
        .await?;
    Ok(axum::Json(Page::new(
        &wish,
        events,
        |event| event.event_id.to_string(),
        show,
    )))
}

impl Search {
    fn parse(self) -> Result<(Option<NamespaceName>, AuditFilter), AppError> {
        let organisation = match &self.organisation {
            // What can be no name is no organisation's.
            Some(name) => Some(
                name.parse()
                    .map_err(|_| AppError::NotFound(format!("there is no organisation {name:?}")))?,
            ),
            None => None,
        };
        let action = match &self.action {
            Some(word) => Some(word.parse().map_err(|error| invalid("action", &error))?),
            None => None,
        };
        let filter = AuditFilter {
            organisation_id: None,
            actor: self.actor,
            target: self.target,
            action,
            from: self.from.map(|text| parse_time("from", &text)).transpose()?,
            to: self.to.map(|text| parse_time("to", &text)).transpose()?,
        };
        Ok((organisation, filter))
    }
}

fn parse_time(name: &str, text: &str) -> Result<i64, AppError> {
    let time = OffsetDateTime::parse(text, &Rfc3339).map_err(|error| invalid(name, &error))?;
    i64::try_from(time.unix_timestamp_nanos() / 1_000_000).map_err(|error| invalid(name, &error))
}

fn invalid(name: &str, error: &dyn std::fmt::Display) -> AppError {
    AppError::Invalid(format!("{name}: {error}"))
}

fn show(event: AuditEvent) -> Event {
    let read = |text: Option<String>| text.and_then(|text| serde_json::from_str(&text).ok());
    Event {
        id: event.event_id.to_string(),
        at: Instant(event.created_at),
        action: event.action.as_str(),
        actor: EventActor {
            kind: event.actor.kind.as_str(),
            id: event.actor.id.map(|id| id.to_string()),
            name: event.actor.name,
            credential: event.actor.credential,
        },
        target: EventTarget {
            kind: event.target.kind.as_str(),
            id: event.target.id.map(|id| id.to_string()),
            name: event.target.name,
        },
        address: event.actor.address,
        client: event.actor.client,
        request_id: event.actor.request_id,
        before: read(event.before),
        after: read(event.after),
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use crate::http::testing::{Front, PASSWORD, basic};

    #[tokio::test]
    async fn administrators_page_through_the_log_and_others_are_refused() {
        let front = Front::new().await;
        let password = front.fixture.app.ensure_admin().await.unwrap().unwrap();
        let admin = basic("admin", password.expose());
        let mut seen = Vec::new();
        let mut after = String::new();
        loop {
            let page = front
                .get(&format!("/api/v1/audit?limit=2&after={after}"), Some(&admin))
                .await
                .ok();
            for event in page["items"].as_array().unwrap() {
                seen.push(event["action"].as_str().unwrap().to_owned());
            }
            match page["next"].as_str() {
                Some(next) => next.clone_into(&mut after),
                None => break,
            }
        }
        let count = |action: &str| seen.iter().filter(|one| *one == action).count();
        assert_eq!(
            (count("account.create"), count("repository.visibility")),
            (3, 1),
            "{seen:?}"
        );
        let one = front
            .get(
                "/api/v1/audit?target=ada/public&action=repository.visibility&from=2020-01-01T00:00:00Z",
                Some(&admin),
            )
            .await
            .ok();
        assert_eq!(one["items"][0]["after"]["visibility"], "public");
        let ada = basic("ada", PASSWORD);
        for (path, who, status) in [
            ("/api/v1/audit", Some(&ada), StatusCode::FORBIDDEN),
            ("/api/v1/audit", None, StatusCode::UNAUTHORIZED),
            (
                "/api/v1/audit?organisation=none",
                Some(&ada),
                StatusCode::NOT_FOUND,
            ),
            (
                "/api/v1/audit?organisation=%00",
                Some(&admin),
                StatusCode::NOT_FOUND,
            ),
            (
                "/api/v1/audit?action=dance",
                Some(&admin),
                StatusCode::BAD_REQUEST,
            ),
            (
                "/api/v1/audit?from=yesterday",
                Some(&admin),
                StatusCode::BAD_REQUEST,
            ),
        ] {
            let answer = front.get(path, who.map(String::as_str)).await;
            assert_eq!(answer.status, status, "{path}: {}", answer.body);
        }
    }
}
