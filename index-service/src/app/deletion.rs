//! The end of a repository: refused to everybody at once, restorable for a while, then its content is removed.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use serde_json::json;
use shared::oci::RepositoryName;
use shared::token::access::Resource;
use shared::token::{AccessEntry, Action, Actions};

use super::App;
use super::audit::{By, Change};
use super::caller::Caller;
use super::error::AppError;
use super::login::Login;
use crate::domain::repository::DeletedRepository;
use crate::domain::{
    AuditAction, EventKind, NamespaceFacts, NamespaceName, RepositoryFacts, RepositoryId, RepositoryState,
    Right, TargetKind,
};
use crate::store::deletion::{self, Deletion};
use crate::store::{Tx, namespace, repository, rule};

/// How long one replica has for what it claimed, in milliseconds.
const CLAIM_MS: i64 = 120_000;
/// Repositories that are claimed at once.
const BATCH: u32 = 10;
/// After the end of the last token that could push, in milliseconds: clocks differ, and uploads take their time.
const AFTER_TOKENS_MS: i64 = 3_600_000;

/// Why content could not be removed.
pub type NotPurged = Box<dyn std::error::Error + Send + Sync>;

fn missing() -> AppError {
    AppError::NotFound("there is no such deleted repository".to_owned())
}

type Removal = Pin<Box<dyn Future<Output = Result<(), NotPurged>> + Send>>;

/// Removes what lies under a storage name, where the registry runs in this process.
pub struct Purge(Box<dyn Fn(RepositoryName) -> Removal + Send + Sync>);

impl Purge {
    /// By calling this; what is gone already is no error.
    pub fn new(remove: impl Fn(RepositoryName) -> Removal + Send + Sync + 'static) -> Self {
        Self(Box::new(remove))
    }
}

impl fmt::Debug for Purge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Purge")
    }
}

const NOT_YOURS: AppError = AppError::Forbidden("this is for those who administer the namespace");

impl App {
    /// Deletes a repository: from now on it is refused to everybody, and its name is free. Says until when it can be
    /// restored, in milliseconds since 1970.
    pub async fn delete_repository(
        &self,
        caller: &Caller,
        repository_id: RepositoryId,
    ) -> Result<i64, AppError> {
        let now = self.clock.now_ms();
        let mut tx = self.store.write().await?;
        let seen = self
            .see_by_id(&mut tx, &caller.principal(), repository_id)
            .await?
            .with(Right::Administer)?;
        let end = Deletion {
            by: caller.principal().account_id(),
            at: now,
            purge_after: now.saturating_add(self.current().restore_delay_ms),
        };
        deletion::delete_repository(&mut tx, repository_id, &end).await?;
        let mut change = Change::new(
            AuditAction::RepositoryDelete,
            TargetKind::Repository,
            &seen.facts.name,
        )
        .id(repository_id.as_i64())
        .after(json!({"restorable_until": end.purge_after}));
        if let Some(namespace) = &seen.surroundings.namespace {
            change = change.within(namespace);
        }
        self.audit(&mut tx, By::Caller(caller), change).await?;
        if seen.facts.state == RepositoryState::Active {
            self.tell_about(&mut tx, EventKind::RepositoryDeleted, &seen.facts, &caller.name())
                .await?;
        }
        tx.commit().await?;
        self.forget_shelves();
        Ok(end.purge_after)
    }

    /// Restores a deleted repository, under another name of its namespace if the caller wants that.
    pub async fn restore_repository(
        &self,
        caller: &Caller,
        repository_id: RepositoryId,
        name: Option<&RepositoryName>,
    ) -> Result<RepositoryFacts, AppError> {
        let mut tx = self.store.write().await?;
        let (deleted, namespace) = self.find_deleted(&mut tx, caller, repository_id).await?;
        let name = name.unwrap_or(&deleted.name);
        if name.namespace() != namespace.name.as_str() {
            return Err(AppError::Invalid(
                "a repository is restored into the namespace that it was in; transfer it afterwards"
                    .to_owned(),
            ));
        }
        if repository::find_repository(&mut tx, name).await?.is_some() {
            return Err(AppError::Conflict(format!(
                "the name {name} is taken: restore the repository under another one"
            )));
        }
        self.check_repositories(&mut tx, &namespace).await?;
        if !deletion::restore_repository(&mut tx, repository_id, name).await? {
            return Err(missing());
        }
        repository::remove_alias(&mut tx, name).await?;
        let facts = repository::find_repository_by_id(&mut tx, repository_id)
            .await?
            .ok_or_else(missing)?;
        let change = Change::new(AuditAction::RepositoryRestore, TargetKind::Repository, name)
            .id(repository_id.as_i64())
            .within(&namespace)
            .before(json!({"name": deleted.name.as_str()}));
        self.audit(&mut tx, By::Caller(caller), change).await?;
        self.tell_about(&mut tx, EventKind::RepositoryRestored, &facts, &caller.name())
            .await?;
        tx.commit().await?;
        Ok(facts)
    }

    /// Has the content of a deleted repository removed now, without waiting for the end of its delay. It cannot be restored any
    /// more, also when the registry is away, or is not asked by this process: then its content goes later.
    pub async fn purge_repository(
        &self,
        caller: &Caller,
        repository_id: RepositoryId,
    ) -> Result<(), AppError> {
        let mut tx = self.store.write().await?;
        let (deleted, namespace) = self.find_deleted(&mut tx, caller, repository_id).await?;
        // Where no registry can be asked, whoever can finds it due at once.
        let claim = if self.can_purge() { CLAIM_MS } else { 0 };
        let until = self.clock.now_ms().saturating_add(claim);
        if !deletion::claim_purge(&mut tx, repository_id, until).await? {
            return Err(missing());
        }
        let change = Change::new(
            AuditAction::RepositoryPurge,
            TargetKind::Repository,
            &deleted.name,
        )
        .id(repository_id.as_i64())
        .within(&namespace)
        .before(json!({"restorable_until": deleted.purge_after}));
        self.audit(&mut tx, By::Caller(caller), change).await?;
        tx.commit().await?;
        if !self.can_purge() {
            return Ok(());
        }
        self.purge_one(&deleted).await
    }

    /// A deleted repository and its namespace; as missing as one that never was for who does not administer that.
    async fn find_deleted(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        repository_id: RepositoryId,
    ) -> Result<(DeletedRepository, NamespaceFacts), AppError> {
        let deleted = deletion::find_deleted(tx, repository_id)
            .await?
            .ok_or_else(missing)?;
        let namespace = namespace::find_namespace_by_id(tx, deleted.namespace_id)
            .await?
            .ok_or_else(missing)?;
        if !self
            .rights_in(tx, caller, &namespace)
            .await?
            .contains(Right::Administer)
        {
            return Err(missing());
        }
        Ok((deleted, namespace))
    }

    /// Whether a registry can be asked to remove content.
    fn can_purge(&self) -> bool {
        self.registry.is_some() || self.purge.get().is_some()
    }

    /// At most `limit` deleted repositories of a namespace that can be restored, in the order of names and ids, behind
    /// `after`; for those who administer the namespace.
    pub async fn list_deleted(
        &self,
        caller: &Caller,
        name: &NamespaceName,
        after: (&str, i64),
        limit: u32,
    ) -> Result<Vec<DeletedRepository>, AppError> {
        let mut tx = self.store.read().await?;
        let namespace = self.administered_namespace(&mut tx, caller, name).await?;
        Ok(deletion::list_deleted(&mut tx, namespace.namespace_id, after, limit).await?)
    }

    /// A namespace that the caller administers as a whole.
    pub(super) async fn administered_namespace(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        name: &NamespaceName,
    ) -> Result<NamespaceFacts, AppError> {
        let namespace = namespace::find_namespace(tx, name).await?.ok_or(NOT_YOURS)?;
        let rights = self.rights_in(tx, caller, &namespace).await?;
        if rights.contains(Right::Administer) {
            return Ok(namespace);
        }
        Err(NOT_YOURS)
    }

    /// Tells how content is removed where the registry runs in this process. Told once.
    pub fn purge_with(&self, purge: Purge) {
        // A second teller would be a fault of the wiring; the first one stands.
        drop(self.purge.set(purge));
    }

    /// Has the content of deleted repositories removed that are due. Replicas share the work. Says how many were done.
    pub async fn purge_deleted(&self) -> Result<usize, AppError> {
        if !self.can_purge() {
            return Ok(0);
        }
        let now = self.clock.now_ms();
        let mut tx = self.store.write().await?;
        let claimed = deletion::claim_purges(&mut tx, now + CLAIM_MS, now, BATCH).await?;
        tx.commit().await?;
        let count = claimed.len();
        for deleted in claimed {
            // The others are tried all the same; this one again when its claim ends.
            if let Err(error) = self.purge_one(&deleted).await {
                tracing::warn!(
                    repository.name = %deleted.name,
                    repository.stored_as = %deleted.stored_as,
                    error = &error as &dyn std::error::Error,
                    "could not have the content of a deleted repository removed"
                );
            }
        }
        Ok(count)
    }

    async fn purge_one(&self, deleted: &DeletedRepository) -> Result<(), AppError> {
        self.remove_content(deleted).await?;
        let now = self.clock.now_ms();
        // A token from before may have pushed meanwhile: removed once more when there is none any more.
        let last_push = deleted
            .deleted_at
            .saturating_add(self.settings.token.lifetime_s * 1_000)
            .saturating_add(AFTER_TOKENS_MS);
        let mut tx = self.store.write().await?;
        if now < last_push {
            deletion::delay_purge(&mut tx, deleted.repository_id, last_push).await?;
        } else {
            rule::remove_rules_of_repository(&mut tx, deleted.repository_id).await?;
            self.remove_webhooks_of(&mut tx, deleted.repository_id).await?;
            deletion::end_purge(&mut tx, deleted.repository_id, now).await?;
            let mut change = Change::new(
                AuditAction::RepositoryPurge,
                TargetKind::Repository,
                &deleted.name,
            )
            .id(deleted.repository_id.as_i64());
            if let Some(namespace) = namespace::find_namespace_by_id(&mut tx, deleted.namespace_id).await? {
                change = change.within(&namespace);
            }
            self.audit(&mut tx, By::Service, change).await?;
        }
        Ok(tx.commit().await?)
    }

    async fn remove_content(&self, deleted: &DeletedRepository) -> Result<(), AppError> {
        if let Some(purge) = self.purge.get() {
            return (purge.0)(deleted.stored_as.clone())
                .await
                .map_err(AppError::Unavailable);
        }
        let (Some(registry), Some(service)) = (&self.registry, self.settings.token.services.first()) else {
            return Ok(());
        };
        let name = self.told_name(deleted).await?;
        let entry = AccessEntry {
            stored_as: (name != deleted.stored_as).then(|| deleted.stored_as.clone()),
            ..AccessEntry::new(
                Resource::Repository(name.clone()),
                Actions::NONE.with(Action::All),
            )
        };
        let claims = self.claims(&Login::Anonymous, service, vec![entry], self.clock.now_s());
        let token = self.keys.signer().sign(claims, service.recipient)?.token;
        Ok(registry.purge(&name, &token).await?)
    }

    /// What the registry tells its receivers that the repository was called: its last name, unless by now something else is
    /// called so, of which they would believe that it is gone.
    async fn told_name(&self, deleted: &DeletedRepository) -> Result<RepositoryName, AppError> {
        let mut tx = self.store.read().await?;
        let name = &deleted.name;
        let is_taken = repository::find_repository(&mut tx, name).await?.is_some()
            || repository::find_repository_by_former_name(&mut tx, name)
                .await?
                .is_some();
        if !is_taken {
            return Ok(name.clone());
        }
        RepositoryFacts::storage_name(deleted.repository_id).map_err(|error| AppError::Internal(error.into()))
    }
}
