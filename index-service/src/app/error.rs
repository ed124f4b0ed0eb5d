//! What a use case can end in besides success.

use std::error::Error;

use crate::password::Busy;

/// Why a use case did not do what was asked. A variant's text is meant for whoever asked.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The request cannot be carried out whoever asks.
    #[error("{0}")]
    Invalid(String),
    /// The credential is wrong; the text does not say what about it.
    #[error("{0}")]
    Unauthenticated(&'static str),
    /// There is no such thing, or the principal may not know of it.
    #[error("{0}")]
    NotFound(String),
    /// The credential is right and the answer is no.
    #[error("{0}")]
    Forbidden(&'static str),
    /// There is one already, or it changed meanwhile.
    #[error("{0}")]
    Conflict(String),
    /// Too many passwords are being checked at once.
    #[error("too many logins at once; try again in a moment")]
    TooManyAttempts,
    /// Too much of something happened within a time.
    #[error("{reason}; try again later")]
    Braked {
        /// What was too much.
        reason: &'static str,
        /// When it may be tried again, in seconds from now.
        wait_s: u64,
    },
    /// The store or the registry is away.
    #[error("a part of the service is away for the moment")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    /// A fault of ours.
    #[error("an internal fault")]
    Internal(#[source] Box<dyn Error + Send + Sync>),
}

impl AppError {
    /// Too much happened; in so many milliseconds it is little enough again.
    pub(super) fn braked(reason: &'static str, wait_ms: i64) -> Self {
        Self::Braked {
            reason,
            wait_s: u64::try_from(wait_ms).unwrap_or(0).div_ceil(1000).max(1),
        }
    }
}

impl From<Busy> for AppError {
    fn from(Busy: Busy) -> Self {
        Self::TooManyAttempts
    }
}
