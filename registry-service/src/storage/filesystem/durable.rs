//! Which directories are known to be durable.

use std::collections::HashMap;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Directories remembered per generation; there are two.
const REMEMBERED: usize = 4096;

/// Directories whose path from the root is durable: every entry on it was synced since the directory was made.
/// Bounded: when the younger generation is full, it becomes the older one.
#[derive(Default)]
pub(super) struct Known {
    younger: HashMap<PathBuf, Identity>,
    older: HashMap<PathBuf, Identity>,
}

/// Tells a directory from one that is made later at the same path, by whichever process (inode numbers are
/// used again).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity {
    inode: u64,
    made: Option<SystemTime>,
}

impl Identity {
    pub(super) fn of(metadata: &Metadata) -> Self {
        Self {
            inode: metadata.ino(),
            made: metadata.created().ok(),
        }
    }
}

impl Known {
    pub(super) fn find(&mut self, path: &Path) -> Option<Identity> {
        if let Some(identity) = self.younger.get(path) {
            return Some(*identity);
        }
        let (path, identity) = self.older.remove_entry(path)?;
        self.insert(path, identity);
        Some(identity)
    }

    pub(super) fn insert(&mut self, path: PathBuf, identity: Identity) {
        if self.younger.len() >= REMEMBERED {
            self.older = std::mem::take(&mut self.younger);
        }
        self.younger.insert(path, identity);
    }
}
