//! The published signing keys.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::CACHE_CONTROL;

use super::json::Json;

/// How long a registry may work with the keys before it looks again.
const CACHED: &str = "public, max-age=300";

pub(super) async fn jwks(State(state): State<super::State>) -> Response {
    ([(CACHE_CONTROL, CACHED)], Json(state.app.jwks())).into_response()
}
