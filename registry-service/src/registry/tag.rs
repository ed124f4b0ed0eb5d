//! Tags: names of manifests that may move.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use shared::oci::{Digest, Reference, RepositoryName, Tag};
use tokio::task::coop::consume_budget;
use tracing::instrument;

use super::link::Link;
use super::{Change, Registry, RegistryError, layout};
use crate::storage::{Condition, Guard, Key, Step, Storage, StorageError};

/// Tags that are listed in one go.
const LISTING: usize = 100_000;
/// Tags that are looked at, or removed by one commit, in one go.
const BATCH: usize = 256;
/// How often a removal is tried again when tags move meanwhile.
const ATTEMPTS: usize = 16;

/// What must hold for a tag before it is moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TagCondition {
    /// Anything.
    Any,
    /// The tag does not exist (`If-None-Match: *`).
    Absent,
    /// The tag points to this manifest (`If-Match`).
    Is(Digest),
}

impl TagCondition {
    /// Checks the condition against what stands at the tag's link now, and gives what must still hold when the tag
    /// is moved.
    pub(super) async fn check(&self, storage: &Storage, key: &Key) -> Result<Condition, RegistryError> {
        if *self == Self::Any {
            return Ok(Condition::Any);
        }
        match (self, Link::read(storage, key).await?) {
            (Self::Absent, Link::Absent) => Ok(Condition::Absent),
            (Self::Absent, Link::Unreadable(version)) => Ok(Condition::Is(version)),
            (Self::Is(digest), Link::To(found, version)) if found == *digest => Ok(Condition::Is(version)),
            _ => Err(RegistryError::TagConflict),
        }
    }
}

/// What must still hold when a tag that stays what it is comes to point to `digest`: it does not exist, or points there.
pub(super) async fn keep(
    storage: &Storage,
    key: &Key,
    tag: &Tag,
    digest: &Digest,
) -> Result<Condition, RegistryError> {
    match Link::read(storage, key).await? {
        Link::Absent => Ok(Condition::Absent),
        Link::Unreadable(version) => Ok(Condition::Is(version)),
        Link::To(found, version) if found == *digest => Ok(Condition::Is(version)),
        Link::To(found, _) => Err(RegistryError::TagImmutable {
            tag: tag.clone(),
            digest: found,
        }),
    }
}

/// For a proof's control alone: what tags pointed to when they were last looked at.
static REMEMBERED: LazyLock<Mutex<HashMap<Key, Remembered>>> = LazyLock::new(Mutex::default);
type Remembered = (Instant, Option<Digest>);

impl Registry {
    /// The manifest that the tag points to, in storage and now: another process may have moved it a moment ago.
    pub(super) async fn find_tag(
        &self,
        repository: &RepositoryName,
        tag: &Tag,
    ) -> Result<Option<Digest>, RegistryError> {
        let key = layout::tag_current(repository, tag);
        let is_stale = shared::sabotage::breaks("stale-tag-cache");
        if is_stale {
            let remembered = REMEMBERED.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((looked, digest)) = remembered.get(&key)
                && looked.elapsed() < Duration::from_millis(100)
            {
                return Ok(digest.clone());
            }
        }
        let digest = Link::read(&self.storage, &key).await?.into_digest();
        if is_stale {
            let mut remembered = REMEMBERED.lock().unwrap_or_else(PoisonError::into_inner);
            remembered.insert(key, (Instant::now(), digest.clone()));
        }
        Ok(digest)
    }

    /// Whether the tag points to anything.
    pub async fn has_tag(&self, repository: &RepositoryName, tag: &Tag) -> Result<bool, RegistryError> {
        Ok(self.find_tag(repository, tag).await?.is_some())
    }

    /// Removes the tag, if the condition holds for it; the manifest stays. Visible at once.
    #[instrument(level = "debug", skip_all, fields(repository.name = %repository, tag = %tag))]
    pub async fn delete_tag(
        &self,
        repository: &RepositoryName,
        tag: &Tag,
        condition: &TagCondition,
    ) -> Result<(), RegistryError> {
        let current = layout::tag_current(repository, tag);
        if Link::read(&self.storage, &current).await?.into_digest().is_none() {
            return Err(RegistryError::manifest_unknown(&Reference::Tag(tag.clone())));
        }
        let guard = Guard {
            condition: condition.check(&self.storage, &current).await?,
            key: current,
        };
        let key = layout::tag(repository, tag);
        let deleted = Change::TagDeleted(tag);
        let removed = self
            .commit(repository, vec![guard], vec![Step::Remove { key }], &[deleted])
            .await;
        match removed {
            // It moved since it was looked at.
            Err(StorageError::Conflict { .. }) if *condition != TagCondition::Any => {
                Err(RegistryError::TagConflict)
            }
            removed => Ok(removed?),
        }
    }

    /// Removes every tag that points to the manifest, as long as `revision` holds for its revision link.
    pub(super) async fn untag(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
        revision: Condition,
    ) -> Result<(), RegistryError> {
        let mut after: Option<String> = None;
        loop {
            let batch = self
                .storage
                .list(&layout::tags(repository), after.as_deref(), LISTING)
                .await?;
            for entries in batch.chunks(BATCH) {
                let tags = entries.iter().filter_map(|entry| entry.name.parse::<Tag>().ok());
                self.untag_batch(repository, digest, &revision, tags.collect())
                    .await?;
            }
            if batch.len() < LISTING {
                return Ok(());
            }
            after = batch.into_iter().last().map(|last| last.name);
        }
    }

    async fn untag_batch(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
        revision: &Condition,
        tags: Vec<Tag>,
    ) -> Result<(), RegistryError> {
        let mut conflict = None;
        for _ in 0..ATTEMPTS {
            let mut guards = Vec::new();
            let mut steps = Vec::new();
            let mut changes = Vec::new();
            for tag in &tags {
                consume_budget().await;
                let key = layout::tag_current(repository, tag);
                if let Link::To(found, version) = Link::read(&self.storage, &key).await?
                    && found == *digest
                {
                    let condition = Condition::Is(version);
                    guards.push(Guard { key, condition });
                    steps.push(Step::Remove {
                        key: layout::tag(repository, tag),
                    });
                    changes.push(Change::TagDeleted(tag));
                }
            }
            if steps.is_empty() {
                return Ok(());
            }
            let key = layout::revision_link(repository, digest);
            guards.push(Guard {
                key: key.clone(),
                condition: revision.clone(),
            });
            match self.commit(repository, guards, steps, &changes).await {
                Ok(()) => return Ok(()),
                Err(error @ StorageError::Conflict { .. }) => conflict = Some(error),
                Err(error) => return Err(error.into()),
            }
            // Pushed again meanwhile: then its tags are in order.
            if *revision == Condition::Absent && Link::read(&self.storage, &key).await? != Link::Absent {
                return Ok(());
            }
        }
        conflict.map_or(Ok(()), |error| Err(error.into()))
    }
}
