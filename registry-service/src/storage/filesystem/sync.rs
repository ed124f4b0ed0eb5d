//! Making directory entries durable, together for all commits that wait at the moment.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future;
use rustix::fs::OFlags;
use tokio::sync::oneshot;

use super::durable::{Identity, Known};
use super::{Durability, Filesystem, copied, is_absent, short};
use crate::storage::StorageError;

/// Directories synced at the same time.
const PARALLEL_SYNCS: usize = 16;

/// The queue of commits whose directories are to be synced, and the directories known to be durable.
pub(super) struct Directories {
    root: PathBuf,
    /// Whether the file system keeps all changes in one order.
    one_journal: bool,
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

/// A task's turn at the rounds. If it is torn off (its runtime ends), the waiting are told, and the next commit
/// begins anew.
struct Turn<'a> {
    directories: &'a Directories,
    ended: bool,
}

type Outcome = Result<(), Arc<io::Error>>;

/// What a commit needs on the disk: directories in order, and what is known of them once they are.
struct Plan {
    order: Vec<PathBuf>,
    learnt: Vec<(PathBuf, Identity)>,
}

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
        let mut turn = Turn {
            directories: &self.0.directories,
            ended: false,
        };
        loop {
            let waiting = {
                let mut queue = held(&self.0.directories.queue);
                queue.running = !queue.waiting.is_empty();
                std::mem::take(&mut queue.waiting)
            };
            if waiting.is_empty() {
                turn.ended = true;
                return;
            }
            self.sync_round(waiting).await;
        }
    }

    /// Syncs what all waiting commits name, each directory once: all changes were made before the round began.
    async fn sync_round(&self, waiting: Vec<Waiting>) {
        let directories = &self.0.directories;
        let plans: Vec<_> = short(|| {
            waiting
                .iter()
                .map(|commit| directories.plan(&commit.directories))
                .collect()
        });
        let orders = plans.iter().flatten().map(|plan| plan.order.as_slice());
        // One journal keeps the order of all changes, and syncs at the same time share its next commit; where
        // there is none, one sync after the other leaves a prefix of each commit's steps at a power cut.
        let (order, tasks) = if directories.one_journal {
            let mut seen = HashSet::new();
            (
                orders
                    .flatten()
                    .filter(|path| seen.insert(path.as_path()))
                    .cloned()
                    .collect(),
                PARALLEL_SYNCS,
            )
        } else {
            (merged(orders).into_iter().map(Path::to_owned).collect(), 1)
        };
        let outcomes = self.sync_all(order, tasks).await;
        for (commit, plan) in waiting.into_iter().zip(plans) {
            let outcome = match (&outcomes, plan) {
                (Ok(outcomes), Ok(plan)) => directories.conclude(plan, outcomes),
                (Err(error), _) => Err(copied(error)),
                (_, Err(error)) => Err(error),
            };
            if outcome.is_err() {
                self.count_failed_sync();
            }
            // Nobody listens if the runtime is going down.
            drop(commit.answer.send(outcome.map_err(failure)));
        }
    }

    /// Syncs directories in order, several tasks taking the next one each.
    async fn sync_all(&self, order: Vec<PathBuf>, tasks: usize) -> io::Result<HashMap<PathBuf, Outcome>> {
        let (order, next) = (Arc::new(order), Arc::new(AtomicUsize::new(0)));
        let work = |_| {
            let (storage, order, next) = (self.clone(), Arc::clone(&order), Arc::clone(&next));
            self.long(move || {
                let mut outcomes = Vec::new();
                while let Some(path) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
                    outcomes.push((path.clone(), storage.sync_nearest(path)));
                }
                Ok(outcomes)
            })
        };
        let mut merged = HashMap::with_capacity(order.len());
        for outcomes in future::join_all((0..tasks.min(order.len())).map(work)).await {
            for (path, outcome) in outcomes.map_err(io::Error::other)? {
                let former = merged.entry(path).or_insert(Ok(()));
                if former.is_ok() {
                    *former = outcome.map_err(Arc::new);
                }
            }
        }
        Ok(merged)
    }

    /// Syncs a directory; or, if it was removed since, the nearest above it: that removal is what has to last now.
    fn sync_nearest(&self, path: &Path) -> io::Result<()> {
        for path in path.ancestors().take_while(|path| path.starts_with(&self.0.root)) {
            #[cfg(test)]
            self.0.trail.directory(path)?;
            match not_ignored(sync_directory(path)) {
                Err(error) if is_absent(&error) => {}
                outcome => return outcome,
            }
        }
        Err(io::Error::other("the root folder is gone"))
    }
}

fn failure(error: io::Error) -> StorageError {
    match StorageError::from_io("syncing directories", error) {
        StorageError::NotFound { doing } => StorageError::Unavailable { doing, source: None },
        other => other,
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic elsewhere leaves the queue and the memory of directories as they were.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Directories {
    pub(super) fn new(root: PathBuf) -> Self {
        // ext2 to ext4, XFS.
        let one_journal =
            rustix::fs::statfs(&root).is_ok_and(|system| matches!(system.f_type, 0xEF53 | 0x5846_5342));
        Self {
            root,
            one_journal,
            queue: Mutex::default(),
            known: Mutex::default(),
        }
    }

    /// Adds to the changed directories their ancestors up to one that is known to be durable.
    fn plan(&self, changed: &[PathBuf]) -> io::Result<Plan> {
        let mut plan = Plan {
            order: Vec::with_capacity(changed.len()),
            learnt: Vec::new(),
        };
        for directory in changed {
            for path in directory
                .ancestors()
                .take_while(|path| path.starts_with(&self.root))
            {
                // As an ancestor once is enough: no entry was made since.
                if path != directory && plan.order.iter().any(|planned| planned == path) {
                    break;
                }
                match fs::symlink_metadata(path) {
                    Ok(metadata) => {
                        plan.order.push(path.to_owned());
                        let identity = Identity::of(&metadata);
                        if path == self.root || held(&self.known).find(path) == Some(identity) {
                            break;
                        }
                        plan.learnt.push((path.to_owned(), identity));
                    }
                    Err(error) if is_absent(&error) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(plan)
    }

    fn conclude(&self, plan: Plan, outcomes: &HashMap<PathBuf, Outcome>) -> io::Result<()> {
        for path in &plan.order {
            match outcomes.get(path) {
                Some(Ok(())) => {}
                Some(Err(error)) => return Err(copied(error)),
                None => return Err(io::Error::other("a directory was left out of its round")),
            }
        }
        let mut known = held(&self.known);
        plan.learnt
            .into_iter()
            .for_each(|(path, identity)| known.insert(path, identity));
        Ok(())
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if !self.ended {
            let mut queue = held(&self.directories.queue);
            queue.running = false;
            queue.waiting.clear();
        }
    }
}

/// One order that contains every list's order, so that also where a file system keeps no order between
/// directories, a power cut in the round leaves a prefix of each commit's steps.
pub(super) fn merged<'a>(lists: impl Iterator<Item = &'a [PathBuf]>) -> Vec<&'a Path> {
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

/// The outcome of a sync, as it is.
pub(super) fn not_ignored(outcome: io::Result<()>) -> io::Result<()> {
    match outcome {
        Err(_) if shared::sabotage::breaks("ignore-sync-errors") => Ok(()),
        outcome => outcome,
    }
}

fn sync_directory(path: &Path) -> io::Result<()> {
    let flags = OFlags::DIRECTORY.bits().cast_signed();
    File::options()
        .read(true)
        .custom_flags(flags)
        .open(path)?
        .sync_all()
}

/// Syncs a folder's area, the folder and, as far as that is allowed and supported, the folders above: at the
/// start, when any of them may just have been made.
pub(super) fn sync_from(area: &Path) -> io::Result<()> {
    let mut folders = area.ancestors();
    folders.by_ref().take(2).try_for_each(sync_directory)?;
    folders.for_each(|folder| drop(sync_directory(folder)));
    Ok(())
}
