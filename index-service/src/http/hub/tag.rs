//! `/v2/repositories/{ns}/{repo}/tags` and `/v2/namespaces/{ns}/repositories/{repo}/tags`.

use axum::extract::{Path, State as Shared};
use http::StatusCode;
use serde_json::{Value, json};

use super::caller::{Anyone, SignedIn};
use super::error::HubError;
use super::page::Wish;
use super::shown::{image, repository_name, tag as show_tag};
use crate::app::audit::rfc3339;
use crate::app::content::ManifestNode;
use crate::app::hub::HubTagOrder;
use crate::domain::content::Role;
use crate::http::State;

pub(super) async fn list(
    Shared(state): Shared<State>,
    Anyone(caller): Anyone,
    Path((namespace, name)): Path<(String, String)>,
    wish: Wish,
) -> Result<axum::Json<Value>, HubError> {
    let (word, is_reversed) = wish.ordering();
    let order = match word {
        "name" => HubTagOrder::Name,
        _ => HubTagOrder::Updated,
    };
    let (facts, count, tags) = state
        .app
        .list_hub_tags(
            &caller,
            &repository_name(&namespace, &name)?,
            wish.word("name"),
            (order, is_reversed),
            wish.range(),
        )
        .await?;
    let results = tags.iter().map(|tag| show_tag(facts.repository_id, tag));
    let shown: Vec<Value> = results.collect();
    wish.answer(count, &shown)
}

pub(super) async fn show(
    Shared(state): Shared<State>,
    Anyone(caller): Anyone,
    Path((namespace, name, tag)): Path<(String, String, String)>,
) -> Result<axum::Json<Value>, HubError> {
    let name = repository_name(&namespace, &name)?;
    let (facts, found) = state.app.show_hub_tag(&caller, &name, &tag).await?;
    Ok(axum::Json(show_tag(facts.repository_id, &found)))
}

/// The images of a tag with their layers.
pub(super) async fn images(
    Shared(state): Shared<State>,
    Anyone(caller): Anyone,
    Path((namespace, name, tag)): Path<(String, String, String)>,
) -> Result<axum::Json<Value>, HubError> {
    let name = repository_name(&namespace, &name)?;
    let (facts, found) = state.app.show_hub_tag(&caller, &name, &tag).await?;
    let (_, node) = state.app.show_tag(&caller, facts.repository_id, &tag).await?;
    let known: Vec<&ManifestNode> = node
        .iter()
        .chain(node.iter().flat_map(|node| &node.children))
        .collect();
    let updated = rfc3339(found.tag.updated_at);
    let shown = found.images.iter().map(|one| {
        let mut shown = image(one, &updated);
        let node = known.iter().find(|node| node.manifest.digest == one.digest);
        let parts = node.map(|node| node.manifest.description.parts.as_slice());
        let layers = parts
            .unwrap_or_default()
            .iter()
            .filter(|part| part.role == Role::Layer);
        shown["layers"] = layers
            .map(|layer| json!({"digest": layer.digest, "size": layer.size, "instruction": layer.command}))
            .collect();
        shown
    });
    Ok(axum::Json(shown.collect()))
}

pub(super) async fn remove(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path((namespace, name, tag)): Path<(String, String, String)>,
) -> Result<StatusCode, HubError> {
    let name = repository_name(&namespace, &name)?;
    let found = state.app.show_hub_repository(&caller, &name).await?;
    let id = found.facts.repository_id;
    state.app.delete_tag(&caller, id, &tag, None).await?;
    Ok(StatusCode::NO_CONTENT)
}
