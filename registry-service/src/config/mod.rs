//! Distribution's `config.yml` with its `REGISTRY_…` overlay, as far as this version knows it.
//!
//! Keys that are not known are named once at start and ignored, as distribution ignores them; keys whose meaning would be
//! lost by ignoring them (another storage, another authentication, a mirror) are faults. All faults are
//! reported at once.

mod auth;
mod http;
mod known;
mod limits;
mod storage;
mod tls;

#[cfg(test)]
mod tests;

use std::path::Path;

use serde_json::Value;
use shared::runtime::config::{ConfigError, Faults, load_tree, overlay};
use shared::runtime::telemetry::Format;

pub use auth::{AuthConfig, TokenConfig};
pub use http::HttpConfig;
pub use storage::{Backend, Purging, StorageConfig};
pub use tls::TlsConfig;

use crate::storage::Durability;

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
    /// `validation`
    pub validation: ValidationConfig,
    /// Keys that are there and not known, by their full paths.
    pub ignored: Vec<String>,
}

/// `log`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogConfig {
    /// `log.level`, by default `info`: `error`, `warn`, `info` or `debug`.
    pub level: String,
    /// `log.formatter`, by default `text`: `text`, `json` or `logstash`, which is JSON here.
    pub format: Format,
}

/// `validation`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ValidationConfig {
    /// `validation.manifests.indexes.platforms`, by default `all`: `none` accepts indexes whose manifests are not there.
    pub sparse_indexes: bool,
    /// `validation.blobs.maxsize`, by default `100 GiB`: the largest blob, such as `10GiB`.
    pub max_blob_size: u64,
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
        Self::from_tree(load_tree(path)?, vars)
    }

    /// Checks a tree and the variables laid over it.
    pub fn from_tree(
        mut tree: Value,
        vars: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, InvalidConfig> {
        overlay(&mut tree, "REGISTRY", vars.filter(is_setting))?;
        let mut faults = Faults::new();
        check_version(&mut faults, &tree);
        let mut ignored = known::unknown_keys(&tree);
        ignored.sort();
        let root = Section::root(&tree);
        let storage = StorageConfig::check(&mut faults, &root);
        let config = Self {
            log: log(&mut faults, &root),
            auth: AuthConfig::check(&mut faults, &root, &storage),
            http: HttpConfig::check(&mut faults, &root),
            validation: validation(&mut faults, &root),
            storage,
            ignored,
        };
        if root.get("proxy.remoteurl").is_some() {
            faults.push("proxy", "no mirror: this version has none", "proxy.remoteurl");
        }
        faults.into_result(config).map_err(InvalidConfig::Faults)
    }
}

impl Config {
    /// What is allowed and yet should be known to whoever runs this, one sentence each.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings: Vec<String> = self
            .ignored
            .iter()
            .map(|key| format!("{key}: this version does not know the key and ignores it"))
            .collect();
        if let Some(tls) = &self.http.tls {
            warnings.extend(tls.warnings.iter().cloned());
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

/// Kubernetes gives every container variables about its services, such as `REGISTRY_PORT=tcp://…`; a service that is called
/// `registry` must not configure us.
fn is_setting((name, value): &(String, String)) -> bool {
    let is_link = value.starts_with("tcp://") || value.starts_with("udp://");
    let is_service = name.ends_with("_SERVICE_HOST") || name.contains("_SERVICE_PORT");
    name != "REGISTRY_CONFIGURATION_PATH" && !is_link && !is_service
}

fn check_version(faults: &mut Faults, tree: &Value) {
    match tree.get("version") {
        Some(Value::Number(number)) if number.as_f64() == Some(0.1) => {}
        Some(Value::String(text)) if text == "0.1" => {}
        found => faults.push("version", "0.1", found.unwrap_or(&Value::Null)),
    }
}

fn log(faults: &mut Faults, root: &Section<'_>) -> LogConfig {
    let level = root
        .text(faults, "log.level")
        .or_else(|| root.text(faults, "loglevel"));
    let level = level.map_or("info".to_owned(), |level| level.to_lowercase());
    if !["error", "warn", "info", "debug"].contains(&level.as_str()) {
        faults.push("log.level", "error, warn, info or debug", &level);
    }
    let format = match root.text(faults, "log.formatter").as_deref() {
        None | Some("text") => Format::Text,
        Some("json" | "logstash") => Format::Json,
        Some(other) => {
            faults.push("log.formatter", "text, json or logstash", other);
            Format::Text
        }
    };
    LogConfig { level, format }
}

fn validation(faults: &mut Faults, root: &Section<'_>) -> ValidationConfig {
    let platforms = root.text(faults, "validation.manifests.indexes.platforms");
    let sparse_indexes = match platforms.as_deref() {
        None | Some("all") => false,
        Some("none") => true,
        Some(other) => {
            faults.push("validation.manifests.indexes.platforms", "all or none", other);
            false
        }
    };
    let size = root.text(faults, "validation.blobs.maxsize");
    let size = size.and_then(|text| {
        let parsed = text.parse::<shared::runtime::config::ByteSize>();
        faults.check("validation.blobs.maxsize", "a size such as 10GiB", parsed)
    });
    ValidationConfig {
        sparse_indexes,
        max_blob_size: size.map_or(crate::registry::DEFAULT_MAX_BLOB_SIZE, |size| size.0),
    }
}

/// The tree, asked by full paths.
struct Section<'a>(&'a Value);

impl<'a> Section<'a> {
    fn root(tree: &'a Value) -> Self {
        Self(tree)
    }

    /// What stands at a path; `null` is nothing.
    fn get(&self, path: &str) -> Option<&'a Value> {
        let mut node = self.0;
        for key in path.split('.') {
            node = node.get(key)?;
        }
        Some(node).filter(|node| !node.is_null())
    }

    /// A text; numbers and booleans as they are written, since YAML reads `5000` and `on` so.
    fn text(&self, faults: &mut Faults, path: &str) -> Option<String> {
        match self.get(path)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(value) => Some(value.to_string()),
            Value::Null => None,
            Value::Array(_) | Value::Object(_) => {
                faults.push(path, "a text", "a list or map");
                None
            }
        }
    }

    /// A text that is not empty.
    fn required(&self, faults: &mut Faults, path: &str) -> String {
        let text = self.text(faults, path).filter(|text| !text.is_empty());
        text.unwrap_or_else(|| {
            faults.push(path, "a text that is not empty", "nothing");
            String::new()
        })
    }

    /// A switch; also as text, as distribution reads it.
    fn switch(&self, faults: &mut Faults, path: &str, default: bool) -> bool {
        match self.get(path) {
            None => default,
            Some(Value::Bool(value)) => *value,
            Some(Value::String(text)) if text == "true" => true,
            Some(Value::String(text)) if text == "false" => false,
            Some(_) => {
                faults.push(path, "true or false", "something else");
                default
            }
        }
    }

    fn duration(&self, faults: &mut Faults, path: &str, default: std::time::Duration) -> std::time::Duration {
        let Some(text) = self.text(faults, path) else {
            return default;
        };
        let parsed = text.parse::<shared::runtime::config::GoDuration>();
        faults
            .check(path, "a duration such as 30s", parsed)
            .map_or(default, |duration| duration.0)
    }
}
