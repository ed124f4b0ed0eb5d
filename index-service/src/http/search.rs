//! `GET /v1/_ping` and `GET /v1/search` on the front door: what `docker search HOST/TERM` and `podman search` ask.

use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::header::WWW_AUTHENTICATE;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::json;
use shared::oci::{ErrorBody, ErrorCode};
use shared::token::ChallengeError;

use super::catalog::{not_kept, reader};
use super::json::Json;
use crate::app::caller::Client;
use crate::app::search::SearchWish;
use crate::domain::search::is_official;

/// Results of a page when the client does not say.
const DEFAULT_PAGE: usize = 25;
/// Most results of a page.
const MAX_PAGE: usize = 100;

/// Without it, or with `true`, Docker's engine sends the password with every request.
const STANDALONE: (HeaderName, HeaderValue) = (
    HeaderName::from_static("x-docker-registry-standalone"),
    HeaderValue::from_static("false"),
);

/// Whether this is a registry.
pub(super) async fn ping() -> Response {
    ([STANDALONE], Json(json!({"standalone": false}).to_string())).into_response()
}

/// Repositories by their words. Docker shows a password, a token for `registry:catalog:search`, or nothing; podman nothing.
pub(super) async fn search(
    State(state): State<super::State>,
    RawQuery(query): RawQuery,
    client: Client,
    headers: HeaderMap,
) -> Response {
    let response = answer(&state, &query.unwrap_or_default(), &client, &headers).await;
    not_kept(response, STANDALONE)
}

async fn answer(state: &super::State, query: &str, client: &Client, headers: &HeaderMap) -> Response {
    let reader = match reader(headers).transpose() {
        Ok(reader) => reader,
        Err(failure) => return failure.into_response(),
    };
    let (wish, page) = wish(query);
    let found = match state.app.search_catalog(reader.as_ref(), client, &wish).await {
        Ok(Some(found)) => found,
        Ok(None) => return challenge(state),
        Err(error) => return error.into_response(),
    };
    let results: Vec<_> = found
        .hits
        .iter()
        .map(|hit| {
            json!({
                "name": hit.facts.name.as_str(),
                "description": hit.summary,
                "star_count": hit.star_count,
                "is_official": is_official(&hit.facts.name),
                "is_automated": false,
            })
        })
        .collect();
    let body = json!({
        "query": wish.query,
        "num_results": found.total,
        "num_pages": found.total.div_ceil(wish.limit),
        "page": page,
        "page_size": wish.limit,
        "results": results,
    });
    Json(body.to_string()).into_response()
}

fn challenge(state: &super::State) -> Response {
    let body = ErrorBody::new(ErrorCode::Unauthorized, "authentication required");
    let body = Json(String::from_utf8(body.to_json()).unwrap_or_default());
    let mut response = (StatusCode::UNAUTHORIZED, body).into_response();
    let challenge = state.app.catalog_challenge(Some(ChallengeError::InvalidToken));
    if let Ok(challenge) = HeaderValue::from_str(&challenge) {
        response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    }
    response
}

/// What is wished for, and the number of the page from 1 on. What makes no sense is as if it were not said.
fn wish(query: &str) -> (SearchWish, usize) {
    let mut wish = SearchWish {
        limit: DEFAULT_PAGE,
        ..SearchWish::default()
    };
    let mut page = 1;
    for (key, value) in form_urlencoded::parse(query.as_bytes()) {
        match &*key {
            "q" => wish.query = value.into_owned(),
            "n" => wish.limit = value.parse().unwrap_or(DEFAULT_PAGE).clamp(1, MAX_PAGE),
            "page" => page = value.parse().unwrap_or(1).clamp(1, 1_000_000),
            _ => {}
        }
    }
    wish.offset = (page - 1) * wish.limit;
    (wish, page)
}

#[cfg(test)]
mod tests;
