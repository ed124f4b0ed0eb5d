//! `/sign-in` and `/sign-out`.

use askama::Template;
use axum::extract::{Query, State as Shared};
use axum::response::Response;
use http::header::SET_COOKIE;
use serde::Deserialize;
use shared::secret::Secret;

use super::super::fault::PageError;
use super::super::frame::refusal_of_password;
use super::super::submitted::Submitted;
use super::super::view::View;
use super::super::visitor::Visitor;
use super::super::{cookie, page};
use crate::app::caller::Client;
use crate::app::sign_up::SignUp;
use crate::http::State;

#[derive(Template)]
#[template(path = "entry/sign_in.html")]
struct SignInPage {
    view: View,
    username: String,
    next: String,
    refusal: String,
    is_open: bool,
}

/// Where to go on.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Onward {
    pub(super) next: String,
}

/// What is filled in.
#[derive(Deserialize)]
#[serde(default)]
pub(super) struct Entry {
    username: String,
    password: Secret<String>,
    keep: String,
    next: String,
}

impl Default for Entry {
    fn default() -> Self {
        Self {
            username: String::new(),
            password: Secret::new(String::new()),
            keep: String::new(),
            next: String::new(),
        }
    }
}

pub(super) async fn show(
    Shared(state): Shared<State>,
    Visitor { view, .. }: Visitor,
    Query(onward): Query<Onward>,
) -> Response {
    if view.is_signed_in() {
        return page::see(page::local(&onward.next));
    }
    page::render(&SignInPage {
        view,
        username: String::new(),
        next: page::local(&onward.next).to_owned(),
        refusal: String::new(),
        is_open: state.app.sign_up_mode() == SignUp::Open,
    })
}

pub(super) async fn take(
    Shared(state): Shared<State>,
    client: Client,
    view: View,
    Submitted(entry): Submitted<Entry>,
) -> Result<Response, PageError> {
    let username = entry.username.trim().to_owned();
    let is_kept = !entry.keep.is_empty();
    let opened = state
        .app
        .open_web_session(username.clone(), entry.password, is_kept, &client)
        .await;
    let (status, refusal) = match opened {
        Ok(session) => return Ok(super::go(&state, &session, &entry.next)),
        Err(error) => refusal_of_password(error, &view)?,
    };
    Ok(page::render_with(
        status,
        &SignInPage {
            username,
            next: page::local(&entry.next).to_owned(),
            refusal,
            is_open: state.app.sign_up_mode() == SignUp::Open,
            view,
        },
    ))
}

/// Nothing but what every form of a session has.
#[derive(Debug, Deserialize)]
pub(super) struct Nothing {}

pub(super) async fn leave(
    Shared(state): Shared<State>,
    Visitor { caller, view }: Visitor,
    Submitted(Nothing {}): Submitted<Nothing>,
) -> Result<Response, PageError> {
    state.app.end_web_session(&caller).await?;
    let mut response = page::done(&view, "/", "entry-done-signed-out");
    if let Some(value) = cookie::drop_session(state.app.public_url()) {
        response.headers_mut().append(SET_COOKIE, value);
    }
    Ok(response)
}
