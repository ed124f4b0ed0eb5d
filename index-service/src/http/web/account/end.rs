//! The end of an account: told before, and asked for by its name.

use askama::Template;
use axum::extract::State as Shared;
use axum::response::Response;
use http::StatusCode;
use http::header::SET_COOKIE;
use serde::Deserialize;

use crate::app::caller::Caller;
use crate::app::departure::AccountEnd;
use crate::http::State;
use crate::http::web::cookie;
use crate::http::web::fault::PageError;
use crate::http::web::frame::{Frame, problem};
use crate::http::web::page::{done, render_with};
use crate::http::web::submitted::Submitted;
use crate::http::web::view::View;
use crate::http::web::visitor::Confirmed;

#[derive(Template)]
#[template(path = "account/end.html")]
struct EndPage {
    view: View,
    frame: Frame,
    name: String,
    end: AccountEnd,
}

/// What was typed.
#[derive(Debug, Deserialize)]
pub(super) struct Typed {
    #[serde(default)]
    typed: String,
}

pub(super) async fn show(
    Shared(state): Shared<State>,
    Confirmed { caller, view }: Confirmed,
) -> Result<Response, PageError> {
    page(&state, &caller, view, StatusCode::OK, String::new()).await
}

pub(super) async fn delete(
    Shared(state): Shared<State>,
    Confirmed { caller, view }: Confirmed,
    Submitted(typed): Submitted<Typed>,
) -> Result<Response, PageError> {
    let name = caller.name();
    if !typed.typed.trim().eq_ignore_ascii_case(&name) {
        let text = view.t("account-end-name-differs");
        return page(&state, &caller, view, StatusCode::BAD_REQUEST, text).await;
    }
    if let Err(error) = state.app.delete_account(&caller, &name).await {
        let (status, text) = problem(error, &view)?;
        return page(&state, &caller, view, status, text).await;
    }
    let mut response = done(&view, "/", "account-done-deleted");
    if let Some(value) = cookie::drop_session(state.app.public_url()) {
        response.headers_mut().append(SET_COOKIE, value);
    }
    Ok(response)
}

async fn page(
    state: &State,
    caller: &Caller,
    view: View,
    status: StatusCode,
    problem: String,
) -> Result<Response, PageError> {
    let name = caller.name();
    let page = EndPage {
        end: state.app.account_end(caller, &name).await?,
        frame: Frame {
            problem,
            ..Frame::of("end")
        },
        name,
        view,
    };
    Ok(render_with(status, &page))
}
