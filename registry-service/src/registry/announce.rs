//! Telling others of changes: what tells of a change is part of the very commit that makes it.

use std::sync::Arc;

use bytes::Bytes;
use shared::oci::{Digest, MediaType, RepositoryName, Tag};

use super::Registry;
use crate::storage::{Guard, Step, StorageError};

/// A change of a repository's content.
#[derive(Debug, Clone, Copy)]
pub enum Change<'a> {
    /// The repository holds the manifest, and the tag, if there is one, points to it.
    ManifestPushed {
        /// The manifest's digest.
        digest: &'a Digest,
        /// What it is.
        media_type: MediaType,
        /// The bytes as they were received.
        bytes: &'a Bytes,
        /// The tag that it was pushed under.
        tag: Option<&'a Tag>,
    },
    /// The repository holds the manifest no more.
    ManifestDeleted(&'a Digest),
    /// The tag is gone.
    TagDeleted(&'a Tag),
    /// The repository holds the blob.
    BlobPushed {
        /// The blob.
        digest: &'a Digest,
        /// Its size in bytes.
        size: u64,
    },
    /// The repository holds a blob of another repository.
    BlobMounted {
        /// The blob.
        digest: &'a Digest,
        /// Its size in bytes.
        size: u64,
        /// Which one held it, by its stored name.
        from: Option<&'a RepositoryName>,
    },
    /// The repository holds the blob no more.
    BlobDeleted(&'a Digest),
}

/// Whoever tells others of changes.
pub trait Announcer: Send + Sync {
    /// What tells of changes of one repository, which become visible together: the last steps of their commit.
    fn announce(&self, repository: &RepositoryName, changes: &[Change<'_>]) -> Vec<Step>;

    /// A commit with such steps is durable.
    fn committed(&self);

    /// There is no room for what tells of a removal. Says whether it may be done all the same, since everybody who is told can
    /// be told later to look for themselves.
    fn goes_without_telling(&self, repository: &RepositoryName) -> bool;

    /// What makes a lasting note of that without taking room; another one each time, as long as there are any. It fails where the
    /// object that it moves is not there any more.
    fn note_missed(&self, repository: &RepositoryName) -> Option<Step>;
}

impl Registry {
    /// The same content; what is changed through this value is told of.
    #[must_use]
    pub fn announced_by(&self, announcer: Arc<dyn Announcer>) -> Self {
        Self {
            announcer: Some(announcer),
            ..self.clone()
        }
    }

    /// Commits changes of a repository, and tells of them.
    pub(super) async fn commit(
        &self,
        repository: &RepositoryName,
        guards: Vec<Guard>,
        mut steps: Vec<Step>,
        changes: &[Change<'_>],
    ) -> Result<(), StorageError> {
        let Some(announcer) = &self.announcer else {
            return self.storage.commit(guards, steps).await;
        };
        let telling = announcer.announce(repository, changes);
        if shared::sabotage::breaks("tell-after-commit") {
            self.storage.commit(guards, steps).await?;
            let (storage, announcer) = (self.storage.clone(), Arc::clone(announcer));
            tokio::spawn(async move {
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                storage.commit(Vec::new(), telling).await?;
                announcer.committed();
                Ok::<_, StorageError>(())
            });
            return Ok(());
        }
        let removal = removal(&guards, &steps, changes);
        steps.extend(telling);
        match (self.storage.commit(guards, steps).await, removal) {
            // Who is out of room must be able to make some.
            (Err(StorageError::Full { .. }), Some((guards, steps)))
                if announcer.goes_without_telling(repository) =>
            {
                while let Some(note) = announcer.note_missed(repository) {
                    // First, so that nothing is removed where it fails.
                    let noted = std::iter::once(note).chain(again(&steps)).collect();
                    match self.storage.commit(guards.clone(), noted).await {
                        // Another process made its note of it.
                        Err(StorageError::NotFound { .. }) => {}
                        // Not even for a name.
                        Err(StorageError::Full { .. }) => break,
                        outcome => return outcome,
                    }
                }
                self.storage.commit(guards, steps).await
            }
            (outcome, _) => outcome.map(|()| announcer.committed()),
        }
    }

    /// Tells of what changed nothing that is stored, if anybody is told.
    pub(super) async fn announce(
        &self,
        repository: &RepositoryName,
        change: Change<'_>,
    ) -> Result<(), StorageError> {
        if self.announcer.is_some() {
            self.commit(repository, Vec::new(), Vec::new(), &[change]).await?;
        }
        Ok(())
    }
}

/// A commit that only takes away, once more.
fn removal(guards: &[Guard], steps: &[Step], changes: &[Change<'_>]) -> Option<(Vec<Guard>, Vec<Step>)> {
    let takes_away = |change: &Change<'_>| {
        matches!(
            change,
            Change::ManifestDeleted(_) | Change::TagDeleted(_) | Change::BlobDeleted(_)
        )
    };
    if !changes.iter().all(takes_away) {
        return None;
    }
    let again = again(steps);
    (again.len() == steps.len()).then(|| (guards.to_vec(), again))
}

/// Those of the steps that remove something.
fn again(steps: &[Step]) -> Vec<Step> {
    let removals = steps.iter().filter_map(|step| match step {
        Step::Remove { key } => Some(Step::Remove { key: key.clone() }),
        _ => None,
    });
    removals.collect()
}
