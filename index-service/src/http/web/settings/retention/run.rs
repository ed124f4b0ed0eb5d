//! What a policy did when it was carried out.

use askama::Template;
use axum::response::Response;

use crate::app::content_deletion::shown::{ContentDeletion, DeletionState};
use crate::app::retention::shown::Run;
use crate::domain::{DeletionId, RunId};
use crate::http::State as Parts;
use crate::http::web::fault::PageError;
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
    deletions: Vec<Gone>,
    next: Option<String>,
}

/// A run in a list.
pub(super) struct Line {
    pub(super) id: String,
    pub(super) state_key: &'static str,
    pub(super) state_kind: &'static str,
    pub(super) is_going_on: bool,
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
        let (state_key, state_kind, is_going_on) = match run.state.as_str() {
            "done" => ("settings-run-done", "good", false),
            "failed" => ("settings-run-failed", "bad", false),
            "running" => ("settings-run-running", "quiet", true),
            _ => ("settings-run-waiting", "quiet", true),
        };
        Self {
            id: run.run_id.to_string(),
            state_key,
            state_kind,
            is_going_on,
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
