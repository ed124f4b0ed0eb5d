//! `/v2/orgs/{org}/members`, and invitations, which are none here: whoever has an account is in at once.

use axum::extract::{Path, State as Shared};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::body::Body;
use super::caller::SignedIn;
use super::error::HubError;
use super::page::{Wish, whole};
use super::uuid::plain;
use crate::app::AppError;
use crate::app::audit::rfc3339;
use crate::domain::{Member, OrganisationRole};
use crate::http::State;

/// Most people that one request names.
const MOST_INVITED: usize = 100;

/// Who shall be in an organisation.
#[derive(Debug, Deserialize)]
pub(super) struct Invitation {
    org: String,
    team: Option<String>,
    role: Option<String>,
    invitees: Vec<String>,
    #[serde(default)]
    dry_run: bool,
}

/// What somebody shall be there.
#[derive(Debug, Deserialize)]
pub(super) struct Change {
    role: String,
}

pub(super) async fn list(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path(organisation): Path<String>,
    wish: Wish,
) -> Result<axum::Json<Value>, HubError> {
    let mut members = whole(
        i64::MIN,
        |after, limit| state.app.list_members(&caller, &organisation, after, limit),
        |member: &Member| member.account_id.as_i64(),
    )
    .await?;
    let searched = wish.word("search").to_ascii_lowercase();
    members.retain(|member| member.username.as_str().contains(&searched));
    wish.answer_of(members, |member| show_member(&member))
}

pub(super) async fn show(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path((organisation, user)): Path<(String, String)>,
) -> Result<axum::Json<Value>, HubError> {
    let member = state.app.member(&caller, &organisation, &user).await?;
    Ok(axum::Json(show_member(&member)))
}

pub(super) async fn change(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path((organisation, user)): Path<(String, String)>,
    Body(change): Body<Change>,
) -> Result<axum::Json<Value>, HubError> {
    let role = role_of(&change.role)?;
    // Whoever is not in it is not changed.
    state.app.member(&caller, &organisation, &user).await?;
    let member = state
        .app
        .put_member(&caller, &organisation, &user, role, None)
        .await?;
    Ok(axum::Json(show_member(&member)))
}

pub(super) async fn remove(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path((organisation, user)): Path<(String, String)>,
) -> Result<StatusCode, HubError> {
    state.app.remove_member(&caller, &organisation, &user).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Nobody waits to be let in.
pub(super) async fn invites(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path(organisation): Path<String>,
) -> Result<axum::Json<Value>, HubError> {
    state
        .app
        .list_members(&caller, &organisation, i64::MIN, 1)
        .await?;
    Ok(axum::Json(json!({ "data": [] })))
}

/// Lets accounts in, and into a team; those that cannot be are told with the reason.
pub(super) async fn invite(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Body(invitation): Body<Invitation>,
) -> Result<(StatusCode, axum::Json<Value>), HubError> {
    let role = role_of(invitation.role.as_deref().unwrap_or("member"))?;
    if invitation.invitees.len() > MOST_INVITED {
        return Err(HubError::invalid(format!(
            "one request names at most {MOST_INVITED} people"
        )));
    }
    let (org, team) = (&invitation.org, invitation.team.as_deref().unwrap_or_default());
    let mut invitees = Vec::new();
    for invitee in &invitation.invitees {
        let status = if invitation.dry_run {
            state.app.profile(&caller, invitee).await.map(drop)
        } else {
            let put = state.app.put_member(&caller, org, invitee, role, None).await;
            match put {
                Ok(_) if !team.is_empty() => state.app.put_team_member(&caller, org, team, invitee).await,
                other => other.map(drop),
            }
        };
        let status = match status {
            Ok(()) => "invited".to_owned(),
            // That concerns one of them; what concerns the caller concerns all.
            Err(AppError::NotFound(text) | AppError::Invalid(text) | AppError::Conflict(text))
                if invitation.invitees.len() > 1 =>
            {
                text
            }
            Err(error) => return Err(error.into()),
        };
        invitees.push(json!({
            "invitee": invitee,
            "status": status,
            "invite": {
                "id": "",
                "inviter_username": caller.name(),
                "invitee": invitee,
                "org": org,
                "team": team,
                "role": role_word(role),
                "created_at": rfc3339(state.app.now_ms()),
            },
        }));
    }
    Ok((StatusCode::ACCEPTED, axum::Json(json!({ "invitees": invitees }))))
}

/// Docker Hub's words for what somebody is in an organisation.
fn role_of(word: &str) -> Result<OrganisationRole, HubError> {
    match word.to_ascii_lowercase().as_str() {
        "owner" => Ok(OrganisationRole::Owner),
        "editor" | "manager" => Ok(OrganisationRole::Manager),
        "member" => Ok(OrganisationRole::Member),
        _ => Err(HubError::invalid("a role is owner, editor or member")),
    }
}

pub(super) fn role_word(role: OrganisationRole) -> &'static str {
    match role {
        OrganisationRole::Owner => "Owner",
        OrganisationRole::Manager => "Editor",
        OrganisationRole::Member | OrganisationRole::Guest => "Member",
    }
}

pub(super) fn show_member(member: &Member) -> Value {
    json!({
        "id": plain(member.account_id.as_i64()),
        "uuid": plain(member.account_id.as_i64()),
        "username": member.username.to_string(),
        "full_name": member.full_name,
        "email": "",
        "primary_email": "",
        "role": role_word(member.role),
        "groups": [],
        "is_guest": member.role == OrganisationRole::Guest,
        "company": "",
        "location": "",
        "profile_url": "",
        "gravatar_email": "",
        "gravatar_url": "",
        "date_joined": rfc3339(member.created_at),
        "type": "User",
    })
}
