//! `/api/v1/invitations`, and those of an organisation.

use crate::http::api::described::{ApiRouter, routes};
use axum::Json;
use axum::extract::{Path, Query, State as Shared};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::State;
use super::caller::{Anyone, SignedIn};
use super::idempotency::ShowsSecret;
use super::instant::Instant;
use super::member::role;
use super::page::{Page, Wish};
use super::problem::Problem;
use crate::app::caller::Caller;
use crate::app::invitation::{InvitationView, InvitationWish};
use crate::domain::invitation::DEFAULT_LIFE_DAYS;
use crate::domain::{Ended, Invitation, InvitationId};

pub(super) fn routes() -> ApiRouter {
    ApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(revoke))
        .routes(routes!(list_of_site, create_for_site))
        .routes(routes!(revoke_of_site))
        .routes(routes!(look))
        .routes(routes!(accept))
}

/// An invitation, without its secret.
#[derive(Debug, Serialize, ToSchema)]
struct ShownInvitation {
    /// Its id.
    id: String,
    /// The last four characters of its secret.
    last_four: String,
    /// What one becomes in the organisation; absent for the site.
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    /// When a guest's time ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    guest_until: Option<Instant>,
    /// How many it still lets in.
    uses_left: i64,
    /// Who made it.
    inviter: String,
    /// When it was made.
    created_at: Instant,
    /// From when on it lets nobody in.
    expires_at: Instant,
    /// When it was withdrawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked_at: Option<Instant>,
    /// Why it was: `revoked`, or `leaked` since its link was found where it should not be.
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked_because: Option<&'static str>,
}

impl From<Invitation> for ShownInvitation {
    fn from(invitation: Invitation) -> Self {
        Self {
            id: invitation.invitation_id.to_string(),
            last_four: invitation.last_four,
            role: invitation.offer.map(|offer| offer.role.as_str()),
            guest_until: invitation.offer.and_then(|offer| offer.guest_until).map(Instant),
            uses_left: invitation.uses_left,
            inviter: invitation.inviter.to_string(),
            created_at: Instant(invitation.created_at),
            expires_at: Instant(invitation.expires_at),
            revoked_at: invitation.revoked_at.map(Instant),
            revoked_because: invitation.revoked_because.map(Ended::as_str),
        }
    }
}

/// A new invitation: its link is shown once.
#[derive(Serialize, ToSchema)]
struct CreatedInvitation {
    #[serde(flatten)]
    invitation: ShownInvitation,
    /// What the invited need; it is not shown again.
    secret: String,
    /// The same as a link. What comes behind `#` is sent to no server by a browser.
    link: String,
}

/// An invitation to an organisation.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct InvitationCreation {
    /// What one becomes: `manager`, `member` or `guest`.
    role: String,
    /// A team that one is put into.
    #[schema(max_length = 64)]
    team: Option<String>,
    /// When a guest's time ends: guests need it, others have none.
    guest_until: Option<Instant>,
    /// How long it is open, 1 to 30 days. Default: 7.
    #[serde(default = "life")]
    #[schema(minimum = 1, maximum = 30)]
    days: u16,
    /// How many it lets in, 1 to 100. Default: 1.
    #[serde(default = "once")]
    #[schema(minimum = 1, maximum = 100)]
    uses: u16,
}

/// An invitation to the site.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SiteInvitationCreation {
    /// How long it is open, 1 to 30 days. Default: 7.
    #[serde(default = "life")]
    #[schema(minimum = 1, maximum = 30)]
    days: u16,
    /// How many accounts are made with it, 1 to 100. Default: 1.
    #[serde(default = "once")]
    #[schema(minimum = 1, maximum = 100)]
    uses: u16,
}

fn life() -> u16 {
    DEFAULT_LIFE_DAYS
}

fn once() -> u16 {
    1
}

/// What somebody holds who was invited.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Link {
    /// The link, or the secret in it.
    #[schema(max_length = 500)]
    invitation: String,
}

/// What an invitation offers.
#[derive(Debug, Serialize, ToSchema)]
struct Offered {
    /// The organisation; absent for the site.
    #[serde(skip_serializing_if = "Option::is_none")]
    organisation: Option<String>,
    /// Its name as people write it.
    #[serde(skip_serializing_if = "Option::is_none")]
    organisation_display_name: Option<String>,
    /// What one becomes there.
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    /// The team that one is put into.
    #[serde(skip_serializing_if = "Option::is_none")]
    team: Option<String>,
    /// When a guest's time ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    guest_until: Option<Instant>,
    /// Who invites.
    inviter: String,
    /// From when on it lets nobody in.
    expires_at: Instant,
    /// Whether somebody without an account may make one with it.
    makes_account: bool,
}

impl From<InvitationView> for Offered {
    fn from(view: InvitationView) -> Self {
        let offer = view.invitation.offer;
        Self {
            organisation: view.organisation.as_ref().map(|of| of.name.to_string()),
            organisation_display_name: view.organisation.map(|of| of.display_name),
            role: offer.map(|offer| offer.role.as_str()),
            team: view.team.map(|team| team.name.to_string()),
            guest_until: offer.and_then(|offer| offer.guest_until).map(Instant),
            inviter: view.invitation.inviter.to_string(),
            expires_at: Instant(view.invitation.expires_at),
            makes_account: view.makes_account,
        }
    }
}

/// Where somebody is from now on.
#[derive(Debug, Serialize, ToSchema)]
struct Joined {
    /// The organisation.
    organisation: String,
}

/// The invitations to an organisation
#[utoipa::path(get, path = "/organisations/{organisation}/invitations", operation_id = "list_invitations", tag = "invitations",
    params(("organisation" = String, Path), Wish), responses((status = 200, body = Page<ShownInvitation>),
    (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn list(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path(organisation): Path<String>,
    Query(wish): Query<Wish>,
) -> Result<Json<Page<ShownInvitation>>, Problem> {
    page(&state, &caller, Some(&organisation), &wish).await
}

/// Invites to an organisation by a link
#[utoipa::path(post, path = "/organisations/{organisation}/invitations", operation_id = "create_invitation", tag = "invitations",
    params(("organisation" = String, Path)), request_body = InvitationCreation, responses((status = 201, body = CreatedInvitation),
    (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
    (status = 409, body = Problem)))]
async fn create(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path(organisation): Path<String>,
    Json(body): Json<InvitationCreation>,
) -> Result<Response, Problem> {
    let wish = InvitationWish {
        role: Some(role(&body.role)?),
        team: body.team,
        guest_until: body.guest_until.map(|end| end.0),
        life_days: body.days,
        uses: body.uses,
    };
    created(&state, &caller, Some(&organisation), &wish).await
}

/// Withdraws an invitation to an organisation
#[utoipa::path(delete, path = "/organisations/{organisation}/invitations/{invitation}", operation_id = "revoke_invitation",
    tag = "invitations", params(("organisation" = String, Path), ("invitation" = String, Path)), responses((status = 204),
    (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn revoke(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path((organisation, invitation)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    revoked(&state, &caller, Some(&organisation), &invitation).await
}

/// The invitations to the site, for administrators
#[utoipa::path(get, path = "/invitations", operation_id = "list_site_invitations", tag = "invitations", params(Wish),
    responses((status = 200, body = Page<ShownInvitation>), (status = 401, body = Problem), (status = 403, body = Problem)))]
async fn list_of_site(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Query(wish): Query<Wish>,
) -> Result<Json<Page<ShownInvitation>>, Problem> {
    page(&state, &caller, None, &wish).await
}

/// Invites to the site by a link: an account is made with it
#[utoipa::path(post, path = "/invitations", operation_id = "create_site_invitation", tag = "invitations",
    request_body = SiteInvitationCreation, responses((status = 201, body = CreatedInvitation), (status = 400, body = Problem),
    (status = 401, body = Problem), (status = 403, body = Problem)))]
async fn create_for_site(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Json(body): Json<SiteInvitationCreation>,
) -> Result<Response, Problem> {
    let wish = InvitationWish {
        role: None,
        team: None,
        guest_until: None,
        life_days: body.days,
        uses: body.uses,
    };
    created(&state, &caller, None, &wish).await
}

/// Withdraws an invitation to the site
#[utoipa::path(delete, path = "/invitations/{invitation}", operation_id = "revoke_site_invitation", tag = "invitations",
    params(("invitation" = String, Path)), responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem)))]
async fn revoke_of_site(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path(invitation): Path<String>,
) -> Result<StatusCode, Problem> {
    revoked(&state, &caller, None, &invitation).await
}

/// What an invitation offers, to whoever holds its link
#[utoipa::path(post, path = "/invitations/look", operation_id = "look_at_invitation", tag = "invitations", request_body = Link,
    responses((status = 200, body = Offered), (status = 404, body = Problem, description = "it lets nobody in")))]
async fn look(
    Shared(state): Shared<State>,
    Anyone(_caller): Anyone,
    Json(body): Json<Link>,
) -> Result<Json<Offered>, Problem> {
    Ok(Json(state.app.invitation(&body.invitation).await?.into()))
}

/// Takes an invitation to an organisation
#[utoipa::path(post, path = "/invitations/accept", operation_id = "accept_invitation", tag = "invitations", request_body = Link,
    responses((status = 200, body = Joined), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem, description = "it lets nobody in"), (status = 409, body = Problem, description = "nothing would change")))]
async fn accept(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Json(body): Json<Link>,
) -> Result<Json<Joined>, Problem> {
    let organisation = state.app.accept_invitation(&caller, &body.invitation).await?;
    Ok(Json(Joined {
        organisation: organisation.name.to_string(),
    }))
}

async fn page(
    state: &State,
    caller: &Caller,
    organisation: Option<&str>,
    wish: &Wish,
) -> Result<Json<Page<ShownInvitation>>, Problem> {
    let read = state
        .app
        .list_invitations(caller, organisation, wish.after_id(), wish.limit() + 1)
        .await?;
    Ok(Json(Page::new(
        wish,
        read,
        |invitation| invitation.invitation_id.to_string(),
        ShownInvitation::from,
    )))
}

async fn created(
    state: &State,
    caller: &Caller,
    organisation: Option<&str>,
    wish: &InvitationWish,
) -> Result<Response, Problem> {
    let (invitation, secret) = state.app.create_invitation(caller, organisation, wish).await?;
    let body = CreatedInvitation {
        invitation: invitation.into(),
        link: format!("{}/invitation#{}", state.app.public_url(), secret.expose()),
        secret: secret.expose().clone(),
    };
    let mut response = (StatusCode::CREATED, Json(body)).into_response();
    response.extensions_mut().insert(ShowsSecret);
    Ok(response)
}

async fn revoked(
    state: &State,
    caller: &Caller,
    organisation: Option<&str>,
    id: &str,
) -> Result<StatusCode, Problem> {
    let id = id
        .parse()
        .map_err(|_| Problem::new(StatusCode::NOT_FOUND, "there is no such invitation"))?;
    state
        .app
        .revoke_invitation(caller, organisation, InvitationId::from_i64(id))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
#[path = "invitation/tests.rs"]
mod tests;
