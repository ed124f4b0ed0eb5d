//! Blobs: content of any size, held by a repository through a link.

use std::ops::Range;

use shared::oci::{Digest, RepositoryName};
use tracing::instrument;

use super::link::find_layer;
use super::{BlobReader, Change, Registry, RegistryError, layout};
use crate::metrics::Action;
use crate::storage::{Measured, Step, StorageError};

impl Registry {
    /// The size in bytes of a blob that the repository holds and whose content is stored.
    ///
    /// Two touched files: the link, since only it says that the repository holds the blob, and the content, since
    /// a client that hears the blob is there does not upload it.
    #[instrument(level = "debug", skip_all, fields(repository.name = %repository, blob.digest = %digest))]
    pub async fn stat_blob(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<u64, RegistryError> {
        let size = self.find_blob(repository, digest).await?;
        size.map(|(_, size)| size)
            .ok_or_else(|| RegistryError::blob_unknown(digest))
    }

    /// Opens a blob for streaming: all of it, or a range of it that lies within it and is not empty
    /// ([`RegistryError::RangeInvalid`] otherwise).
    #[instrument(level = "debug", skip_all, fields(repository.name = %repository, blob.digest = %digest))]
    pub async fn open_blob(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
        range: Option<Range<u64>>,
    ) -> Result<BlobReader, RegistryError> {
        let held = find_layer(&self.storage, repository, digest).await?;
        let held = held.ok_or_else(|| RegistryError::blob_unknown(digest))?;
        let reader = match self.storage.open(&layout::content(&held), None).await {
            Ok(reader) => reader,
            Err(StorageError::NotFound { .. }) => return Err(RegistryError::blob_unknown(digest)),
            Err(error) => return Err(error.into()),
        };
        let Some(range) = range else { return Ok(reader) };
        if range.is_empty() || range.end > reader.size() {
            return Err(RegistryError::RangeInvalid {
                offset: reader.size(),
            });
        }
        Ok(reader.narrow(range))
    }

    /// The size in bytes of a blob that the repository holds, and the path at which distribution's tree has its content,
    /// with a slash before it.
    #[instrument(level = "debug", skip_all, fields(repository.name = %repository, blob.digest = %digest))]
    pub async fn locate_blob(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<(u64, String), RegistryError> {
        let (held, size) = self
            .find_blob(repository, digest)
            .await?
            .ok_or_else(|| RegistryError::blob_unknown(digest))?;
        Ok((size, format!("/{}", layout::content(&held).as_str())))
    }

    /// Measures the decision where a client is sent, until it is dropped.
    pub fn measure_redirect(&self) -> Measured {
        self.storage.timer(Action::RedirectUrl)
    }

    /// Lets `to` hold a blob that one of `from` holds, without uploading it again; tells whether `to` now holds it
    /// (distribution-spec, "Mounting a blob from another repository"). The caller answers for it that each of
    /// `from` may be read by whoever asks.
    #[instrument(level = "debug", skip_all, fields(repository.name = %to, blob.digest = %digest))]
    pub async fn mount_blob(
        &self,
        to: &RepositoryName,
        from: &[RepositoryName],
        digest: &Digest,
    ) -> Result<bool, RegistryError> {
        if let Some((_, size)) = self.find_blob(to, digest).await? {
            let from = from.first();
            self.announce(to, Change::BlobMounted { digest, size, from })
                .await?;
            return Ok(true);
        }
        for source in from {
            if let Some((held, size)) = self.find_blob(source, digest).await? {
                let write = Step::Write {
                    key: layout::layer_link(to, digest),
                    content: layout::link(&held),
                };
                let from = Some(source);
                let mounted = Change::BlobMounted { digest, size, from };
                self.commit(to, Vec::new(), vec![write], &[mounted]).await?;
                if held == *digest {
                    self.tell_held(to, digest, size);
                }
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Takes the blob out of the repository, visible at once. Its content stays stored: other repositories may
    /// hold it too.
    #[instrument(level = "debug", skip_all, fields(repository.name = %repository, blob.digest = %digest))]
    pub async fn delete_blob(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<(), RegistryError> {
        if find_layer(&self.storage, repository, digest).await?.is_none() {
            return Err(RegistryError::blob_unknown(digest));
        }
        let key = layout::layer_link(repository, digest);
        let removal = vec![Step::Remove { key }];
        if shared::sabotage::breaks("acknowledge-before-delete") {
            let storage = self.storage.clone();
            tokio::spawn(async move {
                tokio::time::sleep(std::time::Duration::from_millis(200)).await;
                storage.commit(Vec::new(), removal).await
            });
            return Ok(());
        }
        let deleted = Change::BlobDeleted(digest);
        self.commit(repository, Vec::new(), removal, &[deleted]).await?;
        if let Some(descriptors) = &self.options.descriptors {
            descriptors.forget(repository, digest).await;
        }
        Ok(())
    }

    /// Tells others that the repository holds the blob, under its own digest.
    pub(super) fn tell_held(&self, repository: &RepositoryName, digest: &Digest, size: u64) {
        if let Some(descriptors) = &self.options.descriptors {
            descriptors.hold(repository, digest, size);
        }
    }

    /// The digest under which the content of a blob lies, and its size, if the repository holds it.
    pub(super) async fn find_blob(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<Option<(Digest, u64)>, RegistryError> {
        let Some(held) = find_layer(&self.storage, repository, digest).await? else {
            return Ok(None);
        };
        match self.storage.stat(&layout::content(&held)).await {
            Ok(stat) => Ok(Some((held, stat.size))),
            Err(StorageError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests;
