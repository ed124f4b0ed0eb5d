//! What a manifest names must be there before it is accepted.

use std::collections::HashSet;

use futures_util::{StreamExt as _, stream};
use shared::oci::{Digest, Manifest, RepositoryName};
use tokio::task::coop::consume_budget;

use super::MAX_MISSING;
use crate::registry::link::{find_layer, has_revision};
use crate::registry::{Registry, RegistryError, layout};
use crate::storage::StorageError;

/// How many of a manifest's references are looked up at once.
const PARALLEL_CHECKS: usize = 16;

impl Registry {
    pub(super) async fn check_references(
        &self,
        repository: &RepositoryName,
        view: &Manifest,
    ) -> Result<(), RegistryError> {
        let rules = &self.options.rules;
        let children = view.manifests().iter().filter(|child| rules.requires(child));
        let blobs = view.required_blobs().map(|it| (&it.digest, false));
        let named = blobs.chain(children.map(|it| (&it.digest, true)));
        let mut seen = HashSet::new();
        // Owned: a closure over borrowed digests makes a future that the compiler cannot prove to be Send.
        let named: Vec<_> = named
            .filter(|(digest, _)| seen.insert(*digest))
            .map(|(digest, is_child)| (digest.clone(), is_child))
            .collect();
        let checks = named.into_iter().map(|(digest, is_child)| async move {
            consume_budget().await;
            let is_there = self.is_stored(repository, &digest, is_child).await?;
            Ok::<_, RegistryError>((!is_there).then_some(digest))
        });
        let mut checks = stream::iter(checks).buffered(PARALLEL_CHECKS);
        let mut missing = Vec::new();
        while let Some(checked) = checks.next().await {
            missing.extend(checked?);
            if missing.len() == MAX_MISSING {
                break;
            }
        }
        if missing.is_empty() {
            Ok(())
        } else {
            Err(RegistryError::ManifestBlobUnknown { missing })
        }
    }

    /// Whether the repository holds the content and it is stored. An index may name blobs as well as manifests.
    async fn is_stored(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
        may_be_manifest: bool,
    ) -> Result<bool, RegistryError> {
        let held = if may_be_manifest && has_revision(&self.storage, repository, digest).await? {
            Some(digest.clone())
        } else {
            find_layer(&self.storage, repository, digest).await?
        };
        let Some(held) = held else { return Ok(false) };
        match self.storage.stat(&layout::content(&held)).await {
            Ok(_) => Ok(true),
            Err(StorageError::NotFound { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}
