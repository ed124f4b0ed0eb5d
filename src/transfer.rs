//! `portolan db copy`, `backup` and `restore`: everything that an index keeps, from one place to another.

use std::io::Write as _;

use anyhow::Context as _;
use index_service::Config;
use index_service::store::copy::{Progress, TableSummary, copy};
use index_service::store::{Store, backup};

use crate::cli::{Backup, Db, Place, Restore};
use crate::data::DataFolder;

/// Rows between two lines about one table.
const ROWS_OF_A_LINE: u64 = 10_000;

/// `portolan db …`
pub(crate) async fn db(command: Db) -> anyhow::Result<()> {
    let Db::Copy { from, to } = command;
    let (from, to) = (address("--from", &from)?, address("--to", &to)?);
    anyhow::ensure!(from != to, "the original and the copy are the same database");
    let source = existing(&from).await.context("--from")?;
    let target = Store::open(&to).await.context("--to")?;
    let (from, to) = (source.kind(), target.kind());
    let copied = copy(&source, &target, told).await;
    source.close().await;
    target.close().await;
    summarise(&copied?, &format!("copied from {from} to {to} and compared"));
    Ok(())
}

/// `portolan backup …`
pub(crate) async fn back_up(command: Backup, variables: Vec<(String, String)>) -> anyhow::Result<()> {
    if command.verify {
        let found = backup::verify(&command.file).await?;
        summarise(
            &found,
            &format!("{} is as it was written", command.file.display()),
        );
        return Ok(());
    }
    let data = &command.place.data;
    let url = match &command.place.config {
        Some(_) => database(&command.place, variables)?,
        None => DataFolder::find(&data.dir)?.database(),
    };
    let source = existing(&url).await?;
    let made = backup::back_up(&source, &command.file, told).await;
    source.close().await;
    made?;
    let found = backup::verify(&command.file).await?;
    summarise(
        &found,
        &format!("written to {} and verified", command.file.display()),
    );
    Ok(())
}

/// `portolan restore …`
pub(crate) async fn restore(command: Restore, variables: Vec<(String, String)>) -> anyhow::Result<()> {
    // A file that is none is told before anything is made.
    backup::verify(&command.file).await?;
    let url = match &command.place.config {
        Some(_) => database(&command.place, variables)?,
        None => DataFolder::make(&command.place.data.dir)?.database(),
    };
    let target = Store::open(&url).await?;
    let restored = backup::restore(&command.file, &target, told).await;
    target.close().await;
    summarise(&restored?, &format!("restored from {}", command.file.display()));
    Ok(())
}

fn database(place: &Place, variables: Vec<(String, String)>) -> anyhow::Result<String> {
    let path = place.config.as_deref().context("a configuration is named")?;
    let config = Config::load(path, variables.into_iter())
        .with_context(|| format!("in the configuration {}", path.display()))?;
    Ok(config.database.expose().clone())
}

/// What an option says, or the file that it names.
fn address(option: &str, text: &str) -> anyhow::Result<String> {
    let Some(file) = text.strip_prefix('@') else {
        return Ok(text.to_owned());
    };
    let text = std::fs::read_to_string(file).with_context(|| format!("{option}: reading {file}"))?;
    Ok(text.trim().to_owned())
}

/// A database that is there: an empty one would be made otherwise, and copied in silence.
async fn existing(url: &str) -> anyhow::Result<Store> {
    if let Some(path) = url.strip_prefix("sqlite:") {
        let path = path.strip_prefix("//").unwrap_or(path);
        anyhow::ensure!(
            std::path::Path::new(path).is_file(),
            "there is no database at {path}"
        );
    }
    Ok(Store::open(url).await?)
}

/// Tells how far it is, for whoever waits.
fn told(progress: Progress<'_>) {
    if progress.done.is_multiple_of(ROWS_OF_A_LINE) && progress.of > 0 {
        let Progress { table, done, of } = progress;
        // Nobody may be reading.
        let _ = writeln!(std::io::stderr(), "{table}: {done} of {of} rows");
    }
}

#[expect(clippy::print_stdout, reason = "the answer of the command")]
fn summarise(tables: &[TableSummary], said: &str) {
    println!("{:<24} {:>12}  SHA-256", "TABLE", "ROWS");
    for table in tables {
        println!("{:<24} {:>12}  {}", table.table, table.rows, table.checksum);
    }
    let rows: u64 = tables.iter().map(|table| table.rows).sum();
    println!("{rows} rows of {} tables {said}", tables.len());
}
