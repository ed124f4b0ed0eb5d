//! Configurations: `registry` or `index`, then YAML; after a line `---8<---` variables, one `NAME=value` in each line.

use std::path::Path;
use std::time::Duration;

use index_service::config::Config as IndexConfig;
use registry_service::config::{AuthConfig, Config as RegistryConfig};
use serde_json::Value;
use shared::runtime::config::{ByteSize, GoDuration, overlay, parse_tree};

use crate::input;

pub(crate) fn run(data: &[u8]) {
    let text = input::text(data);
    let [service, rest] = input::lines(&text);
    let (yaml, variables) = rest.split_once("---8<---\n").unwrap_or((rest, ""));
    let variables: Vec<(String, String)> = variables
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    for line in yaml.lines().take(8) {
        duration(line.trim());
        size(line.trim());
    }
    let Ok(tree) = parse_tree(yaml, "the input") else {
        return;
    };
    assert_eq!(
        parse_tree(yaml, "the input").ok().as_ref(),
        Some(&tree),
        "not decided by the text alone"
    );
    let prefix = if service == "index" { "INDEX" } else { "REGISTRY" };
    let mut laid = tree.clone();
    if overlay(&mut laid, prefix, variables.iter().cloned()).is_ok() {
        let mut again = laid.clone();
        if overlay(&mut again, prefix, std::iter::empty()).is_ok() {
            assert_eq!(again, laid, "an empty overlay changes the tree");
        }
    }
    if looks_outside(&laid) {
        return;
    }
    if service == "index" {
        index(tree, variables);
    } else {
        registry(yaml, variables);
    }
}

/// Whether the check of this tree would read a file or ask for a host name: nothing that a fuzzer may do.
fn looks_outside(tree: &Value) -> bool {
    let text = |value: Option<&Value>| value.is_some_and(|value| !value.is_null());
    let http = tree.get("http");
    let addr = http
        .and_then(|http| http.get("addr"))
        .filter(|addr| !addr.is_null());
    let is_address = addr.is_none_or(|addr| {
        let addr = addr.as_str().unwrap_or_default();
        addr.parse::<std::net::SocketAddr>().is_ok()
            || addr
                .strip_prefix(':')
                .is_some_and(|port| port.parse::<u16>().is_ok())
    });
    let secret = text(http.and_then(|http| http.get("secretfile"))) || text(tree.get("database_file"));
    // A variable of many parts may come to mean a file only when the known keys are there.
    let folded = tree.to_string().to_lowercase();
    !is_address || secret || folded.contains("file\"")
}

fn registry(yaml: &str, variables: Vec<(String, String)>) {
    let checked = RegistryConfig::parse(yaml, "the input", variables.into_iter());
    let Ok(config) = checked else {
        assert!(!format!("{}", checked.expect_err("no configuration")).is_empty());
        return;
    };
    assert!(config.warnings().len() >= config.ignored.len());
    assert!(["error", "warn", "info", "debug"].contains(&config.log.level.as_str()));
    assert!(
        config
            .storage
            .purging
            .is_none_or(|purging| !purging.interval.is_zero())
    );
    assert!(!config.http.base_url.ends_with('/'));
    let limits = &config.http.limits;
    assert!(limits.max_connections > 0 && limits.max_connections_per_address > 0 && limits.max_requests > 0);
    if let AuthConfig::Token(token) = &config.auth {
        assert!(!token.realm.is_empty() && !token.service.is_empty() && !token.issuer.is_empty());
        let keys = &token.keys;
        assert!(
            keys.bundle.is_some() || keys.jwks.is_some() || keys.jwks_url.is_some(),
            "nobody can be believed"
        );
    }
    assert!(format!("{:?}", config.http.secret).len() <= "Some([redacted])".len());
}

fn index(tree: Value, variables: Vec<(String, String)>) {
    let Ok(config) = IndexConfig::from_tree(tree, variables.into_iter(), "the input") else {
        return;
    };
    let scheme = config.public_url.split(':').next().unwrap_or_default();
    assert!(
        ["http", "https"]
            .iter()
            .any(|web| web.eq_ignore_ascii_case(scheme))
    );
    assert!(!config.public_url.ends_with('/'));
    assert!((60..=900).contains(&config.lifetime.as_secs()));
    assert!(!config.issuer.is_empty() && config.issuer.len() <= 255);
    assert!(!config.services.is_empty() && config.services.iter().all(|service| !service.name.is_empty()));
    assert_ne!(config.keys_dir.as_deref(), Some(Path::new("")));
    assert!((1..=8).contains(&config.hashing.threads) && config.hashing.queue <= 1_024);
    assert_eq!(format!("{:?}", config.database), "[redacted]");
}

/// A number of whole units is that many units.
fn duration(text: &str) {
    let Ok(GoDuration(found)) = text.parse::<GoDuration>() else {
        return;
    };
    for (unit, ns) in [
        ("h", 3_600_000_000_000),
        ("m", 60_000_000_000),
        ("s", 1_000_000_000),
        ("ms", 1_000_000),
        ("ns", 1),
    ] {
        if let Some(count) = text
            .strip_suffix(unit)
            .and_then(|count| count.parse::<u64>().ok())
        {
            assert_eq!(
                count.checked_mul(ns).map(Duration::from_nanos),
                Some(found),
                "{text:?}"
            );
        }
    }
}

fn size(text: &str) {
    let Ok(ByteSize(found)) = text.parse::<ByteSize>() else {
        return;
    };
    for (unit, bytes) in [
        ("KiB", 1 << 10),
        ("MiB", 1 << 20),
        ("GiB", 1 << 30),
        ("TiB", 1 << 40),
        ("", 1),
    ] {
        if let Some(count) = text
            .strip_suffix(unit)
            .and_then(|count| count.parse::<u64>().ok())
        {
            assert_eq!(count.checked_mul(bytes), Some(found), "{text:?}");
        }
    }
}
