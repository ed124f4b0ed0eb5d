//! Making directory entries durable, together for all commits that wait at the moment.

use std::collections::HashMap;
use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use rustix::fs::OFlags;
use tokio::sync::oneshot;

use super::{Durability, Filesystem, copied, is_absent};
use crate::storage::StorageError;

/// Directories remembered per generation; there are two.
const REMEMBERED: usize = 4096;

/// The queue of commits whose directories are to be synced, and the directories known to be durable.
pub(super) struct Directories {
    root: PathBuf,
    queue: Mutex<Queue>,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Queue {
    waiting: Vec<Waiting>,
    /// Whether a task works on rounds; it takes whatever waits when its round begins.
    running: bool,
}

struct Waiting {
    directories: Vec<PathBuf>,
    answer: oneshot::Sender<Result<(), StorageError>>,
}

/// Directories whose path from the root is durable: every entry on it was synced since the directory was made.
/// Bounded: when the younger generation is full, it becomes the older one.
#[derive(Default)]
struct Known {
    younger: HashMap<PathBuf, Identity>,
    older: HashMap<PathBuf, Identity>,
}

/// Tells a directory from one that is made later at the same path, by whichever process (inode numbers are
/// used again).
#[derive(Clone, Copy, PartialEq, Eq)]
struct Identity {
    inode: u64,
    made: Option<SystemTime>,
}

type Outcome = Result<(), Arc<io::Error>>;

impl Filesystem {
    /// Returns when the directories' entries, and the directories themselves, survive a power cut.
    pub(super) async fn sync_directories(&self, directories: Vec<PathBuf>) -> Result<(), StorageError> {
        if self.0.durability == Durability::None || directories.is_empty() {
            return Ok(());
        }
        let (answer, answered) = oneshot::channel();
        let start = {
            let mut queue = held(&self.0.directories.queue);
            queue.waiting.push(Waiting { directories, answer });
            !std::mem::replace(&mut queue.running, true)
        };
        if start {
            tokio::spawn(self.clone().sync_rounds());
        }
        answered
            .await
            .unwrap_or_else(|dropped| Err(failure(io::Error::other(dropped))))
    }

    async fn sync_rounds(self) {
        loop {
            let waiting = {
                let mut queue = held(&self.0.directories.queue);
                queue.running = !queue.waiting.is_empty();
                std::mem::take(&mut queue.waiting)
            };
            if waiting.is_empty() {
                return;
            }
            let (lists, answers): (Vec<_>, Vec<_>) = waiting
                .into_iter()
                .map(|Waiting { directories, answer }| (directories, answer))
                .unzip();
            let storage = self.clone();
            let outcomes = self
                .long(move || Ok(storage.0.directories.sync_round(&lists)))
                .await;
            for (number, answer) in answers.into_iter().enumerate() {
                let outcome = match &outcomes {
                    Ok(outcomes) => outcomes[number]
                        .as_ref()
                        .map_err(|error| failure(copied(error)))
                        .copied(),
                    Err(_) => Err(failure(io::Error::other("a round of syncs broke off"))),
                };
                if outcome.is_err() {
                    self.0.failed_syncs.fetch_add(1, Ordering::Relaxed);
                }
                // Nobody listens if the runtime is going down.
                drop(answer.send(outcome));
            }
        }
    }
}

fn failure(error: io::Error) -> StorageError {
    match StorageError::from_io("syncing directories", error) {
        StorageError::NotFound { doing } => StorageError::Unavailable { doing, source: None },
        other => other,
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Directories {
    pub(super) fn new(root: PathBuf) -> Self {
        Self {
            root,
            queue: Mutex::default(),
            known: Mutex::default(),
        }
    }

    /// Syncs what all lists name; one outcome per list. All changes were made before the round began, so that
    /// each directory is synced once for everybody.
    fn sync_round(&self, lists: &[Vec<PathBuf>]) -> Vec<Outcome> {
        let mut done: HashMap<PathBuf, Outcome> = HashMap::new();
        for directory in merged(lists) {
            // A second time where two lists disagree in their order.
            let again = done.remove(directory).and_then(Result::err);
            let outcome = self.sync_path(directory, &mut done);
            done.insert(directory.to_owned(), again.map_or(outcome, Err));
        }
        let outcome = |list: &Vec<PathBuf>| {
            list.iter()
                .try_for_each(|path| done.get(path).cloned().unwrap_or(Ok(())))
        };
        lists.iter().map(outcome).collect()
    }

    /// Syncs a directory and, unless they are known to be durable, its ancestors up to the root.
    fn sync_path(&self, path: &Path, done: &mut HashMap<PathBuf, Outcome>) -> Outcome {
        if let Some(outcome) = done.get(path) {
            return outcome.clone();
        }
        let outcome = self.sync_entry(path, done);
        done.insert(path.to_owned(), outcome.clone());
        outcome
    }

    fn sync_entry(&self, path: &Path, done: &mut HashMap<PathBuf, Outcome>) -> Outcome {
        let parent = path.parent().filter(|_| path != self.root);
        let identity = match sync_directory(path) {
            Ok(metadata) => Identity::of(&metadata),
            // Removed since: that removal is what has to last now.
            Err(error) if is_absent(&error) => {
                return parent.map_or(Err(Arc::new(error)), |parent| self.sync_path(parent, done));
            }
            Err(error) => return Err(Arc::new(error)),
        };
        let Some(parent) = parent else { return Ok(()) };
        if held(&self.known).find(path) != Some(identity) {
            self.sync_path(parent, done)?;
            held(&self.known).insert(path.to_owned(), identity);
        }
        Ok(())
    }
}

/// One order that contains every list's order, so that also where a file system keeps no order between
/// directories, a power cut in the round leaves a prefix of each commit's steps.
fn merged(lists: &[Vec<PathBuf>]) -> Vec<&Path> {
    let mut order: Vec<&Path> = Vec::new();
    for list in lists {
        let mut from = 0;
        for path in list {
            if let Some(at) = order[from..].iter().position(|known| known == path) {
                from += at + 1;
            } else {
                order.push(path);
                from = order.len();
            }
        }
    }
    order
}

fn sync_directory(path: &Path) -> io::Result<Metadata> {
    let flags = OFlags::DIRECTORY.bits().cast_signed();
    let directory = File::options().read(true).custom_flags(flags).open(path)?;
    let metadata = directory.metadata()?;
    directory.sync_all()?;
    Ok(metadata)
}

/// Syncs a directory and all its ancestors, those that may be read: at the start, when a folder was just made.
pub(super) fn sync_down_to(path: &Path) -> io::Result<()> {
    for directory in path.ancestors() {
        match sync_directory(directory) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
            outcome => {
                outcome?;
            }
        }
    }
    Ok(())
}

impl Identity {
    fn of(metadata: &Metadata) -> Self {
        Self {
            inode: metadata.ino(),
            made: metadata.created().ok(),
        }
    }
}

impl Known {
    fn find(&mut self, path: &Path) -> Option<Identity> {
        if let Some(identity) = self.younger.get(path) {
            return Some(*identity);
        }
        let (path, identity) = self.older.remove_entry(path)?;
        self.insert(path, identity);
        Some(identity)
    }

    fn insert(&mut self, path: PathBuf, identity: Identity) {
        if self.younger.len() >= REMEMBERED {
            self.older = std::mem::take(&mut self.younger);
        }
        self.younger.insert(path, identity);
    }
}
