//! Accounts that people made for themselves lately. Every replica counts the same ones.

use super::dialect::{Tx, find, on, statements};
use super::error::{StoreError, writing};
use super::row::row;
use crate::domain::AccountId;

statements! {
    COUNT_SIGN_UPS = "select count(*) as number, min(created_at) as oldest from sign_up where created_at > $1";
    COUNT_SIGN_UPS_FROM = "select count(*) as number, min(created_at) as oldest from sign_up
        where network = $1 and created_at > $2";
    NOTE_SIGN_UP = "insert into sign_up (account_id, network, created_at) values ($1, $2, $3)";
    PRUNE_SIGN_UPS = "delete from sign_up where created_at <= $1";
}

row! {
struct SignUpsRow {
    number: i64,
    oldest: Option<i64>,
}
}

/// What is remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignUps {
    /// How many accounts.
    pub number: i64,
    /// When the oldest of them was made, in milliseconds since 1970.
    pub oldest: Option<i64>,
}

/// How many accounts people of one network, or (`None`) of the whole world, made for themselves after `since`.
pub async fn count_sign_ups(tx: &mut Tx, network: Option<&str>, since: i64) -> Result<SignUps, StoreError> {
    let row = match network {
        Some(network) => find!("sign-ups", tx, SignUpsRow, COUNT_SIGN_UPS_FROM, network, since)?,
        None => find!("sign-ups", tx, SignUpsRow, COUNT_SIGN_UPS, since)?,
    };
    Ok(SignUps {
        number: row.as_ref().map_or(0, |row| row.number),
        oldest: row.and_then(|row| row.oldest),
    })
}

/// Remembers that somebody of a network made an account.
pub async fn note_sign_up(
    tx: &mut Tx,
    account_id: AccountId,
    network: &str,
    now_ms: i64,
) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(NOTE_SIGN_UP).bind(account_id.as_i64()).bind(network).bind(now_ms)
        .execute(c).await.map(drop))
    .map_err(writing("sign-up"))
}

/// Forgets those at `before` or earlier; says how many.
pub async fn prune_sign_ups(tx: &mut Tx, before: i64) -> Result<u64, StoreError> {
    on!(tx, c => sqlx::query(PRUNE_SIGN_UPS).bind(before).execute(c).await.map(|done| done.rows_affected()))
        .map_err(writing("sign-ups"))
}
