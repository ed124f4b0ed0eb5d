//! Rounds of syncs: each is shared by all commits that wait when it begins.

use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::area::delete;
use super::commit::Applied;
use super::journal::Journal;
use super::sync::not_ignored;
use super::{Durability, Filesystem, copied};
use crate::storage::StorageError;

/// The commits that wait, and what is synced for them.
pub(super) struct Rounds {
    queue: Mutex<Queue>,
    /// If there is one, it alone is synced; else the directories.
    journal: Option<Journal>,
}

#[derive(Default)]
struct Queue {
    waiting: Vec<Waiting>,
    /// Whether a thread works on rounds; it takes whatever waits when its round begins.
    running: bool,
}

/// A commit whose steps are visible.
pub(super) struct Waiting {
    pub(super) directories: Vec<PathBuf>,
    trash: Vec<PathBuf>,
    answer: Answer,
}

/// Where a commit's outcome goes.
pub(super) type Answer = oneshot::Sender<Result<(), StorageError>>;

/// A thread's turn at the rounds. If it breaks off, the waiting are told, and the next commit begins anew.
struct Turn<'a> {
    queue: &'a Mutex<Queue>,
    ended: bool,
}

impl Rounds {
    pub(super) fn new(journal: Option<Journal>) -> Self {
        Self {
            queue: Mutex::default(),
            journal,
        }
    }

    /// How many commits wait for the next round.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        held(&self.queue).waiting.len()
    }
}

impl Filesystem {
    /// Answers when the directories' entries, and the directories themselves, survive a power cut; then empties the
    /// trash. Blocks, when nobody else does, as long as there are commits that wait.
    pub(super) fn make_durable(&self, applied: Applied, answer: Answer) {
        if self.0.durability == Durability::None || applied.directories.is_empty() {
            // Nobody listens if the caller went away.
            drop(answer.send(Ok(())));
            return self.empty(applied.trash);
        }
        let Applied { directories, trash } = applied;
        let lead = {
            let mut queue = held(&self.0.rounds.queue);
            queue.waiting.push(Waiting {
                directories,
                trash,
                answer,
            });
            !std::mem::replace(&mut queue.running, true)
        };
        if lead {
            self.sync_rounds();
        }
    }

    fn sync_rounds(&self) {
        let mut turn = Turn {
            queue: &self.0.rounds.queue,
            ended: false,
        };
        loop {
            let waiting = {
                let mut queue = held(&self.0.rounds.queue);
                queue.running = !queue.waiting.is_empty();
                std::mem::take(&mut queue.waiting)
            };
            if waiting.is_empty() {
                turn.ended = true;
                return;
            }
            match &self.0.rounds.journal {
                Some(journal) => self.sync_journal(journal, waiting),
                None => self.sync_round(waiting),
            }
        }
    }

    /// One sync for all waiting commits: all changes were made before it began.
    fn sync_journal(&self, journal: &Journal, waiting: Vec<Waiting>) {
        #[cfg(test)]
        let synced = self.0.trail.journal().and_then(|()| journal.sync());
        #[cfg(not(test))]
        let synced = journal.sync();
        let synced = not_ignored(synced);
        for commit in waiting {
            self.conclude(commit, synced.as_ref().copied().map_err(copied));
        }
    }

    pub(super) fn conclude(&self, commit: Waiting, outcome: io::Result<()>) {
        if outcome.is_err() {
            self.count_failed_sync();
        }
        drop(commit.answer.send(outcome.map_err(failure)));
        self.empty(commit.trash);
    }

    /// Deletes what commits removed, in the background.
    pub(super) fn empty(&self, trash: Vec<PathBuf>) {
        if !trash.is_empty() {
            let storage = self.clone();
            Handle::current().spawn(async move {
                let emptied = storage.continued(move || {
                    for path in &trash {
                        delete(path);
                    }
                    Ok(())
                });
                emptied.await
            });
        }
    }
}

fn failure(error: io::Error) -> StorageError {
    match StorageError::from_io("syncing directories", error) {
        StorageError::NotFound { doing } => StorageError::Unavailable { doing, source: None },
        other => other,
    }
}

fn held(queue: &Mutex<Queue>) -> MutexGuard<'_, Queue> {
    // A panic elsewhere leaves the queue as it was.
    queue.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if !self.ended {
            let mut queue = held(self.queue);
            queue.running = false;
            queue.waiting.clear();
        }
    }
}
