//! Bodies of requests: JSON, whatever the client calls it.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use http::StatusCode;
use serde::de::DeserializeOwned;

use super::error::HubError;
use crate::http::State;

/// A JSON object. What is not known in it is left aside, since clients send what Docker Hub knows.
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<State> for Body<T> {
    type Rejection = HubError;

    async fn from_request(request: Request, state: &State) -> Result<Self, HubError> {
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(|error| HubError::new(error.status(), error.body_text()))?;
        // PostgreSQL takes no text with a NUL; nothing of ours may hold one.
        if bytes.windows(6).any(|piece| piece == b"\\u0000") {
            return Err(HubError::invalid("a text holds no character NUL"));
        }
        serde_json::from_slice(&bytes).map(Self).map_err(|error| {
            HubError::new(
                StatusCode::BAD_REQUEST,
                format!("the body is not the JSON that is expected here: {error}"),
            )
        })
    }
}
