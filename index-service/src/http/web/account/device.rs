//! Where one is signed in: browsers, and clients that keep a login.

use askama::Template;
use axum::extract::{Query, State as Shared};
use axum::response::Response;
use serde::Deserialize;

use crate::app::web_session::CLIENT_ID;
use crate::domain::{Device, DeviceId};
use crate::http::State;
use crate::http::web::fault::PageError;
use crate::http::web::frame::{Frame, PAGE, Paged, Place};
use crate::http::web::page::{done, render};
use crate::http::web::submitted::Submitted;
use crate::http::web::view::View;
use crate::http::web::visitor::SignedIn;

/// A device as its owner sees it.
struct Row {
    id: String,
    client: String,
    is_browser: bool,
    is_this: bool,
    address: String,
    created_at: i64,
    last_used_at: i64,
}

impl Row {
    fn new(device: Device, this: Option<DeviceId>) -> Self {
        let is_browser = device.client_id == CLIENT_ID;
        Self {
            id: device.device_id.to_string(),
            is_this: this == Some(device.device_id),
            client: match (is_browser, device.user_agent.is_empty()) {
                (true, _) => browser(&device.user_agent),
                (false, true) => device.client_id,
                (false, false) => device.user_agent,
            },
            is_browser,
            address: device.last_address.or(device.created_address).unwrap_or_default(),
            created_at: device.created_at,
            last_used_at: device.last_used_at,
        }
    }
}

/// What a browser calls itself, in two words as far as it can be told.
pub(super) fn browser(agent: &str) -> String {
    let find = |words: &[(&str, &'static str)]| {
        words
            .iter()
            .find(|(word, _)| agent.contains(word))
            .map(|(_, name)| *name)
    };
    let program = find(&[
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ]);
    let system = find(&[
        ("Android", "Android"),
        ("iPhone", "iOS"),
        ("iPad", "iPadOS"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("Linux", "Linux"),
    ]);
    match (program, system) {
        (Some(program), Some(system)) => format!("{program}, {system}"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => agent.to_owned(),
    }
}

#[derive(Template)]
#[template(path = "account/devices.html")]
struct DevicesPage {
    view: View,
    frame: Frame,
    devices: Paged<Row>,
}

/// Which device.
#[derive(Debug, Deserialize)]
pub(super) struct Which {
    id: i64,
}

/// Nothing but the form itself.
#[derive(Debug, Deserialize)]
pub(super) struct Nothing {}

pub(super) async fn show(
    Shared(state): Shared<State>,
    SignedIn { caller, view }: SignedIn,
    Query(place): Query<Place>,
) -> Result<Response, PageError> {
    let read = state
        .app
        .list_own_devices(&caller, place.after_id(), PAGE + 1)
        .await?;
    let this = caller.device_id();
    let rows = read.into_iter().map(|device| Row::new(device, this)).collect();
    Ok(render(&DevicesPage {
        view,
        frame: Frame::of("devices"),
        devices: Paged::new(&place, "/account/devices", rows, PAGE, |row| row.id.clone()),
    }))
}

pub(super) async fn end(
    Shared(state): Shared<State>,
    SignedIn { caller, view }: SignedIn,
    Submitted(which): Submitted<Which>,
) -> Result<Response, PageError> {
    let id = DeviceId::from_i64(which.id);
    let is_this = caller.device_id() == Some(id);
    state.app.end_own_device(&caller, id).await?;
    let path = if is_this { "/" } else { "/account/devices" };
    Ok(done(&view, path, "account-done-device"))
}

pub(super) async fn end_all(
    Shared(state): Shared<State>,
    SignedIn { caller, view }: SignedIn,
    Submitted(Nothing {}): Submitted<Nothing>,
) -> Result<Response, PageError> {
    state.app.end_own_devices(&caller).await?;
    Ok(done(&view, "/sign-in", "account-done-devices"))
}

#[cfg(test)]
mod tests {
    use super::browser;

    #[test]
    fn a_browser_is_told_by_two_words_and_anything_else_by_its_own() {
        for (agent, words) in [
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0 Safari/537.36",
                "Chrome, Linux",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 14.0) Gecko Firefox/133.0",
                "Firefox, macOS",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0) Chrome/131 Safari/537 Edg/131",
                "Edge, Windows",
            ),
            ("curl/8", "curl/8"),
            ("", ""),
        ] {
            assert_eq!(browser(agent), words);
        }
    }
}
