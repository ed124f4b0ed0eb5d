//! What can go wrong with content, named after the codes of the specification.

use shared::oci::{Digest, InvalidManifest, Reference, Tag};

use crate::storage::StorageError;

/// A failed operation on a repository's content.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// The repository holds nothing.
    #[error("the repository holds neither manifests nor tags")]
    NameUnknown,
    /// The repository does not hold the blob, or its content is not stored.
    #[error("the repository does not hold the blob {digest}")]
    BlobUnknown {
        /// The blob that was asked for.
        digest: Digest,
    },
    /// No such upload session of this owner in this repository.
    #[error("there is no such upload session in this repository")]
    BlobUploadUnknown,
    /// Another request is writing the session at this moment.
    #[error("another request is writing this upload session; ask for its status and go on from there")]
    BlobUploadInvalid,
    /// The content has another digest than was said. Nothing of it is kept.
    #[error("the content has the digest {computed}, not {expected}")]
    DigestInvalid {
        /// What was said.
        expected: Digest,
        /// What the content has.
        computed: Digest,
    },
    /// A chunk is not as long as was said.
    #[error("the chunk was said to hold {expected} bytes and holds {received}")]
    SizeInvalid {
        /// Bytes that were said.
        expected: u64,
        /// Bytes that came; when more came than were said, a lower bound.
        received: u64,
    },
    /// The blob would be larger than [`Options::max_blob_size`](super::Options::max_blob_size).
    #[error("the blob is larger than the {limit} bytes that are allowed")]
    BlobTooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// The blob would be larger than there is room for.
    #[error("the blob is larger than the {room} bytes for which there is room")]
    NoRoom {
        /// How many.
        room: u64,
    },
    /// A chunk does not begin where the session ends, or a range lies outside of the blob.
    #[error("the range does not fit: {offset} bytes are stored")]
    RangeInvalid {
        /// Bytes that are stored: where the next chunk must begin, or the blob's size.
        offset: u64,
    },
    /// No such manifest or tag in this repository.
    #[error("the repository does not hold the manifest {reference}")]
    ManifestUnknown {
        /// What was asked for.
        reference: Reference,
    },
    /// The manifest's form is wrong.
    #[error(transparent)]
    ManifestInvalid(#[from] InvalidManifest),
    /// The manifest sends clients to a URL that the rules do not allow.
    #[error(
        "the URLs of {digest} in the manifest are not allowed by the configuration of this registry \
         (validation.manifests.urls); push its content here, and the manifest without them"
    )]
    UrlNotAllowed {
        /// Whose URLs.
        digest: Digest,
    },
    /// The manifest is of a class that the rules do not allow.
    #[error(
        "the configuration of this registry (policy.repository.classes) does not allow content of the class {class}"
    )]
    ClassNotAllowed {
        /// The class, or the media type of a configuration that is of none.
        class: Box<str>,
    },
    /// A tag that must stay points to the manifest.
    #[error("the tag {tag} points to this manifest and may not be deleted with this token")]
    TagMustStay {
        /// Which.
        tag: Tag,
    },
    /// The tag stays what it is.
    #[error("the tag {tag} is immutable and points to {digest}")]
    TagImmutable {
        /// Which.
        tag: Tag,
        /// Where it points to.
        digest: Digest,
    },
    /// The manifest names more than the rules allow.
    #[error("the manifest names {named} blobs and manifests; this registry allows {limit}")]
    TooManyReferences {
        /// How many it names.
        named: usize,
        /// How many are allowed.
        limit: usize,
    },
    /// The manifest names content that the repository does not hold.
    #[error("the manifest names {} blobs or manifests that the repository does not hold", missing.len())]
    ManifestBlobUnknown {
        /// The first of them, at most [`MAX_MISSING`](super::manifest::MAX_MISSING).
        missing: Vec<Digest>,
    },
    /// The tag is not in the state that the caller made its condition (If-Match, If-None-Match).
    #[error("the tag is not in the state that was made the condition")]
    TagConflict,
    /// The request's body broke off. What came of it is stored.
    #[error("the body of the request broke off")]
    BodyInterrupted(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl RegistryError {
    pub(super) fn blob_unknown(digest: &Digest) -> Self {
        Self::BlobUnknown {
            digest: digest.clone(),
        }
    }

    pub(super) fn manifest_unknown(reference: &Reference) -> Self {
        Self::ManifestUnknown {
            reference: reference.clone(),
        }
    }
}
