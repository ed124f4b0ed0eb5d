//! Removing what was not marked.

use std::collections::HashSet;

use shared::oci::{Algorithm, Digest, RepositoryName, Tag};

use super::{Collection, Doomed, Finding, Marks, Tell};
use crate::registry::catalog::Walk;
use crate::registry::contents::{Children, Contents};
use crate::registry::link::Link;
use crate::registry::{RegistryError, layout};
use crate::storage::{Key, Step, Storage, StorageError};

/// Removals that are made durable together.
const REMOVALS: usize = 128;

pub(super) struct Sweep<'a> {
    pub(super) storage: &'a Storage,
    pub(super) marks: &'a Marks,
    /// Else nothing is touched.
    pub(super) remove: bool,
    pub(super) tell: Tell<'a>,
    pub(super) collection: Collection,
}

impl Sweep<'_> {
    /// Counts what will go, before any of it does.
    pub(super) async fn count(&mut self, doomed: &[Doomed]) -> Result<(), RegistryError> {
        self.collection.manifests = doomed.iter().map(|it| it.manifests.len() as u64).sum();
        let mut contents = Contents::new(self.storage);
        while let Some(digest) = contents.next().await? {
            if self.marks.contains(&digest) {
                continue;
            }
            match self.storage.stat(&layout::content(&digest)).await {
                Ok(stat) => {
                    self.collection.blobs += 1;
                    self.collection.bytes += stat.size;
                }
                Err(StorageError::NotFound { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Takes manifests out of their repositories, and out of the histories of their tags.
    pub(super) async fn manifests(&mut self, doomed: &[Doomed]) -> Result<(), RegistryError> {
        for Doomed {
            repository,
            manifests,
        } in doomed
        {
            let gone: HashSet<&Digest> = manifests.iter().collect();
            let mut keys = self.histories(repository, &gone).await?;
            for digest in manifests {
                (self.tell)(Finding::EligibleManifest(repository, digest));
                keys.push(layout::revision(repository, digest));
            }
            self.remove(keys).await?;
        }
        Ok(())
    }

    async fn histories(
        &self,
        repository: &RepositoryName,
        gone: &HashSet<&Digest>,
    ) -> Result<Vec<Key>, RegistryError> {
        let mut keys = Vec::new();
        let mut tags = Children::new(self.storage, layout::tags(repository));
        while let Some(name) = tags.next().await? {
            let Ok(tag) = name.parse::<Tag>() else { continue };
            for algorithm in Algorithm::ALL {
                let prefix = layout::tag_history(repository, &tag, algorithm);
                let mut history = Children::new(self.storage, prefix.clone());
                while let Some(hex) = history.next().await? {
                    let digest = format!("{algorithm}:{hex}").parse::<Digest>();
                    if digest.is_ok_and(|digest| gone.contains(&digest)) {
                        keys.extend(prefix.join(&hex));
                    }
                }
            }
        }
        Ok(keys)
    }

    /// Takes blobs that go out of every repository.
    pub(super) async fn links(&mut self) -> Result<(), RegistryError> {
        let mut walk = Walk::new(None);
        while let Some(name) = walk.next(self.storage).await? {
            let Ok(repository) = name.parse::<RepositoryName>() else {
                continue;
            };
            let mut keys = Vec::new();
            for algorithm in Algorithm::ALL {
                let mut layers = Children::new(self.storage, layout::layers(&repository, algorithm));
                while let Some(hex) = layers.next().await? {
                    let Ok(digest) = format!("{algorithm}:{hex}").parse::<Digest>() else {
                        continue;
                    };
                    let link = Link::read(self.storage, &layout::layer_link(&repository, &digest)).await?;
                    let is_needed = match &link {
                        Link::Absent => false,
                        // Perhaps it can be mended: the folder says what it was.
                        Link::Unreadable(_) => self.marks.contains(&digest),
                        Link::To(held, _) => self.marks.contains(held),
                    };
                    if is_needed {
                        continue;
                    }
                    (self.tell)(Finding::EligibleLink(&repository, &digest));
                    self.collection.links += 1;
                    keys.push(layout::layer(&repository, &digest));
                    if keys.len() == REMOVALS {
                        self.remove(std::mem::take(&mut keys)).await?;
                    }
                }
            }
            self.remove(keys).await?;
        }
        Ok(())
    }

    /// Removes the bytes.
    pub(super) async fn blobs(&mut self) -> Result<(), RegistryError> {
        let mut keys = Vec::new();
        let mut contents = Contents::new(self.storage);
        while let Some(digest) = contents.next().await? {
            if self.marks.contains(&digest) {
                continue;
            }
            (self.tell)(Finding::EligibleBlob(&digest));
            keys.push(layout::content_folder(&digest));
            if keys.len() == REMOVALS {
                self.remove(std::mem::take(&mut keys)).await?;
            }
        }
        self.remove(keys).await
    }

    async fn remove(&self, keys: Vec<Key>) -> Result<(), RegistryError> {
        if !self.remove {
            return Ok(());
        }
        let mut keys = keys.into_iter();
        loop {
            let steps: Vec<Step> = keys
                .by_ref()
                .take(REMOVALS)
                .map(|key| Step::Remove { key })
                .collect();
            if steps.is_empty() {
                return Ok(());
            }
            self.storage.commit(Vec::new(), steps).await?;
        }
    }
}
