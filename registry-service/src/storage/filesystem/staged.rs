//! Staged objects: flat files in the staging area, locked while they are open.

#![expect(clippy::unused_async, reason = "every backend has the same signatures")]

use std::fs::{self, File, TryLockError};
use std::io;
use std::ops::Range;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::PathBuf;
use std::sync::Arc;

use rustix::fs::{SeekFrom, seek};
use rustix::io::Errno;

use super::area::{STAGING, discard_file};
use super::direct::DirectFile;
use super::read::{first_names, stat_of};
use super::{Filesystem, is_absent, options, short};
use crate::storage::staged::{Health, Medium};
use crate::storage::{PIECE_LENGTH, StagedId, StagedWriter, Stat, StorageError};

/// One staged object, open and locked. The lock lasts until the last operation on the file has ended, also when
/// its caller has gone away.
#[derive(Debug, Clone)]
pub(in crate::storage) struct StagedFile {
    storage: Filesystem,
    file: Arc<DirectFile>,
}

impl Filesystem {
    pub(super) fn staged_path(&self, id: &StagedId) -> PathBuf {
        self.0.root.join(STAGING).join(id.as_str())
    }

    pub(in crate::storage) async fn stage(&self, id: &StagedId) -> Result<(), StorageError> {
        let (path, id) = (self.staged_path(id), id.clone());
        self.long(move || match options().write(true).create_new(true).open(path) {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(StorageError::conflict(format!("staging {id}")))
            }
            Err(error) => Err(StorageError::from_io(format!("staging {id}"), error)),
        })
        .await
    }

    pub(in crate::storage) async fn staged(&self, id: &StagedId) -> Result<Stat, StorageError> {
        let looked = short(|| {
            let file = options().read(true).open(self.staged_path(id))?;
            let metadata = file.metadata()?;
            let size = written_length(&file, metadata.len())?;
            Ok(Stat {
                size,
                ..stat_of(&metadata)
            })
        });
        looked.map_err(|error| StorageError::from_io(format!("looking at staged {id}"), error))
    }

    pub(in crate::storage) async fn open_staged(&self, id: &StagedId) -> Result<StagedWriter, StorageError> {
        short(|| {
            let opened = options().read(true).write(true).open(self.staged_path(id));
            let file =
                opened.map_err(|error| StorageError::from_io(format!("opening staged {id}"), error))?;
            self.claim(id, file)
        })
    }

    /// Locks an opened file and makes sure that it still is the staged object.
    pub(super) fn claim(&self, id: &StagedId, file: File) -> Result<StagedWriter, StorageError> {
        let doing = || format!("opening staged {id}");
        let failed = |error| StorageError::from_io(doing(), error);
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StorageError::locked(doing())),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        // Between opening and locking, its former writer may have promoted or discarded it: what is open here
        // may be an object by now, which must never be written to.
        let metadata = file.metadata().map_err(failed)?;
        let named = fs::symlink_metadata(self.staged_path(id)).map_err(failed)?;
        if (named.ino(), named.dev()) != (metadata.ino(), metadata.dev()) {
            return Err(StorageError::not_found(doing()));
        }
        let size = written_length(&file, metadata.len()).map_err(failed)?;
        if size < metadata.len() {
            file.set_len(size).map_err(failed)?;
        }
        let medium = Medium::File(StagedFile {
            storage: self.clone(),
            file: Arc::new(DirectFile::new(file)),
        });
        // Whether an earlier process synced it is unknown.
        Ok(StagedWriter {
            id: id.clone(),
            size,
            health: Health::Dirty,
            medium,
            last: None,
        })
    }

    /// Whether a writer is of this folder, through whichever instance.
    pub(super) fn owns(&self, writer: &StagedWriter) -> bool {
        matches!(&writer.medium, Medium::File(file) if file.storage.0.root == self.0.root)
    }

    pub(in crate::storage) async fn discard(&self, id: &StagedId) -> Result<(), StorageError> {
        match self.open_staged(id).await {
            Ok(writer) => writer.discard().await,
            Err(StorageError::NotFound { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    pub(in crate::storage) async fn list_staged(
        &self,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(StagedId, Stat)>, StorageError> {
        let (folder, after) = (self.0.root.join(STAGING), after.map(str::to_owned));
        self.long(move || {
            let failed = |error| StorageError::from_io("listing staged objects", error);
            let wanted = |name: &str| StagedId::parse(name).is_ok();
            let mut listed = Vec::new();
            for (name, _) in first_names(
                fs::read_dir(&folder).map_err(failed)?,
                after.as_deref(),
                limit,
                wanted,
            )
            .map_err(failed)?
            {
                let Ok(id) = StagedId::parse(&name) else { continue };
                match fs::symlink_metadata(folder.join(&name)) {
                    Ok(metadata) if metadata.is_file() => listed.push((id, stat_of(&metadata))),
                    Ok(_) => {}
                    Err(error) if is_absent(&error) => {}
                    Err(error) => return Err(failed(error)),
                }
            }
            Ok(listed)
        })
        .await
    }
}

/// How much of a staged object was written. A power cut can leave a file whose length is on the disk and whose last content
/// is not: that is a hole, as we never leave one. Where a file system keeps no account of holes, it is the length.
fn written_length(file: &File, length: u64) -> io::Result<u64> {
    match seek(file, SeekFrom::Hole(0)) {
        Ok(hole) => Ok(hole.min(length)),
        // An empty file, or nobody who knows.
        Err(Errno::NXIO | Errno::INVAL | Errno::OPNOTSUPP) => Ok(length),
        Err(error) => Err(error.into()),
    }
}

impl StagedFile {
    pub(in crate::storage) async fn append<P, T>(
        &self,
        id: &StagedId,
        end: u64,
        piece: P,
        observe: impl FnOnce(&[u8]) -> T + Send + 'static,
    ) -> Result<(P, T), StorageError>
    where
        P: AsRef<[u8]> + Send + 'static,
        T: Send + 'static,
    {
        let (this, id) = (self.clone(), id.clone());
        self.storage
            .continued(move || {
                this.append_here(&id, end, piece.as_ref())?;
                let observed = observe(piece.as_ref());
                Ok((piece, observed))
            })
            .await
    }

    pub(in crate::storage) async fn read_back<T: Send + 'static>(
        &self,
        id: &StagedId,
        range: Range<u64>,
        mut state: T,
        mut fold: impl FnMut(&mut T, &[u8]) + Send + 'static,
    ) -> Result<T, StorageError> {
        let (file, id) = (Arc::clone(&self.file), id.clone());
        self.storage
            .continued(move || {
                let Range { mut start, end } = range;
                let failed = |error| StorageError::from_io(format!("reading back staged {id}"), error);
                let file = file.through_cache().map_err(failed)?;
                let mut buffer = vec![0; PIECE_LENGTH];
                while start < end {
                    let wanted =
                        usize::try_from(end - start).map_or(PIECE_LENGTH, |left| left.min(PIECE_LENGTH));
                    file.read_exact_at(&mut buffer[..wanted], start).map_err(failed)?;
                    fold(&mut state, &buffer[..wanted]);
                    start += wanted as u64;
                }
                Ok(state)
            })
            .await
    }

    pub(in crate::storage) async fn cut(&self, id: &StagedId, length: u64) -> Result<(), StorageError> {
        let (file, id) = (Arc::clone(&self.file), id.clone());
        let cut = move || file.file().set_len(length);
        let failed = move |error| StorageError::from_io(format!("cutting staged {id}"), error);
        self.storage.continued(move || cut().map_err(failed)).await
    }

    /// On failure the staged object is removed: its pages may be lost though a second sync would succeed.
    pub(in crate::storage) async fn sync(&self, id: &StagedId) -> Result<(), StorageError> {
        let (this, id) = (self.clone(), id.clone());
        self.storage.continued(move || this.sync_here(&id)).await
    }

    /// The same on the calling thread.
    pub(in crate::storage) fn sync_here(&self, id: &StagedId) -> Result<(), StorageError> {
        self.storage.sync_data(self.file.file()).map_err(|error| {
            drop(discard_file(&self.storage.staged_path(id)));
            StorageError::from_io(format!("syncing staged {id}"), error)
        })
    }

    /// Appends on the calling thread.
    pub(in crate::storage) fn append_here(
        &self,
        id: &StagedId,
        end: u64,
        piece: &[u8],
    ) -> Result<(), StorageError> {
        match self.file.write(piece, end, &self.storage.0.direct) {
            Err(error)
                if error.kind() == io::ErrorKind::StorageFull
                    && shared::sabotage::breaks("ignore-full-disk") =>
            {
                Ok(())
            }
            Err(error) => {
                // Gives the space of a half-written piece back; failing that, its next opener sees the length.
                drop(self.file.file().set_len(end));
                Err(StorageError::from_io(format!("appending to staged {id}"), error))
            }
            Ok(()) => Ok(()),
        }
    }

    pub(in crate::storage) async fn discard(self, id: &StagedId) -> Result<(), StorageError> {
        let (path, id) = (self.storage.staged_path(id), id.clone());
        let Self { storage, file } = self;
        let work = move || {
            let discarded = discard_file(&path);
            // Only now the lock: nobody may stage the same name and lose that to this removal.
            drop(file);
            discarded.map_err(|error| StorageError::from_io(format!("discarding staged {id}"), error))
        };
        storage.continued(work).await
    }
}
