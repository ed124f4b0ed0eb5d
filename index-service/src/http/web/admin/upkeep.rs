//! What takes long, live and of late; and the index against the registry: everything read again, and one repository
//! compared.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State as Shared};
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;
use shared::oci::RepositoryName;

use super::Administrator;
use super::work::{self, Line};
use crate::app::AppError;
use crate::app::caller::Caller;
use crate::app::content::Differences;
use crate::domain::WorkId;
use crate::http::State;
use crate::http::web::fault::PageError;
use crate::http::web::frame::{Frame, PAGE, Paged, Place, problem};
use crate::http::web::live;
use crate::http::web::page::{done, render_with};
use crate::http::web::submitted::Submitted;
use crate::http::web::view::View;

/// Where an image of the registry keeps its configuration.
const CONFIGURATION: &str = "/etc/distribution/config.yml";

#[derive(Template)]
#[template(path = "admin/upkeep.html")]
struct UpkeepPage {
    view: View,
    frame: Frame,
    /// What goes on.
    running: Vec<Line>,
    /// Which works these are: when it changes, the page is another one.
    state: String,
    /// Whether loading the page again shows the same; not so where a form made it.
    is_live: bool,
    /// What went on.
    past: Paged<Line>,
    /// The command that collects garbage.
    collect_command: String,
    /// The command that imports.
    import_command: String,
    /// Whether the registry ends with the index, so that nobody is there to be told while garbage is collected.
    is_one_process: bool,
    /// Whether a registry can tell of what it does.
    takes_reports: bool,
    typed: Typed,
    found: Option<Differences>,
}

/// What a page shows besides what goes on.
#[derive(Default)]
struct Wished {
    place: Place,
    typed: Typed,
    found: Option<Differences>,
    status: StatusCode,
    problem: String,
    is_live: bool,
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
    Query(place): Query<Place>,
) -> Result<Response, PageError> {
    let wished = Wished {
        place,
        is_live: true,
        ..Wished::default()
    };
    page(&state, &caller, view, wished).await
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
    let mut wished = Wished::default();
    match compare(&state, &caller, &typed).await {
        Ok(found) => wished.found = Some(found),
        Err(error) => (wished.status, wished.problem) = problem(error, &view)?,
    }
    wished.typed = typed;
    page(&state, &caller, view, wished).await
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

/// How far everything is, for as long as the page is open.
pub(super) async fn progress(
    Shared(state): Shared<State>,
    Administrator { caller, view }: Administrator,
) -> Response {
    let (asked, caller) = (state.clone(), Arc::new(caller));
    let reader = Arc::clone(&caller);
    live::tell(state, &reader, move || {
        let (state, caller, mut view) = (asked.clone(), Arc::clone(&caller), view.clone());
        async move {
            let caller = state.app.recognise_again(&caller).await.ok()??;
            view.now_ms = state.app.now_ms();
            let running = running(&state, &caller, &view).await.ok()?;
            Some(work::told(&running, &view))
        }
    })
}

async fn running(state: &State, caller: &Caller, view: &View) -> Result<Vec<Line>, AppError> {
    let works = state.app.list_live_work(caller).await?;
    Ok(works.into_iter().map(|work| Line::of(work, view)).collect())
}

async fn page(state: &State, caller: &Caller, view: View, wished: Wished) -> Result<Response, PageError> {
    let running = running(state, caller, &view).await?;
    let before = WorkId::from_i64(wished.place.before_id());
    let works = state.app.list_work(caller, before, PAGE + 1).await?;
    let read = Paged::new(&wished.place, "/admin/upkeep", works, PAGE, |work| {
        work.work_id.to_string()
    });
    let ended = read
        .items
        .into_iter()
        .filter(|work| !work.is_going_on(view.now_ms));
    let past = Paged {
        items: ended.map(|work| Line::of(work, &view)).collect(),
        previous: read.previous,
        next: read.next,
    };
    let page = UpkeepPage {
        state: work::state_of(&running),
        running,
        is_live: wished.is_live,
        past,
        collect_command: collect(state.app.last_collected(caller).await?.as_deref()),
        import_command: format!(
            "portolan import registry https://REGISTRY --server {} --user {} --dry-run",
            state.app.public_url(),
            view.you()
        ),
        is_one_process: state.app.is_registry_within(),
        takes_reports: state.app.takes_events(),
        frame: Frame {
            problem: wished.problem,
            ..Frame::of("upkeep")
        },
        typed: wished.typed,
        found: wished.found,
        view,
    };
    Ok(render_with(wished.status, &page))
}

/// The command that says what garbage there is, with the configuration that the last collection was given.
fn collect(known: Option<&str>) -> String {
    let is_plain = |path: &&str| {
        path.starts_with('/')
            && path
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte))
    };
    let path = known.filter(is_plain).unwrap_or(CONFIGURATION);
    format!("registry-service garbage-collect --dry-run {path}")
}

#[cfg(test)]
mod tests {
    use super::collect;

    #[test]
    fn the_command_names_the_readers_own_configuration_where_it_is_a_plain_path() {
        for (known, named) in [
            (None, "/etc/distribution/config.yml"),
            (Some("/etc/portolan/registry.yml"), "/etc/portolan/registry.yml"),
            (Some("/tmp/x; reboot"), "/etc/distribution/config.yml"),
            (Some("-x"), "/etc/distribution/config.yml"),
        ] {
            assert_eq!(
                collect(known),
                format!("registry-service garbage-collect --dry-run {named}")
            );
        }
    }
}
