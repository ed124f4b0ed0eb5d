//! Manifests in memory, by digest. A digest names one content for ever, so nothing here can be out of date; that
//! a repository still holds it is checked at each use.

use bytes::Bytes;
use moka::sync::Cache;
use shared::oci::{Digest, MediaType};

use crate::metrics;

/// Most bytes of manifests in memory.
const CAPACITY: u64 = 32 << 20;
/// Larger manifests are read each time.
const LARGEST: usize = 1 << 20;

#[derive(Clone)]
pub(super) struct ManifestCache(Cache<Digest, (Bytes, MediaType)>);

impl ManifestCache {
    pub(super) fn new() -> Self {
        let weigher = |digest: &Digest, (bytes, _): &(Bytes, MediaType)| {
            u32::try_from(bytes.len() + digest.hex().len() + 200).unwrap_or(u32::MAX)
        };
        Self(Cache::builder().max_capacity(CAPACITY).weigher(weigher).build())
    }

    pub(super) fn find(&self, digest: &Digest) -> Option<(Bytes, MediaType)> {
        let found = self.0.get(digest);
        metrics::CACHE_REQUESTS.add(1);
        metrics::CACHE_HITS.add(u64::from(found.is_some()));
        found
    }

    /// Keeps a copy of content that was found to have this digest. What was received is a slice of its connection's buffer
    /// and would keep the whole of it, many times the weight that is counted here.
    pub(super) fn keep(&self, digest: &Digest, bytes: &[u8], media_type: MediaType) {
        if bytes.len() <= LARGEST {
            let copy = Bytes::copy_from_slice(bytes);
            self.0.insert(digest.clone(), (copy, media_type));
        }
    }
}

#[cfg(test)]
mod tests {
    use shared::oci::Algorithm;

    use super::*;

    #[test]
    fn a_kept_manifest_holds_no_more_memory_than_it_weighs() {
        let buffer = Bytes::from(vec![b'x'; 64 << 10]);
        let received = buffer.slice(100..1100);
        let cache = ManifestCache::new();
        let digest = Digest::of(Algorithm::Sha256, &received);
        cache.keep(&digest, &received, MediaType::OciManifest);
        drop(received);
        assert!(
            buffer.is_unique(),
            "the cache holds the buffer that the manifest came in"
        );
        assert_eq!(cache.find(&digest).unwrap().0.len(), 1000);
    }
}
