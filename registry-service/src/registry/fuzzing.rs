//! What the fuzz targets (`tests/fuzz`) call, and nobody else: functions that are private otherwise.

use bytes::Bytes;
use shared::oci::{Algorithm, Digest, RepositoryName, Tag};
use shared::secret::Secret;

use hmac::Mac as _;

use super::hash_state::{HashState, Hasher, mac};
use super::{UploadId, layout};
use crate::storage::{Key, StagedId};

/// Every key that is made of these names.
pub fn keys(repository: &RepositoryName, tag: &Tag, digest: &Digest) -> Vec<Key> {
    vec![
        layout::content(digest),
        layout::layer_link(repository, digest),
        layout::revisions(repository, digest.algorithm()),
        layout::revision(repository, digest),
        layout::revision_link(repository, digest),
        layout::tags(repository),
        layout::tag(repository, tag),
        layout::tag_current(repository, tag),
        layout::tag_index(repository, tag, digest),
        layout::repositories(repository.as_str()),
        layout::referrers(repository),
    ]
}

/// The name of an upload session in storage.
pub fn staged(id: &UploadId, repository: &RepositoryName, owner: &str) -> StagedId {
    id.staged(repository, owner)
}

/// The sealed state of the hash of `content`.
pub fn seal(algorithm: Algorithm, content: &[u8], secret: &Secret<Vec<u8>>, staged: &StagedId) -> Bytes {
    let mut hasher = Hasher::new(algorithm);
    hasher.update(content);
    let offset = content.len() as u64;
    HashState { offset, hasher }.seal(secret, staged)
}

/// Opens a sealed state and goes on with `rest`: how much was hashed before, and the digest of all.
pub fn resume(
    sealed: &[u8],
    secret: &Secret<Vec<u8>>,
    staged: &StagedId,
    rest: &[u8],
) -> Option<(u64, Digest)> {
    let mut state = HashState::open(sealed, secret, staged)?;
    state.hasher.update(rest);
    Some((state.offset, state.hasher.finish()))
}

/// Any content, sealed as if it were the state of a hash.
pub fn seal_any(content: &[u8], secret: &Secret<Vec<u8>>, staged: &StagedId) -> Bytes {
    let mac = mac(secret, staged, content).finalize().into_bytes();
    [content, mac.as_slice()].concat().into()
}
