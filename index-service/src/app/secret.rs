//! The secrets of access tokens and robots: made, replaced without a gap, ended.

use shared::secret::Secret;

use super::App;
use super::error::AppError;
use crate::domain::credential_secret::MAX_LIVE;
use crate::domain::{CredentialSecret, Ended, SecretId, SecretKind, SecretOwner, SecretToken};
use crate::store::Tx;
use crate::store::secret::{NewSecret, create_secret, end_secret, forget_secret, list_secrets};

/// How long a secret lives on that another replaces, when nobody says: a day, in hours.
pub const DEFAULT_OVERLAP_HOURS: u16 = 24;
/// The longest time that a replaced secret may live on: thirty days, in hours.
pub const MAX_OVERLAP_HOURS: u16 = 720;
const HOUR_MS: i64 = 3_600_000;
/// Dead secrets of an owner that are remembered, so that their use is told.
const MAX_DEAD: usize = 8;

impl App {
    /// Adds a secret.
    pub(super) async fn add_secret(
        &self,
        tx: &mut Tx,
        owner: SecretOwner,
        kind: SecretKind,
        now_ms: i64,
    ) -> Result<Secret<String>, AppError> {
        let secret = SecretToken::new(kind, self.random.bytes());
        let new = NewSecret {
            secret_id: self.new_id(SecretId::new),
            owner,
            secret_hash: secret.hash(),
            last_four: secret.last_four(),
        };
        create_secret(tx, &new, now_ms).await?;
        Ok(secret.into_secret())
    }

    /// Adds a secret beside the one that is live, which ends after `overlap_hours`; with 0 it ends at once, and a second
    /// live one too.
    pub(super) async fn replace_secret(
        &self,
        tx: &mut Tx,
        owner: SecretOwner,
        kind: SecretKind,
        overlap_hours: u16,
        now_ms: i64,
    ) -> Result<Secret<String>, AppError> {
        if overlap_hours > MAX_OVERLAP_HOURS {
            return Err(AppError::Invalid(format!(
                "a replaced secret lives on for at most {MAX_OVERLAP_HOURS} hours"
            )));
        }
        let (live, dead): (Vec<_>, Vec<_>) = list_secrets(tx, owner)
            .await?
            .into_iter()
            .partition(|secret| secret.is_live(now_ms));
        if overlap_hours > 0 && live.len() >= MAX_LIVE {
            return Err(AppError::Conflict(
                "two secrets are live already: end one of them first".to_owned(),
            ));
        }
        let end = now_ms + i64::from(overlap_hours) * HOUR_MS;
        for secret in &live {
            end_secret(tx, secret.secret_id, end, Ended::Replaced).await?;
        }
        for secret in dead.iter().rev().skip(MAX_DEAD) {
            forget_secret(tx, secret.secret_id).await?;
        }
        self.add_secret(tx, owner, kind, now_ms).await
    }

    /// Ends one secret of an owner at once.
    pub(super) async fn end_own_secret(
        &self,
        tx: &mut Tx,
        owner: SecretOwner,
        secret_id: SecretId,
        now_ms: i64,
    ) -> Result<(), AppError> {
        let is_own = list_secrets(tx, owner)
            .await?
            .iter()
            .any(|secret| secret.secret_id == secret_id && secret.is_live(now_ms));
        if !is_own || !end_secret(tx, secret_id, now_ms, Ended::Revoked).await? {
            return Err(AppError::NotFound("there is no such live secret".to_owned()));
        }
        Ok(())
    }

    /// The secrets of an owner, the newest first.
    pub(super) async fn secrets_of(
        &self,
        tx: &mut Tx,
        owner: SecretOwner,
    ) -> Result<Vec<CredentialSecret>, AppError> {
        let mut secrets = list_secrets(tx, owner).await?;
        secrets.reverse();
        Ok(secrets)
    }
}
