//! How people come in: signing in and out, making an account, setting a password by a link, taking an invitation.

mod confirm;
mod invitation;
mod reset_password;
mod sign_in;
mod sign_up;

use axum::response::Response;
use axum::routing::{get, post};
use http::header::SET_COOKIE;

use super::{cookie, page};
use crate::app::web_session::WebSession;
use crate::http::{State, named};

pub(in crate::http) fn routes() -> axum::Router<State> {
    axum::Router::new()
        .route(
            "/sign-in",
            named("web.sign_in", get(sign_in::show).post(sign_in::take)),
        )
        .route(
            "/confirm",
            named("web.confirm", get(confirm::show).post(confirm::take)),
        )
        .route("/sign-out", named("web.sign_out", post(sign_in::leave)))
        .route(
            "/sign-up",
            named("web.sign_up", get(sign_up::show).post(sign_up::take)),
        )
        .route(
            "/reset-password",
            named(
                "web.reset_password",
                get(reset_password::show).post(reset_password::take),
            ),
        )
        .route("/invitation", named("web.invitation", get(invitation::show)))
        // Looked at, they are the first of them again: a link with another secret behind `#` is then another page.
        .route(
            "/invitation/look",
            named("web.invitation", get(invitation::show).post(invitation::look)),
        )
        .route(
            "/invitation/accept",
            named("web.invitation", get(invitation::show).post(invitation::accept)),
        )
        .route(
            "/invitation/join",
            named("web.invitation", get(invitation::show).post(invitation::join)),
        )
        .route(
            "/invitation/sign-up",
            named("web.invitation", get(invitation::show).post(invitation::sign_up)),
        )
}

/// Has the browser keep a session.
pub(in crate::http) fn keep(state: &State, session: &WebSession, mut response: Response) -> Response {
    let value = cookie::keep_session(session.secret.expose(), session.kept_s, state.app.public_url());
    if let Some(value) = value {
        response.headers_mut().append(SET_COOKIE, value);
    }
    response
}

/// Sends the reader on, with a session.
fn go(state: &State, session: &WebSession, next: &str) -> Response {
    keep(state, session, page::see(page::local(next)))
}
