//! The secrets of access tokens and robots.

use super::dialect::{Tx, find, list, on, statements};
use super::error::{StoreError, unreadable, writing};
use super::row::row;
use crate::domain::{CredentialSecret, Ended, SecretHash, SecretId, SecretOwner};

statements! {
    CREATE_SECRET = "insert into credential_secret (secret_id, owner_kind, owner_id, secret_hash, last_four, created_at)
        values ($1, $2, $3, $4, $5, $6)";
    FIND_SECRET = "select secret_id, owner_kind, owner_id, last_four, created_at as secret_created_at, ends_at, ended_because
        from credential_secret where secret_hash = $1";
    LIST_SECRETS = "select secret_id, owner_kind, owner_id, last_four, created_at as secret_created_at, ends_at, ended_because
        from credential_secret where owner_kind = $1 and owner_id = $2 order by secret_id";
    END_SECRET = "update credential_secret set ends_at = $2, ended_because = $3
        where secret_id = $1 and (ends_at is null or ends_at > $2)";
    FORGET_SECRET = "delete from credential_secret where secret_id = $1";
}

row! {
pub(super) struct SecretRow {
    secret_id: i64,
    owner_kind: String,
    owner_id: i64,
    last_four: String,
    secret_created_at: i64,
    ends_at: Option<i64>,
    ended_because: Option<String>,
}
}

/// A word that no version of this program writes.
#[derive(Debug, thiserror::Error)]
#[error("the owner of a secret is of a known kind")]
struct InvalidOwner;

impl SecretRow {
    pub(super) fn into_secret(self) -> Result<CredentialSecret, StoreError> {
        Ok(CredentialSecret {
            secret_id: SecretId::from_i64(self.secret_id),
            owner: SecretOwner::of_parts(&self.owner_kind, self.owner_id)
                .ok_or_else(|| unreadable("secret")(InvalidOwner))?,
            last_four: self.last_four,
            created_at: self.secret_created_at,
            ends_at: self.ends_at,
            ended_because: self.ended_because.as_deref().and_then(Ended::find),
        })
    }
}

/// What a new secret starts with.
#[derive(Debug)]
pub struct NewSecret<'a> {
    /// A new id.
    pub secret_id: SecretId,
    /// Whose it is.
    pub owner: SecretOwner,
    /// Its hash.
    pub secret_hash: SecretHash,
    /// Its last four characters.
    pub last_four: &'a str,
}

/// Adds a secret.
pub async fn create_secret(tx: &mut Tx, new: &NewSecret<'_>, now_ms: i64) -> Result<(), StoreError> {
    let (kind, id) = new.owner.to_parts();
    on!(tx, c => sqlx::query(CREATE_SECRET)
        .bind(new.secret_id.as_i64())
        .bind(kind)
        .bind(id)
        .bind(new.secret_hash.to_hex())
        .bind(new.last_four)
        .bind(now_ms)
        .execute(c).await.map(drop))
    .map_err(writing("secret"))
}

/// The secret of a hash, dead or alive.
pub async fn find_secret(
    tx: &mut Tx,
    secret_hash: SecretHash,
) -> Result<Option<CredentialSecret>, StoreError> {
    find!("secret", tx, SecretRow, FIND_SECRET, secret_hash.to_hex())?
        .map(SecretRow::into_secret)
        .transpose()
}

/// All secrets of an owner, the oldest first, dead ones too: few, since old dead ones are forgotten when one is added.
pub async fn list_secrets(tx: &mut Tx, owner: SecretOwner) -> Result<Vec<CredentialSecret>, StoreError> {
    let (kind, id) = owner.to_parts();
    list!("secrets", tx, SecretRow, LIST_SECRETS, kind, id)?
        .into_iter()
        .map(SecretRow::into_secret)
        .collect()
}

/// Ends a secret at `ends_at`; says whether it would have lived longer.
pub async fn end_secret(
    tx: &mut Tx,
    secret_id: SecretId,
    ends_at: i64,
    because: Ended,
) -> Result<bool, StoreError> {
    on!(tx, c => sqlx::query(END_SECRET)
        .bind(secret_id.as_i64()).bind(ends_at).bind(because.as_str())
        .execute(c).await.map(|done| done.rows_affected() > 0))
    .map_err(writing("secret"))
}

/// Forgets a secret: its use is told to nobody any more.
pub async fn forget_secret(tx: &mut Tx, secret_id: SecretId) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(FORGET_SECRET).bind(secret_id.as_i64()).execute(c).await.map(drop))
        .map_err(writing("secret"))
}
