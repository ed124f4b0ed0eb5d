//! Values of any column, for what works on every table: copies and backups.

use rusqlite::types::ToSqlOutput;
use sha2::{Digest as _, Sha256};
use sqlx::{AssertSqlSafe, Row as _};

use super::dialect::{Tx, only_reads};
use super::error::{StoreError, reading, writing};

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Integer,
    Text,
    Boolean,
}

impl Kind {
    /// That of a column of SQLite, which knows no boolean: such columns are called `is_…`.
    pub(super) fn of(name: &str, declared: &str) -> Self {
        if declared.eq_ignore_ascii_case("text") {
            Self::Text
        } else if name.starts_with("is_") {
            Self::Boolean
        } else {
            Self::Integer
        }
    }
}

/// What a column of a row holds. Each kind has its own null, since PostgreSQL asks of which type a null is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Integer(Option<i64>),
    Text(Option<String>),
    Boolean(Option<bool>),
}

impl Value {
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Text(Some(text)) => text,
            _ => "",
        }
    }

    pub(super) fn integer(&self) -> i64 {
        match self {
            Self::Integer(Some(number)) => *number,
            _ => 0,
        }
    }

    /// Adds the value to a checksum, so that no two rows have the same bytes.
    pub(super) fn digest(&self, digest: &mut Sha256) {
        match self {
            Self::Integer(None) | Self::Text(None) | Self::Boolean(None) => digest.update([0]),
            Self::Integer(Some(number)) => {
                digest.update([1]);
                digest.update(number.to_be_bytes());
            }
            Self::Text(Some(text)) => {
                digest.update([2]);
                digest.update(text.len().to_be_bytes());
                digest.update(text.as_bytes());
            }
            Self::Boolean(Some(value)) => digest.update([3, u8::from(*value)]),
        }
    }
}

impl rusqlite::ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self {
            Self::Integer(value) => value.to_sql(),
            Self::Text(value) => value.to_sql(),
            Self::Boolean(value) => value.to_sql(),
        }
    }
}

/// Reads a value by its place from a row of rusqlite.
pub(super) fn read(row: &rusqlite::Row<'_>, place: usize, kind: Kind) -> rusqlite::Result<Value> {
    Ok(match kind {
        Kind::Integer => Value::Integer(row.get(place)?),
        Kind::Text => Value::Text(row.get(place)?),
        Kind::Boolean => Value::Boolean(row.get(place)?),
    })
}

macro_rules! query {
    ($text:expr, $values:expr) => {{
        let mut query = sqlx::query(AssertSqlSafe($text.to_owned()));
        for value in $values {
            query = match value.clone() {
                Value::Integer(value) => query.bind(value),
                Value::Text(value) => query.bind(value),
                Value::Boolean(value) => query.bind(value),
            };
        }
        query
    }};
}

macro_rules! rows {
    ($tx:expr, $text:expr, $values:expr, $kinds:expr) => {{
        let rows = query!($text, $values)
            .fetch_all(&mut **$tx)
            .await
            .map_err(reading("rows"))?;
        rows.iter()
            .map(|row| {
                let read = |(place, kind): (usize, &Kind)| {
                    Ok(match kind {
                        Kind::Integer => Value::Integer(row.try_get(place)?),
                        Kind::Text => Value::Text(row.try_get(place)?),
                        Kind::Boolean => Value::Boolean(row.try_get(place)?),
                    })
                };
                $kinds.iter().enumerate().map(read).collect()
            })
            .collect::<Result<Vec<Vec<Value>>, sqlx::Error>>()
            .map_err(reading("rows"))
    }};
}

/// The rows of a statement of our own making, whose columns are of these kinds.
pub(super) async fn ask(
    tx: &mut Tx,
    text: &str,
    values: &[Value],
    kinds: &[Kind],
) -> Result<Vec<Vec<Value>>, StoreError> {
    #[cfg(test)]
    super::dialect::count_statement();
    match tx {
        Tx::Sqlite(tx) => rows!(tx, text, values, kinds),
        Tx::SqliteRead(tx) => tx.rows(text, values, kinds).map_err(reading("rows")),
        Tx::Postgres(tx) => rows!(tx, text, values, kinds),
    }
}

/// Runs a statement of our own making.
pub(super) async fn run(tx: &mut Tx, text: &str, values: &[Value]) -> Result<(), StoreError> {
    match tx {
        Tx::Sqlite(tx) => query!(text, values).execute(&mut **tx).await.map(drop),
        Tx::SqliteRead(_) => Err(only_reads()),
        Tx::Postgres(tx) => query!(text, values).execute(&mut **tx).await.map(drop),
    }
    .map_err(writing("rows"))
}
