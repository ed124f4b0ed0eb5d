//! `/api/v1/organisations/{organisation}/members`.

use crate::http::api::described::{ApiRouter, routes};
use axum::Json;
use axum::extract::{Path, Query, State as Shared};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::State;
use super::caller::SignedIn;
use super::instant::Instant;
use super::organisation::Listing;
use super::page::{Page, Wish};
use super::problem::Problem;
use crate::app::member::MembershipEnd;
use crate::domain::organisation::InvalidRole;
use crate::domain::{Member, OrganisationRole};

pub(super) fn routes() -> ApiRouter {
    ApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(show, put, remove))
        .routes(routes!(departure))
}

/// An account in an organisation or in a team.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ShownMember {
    /// The account's id.
    id: String,
    /// The account's name.
    name: String,
    /// The name as its owner writes it.
    display_name: String,
    /// The name of the person; perhaps empty.
    full_name: String,
    /// What it is in the organisation: `owner`, `manager`, `member` or `guest`.
    role: &'static str,
    /// When that ends: guests alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Instant>,
    /// Since when it is there.
    created_at: Instant,
}

impl From<Member> for ShownMember {
    fn from(member: Member) -> Self {
        Self {
            id: member.account_id.to_string(),
            name: member.username.to_string(),
            display_name: member.username.display_name().to_owned(),
            full_name: member.full_name,
            role: member.role.as_str(),
            expires_at: member.expires_at.map(Instant),
            created_at: Instant(member.created_at),
        }
    }
}

/// What an account is to be in an organisation.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Appointment {
    /// `owner`, `manager`, `member` or `guest`.
    role: String,
    /// When it ends: guests need it, others have none.
    expires_at: Option<Instant>,
}

/// What would end with a membership.
#[derive(Debug, Serialize, ToSchema)]
struct Departure {
    /// Why the account cannot leave yet, and what to do first.
    #[serde(skip_serializing_if = "Option::is_none")]
    obstacle: Option<&'static str>,
    /// Teams that it would be taken out of.
    teams: Vec<String>,
    /// Rules of the organisation's repositories about it; they would go.
    rules: Listing,
    /// How many access tokens it has, which would reach the organisation's repositories no more; told to itself alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    tokens: Option<i64>,
}

impl From<MembershipEnd> for Departure {
    fn from(end: MembershipEnd) -> Self {
        Self {
            obstacle: end.obstacle,
            teams: end.teams,
            rules: end.rules.into(),
            tokens: end.tokens,
        }
    }
}

/// What a role is called in a request.
pub(super) fn role(word: &str) -> Result<OrganisationRole, Problem> {
    word.parse()
        .map_err(|error: InvalidRole| Problem::new(StatusCode::BAD_REQUEST, error.to_string()))
}

/// A page of members.
pub(super) fn page(wish: &Wish, read: Vec<Member>) -> Json<Page<ShownMember>> {
    Json(Page::new(
        wish,
        read,
        |member| member.account_id.to_string(),
        ShownMember::from,
    ))
}

/// Who is in an organisation; guests see themselves alone
#[utoipa::path(get, path = "/organisations/{organisation}/members", operation_id = "list_members", tag = "members",
    params(("organisation" = String, Path), Wish), responses((status = 200, body = Page<ShownMember>), (status = 401, body = Problem),
    (status = 404, body = Problem)))]
async fn list(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path(organisation): Path<String>,
    Query(wish): Query<Wish>,
) -> Result<Json<Page<ShownMember>>, Problem> {
    let read = state
        .app
        .list_members(&caller, &organisation, wish.after_id(), wish.limit() + 1)
        .await?;
    Ok(page(&wish, read))
}

/// An account's place in an organisation
#[utoipa::path(get, path = "/organisations/{organisation}/members/{account}", operation_id = "show_member", tag = "members",
    params(("organisation" = String, Path), ("account" = String, Path)), responses((status = 200, body = ShownMember),
    (status = 401, body = Problem), (status = 404, body = Problem)))]
async fn show(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path((organisation, account)): Path<(String, String)>,
) -> Result<Json<ShownMember>, Problem> {
    let member = state.app.member(&caller, &organisation, &account).await?;
    Ok(Json(member.into()))
}

/// Makes an account a member, or changes what it is
#[utoipa::path(put, path = "/organisations/{organisation}/members/{account}", operation_id = "put_member", tag = "members",
    params(("organisation" = String, Path), ("account" = String, Path)), request_body = Appointment,
    responses((status = 200, body = ShownMember), (status = 400, body = Problem), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem, description = "it is the last owner")))]
async fn put(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path((organisation, account)): Path<(String, String)>,
    Json(body): Json<Appointment>,
) -> Result<Json<ShownMember>, Problem> {
    let role = role(&body.role)?;
    let end = body.expires_at.map(|end| end.0);
    let member = state
        .app
        .put_member(&caller, &organisation, &account, role, end)
        .await?;
    Ok(Json(member.into()))
}

/// Removes an account from an organisation and its teams, or leaves it
#[utoipa::path(delete, path = "/organisations/{organisation}/members/{account}", operation_id = "remove_member", tag = "members",
    params(("organisation" = String, Path), ("account" = String, Path)), responses((status = 204), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem, description = "it is the last owner")))]
async fn remove(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path((organisation, account)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    state.app.remove_member(&caller, &organisation, &account).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What would end if an account left an organisation
#[utoipa::path(get, path = "/organisations/{organisation}/members/{account}/departure", operation_id = "show_departure",
    tag = "members", params(("organisation" = String, Path), ("account" = String, Path)), responses((status = 200, body = Departure),
    (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn departure(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path((organisation, account)): Path<(String, String)>,
) -> Result<Json<Departure>, Problem> {
    let end = state.app.membership_end(&caller, &organisation, &account).await?;
    Ok(Json(end.into()))
}
