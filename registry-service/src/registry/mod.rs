//! Repositories' content by the rules of the OCI distribution specification, over [`Storage`]: blobs, upload
//! sessions, manifests, tags, referrers, and the list of repositories. Knows nothing of HTTP or of permission.
//!
//! Distribution's tree is the only truth. Nothing here is kept in memory that could make a read wrong when
//! another process, or distribution itself, changes the tree meanwhile: caches hold what cannot change (content by
//! its digest), and lists that are valid only while the stamp of their prefix is the same.

mod announce;
mod blob;
mod catalog;
mod content_cache;
mod contents;
mod error;
#[doc(hidden)]
pub mod fuzzing;
pub mod garbage;
mod hash_state;
mod layout;
mod link;
pub mod manifest;
mod packed;
mod purge;
mod referrer;
mod referrer_index;
mod rules;
pub mod scrub;
mod tag;
mod tag_list;
mod trusted_length;
mod upload;
mod upload_id;
mod upload_session;

use std::sync::Arc;

use shared::runtime::clock::Clock;
use shared::secret::Secret;

pub use crate::storage::{Fitness, Reader as BlobReader, StorageError};
pub use announce::{Announcer, Change};
pub use error::RegistryError;
pub use manifest::StoredManifest;
pub use rules::{Children, Class, Expression, ForeignUrls, InvalidExpression, Platform, Rules};
pub use tag::TagCondition;
pub use upload::LEASES;
pub use upload_id::{InvalidUploadId, UploadId};
pub use upload_session::Chunk;

use crate::descriptor_cache::DescriptorCache;
use crate::storage::Storage;
use catalog::LevelCache;
use content_cache::ManifestCache;
use referrer::ReferrerCache;
use tag_list::TagCache;
use upload_session::HashStates;

/// Settings of a registry's content.
#[derive(Clone)]
pub struct Options {
    /// Largest blob in bytes.
    pub max_blob_size: u64,
    /// What manifests must keep to.
    pub rules: Rules,
    /// Proves that a stored hash state is our own. The same for all replicas that continue each other's upload
    /// sessions; with another secret a session goes on all the same, but its content is hashed again from the start.
    pub upload_secret: Secret<Vec<u8>>,
    /// Who else is told of blobs that come and go.
    pub descriptors: Option<DescriptorCache>,
    /// Where the random part of new upload ids comes from.
    pub random: Arc<dyn Fn() -> [u8; 16] + Send + Sync>,
}

/// Largest blob unless configured otherwise: 100 GiB.
pub const DEFAULT_MAX_BLOB_SIZE: u64 = 100 << 30;

/// The content of all repositories. Clones share everything.
#[derive(Clone)]
pub struct Registry {
    storage: Storage,
    clock: Clock,
    options: Arc<Options>,
    hash_states: HashStates,
    manifests: ManifestCache,
    tags: TagCache,
    levels: LevelCache,
    referrers: ReferrerCache,
    announcer: Option<Arc<dyn Announcer>>,
}

impl Registry {
    /// The content that lies in `storage`.
    pub fn new(storage: Storage, clock: Clock, options: Options) -> Self {
        Self {
            storage,
            clock,
            options: Arc::new(options),
            hash_states: upload_session::hash_states(),
            manifests: ManifestCache::new(),
            tags: tag_list::tag_cache(),
            levels: LevelCache::new(),
            referrers: referrer::referrer_cache(),
            announcer: None,
        }
    }

    /// Whether the storage has failed to make something durable since the start. What was acknowledged is safe; the disk
    /// may not be.
    pub fn is_degraded(&self) -> bool {
        self.storage.failed_syncs() > 0
    }

    /// What the storage can do now. Never waits for the disk.
    pub fn fitness(&self) -> Fitness {
        self.storage.fitness()
    }

    /// Asks the storage for anything at all. An error says that it does not answer.
    pub async fn touch_storage(&self) -> Result<(), RegistryError> {
        self.storage.stamp(&layout::repositories("")).await?;
        Ok(())
    }
}

/// A part of an ordered list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// In order, after the item that was asked for.
    pub items: Vec<T>,
    /// Whether there are (or may be) items after the last one.
    pub more: bool,
}

impl<T> Page<T> {
    /// No items, and none after them.
    pub fn empty() -> Self {
        Self {
            items: Vec::new(),
            more: false,
        }
    }
}

#[cfg(test)]
mod testing;
