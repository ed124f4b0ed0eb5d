//! The index against the registry: everything read again, with progress, and one repository compared.

use askama::Template;
use axum::extract::State as Shared;
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use shared::oci::RepositoryName;

use super::Administrator;
use crate::app::AppError;
use crate::app::caller::Caller;
use crate::app::content::Differences;
use crate::app::overview::ReindexProgress;
use crate::http::State;
use crate::http::web::fault::PageError;
use crate::http::web::frame::{Frame, problem};
use crate::http::web::live;
use crate::http::web::page::{done, render_with};
use crate::http::web::submitted::Submitted;
use crate::http::web::view::View;

#[derive(Template)]
#[template(path = "admin/upkeep.html")]
struct UpkeepPage {
    view: View,
    frame: Frame,
    progress: Option<ReindexProgress>,
    typed: Typed,
    found: Option<Differences>,
}

impl UpkeepPage {
    /// What the page shows, in a word: when it changes, the page is another one.
    fn state(&self) -> &'static str {
        state_of(self.progress)
    }
}

fn state_of(progress: Option<ReindexProgress>) -> &'static str {
    match progress {
        None => "none",
        Some(progress) if progress.done < progress.total => "running",
        Some(_) => "done",
    }
}

/// Nothing but the form itself.
#[derive(Debug, Deserialize)]
pub(super) struct Nothing {}

/// A repository to be compared.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Typed {
    #[serde(default)]
    repository: String,
    /// Whether what differs is repaired.
    repair: Option<String>,
}

pub(super) async fn show(
    Shared(state): Shared<State>,
    Administrator { caller, view }: Administrator,
) -> Result<Response, PageError> {
    page(
        &state,
        &caller,
        view,
        Typed::default(),
        None,
        (StatusCode::OK, String::new()),
    )
    .await
}

pub(super) async fn reindex(
    Shared(state): Shared<State>,
    Administrator { caller, view }: Administrator,
    Submitted(Nothing {}): Submitted<Nothing>,
) -> Result<Response, PageError> {
    state.app.reindex_all(&caller).await?;
    Ok(done(&view, "/admin/upkeep", "admin-done-reindex"))
}

pub(super) async fn verify(
    Shared(state): Shared<State>,
    Administrator { caller, view }: Administrator,
    Submitted(typed): Submitted<Typed>,
) -> Result<Response, PageError> {
    match compare(&state, &caller, &typed).await {
        Ok(found) => {
            page(
                &state,
                &caller,
                view,
                typed,
                Some(found),
                (StatusCode::OK, String::new()),
            )
            .await
        }
        Err(error) => {
            let (status, text) = problem(error, &view)?;
            page(&state, &caller, view, typed, None, (status, text)).await
        }
    }
}

async fn compare(state: &State, caller: &Caller, typed: &Typed) -> Result<Differences, AppError> {
    let name = typed.repository.trim();
    let unknown = || AppError::NotFound(format!("there is no repository {name}"));
    let parsed: RepositoryName = name.parse().map_err(|_| unknown())?;
    let id = state
        .app
        .show_hub_repository(caller, &parsed)
        .await?
        .facts
        .repository_id;
    state.app.reindex(caller, id, typed.repair.is_none()).await
}

/// How far it has come, for as long as the page is open.
pub(super) async fn progress(
    Shared(state): Shared<State>,
    Administrator { caller, .. }: Administrator,
) -> Response {
    let (asked, caller) = (state.clone(), std::sync::Arc::new(caller));
    live::tell(state, move || {
        let (state, caller) = (asked.clone(), caller.clone());
        async move {
            let caller = state.app.recognise_again(&caller).await.ok()??;
            let progress = state.app.reindex_progress(&caller).await.ok()?;
            let (done, total) = progress.map_or((0, 0), |progress| (progress.done, progress.total));
            Some(json!({ "state": state_of(progress), "done": done, "total": total }).to_string())
        }
    })
}

async fn page(
    state: &State,
    caller: &Caller,
    view: View,
    typed: Typed,
    found: Option<Differences>,
    (status, problem): (StatusCode, String),
) -> Result<Response, PageError> {
    let page = UpkeepPage {
        progress: state.app.reindex_progress(caller).await?,
        frame: Frame {
            problem,
            ..Frame::of("upkeep")
        },
        typed,
        found,
        view,
    };
    Ok(render_with(status, &page))
}
