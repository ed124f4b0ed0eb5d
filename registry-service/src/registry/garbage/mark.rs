//! Following the references of one repository.

use std::collections::{HashMap, HashSet};

use shared::oci::{Algorithm, Digest, RepositoryName, Tag};
use tokio::task::coop::consume_budget;

use super::references::References;
use super::{Finding, Marks, Tell};
use crate::registry::link::{Link, find_layer};
use crate::registry::manifest::MANIFEST_LIMIT;
use crate::registry::{Registry, RegistryError, layout};
use crate::storage::{Key, StorageError};

/// Names that are listed in one go.
const BATCH: usize = 1_000;

/// The marking of one repository.
pub(super) struct Marking<'a> {
    registry: &'a Registry,
    repository: &'a RepositoryName,
    marks: &'a mut Marks,
    tell: Tell<'a>,
    /// Blobs that were looked at.
    seen: HashSet<Digest>,
    /// Manifests that cannot be read.
    pub(super) damaged: Vec<Digest>,
}

/// A manifest of the repository.
struct Revision {
    digest: Digest,
    /// Whether its link can be read. A crash of the old binary leaves some that cannot; they stay.
    is_whole: bool,
}

/// What stands under a digest.
enum Content {
    Absent,
    Damaged,
    Manifest(References),
}

impl<'a> Marking<'a> {
    pub(super) fn new(
        registry: &'a Registry,
        repository: &'a RepositoryName,
        marks: &'a mut Marks,
        tell: Tell<'a>,
    ) -> Self {
        Self {
            registry,
            repository,
            marks,
            tell,
            seen: HashSet::new(),
            damaged: Vec::new(),
        }
    }

    /// Marks what the repository needs; gives the manifests that go.
    pub(super) async fn mark(&mut self, delete_untagged: bool) -> Result<Vec<Digest>, RegistryError> {
        let revisions = self.revisions().await?;
        let mut waiting = self.tagged().await?;
        if !revisions.is_empty() || !waiting.is_empty() {
            (self.tell)(Finding::Repository(self.repository));
        }
        let referrers = if delete_untagged {
            waiting.extend(
                revisions
                    .iter()
                    .filter(|it| !it.is_whole)
                    .map(|it| it.digest.clone()),
            );
            self.referrers(&revisions).await?
        } else {
            waiting.extend(revisions.iter().map(|it| it.digest.clone()));
            HashMap::new()
        };
        let held: HashSet<&Digest> = revisions.iter().map(|it| &it.digest).collect();
        let mut kept = HashSet::new();
        while let Some(digest) = waiting.pop() {
            consume_budget().await;
            if !kept.insert(digest.clone()) {
                continue;
            }
            self.mark_blob(&digest).await?;
            (self.tell)(Finding::Manifest(self.repository, &digest));
            match self.content(&digest).await? {
                Content::Absent => (self.tell)(Finding::Missing(self.repository, &digest)),
                // An index may name blobs too.
                Content::Damaged if !held.contains(&digest) => {}
                Content::Damaged => self.damaged.push(digest.clone()),
                Content::Manifest(references) => {
                    for blob in &references.blobs {
                        if self.mark_blob(blob).await? {
                            (self.tell)(Finding::Blob(self.repository, blob));
                        }
                    }
                    waiting.extend(references.manifests);
                }
            }
            waiting.extend(referrers.get(&digest).into_iter().flatten().cloned());
        }
        let whole = revisions.into_iter().filter(|it| !kept.contains(&it.digest));
        Ok(whole.map(|it| it.digest).collect())
    }

    /// Marks a content, and what the repository's link says that it lies under. Whether it was news here.
    async fn mark_blob(&mut self, digest: &Digest) -> Result<bool, RegistryError> {
        if !self.seen.insert(digest.clone()) {
            return Ok(false);
        }
        self.marks.insert(digest);
        if let Some(held) = find_layer(&self.registry.storage, self.repository, digest).await? {
            self.marks.insert(&held);
        }
        Ok(true)
    }

    async fn content(&self, digest: &Digest) -> Result<Content, RegistryError> {
        let key = layout::content(digest);
        Ok(match self.registry.storage.read(&key, MANIFEST_LIMIT).await {
            Ok((bytes, _)) if Digest::of(digest.algorithm(), &bytes) == *digest => {
                References::read(&bytes).map_or(Content::Damaged, Content::Manifest)
            }
            Ok(_) | Err(StorageError::Corrupt { .. }) => Content::Damaged,
            Err(StorageError::NotFound { .. }) => Content::Absent,
            Err(error) => return Err(error.into()),
        })
    }

    /// The manifests of the repository, in order. A folder without a link is what the old binary leaves of a deleted
    /// one.
    async fn revisions(&self) -> Result<Vec<Revision>, RegistryError> {
        let mut revisions = Vec::new();
        for algorithm in Algorithm::ALL {
            for name in self.names(&layout::revisions(self.repository, algorithm)).await? {
                consume_budget().await;
                let Ok(digest) = format!("{algorithm}:{name}").parse() else {
                    continue;
                };
                let key = layout::revision_link(self.repository, &digest);
                let is_whole = match Link::read(&self.registry.storage, &key).await? {
                    Link::Absent => continue,
                    Link::Unreadable(_) => false,
                    Link::To(found, _) => found == digest,
                };
                revisions.push(Revision { digest, is_whole });
            }
        }
        Ok(revisions)
    }

    /// What the tags point to.
    async fn tagged(&self) -> Result<Vec<Digest>, RegistryError> {
        let mut tagged = Vec::new();
        for name in self.names(&layout::tags(self.repository)).await? {
            consume_budget().await;
            if let Ok(tag) = name.parse::<Tag>() {
                let key = layout::tag_current(self.repository, &tag);
                tagged.extend(Link::read(&self.registry.storage, &key).await?.into_digest());
            }
        }
        tagged.sort();
        tagged.dedup();
        Ok(tagged)
    }

    /// Which manifests refer to a subject.
    async fn referrers(&self, revisions: &[Revision]) -> Result<HashMap<Digest, Vec<Digest>>, RegistryError> {
        let mut referrers: HashMap<Digest, Vec<Digest>> = HashMap::new();
        for revision in revisions {
            if let Content::Manifest(References {
                subject: Some(subject),
                ..
            }) = self.content(&revision.digest).await?
            {
                referrers
                    .entry(subject)
                    .or_default()
                    .push(revision.digest.clone());
            }
        }
        Ok(referrers)
    }

    async fn names(&self, prefix: &Key) -> Result<Vec<String>, StorageError> {
        let mut names: Vec<String> = Vec::new();
        loop {
            let after = names.last().map(String::as_str);
            let batch = self.registry.storage.list(prefix, after, BATCH).await?;
            let is_last = batch.len() < BATCH;
            names.extend(batch.into_iter().map(|entry| entry.name));
            if is_last {
                return Ok(names);
            }
        }
    }
}
