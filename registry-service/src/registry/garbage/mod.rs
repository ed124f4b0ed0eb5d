//! Collecting garbage while nobody pushes: content that no repository needs is found by following every reference
//! from what repositories hold, and removed.
//!
//! Content is needed by a manifest that stays, in whichever repository; by an index of it; and a referrer by its
//! subject. What cannot be read needs nobody knows what: as long as there is such a manifest, nothing is removed.
//! What goes, goes in an order in which a crash leaves nothing that names what is gone: manifests, links, bytes.
//!
//! Memory grows with the number of contents that are needed, by about 50 bytes for each.

mod mark;
mod references;
mod sweep;

use std::collections::HashSet;
use std::fmt;

use shared::oci::{Digest, RepositoryName};
use tokio::task::coop::consume_budget;

use super::catalog::Walk;
use super::packed::Packed;
use super::{Registry, RegistryError};

/// What to collect.
#[derive(Debug, Clone, Copy, Default)]
pub struct Choice {
    /// Only say what would be removed.
    pub dry_run: bool,
    /// Manifests go too that no tag points to, unless an index that stays holds them, or they refer to a manifest
    /// that stays.
    pub delete_untagged: bool,
}

/// What is told while garbage is collected. The words are distribution's, which people's scripts read.
#[derive(Debug)]
pub enum Finding<'a> {
    /// This repository's references are followed next.
    Repository(&'a RepositoryName),
    /// The manifest stays.
    Manifest(&'a RepositoryName, &'a Digest),
    /// The blob stays.
    Blob(&'a RepositoryName, &'a Digest),
    /// The manifest's content is not stored: it cannot be pulled, and nothing is kept for it.
    Missing(&'a RepositoryName, &'a Digest),
    /// All references are followed.
    Marked(&'a Collection),
    /// The manifest goes.
    EligibleManifest(&'a RepositoryName, &'a Digest),
    /// The repository's hold on a blob goes.
    EligibleLink(&'a RepositoryName, &'a Digest),
    /// The bytes go.
    EligibleBlob(&'a Digest),
}

impl fmt::Display for Finding<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Repository(name) => write!(f, "{name}"),
            Self::Manifest(name, digest) => write!(f, "{name}: marking manifest {digest}"),
            Self::Blob(name, digest) => write!(f, "{name}: marking blob {digest}"),
            Self::Missing(name, digest) => {
                write!(f, "{name}: the content of manifest {digest} is not stored")
            }
            Self::Marked(found) => write!(
                f,
                "\n{} blobs marked, {} blobs and {} manifests eligible for deletion",
                found.marked, found.blobs, found.manifests
            ),
            Self::EligibleManifest(name, digest) => {
                write!(f, "{name}: manifest eligible for deletion: {digest}")
            }
            Self::EligibleLink(name, digest) => {
                write!(f, "{name}: layer link eligible for deletion: {digest}")
            }
            Self::EligibleBlob(digest) => write!(f, "blob eligible for deletion: {digest}"),
        }
    }
}

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Collection {
    /// Contents that stay.
    pub marked: u64,
    /// Contents that went, or would go.
    pub blobs: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Manifests that went out of a repository, or would go.
    pub manifests: u64,
    /// Blobs that went out of a repository, or would go.
    pub links: u64,
    /// Manifests that stand there and cannot be read. If there is one, nothing was removed.
    pub damaged: Vec<(RepositoryName, Digest)>,
}

/// Contents that stay.
#[derive(Default)]
struct Marks(HashSet<Packed>);

impl Marks {
    /// Whether it was not marked before.
    fn insert(&mut self, digest: &Digest) -> bool {
        Packed::of(digest).is_some_and(|packed| self.0.insert(packed))
    }

    fn contains(&self, digest: &Digest) -> bool {
        Packed::of(digest).is_some_and(|packed| self.0.contains(&packed))
    }
}

/// Manifests that go, of one repository.
struct Doomed {
    repository: RepositoryName,
    manifests: Vec<Digest>,
}

/// Takes what is told.
type Tell<'a> = &'a mut (dyn FnMut(Finding<'_>) + Send);

impl Registry {
    /// Finds content that nobody needs, and removes it. Nobody may write meanwhile: what is pushed and not yet named by
    /// a manifest would go too.
    pub async fn collect_garbage(&self, choice: Choice, tell: Tell<'_>) -> Result<Collection, RegistryError> {
        let mut collection = Collection::default();
        let mut marks = Marks::default();
        let mut doomed = Vec::new();
        let mut walk = Walk::new(None);
        while let Some(name) = walk.next(&self.storage).await? {
            consume_budget().await;
            let Ok(repository) = name.parse::<RepositoryName>() else {
                continue;
            };
            let mut marking = mark::Marking::new(self, &repository, &mut marks, tell);
            let manifests = marking.mark(choice.delete_untagged).await?;
            collection.damaged.extend(
                marking
                    .damaged
                    .into_iter()
                    .map(|digest| (repository.clone(), digest)),
            );
            if !manifests.is_empty() {
                doomed.push(Doomed {
                    repository,
                    manifests,
                });
            }
        }
        collection.marked = marks.0.len() as u64;
        let is_blocked = !collection.damaged.is_empty();
        let mut sweep = sweep::Sweep {
            storage: &self.storage,
            marks: &marks,
            remove: !choice.dry_run && !is_blocked,
            tell,
            collection,
        };
        sweep.count(&doomed).await?;
        (sweep.tell)(Finding::Marked(&sweep.collection));
        sweep.manifests(&doomed).await?;
        sweep.links().await?;
        sweep.blobs().await?;
        Ok(sweep.collection)
    }
}

#[cfg(test)]
mod tests;
