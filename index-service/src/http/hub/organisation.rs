//! `/v2/orgs/{org}`, and the organisations that somebody is in.

use axum::extract::{Path, State as Shared};
use serde_json::{Value, json};

use super::caller::{Anyone, SignedIn};
use super::error::HubError;
use super::page::{Wish, whole};
use super::uuid::plain;
use crate::app::audit::rfc3339;
use crate::domain::Organisation;
use crate::http::State;

pub(super) async fn own(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    wish: Wish,
) -> Result<axum::Json<Value>, HubError> {
    let joined = whole(
        i64::MIN,
        |after, limit| state.app.list_organisations(&caller, after, limit),
        |(organisation, _)| organisation.organisation_id.as_i64(),
    )
    .await?;
    wish.answer_of(joined, |(organisation, membership)| {
        let mut shown = show_organisation(&organisation);
        shown["role"] = super::member::role_word(membership.role).into();
        shown
    })
}

pub(super) async fn show(
    Shared(state): Shared<State>,
    Anyone(caller): Anyone,
    Path(name): Path<String>,
) -> Result<axum::Json<Value>, HubError> {
    let view = state.app.organisation(&caller, &name).await?;
    Ok(axum::Json(show_organisation(&view.organisation)))
}

fn show_organisation(organisation: &Organisation) -> Value {
    json!({
        "id": plain(organisation.organisation_id.as_i64()),
        "uuid": plain(organisation.organisation_id.as_i64()),
        "orgname": organisation.name.to_string(),
        "full_name": organisation.display_name,
        "description": organisation.description,
        "location": "",
        "company": "",
        "profile_url": "",
        "gravatar_email": "",
        "gravatar_url": "",
        "badge": "",
        "is_active": true,
        "date_joined": rfc3339(organisation.created_at),
        "type": "Organization",
    })
}
