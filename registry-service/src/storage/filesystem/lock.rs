//! Guards: locks that hold between threads and between processes.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::options;
use crate::storage::Key;

/// Keys share this many locks; a commit that guards two keys of one shard takes it once.
const SHARDS: usize = 64;

/// The lock files, opened when first needed. The mutex holds between threads, the file's lock between processes.
pub(super) struct Locks {
    folder: PathBuf,
    opened_for: OpenedFor,
    shards: [Mutex<Option<File>>; SHARDS],
}

/// How files that are only locked are opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OpenedFor {
    /// An open file that may be written keeps its file system from being mounted read-only, as an operator may want to
    /// while pulls go on.
    Reading,
    /// Network file systems lock only what may be written.
    Writing,
}

impl OpenedFor {
    /// Opens a lock file, made if absent.
    pub(super) fn open(self, path: &Path) -> io::Result<File> {
        let for_writing = || options().write(true).create(true).truncate(false).open(path);
        match self {
            Self::Writing => for_writing(),
            Self::Reading => match options().read(true).open(path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    drop(for_writing()?);
                    options().read(true).open(path)
                }
                opened => opened,
            },
        }
    }
}

/// Locks that are held until this is dropped.
pub(super) struct Held<'a>(Vec<MutexGuard<'a, Option<File>>>);

impl Locks {
    pub(super) fn new(folder: PathBuf, opened_for: OpenedFor) -> Self {
        Self {
            folder,
            opened_for,
            shards: [const { Mutex::new(None) }; SHARDS],
        }
    }

    /// Waits for the locks of all keys, in one order everywhere, so that no two commits wait for each other.
    pub(super) fn lock<'a>(&self, keys: impl Iterator<Item = &'a Key>) -> io::Result<Held<'_>> {
        let mut numbers: Vec<usize> = keys.map(shard).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let mut held = Held(Vec::with_capacity(numbers.len()));
        for number in numbers {
            // A panic while it was held leaves the file as it was.
            let mut file = self.shards[number].lock().unwrap_or_else(PoisonError::into_inner);
            if file.is_none() {
                let path = self.folder.join(format!("{number:02x}"));
                *file = Some(self.opened_for.open(&path)?);
            }
            if let Some(file) = file.as_ref() {
                file.lock()?;
            }
            held.0.push(file);
        }
        Ok(held)
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        for file in self.0.iter_mut().rev() {
            if file.as_ref().is_some_and(|file| file.unlock().is_err()) {
                // Closing the file gives its lock back too.
                **file = None;
            }
        }
    }
}

/// The shard of a key: the same in every process and every version that may share a folder.
fn shard(key: &Key) -> usize {
    // FNV-1a, since std's hashers promise no stable values.
    let hash = key
        .as_str()
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
    usize::try_from((hash ^ (hash >> 32)) % SHARDS as u64).unwrap_or_default()
}
