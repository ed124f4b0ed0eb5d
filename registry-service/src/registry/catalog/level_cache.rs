//! The names on the levels of the repositories' tree, in memory as long as the stamp of their prefix stands. Most levels
//! are the folders of single repositories, with no name below them: for these a page of the list costs one look instead
//! of the reading of a directory.

use std::sync::Arc;

use moka::sync::Cache;

use crate::registry::layout;
use crate::storage::{Entry, EntryKind, Stamp, Storage, StorageError};

/// Most bytes of names in memory.
const CAPACITY: u64 = 16 << 20;
/// What one level takes besides its names, in bytes.
const LEVEL_BYTES: usize = 250;
/// Levels with more names are read from the tree.
const LONGEST_LEVEL: usize = 200_000;

/// Levels by the name above them; the top is empty.
#[derive(Clone)]
pub(in crate::registry) struct LevelCache(Cache<String, Level>);

#[derive(Clone)]
struct Level {
    stamp: Stamp,
    /// Components of names, in byte order.
    names: Arc<[Box<str>]>,
}

impl LevelCache {
    pub(in crate::registry) fn new() -> Self {
        let weigher = |above: &String, level: &Level| {
            let names: usize = level.names.iter().map(|name| name.len() + 40).sum();
            u32::try_from(names + above.len() + LEVEL_BYTES).unwrap_or(u32::MAX)
        };
        Self(Cache::builder().max_capacity(CAPACITY).weigher(weigher).build())
    }

    /// All names on the level below `above`; `None` when they are too many, or have just changed so that the next change
    /// might not show in the stamp.
    pub(super) async fn names(
        &self,
        storage: &Storage,
        above: &str,
        now_ms: i64,
    ) -> Result<Option<Arc<[Box<str>]>>, StorageError> {
        let prefix = layout::repositories(above);
        let Some(stamp) = storage.stamp(&prefix).await? else {
            return Ok(Some(Arc::default()));
        };
        if let Some(level) = self.0.get(above).filter(|level| level.stamp == stamp) {
            return Ok(Some(level.names));
        }
        if !stamp.is_settled(now_ms) {
            return Ok(None);
        }
        let entries = storage.list(&prefix, None, LONGEST_LEVEL).await?;
        if entries.len() == LONGEST_LEVEL {
            return Ok(None);
        }
        let names: Arc<[Box<str>]> = components(entries).map(String::into_boxed_str).collect();
        let level = Level {
            stamp,
            names: Arc::clone(&names),
        };
        self.0.insert(above.to_owned(), level);
        Ok(Some(names))
    }
}

/// Those entries that may be parts of repositories' names.
pub(super) fn components(entries: Vec<Entry>) -> impl Iterator<Item = String> {
    let prefixes = entries
        .into_iter()
        .filter(|entry| entry.kind == EntryKind::Prefix);
    prefixes
        .map(|entry| entry.name)
        .filter(|name| shared::oci::name::is_component(name))
}
