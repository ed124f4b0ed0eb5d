use shared::runtime::config::parse_tree;

use super::known_keys::KNOWN_KEYS;
use super::*;

const MINIMAL: &str = "public_url: https://hub.example.com\ndatabase: sqlite:///x.db\nkeys_dir: /keys\n";

fn load(text: &str, vars: &[(&str, &str)]) -> Result<Config, String> {
    let vars = vars
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    Config::from_tree(parse_tree(text, "test").unwrap(), vars, "test").map_err(|error| error.to_string())
}

#[test]
fn the_shipped_example_is_a_configuration() {
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/index.yml");
    let config = Config::load(example.as_ref(), std::iter::empty()).unwrap();
    assert_eq!(config.public_url, "https://registry.example");
    assert_eq!(config.services[0].name, "registry.example");
    assert_eq!(config.registry_url.as_deref(), Some("http://127.0.0.1:5000"));
    assert_eq!(config.log.format, LogFormat::Json);
}

#[test]
fn what_is_not_said_has_its_default() {
    let config = load(MINIMAL, &[]).unwrap();
    assert_eq!(config.listen.to_string(), "127.0.0.1:5001");
    assert_eq!(
        (config.issuer.as_str(), config.lifetime.as_secs()),
        ("portolan", 300)
    );
    let service = Service {
        name: "hub.example.com".into(),
        recipient: Recipient::Own,
    };
    assert_eq!(config.services, [service]);
    assert_eq!(config.password, Parameters::DEFAULT);
    assert_eq!(
        config.initial_password_file.as_deref(),
        Some(Path::new("/keys/initial-admin-password"))
    );
    assert!(config.tls.is_none() && config.registry_url.is_none());
}

#[test]
fn every_key_has_its_variable() {
    let config = load(
        MINIMAL,
        &[
            ("INDEX_LISTEN", "0.0.0.0:80"),
            ("INDEX_PUBLIC_URL", "http://localhost:5000/"),
            ("INDEX_DATABASE", "postgres://db/x"),
            ("INDEX_KEYS_DIR", "/else"),
            ("INDEX_ORGANISATIONS_CREATE", "admins"),
            ("INDEX_SIGN_UP", "invitation"),
            ("INDEX_TOKEN_ISSUER", "me"),
            ("INDEX_TOKEN_LIFETIME", "60s"),
            ("INDEX_REGISTRY_URL", "http://registry:5000"),
            ("INDEX_REGISTRY_SERVICE", "hub"),
            ("INDEX_SERVICES_0_NAME", "old"),
            ("INDEX_SERVICES_0_FOREIGN", "true"),
            ("INDEX_PASSWORD_MEMORY_KIB", "8"),
            ("INDEX_PASSWORD_ITERATIONS", "1"),
            ("INDEX_PASSWORD_THREADS", "3"),
            ("INDEX_TLS_CERTIFICATE", "/c"),
            ("INDEX_TLS_KEY", "/k"),
            ("INDEX_LOG_LEVEL", "debug"),
            ("INDEX_LOG_FORMAT", "json"),
            ("INDEX_LIMITS_MAX_CONNECTIONS_PER_ADDRESS", "9"),
            ("INDEX_LIMITS_DRAIN_DELAY", "5s"),
            ("INDEX_INITIAL_PASSWORD_FILE", "/p"),
            ("INDEX_SITE_NAME", "Harbour"),
            ("INDEX_SITE_GREETING", "Hello"),
            ("OTHER_LISTEN", "x"),
        ],
    )
    .unwrap();
    assert_eq!(config.listen.to_string(), "0.0.0.0:80");
    assert_eq!(config.public_url, "http://localhost:5000");
    assert_eq!(config.database.expose(), "postgres://db/x");
    assert_eq!(config.keys_dir.as_deref(), Some(Path::new("/else")));
    assert_eq!((config.issuer.as_str(), config.lifetime.as_secs()), ("me", 60));
    assert_eq!(config.registry_url.as_deref(), Some("http://registry:5000"));
    let services: Vec<_> = config
        .services
        .iter()
        .map(|s| (s.name.as_str(), s.recipient))
        .collect();
    assert_eq!(services, [("hub", Recipient::Own), ("old", Recipient::Foreign)]);
    assert_eq!(config.password, Parameters::new(8, 1, 1).unwrap());
    assert_eq!(config.organisation_makers, OrganisationMakers::Admins);
    assert_eq!(config.sign_up, SignUp::Invitation);
    assert_eq!(config.hashing.threads, 3);
    assert_eq!(config.tls, Some(("/c".into(), "/k".into())));
    assert_eq!(
        (config.log.level.as_str(), config.log.format),
        ("debug", LogFormat::Json)
    );
    assert_eq!(config.limits.max_connections_per_address, 9);
    assert_eq!(config.limits.drain_delay.as_secs(), 5);
    assert_eq!(config.initial_password_file.as_deref(), Some(Path::new("/p")));
    let site = Site {
        name: "Harbour".to_owned(),
        greeting: "Hello".to_owned(),
    };
    assert_eq!(config.site, site);
}

#[test]
fn what_is_written_anywhere_is_not_left_to_administrators() {
    let fixed = |text: &str, vars: &[(&str, &str)]| load(&format!("{MINIMAL}{text}"), vars).unwrap().fixed;
    assert_eq!(fixed("", &[]), []);
    assert_eq!(
        fixed("sign_up:\nquotas:\n", &[("INDEX_SITE_NAME", "")]),
        [],
        "a key without a value decides nothing"
    );
    assert_eq!(
        fixed(
            "sign_up: closed\nquotas:\n  strict: false\n  bytes: unlimited\n",
            &[("INDEX_ORGANISATIONS_CREATE", "everyone")]
        ),
        [
            SettingKey::SignUp,
            SettingKey::OrganisationsCreate,
            SettingKey::QuotaBytes,
            SettingKey::QuotaStrict
        ],
        "also where it says what would be so without it"
    );
    assert_eq!(
        fixed(
            "site:\n  greeting: Hello\nrepositories:\n  restore_delay: 1h\n",
            &[]
        ),
        [SettingKey::SiteGreeting, SettingKey::RestoreDelay]
    );
}

#[test]
fn a_name_or_a_greeting_that_no_page_can_show_is_a_fault() {
    let text = format!(
        "{MINIMAL}site:\n  name: \"a\\nb\"\n  greeting: {}\n",
        "x".repeat(501)
    );
    let error = load(&text, &[]).unwrap_err();
    assert!(
        error.contains("\n  site.name: ") && error.contains("\n  site.greeting: "),
        "{error}"
    );
}

#[test]
fn unknown_keys_and_variables_are_refused() {
    for (text, vars) in [
        (format!("{MINIMAL}colour: blue\n"), &[][..]),
        (format!("{MINIMAL}token:\n  life: 5m\n"), &[]),
        (MINIMAL.to_owned(), &[("INDEX_COLOUR", "blue")]),
        (MINIMAL.to_owned(), &[("INDEX_TOKEN_LIFE", "5m")]),
    ] {
        let error = load(&text, vars).unwrap_err();
        assert!(error.contains("unknown field"), "{error}");
    }
}

#[test]
fn all_faults_are_told_at_once_and_no_secret_with_them() {
    let text = "public_url: hub.example.com/path\ndatabase: sqlite:///x\ndatabase_file: /nowhere\nlisten: here\n\
                token:\n  lifetime: 1h\npassword:\n  iterations: 99\n  threads: 0\n\
                registry:\n  url: ftp://x\n  service: \"a b\"\ntls:\n  key: /k\n";
    let error = load(text, &[]).unwrap_err();
    for path in [
        "public_url",
        "database",
        "initial_password_file",
        "listen",
        "token.lifetime",
        "password",
        "password.threads",
        "registry.url",
        "services",
        "tls",
    ] {
        assert!(error.contains(&format!("\n  {path}: ")), "{path} in {error}");
    }
    assert!(!error.contains("sqlite:///x"), "{error}");
}

#[test]
fn a_variable_set_to_nothing_is_as_good_as_none() {
    let config = load(MINIMAL, &[("INDEX_REGISTRY_URL", ""), ("INDEX_TLS_KEY", "")]).unwrap();
    assert!(config.registry_url.is_none() && config.tls.is_none());
}

#[test]
fn the_database_may_stand_in_a_file_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("database");
    std::fs::write(&file, "postgres://user:secret@db/x\n").unwrap();
    let text = format!(
        "public_url: http://a\nkeys_dir: /k\ndatabase_file: {}\n",
        file.display()
    );
    assert_eq!(
        load(&text, &[]).unwrap().database.expose(),
        "postgres://user:secret@db/x"
    );
}

#[test]
fn another_kind_of_database_is_a_fault_that_does_not_show_its_password() {
    for url in ["mysql://user:secret@db/x", "postgres//user:secret@db/x", "secret"] {
        let error = load(MINIMAL, &[("INDEX_DATABASE", url)]).unwrap_err();
        assert!(error.contains("\n  database: "), "{error}");
        assert!(!error.contains("secret"), "{error}");
    }
}

#[test]
fn a_public_url_is_bare() {
    for url in [
        "http://a",
        "https://a:1/",
        "http://[::1]:5000",
        "https://hub.example.com",
    ] {
        assert!(authority(url).is_some(), "{url}");
    }
    for url in [
        "",
        "a",
        "ftp://a",
        "http://",
        "http://a/b",
        "http://a?b",
        "http://u@a",
        "http://u:p@a:1",
    ] {
        assert!(authority(url).is_none(), "{url}");
    }
}

#[test]
fn the_documented_keys_are_those_that_there_are() {
    let page = include_str!("../../../docs/configuration.md");
    let section = page.split("## index-service").nth(1).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let mut documented: Vec<&str> = section
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split(" | ").next())
        .flat_map(|cell| cell.split(", "))
        .map(|key| key.trim_matches(['`', ' ']))
        .collect();
    let mut known: Vec<String> = KNOWN_KEYS
        .iter()
        .flat_map(|(section, keys)| match (*section, keys.is_empty()) {
            ("", _) => keys.iter().map(|key| (*key).to_owned()).collect(),
            (section, true) => vec![section.to_owned()],
            (section, false) => keys
                .iter()
                .map(|key| format!("{section}.{key}"))
                .collect::<Vec<_>>(),
        })
        .collect();
    documented.sort_unstable();
    known.sort();
    assert_eq!(documented, known);
}
