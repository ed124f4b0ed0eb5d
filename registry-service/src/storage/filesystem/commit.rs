//! The one place where content becomes visible and durable.

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use futures_util::future;

use super::area::{delete, discard_file};
use super::{Filesystem, copied, is_absent, options};
use crate::storage::{Condition, Guard, Key, StagedWriter, Step, StorageError, Version};

/// Guarded objects are small; a longer one equals no version that anybody has read.
const GUARDED_LENGTH: u64 = 64 * 1024 * 1024;
/// How often a parent is made anew under a rename, when removals take it away each time.
const ATTEMPTS: usize = 16;

/// A step whose content is on the disk, but under no key yet.
enum Prepared {
    Write { temporary: Temporary, key: Key },
    Promote { staged: StagedWriter, key: Key },
    Remove { key: Key },
}

/// What a commit did: directories that got or lost an entry, in the order of the steps, and what it removed.
#[derive(Default)]
struct Applied {
    directories: Vec<PathBuf>,
    trash: Vec<PathBuf>,
}

/// A temporary file, removed when dropped before it got its key.
struct Temporary {
    path: PathBuf,
    placed: bool,
}

impl Filesystem {
    pub(in crate::storage) async fn commit(
        &self,
        guards: Vec<Guard>,
        steps: Vec<Step>,
    ) -> Result<(), StorageError> {
        let storage = self.clone();
        // A task of its own: a caller who goes away must not leave changes visible that nobody will sync.
        let running = tokio::spawn(async move { storage.commit_to_the_end(guards, steps).await });
        if shared::sabotage::breaks("acknowledge-before-commit") {
            return Ok(());
        }
        running
            .await
            .map_err(|stopped| StorageError::from_io("committing", io::Error::other(stopped)))?
    }

    async fn commit_to_the_end(&self, guards: Vec<Guard>, steps: Vec<Step>) -> Result<(), StorageError> {
        // All, even if one fails: what the others hold must be given back when this returns.
        let prepared = future::join_all(steps.into_iter().map(|step| self.prepare(step))).await;
        let prepared = prepared.into_iter().collect::<Result<Vec<_>, _>>()?;
        let storage = self.clone();
        let (applied, result) = self
            .long(move || {
                let mut applied = Applied::default();
                let result = storage.apply(&guards, prepared, &mut applied);
                Ok((applied, result))
            })
            .await?;
        let synced = match result {
            Ok(()) => self.sync_directories(applied.directories).await,
            Err(error) => Err(error),
        };
        if !applied.trash.is_empty() {
            let storage = self.clone();
            tokio::spawn(async move {
                let emptied = storage.long(move || {
                    applied.trash.iter().for_each(|path| delete(path));
                    Ok(())
                });
                emptied.await
            });
        }
        synced
    }

    /// Brings a step's content to the disk. All of a commit's go at once: they share the file system's journal.
    async fn prepare(&self, step: Step) -> Result<Prepared, StorageError> {
        match step {
            Step::Write { key, content } => {
                let storage = self.clone();
                self.long(move || {
                    let temporary = storage.write_temporary(&key, &content, true)?;
                    Ok(Prepared::Write { temporary, key })
                })
                .await
            }
            Step::Promote { mut staged, key } => {
                if !self.owns(&staged) {
                    let doing = format!("promoting {} of another storage to {key}", staged.id);
                    return Err(StorageError::not_found(doing));
                }
                staged.sync().await?;
                Ok(Prepared::Promote { staged, key })
            }
            Step::Remove { key } => Ok(Prepared::Remove { key }),
        }
    }

    fn write_temporary(&self, key: &Key, content: &Bytes, sync: bool) -> Result<Temporary, StorageError> {
        let failed = |error| StorageError::from_io(format!("writing {key}"), error);
        let path = self.0.area.temporary();
        let mut file = options()
            .write(true)
            .create_new(true)
            .open(&path)
            .map_err(unavailable(key))?;
        let temporary = Temporary { path, placed: false };
        file.write_all(content).map_err(failed)?;
        if sync {
            self.sync_data(&file).map_err(failed)?;
        }
        Ok(temporary)
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
            .lock(guards.iter().map(|guard| &guard.key))
            .map_err(locking)?;
        guards.iter().try_for_each(|guard| self.check(guard))?;
        for step in steps {
            match step {
                Prepared::Write { mut temporary, key } => {
                    self.place(&temporary.path, &key, applied)?;
                    temporary.placed = true;
                }
                Prepared::Promote { staged, key } => {
                    self.place(&self.staged_path(&staged.id), &key, applied)?;
                }
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
    fn place(&self, from: &Path, key: &Key, applied: &mut Applied) -> Result<(), StorageError> {
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
            let mut temporary = storage.write_temporary(&key, &content, false)?;
            storage.place(&temporary.path, &key, &mut Applied::default())?;
            temporary.placed = true;
            Ok(())
        })
        .await
    }
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
