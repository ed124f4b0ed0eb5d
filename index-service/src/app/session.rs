//! Devices: refresh tokens that clients keep instead of a password.

use shared::secret::Secret;

use super::App;
use super::error::AppError;
use super::login::{DEVICE_IDLE_MS, Login};
use super::token::TokenRequest;
use crate::domain::{Ceiling, DeviceId, SecretKind, SecretToken};
use crate::store::device::{NewDevice, create_device, prune_devices};

/// The longest life of a refresh token, in milliseconds: a year.
const DEVICE_LIFE_MS: i64 = 365 * 86_400_000;
/// Most devices of an account: one more, and the one that was used longest ago is gone. A script that logs in with a
/// password every few minutes makes this many in days.
const MAX_DEVICES: u32 = 1000;

impl App {
    /// The refresh token that belongs into the answer. A password login gets a new one. A device gets its own again:
    /// Docker could not store another. Access tokens get none, since a configuration that holds one must keep working where
    /// only user name and password are understood, such as a Kubernetes pull secret.
    pub(super) async fn refresh_token(
        &self,
        login: &Login,
        request: &TokenRequest,
    ) -> Result<Option<Secret<String>>, AppError> {
        if !request.offline {
            return Ok(None);
        }
        let account = match login {
            Login::Anonymous | Login::AccessToken(..) => return Ok(None),
            Login::Device(_, _, secret) => return Ok(Some(secret.clone())),
            Login::Password(account) => account,
        };
        let secret = SecretToken::new(SecretKind::Refresh, self.random.bytes());
        let now = self.clock.now_ms();
        let mut tx = self.store.write().await?;
        let new = NewDevice {
            device_id: self.new_id(DeviceId::new),
            account_id: account.account_id,
            secret_hash: secret.hash(),
            client_id: &request.client_id,
            user_agent: &request.user_agent,
            password_version: account.password_version,
            ceiling: &Ceiling::Full,
            expires_at: now + DEVICE_LIFE_MS,
        };
        prune_devices(
            &mut tx,
            account.account_id,
            now,
            now - DEVICE_IDLE_MS,
            MAX_DEVICES - 1,
        )
        .await?;
        create_device(&mut tx, &new, now).await?;
        tx.commit().await?;
        Ok(Some(secret.into_secret()))
    }
}
