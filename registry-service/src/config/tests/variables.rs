//! `REGISTRY_…`

use super::*;

const FILE: &str = "version: 0.1\nstorage: inmemory\n";

#[test]
fn a_section_is_set_before_what_is_in_it() {
    let config = check(
        FILE,
        &[
            ("REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY", "/data"),
            ("REGISTRY_STORAGE", "filesystem"),
            ("REGISTRY_STORAGE_MAINTENANCE_READONLY_ENABLED", "yes"),
            ("REGISTRY_CATALOG", "{maxentries: 5}"),
        ],
    )
    .unwrap();
    let root = "/data".into();
    let durability = Durability::Full;
    assert_eq!(config.storage.backend, Backend::Filesystem { root, durability });
    assert!(config.storage.read_only);
    assert_eq!(config.validation.max_catalog, 5);
}

#[test]
fn a_second_driver_by_a_variable_is_one_too_many() {
    let error = check(FILE, &[("REGISTRY_STORAGE_S3_BUCKET", "b")])
        .unwrap_err()
        .to_string();
    assert!(error.contains("inmemory, s3"), "{error}");
}

#[test]
fn fields_are_found_by_the_names_of_go_and_by_their_keys() {
    for name in ["FILECHECKERS", "FILE"] {
        let first = format!("REGISTRY_HEALTH_{name}_0_FILE");
        let second = format!("REGISTRY_HEALTH_{name}_0_INTERVAL");
        let config = check(FILE, &[(&first, "/stop"), (&second, "5s")]).unwrap();
        let value = |path: &str| {
            let found = config.effective.iter().find(|value| value.path == path);
            found.unwrap_or_else(|| panic!("{path} is missing")).clone()
        };
        assert_eq!(value("health.file[0].file").text, "\"/stop\"");
        assert_eq!(value("health.file[0].file").origin, first);
        assert_eq!(value("health.file[0].interval").text, "\"5s\"");
    }
    let events = check(
        FILE,
        &[("REGISTRY_NOTIFICATIONS_EVENTCONFIG_INCLUDEREFERENCES", "true")],
    )
    .unwrap();
    let found = events
        .effective
        .iter()
        .find(|value| value.path == "notifications.events.includereferences");
    assert_eq!(found.unwrap().text, "true");
    assert_eq!(events.ignored, Vec::<String>::new());
}

#[test]
fn a_list_grows_by_one_and_a_hole_is_an_error() {
    let config = check(
        &format!("{FILE}redis: {{addrs: [a:1]}}"),
        &[
            ("REGISTRY_REDIS_ADDRS_0", "x:1"),
            ("REGISTRY_REDIS_ADDRS_1", "b:2"),
        ],
    );
    assert_eq!(config.unwrap().redis.unwrap().addrs, ["x:1", "b:2"]);
    let hole = check(FILE, &[("REGISTRY_REDIS_ADDRS_1", "b:2")]).unwrap_err();
    assert!(hole.to_string().contains("REGISTRY_REDIS_ADDRS_1"), "{hole}");
}

#[test]
fn keys_of_maps_are_made_in_lower_case_and_found_in_any() {
    let file = format!("{FILE}http: {{headers: {{X-Frame-Options: [DENY]}}}}");
    let config = check(
        &file,
        &[
            ("REGISTRY_HTTP_HEADERS_X-FRAME-OPTIONS", "[SAMEORIGIN]"),
            ("REGISTRY_HTTP_HEADERS_X-A", "[b]"),
        ],
    );
    let headers = config.unwrap().http.headers;
    let mut headers: Vec<String> = headers
        .iter()
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
        .collect();
    headers.sort();
    assert_eq!(headers, ["x-a: b", "x-frame-options: SAMEORIGIN"]);
}

#[test]
fn a_variable_that_fits_nothing_is_named_and_so_is_kubernetes_word() {
    let config = check(
        FILE,
        &[
            ("REGISTRY_HTTP_ADRESS", ":1"),
            ("REGISTRY_NONSENSE", "1"),
            ("REGISTRY_AUTH_PORT", "tcp://10.0.0.1:5001"),
            ("REGISTRY_AUTH_PORT_5001_TCP_ADDR", "10.0.0.1"),
            ("REGISTRY_STORAGE_SERVICE_HOST", "10.0.0.1"),
            ("REGISTRY_PORT", "tcp://10.0.0.1:5000"),
        ],
    )
    .unwrap();
    assert!(matches!(config.auth, AuthConfig::None));
    let warnings = config.warnings();
    assert_eq!(warnings.len(), 6, "{warnings:?}");
    assert_eq!(
        warnings
            .iter()
            .filter(|warning| warning.contains("Kubernetes"))
            .count(),
        4
    );
    assert!(
        warnings
            .iter()
            .any(|warning| warning.contains("REGISTRY_HTTP_ADRESS fits no key"))
    );
}

#[test]
fn what_holds_is_shown_with_where_it_came_from() {
    let config = check(
        &format!("{FILE}http:\n  secret: hunter2\n  addr: :7\n"),
        &[
            ("REGISTRY_LOG_LEVEL", "debug"),
            ("REGISTRY_REDIS_PASSWORD", "hunter3"),
        ],
    );
    let shown: Vec<String> = config
        .unwrap()
        .effective
        .iter()
        .map(ToString::to_string)
        .collect();
    for line in [
        "http.addr: \":7\"  # test:5",
        "http.secret: (hidden)  # test:4",
        "http.draintimeout: 60s  # default",
        "log.level: \"debug\"  # REGISTRY_LOG_LEVEL",
        "redis.password: (hidden)  # REGISTRY_REDIS_PASSWORD",
    ] {
        assert!(
            shown.iter().any(|found| found == line),
            "{line} is missing in {shown:#?}"
        );
    }
    assert!(!shown.join("\n").contains("hunter"));
}
