//! Personal access tokens. Their secrets are in [`super::secret`].

use super::account::AccountRow;
use super::dialect::{Tx, find, list, on, statements};
use super::error::{StoreError, unreadable, writing};
use super::row::{Row, row};
use super::secret::SecretRow;
use crate::domain::credential::USE_INTERVAL_MS;
use crate::domain::{
    AccessToken, Account, AccountId, AllowedNetworks, Ceiling, CredentialSecret, Ended, LastUse, RefusedUses,
    SecretHash, TokenId, TokenLabel,
};

statements! {
    CREATE_ACCESS_TOKEN = "insert into access_token (token_id, account_id, label, limits, networks, created_at, expires_at)
        values ($1, $2, $3, $4, $5, $6, $7)";
    FIND_ACCESS_TOKEN = "select t.token_id, t.account_id, t.label, t.limits, t.networks, t.created_at as token_created_at,
        t.expires_at, t.revoked_at, t.revoked_because, t.last_used_at, t.last_address, t.last_client, t.refused_count,
        t.refused_at, t.refused_network,
        s.secret_id, s.owner_kind, s.owner_id, s.last_four, s.created_at as secret_created_at, s.ends_at, s.ended_because,
        a.account_id, a.username, a.display_name, a.password_hash, a.password_version, a.is_admin, a.disabled_at, a.created_at
        from credential_secret s join access_token t on t.token_id = s.owner_id join account a on a.account_id = t.account_id
        where s.secret_hash = $1 and s.owner_kind = 'access_token'";
    FIND_ACCESS_TOKEN_BY_ID = "select t.token_id, t.account_id, t.label, t.limits, t.networks, t.created_at as token_created_at,
        t.expires_at, t.revoked_at, t.revoked_because, t.last_used_at, t.last_address, t.last_client, t.refused_count,
        t.refused_at, t.refused_network,
        a.account_id, a.username, a.display_name, a.password_hash, a.password_version, a.is_admin, a.disabled_at, a.created_at
        from access_token t join account a on a.account_id = t.account_id where t.token_id = $1";
    TOUCH_ACCESS_TOKEN = "update access_token set last_used_at = $2, last_address = $3, last_client = $4
        where token_id = $1 and (last_used_at is null or last_used_at <= $5)";
    NOTE_REFUSED_ACCESS_TOKEN = "update access_token set refused_count = refused_count + $2, refused_at = $3,
        refused_network = $4 where token_id = $1";
    RENAME_ACCESS_TOKEN = "update access_token set label = $3 where account_id = $1 and token_id = $2";
    REVOKE_ACCESS_TOKEN = "update access_token set revoked_at = $3, revoked_because = $4
        where account_id = $1 and token_id = $2 and revoked_at is null";
    COUNT_ACCESS_TOKENS = "select count(*) from access_token where account_id = $1 and revoked_at is null
        and (expires_at is null or expires_at > $2)";
    LIST_ACCESS_TOKENS = "select token_id, account_id, label, limits, networks, created_at as token_created_at, expires_at,
        revoked_at, revoked_because, last_used_at, last_address, last_client, refused_count, refused_at, refused_network
        from access_token where account_id = $1 and token_id > $2 order by token_id limit $3";
}

row! {
struct TokenRow {
    token_id: i64,
    account_id: i64,
    label: String,
    limits: Option<String>,
    networks: Option<String>,
    token_created_at: i64,
    expires_at: Option<i64>,
    revoked_at: Option<i64>,
    revoked_because: Option<String>,
    last_used_at: Option<i64>,
    last_address: Option<String>,
    last_client: Option<String>,
    refused_count: i64,
    refused_at: Option<i64>,
    refused_network: Option<String>,
}
}

/// A row with all that a login needs.
#[derive(sqlx::FromRow)]
struct TokenOfSecretRow {
    #[sqlx(flatten)]
    token: TokenRow,
    #[sqlx(flatten)]
    secret: SecretRow,
    #[sqlx(flatten)]
    account: AccountRow,
}

impl Row for TokenOfSecretRow {
    fn columns() -> Vec<&'static str> {
        [TokenRow::columns(), SecretRow::columns(), AccountRow::columns()].concat()
    }

    fn read(row: &rusqlite::Row<'_>, place: &mut usize) -> rusqlite::Result<Self> {
        Ok(Self {
            token: TokenRow::read(row, place)?,
            secret: SecretRow::read(row, place)?,
            account: AccountRow::read(row, place)?,
        })
    }
}

#[derive(sqlx::FromRow)]
struct TokenOfAccountRow {
    #[sqlx(flatten)]
    token: TokenRow,
    #[sqlx(flatten)]
    account: AccountRow,
}

impl Row for TokenOfAccountRow {
    fn columns() -> Vec<&'static str> {
        [TokenRow::columns(), AccountRow::columns()].concat()
    }

    fn read(row: &rusqlite::Row<'_>, place: &mut usize) -> rusqlite::Result<Self> {
        Ok(Self {
            token: TokenRow::read(row, place)?,
            account: AccountRow::read(row, place)?,
        })
    }
}

/// The columns of a last use.
pub(super) fn last_use(at: Option<i64>, address: Option<String>, client: Option<String>) -> Option<LastUse> {
    at.map(|at| LastUse {
        at,
        address,
        client: client.unwrap_or_default(),
    })
}

/// The columns of refused uses.
pub(super) fn refused(count: i64, at: Option<i64>, network: Option<String>) -> Option<RefusedUses> {
    at.map(|last_at| RefusedUses {
        count,
        last_at,
        network,
    })
}

/// The column of allowed networks.
pub(super) fn networks(text: Option<&str>) -> Result<AllowedNetworks, StoreError> {
    text.unwrap_or_default()
        .parse()
        .map_err(unreadable("ranges of addresses"))
}

impl TokenRow {
    fn into_token(self) -> Result<AccessToken, StoreError> {
        Ok(AccessToken {
            token_id: TokenId::from_i64(self.token_id),
            account_id: AccountId::from_i64(self.account_id),
            label: self.label.parse().map_err(unreadable("token label"))?,
            ceiling: Ceiling::parse(self.limits.as_deref()).map_err(unreadable("limits"))?,
            networks: networks(self.networks.as_deref())?,
            created_at: self.token_created_at,
            expires_at: self.expires_at,
            revoked_at: self.revoked_at,
            revoked_because: self.revoked_because.as_deref().and_then(Ended::find),
            last_use: last_use(self.last_used_at, self.last_address, self.last_client),
            refused: refused(self.refused_count, self.refused_at, self.refused_network),
        })
    }
}

/// What a new access token starts with, its secret apart.
#[derive(Debug)]
pub struct NewAccessToken<'a> {
    /// A new id.
    pub token_id: TokenId,
    /// Whose it is.
    pub account_id: AccountId,
    /// What its owner calls it.
    pub label: &'a TokenLabel,
    /// What it may reach at most.
    pub ceiling: &'a Ceiling,
    /// Where it may be used.
    pub networks: &'a AllowedNetworks,
    /// From when on it is refused, in milliseconds since 1970.
    pub expires_at: Option<i64>,
}

/// Creates an access token without a secret.
pub async fn create_access_token(
    tx: &mut Tx,
    new: &NewAccessToken<'_>,
    now_ms: i64,
) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(CREATE_ACCESS_TOKEN)
        .bind(new.token_id.as_i64())
        .bind(new.account_id.as_i64())
        .bind(new.label.as_str())
        .bind(new.ceiling.to_text())
        .bind(new.networks.to_text())
        .bind(now_ms)
        .bind(new.expires_at)
        .execute(c).await.map(drop))
    .map_err(writing("access token"))
}

/// The access token of a secret, both dead or alive, with its account: one indexed read.
pub async fn find_access_token(
    tx: &mut Tx,
    secret_hash: SecretHash,
) -> Result<Option<(AccessToken, CredentialSecret, Account)>, StoreError> {
    let row = find!(
        "access token",
        tx,
        TokenOfSecretRow,
        FIND_ACCESS_TOKEN,
        secret_hash.to_hex()
    )?;
    row.map(|row| {
        Ok((
            row.token.into_token()?,
            row.secret.into_secret()?,
            row.account.into_account()?,
        ))
    })
    .transpose()
}

/// The access token of an id, dead or alive, with its account: what a token says it was issued for is read again.
pub async fn find_access_token_by_id(
    tx: &mut Tx,
    token_id: TokenId,
) -> Result<Option<(AccessToken, Account)>, StoreError> {
    let row = find!(
        "access token",
        tx,
        TokenOfAccountRow,
        FIND_ACCESS_TOKEN_BY_ID,
        token_id.as_i64()
    )?;
    row.map(|row| Ok((row.token.into_token()?, row.account.into_account()?)))
        .transpose()
}

/// Writes a use down, at most once in [`USE_INTERVAL_MS`]; says whether it did.
pub async fn touch_access_token(tx: &mut Tx, token_id: TokenId, last: &LastUse) -> Result<bool, StoreError> {
    on!(tx, c => sqlx::query(TOUCH_ACCESS_TOKEN)
        .bind(token_id.as_i64()).bind(last.at).bind(last.address.as_deref()).bind(last.client.as_str())
        .bind(last.at - USE_INTERVAL_MS)
        .execute(c).await.map(|done| done.rows_affected() > 0))
    .map_err(writing("access token"))
}

/// Adds refused uses to those that were counted before.
pub async fn note_refused_access_token(
    tx: &mut Tx,
    token_id: TokenId,
    refused: &RefusedUses,
) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(NOTE_REFUSED_ACCESS_TOKEN)
        .bind(token_id.as_i64()).bind(refused.count).bind(refused.last_at).bind(refused.network.as_deref())
        .execute(c).await.map(drop))
    .map_err(writing("access token"))
}

/// Gives an account's own access token another label; says whether there is such a token.
pub async fn rename_access_token(
    tx: &mut Tx,
    account_id: AccountId,
    token_id: TokenId,
    label: &TokenLabel,
) -> Result<bool, StoreError> {
    on!(tx, c => sqlx::query(RENAME_ACCESS_TOKEN)
        .bind(account_id.as_i64()).bind(token_id.as_i64()).bind(label.as_str())
        .execute(c).await.map(|done| done.rows_affected() > 0))
    .map_err(writing("access token"))
}

/// Revokes an account's own access token; says whether there was one to revoke.
pub async fn revoke_access_token(
    tx: &mut Tx,
    account_id: AccountId,
    token_id: TokenId,
    because: Ended,
    now_ms: i64,
) -> Result<bool, StoreError> {
    on!(tx, c => sqlx::query(REVOKE_ACCESS_TOKEN)
        .bind(account_id.as_i64()).bind(token_id.as_i64()).bind(now_ms).bind(because.as_str())
        .execute(c).await.map(|done| done.rows_affected() > 0))
    .map_err(writing("access token"))
}

/// How many access tokens of an account are live at `now_ms`.
pub async fn count_access_tokens(tx: &mut Tx, account_id: AccountId, now_ms: i64) -> Result<i64, StoreError> {
    on!(tx, c => sqlx::query_scalar(COUNT_ACCESS_TOKENS)
        .bind(account_id.as_i64()).bind(now_ms).fetch_one(c).await)
    .map_err(writing("access tokens"))
}

/// At most `limit` access tokens of an account, the oldest first, those behind `after`, dead ones too.
pub async fn list_access_tokens(
    tx: &mut Tx,
    account_id: AccountId,
    after: Option<TokenId>,
    limit: u32,
) -> Result<Vec<AccessToken>, StoreError> {
    let after = after.map_or(i64::MIN, TokenId::as_i64);
    list!(
        "access tokens",
        tx,
        TokenRow,
        LIST_ACCESS_TOKENS,
        account_id.as_i64(),
        after,
        i64::from(limit)
    )?
    .into_iter()
    .map(TokenRow::into_token)
    .collect()
}
