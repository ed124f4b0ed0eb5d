//! Wrong secrets of the last minutes, as keyed hashes. Every replica counts the same ones.

use super::dialect::{Tx, find, on, statements};
use super::error::{StoreError, writing};
use super::row::row;

statements! {
    COUNT_WRONG_SECRETS = "select count(*) as number, min(seen_at) as oldest from wrong_secret
        where subject = $1 and seen_at > $2";
    FIND_WRONG_SECRET = "select seen_at from wrong_secret where subject = $1 and fingerprint = $2";
    NOTE_WRONG_SECRET = "insert into wrong_secret (subject, fingerprint, seen_at) values ($1, $2, $3)
        on conflict (subject, fingerprint) do update set seen_at = excluded.seen_at";
    PRUNE_WRONG_SECRETS = "delete from wrong_secret where seen_at <= $1";
}

row! {
struct CountRow {
    number: i64,
    oldest: Option<i64>,
}
}

row! {
struct SeenRow {
    seen_at: i64,
}
}

/// What is remembered of a subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WrongSecrets {
    /// How many different ones.
    pub distinct: i64,
    /// When the one that is forgotten first was shown last, in milliseconds since 1970.
    pub oldest: Option<i64>,
}

/// How many different wrong secrets were shown for a subject after `since`.
pub async fn count_wrong_secrets(tx: &mut Tx, subject: &str, since: i64) -> Result<WrongSecrets, StoreError> {
    let row = find!("wrong secrets", tx, CountRow, COUNT_WRONG_SECRETS, subject, since)?;
    Ok(WrongSecrets {
        distinct: row.as_ref().map_or(0, |row| row.number),
        oldest: row.and_then(|row| row.oldest),
    })
}

/// When this very secret was shown last for a subject.
pub async fn find_wrong_secret(
    tx: &mut Tx,
    subject: &str,
    fingerprint: &str,
) -> Result<Option<i64>, StoreError> {
    Ok(find!(
        "wrong secret",
        tx,
        SeenRow,
        FIND_WRONG_SECRET,
        subject,
        fingerprint
    )?
    .map(|row| row.seen_at))
}

/// Remembers a wrong secret; one that is known already is the same one.
pub async fn note_wrong_secret(
    tx: &mut Tx,
    subject: &str,
    fingerprint: &str,
    now_ms: i64,
) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(NOTE_WRONG_SECRET).bind(subject).bind(fingerprint).bind(now_ms)
        .execute(c).await.map(drop))
    .map_err(writing("wrong secret"))
}

/// Forgets those that were shown last at `before` or earlier; says how many.
pub async fn prune_wrong_secrets(tx: &mut Tx, before: i64) -> Result<u64, StoreError> {
    on!(tx, c => sqlx::query(PRUNE_WRONG_SECRETS).bind(before).execute(c).await.map(|done| done.rows_affected()))
        .map_err(writing("wrong secrets"))
}
