//! Devices: refresh tokens that clients keep instead of a password.

use shared::secret::Secret;

use super::App;
use super::audit::{By, Change};
use super::caller::{Caller, Client};
use super::error::AppError;
use super::login::{DEVICE_IDLE_MS, Login};
use super::token::TokenRequest;
use crate::domain::{Account, AuditAction, Ceiling, Device, DeviceId, SecretKind, SecretToken, TargetKind};
use crate::store::account;
use crate::store::device::{
    LiveDevices, NewDevice, create_device, find_device_by_id, list_devices, prune_devices, revoke_device,
    revoke_devices,
};

/// The longest life of a refresh token, in milliseconds: a year.
const DEVICE_LIFE_MS: i64 = 365 * 86_400_000;
/// Most devices of an account: one more, and the one that was used longest ago is gone. A script that logs in with a
/// password every few minutes makes this many in days.
const MAX_DEVICES: u32 = 1000;

/// What a new device is to be.
pub(super) struct DeviceWish<'a> {
    /// What kind its secret is.
    pub(super) kind: SecretKind,
    /// What asks for it.
    pub(super) client_id: &'a str,
    /// How long it lives at most, in milliseconds.
    pub(super) life_ms: i64,
    /// How long the password that was just given counts in it, in milliseconds; of sessions of the web pages alone.
    pub(super) confirmed_ms: Option<i64>,
}

impl App {
    /// The refresh token that belongs into the answer. A password login gets a new one. A device gets its own again:
    /// Docker could not store another. Access tokens and robots get none, since a configuration that holds one must keep
    /// working where only user name and password are understood, such as a Kubernetes pull secret.
    pub(super) async fn refresh_token(
        &self,
        login: &Login,
        request: &TokenRequest,
    ) -> Result<Option<Secret<String>>, AppError> {
        if !request.offline {
            return Ok(None);
        }
        let account = match login {
            Login::Anonymous | Login::AccessToken(..) | Login::Robot(..) => return Ok(None),
            Login::Device(_, _, secret) => return Ok(Some(secret.clone())),
            Login::Password(account) => account,
        };
        let wish = DeviceWish {
            kind: SecretKind::Refresh,
            client_id: &request.client_id,
            life_ms: DEVICE_LIFE_MS,
            confirmed_ms: None,
        };
        let secret = self.add_device(login, account, &wish, &request.client).await?;
        Ok(Some(secret.into_secret()))
    }

    /// Adds a device for whoever logged in with a password.
    pub(super) async fn add_device(
        &self,
        login: &Login,
        account: &Account,
        wish: &DeviceWish<'_>,
        client: &Client,
    ) -> Result<SecretToken, AppError> {
        let secret = SecretToken::new(wish.kind, self.random.bytes());
        let now = self.clock.now_ms();
        let mut tx = self.store.write().await?;
        let address = client.address_text();
        let new = NewDevice {
            device_id: self.new_id(DeviceId::new),
            account_id: account.account_id,
            secret_hash: secret.hash(),
            client_id: wish.client_id,
            user_agent: &client.program,
            password_version: account.password_version,
            ceiling: &Ceiling::Full,
            address: address.as_deref(),
            expires_at: now + wish.life_ms,
            confirmed_until: wish.confirmed_ms.map(|confirmed_ms| now + confirmed_ms),
        };
        self.notify_of_sign_in(&mut tx, account, client).await?;
        prune_devices(
            &mut tx,
            account.account_id,
            now,
            now - DEVICE_IDLE_MS,
            MAX_DEVICES - 1,
        )
        .await?;
        create_device(&mut tx, &new, now).await?;
        let change = Change::new(AuditAction::DeviceCreate, TargetKind::Device, wish.client_id)
            .id(new.device_id.as_i64())
            .after(serde_json::json!({ "account": account.username.as_str() }));
        self.audit_login(&mut tx, login, client, change).await?;
        tx.commit().await?;
        Ok(secret)
    }

    /// At most `limit` live devices of whoever asks, the oldest first, those behind `after`.
    pub async fn list_own_devices(
        &self,
        caller: &Caller,
        after: i64,
        limit: u32,
    ) -> Result<Vec<Device>, AppError> {
        let account_id = caller.unlimited_account()?.account_id;
        let now = self.clock.now_ms();
        let mut tx = self.store.read().await?;
        let Some(account) = account::find_account_by_id(&mut tx, account_id).await? else {
            return Ok(Vec::new());
        };
        let live = LiveDevices {
            now_ms: now,
            idle_since: now - DEVICE_IDLE_MS,
            password_version: account.password_version,
        };
        Ok(list_devices(&mut tx, account_id, live, after, limit).await?)
    }

    /// Signs one device of whoever asks out.
    pub async fn end_own_device(&self, caller: &Caller, device_id: DeviceId) -> Result<(), AppError> {
        let account = caller.unlimited_account()?;
        let mut tx = self.store.write().await?;
        let device = find_device_by_id(&mut tx, device_id)
            .await?
            .map(|(device, _)| device)
            .filter(|device| device.account_id == account.account_id)
            .ok_or_else(|| AppError::NotFound("there is no such device".to_owned()))?;
        if revoke_device(&mut tx, account.account_id, device_id, self.clock.now_ms()).await? {
            let change = Change::new(AuditAction::DeviceEnd, TargetKind::Device, &device.client_id)
                .id(device_id.as_i64())
                .after(serde_json::json!({ "account": account.username.as_str() }));
            self.audit(&mut tx, By::Caller(caller), change).await?;
        }
        Ok(tx.commit().await?)
    }

    /// Signs every device of whoever asks out, and voids whatever else was issued under the password so far.
    pub async fn end_own_devices(&self, caller: &Caller) -> Result<(), AppError> {
        let account = caller.unlimited_account()?;
        let now = self.clock.now_ms();
        let mut tx = self.store.write().await?;
        account::end_password_version(&mut tx, account.account_id, now).await?;
        let ended = revoke_devices(&mut tx, account.account_id, now).await?;
        let change = Change::new(AuditAction::DeviceEndAll, TargetKind::Account, &account.username)
            .id(account.account_id.as_i64())
            .after(serde_json::json!({ "devices": ended }));
        self.audit(&mut tx, By::Caller(caller), change).await?;
        Ok(tx.commit().await?)
    }
}
