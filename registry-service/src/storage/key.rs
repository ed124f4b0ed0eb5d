//! Keys of objects and names of staged objects.

use std::fmt;
use std::str::FromStr;

/// Longest key in bytes: with a root folder of ordinary length it stays below the system's limit for paths.
pub const MAX_KEY_LENGTH: usize = 2048;
/// Longest component of a key in bytes, the limit of common file systems.
pub const MAX_COMPONENT_LENGTH: usize = 255;
/// The storage's own areas: no key may lie in them.
pub(super) const RESERVED: [&str; 4] = [
    "portolan/staging",
    "portolan/tmp",
    "portolan/locks",
    "portolan/trash",
];

/// The text is not a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a key is made of '/'-joined components of 1 to 255 bytes without NUL and '\\', none of them '.' or '..', \
     and lies outside the storage's own areas"
)]
pub struct InvalidKey;

/// The name of an object or of a prefix: components joined by `/`, at most [`MAX_KEY_LENGTH`] bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(Box<str>);

impl Key {
    /// Checks a whole key.
    pub fn parse(text: &str) -> Result<Self, InvalidKey> {
        let reserved = RESERVED.iter().any(|area| {
            text.strip_prefix(area)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        });
        if text.len() <= MAX_KEY_LENGTH && !reserved && text.split('/').all(is_component) {
            Ok(Self(text.into()))
        } else {
            Err(InvalidKey)
        }
    }

    /// The key `self/below`, where `below` may have several components.
    pub fn join(&self, below: &str) -> Result<Self, InvalidKey> {
        Self::parse(&format!("{}/{below}", self.0))
    }

    /// The key's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_component(text: &str) -> bool {
    (1..=MAX_COMPONENT_LENGTH).contains(&text.len())
        && text != "."
        && text != ".."
        && !text.bytes().any(|b| b == 0 || b == b'\\')
}

impl FromStr for Key {
    type Err = InvalidKey;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text does not name a staged object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a staged object's name is 1 to 128 of a-z, 0-9 and '-'")]
pub struct InvalidStagedId;

/// The name of a staged object: `[a-z0-9-]{1,128}`. Never used twice by its makers.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StagedId(Box<str>);

impl StagedId {
    /// Checks a name.
    pub fn parse(text: &str) -> Result<Self, InvalidStagedId> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if (1..=128).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.into()))
        } else {
            Err(InvalidStagedId)
        }
    }

    /// The name's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for StagedId {
    type Err = InvalidStagedId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl fmt::Display for StagedId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for StagedId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_checked_by_component() {
        let long = "x".repeat(255);
        let refused_length = format!("a/{long}y");
        for good in [
            "a",
            "a/b",
            "docker/registry/v2/x",
            "...",
            "a b",
            "_layers",
            "portolan/stagings",
            &long,
        ] {
            assert_eq!(Key::parse(good).map(|key| key.to_string()).as_deref(), Ok(good));
        }
        for bad in [
            "",
            "/",
            "/a",
            "a/",
            "a//b",
            ".",
            "..",
            "a/./b",
            "a/../b",
            "a\0b",
            "a\\b",
            &refused_length,
            "portolan/staging",
            "portolan/tmp/x",
            "portolan/locks/00",
            "portolan/trash/1",
        ] {
            assert_eq!(Key::parse(bad), Err(InvalidKey), "{bad:?}");
        }
        assert_eq!(Key::parse(&vec!["abc"; 513].join("/")), Err(InvalidKey));
    }

    #[test]
    fn a_joined_key_is_checked_again() {
        let key = Key::parse("portolan").unwrap();
        assert_eq!(key.join("index/a").unwrap().as_str(), "portolan/index/a");
        for bad in ["", "..", "/x", "tmp", "tmp/x"] {
            assert_eq!(key.join(bad), Err(InvalidKey), "{bad:?}");
        }
    }

    #[test]
    fn staged_names_are_small_letters_digits_and_hyphens() {
        assert!(StagedId::parse("0b6e-z").is_ok());
        assert!(StagedId::parse(&"a".repeat(128)).is_ok());
        for bad in ["", "A", "a/b", "..", "a.b", "ä", &"a".repeat(129)] {
            assert_eq!(StagedId::parse(bad), Err(InvalidStagedId), "{bad:?}");
        }
    }
}
