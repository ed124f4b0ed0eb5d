//! `/api/v1/access-tokens`: personal access tokens of whoever asks.

use crate::http::api::described::{ApiRouter, routes};
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::caller::SignedIn;
use super::credential::{
    LastUseView, LimitBody, RefusedView, Rotation, SecretView, WithSecret, ceiling, label, limits, networks,
    shown_once,
};
use super::page::{Page, Wish};
use super::problem::Problem;
use crate::app::access_token::{AccessTokenDetails, AccessTokenWish, DEFAULT_LIFE_DAYS};
use crate::app::audit::rfc3339;
use crate::domain::{Ended, SecretId, TokenId};

pub(super) fn routes() -> ApiRouter {
    ApiRouter::new()
        .routes(routes!(create, list))
        .routes(routes!(show, change, revoke))
        .routes(routes!(rotate))
        .routes(routes!(end_secret))
}

/// A new access token.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewToken {
    /// What it is called, 1 to 100 characters.
    label: String,
    /// What it may reach at most, 1 to 50 limits; it never reaches more than its owner.
    limits: Vec<LimitBody>,
    /// The addresses that it may be used from, at most 20 such as `10.0.0.0/8`; everywhere when there are none.
    #[serde(default)]
    networks: Vec<String>,
    /// How long it is valid, 1 to 365 days. Default: 90.
    #[serde(default = "default_life")]
    #[schema(minimum = 1, maximum = 365)]
    expires_in_days: u16,
}

fn default_life() -> u16 {
    DEFAULT_LIFE_DAYS
}

/// What is to be different.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AccessTokenChange)]
struct Change {
    /// What it is called, 1 to 100 characters.
    label: Option<String>,
}

/// An access token.
#[derive(Debug, Serialize, ToSchema)]
struct Token {
    /// Its id.
    id: String,
    /// What its owner calls it.
    label: String,
    /// What it may reach at most.
    limits: Vec<LimitBody>,
    /// The addresses that it may be used from; everywhere when there are none.
    networks: Vec<String>,
    /// When it was made (RFC 3339).
    created_at: String,
    /// When it ends (RFC 3339).
    expires_at: Option<String>,
    /// When it was revoked (RFC 3339).
    revoked_at: Option<String>,
    /// Why it was revoked: `revoked` by its owner, or `leaked`.
    revoked: Option<&'static str>,
    /// Its last use.
    last_use: Option<LastUseView>,
    /// Uses that were refused.
    refused_since: Option<RefusedView>,
    /// Its secrets, the newest first; at most two live at once.
    secrets: Vec<SecretView>,
}

impl From<AccessTokenDetails> for Token {
    fn from(details: AccessTokenDetails) -> Self {
        let token = details.token;
        Self {
            id: token.token_id.to_string(),
            label: token.label.to_string(),
            limits: limits(&token.ceiling),
            networks: token.networks.iter().map(ToString::to_string).collect(),
            created_at: rfc3339(token.created_at),
            expires_at: token.expires_at.map(rfc3339),
            revoked_at: token.revoked_at.map(rfc3339),
            revoked: token.revoked_because.map(Ended::as_str),
            last_use: token.last_use.map(Into::into),
            refused_since: token.refused.map(Into::into),
            secrets: details.secrets.into_iter().map(Into::into).collect(),
        }
    }
}

/// Make an access token
///
/// The secret is in the answer and is not shown again. Signed in with the password, or a token for every right on everything.
#[utoipa::path(post, path = "/access-tokens", tag = "access tokens", request_body = NewToken, responses(
    (status = 201, body = WithSecret<Token>), (status = 400, body = Problem), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 409, body = Problem)))]
async fn create(
    State(state): State<super::State>,
    SignedIn(caller): SignedIn,
    Json(new): Json<NewToken>,
) -> Result<Response, Problem> {
    let wish = AccessTokenWish {
        label: label(&new.label)?,
        ceiling: ceiling(&new.limits)?,
        networks: networks(&new.networks)?,
        life_days: new.expires_in_days,
    };
    let (details, secret) = state.app.create_own_access_token(&caller, &wish).await?;
    Ok(shown_once(Token::from(details), &secret))
}

/// Access tokens, the oldest first
#[utoipa::path(get, path = "/access-tokens", tag = "access tokens", params(Wish), responses(
    (status = 200, body = Page<Token>), (status = 400, body = Problem), (status = 401, body = Problem),
    (status = 403, body = Problem)))]
async fn list(
    State(state): State<super::State>,
    SignedIn(caller): SignedIn,
    Query(wish): Query<Wish>,
) -> Result<Json<Page<Token>>, Problem> {
    let tokens = state
        .app
        .list_own_access_tokens(&caller, wish.after_id(), wish.limit() + 1)
        .await?;
    Ok(Json(Page::new(
        &wish,
        tokens,
        |details| details.token.token_id.to_string(),
        Token::from,
    )))
}

/// One access token
#[utoipa::path(get, path = "/access-tokens/{id}", tag = "access tokens", params(("id" = i64, Path)), responses(
    (status = 200, body = Token), (status = 400, body = Problem), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn show(
    State(state): State<super::State>,
    SignedIn(caller): SignedIn,
    Path(id): Path<i64>,
) -> Result<Json<Token>, Problem> {
    let found = state
        .app
        .find_own_access_token(&caller, TokenId::from_i64(id))
        .await?;
    Ok(Json(found.into()))
}

/// Give an access token another label
#[utoipa::path(patch, path = "/access-tokens/{id}", tag = "access tokens", params(("id" = i64, Path)),
    request_body = Change, responses((status = 200, body = Token), (status = 400, body = Problem),
    (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn change(
    State(state): State<super::State>,
    SignedIn(caller): SignedIn,
    Path(id): Path<i64>,
    Json(change): Json<Change>,
) -> Result<Json<Token>, Problem> {
    let id = TokenId::from_i64(id);
    let changed = match &change.label {
        Some(text) => {
            state
                .app
                .rename_own_access_token(&caller, id, &label(text)?)
                .await?
        }
        None => state.app.find_own_access_token(&caller, id).await?,
    };
    Ok(Json(changed.into()))
}

/// Revoke an access token with all its secrets
#[utoipa::path(delete, path = "/access-tokens/{id}", tag = "access tokens", params(("id" = i64, Path)), responses(
    (status = 204), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem)))]
async fn revoke(
    State(state): State<super::State>,
    SignedIn(caller): SignedIn,
    Path(id): Path<i64>,
) -> Result<StatusCode, Problem> {
    state
        .app
        .revoke_own_access_token(&caller, TokenId::from_i64(id))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Make another secret for an access token
///
/// The one before lives on for some hours, so that it can be replaced everywhere without a gap.
#[utoipa::path(post, path = "/access-tokens/{id}/secrets", tag = "access tokens", params(("id" = i64, Path)),
    request_body = Rotation, responses((status = 201, body = WithSecret<Token>), (status = 400, body = Problem),
    (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
    (status = 409, body = Problem)))]
async fn rotate(
    State(state): State<super::State>,
    SignedIn(caller): SignedIn,
    Path(id): Path<i64>,
    Json(rotation): Json<Rotation>,
) -> Result<Response, Problem> {
    let (details, secret) = state
        .app
        .rotate_own_access_token(&caller, TokenId::from_i64(id), rotation.overlap_hours)
        .await?;
    Ok(shown_once(Token::from(details), &secret))
}

/// End one secret of an access token
#[utoipa::path(delete, path = "/access-tokens/{id}/secrets/{secret}", tag = "access tokens",
    params(("id" = i64, Path), ("secret" = i64, Path)), responses((status = 204), (status = 400, body = Problem),
    (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn end_secret(
    State(state): State<super::State>,
    SignedIn(caller): SignedIn,
    Path((id, secret)): Path<(i64, i64)>,
) -> Result<StatusCode, Problem> {
    let (id, secret) = (TokenId::from_i64(id), SecretId::from_i64(secret));
    state.app.end_own_access_token_secret(&caller, id, secret).await?;
    Ok(StatusCode::NO_CONTENT)
}
