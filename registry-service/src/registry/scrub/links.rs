//! Following every link of a repository.

use shared::oci::{Algorithm, Digest, Manifest, RepositoryName, Tag};

use super::{Finding, Scrub};
use crate::registry::contents::Children;
use crate::registry::link::{Link, find_layer, has_revision};
use crate::registry::manifest::MANIFEST_LIMIT;
use crate::registry::{RegistryError, layout};
use crate::storage::{Key, Storage, StorageError};

impl Scrub<'_> {
    /// Follows the links of one repository.
    pub(super) async fn repository(&mut self, repository: &RepositoryName) -> Result<(), RegistryError> {
        let before = self.report.links;
        for algorithm in Algorithm::ALL {
            self.layers(repository, algorithm).await?;
            self.revisions(repository, algorithm).await?;
        }
        self.tags(repository).await?;
        self.report.repositories += u64::from(self.report.links > before);
        Ok(())
    }

    async fn layers(
        &mut self,
        repository: &RepositoryName,
        algorithm: Algorithm,
    ) -> Result<(), RegistryError> {
        let storage = &self.registry.storage;
        let mut layers = Children::new(storage, layout::layers(repository, algorithm));
        while let Some(digest) = next_digest(&mut layers, algorithm).await? {
            let key = layout::layer_link(repository, &digest);
            let Some(held) = self.follow(storage, &key).await? else {
                continue;
            };
            // A blob may lie under another algorithm's digest, but never under another digest of its own.
            if held.algorithm() == algorithm && held != digest {
                self.found(Finding::OtherLink(&key, &held));
            }
            if !self.is_sound(&held).await? {
                self.found(Finding::LostBlob(repository, &digest));
            }
        }
        Ok(())
    }

    async fn revisions(
        &mut self,
        repository: &RepositoryName,
        algorithm: Algorithm,
    ) -> Result<(), RegistryError> {
        let storage = &self.registry.storage;
        let mut revisions = Children::new(storage, layout::revisions(repository, algorithm));
        while let Some(digest) = next_digest(&mut revisions, algorithm).await? {
            let key = layout::revision_link(repository, &digest);
            let Some(held) = self.follow(storage, &key).await? else {
                continue;
            };
            if held != digest {
                self.found(Finding::OtherLink(&key, &held));
            } else if self.is_sound(&digest).await? {
                self.manifest(repository, &digest).await?;
            } else {
                self.found(Finding::LostManifest(repository, &digest));
            }
        }
        Ok(())
    }

    async fn manifest(&mut self, repository: &RepositoryName, digest: &Digest) -> Result<(), RegistryError> {
        let read = self
            .registry
            .storage
            .read(&layout::content(digest), MANIFEST_LIMIT)
            .await;
        let view = match read {
            Ok((bytes, _)) => Manifest::parse(&bytes, None).ok(),
            Err(StorageError::Corrupt { .. }) => None,
            // Deleted meanwhile.
            Err(StorageError::NotFound { .. }) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        let Some(view) = view else {
            self.found(Finding::NoManifest(repository, digest));
            return Ok(());
        };
        let blobs = view.required_blobs().map(|it| it.digest.clone());
        let mut named: Vec<Digest> = blobs.collect();
        let rules = &self.registry.options.rules;
        let children = view.manifests().iter().filter(|child| rules.requires(child));
        named.extend(children.map(|child| child.digest.clone()));
        named.sort();
        named.dedup();
        for needed in &named {
            if !self.is_held(repository, needed).await? {
                self.found(Finding::Incomplete(repository, digest, needed));
            }
        }
        Ok(())
    }

    async fn is_held(&self, repository: &RepositoryName, digest: &Digest) -> Result<bool, RegistryError> {
        let storage = &self.registry.storage;
        let held = match find_layer(storage, repository, digest).await? {
            Some(held) => held,
            None if has_revision(storage, repository, digest).await? => digest.clone(),
            None => return Ok(false),
        };
        self.is_sound(&held).await
    }

    async fn tags(&mut self, repository: &RepositoryName) -> Result<(), RegistryError> {
        let storage = &self.registry.storage;
        let mut tags = Children::new(storage, layout::tags(repository));
        while let Some(name) = tags.next().await? {
            let Ok(tag) = name.parse::<Tag>() else { continue };
            for algorithm in Algorithm::ALL {
                let prefix = layout::tag_history(repository, &tag, algorithm);
                let mut history = Children::new(storage, prefix);
                while let Some(digest) = next_digest(&mut history, algorithm).await? {
                    let key = layout::tag_index(repository, &tag, &digest);
                    if let Some(held) = self.follow(storage, &key).await?.filter(|held| *held != digest) {
                        self.found(Finding::OtherLink(&key, &held));
                    }
                }
            }
            let key = layout::tag_current(repository, &tag);
            match Link::read(storage, &key).await? {
                Link::Absent => self.found(Finding::EmptyTag(repository, &tag)),
                Link::Unreadable(_) => self.found(Finding::PartialLink(&key)),
                Link::To(digest, _) => {
                    self.report.links += 1;
                    if !has_revision(storage, repository, &digest).await? {
                        self.found(Finding::Dangling(repository, &tag, &digest));
                    }
                }
            }
        }
        Ok(())
    }

    /// What the link names; a folder without a link is what the old binary leaves of a deleted one.
    async fn follow(&mut self, storage: &Storage, key: &Key) -> Result<Option<Digest>, RegistryError> {
        match Link::read(storage, key).await? {
            Link::Absent => Ok(None),
            Link::Unreadable(_) => {
                self.found(Finding::PartialLink(key));
                Ok(None)
            }
            Link::To(digest, _) => {
                self.report.links += 1;
                Ok(Some(digest))
            }
        }
    }
}

/// The next child whose name is the digits of a digest.
async fn next_digest(
    children: &mut Children<'_>,
    algorithm: Algorithm,
) -> Result<Option<Digest>, StorageError> {
    while let Some(hex) = children.next().await? {
        if let Ok(digest) = format!("{algorithm}:{hex}").parse() {
            return Ok(Some(digest));
        }
    }
    Ok(None)
}
