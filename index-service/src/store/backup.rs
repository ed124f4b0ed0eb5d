//! Backups: one SQLite file that holds every row of a database of either kind, and what should be in it.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use sqlx::ConnectOptions as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};

use super::copy::{CopyError, Progress, TableSummary, copy, describe, summarise};
use super::dialect::Tx;
use super::error::database;
use super::reader::Readers;
use super::value::{Kind, Value, ask, run};
use super::{Store, StoreError};

/// What a backup says of itself.
const CREATE_MANIFEST: &str = "create table backup_manifest (table_name text not null primary key,
    row_count integer not null, checksum text not null) strict";
const ADD_TO_MANIFEST: &str =
    "insert into backup_manifest (table_name, row_count, checksum) values ($1, $2, $3)";
const READ_MANIFEST: &str = "select table_name, row_count, checksum from backup_manifest order by table_name";
const MANIFEST: &str = "backup_manifest";

/// A backup cannot be made, or cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The databases.
    #[error(transparent)]
    Copy(#[from] CopyError),
    /// The file system.
    #[error("while {doing} {}", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// There is a file of that name; it was left as it is.
    #[error("{} exists already and is not overwritten", .0.display())]
    Exists(PathBuf),
    /// The file is none of ours, or not what it was.
    #[error("{} is no sound backup: {why}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
}

impl From<StoreError> for BackupError {
    fn from(error: StoreError) -> Self {
        Self::Copy(error.into())
    }
}

/// Writes everything into a new file, from one snapshot, while the database is used. The file appears when it is whole,
/// readable by its owner alone.
pub async fn back_up(
    from: &Store,
    file: &Path,
    progress: impl FnMut(Progress<'_>),
) -> Result<Vec<TableSummary>, BackupError> {
    if file.exists() {
        return Err(BackupError::Exists(file.to_owned()));
    }
    let draft = beside(file, "partial");
    remove(&draft)?;
    let made = write(from, &draft, progress).await;
    let summaries = match made {
        Ok(summaries) => summaries,
        Err(error) => {
            remove(&draft)?;
            return Err(error);
        }
    };
    File::open(&draft)
        .and_then(|file| file.sync_all())
        .map_err(fail("syncing", &draft))?;
    // Never over another file.
    fs::hard_link(&draft, file).map_err(fail("making", file))?;
    remove(&draft)?;
    if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(fail("syncing the folder of", file))?;
    }
    Ok(summaries)
}

async fn write(
    from: &Store,
    draft: &Path,
    progress: impl FnMut(Progress<'_>),
) -> Result<Vec<TableSummary>, BackupError> {
    let to = Store::open(&address(draft)).await?;
    let summaries = copy(from, &to, progress).await?;
    let mut tx = to.write().await?;
    run(&mut tx, CREATE_MANIFEST, &[]).await?;
    for summary in &summaries {
        let rows = i64::try_from(summary.rows).unwrap_or(i64::MAX);
        let values = [
            Value::Text(Some(summary.table.clone())),
            Value::Integer(Some(rows)),
            Value::Text(Some(summary.checksum.clone())),
        ];
        run(&mut tx, ADD_TO_MANIFEST, &values).await?;
    }
    tx.commit().await?;
    to.close().await;
    // One file without a log beside it, so that it can be read where nothing can be written.
    let alone = SqliteConnectOptions::new()
        .filename(draft)
        .journal_mode(SqliteJournalMode::Delete)
        .connect()
        .await;
    let alone = alone.map_err(|error| database("finish", "backup", error))?;
    sqlx::Connection::close(alone)
        .await
        .map_err(|error| database("finish", "backup", error))?;
    Ok(summaries)
}

/// Reads the whole file and compares it with what it says of itself. Nothing is written.
pub async fn verify(file: &Path) -> Result<Vec<TableSummary>, BackupError> {
    let damaged = |why: String| BackupError::Damaged {
        path: file.to_owned(),
        why,
    };
    fs::metadata(file).map_err(fail("opening", file))?;
    let readers = Readers::open_read_only(file).map_err(|error| damaged(error.to_string()))?;
    let tx = readers.begin().map_err(|error| damaged(format!("{error:?}")))?;
    let mut tx = Tx::SqliteRead(tx);
    let unreadable = |error: StoreError| damaged(with_cause(&error));
    let sound = ask(
        &mut tx,
        "select integrity_check from pragma_integrity_check",
        &[],
        &[Kind::Text],
    )
    .await
    .map_err(unreadable)?;
    if sound.first().map(|row| row[0].text()) != Some("ok") {
        let first = sound.first().map(|row| row[0].text().to_owned());
        return Err(damaged(first.unwrap_or_default()));
    }
    let manifest = ask(
        &mut tx,
        READ_MANIFEST,
        &[],
        &[Kind::Text, Kind::Integer, Kind::Text],
    )
    .await
    .map_err(|_| damaged("it has no manifest".to_owned()))?;
    let tables = describe(&mut tx)
        .await
        .map_err(|error| damaged(error.to_string()))?;
    let mut summaries = Vec::new();
    for table in tables.iter().filter(|table| table.name != MANIFEST) {
        let found = summarise(&mut tx, table).await.map_err(unreadable)?;
        let said = manifest.iter().find(|row| row[0].text() == table.name);
        let Some(said) = said else {
            return Err(damaged(format!(
                "the table {} is not in its manifest",
                table.name
            )));
        };
        let rows = u64::try_from(said[1].integer()).unwrap_or(0);
        if (rows, said[2].text()) != (found.rows, found.checksum.as_str()) {
            return Err(damaged(format!(
                "the table {} has {} rows that are not the {rows} that were backed up",
                table.name, found.rows
            )));
        }
        summaries.push(found);
    }
    if summaries.len() != manifest.len() {
        return Err(damaged("a table is missing".to_owned()));
    }
    Ok(summaries)
}

/// Verifies a backup, of this version of the program or an earlier one, and puts everything in it into an empty database.
pub async fn restore(
    file: &Path,
    to: &Store,
    progress: impl FnMut(Progress<'_>),
) -> Result<Vec<TableSummary>, BackupError> {
    verify(file).await?;
    // Migrations are applied to a copy.
    let draft = beside(file, "restoring");
    remove(&draft)?;
    let restored = restore_from(file, &draft, to, progress).await;
    remove(&draft)?;
    restored
}

async fn restore_from(
    file: &Path,
    draft: &Path,
    to: &Store,
    progress: impl FnMut(Progress<'_>),
) -> Result<Vec<TableSummary>, BackupError> {
    fs::copy(file, draft).map_err(fail("copying to", draft))?;
    let from = Store::open(&address(draft)).await?;
    let copied = copy(&from, to, progress).await;
    from.close().await;
    Ok(copied?)
}

fn address(file: &Path) -> String {
    format!("sqlite://{}", file.display())
}

/// `FILE.partial`.
fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    name.into()
}

/// Removes a draft with what SQLite keeps beside it.
fn remove(draft: &Path) -> Result<(), BackupError> {
    for ending in ["", "-wal", "-shm", "-journal"] {
        let mut name = draft.as_os_str().to_owned();
        name.push(ending);
        match fs::remove_file(&name) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(fail("removing", Path::new(&name))(error));
            }
            _ => {}
        }
    }
    Ok(())
}

fn fail<'a>(doing: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> BackupError + 'a {
    move |source| BackupError::Io {
        doing,
        path: path.to_owned(),
        source,
    }
}

fn with_cause(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}
