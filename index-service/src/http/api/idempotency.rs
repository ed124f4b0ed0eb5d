//! `Idempotency-Key` on requests that create something (draft-ietf-httpapi-idempotency-key-header): the second request with
//! a key gets the answer of the first.

use axum::body::{Body, to_bytes};
use axum::extract::{FromRequestParts as _, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Method, StatusCode};

use super::caller::Anyone;
use super::problem::Problem;
use crate::app::idempotency::{Claim, Turn};

const KEY: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
/// Longest key, in bytes.
const MAX_KEY: usize = 128;
/// The one request of nobody known that creates something; for the others a key says nothing.
const SIGN_UP: &str = "/api/v1/accounts";

/// In the extensions of a request of nobody known: what carries it out keeps the key and the answer.
#[derive(Debug, Clone)]
pub(super) struct Claimed(pub(super) Claim);

/// In the extensions of an answer that shows a secret once: it is not kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct ShowsSecret;

/// Lets each request with a key be carried out once.
pub(super) async fn once(State(state): State<super::State>, request: Request, next: Next) -> Response {
    let key = match key(&request) {
        Ok(Some(key)) => key,
        Ok(None) => return next.run(request).await,
        Err(problem) => return problem.into_response(),
    };
    match carry_out(&state, &key, request, next).await {
        Ok(response) => response,
        Err(problem) => problem.into_response(),
    }
}

fn key(request: &Request) -> Result<Option<String>, Problem> {
    let Some(value) = request
        .headers()
        .get(KEY)
        .filter(|_| request.method() == Method::POST)
    else {
        return Ok(None);
    };
    value
        .to_str()
        .ok()
        .filter(|key| !key.is_empty() && key.len() <= MAX_KEY)
        .map(|key| Some(key.to_owned()))
        .ok_or_else(|| {
            Problem::new(
                StatusCode::BAD_REQUEST,
                "an Idempotency-Key has 1 to 128 visible characters",
            )
        })
}

async fn carry_out(
    state: &super::State,
    key: &str,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let (mut parts, body) = request.into_parts();
    let Anyone(caller) = Anyone::from_request_parts(&mut parts, state).await?;
    if caller.is_anonymous() && parts.uri.path() != SIGN_UP {
        return Ok(next.run(Request::from_parts(parts, body)).await);
    }
    let body = to_bytes(body, crate::http::MAX_BODY_BYTES)
        .await
        .map_err(|_| Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "the body is too long"))?;
    let same = [
        parts.uri.path().as_bytes(),
        parts.uri.query().unwrap_or_default().as_bytes(),
        &body,
    ];
    let turn = match state.app.take_turn(&caller, key, &same).await? {
        Turn::First(turn) => turn,
        Turn::Before { status, body } => return Ok(replayed(status, body)),
    };
    if caller.is_anonymous() {
        parts.extensions.insert(Claimed(turn));
        return Ok(next.run(Request::from_parts(parts, Body::from(body))).await);
    }
    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    if !response.status().is_success() {
        state.app.give_turn_back(&turn).await?;
        return Ok(response);
    }
    let is_secret = response.extensions().get::<ShowsSecret>().is_some();
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let kept = std::str::from_utf8(&body).ok().filter(|_| !is_secret);
    state.app.keep_answer(&turn, parts.status.as_u16(), kept).await?;
    Ok(Response::from_parts(parts, Body::from(body)))
}

fn replayed(status: u16, body: Option<String>) -> Response {
    let Some(body) = body else {
        return Problem::new(
            StatusCode::CONFLICT,
            "this request was carried out before, and its answer held a secret that is shown once; list what it made, and end it if the \
             secret is lost",
        )
        .into_response();
    };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (REPLAYED, HeaderValue::from_static("true")),
    ];
    (status, headers, body).into_response()
}
