//! What one says about oneself, and how pages look.

use askama::Template;
use axum::extract::State as Shared;
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;

use crate::app::profile::ProfileChange;
use crate::domain::Profile;
use crate::http::State;
use crate::http::web::fault::PageError;
use crate::http::web::frame::{Frame, problem};
use crate::http::web::page::{done, render, render_with};
use crate::http::web::submitted::Submitted;
use crate::http::web::view::View;
use crate::http::web::visitor::SignedIn;

#[derive(Template)]
#[template(path = "account/profile.html")]
struct ProfilePage {
    view: View,
    frame: Frame,
    profile: Profile,
}

/// What was typed.
#[derive(Debug, Deserialize)]
pub(super) struct Typed {
    #[serde(default)]
    full_name: String,
    #[serde(default)]
    biography: String,
    #[serde(default)]
    location: String,
    #[serde(default)]
    website: String,
    #[serde(default)]
    email: String,
}

pub(super) async fn show(
    Shared(state): Shared<State>,
    SignedIn { caller, view }: SignedIn,
) -> Result<Response, PageError> {
    let profile = state.app.profile(&caller, &caller.name()).await?.profile;
    Ok(render(&ProfilePage {
        view,
        frame: Frame::of("profile"),
        profile,
    }))
}

pub(super) async fn change(
    Shared(state): Shared<State>,
    SignedIn { caller, view }: SignedIn,
    Submitted(typed): Submitted<Typed>,
) -> Result<Response, PageError> {
    let change = ProfileChange {
        full_name: Some(typed.full_name.clone()),
        // Browsers send lines apart as the text of a mail has them.
        biography: Some(typed.biography.replace("\r\n", "\n")),
        location: Some(typed.location.clone()),
        website: Some(typed.website.clone()),
        email: Some(typed.email.clone()),
        ..ProfileChange::default()
    };
    let Err(error) = state.app.change_profile(&caller, &caller.name(), &change).await else {
        return Ok(done(&view, "/account", "account-done-saved"));
    };
    let (status, text) = problem(error, &view)?;
    let known = state.app.profile(&caller, &caller.name()).await?.profile;
    let page = ProfilePage {
        frame: Frame {
            problem: text,
            ..Frame::of("profile")
        },
        profile: Profile {
            full_name: typed.full_name,
            biography: typed.biography,
            location: typed.location,
            website: typed.website,
            email: Some(typed.email),
            ..known
        },
        view,
    };
    Ok(render_with(status, &page))
}

#[derive(Template)]
#[template(path = "account/appearance.html")]
struct AppearancePage {
    view: View,
    frame: Frame,
}

pub(super) async fn appearance(SignedIn { view, .. }: SignedIn) -> Response {
    let page = AppearancePage {
        view,
        frame: Frame::of("appearance"),
    };
    render_with(StatusCode::OK, &page)
}
