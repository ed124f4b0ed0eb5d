//! Long work, as it is told of and shown.

use http::StatusCode;
use serde_json::{Value, json};

use crate::http::testing::Front;
use crate::registry_client::{RegistryClient, RegistryError};

/// What the registry tells of collecting garbage.
async fn report(front: &Front, sequence: u32, more: Value) {
    let mut report = json!({"run": "0".repeat(32), "sequence": sequence, "kind": "garbage_collection",
        "subject": "/srv/registry.yml", "phase": "sweeping", "unit": "blobs", "done": 3, "total": 12});
    for (key, value) in more.as_object().into_iter().flatten() {
        report[key] = value.clone();
    }
    let request = http::Request::post("/events/work")
        .header("authorization", "Bearer the registry's secret")
        .body(axum::body::Body::from(report.to_string()))
        .unwrap();
    assert_eq!(front.send(request).await.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn long_work_is_shown_while_it_goes_on_and_afterwards_with_the_command_that_begins_it() {
    let front = Front::new().await;
    front.administrator("root").await;
    let root = front.browser("root").await;
    let empty = root.get("/admin/upkeep").await.body;
    assert!(
        empty.contains("garbage-collect --dry-run /etc/distribution/config.yml"),
        "{empty}"
    );
    assert!(
        empty.contains("--server http://localhost:5000 --user root"),
        "{empty}"
    );
    report(&front, 1, json!({})).await;
    for language in ["en", "zh-CN"] {
        let page = root.get(&format!("/admin/upkeep?lang={language}")).await.body;
        assert!(page.contains("data-state=\"running "), "{page}");
        assert!(page.contains("max=\"12\" value=\"3\""), "{page}");
        assert!(page.contains(&format!("data-live=\"/admin/upkeep/progress?lang={language}\"")));
        assert!(!page.contains(">admin-"), "{page}");
    }
    let page = root.get("/admin/upkeep").await.body;
    assert!(page.contains("3 of 12 blobs"), "{page}");
    assert!(
        page.contains("garbage-collect --dry-run /srv/registry.yml"),
        "{page}"
    );
    let ended = json!({"done": 12, "bytes": 5_000_000, "outcome": "done", "message": "<b>2</b> manifests"});
    report(&front, 2, ended).await;
    for path in ["/admin/upkeep", "/admin/upkeep?after=9223372036854775807"] {
        let page = root.get(path).await.body;
        assert!(page.contains("data-state=\"none\""), "{page}");
        assert!(page.contains("12 blobs · 5.00 MB freed"), "{page}");
        assert!(!page.contains("<b>2</b>"), "{page}");
    }
    let compared = root
        .post("/admin/upkeep/verify", &[("repository", "no/such")])
        .await;
    assert_eq!(compared.status, StatusCode::NOT_FOUND);
    assert!(
        !compared.body.contains("data-live"),
        "what a form made is not loaded again"
    );
}

#[tokio::test]
async fn where_the_registry_ends_with_the_index_it_is_said_that_a_collection_cannot_be_watched() {
    let front = Front::new().await;
    front.administrator("root").await;
    let root = front.browser("root").await;
    let said = "Here index and registry are one process";
    assert!(!root.get("/admin/upkeep").await.body.contains(said));
    let registry = RegistryClient::within(|_| Box::pin(async { Err(RegistryError::Unreadable) }));
    front.fixture.app.read_with(registry);
    let page = root.get("/admin/upkeep").await.body;
    assert!(page.contains(said), "{page}");
}

#[tokio::test]
async fn an_import_whose_command_was_killed_is_not_shown_as_running_for_ever() {
    let front = Front::new().await;
    front.administrator("root").await;
    let told = json!({"sequence": 1, "elapsed_ms": 1_000, "subject": "harbor.example", "phase": "copying",
        "unit": "repositories", "done": 1, "total": 4});
    let path = format!("/work/{}", "a".repeat(32));
    front.api("ada", "PUT", &path, told).await.is(204);
    let running = front.browser("root").await.get("/admin/upkeep").await.body;
    assert!(running.contains("1 of 4 repositories"), "{running}");
    front.fixture.clock.advance(std::time::Duration::from_mins(5));
    let page = front.browser("root").await.get("/admin/upkeep").await.body;
    assert!(page.contains("data-state=\"none\""), "{page}");
    assert!(page.contains("not heard of since"), "{page}");
    let known = front.api("root", "GET", "/work", Value::Null).await.ok();
    assert_eq!(known["items"][0]["state"], "lost", "{known}");
}

#[tokio::test]
async fn work_that_nobody_tells_of_any_more_is_no_longer_shown_as_running() {
    let front = Front::new().await;
    front.administrator("root").await;
    report(&front, 1, json!({})).await;
    front.fixture.clock.advance(std::time::Duration::from_mins(6));
    let root = front.browser("root").await;
    let page = root.get("/admin/upkeep").await.body;
    assert!(
        page.contains("data-state=\"none\"") && page.contains("not heard of since"),
        "{page}"
    );
}
