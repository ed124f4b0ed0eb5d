//! `/confirm`: the password once more, before what may do much harm.

use askama::Template;
use axum::extract::{Query, State as Shared};
use axum::response::Response;
use serde::Deserialize;
use shared::secret::Secret;

use super::super::fault::PageError;
use super::super::frame::refusal_of_password;
use super::super::page;
use super::super::submitted::Submitted;
use super::super::view::View;
use super::super::visitor::{SignedIn, Visitor};
use super::sign_in::Onward;
use crate::http::State;

#[derive(Template)]
#[template(path = "entry/confirm.html")]
struct ConfirmPage {
    view: View,
    next: String,
    refusal: String,
}

/// What is filled in.
#[derive(Deserialize)]
pub(super) struct Typed {
    password: Secret<String>,
    #[serde(default)]
    next: String,
}

/// Where to go on; never here again.
fn onward(next: &str) -> &str {
    let next = page::local(next);
    if next == "/confirm" || next.starts_with("/confirm?") {
        "/"
    } else {
        next
    }
}

pub(super) async fn show(SignedIn { view, .. }: SignedIn, Query(query): Query<Onward>) -> Response {
    page::render(&ConfirmPage {
        view,
        next: onward(&query.next).to_owned(),
        refusal: String::new(),
    })
}

pub(super) async fn take(
    Shared(state): Shared<State>,
    Visitor { caller, view }: Visitor,
    Submitted(typed): Submitted<Typed>,
) -> Result<Response, PageError> {
    let next = onward(&typed.next);
    if caller.is_anonymous() {
        return Err(PageError::sign_in(next));
    }
    let (status, refusal) = match state.app.confirm(&caller, &typed.password).await {
        Ok(()) => return Ok(page::see(next)),
        Err(error) => refusal_of_password(error, &view)?,
    };
    Ok(page::render_with(
        status,
        &ConfirmPage {
            next: next.to_owned(),
            refusal,
            view,
        },
    ))
}
