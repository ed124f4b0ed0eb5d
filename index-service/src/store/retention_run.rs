//! Runs of policies of retention: a queue that replicas share, and a record.

use super::dialect::{Tx, find, list, on, statements};
use super::error::{StoreError, writing};
use super::retention_policy::Place;
use super::row::row;
use crate::domain::{NamespaceId, PolicyId, RepositoryId, RunId};

statements! {
    ADD_RUN = "insert into retention_run (run_id, policy_id, namespace_id, repository_id, requested_by, state, due_at, attempts,
        created_at, after_name, tags, manifests, failures) values ($1, $2, $3, $4, $5, 'waiting', $6, 0, $6, '', 0, 0, 0)";
    FIND_RUN = "select run_id, policy_id, namespace_id, repository_id, requested_by, state, due_at, attempts, created_at,
        started_at, ended_at, after_name, tags, manifests, failures, planned, message from retention_run where run_id = $1";
    FIND_OPEN_RUN = "select run_id, policy_id, namespace_id, repository_id, requested_by, state, due_at, attempts, created_at,
        started_at, ended_at, after_name, tags, manifests, failures, planned, message from retention_run
        where policy_id = $1 and due_at is not null limit 1";
    LIST_RUNS_OF_NAMESPACE = "select run_id, policy_id, namespace_id, repository_id, requested_by, state, due_at, attempts,
        created_at, started_at, ended_at, after_name, tags, manifests, failures, planned, message from retention_run
        where namespace_id = $1 and run_id < $2 order by run_id desc limit $3";
    LIST_RUNS_OF_REPOSITORY = "select run_id, policy_id, namespace_id, repository_id, requested_by, state, due_at, attempts,
        created_at, started_at, ended_at, after_name, tags, manifests, failures, planned, message from retention_run
        where repository_id = $1 and run_id < $2 order by run_id desc limit $3";
    CLAIM_RUN = "update retention_run set due_at = $1, state = 'running', started_at = coalesce(started_at, $2),
        attempts = attempts + 1 where due_at <= $2
        and run_id in (select run_id from retention_run where due_at <= $2 order by due_at limit 1)
        returning run_id, policy_id, namespace_id, repository_id, requested_by, state, due_at, attempts, created_at,
        started_at, ended_at, after_name, tags, manifests, failures, planned, message";
    GO_ON_WITH_RUN = "update retention_run set due_at = $3, after_name = $4, tags = $5, manifests = $6, failures = $7,
        planned = $8, attempts = 0 where run_id = $1 and due_at = $2";
    DELAY_RUN = "update retention_run set due_at = $3, message = $4 where run_id = $1 and due_at = $2";
    END_RUN = "update retention_run set due_at = null, ended_at = $3, state = $4, message = $5, tags = $6, manifests = $7,
        failures = $8 where run_id = $1 and due_at = $2";
    /// Those of a namespace that a policy of it may reach, in the order of their names.
    NEXT_REPOSITORY = "select repository_id from repository where namespace_id = $1 and name > $2 and state = 'active'
        order by name limit 1";
}

row! {
struct RunRow {
    run_id: i64,
    policy_id: i64,
    namespace_id: Option<i64>,
    repository_id: Option<i64>,
    requested_by: Option<String>,
    state: String,
    due_at: Option<i64>,
    attempts: i64,
    created_at: i64,
    started_at: Option<i64>,
    ended_at: Option<i64>,
    after_name: String,
    tags: i64,
    manifests: i64,
    failures: i64,
    planned: Option<i64>,
    message: Option<String>,
}
}

row! {
struct IdRow {
    repository_id: i64,
}
}

/// A policy being carried out once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Its id.
    pub run_id: RunId,
    /// The policy.
    pub policy_id: PolicyId,
    /// What the policy is about; none when that is gone.
    pub place: Option<Place>,
    /// Who wanted it; none for the schedule.
    pub requested_by: Option<String>,
    /// `waiting`, `running`, `done` or `failed`.
    pub state: String,
    /// Until when it is claimed, or when it is claimed next; none when it has ended.
    pub claim: Option<i64>,
    /// Claims since it last got on.
    pub attempts: i64,
    /// When it was wanted, in milliseconds since 1970.
    pub created_at: i64,
    /// When it began.
    pub started_at: Option<i64>,
    /// When it ended.
    pub ended_at: Option<i64>,
    /// It is past this repository.
    pub after_name: String,
    /// Tags that it deleted.
    pub tags: i64,
    /// Manifests that it deleted.
    pub manifests: i64,
    /// Tags and manifests that it was to delete and that stayed.
    pub failures: i64,
    /// How many tags and manifests it is to delete in all; none while nobody knows.
    pub planned: Option<i64>,
    /// What went wrong.
    pub message: Option<String>,
}

fn run(row: RunRow) -> Run {
    Run {
        run_id: RunId::from_i64(row.run_id),
        policy_id: PolicyId::from_i64(row.policy_id),
        place: Place::of_ids(row.namespace_id, row.repository_id),
        requested_by: row.requested_by,
        state: row.state,
        claim: row.due_at,
        attempts: row.attempts,
        created_at: row.created_at,
        started_at: row.started_at,
        ended_at: row.ended_at,
        after_name: row.after_name,
        tags: row.tags,
        manifests: row.manifests,
        failures: row.failures,
        planned: row.planned,
        message: row.message,
    }
}

/// Wants a policy carried out, now.
pub async fn add_run(
    tx: &mut Tx,
    run_id: RunId,
    (policy_id, place): (PolicyId, Place),
    requested_by: Option<&str>,
    now_ms: i64,
) -> Result<(), StoreError> {
    let (namespace_id, repository_id) = place.ids();
    on!(tx, c => sqlx::query(ADD_RUN)
        .bind(run_id.as_i64())
        .bind(policy_id.as_i64())
        .bind(namespace_id)
        .bind(repository_id)
        .bind(requested_by)
        .bind(now_ms)
        .execute(c).await.map(drop))
    .map_err(writing("run"))
}

/// A run by its id.
pub async fn find_run(tx: &mut Tx, run_id: RunId) -> Result<Option<Run>, StoreError> {
    Ok(find!("run", tx, RunRow, FIND_RUN, run_id.as_i64())?.map(run))
}

/// A run of a policy that has not ended.
pub async fn find_open_run(tx: &mut Tx, policy_id: PolicyId) -> Result<Option<Run>, StoreError> {
    Ok(find!("run", tx, RunRow, FIND_OPEN_RUN, policy_id.as_i64())?.map(run))
}

/// At most `limit` runs of a place, the newest first, those before `before`.
pub async fn list_runs(tx: &mut Tx, place: Place, before: RunId, limit: u32) -> Result<Vec<Run>, StoreError> {
    let (before, limit) = (before.as_i64(), i64::from(limit));
    let rows = match place {
        Place::Namespace(id) => list!(
            "runs",
            tx,
            RunRow,
            LIST_RUNS_OF_NAMESPACE,
            id.as_i64(),
            before,
            limit
        )?,
        Place::Repository(id) => list!(
            "runs",
            tx,
            RunRow,
            LIST_RUNS_OF_REPOSITORY,
            id.as_i64(),
            before,
            limit
        )?,
    };
    Ok(rows.into_iter().map(run).collect())
}

/// Claims a run that is due until `until_ms`: nobody else gets it before.
pub async fn claim_run(tx: &mut Tx, until_ms: i64, now_ms: i64) -> Result<Option<Run>, StoreError> {
    Ok(find!("run", tx, RunRow, CLAIM_RUN, until_ms, now_ms)?.map(run))
}

/// Writes down how far a claimed run is, and claims it further until `until_ms`; says whether it was still claimed.
pub async fn go_on_with_run(tx: &mut Tx, run: &Run, until_ms: i64) -> Result<bool, StoreError> {
    on!(tx, c => sqlx::query(GO_ON_WITH_RUN)
        .bind(run.run_id.as_i64())
        .bind(run.claim)
        .bind(until_ms)
        .bind(&run.after_name)
        .bind(run.tags)
        .bind(run.manifests)
        .bind(run.failures)
        .bind(run.planned)
        .execute(c).await.map(|done| done.rows_affected() > 0))
    .map_err(writing("run"))
}

/// A claimed run is tried again at `due_at`.
pub async fn delay_run(tx: &mut Tx, run: &Run, due_at: i64, why: &str) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(DELAY_RUN)
        .bind(run.run_id.as_i64()).bind(run.claim).bind(due_at).bind(why)
        .execute(c).await.map(drop))
    .map_err(writing("run"))
}

/// A claimed run has ended: `done` or `failed`.
pub async fn end_run(
    tx: &mut Tx,
    run: &Run,
    state: &str,
    message: Option<&str>,
    now_ms: i64,
) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(END_RUN)
        .bind(run.run_id.as_i64())
        .bind(run.claim)
        .bind(now_ms)
        .bind(state)
        .bind(message)
        .bind(run.tags)
        .bind(run.manifests)
        .bind(run.failures)
        .execute(c).await.map(drop))
    .map_err(writing("run"))
}

/// The next repository of a namespace behind a name.
pub async fn next_repository(
    tx: &mut Tx,
    namespace_id: NamespaceId,
    after: &str,
) -> Result<Option<RepositoryId>, StoreError> {
    let row = find!(
        "repository",
        tx,
        IdRow,
        NEXT_REPOSITORY,
        namespace_id.as_i64(),
        after
    )?;
    Ok(row.map(|row| RepositoryId::from_i64(row.repository_id)))
}
