//! Repositories.

use shared::oci::RepositoryName;
use shared::token::{Action, Actions};

use super::dialect::{Tx, find, list, on, statements};
use super::error::{StoreError, reading, unreadable, writing};
use super::row::row;
use crate::domain::{
    AccountId, Ceiling, NamespaceId, Principal, RepositoryFacts, RepositoryId, RepositoryPattern,
    RepositoryState, Visibility,
};

statements! {
    CREATE_REPOSITORY = "insert into repository (repository_id, namespace_id, name, stored_as, visibility, state,
        pending_until, created_by, created_at, confirmed_at) values ($1, $2, $3, $4, 'private', $5, $6, $7, $8, $9)
        on conflict do nothing";
    FIND_REPOSITORY = "select repository_id, namespace_id, name, stored_as, visibility, state, pending_until
        from repository where name = $1";
    COUNT_PENDING = "select count(*) from repository where created_by = $1 and state = 'pending' and pending_until > $2";
    CONFIRM_REPOSITORY = "update repository set state = 'active', pending_until = null, confirmed_at = $2
        where name = $1 and state = 'pending'";
    PROLONG_PENDING = "update repository set pending_until = $2
        where name = $1 and state = 'pending' and pending_until < $2";
    LIST_PENDING = "select repository_id, namespace_id, name, stored_as, visibility, state, pending_until
        from repository where state = 'pending' and repository_id > $1 order by repository_id limit $2";
    EXPIRE_PENDING = "delete from repository where state = 'pending' and pending_until <= $1";
    SET_VISIBILITY = "update repository set visibility = $2 where repository_id = $1";
    /// Ownership is a look-up for each candidate, so that names are walked in their order and a page ends early.
    LIST_VISIBLE = "select r.repository_id, r.namespace_id, r.name, r.stored_as, r.visibility, r.state, r.pending_until
        from repository r
        where r.state = 'active' and r.name > $1
          and ((r.name >= $2 and r.name < $3) or (r.name >= $4 and r.name < $5 and r.name not like '%/%'))
          and (r.visibility = 'public' or exists (select 1 from namespace n where n.namespace_id = r.namespace_id
               and (n.account_id = $6 or (n.account_id is null and $7))))
        order by r.name limit $8";
}

row! {
struct RepositoryRow {
    repository_id: i64,
    namespace_id: i64,
    name: String,
    stored_as: String,
    visibility: String,
    state: String,
    pending_until: Option<i64>,
}
}

/// A `state` that no version of this program writes.
#[derive(Debug, thiserror::Error)]
#[error("a repository is either pending until a time or active")]
struct InvalidState;

impl RepositoryRow {
    fn into_facts(self) -> Result<RepositoryFacts, StoreError> {
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

/// What a new repository starts with. It is private.
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
    create_repository(tx, new, RepositoryState::Active, now_ms).await
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

/// How many names the account's pushes hold reserved at `now_ms`.
pub async fn count_pending(tx: &mut Tx, created_by: AccountId, now_ms: i64) -> Result<i64, StoreError> {
    on!(tx, c => sqlx::query_scalar(COUNT_PENDING).bind(created_by.as_i64()).bind(now_ms).fetch_one(c).await)
        .map_err(reading("repositories"))
}

/// Makes a pending repository active; says whether there was one.
pub async fn confirm_repository(tx: &mut Tx, name: &RepositoryName, now_ms: i64) -> Result<bool, StoreError> {
    on!(tx, c => sqlx::query(CONFIRM_REPOSITORY).bind(name.as_str()).bind(now_ms)
        .execute(c).await.map(|done| done.rows_affected() > 0))
    .map_err(writing("repository"))
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

/// Frees the names whose reservation has ended by `now_ms`; says how many.
pub async fn expire_pending(tx: &mut Tx, now_ms: i64) -> Result<u64, StoreError> {
    on!(tx, c => sqlx::query(EXPIRE_PENDING).bind(now_ms).execute(c).await.map(|done| done.rows_affected()))
        .map_err(writing("repositories"))
}

/// Makes a repository public or private; says whether there is such a repository.
pub async fn set_visibility(
    tx: &mut Tx,
    repository_id: RepositoryId,
    visibility: Visibility,
) -> Result<bool, StoreError> {
    on!(tx, c => sqlx::query(SET_VISIBILITY).bind(repository_id.as_i64()).bind(visibility.as_str())
        .execute(c).await.map(|done| done.rows_affected() > 0))
    .map_err(writing("repository"))
}

/// At most `limit` active repositories that `principal` may pull, in the order of their names (of bytes), those behind
/// `after` (empty for the first page). Tells the same as [`crate::domain::decide`], in the SQL, so that pages are full.
pub async fn list_visible_repositories(
    tx: &mut Tx,
    principal: &Principal,
    after: &str,
    limit: u32,
) -> Result<Vec<RepositoryFacts>, StoreError> {
    let Some(view) = View::of(principal) else {
        return Ok(Vec::new());
    };
    let ranges = view.pattern.ranges();
    list!(
        "repositories",
        tx,
        RepositoryRow,
        LIST_VISIBLE,
        after,
        ranges.names.0,
        ranges.names.1,
        ranges.one_segment.0,
        ranges.one_segment.1,
        view.account_id,
        view.is_admin,
        i64::from(limit)
    )?
    .into_iter()
    .map(RepositoryRow::into_facts)
    .collect()
}

/// What a list needs to know of its reader.
struct View {
    account_id: Option<i64>,
    is_admin: bool,
    pattern: RepositoryPattern,
}

impl View {
    /// `None` for a reader who sees nothing.
    fn of(principal: &Principal) -> Option<Self> {
        match principal {
            Principal::Anonymous => Some(Self {
                account_id: None,
                is_admin: false,
                pattern: RepositoryPattern::every(),
            }),
            Principal::Account(account) if account.is_disabled => None,
            Principal::Account(account) => {
                let pattern = match &account.ceiling {
                    Ceiling::Full => RepositoryPattern::every(),
                    Ceiling::Limited { actions, pattern }
                        if actions.covers(Actions::NONE.with(Action::Pull)) =>
                    {
                        pattern.clone()
                    }
                    Ceiling::Limited { .. } => return None,
                };
                Some(Self {
                    account_id: Some(account.account_id.as_i64()),
                    is_admin: account.is_admin,
                    pattern,
                })
            }
        }
    }
}
