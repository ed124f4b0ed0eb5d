//! The use cases: each function here is one thing that a client, a page or a command asks for.

mod access;
pub mod access_token;
pub mod account;
pub mod adoption;
pub mod announcement;
pub mod audit;
mod background;
pub mod badge;
pub mod bookmark;
mod brake;
pub mod caller;
pub mod catalog;
pub mod category;
pub mod comment;
pub mod confirmation;
pub mod content;
pub mod content_deletion;
pub mod deletion;
pub mod departure;
pub mod error;
pub mod explanation;
pub mod feed;
pub mod first_steps;
#[cfg(test)]
pub(crate) mod fixture;
pub mod hub;
pub mod idempotency;
pub mod immutability;
pub mod invitation;
pub mod key;
pub mod leak;
mod login;
pub mod member;
pub mod namespace_page;
pub mod notice;
pub mod organisation;
pub mod overview;
pub mod password;
pub mod preference;
pub mod profile;
pub mod quota;
pub mod rate;
pub mod release;
pub mod repository;
pub mod repository_page;
pub mod repository_profile;
pub mod retention;
pub mod robot;
pub mod rule;
pub mod search;
pub mod secret;
pub mod session;
pub mod setting;
pub mod shelf;
pub mod short_name;
pub mod sign_up;
mod standing;
pub mod team;
pub mod token;
mod touch;
pub mod transfer;
pub mod web_session;
pub mod webhook;
pub mod work;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicI64};
use std::sync::{Arc, OnceLock};

use shared::network::Network;
use shared::runtime::clock::Clock;
use shared::secret::Secret;
use tokio::sync::Notify;

use crate::domain::quota::QuotaDefaults;
use crate::domain::{SettingKey, Site};
use crate::egress::{Egress, EgressPolicy};
use crate::password::Passwords;
use crate::random::Random;
use crate::registry_client::RegistryClient;
use crate::store::{Store, StoreError};

pub use error::AppError;
pub use key::{KeyOptions, Keys};
pub use token::{Service, TokenSettings};

use organisation::OrganisationMakers;
use sign_up::{SignUp, SignUpLimits};
use touch::Touches;

/// What the use cases work with. Shared by all requests.
#[derive(Debug)]
pub struct App {
    store: Store,
    keys: Keys,
    passwords: Passwords,
    clock: Clock,
    random: Random,
    settings: Settings,
    /// Where the registry is asked; `None` when it confirms pushes in this process.
    registry: Option<RegistryClient>,
    /// The same where the registry runs in this process, which is told later.
    registry_within: OnceLock<RegistryClient>,
    touches: Touches,
    pulls: content::Pulls,
    /// Something is to be read from the registry.
    reading: Notify,
    /// The registry was away when it was asked last. What came before this process may have waited for it, too.
    is_registry_away: AtomicBool,
    /// A policy of retention is to be carried out.
    retaining: Notify,
    /// How content is removed, where the registry runs in this process.
    purge: OnceLock<deletion::Purge>,
    brake_key: brake::BrakeKey,
    wrongs: brake::Wrongs,
    sign_ins: audit::SignIns,
    written: audit::Written,
    quota_watch: quota::Watch,
    search_walk: search::Walk,
    announced: announcement::Announced,
    shelves_shown: shelf::Shown,
    egress: Egress,
    /// Something is to be sent to a webhook.
    telling: Notify,
    /// The id of the last delivery to a webhook.
    last_delivery: AtomicI64,
    /// What this process calls itself where replicas share something.
    instance: String,
    /// What administrators of the site decided, laid over the settings.
    decided: setting::Decided,
}

/// What the operator decides about the use cases. What administrators of the site may decide otherwise while it runs is read
/// with [`App::current`] alone.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The URL under which clients reach the front door, without a slash at its end.
    pub public_url: String,
    /// Tokens.
    pub token: TokenSettings,
    /// A file with the first password of `admin`, which is removed once that password is changed.
    pub initial_password_file: Option<PathBuf>,
    /// Who may make organisations.
    pub organisation_makers: OrganisationMakers,
    /// Proxies whose `X-Forwarded-For` is believed; nobody's when there are none.
    pub trusted_proxies: Vec<Network>,
    /// How long the audit log is kept, and where it is written besides.
    pub audit: audit::AuditSettings,
    /// Who may make an account for themselves.
    pub sign_up: SignUp,
    /// How many accounts people may make for themselves.
    pub sign_up_limits: SignUpLimits,
    /// A file with the public keys that GitHub signs reports of leaked secrets with; without it they need no signature.
    pub github_keys_file: Option<PathBuf>,
    /// How long a deleted repository can be restored, in milliseconds.
    pub restore_delay_ms: i64,
    /// What namespaces may hold of which nothing else was decided.
    pub quotas: QuotaDefaults,
    /// How often the registry lets itself be asked.
    pub rates: rate::RateLimits,
    /// What the registry shows when it delivers events over HTTP, any of these; none are taken so without one.
    pub event_secrets: Vec<Secret<String>>,
    /// Where webhooks may be sent.
    pub egress: EgressPolicy,
    /// How the site presents itself.
    pub site: Site,
    /// Which of these administrators of the site may not decide otherwise, because the configuration says them.
    pub fixed: Vec<SettingKey>,
}

impl App {
    /// The use cases over these parts.
    pub fn new(
        store: Store,
        keys: Keys,
        passwords: Passwords,
        clock: Clock,
        random: Random,
        settings: Settings,
        registry: Option<RegistryClient>,
    ) -> Arc<Self> {
        let instance = format!("{:016x}", u64::from_be_bytes(random.bytes()));
        let egress_policy = settings.egress.clone();
        let decided = setting::Decided::new(&settings);
        Arc::new(Self {
            store,
            keys,
            passwords,
            clock,
            random,
            settings,
            registry,
            registry_within: OnceLock::new(),
            touches: Touches::default(),
            pulls: content::Pulls::default(),
            reading: Notify::new(),
            is_registry_away: AtomicBool::new(true),
            retaining: Notify::new(),
            purge: OnceLock::new(),
            brake_key: brake::BrakeKey::default(),
            wrongs: brake::Wrongs::default(),
            sign_ins: audit::SignIns::default(),
            written: audit::Written::default(),
            quota_watch: quota::Watch::default(),
            search_walk: search::Walk::default(),
            announced: announcement::Announced::default(),
            shelves_shown: shelf::Shown::default(),
            egress: Egress::new(egress_policy),
            telling: Notify::new(),
            last_delivery: AtomicI64::new(0),
            instance,
            decided,
        })
    }

    /// The URL under which clients reach the front door, without a slash at its end.
    pub fn public_url(&self) -> &str {
        &self.settings.public_url
    }

    /// Proxies whose `X-Forwarded-For` is believed.
    pub fn trusted_proxies(&self) -> &[Network] {
        &self.settings.trusted_proxies
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

    /// The time, in milliseconds since 1970.
    pub fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    /// Whether the store answers.
    pub async fn check(&self) -> Result<(), AppError> {
        Ok(self.store.check().await?)
    }

    /// Writes down what waits to be written, and closes the store.
    pub async fn close(&self) {
        self.flush_touches().await;
        self.flush_sign_ins().await;
        self.flush_pulls().await;
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
