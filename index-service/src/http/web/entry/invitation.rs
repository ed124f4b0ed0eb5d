//! `/invitation`: the page behind an invitation's link. What stands behind `#` is in no address that a server or a log sees:
//! the page's script puts it into a form and sends that; without a script the link is pasted.

use askama::Template;
use axum::extract::State as Shared;
use axum::response::Response;
use http::header::CACHE_CONTROL;
use http::{HeaderValue, StatusCode};
use serde::Deserialize;
use shared::secret::Secret;

use super::super::fault::PageError;
use super::super::page;
use super::super::submitted::Submitted;
use super::super::view::View;
use super::super::visitor::Visitor;
use super::sign_up::Person;
use crate::app::invitation::InvitationView;
use crate::app::web_session::WebSession;
use crate::http::State;

/// What an invitation offers.
struct Offer {
    inviter: String,
    organisation: String,
    role: String,
    team: String,
    guest_until: Option<i64>,
    expires_at: i64,
    lets_join: bool,
    makes_account: bool,
}

impl From<InvitationView> for Offer {
    fn from(found: InvitationView) -> Self {
        let offer = found.invitation.offer;
        Self {
            inviter: found.invitation.inviter.to_string(),
            lets_join: found.organisation.is_some(),
            organisation: found.organisation.map_or_else(String::new, |of| {
                let name = of.name.to_string();
                if of.display_name.is_empty() || of.display_name == name {
                    name
                } else {
                    format!("{} ({name})", of.display_name)
                }
            }),
            role: offer.map_or_else(String::new, |offer| format!("entry-role-{}", offer.role.as_str())),
            team: found.team.map_or_else(String::new, |team| team.name.to_string()),
            guest_until: offer.and_then(|offer| offer.guest_until),
            expires_at: found.invitation.expires_at,
            makes_account: found.makes_account,
        }
    }
}

#[derive(Template)]
#[template(path = "entry/invitation.html")]
struct InvitationPage {
    view: View,
    link: String,
    offer: Option<Offer>,
    refusal: String,
    username: String,
    full_name: String,
    email: String,
}

#[derive(Template)]
#[template(path = "entry/joined.html")]
struct JoinedPage {
    view: View,
    name: String,
    organisation: String,
    is_new: bool,
}

/// The link, or the secret in it.
#[derive(Deserialize)]
pub(super) struct Link {
    link: Secret<String>,
}

/// And who takes it.
#[derive(Deserialize)]
pub(super) struct Joining {
    link: Secret<String>,
    name: String,
    password: Secret<String>,
}

/// And who is made with it.
#[derive(Deserialize)]
pub(super) struct Making {
    link: Secret<String>,
    #[serde(flatten)]
    person: Person,
}

impl InvitationPage {
    fn new(view: View) -> Self {
        Self {
            view,
            link: String::new(),
            offer: None,
            refusal: String::new(),
            username: String::new(),
            full_name: String::new(),
            email: String::new(),
        }
    }

    fn answer(&self, status: StatusCode) -> Response {
        unstored(page::render_with(status, self))
    }

    /// The page again, with what was wrong.
    async fn again(mut self, state: &State, link: &str, error: PageError) -> Result<Response, PageError> {
        if !error.is_refusal() {
            return Err(error);
        }
        self.refusal = error.text(&self.view);
        // Where the link itself is refused, its text says more.
        if let Ok(found) = state.app.invitation(link).await {
            self.link = link.to_owned();
            self.offer = Some(found.into());
        }
        let status = match error.status {
            StatusCode::UNAUTHORIZED => StatusCode::FORBIDDEN,
            status => status,
        };
        Ok(self.answer(status))
    }
}

fn unstored(mut response: Response) -> Response {
    response
        .headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

pub(super) async fn show(Visitor { view, .. }: Visitor) -> Response {
    InvitationPage::new(view).answer(StatusCode::OK)
}

pub(super) async fn look(
    Shared(state): Shared<State>,
    Visitor { view, .. }: Visitor,
    Submitted(form): Submitted<Link>,
) -> Result<Response, PageError> {
    let link = form.link.expose().trim();
    let mut page = InvitationPage::new(view);
    match state.app.invitation(link).await {
        Ok(found) => {
            page.link = link.to_owned();
            page.offer = Some(found.into());
            Ok(page.answer(StatusCode::OK))
        }
        Err(error) => page.again(&state, link, error.into()).await,
    }
}

/// Whoever is signed in takes it.
pub(super) async fn accept(
    Shared(state): Shared<State>,
    Visitor { caller, view }: Visitor,
    Submitted(form): Submitted<Link>,
) -> Result<Response, PageError> {
    let link = form.link.expose().trim();
    match state.app.accept_invitation(&caller, link).await {
        Ok(organisation) => Ok(joined(view, caller.name(), organisation.name.to_string(), false)),
        Err(error) => InvitationPage::new(view).again(&state, link, error.into()).await,
    }
}

/// Whoever has an account and is not signed in takes it, and is signed in from then on.
pub(super) async fn join(
    Shared(state): Shared<State>,
    Visitor { caller, view }: Visitor,
    Submitted(form): Submitted<Joining>,
) -> Result<Response, PageError> {
    let link = form.link.expose().trim();
    let name = form.name.trim().to_owned();
    let mut page = InvitationPage::new(view);
    page.username.clone_from(&name);
    let opened = state
        .app
        .open_web_session(name, form.password, false, &caller.client)
        .await;
    let session = match opened {
        Ok(session) => session,
        Err(error) => return page.again(&state, link, error.into()).await,
    };
    let recognised = state
        .app
        .recognise_web_session(session.secret.expose(), caller.client.clone())
        .await?;
    let Some(member) = recognised else {
        return Err(PageError::of_status(StatusCode::FORBIDDEN));
    };
    match state.app.accept_invitation(&member, link).await {
        Ok(organisation) => {
            let view = known(&page.view, &member, &session);
            let answer = joined(view, member.name(), organisation.name.to_string(), false);
            Ok(super::keep(&state, &session, answer))
        }
        Err(error) => {
            page.view = known(&page.view, &member, &session);
            let answer = page.again(&state, link, error.into()).await?;
            Ok(super::keep(&state, &session, answer))
        }
    }
}

/// Whoever has no account makes one with it, and is signed in from then on.
pub(super) async fn sign_up(
    Shared(state): Shared<State>,
    Visitor { caller, view }: Visitor,
    Submitted(form): Submitted<Making>,
) -> Result<Response, PageError> {
    let link = form.link.expose().trim();
    let wish = form.person.wish(Some(link.to_owned()));
    let made = match state.app.sign_up(&caller, &wish).await {
        Ok(made) => made,
        Err(error) => {
            let mut page = InvitationPage::new(view);
            page.username.clone_from(&wish.username);
            page.full_name.clone_from(&wish.full_name);
            page.email = wish.email.unwrap_or_default();
            return page.again(&state, link, error.into()).await;
        }
    };
    let name = made.account.username.to_string();
    let session = state
        .app
        .open_web_session(name.clone(), form.person.password, false, &caller.client)
        .await?;
    let recognised = state
        .app
        .recognise_web_session(session.secret.expose(), caller.client.clone())
        .await?;
    let view = recognised.map_or_else(|| view.clone(), |member| known(&view, &member, &session));
    let organisation = made.organisation.map(|of| of.name.to_string());
    let answer = joined(view, name, organisation.unwrap_or_default(), true);
    Ok(super::keep(&state, &session, answer))
}

/// The view of somebody who is signed in from now on.
fn known(view: &View, member: &crate::app::caller::Caller, session: &WebSession) -> View {
    View {
        reader: Some(super::super::view::Reader {
            username: member.name(),
            is_admin: member.is_admin(),
        }),
        csrf: super::super::visitor::csrf(session.secret.expose()),
        ..view.clone()
    }
}

fn joined(view: View, name: String, organisation: String, is_new: bool) -> Response {
    unstored(page::render(&JoinedPage {
        view,
        name,
        organisation,
        is_new,
    }))
}
