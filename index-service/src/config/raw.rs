//! The configuration as it is written, and its checks: the comments here are the keys' description.

use std::path::PathBuf;

use serde::Deserialize;
use serde_json::Value;
use shared::runtime::config::{Faults, GoDuration, secret};
use shared::secret::Secret;

use super::{Config, LogFormat, authority};
use crate::app::Service;
use crate::password::Parameters;
use crate::token::Recipient;

/// How long a token may be valid, in seconds.
const LIFETIMES_S: std::ops::RangeInclusive<u64> = 60..=900;

/// The file as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    /// Address and port to listen on. Default: `127.0.0.1:5001`.
    listen: Option<String>,
    /// The URL under which clients reach the front door: tokens' realm and the host in pages. Required.
    public_url: Option<String>,
    /// `sqlite:///path` or `postgres://user:password@host/database`. Required, here or as `database_file`.
    database: Option<Secret<String>>,
    /// A file that holds the database's URL.
    database_file: Option<PathBuf>,
    /// The folder of the signing keys; made at the first start. Required.
    keys_dir: Option<PathBuf>,
    /// Where the first password of `admin` is kept until it is changed. Default: `initial-admin-password` in `keys_dir`.
    initial_password_file: Option<PathBuf>,
    #[serde(default)]
    token: RawToken,
    #[serde(default)]
    registry: RawRegistry,
    /// Further registries that tokens are issued for.
    #[serde(default)]
    services: Vec<RawService>,
    #[serde(default)]
    password: RawPassword,
    #[serde(default)]
    tls: RawTls,
    #[serde(default)]
    log: RawLog,
    #[serde(default)]
    limits: RawLimits,
}

/// `token`: registry tokens.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawToken {
    /// The `iss` of tokens; registries are configured with the same. Default: `portolan`.
    issuer: Option<String>,
    /// How long a token is valid, `60s` to `15m`. Default: `5m`.
    lifetime: Option<GoDuration>,
}

/// `registry`: the registry behind the same front door.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRegistry {
    /// Where it answers, seen from here. Default: none, and first pushes are not noticed.
    url: Option<String>,
    /// What it calls itself in its challenge. Default: host and port of `public_url`.
    service: Option<String>,
}

/// An item of `services`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawService {
    /// What the registry calls itself in its challenge.
    name: String,
    /// Whether it is a stock distribution that trusts our certificate authority. Default: false.
    #[serde(default)]
    foreign: bool,
}

/// `password`: argon2id's parameters for new passwords, and how much hashing is accepted.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPassword {
    /// Memory in KiB, at most 65536. Default: 19456.
    memory_kib: Option<u32>,
    /// Passes, 1 to 16. Default: 2.
    iterations: Option<u32>,
    /// Lanes, 1 to 4. Default: 1.
    parallelism: Option<u32>,
    /// Threads that hash, 1 to 8. Default: one for each core.
    threads: Option<usize>,
    /// Logins that may wait for a thread. Default: 64.
    queue: Option<usize>,
}

/// `tls`: HTTPS without a proxy. Both keys or none.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTls {
    /// Certificate chain (PEM).
    certificate: Option<PathBuf>,
    /// Its private key (PEM, readable by its owner alone).
    key: Option<PathBuf>,
}

/// `log`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLog {
    /// `error`, `warn`, `info`, `debug` or `trace`, also per module. Default: `info`.
    level: Option<String>,
    /// `text` or `json`. Default: `text`.
    format: Option<LogFormat>,
}

/// `limits`: what one process and one client may take.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLimits {
    /// Connections held at once. Default: 8192, less where the limit on open files asks for it.
    max_connections: Option<usize>,
    /// Connections held at once from one address. Default: 256; behind a load balancer `max_connections`.
    max_connections_per_address: Option<usize>,
    /// Time for requests in flight to finish at shutdown. Default: `60s`.
    drain: Option<GoDuration>,
    /// Time between going unready and no longer accepting. Default: `0s`.
    drain_delay: Option<GoDuration>,
}

impl Raw {
    pub(super) fn check(self) -> Result<Config, Faults> {
        let mut faults = Faults::new();
        let public_url = self.public_url.unwrap_or_default();
        if authority(&public_url).is_none() {
            faults.push(
                "public_url",
                "a URL such as https://registry.example.com, without a path",
                if public_url.is_empty() {
                    "nothing"
                } else {
                    &public_url
                },
            );
        }
        let database = secret(
            &mut faults,
            "database",
            self.database,
            self.database_file.as_deref(),
        );
        let missing_database = database.is_none() && self.database_file.is_none();
        let expected = "sqlite:///path or postgres://…";
        if missing_database {
            faults.push("database", expected, "nothing");
        }
        // It holds a password: it is not shown.
        if database.as_ref().is_some_and(|url| !is_database(url.expose())) {
            faults.push(
                "database",
                expected,
                "something else (not shown: it may hold a password)",
            );
        }
        let keys_dir = self.keys_dir.unwrap_or_default();
        if keys_dir.as_os_str().is_empty() {
            faults.push("keys_dir", "a folder for the signing keys", "nothing");
        }
        let mut config = Config::new(
            &public_url,
            database.unwrap_or_else(|| Secret::new(String::new())),
            keys_dir,
        );
        config.initial_password_file = Some(
            self.initial_password_file
                .unwrap_or_else(|| config.keys_dir.join("initial-admin-password")),
        );
        if let Some(listen) = self.listen
            && let Some(listen) = faults.check(
                "listen",
                "an address and a port such as 127.0.0.1:5001",
                listen.parse(),
            )
        {
            config.listen = listen;
        }
        check_tokens(&mut config, &mut faults, self.token);
        check_services(&mut config, &mut faults, self.registry, self.services);
        check_password(&mut config, &mut faults, &self.password);
        config.tls = match (self.tls.certificate, self.tls.key) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (None, None) => None,
            _ => {
                faults.push("tls", "both certificate and key", "one of them");
                None
            }
        };
        if let Some(level) = self.log.level {
            config.log.level = level;
        }
        if let Some(format) = self.log.format {
            config.log.format = format;
        }
        let limits = &mut config.limits;
        if let Some(count) = self.limits.max_connections {
            limits.max_connections = count.max(1);
        }
        if let Some(count) = self.limits.max_connections_per_address {
            limits.max_connections_per_address = count.max(1);
        }
        if let Some(time) = self.limits.drain {
            limits.drain = time.into();
        }
        if let Some(time) = self.limits.drain_delay {
            limits.drain_delay = time.into();
        }
        faults.into_result(config)
    }
}

fn check_tokens(config: &mut Config, faults: &mut Faults, raw: RawToken) {
    if let Some(issuer) = raw.issuer {
        if issuer.is_empty() || issuer.len() > 255 {
            faults.push("token.issuer", "1 to 255 characters", &issuer);
        }
        config.issuer = issuer;
    }
    if let Some(lifetime) = raw.lifetime {
        config.lifetime = lifetime.into();
        if !LIFETIMES_S.contains(&config.lifetime.as_secs()) {
            faults.push("token.lifetime", "60s to 15m", format!("{:?}", config.lifetime));
        }
    }
}

fn check_services(config: &mut Config, faults: &mut Faults, registry: RawRegistry, more: Vec<RawService>) {
    if let (Some(service), Some(own)) = (registry.service, config.services.first_mut()) {
        own.name = service;
    }
    for RawService { name, foreign } in more {
        let recipient = if foreign {
            Recipient::Foreign
        } else {
            Recipient::Own
        };
        // The front door's own registry may be named again to say that it is a stock one.
        match config.services.iter_mut().find(|known| known.name == name) {
            Some(known) => known.recipient = recipient,
            None => config.services.push(Service { name, recipient }),
        }
    }
    for service in &config.services {
        // It stands in a quoted string of a header and in the claims of every token.
        if service.name.is_empty()
            || service.name.len() > 255
            || !service.name.bytes().all(|b| b.is_ascii_graphic())
        {
            faults.push(
                "services",
                "names of 1 to 255 visible characters",
                format!("{:?}", service.name),
            );
        }
    }
    if let Some(url) = registry.url {
        if authority(&url).is_none() {
            faults.push(
                "registry.url",
                "a URL such as http://127.0.0.1:5000, without a path",
                &url,
            );
        }
        config.registry_url = Some(url.trim_end_matches('/').to_owned());
    }
}

fn check_password(config: &mut Config, faults: &mut Faults, raw: &RawPassword) {
    let checked = Parameters::new(
        raw.memory_kib.unwrap_or(19_456),
        raw.iterations.unwrap_or(2),
        raw.parallelism.unwrap_or(1),
    );
    if let Some(parameters) = faults.check("password", "parameters of argon2id", checked) {
        config.password = parameters;
    }
    if let Some(threads) = raw.threads {
        config.hashing.threads = threads;
        if !(1..=8).contains(&threads) {
            faults.push("password.threads", "1 to 8", threads);
        }
    }
    if let Some(queue) = raw.queue {
        config.hashing.queue = queue;
        if queue > 1024 {
            faults.push("password.queue", "0 to 1024", queue);
        }
    }
}

/// The keys that variables are matched against: with them in the tree, `INDEX_PUBLIC_URL` is `public_url` and not
/// `public.url`.
pub(super) const KNOWN_KEYS: [(&str, &[&str]); 8] = [
    (
        "",
        &[
            "listen",
            "public_url",
            "database",
            "database_file",
            "keys_dir",
            "initial_password_file",
        ],
    ),
    ("token", &["issuer", "lifetime"]),
    ("registry", &["url", "service"]),
    ("services", &[]),
    (
        "password",
        &["memory_kib", "iterations", "parallelism", "threads", "queue"],
    ),
    ("tls", &["certificate", "key"]),
    ("log", &["level", "format"]),
    (
        "limits",
        &[
            "max_connections",
            "max_connections_per_address",
            "drain",
            "drain_delay",
        ],
    ),
];

pub(super) fn add_known_keys(tree: &mut Value) {
    let Some(root) = tree.as_object_mut() else { return };
    for (section, keys) in KNOWN_KEYS {
        let map = match section {
            "" => &mut *root,
            "services" => {
                root.entry(section).or_insert_with(|| Value::Array(Vec::new()));
                continue;
            }
            _ => {
                let node = root.entry(section).or_insert(Value::Null);
                if node.is_null() {
                    *node = Value::Object(serde_json::Map::new());
                }
                let Some(map) = node.as_object_mut() else { continue };
                map
            }
        };
        for key in keys {
            map.entry(*key).or_insert(Value::Null);
        }
    }
}

/// An empty value, as of a variable that is set to nothing, is as good as none.
pub(super) fn drop_empty(node: &mut Value) {
    if let Value::Object(map) = node {
        map.retain(|_, value| !matches!(value, Value::String(text) if text.is_empty()));
        map.values_mut().for_each(drop_empty);
    }
}

/// Whether a store can be at this address, as far as its scheme goes.
fn is_database(url: &str) -> bool {
    ["sqlite:", "postgres://", "postgresql://"]
        .iter()
        .any(|scheme| url.starts_with(scheme))
}
