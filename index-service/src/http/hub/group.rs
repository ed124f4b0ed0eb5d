//! `/v2/orgs/{org}/groups`: teams.

use axum::extract::{Path, State as Shared};
use http::header::USER_AGENT;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::body::Body;
use super::caller::SignedIn;
use super::error::HubError;
use super::member::show_member;
use super::page::{Wish, whole};
use super::uuid::uuid;
use crate::app::AppError;
use crate::app::caller::Caller;
use crate::app::team::TeamChange;
use crate::domain::{Member, Team};
use crate::http::State;

/// A team to be made.
#[derive(Debug, Deserialize)]
pub(super) struct New {
    name: String,
    description: Option<String>,
}

/// What shall be otherwise.
#[derive(Debug, Deserialize)]
pub(super) struct Change {
    name: Option<String>,
    description: Option<String>,
}

/// Who shall be in it.
#[derive(Debug, Deserialize)]
pub(super) struct NewMember {
    member: String,
}

/// The teams of an organisation that the caller may see.
pub(super) async fn teams(state: &State, caller: &Caller, organisation: &str) -> Result<Vec<Team>, AppError> {
    whole(
        String::new(),
        |after, limit| async move { state.app.list_teams(caller, organisation, &after, limit).await },
        |team: &Team| team.name.to_string(),
    )
    .await
}

async fn people(
    state: &State,
    caller: &Caller,
    organisation: &str,
    group: &str,
) -> Result<Vec<Member>, AppError> {
    whole(
        i64::MIN,
        |after, limit| {
            state
                .app
                .list_team_members(caller, organisation, group, after, limit)
        },
        |member: &Member| member.account_id.as_i64(),
    )
    .await
}

pub(super) async fn list(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path(organisation): Path<String>,
    wish: Wish,
) -> Result<axum::Json<Value>, HubError> {
    let mut found = teams(&state, &caller, &organisation).await?;
    let searched = wish.word("search").to_ascii_lowercase();
    found.retain(|team| team.name.as_str().contains(&searched));
    let (offset, limit) = wish.range();
    let mut shown = Vec::new();
    for team in found.iter().skip(offset).take(limit) {
        let members = people(&state, &caller, &organisation, team.name.as_str()).await?;
        shown.push(show_team(team, members.len()));
    }
    wish.answer(found.len(), &shown)
}

pub(super) async fn create(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path(organisation): Path<String>,
    Body(new): Body<New>,
) -> Result<(StatusCode, axum::Json<Value>), HubError> {
    let description = new.description.unwrap_or_default();
    let team = state
        .app
        .create_team(&caller, &organisation, &new.name, &description)
        .await?;
    Ok((StatusCode::CREATED, axum::Json(show_team(&team, 0))))
}

pub(super) async fn show(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path((organisation, group)): Path<(String, String)>,
) -> Result<axum::Json<Value>, HubError> {
    let team = state.app.team(&caller, &organisation, &group).await?;
    let members = people(&state, &caller, &organisation, &group).await?;
    Ok(axum::Json(show_team(&team, members.len())))
}

pub(super) async fn change(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path((organisation, group)): Path<(String, String)>,
    Body(change): Body<Change>,
) -> Result<axum::Json<Value>, HubError> {
    let change = TeamChange {
        name: change.name.filter(|name| !name.is_empty()),
        description: change.description,
    };
    let team = state
        .app
        .change_team(&caller, &organisation, &group, &change)
        .await?;
    let members = people(&state, &caller, &organisation, team.name.as_str()).await?;
    Ok(axum::Json(show_team(&team, members.len())))
}

pub(super) async fn remove(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path((organisation, group)): Path<(String, String)>,
) -> Result<StatusCode, HubError> {
    state.app.delete_team(&caller, &organisation, &group).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `hub-tool` reads a list here, every other client a page.
pub(super) async fn members(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path((organisation, group)): Path<(String, String)>,
    headers: HeaderMap,
    wish: Wish,
) -> Result<axum::Json<Value>, HubError> {
    let found = people(&state, &caller, &organisation, &group).await?;
    let is_hub_tool = headers
        .get(USER_AGENT)
        .is_some_and(|value| value.as_bytes().starts_with(b"hub-tool/"));
    if is_hub_tool {
        return Ok(axum::Json(found.iter().map(show_member).collect()));
    }
    wish.answer_of(found, |member| show_member(&member))
}

pub(super) async fn add_member(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path((organisation, group)): Path<(String, String)>,
    Body(new): Body<NewMember>,
) -> Result<axum::Json<Value>, HubError> {
    state
        .app
        .put_team_member(&caller, &organisation, &group, &new.member)
        .await?;
    let member = state.app.member(&caller, &organisation, &new.member).await?;
    Ok(axum::Json(show_member(&member)))
}

pub(super) async fn remove_member(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path((organisation, group, user)): Path<(String, String, String)>,
) -> Result<StatusCode, HubError> {
    state
        .app
        .remove_team_member(&caller, &organisation, &group, &user)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

fn show_team(team: &Team, members: usize) -> Value {
    json!({
        "id": team.team_id.as_i64(),
        "uuid": uuid(team.team_id.as_i64()),
        "name": team.name.to_string(),
        "description": team.description,
        "member_count": members,
    })
}
