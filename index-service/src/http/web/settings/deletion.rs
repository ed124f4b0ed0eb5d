//! The end of a repository: what depends on it, and its name to be typed.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;

use super::fields::{Draft, Fields};
use super::place::{At, Place};
use crate::app::AppError;
use crate::app::content::Impact;
use crate::http::State as Parts;
use crate::http::web::fault::PageError;
use crate::http::web::page::{done, render_with};
use crate::http::web::submitted::Submitted;
use crate::http::web::view::View;

#[derive(Template)]
#[template(path = "settings/delete.html")]
struct Deletion {
    view: View,
    place: Place,
    draft: Draft,
    tags: Vec<String>,
    shared_with: Vec<String>,
    built_on_it: Vec<String>,
    pulls: i64,
    clients: Vec<(String, i64)>,
    last_pulled_at: Option<i64>,
    last_pulled_by: String,
    bytes: i64,
    storage_bytes: i64,
}

pub(in crate::http::web) async fn show(
    State(state): State<Parts>,
    at: At,
    Query(query): Query<Fields>,
) -> Result<Response, PageError> {
    page(&state, at, Draft::asked(query)).await
}

pub(in crate::http::web) async fn act(
    State(state): State<Parts>,
    at: At,
    Submitted(fields): Submitted<Fields>,
) -> Result<Response, PageError> {
    match delete(&state, &at, &fields).await {
        Ok(path) => Ok(done(&at.view, &path, "settings-done-deleted")),
        Err(error) => {
            let draft = Draft::refused("delete", fields, error, &at.view)?;
            page(&state, at, draft).await
        }
    }
}

/// Deletes it, and says where one goes on: where it can be restored, for those who may.
async fn delete(state: &Parts, at: &At, fields: &Fields) -> Result<String, AppError> {
    typed(fields, &at.place.name())?;
    let id = at.repository()?.facts.repository_id;
    state.app.delete_repository(&at.caller, id).await?;
    let namespace = at.namespace();
    Ok(match state.app.show_namespace(&at.caller, &namespace).await {
        Ok(_) => format!("/o/{namespace}/deleted"),
        Err(_) => "/".to_owned(),
    })
}

/// That the name of what is to go was typed.
pub(in crate::http::web) fn typed(fields: &Fields, name: &str) -> Result<(), AppError> {
    if fields.some("typed") == Some(name) {
        return Ok(());
    }
    Err(AppError::Invalid(format!("type {name} to confirm")))
}

async fn page(state: &Parts, at: At, draft: Draft) -> Result<Response, PageError> {
    let id = at.repository()?.facts.repository_id;
    let impact: Impact = state.app.impact_of_repository(&at.caller, id).await?;
    let built = impact
        .built_on_it
        .iter()
        .map(|one| one.repository.name.to_string());
    let page = Deletion {
        shared_with: impact
            .shared_with
            .iter()
            .map(|facts| facts.name.to_string())
            .collect(),
        built_on_it: built.collect(),
        tags: impact.tags,
        pulls: impact.pulls,
        clients: impact.clients,
        last_pulled_at: impact.last_pulled_at,
        last_pulled_by: impact.last_pulled_by.unwrap_or_default(),
        bytes: impact.freed.bytes,
        storage_bytes: impact.freed.storage_bytes,
        view: at.view,
        place: at.place,
        draft,
    };
    Ok(render_with(page.draft.status(), &page))
}
