//! The cookies of pages: the session, the language and the colours.

use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};

/// How long a choice of language or colours is kept, in seconds: a year.
const CHOICE_S: i64 = 365 * 86_400;

/// The cookie of a session. Over TLS its name has a prefix by which browsers take it from this host alone, for all of it.
fn session_name(is_https: bool) -> &'static str {
    if is_https { "__Host-session" } else { "session" }
}

/// Whether a public URL is one of TLS.
pub(super) fn is_https(public_url: &str) -> bool {
    public_url.starts_with("https://")
}

/// The value of a cookie.
pub(super) fn find<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value)
}

/// The secret of a session, if the browser sent one.
pub(in crate::http) fn session<'a>(headers: &'a HeaderMap, public_url: &str) -> Option<&'a str> {
    find(headers, session_name(is_https(public_url))).filter(|value| !value.is_empty())
}

/// Keeps a session's secret in the browser: for so many seconds, or until it is closed.
pub(super) fn keep_session(secret: &str, kept_s: Option<i64>, public_url: &str) -> Option<HeaderValue> {
    let is_https = is_https(public_url);
    let secure = if is_https { "; Secure" } else { "" };
    let age = kept_s.map_or(String::new(), |seconds| format!("; Max-Age={seconds}"));
    let name = session_name(is_https);
    let mut value = HeaderValue::try_from(format!(
        "{name}={secret}; Path=/; HttpOnly; SameSite=Lax{secure}{age}"
    ))
    .ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Has the browser forget the session.
pub(super) fn drop_session(public_url: &str) -> Option<HeaderValue> {
    keep_session("", Some(0), public_url)
}

/// Keeps a choice: a word of ours.
pub(super) fn keep_choice(name: &str, word: &str, public_url: &str) -> Option<HeaderValue> {
    let secure = if is_https(public_url) { "; Secure" } else { "" };
    HeaderValue::try_from(format!(
        "{name}={word}; Path=/; SameSite=Lax; Max-Age={CHOICE_S}{secure}"
    ))
    .ok()
}

/// Has the browser forget a choice.
pub(super) fn drop_choice(name: &str, public_url: &str) -> Option<HeaderValue> {
    let secure = if is_https(public_url) { "; Secure" } else { "" };
    HeaderValue::try_from(format!("{name}=; Path=/; SameSite=Lax; Max-Age=0{secure}")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, HeaderValue::from_static("a=1; session=ptl; theme=dark"));
        headers.append(COOKIE, HeaderValue::from_static("language=zh-CN"));
        assert_eq!(find(&headers, "theme"), Some("dark"));
        assert_eq!(find(&headers, "language"), Some("zh-CN"));
        assert_eq!(session(&headers, "http://localhost:5000"), Some("ptl"));
        assert_eq!(session(&headers, "https://localhost:5000"), None);
        assert_eq!(find(&headers, "them"), None);
    }

    #[test]
    fn a_session_is_kept_from_scripts_other_sites_and_plain_http() {
        let text = |value: Option<HeaderValue>| value.unwrap().to_str().unwrap().to_owned();
        assert_eq!(
            text(keep_session("x", Some(60), "https://hub.example")),
            "__Host-session=x; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=60"
        );
        assert_eq!(
            text(keep_session("x", None, "http://localhost:5000")),
            "session=x; Path=/; HttpOnly; SameSite=Lax"
        );
        assert!(text(drop_session("https://hub.example")).ends_with("Max-Age=0"));
        assert!(keep_session("x", None, "https://h").unwrap().is_sensitive());
        assert_eq!(keep_session("x\r\ny", None, "https://h"), None);
    }
}
