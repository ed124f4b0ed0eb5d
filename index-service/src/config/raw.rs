//! The configuration as it is written, and its checks: the comments here are the keys' description.

mod check;

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use shared::runtime::config::{Faults, GoDuration, secret};
use shared::secret::Secret;

use super::{Config, LogFormat, authority};
use crate::app::audit::AuditSink;
use crate::app::organisation::OrganisationMakers;
use crate::app::setting::LONGEST_RESTORE;
use crate::app::sign_up::SignUp;
use crate::token::MasterKey;
use check::{check_password, check_quotas, check_rates, check_services, check_site, check_tokens};

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
    /// A folder for `ca.pem`, the certificate that vouches for the signing keys. Keys that an older version left there are
    /// taken into the database. Default: none.
    keys_dir: Option<PathBuf>,
    /// 32 random bytes, in base64 or hexadecimal, that private keys are encrypted with in the database. Default: none.
    master_key: Option<Secret<String>>,
    /// A file that holds the master key.
    master_key_file: Option<PathBuf>,
    /// Where the first password of `admin` is kept until it is changed. Default: `initial-admin-password` in `keys_dir`;
    /// without that it is required.
    initial_password_file: Option<PathBuf>,
    /// Proxies whose `X-Forwarded-For` is believed: a list of addresses and ranges such as `10.0.0.0/8`. Default: none.
    #[serde(default)]
    trusted_proxies: Option<Vec<String>>,
    /// Who may make an account for themselves: `open` (everybody), `invitation` (with one of an administrator) or `closed`
    /// (nobody). Default: `closed`.
    sign_up: Option<SignUp>,
    #[serde(default)]
    site: RawSite,
    #[serde(default)]
    sign_up_limits: RawSignUpLimits,
    #[serde(default)]
    audit: RawAudit,
    #[serde(default)]
    leaks: RawLeaks,
    #[serde(default)]
    organisations: RawOrganisations,
    #[serde(default)]
    repositories: RawRepositories,
    #[serde(default)]
    webhooks: RawWebhooks,
    #[serde(default)]
    quotas: RawQuotas,
    #[serde(default)]
    rate_limits: RawRateLimits,
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

/// `site`: how it presents itself.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSite {
    /// What it is called on its pages, at most 40 characters. Default: `Portolan`.
    name: Option<String>,
    /// What visitors read first: plain text of at most 500 characters. Default: what Portolan says of itself.
    greeting: Option<String>,
}

/// `sign_up_limits`: accounts that people make for themselves within an hour; 0 for as many as they like. Those that an
/// administrator makes or invites are not counted.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSignUpLimits {
    /// From one network (/24, or /56). Default: 20.
    per_network: Option<u32>,
    /// From everywhere. Default: 500.
    site: Option<u32>,
}

/// `leaks`: reports of leaked secrets.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLeaks {
    /// A file with the public keys that GitHub signs reports with, as it publishes them; reports in its form are then refused
    /// without its signature. Default: none, and they need no signature.
    github_keys_file: Option<PathBuf>,
}

/// `organisations`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawOrganisations {
    /// Who may make organisations: `everyone` or `admins`. Default: `everyone`.
    create: Option<OrganisationMakers>,
}

/// `repositories`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRepositories {
    /// How long a deleted repository can be restored, `0s` to `2160h`. Default: `168h`.
    restore_delay: Option<GoDuration>,
}

/// `quotas`: what a namespace may hold of which nothing else was decided. Bytes may be written with a unit: `5GB`, `5GiB`; `unlimited`
/// is no limit.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawQuotas {
    /// Bytes of its repositories together: what they share counts for each. Default: no limit.
    bytes: Option<RawAmount>,
    /// Bytes, what its repositories share counted once. Default: no limit.
    storage_bytes: Option<RawAmount>,
    /// Repositories. Default: no limit.
    repositories: Option<RawAmount>,
    /// Tags of all its repositories. Default: no limit.
    tags: Option<RawAmount>,
    /// From how many percent on clients are warned, and the audit log tells, 1 to 100. Default: 80.
    warn_percent: Option<u8>,
    /// Whether the registry asks the index before each manifest, so that no limit is passed at all. Default: false.
    strict: Option<bool>,
}

/// `rate_limits`: how often the registry lets itself be asked, written as a number and a time: `100/6h`. A pull is a manifest
/// of an image that is fetched.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRateLimits {
    /// Pulls of those who show nothing, from one address of IPv4 or one /64 of IPv6. Default: no limit.
    pulls_anonymous: Option<String>,
    /// Pulls of an account, or of a robot. Default: no limit.
    pulls_account: Option<String>,
    /// Pulls with one access token, besides. Default: no limit.
    pulls_token: Option<String>,
    /// Requests of those who show nothing. Default: no limit.
    requests_anonymous: Option<String>,
    /// Requests of an account, or of a robot. Default: no limit.
    requests_account: Option<String>,
    /// Requests with one access token, besides. Default: no limit.
    requests_token: Option<String>,
}

/// A number, or a text with a unit.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum RawAmount {
    Number(u64),
    Text(String),
}

/// `audit`: the audit log.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAudit {
    /// How long events are kept; whole months go. `0` for ever. Default: `9600h`.
    retention: Option<GoDuration>,
    /// Where each event is also written as a line of JSON: `stdout`, or a file. Default: nowhere.
    sink: Option<String>,
}

/// `webhooks`: where they may be sent.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawWebhooks {
    /// Where webhooks may be sent besides the public Internet: a list of addresses, ranges such as `10.0.0.0/8`, and names
    /// such as `ci.example.com` or `.example.com`. Default: none.
    #[serde(default)]
    allow: Option<Vec<String>>,
}

/// `token`: registry tokens.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawToken {
    /// The `iss` of tokens; registries are configured with the same. Default: `portolan`.
    issuer: Option<String>,
    /// How long a token is valid, `60s` to `15m`. Default: `5m`.
    lifetime: Option<GoDuration>,
    /// How long a key signs before the next takes its turn, at least `1h`; `0` for ever. Default: `2160h`.
    key_rotation: Option<GoDuration>,
    /// How long a key is published before it signs, `30s` to `24h`. Default: `20m`.
    key_notice: Option<GoDuration>,
}

/// `registry`: the registry behind the same front door.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRegistry {
    /// Where it answers, seen from here. Default: none, and first pushes are not noticed.
    url: Option<String>,
    /// What it calls itself in its challenge. Default: host and port of `public_url`.
    service: Option<String>,
    /// What it shows when it delivers events, as `Authorization: Bearer …`: at least 32 characters without spaces; several,
    /// separated by spaces, while one replaces another. Default: none, and no events are taken.
    events_secret: Option<Secret<String>>,
    /// A file that holds it.
    events_secret_file: Option<PathBuf>,
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
        let keys_dir = self.keys_dir;
        let master = secret(
            &mut faults,
            "master_key",
            self.master_key,
            self.master_key_file.as_deref(),
        );
        let mut config = Config::new(
            &public_url,
            database.unwrap_or_else(|| Secret::new(String::new())),
            keys_dir,
        );
        if let Some(master) = master {
            config.master_key = faults.check("master_key", "32 bytes", MasterKey::parse(&master));
        }
        let beside_keys = || Some(config.keys_dir.as_ref()?.join("initial-admin-password"));
        config.initial_password_file = self.initial_password_file.or_else(beside_keys);
        if config.initial_password_file.is_none() {
            faults.push(
                "initial_password_file",
                "a file for the first password of admin, or keys_dir",
                "neither",
            );
        }
        if let Some(listen) = self.listen
            && let Some(listen) = faults.check(
                "listen",
                "an address and a port such as 127.0.0.1:5001",
                listen.parse(),
            )
        {
            config.listen = listen;
        }
        config.sign_up = self.sign_up.unwrap_or_default();
        let limits = &mut config.sign_up_limits;
        limits.per_network = self.sign_up_limits.per_network.unwrap_or(limits.per_network);
        limits.site = self.sign_up_limits.site.unwrap_or(limits.site);
        if let Some(retention) = self.audit.retention {
            let retention: Duration = retention.into();
            let ms = i64::try_from(retention.as_millis()).unwrap_or(i64::MAX);
            config.audit.retention = (ms > 0).then_some(ms);
        }
        config.audit.sink = self.audit.sink.map(|word| match word.as_str() {
            "stdout" => AuditSink::Stdout,
            _ => AuditSink::File(word.into()),
        });
        config.github_keys_file = self.leaks.github_keys_file;
        config.organisation_makers = self.organisations.create.unwrap_or_default();
        for text in self.trusted_proxies.unwrap_or_default() {
            let expected = "addresses and ranges such as 10.0.0.0/8";
            if let Some(network) = faults.check("trusted_proxies", expected, text.parse()) {
                config.trusted_proxies.push(network);
            }
        }
        for text in self.webhooks.allow.unwrap_or_default() {
            let expected = "addresses, ranges such as 10.0.0.0/8, and names such as ci.example.com";
            if let Some(allowed) = faults.check("webhooks.allow", expected, text.parse()) {
                config.webhooks_allow.push(allowed);
            }
        }
        if let Some(delay) = self.repositories.restore_delay {
            config.restore_delay = delay.into();
            if config.restore_delay > LONGEST_RESTORE {
                faults.push(
                    "repositories.restore_delay",
                    "0s to 2160h, which are 90 days",
                    delay,
                );
            }
        }
        check_site(&mut config, &mut faults, self.site);
        check_quotas(&mut config, &mut faults, self.quotas);
        check_rates(&mut config, &mut faults, self.rate_limits);
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

/// Whether a store can be at this address, as far as its scheme goes.
fn is_database(url: &str) -> bool {
    ["sqlite:", "postgres://", "postgresql://"]
        .iter()
        .any(|scheme| url.starts_with(scheme))
}
