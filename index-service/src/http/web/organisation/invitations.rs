//! Links that let others into an organisation.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use shared::secret::Secret;

use super::members::role_key;
use crate::app::AppError;
use crate::app::invitation::InvitationWish;
use crate::domain::invitation::DEFAULT_LIFE_DAYS;
use crate::domain::{Invitation, InvitationId, OrganisationRole};
use crate::http::State as Parts;
use crate::http::web::fault::PageError;
use crate::http::web::page::{done, render_with};
use crate::http::web::settings::fields::{Draft, Fields};
use crate::http::web::settings::place::{At, Place, nothing};
use crate::http::web::settings::secret::{Of, show_once};
use crate::http::web::submitted::Submitted;
use crate::http::web::view::View;

/// Invitations on a page.
const PAGE: u32 = 50;
/// Teams that are offered.
const MOST_TEAMS: u32 = 200;

#[derive(Template)]
#[template(path = "organisation/invitations.html")]
struct InvitationsPage {
    view: View,
    place: Place,
    draft: Draft,
    invitations: Vec<Line>,
    teams: Vec<String>,
    next: Option<String>,
}

/// An invitation in a list.
struct Line {
    id: String,
    last_four: String,
    role_key: Option<&'static str>,
    guest_until: Option<i64>,
    uses_left: i64,
    inviter: String,
    created_at: i64,
    expires_at: i64,
    is_open: bool,
}

pub(super) async fn show(
    State(state): State<Parts>,
    at: At,
    Query(query): Query<Fields>,
) -> Result<Response, PageError> {
    page(&state, at, Draft::asked(query)).await
}

pub(super) async fn act(
    State(state): State<Parts>,
    at: At,
    Submitted(fields): Submitted<Fields>,
) -> Result<Response, PageError> {
    let organisation = at.place.name();
    let outcome = match fields.get("do") {
        "create" => create(&state, &at, &fields).await.map(Some),
        "revoke" => {
            let id = InvitationId::from_i64(fields.id("invitation").unwrap_or(i64::MIN));
            let revoked = state
                .app
                .revoke_invitation(&at.caller, Some(&organisation), id)
                .await;
            revoked.map(|()| None)
        }
        _ => Err(nothing()),
    };
    match outcome {
        Ok(Some(link)) => {
            let back = at.place.here();
            Ok(show_once(at, Of::Invitation, &link, None, back))
        }
        Ok(None) => Ok(done(
            &at.view,
            &at.place.here(),
            "organisation-done-invitation-revoked",
        )),
        Err(error) => {
            let form = if fields.get("do") == "create" {
                "create"
            } else {
                "other"
            };
            let draft = Draft::refused(form, fields, error, &at.view)?;
            page(&state, at, draft).await
        }
    }
}

/// Makes an invitation, and its link: what comes behind `#` is sent to no server by a browser.
async fn create(state: &Parts, at: &At, fields: &Fields) -> Result<Secret<String>, AppError> {
    let role: OrganisationRole = fields
        .parse("role")?
        .ok_or_else(|| AppError::Invalid("choose a role".to_owned()))?;
    let wish = InvitationWish {
        role: Some(role),
        team: fields.some("team").map(str::to_owned),
        guest_until: fields
            .end_of_day("until")?
            .filter(|_| role == OrganisationRole::Guest),
        life_days: fields.number("days")?.unwrap_or(DEFAULT_LIFE_DAYS),
        uses: fields.number("uses")?.unwrap_or(1),
    };
    let organisation = at.place.name();
    let (_, secret) = state
        .app
        .create_invitation(&at.caller, Some(&organisation), &wish)
        .await?;
    let url = state.app.public_url();
    Ok(Secret::new(format!("{url}/invitation#{}", secret.expose())))
}

async fn page(state: &Parts, at: At, draft: Draft) -> Result<Response, PageError> {
    let organisation = at.place.name();
    let mut found = state
        .app
        .list_invitations(&at.caller, Some(&organisation), draft.fields.after_id(), PAGE + 1)
        .await?;
    let more = found.len() > PAGE as usize;
    found.truncate(PAGE as usize);
    let next = found.last().filter(|_| more);
    let next = next.map(|last| format!("{}?after={}", at.place.here(), last.invitation_id));
    let teams = state
        .app
        .list_teams(&at.caller, &organisation, "", MOST_TEAMS)
        .await?;
    let now_ms = at.view.now_ms;
    let page = InvitationsPage {
        invitations: found.into_iter().map(|one| line(one, now_ms)).collect(),
        teams: teams.into_iter().map(|team| team.name.to_string()).collect(),
        next,
        view: at.view,
        place: at.place,
        draft,
    };
    Ok(render_with(page.draft.status(), &page))
}

fn line(one: Invitation, now_ms: i64) -> Line {
    Line {
        id: one.invitation_id.to_string(),
        is_open: one.is_open(now_ms),
        role_key: one.offer.map(|offer| role_key(offer.role)),
        guest_until: one.offer.and_then(|offer| offer.guest_until),
        uses_left: one.uses_left,
        inviter: one.inviter.to_string(),
        created_at: one.created_at,
        expires_at: one.expires_at,
        last_four: one.last_four,
    }
}
