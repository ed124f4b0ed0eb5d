//! The web pages. Each area has its routes; what all of them share stands beside: the reader ([`visitor`]), how things are
//! shown to them ([`view`], [`language`], [`figure`]), forms ([`submitted`]), answers ([`page`], [`fault`]) and what the browser
//! keeps ([`cookie`], [`asset`]).

mod account;
mod admin;
mod asset;
mod cookie;
mod entry;
mod explain;
pub(in crate::http) mod fault;
mod figure;
pub(in crate::http) mod frame;
mod help;
mod home;
pub(in crate::http) mod language;
pub(in crate::http) mod live;
mod namespace;
mod organisation;
pub(in crate::http) mod page;
mod preference;
mod reference;
mod repository;
mod search;
mod settings;
mod short_name;
pub(in crate::http) mod submitted;
#[cfg(test)]
mod tests;
pub(in crate::http) mod view;
pub(in crate::http) mod visitor;
mod welcome;

use std::fmt::Write as _;

use axum::Router;
use axum::extract::{Request, State as Shared};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use http::header::ACCEPT;

use super::State;
use super::error::{method_not_allowed, no_such_path};
use fault::PageError;

/// Every page: one line for each area, in the order of the alphabet.
pub(super) fn router(state: &State) -> Router<State> {
    Router::new()
        .merge(account::routes())
        .merge(admin::routes())
        .merge(entry::routes())
        .merge(explain::routes())
        .merge(help::routes())
        .merge(home::routes())
        .merge(namespace::routes())
        .merge(organisation::routes())
        .merge(preference::routes())
        .merge(reference::routes())
        .merge(repository::routes())
        .merge(search::routes())
        .merge(settings::routes())
        .merge(welcome::routes())
        .layer(from_fn_with_state(state.clone(), fault::dress))
        .merge(asset::routes())
}

/// Whether pages are asked for, as browsers do.
pub(super) fn reads_pages(headers: &HeaderMap) -> bool {
    let accepted = headers.get(ACCEPT).and_then(|value| value.to_str().ok());
    accepted.is_some_and(|text| text.contains("text/html"))
}

/// There is nothing at a path: a page for people, JSON for programs.
pub(super) async fn nothing_here(Shared(state): Shared<State>, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    if !reads_pages(&parts.headers) {
        return no_such_path().await.into_response();
    }
    let answer = fault::shown(&state, &mut parts, &PageError::not_found()).await;
    page::finish(&parts, answer, true, &state).await
}

/// A path does not take a method: the same.
pub(super) async fn not_so(Shared(state): Shared<State>, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    if !reads_pages(&parts.headers) {
        return method_not_allowed().await.into_response();
    }
    let error = PageError::of_status(http::StatusCode::METHOD_NOT_ALLOWED);
    let answer = fault::shown(&state, &mut parts, &error).await;
    page::finish(&parts, answer, true, &state).await
}

/// A text as it stands in a path: percent-encoded, slashes as they are.
pub(in crate::http) fn in_path(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' | b':' | b'@' => {
                encoded.push(char::from(byte));
            }
            // Writing to a string cannot fail.
            _ => drop(write!(encoded, "%{byte:02X}")),
        }
    }
    encoded
}
