//! What can go wrong below a key; each variant is one that callers act on differently.

use std::io;

/// A failed storage operation: says what was being done, the cause stays in `source()`.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// Nothing is stored under the key, or only a prefix is.
    #[error("{doing}: not found")]
    NotFound {
        /// What was being done.
        doing: String,
    },
    /// A guard's condition does not hold, or the staged object exists already. Nothing of the commit is visible.
    #[error("{doing}: the precondition does not hold")]
    Conflict {
        /// What was being done.
        doing: String,
    },
    /// The staged object is being written by another request, here or in another process.
    #[error("{doing}: in use by another request")]
    Locked {
        /// What was being done.
        doing: String,
    },
    /// What is stored is not what it must be: too long, cut short, or of another kind than its key says.
    #[error("{doing}: the stored content is damaged")]
    Corrupt {
        /// What was being done.
        doing: String,
        /// The cause, where the system named one.
        source: Option<io::Error>,
    },
    /// No space or quota left (ENOSPC, EDQUOT; EFBIG: beyond the limit for one file). Reads and removals still work.
    #[error("{doing}: no space left")]
    Full {
        /// What was being done.
        doing: String,
        /// The cause.
        source: Option<io::Error>,
    },
    /// The file system is mounted read-only (EROFS). Reads still work.
    #[error("{doing}: the storage is read-only")]
    ReadOnly {
        /// What was being done.
        doing: String,
        /// The cause.
        source: Option<io::Error>,
    },
    /// Everything else: the operation may succeed later, or an operator is needed.
    #[error("{doing}: the storage failed")]
    Unavailable {
        /// What was being done.
        doing: String,
        /// The cause.
        source: Option<io::Error>,
    },
}

impl StorageError {
    pub(super) fn not_found(doing: impl Into<String>) -> Self {
        Self::NotFound { doing: doing.into() }
    }

    pub(super) fn conflict(doing: impl Into<String>) -> Self {
        Self::Conflict { doing: doing.into() }
    }

    pub(super) fn locked(doing: impl Into<String>) -> Self {
        Self::Locked { doing: doing.into() }
    }

    pub(super) fn corrupt(doing: impl Into<String>) -> Self {
        Self::Corrupt {
            doing: doing.into(),
            source: None,
        }
    }

    /// Sorts a system error into the variant that callers act on.
    pub(super) fn from_io(doing: impl Into<String>, error: io::Error) -> Self {
        use io::ErrorKind as Kind;
        let doing = doing.into();
        let source = Some(error);
        match source.as_ref().map_or(Kind::Other, io::Error::kind) {
            Kind::NotFound => Self::NotFound { doing },
            Kind::StorageFull | Kind::QuotaExceeded | Kind::FileTooLarge => Self::Full { doing, source },
            Kind::ReadOnlyFilesystem => Self::ReadOnly { doing, source },
            Kind::IsADirectory | Kind::NotADirectory | Kind::DirectoryNotEmpty | Kind::UnexpectedEof => {
                Self::Corrupt { doing, source }
            }
            _ => Self::Unavailable { doing, source },
        }
    }
}

#[cfg(test)]
mod tests {
    use rustix::io::Errno;

    use super::*;

    #[test]
    fn system_errors_are_sorted_by_what_callers_do_about_them() {
        let sorted = |errno: Errno| StorageError::from_io("testing", errno.into());
        assert!(matches!(sorted(Errno::NOENT), StorageError::NotFound { .. }));
        for full in [Errno::NOSPC, Errno::DQUOT, Errno::FBIG] {
            assert!(matches!(sorted(full), StorageError::Full { .. }), "{full}");
        }
        assert!(matches!(sorted(Errno::ROFS), StorageError::ReadOnly { .. }));
        for other in [Errno::IO, Errno::MFILE, Errno::ACCESS, Errno::XDEV, Errno::STALE] {
            assert!(
                matches!(sorted(other), StorageError::Unavailable { source: Some(_), .. }),
                "{other}"
            );
        }
    }

    #[test]
    fn the_text_names_the_operation_and_leaves_the_cause_to_the_source() {
        let error = StorageError::from_io("writing a/b", Errno::IO.into());
        assert_eq!(error.to_string(), "writing a/b: the storage failed");
        assert!(std::error::Error::source(&error).is_some());
    }
}
