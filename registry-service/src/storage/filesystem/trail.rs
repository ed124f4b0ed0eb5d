//! What a test sees of the order in which the disk is asked, and the faults that it orders.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier, Mutex};

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
    /// All changes of names are synced.
    Journal,
}

#[derive(Default)]
pub(super) struct Trail {
    events: Mutex<Vec<Event>>,
    pub(super) fail_data: AtomicBool,
    pub(super) fail_directories: AtomicBool,
    /// The next sync of a journal waits here.
    pub(super) pause: Mutex<Option<Arc<Barrier>>>,
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

    /// What was asked so far, which stays to be taken.
    pub(super) fn seen(&self) -> Vec<Event> {
        self.events.lock().unwrap().clone()
    }

    pub(super) fn journal(&self) -> io::Result<()> {
        let asked = self.record(Event::Journal, &self.fail_directories);
        let pause = self.pause.lock().unwrap().take();
        if let Some(pause) = pause {
            pause.wait();
        }
        asked
    }

    fn record(&self, event: Event, fails: &AtomicBool) -> io::Result<()> {
        self.events.lock().unwrap().push(event);
        if fails.load(Ordering::Relaxed) {
            return Err(rustix::io::Errno::IO.into());
        }
        Ok(())
    }
}
