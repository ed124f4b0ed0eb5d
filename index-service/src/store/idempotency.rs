//! Requests that clients repeat under a key of their own.

use super::dialect::{Tx, find, on, statements};
use super::error::{StoreError, writing};
use super::row::row;

statements! {
    CLAIM = "insert into idempotency (key_hash, request_hash, created_at) values ($1, $2, $3)
        on conflict (key_hash) do update set request_hash = excluded.request_hash, created_at = excluded.created_at,
        status = null, body = null where idempotency.created_at < $4 or (idempotency.status is null and idempotency.created_at < $5)";
    FIND = "select request_hash, status, body, created_at from idempotency where key_hash = $1";
    ANSWER = "update idempotency set status = $2, body = $3 where key_hash = $1";
    RELEASE = "delete from idempotency where key_hash = $1";
    PRUNE = "delete from idempotency where created_at < $1";
}

row! {
/// What is known of a key.
struct KnownRow {
    request_hash: String,
    status: Option<i64>,
    body: Option<String>,
    created_at: i64,
}
}

/// What is known of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The hash of the request that came with it.
    pub request_hash: String,
    /// The status of the answer; `None` while there is none.
    pub status: Option<i64>,
    /// The body of the answer; `None` when it held a secret.
    pub body: Option<String>,
    /// When the key was taken, in milliseconds since 1970.
    pub created_at: i64,
}

/// Takes a key for a request; says whether it was free. One is free again when it was taken before `forgotten_before`, or
/// before `abandoned_before` and nothing was answered since, so that its process must have ended.
pub async fn claim_key(
    tx: &mut Tx,
    key_hash: &str,
    request_hash: &str,
    now_ms: i64,
    forgotten_before: i64,
    abandoned_before: i64,
) -> Result<bool, StoreError> {
    on!(tx, c => sqlx::query(CLAIM)
        .bind(key_hash).bind(request_hash).bind(now_ms).bind(forgotten_before).bind(abandoned_before)
        .execute(c).await.map(|done| done.rows_affected() > 0))
    .map_err(writing("idempotency key"))
}

/// What is known of a key.
pub async fn find_key(tx: &mut Tx, key_hash: &str) -> Result<Option<Known>, StoreError> {
    Ok(
        find!("idempotency key", tx, KnownRow, FIND, key_hash)?.map(|row| Known {
            request_hash: row.request_hash,
            status: row.status,
            body: row.body,
            created_at: row.created_at,
        }),
    )
}

/// Keeps the answer to a request.
pub async fn keep_answer(
    tx: &mut Tx,
    key_hash: &str,
    status: u16,
    body: Option<&str>,
) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(ANSWER).bind(key_hash).bind(i64::from(status)).bind(body)
        .execute(c).await.map(drop))
    .map_err(writing("idempotency key"))
}

/// Frees a key whose request was not carried out.
pub async fn release_key(tx: &mut Tx, key_hash: &str) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(RELEASE).bind(key_hash).execute(c).await.map(drop))
        .map_err(writing("idempotency key"))
}

/// Forgets keys that were taken before a time; says how many.
pub async fn prune_keys(tx: &mut Tx, before: i64) -> Result<u64, StoreError> {
    on!(tx, c => sqlx::query(PRUNE).bind(before).execute(c).await.map(|done| done.rows_affected()))
        .map_err(writing("idempotency keys"))
}
