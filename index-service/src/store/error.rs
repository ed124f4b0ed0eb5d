//! What can go wrong between the store and its database.

use std::error::Error as StdError;

/// An error of the store. The text says what was being done; the cause is the source.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A name is taken already.
    #[error("the {0} exists already")]
    Conflict(&'static str),
    /// The database is away, too busy or out of space: the same may succeed later.
    #[error("cannot {doing} while the database is unavailable")]
    Unavailable {
        /// What was being done.
        doing: String,
        /// The database's words.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The database's address cannot be used.
    #[error("the database address {0}")]
    Address(&'static str),
    /// Everything else: a statement that the database refuses, a stored value that reads as nothing we write.
    #[error("cannot {doing}")]
    Failed {
        /// What was being done.
        doing: String,
        /// Why.
        source: Box<dyn StdError + Send + Sync>,
    },
}

/// An error of either driver.
#[derive(Debug)]
pub(super) enum DriverError {
    Sqlx(sqlx::Error),
    Rusqlite(rusqlite::Error),
}

impl From<sqlx::Error> for DriverError {
    fn from(error: sqlx::Error) -> Self {
        Self::Sqlx(error)
    }
}

impl From<rusqlite::Error> for DriverError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Rusqlite(error)
    }
}

/// Maps an error of the database while something is read.
pub(super) fn reading<E: Into<DriverError>>(noun: &'static str) -> impl FnOnce(E) -> StoreError {
    move |source| database("read", noun, source)
}

/// Maps an error of the database while something is written.
pub(super) fn writing(noun: &'static str) -> impl FnOnce(sqlx::Error) -> StoreError {
    move |source| database("write", noun, source)
}

/// The same for what may take a name that is taken already.
pub(super) fn taking(noun: &'static str) -> impl FnOnce(sqlx::Error) -> StoreError {
    move |source| match &source {
        sqlx::Error::Database(error) if error.is_unique_violation() => StoreError::Conflict(noun),
        _ => database("write", noun, source),
    }
}

/// Maps an error of the database while it is opened, prepared or left.
pub(super) fn database(verb: &'static str, noun: &'static str, source: impl Into<DriverError>) -> StoreError {
    let doing = format!("{verb} the {noun}");
    let (passes, source): (bool, Box<dyn StdError + Send + Sync>) = match source.into() {
        DriverError::Sqlx(error) => (is_passing(&error), error.into()),
        DriverError::Rusqlite(error) => {
            let code = error.sqlite_error().map(|error| error.extended_code);
            (code.is_some_and(passes_on_sqlite), error.into())
        }
    };
    if passes {
        StoreError::Unavailable { doing, source }
    } else {
        StoreError::Failed { doing, source }
    }
}

/// A stored value that no domain type accepts.
pub(super) fn unreadable<E: StdError + Send + Sync + 'static>(
    noun: &'static str,
) -> impl FnOnce(E) -> StoreError {
    move |source| StoreError::Failed {
        doing: format!("understand the stored {noun}"),
        source: source.into(),
    }
}

/// Whether the same may succeed later without anybody mending anything in our tables.
fn is_passing(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::BeginFailed => true,
        sqlx::Error::Database(error) => {
            let code = error.code().unwrap_or_default();
            if error.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some() {
                passes_on_sqlite(code.parse().unwrap_or(0))
            } else {
                // Connection, resources, operator intervention and time-outs, deadlock and serialisation, system.
                ["08", "40", "53", "57", "58"]
                    .iter()
                    .any(|class| code.starts_with(class))
                    || matches!(&*code, "55P03" | "25P03" | "25P04" | "25006")
            }
        }
        _ => false,
    }
}

/// The low byte of SQLite's code is the primary one: busy, locked, read-only, I/O, full, cannot open.
fn passes_on_sqlite(code: i32) -> bool {
    matches!(code & 0xff, 5 | 6 | 8 | 10 | 13 | 14)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_what_was_done_and_keeps_the_cause_as_its_source() {
        let error = reading("account")(sqlx::Error::PoolTimedOut);
        assert_eq!(
            error.to_string(),
            "cannot read the account while the database is unavailable"
        );
        assert!(matches!(error, StoreError::Unavailable { .. }));
        assert!(error.source().is_some());
        let error = writing("setting")(sqlx::Error::RowNotFound);
        assert!(matches!(error, StoreError::Failed { .. }), "{error}");
    }
}
