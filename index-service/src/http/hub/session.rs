//! `POST /v2/users/login` and `POST /v2/auth/token`: a secret once, a token from then on.

use axum::extract::State as Shared;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, PRAGMA};
use http::{HeaderName, HeaderValue, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use shared::secret::Secret;

use super::body::Body;
use super::error::HubError;
use crate::app::caller::Client;
use crate::app::hub::SessionKind;
use crate::http::State;
use crate::http::json::Json;

/// Who signs in.
#[derive(Deserialize)]
pub(super) struct Login {
    username: String,
    password: String,
}

/// The same in newer words.
#[derive(Deserialize)]
pub(super) struct Identity {
    identifier: String,
    secret: String,
}

pub(super) async fn login(
    Shared(state): Shared<State>,
    client: Client,
    Body(login): Body<Login>,
) -> Result<Response, HubError> {
    let password = Secret::new(login.password);
    let session = state
        .app
        .open_hub_session(login.username, password, &client, SessionKind::Long)
        .await?;
    // There is nothing to refresh: whoever signed in can sign in again.
    let body = json!({"token": session.token.expose(), "refresh_token": ""});
    Ok(kept_nowhere(&body))
}

pub(super) async fn token(
    Shared(state): Shared<State>,
    client: Client,
    Body(identity): Body<Identity>,
) -> Result<Response, HubError> {
    let secret = Secret::new(identity.secret);
    let session = state
        .app
        .open_hub_session(identity.identifier, secret, &client, SessionKind::Short)
        .await?;
    let body = json!({
        "access_token": session.token.expose(),
        "token_type": "Bearer",
        "expires_in": session.lifetime_s,
    });
    Ok(kept_nowhere(&body))
}

/// Nobody is ever asked for a second factor here.
pub(super) async fn second_factor() -> HubError {
    HubError::new(
        StatusCode::UNAUTHORIZED,
        "this login was not asked for a second factor: sign in with a password or an access token",
    )
}

fn kept_nowhere(body: &Value) -> Response {
    let headers: [(HeaderName, HeaderValue); 2] = [
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (PRAGMA, HeaderValue::from_static("no-cache")),
    ];
    (headers, Json(body.to_string())).into_response()
}
