//! Accounts: created, and given another password, by whoever administers the machine.

use std::io;

use shared::runtime::private_file::{PrivateFileError, write_private};
use shared::secret::Secret;

use super::App;
use super::audit::{By, Change};
use super::error::AppError;
use crate::domain::account::InvalidUsername;
use crate::domain::{
    Account, AccountId, AuditAction, NamespaceId, NamespaceName, PasswordHash, TargetKind, Username,
};
use crate::store::{Tx, account, namespace};

/// The first administrator.
pub const ADMIN: &str = "admin";

impl App {
    /// Creates an account and the namespace of its name, which it owns.
    pub async fn create_account(
        &self,
        username: &str,
        password: Secret<String>,
    ) -> Result<Account, AppError> {
        let username = parse_username(username)?;
        self.check_password(&username, &[], &password).await?;
        self.create(By::Machine, &username, password, false, || Ok(()))
            .await
    }

    /// Gives an account another password. Refresh tokens and whatever else was issued under the old one are void.
    pub async fn reset_password(&self, username: &str, password: Secret<String>) -> Result<(), AppError> {
        let username = parse_username(username)?;
        self.check_password(&username, &[], &password).await?;
        let hash = self.passwords.hash(password).await?;
        let mut tx = self.store.write().await?;
        let account = account::find_account(&mut tx, &username)
            .await?
            .ok_or_else(|| AppError::NotFound(format!("there is no account {username}")))?;
        self.set_password(&mut tx, &account, &hash, By::Machine, AuditAction::PasswordReset)
            .await?;
        tx.commit().await?;
        self.after_new_password(&username)
    }

    /// Creates the account `admin` with a random password, unless there is one. The password is returned, to be shown
    /// once, and kept in the file of the settings, when they name one, before the account can be seen: a crash in
    /// between leaves a file to be replaced, never an account whose password nobody knows.
    pub async fn ensure_admin(&self) -> Result<Option<Secret<String>>, AppError> {
        let username = parse_username(ADMIN)?;
        let mut tx = self.store.read().await?;
        let exists = account::find_account(&mut tx, &username).await?.is_some();
        drop(tx);
        if exists {
            return Ok(None);
        }
        let password = self.random_password();
        let created = self
            .create(By::Service, &username, password.clone(), true, || {
                self.keep_initial_password(&password)
            })
            .await;
        match created {
            Ok(_) => Ok(Some(password)),
            // Another process was first; it shows and keeps its own.
            Err(AppError::Conflict(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Creates an account; `before_commit` runs once nothing but the commit can fail.
    async fn create(
        &self,
        by: By<'_>,
        username: &Username,
        password: Secret<String>,
        is_admin: bool,
        before_commit: impl FnOnce() -> Result<(), AppError>,
    ) -> Result<Account, AppError> {
        let hash = self.passwords.hash(password).await?;
        let mut tx = self.store.write().await?;
        let account = self.insert_account(&mut tx, by, username, hash, is_admin).await?;
        before_commit()?;
        tx.commit().await?;
        Ok(account)
    }

    /// Adds an account with the namespace of its name.
    pub(super) async fn insert_account(
        &self,
        tx: &mut Tx,
        by: By<'_>,
        username: &Username,
        password_hash: PasswordHash,
        is_admin: bool,
    ) -> Result<Account, AppError> {
        let now = self.clock.now_ms();
        let new = account::NewAccount {
            account_id: self.new_id(AccountId::new),
            username,
            password_hash: &password_hash,
            is_admin,
        };
        account::create_account(tx, &new, now).await?;
        namespace::create_namespace(
            tx,
            self.new_id(NamespaceId::new),
            &NamespaceName::from(username),
            new.account_id,
            now,
        )
        .await?;
        let change = Change::new(AuditAction::AccountCreate, TargetKind::Account, username)
            .id(new.account_id.as_i64())
            .after(serde_json::json!({ "is_admin": is_admin }));
        self.audit(tx, by, change).await?;
        Ok(Account {
            account_id: new.account_id,
            username: username.clone(),
            password_hash,
            password_version: 1,
            is_admin,
            disabled_at: None,
            created_at: now,
        })
    }

    /// 24 letters and digits without those that look alike: 137 bits.
    pub fn random_password(&self) -> Secret<String> {
        const ALPHABET: &[u8] = b"23456789abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ";
        // 64 bits for each character leave no bias that could be seen.
        Secret::new(
            (0..24)
                .map(|_| u64::from_le_bytes(self.random.bytes()) % ALPHABET.len() as u64)
                .filter_map(|index| usize::try_from(index).ok().and_then(|index| ALPHABET.get(index)))
                .map(|byte| char::from(*byte))
                .collect(),
        )
    }

    fn keep_initial_password(&self, password: &Secret<String>) -> Result<(), AppError> {
        let Some(path) = &self.settings.initial_password_file else {
            return Ok(());
        };
        self.forget_initial_password()?;
        let mut line = zeroize::Zeroizing::new(password.expose().clone());
        line.push('\n');
        write_private(path, line.as_bytes())
            .map_err(|error: PrivateFileError| AppError::Internal(error.into()))
    }

    pub(super) fn forget_initial_password(&self) -> Result<(), AppError> {
        let Some(path) = &self.settings.initial_password_file else {
            return Ok(());
        };
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(AppError::Internal(error.into())),
            _ => Ok(()),
        }
    }
}

/// A user name as a person typed it.
pub(super) fn parse_username(text: &str) -> Result<Username, AppError> {
    text.parse()
        .map_err(|error: InvalidUsername| AppError::Invalid(error.to_string()))
}

#[cfg(test)]
#[path = "account/tests.rs"]
mod tests;
