//! Tags (OCI distribution-spec, "Pulling manifests": `<reference>` as a tag).

use std::fmt;
use std::str::FromStr;

/// Longest tag in bytes.
pub const MAX_TAG_LENGTH: usize = 128;

/// The text is not a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a tag is 1 to 128 letters, digits, '_', '.' or '-', and does not begin with '.' or '-'")]
pub struct InvalidTag;

/// A tag: `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(Box<str>);

impl Tag {
    /// The tag's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Tag {
    type Err = InvalidTag;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        let mut bytes = text.bytes();
        let first = bytes.next().is_some_and(word);
        if first && text.len() <= MAX_TAG_LENGTH && bytes.all(|b| word(b) || b == b'.' || b == b'-') {
            Ok(Self(text.into()))
        } else {
            Err(InvalidTag)
        }
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

super::text::debug_as_text!(Tag);
super::text::serialise_as_text!(Tag);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_follow_the_grammar() {
        for tag in ["latest", "1", "V1.2-rc_3", "_x", &"a".repeat(128)] {
            assert!(tag.parse::<Tag>().is_ok(), "{tag}");
        }
        for tag in [
            "",
            ".a",
            "-a",
            "a/b",
            "a:b",
            "a b",
            "ä",
            "..",
            "a%2f",
            &"a".repeat(129),
        ] {
            assert_eq!(tag.parse::<Tag>(), Err(InvalidTag), "{tag}");
        }
    }
}
