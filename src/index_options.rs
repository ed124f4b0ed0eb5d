//! What `portolan up` lets be said about its index: keys of index-service's configuration, checked as that is.

use std::path::PathBuf;

use clap::Args;
use clap::builder::PossibleValuesParser;
use index_service::app::sign_up::SignUp;
use serde_json::{Map, Value};
use shared::runtime::config::{GoDuration, InvalidDuration};

/// Each option is a key of index-service's configuration, with dashes for dots and underscores.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct IndexOptions {
    /// What the site is called on its pages, at most 40 characters [default: Portolan]
    #[arg(long, value_name = "NAME", env = "PORTOLAN_SITE_NAME")]
    site_name: Option<String>,
    /// What visitors of its first page read, at most 500 characters of plain text
    #[arg(long, value_name = "TEXT", env = "PORTOLAN_SITE_GREETING")]
    site_greeting: Option<String>,
    /// Who may make an account for themselves: open, invitation or closed [default: closed]
    #[arg(
        long,
        value_name = "MODE",
        env = "PORTOLAN_SIGN_UP",
        hide_possible_values = true,
        value_parser = PossibleValuesParser::new(SignUp::WORDS)
    )]
    sign_up: Option<String>,
    /// Accounts that people of one network may make for themselves within an hour; 0 for any number [default: 20]
    #[arg(long, value_name = "NUMBER", env = "PORTOLAN_SIGN_UP_LIMITS_PER_NETWORK")]
    sign_up_limits_per_network: Option<u32>,
    /// The same from everywhere [default: 500]
    #[arg(long, value_name = "NUMBER", env = "PORTOLAN_SIGN_UP_LIMITS_SITE")]
    sign_up_limits_site: Option<u32>,
    /// Who may make organisations: everyone or admins [default: everyone]
    #[arg(
        long,
        value_name = "WHO",
        env = "PORTOLAN_ORGANISATIONS_CREATE",
        hide_possible_values = true,
        value_parser = ["everyone", "admins"]
    )]
    organisations_create: Option<String>,
    /// How long a deleted repository can be restored, such as 168h [default: 168h]
    #[arg(long, value_name = "TIME", env = "PORTOLAN_REPOSITORIES_RESTORE_DELAY", value_parser = duration)]
    repositories_restore_delay: Option<String>,
    /// Bytes that a namespace may hold, such as 5GB, or unlimited [default: no limit]
    #[arg(long, value_name = "LIMIT", env = "PORTOLAN_QUOTAS_BYTES")]
    quotas_bytes: Option<String>,
    /// The same, what its repositories share counted once [default: no limit]
    #[arg(long, value_name = "LIMIT", env = "PORTOLAN_QUOTAS_STORAGE_BYTES")]
    quotas_storage_bytes: Option<String>,
    /// Repositories that a namespace may hold [default: no limit]
    #[arg(long, value_name = "LIMIT", env = "PORTOLAN_QUOTAS_REPOSITORIES")]
    quotas_repositories: Option<String>,
    /// Tags that a namespace may hold [default: no limit]
    #[arg(long, value_name = "LIMIT", env = "PORTOLAN_QUOTAS_TAGS")]
    quotas_tags: Option<String>,
    /// From how many percent of a limit on clients are warned [default: 80]
    #[arg(long, value_name = "PERCENT", env = "PORTOLAN_QUOTAS_WARN_PERCENT")]
    quotas_warn_percent: Option<u32>,
    /// Ask before each manifest, so that no limit of a namespace is passed at all: true or false [default: false]
    #[arg(long, value_name = "WHETHER", env = "PORTOLAN_QUOTAS_STRICT")]
    quotas_strict: Option<bool>,
    /// Images that those may pull who show nothing, such as 100/6h [default: no limit]
    #[arg(long, value_name = "LIMIT", env = "PORTOLAN_RATE_LIMITS_PULLS_ANONYMOUS")]
    rate_limits_pulls_anonymous: Option<String>,
    /// The same of an account [default: no limit]
    #[arg(long, value_name = "LIMIT", env = "PORTOLAN_RATE_LIMITS_PULLS_ACCOUNT")]
    rate_limits_pulls_account: Option<String>,
    /// The same with one access token [default: no limit]
    #[arg(long, value_name = "LIMIT", env = "PORTOLAN_RATE_LIMITS_PULLS_TOKEN")]
    rate_limits_pulls_token: Option<String>,
    /// Requests of those who show nothing, such as 6000/1h [default: no limit]
    #[arg(long, value_name = "LIMIT", env = "PORTOLAN_RATE_LIMITS_REQUESTS_ANONYMOUS")]
    rate_limits_requests_anonymous: Option<String>,
    /// The same of an account [default: no limit]
    #[arg(long, value_name = "LIMIT", env = "PORTOLAN_RATE_LIMITS_REQUESTS_ACCOUNT")]
    rate_limits_requests_account: Option<String>,
    /// The same with one access token [default: no limit]
    #[arg(long, value_name = "LIMIT", env = "PORTOLAN_RATE_LIMITS_REQUESTS_TOKEN")]
    rate_limits_requests_token: Option<String>,
    /// A proxy whose X-Forwarded-For is believed: an address, or a range such as 10.0.0.0/8. May be given several times.
    #[arg(
        long,
        value_name = "NETWORK",
        env = "PORTOLAN_TRUSTED_PROXIES",
        value_delimiter = ','
    )]
    trusted_proxies: Vec<String>,
    /// Where webhooks may be sent besides the public Internet: an address, a range such as 10.0.0.0/8, or a name such as
    /// ci.example.com or .example.com. May be given several times.
    #[arg(
        long,
        value_name = "PLACE",
        env = "PORTOLAN_WEBHOOKS_ALLOW",
        value_delimiter = ','
    )]
    webhooks_allow: Vec<String>,
    /// How long a signing key signs before the next takes its turn, at least 1h; 0 for ever [default: 2160h]
    #[arg(long, value_name = "TIME", env = "PORTOLAN_TOKEN_KEY_ROTATION", value_parser = duration)]
    token_key_rotation: Option<String>,
    /// How long a signing key is published before it signs, 30s to 24h [default: 20m]
    #[arg(long, value_name = "TIME", env = "PORTOLAN_TOKEN_KEY_NOTICE", value_parser = duration)]
    token_key_notice: Option<String>,
    /// How long events of the audit log are kept; whole months go. 0 for ever [default: 9600h]
    #[arg(long, value_name = "TIME", env = "PORTOLAN_AUDIT_RETENTION", value_parser = duration)]
    audit_retention: Option<String>,
    /// Where each event is also written as a line of JSON: stdout, or a file.
    #[arg(long, value_name = "FILE", env = "PORTOLAN_AUDIT_SINK")]
    audit_sink: Option<String>,
    /// The public keys that GitHub signs reports of leaked secrets with; without them reports need no signature.
    #[arg(long, value_name = "FILE", env = "PORTOLAN_LEAKS_GITHUB_KEYS_FILE")]
    leaks_github_keys_file: Option<PathBuf>,
    /// A foreign registry (such as CNCF distribution) that takes this index's tokens: its service name. Tokens for it
    /// carry their certificates. May be given several times.
    #[arg(
        long = "foreign-service",
        value_name = "NAME",
        env = "PORTOLAN_FOREIGN_SERVICES",
        value_delimiter = ','
    )]
    pub(crate) foreign_services: Vec<String>,
}

/// A duration as it is written, so that the option is named that is wrong.
fn duration(text: &str) -> Result<String, InvalidDuration> {
    text.parse::<GoDuration>().map(|_| text.to_owned())
}

impl IndexOptions {
    /// What was said, laid over a configuration.
    pub(crate) fn lay_over(&self, tree: &mut Map<String, Value>) {
        let text = |text: &Option<String>| text.clone().map(Value::from);
        let number = |number: Option<u32>| number.map(Value::from);
        let keys_file = self.leaks_github_keys_file.as_ref();
        for (section, key, value) in [
            ("site", "name", text(&self.site_name)),
            ("site", "greeting", text(&self.site_greeting)),
            ("", "sign_up", text(&self.sign_up)),
            (
                "sign_up_limits",
                "per_network",
                number(self.sign_up_limits_per_network),
            ),
            ("sign_up_limits", "site", number(self.sign_up_limits_site)),
            ("organisations", "create", text(&self.organisations_create)),
            (
                "repositories",
                "restore_delay",
                text(&self.repositories_restore_delay),
            ),
            ("quotas", "bytes", text(&self.quotas_bytes)),
            ("quotas", "storage_bytes", text(&self.quotas_storage_bytes)),
            ("quotas", "repositories", text(&self.quotas_repositories)),
            ("quotas", "tags", text(&self.quotas_tags)),
            ("quotas", "warn_percent", number(self.quotas_warn_percent)),
            ("quotas", "strict", self.quotas_strict.map(Value::from)),
            (
                "rate_limits",
                "pulls_anonymous",
                text(&self.rate_limits_pulls_anonymous),
            ),
            (
                "rate_limits",
                "pulls_account",
                text(&self.rate_limits_pulls_account),
            ),
            ("rate_limits", "pulls_token", text(&self.rate_limits_pulls_token)),
            (
                "rate_limits",
                "requests_anonymous",
                text(&self.rate_limits_requests_anonymous),
            ),
            (
                "rate_limits",
                "requests_account",
                text(&self.rate_limits_requests_account),
            ),
            (
                "rate_limits",
                "requests_token",
                text(&self.rate_limits_requests_token),
            ),
            ("", "trusted_proxies", Some(self.trusted_proxies.clone().into())),
            ("webhooks", "allow", Some(self.webhooks_allow.clone().into())),
            ("token", "key_rotation", text(&self.token_key_rotation)),
            ("token", "key_notice", text(&self.token_key_notice)),
            ("audit", "retention", text(&self.audit_retention)),
            ("audit", "sink", text(&self.audit_sink)),
            (
                "leaks",
                "github_keys_file",
                keys_file.map(|file| file.display().to_string().into()),
            ),
        ] {
            let Some(value) = value else { continue };
            if section.is_empty() {
                tree.insert(key.to_owned(), value);
                continue;
            }
            let section = tree.entry(section).or_insert_with(|| Value::Object(Map::new()));
            if let Some(section) = section.as_object_mut() {
                section.insert(key.to_owned(), value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use serde_json::json;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        options: IndexOptions,
    }

    fn laid_over(words: &[&str]) -> Value {
        let words = [&["portolan"], words].concat();
        let mut tree = Map::new();
        Line::parse_from(words).options.lay_over(&mut tree);
        tree.into()
    }

    #[test]
    fn each_option_is_the_key_that_it_is_called_after() {
        assert_eq!(
            laid_over(&[]),
            json!({"trusted_proxies": [], "webhooks": {"allow": []}})
        );
        let said = laid_over(&[
            "--site-name=Harbour",
            "--site-greeting=Ahoy",
            "--sign-up=open",
            "--sign-up-limits-per-network=1",
            "--sign-up-limits-site=0",
            "--organisations-create=admins",
            "--repositories-restore-delay=1h",
            "--trusted-proxies=10.0.0.0/8,::1",
            "--webhooks-allow=10.0.0.0/8,ci.example.com",
            "--token-key-rotation=24h",
            "--token-key-notice=1m",
            "--audit-retention=0",
            "--audit-sink=/var/log/audit.jsonl",
            "--leaks-github-keys-file=/etc/keys.json",
            "--quotas-bytes=5GB",
            "--quotas-storage-bytes=1",
            "--quotas-repositories=2",
            "--quotas-tags=3",
            "--quotas-warn-percent=90",
            "--quotas-strict=true",
            "--rate-limits-pulls-anonymous=1/1h",
            "--rate-limits-pulls-account=2/1h",
            "--rate-limits-pulls-token=3/1h",
            "--rate-limits-requests-anonymous=4/1h",
            "--rate-limits-requests-account=5/1h",
            "--rate-limits-requests-token=6/1h",
        ]);
        let expected = json!({
            "site": {"name": "Harbour", "greeting": "Ahoy"},
            "sign_up": "open",
            "sign_up_limits": {"per_network": 1, "site": 0},
            "organisations": {"create": "admins"},
            "repositories": {"restore_delay": "1h"},
            "trusted_proxies": ["10.0.0.0/8", "::1"],
            "webhooks": {"allow": ["10.0.0.0/8", "ci.example.com"]},
            "token": {"key_rotation": "24h", "key_notice": "1m"},
            "audit": {"retention": "0", "sink": "/var/log/audit.jsonl"},
            "leaks": {"github_keys_file": "/etc/keys.json"},
            "quotas": {"bytes": "5GB", "storage_bytes": "1", "repositories": "2", "tags": "3", "warn_percent": 90,
                "strict": true},
            "rate_limits": {"pulls_anonymous": "1/1h", "pulls_account": "2/1h", "pulls_token": "3/1h",
                "requests_anonymous": "4/1h", "requests_account": "5/1h", "requests_token": "6/1h"},
        });
        assert_eq!(said, expected);
    }
}
