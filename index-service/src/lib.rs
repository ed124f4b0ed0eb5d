//! People and permission: accounts, namespaces, repositories' visibility, credentials, the token endpoint.
//!
//! The layers, from the inside out: [`domain`] decides and does no I/O, [`store`] keeps rows, [`token`] and [`password`]
//! hold the cryptography, [`app`] has one function per use case, [`http`] speaks to clients.
#![warn(missing_docs)]

pub mod app;
pub mod config;
pub mod domain;
pub mod http;
pub mod password;
pub mod random;
pub mod registry_client;
pub mod store;
pub mod token;

use std::sync::Arc;

use shared::runtime::clock::Clock;

use crate::app::{Settings, TokenSettings};
use crate::password::{InvalidParameters, Passwords};
use crate::random::Random;
use crate::registry_client::{RegistryClient, RegistryError};
use crate::store::{Store, StoreError};
use crate::token::{KeyError, KeySet, SignError, Signer};

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
    Keys(#[from] KeyError),
    /// The current signing key.
    #[error("while preparing the signing key")]
    Signer(#[from] SignError),
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
        let keys = KeySet::open(&config.keys_dir, clock.now(), &random)?;
        let signer = Signer::new(keys, config.issuer.clone())?;
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
        };
        Ok(Self::new(
            store, signer, passwords, clock, random, settings, registry,
        ))
    }
}
