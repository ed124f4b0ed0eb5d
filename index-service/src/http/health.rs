//! Whether the process lives, and whether it should get requests.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use shared::runtime::serve::ReadyState;

pub(super) async fn live() -> &'static str {
    "ok\n"
}

/// Red while the store does not answer, while a part of the process cannot do its work, and from the beginning of a
/// shutdown. A process that can do a part of it (read-only storage) is green and says what is missing.
pub(super) async fn ready(State(state): State<super::State>) -> Response {
    let ready = state.readiness.state();
    if let ReadyState::Unready(why) = ready {
        return (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")).into_response();
    }
    match (state.app.check().await, ready) {
        (Ok(()), ReadyState::Limited(what)) => format!("{what}\n").into_response(),
        (Ok(()), _) => "ok\n".into_response(),
        (Err(error), _) => error.into_response(),
    }
}
