//! `/v2/` (distribution-spec, end-1) and `/`.

use axum::response::Response;
use http::header::CACHE_CONTROL;
use http::{HeaderValue, StatusCode};

use super::answer;

/// This is a registry, and the token is good.
pub(super) fn base() -> Response {
    answer::full(StatusCode::OK, "application/json", &b"{}"[..])
}

/// Somebody is there.
pub(super) fn probe() -> Response {
    let mut response = answer::empty(StatusCode::OK);
    response
        .headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}
