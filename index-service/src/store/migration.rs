//! Migrations: the same numbers and names for both databases, applied in one transaction that excludes every other
//! process, so that replicas and the administrator's command may all start at once.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use super::dialect::{Tx, on, only_reads};
use super::error::{StoreError, database, unreadable};
use super::setting::find_setting;

/// One step. A published step is never edited; another is added, in both folders.
pub(super) struct Migration {
    pub(super) version: i64,
    pub(super) name: &'static str,
    pub(super) sqlite: &'static str,
    pub(super) postgres: &'static str,
}

macro_rules! migrations {
    ($($version:literal $name:literal;)*) => {
        &[$(Migration {
            version: $version,
            name: $name,
            sqlite: include_str!(concat!("../../migrations/sqlite/", $name, ".sql")),
            postgres: include_str!(concat!("../../migrations/postgres/", $name, ".sql")),
        }),*]
    };
}

pub(super) const MIGRATIONS: &[Migration] = migrations! {
    1 "0001_accounts";
    2 "0002_repositories";
    3 "0003_credentials";
    4 "0004_device_use";
    5 "0005_tenants";
    6 "0006_invitations";
    8 "0008_credentials";
    9 "0009_keys";
    10 "0010_audit";
    12 "0012_idempotency";
    13 "0013_invitation_end";
    14 "0014_sign_up";
    15 "0015_content";
    16 "0016_content_record";
    17 "0017_search";
    18 "0018_shelves";
    19 "0019_webhooks";
    20 "0020_showcase";
    21 "0021_terms";
    22 "0022_retention";
    23 "0023_comments";
    24 "0024_tag_changed";
    25 "0025_announcements";
    26 "0026_account_preferences";
    27 "0027_notices";
    28 "0028_work";
    30 "0030_content_pushed";
    31 "0031_narrow_lookups";
};

/// The setting that says which step a program must know at least to use the database. A step that takes away what older
/// programs need sets it to its own number; one that only adds does not, so that an older program goes on beside a newer one.
const FLOOR: &str = "schema_floor";

/// A newer program has taken away what this one needs.
#[derive(Debug, thiserror::Error)]
#[error(
    "a newer version has changed it, and versions before that cannot use it any more: start the newer one, or restore the \
     backup from before the upgrade"
)]
struct TooOld;

/// An applied migration is not the one that this program holds.
#[derive(Debug, thiserror::Error)]
#[error("migration {name} was applied with another text: the database belongs to another program")]
struct Changed {
    name: &'static str,
}

// Both databases list their tables, each in its own place; a role without the right to create tables can start.
const HISTORY_ON_SQLITE: &str =
    "select count(*) from sqlite_schema where type = 'table' and name = 'schema_migration'";
const HISTORY_ON_POSTGRES: &str =
    "select count(*) from pg_catalog.pg_class where oid = to_regclass('schema_migration')";
const CREATE_HISTORY_ON_SQLITE: &str = "create table schema_migration (version integer primary key, name text not null, checksum text not null) strict";
const CREATE_HISTORY_ON_POSTGRES: &str =
    "create table schema_migration (version bigint primary key, name text not null, checksum text not null)";
const PATIENCE_ON_POSTGRES: &str = "set local statement_timeout = '120s'";
/// An arbitrary number that names the lock.
const LOCK_ON_POSTGRES: &str = "select pg_advisory_xact_lock(7305805424716213)";
const LIST_APPLIED: &str = "select version, checksum from schema_migration order by version";
const RECORD: &str = "insert into schema_migration (version, name, checksum) values ($1, $2, $3)";

/// Brings the schema up to date inside `tx`, a write transaction.
pub(super) async fn migrate(tx: &mut Tx) -> Result<(), StoreError> {
    let applied = list_applied(tx)
        .await
        .map_err(|e| database("read", "schema's history", e))?;
    for migration in MIGRATIONS {
        let text = match tx {
            Tx::Sqlite(_) | Tx::SqliteRead(_) => migration.sqlite,
            Tx::Postgres(_) => migration.postgres,
        };
        let checksum = checksum(text);
        match applied.iter().find(|(version, _)| *version == migration.version) {
            Some((_, before)) if *before == checksum => {}
            Some(_) => {
                return Err(StoreError::Failed {
                    doing: "use the database".to_owned(),
                    source: Changed { name: migration.name }.into(),
                });
            }
            None => apply(tx, migration, text, &checksum)
                .await
                .map_err(|e| database("migrate", "schema", e))?,
        }
    }
    let floor = find_setting(tx, FLOOR).await?;
    let floor = floor.map(|floor| floor.parse::<i64>()).transpose();
    let floor = floor.map_err(unreadable("schema's floor"))?.unwrap_or(0);
    if MIGRATIONS.last().is_none_or(|last| last.version < floor) {
        return Err(StoreError::Failed {
            doing: "use the database".to_owned(),
            source: TooOld.into(),
        });
    }
    Ok(())
}

async fn list_applied(tx: &mut Tx) -> Result<Vec<(i64, String)>, sqlx::Error> {
    let exists: i64 = match tx {
        Tx::Sqlite(tx) => sqlx::query_scalar(HISTORY_ON_SQLITE).fetch_one(&mut **tx).await?,
        Tx::SqliteRead(_) => return Err(only_reads()),
        Tx::Postgres(tx) => {
            // Another process may hold the lock for longer than a request's statement may take.
            sqlx::query(PATIENCE_ON_POSTGRES).execute(&mut **tx).await?;
            sqlx::query(LOCK_ON_POSTGRES).execute(&mut **tx).await?;
            sqlx::query_scalar(HISTORY_ON_POSTGRES)
                .fetch_one(&mut **tx)
                .await?
        }
    };
    if exists == 0 {
        match tx {
            Tx::Sqlite(tx) => sqlx::query(CREATE_HISTORY_ON_SQLITE)
                .execute(&mut **tx)
                .await
                .map(drop)?,
            Tx::SqliteRead(_) => return Err(only_reads()),
            Tx::Postgres(tx) => sqlx::query(CREATE_HISTORY_ON_POSTGRES)
                .execute(&mut **tx)
                .await
                .map(drop)?,
        }
        return Ok(Vec::new());
    }
    on!(tx, c => sqlx::query_as(LIST_APPLIED).fetch_all(c).await)
}

async fn apply(
    tx: &mut Tx,
    migration: &Migration,
    text: &'static str,
    checksum: &str,
) -> Result<(), sqlx::Error> {
    match tx {
        Tx::Sqlite(tx) => sqlx::raw_sql(text).execute(&mut **tx).await.map(drop)?,
        Tx::SqliteRead(_) => return Err(only_reads()),
        Tx::Postgres(tx) => sqlx::raw_sql(text).execute(&mut **tx).await.map(drop)?,
    }
    on!(tx, c => sqlx::query(RECORD)
        .bind(migration.version).bind(migration.name).bind(checksum)
        .execute(c).await.map(drop))
}

/// SHA-256 in hexadecimal.
fn checksum(text: &str) -> String {
    let mut hex = String::with_capacity(64);
    for byte in Sha256::digest(text.as_bytes()) {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::setting::put_setting;
    use crate::store::{Store, postgres_server};

    #[tokio::test]
    async fn a_database_that_a_newer_version_changed_for_good_is_not_opened_and_one_that_it_added_to_is() {
        let last = MIGRATIONS.last().unwrap().version;
        let stores = [
            Some(Store::open("sqlite::memory:").await.unwrap()),
            postgres_server::new_store().await,
        ];
        for store in stores.into_iter().flatten() {
            for (floor, opens) in [(last, true), (last + 1, false)] {
                let mut tx = store.write().await.unwrap();
                on!(&mut tx, c => sqlx::query(RECORD).bind(last + floor).bind("later").bind("").execute(c)
                    .await.map(drop))
                .unwrap();
                put_setting(&mut tx, FLOOR, &floor.to_string()).await.unwrap();
                let migrated = migrate(&mut tx).await;
                assert_eq!(migrated.is_ok(), opens, "{migrated:?}");
                if let Err(error) = migrated {
                    let text = shared::causes::in_one_line(&error);
                    assert!(text.contains("restore the backup"), "{text}");
                }
            }
        }
    }
}
