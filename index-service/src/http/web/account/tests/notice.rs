//! What an account is told, on its page.

use http::StatusCode;

use crate::http::testing::Front;

/// Tells eve that ada gave her rights on a repository.
async fn give_eve_rights(front: &Front) {
    let rule = serde_json::json!({
        "subject": {"kind": "account", "name": "eve"},
        "repository": "ada/private",
        "rights": ["pull"],
    });
    front.api("ada", "POST", "/rules", rule).await.is(201);
}

#[tokio::test]
async fn what_one_is_told_is_counted_in_the_head_and_read_on_its_page() {
    let front = Front::new().await;
    let (ada, eve) = (front.browser("ada").await, front.browser("eve").await);
    assert!(!eve.get("/help").await.body.contains("unread notification"));
    give_eve_rights(&front).await;
    let page = eve.get("/account/notifications").await;
    assert!(
        page.body.contains("ada gave you access to ada/private: pull."),
        "{}",
        page.body
    );
    for path in ["/", "/help", "/account"] {
        assert!(
            eve.get(path).await.body.contains("1 unread notification<"),
            "{path}"
        );
        assert!(
            !ada.get(path).await.body.contains("unread notification"),
            "{path}"
        );
    }
    let id = page.field("id");
    let others = ada
        .post("/account/notifications/open", &[("id", id.as_str())])
        .await;
    assert_eq!(others.status, StatusCode::NOT_FOUND);
    let opened = eve
        .post("/account/notifications/open", &[("id", id.as_str())])
        .await;
    assert_eq!(opened.header("location"), "/r/ada/private");
    assert!(!eve.get("/help").await.body.contains("unread notification"));
    let removed = eve
        .post("/account/notifications/remove", &[("id", id.as_str())])
        .await;
    assert_eq!(
        removed.header("location"),
        "/account/notifications?done=notice-done-removed"
    );
    let page = eve.get("/account/notifications").await;
    assert!(!page.body.contains("ada/private"));
}

#[tokio::test]
async fn all_are_marked_as_read_and_deleted_up_to_the_newest_that_was_seen() {
    let front = Front::new().await;
    let eve = front.browser("eve").await;
    give_eve_rights(&front).await;
    let newest = eve.get("/account/notifications").await.field("newest");
    let read = eve
        .post("/account/notifications/read-all", &[("newest", newest.as_str())])
        .await;
    assert_eq!(
        read.header("location"),
        "/account/notifications?done=notice-done-read-all"
    );
    let page = eve.get("/account/notifications").await;
    assert!(!page.body.contains("is-new"), "{}", page.body);
    let wrong = eve
        .post("/account/notifications/read-all", &[("newest", "x")])
        .await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    eve.post(
        "/account/notifications/remove-all",
        &[("newest", newest.as_str())],
    )
    .await;
    let page = eve.get("/account/notifications").await;
    assert!(!page.body.contains("name=\"newest\""));
}

#[tokio::test]
async fn kinds_that_are_not_ticked_are_not_told() {
    let front = Front::new().await;
    let eve = front.browser("eve").await;
    let page = eve.get("/account/notifications").await;
    assert_eq!(page.body.matches(" checked").count(), 10, "{}", page.body);
    let chosen = eve
        .post(
            "/account/notifications/choose",
            &[("on", "member"), ("on", "sign_in"), ("on", "dance")],
        )
        .await;
    assert_eq!(
        chosen.header("location"),
        "/account/notifications?done=notice-done-chosen"
    );
    give_eve_rights(&front).await;
    let page = eve.get("/account/notifications").await;
    assert_eq!(page.body.matches(" checked").count(), 2, "{}", page.body);
    assert!(!page.body.contains("ada/private"));
}
