//! Status, code and public text of every error.

use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use shared::causes::in_one_line;
use shared::oci::ErrorCode;

use super::json::Json;
use crate::app::AppError;

/// How long clients should wait when too much is asked at once, in seconds.
const RETRY_AFTER_S: u64 = 2;

/// Offered to whoever showed a wrong credential: command line tools ask for the password then. Clients of the token protocol
/// look at nothing but the body.
pub(super) const BASIC_CHALLENGE: HeaderValue =
    HeaderValue::from_static("Basic realm=\"portolan\", charset=\"UTF-8\"");

/// Said instead of what really happened; the log says that, under the request's id.
const INTERNAL: &str = "an internal fault; the log tells more under the id in X-Request-Id";

/// What the body and the status of an answer say.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) status: StatusCode,
    pub(super) code: ErrorCode,
    /// The code of RFC 6749, section 5.2, for clients that speak OAuth.
    pub(super) oauth: &'static str,
    pub(super) message: String,
    /// When to try again, in seconds from now.
    pub(super) wait_s: Option<u64>,
}

impl From<AppError> for Failure {
    fn from(error: AppError) -> Self {
        let (status, code, oauth) = match &error {
            AppError::Invalid(_) => (StatusCode::BAD_REQUEST, ErrorCode::Unsupported, "invalid_request"),
            AppError::Unauthenticated(_) => {
                (StatusCode::UNAUTHORIZED, ErrorCode::Unauthorized, "invalid_grant")
            }
            AppError::NotFound(_) => (StatusCode::NOT_FOUND, ErrorCode::NameUnknown, "invalid_request"),
            AppError::Forbidden(_) => (StatusCode::FORBIDDEN, ErrorCode::Denied, "access_denied"),
            AppError::Conflict(_) => (StatusCode::CONFLICT, ErrorCode::Denied, "invalid_request"),
            AppError::Braked { .. } => (
                StatusCode::TOO_MANY_REQUESTS,
                ErrorCode::TooManyRequests,
                "temporarily_unavailable",
            ),
            AppError::TooManyAttempts | AppError::Unavailable(_) => (
                StatusCode::SERVICE_UNAVAILABLE,
                ErrorCode::Unavailable,
                "temporarily_unavailable",
            ),
            AppError::Internal(_) => (
                StatusCode::INTERNAL_SERVER_ERROR,
                ErrorCode::Unknown,
                "server_error",
            ),
        };
        let message = match &error {
            AppError::Internal(_) => INTERNAL.to_owned(),
            AppError::Invalid(_)
            | AppError::Unauthenticated(_)
            | AppError::NotFound(_)
            | AppError::Forbidden(_)
            | AppError::Conflict(_)
            | AppError::TooManyAttempts
            | AppError::Braked { .. }
            | AppError::Unavailable(_) => error.to_string(),
        };
        if let AppError::Internal(cause) | AppError::Unavailable(cause) = &error {
            tracing::error!(error = %in_one_line(cause.as_ref()), "{error}");
        }
        let wait_s = match error {
            AppError::Braked { wait_s, .. } => Some(wait_s),
            AppError::TooManyAttempts | AppError::Unavailable(_) => Some(RETRY_AFTER_S),
            _ => None,
        };
        Self {
            status,
            code,
            oauth,
            message,
            wait_s,
        }
    }
}

impl IntoResponse for Failure {
    /// The body holds the same in the three forms that clients read: Docker's `details`, the registry's `errors`, and
    /// OAuth's `error` and `error_description`.
    fn into_response(self) -> Response {
        let body = serde_json::json!({
            "details": self.message,
            "errors": [{"code": self.code.as_str(), "message": self.message, "detail": null}],
            "error": self.oauth,
            "error_description": self.message,
        });
        let mut response = (self.status, Json(body.to_string())).into_response();
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, BASIC_CHALLENGE);
        }
        if let Some(wait_s) = self.wait_s {
            headers.insert(RETRY_AFTER, wait_s.into());
        }
        response
    }
}

impl IntoResponse for AppError {
    fn into_response(self) -> Response {
        Failure::from(self).into_response()
    }
}

pub(super) async fn no_such_path() -> Failure {
    Failure {
        status: StatusCode::NOT_FOUND,
        code: ErrorCode::Unsupported,
        oauth: "invalid_request",
        message: "there is nothing at this path".to_owned(),
        wait_s: None,
    }
}

pub(super) async fn method_not_allowed() -> Failure {
    Failure {
        status: StatusCode::METHOD_NOT_ALLOWED,
        code: ErrorCode::Unsupported,
        oauth: "invalid_request",
        message: "this path does not take this method".to_owned(),
        wait_s: None,
    }
}
