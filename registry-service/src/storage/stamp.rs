//! What identifies a state: of one object's content ([`Version`]), of a prefix's children or an object's writing ([`Stamp`]).

use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};

/// The state of one object's content. Equal versions mean equal bytes.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Version([u8; 32]);

impl Version {
    pub(super) fn of(content: &[u8]) -> Self {
        Self(Sha256::digest(content).into())
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().take(6).try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A change within this time of the last one may bear the same time stamp: file systems take a change's time
/// from a clock of a few milliseconds, network file systems and older ones of whole seconds.
const SETTLING_MS: i64 = 2_000;

/// The state of a prefix's set of direct children: differs whenever a child came or went in between (and may
/// differ when one was replaced). Kept as text beside what was derived from it. The stamp of an object differs whenever it
/// was written in between.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Stamp {
    /// The directory's inode; in memory 0.
    identity: u64,
    /// Nanoseconds since the epoch at which the directory changed; in memory a number of its own, below zero.
    changed: i64,
}

impl Stamp {
    pub(super) fn new(identity: u64, changed: i64) -> Self {
        Self { identity, changed }
    }

    /// Whether a later change is certain to show in the stamp: false while the last change is younger than two
    /// seconds (or lies in the future), since a change in the same tick of the file system's clock would go
    /// unnoticed. What was read under an unsettled stamp must not be remembered under it.
    pub fn is_settled(&self, now_ms: i64) -> bool {
        self.changed < 0 || self.changed.div_euclid(1_000_000).saturating_add(SETTLING_MS) <= now_ms
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.identity, self.changed)
    }
}

impl fmt::Debug for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not a stamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a stamp of a prefix")]
pub struct InvalidStamp;

impl FromStr for Stamp {
    type Err = InvalidStamp;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (identity, changed) = text.split_once('.').ok_or(InvalidStamp)?;
        Ok(Self {
            identity: identity.parse().map_err(|_| InvalidStamp)?,
            changed: changed.parse().map_err(|_| InvalidStamp)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_survives_its_text() {
        for stamp in [Stamp::new(7, 1_700_000_000_123_456_789), Stamp::new(0, -3)] {
            assert_eq!(stamp.to_string().parse(), Ok(stamp));
        }
        for bad in ["", "7", "7.", ".7", "7.x", "-1.5", "1.2.3"] {
            assert_eq!(bad.parse::<Stamp>(), Err(InvalidStamp), "{bad:?}");
        }
    }

    #[test]
    fn a_stamp_is_settled_two_seconds_after_the_change() {
        let stamp = Stamp::new(7, 10_000_999_999);
        assert!(!stamp.is_settled(9_000));
        assert!(!stamp.is_settled(10_000));
        assert!(!stamp.is_settled(11_999));
        assert!(stamp.is_settled(12_000));
        assert!(Stamp::new(0, -1).is_settled(0));
    }
}
