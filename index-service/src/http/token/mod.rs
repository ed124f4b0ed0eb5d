//! The token endpoint (Docker token authentication specification, "Requesting a Token"; Docker's OAuth2 profile).

mod request;
mod response;

use axum::body::{Body, to_bytes};
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use shared::oci::ErrorCode;

use super::error::Failure;
use crate::app::caller::Client;
use crate::app::token::TokenRequest;

use request::Malformed;
pub(super) use request::{abridged, authorization, basic, from_form, from_query};
use response::{Form, answer};

/// Largest form that is read, in bytes.
const MAX_FORM_BYTES: usize = 16 * 1024;

pub(super) async fn get(
    State(state): State<super::State>,
    RawQuery(query): RawQuery,
    client: Client,
    headers: HeaderMap,
) -> Response {
    let query = query.unwrap_or_default();
    if shared::sabotage::breaks("log-secrets") {
        tracing::debug!(credential = ?headers.get("authorization"), "a proof's control");
    }
    let request = authorization(&headers).and_then(|header| from_query(&query, header, client));
    issue(&state, request, Form::Get).await
}

pub(super) async fn post(
    State(state): State<super::State>,
    client: Client,
    headers: HeaderMap,
    body: Body,
) -> Response {
    if !is_form(&headers) {
        return Failure::from(Malformed::not_a_form()).into_response();
    }
    let Ok(body) = to_bytes(body, MAX_FORM_BYTES).await else {
        return Failure {
            status: StatusCode::PAYLOAD_TOO_LARGE,
            ..Malformed::not_a_form().into()
        }
        .into_response();
    };
    let request = from_form(&body, client);
    issue(&state, request, Form::Post).await
}

async fn issue(state: &super::State, request: Result<TokenRequest, Malformed>, form: Form) -> Response {
    let request = match request {
        Ok(request) => request,
        Err(malformed) => return Failure::from(malformed).into_response(),
    };
    match state.app.issue_token(request).await {
        Ok(issued) => answer(&issued, form),
        Err(error) => error.into_response(),
    }
}

/// A missing media type is taken for a form; parameters such as `charset` are ignored.
fn is_form(headers: &HeaderMap) -> bool {
    let Some(media_type) = headers.get(CONTENT_TYPE) else {
        return true;
    };
    media_type.to_str().is_ok_and(|text| {
        let essence = text.split(';').next().unwrap_or_default();
        essence
            .trim()
            .eq_ignore_ascii_case("application/x-www-form-urlencoded")
    })
}

impl From<Malformed> for Failure {
    fn from(malformed: Malformed) -> Self {
        let (status, code) = if malformed.credential {
            (StatusCode::UNAUTHORIZED, ErrorCode::Unauthorized)
        } else {
            (StatusCode::BAD_REQUEST, ErrorCode::Unsupported)
        };
        Self {
            status,
            code,
            oauth: malformed.code,
            message: malformed.message.to_owned(),
            wait_s: None,
        }
    }
}

#[cfg(test)]
mod tests;
