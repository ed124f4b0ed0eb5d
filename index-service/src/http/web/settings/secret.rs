//! A secret that is shown once, with the next command.

use askama::Template;
use axum::response::Response;
use http::HeaderValue;
use http::header::CACHE_CONTROL;
use shared::secret::Secret;

use super::place::{At, Place};
use crate::http::web::page::render;
use crate::http::web::view::View;

/// What a secret is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http::web) enum Of {
    /// A robot, or an access token of an organisation.
    Machine,
    /// A webhook.
    Webhook,
    /// An invitation: the secret is its link.
    Invitation,
}

impl Of {
    /// What is said about it.
    fn key(self) -> &'static str {
        match self {
            Self::Machine => "settings-secret-machine",
            Self::Webhook => "settings-secret-webhook",
            Self::Invitation => "settings-secret-invitation",
        }
    }
}

#[derive(Template)]
#[template(path = "settings/secret.html")]
struct ShownOnce {
    view: View,
    place: Place,
    /// Nothing is refused here.
    draft: super::fields::Draft,
    about: &'static str,
    secret: String,
    /// What to type next.
    command: Option<String>,
    /// Where one goes on.
    back: String,
}

/// The page that shows a secret, which nothing on the way may keep.
pub(in crate::http::web) fn show_once(
    at: At,
    of: Of,
    secret: &Secret<String>,
    username: Option<&str>,
    back: String,
) -> Response {
    let At { view, place, .. } = at;
    let command = username.map(|name| format!("docker login -u '{name}' {}", view.host));
    let page = ShownOnce {
        about: of.key(),
        secret: secret.expose().clone(),
        command,
        back,
        draft: super::fields::Draft::default(),
        view,
        place,
    };
    let mut response = render(&page);
    response
        .headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
