//! How a page becomes an answer: its headers, what caches may keep, and where a form goes on.

use askama::Template;
use axum::body::{Body, to_bytes};
use axum::response::{IntoResponse, Response};
use http::header::{
    CACHE_CONTROL, CONTENT_LANGUAGE, CONTENT_TYPE, ETAG, IF_NONE_MATCH, LOCATION, STRICT_TRANSPORT_SECURITY,
    VARY, X_CONTENT_TYPE_OPTIONS,
};
use http::request::Parts;
use http::{HeaderName, HeaderValue, StatusCode};
use sha2::{Digest as _, Sha256};

use super::cookie::is_https;
use super::fault::PageError;
use super::view::View;
use crate::http::State;

/// What a page may do in the browser: nothing that is not our own, in no frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
    form-action 'self'; frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'; trusted-types 'none'";
/// Largest page that is looked at as a whole, in bytes.
const MAX_PAGE_BYTES: usize = 8 * 1024 * 1024;

/// What every page says to the browser.
pub(super) fn headers() -> [(HeaderName, HeaderValue); 7] {
    let own = HeaderValue::from_static("same-origin");
    [
        (
            HeaderName::from_static("content-security-policy"),
            HeaderValue::from_static(POLICY),
        ),
        (
            HeaderName::from_static("x-content-type-options"),
            HeaderValue::from_static("nosniff"),
        ),
        (HeaderName::from_static("referrer-policy"), own.clone()),
        (HeaderName::from_static("cross-origin-opener-policy"), own.clone()),
        (HeaderName::from_static("cross-origin-resource-policy"), own),
        (
            HeaderName::from_static("permissions-policy"),
            HeaderValue::from_static(""),
        ),
        (CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
    ]
}

/// A page.
pub(in crate::http) fn render(template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => (headers(), html).into_response(),
        Err(error) => {
            tracing::error!(%error, "could not make a page");
            PageError::of_status(StatusCode::INTERNAL_SERVER_ERROR).into_response()
        }
    }
}

/// A page with another status than 200, such as a form that is shown again.
pub(in crate::http) fn render_with(status: StatusCode, template: &impl Template) -> Response {
    let mut response = render(template);
    if response.status() == StatusCode::OK {
        *response.status_mut() = status;
    }
    response
}

/// What follows a change: the page at a path of ours, which says once what was done. The key of what it says has `-done` in
/// it, since nothing else is said because an address wishes so.
pub(in crate::http) fn done(_view: &View, path: &str, key: &str) -> Response {
    let (path, fragment) = path.split_once('#').unwrap_or((path, ""));
    let sign = if path.contains('?') { '&' } else { '?' };
    let hash = if fragment.is_empty() { "" } else { "#" };
    see(&format!("{path}{sign}done={key}{hash}{fragment}"))
}

/// What follows a form: the page at a path of ours.
pub(in crate::http) fn see(path: &str) -> Response {
    let place = HeaderValue::try_from(path).unwrap_or(HeaderValue::from_static("/"));
    let mut response = StatusCode::SEE_OTHER.into_response();
    response.headers_mut().insert(LOCATION, place);
    response
}

/// A path of ours that an address or a form names as where to go on; the beginning for anything else.
pub(in crate::http) fn local(next: &str) -> &str {
    // Browsers take a backslash for a slash, and leave out tabs and line breaks.
    let is_local = next.starts_with('/')
        && !next.starts_with("//")
        && !next.contains('\\')
        && next.len() <= 2_000
        && next.bytes().all(|byte| (0x21..0x7f).contains(&byte));
    if is_local { next } else { "/" }
}

/// The last that is done to an answer of a page: what is somebody's own is kept by no cache; of the rest a browser asks
/// whether it changed.
pub(super) async fn finish(parts: &Parts, mut response: Response, is_own: bool, state: &State) -> Response {
    let headers = response.headers_mut();
    if is_https(state.app.public_url()) {
        headers.insert(
            STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static("max-age=31536000"),
        );
    }
    // What is no page is what it says it is as well.
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.append(VARY, HeaderValue::from_static("cookie, accept-language"));
    if headers.contains_key(CACHE_CONTROL) {
        return response;
    }
    if is_own {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        return response;
    }
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    let is_page = headers
        .get(CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"text/html"));
    if response.status() != StatusCode::OK || !is_page {
        return response;
    }
    let (mut head, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, MAX_PAGE_BYTES).await else {
        return PageError::of_status(StatusCode::INTERNAL_SERVER_ERROR).into_response();
    };
    let tag = tag_of(&bytes);
    head.headers.remove(CONTENT_LANGUAGE);
    let Ok(value) = HeaderValue::try_from(tag) else {
        return Response::from_parts(head, Body::from(bytes));
    };
    let is_known = parts
        .headers
        .get(IF_NONE_MATCH)
        .is_some_and(|known| known.as_bytes() == value.as_bytes());
    head.headers.insert(ETAG, value);
    if is_known {
        head.status = StatusCode::NOT_MODIFIED;
        return Response::from_parts(head, Body::empty());
    }
    Response::from_parts(head, Body::from(bytes))
}

/// The entity tag of a content.
pub(super) fn tag_of(content: &[u8]) -> String {
    format!("\"{}\"", version_of(content))
}

/// A short text that changes with the content.
pub(super) fn version_of(content: &[u8]) -> String {
    let digest = Sha256::digest(content);
    let mut text = String::with_capacity(16);
    for byte in digest.iter().take(8) {
        for half in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(half), 16).unwrap_or('0'));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_goes_on_at_paths_of_ours_alone() {
        for path in ["/", "/r/ada/web?tab=1#x", "/search?q=%E4%B8%AD"] {
            assert_eq!(local(path), path);
        }
        for elsewhere in [
            "",
            "//evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "https://evil.example",
            "javascript:alert(1)",
            "evil.example",
            "/\t/evil.example",
            "/a\r\nSet-Cookie: x=1",
            " /",
            "/中",
        ] {
            assert_eq!(local(elsewhere), "/", "{elsewhere}");
        }
    }
}
