//! The index's configuration file: YAML, every key known, with a variable `INDEX_…` for each key.

mod raw;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use shared::runtime::config::{ConfigError, Faults, from_tree, load_tree, overlay};
use shared::runtime::serve::Limits as ServeLimits;
use shared::secret::Secret;

use crate::app::Service;
use crate::password::{Limits, Parameters};
use crate::token::Recipient;

use raw::{Raw, add_known_keys, drop_empty};

/// A checked configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where to listen.
    pub listen: SocketAddr,
    /// The URL under which clients reach the front door, without a slash at its end.
    pub public_url: String,
    /// `sqlite:///path` or `postgres://user:password@host/database`.
    pub database: Secret<String>,
    /// The folder of the signing keys.
    pub keys_dir: PathBuf,
    /// The `iss` of tokens.
    pub issuer: String,
    /// How long a token is valid.
    pub lifetime: Duration,
    /// The registries that tokens are issued for; the first is the one behind our front door.
    pub services: Vec<Service>,
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
    pub fn new(public_url: &str, database: Secret<String>, keys_dir: PathBuf) -> Self {
        let public_url = public_url.trim_end_matches('/').to_owned();
        let host = authority(&public_url).unwrap_or_default().to_owned();
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 5001)),
            public_url,
            database,
            keys_dir,
            issuer: "portolan".to_owned(),
            lifetime: Duration::from_mins(5),
            services: vec![Service {
                name: host,
                recipient: Recipient::Own,
            }],
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
        let raw: Raw = from_tree(tree, origin)?;
        Ok(raw.check()?)
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
