//! The index's configuration file: YAML, every key known, with a variable `INDEX_…` for each key.

mod known_keys;
mod raw;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use shared::network::Network;
use shared::runtime::config::{ConfigError, Faults, from_tree, load_tree, overlay};
use shared::runtime::serve::Limits as ServeLimits;
use shared::secret::Secret;

use crate::app::audit::AuditSettings;
use crate::app::organisation::OrganisationMakers;
use crate::app::rate::RateLimits;
use crate::app::sign_up::{SignUp, SignUpLimits};
use crate::app::{KeyOptions, Service};
use crate::domain::quota::QuotaDefaults;
use crate::domain::{RotationPlan, SettingKey, Site};
use crate::egress::Allowed;
use crate::password::{Limits, Parameters};
use crate::token::{MasterKey, Recipient};

use known_keys::{add_known_keys, decided, drop_empty};
use raw::Raw;

/// How long events of the audit log are kept when nobody says otherwise: 400 days.
const AUDIT_RETENTION_MS: i64 = 400 * 86_400_000;
/// How long a signing key signs when nobody says otherwise.
const KEY_ROTATION: Duration = Duration::from_hours(90 * 24);
/// How long it is published before that: registries may keep the published keys for five minutes, and the longest token
/// lives for fifteen.
const KEY_NOTICE: Duration = Duration::from_mins(20);
/// How much longer than a token of its own a retired key is published: clocks differ by a minute, and replicas learn
/// within half a minute that another key signs.
const KEY_OVERLAP: Duration = Duration::from_mins(3);

/// A checked configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where to listen.
    pub listen: SocketAddr,
    /// The URL under which clients reach the front door, without a slash at its end.
    pub public_url: String,
    /// `sqlite:///path` or `postgres://user:password@host/database`.
    pub database: Secret<String>,
    /// A folder that held signing keys before the database did; the authority's certificate is written there.
    pub keys_dir: Option<PathBuf>,
    /// What private keys are encrypted with in the database.
    pub master_key: Option<MasterKey>,
    /// How long a key signs; `None` for as long as nobody asks for another.
    pub key_rotation: Option<Duration>,
    /// How long a key is published before it signs.
    pub key_notice: Duration,
    /// The `iss` of tokens.
    pub issuer: String,
    /// How long a token is valid.
    pub lifetime: Duration,
    /// The registries that tokens are issued for; the first is the one behind our front door.
    pub services: Vec<Service>,
    /// What the registry shows when it delivers events: any of these.
    pub event_secrets: Vec<Secret<String>>,
    /// Where the registry answers; `None` when it confirms pushes in this process.
    pub registry_url: Option<String>,
    /// argon2id's parameters for new passwords.
    pub password: Parameters,
    /// How much hashing is accepted.
    pub hashing: Limits,
    /// Certificate chain and key (PEM) for HTTPS.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// What to log.
    pub log: Log,
    /// Connections and time-outs.
    pub limits: ServeLimits,
    /// A file with the first password of `admin`, made at the first start and removed when that password is changed.
    pub initial_password_file: Option<PathBuf>,
    /// Who may make organisations.
    pub organisation_makers: OrganisationMakers,
    /// Proxies whose `X-Forwarded-For` is believed; nobody's when there are none.
    pub trusted_proxies: Vec<Network>,
    /// Who may make an account for themselves.
    pub sign_up: SignUp,
    /// How many accounts people may make for themselves.
    pub sign_up_limits: SignUpLimits,
    /// A file with the public keys that GitHub signs reports of leaked secrets with.
    pub github_keys_file: Option<PathBuf>,
    /// How long a deleted repository can be restored.
    pub restore_delay: Duration,
    /// How long the audit log is kept, and where it is written besides.
    pub audit: AuditSettings,
    /// Where webhooks may be sent besides the public Internet.
    pub webhooks_allow: Vec<Allowed>,
    /// What namespaces may hold of which nothing else was decided.
    pub quotas: QuotaDefaults,
    /// How often the registry lets itself be asked.
    pub rates: RateLimits,
    /// How the site presents itself.
    pub site: Site,
    /// What is written here of that which administrators of the site may decide while it runs: it goes before what they decide.
    pub fixed: Vec<SettingKey>,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Lines of text.
    Text,
    /// One JSON object in each line.
    Json,
}

/// What to log, and how.
#[derive(Debug, Clone)]
pub struct Log {
    /// `error`, `warn`, `info`, `debug` or `trace`, also per module.
    pub level: String,
    /// How lines look.
    pub format: LogFormat,
}

impl Config {
    /// Everything at its default: one registry of our own, which calls itself as the front door is called.
    pub fn new(public_url: &str, database: Secret<String>, keys_dir: Option<PathBuf>) -> Self {
        let public_url = public_url.trim_end_matches('/').to_owned();
        let host = authority(&public_url).unwrap_or_default().to_owned();
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 5001)),
            public_url,
            database,
            keys_dir,
            master_key: None,
            key_rotation: Some(KEY_ROTATION),
            key_notice: KEY_NOTICE,
            issuer: "portolan".to_owned(),
            lifetime: Duration::from_mins(5),
            services: vec![Service {
                name: host,
                recipient: Recipient::Own,
            }],
            event_secrets: Vec::new(),
            registry_url: None,
            password: Parameters::DEFAULT,
            hashing: Limits::for_cores(cores),
            tls: None,
            log: Log {
                level: "info".to_owned(),
                format: LogFormat::Text,
            },
            limits: ServeLimits::default(),
            initial_password_file: None,
            organisation_makers: OrganisationMakers::Everyone,
            trusted_proxies: Vec::new(),
            sign_up: SignUp::Closed,
            github_keys_file: None,
            sign_up_limits: SignUpLimits::default(),
            restore_delay: Duration::from_hours(7 * 24),
            audit: AuditSettings {
                retention: Some(AUDIT_RETENTION_MS),
                sink: None,
            },
            webhooks_allow: Vec::new(),
            quotas: QuotaDefaults::default(),
            rates: RateLimits::default(),
            site: Site::default(),
            fixed: Vec::new(),
        }
    }

    /// What the keys are opened with.
    pub fn key_options(&self) -> KeyOptions {
        let ms = |time: Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        KeyOptions {
            issuer: self.issuer.clone(),
            folder: self.keys_dir.clone(),
            master: self.master_key.clone(),
            plan: RotationPlan {
                every: self.key_rotation.map(ms),
                notice: ms(self.key_notice),
                overlap: ms(self.lifetime + KEY_OVERLAP),
            },
        }
    }

    /// Reads the file, lays the variables `INDEX_…` over it and checks the whole.
    pub fn load(path: &Path, vars: impl Iterator<Item = (String, String)>) -> Result<Self, LoadError> {
        Self::from_tree(load_tree(path)?, vars, &path.display().to_string())
    }

    /// Checks a tree and the variables laid over it; `origin` names the tree in errors.
    pub fn from_tree(
        mut tree: Value,
        vars: impl Iterator<Item = (String, String)>,
        origin: &str,
    ) -> Result<Self, LoadError> {
        add_known_keys(&mut tree);
        overlay(&mut tree, "INDEX", vars)?;
        drop_empty(&mut tree);
        let fixed = decided(&tree);
        let raw: Raw = from_tree(tree, origin)?;
        Ok(Self {
            fixed,
            ..raw.check()?
        })
    }
}

/// A configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file cannot be read, or has another shape.
    #[error(transparent)]
    File(#[from] ConfigError),
    /// Values are wrong.
    #[error(transparent)]
    Values(#[from] Faults),
}

/// `host:port` of an http or https URL without path, user and query.
fn authority(url: &str) -> Option<&str> {
    let uri: http::Uri = url.parse().ok()?;
    let is_web = matches!(uri.scheme_str(), Some("http" | "https"));
    let is_bare = matches!(uri.path(), "" | "/") && uri.query().is_none();
    let authority = url.trim_end_matches('/').split_once("://")?.1;
    let is_plain =
        !authority.is_empty() && !authority.contains('@') && !uri.host().unwrap_or_default().is_empty();
    (is_web && is_bare && is_plain).then_some(authority)
}

#[cfg(test)]
mod tests;
