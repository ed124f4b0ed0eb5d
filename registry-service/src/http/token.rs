//! `/v2/_portolan/token`: tokens of the registry's own (Docker token authentication specification, "Requesting a token").

use axum::response::Response;
use http::header::CACHE_CONTROL;
use http::{HeaderValue, StatusCode};
use serde::Serialize;

use super::answer;
use super::dispatch::{Asked, caller};
use super::error::Error;
use crate::endpoint::InvalidRequest;

#[derive(Serialize)]
struct Answer<'a> {
    token: &'a str,
    access_token: &'a str,
    expires_in: i64,
}

/// `GET`: for the account whose name and password are shown, or for nobody.
pub(super) async fn issue(asked: &Asked<'_>) -> Result<Response, Error> {
    let now_s = asked.service.clock.now_s();
    let authenticator = &asked.service.authenticator;
    let issued = authenticator.issue(&caller(&asked.parts), now_s).await?;
    let issued = issued.ok_or(InvalidRequest::Path)?;
    let body = answer::json(&Answer {
        token: &issued.token,
        access_token: &issued.token,
        expires_in: issued.expires_in_s,
    });
    let mut response = answer::full(StatusCode::OK, "application/json", body);
    response
        .headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}
