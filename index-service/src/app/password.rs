//! Passwords: changed by whoever knows the old one, or by a link that an administrator makes and that works once.

use serde_json::json;
use shared::secret::Secret;

use super::App;
use super::account::{ADMIN, parse_username};
use super::audit::{By, Change};
use super::caller::Caller;
use super::error::AppError;
use crate::domain::account::InvalidUsername;
use crate::domain::{
    Account, AuditAction, PasswordHash, SecretKind, SecretToken, TargetKind, Username, secret_token,
};
use crate::store::password_reset::{create_password_reset, remove_password_resets, take_password_reset};
use crate::store::{StoreError, Tx, account, device, profile};

/// Characters of a new password, both ends included.
const LENGTH: std::ops::RangeInclusive<usize> = 12..=256;
/// How long a reset link works, in milliseconds: a day.
const RESET_LIFE_MS: i64 = 24 * 3_600_000;

/// A link that sets a password once.
#[derive(Debug)]
pub struct PasswordReset {
    /// Whose password it sets.
    pub username: Username,
    /// What it is known by, shown once.
    pub secret: Secret<String>,
    /// From when on it is refused, in milliseconds since 1970.
    pub expires_at: i64,
}

impl PasswordReset {
    /// The page that takes it. The secret stands behind `#`, where no server on the way sees it.
    pub fn link(&self, public_url: &str) -> Secret<String> {
        Secret::new(format!("{public_url}/reset-password#{}", self.secret.expose()))
    }
}

impl App {
    /// The rule of new passwords: 12 to 256 characters of any script, nothing that cannot be typed at a login, and not easy
    /// to guess, also for those who know the account's name and address.
    pub(super) async fn check_password(
        &self,
        username: &Username,
        about: &[&str],
        password: &Secret<String>,
    ) -> Result<(), AppError> {
        check_form(username, password)?;
        let mut known: Vec<String> = about.iter().map(|&text| text.to_owned()).collect();
        known.push(username.to_string());
        known.push("portolan".to_owned());
        match self.passwords.weakness(password, known).await? {
            Some(weakness) => Err(AppError::Invalid(weakness)),
            None => Ok(()),
        }
    }

    /// Gives whoever asks another password, once the old one is right. Every device is signed out.
    pub async fn change_password(
        &self,
        caller: &Caller,
        current: &Secret<String>,
        new: Secret<String>,
    ) -> Result<(), AppError> {
        let account = self.check_own_password(caller, current).await?;
        let hash = self.hash_new(&account, new).await?;
        let mut tx = self.store.write().await?;
        let by = By::Caller(caller);
        self.set_password(&mut tx, &account, &hash, by, AuditAction::PasswordChange)
            .await?;
        tx.commit().await?;
        self.after_new_password(&account.username)
    }

    /// Makes a link that sets another password for an account: for administrators of the site. Links before it end.
    pub async fn create_password_reset(
        &self,
        caller: &Caller,
        username: &str,
    ) -> Result<PasswordReset, AppError> {
        caller.administrator()?;
        self.add_password_reset(By::Caller(caller), username).await
    }

    /// The same for whoever administers the machine.
    pub async fn create_password_reset_here(&self, username: &str) -> Result<PasswordReset, AppError> {
        self.add_password_reset(By::Machine, username).await
    }

    async fn add_password_reset(&self, by: By<'_>, username: &str) -> Result<PasswordReset, AppError> {
        let username = parse_username(username)?;
        let secret = SecretToken::new(SecretKind::PasswordReset, self.random.bytes());
        let now = self.clock.now_ms();
        let expires_at = now + RESET_LIFE_MS;
        let created_by = match by {
            By::Caller(caller) => caller.principal().account_id(),
            By::Account(account) => Some(account.account_id),
            By::Machine | By::Service | By::Robot(_) => None,
        };
        let mut tx = self.store.write().await?;
        let account = account::find_account(&mut tx, &username)
            .await?
            .ok_or_else(|| no_account(&username))?;
        let hash = secret.hash();
        create_password_reset(&mut tx, hash, account.account_id, created_by, now, expires_at).await?;
        let change = Change::new(AuditAction::PasswordResetLink, TargetKind::Account, &username)
            .id(account.account_id.as_i64());
        self.audit(&mut tx, by, change).await?;
        tx.commit().await?;
        Ok(PasswordReset {
            username: account.username,
            secret: secret.into_secret(),
            expires_at,
        })
    }

    /// Sets a password by a link, which is used up by it. A password that is refused leaves the link as it is.
    pub async fn redeem_password_reset(
        &self,
        caller: &Caller,
        secret: &Secret<String>,
        new: Secret<String>,
    ) -> Result<(), AppError> {
        let used_up = || AppError::NotFound("this link does not work any more: ask for another".to_owned());
        let Some(Ok(token)) = SecretToken::find(secret.expose().trim()) else {
            return Err(used_up());
        };
        if token.kind() != SecretKind::PasswordReset {
            return Err(used_up());
        }
        let now = self.clock.now_ms();
        // Looked at first, and taken once the new hash is there: no transaction is open while it is computed.
        let mut tx = self.store.write().await?;
        let account_id = take_password_reset(&mut tx, token.hash(), now)
            .await?
            .ok_or_else(used_up)?;
        let account = account::find_account_by_id(&mut tx, account_id)
            .await?
            .ok_or_else(used_up)?;
        drop(tx);
        let hash = self.hash_new(&account, new).await?;
        let mut tx = self.store.write().await?;
        take_password_reset(&mut tx, token.hash(), now)
            .await?
            .ok_or_else(used_up)?;
        let by = By::Caller(caller);
        self.set_password(&mut tx, &account, &hash, by, AuditAction::PasswordReset)
            .await?;
        tx.commit().await?;
        self.after_new_password(&account.username)
    }

    /// Takes an account over from a file of another program, with the hash of its password. One that exists is left alone,
    /// or given the file's password; says what happened.
    pub async fn import_account(
        &self,
        username: &str,
        hash: &PasswordHash,
        replace: bool,
    ) -> Result<Imported, AppError> {
        let username: Username = username
            .parse()
            .map_err(|error: InvalidUsername| AppError::Invalid(error.to_string()))?;
        let mut tx = self.store.write().await?;
        let found = account::find_account(&mut tx, &username).await?;
        let (account, imported) = match found {
            Some(_) if !replace => return Ok(Imported::Skipped),
            Some(account) => {
                let now = self.clock.now_ms();
                account::set_password(&mut tx, account.account_id, hash, now).await?;
                device::revoke_devices(&mut tx, account.account_id, now).await?;
                remove_password_resets(&mut tx, account.account_id).await?;
                (account, Imported::Replaced)
            }
            None => match self
                .insert_account(&mut tx, By::Machine, &username, hash.clone(), false)
                .await
            {
                Ok(account) => (account, Imported::Created),
                // The namespace of an organisation.
                Err(AppError::Conflict(_)) => return Ok(Imported::Skipped),
                Err(error) => return Err(error),
            },
        };
        let change = Change::new(AuditAction::AccountImport, TargetKind::Account, &username)
            .id(account.account_id.as_i64())
            .after(json!({ "replaced": imported == Imported::Replaced }));
        self.audit(&mut tx, By::Machine, change).await?;
        tx.commit().await?;
        Ok(imported)
    }

    /// What [`App::import_account`] would do.
    pub async fn preview_import(&self, username: &str, replace: bool) -> Result<Imported, AppError> {
        let username: Username = username
            .parse()
            .map_err(|error: InvalidUsername| AppError::Invalid(error.to_string()))?;
        let mut tx = self.store.read().await?;
        let exists = account::find_account(&mut tx, &username).await?.is_some();
        Ok(match (exists, replace) {
            (false, _) => Imported::Created,
            (true, true) => Imported::Replaced,
            (true, false) => Imported::Skipped,
        })
    }

    async fn hash_new(&self, account: &Account, new: Secret<String>) -> Result<PasswordHash, AppError> {
        let mut tx = self.store.read().await?;
        let profile = profile::find_profile(&mut tx, &account.username).await?;
        drop(tx);
        let (address, full_name) = profile.map_or_else(Default::default, |profile| {
            let address = profile.email;
            (address.unwrap_or_default(), profile.full_name)
        });
        self.check_password(&account.username, &[&address, &full_name], &new)
            .await?;
        Ok(self.passwords.hash(new).await?)
    }

    /// Sets a password: links and devices of the one before end.
    pub(super) async fn set_password(
        &self,
        tx: &mut Tx,
        account: &Account,
        hash: &PasswordHash,
        by: By<'_>,
        action: AuditAction,
    ) -> Result<(), AppError> {
        let now = self.clock.now_ms();
        account::set_password(tx, account.account_id, hash, now).await?;
        device::revoke_devices(tx, account.account_id, now).await?;
        remove_password_resets(tx, account.account_id).await?;
        let change =
            Change::new(action, TargetKind::Account, &account.username).id(account.account_id.as_i64());
        self.audit(tx, by, change).await
    }

    pub(super) fn after_new_password(&self, username: &Username) -> Result<(), AppError> {
        if username.as_str() == ADMIN {
            self.forget_initial_password()?;
        }
        Ok(())
    }

    /// Forgets the reset links that are over their end.
    pub(super) async fn prune_password_resets(&self) -> Result<(), StoreError> {
        let mut tx = self.store.write().await?;
        crate::store::password_reset::prune_password_resets(&mut tx, self.clock.now_ms()).await?;
        tx.commit().await
    }
}

/// What became of an account of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Imported {
    /// It was made.
    Created,
    /// It existed and has the file's password now.
    Replaced,
    /// It existed and was left alone.
    Skipped,
}

fn no_account(username: &Username) -> AppError {
    AppError::NotFound(format!("there is no account {username}"))
}

/// What can be said of a password at a glance.
fn check_form(username: &Username, password: &Secret<String>) -> Result<(), AppError> {
    let text = password.expose();
    let refused = if !LENGTH.contains(&text.chars().count()) {
        "a password has 12 to 256 characters"
    } else if text.chars().any(char::is_control) {
        // RFC 7617, section 2: Basic credentials hold no control characters.
        "a password holds no control characters"
    } else if text.starts_with(secret_token::PREFIX) {
        "a password does not begin as an access token does"
    } else if text.eq_ignore_ascii_case(username.as_str()) {
        "a password is not the user name"
    } else {
        return Ok(());
    };
    Err(AppError::Invalid(refused.to_owned()))
}
