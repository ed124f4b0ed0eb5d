//! Two databases behind one text: pools, transactions and the macros that write a statement once.

use std::fs;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection as _, PgPool, Postgres, Sqlite, SqliteConnection, SqlitePool, Transaction};

use super::error::{DriverError, StoreError, database};
use super::reader::{ReadTx, Readers};

/// How long a statement may wait for SQLite's one writer, in this process or another.
const BUSY: Duration = Duration::from_secs(5);
/// How long a request may wait for a PostgreSQL connection.
const ACQUIRE: Duration = Duration::from_secs(2);
const POSTGRES_CONNECTIONS: u32 = 16;
const IMMEDIATE: &str = "begin immediate";

#[derive(Debug, Clone)]
pub(super) enum Pools {
    /// `readers` are of the same file; a database in memory has but one connection.
    Sqlite {
        writer: SqlitePool,
        readers: Option<Readers>,
    },
    Postgres(PgPool),
}

/// A transaction on either database. Dropped without [`Tx::commit`] it is rolled back.
#[derive(Debug)]
pub enum Tx {
    /// On SQLite.
    Sqlite(Transaction<'static, Sqlite>),
    /// On a SQLite file, and only reading.
    SqliteRead(ReadTx),
    /// On PostgreSQL.
    Postgres(Transaction<'static, Postgres>),
}

impl Tx {
    /// Makes the transaction's writes durable and visible.
    pub async fn commit(self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(tx) => tx.commit().await,
            Self::SqliteRead(_) => Ok(()),
            Self::Postgres(tx) => tx.commit().await,
        }
        .map_err(|source| database("commit", "transaction", source))
    }
}

/// Expands one expression for either database; `$c` is the connection. For what writes, and for what is only asked in
/// transactions that write.
macro_rules! on {
    ($tx:expr, $c:ident => $body:expr) => {
        match $tx {
            $crate::store::dialect::Tx::Sqlite(tx) => {
                let $c = &mut **tx;
                $body
            }
            $crate::store::dialect::Tx::SqliteRead(_) => Err($crate::store::dialect::only_reads()),
            $crate::store::dialect::Tx::Postgres(tx) => {
                let $c = &mut **tx;
                $body
            }
        }
    };
}
pub(super) use on;

/// Runs a statement that reads, on any kind of transaction: `find!` for the first row if there is one, `list!` for all.
macro_rules! find {
    ($noun:literal, $tx:expr, $row:ty, $text:ident $(, $value:expr)*) => {
        $crate::store::dialect::read!($noun, $tx, $row, $text, fetch_optional, find $(, $value)*)
    };
}
pub(super) use find;

macro_rules! list {
    ($noun:literal, $tx:expr, $row:ty, $text:ident $(, $value:expr)*) => {
        $crate::store::dialect::read!($noun, $tx, $row, $text, fetch_all, list $(, $value)*)
    };
}
pub(super) use list;

macro_rules! read {
    ($noun:literal, $tx:expr, $row:ty, $text:ident, $fetch:ident, $here:ident $(, $value:expr)*) => {{
        #[cfg(test)]
        $crate::store::dialect::count_statement();
        match $tx {
            $crate::store::dialect::Tx::Sqlite(tx) => sqlx::query_as::<_, $row>($text)$(.bind($value))*
                .$fetch(&mut **tx).await.map_err($crate::store::error::reading($noun)),
            $crate::store::dialect::Tx::SqliteRead(tx) => tx.$here::<$row>($text, &[$(&$value),*])
                .map_err($crate::store::error::reading($noun)),
            $crate::store::dialect::Tx::Postgres(tx) => sqlx::query_as::<_, $row>($text)$(.bind($value))*
                .$fetch(&mut **tx).await.map_err($crate::store::error::reading($noun)),
        }
    }};
}
pub(super) use read;

/// The same as `list!` with as many whole numbers as there are.
macro_rules! list_of {
    ($noun:literal, $tx:expr, $row:ty, $text:ident, $values:expr) => {{
        #[cfg(test)]
        $crate::store::dialect::count_statement();
        let values: &[i64] = $values;
        match $tx {
            $crate::store::dialect::Tx::Sqlite(tx) => {
                let mut query = sqlx::query_as::<sqlx::Sqlite, $row>($text);
                for value in values {
                    query = query.bind(*value);
                }
                query
                    .fetch_all(&mut **tx)
                    .await
                    .map_err($crate::store::error::reading($noun))
            }
            $crate::store::dialect::Tx::SqliteRead(tx) => {
                let values = values.iter().map(|value| value as &dyn rusqlite::ToSql);
                tx.list::<$row>($text, &values.collect::<Vec<_>>())
                    .map_err($crate::store::error::reading($noun))
            }
            $crate::store::dialect::Tx::Postgres(tx) => {
                let mut query = sqlx::query_as::<sqlx::Postgres, $row>($text);
                for value in values {
                    query = query.bind(*value);
                }
                query
                    .fetch_all(&mut **tx)
                    .await
                    .map_err($crate::store::error::reading($noun))
            }
        }
    }};
}
pub(super) use list_of;

#[cfg(test)]
thread_local! {
    /// Statements that read: a test runs on one thread.
    static READ: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// Counts a statement that reads.
#[cfg(test)]
pub(super) fn count_statement() {
    READ.with(|read| read.set(read.get() + 1));
}

/// How many statements a test has read with so far.
#[cfg(test)]
pub(crate) fn statements_read() -> usize {
    READ.with(std::cell::Cell::get)
}

/// What a transaction that only reads says to anything else.
pub(super) fn only_reads() -> sqlx::Error {
    sqlx::Error::Protocol("this transaction only reads".to_owned())
}

/// Names each SQL text of a module and lists all of them for the test that prepares them on both databases.
macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $text:expr;)*) => {
        $($(#[$doc])* const $name: &str = $text;)*
        #[cfg(test)]
        pub(super) const STATEMENTS: &[(&str, &str)] = &[$((stringify!($name), $name)),*];
    };
}
pub(super) use statements;

impl Pools {
    pub(super) async fn begin_read(&self) -> Result<Tx, DriverError> {
        Ok(match self {
            Self::Sqlite {
                readers: Some(readers),
                ..
            } => Tx::SqliteRead(readers.begin()?),
            Self::Sqlite {
                writer,
                readers: None,
            } => Tx::Sqlite(writer.begin().await?),
            // One snapshot for all statements, as SQLite gives it.
            Self::Postgres(pool) => Tx::Postgres(
                pool.begin_with("begin transaction isolation level repeatable read, read only")
                    .await?,
            ),
        })
    }

    pub(super) async fn begin_write(&self) -> Result<Tx, sqlx::Error> {
        Ok(match self {
            Self::Sqlite { writer, .. } => Tx::Sqlite(begin_immediate(writer).await?),
            Self::Postgres(pool) => Tx::Postgres(pool.begin().await?),
        })
    }

    pub(super) async fn close(&self) {
        match self {
            Self::Sqlite { writer, readers } => {
                // The last to close the file tidies its log away.
                if let Some(readers) = readers {
                    readers.close();
                }
                writer.close().await;
            }
            Self::Postgres(pool) => pool.close().await,
        }
    }

    /// One database in memory on one connection: it lives as long as its pool.
    pub(super) async fn sqlite_in_memory() -> Result<Self, sqlx::Error> {
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .min_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .acquire_timeout(BUSY)
            // A wait that ends during such a test would close the connection, and with it the database.
            .test_before_acquire(false)
            .connect_with(sqlite_options().in_memory(true))
            .await?;
        Ok(Self::Sqlite {
            writer: pool,
            readers: None,
        })
    }

    pub(super) async fn sqlite_file(path: &Path) -> Result<Self, DriverError> {
        create_private(path).map_err(sqlx::Error::from)?;
        let first = use_write_ahead_log(path).await?;
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(BUSY)
            .test_before_acquire(false)
            // When a commit fails on the disk, SQLite has rolled back by itself, and the driver, whose rollback then
            // fails, counts the transaction as open for ever. Such a connection is closed, and a new one opened.
            .before_acquire(|connection, _| Box::pin(async { Ok(!connection.is_in_transaction()) }))
            .connect_with(sqlite_options().filename(path))
            .await?;
        let readers = Some(Readers::open(path)?);
        // Not before: the last to close removes the log and its index, and on a full disk there may be no room to make them
        // again, since what was freed is free only when the file system's journal says so.
        first.close().await?;
        Ok(Self::Sqlite { writer, readers })
    }

    pub(super) async fn postgres(url: &str) -> Result<Self, sqlx::Error> {
        let options: PgConnectOptions = url.parse()?;
        let options = options.application_name("portolan-index").options([
            ("statement_timeout", "5s"),
            ("idle_in_transaction_session_timeout", "10s"),
        ]);
        let pool = PgPoolOptions::new()
            .max_connections(POSTGRES_CONNECTIONS)
            .acquire_timeout(ACQUIRE)
            .connect_with(options)
            .await?;
        Ok(Self::Postgres(pool))
    }
}

/// Begins to write. SQLite opens the file for reading alone while the disk can only be read, and such a connection would write
/// nothing ever after: a new one may.
async fn begin_immediate(writer: &SqlitePool) -> Result<Transaction<'static, Sqlite>, sqlx::Error> {
    match writer.begin_with(IMMEDIATE).await {
        Err(error) if is_read_only(&error) => {
            writer.acquire().await?.close().await?;
            writer.begin_with(IMMEDIATE).await
        }
        outcome => outcome,
    }
}

/// `SQLITE_READONLY`, whatever its extended code says of the reason.
fn is_read_only(error: &sqlx::Error) -> bool {
    let code = error
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code);
    code.and_then(|code| code.parse::<i32>().ok())
        .is_some_and(|code| code & 0xff == 8)
}

/// NORMAL would lose acknowledged commits at a power cut, revocations among them.
fn synchronous() -> SqliteSynchronous {
    if shared::sabotage::breaks("sqlite-synchronous-off") {
        return SqliteSynchronous::Off;
    }
    SqliteSynchronous::Full
}

fn sqlite_options() -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .busy_timeout(BUSY)
        .foreign_keys(true)
        .synchronous(synchronous())
        .pragma("trusted_schema", "off")
        .pragma("cell_size_check", "on")
        .pragma("secure_delete", "on")
}

/// Creates the file readable by its owner alone; SQLite gives its log and shared-memory files the same mode.
fn create_private(path: &Path) -> std::io::Result<()> {
    match fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
    {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Turns the write-ahead log on, once for the life of the file. SQLite does not wait for the lock that this takes when
/// another process opens the new file at the same time, so the wait is ours.
async fn use_write_ahead_log(path: &Path) -> Result<SqliteConnection, sqlx::Error> {
    use sqlx::ConnectOptions as _;
    use sqlx::sqlite::SqliteJournalMode::Wal;

    const STEP: Duration = Duration::from_millis(20);
    let mut waited = Duration::ZERO;
    loop {
        match sqlite_options().filename(path).journal_mode(Wal).connect().await {
            Ok(connection) => return Ok(connection),
            Err(sqlx::Error::Database(error)) if waited < BUSY && error.code().as_deref() == Some("5") => {
                tokio::time::sleep(STEP).await;
                waited += STEP;
            }
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_connection_that_was_opened_while_the_disk_could_only_be_read_is_given_up_when_something_is_written()
     {
        let folder = tempfile::tempdir().unwrap();
        let pools = Pools::sqlite_file(&folder.path().join("index.db")).await.unwrap();
        let Pools::Sqlite { writer, .. } = &pools else {
            unreachable!("it is SQLite")
        };
        // Refuses to write as one of a file that is open for reading does.
        sqlx::query("pragma query_only = on")
            .execute(writer)
            .await
            .unwrap();
        let refused = writer.begin_with(IMMEDIATE).await.unwrap_err();
        assert!(is_read_only(&refused), "{refused}");
        let Tx::Sqlite(mut tx) = pools.begin_write().await.unwrap() else {
            unreachable!("it is SQLite")
        };
        sqlx::query("create table written (at integer)")
            .execute(&mut *tx)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        pools.close().await;
    }
}
