use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use shared::runtime::tls::self_signed;
use time::{Duration, OffsetDateTime};

use super::*;

fn command(dir: &Path) -> Setup {
    Setup {
        dir: dir.to_owned(),
        host: "hub.example.com".to_owned(),
        port: 8443,
        redis: String::new(),
    }
}

fn set_up(command: &Setup, now: OffsetDateTime) -> anyhow::Result<Vouched> {
    prepare(
        command,
        &Clock::fixed(now.unix_timestamp() * 1000).0,
        &Random::system(),
    )
}

fn now() -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap()
}

/// Every file below, with its content.
fn files(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push((path.display().to_string(), std::fs::read(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn a_second_setup_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let command = command(dir.path());
    assert_eq!(set_up(&command, now()).unwrap(), Vouched::Ours);
    let first = files(dir.path());
    assert!(first.len() >= 12, "{first:?}");
    assert_eq!(
        set_up(&command, now() + Duration::days(30)).unwrap(),
        Vouched::Ours
    );
    assert_eq!(first, files(dir.path()));
    for (name, _) in first {
        let mode = std::fs::metadata(&name).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{name} can be read by others");
    }
}

#[test]
fn a_certificate_is_renewed_in_time_by_an_authority_that_stays() {
    let dir = tempfile::tempdir().unwrap();
    let command = command(dir.path());
    set_up(&command, now()).unwrap();
    let read = |name: &str| std::fs::read(dir.path().join("tls").join(name)).unwrap();
    let (authority, certificate) = (read("ca.crt"), read("tls.crt"));
    set_up(&command, now() + Duration::days(300)).unwrap();
    assert_eq!(authority, read("ca.crt"));
    assert_ne!(certificate, read("tls.crt"));
}

#[test]
fn another_host_gets_another_certificate_and_the_same_secrets() {
    let dir = tempfile::tempdir().unwrap();
    let first = command(dir.path());
    set_up(&first, now()).unwrap();
    let read = |name: &str| std::fs::read(dir.path().join(name)).unwrap();
    let (certificate, password) = (read("tls/tls.crt"), read("postgres/password"));
    let second = Setup {
        host: "192.0.2.10".to_owned(),
        port: 443,
        ..command(dir.path())
    };
    assert_eq!(set_up(&second, now()).unwrap(), Vouched::Ours);
    assert_ne!(certificate, read("tls/tls.crt"));
    assert_eq!(password, read("postgres/password"));
    let index = String::from_utf8(read("index/index.yml")).unwrap();
    assert!(index.contains("public_url: https://192.0.2.10\n"), "{index}");
}

#[test]
fn a_certificate_that_the_operator_brought_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let command = command(dir.path());
    let tls = dir.path().join("tls");
    std::fs::create_dir(&tls).unwrap();
    let (chain, key) = self_signed(&["hub.example.com".into()], now()).unwrap();
    for (name, text) in [("tls.crt", chain.as_str()), ("tls.key", key.as_str())] {
        std::fs::write(tls.join(name), text).unwrap();
        std::fs::set_permissions(tls.join(name), std::fs::Permissions::from_mode(0o644)).unwrap();
    }
    assert_eq!(set_up(&command, now()).unwrap(), Vouched::Theirs);
    assert_eq!(std::fs::read(tls.join("tls.crt")).unwrap(), chain.as_bytes());
    // Another's key does not fit, which is told before nginx would refuse every handshake.
    let (_, other) = self_signed(&["hub.example.com".into()], now()).unwrap();
    std::fs::write(tls.join("tls.key"), other.as_bytes()).unwrap();
    let refusal = format!("{:#}", set_up(&command, now()).unwrap_err());
    assert!(refusal.contains("does not fit the certificate"), "{refusal}");
    std::fs::remove_file(tls.join("tls.crt")).unwrap();
    let refusal = format!("{:#}", set_up(&command, now()).unwrap_err());
    assert!(refusal.contains("without its certificate"), "{refusal}");
}

#[test]
fn what_is_no_bare_host_is_refused_with_the_setting_to_change() {
    let dir = tempfile::tempdir().unwrap();
    for host in [
        "",
        "https://hub.example.com",
        "hub.example.com:5000",
        "hub.example.com/x",
        "a b",
        "u@h",
    ] {
        let command = Setup {
            host: host.to_owned(),
            ..command(dir.path())
        };
        let refusal = set_up(&command, now()).unwrap_err().to_string();
        assert!(refusal.contains("PORTOLAN_HOST"), "{host}: {refusal}");
    }
    assert!(files(dir.path()).is_empty());
}

#[test]
fn the_configurations_are_what_the_services_take() {
    let dir = tempfile::tempdir().unwrap();
    let command = Setup {
        redis: "redis:6379".to_owned(),
        ..command(dir.path())
    };
    set_up(&command, now()).unwrap();
    let path = |name: &str| dir.path().join(name).display().to_string();
    let variables = [
        ("INDEX_DATABASE_FILE", path("index/database")),
        ("INDEX_MASTER_KEY_FILE", path("index/master-key")),
        ("INDEX_REGISTRY_EVENTS_SECRET_FILE", path("index/events-secret")),
    ];
    let variables = variables.map(|(name, value)| (name.to_owned(), value));
    let index = dir.path().join("index/index.yml");
    let index = index_service::Config::load(&index, variables.into_iter()).unwrap();
    assert_eq!(index.public_url, "https://hub.example.com:8443");
    assert!(index.master_key.is_some());
    let variables = [(
        "REGISTRY_HTTP_SECRETFILE".to_owned(),
        path("registry/http-secret"),
    )];
    let registry = dir.path().join("registry/config.yml");
    let registry = registry_service::config::Config::load(&registry, variables.into_iter()).unwrap();
    assert!(registry.warnings().is_empty(), "{:?}", registry.warnings());
    assert!(registry.storage.delete_enabled && registry.storage.cache_in_redis);
}
