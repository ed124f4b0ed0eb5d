//! Which tags a caller may push or delete.

use std::fmt;

use shared::oci::Tag;
use shared::token::TagLimits;

/// Tags that may be pushed, or deleted: all, or those that at least one grant lets through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedTags(Vec<TagLimits>);

impl AllowedTags {
    /// Every tag.
    pub(super) fn every() -> Self {
        Self(vec![TagLimits::EVERY])
    }

    /// What the grants let through together. Without a grant, no tag.
    pub(super) fn of_grants<'a>(grants: impl Iterator<Item = &'a TagLimits>) -> Self {
        Self(grants.cloned().collect())
    }

    /// Whether no tag is out of reach.
    pub fn is_every(&self) -> bool {
        self.0.iter().any(TagLimits::is_every)
    }

    /// Whether the tag is among them.
    pub fn allow(&self, tag: &Tag) -> bool {
        self.0.iter().any(|limits| limits.allow(tag))
    }
}

impl fmt::Display for AllowedTags {
    /// `v* or main`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("no tag");
        }
        for (i, limits) in self.0.iter().enumerate() {
            write!(f, "{}{limits}", if i > 0 { "; or " } else { "" })?;
        }
        Ok(())
    }
}
