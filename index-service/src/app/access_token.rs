//! Personal access tokens: made, listed, changed and revoked by the account that they belong to.

use serde_json::json;
use shared::secret::Secret;

use super::App;
use super::audit::{By, Change};
use super::caller::Caller;
use super::error::AppError;
use crate::domain::{
    AccessToken, Account, AccountId, AllowedNetworks, AuditAction, Ceiling, CredentialSecret, Ended,
    SecretId, SecretKind, SecretOwner, TargetKind, TokenId, TokenLabel, Username,
};
use crate::store::access_token::{self, NewAccessToken};
use crate::store::{Tx, account};

/// The life of an access token whose owner says nothing, in days.
pub const DEFAULT_LIFE_DAYS: u16 = 90;
/// The longest life, in days.
pub const MAX_LIFE_DAYS: u16 = 365;
/// Most live access tokens of an account.
pub const MAX_TOKENS: i64 = 500;
pub(super) const DAY_MS: i64 = 86_400_000;

/// What a new access token may do, from where and for how long.
#[derive(Debug, Clone)]
pub struct AccessTokenWish {
    /// What its owner calls it.
    pub label: TokenLabel,
    /// What it may reach at most.
    pub ceiling: Ceiling,
    /// Where it may be used.
    pub networks: AllowedNetworks,
    /// How long it is valid, 1 to [`MAX_LIFE_DAYS`] days.
    pub life_days: u16,
}

/// An access token with what is known of its secrets.
#[derive(Debug)]
pub struct AccessTokenDetails {
    /// The token.
    pub token: AccessToken,
    /// Its secrets, the newest first.
    pub secrets: Vec<CredentialSecret>,
}

impl App {
    /// Makes an access token for an account and returns its secret, which is not kept: for whoever administers the machine.
    pub async fn create_access_token(
        &self,
        username: &Username,
        wish: &AccessTokenWish,
    ) -> Result<Secret<String>, AppError> {
        let mut tx = self.store.write().await?;
        let account = account::find_account(&mut tx, username)
            .await?
            .ok_or_else(|| AppError::NotFound(format!("there is no account {username}")))?;
        let (_, secret) = self
            .add_access_token(&mut tx, &account, By::Machine, wish)
            .await?;
        tx.commit().await?;
        Ok(secret)
    }

    /// Makes an access token for whoever asks, and returns it with its secret, which is not kept.
    pub async fn create_own_access_token(
        &self,
        caller: &Caller,
        wish: &AccessTokenWish,
    ) -> Result<(AccessTokenDetails, Secret<String>), AppError> {
        let account = caller.unlimited_account()?;
        let mut tx = self.store.write().await?;
        let by = By::Caller(caller);
        let (token_id, secret) = self.add_access_token(&mut tx, account, by, wish).await?;
        let details = self
            .own_access_token(&mut tx, account.account_id, token_id)
            .await?;
        tx.commit().await?;
        Ok((details, secret))
    }

    async fn add_access_token(
        &self,
        tx: &mut Tx,
        account: &Account,
        by: By<'_>,
        wish: &AccessTokenWish,
    ) -> Result<(TokenId, Secret<String>), AppError> {
        let account_id = account.account_id;
        if !(1..=MAX_LIFE_DAYS).contains(&wish.life_days) {
            return Err(AppError::Invalid(format!(
                "an access token is valid for 1 to {MAX_LIFE_DAYS} days"
            )));
        }
        let now = self.clock.now_ms();
        account::lock_account(tx, account_id).await?;
        if access_token::count_access_tokens(tx, account_id, now).await? >= MAX_TOKENS {
            return Err(AppError::Conflict(format!(
                "an account has at most {MAX_TOKENS} access tokens: revoke some first"
            )));
        }
        let new = NewAccessToken {
            token_id: self.new_id(TokenId::new),
            account_id,
            label: &wish.label,
            ceiling: &wish.ceiling,
            networks: &wish.networks,
            expires_at: Some(now + i64::from(wish.life_days) * DAY_MS),
        };
        access_token::create_access_token(tx, &new, now).await?;
        let owner = SecretOwner::AccessToken(new.token_id);
        let secret = self.add_secret(tx, owner, SecretKind::AccessToken, now).await?;
        let change = Change::new(
            AuditAction::AccessTokenCreate,
            TargetKind::AccessToken,
            &wish.label,
        )
        .id(new.token_id.as_i64())
        .after(json!({
            "account": account.username.as_str(), "limits": wish.ceiling.to_text(),
            "networks": wish.networks.to_text(), "days": wish.life_days,
        }));
        self.audit(tx, by, change).await?;
        Ok((new.token_id, secret))
    }

    /// At most `limit` access tokens of whoever asks, the oldest first, those behind `after`, dead ones too.
    pub async fn list_own_access_tokens(
        &self,
        caller: &Caller,
        after: i64,
        limit: u32,
    ) -> Result<Vec<AccessTokenDetails>, AppError> {
        let account_id = caller.unlimited_account()?.account_id;
        let mut tx = self.store.read().await?;
        let after = Some(TokenId::from_i64(after));
        let tokens = access_token::list_access_tokens(&mut tx, account_id, after, limit).await?;
        let mut listed = Vec::with_capacity(tokens.len());
        for token in tokens {
            let owner = SecretOwner::AccessToken(token.token_id);
            let secrets = self.secrets_of(&mut tx, owner).await?;
            listed.push(AccessTokenDetails { token, secrets });
        }
        Ok(listed)
    }

    /// One access token of whoever asks.
    pub async fn find_own_access_token(
        &self,
        caller: &Caller,
        token_id: TokenId,
    ) -> Result<AccessTokenDetails, AppError> {
        let account_id = caller.unlimited_account()?.account_id;
        let mut tx = self.store.read().await?;
        self.own_access_token(&mut tx, account_id, token_id).await
    }

    async fn own_access_token(
        &self,
        tx: &mut Tx,
        account_id: AccountId,
        token_id: TokenId,
    ) -> Result<AccessTokenDetails, AppError> {
        let (token, _) = access_token::find_access_token_by_id(tx, token_id)
            .await?
            .filter(|(token, _)| token.account_id == account_id)
            .ok_or_else(not_found)?;
        let secrets = self.secrets_of(tx, SecretOwner::AccessToken(token_id)).await?;
        Ok(AccessTokenDetails { token, secrets })
    }

    /// Gives an access token of whoever asks another label.
    pub async fn rename_own_access_token(
        &self,
        caller: &Caller,
        token_id: TokenId,
        label: &TokenLabel,
    ) -> Result<AccessTokenDetails, AppError> {
        let account_id = caller.unlimited_account()?.account_id;
        let mut tx = self.store.write().await?;
        let before = self.own_access_token(&mut tx, account_id, token_id).await?.token;
        access_token::rename_access_token(&mut tx, account_id, token_id, label).await?;
        let change =
            change_of(AuditAction::AccessTokenUpdate, &before).after(json!({ "label": label.as_str() }));
        self.audit(&mut tx, By::Caller(caller), change).await?;
        let details = self.own_access_token(&mut tx, account_id, token_id).await?;
        tx.commit().await?;
        Ok(details)
    }

    /// Revokes an access token of whoever asks. One that is revoked already stays so.
    pub async fn revoke_own_access_token(&self, caller: &Caller, token_id: TokenId) -> Result<(), AppError> {
        let account_id = caller.unlimited_account()?.account_id;
        let mut tx = self.store.write().await?;
        let token = self.own_access_token(&mut tx, account_id, token_id).await?.token;
        let now = self.clock.now_ms();
        if access_token::revoke_access_token(&mut tx, account_id, token_id, Ended::Revoked, now).await? {
            let change = change_of(AuditAction::AccessTokenRevoke, &token);
            self.audit(&mut tx, By::Caller(caller), change).await?;
        }
        Ok(tx.commit().await?)
    }

    /// Makes another secret for an access token of whoever asks; the one before lives on for `overlap_hours`.
    pub async fn rotate_own_access_token(
        &self,
        caller: &Caller,
        token_id: TokenId,
        overlap_hours: u16,
    ) -> Result<(AccessTokenDetails, Secret<String>), AppError> {
        let account_id = caller.unlimited_account()?.account_id;
        let now = self.clock.now_ms();
        let mut tx = self.store.write().await?;
        account::lock_account(&mut tx, account_id).await?;
        let found = self.own_access_token(&mut tx, account_id, token_id).await?;
        if !found.token.is_live(now) {
            return Err(AppError::Conflict(
                "this access token has ended: make a new one".to_owned(),
            ));
        }
        let owner = SecretOwner::AccessToken(token_id);
        let secret = self
            .replace_secret(&mut tx, owner, SecretKind::AccessToken, overlap_hours, now)
            .await?;
        let change = change_of(AuditAction::AccessTokenRotate, &found.token)
            .after(json!({ "overlap_hours": overlap_hours }));
        self.audit(&mut tx, By::Caller(caller), change).await?;
        let details = self.own_access_token(&mut tx, account_id, token_id).await?;
        tx.commit().await?;
        Ok((details, secret))
    }

    /// Ends one secret of an access token of whoever asks.
    pub async fn end_own_access_token_secret(
        &self,
        caller: &Caller,
        token_id: TokenId,
        secret_id: SecretId,
    ) -> Result<(), AppError> {
        let account_id = caller.unlimited_account()?.account_id;
        let mut tx = self.store.write().await?;
        let token = self.own_access_token(&mut tx, account_id, token_id).await?.token;
        let owner = SecretOwner::AccessToken(token_id);
        self.end_own_secret(&mut tx, owner, secret_id, self.clock.now_ms())
            .await?;
        let change = change_of(AuditAction::AccessTokenRevoke, &token)
            .after(json!({ "secret": secret_id.to_string() }));
        self.audit(&mut tx, By::Caller(caller), change).await?;
        Ok(tx.commit().await?)
    }
}

fn change_of(action: AuditAction, token: &AccessToken) -> Change {
    Change::new(action, TargetKind::AccessToken, &token.label).id(token.token_id.as_i64())
}

fn not_found() -> AppError {
    AppError::NotFound("there is no such access token".to_owned())
}
