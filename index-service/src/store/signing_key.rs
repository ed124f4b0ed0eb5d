//! The token authority and the signing keys. Private keys are texts here: what is in them is the matter of others.

use super::dialect::{Tx, find, list, on, statements};
use super::error::{StoreError, unreadable, writing};
use super::row::row;
use crate::domain::{KeyState, SigningKeyFacts};

statements! {
    CREATE_AUTHORITY = "insert into token_authority (authority_id, private_key, certificate, created_at)
        values (1, $1, $2, $3) on conflict (authority_id) do nothing";
    FIND_AUTHORITY = "select private_key, certificate from token_authority where authority_id = 1";
    REPLACE_AUTHORITY = "update token_authority set private_key = $1, certificate = $2 where authority_id = 1";
    SET_AUTHORITY_KEY = "update token_authority set private_key = $1 where authority_id = 1";
    LOCK_AUTHORITY = "update token_authority set created_at = created_at where authority_id = 1";
    ADD_SIGNING_KEY = "insert into signing_key (key_id, state, private_key, certificate, created_at, activated_at, withdraw_at)
        values ($1, $2, $3, $4, $5, $6, $7)";
    LIST_SIGNING_KEYS = "select key_id, state, private_key, certificate, created_at, promote_at, activated_at, withdraw_at
        from signing_key where key_id > '' order by key_id";
    RETIRE_CURRENT_KEY = "update signing_key set state = 'retired', withdraw_at = $1 where state = 'current'";
    PROMOTE_KEY = "update signing_key set state = 'current', activated_at = $2, promote_at = null
        where key_id = $1 and state = 'next'";
    ASK_FOR_PROMOTION = "update signing_key set promote_at = $1 where state = 'next' and promote_at is null";
    SET_KEY_MATERIAL = "update signing_key set private_key = $2, certificate = $3 where key_id = $1";
    REMOVE_KEY = "delete from signing_key where key_id = $1";
    WITHDRAW_KEY = "delete from signing_key where key_id = $1 and state = 'retired'";
}

row! {
struct AuthorityRow {
    private_key: String,
    certificate: String,
}
}

row! {
struct KeyRow {
    key_id: String,
    state: String,
    private_key: String,
    certificate: String,
    created_at: i64,
    promote_at: Option<i64>,
    activated_at: Option<i64>,
    withdraw_at: Option<i64>,
}
}

/// A private key and its certificate, as they are kept.
#[derive(Clone, PartialEq, Eq)]
pub struct KeptKey {
    /// The private key, sealed or not.
    pub private_key: String,
    /// The certificate (PEM).
    pub certificate: String,
}

impl std::fmt::Debug for KeptKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Adds the authority, unless there is one; says whether it did. Others who try wait for the end of this transaction.
pub async fn create_authority(tx: &mut Tx, authority: &KeptKey, now_ms: i64) -> Result<bool, StoreError> {
    on!(tx, c => sqlx::query(CREATE_AUTHORITY)
        .bind(&authority.private_key).bind(&authority.certificate).bind(now_ms)
        .execute(c).await.map(|done| done.rows_affected() > 0))
    .map_err(writing("token authority"))
}

/// The authority.
pub async fn find_authority(tx: &mut Tx) -> Result<Option<KeptKey>, StoreError> {
    let row = find!("token authority", tx, AuthorityRow, FIND_AUTHORITY)?;
    Ok(row.map(|row| KeptKey {
        private_key: row.private_key,
        certificate: row.certificate,
    }))
}

/// Puts another authority in the place of the one there is.
pub async fn replace_authority(tx: &mut Tx, authority: &KeptKey) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(REPLACE_AUTHORITY).bind(&authority.private_key).bind(&authority.certificate)
        .execute(c).await.map(drop))
    .map_err(writing("token authority"))
}

/// Keeps the authority's private key in another form.
pub async fn set_authority_key(tx: &mut Tx, private_key: &str) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(SET_AUTHORITY_KEY).bind(private_key).execute(c).await.map(drop))
        .map_err(writing("token authority"))
}

/// Makes other transactions that change keys wait for this one.
pub async fn lock_keys(tx: &mut Tx) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(LOCK_AUTHORITY).execute(c).await.map(drop)).map_err(writing("token authority"))
}

/// Adds a signing key.
pub async fn add_signing_key(tx: &mut Tx, facts: &SigningKeyFacts, kept: &KeptKey) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(ADD_SIGNING_KEY)
        .bind(&facts.key_id)
        .bind(facts.state.as_str())
        .bind(&kept.private_key)
        .bind(&kept.certificate)
        .bind(facts.created_at)
        .bind(facts.activated_at)
        .bind(facts.withdraw_at)
        .execute(c).await.map(drop))
    .map_err(writing("signing key"))
}

/// Every signing key, in the order of their ids. There are a handful.
pub async fn list_signing_keys(tx: &mut Tx) -> Result<Vec<(SigningKeyFacts, KeptKey)>, StoreError> {
    list!("signing keys", tx, KeyRow, LIST_SIGNING_KEYS)?
        .into_iter()
        .map(|row| {
            let state: KeyState = row.state.parse().map_err(unreadable("state of a signing key"))?;
            let facts = SigningKeyFacts {
                key_id: row.key_id,
                state,
                created_at: row.created_at,
                promote_at: row.promote_at,
                activated_at: row.activated_at,
                withdraw_at: row.withdraw_at,
            };
            let kept = KeptKey {
                private_key: row.private_key,
                certificate: row.certificate,
            };
            Ok((facts, kept))
        })
        .collect()
}

/// Lets the next key sign from `now_ms` on, and the current one be published until `withdraw_at`; says whether there was
/// such a next key.
pub async fn promote_signing_key(
    tx: &mut Tx,
    key_id: &str,
    withdraw_at: i64,
    now_ms: i64,
) -> Result<bool, StoreError> {
    on!(tx, c => sqlx::query(RETIRE_CURRENT_KEY).bind(withdraw_at).execute(c).await.map(drop))
        .map_err(writing("signing key"))?;
    on!(tx, c => sqlx::query(PROMOTE_KEY).bind(key_id).bind(now_ms)
        .execute(c).await.map(|done| done.rows_affected() > 0))
    .map_err(writing("signing key"))
}

/// Asks for the next key to sign from `promote_at` on, unless that was asked for before; says whether it did.
pub async fn ask_for_promotion(tx: &mut Tx, promote_at: i64) -> Result<bool, StoreError> {
    on!(tx, c => sqlx::query(ASK_FOR_PROMOTION).bind(promote_at)
        .execute(c).await.map(|done| done.rows_affected() > 0))
    .map_err(writing("signing key"))
}

/// Keeps a signing key in another form, or with another certificate.
pub async fn set_key_material(tx: &mut Tx, key_id: &str, kept: &KeptKey) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(SET_KEY_MATERIAL).bind(key_id).bind(&kept.private_key).bind(&kept.certificate)
        .execute(c).await.map(drop))
    .map_err(writing("signing key"))
}

/// Removes a key, whatever its state.
pub async fn remove_signing_key(tx: &mut Tx, key_id: &str) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(REMOVE_KEY).bind(key_id).execute(c).await.map(drop))
        .map_err(writing("signing key"))
}

/// Removes a retired key; says whether there was one.
pub async fn withdraw_signing_key(tx: &mut Tx, key_id: &str) -> Result<bool, StoreError> {
    on!(tx, c => sqlx::query(WITHDRAW_KEY).bind(key_id)
        .execute(c).await.map(|done| done.rows_affected() > 0))
    .map_err(writing("signing key"))
}
