//! Repositories: reserved by a granted push, confirmed by the first manifest, made public or private.

use shared::oci::RepositoryName;

use super::App;
use super::access::Seen;
use super::audit::{By, Change};
use super::caller::Caller;
use super::error::AppError;
use crate::domain::webhook::Facts;
use crate::domain::{
    AccountId, AuditAction, EventKind, NamespaceFacts, NamespaceId, NamespaceName, Principal,
    RepositoryFacts, RepositoryId, RepositoryState, Right, Rights, TargetKind, Username, Visibility, decide,
};
use crate::store::access::find_known;
use crate::store::repository::Stored;
use crate::store::{StoreError, Tx, account, listing, namespace, repository};

/// How long a reservation lasts, in milliseconds: a day.
pub const PENDING_LIFE_MS: i64 = 86_400_000;
/// Most names that one account's pushes may hold reserved.
pub const MAX_PENDING: i64 = 50;
/// A reservation is prolonged once this much of it is left, in milliseconds, so that not every push writes.
const PENDING_RENEWAL_MS: i64 = PENDING_LIFE_MS / 2;

/// What became of a reservation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reservation {
    /// This is the repository of that name now.
    Held(RepositoryFacts),
    /// The account, or the namespace of a machine, holds [`MAX_PENDING`] names that were never pushed to; none is added.
    TooMany,
    /// The namespace holds as many repositories as it may, in words; none is added.
    Full(String),
}

impl App {
    /// Reserves the name of a push that was granted to the principal: until its first manifest it exists for its owner
    /// alone. A name that has a repository keeps it; from one that had it before it is taken.
    pub async fn reserve(
        &self,
        principal: &Principal,
        name: &RepositoryName,
    ) -> Result<Reservation, AppError> {
        let now = self.clock.now_ms();
        let until = now + PENDING_LIFE_MS;
        let created_by = principal.account_id();
        let mut tx = self.store.write().await?;
        let namespace = namespace::find_namespace(&mut tx, &NamespaceName::from(name))
            .await?
            .ok_or_else(|| not_found(name))?;
        // Two pushes of one account at once must not both take the last free place.
        match created_by {
            Some(account_id) => account::lock_account(&mut tx, account_id).await?,
            None => namespace::lock_namespace(&mut tx, namespace.namespace_id).await?,
        }
        if repository::find_repository(&mut tx, name).await?.is_some() {
            repository::prolong_pending(&mut tx, name, until).await?;
        } else {
            let pending = match created_by {
                Some(account_id) => repository::count_pending(&mut tx, account_id, now).await?,
                None => repository::count_pending_in(&mut tx, namespace.namespace_id, now).await?,
            };
            if pending >= MAX_PENDING {
                return Ok(Reservation::TooMany);
            }
            if let Some(lack) = self.lack_of_repositories(&mut tx, &namespace).await? {
                return Ok(Reservation::Full(lack));
            }
            let new = self.new_repository(&mut tx, &namespace, name, created_by).await?;
            match repository::create_pending_repository(&mut tx, &new.as_new(name), now, until).await {
                // Another owner of the namespace was first.
                Ok(()) | Err(StoreError::Conflict(_)) => {}
                Err(error) => return Err(error.into()),
            }
            repository::remove_alias(&mut tx, name).await?;
        }
        let facts = repository::find_repository(&mut tx, name)
            .await?
            .ok_or_else(|| not_found(name))?;
        tx.commit().await?;
        Ok(Reservation::Held(facts))
    }

    async fn new_repository(
        &self,
        tx: &mut Tx,
        namespace: &NamespaceFacts,
        name: &RepositoryName,
        created_by: Option<AccountId>,
    ) -> Result<Beginning, AppError> {
        let repository_id = self.new_id(RepositoryId::new);
        Ok(Beginning {
            repository_id,
            namespace_id: namespace.namespace_id,
            stored_as: repository::choose_storage_name(tx, name, repository_id).await?,
            visibility: namespace.default_visibility,
            created_by,
        })
    }

    /// Whether a granted push of this repository should prolong its reservation.
    pub(super) fn is_renewal_due(&self, repository: &RepositoryFacts) -> bool {
        match repository.state {
            RepositoryState::Pending { expires_at } => expires_at - self.clock.now_ms() < PENDING_RENEWAL_MS,
            RepositoryState::Active => false,
        }
    }

    /// The registry accepted a manifest for a repository that is stored under its own name; see [`App::confirm_stored`].
    pub async fn confirm_pushed(&self, name: &RepositoryName) -> Result<bool, AppError> {
        self.confirm_stored(name, name, None).await
    }

    /// The registry accepted a manifest that was pushed to `name` and is stored under `stored_as`: that repository is no
    /// longer pending, whatever it is called by now. One that the index does not know, since its reservation has ended, is
    /// taken in as a push would make it. `pusher` is whom its token names (`sub`), where that is known. Says whether anything
    /// changed; cheap when nothing does.
    pub async fn confirm_stored(
        &self,
        name: &RepositoryName,
        stored_as: &RepositoryName,
        pusher: Option<&str>,
    ) -> Result<bool, AppError> {
        let mut tx = self.store.read().await?;
        let known = repository::find_stored(&mut tx, stored_as).await?;
        drop(tx);
        if known == Stored::Settled {
            return Ok(false);
        }
        let now = self.clock.now_ms();
        let mut tx = self.store.write().await?;
        let changed = repository::confirm_repository(&mut tx, stored_as, now).await?
            || (name == stored_as && self.take_in(&mut tx, name, now).await?);
        if changed {
            self.audit_push(&mut tx, name, stored_as, pusher).await?;
        }
        tx.commit().await?;
        Ok(changed)
    }

    /// Writes down that a push made a repository.
    async fn audit_push(
        &self,
        tx: &mut Tx,
        name: &RepositoryName,
        stored_as: &RepositoryName,
        pusher: Option<&str>,
    ) -> Result<(), AppError> {
        let Some(made) = repository::find_confirmed(tx, stored_as).await? else {
            return Ok(());
        };
        let mut change = Change::new(AuditAction::RepositoryPush, TargetKind::Repository, name)
            .id(made.repository_id.as_i64())
            .after(serde_json::json!({ "visibility": made.visibility.as_str() }));
        if let Some(namespace) = namespace::find_namespace_by_id(tx, made.namespace_id).await? {
            change = change.within(&namespace);
        }
        // A robot reserves names for nobody.
        let account = match (pusher.map(str::parse::<Username>), made.created_by) {
            (Some(Ok(username)), _) => account::find_account(tx, &username).await?,
            (None, Some(id)) => account::find_account_by_id(tx, id).await?,
            _ => None,
        };
        let (by, actor) = match (&account, pusher.filter(|name| name.contains('+'))) {
            (Some(account), _) => (By::Account(account), account.username.as_str()),
            (None, Some(robot)) => (By::Robot(robot), robot),
            (None, None) => (By::Service, ""),
        };
        let facts = Facts::about(made.repository_id, name, self.clock.now_ms(), actor);
        self.tell(tx, made.repository_id, EventKind::RepositoryCreated, facts)
            .await?;
        self.audit(tx, by, change).await
    }

    /// Adds a repository that the registry holds and the index does not know, when its namespace exists.
    async fn take_in(&self, tx: &mut Tx, name: &RepositoryName, now_ms: i64) -> Result<bool, AppError> {
        // What is stored under a name that is another's by now was pushed with a token from before.
        if repository::find_stored(tx, name).await? != Stored::Unknown
            || repository::find_repository(tx, name).await?.is_some()
        {
            return Ok(false);
        }
        let Some(namespace) = namespace::find_namespace(tx, &NamespaceName::from(name)).await? else {
            return Ok(false);
        };
        let new = self.new_repository(tx, &namespace, name, None).await?;
        match repository::create_active_repository(tx, &new.as_new(name), now_ms).await {
            Ok(()) => {
                repository::remove_alias(tx, name).await?;
                Ok(true)
            }
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
        let change = Change::new(AuditAction::RepositoryVisibility, TargetKind::Repository, name)
            .id(facts.repository_id.as_i64())
            .before(serde_json::json!({ "visibility": facts.visibility.as_str() }))
            .after(serde_json::json!({ "visibility": visibility.as_str() }));
        self.audit(&mut tx, By::Machine, change).await?;
        self.tell_of_visibility(&mut tx, &facts, visibility, "").await?;
        tx.commit().await?;
        self.forget_shelves();
        Ok(())
    }

    async fn tell_of_visibility(
        &self,
        tx: &mut Tx,
        before: &RepositoryFacts,
        visibility: Visibility,
        actor: &str,
    ) -> Result<(), AppError> {
        if before.visibility == visibility {
            return Ok(());
        }
        let (id, now) = (before.repository_id, self.clock.now_ms());
        let facts = Facts {
            visibility: Some(visibility.to_string()),
            visibility_before: Some(before.visibility.to_string()),
            ..Facts::about(id, &before.name, now, actor)
        };
        self.tell(tx, id, EventKind::RepositoryVisibility, facts).await
    }

    /// Makes a repository that holds nothing yet. Whoever may push to the name may; with another visibility than that of the
    /// namespace, whoever would administer it.
    pub async fn create_repository(
        &self,
        caller: &Caller,
        name: &RepositoryName,
        visibility: Option<Visibility>,
    ) -> Result<Shown, AppError> {
        let principal = caller.principal();
        let mut tx = self.store.write().await?;
        let known = find_known(&mut tx, &principal, name).await?;
        let facts = known
            .surroundings
            .facts(known.repository.as_ref(), self.clock.now_ms());
        let rights = decide(&principal, &facts, name, Rights::ALL).granted;
        let namespace = known
            .surroundings
            .namespace
            .as_ref()
            .filter(|_| rights.contains(Right::Push))
            .ok_or(AppError::Forbidden("you may not make repositories of this name"))?;
        let visibility = visibility.unwrap_or(namespace.default_visibility);
        if visibility != namespace.default_visibility && !rights.contains(Right::Administer) {
            return Err(AppError::Forbidden(
                "only those who administer repositories here choose another visibility than the namespace's",
            ));
        }
        self.check_repositories(&mut tx, namespace).await?;
        let mut new = self
            .new_repository(&mut tx, namespace, name, principal.account_id())
            .await?;
        new.visibility = visibility;
        repository::create_active_repository(&mut tx, &new.as_new(name), self.clock.now_ms()).await?;
        repository::remove_alias(&mut tx, name).await?;
        let change = Change::new(AuditAction::RepositoryCreate, TargetKind::Repository, name)
            .id(new.repository_id.as_i64())
            .within(namespace)
            .after(serde_json::json!({ "visibility": visibility.as_str() }));
        self.audit(&mut tx, By::Caller(caller), change).await?;
        let shown = self.see_by_id(&mut tx, &principal, new.repository_id).await?;
        self.tell_about(
            &mut tx,
            EventKind::RepositoryCreated,
            &shown.facts,
            &caller.name(),
        )
        .await?;
        tx.commit().await?;
        Ok(shown.into())
    }

    /// A repository, for whoever may know of it.
    pub async fn show_repository(
        &self,
        caller: &Caller,
        repository_id: RepositoryId,
    ) -> Result<Shown, AppError> {
        let mut tx = self.store.read().await?;
        let seen = self
            .see_by_id(&mut tx, &caller.principal(), repository_id)
            .await?;
        Ok(seen.into())
    }

    /// The repository of a name, present or former, for whoever may know of it.
    pub async fn find_named(&self, caller: &Caller, name: &RepositoryName) -> Result<Shown, AppError> {
        let mut tx = self.store.read().await?;
        Ok(self.see(&mut tx, &caller.principal(), name).await?.into())
    }

    /// Lets others see a repository, or fewer. By whoever administers it.
    pub async fn change_visibility(
        &self,
        caller: &Caller,
        repository_id: RepositoryId,
        visibility: Visibility,
    ) -> Result<Shown, AppError> {
        let principal = caller.principal();
        let mut tx = self.store.write().await?;
        let seen = self
            .see_by_id(&mut tx, &principal, repository_id)
            .await?
            .with(Right::Administer)?;
        active(&seen.facts)?;
        repository::set_visibility(&mut tx, repository_id, visibility).await?;
        let name = &seen.facts.name;
        let mut change = Change::new(AuditAction::RepositoryVisibility, TargetKind::Repository, name)
            .id(repository_id.as_i64())
            .before(serde_json::json!({ "visibility": seen.facts.visibility.as_str() }))
            .after(serde_json::json!({ "visibility": visibility.as_str() }));
        if let Some(namespace) = &seen.surroundings.namespace {
            change = change.within(namespace);
        }
        self.audit(&mut tx, By::Caller(caller), change).await?;
        self.tell_of_visibility(&mut tx, &seen.facts, visibility, &caller.name())
            .await?;
        let seen = self.see_by_id(&mut tx, &principal, repository_id).await?;
        tx.commit().await?;
        self.forget_shelves();
        Ok(seen.into())
    }

    /// What becomes of repositories that are made in a namespace. By whoever administers it.
    pub async fn change_default_visibility(
        &self,
        caller: &Caller,
        name: &NamespaceName,
        visibility: Visibility,
    ) -> Result<NamespaceFacts, AppError> {
        let mut tx = self.store.write().await?;
        let before = self.administered_namespace(&mut tx, caller, name).await?;
        namespace::set_default_visibility(&mut tx, before.namespace_id, visibility).await?;
        let change = Change::new(AuditAction::NamespaceVisibility, TargetKind::Namespace, name)
            .id(before.namespace_id.as_i64())
            .within(&before)
            .before(serde_json::json!({ "default_visibility": before.default_visibility.as_str() }))
            .after(serde_json::json!({ "default_visibility": visibility.as_str() }));
        self.audit(&mut tx, By::Caller(caller), change).await?;
        tx.commit().await?;
        Ok(NamespaceFacts {
            default_visibility: visibility,
            ..before
        })
    }

    /// A namespace, for whoever administers it.
    pub async fn show_namespace(
        &self,
        caller: &Caller,
        name: &NamespaceName,
    ) -> Result<NamespaceFacts, AppError> {
        let mut tx = self.store.read().await?;
        self.administered_namespace(&mut tx, caller, name).await
    }

    /// At most `limit` repositories of a namespace behind `after` that the principal may pull, in the order of their names.
    /// What there is not has none.
    pub async fn list_visible_in(
        &self,
        principal: &Principal,
        name: &NamespaceName,
        after: &str,
        limit: u32,
    ) -> Result<Vec<RepositoryFacts>, AppError> {
        let mut tx = self.store.read().await?;
        let Some(namespace) = namespace::find_namespace(&mut tx, name).await? else {
            return Ok(Vec::new());
        };
        let page = (after, limit);
        let now = self.clock.now_ms();
        Ok(listing::list_visible_in(&mut tx, principal, namespace.namespace_id, page, now).await?)
    }

    /// At most `limit` repositories behind `after` that the principal may pull, in the order of their names.
    pub async fn list_visible(
        &self,
        principal: &Principal,
        after: &str,
        limit: u32,
    ) -> Result<Vec<RepositoryFacts>, AppError> {
        let mut tx = self.store.read().await?;
        Ok(listing::list_visible_repositories(&mut tx, principal, after, limit, self.clock.now_ms()).await?)
    }
}

/// A repository as somebody may see it.
#[derive(Debug, Clone)]
pub struct Shown {
    /// The repository.
    pub facts: RepositoryFacts,
    /// What they may do with it.
    pub rights: Rights,
}

impl From<Seen> for Shown {
    fn from(seen: Seen) -> Self {
        Self {
            rights: seen.rights(),
            facts: seen.facts,
        }
    }
}

/// A repository to which something was pushed; an error for one that awaits that.
pub(super) fn active(facts: &RepositoryFacts) -> Result<(), AppError> {
    match facts.state {
        RepositoryState::Active => Ok(()),
        RepositoryState::Pending { .. } => Err(not_found(&facts.name)),
    }
}

/// What a new repository begins with, its name apart.
struct Beginning {
    repository_id: RepositoryId,
    namespace_id: NamespaceId,
    stored_as: RepositoryName,
    visibility: Visibility,
    created_by: Option<AccountId>,
}

impl Beginning {
    fn as_new<'a>(&'a self, name: &'a RepositoryName) -> repository::NewRepository<'a> {
        repository::NewRepository {
            repository_id: self.repository_id,
            namespace_id: self.namespace_id,
            name,
            stored_as: &self.stored_as,
            visibility: self.visibility,
            created_by: self.created_by,
        }
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
