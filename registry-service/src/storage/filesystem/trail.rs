//! What a test sees of the order in which the disk is asked, and the faults that it orders.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::storage::Key;

/// One request to the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Event {
    /// A file's content is synced.
    Data,
    /// An object got its key.
    Visible(String),
    /// A directory is synced.
    Directory(PathBuf),
}

#[derive(Default)]
pub(super) struct Trail {
    events: Mutex<Vec<Event>>,
    pub(super) fail_data: AtomicBool,
    pub(super) fail_directories: AtomicBool,
}

impl Trail {
    pub(super) fn take(&self) -> Vec<Event> {
        std::mem::take(&mut *self.events.lock().unwrap())
    }

    pub(super) fn data(&self) -> io::Result<()> {
        self.record(Event::Data, &self.fail_data)
    }

    pub(super) fn visible(&self, key: &Key) {
        self.events.lock().unwrap().push(Event::Visible(key.to_string()));
    }

    pub(super) fn directory(&self, path: &Path) -> io::Result<()> {
        self.record(Event::Directory(path.to_owned()), &self.fail_directories)
    }

    fn record(&self, event: Event, fails: &AtomicBool) -> io::Result<()> {
        self.events.lock().unwrap().push(event);
        if fails.load(Ordering::Relaxed) {
            return Err(rustix::io::Errno::IO.into());
        }
        Ok(())
    }
}
