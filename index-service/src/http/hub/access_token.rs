//! `/v2/access-tokens`, and the same under its old name `/v2/api_tokens`: access tokens of one's own.

use axum::extract::{Path, State as Shared};
use axum::response::{IntoResponse, Response};
use http::header::CACHE_CONTROL;
use http::{HeaderValue, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::body::Body;
use super::caller::SignedIn;
use super::error::HubError;
use super::page::{Wish, whole};
use super::uuid::{id_of, uuid};
use crate::app::AppError;
use crate::app::access_token::{AccessTokenDetails, AccessTokenWish, DEFAULT_LIFE_DAYS};
use crate::app::audit::rfc3339;
use crate::domain::{AllowedNetworks, Ceiling, RepositoryPattern, Right, Rights, TokenId, TokenLabel};
use crate::http::State;
use crate::http::hub::organisation_token::days_until;
use crate::http::json::Json;

/// A new access token.
#[derive(Deserialize)]
pub(super) struct New {
    token_label: String,
    scopes: Option<Vec<String>>,
    expires_at: Option<String>,
}

/// What shall be otherwise.
#[derive(Deserialize)]
pub(super) struct Change {
    token_label: Option<String>,
    is_active: Option<bool>,
}

pub(super) async fn create(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Body(new): Body<New>,
) -> Result<Response, HubError> {
    let wish = AccessTokenWish {
        label: label(&new.token_label)?,
        ceiling: ceiling(new.scopes.as_deref().unwrap_or_default())?,
        networks: AllowedNetworks::default(),
        life_days: match &new.expires_at {
            Some(end) => days_until(end, state.app.now_ms())?,
            None => DEFAULT_LIFE_DAYS,
        },
    };
    let (made, secret) = state.app.create_own_access_token(&caller, &wish).await?;
    let mut shown = show_token(&made, state.app.now_ms());
    shown["token"] = secret.expose().clone().into();
    let mut response = (StatusCode::CREATED, Json(shown.to_string())).into_response();
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

pub(super) async fn list(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    wish: Wish,
) -> Result<axum::Json<Value>, HubError> {
    let mut tokens = whole(
        i64::MIN,
        |after, limit| state.app.list_own_access_tokens(&caller, after, limit),
        |details| details.token.token_id.as_i64(),
    )
    .await?;
    tokens.retain(|details| details.token.revoked_at.is_none());
    // The newest first, as Docker Hub has them.
    tokens.reverse();
    let now = state.app.now_ms();
    wish.answer_of(tokens, |details| show_token(&details, now))
}

pub(super) async fn show(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path(id): Path<String>,
) -> Result<axum::Json<Value>, HubError> {
    let found = state
        .app
        .find_own_access_token(&caller, TokenId::from_i64(id_of(&id)?))
        .await?;
    there(&found, state.app.now_ms())
}

pub(super) async fn change(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path(id): Path<String>,
    Body(change): Body<Change>,
) -> Result<axum::Json<Value>, HubError> {
    let id = TokenId::from_i64(id_of(&id)?);
    if change.is_active == Some(false) {
        return Err(HubError::invalid(
            "an access token is not switched off for a while: delete it, and make another one later",
        ));
    }
    let found = match change.token_label.as_deref().filter(|text| !text.is_empty()) {
        Some(text) => {
            state
                .app
                .rename_own_access_token(&caller, id, &label(text)?)
                .await?
        }
        None => state.app.find_own_access_token(&caller, id).await?,
    };
    there(&found, state.app.now_ms())
}

pub(super) async fn revoke(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path(id): Path<String>,
) -> Result<StatusCode, HubError> {
    let id = TokenId::from_i64(id_of(&id)?);
    state.app.revoke_own_access_token(&caller, id).await?;
    Ok(StatusCode::ACCEPTED)
}

/// A revoked one is gone for Docker Hub's clients.
fn there(found: &AccessTokenDetails, now_ms: i64) -> Result<axum::Json<Value>, HubError> {
    if found.token.revoked_at.is_some() {
        return Err(AppError::NotFound("there is no such access token".to_owned()).into());
    }
    Ok(axum::Json(show_token(found, now_ms)))
}

fn label(text: &str) -> Result<TokenLabel, HubError> {
    text.parse().map_err(HubError::invalid)
}

/// What the scopes let through at most. None of them administers: visibility, rules and the end of a repository, and the
/// account itself, are for the password and for tokens of our own API.
fn ceiling(scopes: &[String]) -> Result<Ceiling, HubError> {
    let mut rights = Rights::NONE;
    for scope in scopes {
        let of_scope = match scope.trim_start_matches("repo:") {
            "admin" => Rights::MAINTAIN,
            "write" => Rights::WRITE,
            "read" => Rights::READ,
            "public_read" => {
                return Err(HubError::invalid(
                    "repo:public_read is not offered: take repo:read",
                ));
            }
            _ => {
                return Err(HubError::invalid(
                    "scopes are repo:admin, repo:write and repo:read",
                ));
            }
        };
        rights = of_scope.iter().fold(rights, Rights::with);
    }
    if scopes.is_empty() {
        rights = Rights::MAINTAIN;
    }
    Ok(Ceiling::limited(rights, RepositoryPattern::every()))
}

fn scopes(ceiling: &Ceiling) -> Vec<&'static str> {
    let rights = match ceiling {
        Ceiling::Full => Rights::ALL,
        Ceiling::Limited(limits) => limits
            .iter()
            .flat_map(|limit| limit.rights.iter())
            .fold(Rights::NONE, Rights::with),
    };
    vec![
        if rights.contains(Right::Delete) || rights.contains(Right::Manage) {
            "repo:admin"
        } else if rights.contains(Right::Push) {
            "repo:write"
        } else {
            "repo:read"
        },
    ]
}

fn show_token(details: &AccessTokenDetails, now_ms: i64) -> Value {
    let token = &details.token;
    json!({
        "uuid": uuid(token.token_id.as_i64()),
        "client_id": "portolan",
        "creator_ip": "",
        "creator_ua": "",
        "created_at": rfc3339(token.created_at),
        "last_used": token.last_use.as_ref().map(|last| rfc3339(last.at)),
        "expires_at": token.expires_at.map(rfc3339),
        "generated_by": "manual",
        "is_active": token.is_live(now_ms),
        "token": "",
        "token_label": token.label.to_string(),
        "scopes": scopes(&token.ceiling),
    })
}
