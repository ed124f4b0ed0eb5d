//! One request's hold on an upload session: it writes, hashes, and ends the session.
//!
//! Memory per transfer is one [`Buffer`] and the piece that the connection just delivered.

use std::pin::pin;

use bytes::{Buf as _, Bytes};
use futures_util::{Stream, StreamExt as _};
use moka::sync::Cache;
use shared::oci::{Algorithm, Digest, RepositoryName};

use super::hash_state::{HashState, Hasher};
use super::{Change, Registry, RegistryError, layout};
use crate::storage::{Buffer, StagedId, StagedWriter, Step, StorageError};

/// The hash state of a shorter session is not stored for speed: hashing so little again is cheaper than one more file.
pub(super) const STATE_WORTH_STORING: u64 = 1 << 20;
/// Most hash states that are also held in memory.
const STATES_IN_MEMORY: u64 = 1024;
/// No file system has larger blocks, in bytes: where a request begins at a multiple, nothing of its block is on the disk.
const LARGEST_BLOCK: u64 = 64 << 10;

pub(super) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What one request brings to an upload session.
#[derive(Debug)]
pub struct Chunk<S> {
    /// Where the chunk says that it begins (`Content-Range`): must be where the session ends.
    pub offset: Option<u64>,
    /// How many bytes the chunk says that it holds (`Content-Range`, `Content-Length`).
    pub length: Option<u64>,
    /// How many bytes the blob may have at most, where that is bound.
    pub room: Option<u64>,
    /// The bytes.
    pub body: S,
}

/// The hash states of recent sessions of this process, each with the offset that it stands at: what one says of
/// the first bytes of a session never changes, since a session only grows; and the offset of the state that is stored.
pub(super) type HashStates = Cache<StagedId, (HashState, Option<u64>)>;

pub(super) fn hash_states() -> HashStates {
    Cache::new(STATES_IN_MEMORY)
}

/// A session that this request, and no other, is writing.
pub(super) struct Session<'a> {
    pub(super) registry: &'a Registry,
    pub(super) staged: StagedId,
    pub(super) algorithm: Algorithm,
    pub(super) writer: StagedWriter,
    hash: RememberedHash,
}

/// The hash of what the writer has written, if it is known already. Dropped with the request, however that ends,
/// it goes to the states in memory, so that a request that broke off costs no second hashing.
struct RememberedHash {
    states: HashStates,
    staged: StagedId,
    known: Option<HashState>,
    /// Where the hash state stands that is stored, as far as this process knows.
    noted: Option<u64>,
}

impl Drop for RememberedHash {
    fn drop(&mut self) {
        if let Some(state) = self.known.take() {
            self.states.insert(self.staged.clone(), (state, self.noted));
        }
    }
}

impl RememberedHash {
    fn forget(&mut self) {
        (self.known, self.noted) = (None, None);
        self.states.invalidate(&self.staged);
    }
}

impl<'a> Session<'a> {
    pub(super) fn new(
        registry: &'a Registry,
        staged: StagedId,
        algorithm: Algorithm,
        writer: StagedWriter,
    ) -> Self {
        let hash = RememberedHash {
            states: registry.hash_states.clone(),
            staged: staged.clone(),
            known: None,
            noted: None,
        };
        Self {
            registry,
            staged,
            algorithm,
            writer,
            hash,
        }
    }

    /// What this process remembers of the session, unless another one has written to it since; whether it does.
    pub(super) fn recall(&mut self) -> bool {
        let size = self.size();
        let fits =
            |(state, _): &(HashState, _)| state.offset == size && state.hasher.algorithm() == self.algorithm;
        let Some((state, noted)) = self.hash.states.get(&self.staged).filter(fits) else {
            return false;
        };
        (self.hash.known, self.hash.noted) = (Some(state), noted);
        true
    }

    /// Goes on from the state that is stored, or from a later one that this process remembers.
    pub(super) fn recall_from(&mut self, stored: HashState) {
        self.hash.noted = Some(stored.offset);
        let later = stored.offset + 1..=self.size();
        let remembered = self.hash.states.get(&self.staged).map(|(state, _)| state);
        let fits =
            |state: &HashState| later.contains(&state.offset) && state.hasher.algorithm() == self.algorithm;
        self.hash.known = Some(remembered.filter(fits).unwrap_or(stored));
    }

    /// Something is stored that says nothing: it is to be replaced, and to go with the session.
    pub(super) fn disown(&mut self) {
        self.hash.noted = Some(0);
    }

    /// Bytes that the session holds.
    pub(super) fn size(&self) -> u64 {
        self.writer.size()
    }

    /// Writes a chunk at the end. What came before an error stays written.
    pub(super) async fn append<S, E>(&mut self, chunk: Chunk<S>) -> Result<(), RegistryError>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: Into<BoxError> + Send,
    {
        let last = self.receive(chunk).await?;
        self.write(last).await.map(drop)
    }

    /// Writes a chunk at the end but for its last piece, which it gives back. What came before an error stays written.
    pub(super) async fn receive<S, E>(&mut self, chunk: Chunk<S>) -> Result<Buffer, RegistryError>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: Into<BoxError> + Send,
    {
        let start = self.size();
        if chunk.offset.is_some_and(|offset| offset != start) {
            return Err(RegistryError::RangeInvalid { offset: start });
        }
        let limit = self.registry.options.max_blob_size;
        if start.saturating_add(chunk.length.unwrap_or(0)) > limit {
            return Err(RegistryError::BlobTooLarge { limit });
        }
        let room = chunk.room.unwrap_or(u64::MAX);
        if start.saturating_add(chunk.length.unwrap_or(0)) > room {
            return Err(RegistryError::NoRoom { room });
        }
        let mut body = pin!(chunk.body);
        // A short chunk of known length needs no full buffer.
        let wanted = chunk.length.and_then(|length| usize::try_from(length).ok());
        let mut buffer = self.registry.storage.buffer(wanted.unwrap_or(usize::MAX));
        let mut received = 0;
        while let Some(piece) = body.next().await {
            let piece = match piece {
                Ok(piece) => piece,
                Err(error) => {
                    self.write(buffer).await?;
                    return Err(RegistryError::BodyInterrupted(error.into()));
                }
            };
            if received == 0 && !piece.is_empty() {
                self.note_start().await?;
            }
            received += piece.len() as u64;
            if let Some(expected) = chunk.length.filter(|expected| received > *expected) {
                return Err(RegistryError::SizeInvalid { expected, received });
            }
            if start.saturating_add(received) > limit {
                return Err(RegistryError::BlobTooLarge { limit });
            }
            if start.saturating_add(received) > room {
                return Err(RegistryError::NoRoom { room });
            }
            let is_last = chunk.length == Some(received);
            buffer = self.gather(buffer, piece, is_last).await?;
        }
        match chunk.length.filter(|expected| received != *expected) {
            Some(expected) => {
                self.write(buffer).await?;
                Err(RegistryError::SizeInvalid { expected, received })
            }
            None => Ok(buffer),
        }
    }

    /// Takes a piece into the buffer, writing the buffer whenever it is full; after the last piece only if that is the
    /// way to make room.
    async fn gather(
        &mut self,
        mut buffer: Buffer,
        mut piece: Bytes,
        is_last: bool,
    ) -> Result<Buffer, RegistryError> {
        while !piece.is_empty() {
            let limit = self.writer.next_length(&buffer);
            let taken = buffer.fill(&piece, limit);
            piece.advance(taken);
            let is_full = taken == 0 || buffer.len() == limit;
            if is_full && !(is_last && piece.is_empty()) {
                buffer = self.write(buffer).await?;
            }
        }
        Ok(buffer)
    }

    /// Writes the buffer and hashes it on the same thread. Gives it back, emptied.
    async fn write(&mut self, buffer: Buffer) -> Result<Buffer, RegistryError> {
        if buffer.is_empty() {
            return Ok(buffer);
        }
        // The state from before stays remembered until the piece is written: if this request is given up
        // meanwhile, the next one hashes only this piece again.
        let mut hasher = self.hash().await?.hasher;
        let hash = move |piece: &[u8]| {
            hasher.update(piece);
            hasher
        };
        let (mut buffer, hasher) = self.writer.append(buffer, hash).await?;
        buffer.clear();
        self.hash.known = Some(HashState {
            offset: self.writer.size(),
            hasher,
        });
        Ok(buffer)
    }

    /// The hash of all that the session holds: as remembered, else as stored, brought up to date from the content
    /// where that goes further, as after a crash.
    async fn hash(&mut self) -> Result<HashState, RegistryError> {
        let size = self.writer.size();
        let mut state = match self.hash.known.take() {
            Some(state) => state,
            None => self.remembered(size),
        };
        if state.offset < size {
            let fold = |hasher: &mut Hasher, piece: &[u8]| hasher.update(piece);
            let range = state.offset..size;
            state.hasher = self.writer.read_back(range, state.hasher, fold).await?;
            state.offset = size;
        }
        Ok(self.hash.known.insert(state).clone())
    }

    /// The state that this process remembers, unless it goes beyond `size`; at worst the one of no bytes.
    fn remembered(&self, size: u64) -> HashState {
        let fits = |state: &HashState| state.offset <= size && state.hasher.algorithm() == self.algorithm;
        let remembered = self.hash.states.get(&self.staged).map(|(state, _)| state);
        remembered.filter(fits).unwrap_or_else(|| HashState {
            offset: 0,
            hasher: Hasher::new(self.algorithm),
        })
    }

    /// Stores the hash state of where a request begins within a block, without which nobody could tell after a power cut
    /// whether what it adds to that block is there ([`super::trusted_length`]).
    async fn note_start(&mut self) -> Result<(), RegistryError> {
        let start = self.size();
        if start.is_multiple_of(LARGEST_BLOCK) || self.hash.noted == Some(start) {
            return Ok(());
        }
        self.note_state().await
    }

    /// Stores the hash state for whichever replica goes on, if it is worth it or another one is stored, which would say less
    /// than is acknowledged.
    pub(super) async fn store_state(&mut self) -> Result<(), RegistryError> {
        let size = self.size();
        if (size < STATE_WORTH_STORING && self.hash.noted.is_none()) || self.hash.noted == Some(size) {
            return Ok(());
        }
        self.note_state().await
    }

    /// The content is synced first, unless it is little: then it is looked at before the state is believed.
    async fn note_state(&mut self) -> Result<(), RegistryError> {
        if self.size() >= STATE_WORTH_STORING {
            self.writer.sync().await?;
        }
        let state = self.hash().await?;
        let offset = state.offset;
        let sealed = state.seal(&self.registry.options.upload_secret, &self.staged);
        // Even if this fails, something may be stored.
        self.hash.noted.get_or_insert(0);
        self.registry
            .storage
            .note(&layout::hash_state(&self.staged), sealed)
            .await?;
        self.hash.noted = Some(offset);
        Ok(())
    }

    /// Ends a request that failed with `error`, which it gives back.
    pub(super) async fn give_up(mut self, error: RegistryError) -> RegistryError {
        let ended = match &error {
            // The space is needed for what can still succeed.
            RegistryError::Storage(StorageError::Full { .. }) => self.discard().await,
            RegistryError::BodyInterrupted(_) => self.store_state().await,
            _ => Ok(()),
        };
        if let Err(ended) = ended {
            tracing::warn!(
                error = &ended as &dyn std::error::Error,
                "ending a failed upload request"
            );
        }
        error
    }

    /// Ends the session and forgets its content.
    pub(super) async fn discard(mut self) -> Result<(), RegistryError> {
        let is_stored = self.hash.noted.is_some();
        self.hash.forget();
        self.writer.discard().await?;
        if is_stored {
            let key = layout::hash_state(&self.staged);
            self.registry
                .storage
                .commit(Vec::new(), vec![Step::Remove { key }])
                .await?;
        }
        Ok(())
    }

    /// Checks the digest and makes the session's content a blob that the repository holds. With another digest
    /// the session is gone.
    pub(super) async fn commit(
        mut self,
        repository: &RepositoryName,
        digest: &Digest,
        last: Buffer,
    ) -> Result<u64, RegistryError> {
        let computed = if digest.algorithm() == self.algorithm {
            // The last piece is hashed here and written by the commit, which saves a change of threads.
            let mut hasher = self.hash().await?.hasher;
            hasher.update(last.as_ref());
            self.writer.end_with(last);
            hasher.finish()
        } else {
            self.write(last).await?;
            let hasher = Hasher::new(digest.algorithm());
            let fold = |hasher: &mut Hasher, piece: &[u8]| hasher.update(piece);
            self.writer
                .read_back(0..self.size(), hasher, fold)
                .await?
                .finish()
        };
        if computed != *digest {
            self.discard().await?;
            return Err(RegistryError::DigestInvalid {
                expected: digest.clone(),
                computed,
            });
        }
        let size = self.size();
        // The link first: after a crash between the two the blob is still unknown, and the session can go on.
        let mut steps = vec![
            Step::Write {
                key: layout::layer_link(repository, digest),
                content: layout::link(digest),
            },
            Step::Promote {
                staged: self.writer,
                key: layout::content(digest),
            },
        ];
        if self.hash.noted.is_some() {
            let key = layout::hash_state(&self.staged);
            steps.push(Step::Remove { key });
        }
        let pushed = Change::BlobPushed { digest, size };
        let committed = self
            .registry
            .commit(repository, Vec::new(), steps, &[pushed])
            .await;
        self.hash.forget();
        if let Err(error @ StorageError::Full { .. }) = committed {
            // The space is needed for what can still succeed.
            discard_quietly(self.registry, &self.staged).await;
            return Err(error.into());
        }
        committed?;
        self.registry.tell_held(repository, digest, size);
        Ok(size)
    }
}

/// Forgets a session whose request has failed already.
pub(super) async fn discard_quietly(registry: &Registry, staged: &StagedId) {
    if let Err(error) = registry.storage.discard(staged).await {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "forgetting a failed upload"
        );
    }
}

#[cfg(test)]
mod tests;
