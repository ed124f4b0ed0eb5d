//! The use cases over a database in memory, for tests.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use shared::runtime::clock::{Clock, ClockHandle};

use super::organisation::OrganisationMakers;
use super::sign_up::{SignUp, SignUpLimits};
use super::{App, KeyOptions, Keys, Service, Settings, TokenSettings};
use crate::password::{Limits, Parameters, Passwords};
use crate::random::Random;
use crate::registry_client::RegistryClient;
use crate::store::Store;
use crate::token::Recipient;

/// When the clock of a [`Fixture`] begins, in milliseconds since 1970.
pub(crate) const NOW_MS: i64 = 1_800_000_000_000;

/// An [`App`] and what its tests reach for.
pub(crate) struct Fixture {
    /// The use cases.
    pub(crate) app: Arc<App>,
    /// Their store.
    pub(crate) store: Store,
    /// Their clock.
    pub(crate) clock: ClockHandle,
    folder: tempfile::TempDir,
}

impl Fixture {
    /// With a database in memory.
    pub(crate) async fn new() -> Self {
        Self::over(Store::open("sqlite::memory:").await.unwrap())
    }

    /// Over a store.
    pub(crate) fn over(store: Store) -> Self {
        Self::build(store, None, |_| {})
    }

    /// Over a store, asking a registry, with settings of the test's own.
    pub(crate) fn build(
        store: Store,
        registry: Option<RegistryClient>,
        edit: impl FnOnce(&mut Settings),
    ) -> Self {
        let (clock, handle) = Clock::fixed(NOW_MS);
        let keys = Keys::standing(&clock, &Random::system());
        Self::assemble(store, registry, keys, (clock, handle), edit)
    }

    /// Over a store and the keys in it.
    pub(crate) async fn with_keys(store: Store, options: KeyOptions) -> Self {
        let (clock, handle) = Clock::fixed(NOW_MS);
        let keys = Keys::open(&store, options, &clock, &Random::system())
            .await
            .unwrap();
        Self::assemble(store, None, keys, (clock, handle), |_| {})
    }

    fn assemble(
        store: Store,
        registry: Option<RegistryClient>,
        keys: Keys,
        (clock, handle): (Clock, ClockHandle),
        edit: impl FnOnce(&mut Settings),
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let random = Random::system();
        let limits = Limits {
            threads: 1,
            queue: 64,
            wait: Duration::from_mins(1),
        };
        let parameters = Parameters::new(8, 1, 1).unwrap();
        let passwords = Passwords::new(parameters, limits, clock.clone(), random.clone()).unwrap();
        let mut settings = Settings {
            public_url: "http://localhost:5000".to_owned(),
            token: TokenSettings {
                lifetime_s: 300,
                services: vec![Service {
                    name: "localhost:5000".to_owned(),
                    recipient: Recipient::Own,
                }],
            },
            audit: crate::app::audit::AuditSettings::default(),
            initial_password_file: Some(folder.path().join("initial-admin-password")),
            organisation_makers: OrganisationMakers::Everyone,
            trusted_proxies: Vec::new(),
            sign_up: SignUp::Closed,
            github_keys_file: None,
            sign_up_limits: SignUpLimits::default(),
            restore_delay_ms: 7 * 86_400_000,
            rates: crate::app::rate::RateLimits::default(),
            quotas: crate::domain::quota::QuotaDefaults::default(),
            event_secrets: vec![shared::secret::Secret::new("the registry's secret".to_owned())],
            egress: crate::egress::EgressPolicy::default(),
            site: crate::domain::Site::default(),
            fixed: Vec::new(),
        };
        edit(&mut settings);
        Self {
            app: App::new(store.clone(), keys, passwords, clock, random, settings, registry),
            store,
            clock: handle,
            folder,
        }
    }

    /// Where the first password of `admin` is kept.
    pub(crate) fn initial_password_file(&self) -> PathBuf {
        self.folder.path().join("initial-admin-password")
    }
}
