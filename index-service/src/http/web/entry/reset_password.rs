//! `/reset-password`: a password by a link. What stands behind `#` in the link reaches no server by itself: the page's script
//! puts it into the form, and without a script it is pasted.

use askama::Template;
use axum::extract::State as Shared;
use axum::response::Response;
use http::StatusCode;
use http::header::CACHE_CONTROL;
use http::{HeaderValue, header::HeaderName};
use serde::Deserialize;
use shared::secret::Secret;

use super::super::fault::PageError;
use super::super::page;
use super::super::submitted::Submitted;
use super::super::view::View;
use super::super::visitor::Visitor;
use crate::http::State;

const NO_STORE: (HeaderName, HeaderValue) = (CACHE_CONTROL, HeaderValue::from_static("no-store"));

#[derive(Template)]
#[template(path = "entry/reset_password.html")]
struct ResetPage {
    view: View,
    refusal: String,
    is_set: bool,
}

/// What is filled in.
#[derive(Deserialize)]
pub(super) struct Redemption {
    secret: Secret<String>,
    password: Secret<String>,
}

pub(super) async fn show(Visitor { view, .. }: Visitor) -> Response {
    answer(StatusCode::OK, view, String::new(), false)
}

pub(super) async fn take(
    Shared(state): Shared<State>,
    Visitor { caller, view }: Visitor,
    Submitted(redemption): Submitted<Redemption>,
) -> Result<Response, PageError> {
    // Whoever pastes the whole link means the secret in it.
    let pasted = redemption.secret.expose().trim();
    let secret = Secret::new(pasted.rsplit('#').next().unwrap_or(pasted).to_owned());
    let redeemed = state
        .app
        .redeem_password_reset(&caller, &secret, redemption.password)
        .await;
    match redeemed.map_err(PageError::from) {
        Ok(()) => Ok(answer(StatusCode::OK, view, String::new(), true)),
        Err(error) if error.is_refusal() => {
            let refusal = error.text(&view);
            Ok(answer(error.status, view, refusal, false))
        }
        Err(error) => Err(error),
    }
}

fn answer(status: StatusCode, view: View, refusal: String, is_set: bool) -> Response {
    let template = ResetPage {
        view,
        refusal,
        is_set,
    };
    let mut response = page::render_with(status, &template);
    let (name, value) = NO_STORE;
    response.headers_mut().insert(name, value);
    response
}
