//! Pages: what this is and what to type, where a password is set by a link, and where an invitation is taken.

pub(super) mod invitation;
pub(super) mod reset_password;
pub(super) mod short_name;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{ACCEPT_LANGUAGE, CACHE_CONTROL, CONTENT_TYPE, VARY};
use http::{HeaderMap, HeaderName, HeaderValue};

const STYLE: &str = include_str!("portolan.css");
const ENGLISH: &str = include_str!("home.en.html");
const CHINESE: &str = include_str!("home.zh.html");

/// What a page may do in the browser: nothing that is not our own, in no frame.
#[derive(Debug, Clone, Copy)]
enum Policy {
    /// No script at all.
    NoScript,
    /// Our own script, which asks our own API.
    OwnScript,
}

impl Policy {
    fn text(self) -> &'static str {
        match self {
            Self::NoScript => {
                "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; \
                 base-uri 'none'; require-trusted-types-for 'script'"
            }
            Self::OwnScript => {
                "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; \
                 form-action 'none'; frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'; \
                 trusted-types 'none'"
            }
        }
    }
}

/// What every page says to the browser.
fn page_headers(policy: Policy) -> [(HeaderName, HeaderValue); 7] {
    let own = HeaderValue::from_static("same-origin");
    [
        (
            HeaderName::from_static("content-security-policy"),
            HeaderValue::from_static(policy.text()),
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

pub(super) async fn home(State(state): State<super::State>, headers: HeaderMap) -> Response {
    let page = if reads_chinese(&headers) { CHINESE } else { ENGLISH };
    let page = page.replace("{host}", &host_of(&state));
    let vary = [(VARY, "accept-language"), (CACHE_CONTROL, "public, max-age=300")];
    (page_headers(Policy::NoScript), vary, page).into_response()
}

pub(super) async fn style() -> Response {
    asset("text/css; charset=utf-8", STYLE)
}

/// A file that pages name.
fn asset(content_type: &'static str, text: &'static str) -> Response {
    let headers = [
        (CONTENT_TYPE, content_type),
        (CACHE_CONTROL, "public, max-age=3600"),
        (HeaderName::from_static("x-content-type-options"), "nosniff"),
    ];
    (headers, text).into_response()
}

/// What clients log in to, as it stands in a page.
fn host_of(state: &super::State) -> String {
    let url = state.app.public_url();
    escaped(url.split_once("://").map_or(url, |(_, host)| host))
}

fn reads_chinese(headers: &HeaderMap) -> bool {
    let languages = headers
        .get(ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    prefers_chinese(languages)
}

/// Whether Chinese comes before English among the languages that the reader accepts (RFC 9110, section 12.5.4): by
/// weight, and among equals by place.
fn prefers_chinese(header: &str) -> bool {
    let mut best = (0.0_f32, false);
    for range in header.split(',') {
        let mut parts = range.trim().split(';');
        let tag = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
        let weight = parts
            .find_map(|part| part.trim().strip_prefix("q="))
            .map_or(1.0, |q| q.trim().parse::<f32>().unwrap_or(0.0));
        let is_chinese = match tag.split('-').next() {
            Some("zh") => true,
            Some("en") => false,
            _ => continue,
        };
        if weight > best.0 {
            best = (weight, is_chinese);
        }
    }
    best.1
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_is_the_readers_first_choice_of_the_two() {
        for (header, chinese) in [
            ("", false),
            ("de", false),
            ("zh", true),
            ("zh-CN,zh;q=0.9,en;q=0.8", true),
            ("en-US,en;q=0.9,zh-CN;q=0.8", false),
            ("en;q=0.5, ZH-Hans;q=0.7", true),
            ("zh;q=0", false),
            ("zh;q=x, en;q=0.1", false),
            ("fr, zh, en", true),
            (";;,,;q=", false),
        ] {
            assert_eq!(prefers_chinese(header), chinese, "{header}");
        }
    }

    #[test]
    fn both_pages_hold_the_same_elements() {
        let tags = |page: &str| -> Vec<String> {
            page.split('<')
                .skip(1)
                .filter_map(|rest| rest.split(['>', ' ']).next())
                .map(str::to_owned)
                .collect()
        };
        assert_eq!(tags(ENGLISH), tags(CHINESE));
        for page in [ENGLISH, CHINESE] {
            assert!(page.contains("docker login {host}"));
            assert!(!page.contains("<script") && !page.contains("style="));
        }
    }

    #[test]
    fn a_host_cannot_leave_its_place_in_the_page() {
        assert_eq!(escaped("<a&\"b>"), "&lt;a&amp;&quot;b&gt;");
    }
}
