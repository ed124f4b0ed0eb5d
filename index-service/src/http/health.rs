//! Whether the process lives, and whether it should get requests.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;

pub(super) async fn live() -> &'static str {
    "ok\n"
}

/// Red while the store does not answer and from the beginning of a shutdown.
pub(super) async fn ready(State(state): State<super::State>) -> Response {
    if !state.readiness.is_ready() {
        return (StatusCode::SERVICE_UNAVAILABLE, "shutting down\n").into_response();
    }
    match state.app.check().await {
        Ok(()) => "ok\n".into_response(),
        Err(error) => error.into_response(),
    }
}
