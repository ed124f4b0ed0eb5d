//! The shape of an issued token.

use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, PRAGMA};
use serde::Serialize;
use time::format_description::well_known::Rfc3339;

use crate::app::token::IssuedToken;
use crate::http::json::Json;

/// Which form of the request is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Get,
    Post,
}

#[derive(Serialize)]
struct Body<'a> {
    /// For older clients.
    token: &'a str,
    /// The same; required by OAuth.
    access_token: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_type: Option<&'static str>,
    /// Always there: containerd keeps a token without it for ever.
    expires_in: i64,
    /// RFC 3339 in UTC: Go clients fail over anything else.
    issued_at: String,
    /// What was granted, separated by spaces.
    scope: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'a str>,
}

pub(super) fn answer(issued: &IssuedToken, form: Form) -> Response {
    let scopes: Vec<String> = issued.granted.iter().map(ToString::to_string).collect();
    let body = Body {
        token: &issued.token,
        access_token: &issued.token,
        token_type: (form == Form::Post).then_some("Bearer"),
        expires_in: issued.lifetime_s,
        issued_at: issued.issued_at.format(&Rfc3339).unwrap_or_default(),
        scope: scopes.join(" "),
        refresh_token: issued
            .refresh_token
            .as_ref()
            .map(|secret| secret.expose().as_str()),
    };
    let body = serde_json::to_string(&body).unwrap_or_default();
    ([(CACHE_CONTROL, "no-store"), (PRAGMA, "no-cache")], Json(body)).into_response()
}
