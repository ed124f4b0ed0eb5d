//! Referrers: the manifests of a repository that name another one as their subject (distribution-spec, "Listing
//! Referrers"). Derived from the tree and never part of a write, so that what distribution wrote is listed too.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use moka::sync::Cache;
use shared::oci::{Algorithm, Descriptor, Digest, Manifest, Reference, RepositoryName, Tag};
use tokio::sync::Mutex;
use tokio::task::coop::consume_budget;
use tracing::instrument;

use super::manifest::MANIFEST_LIMIT;
use super::referrer_index::ReferrerIndex;
use super::{Page, Registry, RegistryError, layout};
use crate::storage::StorageError;

/// Most bytes of indexes in memory.
const CAPACITY: u64 = 32 << 20;
/// Longest stored index in bytes.
const INDEX_LIMIT: u64 = 256 << 20;
/// Manifests that are listed in one go.
const LISTING: usize = 100_000;
/// Referrers that are looked at in one go.
const BATCH: usize = 256;
/// A page ends before its descriptors hold more than this many bytes of annotations: clients take answers of 4 MiB.
const PAGE_BYTES: usize = 3 << 20;

/// Indexes in memory. The lock lets one request at a time bring a repository's index up to date.
pub(super) type ReferrerCache = Cache<RepositoryName, Arc<CachedIndex>>;

pub(super) struct CachedIndex {
    weight: u32,
    index: Arc<Mutex<Option<ReferrerIndex>>>,
}

pub(super) fn referrer_cache() -> ReferrerCache {
    let weigher = |name: &RepositoryName, cached: &Arc<CachedIndex>| {
        cached
            .weight
            .saturating_add(u32::try_from(name.as_str().len()).unwrap_or(u32::MAX))
    };
    Cache::builder().max_capacity(CAPACITY).weigher(weigher).build()
}

impl Registry {
    /// The manifests of the repository that name `subject`, after the digest `after`, ordered by digest; of those
    /// of one type if `artifact_type` is given. Those that the fallback tag of the subject lists are among them
    /// (distribution-spec, "Referrers Tag Schema"). An unknown repository or subject has none.
    #[instrument(level = "debug", skip_all, fields(repository.name = %repository, subject = %subject))]
    pub async fn list_referrers(
        &self,
        repository: &RepositoryName,
        subject: &Digest,
        artifact_type: Option<&str>,
        after: Option<&Digest>,
        limit: usize,
    ) -> Result<Page<Descriptor>, RegistryError> {
        let mut page = Page::empty();
        let mut bytes = 0;
        let mut tagged = self.tagged_referrers(repository, subject).await?;
        let mut after = after.cloned();
        loop {
            let mut batch = self
                .indexed_referrers(repository, subject, artifact_type, after.as_ref())
                .await?;
            let is_last = batch.len() < BATCH;
            let end = batch.last().filter(|_| !is_last).cloned();
            let beside = tagged.keys().filter(|it| {
                after.as_ref().is_none_or(|after| *it > after) && end.as_ref().is_none_or(|end| *it <= end)
            });
            batch.extend(beside.cloned());
            batch.sort_unstable();
            batch.dedup();
            for digest in batch {
                consume_budget().await;
                let listed = tagged.remove(&digest);
                let Some(descriptor) = self.describe(repository, subject, digest, listed).await? else {
                    continue;
                };
                if artifact_type.is_some_and(|wanted| descriptor.artifact_type.as_deref() != Some(wanted)) {
                    continue;
                }
                bytes += annotation_bytes(&descriptor);
                if page.items.len() == limit || bytes > PAGE_BYTES && !page.items.is_empty() {
                    page.more = true;
                    return Ok(page);
                }
                page.items.push(descriptor);
            }
            match end {
                Some(end) => after = Some(end),
                None => return Ok(page),
            }
        }
    }

    /// The descriptor of a referrer that the repository still holds: from its own content, or as the fallback tag
    /// lists it if it names no subject itself.
    async fn describe(
        &self,
        repository: &RepositoryName,
        subject: &Digest,
        digest: Digest,
        listed: Option<Descriptor>,
    ) -> Result<Option<Descriptor>, RegistryError> {
        let Some(stored) = self.find_manifest(repository, digest).await? else {
            return Ok(None);
        };
        let parsed = Manifest::parse(&stored.bytes, None).ok();
        let Some(manifest) = parsed.filter(|it| it.subject().is_some_and(|it| it.digest == *subject)) else {
            return Ok(listed);
        };
        Ok(Some(Descriptor {
            media_type: stored.media_type.as_str().to_owned(),
            digest: stored.digest,
            size: stored.bytes.len() as u64,
            urls: Vec::new(),
            annotations: manifest.annotations().cloned(),
            data: None,
            artifact_type: manifest.artifact_type().map(str::to_owned),
            platform: None,
        }))
    }

    /// What the index under the subject's fallback tag lists.
    async fn tagged_referrers(
        &self,
        repository: &RepositoryName,
        subject: &Digest,
    ) -> Result<BTreeMap<Digest, Descriptor>, RegistryError> {
        let hex = subject.hex();
        let text = format!("{}-{}", subject.algorithm(), &hex[..hex.len().min(64)]);
        let Ok(tag) = text.parse::<Tag>() else {
            return Ok(BTreeMap::new());
        };
        let stored = match self.get_manifest(repository, &Reference::Tag(tag)).await {
            Ok(stored) => stored,
            Err(RegistryError::ManifestUnknown { .. }) => return Ok(BTreeMap::new()),
            Err(error) => return Err(error),
        };
        let Ok(index) = Manifest::parse(&stored.bytes, None) else {
            return Ok(BTreeMap::new());
        };
        let plain = |listed: &Descriptor| Descriptor {
            urls: Vec::new(),
            data: None,
            platform: None,
            ..listed.clone()
        };
        Ok(index
            .manifests()
            .iter()
            .map(|listed| (listed.digest.clone(), plain(listed)))
            .collect())
    }

    /// The next referrers that the up-to-date index names.
    async fn indexed_referrers(
        &self,
        repository: &RepositoryName,
        subject: &Digest,
        artifact_type: Option<&str>,
        after: Option<&Digest>,
    ) -> Result<Vec<Digest>, RegistryError> {
        let cached = self.referrers.get_with(repository.clone(), || {
            let index = Arc::default();
            Arc::new(CachedIndex { weight: 400, index })
        });
        let mut held = cached.index.lock().await;
        let index = match &mut *held {
            Some(index) => index,
            none => none.insert(self.stored_index(repository).await?),
        };
        // If this is given up on the way, what was learned stays: it is true, and no stamp says that it is all.
        self.refresh(repository, index).await?;
        let found = index.find(subject, artifact_type, after, BATCH);
        let weight = u32::try_from(index.weight()).unwrap_or(u32::MAX);
        if weight > cached.weight + cached.weight / 4 {
            let index = Arc::clone(&cached.index);
            self.referrers
                .insert(repository.clone(), Arc::new(CachedIndex { weight, index }));
        }
        Ok(found)
    }

    async fn stored_index(&self, repository: &RepositoryName) -> Result<ReferrerIndex, RegistryError> {
        match self
            .storage
            .read(&layout::referrers(repository), INDEX_LIMIT)
            .await
        {
            Ok((stored, _)) => Ok(ReferrerIndex::parse(&stored).unwrap_or_default()),
            Err(StorageError::NotFound { .. } | StorageError::Corrupt { .. }) => Ok(ReferrerIndex::default()),
            Err(error) => Err(error.into()),
        }
    }

    /// Takes up the manifests that the index does not know, whoever wrote them.
    async fn refresh(
        &self,
        repository: &RepositoryName,
        index: &mut ReferrerIndex,
    ) -> Result<(), RegistryError> {
        let absent: Vec<_> = index.absent().cloned().collect();
        for digest in absent {
            if let Some(content) = self.manifest_content(&digest).await? {
                index.learn(digest, Some(&content));
            }
        }
        for algorithm in Algorithm::ALL {
            let stamp = self
                .storage
                .stamp(&layout::revisions(repository, algorithm))
                .await?;
            if stamp.is_some() && index.stamp(algorithm) == stamp.as_ref() {
                continue;
            }
            if stamp.is_some() {
                self.take_up(repository, algorithm, index).await?;
            }
            index.set_stamp(
                algorithm,
                stamp.filter(|stamp| stamp.is_settled(self.clock.now_ms())),
            );
        }
        if index.is_worth_storing() {
            let stored = index.store();
            // The index is only a shortcut: without it the next process reads more manifests.
            if let Err(error) = self.storage.note(&layout::referrers(repository), stored).await {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "storing an index of referrers"
                );
            }
        }
        Ok(())
    }

    async fn take_up(
        &self,
        repository: &RepositoryName,
        algorithm: Algorithm,
        index: &mut ReferrerIndex,
    ) -> Result<(), RegistryError> {
        let prefix = layout::revisions(repository, algorithm);
        let mut after: Option<String> = None;
        loop {
            let entries = self.storage.list(&prefix, after.as_deref(), LISTING).await?;
            let is_first = after.is_none();
            let is_last = entries.len() < LISTING;
            after = entries.last().map(|entry| entry.name.clone());
            let parsed = entries
                .into_iter()
                .map(|entry| format!("{algorithm}:{}", entry.name).parse::<Digest>());
            let listed: Vec<Digest> = parsed.filter_map(Result::ok).collect();
            for digest in &listed {
                if !index.knows(digest) {
                    let content = self.manifest_content(digest).await?;
                    index.learn(digest.clone(), content.as_deref());
                }
            }
            if is_first && is_last && index.len() > listed.len() {
                index.retain(algorithm, &listed);
            }
            if is_last {
                return Ok(());
            }
        }
    }

    /// A manifest's content for looking at it once: what is in memory for serving stays there.
    async fn manifest_content(&self, digest: &Digest) -> Result<Option<Bytes>, RegistryError> {
        consume_budget().await;
        if let Some((bytes, _)) = self.manifests.find(digest) {
            return Ok(Some(bytes));
        }
        match self.storage.read(&layout::content(digest), MANIFEST_LIMIT).await {
            Ok((bytes, _)) => Ok((Digest::of(digest.algorithm(), &bytes) == *digest).then_some(bytes)),
            Err(StorageError::NotFound { .. } | StorageError::Corrupt { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

fn annotation_bytes(descriptor: &Descriptor) -> usize {
    let pairs = descriptor.annotations.iter().flatten();
    pairs
        .map(|(key, value)| key.len() + value.len() + 8)
        .sum::<usize>()
        + 400
}

#[cfg(test)]
mod tests;
