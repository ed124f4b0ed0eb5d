//! Manifests: small content that names other content, held by a repository through a revision link.

mod deletion;
mod keeper;
mod references;

use bytes::Bytes;
use serde::Deserialize;
use serde::de::IgnoredAny;
use shared::oci::{Algorithm, Digest, MediaType, ReceivedManifest, Reference, RepositoryName, Tag};
use tokio::task::coop::consume_budget;
use tracing::instrument;

use super::link::has_revision;
use super::tag::keep;
use super::{Change, Registry, RegistryError, TagCondition, layout};
use crate::storage::{Condition, Guard, Stamp, Step, StorageError};

/// Largest manifest in bytes, as in distribution.
pub const MANIFEST_LIMIT: u64 = 4 << 20;
/// Most digests that [`RegistryError::ManifestBlobUnknown`] names.
pub const MAX_MISSING: usize = 32;
/// How many revisions are listed in one go.
const LISTING: usize = 256;
/// How often a push is tried again when a tag that stays what it is was made meanwhile.
const ATTEMPTS: usize = 16;

/// A manifest as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredManifest {
    /// The bytes as they were received.
    pub bytes: Bytes,
    /// Their digest.
    pub digest: Digest,
    /// What the bytes say that they are.
    pub media_type: MediaType,
}

impl Registry {
    /// The manifest that a tag points to, or one by its digest, if the repository holds it.
    ///
    /// Touches the tag's link, the revision's link, and the content unless that is in memory.
    #[instrument(level = "debug", skip_all, fields(repository.name = %repository, reference = %reference))]
    pub async fn get_manifest(
        &self,
        repository: &RepositoryName,
        reference: &Reference,
    ) -> Result<StoredManifest, RegistryError> {
        let digest = match reference {
            Reference::Digest(digest) => Some(digest.clone()),
            Reference::Tag(tag) => self.find_tag(repository, tag).await?,
        };
        let found = match digest {
            Some(digest) => self.find_manifest(repository, digest).await?,
            None => None,
        };
        found.ok_or_else(|| RegistryError::manifest_unknown(reference))
    }

    /// Whether the repository holds a manifest.
    pub async fn has_manifest(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<bool, RegistryError> {
        Ok(has_revision(&self.storage, repository, digest).await?)
    }

    /// A manifest by its digest, if the repository holds it.
    pub(super) async fn find_manifest(
        &self,
        repository: &RepositoryName,
        digest: Digest,
    ) -> Result<Option<StoredManifest>, RegistryError> {
        if !has_revision(&self.storage, repository, &digest).await? {
            return Ok(None);
        }
        let content = self.read_manifest(&digest).await?;
        Ok(content.map(|(bytes, media_type)| StoredManifest {
            bytes,
            digest,
            media_type,
        }))
    }

    /// The content of a manifest, whoever holds it. What does not have the digest is never given out.
    pub(super) async fn read_manifest(
        &self,
        digest: &Digest,
    ) -> Result<Option<(Bytes, MediaType)>, RegistryError> {
        if let Some(known) = self.manifests.find(digest) {
            return Ok(Some(known));
        }
        let bytes = match self.storage.read(&layout::content(digest), MANIFEST_LIMIT).await {
            Ok((bytes, _)) => bytes,
            Err(StorageError::NotFound { .. }) => return Ok(None),
            Err(StorageError::Corrupt { .. }) => {
                tracing::error!(manifest.digest = %digest, "a stored manifest is larger than a manifest may be");
                return Ok(None);
            }
            Err(error) => return Err(error.into()),
        };
        if Digest::of(digest.algorithm(), &bytes) != *digest {
            tracing::error!(manifest.digest = %digest, "a stored manifest is damaged: its content has another digest");
            return Ok(None);
        }
        let Some(media_type) = sniff(&bytes) else {
            tracing::warn!(manifest.digest = %digest, "a stored manifest is of no type that is served");
            return Ok(None);
        };
        self.manifests.keep(digest, &bytes, media_type);
        Ok(Some((bytes, media_type)))
    }

    /// Accepts a manifest, and points `tags` to it if each of them meets the condition; all of it durable when it
    /// returns, the tags last.
    ///
    /// It must keep the [`Rules`](super::Rules), and what it names must be there: blobs and manifests in this repository with
    /// their content stored, except its subject, layers that may lie elsewhere, and (by the rules) manifests of an index.
    pub async fn put_manifest(
        &self,
        repository: &RepositoryName,
        received: ReceivedManifest<Bytes>,
        tags: &[Tag],
        condition: &TagCondition,
    ) -> Result<(), RegistryError> {
        self.put_manifest_keeping(repository, received, tags, condition, &|_| false)
            .await
    }

    /// The same where a tag for which `is_kept` holds stays what it is: it is not moved to another manifest, however many
    /// push it at once, in whichever process.
    #[instrument(name = "put_manifest", level = "debug", skip_all, fields(repository.name = %repository, manifest.digest = %received.digest()))]
    pub async fn put_manifest_keeping(
        &self,
        repository: &RepositoryName,
        received: ReceivedManifest<Bytes>,
        tags: &[Tag],
        condition: &TagCondition,
        is_kept: &(dyn Fn(&Tag) -> bool + Send + Sync),
    ) -> Result<(), RegistryError> {
        let (bytes, digest, view) = received.into_parts();
        self.options.rules.check(&view)?;
        self.check_references(repository, &view).await?;
        let pushed = |tag| Change::ManifestPushed {
            digest: &digest,
            media_type: view.media_type(),
            bytes: &bytes,
            tag,
        };
        let mut changes: Vec<_> = tags.iter().map(|tag| pushed(Some(tag))).collect();
        if tags.is_empty() {
            changes.push(pushed(None));
        }
        for _ in 0..ATTEMPTS {
            let (guards, steps) = self
                .placement(repository, (&digest, &bytes), tags, condition, is_kept)
                .await?;
            match self.commit(repository, guards, steps, &changes).await {
                Ok(()) => {
                    self.manifests.keep(&digest, &bytes, view.media_type());
                    return Ok(());
                }
                // Somebody made the tag meanwhile. If it was with the same manifest, nothing is wrong.
                Err(StorageError::Conflict { .. })
                    if *condition == TagCondition::Any && tags.iter().any(is_kept) => {}
                Err(StorageError::Conflict { .. }) => return Err(RegistryError::TagConflict),
                Err(error) => return Err(error.into()),
            }
        }
        Err(RegistryError::TagConflict)
    }

    /// What is written for a manifest and its tags, and what must hold for that.
    async fn placement(
        &self,
        repository: &RepositoryName,
        (digest, bytes): (&Digest, &Bytes),
        tags: &[Tag],
        condition: &TagCondition,
        is_kept: &(dyn Fn(&Tag) -> bool + Send + Sync),
    ) -> Result<(Vec<Guard>, Vec<Step>), RegistryError> {
        let mut guards = vec![Guard {
            key: layout::revision_link(repository, digest),
            condition: Condition::Any,
        }];
        let link = layout::link(digest);
        let write = |key| Step::Write {
            key,
            content: link.clone(),
        };
        let mut steps = vec![
            Step::Write {
                key: layout::content(digest),
                content: bytes.clone(),
            },
            write(layout::revision_link(repository, digest)),
        ];
        for tag in tags {
            let key = layout::tag_current(repository, tag);
            let asked = condition.check(&self.storage, &key).await?;
            let kept = if is_kept(tag) {
                keep(&self.storage, &key, tag, digest).await?
            } else {
                Condition::Any
            };
            // What the caller asks for beside that is as strict.
            let condition = if *condition == TagCondition::Any {
                kept
            } else {
                asked
            };
            guards.push(Guard {
                key: key.clone(),
                condition,
            });
            steps.push(write(layout::tag_index(repository, tag, digest)));
            steps.push(write(key));
        }
        Ok((guards, steps))
    }

    /// Takes the manifest, and every tag that points to it, out of the repository; visible at once. The tags go
    /// first, so that no crash leaves one that points to nothing.
    #[instrument(level = "debug", skip_all, fields(repository.name = %repository, manifest.digest = %digest))]
    pub async fn delete_manifest(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<(), RegistryError> {
        if !has_revision(&self.storage, repository, digest).await? {
            return Err(RegistryError::manifest_unknown(&Reference::Digest(
                digest.clone(),
            )));
        }
        let untouched = self.settle_pushes(repository, digest).await?;
        self.untag(repository, digest, Condition::Any).await?;
        if let Some(stamp) = untouched {
            let condition = Condition::Untouched(stamp);
            match self.remove_revision(repository, digest, condition).await {
                Err(StorageError::Conflict { .. }) => {}
                removed => return Ok(removed?),
            }
        }
        self.remove_revision(repository, digest, Condition::Any).await?;
        // A push may have pointed a tag to it in between. If the manifest is gone still, so must the tag be.
        self.untag(repository, digest, Condition::Absent).await
    }

    /// A state of the manifest's link from which on every push shows in it, while the tags of all pushes before stand.
    /// None when the last push is too young, or another one comes.
    async fn settle_pushes(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<Option<Stamp>, RegistryError> {
        let key = layout::revision_link(repository, digest);
        let stamp = self.storage.object_stamp(&key).await?;
        let Some(stamp) = stamp.filter(|stamp| stamp.is_settled(self.clock.now_ms())) else {
            return Ok(None);
        };
        // A push that has written the link, and not yet its tags, holds the guard.
        let condition = Condition::Untouched(stamp);
        match self
            .storage
            .commit(vec![Guard { key, condition }], Vec::new())
            .await
        {
            Ok(()) => Ok(Some(stamp)),
            Err(StorageError::Conflict { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    async fn remove_revision(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
        condition: Condition,
    ) -> Result<(), StorageError> {
        let guard = Guard {
            key: layout::revision_link(repository, digest),
            condition,
        };
        let key = layout::revision(repository, digest);
        let deleted = Change::ManifestDeleted(digest);
        self.commit(repository, vec![guard], vec![Step::Remove { key }], &[deleted])
            .await
    }

    /// Whether the repository holds any manifest.
    pub(super) async fn holds_manifests(&self, repository: &RepositoryName) -> Result<bool, RegistryError> {
        for algorithm in Algorithm::ALL {
            let prefix = layout::revisions(repository, algorithm);
            let mut after: Option<String> = None;
            loop {
                let batch = self.storage.list(&prefix, after.as_deref(), LISTING).await?;
                for entry in &batch {
                    consume_budget().await;
                    // The old binary removes the link and leaves its folder.
                    let Ok(digest) = format!("{algorithm}:{}", entry.name).parse() else {
                        continue;
                    };
                    if has_revision(&self.storage, repository, &digest).await? {
                        return Ok(true);
                    }
                }
                if batch.len() < LISTING {
                    break;
                }
                after = batch.into_iter().last().map(|last| last.name);
            }
        }
        Ok(false)
    }
}

/// The type of stored bytes: it is not stored beside them. Reads only what decides, and does not judge the rest:
/// the bytes were accepted once, perhaps by distribution.
fn sniff(bytes: &[u8]) -> Option<MediaType> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Outline {
        schema_version: u64,
        media_type: Option<String>,
        manifests: Option<IgnoredAny>,
    }
    let outline: Outline = serde_json::from_slice(bytes).ok()?;
    match outline.media_type {
        _ if outline.schema_version != 2 => None,
        Some(text) => MediaType::find(&text),
        None if outline.manifests.is_some() => Some(MediaType::OciIndex),
        None => Some(MediaType::OciManifest),
    }
}

#[cfg(test)]
mod tests;
