//! `/api/v1/repositories/{id}/retention`, `/api/v1/namespaces/{name}/retention`, `/api/v1/retention-runs`.

use crate::http::api::described::{ApiRouter, routes};
use axum::extract::{Path, Query, State};
use http::StatusCode;

use super::caller::SignedIn;
use super::content_deletion::{Deletion, show_deletion};
use super::namespace::namespace_name;
use super::page::{Page, Wish};
use super::problem::Problem;
use super::repository::repository_id;
use crate::app::AppError;
use crate::app::content_deletion::shown::ContentDeletion;
use crate::app::retention::RetentionPlace;
use crate::app::retention::shown::Run;
use crate::domain::{DeletionId, RunId};

mod shown;

use shown::{
    NewRetentionPolicy, RetentionPolicy, RetentionRun, RetentionSimulation, RetentionState, show_policy,
    show_run, show_simulation, show_state,
};

pub(super) fn routes() -> ApiRouter {
    ApiRouter::new()
        .routes(routes!(
            show_of_repository,
            put_of_repository,
            remove_of_repository
        ))
        .routes(routes!(simulate_of_repository))
        .routes(routes!(list_runs_of_repository, start_of_repository))
        .routes(routes!(show_of_namespace, put_of_namespace, remove_of_namespace))
        .routes(routes!(simulate_of_namespace))
        .routes(routes!(list_runs_of_namespace, start_of_namespace))
        .routes(routes!(show_one_run))
        .routes(routes!(list_deletions))
}

fn of_repository(id: &str) -> Result<RetentionPlace, AppError> {
    Ok(RetentionPlace::Repository(repository_id(id)?))
}

fn of_namespace(name: &str) -> Result<RetentionPlace, AppError> {
    Ok(RetentionPlace::Namespace(namespace_name(name)?))
}

fn run_id(text: &str) -> Result<RunId, AppError> {
    text.parse()
        .map(RunId::from_i64)
        .map_err(|_| AppError::NotFound("there is no such run".to_owned()))
}

type Answer<T> = Result<axum::Json<T>, Problem>;

async fn show(state: super::State, caller: SignedIn, place: RetentionPlace) -> Answer<RetentionState> {
    let found = state.app.show_retention(&caller.0, &place).await?;
    Ok(axum::Json(show_state(&found)))
}

async fn put(
    state: super::State,
    caller: SignedIn,
    place: RetentionPlace,
    new: NewRetentionPolicy,
) -> Answer<RetentionPolicy> {
    let policy = state.app.put_retention(&caller.0, &place, new.parse()?).await?;
    Ok(axum::Json(show_policy(&policy)))
}

async fn remove(state: super::State, caller: SignedIn, place: RetentionPlace) -> Result<StatusCode, Problem> {
    state.app.remove_retention(&caller.0, &place).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn simulate(
    state: super::State,
    caller: SignedIn,
    place: RetentionPlace,
    (wish, new): (Wish, NewRetentionPolicy),
) -> Answer<RetentionSimulation> {
    let found = state
        .app
        .simulate_retention(&caller.0, &place, new.parse()?, wish.after())
        .await?;
    Ok(axum::Json(show_simulation(found)))
}

async fn start(
    state: super::State,
    caller: SignedIn,
    place: RetentionPlace,
) -> Result<(StatusCode, axum::Json<RetentionRun>), Problem> {
    let run = state.app.start_retention(&caller.0, &place).await?;
    Ok((StatusCode::ACCEPTED, axum::Json(show_run(run))))
}

async fn list_runs(
    state: super::State,
    caller: SignedIn,
    place: RetentionPlace,
    wish: Wish,
) -> Answer<Page<RetentionRun>> {
    let before = RunId::from_i64(wish.after().parse().unwrap_or(i64::MAX));
    let runs = state
        .app
        .list_retention_runs(&caller.0, &place, before, wish.limit() + 1)
        .await?;
    let key = |run: &Run| run.run_id.to_string();
    Ok(axum::Json(Page::new(&wish, runs, key, show_run)))
}

/// Retention of a repository
///
/// Its own policy, or the one that it has from its namespace. For those who administer the repository.
#[utoipa::path(get, path = "/repositories/{id}/retention", tag = "retention",
    params(("id" = String, Path, description = "The repository's id")), responses(
    (status = 200, body = RetentionState), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem)))]
async fn show_of_repository(
    State(state): State<super::State>,
    caller: SignedIn,
    Path(id): Path<String>,
) -> Answer<RetentionState> {
    show(state, caller, of_repository(&id)?).await
}

/// Decide about the retention of a repository
///
/// Its own policy counts instead of its namespace's, also one without rules, and one that is switched off. By those who
/// administer the repository.
#[utoipa::path(put, path = "/repositories/{id}/retention", tag = "retention", request_body = NewRetentionPolicy,
    params(("id" = String, Path, description = "The repository's id")), responses(
    (status = 200, body = RetentionPolicy), (status = 400, body = Problem), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn put_of_repository(
    State(state): State<super::State>,
    caller: SignedIn,
    Path(id): Path<String>,
    axum::Json(new): axum::Json<NewRetentionPolicy>,
) -> Answer<RetentionPolicy> {
    put(state, caller, of_repository(&id)?, new).await
}

/// Take the policy of a repository away
#[utoipa::path(delete, path = "/repositories/{id}/retention", tag = "retention",
    params(("id" = String, Path, description = "The repository's id")), responses(
    (status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn remove_of_repository(
    State(state): State<super::State>,
    caller: SignedIn,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    remove(state, caller, of_repository(&id)?).await
}

/// Rehearse a policy in a repository
///
/// What would go now, who pulled it last, and how much that frees; nothing is saved or deleted.
#[utoipa::path(post, path = "/repositories/{id}/retention/simulation", tag = "retention", request_body = NewRetentionPolicy,
    params(("id" = String, Path, description = "The repository's id"), Wish), responses(
    (status = 200, body = RetentionSimulation), (status = 400, body = Problem), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn simulate_of_repository(
    State(state): State<super::State>,
    caller: SignedIn,
    Path(id): Path<String>,
    Query(wish): Query<Wish>,
    axum::Json(new): axum::Json<NewRetentionPolicy>,
) -> Answer<RetentionSimulation> {
    simulate(state, caller, of_repository(&id)?, (wish, new)).await
}

/// Runs of the policy of a repository
///
/// The newest first. Those of its namespace's policy are there.
#[utoipa::path(get, path = "/repositories/{id}/retention/runs", tag = "retention",
    params(("id" = String, Path, description = "The repository's id"), Wish), responses(
    (status = 200, body = Page<RetentionRun>), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem)))]
async fn list_runs_of_repository(
    State(state): State<super::State>,
    caller: SignedIn,
    Path(id): Path<String>,
    Query(wish): Query<Wish>,
) -> Answer<Page<RetentionRun>> {
    list_runs(state, caller, of_repository(&id)?, wish).await
}

/// Carry out the policy of a repository now
///
/// In the background. One that is being carried out is not begun twice.
#[utoipa::path(post, path = "/repositories/{id}/retention/runs", tag = "retention",
    params(("id" = String, Path, description = "The repository's id")), responses(
    (status = 202, body = RetentionRun), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn start_of_repository(
    State(state): State<super::State>,
    caller: SignedIn,
    Path(id): Path<String>,
) -> Result<(StatusCode, axum::Json<RetentionRun>), Problem> {
    start(state, caller, of_repository(&id)?).await
}

/// Retention of a namespace
///
/// For those who administer the namespace.
#[utoipa::path(get, path = "/namespaces/{name}/retention", tag = "retention",
    params(("name" = String, Path, description = "Its name")), responses(
    (status = 200, body = RetentionState), (status = 401, body = Problem), (status = 403, body = Problem)))]
async fn show_of_namespace(
    State(state): State<super::State>,
    caller: SignedIn,
    Path(name): Path<String>,
) -> Answer<RetentionState> {
    show(state, caller, of_namespace(&name)?).await
}

/// Decide about the retention of a namespace
///
/// For its repositories that have no policy of their own. By those who administer the namespace.
#[utoipa::path(put, path = "/namespaces/{name}/retention", tag = "retention", request_body = NewRetentionPolicy,
    params(("name" = String, Path, description = "Its name")), responses(
    (status = 200, body = RetentionPolicy), (status = 400, body = Problem), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 409, body = Problem)))]
async fn put_of_namespace(
    State(state): State<super::State>,
    caller: SignedIn,
    Path(name): Path<String>,
    axum::Json(new): axum::Json<NewRetentionPolicy>,
) -> Answer<RetentionPolicy> {
    put(state, caller, of_namespace(&name)?, new).await
}

/// Take the policy of a namespace away
#[utoipa::path(delete, path = "/namespaces/{name}/retention", tag = "retention",
    params(("name" = String, Path, description = "Its name")), responses(
    (status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn remove_of_namespace(
    State(state): State<super::State>,
    caller: SignedIn,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    remove(state, caller, of_namespace(&name)?).await
}

/// Rehearse a policy in a namespace
///
/// Twenty repositories at once, in the order of their names; `next` says behind which to go on.
#[utoipa::path(post, path = "/namespaces/{name}/retention/simulation", tag = "retention", request_body = NewRetentionPolicy,
    params(("name" = String, Path, description = "Its name"), Wish), responses(
    (status = 200, body = RetentionSimulation), (status = 400, body = Problem), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 409, body = Problem)))]
async fn simulate_of_namespace(
    State(state): State<super::State>,
    caller: SignedIn,
    Path(name): Path<String>,
    Query(wish): Query<Wish>,
    axum::Json(new): axum::Json<NewRetentionPolicy>,
) -> Answer<RetentionSimulation> {
    simulate(state, caller, of_namespace(&name)?, (wish, new)).await
}

/// Runs of the policy of a namespace
///
/// The newest first.
#[utoipa::path(get, path = "/namespaces/{name}/retention/runs", tag = "retention",
    params(("name" = String, Path, description = "Its name"), Wish), responses(
    (status = 200, body = Page<RetentionRun>), (status = 401, body = Problem), (status = 403, body = Problem)))]
async fn list_runs_of_namespace(
    State(state): State<super::State>,
    caller: SignedIn,
    Path(name): Path<String>,
    Query(wish): Query<Wish>,
) -> Answer<Page<RetentionRun>> {
    list_runs(state, caller, of_namespace(&name)?, wish).await
}

/// Carry out the policy of a namespace now
///
/// In the background. One that is being carried out is not begun twice.
#[utoipa::path(post, path = "/namespaces/{name}/retention/runs", tag = "retention",
    params(("name" = String, Path, description = "Its name")), responses(
    (status = 202, body = RetentionRun), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn start_of_namespace(
    State(state): State<super::State>,
    caller: SignedIn,
    Path(name): Path<String>,
) -> Result<(StatusCode, axum::Json<RetentionRun>), Problem> {
    start(state, caller, of_namespace(&name)?).await
}

/// A run of a policy
///
/// For those who administer what the policy is about.
#[utoipa::path(get, path = "/retention-runs/{id}", tag = "retention",
    params(("id" = String, Path, description = "Its id")), responses(
    (status = 200, body = RetentionRun), (status = 401, body = Problem), (status = 404, body = Problem)))]
async fn show_one_run(
    State(state): State<super::State>,
    SignedIn(caller): SignedIn,
    Path(id): Path<String>,
) -> Answer<RetentionRun> {
    let run = state.app.show_retention_run(&caller, run_id(&id)?).await?;
    Ok(axum::Json(show_run(run)))
}

/// What a run deleted
///
/// Every tag and every manifest, and what it was to delete and stayed, in the order in which that was.
#[utoipa::path(get, path = "/retention-runs/{id}/deletions", tag = "retention",
    params(("id" = String, Path, description = "Its id"), Wish), responses(
    (status = 200, body = Page<Deletion>), (status = 401, body = Problem), (status = 404, body = Problem)))]
async fn list_deletions(
    State(state): State<super::State>,
    SignedIn(caller): SignedIn,
    Path(id): Path<String>,
    Query(wish): Query<Wish>,
) -> Answer<Page<Deletion>> {
    let after = DeletionId::from_i64(wish.after_id());
    let found = state
        .app
        .list_deletions_of_run(&caller, run_id(&id)?, after, wish.limit() + 1)
        .await?;
    let key = |one: &ContentDeletion| one.deletion_id.to_string();
    Ok(axum::Json(Page::new(&wish, found, key, show_deletion)))
}

#[cfg(test)]
#[path = "retention/tests.rs"]
mod tests;
