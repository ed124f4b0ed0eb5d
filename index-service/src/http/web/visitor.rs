//! Whoever looks at a page: known by the cookie of a session, or not.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use http::header::{ACCEPT, ACCEPT_LANGUAGE, REFERER};
use http::request::Parts;
use http::{HeaderMap, Uri};
use sha2::{Digest as _, Sha256};

use super::fault::PageError;
use super::language::Language;
use super::view::{Reader, Theme, View};
use super::{cookie, page};
use crate::app::caller::Caller;
use crate::app::token::Credential;
use crate::app::web_session::Visit;
use crate::http::State;
use crate::http::client::client;

/// Anyone.
pub(in crate::http) struct Visitor {
    /// On whose behalf use cases are asked for.
    pub(in crate::http) caller: Caller,
    /// How the page is shown.
    pub(in crate::http) view: View,
}

/// Whoever is signed in; others are sent to sign in first.
pub(in crate::http) struct SignedIn {
    /// On whose behalf use cases are asked for.
    pub(in crate::http) caller: Caller,
    /// How the page is shown.
    pub(in crate::http) view: View,
}

impl FromRequestParts<State> for View {
    type Rejection = Infallible;

    /// How a page is shown to nobody known.
    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Infallible> {
        Ok(view(state, &parts.uri, &parts.headers)
            .with_announcements(state)
            .await)
    }
}

impl FromRequestParts<State> for Visitor {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, PageError> {
        let mut view = view(state, &parts.uri, &parts.headers);
        let from = client(parts, state.app.trusted_proxies());
        if let Some(secret) = cookie::session(&parts.headers, state.app.public_url())
            && let Some(visit) = state.app.visit(secret, from.clone()).await?
        {
            let Visit {
                caller,
                preferences,
                unread,
            } = visit;
            view.reader = Some(Reader {
                username: caller.name(),
                is_admin: caller.is_admin(),
            });
            view.unread = unread;
            if let Some(language) = preferences.language
                && chosen_language(&parts.uri, &parts.headers).is_none()
            {
                view.language = Language::of(language);
            }
            if let Some(theme) = preferences.theme
                && chosen_theme(&parts.headers).is_none()
            {
                view.theme = Theme::of(theme);
            }
            let view = view.with_announcements(state).await;
            return Ok(Self { caller, view });
        }
        let caller = state.app.recognise(&Credential::Anonymous, from).await?;
        let view = view.with_announcements(state).await;
        Ok(Self { caller, view })
    }
}

impl FromRequestParts<State> for SignedIn {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, PageError> {
        let Visitor { caller, view } = Visitor::from_request_parts(parts, state).await?;
        if caller.is_anonymous() {
            // What was to be sent is lost, but the page it stood on is not.
            let next = if parts.method == http::Method::GET {
                view.path
            } else {
                "/".to_owned()
            };
            return Err(PageError::sign_in(&next));
        }
        Ok(Self { caller, view })
    }
}

/// Whoever is signed in and gave the password a short time ago; others are asked for it first. For pages and forms that may do
/// much harm in hands that found a browser open.
pub(in crate::http) struct Confirmed {
    /// On whose behalf use cases are asked for.
    pub(in crate::http) caller: Caller,
    /// How the page is shown.
    pub(in crate::http) view: View,
}

impl FromRequestParts<State> for Confirmed {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, PageError> {
        let signed_in = SignedIn::from_request_parts(parts, state).await?;
        Self::of(parts, state, signed_in).await
    }
}

impl Confirmed {
    /// The same of somebody of whom it is known who they are.
    pub(in crate::http::web) async fn of(
        parts: &Parts,
        state: &State,
        SignedIn { mut caller, view }: SignedIn,
    ) -> Result<Self, PageError> {
        // What tells a page how things go is asked for by the page, not by the reader.
        let is_watched = parts
            .headers
            .get(ACCEPT)
            .is_some_and(|accepted| accepted.as_bytes() == b"text/event-stream");
        if state.app.keep_confirmed(&mut caller, is_watched).await? {
            return Ok(Self { caller, view });
        }
        let is_read = matches!(parts.method, http::Method::GET | http::Method::HEAD);
        Err(if is_read && !is_watched {
            PageError::confirm(&view.path)
        } else {
            PageError::unconfirmed(&form_page(parts))
        })
    }
}

/// The page that a form stood on, as far as the browser says; the first of its area otherwise.
fn form_page(parts: &Parts) -> String {
    let area = if parts.uri.path().starts_with("/admin") {
        "/admin"
    } else {
        "/account"
    };
    let said = parts.headers.get(REFERER).and_then(|value| value.to_str().ok());
    let said = said.and_then(|text| text.parse::<Uri>().ok());
    let path = said.map(|uri| without(&uri, &["done", "lang"]));
    path.filter(|path| path.starts_with(area) && page::local(path) == path)
        .unwrap_or_else(|| area.to_owned())
}

/// What forms of a session show: a keyed hash of its secret, so that who does not know that cannot make it, and who sees a
/// page does not learn it.
pub(super) fn csrf(secret: &str) -> String {
    let digest = Sha256::new()
        .chain_update(b"portolan form\0")
        .chain_update(secret.as_bytes())
        .finalize();
    digest
        .iter()
        .take(16)
        .fold(String::with_capacity(32), |mut text, byte| {
            for half in [byte >> 4, byte & 15] {
                text.push(char::from_digit(u32::from(half), 16).unwrap_or('0'));
            }
            text
        })
}

/// A parameter of an address.
fn asked(uri: &Uri, name: &str) -> Option<String> {
    let query = uri.query().unwrap_or_default();
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}

/// The language that the address or this browser chose.
fn chosen_language(uri: &Uri, headers: &HeaderMap) -> Option<Language> {
    asked(uri, "lang")
        .and_then(|tag| Language::find(&tag))
        .or_else(|| cookie::find(headers, "language").and_then(Language::find))
}

/// The colours that this browser chose.
fn chosen_theme(headers: &HeaderMap) -> Option<Theme> {
    cookie::find(headers, "theme").and_then(Theme::find)
}

/// How a page is shown to whoever sent these, as long as nobody is known.
pub(super) fn view(state: &State, uri: &Uri, headers: &HeaderMap) -> View {
    let url = state.app.public_url();
    let language = chosen_language(uri, headers)
        .or_else(|| {
            let accepted = headers.get(ACCEPT_LANGUAGE)?.to_str().ok()?;
            Language::accepted(accepted)
        })
        .unwrap_or_default();
    let done = asked(uri, "done").filter(|key| key.contains("-done") && key.len() < 80 && language.has(key));
    View {
        language,
        theme: chosen_theme(headers).unwrap_or_default(),
        reader: None,
        // Of a session that is over, too: the form to sign in again stands on such a page.
        csrf: cookie::session(headers, url).map(csrf).unwrap_or_default(),
        host: url.split_once("://").map_or(url, |(_, host)| host).to_owned(),
        path: without(uri, &["done", "lang"]),
        now_ms: state.app.now_ms(),
        done,
        announced: Vec::new(),
        unread: 0,
        sought: String::new(),
    }
}

impl View {
    /// The same with what administrators tell everybody, which is looked up every few seconds alone.
    async fn with_announcements(mut self, state: &State) -> Self {
        let is_chinese = self.is_chinese();
        let announced = state.app.announcements().await.into_iter();
        self.announced = announced
            .map(|one| (one.is_warning, one.text_for(is_chinese).to_owned()))
            .collect();
        self
    }
}

/// The path of a page and its query without these parameters.
fn without(uri: &Uri, names: &[&str]) -> String {
    let path = uri.path();
    let kept: Vec<&str> = uri
        .query()
        .unwrap_or_default()
        .split('&')
        .filter(|pair| !pair.is_empty())
        .filter(|pair| !names.contains(&pair.split('=').next().unwrap_or_default()))
        .collect();
    if kept.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{}", kept.join("&"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forms_value_tells_nothing_of_the_secret_and_differs_for_each() {
        assert_eq!(csrf("a").len(), 32);
        assert_eq!(csrf("a"), csrf("a"));
        assert_ne!(csrf("a"), csrf("b"));
        assert!(!csrf("ptl_web_x").contains("ptl"));
    }

    #[test]
    fn a_form_that_came_too_late_leads_back_to_the_page_that_it_stood_on() {
        for (path, referer, page) in [
            (
                "/admin/keys/rotate",
                "http://h/admin/keys?done=a-done",
                "/admin/keys",
            ),
            (
                "/admin/storage",
                "https://h/admin/storage?namespace=ada",
                "/admin/storage?namespace=ada",
            ),
            ("/admin/storage", "", "/admin"),
            ("/admin/storage", "https://evil.example/r/a", "/admin"),
            ("/account/tokens", "/account/tokens", "/account/tokens"),
            ("/account/tokens", "\\", "/account"),
        ] {
            let request = http::Request::post(path).header("referer", referer);
            let (parts, ()) = request.body(()).unwrap().into_parts();
            assert_eq!(form_page(&parts), page, "{path} {referer}");
        }
    }

    #[test]
    fn a_pages_own_address_has_no_passing_parameters() {
        for (address, path) in [
            ("/search?q=a&lang=zh", "/search?q=a"),
            ("/?done=base-done-signed-out", "/"),
            ("/a%20b?x=1", "/a%20b?x=1"),
        ] {
            assert_eq!(without(&address.parse().unwrap(), &["done", "lang"]), path);
        }
    }
}
