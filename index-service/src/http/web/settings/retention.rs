//! What goes by itself: the policy of a repository or a namespace, what it would do now, and what it did.

mod form;
mod run;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;

use super::fields::{Draft, Fields};
use super::place::{At, Place, Subject, nothing};
use crate::app::AppError;
use crate::app::retention::shown::Policy;
use crate::app::retention::{RepositorySimulation, RetentionPlace};
use crate::domain::RunId;
use crate::http::State as Parts;
use crate::http::web::fault::PageError;
use crate::http::web::page::{done, render_with};
use crate::http::web::submitted::Submitted;
use crate::http::web::view::View;

use form::RuleRow;

/// Runs on a page.
const PAGE: u32 = 20;
/// Tags of a simulation that a page names.
const MOST_TAGS: usize = 100;

#[derive(Template)]
#[template(path = "settings/retention.html")]
struct Retention {
    view: View,
    place: Place,
    draft: Draft,
    has_own: bool,
    is_enabled: bool,
    /// What a repository has from its namespace.
    inherited: Option<Inherited>,
    rules: Vec<RuleRow>,
    untagged_days: String,
    every_days: String,
    at_hour: String,
    next_run_at: Option<i64>,
    changed: Option<(i64, String)>,
    simulation: Option<Simulated>,
    /// The run that goes on.
    going: Option<run::Going>,
    /// Whether loading the page again shows the same; not so where a form made it.
    is_live: bool,
    runs: Vec<run::Line>,
    next: Option<String>,
}

/// The policy of the namespace.
struct Inherited {
    namespace: String,
    rules: usize,
}

/// What a policy would do now.
struct Simulated {
    repositories: Vec<SimulatedRepository>,
    /// The name behind which it goes on.
    next: Option<String>,
}

/// The same in one repository.
struct SimulatedRepository {
    name: String,
    tags: Vec<SimulatedTag>,
    tag_count: usize,
    kept_count: usize,
    /// Tags that would go if they were not immutable.
    immutable: Vec<String>,
    immutable_count: usize,
    untagged_count: usize,
    bytes: i64,
    storage_bytes: i64,
    is_counted: bool,
    is_read: bool,
}

/// A tag that would go.
struct SimulatedTag {
    name: String,
    pushed_at: i64,
    pulled_at: Option<i64>,
    pulled_by: String,
    rule: Option<usize>,
}

pub(in crate::http::web) async fn show(
    State(state): State<Parts>,
    at: At,
    Query(query): Query<Fields>,
) -> Result<Response, PageError> {
    if query.some("live").is_some() {
        return Ok(run::progress(state, at, query.id("run").map(RunId::from_i64)));
    }
    page(&state, at, Draft::asked(query), None).await
}

pub(in crate::http::web) async fn act(
    State(state): State<Parts>,
    at: At,
    Submitted(fields): Submitted<Fields>,
) -> Result<Response, PageError> {
    if fields.get("do") == "more" {
        return page(&state, at, Draft::again("policy", fields), None).await;
    }
    let outcome = match fields.get("do") {
        "simulate" => simulate(&state, &at, &fields).await.map(Ok),
        _ => change(&state, &at, &fields).await.map(Err),
    };
    match outcome {
        Ok(Ok(simulated)) => page(&state, at, Draft::again("policy", fields), Some(simulated)).await,
        Ok(Err(note)) => Ok(done(&at.view, &at.place.here(), note)),
        Err(error) => {
            let form = if matches!(fields.get("do"), "save" | "simulate") {
                "policy"
            } else {
                "other"
            };
            let draft = Draft::refused(form, fields, error, &at.view)?;
            page(&state, at, draft, None).await
        }
    }
}

async fn change(state: &Parts, at: &At, fields: &Fields) -> Result<&'static str, AppError> {
    let place = place_of(at);
    match fields.get("do") {
        "save" => {
            state
                .app
                .put_retention(&at.caller, &place, form::wish(fields)?)
                .await?;
            Ok("settings-done-saved")
        }
        "remove" => {
            state.app.remove_retention(&at.caller, &place).await?;
            Ok("settings-done-retention-removed")
        }
        "run" => {
            state.app.start_retention(&at.caller, &place).await?;
            Ok("settings-done-retention-started")
        }
        _ => Err(nothing()),
    }
}

async fn simulate(state: &Parts, at: &At, fields: &Fields) -> Result<Simulated, AppError> {
    let wish = form::wish(fields)?;
    // PostgreSQL takes no text with a NUL.
    let after = Some(fields.get("behind")).filter(|after| !after.contains('\0'));
    let found = state
        .app
        .simulate_retention(&at.caller, &place_of(at), wish, after.unwrap_or_default())
        .await?;
    Ok(Simulated {
        repositories: found
            .repositories
            .into_iter()
            .map(SimulatedRepository::from)
            .collect(),
        next: found.next,
    })
}

fn place_of(at: &At) -> RetentionPlace {
    match &at.place.subject {
        Subject::Repository(shown) => RetentionPlace::Repository(shown.facts.repository_id),
        Subject::Namespace(namespace) => RetentionPlace::Namespace(namespace.name.clone()),
    }
}

async fn page(
    state: &Parts,
    at: At,
    draft: Draft,
    simulation: Option<Simulated>,
) -> Result<Response, PageError> {
    let place = place_of(&at);
    if let Some(id) = draft.fields.id("run").map(RunId::from_i64) {
        return run::page(state, at, draft, id).await;
    }
    let found = state.app.show_retention(&at.caller, &place).await?;
    let before = RunId::from_i64(draft.fields.before_id());
    let mut runs = state
        .app
        .list_retention_runs(&at.caller, &place, before, PAGE + 1)
        .await?;
    let more = runs.len() > PAGE as usize;
    runs.truncate(PAGE as usize);
    let next = runs.last().filter(|_| more);
    let next = next.map(|last| format!("{}?after={}", at.place.here(), last.run_id));
    let newest = runs.first().filter(|_| draft.fields.some("after").is_none());
    let going = newest.and_then(|run| run::Going::of(run, &at, true));
    let own = found.own.as_ref();
    let schedule = own.map(|policy| policy.schedule);
    let days = |days: Option<u32>| days.map(|days| days.to_string()).unwrap_or_default();
    let inherited = found.inherited.as_ref().map(|policy| Inherited {
        namespace: at.namespace().to_string(),
        rules: policy.rules.rules.len(),
    });
    let page = Retention {
        has_own: own.is_some(),
        is_enabled: draft.ticked(
            "policy",
            "enabled",
            "yes",
            own.is_none_or(|policy| policy.is_enabled),
        ),
        rules: rows(&draft, own),
        untagged_days: draft.text(
            "policy",
            "untagged_days",
            &days(own.and_then(|policy| policy.rules.untagged_days)),
        ),
        every_days: draft.text(
            "policy",
            "every_days",
            &schedule.map_or_else(|| "1".to_owned(), |schedule| days(schedule.every_days())),
        ),
        at_hour: draft.text(
            "policy",
            "at_hour",
            &schedule
                .map_or(3, crate::domain::retention::Schedule::at_hour)
                .to_string(),
        ),
        next_run_at: own.and_then(|policy| policy.next_run_at),
        changed: own.map(|policy| (policy.changed_at, policy.changed_by.clone())),
        inherited,
        simulation,
        going,
        is_live: draft.is_of(""),
        runs: runs.into_iter().map(run::Line::from).collect(),
        next,
        view: at.view,
        place: at.place,
        draft,
    };
    Ok(render_with(page.draft.status(), &page))
}

/// The rules that the form shows: what was sent, or what is so, and an empty one.
fn rows(draft: &Draft, own: Option<&Policy>) -> Vec<RuleRow> {
    if draft.is_of("policy") {
        return form::sent(&draft.fields);
    }
    let rules = own
        .map(|policy| policy.rules.rules.as_slice())
        .unwrap_or_default();
    form::present(rules)
}

impl From<RepositorySimulation> for SimulatedRepository {
    fn from(one: RepositorySimulation) -> Self {
        let tags = one.tags.into_iter().take(MOST_TAGS).map(|tag| SimulatedTag {
            name: tag.name,
            pushed_at: tag.pushed_at,
            pulled_at: tag.pulled_at,
            pulled_by: tag.pulled_by.unwrap_or_default(),
            rule: tag.rule,
        });
        Self {
            name: one.facts.name.to_string(),
            tags: tags.collect(),
            tag_count: one.tag_count,
            kept_count: one.kept_count,
            immutable: one
                .immutable
                .into_iter()
                .take(MOST_TAGS)
                .map(|tag| tag.name)
                .collect(),
            immutable_count: one.immutable_count,
            untagged_count: one.untagged_count,
            bytes: one.freed.bytes,
            storage_bytes: one.freed.storage_bytes,
            is_counted: !one.freed.is_cut,
            is_read: one.is_read,
        }
    }
}
