//! Sessions of the web pages: a device whose secret a browser keeps in a cookie. It is listed, and ended, with the others; at
//! the token endpoint and at the API its secret is worth nothing.

use shared::secret::Secret;

use super::App;
use super::caller::{Caller, Client};
use super::error::AppError;
use super::login::{Login, WRONG};
use super::session::DeviceWish;
use super::token::Credential;
use crate::domain::device::CONFIRMED_MS;
use crate::domain::{Device, Preferences, SecretKind, SecretToken};
use crate::store::device;

/// What such a device calls itself.
pub const CLIENT_ID: &str = "portolan-web";
/// How long a session lasts that is to be kept, in milliseconds, used or not: 14 days.
const KEPT_MS: i64 = 14 * 86_400_000;
/// How long another lasts at most: a day.
const BRIEF_MS: i64 = 86_400_000;
/// And how long it may be left alone: 8 hours.
const BRIEF_IDLE_MS: i64 = 8 * 3_600_000;

/// Whoever a browser's cookie stands for, with what every page shows of them.
#[derive(Debug)]
pub struct Visit {
    /// On whose behalf use cases are asked for.
    pub caller: Caller,
    /// What the account chose for pages.
    pub preferences: Preferences,
    /// How many notices it has not read.
    pub unread: i64,
}

/// A session that begins.
#[derive(Debug)]
pub struct WebSession {
    /// What the browser shows from now on.
    pub secret: Secret<String>,
    /// How long the browser is to keep it, in seconds; without it, until it is closed.
    pub kept_s: Option<i64>,
}

impl App {
    /// Begins a session for whoever shows a user name and its password. Whoever asks to be kept signed in has a longer one.
    pub async fn open_web_session(
        &self,
        username: String,
        password: Secret<String>,
        is_kept: bool,
        client: &Client,
    ) -> Result<WebSession, AppError> {
        let credential = Credential::Password { username, password };
        let (login, _) = self.log_in(&credential, client).await?;
        // A session may do what its account may: for that it takes the password, not a token in its place.
        let Login::Password(account) = &login else {
            return Err(WRONG);
        };
        let wish = DeviceWish {
            kind: SecretKind::Session,
            client_id: CLIENT_ID,
            life_ms: if is_kept { KEPT_MS } else { BRIEF_MS },
            confirmed_ms: Some(CONFIRMED_MS),
        };
        let secret = self.add_device(&login, account, &wish, client).await?;
        Ok(WebSession {
            secret: secret.into_secret(),
            kept_s: is_kept.then_some(KEPT_MS / 1000),
        })
    }

    /// Whoever a browser's cookie stands for; none when the session is over.
    pub async fn recognise_web_session(
        &self,
        secret: &str,
        client: Client,
    ) -> Result<Option<Caller>, AppError> {
        let visit = self.visit(secret, client).await?;
        Ok(visit.map(|visit| visit.caller))
    }

    /// The same with what every page shows of them: one statement.
    pub async fn visit(&self, secret: &str, client: Client) -> Result<Option<Visit>, AppError> {
        let Some(Ok(token)) = SecretToken::find(secret) else {
            return Ok(None);
        };
        if token.kind() != SecretKind::Session {
            return Ok(None);
        }
        let mut tx = self.store.read().await?;
        let Some(found) = device::find_session(&mut tx, token.hash()).await? else {
            return Ok(None);
        };
        let (device, account) = (found.device, found.account);
        let now = self.clock.now_ms();
        let is_live = device.is_live(now, account.password_version, idle_ms(&device));
        if !is_live || account.disabled_at.is_some() {
            return Ok(None);
        }
        if device.is_use_due(now) {
            self.touches.device(device.device_id, now, &client);
        }
        let login = Login::Device(device, account, token.into_secret());
        Ok(Some(Visit {
            caller: Caller::new(login, client),
            preferences: found.preferences,
            unread: found.unread,
        }))
    }

    /// Whoever a session stands for by now; none when it is over. What is told while a page is open asks each time. Where the
    /// page was shown because the password was given a short time ago, it is over with that, too.
    pub async fn recognise_again(&self, caller: &Caller) -> Result<Option<Caller>, AppError> {
        let Login::Device(_, _, secret) = &caller.login else {
            return Ok(None);
        };
        let again = self
            .recognise_web_session(secret.expose(), caller.client.clone())
            .await?;
        Ok(again
            .filter(|again| !caller.is_confirmed || self.is_confirmed(again))
            .map(|again| Caller {
                is_confirmed: caller.is_confirmed,
                ..again
            }))
    }

    /// Ends the session that the caller came with.
    pub async fn end_web_session(&self, caller: &Caller) -> Result<(), AppError> {
        match caller.device_id() {
            Some(device_id) => self.end_own_device(caller, device_id).await,
            None => Ok(()),
        }
    }
}

/// How long a session may be left alone: what its life tells.
fn idle_ms(device: &Device) -> i64 {
    if device.expires_at - device.created_at > BRIEF_MS {
        KEPT_MS
    } else {
        BRIEF_IDLE_MS
    }
}
