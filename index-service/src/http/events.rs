//! What the registry tells of pushes, pulls and deletes, in the envelopes of CNCF distribution.

use axum::body::{Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::AUTHORIZATION;
use serde_json::json;
use shared::secret::Secret;

use super::error::no_such_path;
use super::json::Json;
use crate::app::AppError;

/// Longest delivery, in bytes.
const LONGEST: usize = 16 << 20;

/// `POST /events/registry`. Who cannot show the secret is refused before the body is read.
pub(super) async fn receive(State(state): State<super::State>, request: Request) -> Response {
    let body = match read(&state, request).await {
        Ok(body) => body,
        Err(refused) => return refused,
    };
    match state.app.receive_events(&body).await {
        Ok(carried) => Json(
            json!({
                "done": carried.done,
                "known": carried.known,
                "pulls": carried.pulls,
                "ignored": carried.ignored,
            })
            .to_string(),
        )
        .into_response(),
        Err(error) => error.into_response(),
    }
}

/// `POST /events/quota`: whether the registry may store a manifest, where a quota is strict.
pub(super) async fn permit(State(state): State<super::State>, request: Request) -> Response {
    let body = match read(&state, request).await {
        Ok(body) => body,
        Err(refused) => return refused,
    };
    match state.app.permit_push(&body).await {
        Ok(refusal) => Json(json!({ "refusal": refusal }).to_string()).into_response(),
        Err(error) => error.into_response(),
    }
}

/// What the registry sends, after it has shown the secret.
async fn read(state: &super::State, request: Request) -> Result<Bytes, Response> {
    if !state.app.takes_events() {
        return Err(no_such_path().await.into_response());
    }
    let shown = request
        .headers()
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, secret)| Secret::new(secret.trim().to_owned()));
    if !shown.is_some_and(|shown| state.app.is_registry(&shown)) {
        let refused = AppError::Unauthenticated("this is for the registry, which shows its secret");
        return Err(refused.into_response());
    }
    let body = to_bytes(request.into_body(), LONGEST).await;
    body.map_err(|_| StatusCode::PAYLOAD_TOO_LARGE.into_response())
}
