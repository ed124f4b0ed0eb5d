//! Accounts.

use super::dialect::{Tx, find, list, on, statements};
use super::error::{StoreError, unreadable, writing};
use super::row::row;
use crate::domain::{Account, AccountId, PasswordHash, Username};

statements! {
    CREATE_ACCOUNT = "insert into account (account_id, username, display_name, password_hash, password_version, is_admin,
        created_at, updated_at) values ($1, $2, $3, $4, 1, $5, $6, $6) on conflict (username) do nothing";
    FIND_ACCOUNT = "select account_id, username, display_name, password_hash, password_version, is_admin, disabled_at,
        created_at from account where username = $1 and deleted_at is null";
    FIND_ACCOUNT_BY_ID = "select account_id, username, display_name, password_hash, password_version, is_admin,
        disabled_at, created_at from account where account_id = $1 and deleted_at is null";
    LIST_ACCOUNTS = "select account_id, username, display_name, password_hash, password_version, is_admin, disabled_at,
        created_at from account where username > $1 and deleted_at is null order by username limit $2";
    SET_PASSWORD = "update account set password_hash = $2, password_version = password_version + 1, updated_at = $3
        where account_id = $1 returning password_version";
    REPLACE_PASSWORD_HASH = "update account set password_hash = $3, updated_at = $4
        where account_id = $1 and password_version = $2";
    END_PASSWORD_VERSION = "update account set password_version = password_version + 1, updated_at = $2
        where account_id = $1";
    SET_DISABLED = "update account set disabled_at = $2, updated_at = $3 where account_id = $1";
    LOCK_ACCOUNT = "update account set updated_at = updated_at where account_id = $1";
}

row! {
/// A row of `account`.
pub(super) struct AccountRow {
    account_id: i64,
    username: String,
    display_name: String,
    password_hash: String,
    password_version: i64,
    is_admin: bool,
    disabled_at: Option<i64>,
    created_at: i64,
}
}

impl AccountRow {
    pub(super) fn into_account(self) -> Result<Account, StoreError> {
        Ok(Account {
            account_id: AccountId::from_i64(self.account_id),
            username: Username::stored(&self.username, &self.display_name)
                .map_err(unreadable("user name"))?,
            password_hash: self.password_hash.parse().map_err(unreadable("password hash"))?,
            password_version: self.password_version,
            is_admin: self.is_admin,
            disabled_at: self.disabled_at,
            created_at: self.created_at,
        })
    }
}

/// What a new account starts with; its password has version 1.
#[derive(Debug)]
pub struct NewAccount<'a> {
    /// A new id.
    pub account_id: AccountId,
    /// Its name.
    pub username: &'a Username,
    /// The hash of its first password.
    pub password_hash: &'a PasswordHash,
    /// Whether it administers the site.
    pub is_admin: bool,
}

/// Creates an account; [`StoreError::Conflict`] when the name is taken.
pub async fn create_account(tx: &mut Tx, new: &NewAccount<'_>, now_ms: i64) -> Result<(), StoreError> {
    let created = on!(tx, c => sqlx::query(CREATE_ACCOUNT)
        .bind(new.account_id.as_i64())
        .bind(new.username.as_str())
        .bind(new.username.display_name())
        .bind(new.password_hash.expose())
        .bind(new.is_admin)
        .bind(now_ms)
        .execute(c).await.map(|done| done.rows_affected()))
    .map_err(writing("account"))?;
    if created == 0 {
        return Err(StoreError::Conflict("account"));
    }
    Ok(())
}

/// The account of a name, unless it is deleted.
pub async fn find_account(tx: &mut Tx, username: &Username) -> Result<Option<Account>, StoreError> {
    find!("account", tx, AccountRow, FIND_ACCOUNT, username.as_str())?
        .map(AccountRow::into_account)
        .transpose()
}

/// The account of an id, unless it is deleted.
pub async fn find_account_by_id(tx: &mut Tx, account_id: AccountId) -> Result<Option<Account>, StoreError> {
    find!("account", tx, AccountRow, FIND_ACCOUNT_BY_ID, account_id.as_i64())?
        .map(AccountRow::into_account)
        .transpose()
}

/// At most `limit` accounts that are not deleted, in the order of their names, those behind `after` (a folded name; empty for the first page).
pub async fn list_accounts(tx: &mut Tx, after: &str, limit: u32) -> Result<Vec<Account>, StoreError> {
    list!("accounts", tx, AccountRow, LIST_ACCOUNTS, after, i64::from(limit))?
        .into_iter()
        .map(AccountRow::into_account)
        .collect()
}

/// Changes the password and returns its new version; `None` when there is no such account.
pub async fn set_password(
    tx: &mut Tx,
    account_id: AccountId,
    hash: &PasswordHash,
    now_ms: i64,
) -> Result<Option<i64>, StoreError> {
    on!(tx, c => sqlx::query_scalar(SET_PASSWORD)
        .bind(account_id.as_i64()).bind(hash.expose()).bind(now_ms)
        .fetch_optional(c).await)
    .map_err(writing("password"))
}

/// Stores another hash of the same password, unless the password was changed since it had `password_version`; says
/// whether it did.
pub async fn replace_password_hash(
    tx: &mut Tx,
    account_id: AccountId,
    password_version: i64,
    hash: &PasswordHash,
    now_ms: i64,
) -> Result<bool, StoreError> {
    on!(tx, c => sqlx::query(REPLACE_PASSWORD_HASH)
        .bind(account_id.as_i64()).bind(password_version).bind(hash.expose()).bind(now_ms)
        .execute(c).await.map(|done| done.rows_affected() > 0))
    .map_err(writing("password"))
}

/// Voids what was issued under the account's password so far; the password stays.
pub async fn end_password_version(tx: &mut Tx, account_id: AccountId, now_ms: i64) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(END_PASSWORD_VERSION).bind(account_id.as_i64()).bind(now_ms)
        .execute(c).await.map(drop))
    .map_err(writing("password"))
}

/// Disables an account from `disabled_at` on, or enables it; says whether there is such an account.
pub async fn set_disabled(
    tx: &mut Tx,
    account_id: AccountId,
    disabled_at: Option<i64>,
    now_ms: i64,
) -> Result<bool, StoreError> {
    on!(tx, c => sqlx::query(SET_DISABLED)
        .bind(account_id.as_i64()).bind(disabled_at).bind(now_ms)
        .execute(c).await.map(|done| done.rows_affected() > 0))
    .map_err(writing("account"))
}

/// Makes other transactions that lock the same account wait for this one: what is counted and then added to stays
/// within its limit.
pub async fn lock_account(tx: &mut Tx, account_id: AccountId) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(LOCK_ACCOUNT).bind(account_id.as_i64()).execute(c).await.map(drop))
        .map_err(writing("account"))
}
