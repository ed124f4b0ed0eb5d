//! The keys that sign registry tokens.

use askama::Template;
use axum::extract::State as Shared;
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;

use super::Administrator;
use crate::app::audit::By;
use crate::app::caller::Caller;
use crate::app::key::ShownKey;
use crate::http::State;
use crate::http::web::fault::PageError;
use crate::http::web::frame::Frame;
use crate::http::web::page::{done, render_with};
use crate::http::web::submitted::Submitted;
use crate::http::web::view::View;

/// What is typed before all keys end.
const WORD: &str = "revoke";

#[derive(Template)]
#[template(path = "admin/keys.html")]
struct KeysPage {
    view: View,
    frame: Frame,
    keys: Vec<ShownKey>,
    word: &'static str,
}

/// Nothing but the form itself.
#[derive(Debug, Deserialize)]
pub(super) struct Nothing {}

/// What was typed.
#[derive(Debug, Deserialize)]
pub(super) struct Typed {
    #[serde(default)]
    typed: String,
    authority: Option<String>,
}

pub(super) async fn show(
    Shared(state): Shared<State>,
    Administrator { caller, view }: Administrator,
) -> Result<Response, PageError> {
    page(&state, &caller, view, (StatusCode::OK, String::new())).await
}

pub(super) async fn rotate(
    Shared(state): Shared<State>,
    Administrator { caller, view }: Administrator,
    Submitted(Nothing {}): Submitted<Nothing>,
) -> Result<Response, PageError> {
    state.app.rotate_keys(By::Caller(&caller)).await?;
    Ok(done(&view, "/admin/keys", "admin-done-rotated"))
}

pub(super) async fn revoke(
    Shared(state): Shared<State>,
    Administrator { caller, view }: Administrator,
    Submitted(typed): Submitted<Typed>,
) -> Result<Response, PageError> {
    if typed.typed.trim() != WORD {
        let text = view.ta("admin-keys-word-differs", &[("word", WORD)]);
        return page(&state, &caller, view, (StatusCode::BAD_REQUEST, text)).await;
    }
    state
        .app
        .revoke_keys(By::Caller(&caller), typed.authority.is_some())
        .await?;
    Ok(done(&view, "/admin/keys", "admin-done-keys-revoked"))
}

async fn page(
    state: &State,
    caller: &Caller,
    view: View,
    (status, problem): (StatusCode, String),
) -> Result<Response, PageError> {
    let page = KeysPage {
        keys: state.app.list_keys(By::Caller(caller)).await?,
        frame: Frame {
            problem,
            ..Frame::of("keys")
        },
        word: WORD,
        view,
    };
    Ok(render_with(status, &page))
}
