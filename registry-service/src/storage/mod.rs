//! Bytes under keys. Knows nothing of images, digests or repositories.
//!
//! [`Storage::commit`] is the one place where content becomes visible and durable: small objects and *staged*
//! ones (content that arrives in pieces, under no key yet) appear in the order of the commit's steps, and when it
//! returns they survive a power cut. Whatever interrupts it leaves a prefix of the steps, and of each step all or
//! nothing. The rules are the tests in `suite.rs`, which run on each backend.

mod buffer;
mod commit;
mod error;
mod filesystem;
mod key;
mod memory;
#[cfg(test)]
mod model;
mod reader;
mod staged;
mod stamp;
#[cfg(test)]
mod suite;

use std::ops::Range;

use bytes::Bytes;

use crate::metrics::{Action, Driver, Timer};
use crate::trace;

pub use buffer::Buffer;
pub use commit::{Condition, Guard, Step};
pub use error::StorageError;
pub use filesystem::{Durability, Filesystem, Options};
pub use key::{InvalidKey, InvalidStagedId, Key, MAX_COMPONENT_LENGTH, MAX_KEY_LENGTH, StagedId};
pub use memory::Memory;
pub use reader::{PIECE_LENGTH, Reader};
pub use staged::StagedWriter;
pub use stamp::{InvalidStamp, Stamp, Version};

/// Size and age of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stat {
    /// Length in bytes.
    pub size: u64,
    /// Last change, milliseconds since the epoch.
    pub modified_ms: i64,
}

/// A direct child of a prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The child's last component.
    pub name: String,
    /// What it is.
    pub kind: EntryKind,
}

/// What a child of a prefix is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// An object.
    Object,
    /// A prefix. On a file system one may be left without objects after its last one was removed.
    Prefix,
}

/// What the storage can do at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fitness {
    /// Everything, as far as is known.
    Sound,
    /// Reading only: the file system is mounted so.
    ReadOnly,
    /// Syncs fail, several within a minute: nothing can be made durable.
    Failing,
}

/// Where content lies. Cheap to clone; clones share everything.
#[derive(Debug, Clone)]
pub enum Storage {
    /// A folder, shared with any number of other processes.
    Filesystem(Filesystem),
    /// This process only: for tests.
    Memory(Memory),
}

/// Something that is being done; it ends when this is dropped.
#[derive(Debug)]
pub struct Measured {
    _timer: Timer,
    _traced: Option<trace::Action>,
}

/// Expands one call for whichever backend it is.
macro_rules! on {
    ($storage:expr, $backend:ident => $call:expr) => {
        match $storage {
            Storage::Filesystem($backend) => $call,
            Storage::Memory($backend) => $call,
        }
    };
}

impl Storage {
    /// Measures what is done until it is dropped, and traces it when its request is traced.
    pub(crate) fn timer(&self, action: Action) -> Measured {
        let driver = match self {
            Self::Filesystem(_) => Driver::Filesystem,
            Self::Memory(_) => Driver::InMemory,
        };
        Measured {
            _timer: Timer::begin(driver, action),
            _traced: trace::action(driver.label(), action.label()),
        }
    }

    /// Size and age of an object. [`StorageError::NotFound`] for what is absent and for a prefix.
    pub async fn stat(&self, key: &Key) -> Result<Stat, StorageError> {
        let _timer = self.timer(Action::Stat);
        on!(self, backend => backend.stat(key).await)
    }

    /// A whole small object; one longer than `limit` bytes is [`StorageError::Corrupt`].
    pub async fn read(&self, key: &Key, limit: u64) -> Result<(Bytes, Version), StorageError> {
        let _timer = self.timer(Action::GetContent);
        on!(self, backend => backend.read(key, limit).await)
    }

    /// Opens an object for streaming, all of it or a range of bytes. A range past the end shows when the stream
    /// reaches the end; see [`Reader::narrow`] for choosing a range by the size.
    pub async fn open(&self, key: &Key, range: Option<Range<u64>>) -> Result<Reader, StorageError> {
        let _timer = self.timer(Action::Reader);
        on!(self, backend => backend.open_object(key, range).await)
    }

    /// At most `limit` direct children of a prefix in byte order of their names, those after the name `after`.
    /// An absent prefix has none.
    pub async fn list(
        &self,
        prefix: &Key,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Entry>, StorageError> {
        let _timer = self.timer(Action::List);
        on!(self, backend => backend.list(prefix, after, limit).await)
    }

    /// Whether a prefix has no direct children. On a file system it may count a child that [`list`](Self::list) passes
    /// over because of its name.
    pub async fn is_empty(&self, prefix: &Key) -> Result<bool, StorageError> {
        let _timer = self.timer(Action::List);
        on!(self, backend => backend.is_empty(prefix).await)
    }

    /// What changes whenever a direct child of the prefix comes or goes. `None`: the prefix is absent.
    pub async fn stamp(&self, prefix: &Key) -> Result<Option<Stamp>, StorageError> {
        let _timer = self.timer(Action::Stat);
        on!(self, backend => backend.stamp(prefix).await)
    }

    /// What changes whenever the object is written. `None`: it is absent.
    pub async fn object_stamp(&self, key: &Key) -> Result<Option<Stamp>, StorageError> {
        let _timer = self.timer(Action::Stat);
        on!(self, backend => backend.object_stamp(key).await)
    }

    /// Checks the guards, makes the steps visible in order, and returns when all of them survive a power cut.
    ///
    /// Once begun it runs to its end, even when the caller goes away. On [`StorageError::Conflict`] nothing is
    /// visible. On other errors a prefix of the steps may be visible, and none of it is promised to last.
    /// A staged object whose promotion did not become visible stays staged, except after a failed sync: then it
    /// is gone, since its content can no longer be trusted.
    pub async fn commit(&self, guards: Vec<Guard>, steps: Vec<Step>) -> Result<(), StorageError> {
        let _timer = self.timer(Action::PutContent);
        on!(self, backend => backend.commit(guards, steps).await)
    }

    /// How many syncs have failed since the start. The first is reason for an operator to look at the disk.
    pub fn failed_syncs(&self) -> u64 {
        match self {
            Self::Filesystem(filesystem) => filesystem.failed_syncs(),
            Self::Memory(_) => 0,
        }
    }

    /// What can be done now. Never waits for the disk.
    pub fn fitness(&self) -> Fitness {
        match self {
            Self::Filesystem(filesystem) => filesystem.fitness(),
            Self::Memory(_) => Fitness::Sound,
        }
    }

    /// Stores an object whole or not at all, but without waiting for the disk: a power cut may lose it or tear
    /// it. For what carries a checksum and can be made again, such as hash states and indexes.
    pub async fn note(&self, key: &Key, content: Bytes) -> Result<(), StorageError> {
        let _timer = self.timer(Action::PutContent);
        on!(self, backend => backend.note(key, content).await)
    }

    /// An empty buffer for `length` bytes or the first of them, at most [`PIECE_LENGTH`], on their way to a staged object.
    pub fn buffer(&self, length: usize) -> Buffer {
        match self {
            Self::Filesystem(filesystem) => filesystem.buffer(length),
            Self::Memory(_) => buffer::Buffers::default().take(length),
        }
    }

    /// Makes an empty staged object; [`StorageError::Conflict`] if there is one of that name.
    pub async fn stage(&self, id: &StagedId) -> Result<(), StorageError> {
        let _timer = self.timer(Action::Writer);
        on!(self, backend => backend.stage(id).await)
    }

    /// Size and age of a staged object now.
    pub async fn staged(&self, id: &StagedId) -> Result<Stat, StorageError> {
        let _timer = self.timer(Action::Stat);
        on!(self, backend => backend.staged(id).await)
    }

    /// Opens a staged object for appending. [`StorageError::Locked`] while anybody else has it open, in whichever
    /// process; never waits.
    pub async fn open_staged(&self, id: &StagedId) -> Result<StagedWriter, StorageError> {
        let _timer = self.timer(Action::Writer);
        on!(self, backend => backend.open_staged(id).await)
    }

    /// Forgets a staged object. Absent is fine; [`StorageError::Locked`] while it is open.
    pub async fn discard(&self, id: &StagedId) -> Result<(), StorageError> {
        let _timer = self.timer(Action::Delete);
        on!(self, backend => backend.discard(id).await)
    }

    /// At most `limit` staged objects ordered by name, those after the name `after`.
    pub async fn list_staged(
        &self,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(StagedId, Stat)>, StorageError> {
        let _timer = self.timer(Action::List);
        on!(self, backend => backend.list_staged(after, limit).await)
    }
}
