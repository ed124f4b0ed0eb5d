//! What is to be read from the registry: a queue that replicas share.

use super::dialect::{Tx, find, list, on, statements};
use super::error::{StoreError, writing};
use super::row::row;
use crate::domain::RepositoryId;

statements! {
    ADD_WORK = "insert into manifest_work (repository_id, digest, due_at, attempts) values ($1, $2, $3, 0)
        on conflict (repository_id, digest) do update set due_at = excluded.due_at, attempts = 0";
    ADD_WORK_FOR_ALL = "insert into manifest_work (repository_id, digest, due_at, attempts)
        select r.repository_id, '', cast($1 as bigint), 0 from repository r where r.repository_id > $2 and r.state = 'active'
        on conflict (repository_id, digest) do update set due_at = excluded.due_at, attempts = 0";
    CLAIM_WORK = "update manifest_work set due_at = $1, attempts = attempts + 1 where due_at <= $2
        and (repository_id, digest) in (select repository_id, digest from manifest_work where due_at <= $2
          order by due_at limit $3) returning repository_id, digest, due_at, attempts";
    END_WORK = "delete from manifest_work where repository_id = $1 and digest = $2 and due_at = $3";
    DELAY_WORK = "update manifest_work set due_at = $4 where repository_id = $1 and digest = $2 and due_at = $3";
    HASTEN_WORK = "update manifest_work set due_at = $1 where due_at > $2";
    DROP_WORK = "delete from manifest_work where repository_id = $1 and digest = $2";
    FIND_DUE = "select repository_id, digest, due_at, attempts from manifest_work where due_at <= $1 limit 1";
    LIST_WORK = "select repository_id, digest, due_at, attempts from manifest_work where repository_id = $1
        order by digest limit $2";
}

row! {
struct WorkRow {
    repository_id: i64,
    digest: String,
    due_at: i64,
    attempts: i64,
}
}

/// Something to be read, claimed until a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Work {
    /// The repository.
    pub repository_id: RepositoryId,
    /// The manifest; none for the repository as a whole.
    pub digest: Option<String>,
    /// Until when it is claimed: whoever wants it read anew takes the claim away.
    pub claim: i64,
    /// How often it was claimed.
    pub attempts: i64,
}

/// Wants something read, at once or again; none for the repository as a whole.
pub async fn add_work(
    tx: &mut Tx,
    repository_id: RepositoryId,
    digest: Option<&str>,
    now_ms: i64,
) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(ADD_WORK)
        .bind(repository_id.as_i64()).bind(digest.unwrap_or_default()).bind(now_ms)
        .execute(c).await.map(drop))
    .map_err(writing("work"))
}

/// Wants every active repository read; says how many there are.
pub async fn add_work_for_all(tx: &mut Tx, now_ms: i64) -> Result<u64, StoreError> {
    on!(tx, c => sqlx::query(ADD_WORK_FOR_ALL).bind(now_ms).bind(i64::MIN)
        .execute(c).await.map(|done| done.rows_affected()))
    .map_err(writing("work"))
}

/// Makes what waits for another attempt due at `now_ms`: what waits longer than anybody claims it, which is until `claimed_ms`
/// at most.
pub async fn hasten_work(tx: &mut Tx, claimed_ms: i64, now_ms: i64) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(HASTEN_WORK).bind(now_ms).bind(claimed_ms).execute(c).await.map(drop))
        .map_err(writing("work"))
}

/// Whether anything is due.
pub async fn is_work_due(tx: &mut Tx, now_ms: i64) -> Result<bool, StoreError> {
    Ok(find!("work", tx, WorkRow, FIND_DUE, now_ms)?.is_some())
}

/// Claims at most `limit` things that are due, until `until_ms`: nobody else gets them before.
pub async fn claim_work(
    tx: &mut Tx,
    until_ms: i64,
    now_ms: i64,
    limit: u32,
) -> Result<Vec<Work>, StoreError> {
    let rows = list!(
        "work",
        tx,
        WorkRow,
        CLAIM_WORK,
        until_ms,
        now_ms,
        i64::from(limit)
    )?;
    Ok(rows.into_iter().map(work).collect())
}

fn work(row: WorkRow) -> Work {
    Work {
        repository_id: RepositoryId::from_i64(row.repository_id),
        digest: Some(row.digest).filter(|digest| !digest.is_empty()),
        claim: row.due_at,
        attempts: row.attempts,
    }
}

/// It is done, unless it was wanted anew since the claim; says so.
pub async fn end_work(tx: &mut Tx, work: &Work) -> Result<bool, StoreError> {
    on!(tx, c => sqlx::query(END_WORK)
        .bind(work.repository_id.as_i64()).bind(work.digest.as_deref().unwrap_or_default()).bind(work.claim)
        .execute(c).await.map(|done| done.rows_affected() > 0))
    .map_err(writing("work"))
}

/// It is due at `due_at` and not before: to try it again, or to claim it for longer. Not if it was wanted anew since the claim.
pub async fn delay_work(tx: &mut Tx, work: &Work, due_at: i64) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(DELAY_WORK)
        .bind(work.repository_id.as_i64()).bind(work.digest.as_deref().unwrap_or_default()).bind(work.claim).bind(due_at)
        .execute(c).await.map(drop))
    .map_err(writing("work"))
}

/// Nobody wants a manifest read any more.
pub async fn drop_work(tx: &mut Tx, repository_id: RepositoryId, digest: &str) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(DROP_WORK).bind(repository_id.as_i64()).bind(digest).execute(c).await.map(drop))
        .map_err(writing("work"))
}

/// At most `limit` things of a repository that are to be read.
pub async fn list_work(
    tx: &mut Tx,
    repository_id: RepositoryId,
    limit: u32,
) -> Result<Vec<Work>, StoreError> {
    let rows = list!(
        "work",
        tx,
        WorkRow,
        LIST_WORK,
        repository_id.as_i64(),
        i64::from(limit)
    )?;
    Ok(rows.into_iter().map(work).collect())
}
