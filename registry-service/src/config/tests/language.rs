//! What distribution's files may be written like.

use super::*;

const BASE: &str = "version: 0.1\nstorage: inmemory\n";

fn good(more: &str) -> Config {
    check(&format!("{BASE}{more}"), &[]).unwrap_or_else(|error| panic!("{more}: {error}"))
}

#[test]
fn switches_durations_and_numbers_are_those_of_yaml_1_1() {
    for (word, expected) in [
        ("yes", true),
        ("On", true),
        ("y", true),
        ("'true'", true),
        ("off", false),
        ("NO", false),
    ] {
        let file = format!("version: 0.1\nstorage: {{inmemory: , delete: {{enabled: {word}}}}}");
        assert_eq!(
            check(&file, &[]).unwrap().storage.delete_enabled,
            expected,
            "{word}"
        );
    }
    assert_eq!(
        good("http: {draintimeout: 5000000000}")
            .http
            .limits
            .drain
            .as_secs(),
        5
    );
    assert_eq!(
        good("http: {draintimeout: 1m30s}").http.limits.drain.as_secs(),
        90
    );
    assert_eq!(good("catalog: {maxentries: 010}").validation.max_catalog, 8);
    assert_eq!(good("catalog: {maxentries: 0o10}").validation.max_catalog, 8);
    assert_eq!(good("catalog: {maxentries: -5}").validation.max_catalog, 1000);
    // As a text it stays what was written.
    assert_eq!(
        good("http: {secret: 010}")
            .http
            .secret
            .unwrap()
            .expose()
            .as_slice(),
        b"010"
    );
    assert_eq!(
        good("http: {secret: yes}")
            .http
            .secret
            .unwrap()
            .expose()
            .as_slice(),
        b"yes"
    );
}

#[test]
fn the_version_is_a_text_that_is_written_as_a_number() {
    for (version, is_good) in [
        ("0.1", true),
        ("'0.1'", true),
        ("0.10", false),
        ("0.2", false),
        ("1", false),
        ("[0.1]", false),
    ] {
        let file = format!("version: {version}\nstorage: inmemory");
        assert_eq!(check(&file, &[]).is_ok(), is_good, "{version}");
    }
    assert_eq!(faults("storage: inmemory"), ["version"]);
}

#[test]
fn a_key_written_twice_is_filled_twice_in_a_structure_and_replaced_in_a_map() {
    let config = good("http: {addr: ':1'}\nhttp: {secret: s}\n");
    assert_eq!(
        (
            config.http.addr.to_string().as_str(),
            config.http.secret.is_some()
        ),
        ("0.0.0.0:1", true)
    );
    let [warning] = config.warnings().try_into().unwrap();
    assert!(
        warning.contains("http is written twice") && warning.contains("test:4"),
        "{warning}"
    );
    let twice = "version: 0.1\nstorage: {filesystem: {rootdirectory: /a}}\nstorage: {inmemory: {}}";
    assert_eq!(check(twice, &[]).unwrap().storage.backend, Backend::Memory);
}

#[test]
fn maps_are_merged_and_anchors_are_followed() {
    let config = check(
        "version: 0.1\nx-base: &base {addr: ':7', secret: s}\nstorage: inmemory\nhttp:\n  <<: *base\n  addr: ':8'\n",
        &[],
    )
    .unwrap();
    assert_eq!(
        (
            config.http.addr.to_string().as_str(),
            config.http.secret.is_some()
        ),
        ("0.0.0.0:8", true)
    );
    assert_eq!(config.ignored, ["x-base"]);
}

#[test]
fn a_host_is_all_that_stands_before_v2_and_goes_before_relative_urls() {
    let base = |http: &str| good(&format!("http: {{{http}}}")).http.base_url;
    assert_eq!(base("host: 'https://r.example'"), "https://r.example");
    assert_eq!(
        base("host: 'https://r.example/x/', prefix: /y/"),
        "https://r.example/x"
    );
    // The proxy adds the prefix.
    assert_eq!(
        base("host: 'https://r.example', prefix: /y/"),
        "https://r.example"
    );
    assert_eq!(
        base("host: 'https://r.example', relativeurls: true"),
        "https://r.example"
    );
    assert_eq!(base("relativeurls: true"), "");
}

#[test]
fn a_cache_that_nobody_has_stops_nobody() {
    for cache in [
        "blobdescriptor: tape",
        "layerinfo: inmemory",
        "blobdescriptor: ''",
    ] {
        let file = format!("version: 0.1\nstorage: {{inmemory: , cache: {{{cache}}}}}");
        assert!(check(&file, &[]).is_ok(), "{cache}");
    }
}

#[test]
fn uploads_are_purged_by_times_that_are_texts() {
    let purging = |more: &str| {
        let file =
            format!("version: 0.1\nstorage: {{inmemory: , maintenance: {{uploadpurging: {{{more}}}}}}}");
        check(&file, &[]).map(|config| config.storage.purging)
    };
    let hour = Duration::from_hours(1);
    let found = purging("enabled: true, age: 2h, interval: 1h, dryrun: true")
        .unwrap()
        .unwrap();
    assert_eq!((found.age, found.interval, found.dry_run), (2 * hour, hour, true));
    assert_eq!(purging("enabled: false").unwrap(), None);
    for wrong in [
        "age: 5",
        "interval: 3600",
        "interval: 0s",
        "dryrun: perhaps",
        "age: [1h]",
    ] {
        assert!(purging(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_driver_of_a_cloud_is_checked_whole_and_then_refused() {
    let storage = |driver: &str| faults(&format!("version: 0.1\nstorage: {{{driver}}}"));
    assert_eq!(
        storage("s3: {bucket: b, region: eu-west-1, secure: 'true', loglevel: off, chunksize: '5242880'}"),
        ["storage"]
    );
    assert_eq!(
        storage("s3aws: {bucket: b, regionendpoint: 'http://minio:9000'}"),
        ["storage"]
    );
    assert_eq!(
        storage("s3: {chunksize: 5, secure: perhaps, storageclass: COLD}"),
        [
            "storage",
            "storage.s3.bucket",
            "storage.s3.chunksize",
            "storage.s3.region",
            "storage.s3.secure",
            "storage.s3.storageclass"
        ]
    );
    assert_eq!(
        storage("azure: {accountname: a}"),
        ["storage", "storage.azure.container"]
    );
    assert_eq!(
        storage("gcs: {bucket: b, chunksize: 1000}"),
        ["storage", "storage.gcs.chunksize"]
    );
    for driver in [
        "swift: {x: y}",
        "oss: ",
        "tape: {}",
        "filesystem: , inmemory: ",
        "",
    ] {
        assert_eq!(storage(driver), ["storage"], "{driver}");
    }
    let Err(error) = check("version: 0.1\nstorage: {oss: {bucket: b}}", &[]) else {
        panic!("a driver that nobody has")
    };
    assert!(
        error.to_string().contains("distribution 3 has removed it"),
        "{error}"
    );
}

#[test]
fn a_fault_tells_place_and_value_and_never_a_secret() {
    let file = "version: 0.1\nstorage: inmemory\nhttp:\n  secret: [hunter2]\n  net: carrier pigeon\n";
    let text = check(file, &[("REGISTRY_LOG_FORMATTER", "xml")])
        .unwrap_err()
        .to_string();
    assert!(
        text.contains("http.net: expected one of") && text.contains("\"carrier pigeon\" (test:5)"),
        "{text}"
    );
    assert!(
        text.contains("http.secret: expected a text, found a list (test:4)"),
        "{text}"
    );
    assert!(text.contains("\"xml\" (REGISTRY_LOG_FORMATTER)"), "{text}");
    assert!(!text.contains("hunter2"), "{text}");
}

#[test]
fn what_is_not_built_is_said_where_it_only_misses_and_refused_where_it_would_harm() {
    assert_eq!(
        faults(&format!("{BASE}middleware: {{repository: [{{name: filter}}]}}")),
        ["middleware.repository[0].name"]
    );
    let config = good(
        "middleware: {registry: [{name: x, disabled: true, options: {password: hunter2}}]}\nrate_limiter: {enabled: true}\n",
    );
    let warnings = config.warnings().join("\n");
    assert!(warnings.contains("does not act on rate_limiter"), "{warnings}");
    let shown: Vec<String> = config.effective.iter().map(ToString::to_string).collect();
    assert!(!shown.join("\n").contains("hunter2"), "{shown:?}");
    assert_eq!(
        faults(&format!("{BASE}proxy: {{remoteurl: 'https://x', ttl: soon}}")),
        ["proxy", "proxy.ttl"]
    );
}
