//! The use cases: each function here is one thing that a client, a page or a command asks for.

pub mod access_token;
pub mod account;
mod background;
pub mod catalog;
pub mod error;
#[cfg(test)]
pub(crate) mod fixture;
mod login;
pub mod repository;
mod session;
pub mod token;
mod touch;

use std::path::PathBuf;
use std::sync::Arc;

use shared::runtime::clock::Clock;

use crate::password::Passwords;
use crate::random::Random;
use crate::registry_client::RegistryClient;
use crate::store::{Store, StoreError};
use crate::token::Signer;

pub use error::AppError;
pub use token::{Service, TokenSettings};

use touch::Touches;

/// What the use cases work with. Shared by all requests.
#[derive(Debug)]
pub struct App {
    store: Store,
    signer: Signer,
    passwords: Passwords,
    clock: Clock,
    random: Random,
    settings: Settings,
    /// Where the registry is asked; `None` when it confirms pushes in this process.
    registry: Option<RegistryClient>,
    touches: Touches,
}

/// What the operator decides about the use cases.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The URL under which clients reach the front door, without a slash at its end.
    pub public_url: String,
    /// Tokens.
    pub token: TokenSettings,
    /// A file with the first password of `admin`, which is removed once that password is changed.
    pub initial_password_file: Option<PathBuf>,
}

impl App {
    /// The use cases over these parts.
    pub fn new(
        store: Store,
        signer: Signer,
        passwords: Passwords,
        clock: Clock,
        random: Random,
        settings: Settings,
        registry: Option<RegistryClient>,
    ) -> Arc<Self> {
        Arc::new(Self {
            store,
            signer,
            passwords,
            clock,
            random,
            settings,
            registry,
            touches: Touches::default(),
        })
    }

    /// The URL under which clients reach the front door, without a slash at its end.
    pub fn public_url(&self) -> &str {
        &self.settings.public_url
    }

    /// The URL of the token endpoint.
    pub fn realm(&self) -> String {
        format!("{}/token", self.settings.public_url)
    }

    /// What the registry behind this front door calls itself.
    pub fn front_door_service(&self) -> &str {
        self.settings
            .token
            .services
            .first()
            .map_or("", |service| &service.name)
    }

    /// The published signing keys as a JWK set (RFC 7517, section 5).
    pub fn jwks(&self) -> String {
        self.signer.keys().jwks()
    }

    /// The certificate that vouches for the signing keys (PEM): `rootcertbundle` of a stock registry.
    pub fn authority_pem(&self) -> &str {
        self.signer.keys().authority_pem()
    }

    /// Whether the store answers.
    pub async fn check(&self) -> Result<(), AppError> {
        Ok(self.store.check().await?)
    }

    /// Writes down what waits to be written, and closes the store.
    pub async fn close(&self) {
        self.flush_touches().await;
        self.store.close().await;
    }

    /// Makes a new id with one of the domain's constructors.
    fn new_id<T>(&self, make: fn(i64, u32) -> T) -> T {
        make(self.clock.now_ms(), self.random.number())
    }
}

impl From<StoreError> for AppError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict(noun) => Self::Conflict(format!("the {noun} exists already")),
            StoreError::Unavailable { .. } => Self::Unavailable(error.into()),
            StoreError::Address(_) | StoreError::Failed { .. } => Self::Internal(error.into()),
        }
    }
}
