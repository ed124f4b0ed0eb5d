//! How much of an unfinished upload can be believed that another process wrote, or this one before a crash.
//!
//! After a power cut a file may have its new length and not its last content. Blocks that were never written are a hole, and
//! storage takes the session to end there. But where a request begins in the middle of a block that is on the disk already,
//! what it adds to that block may be missing under the new length: then zeros stand there, as the kernel writes them behind
//! the end of a file. So the hash state of where it begins is stored before, and that of its end before it is answered.

use bytes::Bytes;

use super::hash_state::{HashState, Hasher, SEALED_LIMIT};
use super::upload_session::{STATE_WORTH_STORING, Session};
use super::{RegistryError, layout};
use crate::storage::StorageError;

/// The least that a file system writes at once, in bytes.
const SECTOR: u64 = 512;

/// What is stored beside a session.
enum Stored {
    /// No request has begun within a block.
    Nothing,
    State(Box<HashState>),
    /// Made with another secret or for another session: it says nothing.
    Foreign,
    /// A power cut took its content.
    Torn,
}

impl Session<'_> {
    /// Cuts the session back to what can be believed; false: nothing of it can.
    ///
    /// Nothing that a client was told is cut off unless the disk lost it: a state that is stored covers all that was
    /// acknowledged.
    pub(super) async fn settle(&mut self) -> Result<bool, RegistryError> {
        let size = self.size();
        if size == 0 || self.recall() {
            return Ok(true);
        }
        let state = match self.stored().await? {
            Stored::Nothing => return Ok(true),
            Stored::Foreign => {
                tracing::warn!(upload.id = %self.staged, "a stored hash state is not ours; the content is hashed again");
                self.disown();
                return Ok(true);
            }
            Stored::State(state) if state.offset <= size && self.agrees(&state).await? => state,
            Stored::State(_) | Stored::Torn => {
                tracing::warn!(upload.id = %self.staged, "an unfinished upload lost content that it had");
                return Ok(false);
            }
        };
        let offset = state.offset;
        if self.is_blank(offset).await? {
            tracing::warn!(upload.id = %self.staged, offset, size, "the end of an unfinished upload was lost");
            self.writer.cut(offset).await?;
        }
        self.recall_from(*state);
        Ok(true)
    }

    async fn stored(&self) -> Result<Stored, RegistryError> {
        let key = layout::hash_state(&self.staged);
        let sealed = match self.registry.storage.read(&key, SEALED_LIMIT).await {
            Ok((sealed, _)) => sealed,
            Err(StorageError::NotFound { .. }) => return Ok(Stored::Nothing),
            Err(StorageError::Corrupt { .. }) => Bytes::from_static(b"too long"),
            Err(error) => return Err(error.into()),
        };
        if sealed.iter().all(|byte| *byte == 0) {
            return Ok(Stored::Torn);
        }
        let state = HashState::open(&sealed, &self.registry.options.upload_secret, &self.staged)
            .filter(|state| state.hasher.algorithm() == self.algorithm);
        Ok(state.map_or(Stored::Foreign, |state| Stored::State(Box::new(state))))
    }

    /// Whether the content is what the state was made of. Where it is long, it was synced before.
    async fn agrees(&self, state: &HashState) -> Result<bool, RegistryError> {
        if state.offset >= STATE_WORTH_STORING {
            return Ok(true);
        }
        let hasher = Hasher::new(self.algorithm);
        let fold = |hasher: &mut Hasher, piece: &[u8]| hasher.update(piece);
        let found = self.writer.read_back(0..state.offset, hasher, fold).await?;
        Ok(found.finish() == state.hasher.clone().finish())
    }

    /// Whether what follows `offset` in its sector is zeros. It may have been so from the beginning; then what no request was
    /// answered for is sent again.
    async fn is_blank(&self, offset: u64) -> Result<bool, RegistryError> {
        let end = (offset / SECTOR + 1).saturating_mul(SECTOR).min(self.size());
        if end <= offset {
            return Ok(false);
        }
        let fold = |blank: &mut bool, piece: &[u8]| *blank &= piece.iter().all(|byte| *byte == 0);
        Ok(self.writer.read_back(offset..end, true, fold).await?)
    }
}

#[cfg(test)]
mod tests;
