use std::time::Duration;

use super::{check, faults};
use crate::notification::Version;

const FILE: &str = "
version: 0.1
storage: inmemory
notifications:
  events: {includereferences: true}
  endpoints:
    - name: alice
      url: https://account:canary@receiver.example/hook
      headers: {Authorization: [Bearer canary], X-Two: [a, b]}
      timeout: 500ms
      threshold: 5
      backoff: 2s
      ignoredmediatypes: [application/x]
      ignore: {mediatypes: [application/octet-stream], actions: [pull]}
      mediatype: application/vnd.docker.distribution.events.v1+json
      batch: 20
      maxevents: 7
      maxage: 24h
      deadletters: 3
      maxpulls: 9
      index: true
    - {name: off, disabled: true, url: nonsense}
    - {name: alice, url: 'http://two.example/', timeout: 0, threshold: 0, backoff: 0}
    - {url: 'http://three.example/'}
";

#[test]
fn endpoints_are_read_with_distributions_defaults_and_names_of_their_own() {
    let config = check(FILE, &[]).unwrap();
    assert!(config.notifications.include_references);
    let [alice, two, three] = &config.notifications.endpoints[..] else {
        panic!("{:?}", config.notifications)
    };
    assert_eq!(
        (alice.timeout, alice.threshold, alice.backoff),
        (Duration::from_millis(500), 5, Duration::from_secs(2))
    );
    assert_eq!(
        alice.ignored_media_types,
        ["application/octet-stream", "application/x"]
    );
    assert_eq!(alice.ignored_actions, ["pull"]);
    assert_eq!(alice.headers.len(), 3);
    assert_eq!(
        (alice.version, alice.batch, alice.is_index),
        (Version::V1, 20, true)
    );
    assert_eq!(
        (
            alice.max_events,
            alice.max_age,
            alice.max_dead_letters,
            alice.max_pulls
        ),
        (7, Duration::from_hours(24), 3, 9)
    );
    let names = [&alice.name, &two.name, &three.name];
    assert_eq!(names, ["alice", "alice#2", "three.example"]);
    for endpoint in [two, three] {
        assert_eq!(
            (endpoint.timeout, endpoint.threshold, endpoint.backoff),
            (Duration::from_secs(1), 10, Duration::from_secs(1))
        );
        assert_eq!((endpoint.version, endpoint.batch), (Version::V2, 1));
        assert_eq!(
            (endpoint.max_events, endpoint.max_dead_letters),
            (100_000, 10_000)
        );
    }
    let shown: Vec<_> = config.effective.iter().map(ToString::to_string).collect();
    let shown = format!("{}{config:?}", shown.join("\n"));
    assert!(!shown.contains("canary"), "{shown}");
    assert!(
        shown.contains("https://(hidden)@receiver.example/hook"),
        "{shown}"
    );
}

#[test]
fn what_no_endpoint_can_be_is_a_fault_with_its_path() {
    let wrong = "
version: 0.1
storage: inmemory
notifications:
  endpoints:
    - {name: a}
    - {name: b, url: 'ftp://a:canary@b/'}
    - {name: c, url: 'http://b/', mediatype: text/plain, batch: 0, maxevents: 0, maxage: 0s, headers: {'a b': [canary]}}
";
    let prefix = "notifications.endpoints";
    assert_eq!(
        faults(wrong),
        [
            format!("{prefix}[0].url"),
            format!("{prefix}[1].url"),
            format!("{prefix}[2].batch"),
            format!("{prefix}[2].headers.a b"),
            format!("{prefix}[2].maxage"),
            format!("{prefix}[2].maxevents"),
            format!("{prefix}[2].mediatype"),
        ]
    );
    assert!(!check(wrong, &[]).unwrap_err().to_string().contains("canary"));
}
