use serde_json::json;
use shared::oci::{Algorithm, Digest};

use super::*;

fn expression(text: &str) -> Expression {
    Expression::parse(text).unwrap()
}

fn matching(allow: &[&str], deny: &[&str]) -> ForeignUrls {
    let all = |texts: &[&str]| texts.iter().map(|text| expression(text)).collect();
    ForeignUrls::Matching {
        allow: all(allow),
        deny: all(deny),
    }
}

fn manifest(config: &str, more: &serde_json::Value) -> Manifest {
    let digest = Digest::of(Algorithm::Sha256, b"{}");
    let mut body = json!({
        "schemaVersion": 2,
        "config": {"mediaType": config, "digest": digest, "size": 2},
        "layers": [],
    });
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    Manifest::parse(&serde_json::to_vec(&body).unwrap(), None).unwrap()
}

const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";

#[test]
fn urls_are_allowed_and_denied_as_distribution_does() {
    let example = "https://www.example.com/layer";
    for (rule, url, allowed) in [
        (ForeignUrls::Any, example, true),
        (ForeignUrls::Any, "ftp://www.example.com/layer", false),
        (ForeignUrls::Any, "file:///etc/passwd", false),
        (ForeignUrls::Any, "https://www.example.com/layer#part", false),
        (ForeignUrls::Any, "https://www.example.com/a layer", false),
        (ForeignUrls::Any, "https://www.example.com/\n", false),
        (ForeignUrls::Any, "https://www.ex\u{e4}mple.com/", false),
        (ForeignUrls::Any, "https://", false),
        (ForeignUrls::Any, "https:///layer", false),
        (ForeignUrls::Any, "HTTPS://www.example.com/layer", true),
        (ForeignUrls::Any, "//www.example.com/layer", false),
        (ForeignUrls::None, example, false),
        (
            matching(&[r"^https?://([^/]+\.)*example\.com/"], &[]),
            example,
            true,
        ),
        (
            matching(&[r"^https?://([^/]+\.)*example\.com/"], &[]),
            "https://example.org/",
            false,
        ),
        (
            matching(&["example"], &[r"^https?://www\.example\.com/"]),
            example,
            false,
        ),
        (
            matching(&["example"], &[r"^https?://www\.example\.com/"]),
            "https://x.example.com/",
            true,
        ),
        (matching(&[], &["www"]), "https://x.example.com/", true),
        (matching(&[], &["www"]), example, false),
        (matching(&["nowhere", "example"], &[]), example, true),
        // Not what stands in the middle of a bar.
        (matching(&["^https://a/|b"], &[]), "https://c/b", true),
    ] {
        assert_eq!(rule.allows(url), allowed, "{rule:?} {url:?}");
    }
}

#[test]
fn expressions_are_gos_or_refused() {
    for text in [
        r"^https?://([^/]+\.)*example\.com/",
        r"(?i)EXAMPLE",
        r"[[:alpha:]]+[]a-]",
        r"[^]\[&-]x--y&&z~~",
        r"(?P<name>a)\z",
        r"a{2,3}?",
    ] {
        assert!(Expression::parse(text).is_ok(), "{text}");
    }
    for text in [
        "(",
        "[a",
        "a**(",
        r"(?=a)",
        r"\1",
        "[a[b]",
        "[a&&b]",
        "[!--]",
        "[a~~b]",
        "a{1000}{1000}{1000}",
    ] {
        let reason = Expression::parse(text).unwrap_err().to_string();
        assert!(!reason.is_empty() && !reason.contains('\n'), "{text}: {reason}");
    }
}

#[test]
fn listed_platforms_alone_must_be_there() {
    let child = |platform: serde_json::Value| -> Descriptor {
        let digest = Digest::of(Algorithm::Sha256, b"{}");
        let child = json!({"mediaType": "a/b", "digest": digest, "size": 2, "platform": platform});
        serde_json::from_value(child).unwrap()
    };
    let amd64 = child(json!({"os": "linux", "architecture": "amd64", "variant": "v2"}));
    let others = [
        child(json!({"os": "linux", "architecture": "arm64"})),
        child(json!({"os": "windows", "architecture": "amd64"})),
        child(json!({"architecture": "amd64"})),
        child(json!(["linux", "amd64"])),
        child(json!(null)),
    ];
    let listed = Children::Of(vec![Platform {
        os: "linux".to_owned(),
        architecture: "amd64".to_owned(),
    }]);
    for (children, first, rest) in [
        (Children::All, true, true),
        (Children::None, false, false),
        (listed, true, false),
    ] {
        let rules = Rules {
            children,
            ..Rules::default()
        };
        assert_eq!(rules.requires(&amd64), first);
        for other in &others {
            assert_eq!(rules.requires(other), rest, "{other:?}");
        }
    }
}

#[test]
fn classes_are_told_by_the_configuration_and_others_are_refused() {
    let docker = "application/vnd.docker.container.image.v1+json";
    let plugin = "application/vnd.docker.plugin.v1+json";
    let of = |classes: Option<&[Class]>, config: &str| {
        let rules = Rules {
            classes: classes.map(<[Class]>::to_vec),
            ..Rules::default()
        };
        rules.class_of(&manifest(config, &json!({}))).ok()
    };
    let only_images: Option<&[Class]> = Some(&[Class::Image]);
    assert_eq!(of(None, plugin), Some(None));
    assert_eq!(of(only_images, docker), Some(Some(Class::Image)));
    assert_eq!(of(only_images, OCI_CONFIG), Some(Some(Class::Image)));
    assert_eq!(of(only_images, plugin), None);
    assert_eq!(of(Some(&Class::ALL), plugin), Some(Some(Class::Plugin)));
    assert_eq!(of(Some(&Class::ALL), "application/vnd.oci.empty.v1+json"), None);
    assert_eq!(of(Some(&[]), docker), None);
    let index = Manifest::parse(br#"{"schemaVersion":2,"manifests":[]}"#, None).unwrap();
    let rules = Rules {
        classes: Some(Vec::new()),
        ..Rules::default()
    };
    assert_eq!(rules.class_of(&index).ok(), Some(None));
}

#[test]
fn references_are_counted_and_urls_looked_at_wherever_they_stand() {
    let digest = Digest::of(Algorithm::Sha256, b"{}");
    let layer =
        json!({"mediaType": "a/b", "digest": digest, "size": 2, "urls": ["https://a/", "https://b/"]});
    let with_layers = manifest(OCI_CONFIG, &json!({"layers": [layer, layer]}));
    let of = |rules: Rules| rules.check(&with_layers);
    let limited = |limit| Rules {
        max_references: Some(limit),
        ..Rules::default()
    };
    assert!(of(limited(3)).is_ok());
    assert!(matches!(
        of(limited(2)),
        Err(RegistryError::TooManyReferences { named: 3, limit: 2 })
    ));
    let urls = |urls| Rules {
        urls,
        ..Rules::default()
    };
    assert!(of(urls(matching(&["https://(a|b)/"], &[]))).is_ok());
    for rule in [
        matching(&["https://a/"], &[]),
        matching(&[], &["b"]),
        ForeignUrls::None,
    ] {
        assert!(matches!(of(urls(rule)), Err(RegistryError::UrlNotAllowed { .. })));
    }
    let mut config = json!({"mediaType": OCI_CONFIG, "digest": digest, "size": 2});
    config["urls"] = json!(["https://a/"]);
    let refused = urls(ForeignUrls::None).check(&manifest(OCI_CONFIG, &json!({"config": config})));
    assert!(matches!(refused, Err(RegistryError::UrlNotAllowed { .. })));
}
