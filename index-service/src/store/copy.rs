//! Everything from one database into another, of either kind: tables, columns and their order are read from the schema
//! itself, so that no table can be forgotten.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use super::dialect::{Pools, Tx};
use super::value::{Kind, Value, ask, run};
use super::{Store, StoreError};

/// Rows that are read and written at once.
const PAGE: usize = 200;
/// Values of one statement: SQLite takes 32,766.
const MAX_VALUES: usize = 16_000;
/// What is each database's own: it is there already.
const OWN: [&str; 1] = ["schema_migration"];

/// A database cannot be copied.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// One of the databases.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is something in the target already; it was left as it is.
    #[error("the target is not empty: it has rows in the table {0}; copy into a new database")]
    NotEmpty(String),
    /// What was read back is not what was written; nothing was kept.
    #[error("the table {0} differs from the original after it was written; nothing was kept")]
    Differs(String),
    /// Tables refer to each other in a circle, or a table has no primary key.
    #[error("the schema cannot be copied: {0}")]
    Schema(String),
}

/// What a table holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableSummary {
    /// Its name.
    pub table: String,
    /// Its rows.
    pub rows: u64,
    /// SHA-256 of the rows in the order of their keys, the same on both kinds of databases.
    pub checksum: String,
}

/// How far a copy is.
#[derive(Debug, Clone, Copy)]
pub struct Progress<'a> {
    /// The table.
    pub table: &'a str,
    /// Rows of it that are copied.
    pub done: u64,
    /// Rows of it in all.
    pub of: u64,
}

/// A table as the schema has it.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub(super) name: String,
    columns: Vec<(String, Kind)>,
    /// Places of the columns of the primary key, in its order.
    key: Vec<usize>,
}

/// Copies all rows, from one snapshot, in one transaction, and compares what was written. Both databases have the schema
/// of this program; the target has nothing else.
pub async fn copy(
    from: &Store,
    to: &Store,
    mut progress: impl FnMut(Progress<'_>),
) -> Result<Vec<TableSummary>, CopyError> {
    let fresh = Store::open("sqlite::memory:").await?;
    let mut pristine = fresh.read().await?;
    let tables = describe(&mut pristine).await?;
    let (mut source, mut target) = (from.read().await?, to.write().await?);
    for tx in [&mut source, &mut target] {
        be_patient(tx).await?;
    }
    for table in &tables {
        // Migrations put a few rows in, which the copy brings again.
        if count(&mut target, table).await? != count(&mut pristine, table).await? {
            return Err(CopyError::NotEmpty(table.name.clone()));
        }
    }
    for table in tables.iter().rev() {
        run(&mut target, &format!("delete from {}", table.name), &[]).await?;
    }
    let mut copied = Vec::with_capacity(tables.len());
    for table in &tables {
        copied.push(copy_table(table, &mut source, &mut target, &mut progress).await?);
    }
    for (table, written) in tables.iter().zip(&copied) {
        if summarise(&mut target, table).await? != *written {
            return Err(CopyError::Differs(table.name.clone()));
        }
    }
    target.commit().await?;
    Ok(copied)
}

async fn copy_table(
    table: &Table,
    source: &mut Tx,
    target: &mut Tx,
    progress: &mut impl FnMut(Progress<'_>),
) -> Result<TableSummary, StoreError> {
    let of = count(source, table).await?;
    let mut sum = Sum::default();
    let mut after = None;
    loop {
        progress(Progress {
            table: &table.name,
            done: sum.rows,
            of,
        });
        let page = table.page(source, after.as_deref()).await?;
        let Some(last) = page.last() else { break };
        after = Some(table.key_of(last));
        for row in &page {
            sum.add(row);
        }
        for rows in page.chunks(MAX_VALUES / table.columns.len()) {
            run(target, &table.insertion(rows.len()), &rows.concat()).await?;
        }
    }
    Ok(sum.finish(table))
}

/// What a table holds now.
pub(super) async fn summarise(tx: &mut Tx, table: &Table) -> Result<TableSummary, StoreError> {
    let mut sum = Sum::default();
    let mut after = None;
    loop {
        let page = table.page(tx, after.as_deref()).await?;
        let Some(last) = page.last() else { break };
        after = Some(table.key_of(last));
        for row in &page {
            sum.add(row);
        }
    }
    Ok(sum.finish(table))
}

/// Every table of a SQLite database but each one's own, those that others refer to first.
pub(super) async fn describe(tx: &mut Tx) -> Result<Vec<Table>, CopyError> {
    const TABLES: &str =
        "select name from sqlite_schema where type = 'table' and name not like 'sqlite_%' order by name";
    const COLUMNS: &str = "select name, type, pk from pragma_table_info($1) order by cid";
    const REFERENCES: &str = "select distinct \"table\" from pragma_foreign_key_list($1)";
    let mut waiting = Vec::new();
    for row in ask(tx, TABLES, &[], &[Kind::Text]).await? {
        let name = row[0].clone();
        if OWN.contains(&name.text()) {
            continue;
        }
        let this = std::slice::from_ref(&name);
        let rows = ask(tx, COLUMNS, this, &[Kind::Text, Kind::Text, Kind::Integer]).await?;
        let columns: Vec<_> = rows
            .iter()
            .map(|row| (row[0].text().to_owned(), Kind::of(row[0].text(), row[1].text())))
            .collect();
        let mut key: Vec<_> = rows
            .iter()
            .enumerate()
            .filter(|(_, row)| row[2].integer() > 0)
            .map(|(place, row)| (row[2].integer(), place))
            .collect();
        key.sort_unstable();
        let key: Vec<_> = key.into_iter().map(|(_, place)| place).collect();
        if key.is_empty() {
            return Err(CopyError::Schema(format!("{} has no primary key", name.text())));
        }
        let references = ask(tx, REFERENCES, this, &[Kind::Text]).await?;
        let needs: BTreeSet<String> = references.iter().map(|row| row[0].text().to_owned()).collect();
        let table = Table {
            name: name.text().to_owned(),
            columns,
            key,
        };
        waiting.push((table, needs));
    }
    in_order(waiting)
}

fn in_order(mut waiting: Vec<(Table, BTreeSet<String>)>) -> Result<Vec<Table>, CopyError> {
    let mut ordered: Vec<Table> = Vec::with_capacity(waiting.len());
    while !waiting.is_empty() {
        let is_ready = |(table, needs): &(Table, BTreeSet<String>)| {
            let mut others = needs.iter().filter(|need| **need != table.name);
            others.all(|need| ordered.iter().any(|known| known.name == *need))
        };
        let Some(place) = waiting.iter().position(is_ready) else {
            let names: Vec<_> = waiting.iter().map(|(table, _)| table.name.as_str()).collect();
            return Err(CopyError::Schema(format!(
                "{} refer to each other",
                names.join(", ")
            )));
        };
        ordered.push(waiting.remove(place).0);
    }
    Ok(ordered)
}

impl Table {
    fn names(&self) -> String {
        let names: Vec<_> = self.columns.iter().map(|(name, _)| name.as_str()).collect();
        names.join(", ")
    }

    fn key_of(&self, row: &[Value]) -> Vec<Value> {
        self.key.iter().map(|place| row[*place].clone()).collect()
    }

    /// The rows behind a key, in the order of keys: of numbers, and of the bytes of texts.
    async fn page(&self, tx: &mut Tx, after: Option<&[Value]>) -> Result<Vec<Vec<Value>>, StoreError> {
        let key: Vec<_> = self
            .key
            .iter()
            .map(|place| self.columns[*place].0.as_str())
            .collect();
        let key = key.join(", ");
        let behind = match after {
            Some(values) => format!(" where ({key}) > ({})", places(1, values.len())),
            None => String::new(),
        };
        let text = format!(
            "select {} from {}{behind} order by {key} limit {PAGE}",
            self.names(),
            self.name
        );
        let kinds: Vec<_> = self.columns.iter().map(|(_, kind)| *kind).collect();
        ask(tx, &text, after.unwrap_or_default(), &kinds).await
    }

    fn insertion(&self, rows: usize) -> String {
        let width = self.columns.len();
        let values: Vec<_> = (0..rows)
            .map(|row| format!("({})", places(row * width + 1, width)))
            .collect();
        format!(
            "insert into {} ({}) values {}",
            self.name,
            self.names(),
            values.join(", ")
        )
    }
}

/// `$3, $4, $5`.
fn places(first: usize, count: usize) -> String {
    let places: Vec<_> = (first..first + count).map(|place| format!("${place}")).collect();
    places.join(", ")
}

async fn count(tx: &mut Tx, table: &Table) -> Result<u64, StoreError> {
    let text = format!("select count(*) from {}", table.name);
    let rows = ask(tx, &text, &[], &[Kind::Integer]).await?;
    let count = rows.first().and_then(|row| row.first()).map_or(0, Value::integer);
    Ok(u64::try_from(count).unwrap_or(0))
}

/// A statement about a whole table may take longer than one of a request.
async fn be_patient(tx: &mut Tx) -> Result<(), StoreError> {
    if matches!(tx, Tx::Postgres(_)) {
        run(tx, "set local statement_timeout = 0", &[]).await?;
        run(tx, "set local idle_in_transaction_session_timeout = 0", &[]).await?;
    }
    Ok(())
}

#[derive(Default)]
struct Sum {
    rows: u64,
    digest: Sha256,
}

impl Sum {
    fn add(&mut self, row: &[Value]) {
        self.rows += 1;
        for value in row {
            value.digest(&mut self.digest);
        }
    }

    fn finish(self, table: &Table) -> TableSummary {
        let mut checksum = String::with_capacity(64);
        for byte in self.digest.finalize() {
            // Writing to a string cannot fail.
            let _ = write!(checksum, "{byte:02x}");
        }
        TableSummary {
            table: table.name.clone(),
            rows: self.rows,
            checksum,
        }
    }
}

impl Store {
    /// The kind of database, in a word.
    pub fn kind(&self) -> &'static str {
        match self.pools {
            Pools::Sqlite { .. } => "SQLite",
            Pools::Postgres(_) => "PostgreSQL",
        }
    }
}
