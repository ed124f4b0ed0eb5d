//! `/api/v1/account`: whoever asks.

use crate::http::api::described::{ApiRouter, routes};
use serde::Serialize;
use utoipa::ToSchema;

use super::caller::SignedIn;
use super::problem::Problem;

pub(super) fn routes() -> ApiRouter {
    ApiRouter::new().routes(routes!(show))
}

/// Who is signed in, and with what.
#[derive(Debug, Serialize, ToSchema)]
struct Identity {
    /// The name: that of an account, of a robot (`org+name`) or of an organisation.
    name: String,
    /// The credential, such as `pat:17`.
    credential: String,
    /// Whether it administers the site.
    is_admin: bool,
}

/// Who is signed in
#[utoipa::path(get, path = "/account", tag = "accounts", responses((status = 200, body = Identity), (status = 401, body = Problem)))]
async fn show(SignedIn(caller): SignedIn) -> axum::Json<Identity> {
    axum::Json(Identity {
        name: caller.name(),
        credential: caller.credential().unwrap_or_default(),
        is_admin: caller.is_admin(),
    })
}
