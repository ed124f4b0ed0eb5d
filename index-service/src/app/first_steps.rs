//! How far somebody who is new has come: a login by a client, and something pushed.

use super::App;
use super::caller::Caller;
use super::error::AppError;
use super::web_session::CLIENT_ID;
use crate::domain::NamespaceName;
use crate::store::overview::find_first_repository;

/// Devices and access tokens that are looked at.
const LOOKED: u32 = 200;

/// A client has logged in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstLogin {
    /// When, in milliseconds since 1970.
    pub at: i64,
    /// The client's program.
    pub client: String,
    /// Its address, as far as it is known.
    pub address: Option<String>,
}

/// How far somebody has come.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FirstSteps {
    /// The last login of a client that is no browser.
    pub login: Option<FirstLogin>,
    /// A repository of their own namespace that holds something.
    pub repository: Option<String>,
}

impl App {
    /// How far whoever asks has come.
    pub async fn first_steps(&self, caller: &Caller) -> Result<FirstSteps, AppError> {
        let account = caller.unlimited_account()?;
        // Uses of access tokens are written down together, later; whoever waits for theirs is not to wait for that.
        self.flush_touches().await;
        let mut logins = Vec::new();
        for device in self.list_own_devices(caller, i64::MIN, LOOKED).await? {
            if device.client_id != CLIENT_ID {
                logins.push(FirstLogin {
                    at: device.last_used_at,
                    client: device.user_agent,
                    address: device.last_address,
                });
            }
        }
        for token in self.list_own_access_tokens(caller, i64::MIN, LOOKED).await? {
            if let Some(last) = token.token.last_use {
                logins.push(FirstLogin {
                    at: last.at,
                    client: last.client,
                    address: last.address,
                });
            }
        }
        let mut tx = self.store.read().await?;
        let namespace = NamespaceName::from(&account.username);
        Ok(FirstSteps {
            login: logins.into_iter().max_by_key(|login| login.at),
            repository: find_first_repository(&mut tx, &namespace).await?,
        })
    }
}

#[cfg(test)]
mod tests {
    use shared::secret::Secret;

    use super::FirstSteps;
    use crate::app::fixture::Fixture;

    #[tokio::test]
    async fn a_first_push_is_seen_and_nothing_is_before() {
        let fixture = Fixture::new().await;
        let app = &fixture.app;
        let password = Secret::new("correct horse battery".to_owned());
        app.create_account("ada", password).await.unwrap();
        let ada = app.operator("ada").await.unwrap();
        assert_eq!(app.first_steps(&ada).await.unwrap(), FirstSteps::default());
        app.confirm_pushed(&"ada/app".parse().unwrap()).await.unwrap();
        let steps = app.first_steps(&ada).await.unwrap();
        assert_eq!(steps.repository.as_deref(), Some("ada/app"));
        assert!(steps.login.is_none());
    }
}
