//! What a policy did when it was carried out.

use std::sync::Arc;

use askama::Template;
use axum::response::Response;
use serde_json::json;

use crate::app::content_deletion::shown::{ContentDeletion, DeletionState};
use crate::app::retention::shown::Run;
use crate::domain::{DeletionId, RunId};
use crate::http::State as Parts;
use crate::http::web::fault::PageError;
use crate::http::web::live;
use crate::http::web::page::render_with;
use crate::http::web::settings::fields::Draft;
use crate::http::web::settings::place::{At, Place};
use crate::http::web::view::View;

/// Deletions on a page.
const PAGE: u32 = 100;

#[derive(Template)]
#[template(path = "settings/retention_run.html")]
struct OneRun {
    view: View,
    place: Place,
    draft: Draft,
    line: Line,
    going: Option<Going>,
    deletions: Vec<Gone>,
    next: Option<String>,
}

/// How far a run is that goes on.
pub(super) struct Going {
    /// Where more is told of it.
    pub(super) address: String,
    /// Which run it is, and how it is: when this changes, the page is another one.
    pub(super) state: String,
    pub(super) state_key: &'static str,
    /// What it has deleted, in words.
    pub(super) figures: String,
    pub(super) done: i64,
    pub(super) total: Option<i64>,
}

impl Going {
    /// Of this run, where it has not ended.
    pub(super) fn of(run: &Run, at: &At, is_newest: bool) -> Option<Self> {
        let state_key = key_of(run).filter(|_| run.claim.is_some())?;
        let which = if is_newest {
            String::new()
        } else {
            format!("run={}&", run.run_id)
        };
        Some(Self {
            address: format!(
                "{}?{which}live=1&lang={}",
                at.place.here(),
                at.view.language.tag()
            ),
            state: state_of(Some(run)),
            state_key,
            figures: figures(run, &at.view),
            done: run.tags + run.manifests + run.failures,
            total: run.planned,
        })
    }
}

/// The key of the word for a run that has not ended.
fn key_of(run: &Run) -> Option<&'static str> {
    match run.state.as_str() {
        "running" => Some("settings-run-running"),
        "waiting" => Some("settings-run-waiting"),
        _ => None,
    }
}

fn state_of(run: Option<&Run>) -> String {
    run.map(|run| format!("{} {}", run.run_id, run.state))
        .unwrap_or_default()
}

fn figures(run: &Run, view: &View) -> String {
    let mut text = view.tn("settings-run-tags", run.tags);
    for (key, number) in [
        ("settings-run-manifests", run.manifests),
        ("settings-run-refused", run.failures),
    ] {
        if number > 0 {
            text.push_str(" · ");
            text.push_str(&view.tn(key, number));
        }
    }
    text
}

/// How far a run is, for as long as the page is open: this one, or the newest.
pub(super) fn progress(state: Parts, at: At, id: Option<RunId>) -> Response {
    let place = super::place_of(&at);
    let (view, caller) = (Arc::new(at.view), Arc::new(at.caller));
    let (asked, reader) = (state.clone(), Arc::clone(&caller));
    live::tell(state, &reader, move || {
        let (state, place) = (asked.clone(), place.clone());
        let (view, caller) = (Arc::clone(&view), Arc::clone(&caller));
        async move {
            let caller = state.app.recognise_again(&caller).await.ok()??;
            let run = if let Some(id) = id {
                Some(state.app.show_retention_run(&caller, id).await.ok()?)
            } else {
                let before = RunId::from_i64(i64::MAX);
                let newest = state.app.list_retention_runs(&caller, &place, before, 1).await;
                newest.ok()?.pop()
            };
            Some(told(run.as_ref(), &view))
        }
    })
}

fn told(run: Option<&Run>, view: &View) -> String {
    let mut told = json!({ "state": state_of(run) });
    if let Some(run) = run {
        told["figures"] = figures(run, view).into();
        if let Some(total) = run.planned {
            told["total"] = total.into();
            told["done"] = (run.tags + run.manifests + run.failures).into();
        }
    }
    told.to_string()
}

/// A run in a list.
pub(super) struct Line {
    pub(super) id: String,
    pub(super) state_key: &'static str,
    pub(super) state_kind: &'static str,
    pub(super) requested_by: String,
    pub(super) created_at: i64,
    pub(super) ended_at: Option<i64>,
    pub(super) tags: i64,
    pub(super) manifests: i64,
    pub(super) refused: i64,
    pub(super) message: String,
}

/// Something that it deleted, or was to delete.
struct Gone {
    /// The tag; empty for a manifest.
    tag: String,
    digest: String,
    at: i64,
    state_key: &'static str,
    rule: Option<i64>,
    pulled_at: Option<i64>,
}

pub(super) async fn page(state: &Parts, at: At, draft: Draft, id: RunId) -> Result<Response, PageError> {
    let run = state.app.show_retention_run(&at.caller, id).await?;
    let after = DeletionId::from_i64(draft.fields.after_id());
    let mut found = state
        .app
        .list_deletions_of_run(&at.caller, id, after, PAGE + 1)
        .await?;
    let more = found.len() > PAGE as usize;
    found.truncate(PAGE as usize);
    let next = found.last().filter(|_| more);
    let next = next.map(|last| format!("{}?run={id}&after={}", at.place.here(), last.deletion_id));
    let page = OneRun {
        going: Going::of(&run, &at, false),
        line: Line::from(run),
        deletions: found.into_iter().map(gone).collect(),
        next,
        view: at.view,
        place: at.place,
        draft,
    };
    Ok(render_with(page.draft.status(), &page))
}

fn gone(one: ContentDeletion) -> Gone {
    Gone {
        tag: one.tag.unwrap_or_default(),
        digest: one.digest,
        at: one.deleted_at,
        state_key: match one.state {
            DeletionState::Pending => "settings-gone-pending",
            DeletionState::Deleted => "settings-gone-deleted",
            DeletionState::Kept => "settings-gone-kept",
            DeletionState::Restored => "settings-gone-restored",
            DeletionState::Purged => "settings-gone-purged",
        },
        rule: one.rule,
        pulled_at: one.pulled_at,
    }
}

impl From<Run> for Line {
    fn from(run: Run) -> Self {
        let (state_key, state_kind) = match run.state.as_str() {
            "done" => ("settings-run-done", "good"),
            "failed" => ("settings-run-failed", "bad"),
            "running" => ("settings-run-running", "quiet"),
            _ => ("settings-run-waiting", "quiet"),
        };
        Self {
            id: run.run_id.to_string(),
            state_key,
            state_kind,
            requested_by: run.requested_by.unwrap_or_default(),
            created_at: run.created_at,
            ended_at: run.ended_at,
            tags: run.tags,
            manifests: run.manifests,
            refused: run.failures,
            message: run.message.unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::PolicyId;

    fn run(state: &str, planned: Option<i64>) -> Run {
        Run {
            run_id: RunId::from_i64(7),
            policy_id: PolicyId::from_i64(1),
            place: None,
            requested_by: None,
            state: state.to_owned(),
            claim: Some(5),
            attempts: 1,
            created_at: 0,
            started_at: None,
            ended_at: None,
            after_name: String::new(),
            tags: 2,
            manifests: 1,
            failures: 0,
            planned,
            message: None,
        }
    }

    #[test]
    fn a_page_is_told_of_a_runs_figures_and_of_another_state_when_it_ends() {
        let view = crate::http::web::view::testing::view();
        let read = |run: &Run| serde_json::from_str::<Value>(&told(Some(run), &view)).unwrap();
        let going = read(&run("running", Some(9)));
        let expected = json!({"state": "7 running", "figures": "2 tags · 1 manifest", "done": 3, "total": 9});
        assert_eq!(going, expected);
        let unknown = read(&run("running", None));
        assert!(unknown.get("total").is_none() && unknown.get("done").is_none());
        assert_ne!(read(&run("done", Some(9)))["state"], going["state"]);
        assert_eq!(told(None, &view), json!({"state": ""}).to_string());
    }
}
