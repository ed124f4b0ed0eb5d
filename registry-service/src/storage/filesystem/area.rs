//! The storage's own area: process slots, names for temporary files, trash.

use std::fs::{self, DirBuilder, File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::io::Errno;

use super::lock::OpenedFor;
use super::options;
use crate::storage::StorageError;

pub(super) const AREA: &str = "portolan";
pub(super) const STAGING: &str = "portolan/staging";
pub(super) const LOCKS: &str = "portolan/locks";
const TMP: &str = "portolan/tmp";
const TRASH: &str = "portolan/trash";

/// The area as one process uses it. Names are `SLOT-START-COUNT`: the slot is held by a lock as long as the process
/// lives, so that whoever gets it next, or finds it free, knows that its temporary files are nobody's.
pub(super) struct Area {
    root: PathBuf,
    prefix: String,
    count: AtomicU64,
    slot: Slot,
}

/// A number that one living process has.
struct Slot {
    number: u32,
    /// Grows with each holder.
    start: u128,
    opened_for: OpenedFor,
    /// Holds the lock.
    _file: File,
}

impl Area {
    pub(super) fn open(root: &Path) -> Result<Self, StorageError> {
        let opened = Self::make(root).and_then(|()| {
            let slot = claim_slot(root)?;
            Ok(Self {
                root: root.to_owned(),
                prefix: format!("{}-{:x}-", slot.number, slot.start),
                count: AtomicU64::new(0),
                slot,
            })
        });
        let area = opened.and_then(|area| {
            area.check()?;
            area.sweep()?;
            Ok(area)
        });
        area.map_err(|error| {
            StorageError::from_io(format!("opening the area {}", root.join(AREA).display()), error)
        })
    }

    /// Makes the directories. Only the owner may look into them: staged content is nobody else's yet.
    fn make(root: &Path) -> io::Result<()> {
        for directory in [AREA, STAGING, TMP, LOCKS, TRASH] {
            match DirBuilder::new().mode(0o700).create(root.join(directory)) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    /// Checks what commits rely on: one file system, working renames.
    fn check(&self) -> io::Result<()> {
        let device = fs::metadata(self.root.join(TMP))?.dev();
        let children = fs::read_dir(&self.root)?.map(|child| child.and_then(|child| child.metadata()));
        for metadata in children.chain([fs::metadata(self.root.join(STAGING))]) {
            match metadata {
                Ok(metadata) if metadata.is_dir() && metadata.dev() != device => {
                    return Err(io::Error::other(
                        "the folder's parts are on different file systems",
                    ));
                }
                // Another process may have removed it meanwhile.
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        let (from, to) = (self.temporary(), self.trash());
        options().write(true).create_new(true).open(&from)?;
        fs::rename(&from, &to)?;
        // Another process that opens the folder may clear the trash at this moment.
        discard_file(&to)
    }

    /// Clears what dead processes left. Trash goes in the background: anybody may delete it at any time.
    fn sweep(&self) -> io::Result<()> {
        let mut free: Vec<(String, File)> = Vec::new();
        for entry in fs::read_dir(self.root.join(LOCKS))? {
            let name = entry?.file_name();
            let Some(number) = name.to_str().and_then(|name| name.strip_prefix("slot-")) else {
                continue;
            };
            let Ok(file) = self.slot.opened_for.open(&self.root.join(LOCKS).join(&name)) else {
                continue;
            };
            if file.try_lock().is_ok() {
                free.push((format!("{number}-"), file));
            }
        }
        let own_slot = self.prefix.split_inclusive('-').next().unwrap_or_default();
        for entry in fs::read_dir(self.root.join(TMP))? {
            let entry = entry?;
            let name = entry.file_name();
            let Some(name) = name.to_str() else { continue };
            let abandoned = free.iter().any(|(slot, _)| name.starts_with(slot))
                || (name.starts_with(own_slot) && !name.starts_with(&self.prefix));
            if abandoned {
                discard_file(&entry.path())?;
            }
        }
        let trash = self.root.join(TRASH);
        std::thread::Builder::new()
            .name("trash".to_owned())
            .spawn(move || {
                for entry in fs::read_dir(trash).into_iter().flatten().flatten() {
                    delete(&entry.path());
                }
            })?;
        Ok(())
    }

    /// How this file system wants files opened that are only locked.
    pub(super) fn lock_files(&self) -> OpenedFor {
        self.slot.opened_for
    }

    fn name(&self) -> String {
        format!("{}{:x}", self.prefix, self.count.fetch_add(1, Ordering::Relaxed))
    }

    /// A path for a temporary file, never used before.
    pub(super) fn temporary(&self) -> PathBuf {
        self.root.join(TMP).join(self.name())
    }

    /// A path for something removed, never used before.
    pub(super) fn trash(&self) -> PathBuf {
        self.root.join(TRASH).join(self.name())
    }
}

/// Takes the first slot that no living process holds.
fn claim_slot(root: &Path) -> io::Result<Slot> {
    let mut opened_for = if shared::sabotage::breaks("hold-files-for-writing") {
        OpenedFor::Writing
    } else {
        OpenedFor::Reading
    };
    let mut number = 0;
    while number < u32::MAX {
        let path = root.join(LOCKS).join(format!("slot-{number}"));
        let file = opened_for.open(&path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                number += 1;
                continue;
            }
            Err(TryLockError::Error(error)) => {
                let needs_writing = error.raw_os_error().map(Errno::from_raw_os_error) == Some(Errno::BADF);
                if needs_writing && opened_for == OpenedFor::Reading {
                    opened_for = OpenedFor::Writing;
                    continue;
                }
                return Err(error);
            }
        }
        if opened_for.open(&path)?.try_lock().is_ok() {
            return Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "the file system grants one lock twice",
            ));
        }
        return Ok(Slot {
            number,
            start: next_start(&path)?,
            opened_for,
            _file: file,
        });
    }
    Err(io::Error::other("every process slot is taken"))
}

/// Counts the slot's holders up. The file's own time serves as clock; the former number, should the clock have gone back.
fn next_start(path: &Path) -> io::Result<u128> {
    let mut file = options().read(true).write(true).open(path)?;
    let mut former = String::new();
    file.read_to_string(&mut former)?;
    file.set_len(0)?;
    let clock = file.metadata()?.modified()?.duration_since(std::time::UNIX_EPOCH);
    let former = former
        .trim()
        .parse::<u128>()
        .map_or(0, |former| former.saturating_add(1));
    let start = clock.map_or(0, |time| time.as_nanos()).max(former);
    file.rewind()?;
    write!(file, "{start}")?;
    Ok(start)
}

/// Removes a file of the area; absent is fine.
pub(super) fn discard_file(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Deletes something in the trash. A failure only costs space until the next start.
pub(super) fn delete(path: &Path) {
    let deleted = match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    if let Err(error) = deleted
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(path = %path.display(), %error, "could not delete from the trash; the next start tries again");
    }
}
