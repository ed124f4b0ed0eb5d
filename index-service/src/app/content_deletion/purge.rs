//! When the time to restore a tag is over, what only it led to is removed.

use std::collections::{BTreeMap, BTreeSet};

use super::Behalf;
use crate::app::App;
use crate::app::content::{is_readable, load_holdings};
use crate::app::error::AppError;
use crate::domain::{DeletionId, RepositoryFacts, RepositoryId};
use crate::registry_client::{Changed, RegistryClient};
use crate::store::content_deletion::{self, ContentDeletion, DeletionState};
use crate::store::repository;

/// Deletions that are looked after in one round.
const BATCH: u32 = 200;
/// How long they are one replica's, in milliseconds; also the wait before they are tried again.
const CLAIM_MS: i64 = 600_000;

impl App {
    /// Removes what deleted tags led to whose time is over, and nothing else does; says how many tags that were. Replicas share
    /// the work.
    pub async fn purge_deleted_tags(&self) -> Result<usize, AppError> {
        let Some(registry) = self.content_registry() else {
            return Ok(0);
        };
        let now = self.clock.now_ms();
        let mut tx = self.store.read().await?;
        let due = content_deletion::list_due_deletions(&mut tx, now, BATCH).await?;
        drop(tx);
        if due.is_empty() {
            return Ok(0);
        }
        let mut of_repositories: BTreeMap<RepositoryId, Vec<ContentDeletion>> = BTreeMap::new();
        let mut tx = self.store.write().await?;
        for one in due {
            let until = now.saturating_add(CLAIM_MS);
            if content_deletion::claim_deletion(&mut tx, &one, until).await? {
                of_repositories.entry(one.repository_id).or_default().push(one);
            }
        }
        tx.commit().await?;
        let mut count = 0;
        for (id, group) in of_repositories {
            let number = group.len();
            match self.purge_group(registry, id, group).await {
                Ok(()) => count += number,
                // They are tried again when their claim ends.
                Err(error) => tracing::warn!(
                    repository.id = %id,
                    error = &error as &dyn std::error::Error,
                    "could not remove what deleted tags led to; it is tried again"
                ),
            }
        }
        Ok(count)
    }

    async fn purge_group(
        &self,
        registry: &RegistryClient,
        id: RepositoryId,
        group: Vec<ContentDeletion>,
    ) -> Result<(), AppError> {
        let mut tx = self.store.read().await?;
        let facts = repository::find_repository_by_id(&mut tx, id).await?;
        drop(tx);
        let mut ended = Vec::new();
        if let Some(facts) = facts.filter(is_readable) {
            let mut gone = Vec::new();
            for one in group {
                if one.state == DeletionState::Pending && self.still_stands(registry, &facts, &one).await? {
                    ended.push((one.deletion_id, DeletionState::Kept));
                } else {
                    gone.push(one);
                }
            }
            let ids: Vec<DeletionId> = gone.iter().map(|one| one.deletion_id).collect();
            let roots: Vec<String> = gone.into_iter().map(|one| one.digest).collect();
            self.remove_loose_of(registry, &facts, &roots, &ids).await?;
            ended.extend(ids.into_iter().map(|id| (id, DeletionState::Purged)));
        } else {
            // Its content goes with the repository; one that is restored keeps it.
            ended.extend(group.iter().map(|one| (one.deletion_id, DeletionState::Purged)));
        }
        let mut tx = self.store.write().await?;
        for (deletion_id, state) in ended {
            content_deletion::set_state(&mut tx, deletion_id, state, None).await?;
        }
        Ok(tx.commit().await?)
    }

    /// Whether a tag that was to go is still there, as the registry says.
    pub(in crate::app) async fn still_stands(
        &self,
        registry: &RegistryClient,
        facts: &RepositoryFacts,
        one: &ContentDeletion,
    ) -> Result<bool, AppError> {
        let tag = one.tag.as_deref().unwrap_or(&one.digest);
        let token = self.reading_token(facts)?;
        Ok(registry.manifest(&facts.name, tag, &token, true).await?.is_some())
    }

    /// Removes those manifests to which these lead, they themselves among them, and nothing else does.
    async fn remove_loose_of(
        &self,
        registry: &RegistryClient,
        facts: &RepositoryFacts,
        roots: &[String],
        without: &[DeletionId],
    ) -> Result<(), AppError> {
        // What the registry was not heard of yet might need them.
        self.reconcile(registry, facts, false).await?;
        let mut tx = self.store.read().await?;
        let holdings = load_holdings(&mut tx, facts.repository_id).await?;
        drop(tx);
        if !holdings.is_read {
            return Err(not_read());
        }
        let reached = holdings.graph.reach(roots.iter().map(String::as_str));
        let candidates: BTreeSet<String> = reached.into_iter().map(str::to_owned).collect();
        let mut gone = Vec::new();
        for digest in holdings.graph.loose(&candidates, &holdings.roots(without)) {
            match self.delete_loose(registry, facts, &digest).await? {
                Changed::Refused(status) => tracing::debug!(
                    repository.name = %facts.name, digest, %status, "a manifest stays: the registry refuses"
                ),
                Changed::Done | Changed::Absent | Changed::Moved => gone.push(digest),
            }
        }
        self.delete_followers(registry, facts, (&holdings, &gone), Behalf::Service)
            .await?;
        Ok(())
    }
}

/// Until everything is read, nobody knows what an index leads to.
pub(in crate::app) fn not_read() -> AppError {
    AppError::Unavailable("not every manifest of the repository was read yet".into())
}
