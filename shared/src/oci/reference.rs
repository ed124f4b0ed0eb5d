//! A reference names a manifest inside a repository: by tag or by digest.

use std::fmt;
use std::str::FromStr;

use super::digest::{Digest, InvalidDigest};
use super::tag::{InvalidTag, Tag};

/// Why a text is neither a tag nor a digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidReference {
    /// It holds a colon, so it was meant as a digest.
    #[error(transparent)]
    Digest(#[from] InvalidDigest),
    /// It holds no colon, so it was meant as a tag.
    #[error(transparent)]
    Tag(#[from] InvalidTag),
}

/// A tag or a digest. A tag never holds a colon and a digest always does, so the text decides.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Reference {
    /// By a name that may move.
    Tag(Tag),
    /// By content.
    Digest(Digest),
}

impl FromStr for Reference {
    type Err = InvalidReference;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.contains(':') {
            Ok(Self::Digest(text.parse()?))
        } else {
            Ok(Self::Tag(text.parse()?))
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(tag) => fmt::Display::fmt(tag, f),
            Self::Digest(digest) => fmt::Display::fmt(digest, f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colon_makes_a_digest() {
        assert!(matches!("latest".parse(), Ok(Reference::Tag(_))));
        assert!(matches!(
            format!("sha256:{}", "0".repeat(64)).parse(),
            Ok(Reference::Digest(_))
        ));
        assert!(matches!(
            "sha256:bad".parse::<Reference>(),
            Err(InvalidReference::Digest(InvalidDigest::Hex))
        ));
        assert!(matches!(
            "a/b".parse::<Reference>(),
            Err(InvalidReference::Tag(InvalidTag))
        ));
    }
}
