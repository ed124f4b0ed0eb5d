//! Upload sessions: content that arrives in one request or in many, at one replica or at several.
//!
//! All of a session lies in storage: its bytes as a staged object, and the state of its hash beside them, so that
//! the last request never reads the blob again.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use shared::oci::{Algorithm, Digest, RepositoryName};
use tracing::instrument;

use super::upload_id::of_repository;
use super::upload_session::{BoxError, Chunk, Session, discard_quietly};
use super::{Registry, RegistryError, UploadId, layout};
use crate::storage::{EntryKind, StagedId, StagedWriter, Stat, Step, StorageError};

/// How many sessions are looked at in one go when abandoned ones are purged.
const PURGE_BATCH: usize = 256;
/// A request that broke off holds its session until its last piece is written. Whoever goes on at once waits that
/// long, but not for a request that is still alive.
const LOCKED_ATTEMPTS: u32 = 10;
const LOCKED_PAUSE: Duration = Duration::from_millis(30);
/// Staged objects whose names begin so are no sessions: somebody holds them to be the only one to do something.
pub const LEASES: &str = "lease-";
/// For a proof's control alone.
static ONE_AT_A_TIME: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

impl Registry {
    /// Begins an upload session of `owner`: whoever goes on with it must name the same owner.
    #[instrument(level = "debug", skip_all, fields(repository.name = %repository))]
    pub async fn start_upload(
        &self,
        repository: &RepositoryName,
        owner: &str,
        algorithm: Algorithm,
    ) -> Result<UploadId, RegistryError> {
        let id = UploadId::from_random((self.options.random)(), algorithm);
        self.storage.stage(&id.staged(repository, owner)).await?;
        Ok(id)
    }

    /// How many bytes of the session are stored: where the next chunk must begin.
    #[instrument(level = "debug", skip_all, fields(repository.name = %repository, upload.id = %id))]
    pub async fn upload_status(
        &self,
        repository: &RepositoryName,
        owner: &str,
        id: &UploadId,
    ) -> Result<u64, RegistryError> {
        let staged = id.staged(repository, owner);
        match self.storage.open_staged(&staged).await {
            Ok(writer) => Ok(self.settled(staged, id, writer).await?.size()),
            // Whoever writes has found out how much can be believed. And what can only be read is not cut.
            Err(StorageError::Locked { .. } | StorageError::ReadOnly { .. }) => {
                let stat = self.storage.staged(&staged).await;
                Ok(stat.map_err(session_error)?.size)
            }
            Err(error) => Err(session_error(error)),
        }
    }

    /// Adds a chunk to the end of the session; the answer is how many bytes it holds now.
    ///
    /// When the body breaks off, what came of it stays. When the chunk does not begin where the session ends
    /// ([`RegistryError::RangeInvalid`]), nothing changes.
    #[instrument(level = "debug", skip_all, fields(repository.name = %repository, upload.id = %id))]
    pub async fn append_upload<S, E>(
        &self,
        repository: &RepositoryName,
        owner: &str,
        id: &UploadId,
        chunk: Chunk<S>,
    ) -> Result<u64, RegistryError>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: Into<BoxError> + Send,
    {
        let _turn = if shared::sabotage::breaks("serialise-uploads") {
            Some(ONE_AT_A_TIME.lock().await)
        } else {
            None
        };
        let mut session = self.open_session(repository, owner, id).await?;
        let appended = match session.append(chunk).await {
            Ok(()) => session.store_state().await,
            Err(error) => Err(error),
        };
        match appended {
            Ok(()) => Ok(session.size()),
            Err(error) => Err(session.give_up(error).await),
        }
    }

    /// Adds the last chunk, which may be empty, checks the digest, and lets the repository hold the blob; durable
    /// when it returns. The answer is the blob's size in bytes.
    ///
    /// With another digest than was said, nothing is kept and the session is gone. A repeated request whose first
    /// one succeeded succeeds too.
    #[instrument(level = "debug", skip_all, fields(repository.name = %repository, upload.id = %id, blob.digest = %digest))]
    pub async fn finish_upload<S, E>(
        &self,
        repository: &RepositoryName,
        owner: &str,
        id: &UploadId,
        chunk: Chunk<S>,
        digest: &Digest,
    ) -> Result<u64, RegistryError>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: Into<BoxError> + Send,
    {
        let mut session = match self.open_session(repository, owner, id).await {
            Err(RegistryError::BlobUploadUnknown) => {
                return self.finished_before(repository, chunk, digest).await;
            }
            opened => opened?,
        };
        match session.receive(chunk).await {
            Ok(last) => session.commit(repository, digest, last).await,
            Err(error) => Err(session.give_up(error).await),
        }
    }

    /// Uploads a whole blob in one request (distribution-spec, "Single POST"). Whatever goes wrong, nothing is
    /// kept.
    pub async fn put_blob<S, E>(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
        length: Option<u64>,
        body: S,
    ) -> Result<u64, RegistryError>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: Into<BoxError> + Send,
    {
        let chunk = Chunk {
            offset: None,
            length,
            room: None,
            body,
        };
        self.put_blob_of(repository, digest, chunk).await
    }

    /// The same of a chunk that is the whole blob.
    #[instrument(name = "put_blob", level = "debug", skip_all, fields(repository.name = %repository, blob.digest = %digest))]
    pub async fn put_blob_of<S, E>(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
        chunk: Chunk<S>,
    ) -> Result<u64, RegistryError>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: Into<BoxError> + Send,
    {
        let owner = "";
        let id = self.start_upload(repository, owner, digest.algorithm()).await?;
        let upload = async {
            let mut session = self.open_session(repository, owner, &id).await?;
            let last = session.receive(chunk).await?;
            session.commit(repository, digest, last).await
        };
        let uploaded = upload.await;
        if uploaded.is_err() {
            discard_quietly(self, &id.staged(repository, owner)).await;
        }
        uploaded
    }

    /// Ends the session and forgets its content.
    #[instrument(level = "debug", skip_all, fields(repository.name = %repository, upload.id = %id))]
    pub async fn cancel_upload(
        &self,
        repository: &RepositoryName,
        owner: &str,
        id: &UploadId,
    ) -> Result<(), RegistryError> {
        self.open_session(repository, owner, id).await?.discard().await
    }

    /// Forgets sessions that nobody has written to for longer than `age_ms` milliseconds; tells how many.
    #[instrument(level = "debug", skip_all)]
    pub async fn purge_uploads(&self, age_ms: i64) -> Result<usize, RegistryError> {
        let before = self.clock.now_ms().saturating_sub(age_ms);
        let mut purged = 0;
        let mut after: Option<StagedId> = None;
        loop {
            let after_name = after.as_ref().map(StagedId::as_str);
            let batch = self.storage.list_staged(after_name, PURGE_BATCH).await?;
            for (staged, stat) in &batch {
                if is_abandoned(staged, stat, before) && self.forget_session(staged).await? {
                    purged += 1;
                }
            }
            if batch.len() < PURGE_BATCH {
                break;
            }
            after = batch.into_iter().last().map(|(last, _)| last);
        }
        self.purge_hash_states(before).await?;
        Ok(purged)
    }

    /// How many sessions nobody has written to for longer than `age_ms` milliseconds.
    #[instrument(level = "debug", skip_all)]
    pub async fn count_abandoned_uploads(&self, age_ms: i64) -> Result<usize, RegistryError> {
        let before = self.clock.now_ms().saturating_sub(age_ms);
        let mut count = 0;
        let mut after: Option<StagedId> = None;
        loop {
            let after_name = after.as_ref().map(StagedId::as_str);
            let batch = self.storage.list_staged(after_name, PURGE_BATCH).await?;
            let abandoned = |(staged, stat): &&(StagedId, Stat)| is_abandoned(staged, stat, before);
            count += batch.iter().filter(abandoned).count();
            if batch.len() < PURGE_BATCH {
                return Ok(count);
            }
            after = batch.into_iter().last().map(|(last, _)| last);
        }
    }

    /// Forgets the sessions of the repository, whoever began them, but for what is being written right now.
    pub(super) async fn forget_uploads(&self, repository: &RepositoryName) -> Result<(), RegistryError> {
        let ending = of_repository(repository);
        let mut after: Option<StagedId> = None;
        loop {
            let after_name = after.as_ref().map(StagedId::as_str);
            let batch = self.storage.list_staged(after_name, PURGE_BATCH).await?;
            for (staged, _) in &batch {
                if staged.as_str().ends_with(&ending) {
                    self.forget_session(staged).await?;
                }
            }
            if batch.len() < PURGE_BATCH {
                return Ok(());
            }
            after = batch.into_iter().last().map(|(last, _)| last);
        }
    }

    /// Forgets a session and its hash state; false: it is being written right now.
    async fn forget_session(&self, staged: &StagedId) -> Result<bool, RegistryError> {
        match self.storage.discard(staged).await {
            Ok(()) => {}
            Err(StorageError::Locked { .. }) => return Ok(false),
            Err(error) => return Err(error.into()),
        }
        self.hash_states.invalidate(staged);
        let key = layout::hash_state(staged);
        self.storage
            .commit(Vec::new(), vec![Step::Remove { key }])
            .await?;
        Ok(true)
    }

    /// Removes old hash states whose sessions are gone, as a crash between two steps leaves them.
    async fn purge_hash_states(&self, before: i64) -> Result<(), RegistryError> {
        let mut after: Option<String> = None;
        loop {
            let batch = self
                .storage
                .list(&layout::hash_states(), after.as_deref(), PURGE_BATCH)
                .await?;
            for entry in batch.iter().filter(|entry| entry.kind == EntryKind::Object) {
                let Ok(staged) = StagedId::parse(&entry.name) else {
                    continue;
                };
                let key = layout::hash_state(&staged);
                let is_old = match self.storage.stat(&key).await {
                    Ok(stat) => stat.modified_ms < before,
                    Err(StorageError::NotFound { .. }) => false,
                    Err(error) => return Err(error.into()),
                };
                let session = self.storage.staged(&staged).await;
                if is_old && matches!(session, Err(StorageError::NotFound { .. })) {
                    self.storage
                        .commit(Vec::new(), vec![Step::Remove { key }])
                        .await?;
                }
            }
            if batch.len() < PURGE_BATCH {
                return Ok(());
            }
            after = batch.into_iter().last().map(|last| last.name);
        }
    }

    async fn open_session(
        &self,
        repository: &RepositoryName,
        owner: &str,
        id: &UploadId,
    ) -> Result<Session<'_>, RegistryError> {
        let staged = id.staged(repository, owner);
        let mut attempts_left = LOCKED_ATTEMPTS;
        let writer = loop {
            match self.storage.open_staged(&staged).await {
                Err(StorageError::Locked { .. }) if attempts_left > 0 => {
                    attempts_left -= 1;
                    tokio::time::sleep(LOCKED_PAUSE).await;
                }
                opened => break opened.map_err(session_error)?,
            }
        };
        self.settled(staged, id, writer).await
    }

    /// The session as far as it can be believed.
    async fn settled(
        &self,
        staged: StagedId,
        id: &UploadId,
        writer: StagedWriter,
    ) -> Result<Session<'_>, RegistryError> {
        let mut session = Session::new(self, staged, id.algorithm(), writer);
        if session.settle().await? {
            return Ok(session);
        }
        session.discard().await?;
        Err(RegistryError::BlobUploadUnknown)
    }

    /// The answer to a last request whose session is gone: success if it brings no content and the repository
    /// holds the blob, as when the answer to the same request was lost.
    async fn finished_before<S, E>(
        &self,
        repository: &RepositoryName,
        chunk: Chunk<S>,
        digest: &Digest,
    ) -> Result<u64, RegistryError>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
    {
        let mut body = std::pin::pin!(chunk.body);
        if body.next().await.is_some() {
            return Err(RegistryError::BlobUploadUnknown);
        }
        let blob = self.find_blob(repository, digest).await?;
        blob.map(|(_, size)| size).ok_or(RegistryError::BlobUploadUnknown)
    }
}

fn is_abandoned(staged: &StagedId, stat: &Stat, before: i64) -> bool {
    stat.modified_ms < before && !staged.as_str().starts_with(LEASES)
}

fn session_error(error: StorageError) -> RegistryError {
    match error {
        StorageError::NotFound { .. } => RegistryError::BlobUploadUnknown,
        StorageError::Locked { .. } => RegistryError::BlobUploadInvalid,
        error => error.into(),
    }
}

#[cfg(test)]
mod tests;
