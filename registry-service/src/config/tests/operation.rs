use std::time::Duration;

use shared::runtime::telemetry::{Format, Style};

use super::{check, faults};
use crate::health::Kind;

const FILE: &str = "
version: 0.1
log:
  formatter: logstash
  fields: {service: registry, replica: 3}
  accesslog: {disabled: true}
  reportcaller: true
storage: inmemory
http:
  debug:
    addr: 127.0.0.1:5001
    prometheus: {enabled: true}
health:
  storagedriver: {enabled: true, threshold: 3}
  file:
    - {file: /run/closed, interval: 5s}
  http:
    - {uri: 'http://a:secret@other.example/health', statuscode: 204, timeout: 3s, headers: {X-Probe: [a, b]}}
  tcp:
    - {addr: 'other.example:6379', threshold: 2}
";

#[test]
fn checks_the_debug_server_and_the_log_are_read_with_distributions_defaults() {
    let config = check(FILE, &[]).unwrap();
    let [storage, file, http, tcp] = &config.health[..] else {
        panic!("{:?}", config.health)
    };
    assert_eq!(storage.kind, Kind::Storage("inmemory"));
    assert_eq!(
        (storage.interval, storage.threshold),
        (Duration::from_secs(10), 3)
    );
    assert_eq!(file.kind, Kind::File("/run/closed".into()));
    assert_eq!((file.interval, file.threshold), (Duration::from_secs(5), 1));
    let Kind::Http {
        headers,
        status,
        timeout,
        ..
    } = &http.kind
    else {
        panic!("{http:?}")
    };
    assert_eq!((*status, *timeout), (204, Some(Duration::from_secs(3))));
    assert_eq!(headers.len(), 2);
    assert_eq!(http.name(), "http://other.example/health");
    assert!(matches!(&tcp.kind, Kind::Tcp { addr, timeout: None } if addr == "other.example:6379"));
    assert_eq!(tcp.threshold, 2);

    let debug = config.debug.unwrap();
    assert_eq!(debug.addr.to_string(), "127.0.0.1:5001");
    assert_eq!(debug.metrics_path.as_deref(), Some("/metrics"));

    assert!(!config.log.access_log);
    let Format::Fields(lines) = config.log.format else {
        panic!("another format")
    };
    assert_eq!((lines.style, lines.caller), (Style::Logstash, true));
    let field = |name: &str, value: &str| lines.fields.contains(&(name.to_owned(), value.to_owned()));
    assert!(field("service", "registry") && field("replica", "3"));
    assert_eq!(config.without_effect, Vec::<String>::new());
}

#[test]
fn without_them_there_is_no_debug_server_and_no_check_but_an_access_log() {
    let config = check(
        "{version: 0.1, storage: inmemory, http: {debug: {prometheus: {enabled: true}}}}",
        &[],
    );
    let config = config.unwrap();
    assert_eq!((config.debug, config.health), (None, Vec::new()));
    assert!(config.log.access_log);
}

#[test]
fn what_cannot_be_checked_or_listened_on_is_a_fault_with_its_path() {
    let wrong = "
version: 0.1
storage: inmemory
http: {debug: {addr: nonsense, prometheus: {path: metrics}}}
health:
  file: [{interval: 5s}]
  http: [{uri: 'ftp://a/b'}]
  tcp: [{addr: nowhere}]
";
    assert_eq!(
        faults(wrong),
        [
            "health.file[0].file",
            "health.http[0].uri",
            "health.tcp[0].addr",
            "http.debug.addr",
            "http.debug.prometheus.path",
        ]
    );
}
