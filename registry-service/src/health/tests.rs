use std::time::Duration;

use axum::Router;
use axum::routing::{get, head};
use tokio::net::TcpListener;

use super::check::{Streak, without_password};
use super::{Check, Health, Kind};
use crate::registry::Registry;
use crate::storage::{Memory, Storage};
use crate::{Builder, Built};
use shared::runtime::clock::Clock;
use shared::secret::Secret;
use std::sync::Arc;

fn registry() -> Registry {
    let storage = Storage::Memory(Memory::new(|| 0));
    let (clock, _) = Clock::fixed(0);
    let Built { registry, .. } =
        Builder::new(storage, clock, Arc::new(|| [0; 16]), Secret::new(vec![0; 32])).build();
    registry
}

fn check(kind: Kind) -> Check {
    Check {
        kind,
        interval: Duration::from_millis(5),
        threshold: 1,
    }
}

/// Waits until the gate is as it should be; the test's runner ends what never comes.
async fn until(health: &Health, failing: bool) {
    while health.is_failing() != failing {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test]
async fn a_file_that_exists_fails_its_check_until_it_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("maintenance");
    let health = Health::default();
    health.watch(check(Kind::File(path.clone())), &registry());
    std::fs::write(&path, "").unwrap();
    until(&health, true).await;
    assert_eq!(health.failing()[&path.display().to_string()], "file exists");
    std::fs::remove_file(&path).unwrap();
    until(&health, false).await;
}

#[tokio::test]
async fn a_port_that_nobody_listens_on_fails_its_check_until_somebody_does() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    drop(listener);
    let health = Health::default();
    let timeout = Some(Duration::from_secs(5));
    let kind = Kind::Tcp {
        addr: addr.to_string(),
        timeout,
    };
    health.watch(check(kind), &registry());
    until(&health, true).await;
    assert_eq!(
        health.failing()[&addr.to_string()],
        format!("connection to {addr} failed")
    );
    let _listener = TcpListener::bind(addr).await.unwrap();
    until(&health, false).await;
}

#[tokio::test]
async fn a_uri_is_asked_with_head_and_its_headers_and_its_status_is_compared() {
    let app = Router::new()
        .route(
            "/well",
            head(async |headers: http::HeaderMap| {
                if headers.get("x-probe").is_some_and(|value| value == "yes") {
                    http::StatusCode::NO_CONTENT
                } else {
                    http::StatusCode::FORBIDDEN
                }
            }),
        )
        .route("/ill", get(async || http::StatusCode::BAD_GATEWAY));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    let kind = |path: &str, status| Kind::Http {
        uri: format!("http://somebody:hidden@{addr}{path}"),
        headers: vec![("x-probe".parse().unwrap(), "yes".parse().unwrap())],
        status,
        timeout: None,
    };
    let well = super::probe::client(&kind("/well", 204)).unwrap();
    let look = async |kind: Kind| super::probe::probe(&kind, well.as_ref(), &registry()).await;
    assert_eq!(look(kind("/well", 204)).await, Ok(()));
    let ill = look(kind("/ill", 200)).await.unwrap_err();
    assert_eq!(
        ill,
        format!("http://{addr}/ill: downstream service returned unexpected status: 502")
    );
    assert!(!check(kind("/well", 204)).name().contains("hidden"));

    let health = Health::default();
    health.watch(check(kind("/ill", 200)), &registry());
    until(&health, true).await;
    assert!(!format!("{:?}", health.failing()).contains("hidden"));
}

#[tokio::test]
async fn storage_that_answers_is_well_be_it_empty() {
    let kind = Kind::Storage("inmemory");
    assert_eq!(check(kind.clone()).name(), "storagedriver_inmemory");
    assert_eq!(super::probe::probe(&kind, None, &registry()).await, Ok(()));
}

#[test]
fn only_as_many_failures_in_a_row_as_the_threshold_says_count() {
    let trouble = || Some("trouble".to_owned());
    let mut streak = Streak::new(3);
    let looks = [
        trouble(),
        trouble(),
        None,
        trouble(),
        trouble(),
        trouble(),
        trouble(),
        None,
    ];
    let verdicts = looks.map(|look| streak.judge(look).is_some());
    assert_eq!(verdicts, [false, false, false, false, false, true, true, false]);
    assert!(Streak::new(0).judge(trouble()).is_some(), "none counts as one");
}

#[test]
fn a_manual_failure_stays_while_other_checks_are_well() {
    let health = Health::default();
    health.mark_down();
    health.tell("other", None);
    assert!(health.is_failing());
    assert_eq!(health.failing()["manual_http_status"], "Manual Check");
    health.mark_up();
    assert!(!health.is_failing());
}

#[test]
fn passwords_in_uris_are_not_shown() {
    for (uri, shown) in [
        ("http://a:b@host:1/p?q=x@y", "http://host:1/p?q=x@y"),
        ("https://host/a@b", "https://host/a@b"),
        ("host:80", "host:80"),
    ] {
        assert_eq!(without_password(uri), shown);
    }
}
