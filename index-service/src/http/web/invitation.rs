//! The page behind an invitation's link. What stands behind `#` is read by the page's script alone, which shows it to the API
//! in the body of a request: it is in no address that a server or a log sees.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use http::header::{CACHE_CONTROL, VARY};

use super::{Policy, asset, host_of, page_headers, reads_chinese};
use crate::http::State as Parts;

const ENGLISH: &str = include_str!("invitation.en.html");
const CHINESE: &str = include_str!("invitation.zh.html");
const SCRIPT: &str = include_str!("invitation.js");

pub(in crate::http) async fn show(State(state): State<Parts>, headers: HeaderMap) -> Response {
    let page = if reads_chinese(&headers) { CHINESE } else { ENGLISH };
    let page = page.replace("{host}", &host_of(&state));
    let vary = [(VARY, "accept-language"), (CACHE_CONTROL, "public, max-age=300")];
    (page_headers(Policy::OwnScript), vary, page).into_response()
}

pub(in crate::http) async fn script() -> Response {
    asset("text/javascript; charset=utf-8", SCRIPT)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What stands between `before` and the next quotation mark, wherever `before` stands.
    fn all<'a>(text: &'a str, before: &str) -> Vec<&'a str> {
        text.split(before)
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
            .collect()
    }

    #[test]
    fn both_pages_have_what_the_script_looks_for() {
        for before in [
            "id=\"",
            "name=\"",
            "data-say=\"",
            "data-row=\"",
            "autocomplete=\"",
        ] {
            assert_eq!(all(ENGLISH, before), all(CHINESE, before), "{before}");
        }
        for page in [ENGLISH, CHINESE] {
            for id in all(SCRIPT, "at(\"") {
                assert!(all(page, "id=\"").contains(&id), "{id}");
            }
            for word in all(SCRIPT, "say(\"") {
                assert!(all(page, "data-say=\"").contains(&word), "{word}");
            }
            for row in all(SCRIPT, "row(\"") {
                assert!(all(page, "data-row=\"").contains(&row), "{row}");
            }
            // The policy would let neither work.
            assert!(!page.contains("style=") && !page.contains("<style"));
            assert_eq!(page.matches("<script").count(), 1);
        }
        assert!(!SCRIPT.contains("innerHTML"));
    }
}
