//! Reading a link: a small object whose content is a digest.

use shared::oci::{Digest, RepositoryName};

use super::layout;
use crate::storage::{Key, Storage, StorageError, Version};

/// No digest is longer.
const LINK_LIMIT: u64 = 256;

/// What stands at a link's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Link {
    /// Nothing, or something that cannot even be read as a small object.
    Absent,
    /// An object that is no link: empty or partial, as a crash of the old binary leaves it. Counts as absent.
    Unreadable(Version),
    /// A link to this digest.
    To(Digest, Version),
}

impl Link {
    /// Reads what stands at the key.
    pub(super) async fn read(storage: &Storage, key: &Key) -> Result<Self, StorageError> {
        match storage.read(key, LINK_LIMIT).await {
            Ok((content, version)) => {
                let digest = std::str::from_utf8(&content)
                    .ok()
                    .and_then(|text| text.parse().ok());
                if let Some(digest) = digest {
                    return Ok(Self::To(digest, version));
                }
                tracing::warn!(%key, size_bytes = content.len(), "a link cannot be read; it counts as absent");
                Ok(Self::Unreadable(version))
            }
            Err(StorageError::NotFound { .. } | StorageError::Corrupt { .. }) => Ok(Self::Absent),
            Err(error) => Err(error),
        }
    }

    /// Where it points to.
    pub(super) fn into_digest(self) -> Option<Digest> {
        match self {
            Self::Absent | Self::Unreadable(_) => None,
            Self::To(digest, _) => Some(digest),
        }
    }
}

/// The content that the repository holds as the blob `digest`. The link may name it by another algorithm.
pub(super) async fn find_layer(
    storage: &Storage,
    repository: &RepositoryName,
    digest: &Digest,
) -> Result<Option<Digest>, StorageError> {
    let link = Link::read(storage, &layout::layer_link(repository, digest)).await?;
    Ok(link.into_digest())
}

/// Whether the repository holds the manifest.
pub(super) async fn has_revision(
    storage: &Storage,
    repository: &RepositoryName,
    digest: &Digest,
) -> Result<bool, StorageError> {
    let link = Link::read(storage, &layout::revision_link(repository, digest)).await?;
    Ok(link.into_digest().as_ref() == Some(digest))
}
