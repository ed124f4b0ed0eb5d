//! What pages say when something is refused or fails: in the reader's language, with what to do next.

use askama::Template;
use axum::extract::{Request, State as Shared};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, LOCATION, RETRY_AFTER, SET_COOKIE};
use http::{HeaderValue, Method, StatusCode};
use shared::runtime::serve::{RequestId, RouteName};

use super::language::Language;
use super::view::View;
use super::visitor::Visitor;
use super::{cookie, page};
use crate::app::AppError;
use crate::http::State;
use crate::http::error::Failure;

/// English sentences with something in them: what stands before and behind it, and the key of the translation.
const LIKE: &[(&str, &str, &str)] = &[
    ("the name ", " is taken", "refusal-like-taken"),
    ("there is no account ", "", "refusal-like-no-account"),
    ("there is no organisation ", "", "refusal-like-no-organisation"),
    ("there is no namespace ", "", "refusal-like-no-namespace"),
    ("there is no repository ", "", "refusal-like-no-repository"),
    ("there is no robot ", "", "refusal-like-no-robot"),
    ("the organisation has a team ", " already", "refusal-like-team"),
    (
        "the tag ",
        " points elsewhere by now: look again",
        "refusal-like-moved",
    ),
    ("this password is too easy to guess: ", "", "refusal-like-easy"),
];

/// Why a page was not made.
#[derive(Debug, Clone)]
pub(in crate::http) struct PageError {
    /// The status.
    pub(in crate::http) status: StatusCode,
    /// What happened, in English, as the API says it.
    message: String,
    /// When to try again, in seconds from now.
    wait_s: Option<u64>,
    /// Where the reader is to sign in first, or to give the password again.
    sign_in: Option<String>,
    /// Where the password is given again, after which the same may be tried once more.
    confirm: Option<String>,
}

impl PageError {
    /// Nothing to be seen here, whether it does not exist or is not the reader's to see.
    pub(in crate::http) fn not_found() -> Self {
        Self::of_status(StatusCode::NOT_FOUND)
    }

    /// What a status alone says.
    pub(in crate::http) fn of_status(status: StatusCode) -> Self {
        Self {
            status,
            message: String::new(),
            wait_s: None,
            sign_in: None,
            confirm: None,
        }
    }

    /// The reader signs in first, and comes back to this path.
    pub(in crate::http) fn sign_in(next: &str) -> Self {
        let next: String = form_urlencoded::byte_serialize(next.as_bytes()).collect();
        Self {
            sign_in: Some(format!("/sign-in?next={next}")),
            ..Self::of_status(StatusCode::SEE_OTHER)
        }
    }

    /// The reader gives the password again first, and comes back to this path.
    pub(in crate::http) fn confirm(next: &str) -> Self {
        Self {
            sign_in: Some(confirm_address(next)),
            ..Self::of_status(StatusCode::SEE_OTHER)
        }
    }

    /// Nothing was done: the password was given too long ago. It is given again on the way to this path.
    pub(in crate::http) fn unconfirmed(next: &str) -> Self {
        Self {
            confirm: Some(confirm_address(next)),
            ..Self::of_status(StatusCode::FORBIDDEN)
        }
    }

    /// Whether a form may be shown again with what was wrong about it.
    pub(in crate::http) fn is_refusal(&self) -> bool {
        self.status.is_client_error()
    }

    /// What happened, as a sentence in the reader's language.
    pub(in crate::http) fn text(&self, view: &View) -> String {
        let key = key_of(&self.message);
        if !self.message.is_empty() && view.language.has(&key) {
            return view.t(&key);
        }
        for (before, behind, key) in LIKE {
            let inner = self
                .message
                .strip_prefix(before)
                .and_then(|rest| rest.strip_suffix(behind));
            if let Some(inner) = inner.filter(|inner| !inner.contains(' ') || behind.is_empty()) {
                return view.ta(key, &[("x", inner)]);
            }
        }
        let kind = self.kind();
        let common = view.t(&format!("refusal-{kind}-text"));
        match (self.message.is_empty(), view.language) {
            (true, _) => common,
            (false, Language::English) => sentence(&self.message),
            (false, Language::Chinese) => format!("{common}（{}）", self.message),
        }
    }

    /// What kind of refusal it is: part of the keys of its texts.
    fn kind(&self) -> &'static str {
        match self.status {
            _ if self.confirm.is_some() => "unconfirmed",
            StatusCode::UNAUTHORIZED => "unauthenticated",
            StatusCode::FORBIDDEN => "forbidden",
            StatusCode::NOT_FOUND | StatusCode::GONE => "missing",
            StatusCode::CONFLICT => "conflict",
            StatusCode::METHOD_NOT_ALLOWED => "method",
            StatusCode::PAYLOAD_TOO_LARGE => "large",
            StatusCode::TOO_MANY_REQUESTS => "braked",
            StatusCode::SERVICE_UNAVAILABLE => "away",
            status if status.is_client_error() => "invalid",
            _ => "internal",
        }
    }
}

/// Where the password is given again, to go on at a path.
fn confirm_address(next: &str) -> String {
    let next: String = form_urlencoded::byte_serialize(next.as_bytes()).collect();
    format!("/confirm?next={next}")
}

/// The key of the translation of an English sentence: its words.
fn key_of(message: &str) -> String {
    let mut key = String::from("refusal-said");
    let words = message.split(|letter: char| !letter.is_ascii_alphanumeric());
    for word in words.filter(|word| !word.is_empty()) {
        key.push('-');
        key.push_str(&word.to_ascii_lowercase());
    }
    key
}

/// A text of the API as a sentence.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string());
    let rest = letters.as_str();
    let end = if text.ends_with(['.', '!', '?', '…']) {
        ""
    } else {
        "."
    };
    format!("{}{rest}{end}", first.unwrap_or_default())
}

impl From<AppError> for PageError {
    fn from(error: AppError) -> Self {
        Failure::from(error).into()
    }
}

impl From<Failure> for PageError {
    fn from(failure: Failure) -> Self {
        Self {
            // What an internal fault says is meant for programs: it names a header.
            message: match failure.status {
                StatusCode::INTERNAL_SERVER_ERROR | StatusCode::SERVICE_UNAVAILABLE => String::new(),
                _ => failure.message,
            },
            wait_s: failure.wait_s,
            ..Self::of_status(failure.status)
        }
    }
}

impl IntoResponse for PageError {
    /// The status with the error itself beside it: [`dress`] makes the page, since it knows the reader.
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        let headers = response.headers_mut();
        if let Some(wait_s) = self.wait_s {
            headers.insert(RETRY_AFTER, wait_s.into());
        }
        if let Some(place) = self
            .sign_in
            .as_deref()
            .and_then(|place| HeaderValue::try_from(place).ok())
        {
            headers.insert(LOCATION, place);
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
            return response;
        }
        response.extensions_mut().insert(self);
        response
    }
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage {
    view: View,
    status: u16,
    title: String,
    text: String,
    advice: String,
    wait_s: Option<u64>,
    request_id: String,
    is_missing: bool,
    confirm: String,
}

/// The page of an error.
fn error_page(view: View, error: &PageError, request_id: String) -> Response {
    let kind = error.kind();
    let template = ErrorPage {
        status: error.status.as_u16(),
        title: view.t(&format!("refusal-{kind}-title")),
        text: error.text(&view),
        advice: view.t(&format!("refusal-{kind}-advice")),
        wait_s: error.wait_s,
        request_id: if error.status.is_server_error() {
            request_id
        } else {
            String::new()
        },
        is_missing: matches!(error.status, StatusCode::NOT_FOUND | StatusCode::FORBIDDEN),
        confirm: error.confirm.clone().unwrap_or_default(),
        view,
    };
    let mut response = page::render(&template);
    *response.status_mut() = error.status;
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(wait_s) = error.wait_s {
        headers.insert(RETRY_AFTER, wait_s.into());
    }
    response
}

/// The page of an error for whoever sent a request, of which this is left.
pub(super) async fn shown(state: &State, parts: &mut http::request::Parts, error: &PageError) -> Response {
    use axum::extract::FromRequestParts as _;
    let view = match Visitor::from_request_parts(parts, state).await {
        Ok(visitor) => visitor.view,
        Err(_) => super::visitor::view(state, &parts.uri, &parts.headers),
    };
    let request_id = parts
        .extensions
        .get::<RequestId>()
        .map(ToString::to_string)
        .unwrap_or_default();
    error_page(view, error, request_id)
}

/// Around every page: errors become pages, the language of a link is kept, and what is whose is cached by nobody else.
pub(super) async fn dress(Shared(state): Shared<State>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let request = Request::from_parts(parts.clone(), body);
    let mut response = next.run(request).await;
    if let Some(error) = refused(&response) {
        let route = response.extensions().get::<RouteName>().copied();
        response = shown(&state, &mut parts, &error).await;
        if let Some(route) = route {
            response.extensions_mut().insert(route);
        }
    }
    let chosen = parts.uri.query().and_then(|query| {
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        let (_, tag) = pairs.find(|(key, _)| key == "lang")?;
        Language::find(&tag)
    });
    if let Some(language) = chosen
        && let Some(value) = cookie::keep_choice("language", language.tag(), state.app.public_url())
    {
        response.headers_mut().append(SET_COOKIE, value);
    }
    let is_own = cookie::session(&parts.headers, state.app.public_url()).is_some();
    page::finish(&parts, response, is_own || parts.method != Method::GET, &state).await
}

/// The error that an answer stands for: one of ours, or one of the framework's, which says it in plain text.
fn refused(response: &Response) -> Option<PageError> {
    if let Some(error) = response.extensions().get::<PageError>() {
        return Some(error.clone());
    }
    let status = response.status();
    let is_bare = response
        .headers()
        .get(CONTENT_TYPE)
        .is_none_or(|value| value.as_bytes().starts_with(b"text/plain"));
    (is_bare && (status.is_client_error() || status.is_server_error())).then(|| PageError::of_status(status))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_the_api_becomes_a_sentence_and_a_key() {
        assert_eq!(sentence("the name is taken"), "The name is taken.");
        assert_eq!(sentence("Really?"), "Really?");
        assert_eq!(sentence(""), ".");
        assert_eq!(
            key_of("incorrect user name, password or token"),
            "refusal-said-incorrect-user-name-password-or-token"
        );
    }
}
