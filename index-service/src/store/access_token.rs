//! Personal access tokens.

use shared::token::{Action, Actions};

use super::account::AccountRow;
use super::dialect::{Tx, find, list, on, statements};
use super::error::{StoreError, unreadable, writing};
use super::row::{Row, row};
use crate::domain::credential::USE_INTERVAL_MS;
use crate::domain::{AccessToken, Account, AccountId, RepositoryPattern, SecretHash, TokenId, TokenLabel};

statements! {
    CREATE_ACCESS_TOKEN = "insert into access_token (token_id, account_id, label, secret_hash, last_four, actions, pattern,
        created_at, expires_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    FIND_ACCESS_TOKEN = "select t.token_id, t.account_id, t.label, t.last_four, t.actions, t.pattern,
        t.created_at as token_created_at, t.expires_at, t.revoked_at, t.last_used_at,
        a.account_id, a.username, a.display_name, a.password_hash, a.password_version, a.is_admin, a.disabled_at, a.created_at
        from access_token t join account a on a.account_id = t.account_id where t.secret_hash = $1";
    FIND_ACCESS_TOKEN_BY_ID = "select t.token_id, t.account_id, t.label, t.last_four, t.actions, t.pattern,
        t.created_at as token_created_at, t.expires_at, t.revoked_at, t.last_used_at,
        a.account_id, a.username, a.display_name, a.password_hash, a.password_version, a.is_admin, a.disabled_at, a.created_at
        from access_token t join account a on a.account_id = t.account_id where t.token_id = $1";
    TOUCH_ACCESS_TOKEN = "update access_token set last_used_at = $2
        where token_id = $1 and (last_used_at is null or last_used_at <= $3)";
    REVOKE_ACCESS_TOKEN = "update access_token set revoked_at = $3
        where account_id = $1 and token_id = $2 and revoked_at is null";
    LIST_ACCESS_TOKENS = "select token_id, account_id, label, last_four, actions, pattern,
        created_at as token_created_at, expires_at, revoked_at, last_used_at
        from access_token where account_id = $1 and token_id > $2 order by token_id limit $3";
}

row! {
struct TokenRow {
    token_id: i64,
    account_id: i64,
    label: String,
    last_four: String,
    actions: String,
    pattern: String,
    token_created_at: i64,
    expires_at: Option<i64>,
    revoked_at: Option<i64>,
    last_used_at: Option<i64>,
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

impl TokenRow {
    fn into_token(self) -> Result<AccessToken, StoreError> {
        Ok(AccessToken {
            token_id: TokenId::from_i64(self.token_id),
            account_id: AccountId::from_i64(self.account_id),
            label: self.label.parse().map_err(unreadable("token label"))?,
            last_four: self.last_four,
            actions: read_actions(&self.actions),
            pattern: self.pattern.parse().map_err(unreadable("repository pattern"))?,
            created_at: self.token_created_at,
            expires_at: self.expires_at,
            revoked_at: self.revoked_at,
            last_used_at: self.last_used_at,
        })
    }
}

impl TokenOfAccountRow {
    fn into_pair(self) -> Result<(AccessToken, Account), StoreError> {
        Ok((self.token.into_token()?, self.account.into_account()?))
    }
}

/// Actions as they are stored, joined by commas; a word that this program does not know allows nothing.
pub(super) fn read_actions(text: &str) -> Actions {
    text.split(',').filter_map(Action::find).collect()
}

/// What a new access token starts with.
#[derive(Debug)]
pub struct NewAccessToken<'a> {
    /// A new id.
    pub token_id: TokenId,
    /// Whose it is.
    pub account_id: AccountId,
    /// What its owner calls it.
    pub label: &'a TokenLabel,
    /// The hash of its secret.
    pub secret_hash: SecretHash,
    /// The last four characters of its secret.
    pub last_four: &'a str,
    /// Actions it allows at most; `*` is all of them.
    pub actions: Actions,
    /// Repositories it reaches.
    pub pattern: &'a RepositoryPattern,
    /// From when on it is refused, in milliseconds since 1970.
    pub expires_at: Option<i64>,
}

/// Creates an access token.
pub async fn create_access_token(
    tx: &mut Tx,
    new: &NewAccessToken<'_>,
    now_ms: i64,
) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(CREATE_ACCESS_TOKEN)
        .bind(new.token_id.as_i64())
        .bind(new.account_id.as_i64())
        .bind(new.label.as_str())
        .bind(new.secret_hash.to_hex())
        .bind(new.last_four)
        .bind(new.actions.to_string())
        .bind(new.pattern.to_string())
        .bind(now_ms)
        .bind(new.expires_at)
        .execute(c).await.map(drop))
    .map_err(writing("access token"))
}

/// The access token of a secret, dead or alive, with its account: one indexed read.
pub async fn find_access_token(
    tx: &mut Tx,
    secret_hash: SecretHash,
) -> Result<Option<(AccessToken, Account)>, StoreError> {
    find!(
        "access token",
        tx,
        TokenOfAccountRow,
        FIND_ACCESS_TOKEN,
        secret_hash.to_hex()
    )?
    .map(TokenOfAccountRow::into_pair)
    .transpose()
}

/// The access token of an id, dead or alive, with its account: what a token says it was issued for is read again.
pub async fn find_access_token_by_id(
    tx: &mut Tx,
    token_id: TokenId,
) -> Result<Option<(AccessToken, Account)>, StoreError> {
    find!(
        "access token",
        tx,
        TokenOfAccountRow,
        FIND_ACCESS_TOKEN_BY_ID,
        token_id.as_i64()
    )?
    .map(TokenOfAccountRow::into_pair)
    .transpose()
}

/// Writes a use at `now_ms` down, at most once in [`USE_INTERVAL_MS`]; says whether it did.
pub async fn touch_access_token(tx: &mut Tx, token_id: TokenId, now_ms: i64) -> Result<bool, StoreError> {
    on!(tx, c => sqlx::query(TOUCH_ACCESS_TOKEN)
        .bind(token_id.as_i64()).bind(now_ms).bind(now_ms - USE_INTERVAL_MS)
        .execute(c).await.map(|done| done.rows_affected() > 0))
    .map_err(writing("access token"))
}

/// Revokes an account's own access token; says whether there was one to revoke.
pub async fn revoke_access_token(
    tx: &mut Tx,
    account_id: AccountId,
    token_id: TokenId,
    now_ms: i64,
) -> Result<bool, StoreError> {
    on!(tx, c => sqlx::query(REVOKE_ACCESS_TOKEN)
        .bind(account_id.as_i64()).bind(token_id.as_i64()).bind(now_ms)
        .execute(c).await.map(|done| done.rows_affected() > 0))
    .map_err(writing("access token"))
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
