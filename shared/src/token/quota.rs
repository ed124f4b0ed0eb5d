//! How much a namespace may hold, as a token says it: what was used when the index looked, and the limits.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What was used, and the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share(
    /// Used.
    pub u64,
    /// The limit.
    pub u64,
);

/// The quota of a namespace. What has no limit is absent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quota {
    /// The namespace, by a number that it keeps.
    pub of: i64,
    /// When the index looked, in milliseconds since the epoch: what is pushed later comes on top.
    pub at: i64,
    /// Bytes, those that repositories share counted for each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<Share>,
    /// Bytes, those that repositories share counted once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage: Option<Share>,
    /// Tags.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<Share>,
    /// From how many percent on clients are warned.
    pub warn: u8,
    /// Whether the index is asked before each manifest.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub strict: bool,
}

/// A number of bytes as people read it: `1.5 GB`, in powers of a thousand.
#[derive(Debug, Clone, Copy)]
pub struct Bytes(
    /// How many.
    pub u64,
);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
        if self.0 < 1_000 {
            return write!(f, "{} bytes", self.0);
        }
        let (mut whole, mut rest, mut unit) = (self.0 / 1_000, self.0 % 1_000, 0);
        while whole >= 1_000 && unit + 1 < UNITS.len() {
            (whole, rest) = (whole / 1_000, whole % 1_000);
            unit += 1;
        }
        write!(f, "{whole}.{} {}", rest / 100, UNITS[unit])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_written_in_powers_of_a_thousand() {
        for (count, text) in [
            (0, "0 bytes"),
            (999, "999 bytes"),
            (1_000, "1.0 kB"),
            (1_550_000, "1.5 MB"),
            (10_000_000_000, "10.0 GB"),
            (u64::MAX, "18446.7 PB"),
        ] {
            assert_eq!(Bytes(count).to_string(), text);
        }
    }

    #[test]
    fn a_quota_reads_back_what_it_writes_and_nothing_else() {
        let quota = Quota {
            of: 7,
            at: 1_000,
            bytes: Some(Share(5, 10)),
            storage: None,
            tags: None,
            warn: 80,
            strict: false,
        };
        let json = serde_json::to_value(&quota).unwrap();
        assert_eq!(
            json,
            serde_json::json!({"of": 7, "at": 1000, "bytes": [5, 10], "warn": 80})
        );
        assert_eq!(serde_json::from_value::<Quota>(json).unwrap(), quota);
        for text in [
            r#"{"of":7,"at":1,"warn":80,"bytes":[1]}"#,
            r#"{"of":7,"at":1,"warn":80,"bytes":[-1,2]}"#,
            r#"{"of":7,"at":1,"warn":80,"pulls":[1,2]}"#,
            r#"{"of":7,"at":1}"#,
        ] {
            assert!(serde_json::from_str::<Quota>(text).is_err(), "{text}");
        }
    }
}
