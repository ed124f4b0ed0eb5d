//! Links that set a password once.

use super::dialect::{Tx, on, statements};
use super::error::{StoreError, writing};
use crate::domain::{AccountId, SecretHash};

statements! {
    CREATE_PASSWORD_RESET = "insert into password_reset (secret_hash, account_id, created_by, created_at, expires_at)
        values ($1, $2, $3, $4, $5)";
    TAKE_PASSWORD_RESET = "delete from password_reset where secret_hash = $1 and expires_at > $2 returning account_id";
    REMOVE_PASSWORD_RESETS = "delete from password_reset where account_id = $1";
    PRUNE_PASSWORD_RESETS = "delete from password_reset where expires_at <= $1";
}

/// Creates a link in the place of those that the account had.
pub async fn create_password_reset(
    tx: &mut Tx,
    secret_hash: SecretHash,
    account_id: AccountId,
    created_by: Option<AccountId>,
    now_ms: i64,
    expires_at: i64,
) -> Result<(), StoreError> {
    remove_password_resets(tx, account_id).await?;
    on!(tx, c => sqlx::query(CREATE_PASSWORD_RESET)
        .bind(secret_hash.to_hex())
        .bind(account_id.as_i64())
        .bind(created_by.map(AccountId::as_i64))
        .bind(now_ms)
        .bind(expires_at)
        .execute(c).await.map(drop))
    .map_err(writing("password reset"))
}

/// Uses a link up, unless it is over its end; whose it was.
pub async fn take_password_reset(
    tx: &mut Tx,
    secret_hash: SecretHash,
    now_ms: i64,
) -> Result<Option<AccountId>, StoreError> {
    let taken: Option<i64> = on!(tx, c => sqlx::query_scalar(TAKE_PASSWORD_RESET)
        .bind(secret_hash.to_hex()).bind(now_ms).fetch_optional(c).await)
    .map_err(writing("password reset"))?;
    Ok(taken.map(AccountId::from_i64))
}

/// Ends the links of an account.
pub async fn remove_password_resets(tx: &mut Tx, account_id: AccountId) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(REMOVE_PASSWORD_RESETS).bind(account_id.as_i64()).execute(c).await.map(drop))
        .map_err(writing("password resets"))
}

/// Forgets the links that are over their end.
pub async fn prune_password_resets(tx: &mut Tx, now_ms: i64) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(PRUNE_PASSWORD_RESETS).bind(now_ms).execute(c).await.map(drop))
        .map_err(writing("password resets"))
}
