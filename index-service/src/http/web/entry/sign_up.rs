//! `/sign-up`: an account of one's own, where the site lets people make one.

use askama::Template;
use axum::extract::State as Shared;
use axum::response::Response;
use serde::Deserialize;
use shared::secret::Secret;

use super::super::fault::PageError;
use super::super::page;
use super::super::submitted::Submitted;
use super::super::view::View;
use super::super::visitor::Visitor;
use crate::app::sign_up::{NewPerson, SignUp};
use crate::http::State;

#[derive(Template)]
#[template(path = "entry/sign_up.html")]
struct SignUpPage {
    view: View,
    username: String,
    full_name: String,
    email: String,
    refusal: String,
    is_open: bool,
    by_invitation: bool,
}

/// What is filled in.
#[derive(Deserialize)]
pub(super) struct Person {
    pub(super) name: String,
    pub(super) password: Secret<String>,
    #[serde(default)]
    pub(super) full_name: String,
    #[serde(default)]
    pub(super) email: String,
}

impl Person {
    /// The account that is wished for.
    pub(super) fn wish(&self, invitation: Option<String>) -> NewPerson {
        NewPerson {
            username: self.name.trim().to_owned(),
            password: Some(self.password.clone()),
            email: Some(self.email.trim().to_owned()).filter(|email| !email.is_empty()),
            full_name: self.full_name.trim().to_owned(),
            invitation,
            once: None,
        }
    }
}

pub(super) async fn show(Shared(state): Shared<State>, Visitor { view, .. }: Visitor) -> Response {
    if view.is_signed_in() {
        return page::see("/");
    }
    let mode = state.app.sign_up_mode();
    page::render(&SignUpPage {
        view,
        username: String::new(),
        full_name: String::new(),
        email: String::new(),
        refusal: String::new(),
        is_open: mode == SignUp::Open,
        by_invitation: mode == SignUp::Invitation,
    })
}

pub(super) async fn take(
    Shared(state): Shared<State>,
    Visitor { caller, view }: Visitor,
    Submitted(person): Submitted<Person>,
) -> Result<Response, PageError> {
    let wish = person.wish(None);
    let error = match state.app.sign_up(&caller, &wish).await {
        Ok(made) => {
            let name = made.account.username.to_string();
            let session = state
                .app
                .open_web_session(name, person.password, false, &caller.client)
                .await?;
            return Ok(super::keep(
                &state,
                &session,
                page::done(&view, "/welcome", "entry-done-signed-up"),
            ));
        }
        Err(error) => PageError::from(error),
    };
    if !error.is_refusal() {
        return Err(error);
    }
    let mode = state.app.sign_up_mode();
    Ok(page::render_with(
        error.status,
        &SignUpPage {
            username: wish.username,
            full_name: wish.full_name,
            email: wish.email.unwrap_or_default(),
            refusal: error.text(&view),
            is_open: mode == SignUp::Open,
            by_invitation: mode == SignUp::Invitation,
            view,
        },
    ))
}
