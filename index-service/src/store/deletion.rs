//! Deleted repositories: their names are free, their storage names never are.

use super::dialect::{Tx, find, list, on, statements};
use super::error::{StoreError, taking, unreadable, writing};
use super::posting::refresh;
use super::row::row;
use crate::domain::repository::DeletedRepository;
use crate::domain::{AccountId, NamespaceId, RepositoryId};
use shared::oci::RepositoryName;

statements! {
    DELETE_REPOSITORY = "update repository set state = 'deleted', pending_until = null, deleted_by = $2, deleted_at = $3,
        purge_after = $4 where repository_id = $1 and state <> 'deleted'";
    /// Whose content may be gone is not confirmed any more; see [`claim_purges`].
    FIND_DELETED = "select repository_id, namespace_id, name, stored_as, visibility, deleted_at, purge_after from repository
        where repository_id = $1 and state = 'deleted' and confirmed_at is not null";
    LIST_DELETED = "select repository_id, namespace_id, name, stored_as, visibility, deleted_at, purge_after from repository
        where namespace_id = $1 and (name, repository_id) > ($2, $3) and state = 'deleted' and confirmed_at is not null
        order by name, repository_id limit $4";
    RESTORE_REPOSITORY = "update repository set state = 'active', name = $2, deleted_by = null, deleted_at = null,
        purge_after = null where repository_id = $1 and state = 'deleted' and confirmed_at is not null";
    CLAIM_PURGES = "update repository set confirmed_at = null, purge_after = $1 where state = 'deleted' and purged_at is null
        and purge_after <= $2 and repository_id in (select repository_id from repository where state = 'deleted'
          and purged_at is null and purge_after <= $2 order by purge_after limit $3)
        returning repository_id, namespace_id, name, stored_as, visibility, deleted_at, purge_after";
    CLAIM_PURGE = "update repository set confirmed_at = null, purge_after = $1 where repository_id = $2 and state = 'deleted'
        and purged_at is null and confirmed_at is not null";
    DELAY_PURGE = "update repository set purge_after = $2 where repository_id = $1 and state = 'deleted'";
    END_PURGE = "update repository set purged_at = $2 where repository_id = $1 and state = 'deleted'";
    REMOVE_ALIASES = "delete from repository_alias where repository_id = $1";
}

row! {
struct DeletedRow {
    repository_id: i64,
    namespace_id: i64,
    name: String,
    stored_as: String,
    visibility: String,
    deleted_at: Option<i64>,
    purge_after: Option<i64>,
}
}

impl DeletedRow {
    fn into_deleted(self) -> Result<DeletedRepository, StoreError> {
        Ok(DeletedRepository {
            repository_id: RepositoryId::from_i64(self.repository_id),
            namespace_id: NamespaceId::from_i64(self.namespace_id),
            name: self.name.parse().map_err(unreadable("repository name"))?,
            stored_as: self.stored_as.parse().map_err(unreadable("storage name"))?,
            visibility: self.visibility.parse().map_err(unreadable("visibility"))?,
            deleted_at: self.deleted_at.unwrap_or_default(),
            purge_after: self.purge_after.unwrap_or_default(),
        })
    }
}

/// The end of a repository.
#[derive(Debug, Clone, Copy)]
pub struct Deletion {
    /// Who wants it; `None` for a machine.
    pub by: Option<AccountId>,
    /// When, in milliseconds since 1970.
    pub at: i64,
    /// From when on its content may be removed.
    pub purge_after: i64,
}

/// Deletes a repository, pending or not; says whether there was one.
pub async fn delete_repository(
    tx: &mut Tx,
    repository_id: RepositoryId,
    deletion: &Deletion,
) -> Result<bool, StoreError> {
    let is_deleted = on!(tx, c => sqlx::query(DELETE_REPOSITORY)
        .bind(repository_id.as_i64()).bind(deletion.by.map(AccountId::as_i64)).bind(deletion.at)
        .bind(deletion.purge_after)
        .execute(c).await.map(|done| done.rows_affected() > 0))
    .map_err(writing("repository"))?;
    if is_deleted {
        refresh(tx, repository_id).await?;
    }
    Ok(is_deleted)
}

/// A deleted repository that can be restored.
pub async fn find_deleted(
    tx: &mut Tx,
    repository_id: RepositoryId,
) -> Result<Option<DeletedRepository>, StoreError> {
    find!(
        "deleted repository",
        tx,
        DeletedRow,
        FIND_DELETED,
        repository_id.as_i64()
    )?
    .map(DeletedRow::into_deleted)
    .transpose()
}

/// At most `limit` deleted repositories of a namespace that can be restored, in the order of their names and ids, those
/// behind `after`.
pub async fn list_deleted(
    tx: &mut Tx,
    namespace_id: NamespaceId,
    after: (&str, i64),
    limit: u32,
) -> Result<Vec<DeletedRepository>, StoreError> {
    list!(
        "deleted repositories",
        tx,
        DeletedRow,
        LIST_DELETED,
        namespace_id.as_i64(),
        after.0,
        after.1,
        i64::from(limit)
    )?
    .into_iter()
    .map(DeletedRow::into_deleted)
    .collect()
}

/// Restores a deleted repository under a name in its namespace; [`StoreError::Conflict`] when the name is taken. Says whether
/// there was one to restore.
pub async fn restore_repository(
    tx: &mut Tx,
    repository_id: RepositoryId,
    name: &RepositoryName,
) -> Result<bool, StoreError> {
    let is_restored =
        on!(tx, c => sqlx::query(RESTORE_REPOSITORY).bind(repository_id.as_i64()).bind(name.as_str())
        .execute(c).await.map(|done| done.rows_affected() > 0))
        .map_err(taking("repository"))?;
    if is_restored {
        refresh(tx, repository_id).await?;
    }
    Ok(is_restored)
}

/// At most `limit` deleted repositories whose content is to be removed by now. They cannot be restored any more, and nobody
/// else is given them before `until_ms`.
pub async fn claim_purges(
    tx: &mut Tx,
    until_ms: i64,
    now_ms: i64,
    limit: u32,
) -> Result<Vec<DeletedRepository>, StoreError> {
    list!(
        "deleted repositories",
        tx,
        DeletedRow,
        CLAIM_PURGES,
        until_ms,
        now_ms,
        i64::from(limit)
    )?
    .into_iter()
    .map(DeletedRow::into_deleted)
    .collect()
}

/// As [`claim_purges`], for one repository, due or not; says whether it could still be restored.
pub async fn claim_purge(
    tx: &mut Tx,
    repository_id: RepositoryId,
    until_ms: i64,
) -> Result<bool, StoreError> {
    on!(tx, c => sqlx::query(CLAIM_PURGE).bind(until_ms).bind(repository_id.as_i64())
        .execute(c).await.map(|done| done.rows_affected() > 0))
    .map_err(writing("repository"))
}

/// Lets the content of a deleted repository be removed once more, after `purge_after`.
pub async fn delay_purge(
    tx: &mut Tx,
    repository_id: RepositoryId,
    purge_after: i64,
) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(DELAY_PURGE).bind(repository_id.as_i64()).bind(purge_after).execute(c).await.map(drop))
        .map_err(writing("repository"))
}

/// The content of a deleted repository is gone for good. Its row stays, so that its storage name is given to no other.
pub async fn end_purge(tx: &mut Tx, repository_id: RepositoryId, now_ms: i64) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(END_PURGE).bind(repository_id.as_i64()).bind(now_ms).execute(c).await.map(drop))
        .map_err(writing("repository"))?;
    on!(tx, c => sqlx::query(REMOVE_ALIASES).bind(repository_id.as_i64()).execute(c).await.map(drop))
        .map_err(writing("former names"))
}
