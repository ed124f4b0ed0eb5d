//! Another password.

use askama::Template;
use axum::extract::State as Shared;
use axum::response::Response;
use http::StatusCode;
use http::header::SET_COOKIE;
use serde::Deserialize;
use shared::secret::Secret;

use crate::app::AppError;
use crate::http::State;
use crate::http::web::cookie;
use crate::http::web::fault::PageError;
use crate::http::web::frame::{Frame, problem};
use crate::http::web::page::{done, render_with};
use crate::http::web::submitted::Submitted;
use crate::http::web::view::View;
use crate::http::web::visitor::SignedIn;

#[derive(Template)]
#[template(path = "account/password.html")]
struct PasswordPage {
    view: View,
    frame: Frame,
}

/// What was typed.
#[derive(Deserialize)]
pub(super) struct Typed {
    #[serde(default)]
    current: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    again: String,
}

pub(super) async fn show(SignedIn { view, .. }: SignedIn) -> Response {
    page(view, StatusCode::OK, String::new())
}

pub(super) async fn change(
    Shared(state): Shared<State>,
    SignedIn { caller, view }: SignedIn,
    Submitted(typed): Submitted<Typed>,
) -> Result<Response, PageError> {
    if typed.password != typed.again {
        let text = view.t("account-password-differs");
        return Ok(page(view, StatusCode::BAD_REQUEST, text));
    }
    let (current, new) = (Secret::new(typed.current), Secret::new(typed.password));
    if let Err(error) = state.app.change_password(&caller, &current, new.clone()).await {
        let (status, text) = problem(error, &view)?;
        return Ok(page(view, status, text));
    }
    // Every device is signed out by that, this one too; whoever just typed the new password need not type it again.
    let opened = state
        .app
        .open_web_session(caller.name(), new, false, &caller.client)
        .await;
    match opened {
        Ok(session) => {
            let mut response = done(&view, "/account/password", "account-done-password");
            let value = cookie::keep_session(session.secret.expose(), session.kept_s, state.app.public_url());
            if let Some(value) = value {
                response.headers_mut().append(SET_COOKIE, value);
            }
            Ok(response)
        }
        Err(AppError::Internal(cause)) => Err(AppError::Internal(cause).into()),
        Err(_) => Ok(done(&view, "/sign-in", "account-done-password")),
    }
}

fn page(view: View, status: StatusCode, problem: String) -> Response {
    let frame = Frame {
        problem,
        ..Frame::of("password")
    };
    render_with(status, &PasswordPage { view, frame })
}
