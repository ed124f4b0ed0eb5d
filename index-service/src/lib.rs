//! People and permission: accounts, namespaces, repositories' visibility, credentials, the token endpoint.
//!
//! The layers, from the inside out: [`domain`] decides and does no I/O, [`store`] keeps rows, [`token`] and [`password`]
//! hold the cryptography, [`egress`] sends to addresses that people name, [`app`] has one function per use case, [`http`] speaks to clients.
#![warn(missing_docs)]

pub mod app;
pub mod config;
pub mod domain;
pub mod egress;
pub mod http;
pub mod password;
pub mod random;
pub mod registry_client;
pub mod store;
pub mod token;

use std::sync::Arc;

use shared::runtime::clock::Clock;

use crate::app::key::KeysError;
use crate::app::{Keys, Settings, TokenSettings};
use crate::egress::EgressPolicy;
use crate::password::{InvalidParameters, Passwords};
use crate::random::Random;
use crate::registry_client::{RegistryClient, RegistryError};
use crate::store::{Store, StoreError};

pub use crate::app::App;
pub use crate::config::Config;
pub use crate::http::router;

/// The index cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The database.
    #[error("while opening the index's database")]
    Store(#[from] StoreError),
    /// The signing keys.
    #[error("while opening the signing keys")]
    Keys(#[from] KeysError),
    /// The parameters of password hashing.
    #[error("while preparing password hashing")]
    Password(#[from] InvalidParameters),
    /// The client for the registry.
    #[error("while preparing to ask the registry")]
    Registry(#[from] RegistryError),
}

impl App {
    /// Opens the store and the keys that the configuration names, and makes what is missing.
    pub async fn open(config: &Config, clock: Clock, random: Random) -> Result<Arc<Self>, OpenError> {
        let store = Store::open(config.database.expose()).await?;
        let keys = Keys::open(&store, config.key_options(), &clock, &random).await?;
        let passwords = Passwords::new(config.password, config.hashing, clock.clone(), random.clone())?;
        let registry = match &config.registry_url {
            Some(url) => Some(RegistryClient::new(url)?),
            None => None,
        };
        let settings = Settings {
            public_url: config.public_url.clone(),
            token: TokenSettings {
                lifetime_s: i64::try_from(config.lifetime.as_secs()).unwrap_or(300),
                services: config.services.clone(),
            },
            initial_password_file: config.initial_password_file.clone(),
            organisation_makers: config.organisation_makers,
            trusted_proxies: config.trusted_proxies.clone(),
            sign_up: config.sign_up,
            github_keys_file: config.github_keys_file.clone(),
            sign_up_limits: config.sign_up_limits,
            restore_delay_ms: i64::try_from(config.restore_delay.as_millis()).unwrap_or(i64::MAX),
            audit: config.audit.clone(),
            quotas: config.quotas,
            rates: config.rates,
            event_secrets: config.event_secrets.clone(),
            egress: EgressPolicy::new(config.webhooks_allow.clone()),
            site: config.site.clone(),
            fixed: config.fixed.clone(),
        };
        let app = Self::new(store, keys, passwords, clock, random, settings, registry);
        // What administrators decided holds from the first request on.
        app.refresh_settings().await?;
        Ok(app)
    }
}
