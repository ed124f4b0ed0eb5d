//! What one commit consists of.

use bytes::Bytes;

use super::{Key, StagedWriter, Stamp, Version};

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
