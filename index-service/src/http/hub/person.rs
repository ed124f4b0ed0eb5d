//! `/v2/user`, `/v2/users/{user}`, and the plan that everybody is on.

use axum::extract::{Path, State as Shared};
use serde_json::{Value, json};

use super::caller::{Anyone, SignedIn};
use super::error::HubError;
use super::uuid::plain;
use crate::app::audit::rfc3339;
use crate::domain::Profile;
use crate::http::State;

pub(super) async fn own(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
) -> Result<axum::Json<Value>, HubError> {
    let name = caller.account()?.username.to_string();
    let view = state.app.profile(&caller, &name).await?;
    let mut shown = person(&view.profile);
    shown["email"] = view.profile.email.clone().into();
    shown["is_staff"] = view.profile.is_admin.into();
    shown["is_admin"] = view.profile.is_admin.into();
    Ok(axum::Json(shown))
}

pub(super) async fn show(
    Shared(state): Shared<State>,
    Anyone(caller): Anyone,
    Path(user): Path<String>,
) -> Result<axum::Json<Value>, HubError> {
    let view = state.app.profile(&caller, &user).await?;
    Ok(axum::Json(person(&view.profile)))
}

/// A plan without limits: there is nothing to buy.
pub(super) async fn plan(SignedIn(_): SignedIn) -> axum::Json<Value> {
    axum::Json(json!({
        "name": "unlimited",
        "legacy": false,
        "seats": 9999,
        "private_repos": 9999,
        "teams": 9999,
        "collaborators": 9999,
        "parallel_builds": 0,
        "duration": "forever",
    }))
}

fn person(profile: &Profile) -> Value {
    json!({
        "id": plain(profile.account_id.as_i64()),
        "uuid": plain(profile.account_id.as_i64()),
        "username": profile.username.to_string(),
        "full_name": profile.full_name,
        "location": profile.location,
        "company": "",
        "profile_url": profile.website,
        "gravatar_email": "",
        "gravatar_url": "",
        "date_joined": rfc3339(profile.created_at),
        "type": "User",
    })
}
