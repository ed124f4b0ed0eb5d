//! Comments: who sees them, and what is decided about them.

use std::str::FromStr;

/// What those who manage a repository decide about its comments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Board {
    /// Whether comments are written and shown.
    pub is_open: bool,
    /// Whether the first comment of somebody waits until it was looked at.
    pub newcomers_wait: bool,
}

impl Default for Board {
    fn default() -> Self {
        Self {
            is_open: false,
            newcomers_wait: true,
        }
    }
}

/// Who sees a comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommentState {
    /// Whoever sees the repository.
    Shown,
    /// Its author and those who manage the repository, until one of them shows it.
    Waiting,
    /// The same, since one of them has hidden it.
    Hidden,
    /// Nobody: what is left is its place in the thread.
    Deleted,
}

/// No state of a comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a comment is shown, waiting, hidden or deleted")]
pub struct InvalidCommentState;

impl CommentState {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Shown => "shown",
            Self::Waiting => "waiting",
            Self::Hidden => "hidden",
            Self::Deleted => "deleted",
        }
    }
}

impl FromStr for CommentState {
    type Err = InvalidCommentState;

    fn from_str(text: &str) -> Result<Self, InvalidCommentState> {
        [Self::Shown, Self::Waiting, Self::Hidden, Self::Deleted]
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or(InvalidCommentState)
    }
}
