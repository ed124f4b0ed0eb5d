//! Reading a SQLite file on the thread that asks.
//!
//! A read of a few indexed rows takes microseconds; handing each statement to another thread and waiting for its answer
//! costs several times that ([decision 6](../../../docs/decisions/0006-reading-in-place.md)). With a write-ahead log no
//! reader waits for a writer.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, ToSql};

use super::error::DriverError;
use super::row::Row;
use super::value::{self, Kind, Value};

/// How long a statement may wait where even readers do: while another process repairs or closes the file.
const BUSY: Duration = Duration::from_secs(1);
/// Connections that are kept while nobody uses them: as many as threads read at once.
const MAX_IDLE: usize = 8;
/// Prepared statements kept by a connection: all that read.
const STATEMENTS: usize = 32;
/// Most that a connection keeps of the file, in KiB.
const PAGES_KIB: i64 = 1024;

/// Connections to one file that only read.
#[derive(Clone)]
pub(super) struct Readers(Arc<Inner>);

struct Inner {
    path: PathBuf,
    /// `None` once closed.
    idle: Mutex<Option<Vec<Connection>>>,
}

impl Readers {
    /// Readers of a file that exists; opens the first connection.
    pub(super) fn open(path: &Path) -> Result<Self, rusqlite::Error> {
        Ok(Self::with(
            path,
            connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?,
        ))
    }

    /// Readers of a file that nobody writes, where perhaps nothing can be written.
    pub(super) fn open_read_only(path: &Path) -> Result<Self, rusqlite::Error> {
        Ok(Self::with(path, connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?))
    }

    fn with(path: &Path, first: Connection) -> Self {
        Self(Arc::new(Inner {
            path: path.to_owned(),
            idle: Mutex::new(Some(vec![first])),
        }))
    }

    /// A transaction on one snapshot, which is taken with its first statement.
    pub(super) fn begin(&self) -> Result<ReadTx, DriverError> {
        let idle = match &mut *self.0.idle.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(idle) => idle.pop(),
            None => return Err(sqlx::Error::PoolClosed.into()),
        };
        let connection = match idle {
            Some(connection) => connection,
            None => connect(&self.0.path, OpenFlags::SQLITE_OPEN_READ_WRITE)?,
        };
        run(&connection, "begin")?;
        Ok(ReadTx {
            connection: Some(connection),
            readers: self.clone(),
        })
    }

    /// Closes the connections; those in use are closed when they come back.
    pub(super) fn close(&self) {
        drop(self.0.idle.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    fn put_back(&self, connection: Connection) {
        if let Some(idle) = &mut *self.0.idle.lock().unwrap_or_else(PoisonError::into_inner)
            && idle.len() < MAX_IDLE
        {
            idle.push(connection);
        }
    }
}

impl fmt::Debug for Readers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Readers").field(&self.0.path).finish()
    }
}

fn connect(path: &Path, access: OpenFlags) -> Result<Connection, rusqlite::Error> {
    // It may write the log's index, as every reader does; `query_only` keeps statements from writing.
    let connection = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    for (pragma, value) in [
        ("query_only", 1),
        ("trusted_schema", 0),
        ("cell_size_check", 1),
        ("cache_size", -PAGES_KIB),
    ] {
        connection.pragma_update(None, pragma, value)?;
    }
    Ok(connection)
}

fn run(connection: &Connection, text: &str) -> Result<(), rusqlite::Error> {
    connection.prepare_cached(text)?.execute([]).map(drop)
}

/// A transaction that reads; its end gives the connection back.
pub struct ReadTx {
    /// There until the end.
    connection: Option<Connection>,
    readers: Readers,
}

impl ReadTx {
    /// The first row, if there is one.
    pub(super) fn find<R: Row>(
        &self,
        text: &str,
        values: &[&dyn ToSql],
    ) -> Result<Option<R>, rusqlite::Error> {
        let mut statement = self.prepare::<R>(text)?;
        let mut rows = statement.query(values)?;
        match rows.next()? {
            Some(row) => R::read(row, &mut 0).map(Some),
            None => Ok(None),
        }
    }

    /// All rows.
    pub(super) fn list<R: Row>(&self, text: &str, values: &[&dyn ToSql]) -> Result<Vec<R>, rusqlite::Error> {
        let mut statement = self.prepare::<R>(text)?;
        statement.query_map(values, |row| R::read(row, &mut 0))?.collect()
    }

    /// All rows of a statement of our own making, whose columns are of these kinds.
    pub(super) fn rows(
        &self,
        text: &str,
        values: &[Value],
        kinds: &[Kind],
    ) -> Result<Vec<Vec<Value>>, rusqlite::Error> {
        let connection = self.connection.as_ref().ok_or(rusqlite::Error::InvalidQuery)?;
        let mut statement = connection.prepare_cached(text)?;
        let read = |row: &rusqlite::Row<'_>| {
            let places = kinds.iter().enumerate();
            places
                .map(|(place, kind)| value::read(row, place, *kind))
                .collect()
        };
        statement
            .query_map(rusqlite::params_from_iter(values), read)?
            .collect()
    }

    fn prepare<R: Row>(&self, text: &str) -> Result<rusqlite::CachedStatement<'_>, rusqlite::Error> {
        let connection = self.connection.as_ref().ok_or(rusqlite::Error::InvalidQuery)?;
        let statement = connection.prepare_cached(text)?;
        // Values are read by their place, so the places are those of the fields: every test checks it.
        debug_assert_eq!(statement.column_names(), R::columns(), "{text}");
        Ok(statement)
    }
}

impl Drop for ReadTx {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            // A connection that cannot even end its transaction is not used again.
            if run(&connection, "rollback").is_ok() {
                self.readers.put_back(connection);
            }
        }
    }
}

impl fmt::Debug for ReadTx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReadTx")
    }
}
