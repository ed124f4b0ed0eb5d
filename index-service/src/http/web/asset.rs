//! The style and the script of pages. Their addresses change with their content, so that browsers keep them for good.

use std::sync::LazyLock;

use axum::extract::{RawQuery, State as Shared};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG};
use http::{HeaderName, HeaderValue};

use super::page::{tag_of, version_of};
use crate::http::{State, named};

/// Styles of areas, joined into one.
macro_rules! styles {
    ($($name:literal),+ $(,)?) => {
        concat!($(include_str!(concat!("../../../assets/", $name, ".css")), "\n"),+)
    };
}

// `base` comes first: it defines what the others use. The rest in the order of the alphabet.
const STYLE: &str = styles! {
    "base",
    "account",
    "admin",
    "entry",
    "home",
    "repository",
    "settings",
    "welcome",
};
const SCRIPT: &str = include_str!("../../../assets/portolan.js");
const ICON: &str = include_str!("../../../assets/icon.svg");

static STYLE_ADDRESS: LazyLock<String> =
    LazyLock::new(|| format!("/static/portolan.css?v={}", version_of(STYLE.as_bytes())));
static SCRIPT_ADDRESS: LazyLock<String> =
    LazyLock::new(|| format!("/static/portolan.js?v={}", version_of(SCRIPT.as_bytes())));

/// The address of the style as it is now.
pub(super) fn style_address() -> &'static str {
    &STYLE_ADDRESS
}

/// The address of the script as it is now.
pub(super) fn script_address() -> &'static str {
    &SCRIPT_ADDRESS
}

pub(in crate::http) fn routes() -> axum::Router<State> {
    axum::Router::new()
        .route("/static/portolan.css", named("web.style", get(style)))
        .route("/static/portolan.js", named("web.script", get(script)))
        .route("/static/icon.svg", named("web.icon", get(icon)))
        .route("/favicon.ico", named("web.icon", get(icon)))
        .route("/robots.txt", named("web.robots", get(robots)))
}

async fn style(RawQuery(query): RawQuery) -> Response {
    asset("text/css; charset=utf-8", STYLE, query.is_some())
}

async fn script(RawQuery(query): RawQuery) -> Response {
    asset("text/javascript; charset=utf-8", SCRIPT, query.is_some())
}

async fn icon() -> Response {
    asset("image/svg+xml", ICON, false)
}

/// Machines that collect pages find public repositories, and leave alone what is made anew for each question.
async fn robots(Shared(_): Shared<State>) -> Response {
    let text = "User-agent: *\nDisallow: /search\nDisallow: /explain\nDisallow: /sign-in\nDisallow: /api/\nDisallow: /v2/\n";
    asset("text/plain; charset=utf-8", text, false)
}

/// A file that pages name; one that was named with its version never changes.
fn asset(content_type: &'static str, text: &'static str, is_versioned: bool) -> Response {
    let kept = if is_versioned {
        "public, max-age=31536000, immutable"
    } else {
        "public, max-age=3600"
    };
    let mut response = text.into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(kept));
    headers.insert(
        HeaderName::from_static("x-content-type-options"),
        HeaderValue::from_static("nosniff"),
    );
    headers.insert(
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    );
    if let Ok(tag) = HeaderValue::try_from(tag_of(text.as_bytes())) {
        headers.insert(ETAG, tag);
    }
    response
}
