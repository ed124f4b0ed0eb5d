//! Rows: every function runs on SQLite and on PostgreSQL with one SQL text.
//!
//! A [`Store`] gives transactions; the functions of the modules here work inside one. A transaction is short and awaits
//! nothing but SQL.

pub mod access;
pub mod access_token;
pub mod account;
pub mod ancestry;
pub mod announcement;
pub mod audit;
pub mod backup;
pub mod bookmark;
pub mod category;
pub mod comment;
pub mod content_count;
pub mod content_deletion;
pub mod content_feed;
pub mod copy;
pub mod deletion;
pub mod departure;
pub mod device;
mod dialect;
pub mod error;
pub mod family;
pub mod hub;
pub mod idempotency;
pub mod immutability;
pub mod invitation;
pub mod lease;
pub mod lineage;
pub mod listing;
pub mod manifest;
pub mod manifest_work;
pub mod member;
mod migration;
pub mod namespace;
pub mod notice;
pub mod organisation;
pub mod overview;
pub mod password_reset;
mod place;
pub mod posting;
pub mod profile;
pub mod quota;
pub mod quota_hold;
mod reader;
pub mod repository;
pub mod repository_profile;
pub mod retained;
pub mod retention_policy;
pub mod retention_run;
pub mod robot;
mod row;
pub mod rule;
pub mod search;
pub mod secret;
pub mod setting;
pub mod showcase;
pub mod sign_up;
pub mod signing_key;
pub mod tag;
pub mod team;
pub mod terms;
mod value;
pub mod webhook;
pub mod webhook_delivery;
pub mod work;
pub mod wrong_secret;

#[cfg(test)]
mod contract;
#[cfg(test)]
mod plan_tests;
#[cfg(test)]
pub(crate) mod postgres_server;
#[cfg(test)]
mod schema_tests;

pub use dialect::Tx;
#[cfg(test)]
pub(crate) use dialect::statements_read;
pub use error::StoreError;

use dialect::Pools;
use error::{DriverError, database};

/// A database of either kind with its schema up to date. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    pools: Pools,
}

impl Store {
    /// Opens `sqlite:///path`, `sqlite::memory:` (gone with the last clone) or `postgres://…` and applies migrations.
    /// A SQLite file is created when it is missing, readable by its owner alone. The path is taken as written.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        let opening = |source: DriverError| database("open", "database", source);
        let connecting = |source: sqlx::Error| opening(source.into());
        let pools = if url == "sqlite::memory:" {
            Pools::sqlite_in_memory().await.map_err(connecting)?
        } else if let Some(path) = url.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            if path.is_empty() {
                return Err(StoreError::Address("names no file behind sqlite://"));
            }
            Pools::sqlite_file(path.as_ref()).await.map_err(opening)?
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            Pools::postgres(url).await.map_err(connecting)?
        } else {
            return Err(StoreError::Address("must begin with sqlite:// or postgres://"));
        };
        let store = Self { pools };
        let mut tx = store.write().await?;
        migration::migrate(&mut tx).await?;
        tx.commit().await?;
        Ok(store)
    }

    /// A transaction that only reads, from one snapshot. On a SQLite file it never awaits: statements run on the thread
    /// that asks, so a list of what may be long is asked for in pages.
    pub async fn read(&self) -> Result<Tx, StoreError> {
        self.pools
            .begin_read()
            .await
            .map_err(|source| database("begin", "transaction", source))
    }

    /// A transaction that may write. On SQLite there is one at a time; others wait.
    pub async fn write(&self) -> Result<Tx, StoreError> {
        self.pools
            .begin_write()
            .await
            .map_err(|source| database("begin", "transaction", source))
    }

    /// Whether transactions that write come one after the other.
    pub fn writes_one_by_one(&self) -> bool {
        matches!(self.pools, Pools::Sqlite { .. })
    }

    /// Whether the database answers.
    pub async fn check(&self) -> Result<(), StoreError> {
        let mut tx = self.read().await?;
        setting::find_setting(&mut tx, "").await.map(drop)
    }

    /// Ends all connections, once those in use have come back.
    pub async fn close(&self) {
        self.pools.close().await;
    }
}
