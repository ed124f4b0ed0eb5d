//! Administration wants a password that was given a short time ago.

use std::time::Duration;

use http::StatusCode;

use super::{FORMS, PAGES};
use crate::http::testing::{Front, PASSWORD, basic};

#[tokio::test]
async fn administration_wants_a_password_that_was_given_a_short_time_ago() {
    let front = Front::new().await;
    front.administrator("root").await;
    let (root, ada) = (front.browser("root").await, front.browser("ada").await);
    front.fixture.clock.advance(Duration::from_mins(15));
    for page in PAGES {
        let next: String = form_urlencoded::byte_serialize(page.as_bytes()).collect();
        let answer = root.get(page).await;
        assert_eq!(answer.header("location"), format!("/confirm?next={next}"));
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(
            ada.get(page).await.status,
            StatusCode::FORBIDDEN,
            "{page}: nobody else is asked"
        );
    }
    for (path, fields) in FORMS {
        let answer = root.post(path, fields).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
        assert!(answer.body.contains("Nothing was changed."), "{path}");
        assert!(
            answer.body.contains("href=\"/confirm?next=%2Fadmin\""),
            "{path}: {}",
            answer.body
        );
    }
    let known = front.get("/api/v1/account", Some(&basic("ada", PASSWORD))).await;
    assert_eq!(known.ok()["name"], "ada", "nobody was suspended");
    let asked = root.get("/confirm?next=/admin/keys").await;
    assert_eq!(asked.field("next"), "/admin/keys");
    let wrong = [("password", "not the password"), ("next", "/admin/keys")];
    let refused = root.post("/confirm", &wrong).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert!(
        refused.body.contains("The current password is wrong."),
        "{}",
        refused.body
    );
    assert!(!refused.body.contains("not the password"));
    assert_eq!(refused.field("next"), "/admin/keys", "where to go on stays");
    assert_eq!(root.get("/admin").await.status, StatusCode::SEE_OTHER);
    let right = [("password", PASSWORD), ("next", "/admin/keys")];
    let confirmed = root.post("/confirm", &right).await;
    assert_eq!(confirmed.header("location"), "/admin/keys");
    assert_eq!(root.get("/admin/keys").await.status, StatusCode::OK);
    for (next, place) in [
        ("//evil.example", "/"),
        ("/confirm?next=/admin", "/"),
        ("https://evil.example/", "/"),
    ] {
        let answer = root
            .post("/confirm", &[("password", PASSWORD), ("next", next)])
            .await;
        assert_eq!(answer.header("location"), place, "{next}");
    }
    let nobody = front.browser("").await;
    for answer in [
        nobody.get("/confirm").await,
        nobody.post("/confirm", &right).await,
    ] {
        assert_eq!(answer.status, StatusCode::SEE_OTHER);
        assert!(answer.header("location").starts_with("/sign-in?next="));
    }
}

#[tokio::test]
async fn administration_goes_on_while_it_is_used() {
    let front = Front::new().await;
    front.administrator("root").await;
    let root = front.browser("root").await;
    for _ in 0..4 {
        front.fixture.clock.advance(Duration::from_mins(14));
        assert_eq!(root.get("/admin").await.status, StatusCode::OK);
    }
    // What other pages are asked for does not count.
    front.fixture.clock.advance(Duration::from_mins(14));
    root.get("/account").await;
    front.fixture.clock.advance(Duration::from_mins(2));
    assert_eq!(root.get("/admin").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn what_is_told_while_a_page_is_open_ends_with_the_password_that_was_given() {
    let front = Front::new().await;
    front.administrator("root").await;
    let root = front.browser("root").await;
    front.readiness.set(false);
    let ask = async || {
        let request = http::Request::get("/admin/upkeep/progress")
            .header("cookie", &root.cookie)
            .header("accept", "text/event-stream");
        front.send(request.body(axum::body::Body::empty()).unwrap()).await
    };
    front.fixture.clock.advance(Duration::from_mins(14));
    assert_eq!(ask().await.status, StatusCode::OK);
    front.fixture.clock.advance(Duration::from_mins(1));
    assert_eq!(
        ask().await.status,
        StatusCode::FORBIDDEN,
        "looking on prolongs nothing"
    );
}
