//! Repositories of a namespace that were deleted and can be restored.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use shared::oci::RepositoryName;

use crate::app::AppError;
use crate::domain::RepositoryId;
use crate::http::State as Parts;
use crate::http::web::fault::PageError;
use crate::http::web::page::{done, render_with};
use crate::http::web::settings::fields::{Draft, Fields};
use crate::http::web::settings::place::{At, Place, nothing};
use crate::http::web::settings::typed;
use crate::http::web::submitted::Submitted;
use crate::http::web::view::View;

/// Repositories on a page.
const PAGE: u32 = 50;

#[derive(Template)]
#[template(path = "organisation/deleted.html")]
struct Deleted {
    view: View,
    place: Place,
    draft: Draft,
    repositories: Vec<Line>,
    next: Option<String>,
}

/// A deleted repository.
struct Line {
    id: String,
    name: String,
    deleted_at: i64,
    purge_after: i64,
}

pub(super) async fn show(
    State(state): State<Parts>,
    at: At,
    Query(query): Query<Fields>,
) -> Result<Response, PageError> {
    page(&state, at, Draft::asked(query)).await
}

pub(super) async fn act(
    State(state): State<Parts>,
    at: At,
    Submitted(fields): Submitted<Fields>,
) -> Result<Response, PageError> {
    match change(&state, &at, &fields).await {
        Ok((path, note)) => Ok(done(&at.view, &path, note)),
        Err(error) => {
            let draft = Draft::refused("restore", fields, error, &at.view)?;
            page(&state, at, draft).await
        }
    }
}

async fn change(state: &Parts, at: &At, fields: &Fields) -> Result<(String, &'static str), AppError> {
    let id = RepositoryId::from_i64(fields.id("repository").ok_or_else(nothing)?);
    match fields.get("do") {
        "restore" => {
            let name = fields.some("name").map(str::parse::<RepositoryName>).transpose();
            let name = name.map_err(|error| AppError::Invalid(error.to_string()))?;
            let facts = state
                .app
                .restore_repository(&at.caller, id, name.as_ref())
                .await?;
            Ok((format!("/r/{}", facts.name), "organisation-done-restored"))
        }
        "purge" => {
            typed(fields, fields.get("of"))?;
            state.app.purge_repository(&at.caller, id).await?;
            Ok((at.place.here(), "organisation-done-purged"))
        }
        _ => Err(nothing()),
    }
}

async fn page(state: &Parts, at: At, draft: Draft) -> Result<Response, PageError> {
    // Two that were deleted may have had the same name.
    let (name, id) = draft.fields.after().split_once(' ').unwrap_or_default();
    let after = (name, id.parse().unwrap_or(i64::MIN));
    let mut found = state
        .app
        .list_deleted(&at.caller, &at.namespace(), after, PAGE + 1)
        .await?;
    let more = found.len() > PAGE as usize;
    found.truncate(PAGE as usize);
    let next = found.last().filter(|_| more);
    let next = next.map(|last| format!("{}?after={}+{}", at.place.here(), last.name, last.repository_id));
    let page = Deleted {
        repositories: found
            .into_iter()
            .map(|one| Line {
                id: one.repository_id.to_string(),
                name: one.name.to_string(),
                deleted_at: one.deleted_at,
                purge_after: one.purge_after,
            })
            .collect(),
        next,
        view: at.view,
        place: at.place,
        draft,
    };
    Ok(render_with(page.draft.status(), &page))
}
