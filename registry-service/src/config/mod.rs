//! Distribution's `config.yml` with its `REGISTRY_…` overlay, as far as this version knows it.
//!
//! Keys that are not known are named once at start and ignored, as distribution ignores them; keys whose meaning would be
//! lost by ignoring them (another storage, another authentication, a mirror) are faults. All faults are
//! reported at once.

mod auth;
mod auth_policy;
mod cloud;
mod debug;
mod effective;
mod health;
mod http;
pub mod key;
mod legacy;
mod limits;
mod log;
mod middleware;
mod notifications;
mod overlay;
mod proxy;
mod redis;
mod reference;
mod section;
mod shape;
mod storage;
mod tls;
mod validation;

#[cfg(test)]
mod tests;

use std::path::Path;

use shared::runtime::config::{ConfigError, Faults, Node, load_nodes, parse_nodes};

pub use auth::{AuthConfig, ChainConfig, TokenConfig};
pub use debug::DebugConfig;
pub use http::HttpConfig;
pub use log::LogConfig;
pub use notifications::NotificationsConfig;
pub use redis::RedisConfig;
pub use reference::reference;
pub use storage::{Backend, Purging, StorageConfig};
pub use tls::{TlsConfig, TlsSource};
pub use validation::ValidationConfig;

use key::Key;
use section::Section;
use shape::{Remarks, Shape};

use crate::storage::Durability;

/// The key that must stand in every file.
const VERSION: &[Key] = &[key::key(
    "version",
    key::Kind::Text,
    "",
    "Required: `0.1`, whatever the version of the registry.",
)];

/// All keys, in the order of the reference.
const TABLES: [&[Key]; 17] = [
    VERSION,
    log::KEYS,
    storage::KEYS,
    cloud::KEYS,
    auth::KEYS,
    auth_policy::KEYS,
    http::KEYS,
    tls::KEYS,
    debug::KEYS,
    limits::KEYS,
    health::KEYS,
    validation::KEYS,
    middleware::KEYS,
    notifications::KEYS,
    redis::KEYS,
    proxy::KEYS,
    legacy::KEYS,
];

/// A configuration that was checked.
#[derive(Debug)]
pub struct Config {
    /// `log`
    pub log: LogConfig,
    /// `storage`
    pub storage: StorageConfig,
    /// `auth`
    pub auth: AuthConfig,
    /// `http`
    pub http: HttpConfig,
    /// `http.debug`
    pub debug: Option<DebugConfig>,
    /// `health`
    pub health: Vec<crate::health::Check>,
    /// `notifications`
    pub notifications: NotificationsConfig,
    /// `validation`
    pub validation: ValidationConfig,
    /// `middleware.storage`: where clients are sent for blobs; empty with `storage.redirect.disable`.
    pub redirects: Vec<crate::redirect::Choice>,
    /// `redis`; asked for by `storage.cache` alone.
    pub redis: Option<RedisConfig>,
    /// Keys that are there and not known, by their full paths.
    pub ignored: Vec<String>,
    /// Keys that are there and have no effect in this version, by their full paths.
    pub without_effect: Vec<String>,
    /// More that should be known, one sentence each.
    remarks: Vec<String>,
    /// Each key that holds a value, where it came from, and the value unless it is secret.
    pub effective: Vec<effective::Value>,
}

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum InvalidConfig {
    /// It cannot be read.
    #[error(transparent)]
    Load(#[from] ConfigError),
    /// Everything that is wrong with it.
    #[error("{0}")]
    Faults(Faults),
}

impl Config {
    /// Reads a file and the variables laid over it.
    pub fn load(path: &Path, vars: impl Iterator<Item = (String, String)>) -> Result<Self, InvalidConfig> {
        Self::from_nodes(load_nodes(path)?, vars)
    }

    /// Reads a text and the variables laid over it; `origin` names the text.
    pub fn parse(
        text: &str,
        origin: &str,
        vars: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, InvalidConfig> {
        Self::from_nodes(parse_nodes(text, origin)?, vars)
    }

    /// Checks a tree and the variables laid over it.
    pub fn from_nodes(
        mut tree: Node,
        vars: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, InvalidConfig> {
        let shape = Shape::of(&TABLES);
        let mut remarks = Vec::new();
        let merges = |path: &str| shape.find(path).is_some_and(|at| !at.is_open()) && !in_go_map(path);
        tree.settle("", &merges, &mut |path, origin| {
            remarks.push(format!("{path} is written twice: what stands at {origin} counts"));
        });
        remarks.extend(overlay::lay(&mut tree, &shape, vars)?);
        let mut faults = Faults::new();
        let mut found = Remarks::default();
        shape.check(&mut faults, &mut found, &tree, "");
        found.unknown.sort();
        let root = Section::root(&shape, &tree);
        check_version(&mut faults, &root);
        let storage = StorageConfig::check(&mut faults, &root);
        let (redirects, said) = middleware::check(&mut faults, &root);
        remarks.extend(said);
        proxy::check(&mut faults, &root);
        let config = Self {
            log: LogConfig::check(&mut faults, &root),
            auth: AuthConfig::check(&mut faults, &root, &storage),
            http: HttpConfig::check(&mut faults, &root),
            debug: DebugConfig::check(&mut faults, &root),
            health: health::check(&mut faults, &root, &storage),
            notifications: NotificationsConfig::check(&mut faults, &root),
            validation: ValidationConfig::check(&mut faults, &root),
            redis: redis(&mut faults, &root, &storage),
            storage,
            redirects,
            ignored: found.unknown,
            without_effect: found.not_yet,
            remarks,
            effective: effective::values(&shape, &tree),
        };
        faults.into_result(config).map_err(InvalidConfig::Faults)
    }

    /// What is allowed and yet should be known to whoever runs this, one sentence each.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = self.remarks.clone();
        if let Some(tls) = &self.http.tls {
            warnings.extend(tls.warnings.iter().cloned());
        }
        for key in &self.ignored {
            warnings.push(format!(
                "{key}: this version does not know the key and ignores it"
            ));
        }
        if !self.without_effect.is_empty() {
            let keys = self.without_effect.join(", ");
            warnings.push(format!("this version does not act on {keys}"));
        }
        if let Backend::Filesystem {
            durability: Durability::None,
            ..
        } = self.storage.backend
        {
            let warning = "storage.filesystem.durability is none: a power cut loses pushes and deletes that were acknowledged";
            warnings.push(warning.to_owned());
        }
        warnings
    }
}

/// Whether distribution keeps a path in a map, whose values a second writing replaces.
fn in_go_map(path: &str) -> bool {
    ["storage", "auth"]
        .iter()
        .any(|map| path == *map || path.strip_prefix(map).is_some_and(|rest| rest.starts_with('.')))
}

fn redis(faults: &mut Faults, root: &Section<'_>, storage: &StorageConfig) -> Option<RedisConfig> {
    let redis = RedisConfig::check(faults, root);
    if storage.cache_in_redis && redis.is_none() {
        faults.push(
            "redis",
            "where redis is, since storage.cache asks for it",
            "nothing",
        );
    }
    redis
}

fn check_version(faults: &mut Faults, root: &Section<'_>) {
    if root.word("version").as_deref() != Some("0.1") {
        root.refuse(faults, "version", "0.1");
    }
}
