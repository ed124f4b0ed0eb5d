//! What one commit consists of.

use bytes::Bytes;

use super::{Key, StagedWriter, Stamp, StorageError, Version};

/// A key whose state is checked, and kept from changing through other guards, while the commit becomes visible.
#[derive(Debug, Clone)]
pub struct Guard {
    /// The key that is locked.
    pub key: Key,
    /// What must hold for its object.
    pub condition: Condition,
}

/// What must hold for a guarded object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// Anything: only commits that guard the same key are kept out meanwhile.
    Any,
    /// There is no object.
    Absent,
    /// The object's content is the one that was read.
    Is(Version),
    /// The object has not been written, not even with the same content, since it had this stamp; certain for a stamp that
    /// was settled then ([`Stamp::is_settled`]).
    Untouched(Stamp),
}

/// One visible change. Steps become visible in the order of the list.
#[derive(Debug)]
pub enum Step {
    /// A small object appears whole under the key, or replaces the one there.
    Write {
        /// Where.
        key: Key,
        /// All of it.
        content: Bytes,
    },
    /// A staged object becomes the object under the key. One that is there already is replaced (an equal one
    /// that was damaged is healed by this).
    Promote {
        /// The staged object, complete; whatever was not yet synced is synced first.
        staged: StagedWriter,
        /// Where.
        key: Key,
    },
    /// A small object appears under the next number of a series: `<stem>-<number>` with 20 digits. The number is one more
    /// than the last that a commit took from `counter`, also when the objects of earlier numbers are gone; the first is 1.
    /// Commits that take from one counter keep each other out as if they guarded it: the order of the numbers is the order
    /// in which the commits became visible. A commit that does not become visible takes none.
    Number {
        /// A prefix with one empty object, whose name is the last number.
        counter: Key,
        /// What the object's key begins with.
        stem: Key,
        /// All of it.
        content: Bytes,
    },
    /// The object lies under another key from now on; one that is there already is replaced.
    /// [`StorageError::NotFound`](super::StorageError::NotFound) when it is absent.
    Move {
        /// Where it lies.
        from: Key,
        /// Where it will lie.
        to: Key,
    },
    /// The object, or everything below the prefix, disappears at once. Absent is fine.
    Remove {
        /// What.
        key: Key,
    },
}

/// The text of a number in a key: in byte order as they are in size.
pub(super) fn digits(number: u64) -> String {
    format!("{number:020}")
}

/// The number of such a text.
pub(super) fn number(digits: &str) -> Option<u64> {
    (digits.len() == 20 && digits.bytes().all(|b| b.is_ascii_digit()))
        .then(|| digits.parse().ok())
        .flatten()
}

/// The keys of a number: in its counter, and of its object.
pub(super) fn numbered(counter: &Key, stem: &Key, number: u64) -> Result<(Key, Key), StorageError> {
    let digits = digits(number);
    let keys = counter
        .join(&digits)
        .and_then(|last| Ok((last, Key::parse(&format!("{stem}-{digits}"))?)));
    keys.map_err(|_| StorageError::Unavailable {
        doing: format!("numbering {stem}, which is too long"),
        source: None,
    })
}
