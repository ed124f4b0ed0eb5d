//! Making directory entries durable, each directory by itself.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::io;
use std::iter;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future;
use rustix::fs::OFlags;
use tokio::runtime::Handle;

use super::durable::{Identity, Known};
use super::rounds::Waiting;
use super::{Filesystem, copied, is_absent};

/// Directories synced at the same time.
const PARALLEL_SYNCS: usize = 16;
/// So many directories for each thread make it worth waking.
const WORTH_A_THREAD: usize = 2;

/// The directories known to be durable.
pub(super) struct Directories {
    root: PathBuf,
    /// Whether the file system keeps all changes in one order, though it is not known how to sync them all at once.
    one_order: bool,
    known: Mutex<Known>,
}

type Outcome = Result<(), Arc<io::Error>>;

/// What a commit needs on the disk: directories in order, and what is known of them once they are.
struct Plan {
    order: Vec<PathBuf>,
    learnt: Vec<(PathBuf, Identity)>,
}

impl Filesystem {
    /// Syncs what all waiting commits name, each directory once: all changes were made before the round began.
    pub(super) fn sync_round(&self, waiting: Vec<Waiting>) {
        let directories = &self.0.directories;
        let plans: Vec<_> = waiting
            .iter()
            .map(|commit| directories.plan(&commit.directories))
            .collect();
        let orders = plans.iter().flatten().map(|plan| plan.order.as_slice());
        // One journal keeps the order of all changes, and syncs at the same time share its next commit; where
        // there is none, one sync after the other leaves a prefix of each commit's steps at a power cut.
        let (order, threads) = if directories.one_order {
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
        let outcomes = self.sync_all(order, threads);
        for (commit, plan) in waiting.into_iter().zip(plans) {
            let outcome = match (&outcomes, plan) {
                (Ok(outcomes), Ok(plan)) => directories.conclude(plan, outcomes),
                (Err(error), _) => Err(copied(error)),
                (_, Err(error)) => Err(error),
            };
            self.conclude(commit, outcome);
        }
    }

    /// Syncs directories in order: this thread, and as many more as the work is worth and are free, take the next one each.
    fn sync_all(&self, order: Vec<PathBuf>, threads: usize) -> io::Result<HashMap<PathBuf, Outcome>> {
        let (length, order, next) = (order.len(), Arc::new(order), Arc::new(AtomicUsize::new(0)));
        let work = || {
            let (storage, order, next) = (self.clone(), Arc::clone(&order), Arc::clone(&next));
            move || {
                let mut outcomes = Vec::new();
                while let Some(path) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
                    outcomes.push((path.clone(), storage.sync_nearest(path)));
                }
                outcomes
            }
        };
        let wanted = (length / WORTH_A_THREAD).min(threads.saturating_sub(1));
        let others: Vec<_> = (0..wanted).map_while(|_| self.begin_if_free(work())).collect();
        let own = work()();
        let others = Handle::current().block_on(future::join_all(others));
        let mut merged = HashMap::with_capacity(length);
        for outcomes in iter::once(Ok(own)).chain(others) {
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

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic elsewhere leaves the memory of directories as it was.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Directories {
    pub(super) fn new(root: PathBuf) -> Self {
        // ext2 to ext4, XFS.
        let one_order =
            rustix::fs::statfs(&root).is_ok_and(|system| matches!(system.f_type, 0xEF53 | 0x5846_5342));
        Self {
            root,
            one_order,
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
