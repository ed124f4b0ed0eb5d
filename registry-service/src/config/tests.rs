mod golden;
mod language;
mod listening;
mod notifications;
mod operation;
mod policy;
mod variables;

use std::time::Duration;

use super::*;

fn check(yaml: &str, vars: &[(&str, &str)]) -> Result<Config, InvalidConfig> {
    let vars = vars
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Config::parse(yaml, "test", vars)
}

fn faults(yaml: &str) -> Vec<String> {
    match check(yaml, &[]) {
        Err(InvalidConfig::Faults(faults)) => {
            let mut paths: Vec<String> = faults.iter().map(|fault| fault.path.clone()).collect();
            paths.sort();
            paths
        }
        other => panic!("{yaml}: {other:?}"),
    }
}

#[test]
fn the_shipped_example_is_a_good_configuration_without_unknown_keys() {
    let example = include_str!("../../../deploy/registry.yml");
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    std::fs::write(&secret, "0123456789abcdef\n").unwrap();
    let secret = secret.to_str().unwrap();
    let config = check(example, &[("REGISTRY_HTTP_SECRETFILE", secret)]).unwrap();
    assert_eq!(config.ignored, Vec::<String>::new());
    assert!(config.storage.delete_enabled);
    let AuthConfig::Token(auth) = config.auth else {
        panic!("{:?}", config.auth)
    };
    assert_eq!(auth.service, "registry.example");
    assert_eq!(
        auth.keys.kept.unwrap(),
        Path::new("/var/lib/registry/portolan/keyset.json")
    );
    assert_eq!(
        config.http.secret.unwrap().expose().as_slice(),
        b"0123456789abcdef"
    );
}

#[test]
fn the_default_of_the_official_image_starts_and_names_what_it_ignores() {
    let config = check(
        "version: 0.1
log: {fields: {service: registry}, level: debug}
storage:
  delete: {enabled: true}
  cache: {blobdescriptor: inmemory}
  filesystem: {rootdirectory: /var/lib/registry}
  tag: {concurrencylimit: 5}
http:
  addr: :5000
  debug: {addr: ':5001', prometheus: {enabled: true, path: /metrics}}
health: {storagedriver: {enabled: true, interval: 10s, threshold: 3}}",
        &[],
    )
    .unwrap();
    assert_eq!(config.ignored, Vec::<String>::new());
    assert_eq!(config.log.level, "debug");
    assert_eq!(config.http.addr.to_string(), "0.0.0.0:5000");
    assert!(matches!(config.auth, AuthConfig::None));
    assert_eq!(
        config.storage.purging,
        Some(Purging {
            age: Duration::from_hours(168),
            interval: Duration::from_hours(24),
            dry_run: false,
        })
    );
}

#[test]
fn variables_are_laid_over_the_file() {
    let file = "version: 0.1\nstorage: inmemory";
    let config = check(
        file,
        &[
            ("REGISTRY_STORAGE", "filesystem"),
            ("REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY", "/srv/x"),
            ("REGISTRY_STORAGE_DELETE_ENABLED", "true"),
            ("REGISTRY_HTTP_ADDR", "127.0.0.1:7000"),
            ("REGISTRY_HTTP_SECRET", "12345"),
            ("REGISTRY_HTTP_HEADERS", "{X-A: [b, c]}"),
            ("REGISTRY_LOG_LEVEL", "WARN"),
            ("REGISTRY_PORT", "tcp://10.0.0.1:5000"),
            ("REGISTRY_AUTH_PORT", "tcp://10.0.0.1:5000"),
            ("REGISTRY_SERVICE_HOST", "10.0.0.1"),
            ("REGISTRY_CONFIGURATION_PATH", "/etc/x.yml"),
            ("OTHER_LOG_LEVEL", "nonsense"),
        ],
    )
    .unwrap();
    let root = "/srv/x".into();
    let durability = Durability::Full;
    assert_eq!(config.storage.backend, Backend::Filesystem { root, durability });
    assert!(config.storage.delete_enabled);
    assert_eq!(config.http.addr.to_string(), "127.0.0.1:7000");
    assert_eq!(config.http.secret.unwrap().expose().as_slice(), b"12345");
    assert_eq!(config.http.headers.len(), 2);
    assert_eq!(config.log.level, "warn");
    assert_eq!(config.ignored, Vec::<String>::new());
}

#[test]
fn all_faults_are_told_at_once() {
    assert_eq!(
        faults(
            "log: {level: loud, formatter: xml}
storage: {filesystem: {}, s3: {}, delete: {enabled: perhaps}, maintenance: {uploadpurging: {age: soon}}}
auth: {token: {realm: nowhere}}
http: {addr: everywhere, host: somewhere, tls: {certificate: x, clientcas: [y]}, draintimeout: -1s, net: udp}
proxy: {remoteurl: https://registry-1.docker.io}"
        ),
        [
            "auth.token",
            "auth.token.issuer",
            "auth.token.realm",
            "auth.token.service",
            "http.addr",
            "http.draintimeout",
            "http.host",
            "http.net",
            "http.tls",
            "log.formatter",
            "log.level",
            "proxy",
            "storage",
            "storage.delete.enabled",
            "storage.maintenance.uploadpurging.age",
            "version",
        ]
    );
}

#[test]
fn another_authentication_is_a_fault_and_never_an_open_registry() {
    let base = "version: 0.1\nstorage: inmemory\n";
    for auth in [
        "auth: htpasswd",
        "auth: {htpasswd: {realm: r}}",
        "auth: {htpasswd: {realm: '', path: p}}",
        "auth: {silly: {realm: r}}",
        "auth: {token: {}, htpasswd: {}}",
        "auth: nonsense",
        "auth: [token]",
        "auth: 3",
        "auth: {token: }",
    ] {
        assert!(!faults(&format!("{base}{auth}")).is_empty(), "{auth}");
    }
    for auth in ["auth: none", "auth: {none: }", "auth: {}", "auth:"] {
        assert!(
            matches!(
                check(&format!("{base}{auth}"), &[]).unwrap().auth,
                AuthConfig::None
            ),
            "{auth}"
        );
    }
}

#[test]
fn accounts_in_a_file_are_chosen_by_the_file_or_by_variables_alone() {
    let file =
        "version: 0.1\nstorage: inmemory\nauth: {htpasswd: {realm: basic-realm, path: /auth/htpasswd}}";
    let variables = [
        ("REGISTRY_AUTH", "htpasswd"),
        ("REGISTRY_AUTH_HTPASSWD_REALM", "basic-realm"),
        ("REGISTRY_AUTH_HTPASSWD_PATH", "/auth/htpasswd"),
    ];
    let from_variables = check("version: 0.1\nstorage: inmemory", &variables);
    for config in [check(file, &[]), from_variables] {
        let AuthConfig::Htpasswd { realm, path } = config.unwrap().auth else {
            panic!("another authentication")
        };
        assert_eq!(
            (realm.as_str(), path.to_str()),
            ("basic-realm", Some("/auth/htpasswd"))
        );
    }
}

#[test]
fn keys_may_come_in_the_clear_from_this_machine_alone_unless_it_is_said_to_be_safe() {
    let config = |url: &str, more: &str| {
        let yaml = format!(
            "version: 0.1\nstorage: inmemory\nauth: {{token: {{realm: 'https://x/token', service: s, issuer: i, jwksurl: '{url}'{more}}}}}"
        );
        check(&yaml, &[]).map(|config| match config.auth {
            AuthConfig::Token(token) => token.keys.jwks_url.is_some(),
            other => panic!("{other:?}"),
        })
    };
    for url in [
        "https://index/jwks",
        "http://127.0.0.1:1/jwks",
        "http://localhost/jwks",
        "http://[::1]/jwks",
    ] {
        assert!(config(url, "").unwrap(), "{url}");
    }
    for url in [
        "http://index/jwks",
        "http://127.0.0.1.evil/jwks",
        "ftp://localhost/",
        "jwks",
        "http://localhost.evil/",
    ] {
        assert!(config(url, "").is_err(), "{url}");
    }
    assert!(config("http://index/jwks", ", insecurejwksurl: true").unwrap());
}

#[test]
fn less_than_full_durability_is_a_choice_that_is_warned_of() {
    let yaml = |durability: &str| {
        format!("version: 0.1\nstorage: {{filesystem: {{rootdirectory: /x, durability: {durability}}}}}")
    };
    let config = check(&yaml("none"), &[]).unwrap();
    let root = "/x".into();
    let durability = Durability::None;
    assert_eq!(config.storage.backend, Backend::Filesystem { root, durability });
    let [warning] = config.warnings().try_into().unwrap();
    assert!(warning.contains("storage.filesystem.durability"), "{warning}");
    assert!(check(&yaml("full"), &[]).unwrap().warnings().is_empty());
    assert_eq!(faults(&yaml("fast")), ["storage.filesystem.durability"]);
}

#[test]
fn limits_of_connections_are_set_and_what_is_not_said_has_its_default() {
    let text = "version: 0.1\nstorage: {inmemory: {}}\nhttp:\n  draindelay: 5s\n  limits: {connections: 7, idle: 3s, stall: 4s}\n";
    let limits = check(text, &[]).unwrap().http.limits;
    assert_eq!((limits.max_connections, limits.idle.as_secs()), (7, 3));
    assert_eq!(
        (limits.write_stall.as_secs(), limits.drain_delay.as_secs()),
        (4, 5)
    );
    assert_eq!((limits.max_requests, limits.drain.as_secs()), (1024, 60));
    let wrong = "version: 0.1\nstorage: {inmemory: {}}\nhttp: {limits: {requests: 0}}\n";
    assert_eq!(faults(wrong), ["http.limits.requests"]);
}

#[test]
fn what_tls_cannot_be_is_a_fault_and_what_it_should_not_be_a_warning() {
    let tls = |more: &str| {
        let file =
            format!("version: 0.1\nstorage: inmemory\nhttp: {{tls: {{certificate: c, key: k, {more}}}}}");
        check(&file, &[]).map(|config| config.http.tls.unwrap())
    };
    for (more, warnings) in [
        ("", 0),
        ("minimumtls: tls1.0", 1),
        ("minimumtls: tls1.3", 0),
        (
            "ciphersuites: [TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305, TLS_AES_128_GCM_SHA256]",
            0,
        ),
        (
            "ciphersuites: [TLS_RSA_WITH_AES_256_CBC_SHA, TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256]",
            2,
        ),
        ("clientcas: [ca.pem], clientauth: request-client-cert", 0),
    ] {
        assert_eq!(tls(more).unwrap().warnings.len(), warnings, "{more}");
    }
    for more in [
        "minimumtls: ssl3",
        "ciphersuites: [ROT13]",
        "clientauth: sometimes, clientcas: [ca.pem]",
        "clientauth: verify-client-cert-if-given",
        "clientcas: [{a: b}]",
    ] {
        assert!(tls(more).is_err(), "{more}");
    }
    assert!(
        check(
            "version: 0.1\nstorage: inmemory\nhttp: {tls: {clientcas: [ca.pem]}}",
            &[]
        )
        .is_err()
    );
}

#[test]
fn names_of_algorithms_are_those_of_the_rfcs() {
    let algorithms = |list: &str| {
        let file = format!(
            "version: 0.1\nstorage: inmemory\nauth: {{token: {{realm: 'https://a', service: s, issuer: i, jwks: k, \
             signingalgorithms: {list}}}}}"
        );
        check(&file, &[]).map(|config| match config.auth {
            AuthConfig::Token(token) => token.algorithms.len(),
            _ => 0,
        })
    };
    assert_eq!(algorithms("[]").unwrap(), 13);
    assert_eq!(algorithms("[ES256, EdDSA]").unwrap(), 2);
    for list in ["[none]", "[es256]", "[1]", "{a: b}"] {
        assert!(algorithms(list).is_err(), "{list}");
    }
}

#[test]
fn several_methods_and_a_policy_are_a_chain_and_nonsense_in_them_is_a_fault() {
    let auth = |auth: &str| {
        let file = format!("version: 0.1\nstorage: inmemory\nauth: {auth}");
        check(&file, &[]).map(|config| config.auth)
    };
    let htpasswd = "htpasswd: {realm: r, path: p}";
    let token = "token: {realm: 'https://a', service: s, issuer: i, jwks: k}";
    let rule = "{users: [anonymous, 'ci-*'], repositories: ['public/**'], actions: [pull, push]}";
    for (text, accounts, tokens, rules, prefers_tokens) in [
        (format!("{{{htpasswd}, {token}}}"), true, true, None, true),
        (
            format!("{{{htpasswd}, {token}, challenge: htpasswd}}"),
            true,
            true,
            None,
            false,
        ),
        (
            format!("{{{htpasswd}, policy: [{rule}, {rule}]}}"),
            true,
            false,
            Some(2),
            true,
        ),
        (format!("{{policy: [{rule}]}}"), false, false, Some(1), true),
    ] {
        let AuthConfig::Chain(chain) = auth(&text).unwrap() else {
            panic!("no chain: {text}")
        };
        assert_eq!(
            (chain.accounts.is_some(), chain.token.is_some()),
            (accounts, tokens),
            "{text}"
        );
        assert_eq!(chain.policy.map(|policy| policy.rules.len()), rules, "{text}");
        assert_eq!(chain.prefers_tokens, prefers_tokens, "{text}");
    }
    for text in [
        format!("{{{htpasswd}, none: {{}}}}"),
        format!("{{silly: {{realm: r, service: s}}, policy: [{rule}]}}"),
        format!("{{{htpasswd}, ldap: {{}}}}"),
        format!("{{{htpasswd}, {token}, challenge: perhaps}}"),
        format!("{{{htpasswd}, policy: []}}"),
        format!("{{{htpasswd}, policy: anything}}"),
        format!("{{{htpasswd}, policy: [{{repositories: [a], actions: [pull]}}]}}"),
        format!("{{{htpasswd}, policy: [{{users: [a], actions: [search]}}]}}"),
        format!("{{{htpasswd}, policy: [{{users: [a], actions: [read]}}]}}"),
        format!("{{{htpasswd}, policy: [{{users: [a]}}]}}"),
        format!("{{{htpasswd}, policy: [{{users: [''], actions: [pull]}}]}}"),
    ] {
        assert!(auth(&text).is_err(), "{text}");
    }
}
