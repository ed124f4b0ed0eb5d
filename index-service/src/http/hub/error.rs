//! Errors as Docker Hub's clients read them: `detail` and `message`, both texts.

use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderName, HeaderValue, StatusCode};

use crate::app::AppError;
use crate::http::error::Failure;
use crate::http::json::Json;

/// Docker Hub's own word for `Retry-After`.
const X_RETRY_AFTER: HeaderName = HeaderName::from_static("x-retry-after");

/// Why a request was not carried out. Some clients read all values of the body as texts, so that nothing else is in it.
#[derive(Debug)]
pub(in crate::http) struct HubError {
    status: StatusCode,
    message: String,
    wait_s: Option<u64>,
}

impl HubError {
    pub(super) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            wait_s: None,
        }
    }

    /// What was sent is not as it must be.
    #[expect(clippy::needless_pass_by_value, reason = "what map_err calls")]
    pub(super) fn invalid<E: ToString>(error: E) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error.to_string())
    }
}

impl From<AppError> for HubError {
    fn from(error: AppError) -> Self {
        Failure::from(error).into()
    }
}

impl From<Failure> for HubError {
    fn from(failure: Failure) -> Self {
        Self {
            status: failure.status,
            message: failure.message,
            wait_s: failure.wait_s,
        }
    }
}

impl IntoResponse for HubError {
    fn into_response(self) -> Response {
        let body = serde_json::json!({"detail": self.message, "message": self.message});
        let mut response = (self.status, Json(body.to_string())).into_response();
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(wait_s) = self.wait_s {
            headers.insert(RETRY_AFTER, wait_s.into());
            headers.insert(X_RETRY_AFTER, wait_s.into());
        }
        response
    }
}

/// What the framework refuses it says in plain text: said again in this form.
pub(super) async fn bodies_of_the_framework(response: Response) -> Response {
    let is_plain = response
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"text/plain"));
    if !response.status().is_client_error() || !is_plain {
        return response;
    }
    let status = response.status();
    let text = axum::body::to_bytes(response.into_body(), 4096).await;
    let text = text.map(|body| String::from_utf8_lossy(&body).into_owned());
    HubError::new(status, text.unwrap_or_default()).into_response()
}

pub(super) async fn method_not_allowed() -> HubError {
    HubError::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "this path does not take this method",
    )
}
