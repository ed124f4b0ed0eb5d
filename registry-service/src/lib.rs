//! The content half of Portolan: blobs, manifests, tags and referrers of the OCI distribution specification, over
//! `storage`. It keeps nothing of people and believes only a signed token.

pub mod access_log;
pub mod acme;
pub mod auth;
pub mod config;
pub mod descriptor_cache;
pub mod endpoint;
pub mod health;
pub mod http;
pub mod mail;
pub mod maintenance;
pub mod metrics;
pub mod notification;
pub mod permit;
pub mod quota;
pub mod rate;
pub mod redirect;
pub mod registry;
pub mod storage;
pub mod trace;

use std::sync::Arc;

use aws_lc_rs::hmac;
use axum::Router;
use shared::runtime::clock::Clock;
use shared::runtime::serve::Readiness;
use shared::secret::Secret;

use crate::auth::Authenticator;
use crate::endpoint::Policy;
use crate::http::{OnManifestPushed, Service, UploadStates};
use crate::notification::Notifications;
use crate::registry::{DEFAULT_MAX_BLOB_SIZE, Registry};
use crate::storage::Storage;

/// Where random bytes come from.
pub type Random = Arc<dyn Fn() -> [u8; 16] + Send + Sync>;

/// A registry in the making: what must be given, and choices with their defaults.
pub struct Builder {
    /// Where content lies.
    pub storage: Storage,
    /// The time.
    pub clock: Clock,
    /// Makes ids that cannot be guessed.
    pub random: Random,
    /// `http.secret`: signs upload locations and hash states. All replicas of one registry share it.
    pub secret: Secret<Vec<u8>>,
    /// Who is let in. Default: everybody.
    pub authenticator: Authenticator,
    /// What is switched on. Default: no deletes, writing allowed.
    pub policy: Policy,
    /// How answers look. Default: relative locations.
    pub http: http::Options,
    /// Largest blob in bytes. Default: [`DEFAULT_MAX_BLOB_SIZE`].
    pub max_blob_size: u64,
    /// What manifests must keep to. Default: what the specification asks.
    pub rules: registry::Rules,
    /// Who else is told of blobs that come and go. Default: nobody.
    pub descriptors: Option<descriptor_cache::DescriptorCache>,
    /// Where clients are sent for blobs. Default: nowhere.
    pub redirects: Option<redirect::Redirects>,
    /// Whether the process should get requests; learns how the storage does. Default: one of its own.
    pub readiness: Readiness,
    /// Who is told of each manifest before its push is answered. Default: nobody.
    pub on_manifest_pushed: Option<OnManifestPushed>,
    /// Who is told of changes and reads. Default: nobody.
    pub notifications: Option<Notifications>,
    /// Who is asked before a manifest is stored under a strict quota. Default: nobody, and none is stored.
    pub permits: Option<permit::Permits>,
    /// How often holders of tokens have asked. Default: counted in this process.
    pub rates: rate::Counts,
}

/// A registry that is ready.
#[derive(Clone)]
pub struct Built {
    /// Its HTTP side: answers every path that it is given.
    pub router: Router,
    /// Its content, for maintenance.
    pub registry: Registry,
}

impl Builder {
    /// An open registry with the defaults.
    pub fn new(storage: Storage, clock: Clock, random: Random, secret: Secret<Vec<u8>>) -> Self {
        Self {
            storage,
            clock,
            random,
            secret,
            authenticator: Authenticator::Open,
            policy: Policy {
                delete_enabled: false,
                read_only: false,
            },
            http: http::Options::default(),
            max_blob_size: DEFAULT_MAX_BLOB_SIZE,
            rules: registry::Rules::default(),
            descriptors: None,
            redirects: None,
            readiness: Readiness::default(),
            on_manifest_pushed: None,
            notifications: None,
            permits: None,
            rates: rate::Counts::default(),
        }
    }

    /// Puts it together. With tokens or redirects it must be called inside a runtime, since what they need is kept
    /// current in the background.
    pub fn build(self) -> Built {
        self.authenticator.keep_current();
        if let Some(redirects) = &self.redirects {
            redirects.keep_current();
        }
        let options = registry::Options {
            max_blob_size: self.max_blob_size,
            rules: self.rules,
            descriptors: self.descriptors,
            upload_secret: derive(&self.secret, b"portolan hash states"),
            random: self.random,
        };
        let registry = Registry::new(self.storage, self.clock.clone(), options);
        http::health::watch(&self.readiness, registry.clone());
        let router = http::router(Service {
            registry: registry.clone(),
            authenticator: self.authenticator,
            policy: self.policy,
            clock: self.clock,
            upload_states: UploadStates::new(&derive(&self.secret, b"portolan upload locations")),
            options: self.http,
            redirects: self.redirects,
            on_manifest_pushed: self.on_manifest_pushed,
            notifications: self.notifications,
            quotas: quota::Ledger::default(),
            permits: self.permits,
            rates: self.rates,
        });
        Built { router, registry }
    }
}

/// A secret for one purpose, from which no other can be told.
fn derive(secret: &Secret<Vec<u8>>, purpose: &[u8]) -> Secret<Vec<u8>> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose());
    Secret::new(hmac::sign(&key, purpose).as_ref().to_vec())
}
