//! Repositories: reserved by a granted push, confirmed by the first manifest, made public or private.

use shared::oci::RepositoryName;

use super::App;
use super::error::AppError;
use crate::domain::{
    AccountId, NamespaceName, Principal, RepositoryFacts, RepositoryId, RepositoryState, Visibility,
};
use crate::store::{StoreError, Tx, account, namespace, repository};

/// How long a reservation lasts, in milliseconds: a day.
pub const PENDING_LIFE_MS: i64 = 86_400_000;
/// Most names that one account's pushes may hold reserved.
pub const MAX_PENDING: i64 = 50;
/// A reservation is prolonged once this much of it is left, in milliseconds, so that not every push writes.
const PENDING_RENEWAL_MS: i64 = PENDING_LIFE_MS / 2;

/// What became of a reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reservation {
    /// There is a repository of that name now.
    Held,
    /// The account holds [`MAX_PENDING`] names that were never pushed to; none is added.
    TooMany,
}

impl App {
    /// Reserves the name of a push that was granted to the account: until its first manifest it exists for its owner
    /// alone. A name that has a repository keeps it.
    pub async fn reserve(
        &self,
        account_id: AccountId,
        name: &RepositoryName,
    ) -> Result<Reservation, AppError> {
        let now = self.clock.now_ms();
        let until = now + PENDING_LIFE_MS;
        let mut tx = self.store.write().await?;
        // Two pushes of one account at once must not both take the last free place.
        account::lock_account(&mut tx, account_id).await?;
        if repository::find_repository(&mut tx, name).await?.is_some() {
            repository::prolong_pending(&mut tx, name, until).await?;
        } else {
            if repository::count_pending(&mut tx, account_id, now).await? >= MAX_PENDING {
                return Ok(Reservation::TooMany);
            }
            let namespace = namespace::find_namespace(&mut tx, &NamespaceName::from(name))
                .await?
                .ok_or_else(|| not_found(name))?;
            let new = repository::NewRepository {
                repository_id: self.new_id(RepositoryId::new),
                namespace_id: namespace.namespace_id,
                name,
                stored_as: name,
                created_by: Some(account_id),
            };
            match repository::create_pending_repository(&mut tx, &new, now, until).await {
                // Another owner of the namespace was first.
                Ok(()) | Err(StoreError::Conflict(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        tx.commit().await?;
        Ok(Reservation::Held)
    }

    /// Whether a granted push of this repository should prolong its reservation.
    pub(super) fn is_renewal_due(&self, repository: &RepositoryFacts) -> bool {
        match repository.state {
            RepositoryState::Pending { expires_at } => expires_at - self.clock.now_ms() < PENDING_RENEWAL_MS,
            RepositoryState::Active => false,
        }
    }

    /// The registry accepted a manifest: the repository is no longer pending. One that the index does not know, since its
    /// reservation has ended, is taken in as private. Says whether anything changed; cheap when nothing does.
    pub async fn confirm_pushed(&self, name: &RepositoryName) -> Result<bool, AppError> {
        let mut tx = self.store.read().await?;
        let known = repository::find_repository(&mut tx, name).await?;
        drop(tx);
        if known.is_some_and(|facts| facts.state == RepositoryState::Active) {
            return Ok(false);
        }
        let now = self.clock.now_ms();
        let mut tx = self.store.write().await?;
        let changed = repository::confirm_repository(&mut tx, name, now).await?
            || self.take_in(&mut tx, name, now).await?;
        tx.commit().await?;
        Ok(changed)
    }

    /// Adds a repository that the registry holds and the index does not know, when its namespace exists.
    async fn take_in(&self, tx: &mut Tx, name: &RepositoryName, now_ms: i64) -> Result<bool, AppError> {
        let Some(namespace) = namespace::find_namespace(tx, &NamespaceName::from(name)).await? else {
            return Ok(false);
        };
        let new = repository::NewRepository {
            repository_id: self.new_id(RepositoryId::new),
            namespace_id: namespace.namespace_id,
            name,
            stored_as: name,
            created_by: None,
        };
        match repository::create_active_repository(tx, &new, now_ms).await {
            Ok(()) => Ok(true),
            Err(StoreError::Conflict(_)) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// At most `limit` pending repositories behind `after`, the oldest first: what is to be looked up in the registry.
    pub async fn list_pending(
        &self,
        after: Option<RepositoryId>,
        limit: u32,
    ) -> Result<Vec<RepositoryFacts>, AppError> {
        let mut tx = self.store.read().await?;
        Ok(repository::list_pending(&mut tx, after, limit).await?)
    }

    /// Frees the names whose reservation has ended; says how many.
    pub async fn expire_pending(&self) -> Result<u64, AppError> {
        let now = self.clock.now_ms();
        let mut tx = self.store.write().await?;
        let freed = repository::expire_pending(&mut tx, now).await?;
        tx.commit().await?;
        Ok(freed)
    }

    /// Makes a repository public or private, in one transaction.
    pub async fn set_visibility(
        &self,
        name: &RepositoryName,
        visibility: Visibility,
    ) -> Result<(), AppError> {
        let mut tx = self.store.write().await?;
        let facts = repository::find_repository(&mut tx, name).await?;
        let facts = facts
            .filter(|facts| facts.state == RepositoryState::Active)
            .ok_or_else(|| not_found(name))?;
        repository::set_visibility(&mut tx, facts.repository_id, visibility).await?;
        Ok(tx.commit().await?)
    }

    /// At most `limit` repositories behind `after` that the principal may pull, in the order of their names.
    pub async fn list_visible(
        &self,
        principal: &Principal,
        after: &str,
        limit: u32,
    ) -> Result<Vec<RepositoryFacts>, AppError> {
        let mut tx = self.store.read().await?;
        Ok(repository::list_visible_repositories(&mut tx, principal, after, limit).await?)
    }
}

fn not_found(name: &RepositoryName) -> AppError {
    AppError::NotFound(format!(
        "there is no repository {name}: push an image to it first"
    ))
}

#[cfg(test)]
#[path = "repository/tests.rs"]
mod tests;
