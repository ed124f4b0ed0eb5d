//! What is taken, and where clients are sent: `validation`, `policy`, `middleware`.

use std::time::Duration;

use super::{check, faults};
use crate::redirect::Choice;
use crate::registry::{Children, Class, ForeignUrls, Rules};

const BASE: &str = "version: 0.1\nstorage: inmemory\n";

fn good(more: &str) -> super::Config {
    check(&format!("{BASE}{more}"), &[]).unwrap_or_else(|error| panic!("{more}: {error}"))
}

fn rules(more: &str) -> Rules {
    good(more).validation.rules
}

#[test]
fn no_urls_are_allowed_and_all_manifests_of_an_index_are_asked_for_unless_something_else_is_said() {
    for silent in [
        "",
        "validation: {}",
        "validation: {disabled: false}",
        "validation: {manifests: {urls: {}}}",
    ] {
        let rules = rules(silent);
        assert!(matches!(rules.urls, ForeignUrls::None), "{silent}");
        assert_eq!(rules.children, Children::All, "{silent}");
        assert_eq!(
            (rules.max_references, rules.max_length),
            (None, 4 << 20),
            "{silent}"
        );
        assert_eq!(rules.classes, None, "{silent}");
    }
    let off = "validation: {disabled: true, manifests: {referencelimit: 1, payloadsizelimit: 1}}";
    let rules = rules(off);
    assert!(matches!(rules.urls, ForeignUrls::Any));
    assert_eq!(rules.children, Children::None);
    assert_eq!((rules.max_references, rules.max_length), (None, 4 << 20));
    // The old switch goes before the new one.
    let both = self::rules("validation: {disabled: true, enabled: true}");
    assert!(matches!(both.urls, ForeignUrls::None));
}

#[test]
fn rules_are_read_as_they_are_written() {
    let rules = rules(
        "validation:
  manifests:
    urls: {allow: ['^https?://([^/]+\\.)*example\\.com/', x], deny: ['^https?://www\\.example\\.com/']}
    indexes: {platforms: list, platformlist: [{os: linux, architecture: amd64}, {architecture: arm64}]}
    referencelimit: 100
    payloadsizelimit: 65536
policy: {repository: {classes: [image, chart]}}",
    );
    let ForeignUrls::Matching { allow, deny } = rules.urls else {
        panic!("{:?}", rules.urls)
    };
    assert_eq!((allow.len(), deny.len()), (2, 1));
    let Children::Of(platforms) = rules.children else {
        panic!("{:?}", rules.children)
    };
    assert_eq!(
        (platforms[0].os.as_str(), platforms[1].os.as_str()),
        ("linux", "")
    );
    assert_eq!((rules.max_references, rules.max_length), (Some(100), 65_536));
    assert_eq!(rules.classes, Some(vec![Class::Image]));
    let none = self::rules("validation: {manifests: {indexes: {platforms: none}}}");
    assert_eq!(none.children, Children::None);
    let empty = self::rules("validation: {manifests: {indexes: {platforms: list}}}");
    assert_eq!(empty.children, Children::All);
    let larger = self::rules("validation: {manifests: {payloadsizelimit: 99999999}}");
    assert_eq!(larger.max_length, 4 << 20);
}

#[test]
fn bad_expressions_stop_the_start_with_their_places() {
    assert_eq!(
        faults(&format!(
            "{BASE}validation: {{manifests: {{urls: {{allow: [good, '('], deny: ['[a[b]']}}, indexes: {{platforms: some}}}}}}"
        )),
        [
            "validation.manifests.indexes.platforms",
            "validation.manifests.urls.allow[1]",
            "validation.manifests.urls.deny[0]",
        ]
    );
    let off = format!("{BASE}validation: {{disabled: true, manifests: {{urls: {{allow: ['(']}}}}}}");
    assert_eq!(faults(&off), ["validation.manifests.urls.allow[0]"]);
}

#[test]
fn middlewares_are_read_in_their_order_without_those_that_are_disabled() {
    let config = good(
        "middleware:
  storage:
    - {name: redirect, disabled: true, options: {baseurl: not a URL}}
    - {name: rewrite, options: {scheme: http}}
    - {name: redirect, options: {baseurl: 'https://cdn.example/x/'}}
    - {name: rewrite, options: {host: other.example, trimpathprefix: /x}}
    - {name: cloudfront, options: {baseurl: d.cloudfront.net, privatekey: /k.pem, keypairid: K, duration: 5m, ipfilteredby: AWSRegion, awsregion: 'us-east-1, us-west-2', updatefrenquency: 1h}}",
    );
    let [
        Choice::Rewrite(first),
        Choice::Redirect(base),
        Choice::Rewrite(second),
        Choice::CloudFront(cdn),
    ] = &config.redirects[..]
    else {
        panic!("{:?}", config.redirects)
    };
    assert_eq!(base.join("/docker"), "https://cdn.example/x/docker");
    assert_eq!(
        (first.scheme.as_deref(), first.host.as_deref()),
        (Some("http"), None)
    );
    assert_eq!(second.trim_path_prefix.as_deref(), Some("/x"));
    assert_eq!(cdn.duration, Duration::from_mins(5));
    let direct = cdn.direct.as_ref().unwrap();
    assert_eq!(direct.regions, ["us-east-1", "us-west-2"]);
    assert_eq!(direct.interval, Duration::from_hours(1));
    assert!(direct.url.contains("amazonaws.com"));
    let warnings = config.warnings();
    let said: Vec<_> = warnings
        .iter()
        .filter(|text| text.contains("no effect"))
        .collect();
    assert_eq!(said.len(), 2, "{warnings:?}");
    assert!(
        said[0].contains("storage[1]") && said[1].contains("storage[4]"),
        "{said:?}"
    );
    assert_eq!(config.ignored, Vec::<String>::new());
}

#[test]
fn a_switch_sends_nobody_anywhere_whatever_middlewares_say() {
    let redirect = "middleware: {storage: [{name: redirect, options: {baseurl: 'https://cdn.example'}}]}";
    assert_eq!(good(redirect).redirects.len(), 1);
    let config = check(
        &format!("version: 0.1\nstorage: {{inmemory: {{}}, redirect: {{disable: true}}}}\n{redirect}"),
        &[],
    )
    .unwrap();
    assert_eq!(config.redirects, []);
    assert!(
        config
            .warnings()
            .iter()
            .any(|text| text.contains("storage.redirect.disable"))
    );
    let by_variable = check(
        BASE,
        &[(
            "REGISTRY_MIDDLEWARE_STORAGE",
            "[{name: redirect, options: {baseurl: 'https://cdn.example'}}]",
        )],
    );
    assert_eq!(by_variable.unwrap().redirects.len(), 1);
}

#[test]
fn middlewares_that_cannot_work_stop_the_start_with_their_places() {
    for (middleware, expected) in [
        ("{name: strange}", vec!["name"]),
        ("{}", vec!["name"]),
        ("{name: redirect}", vec!["options.baseurl"]),
        (
            "{name: redirect, options: {baseurl: cdn.example}}",
            vec!["options.baseurl"],
        ),
        (
            "{name: cloudfront}",
            vec!["options.baseurl", "options.keypairid", "options.privatekey"],
        ),
        (
            "{name: cloudfront, options: {baseurl: 'a b', keypairid: K, privatekey: /k, ipfilteredby: some}}",
            vec!["options.baseurl", "options.ipfilteredby"],
        ),
        (
            "{name: cloudfront, options: {baseurl: a, keypairid: K, privatekey: /k, ipfilteredby: awsregion}}",
            vec!["options.awsregion"],
        ),
    ] {
        let found = faults(&format!("{BASE}middleware: {{storage: [{middleware}]}}"));
        let expected: Vec<_> = expected
            .iter()
            .map(|path| format!("middleware.storage[0].{path}"))
            .collect();
        assert_eq!(found, expected, "{middleware}");
    }
}

#[test]
fn redis_is_read_in_both_generations_and_must_be_there_when_it_is_asked_for() {
    let with = |redis: &str| {
        let text =
            format!("version: 0.1\nstorage: {{inmemory: {{}}, cache: {{blobdescriptor: redis}}}}\n{redis}");
        check(&text, &[]).map(|config| (config.storage.cache_in_redis, config.redis.unwrap()))
    };
    let (asked, new) = with(
        "redis: {addrs: ['a:1', 'b:2'], username: u, password: hunter2, db: 3, clientname: c, protocol: 2, mastername: m, \
         sentinelpassword: hunter3, dialtimeout: 10ms, readtimeout: 0, minretrybackoff: 1s, maxretrybackoff: 1ms, \
         tls: {certificate: /c, key: /k, rootcas: [/r], clientcas: [/s]}}",
    )
    .unwrap();
    assert!(asked && !format!("{new:?}").contains("hunter"), "{new:?}");
    assert_eq!((new.addrs.len(), new.master_name.as_deref()), (2, Some("m")));
    assert_eq!(
        (new.db, new.is_resp3, new.client_name.as_deref()),
        (3, false, Some("c"))
    );
    assert_eq!(
        (new.dial, new.read),
        (Duration::from_millis(10), Duration::from_secs(3))
    );
    assert_eq!(new.pause, (Duration::from_secs(1), Duration::from_secs(1)));
    assert_eq!(new.account.password.unwrap().expose(), "hunter2");
    assert_eq!(new.sentinel_account.password.unwrap().expose(), "hunter3");
    let tls = new.tls.unwrap();
    assert!(tls.pair.is_some() && tls.roots.len() == 2);

    let (_, old) = with("redis: {addr: 'r:6379', pool: {maxidle: 16, maxactive: 64, idletimeout: 300s}, tls: {enabled: true}}").unwrap();
    assert_eq!((old.addrs, old.is_resp3), (vec!["r:6379".to_owned()], true));
    assert!(
        old.tls
            .is_some_and(|tls| tls.pair.is_none() && tls.roots.is_empty())
    );

    let (_, plain) = with("redis: {addr: 'r:6379', pool: {maxidle: 16}}").unwrap();
    assert!(plain.tls.is_none());
    let asking = "version: 0.1\nstorage: {inmemory: {}, cache: {layerinfo: redis}}\n";
    assert_eq!(faults(asking), ["redis"]);
    assert_eq!(
        faults(&format!("{asking}redis: {{addr: a, addrs: [b]}}")),
        ["redis"]
    );
    assert_eq!(
        faults(&format!("{asking}redis: {{addr: 'a:1', tls: {{key: /k}}}}")),
        ["redis.tls"]
    );
    // A cache of this process asks nobody.
    let unasked = good("redis: {addrs: ['a:1']}");
    assert!(!unasked.storage.cache_in_redis);
}
