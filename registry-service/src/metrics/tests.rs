use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use super::exposition::go_float;
use super::number::{Histogram, SIZES, TIMES};
use super::{Action, Driver, Handler, InFlight, Timer, request, text};

/// The value of a line; other tests of this process count too.
fn value(line: &str) -> u64 {
    let text = text(&AtomicUsize::new(3));
    let found = text.lines().find_map(|have| have.strip_prefix(line));
    found.map_or(0, |value| value.trim().parse().unwrap())
}

#[test]
fn a_request_is_counted_under_its_handler_method_and_code() {
    let total = "registry_http_requests_total{code=\"409\",handler=\"referrers\",method=\"options\"}";
    let slow =
        "registry_http_request_duration_seconds_bucket{handler=\"referrers\",method=\"options\",le=\"0.05\"}";
    let fast = "registry_http_request_duration_seconds_bucket{handler=\"referrers\",method=\"options\",le=\"0.025\"}";
    let before = (value(total), value(slow), value(fast));
    request(
        Handler::Referrers,
        &http::Method::OPTIONS,
        409,
        Duration::from_millis(30),
        0,
        10,
    );
    assert_eq!(
        (value(total), value(slow), value(fast)),
        (before.0 + 1, before.1 + 1, before.2)
    );
    assert_eq!(value("portolan_connections"), 3);
}

#[test]
fn a_code_or_method_that_a_client_made_up_makes_no_label() {
    let line = "registry_http_requests_total{code=\"0\",handler=\"other\",method=\"unknown\"}";
    let before = value(line);
    let method = http::Method::from_bytes(b"MADEUP").unwrap();
    request(Handler::Other, &method, 799, Duration::ZERO, 0, 0);
    assert!(value(line) > before);
    assert!(!text(&AtomicUsize::new(0)).contains("MADEUP"));
}

#[test]
fn requests_in_flight_and_actions_of_the_storage_are_told() {
    let line = "registry_http_in_flight_requests{handler=\"referrers\"}";
    let flight = InFlight::begin(Handler::Referrers);
    assert!(value(line) >= 1);
    drop(flight);
    let line = "registry_storage_action_seconds_count{action=\"Delete\",driver=\"filesystem\"}";
    let before = value(line);
    drop(Timer::begin(Driver::Filesystem, Action::Delete));
    assert!(value(line) > before);
}

#[test]
fn values_fall_into_the_first_bucket_that_holds_them() {
    let sizes = Histogram::new();
    for bytes in [
        0,
        1,
        1024,
        1025,
        2048,
        2049,
        1 << 31,
        (1 << 31) + 1,
        u64::MAX >> 8,
    ] {
        sizes.observe_bytes(bytes);
    }
    let found = sizes.snapshot();
    assert_eq!(
        [0, 1, 2, SIZES - 2, SIZES - 1].map(|bound| found.up_to(bound)),
        [3, 5, 6, 6, 7]
    );
    assert_eq!(found.count(), 9);
    let times = Histogram::new();
    for millis in [0, 5, 6, 60_000, 60_001] {
        times.observe_time(Duration::from_millis(millis));
    }
    let found = times.snapshot();
    assert_eq!([0, 1, TIMES.len() - 1].map(|bound| found.up_to(bound)), [2, 3, 4]);
    assert_eq!(found.count(), 5);
}

#[test]
fn bounds_are_written_as_go_writes_them() {
    let written = [1024, 524_288, 1 << 20, 1 << 31, 1_000_000].map(go_float);
    assert_eq!(
        written,
        ["1024", "524288", "1.048576e+06", "2.147483648e+09", "1e+06"]
    );
}

#[test]
fn the_text_has_a_type_before_each_family_and_no_family_twice() {
    request(Handler::Base, &http::Method::GET, 200, Duration::ZERO, 0, 2);
    let text = text(&AtomicUsize::new(0));
    let mut families = std::collections::BTreeSet::new();
    let mut current = String::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            current = rest.split(' ').next().unwrap().to_owned();
            assert!(families.insert(current.clone()), "{current} twice");
        } else if !line.starts_with('#') {
            assert!(line.starts_with(&current), "{line} stands under {current}");
        }
    }
    assert!(families.len() > 12, "{families:?}");
}
