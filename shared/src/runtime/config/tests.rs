use std::fs;
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;

use super::*;

fn pairs(vars: &[(&str, &str)]) -> impl Iterator<Item = (String, String)> {
    vars.iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect::<Vec<_>>()
        .into_iter()
}

#[test]
fn the_last_of_two_equal_keys_wins() {
    let tree = parse_tree("a: 1\nb: {c: x}\na: 2\n", "test").unwrap();
    assert_eq!(tree, json!({"a": 2, "b": {"c": "x"}}));
}

#[test]
fn yaml_1_1_booleans_are_booleans_and_quoted_ones_are_text() {
    let tree = parse_tree("a: yes\nb: off\nc: \"yes\"\nd: True\ne: on\nf: no\n", "test").unwrap();
    assert_eq!(
        tree,
        json!({"a": true, "b": false, "c": "yes", "d": true, "e": true, "f": false})
    );
}

#[test]
fn an_empty_file_is_an_empty_map() {
    for text in ["", "\n", "# only a comment\n", "---\n"] {
        assert_eq!(parse_tree(text, "test").unwrap(), json!({}), "{text:?}");
    }
}

#[test]
fn a_syntax_fault_names_file_and_place() {
    let error = parse_tree("a: [1,\nb: 2", "config.yml").unwrap_err().to_string();
    assert!(error.starts_with("config.yml is not valid YAML: "), "{error}");
    assert!(error.contains("line"), "{error}");
}

#[test]
fn anchors_and_merges_work_and_a_bomb_is_refused() {
    let tree = parse_tree("base: &b {x: 1}\nuse: {<<: *b, y: 2}\n", "test").unwrap();
    assert_eq!(tree["use"], json!({"x": 1, "y": 2}));
    let mut bomb = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
    for n in 1..9 {
        let aliases = vec![format!("*a{}", n - 1); 10].join(",");
        bomb += &["a", &n.to_string(), ": &a", &n.to_string(), " [", &aliases, "]\n"].concat();
    }
    assert!(matches!(
        parse_tree(&bomb, "bomb"),
        Err(ConfigError::Syntax { .. })
    ));
}

#[test]
fn durations_are_read_as_go_reads_them() {
    for (text, ns) in [
        ("30s", 30_000_000_000),
        ("1h30m", 5_400_000_000_000),
        ("100ms", 100_000_000),
        ("1.5h", 5_400_000_000_000),
        ("0.333333333333333333s", 333_333_333),
        (".5s", 500_000_000),
        ("5.s", 5_000_000_000),
        ("1us2ns", 1_002),
        ("3µs", 3_000),
        ("3μs", 3_000),
        ("0", 0),
        ("+7s", 7_000_000_000),
        ("1500", 1_500),
    ] {
        assert_eq!(
            text.parse::<GoDuration>(),
            Ok(GoDuration(Duration::from_nanos(ns))),
            "{text}"
        );
    }
    for text in [
        "",
        "s",
        "-1s",
        "1d",
        "1s ",
        " 1s",
        ".s",
        "1..5s",
        "9223372036854775808ns",
        "1e3s",
    ] {
        assert_eq!(text.parse::<GoDuration>(), Err(InvalidDuration), "{text}");
    }
}

#[test]
fn sizes_are_read_with_decimal_and_binary_units() {
    for (text, bytes) in [
        ("4096", 4096),
        ("64KiB", 65_536),
        ("10 MB", 10_000_000),
        ("1.5GiB", 1_610_612_736),
        ("1b", 1),
    ] {
        assert_eq!(text.parse(), Ok(ByteSize(bytes)), "{text}");
    }
    for text in [
        "",
        "-1",
        "1x",
        "KiB",
        "99999999999999999999",
        "99999999TiB",
        "1.2.3K",
        "1.2345KB",
    ] {
        assert!(text.parse::<ByteSize>().is_err(), "{text}");
    }
    assert_eq!(ByteSize(65_536).to_string(), "64KiB");
    assert_eq!(ByteSize(1_000).to_string(), "1000");
}

#[test]
fn a_type_is_read_through_the_tree() {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Http {
        drain: GoDuration,
        idle: GoDuration,
        limit: ByteSize,
    }
    let tree = parse_tree("drain: 1m\nidle: 5\nlimit: 4MiB", "test").unwrap();
    let http: Http = from_tree(tree, "test").unwrap();
    assert_eq!(http.drain.0, Duration::from_mins(1));
    assert_eq!(http.idle.0, Duration::from_nanos(5));
    assert_eq!(http.limit.0, 4 << 20);
    let tree = parse_tree("drain: 1m\nidle: 5\nlimit: 4MiB\nlimits: 5", "test").unwrap();
    let error = from_tree::<Http>(tree, "config.yml").err().unwrap().to_string();
    assert!(error.contains("unknown field `limits`"), "{error}");
}

#[test]
fn all_faults_are_printed_at_once() {
    let mut faults = Faults::new();
    faults.push("http.addr", "an address such as 127.0.0.1:5000", "\"x\"");
    assert_eq!(
        faults.check("http.drain", "a duration", "1d".parse::<GoDuration>()),
        None
    );
    assert_eq!(
        faults.check("http.limit", "a size", "1KB".parse::<ByteSize>()),
        Some(ByteSize(1000))
    );
    let text = faults.clone().into_result(()).unwrap_err().to_string();
    assert_eq!(text.lines().count(), 3, "{text}");
    assert!(
        text.contains("http.addr: expected an address such as 127.0.0.1:5000, found \"x\""),
        "{text}"
    );
    assert!(Faults::new().into_result(5).is_ok());
}

#[test]
fn variables_overlay_existing_keys_in_any_case() {
    let mut tree = json!({"http": {"addr": ":5000", "Headers": {"X": ["a"]}}, "log": null, "list": [1]});
    overlay(
        &mut tree,
        "REG",
        pairs(&[
            ("REG_HTTP_ADDR", "127.0.0.1:1"),
            ("REG_HTTP_HEADERS_X", "[b, c]"),
            ("REG_LOG_LEVEL", "debug"),
            ("REG_LOG", "{level: info, fields: {a: 1}}"),
            ("REG_LIST_0", "2"),
            ("REG_LIST_1", "three"),
            ("REG_NEW_KEY", "true"),
            ("REG_EMPTY", ""),
            ("REGISTRY_HTTP", "x"),
            ("OTHER", "x"),
        ]),
    )
    .unwrap();
    assert_eq!(
        tree,
        json!({
            "http": {"addr": "127.0.0.1:1", "Headers": {"X": ["b", "c"]}},
            "log": {"level": "debug", "fields": {"a": 1}},
            "list": [2, "three"],
            "new": {"key": true},
            "empty": "",
        })
    );
}

#[test]
fn variables_find_known_keys_with_underscores() {
    let mut tree = json!({"token": {"key_file": null, "key": {"id": null}}});
    overlay(
        &mut tree,
        "I",
        pairs(&[("I_TOKEN_KEY_FILE", "/k"), ("I_TOKEN_KEY_ID", "7")]),
    )
    .unwrap();
    assert_eq!(tree, json!({"token": {"key_file": "/k", "key": {"id": 7}}}));
}

#[test]
fn a_variable_that_leaves_a_hole_in_a_list_is_refused() {
    for name in ["I_A_2", "I_A_X", "I_A_2_B"] {
        let error = overlay(&mut json!({"a": [1]}), "I", pairs(&[(name, "1")])).unwrap_err();
        assert!(
            error.to_string().starts_with(&format!("the variable {name} ")),
            "{error}"
        );
    }
}

#[test]
fn a_variable_that_is_not_yaml_is_named() {
    let error = overlay(&mut json!({}), "I", pairs(&[("I_A", "[1")]))
        .unwrap_err()
        .to_string();
    assert!(error.starts_with("the variable I_A is not valid YAML"), "{error}");
}

#[test]
fn a_secret_is_read_from_its_file_and_both_at_once_is_a_fault() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("password");
    fs::write(&path, "hunter2\n").unwrap();
    let mut faults = Faults::new();
    let secret_of = |faults: &mut Faults, inline: Option<&str>, file| {
        secret(
            faults,
            "store.password",
            inline.map(|text| Secret::new(text.to_owned())),
            file,
        )
    };
    assert_eq!(
        secret_of(&mut faults, None, Some(&path)).unwrap().expose(),
        "hunter2"
    );
    assert_eq!(secret_of(&mut faults, Some("x"), None).unwrap().expose(), "x");
    assert!(secret_of(&mut faults, None, None).is_none());
    assert!(faults.is_empty());
    assert!(secret_of(&mut faults, Some("hunter3"), Some(&path)).is_none());
    fs::write(&path, "\n").unwrap();
    assert!(secret_of(&mut faults, None, Some(&path)).is_none());
    assert!(secret_of(&mut faults, None, Some(&folder.path().join("none"))).is_none());
    let text = faults.to_string();
    assert_eq!(faults.iter().count(), 3, "{text}");
    assert!(!text.contains("hunter"), "{text}");
}
