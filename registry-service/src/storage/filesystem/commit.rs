//! The one place where content becomes visible and durable.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use rustix::fs::{Advice, fadvise};
use tokio::sync::oneshot;

use super::area::discard_file;
use super::rounds::Answer;
use super::{Durability, Filesystem, copied, is_absent, options};
use crate::storage::{Condition, Guard, Key, StagedWriter, Step, StorageError, Version};

/// Guarded objects are small; a longer one equals no version that anybody has read.
const GUARDED_LENGTH: u64 = 64 * 1024 * 1024;
/// How often a parent is made anew under a rename, when removals take it away each time.
const ATTEMPTS: usize = 16;

/// A step whose content is on the disk, but under no key yet.
enum Prepared {
    Write {
        temporary: Temporary,
        /// Open as long as its content is not known to be on the disk.
        file: Option<File>,
        key: Key,
    },
    Promote {
        staged: StagedWriter,
        key: Key,
    },
    Number {
        temporary: Temporary,
        file: Option<File>,
        counter: Key,
        stem: Key,
    },
    Move {
        from: Key,
        to: Key,
    },
    Remove {
        key: Key,
    },
}

/// What a commit did: directories that got or lost an entry, in the order of the steps, and what it removed.
#[derive(Default)]
pub(super) struct Applied {
    pub(super) directories: Vec<PathBuf>,
    pub(super) trash: Vec<PathBuf>,
}

/// A temporary file, removed when dropped before it got its key.
pub(super) struct Temporary {
    pub(super) path: PathBuf,
    pub(super) placed: bool,
}

impl Filesystem {
    pub(in crate::storage) async fn commit(
        &self,
        guards: Vec<Guard>,
        steps: Vec<Step>,
    ) -> Result<(), StorageError> {
        let (answer, answered) = oneshot::channel();
        let storage = self.clone();
        // Not waited for here: a caller who goes away must not leave changes visible that nobody will sync.
        self.begin(move || storage.commit_to_the_end(&guards, steps, answer))
            .await?;
        if shared::sabotage::breaks("acknowledge-before-commit") {
            return Ok(());
        }
        answered
            .await
            .unwrap_or_else(|stopped| Err(StorageError::from_io("committing", io::Error::other(stopped))))
    }

    fn commit_to_the_end(&self, guards: &[Guard], steps: Vec<Step>, answer: Answer) {
        let mut applied = Applied::default();
        let result = self
            .prepare(steps)
            .and_then(|prepared| self.apply(guards, prepared, &mut applied));
        match result {
            Ok(()) => self.make_durable(applied, answer),
            Err(error) => {
                // Nobody listens if the caller went away.
                drop(answer.send(Err(error)));
                self.empty(applied.trash);
            }
        }
    }

    /// Brings the contents of all steps to the disk. What is written here is under way before anything is waited for.
    fn prepare(&self, steps: Vec<Step>) -> Result<Vec<Prepared>, StorageError> {
        let mut prepared = Vec::with_capacity(steps.len());
        for step in steps {
            prepared.push(match step {
                Step::Write { key, content } => {
                    let (temporary, file) = self.write_temporary(&key, &content)?;
                    self.start_writing(&file);
                    let file = Some(file);
                    Prepared::Write { temporary, file, key }
                }
                Step::Promote { mut staged, key } => {
                    if !self.owns(&staged) {
                        let doing = format!("promoting {} of another storage to {key}", staged.id);
                        return Err(StorageError::not_found(doing));
                    }
                    staged.write_last()?;
                    Prepared::Promote { staged, key }
                }
                Step::Number {
                    counter,
                    stem,
                    content,
                } => {
                    let (temporary, file) = self.write_temporary(&stem, &content)?;
                    self.start_writing(&file);
                    Prepared::Number {
                        temporary,
                        file: Some(file),
                        counter,
                        stem,
                    }
                }
                Step::Move { from, to } => Prepared::Move { from, to },
                Step::Remove { key } => Prepared::Remove { key },
            });
        }
        // The staged objects first. Whatever makes the journal durable before their content is on the disk makes the length
        // durable without it, and after a power cut their sessions would go on behind zeros.
        for step in &mut prepared {
            if let Prepared::Promote { staged, .. } = step {
                staged.sync_here()?;
            }
        }
        for step in &mut prepared {
            if let Prepared::Write { file, key, .. } | Prepared::Number { file, stem: key, .. } = step {
                // Closed as soon as its content is safe.
                if let Some(file) = file.take() {
                    self.sync_data(&file)
                        .map_err(|error| StorageError::from_io(format!("writing {key}"), error))?;
                }
            }
        }
        Ok(prepared)
    }

    /// Asks the kernel to begin writing what a file holds, so that files that are synced one after the other are written
    /// at the same time. Pages that are being written stay in its cache.
    fn start_writing(&self, file: &File) {
        if self.0.durability == Durability::Full {
            // Only advice: the sync that follows does not depend on it.
            let _ = fadvise(file, 0, None, Advice::DontNeed);
        }
    }

    pub(super) fn write_temporary(
        &self,
        key: &Key,
        content: &Bytes,
    ) -> Result<(Temporary, File), StorageError> {
        let path = self.0.area.temporary();
        let mut file = options()
            .write(true)
            .create_new(true)
            .open(&path)
            .map_err(unavailable(key))?;
        let temporary = Temporary { path, placed: false };
        file.write_all(content)
            .map_err(|error| StorageError::from_io(format!("writing {key}"), error))?;
        Ok((temporary, file))
    }

    fn apply(
        &self,
        guards: &[Guard],
        steps: Vec<Prepared>,
        applied: &mut Applied,
    ) -> Result<(), StorageError> {
        let locking = |error| StorageError::from_io("locking the guards of a commit", error);
        let _held = self
            .0
            .locks
            .lock(guards.iter().map(|guard| &guard.key).chain(counters(&steps)))
            .map_err(locking)?;
        guards.iter().try_for_each(|guard| self.check(guard))?;
        for step in steps {
            match step {
                Prepared::Write {
                    mut temporary, key, ..
                } => {
                    self.place(&temporary.path, &key, applied)?;
                    temporary.placed = true;
                }
                Prepared::Promote { staged, key } => {
                    self.place(&self.staged_path(&staged.id), &key, applied)?;
                }
                Prepared::Number {
                    mut temporary,
                    counter,
                    stem,
                    ..
                } => {
                    self.place_numbered(&temporary.path, &counter, &stem, applied)?;
                    temporary.placed = true;
                }
                Prepared::Move { from, to } => self.move_object(&from, &to, applied)?,
                Prepared::Remove { key } => self.remove(&key, applied)?,
            }
        }
        Ok(())
    }

    fn check(&self, guard: &Guard) -> Result<(), StorageError> {
        let doing = || format!("checking {}", guard.key);
        let holds = match &guard.condition {
            Condition::Any => true,
            Condition::Absent => match fs::symlink_metadata(self.path(&guard.key)) {
                Ok(metadata) => !metadata.is_file(),
                Err(error) if is_absent(&error) => true,
                Err(error) => return Err(StorageError::from_io(doing(), error)),
            },
            Condition::Untouched(stamp) => self.stamp_of_object(&guard.key)? == Some(*stamp),
            Condition::Is(version) => {
                let mut content = Vec::new();
                let opened = options().read(true).open(self.path(&guard.key));
                match opened.and_then(|file| file.take(GUARDED_LENGTH).read_to_end(&mut content)) {
                    Ok(_) => Version::of(&content) == *version,
                    Err(error) if is_absent(&error) => false,
                    Err(error) => return Err(StorageError::from_io(doing(), error)),
                }
            }
        };
        if holds {
            Ok(())
        } else {
            Err(StorageError::conflict(doing()))
        }
    }

    /// Renames a file to its key: the step's moment of visibility. Parents are made when they are missing.
    pub(super) fn place(&self, from: &Path, key: &Key, applied: &mut Applied) -> Result<(), StorageError> {
        let path = self.path(key);
        let parent = path.parent().unwrap_or(&self.0.root);
        let mut attempts = 0..ATTEMPTS;
        loop {
            match fs::rename(from, &path) {
                Ok(()) => break,
                Err(error) if error.kind() == io::ErrorKind::NotFound && attempts.next().is_some() => {
                    match fs::create_dir_all(parent) {
                        // A removal may take a parent away meanwhile.
                        Err(error) if error.kind() != io::ErrorKind::NotFound => {
                            return Err(StorageError::from_io(
                                format!("making the parents of {key}"),
                                error,
                            ));
                        }
                        _ => {}
                    }
                }
                Err(error) => return Err(unavailable(key)(error)),
            }
        }
        #[cfg(test)]
        self.0.trail.visible(key);
        applied.directories.push(parent.to_owned());
        Ok(())
    }

    fn move_object(&self, from: &Key, to: &Key, applied: &mut Applied) -> Result<(), StorageError> {
        let path = self.path(from);
        let moving = |error| StorageError::from_io(format!("moving {from}"), error);
        // A rename would also move a prefix, and would look for an absent object's new parents in vain.
        if !fs::symlink_metadata(&path).map_err(moving)?.is_file() {
            return Err(StorageError::not_found(format!("moving {from}")));
        }
        self.place(&path, to, applied)?;
        applied
            .directories
            .push(path.parent().unwrap_or(&self.0.root).to_owned());
        Ok(())
    }

    fn remove(&self, key: &Key, applied: &mut Applied) -> Result<(), StorageError> {
        let path = self.path(key);
        let trash = self.0.area.trash();
        match fs::rename(&path, &trash) {
            Ok(()) => applied.trash.push(trash),
            Err(error) if is_absent(&error) => {}
            Err(error) => return Err(StorageError::from_io(format!("removing {key}"), error)),
        }
        // Synced even if it was absent: whoever removed it may not have come to that.
        applied
            .directories
            .push(path.parent().unwrap_or(&self.0.root).to_owned());
        Ok(())
    }

    pub(in crate::storage) async fn note(&self, key: &Key, content: Bytes) -> Result<(), StorageError> {
        let (storage, key) = (self.clone(), key.clone());
        self.long(move || {
            let (mut temporary, _) = storage.write_temporary(&key, &content)?;
            storage.place(&temporary.path, &key, &mut Applied::default())?;
            temporary.placed = true;
            Ok(())
        })
        .await
    }
}

/// What is locked beside the guards.
fn counters(steps: &[Prepared]) -> impl Iterator<Item = &Key> {
    steps.iter().filter_map(|step| match step {
        Prepared::Number { counter, .. } => Some(counter),
        _ => None,
    })
}

/// For operations on our own files, whose absence is no answer to the caller's question.
fn unavailable(key: &Key) -> impl Fn(io::Error) -> StorageError {
    move |error| match StorageError::from_io(format!("writing {key}"), copied(&error)) {
        StorageError::NotFound { doing } => StorageError::Unavailable {
            doing,
            source: Some(error),
        },
        other => other,
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.placed {
            // What stays behind is swept at a later start.
            drop(discard_file(&self.path));
        }
    }
}
