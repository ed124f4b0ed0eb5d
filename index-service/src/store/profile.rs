//! What is known of accounts as people.

use super::dialect::{Tx, find, list, on, statements};
use super::error::{StoreError, unreadable, writing};
use super::row::row;
use crate::domain::{
    AccountId, EmailAddress, PageLanguage, PageTheme, PasswordHash, Preferences, Profile, Username,
};

statements! {
    FIND_PROFILE = "select account_id, username, display_name, full_name, biography, location, website, email, email_written,
        language, theme, is_admin, disabled_at, created_at from account where username = $1 and deleted_at is null";
    LIST_PROFILES = "select account_id, username, display_name, full_name, biography, location, website, email, email_written,
        language, theme, is_admin, disabled_at, created_at from account
        where username > $1 and username >= $2 and username < $3 and deleted_at is null order by username limit $4";
    CHANGE_PROFILE = "update account set full_name = $2, biography = $3, location = $4, website = $5, updated_at = $6
        where account_id = $1";
    SET_LANGUAGE = "update account set language = $2, updated_at = $3 where account_id = $1";
    SET_THEME = "update account set theme = $2, updated_at = $3 where account_id = $1";
    SET_EMAIL = "update account set email_written = $2, updated_at = $3, email = case when exists
        (select 1 from account x where x.email = $2 and x.account_id <> $1) then null else $2 end where account_id = $1";
    SET_ADMIN = "update account set is_admin = $2, updated_at = $3 where account_id = $1";
    FIND_OTHER_ADMIN = "select account_id from account where is_admin = $1 and username <> '' and account_id <> $2
        and disabled_at is null and deleted_at is null limit 1";
    SCRUB_ACCOUNT = "update account set display_name = username, full_name = '', biography = '', location = '', website = '',
        email = null, email_written = null, language = null, theme = null, password_hash = $2, password_version = password_version + 1, is_admin = $3,
        disabled_at = $4, deleted_at = $4, updated_at = $4 where account_id = $1 and deleted_at is null";
}

row! {
struct ProfileRow {
    account_id: i64,
    username: String,
    display_name: String,
    full_name: String,
    biography: String,
    location: String,
    website: String,
    email: Option<String>,
    email_written: Option<String>,
    language: Option<String>,
    theme: Option<String>,
    is_admin: bool,
    disabled_at: Option<i64>,
    created_at: i64,
}
}

impl ProfileRow {
    fn into_profile(self) -> Result<Profile, StoreError> {
        Ok(Profile {
            account_id: AccountId::from_i64(self.account_id),
            username: Username::stored(&self.username, &self.display_name)
                .map_err(unreadable("user name"))?,
            full_name: self.full_name,
            biography: self.biography,
            location: self.location,
            website: self.website,
            owns_email: self.email.is_some(),
            email: self.email_written,
            preferences: preferences(self.language.as_deref(), self.theme.as_deref()),
            is_admin: self.is_admin,
            disabled_at: self.disabled_at,
            created_at: self.created_at,
        })
    }
}

row! {
struct AccountIdRow {
    account_id: i64,
}
}

/// Choices as they are stored; what a newer program stored and this one does not know is none.
pub(super) fn preferences(language: Option<&str>, theme: Option<&str>) -> Preferences {
    Preferences {
        language: language.and_then(|word| word.parse().ok()),
        theme: theme.and_then(|word| word.parse().ok()),
    }
}

/// The profile of a name.
pub async fn find_profile(tx: &mut Tx, username: &Username) -> Result<Option<Profile>, StoreError> {
    find!("profile", tx, ProfileRow, FIND_PROFILE, username.as_str())?
        .map(ProfileRow::into_profile)
        .transpose()
}

/// At most `limit` profiles whose names begin with `prefix`, in the order of their names, those behind `after`.
pub async fn list_profiles(
    tx: &mut Tx,
    prefix: &str,
    after: &str,
    limit: u32,
) -> Result<Vec<Profile>, StoreError> {
    // Names are ASCII: nothing that begins with the prefix comes behind it and the last character of ASCII.
    let before = format!("{prefix}\u{7f}");
    list!(
        "profiles",
        tx,
        ProfileRow,
        LIST_PROFILES,
        after,
        prefix,
        before,
        i64::from(limit)
    )?
    .into_iter()
    .map(ProfileRow::into_profile)
    .collect()
}

/// Changes what a profile says.
pub async fn change_profile(tx: &mut Tx, profile: &Profile, now_ms: i64) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(CHANGE_PROFILE)
        .bind(profile.account_id.as_i64()).bind(&profile.full_name).bind(&profile.biography)
        .bind(&profile.location).bind(&profile.website).bind(now_ms)
        .execute(c).await.map(drop))
    .map_err(writing("profile"))
}

/// Keeps the language that an account chose for pages, or that it chose none.
pub async fn set_language(
    tx: &mut Tx,
    account_id: AccountId,
    language: Option<PageLanguage>,
    now_ms: i64,
) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(SET_LANGUAGE)
        .bind(account_id.as_i64()).bind(language.map(PageLanguage::as_str)).bind(now_ms)
        .execute(c).await.map(drop))
    .map_err(writing("language"))
}

/// Keeps the colours that an account chose for pages, or that it chose none.
pub async fn set_theme(
    tx: &mut Tx,
    account_id: AccountId,
    theme: Option<PageTheme>,
    now_ms: i64,
) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(SET_THEME)
        .bind(account_id.as_i64()).bind(theme.map(PageTheme::as_str)).bind(now_ms)
        .execute(c).await.map(drop))
    .map_err(writing("colours"))
}

/// Keeps the address that an account gives. It becomes the account's own unless it is another's, which nobody is told. Asked
/// under the site's lock.
pub async fn set_email(
    tx: &mut Tx,
    account_id: AccountId,
    email: Option<&EmailAddress>,
    now_ms: i64,
) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(SET_EMAIL)
        .bind(account_id.as_i64()).bind(email.map(EmailAddress::as_str)).bind(now_ms)
        .execute(c).await.map(drop))
    .map_err(writing("e-mail address"))
}

/// Makes an account an administrator of the site, or none.
pub async fn set_admin(
    tx: &mut Tx,
    account_id: AccountId,
    is_admin: bool,
    now_ms: i64,
) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(SET_ADMIN).bind(account_id.as_i64()).bind(is_admin).bind(now_ms)
        .execute(c).await.map(drop))
    .map_err(writing("account"))
}

/// Whether somebody else than `account_id` administers the site and can log in.
pub async fn has_other_admin(tx: &mut Tx, account_id: AccountId) -> Result<bool, StoreError> {
    Ok(find!(
        "administrators",
        tx,
        AccountIdRow,
        FIND_OTHER_ADMIN,
        true,
        account_id.as_i64()
    )?
    .is_some_and(|row| row.account_id != account_id.as_i64()))
}

/// Deletes an account: what is personal goes, its name stays taken. `password_hash` is that of a password that nobody
/// knows. Says whether there was such an account.
pub async fn scrub_account(
    tx: &mut Tx,
    account_id: AccountId,
    password_hash: &PasswordHash,
    now_ms: i64,
) -> Result<bool, StoreError> {
    on!(tx, c => sqlx::query(SCRUB_ACCOUNT)
        .bind(account_id.as_i64()).bind(password_hash.expose()).bind(false).bind(now_ms)
        .execute(c).await.map(|done| done.rows_affected() > 0))
    .map_err(writing("account"))
}
