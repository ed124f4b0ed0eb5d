//! `/v2/orgs/{org}/access-tokens`: access tokens of organisations.

use axum::extract::{Path, State as Shared};
use axum::response::{IntoResponse, Response};
use http::header::CACHE_CONTROL;
use http::{HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::body::Body;
use super::caller::SignedIn;
use super::error::HubError;
use super::page::{Wish, whole};
use super::shown::namespace_name;
use super::uuid::{id_of, plain};
use crate::app::AppError;
use crate::app::access_token::DEFAULT_LIFE_DAYS;
use crate::app::audit::rfc3339;
use crate::app::caller::Caller;
use crate::app::robot::{MachineKind, RobotChange, RobotDetails, RobotWish};
use crate::domain::{AllowedNetworks, Ceiling, Limit, Right, Rights, RobotId, TokenLabel};
use crate::http::State;
use crate::http::json::Json;

const KIND: MachineKind = MachineKind::OrganisationToken;
/// Repositories of one resource.
const OF_REPOSITORIES: &str = "TYPE_REPO";

/// What a token reaches.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Resource {
    r#type: String,
    path: String,
    scopes: Vec<String>,
}

/// A new token.
#[derive(Deserialize)]
pub(super) struct New {
    label: String,
    #[serde(default)]
    resources: Vec<Resource>,
    expires_at: Option<String>,
}

/// What shall be otherwise.
#[derive(Deserialize)]
pub(super) struct Change {
    label: Option<String>,
    resources: Option<Vec<Resource>>,
    is_active: Option<bool>,
}

pub(super) async fn create(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path(organisation): Path<String>,
    Body(new): Body<New>,
) -> Result<Response, HubError> {
    let wish = RobotWish {
        namespace: namespace_name(&organisation)?,
        name: None,
        label: label(&new.label)?,
        ceiling: ceiling(&organisation, &new.resources)?,
        networks: AllowedNetworks::default(),
        life_days: Some(match new.expires_at.as_deref().filter(|end| !end.is_empty()) {
            Some(end) => days_until(end, state.app.now_ms())?,
            None => DEFAULT_LIFE_DAYS,
        }),
    };
    let (made, secret) = state.app.create_robot(&caller, &wish).await?;
    let mut shown = show_token(&made, state.app.now_ms());
    shown["token"] = secret.expose().clone().into();
    let mut response = (StatusCode::CREATED, Json(shown.to_string())).into_response();
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// Docker Hub says `total` here and not `count`.
pub(super) async fn list(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path(organisation): Path<String>,
    wish: Wish,
) -> Result<axum::Json<Value>, HubError> {
    let namespace = namespace_name(&organisation)?;
    let found = whole(
        i64::MIN,
        |after, limit| state.app.list_robots(&caller, KIND, &namespace, after, limit),
        |details: &RobotDetails| details.robot.robot_id.as_i64(),
    )
    .await?;
    let now = state.app.now_ms();
    let mut page = wish.answer_of(found, |details| show_token(&details, now))?;
    page["total"] = page["count"].take();
    Ok(page)
}

pub(super) async fn show(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path((organisation, id)): Path<(String, String)>,
) -> Result<axum::Json<Value>, HubError> {
    let found = find(&state, &caller, &organisation, &id).await?;
    Ok(axum::Json(show_token(&found, state.app.now_ms())))
}

pub(super) async fn change(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path((organisation, id)): Path<(String, String)>,
    Body(change): Body<Change>,
) -> Result<axum::Json<Value>, HubError> {
    let found = find(&state, &caller, &organisation, &id).await?;
    let change = RobotChange {
        label: match change.label.as_deref().filter(|text| !text.is_empty()) {
            Some(text) => Some(label(text)?),
            None => None,
        },
        ceiling: match change.resources.as_deref().filter(|list| !list.is_empty()) {
            Some(resources) => Some(ceiling(&organisation, resources)?),
            None => None,
        },
        networks: None,
        is_suspended: change.is_active.map(|is_active| !is_active),
    };
    let changed = state
        .app
        .change_robot(&caller, KIND, found.robot.robot_id, change)
        .await?;
    Ok(axum::Json(show_token(&changed, state.app.now_ms())))
}

pub(super) async fn remove(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path((organisation, id)): Path<(String, String)>,
) -> Result<StatusCode, HubError> {
    let found = find(&state, &caller, &organisation, &id).await?;
    state
        .app
        .delete_robot(&caller, KIND, found.robot.robot_id)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// One of this organisation.
async fn find(
    state: &State,
    caller: &Caller,
    organisation: &str,
    id: &str,
) -> Result<RobotDetails, HubError> {
    let id = RobotId::from_i64(id_of(id)?);
    let found = state.app.find_robot(caller, KIND, id).await?;
    if found.robot.namespace.as_str().eq_ignore_ascii_case(organisation) && found.robot.deleted_at.is_none() {
        return Ok(found);
    }
    Err(AppError::NotFound("there is no such access token".to_owned()).into())
}

fn label(text: &str) -> Result<TokenLabel, HubError> {
    text.parse().map_err(HubError::invalid)
}

/// What the resources let through: repositories of the organisation alone.
fn ceiling(organisation: &str, resources: &[Resource]) -> Result<Ceiling, HubError> {
    if resources.is_empty() || resources.len() > crate::domain::ceiling::MAX_LIMITS {
        return Err(HubError::invalid("a token has 1 to 50 resources"));
    }
    let limits: Result<Vec<Limit>, HubError> = resources
        .iter()
        .map(|resource| {
            if resource.r#type != OF_REPOSITORIES {
                return Err(HubError::invalid(
                    "resources are of TYPE_REPO; tokens that look after the organisation are made by /api/v1/organisation-tokens",
                ));
            }
            let mut rights = Rights::NONE;
            for scope in &resource.scopes {
                let of_scope = match scope.as_str() {
                    "repo-pull" | "repo:read" | "repo-read" | "read" | "pull" => Rights::READ,
                    "repo-push" | "repo:write" | "repo-write" | "write" | "push" => Rights::WRITE,
                    "repo-delete" | "delete" => Rights::READ.with(Right::Delete),
                    "repo:admin" | "repo-admin" | "admin" => Rights::MAINTAIN,
                    _ => return Err(HubError::invalid("scopes are repo-pull, repo-push, repo-delete and repo-admin")),
                };
                rights = of_scope.iter().fold(rights, Rights::with);
            }
            if rights == Rights::NONE {
                return Err(HubError::invalid("a resource has at least one scope"));
            }
            let path = match resource.path.as_str() {
                "*" => format!("{organisation}/*"),
                path => path.to_owned(),
            };
            let pattern = path
                .parse()
                .map_err(HubError::invalid)?;
            Ok(Limit::new(rights, pattern))
        })
        .collect();
    Ok(Ceiling::Limited(limits?.into()))
}

fn show_resources(ceiling: &Ceiling) -> Vec<Resource> {
    let Ceiling::Limited(limits) = ceiling else {
        return Vec::new();
    };
    limits
        .iter()
        .map(|limit| Resource {
            r#type: OF_REPOSITORIES.to_owned(),
            path: limit.pattern.to_string(),
            scopes: [
                (Right::Pull, "repo-pull"),
                (Right::Push, "repo-push"),
                (Right::Delete, "repo-delete"),
                (Right::Manage, "repo-admin"),
            ]
            .into_iter()
            .filter(|(right, _)| limit.rights.contains(*right))
            .map(|(_, scope)| scope.to_owned())
            .collect(),
        })
        .collect()
}

fn show_token(details: &RobotDetails, now_ms: i64) -> Value {
    let token = &details.robot;
    json!({
        "id": plain(token.robot_id.as_i64()),
        "label": token.label.to_string(),
        "description": "",
        "created_by": "",
        "is_active": token.is_active(now_ms),
        "created_at": rfc3339(token.created_at),
        "expires_at": token.expires_at.map(rfc3339),
        "last_used_at": token.last_use.as_ref().map(|last| rfc3339(last.at)),
        "resources": show_resources(&token.ceiling),
    })
}

/// How many days there are until a time in the future; one that is begun counts.
pub(super) fn days_until(text: &str, now_ms: i64) -> Result<u16, HubError> {
    let wrong = |_| HubError::invalid("a time is written as 2027-01-15T08:00:00Z (RFC 3339)");
    let end = OffsetDateTime::parse(text, &Rfc3339).map_err(wrong)?;
    let end_ms = end.unix_timestamp_nanos().div_euclid(1_000_000);
    let days = (end_ms - i128::from(now_ms)).max(0).div_euclid(86_400_000) + 1;
    if end_ms <= i128::from(now_ms) {
        return Err(HubError::invalid("an access token ends in the future"));
    }
    // What is too long is refused where everybody's is.
    Ok(u16::try_from(days).unwrap_or(u16::MAX))
}
