//! What was deleted of repositories through the index: a record, and what deleted tags are brought back from.

use super::dialect::{Tx, list, on, statements};
use super::error::{StoreError, writing};
use super::row::row;
use crate::domain::{DeletionId, RepositoryId, RunId};

statements! {
    ADD_DELETION = "insert into content_deletion (deletion_id, repository_id, tag, digest, state, deleted_at, deleted_by, run_id,
        rule, pushed_at, pulled_at, purge_after) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    SET_STATE = "update content_deletion set state = $2, purge_after = $3 where deletion_id = $1";
    LIST_DELETED_TAGS = "select deletion_id, repository_id, tag, digest, state, deleted_at, deleted_by, run_id, rule, pushed_at,
        pulled_at, purge_after from content_deletion where repository_id = $1 and state = 'deleted' and deletion_id < $2
        order by deletion_id desc limit $3";
    LIST_PENDING_OF_RUN = "select deletion_id, repository_id, tag, digest, state, deleted_at, deleted_by, run_id, rule,
        pushed_at, pulled_at, purge_after from content_deletion where run_id = $1 and state = 'pending'
        order by deletion_id limit $2";
    LIST_DELETIONS_OF_RUN = "select deletion_id, repository_id, tag, digest, state, deleted_at, deleted_by, run_id, rule,
        pushed_at, pulled_at, purge_after from content_deletion where run_id = $1 and deletion_id > $2
        order by deletion_id limit $3";
    /// Half-open, in the order of bytes.
    LIST_DELETIONS_OF_TAGS = "select deletion_id, repository_id, tag, digest, state, deleted_at, deleted_by, run_id, rule,
        pushed_at, pulled_at, purge_after from content_deletion where repository_id = $1 and tag >= $2 and tag < $3
        order by tag desc, deletion_id desc limit $4";
    LIST_DUE_DELETIONS = "select deletion_id, repository_id, tag, digest, state, deleted_at, deleted_by, run_id, rule,
        pushed_at, pulled_at, purge_after from content_deletion where purge_after <= $1 order by purge_after limit $2";
    CLAIM_DELETION = "update content_deletion set purge_after = $3 where deletion_id = $1 and purge_after = $2";
    LIST_HELD = "select deletion_id, digest from content_deletion where repository_id = $1 and state = 'deleted' and deletion_id > $2
        order by deletion_id limit $3";
    LIST_HELD_PENDING = "select deletion_id, digest from content_deletion where repository_id = $1 and state = 'pending'
        and deletion_id > $2 order by deletion_id limit $3";
}

row! {
struct DeletionRow {
    deletion_id: i64,
    repository_id: i64,
    tag: Option<String>,
    digest: String,
    state: String,
    deleted_at: i64,
    deleted_by: Option<String>,
    run_id: Option<i64>,
    rule: Option<i64>,
    pushed_at: Option<i64>,
    pulled_at: Option<i64>,
    purge_after: Option<i64>,
}
}

row! {
struct HeldRow {
    deletion_id: i64,
    digest: String,
}
}

/// What became of something that was to be deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeletionState {
    /// It is wanted; whether it happened is not known.
    Pending,
    /// A tag is gone and can be restored.
    Deleted,
    /// It stayed: it had moved, was needed, or the registry refused.
    Kept,
    /// The tag was restored.
    Restored,
    /// It is gone for good.
    Purged,
}

impl DeletionState {
    /// The word that is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Deleted => "deleted",
            Self::Kept => "kept",
            Self::Restored => "restored",
            Self::Purged => "purged",
        }
    }

    fn of(text: &str) -> Self {
        match text {
            "deleted" => Self::Deleted,
            "kept" => Self::Kept,
            "restored" => Self::Restored,
            "purged" => Self::Purged,
            _ => Self::Pending,
        }
    }
}

/// Something that was deleted, or was to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentDeletion {
    /// Its id.
    pub deletion_id: DeletionId,
    /// Of which repository.
    pub repository_id: RepositoryId,
    /// The tag; none for a manifest.
    pub tag: Option<String>,
    /// The manifest, or what the tag pointed to.
    pub digest: String,
    /// What became of it.
    pub state: DeletionState,
    /// When, in milliseconds since 1970.
    pub deleted_at: i64,
    /// By whom; none for a policy.
    pub deleted_by: Option<String>,
    /// In which run of a policy.
    pub run_id: Option<RunId>,
    /// By which of its rules, counted from 1.
    pub rule: Option<i64>,
    /// When it was pushed last.
    pub pushed_at: Option<i64>,
    /// When it was pulled last.
    pub pulled_at: Option<i64>,
    /// From when on what only the tag led to is removed; none where there is nothing left to do.
    pub purge_after: Option<i64>,
}

fn deletion(row: DeletionRow) -> ContentDeletion {
    ContentDeletion {
        deletion_id: DeletionId::from_i64(row.deletion_id),
        repository_id: RepositoryId::from_i64(row.repository_id),
        tag: row.tag,
        digest: row.digest,
        state: DeletionState::of(&row.state),
        deleted_at: row.deleted_at,
        deleted_by: row.deleted_by,
        run_id: row.run_id.map(RunId::from_i64),
        rule: row.rule,
        pushed_at: row.pushed_at,
        pulled_at: row.pulled_at,
        purge_after: row.purge_after,
    }
}

/// Writes down that something is to be deleted, or was.
pub async fn add_deletion(tx: &mut Tx, one: &ContentDeletion) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(ADD_DELETION)
        .bind(one.deletion_id.as_i64())
        .bind(one.repository_id.as_i64())
        .bind(one.tag.as_deref())
        .bind(&one.digest)
        .bind(one.state.as_str())
        .bind(one.deleted_at)
        .bind(one.deleted_by.as_deref())
        .bind(one.run_id.map(RunId::as_i64))
        .bind(one.rule)
        .bind(one.pushed_at)
        .bind(one.pulled_at)
        .bind(one.purge_after)
        .execute(c).await.map(drop))
    .map_err(writing("deletion"))
}

/// Writes down what became of it.
pub async fn set_state(
    tx: &mut Tx,
    deletion_id: DeletionId,
    state: DeletionState,
    purge_after: Option<i64>,
) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(SET_STATE).bind(deletion_id.as_i64()).bind(state.as_str()).bind(purge_after)
        .execute(c).await.map(drop))
    .map_err(writing("deletion"))
}

/// At most `limit` tags of a repository that can be restored, the last deleted first, those before `before`.
pub async fn list_deleted_tags(
    tx: &mut Tx,
    repository_id: RepositoryId,
    before: DeletionId,
    limit: u32,
) -> Result<Vec<ContentDeletion>, StoreError> {
    let rows = list!(
        "deletions",
        tx,
        DeletionRow,
        LIST_DELETED_TAGS,
        repository_id.as_i64(),
        before.as_i64(),
        i64::from(limit)
    )?;
    Ok(rows.into_iter().map(deletion).collect())
}

/// At most `limit` things of a run of which it is not known whether they happened.
pub async fn list_pending_of_run(
    tx: &mut Tx,
    run_id: RunId,
    limit: u32,
) -> Result<Vec<ContentDeletion>, StoreError> {
    let rows = list!(
        "deletions",
        tx,
        DeletionRow,
        LIST_PENDING_OF_RUN,
        run_id.as_i64(),
        i64::from(limit)
    )?;
    Ok(rows.into_iter().map(deletion).collect())
}

/// At most `limit` things that a run deleted, or was to delete, behind `after`.
pub async fn list_deletions_of_run(
    tx: &mut Tx,
    run_id: RunId,
    after: DeletionId,
    limit: u32,
) -> Result<Vec<ContentDeletion>, StoreError> {
    let rows = list!(
        "deletions",
        tx,
        DeletionRow,
        LIST_DELETIONS_OF_RUN,
        run_id.as_i64(),
        after.as_i64(),
        i64::from(limit)
    )?;
    Ok(rows.into_iter().map(deletion).collect())
}

/// At most `limit` deletions of the tags from one name to another (without that), the last first for each.
pub async fn list_deletions_of_tags(
    tx: &mut Tx,
    repository_id: RepositoryId,
    (from, before): (&str, &str),
    limit: u32,
) -> Result<Vec<ContentDeletion>, StoreError> {
    let rows = list!(
        "deletions",
        tx,
        DeletionRow,
        LIST_DELETIONS_OF_TAGS,
        repository_id.as_i64(),
        from,
        before,
        i64::from(limit)
    )?;
    Ok(rows.into_iter().map(deletion).collect())
}

/// At most `limit` deletions whose time to be restored is over.
pub async fn list_due_deletions(
    tx: &mut Tx,
    now_ms: i64,
    limit: u32,
) -> Result<Vec<ContentDeletion>, StoreError> {
    let rows = list!(
        "deletions",
        tx,
        DeletionRow,
        LIST_DUE_DELETIONS,
        now_ms,
        i64::from(limit)
    )?;
    Ok(rows.into_iter().map(deletion).collect())
}

/// Claims a deletion that is due until `until_ms`; says whether nobody else did.
pub async fn claim_deletion(tx: &mut Tx, one: &ContentDeletion, until_ms: i64) -> Result<bool, StoreError> {
    on!(tx, c => sqlx::query(CLAIM_DELETION)
        .bind(one.deletion_id.as_i64()).bind(one.purge_after).bind(until_ms)
        .execute(c).await.map(|done| done.rows_affected() > 0))
    .map_err(writing("deletion"))
}

/// What deleted tags of a repository are restored from, at most `limit` of either kind.
pub async fn list_held(
    tx: &mut Tx,
    repository_id: RepositoryId,
    limit: u32,
) -> Result<Vec<(DeletionId, String)>, StoreError> {
    let (id, limit) = (repository_id.as_i64(), i64::from(limit));
    let mut held = list!("deletions", tx, HeldRow, LIST_HELD, id, i64::MIN, limit)?;
    held.extend(list!(
        "deletions",
        tx,
        HeldRow,
        LIST_HELD_PENDING,
        id,
        i64::MIN,
        limit
    )?);
    let id = |row: &HeldRow| DeletionId::from_i64(row.deletion_id);
    Ok(held.into_iter().map(|row| (id(&row), row.digest)).collect())
}
