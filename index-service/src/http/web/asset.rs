//! The style and the script of pages. Their addresses change with their content, so that browsers keep them for good.

use std::io::Write as _;
use std::sync::LazyLock;

use axum::extract::{RawQuery, State as Shared};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, VARY};
use http::{HeaderMap, HeaderName, HeaderValue};

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

/// Style and script as they are sent: packed once. Pages are not, since what somebody asks for stands in them beside what
/// only they may know, and the length of both together would tell of it.
static PACKED_STYLE: LazyLock<Vec<u8>> = LazyLock::new(|| pack(STYLE));
static PACKED_SCRIPT: LazyLock<Vec<u8>> = LazyLock::new(|| pack(SCRIPT));

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

async fn style(RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let plain = asset("text/css; charset=utf-8", STYLE, query.is_some());
    packed(plain, &PACKED_STYLE, &headers)
}

async fn script(RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let plain = asset("text/javascript; charset=utf-8", SCRIPT, query.is_some());
    packed(plain, &PACKED_SCRIPT, &headers)
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

/// How much style and script weigh as browsers are sent them.
#[cfg(test)]
pub(super) fn weight() -> usize {
    PACKED_STYLE.len() + PACKED_SCRIPT.len()
}

/// Packed bytes; none if that fails, which memory alone could let it.
fn pack(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let written = encoder.write_all(text.as_bytes());
    written.and_then(|()| encoder.finish()).unwrap_or_default()
}

/// The same answer with the packed bytes, for whoever takes them.
fn packed(mut plain: Response, bytes: &'static [u8], asked: &HeaderMap) -> Response {
    let headers = plain.headers_mut();
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    if bytes.is_empty() || !takes_gzip(asked) {
        return plain;
    }
    headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    if let Ok(tag) = HeaderValue::try_from(tag_of(bytes)) {
        headers.insert(ETAG, tag);
    }
    let mut response = bytes.into_response();
    // The answer's own kind is that of any bytes.
    std::mem::swap(response.headers_mut(), plain.headers_mut());
    response
}

/// Whether `Accept-Encoding` names gzip, and not to refuse it (RFC 9110, section 12.5.3).
fn takes_gzip(headers: &HeaderMap) -> bool {
    let values = headers.get_all(ACCEPT_ENCODING).into_iter();
    let texts = values.filter_map(|value| value.to_str().ok());
    texts.flat_map(|text| text.split(',')).any(|range| {
        let (coding, weight) = range.split_once(';').unwrap_or((range, ""));
        let is_refused = weight
            .trim()
            .trim_start_matches("q=")
            .trim_end_matches(['0', '.'])
            .is_empty();
        coding.trim().eq_ignore_ascii_case("gzip") && (weight.is_empty() || !is_refused)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_is_smaller_and_sent_to_whoever_takes_it() {
        assert!(
            PACKED_STYLE.len() * 3 < STYLE.len(),
            "{} bytes",
            PACKED_STYLE.len()
        );
        for (accepted, takes) in [
            ("gzip, deflate, br", true),
            ("br;q=1.0, GZIP;q=0.8", true),
            ("gzip;q=0", false),
            ("gzip;q=0.000", false),
            ("br", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(accepted));
            assert_eq!(takes_gzip(&headers), takes, "{accepted}");
            let plain = asset("text/css; charset=utf-8", STYLE, true);
            let sent = packed(plain, &PACKED_STYLE, &headers);
            assert_eq!(sent.headers().contains_key(CONTENT_ENCODING), takes);
            assert_eq!(sent.headers()[VARY], "accept-encoding");
            assert_eq!(sent.headers()[CONTENT_TYPE], "text/css; charset=utf-8");
        }
        assert!(!takes_gzip(&HeaderMap::new()));
    }
}
