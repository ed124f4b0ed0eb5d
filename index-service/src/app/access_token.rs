//! Personal access tokens.

use shared::secret::Secret;
use shared::token::Actions;

use super::App;
use super::error::AppError;
use crate::domain::{RepositoryPattern, SecretKind, SecretToken, TokenId, TokenLabel, Username};
use crate::store::access_token::{NewAccessToken, create_access_token};
use crate::store::account;

/// The life of an access token whose owner says nothing, in days.
pub const DEFAULT_LIFE_DAYS: u16 = 90;
/// The longest life, in days.
pub const MAX_LIFE_DAYS: u16 = 365;
const DAY_MS: i64 = 86_400_000;

/// What a new access token may do, and for how long.
#[derive(Debug, Clone)]
pub struct AccessTokenWish {
    /// What its owner calls it.
    pub label: TokenLabel,
    /// Actions it allows at most; `*` is all of them.
    pub actions: Actions,
    /// The repositories it reaches.
    pub pattern: RepositoryPattern,
    /// How long it is valid, 1 to [`MAX_LIFE_DAYS`] days.
    pub life_days: u16,
}

impl App {
    /// Makes an access token for an account and returns its secret, which is not kept.
    pub async fn create_access_token(
        &self,
        username: &Username,
        wish: &AccessTokenWish,
    ) -> Result<Secret<String>, AppError> {
        if !(1..=MAX_LIFE_DAYS).contains(&wish.life_days) {
            return Err(AppError::Invalid(format!(
                "an access token is valid for 1 to {MAX_LIFE_DAYS} days"
            )));
        }
        if wish.actions.is_empty() {
            return Err(AppError::Invalid(
                "an access token allows at least one action".to_owned(),
            ));
        }
        let secret = SecretToken::new(SecretKind::AccessToken, self.random.bytes());
        let now = self.clock.now_ms();
        let mut tx = self.store.write().await?;
        let account = account::find_account(&mut tx, username)
            .await?
            .ok_or_else(|| AppError::NotFound(format!("there is no account {username}")))?;
        let new = NewAccessToken {
            token_id: self.new_id(TokenId::new),
            account_id: account.account_id,
            label: &wish.label,
            secret_hash: secret.hash(),
            last_four: secret.last_four(),
            actions: wish.actions,
            pattern: &wish.pattern,
            expires_at: Some(now + i64::from(wish.life_days) * DAY_MS),
        };
        create_access_token(&mut tx, &new, now).await?;
        tx.commit().await?;
        Ok(secret.into_secret())
    }
}
