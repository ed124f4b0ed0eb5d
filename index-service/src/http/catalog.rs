//! `GET /v2/_catalog` on the front door (distribution's extension): what the caller may see, page by page.

use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, LINK, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use shared::oci::{ErrorBody, ErrorCode, RepositoryName};
use shared::token::ChallengeError;

use super::error::Failure;
use super::json::Json;
use super::token::{authorization, basic};
use crate::app::caller::Client;
use crate::app::catalog::{CatalogPage, Reader};

/// Names on a page when the client does not say.
const DEFAULT_PAGE: u32 = 100;
/// Most names on a page; a larger wish gets this many.
const MAX_PAGE: u32 = 1000;
/// Longest `last` that is looked for: no name is longer.
const MAX_LAST_BYTES: usize = 255;

const API_VERSION: (HeaderName, HeaderValue) = (
    HeaderName::from_static("docker-distribution-api-version"),
    HeaderValue::from_static("registry/2.0"),
);

pub(super) async fn list(
    State(state): State<super::State>,
    RawQuery(query): RawQuery,
    client: Client,
    headers: HeaderMap,
) -> Response {
    let response = answer(&state, &query.unwrap_or_default(), &client, &headers).await;
    not_kept(response, API_VERSION)
}

/// The answer with a header of its protocol. What one caller sees is nobody else's to keep.
pub(super) fn not_kept(mut response: Response, (name, value): (HeaderName, HeaderValue)) -> Response {
    let headers = response.headers_mut();
    headers.insert(name, value);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn answer(state: &super::State, query: &str, client: &Client, headers: &HeaderMap) -> Response {
    let Some(wish) = Wish::parse(query) else {
        let body = ErrorBody::new(
            ErrorCode::PaginationNumberInvalid,
            "n is not a number of names from 0 on",
        );
        return (StatusCode::BAD_REQUEST, json(&body)).into_response();
    };
    let reader = match reader(headers) {
        Some(Ok(reader)) => reader,
        Some(Err(failure)) => return failure.into_response(),
        None => return challenge(state, None),
    };
    match state.app.list_catalog(&reader, client, &wish.last, wish.n).await {
        Ok(Some(page)) => wish.page(&page),
        Ok(None) => challenge(state, Some(ChallengeError::InvalidToken)),
        Err(error) => error.into_response(),
    }
}

/// What a request shows: a token, or a credential as scripts send it.
pub(super) fn reader(headers: &HeaderMap) -> Option<Result<Reader, Failure>> {
    let header = match authorization(headers) {
        Ok(header) => header?,
        Err(malformed) => return Some(Err(malformed.into())),
    };
    let token = header
        .to_str()
        .ok()
        .and_then(|text| text.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    Some(match token {
        Some((_, token)) => Ok(Reader::Token(token.trim().to_owned())),
        None => basic(header).map(Reader::Credential).map_err(Failure::from),
    })
}

fn challenge(state: &super::State, error: Option<ChallengeError>) -> Response {
    let body = ErrorBody::new(ErrorCode::Unauthorized, "authentication required");
    let mut response = (StatusCode::UNAUTHORIZED, json(&body)).into_response();
    if let Ok(challenge) = HeaderValue::from_str(&state.app.catalog_challenge(error)) {
        response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    }
    response
}

fn json(body: &ErrorBody) -> Json {
    Json(String::from_utf8(body.to_json()).unwrap_or_default())
}

/// Which page is wished for.
#[derive(Debug, PartialEq, Eq)]
struct Wish {
    n: u32,
    last: String,
}

impl Wish {
    /// `None` when `n` is no number.
    fn parse(query: &str) -> Option<Self> {
        let mut wish = Self {
            n: DEFAULT_PAGE,
            last: String::new(),
        };
        for (key, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*key {
                // However large: the page is no larger than we make it.
                "n" if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) => {
                    wish.n = value.parse().unwrap_or(MAX_PAGE).min(MAX_PAGE);
                }
                "n" => return None,
                "last" if value.len() <= MAX_LAST_BYTES => wish.last = value.into_owned(),
                // Behind a name that is too long comes what comes behind its beginning.
                "last" => wish.last = value.chars().take(MAX_LAST_BYTES / 4).collect(),
                _ => {}
            }
        }
        Some(wish)
    }

    fn page(&self, page: &CatalogPage) -> Response {
        let names: Vec<&str> = page.names.iter().map(RepositoryName::as_str).collect();
        let mut response = Json(serde_json::json!({ "repositories": names }).to_string()).into_response();
        if let (true, Some(last)) = (page.more, names.last()) {
            // The grammar of names leaves nothing to escape but the slash, which a query may hold.
            let link = format!("</v2/_catalog?last={last}&n={}>; rel=\"next\"", self.n);
            if let Ok(link) = HeaderValue::from_str(&link) {
                response.headers_mut().insert(LINK, link);
            }
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_size_is_clamped_and_never_a_text() {
        let n = |query: &str| Wish::parse(query).map(|wish| wish.n);
        assert_eq!(n(""), Some(DEFAULT_PAGE));
        assert_eq!(n("n=7&last=a%2Fb"), Some(7));
        for large in [
            "1001",
            "2147483648",
            "9223372036854775808",
            "99999999999999999999999",
        ] {
            assert_eq!(n(&format!("n={large}")), Some(MAX_PAGE), "{large}");
        }
        for wrong in ["n=-1", "n=x", "n=", "n=1.5", "n=+1", "n=0x10"] {
            assert_eq!(n(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn last_is_decoded_and_bounded() {
        let last = |query: &str| Wish::parse(query).unwrap().last;
        assert_eq!(last("last=a%2Fb"), "a/b");
        assert_eq!(last("last=a/b&n=1"), "a/b");
        assert!(last(&format!("last={}", "ä".repeat(1000))).len() <= MAX_LAST_BYTES);
    }
}
