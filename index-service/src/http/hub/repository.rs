//! `/v2/repositories/…` and `/v2/namespaces/…/repositories`.

use axum::extract::{Path, State as Shared};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use shared::oci::RepositoryName;

use super::body::Body;
use super::caller::{Anyone, SignedIn};
use super::error::HubError;
use super::page::{Wish, whole};
use super::shown::{listed, namespace_name, repository, repository_name};
use crate::app::caller::Caller;
use crate::app::hub::RepositoryOrder;
use crate::app::repository_profile::{DescriptionChange, MAX_DESCRIPTION};
use crate::domain::Visibility;
use crate::domain::free_text::SUMMARY;
use crate::http::State;

type Answer = Result<axum::Json<Value>, HubError>;

/// A repository to be made.
#[derive(Debug, Deserialize)]
pub(super) struct New {
    namespace: Option<String>,
    name: String,
    description: Option<String>,
    full_description: Option<String>,
    is_private: Option<bool>,
}

/// What shall be otherwise.
#[derive(Debug, Deserialize)]
pub(super) struct Change {
    description: Option<String>,
    full_description: Option<String>,
    is_private: Option<bool>,
}

/// Who may see it.
#[derive(Debug, Deserialize)]
pub(super) struct Privacy {
    is_private: bool,
}

pub(super) async fn list(
    Shared(state): Shared<State>,
    Anyone(caller): Anyone,
    Path(namespace): Path<String>,
    wish: Wish,
) -> Answer {
    let (word, is_reversed) = wish.ordering();
    let order = match word {
        "last_updated" | "updated_at" => RepositoryOrder::Updated,
        "pull_count" => RepositoryOrder::Pulls,
        _ => RepositoryOrder::Name,
    };
    let (count, found) = state
        .app
        .list_hub_repositories(
            &caller,
            &namespace_name(&namespace)?,
            wish.word("name"),
            (order, is_reversed),
            wish.range(),
        )
        .await?;
    let shown: Vec<Value> = found.iter().map(listed).collect();
    wish.answer(count, &shown)
}

/// Where the caller may have repositories: its own namespace and those of its organisations.
pub(super) async fn namespaces(Shared(state): Shared<State>, SignedIn(caller): SignedIn) -> Answer {
    let organisations = whole(
        i64::MIN,
        |after, limit| state.app.list_organisations(&caller, after, limit),
        |(organisation, _)| organisation.organisation_id.as_i64(),
    )
    .await?;
    let own = std::iter::once(caller.name());
    let joined = organisations.into_iter().map(|(one, _)| one.name.to_string());
    let namespaces: Vec<String> = own.chain(joined).collect();
    Ok(axum::Json(json!({ "namespaces": namespaces })))
}

pub(super) async fn create(
    shared: Shared<State>,
    caller: SignedIn,
    Body(new): Body<New>,
) -> Result<(StatusCode, axum::Json<Value>), HubError> {
    let namespace = new
        .namespace
        .clone()
        .ok_or_else(|| HubError::invalid("namespace is missing"))?;
    create_in(shared, caller, Path(namespace), Body(new)).await
}

pub(super) async fn create_in(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path(namespace): Path<String>,
    Body(new): Body<New>,
) -> Result<(StatusCode, axum::Json<Value>), HubError> {
    let name = format!("{namespace}/{}", new.name);
    let name: RepositoryName = name.parse().map_err(HubError::invalid)?;
    // Nothing is made of what could not be described.
    let (summary, description) = (new.description.as_deref(), new.full_description.as_deref());
    SUMMARY
        .check(summary.unwrap_or_default())
        .map_err(HubError::invalid)?;
    if description.is_some_and(|text| text.len() > MAX_DESCRIPTION) {
        return Err(HubError::invalid(format!(
            "a description has at most {MAX_DESCRIPTION} bytes"
        )));
    }
    let visibility = new.is_private.map(visibility);
    let made = state.app.create_repository(&caller, &name, visibility).await?;
    let change = DescriptionChange {
        summary: new.description.filter(|text| !text.is_empty()),
        description: new.full_description.filter(|text| !text.is_empty()),
        ..DescriptionChange::default()
    };
    if change.summary.is_some() || change.description.is_some() {
        state
            .app
            .describe(&caller, made.facts.repository_id, change)
            .await?;
    }
    let shown = show_one(&state, &caller, &namespace, &new.name).await?;
    Ok((StatusCode::CREATED, shown))
}

pub(super) async fn show(
    Shared(state): Shared<State>,
    Anyone(caller): Anyone,
    Path((namespace, name)): Path<(String, String)>,
) -> Answer {
    show_one(&state, &caller, &namespace, &name).await
}

async fn show_one(state: &State, caller: &Caller, namespace: &str, name: &str) -> Answer {
    let name = repository_name(namespace, name)?;
    let found = state.app.show_hub_repository(caller, &name).await?;
    Ok(axum::Json(repository(&found)))
}

/// What README pushers and Terraform send.
pub(super) async fn change(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path((namespace, name)): Path<(String, String)>,
    Body(change): Body<Change>,
) -> Answer {
    let found = state
        .app
        .show_hub_repository(&caller, &repository_name(&namespace, &name)?)
        .await?;
    let id = found.facts.repository_id;
    if change.description.is_some() || change.full_description.is_some() {
        let description = DescriptionChange {
            summary: change.description,
            description: change.full_description,
            ..DescriptionChange::default()
        };
        state.app.describe(&caller, id, description).await?;
    }
    if let Some(is_private) = change.is_private
        && is_private != (found.facts.visibility != Visibility::Public)
    {
        state
            .app
            .change_visibility(&caller, id, visibility(is_private))
            .await?;
    }
    show_one(&state, &caller, &namespace, &name).await
}

pub(super) async fn set_privacy(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path((namespace, name)): Path<(String, String)>,
    Body(privacy): Body<Privacy>,
) -> Answer {
    let found = state
        .app
        .show_hub_repository(&caller, &repository_name(&namespace, &name)?)
        .await?;
    state
        .app
        .change_visibility(&caller, found.facts.repository_id, visibility(privacy.is_private))
        .await?;
    show_one(&state, &caller, &namespace, &name).await
}

pub(super) async fn remove(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path((namespace, name)): Path<(String, String)>,
) -> Result<StatusCode, HubError> {
    let found = state
        .app
        .show_hub_repository(&caller, &repository_name(&namespace, &name)?)
        .await?;
    state
        .app
        .delete_repository(&caller, found.facts.repository_id)
        .await?;
    // As Docker Hub answers: it is gone for everybody, its content follows.
    Ok(StatusCode::ACCEPTED)
}

fn visibility(is_private: bool) -> Visibility {
    if is_private {
        Visibility::Private
    } else {
        Visibility::Public
    }
}
