//! Retention, through its page.

use http::StatusCode;

use super::{is_whole, open, path, state};
use crate::http::testing::Front;

#[tokio::test]
async fn a_policy_is_rehearsed_without_being_saved() {
    let front = Front::new().await;
    let ada = front.browser("ada").await;
    let here = path("retention", "ada/private");
    let fields = [
        ("do", "simulate"),
        ("action_1", "delete"),
        ("tags_1", "dev-*"),
        ("not_pushed_for_days_1", "30"),
        ("enabled", "yes"),
        ("every_days", "1"),
        ("at_hour", "3"),
    ];
    let before = state(&front, "ada/private").await;
    let shown = ada.post(&here, &fields).await;
    assert_eq!(shown.status, StatusCode::OK, "{}", shown.body);
    assert!(shown.body.contains("id=\"simulated\"") && shown.body.contains("value=\"dev-*\""));
    is_whole(&shown.body, "simulation");
    assert_eq!(state(&front, "ada/private").await, before);
    let mut save = fields;
    save[0] = ("do", "save");
    assert_eq!(ada.post(&here, &save).await.status, StatusCode::SEE_OTHER);
    assert!(open(&ada, &here).await.contains("value=\"dev-*\""));
    save[3] = ("not_pushed_for_days_1", "soon");
    let refused = ada.post(&here, &save).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert!(refused.body.contains("value=\"soon\""));
}

#[tokio::test]
async fn a_run_that_goes_on_is_followed_on_the_page_by_those_who_administer_alone() {
    let front = Front::new().await;
    let (ada, eve) = (front.browser("ada").await, front.browser("eve").await);
    let here = path("retention", "ada/private");
    assert!(!open(&ada, &here).await.contains("data-live"), "nothing goes on");
    let policy = [
        ("do", "save"),
        ("action_1", "delete"),
        ("tags_1", "dev-*"),
        ("not_pushed_for_days_1", "30"),
        ("enabled", "yes"),
        ("at_hour", "3"),
    ];
    for fields in [&policy[..], &[("do", "run")]] {
        assert_eq!(ada.post(&here, fields).await.status, StatusCode::SEE_OTHER);
    }
    let page = open(&ada, &here).await;
    assert!(
        page.contains(&format!("data-live=\"{here}?live=1&#38;lang=en\"")),
        "{page}"
    );
    let run = page
        .split("?run=")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .unwrap();
    let one = open(&ada, &format!("{here}?run={run}")).await;
    assert!(
        one.contains(&format!("data-live=\"{here}?run={run}&#38;live=1&#38;lang=en\"")),
        "{one}"
    );
    let mut rehearsal = policy;
    rehearsal[0] = ("do", "simulate");
    let shown = ada.post(&here, &rehearsal).await;
    assert!(
        shown.body.contains("<progress") && !shown.body.contains("data-live=\""),
        "{}",
        shown.body
    );
    front.readiness.set(false);
    for address in [format!("{here}?live=1"), format!("{here}?run={run}&live=1")] {
        let told = ada.get(&address).await;
        assert_eq!(told.header("content-type"), "text/event-stream", "{address}");
        assert_eq!(eve.get(&address).await.status, StatusCode::NOT_FOUND, "{address}");
    }
}
