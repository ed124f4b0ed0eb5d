//! `/api/v1/account/password` and `/api/v1/password-resets`: another password, with the old one or by a link.

use crate::http::api::described::{ApiRouter, routes};
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use shared::secret::Secret;
use utoipa::ToSchema;

use super::caller::{Anyone, SignedIn};
use super::credential::{WithSecret, shown_once};
use super::instant::Instant;
use super::problem::Problem;

pub(super) fn routes() -> ApiRouter {
    ApiRouter::new()
        .routes(routes!(change))
        .routes(routes!(create))
        .routes(routes!(redeem))
}

/// Another password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewPassword {
    /// The password until now.
    #[schema(value_type = String)]
    current: Secret<String>,
    /// The password from now on: 12 to 256 characters, not easy to guess.
    #[schema(value_type = String)]
    new: Secret<String>,
}

/// Whose password is to be set.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewReset {
    /// The account.
    username: String,
}

/// A link that sets a password once.
#[derive(Debug, Serialize, ToSchema)]
struct Reset {
    /// The account.
    username: String,
    /// The page that takes the secret, with it behind `#`.
    link: String,
    /// When it ends.
    expires_at: Instant,
}

/// A password for the account of a link.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Redemption {
    /// The secret of the link: `ptl_rst_…`.
    #[schema(value_type = String)]
    secret: Secret<String>,
    /// The password from now on: 12 to 256 characters, not easy to guess.
    #[schema(value_type = String)]
    password: Secret<String>,
}

/// Choose another password
///
/// Needs the one until now. Every device is signed out; access tokens stay.
#[utoipa::path(put, path = "/account/password", tag = "accounts", request_body = NewPassword, responses(
    (status = 204), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 429, body = Problem)))]
async fn change(
    State(state): State<super::State>,
    SignedIn(caller): SignedIn,
    Json(wish): Json<NewPassword>,
) -> Result<StatusCode, Problem> {
    state
        .app
        .change_password(&caller, &wish.current, wish.new)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Make a link that sets a password once
///
/// By administrators of the site. It works for a day, ends those that were made before, and is not shown again.
#[utoipa::path(post, path = "/password-resets", tag = "accounts", request_body = NewReset, responses(
    (status = 201, body = WithSecret<Reset>), (status = 400, body = Problem), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn create(
    State(state): State<super::State>,
    SignedIn(caller): SignedIn,
    Json(new): Json<NewReset>,
) -> Result<Response, Problem> {
    let reset = state.app.create_password_reset(&caller, &new.username).await?;
    let shown = Reset {
        username: reset.username.to_string(),
        link: reset.link(state.app.public_url()).expose().clone(),
        expires_at: Instant(reset.expires_at),
    };
    Ok(shown_once(shown, &reset.secret))
}

/// Set a password by a link
///
/// Without signing in. A password that is refused leaves the link as it is.
#[utoipa::path(post, path = "/password-resets/redeem", tag = "accounts", request_body = Redemption, responses(
    (status = 204), (status = 400, body = Problem), (status = 404, body = Problem)))]
async fn redeem(
    State(state): State<super::State>,
    Anyone(caller): Anyone,
    Json(redemption): Json<Redemption>,
) -> Result<StatusCode, Problem> {
    state
        .app
        .redeem_password_reset(&caller, &redemption.secret, redemption.password)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
