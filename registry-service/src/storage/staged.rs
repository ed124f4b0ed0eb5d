//! Writing a staged object: pieces at its end, one writer at a time.

use std::ops::Range;

use super::buffer::BLOCK_LENGTH;
use super::{Buffer, StagedId, StorageError, filesystem, memory};

/// The right to write one staged object, exclusive between requests and processes, given back when dropped.
/// Every piece goes to the end; what was written is visible under no key before it is promoted by a commit.
#[derive(Debug)]
pub struct StagedWriter {
    pub(super) id: StagedId,
    pub(super) size: u64,
    pub(super) health: Health,
    pub(super) medium: Medium,
    /// What [`StagedWriter::end_with`] was given; counted in `size`.
    pub(super) last: Option<Buffer>,
}

/// What is known of the content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Health {
    /// All of it is on the disk.
    Synced,
    /// Written, not yet synced.
    Dirty,
    /// A write was interrupted or failed half-way: its length is uncertain. Opening it anew settles it.
    Uncertain,
    /// A sync failed: the disk may hold anything. Never synced again, since a second sync may falsely succeed.
    Lost,
}

#[derive(Debug)]
pub(super) enum Medium {
    File(filesystem::StagedFile),
    Memory(memory::StagedBytes),
}

impl StagedWriter {
    /// The staged object's name.
    pub fn id(&self) -> &StagedId {
        &self.id
    }

    /// Bytes written so far.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// How much of the buffer to fill before the next piece is written, if there is more to come, so that later ones
    /// begin on a block.
    pub fn next_length(&self, buffer: &Buffer) -> usize {
        let beyond = usize::try_from(self.size % BLOCK_LENGTH as u64).unwrap_or_default();
        buffer.capacity() - if buffer.is_for_all() { 0 } else { beyond }
    }

    /// Writes a piece at the end and runs `observe` over it on the same thread, while the piece is in the
    /// processor's cache. Gives the piece back.
    ///
    /// If the write fails, `observe` does not run and the object is cut back to its former size, best effort.
    /// If the caller goes away, the piece is written all the same: whoever opens the object next finds it.
    pub async fn append<P, T>(
        &mut self,
        piece: P,
        observe: impl FnOnce(&[u8]) -> T + Send + 'static,
    ) -> Result<(P, T), StorageError>
    where
        P: AsRef<[u8]> + Send + 'static,
        T: Send + 'static,
    {
        self.usable("appending to")?;
        self.health = Health::Uncertain;
        let length = piece.as_ref().len() as u64;
        let (piece, observed) = match &self.medium {
            Medium::File(file) => file.append(&self.id, self.size, piece, observe).await?,
            Medium::Memory(bytes) => bytes.append(piece, observe),
        };
        self.size += length;
        self.health = Health::Dirty;
        Ok((piece, observed))
    }

    /// Reads these bytes, which must have been written, in pieces and folds them: to bring a hash state up to date.
    pub async fn read_back<T: Send + 'static>(
        &self,
        range: Range<u64>,
        state: T,
        fold: impl FnMut(&mut T, &[u8]) + Send + 'static,
    ) -> Result<T, StorageError> {
        self.usable("reading back")?;
        match &self.medium {
            Medium::File(file) => file.read_back(&self.id, range, state, fold).await,
            Medium::Memory(bytes) => Ok(bytes.read_back(range, state, fold)),
        }
    }

    /// Forgets what lies behind `length`.
    pub async fn cut(&mut self, length: u64) -> Result<(), StorageError> {
        self.usable("cutting")?;
        self.health = Health::Uncertain;
        match &self.medium {
            Medium::File(file) => file.cut(&self.id, length).await?,
            Medium::Memory(bytes) => bytes.cut(length),
        }
        self.size = self.size.min(length);
        self.health = Health::Dirty;
        Ok(())
    }

    /// Waits until everything written so far is on the disk. After a failure the writer can only be dropped or
    /// discarded.
    pub async fn sync(&mut self) -> Result<(), StorageError> {
        self.usable("syncing")?;
        if self.health == Health::Dirty {
            self.health = Health::Lost;
            match &self.medium {
                Medium::File(file) => file.sync(&self.id).await?,
                Medium::Memory(_) => {}
            }
            self.health = Health::Synced;
        }
        Ok(())
    }

    /// Gives the last piece, which is written when a commit promotes the object: until then it is only here.
    pub fn end_with(&mut self, last: Buffer) {
        self.size += last.len() as u64;
        self.last = Some(last);
    }

    /// Writes the last piece. Blocks.
    pub(super) fn write_last(&mut self) -> Result<(), StorageError> {
        self.usable("syncing")?;
        let Medium::File(file) = &self.medium else {
            return Ok(());
        };
        if let Some(last) = self.last.take() {
            self.health = Health::Uncertain;
            file.append_here(&self.id, self.size - last.len() as u64, last.as_ref())?;
            self.health = Health::Dirty;
        }
        Ok(())
    }

    /// As [`StagedWriter::sync`], on the calling thread. Blocks.
    pub(super) fn sync_here(&mut self) -> Result<(), StorageError> {
        self.usable("syncing")?;
        if self.health == Health::Dirty {
            self.health = Health::Lost;
            if let Medium::File(file) = &self.medium {
                file.sync_here(&self.id)?;
            }
            self.health = Health::Synced;
        }
        Ok(())
    }

    /// Forgets the staged object.
    pub async fn discard(self) -> Result<(), StorageError> {
        match self.medium {
            Medium::File(file) => file.discard(&self.id).await,
            Medium::Memory(bytes) => {
                bytes.discard(&self.id);
                Ok(())
            }
        }
    }

    pub(super) fn usable(&self, doing: &str) -> Result<(), StorageError> {
        match self.health {
            Health::Synced | Health::Dirty => Ok(()),
            Health::Uncertain | Health::Lost => Err(StorageError::Unavailable {
                doing: format!("{doing} staged object {} after a failed write or sync", self.id),
                source: None,
            }),
        }
    }
}
