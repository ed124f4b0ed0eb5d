//! File systems that keep all changes in one journal: one sync makes everything durable that came before it.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::{Timespec, Timestamps, UTIME_NOW, futimens, major, minor};

use super::area::LOCKS;
use super::options;

/// Of ext2 to ext4 (`statfs`).
const EXT: i64 = 0xEF53;

/// The journal of a folder's file system. A file system with a journal commits changes of names in the order in which
/// they were made, whole transaction after whole transaction, so that a folder's new entries need no sync of their own.
pub(super) struct Journal {
    /// Opened for reading: an open file that may be written would keep the file system from being mounted read-only.
    marker: File,
}

impl Journal {
    /// The journal, if the file system is one that is known to have it: ext4, unless it was made without.
    pub(super) fn find(root: &Path) -> Option<Self> {
        if rustix::fs::statfs(root).ok()?.f_type != EXT {
            return None;
        }
        let device = fs::metadata(root).ok()?.dev();
        let device = fs::read_link(format!("/sys/dev/block/{}:{}", major(device), minor(device))).ok()?;
        let task = Path::new("/sys/fs/ext4")
            .join(device.file_name()?)
            .join("journal_task");
        // The number of the kernel's thread; 0 as seen from a container.
        let task = fs::read_to_string(task).ok()?;
        task.trim().parse::<u32>().ok()?;
        Self::with_marker(root).ok()
    }

    /// Takes it for granted that there is one.
    pub(super) fn with_marker(root: &Path) -> io::Result<Self> {
        let path = root.join(LOCKS).join("journal");
        drop(options().write(true).create(true).truncate(false).open(&path)?);
        Ok(Self {
            marker: options().read(true).open(path)?,
        })
    }

    /// Waits until every change that was made before is durable. The marker changes last, so that what makes that
    /// durable makes all of them so.
    pub(super) fn sync(&self) -> io::Result<()> {
        let now = Timespec {
            tv_sec: 0,
            tv_nsec: UTIME_NOW,
        };
        futimens(
            &self.marker,
            &Timestamps {
                last_access: now,
                last_modification: now,
            },
        )?;
        self.marker.sync_all()
    }
}
