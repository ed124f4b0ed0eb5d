//! What a scrub tells.

use std::fmt;

use shared::oci::{Digest, RepositoryName, Tag};

use crate::storage::{Key, StorageError};

/// What a scrub tells, in the order in which it finds it.
#[derive(Debug)]
pub enum Finding<'a> {
    /// So many contents of so many bytes were read until now.
    Verified {
        /// How many.
        contents: u64,
        /// How long they are together.
        bytes: u64,
    },
    /// The content has another digest.
    Corrupt {
        /// The one that it should have.
        digest: &'a Digest,
        /// The one that it has.
        found: &'a Digest,
        /// Its length in bytes.
        size: u64,
    },
    /// The content cannot be read.
    Unreadable(&'a Digest, &'a StorageError),
    /// The corrupt content lies there now, and is not given out any more.
    Quarantined(&'a Digest, &'a Key),
    /// The repository holds a blob whose content is not stored, or corrupt.
    LostBlob(&'a RepositoryName, &'a Digest),
    /// The repository holds a manifest whose content is not stored, or corrupt.
    LostManifest(&'a RepositoryName, &'a Digest),
    /// What the repository holds as a manifest is none.
    NoManifest(&'a RepositoryName, &'a Digest),
    /// The manifest, first, names content, second, that the repository does not hold or that is lost.
    Incomplete(&'a RepositoryName, &'a Digest, &'a Digest),
    /// The tag points to a manifest that the repository does not hold.
    Dangling(&'a RepositoryName, &'a Tag, &'a Digest),
    /// The tag points to nothing: it is a folder alone.
    EmptyTag(&'a RepositoryName, &'a Tag),
    /// The link is empty or partial; it counts as absent.
    PartialLink(&'a Key),
    /// The link names another digest than its place.
    OtherLink(&'a Key, &'a Digest),
}

/// How grave a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gravity {
    /// Nothing is wrong.
    Note,
    /// A crash left it, mostly of the old binary; nobody loses anything by it.
    Scar,
    /// Somebody will not be able to pull what was pushed.
    Damage,
}

impl Finding<'_> {
    /// How grave it is.
    pub fn gravity(&self) -> Gravity {
        match self {
            Self::Verified { .. } | Self::Quarantined(..) => Gravity::Note,
            Self::EmptyTag(..) | Self::PartialLink(_) | Self::OtherLink(..) => Gravity::Scar,
            Self::Corrupt { .. }
            | Self::Unreadable(..)
            | Self::LostBlob(..)
            | Self::LostManifest(..)
            | Self::NoManifest(..)
            | Self::Incomplete(..)
            | Self::Dangling(..) => Gravity::Damage,
        }
    }
}

impl fmt::Display for Finding<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Verified { contents, bytes } => write!(f, "{contents} contents of {bytes} bytes verified"),
            Self::Corrupt { digest, found, size } => {
                write!(f, "{digest}: corrupt: its {size} bytes have the digest {found}")
            }
            Self::Unreadable(digest, error) => write!(f, "{digest}: cannot be read: {error}"),
            Self::Quarantined(digest, key) => write!(f, "{digest}: moved to {key}"),
            Self::LostBlob(name, digest) => {
                write!(f, "{name}: blob {digest} is lost; push an image with it again")
            }
            Self::LostManifest(name, digest) => {
                write!(f, "{name}: manifest {digest} is lost; push it again or delete it")
            }
            Self::NoManifest(name, digest) => {
                write!(f, "{name}: {digest} is held as a manifest and is none")
            }
            Self::Incomplete(name, manifest, needs) => {
                write!(
                    f,
                    "{name}: manifest {manifest} needs {needs}, which is lost; push the image again"
                )
            }
            Self::Dangling(name, tag, digest) => {
                write!(
                    f,
                    "{name}: tag {tag} points to {digest}, which the repository does not hold"
                )
            }
            Self::EmptyTag(name, tag) => write!(f, "{name}: tag {tag} points to nothing"),
            Self::PartialLink(key) => write!(f, "{key}: empty or partial; it counts as absent"),
            Self::OtherLink(key, digest) => write!(f, "{key}: names {digest} instead"),
        }
    }
}
