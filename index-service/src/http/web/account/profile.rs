//! What one says about oneself, and how pages look.

use askama::Template;
use axum::extract::State as Shared;
use axum::response::Response;
use http::header::SET_COOKIE;
use http::{HeaderValue, StatusCode};
use serde::Deserialize;

use crate::app::AppError;
use crate::app::preference::{NewChoice, PreferenceChange};
use crate::app::profile::ProfileChange;
use crate::domain::{PageLanguage, Profile};
use crate::http::State;
use crate::http::web::cookie;
use crate::http::web::fault::PageError;
use crate::http::web::frame::{Frame, problem};
use crate::http::web::language::Language;
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
    language: String,
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
    /// The language of pages; empty to leave it to the browser.
    language: Option<String>,
}

pub(super) async fn show(
    Shared(state): Shared<State>,
    SignedIn { caller, view }: SignedIn,
) -> Result<Response, PageError> {
    let profile = state.app.profile(&caller, &caller.name()).await?.profile;
    Ok(render(&ProfilePage {
        view,
        frame: Frame::of("profile"),
        language: language_of(&profile),
        profile,
    }))
}

pub(super) async fn change(
    Shared(state): Shared<State>,
    SignedIn { caller, view }: SignedIn,
    Submitted(typed): Submitted<Typed>,
) -> Result<Response, PageError> {
    let before = state.app.profile(&caller, &caller.name()).await?.profile;
    let preferences = match PreferenceChange::read(typed.language.as_deref(), None) {
        Ok(preferences) => preferences,
        Err(error) => return again(view, typed, before, error),
    };
    let change = ProfileChange {
        full_name: Some(typed.full_name.clone()),
        // Browsers send lines apart as the text of a mail has them.
        biography: Some(typed.biography.replace("\r\n", "\n")),
        location: Some(typed.location.clone()),
        website: Some(typed.website.clone()),
        email: Some(typed.email.clone()),
        preferences,
        ..ProfileChange::default()
    };
    if let Err(error) = state.app.change_profile(&caller, &caller.name(), &change).await {
        return again(view, typed, before, error);
    }
    let mut response = done(&view, "/account", "account-done-saved");
    if let Some(value) = kept(preferences.language, &before, &view, state.app.public_url()) {
        response.headers_mut().append(SET_COOKIE, value);
    }
    Ok(response)
}

/// What this browser is told, so that another choice is seen at once and no former one of its own stands before it.
fn kept(
    chosen: NewChoice<PageLanguage>,
    before: &Profile,
    view: &View,
    public_url: &str,
) -> Option<HeaderValue> {
    match chosen {
        NewChoice::Is(language) if Language::of(language) != view.language => {
            cookie::keep_choice("language", language.as_str(), public_url)
        }
        NewChoice::Browsers if before.preferences.language.is_some() => {
            cookie::drop_choice("language", public_url)
        }
        _ => None,
    }
}

fn language_of(profile: &Profile) -> String {
    let language = profile.preferences.language.map(PageLanguage::as_str);
    language.unwrap_or_default().to_owned()
}

/// The form once more, with what was typed and what is wrong about it.
fn again(view: View, typed: Typed, known: Profile, error: AppError) -> Result<Response, PageError> {
    let (status, text) = problem(error, &view)?;
    let page = ProfilePage {
        frame: Frame {
            problem: text,
            ..Frame::of("profile")
        },
        language: typed.language.unwrap_or_else(|| language_of(&known)),
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
