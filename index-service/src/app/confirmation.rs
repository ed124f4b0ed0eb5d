//! That somebody is still there: what a session of the web pages may do much harm with wants the password that was given a
//! short time ago. Signing in counts; what is done goes on counting for a while.

use shared::secret::Secret;

use super::App;
use super::caller::Caller;
use super::error::AppError;
use super::login::Login;
use super::token::Credential;
use crate::domain::device::CONFIRMED_MS;
use crate::domain::{Account, SecretToken};
use crate::store::device::{confirm_device, prolong_confirmation};

const NOT_RIGHT: &str = "the current password is not right";

impl App {
    /// Whether the password was given in the caller's session a short time ago. Only sessions of the web pages are asked: whoever
    /// shows the password, or an access token, with each request has just done so.
    pub fn is_confirmed(&self, caller: &Caller) -> bool {
        match &caller.login {
            Login::Device(device, ..) => device.is_confirmed(self.clock.now_ms()),
            Login::Password(_) | Login::AccessToken(..) => true,
            Login::Anonymous | Login::Robot(..) => false,
        }
    }

    /// The same for whoever does what wants it: it counts longer by that, up to its end. What only goes on telling of it
    /// (`is_watched`) does not count.
    pub async fn keep_confirmed(&self, caller: &mut Caller, is_watched: bool) -> Result<bool, AppError> {
        if !self.is_confirmed(caller) {
            return Ok(false);
        }
        caller.is_confirmed = true;
        if is_watched {
            return Ok(true);
        }
        let now = self.clock.now_ms();
        if let Login::Device(device, ..) = &caller.login
            && let Some(until) = device.confirmed_on(now)
        {
            let mut tx = self.store.write().await?;
            prolong_confirmation(&mut tx, device.device_id, until).await?;
            tx.commit().await?;
        }
        Ok(true)
    }

    /// Keeps that the caller has just given the password, once it is right. It is checked behind the same brakes as everywhere.
    pub async fn confirm(&self, caller: &Caller, password: &Secret<String>) -> Result<(), AppError> {
        self.check_own_password(caller, password).await?;
        let Some(device_id) = caller.device_id() else {
            return Ok(());
        };
        let now = self.clock.now_ms();
        let mut tx = self.store.write().await?;
        confirm_device(&mut tx, device_id, now, now + CONFIRMED_MS).await?;
        Ok(tx.commit().await?)
    }

    /// The caller's account, once its password is right.
    pub(super) async fn check_own_password(
        &self,
        caller: &Caller,
        password: &Secret<String>,
    ) -> Result<Account, AppError> {
        let username = caller.unlimited_account()?.username.to_string();
        let not_right = || AppError::Invalid(NOT_RIGHT.to_owned());
        // A right access token is no password.
        if SecretToken::find(password.expose()).is_some() {
            return Err(not_right());
        }
        let credential = Credential::Password {
            username,
            password: password.clone(),
        };
        match self.log_in(&credential, &caller.client).await {
            Ok((Login::Password(account), _)) => Ok(account),
            Ok(_) | Err(AppError::Unauthenticated(_)) => Err(not_right()),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
#[path = "confirmation/tests.rs"]
mod tests;
