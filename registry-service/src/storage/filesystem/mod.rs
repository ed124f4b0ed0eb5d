//! Objects as files of one folder, shared with any number of processes (another registry among them).
//!
//! A key is a path below the root, one to one. The storage's own areas lie in `portolan/` below the same root:
//! `staging/` (staged objects, one flat file each), `tmp/` (small contents on their way to a key), `trash/`
//! (what was removed, until it is deleted), `locks/` (guards and process slots). All are on one file system, so
//! that one `rename` is each step's moment of visibility.

mod area;
mod commit;
mod direct;
mod durable;
mod failed_syncs;
mod journal;
mod lock;
mod number;
mod read;
mod rounds;
mod staged;
mod stream;
mod sync;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod trail;
mod work;

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use rustix::fs::{OFlags, StatVfsMountFlags};
use rustix::io::Errno;

use self::area::Area;
use self::direct::Willing;
use self::failed_syncs::FailedSyncs;
use self::journal::Journal;
use self::lock::Locks;
use self::rounds::Rounds;
use self::stream::Buffers;
use self::sync::Directories;
use self::work::{Places, short};
use super::buffer::{self, Buffer};
use super::{Fitness, Key, StorageError};

pub(super) use self::staged::StagedFile;
pub(super) use self::stream::Source;

/// What an acknowledged commit survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// The loss of power.
    #[default]
    Full,
    /// The end of the process only: nothing is synced.
    None,
}

/// How a folder is used.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// What an acknowledged commit survives.
    pub durability: Durability,
}

/// Objects as files. Clones share everything.
#[derive(Clone)]
pub struct Filesystem(Arc<Shared>);

struct Shared {
    root: PathBuf,
    durability: Durability,
    area: Area,
    locks: Locks,
    directories: Directories,
    rounds: Rounds,
    buffers: Arc<Buffers>,
    received: buffer::Buffers,
    direct: Willing,
    places: Places,
    failed_syncs: FailedSyncs,
    #[cfg(test)]
    trail: trail::Trail,
}

impl Filesystem {
    /// Opens a folder, making it if absent: checks that the storage's own area and the data are on one file
    /// system where locks work between open files, and clears what dead processes left in the area.
    /// Blocks; meant for the start of the process.
    pub fn open(root: &Path, options: Options) -> Result<Self, StorageError> {
        Self::open_with(root, options, Journal::find)
    }

    fn open_with(
        root: &Path,
        options: Options,
        journal: impl FnOnce(&Path) -> Option<Journal>,
    ) -> Result<Self, StorageError> {
        let failed = |error| StorageError::from_io(format!("opening the folder {}", root.display()), error);
        fs::create_dir_all(root).map_err(failed)?;
        let root = root.canonicalize().map_err(failed)?;
        let area = Area::open(&root)?;
        if options.durability == Durability::Full {
            sync::sync_from(&root.join(area::AREA)).map_err(failed)?;
        }
        Ok(Self(Arc::new(Shared {
            durability: options.durability,
            locks: Locks::new(root.join(area::LOCKS), area.lock_files()),
            directories: Directories::new(root.clone()),
            rounds: Rounds::new(journal(&root)),
            buffers: Arc::default(),
            received: buffer::Buffers::default(),
            direct: Willing::new(),
            places: Places::new(),
            failed_syncs: FailedSyncs::default(),
            #[cfg(test)]
            trail: trail::Trail::default(),
            root,
            area,
        })))
    }

    /// How many syncs have failed since the start: from the first on, the disk needs an operator.
    pub fn failed_syncs(&self) -> u64 {
        self.0.failed_syncs.count()
    }

    /// What can be done now, as the file system says and as syncs have gone in the last minute.
    pub(in crate::storage) fn fitness(&self) -> Fitness {
        let system = rustix::fs::statvfs(&self.0.root);
        if self.0.failed_syncs.are_many(Instant::now()) {
            Fitness::Failing
        } else if system.is_ok_and(|system| system.f_flag.contains(StatVfsMountFlags::RDONLY)) {
            Fitness::ReadOnly
        } else {
            Fitness::Sound
        }
    }

    /// From here on every sync of content fails, as on a broken disk.
    #[cfg(test)]
    pub(crate) fn fail_syncs(&self) {
        self.0
            .trail
            .fail_data
            .store(true, std::sync::atomic::Ordering::Relaxed);
    }

    pub(super) fn buffer(&self, length: usize) -> Buffer {
        self.0.received.take(length)
    }

    fn path(&self, key: &Key) -> PathBuf {
        self.0.root.join(key.as_str())
    }

    /// Waits until a file's content is on the disk. A failure is final: the pages may be lost though a second
    /// sync would succeed, so that the caller has to give the file up.
    fn sync_data(&self, file: &File) -> io::Result<()> {
        if self.0.durability == Durability::None {
            return Ok(());
        }
        #[cfg(test)]
        let synced = self.0.trail.data().and_then(|()| file.sync_data());
        #[cfg(not(test))]
        let synced = file.sync_data();
        sync::not_ignored(synced).inspect_err(|_| self.count_failed_sync())
    }

    fn count_failed_sync(&self) {
        self.0.failed_syncs.add(Instant::now());
    }
}

/// Options for files below the root: a symbolic link as the last component is never followed, and a pipe that
/// lies about does not block.
fn options() -> OpenOptions {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    let mut options = OpenOptions::new();
    options.custom_flags(flags.bits().cast_signed());
    options
}

/// Whether an error means that nothing usable is there: absent, below a file, a link, a directory, a socket.
fn is_absent(error: &io::Error) -> bool {
    use io::ErrorKind::{IsADirectory, NotADirectory, NotFound};
    let code = error.raw_os_error().map(Errno::from_raw_os_error);
    matches!(error.kind(), NotFound | NotADirectory | IsADirectory)
        || matches!(code, Some(Errno::LOOP | Errno::NXIO | Errno::NAMETOOLONG))
}

/// The same error once more, for several waiting parties.
fn copied(error: &io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(code) => io::Error::from_raw_os_error(code),
        None => io::Error::new(error.kind(), error.to_string()),
    }
}

impl fmt::Debug for Filesystem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Filesystem").field(&self.0.root).finish()
    }
}
