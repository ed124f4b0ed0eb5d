//! Manifests in memory, by digest. A digest names one content for ever, so nothing here can be out of date; that
//! a repository still holds it is checked at each use.

use bytes::Bytes;
use moka::sync::Cache;
use shared::oci::{Digest, MediaType};

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
        self.0.get(digest)
    }

    /// Keeps content that was found to have this digest.
    pub(super) fn keep(&self, digest: &Digest, bytes: &Bytes, media_type: MediaType) {
        if bytes.len() <= LARGEST {
            self.0.insert(digest.clone(), (bytes.clone(), media_type));
        }
    }
}
