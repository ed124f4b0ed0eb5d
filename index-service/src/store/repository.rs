//! Repositories.

use super::dialect::{Tx, find, list, on, statements};
use super::error::{StoreError, reading, taking, unreadable, writing};
use super::posting::refresh;
use super::row::row;
use crate::domain::{AccountId, NamespaceId, RepositoryFacts, RepositoryId, RepositoryState, Visibility};
use shared::oci::RepositoryName;

statements! {
    CREATE_REPOSITORY = "insert into repository (repository_id, namespace_id, name, stored_as, visibility, state,
        pending_until, created_by, created_at, confirmed_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        on conflict do nothing";
    FIND_REPOSITORY = "select repository_id, namespace_id, name, stored_as, visibility, state, pending_until
        from repository where name = $1 and state <> 'deleted'";
    FIND_REPOSITORY_BY_ID = "select repository_id, namespace_id, name, stored_as, visibility, state, pending_until
        from repository where repository_id = $1 and state <> 'deleted'";
    FIND_REPOSITORY_BY_ALIAS = "select r.repository_id, r.namespace_id, r.name, r.stored_as, r.visibility, r.state,
        r.pending_until from repository_alias a join repository r on r.repository_id = a.repository_id
        where a.name = $1 and r.state = 'active'";
    IS_STORAGE_NAME = "select repository_id from repository where stored_as = $1";
    PUT_ALIAS = "insert into repository_alias (name, repository_id, created_at) values ($1, $2, $3)
        on conflict (name) do update set repository_id = excluded.repository_id, created_at = excluded.created_at";
    REMOVE_ALIAS = "delete from repository_alias where name = $1";
    COUNT_PENDING = "select count(*) from repository where created_by = $1 and state = 'pending' and pending_until > $2";
    COUNT_PENDING_IN = "select count(*) from repository where namespace_id = $1 and state = 'pending' and pending_until > $2
        and created_by is null";
    CONFIRM_REPOSITORY = "update repository set state = 'active', pending_until = null, confirmed_at = $2
        where stored_as = $1 and state = 'pending'";
    FIND_CONFIRMED = "select repository_id, namespace_id, visibility, created_by from repository where stored_as = $1";
    FIND_STATE = "select state from repository where stored_as = $1";
    PROLONG_PENDING = "update repository set pending_until = $2
        where name = $1 and state <> 'deleted' and state = 'pending' and pending_until < $2";
    LIST_PENDING = "select repository_id, namespace_id, name, stored_as, visibility, state, pending_until
        from repository where state = 'pending' and repository_id > $1 order by repository_id limit $2";
    EXPIRE_PENDING = "delete from repository where state = 'pending' and pending_until <= $1";
    EXPIRE_RULES = "delete from access_rule where repository_id in (select repository_id from repository
        where state = 'pending' and pending_until <= $1)";
    EXPIRE_ALIASES = "delete from repository_alias where repository_id in (select repository_id from repository
        where state = 'pending' and pending_until <= $1)";
    RENAME_REPOSITORY = "update repository set name = $2, namespace_id = $3 where repository_id = $1 and state = 'active'";
    SET_VISIBILITY = "update repository set visibility = $2 where repository_id = $1";
}

row! {
/// A row of `repository`.
pub(super) struct RepositoryRow {
    pub(super) repository_id: i64,
    pub(super) namespace_id: i64,
    pub(super) name: String,
    pub(super) stored_as: String,
    pub(super) visibility: String,
    pub(super) state: String,
    pub(super) pending_until: Option<i64>,
}
}

row! {
struct ConfirmedRow {
    repository_id: i64,
    namespace_id: i64,
    visibility: String,
    created_by: Option<i64>,
}
}

/// A `state` that no version of this program writes.
#[derive(Debug, thiserror::Error)]
#[error("a repository is either pending until a time or active")]
struct InvalidState;

impl RepositoryRow {
    pub(super) fn into_facts(self) -> Result<RepositoryFacts, StoreError> {
        Ok(RepositoryFacts {
            repository_id: RepositoryId::from_i64(self.repository_id),
            namespace_id: NamespaceId::from_i64(self.namespace_id),
            name: self.name.parse().map_err(unreadable("repository name"))?,
            stored_as: self.stored_as.parse().map_err(unreadable("storage name"))?,
            visibility: self.visibility.parse().map_err(unreadable("visibility"))?,
            state: match (self.state.as_str(), self.pending_until) {
                ("active", None) => RepositoryState::Active,
                ("pending", Some(expires_at)) => RepositoryState::Pending { expires_at },
                _ => return Err(unreadable("repository state")(InvalidState)),
            },
        })
    }
}

/// What a new repository starts with.
#[derive(Debug)]
pub struct NewRepository<'a> {
    /// A new id.
    pub repository_id: RepositoryId,
    /// The namespace of its name.
    pub namespace_id: NamespaceId,
    /// Its public name.
    pub name: &'a RepositoryName,
    /// The name under which the registry keeps it: never one that another repository had.
    pub stored_as: &'a RepositoryName,
    /// Who may pull.
    pub visibility: Visibility,
    /// Whose push reserved it; `None` when the registry was found to hold it.
    pub created_by: Option<AccountId>,
}

/// Reserves a name until `pending_until`; [`StoreError::Conflict`] when the name or the storage name is taken.
pub async fn create_pending_repository(
    tx: &mut Tx,
    new: &NewRepository<'_>,
    now_ms: i64,
    pending_until: i64,
) -> Result<(), StoreError> {
    let state = RepositoryState::Pending {
        expires_at: pending_until,
    };
    create_repository(tx, new, state, now_ms).await
}

/// Creates a repository that is known to hold a manifest; [`StoreError::Conflict`] when the name or the storage name
/// is taken.
pub async fn create_active_repository(
    tx: &mut Tx,
    new: &NewRepository<'_>,
    now_ms: i64,
) -> Result<(), StoreError> {
    create_repository(tx, new, RepositoryState::Active, now_ms).await?;
    refresh(tx, new.repository_id).await
}

async fn create_repository(
    tx: &mut Tx,
    new: &NewRepository<'_>,
    state: RepositoryState,
    now_ms: i64,
) -> Result<(), StoreError> {
    let (state, pending_until, confirmed_at) = match state {
        RepositoryState::Pending { expires_at } => ("pending", Some(expires_at), None),
        RepositoryState::Active => ("active", None, Some(now_ms)),
    };
    let created = on!(tx, c => sqlx::query(CREATE_REPOSITORY)
        .bind(new.repository_id.as_i64())
        .bind(new.namespace_id.as_i64())
        .bind(new.name.as_str())
        .bind(new.stored_as.as_str())
        .bind(new.visibility.as_str())
        .bind(state)
        .bind(pending_until)
        .bind(new.created_by.map(AccountId::as_i64))
        .bind(now_ms)
        .bind(confirmed_at)
        .execute(c).await.map(|done| done.rows_affected()))
    .map_err(writing("repository"))?;
    if created == 0 {
        return Err(StoreError::Conflict("repository"));
    }
    Ok(())
}

/// The repository of a public name, pending or not.
pub async fn find_repository(
    tx: &mut Tx,
    name: &RepositoryName,
) -> Result<Option<RepositoryFacts>, StoreError> {
    find!("repository", tx, RepositoryRow, FIND_REPOSITORY, name.as_str())?
        .map(RepositoryRow::into_facts)
        .transpose()
}

/// The repository of an id, pending or not; a deleted one is none.
pub async fn find_repository_by_id(
    tx: &mut Tx,
    repository_id: RepositoryId,
) -> Result<Option<RepositoryFacts>, StoreError> {
    find!(
        "repository",
        tx,
        RepositoryRow,
        FIND_REPOSITORY_BY_ID,
        repository_id.as_i64()
    )?
    .map(RepositoryRow::into_facts)
    .transpose()
}

/// How many names the account's pushes hold reserved at `now_ms`.
pub async fn count_pending(tx: &mut Tx, created_by: AccountId, now_ms: i64) -> Result<i64, StoreError> {
    on!(tx, c => sqlx::query_scalar(COUNT_PENDING).bind(created_by.as_i64()).bind(now_ms).fetch_one(c).await)
        .map_err(reading("repositories"))
}

/// How many names machines hold reserved in a namespace at `now_ms`.
pub async fn count_pending_in(
    tx: &mut Tx,
    namespace_id: NamespaceId,
    now_ms: i64,
) -> Result<i64, StoreError> {
    on!(tx, c => sqlx::query_scalar(COUNT_PENDING_IN).bind(namespace_id.as_i64()).bind(now_ms).fetch_one(c).await)
        .map_err(reading("repositories"))
}

/// Makes a pending repository active, by its storage name; says whether there was one.
pub async fn confirm_repository(
    tx: &mut Tx,
    stored_as: &RepositoryName,
    now_ms: i64,
) -> Result<bool, StoreError> {
    let is_confirmed = on!(tx, c => sqlx::query(CONFIRM_REPOSITORY).bind(stored_as.as_str()).bind(now_ms)
        .execute(c).await.map(|done| done.rows_affected() > 0))
    .map_err(writing("repository"))?;
    if is_confirmed && let Some(confirmed) = find_confirmed(tx, stored_as).await? {
        refresh(tx, confirmed.repository_id).await?;
    }
    Ok(is_confirmed)
}

/// What is written down about a repository that was confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Confirmed {
    /// Its id.
    pub repository_id: RepositoryId,
    /// Its namespace.
    pub namespace_id: NamespaceId,
    /// Who may pull.
    pub visibility: Visibility,
    /// The account whose push reserved it.
    pub created_by: Option<AccountId>,
}

/// The repository of a storage name.
pub async fn find_confirmed(
    tx: &mut Tx,
    stored_as: &RepositoryName,
) -> Result<Option<Confirmed>, StoreError> {
    let Some(row) = find!("repository", tx, ConfirmedRow, FIND_CONFIRMED, stored_as.as_str())? else {
        return Ok(None);
    };
    Ok(Some(Confirmed {
        repository_id: RepositoryId::from_i64(row.repository_id),
        namespace_id: NamespaceId::from_i64(row.namespace_id),
        visibility: row.visibility.parse().map_err(unreadable("visibility"))?,
        created_by: row.created_by.map(AccountId::from_i64),
    }))
}

/// What is known of a storage name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored {
    /// No repository has it or had it.
    Unknown,
    /// That of a repository that awaits its first manifest.
    Pending,
    /// That of an active repository, or of a deleted one.
    Settled,
}

/// Whose storage name this is.
pub async fn find_stored(tx: &mut Tx, stored_as: &RepositoryName) -> Result<Stored, StoreError> {
    let row = find!("storage name", tx, StateRow, FIND_STATE, stored_as.as_str())?;
    Ok(match row {
        None => Stored::Unknown,
        Some(row) if row.state == "pending" => Stored::Pending,
        Some(_) => Stored::Settled,
    })
}

/// Moves the end of a reservation to `pending_until` when that is later; says whether it did.
pub async fn prolong_pending(
    tx: &mut Tx,
    name: &RepositoryName,
    pending_until: i64,
) -> Result<bool, StoreError> {
    on!(tx, c => sqlx::query(PROLONG_PENDING).bind(name.as_str()).bind(pending_until)
        .execute(c).await.map(|done| done.rows_affected() > 0))
    .map_err(writing("repository"))
}

/// At most `limit` pending repositories, the oldest first, those behind `after`.
pub async fn list_pending(
    tx: &mut Tx,
    after: Option<RepositoryId>,
    limit: u32,
) -> Result<Vec<RepositoryFacts>, StoreError> {
    let after = after.map_or(i64::MIN, RepositoryId::as_i64);
    list!(
        "repositories",
        tx,
        RepositoryRow,
        LIST_PENDING,
        after,
        i64::from(limit)
    )?
    .into_iter()
    .map(RepositoryRow::into_facts)
    .collect()
}

/// Frees the names whose reservation has ended by `now_ms`; says how many. What hangs on them goes first.
pub async fn expire_pending(tx: &mut Tx, now_ms: i64) -> Result<u64, StoreError> {
    for text in [EXPIRE_RULES, EXPIRE_ALIASES] {
        on!(tx, c => sqlx::query(text).bind(now_ms).execute(c).await.map(drop))
            .map_err(writing("repositories"))?;
    }
    on!(tx, c => sqlx::query(EXPIRE_PENDING).bind(now_ms).execute(c).await.map(|done| done.rows_affected()))
        .map_err(writing("repositories"))
}

/// Makes a repository public or private; says whether there is such a repository.
pub async fn set_visibility(
    tx: &mut Tx,
    repository_id: RepositoryId,
    visibility: Visibility,
) -> Result<bool, StoreError> {
    let is_set =
        on!(tx, c => sqlx::query(SET_VISIBILITY).bind(repository_id.as_i64()).bind(visibility.as_str())
        .execute(c).await.map(|done| done.rows_affected() > 0))
        .map_err(writing("repository"))?;
    if is_set {
        refresh(tx, repository_id).await?;
    }
    Ok(is_set)
}

/// Gives an active repository another name, in the same namespace or another; [`StoreError::Conflict`] when the name is
/// taken. Says whether there is such a repository.
pub async fn rename_repository(
    tx: &mut Tx,
    repository_id: RepositoryId,
    name: &RepositoryName,
    namespace_id: NamespaceId,
) -> Result<bool, StoreError> {
    let is_renamed = on!(tx, c => sqlx::query(RENAME_REPOSITORY)
        .bind(repository_id.as_i64()).bind(name.as_str()).bind(namespace_id.as_i64())
        .execute(c).await.map(|done| done.rows_affected() > 0))
    .map_err(taking("repository"))?;
    if is_renamed {
        refresh(tx, repository_id).await?;
    }
    Ok(is_renamed)
}

/// The repository that once had this name, when none has it now.
pub async fn find_repository_by_former_name(
    tx: &mut Tx,
    name: &RepositoryName,
) -> Result<Option<RepositoryFacts>, StoreError> {
    find!(
        "repository",
        tx,
        RepositoryRow,
        FIND_REPOSITORY_BY_ALIAS,
        name.as_str()
    )?
    .map(RepositoryRow::into_facts)
    .transpose()
}

row! {
struct StateRow {
    state: String,
}
}

row! {
struct IdRow {
    repository_id: i64,
}
}

/// The storage name of a new repository: its public name, unless another repository, living or dead, has its content
/// under it.
pub async fn choose_storage_name(
    tx: &mut Tx,
    name: &RepositoryName,
    repository_id: RepositoryId,
) -> Result<RepositoryName, StoreError> {
    let taken = find!("storage name", tx, IdRow, IS_STORAGE_NAME, name.as_str())?;
    if taken.is_none_or(|row| row.repository_id == repository_id.as_i64()) {
        return Ok(name.clone());
    }
    RepositoryFacts::storage_name(repository_id).map_err(unreadable("storage name"))
}

/// Lets a repository be pulled by a former name.
pub async fn put_alias(
    tx: &mut Tx,
    name: &RepositoryName,
    repository_id: RepositoryId,
    now_ms: i64,
) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(PUT_ALIAS).bind(name.as_str()).bind(repository_id.as_i64()).bind(now_ms)
        .execute(c).await.map(drop))
    .map_err(writing("former name"))
}

/// Ends a former name, since a repository takes it or nobody should use it; says whether it was one.
pub async fn remove_alias(tx: &mut Tx, name: &RepositoryName) -> Result<bool, StoreError> {
    on!(tx, c => sqlx::query(REMOVE_ALIAS).bind(name.as_str())
        .execute(c).await.map(|done| done.rows_affected() > 0))
    .map_err(writing("former name"))
}
