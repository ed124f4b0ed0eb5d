//! What a reader chooses for every page: the language and the colours. The browser keeps it, and the account of whoever is
//! signed in.

use axum::extract::State as Shared;
use axum::response::Response;
use axum::routing::post;
use http::header::SET_COOKIE;
use serde::Deserialize;

use super::fault::PageError;
use super::language::Language;
use super::submitted::Submitted;
use super::view::Theme;
use super::visitor::Visitor;
use super::{cookie, page};
use crate::app::preference::PreferenceChange;
use crate::http::{State, named};

pub(in crate::http) fn routes() -> axum::Router<State> {
    axum::Router::new().route("/preferences", named("web.preferences", post(choose)))
}

/// A choice; what is absent stays as it was.
#[derive(Debug, Deserialize)]
struct Choice {
    language: Option<String>,
    theme: Option<String>,
    #[serde(default)]
    next: String,
}

async fn choose(
    Shared(state): Shared<State>,
    Visitor { caller, .. }: Visitor,
    Submitted(choice): Submitted<Choice>,
) -> Result<Response, PageError> {
    let mut response = page::see(page::local(&choice.next));
    let language = choice.language.as_deref().and_then(Language::find);
    let theme = choice.theme.as_deref().and_then(Theme::find);
    let chosen = [
        language.map(|language| ("language", language.tag())),
        theme.map(|theme| ("theme", theme.word())),
    ];
    for (name, word) in chosen.into_iter().flatten() {
        if let Some(value) = cookie::keep_choice(name, word, state.app.public_url()) {
            response.headers_mut().append(SET_COOKIE, value);
        }
    }
    if !caller.is_anonymous() {
        let change =
            PreferenceChange::read(language.map(Language::tag), theme.map(Theme::word)).unwrap_or_default();
        state.app.keep_preferences(&caller, change).await?;
    }
    Ok(response)
}
