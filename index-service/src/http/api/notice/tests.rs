use serde_json::{Value, json};

use crate::http::testing::Front;

const NONE: Value = Value::Null;
const PATH: &str = "/account/notifications";

/// ada adds eve to an organisation, and gives her rights on a repository; the ids of what eve is told, the newest first.
async fn told(front: &Front) -> Vec<String> {
    front
        .api("ada", "POST", "/organisations", json!({"name": "acme"}))
        .await
        .is(201);
    front
        .api(
            "ada",
            "PUT",
            "/organisations/acme/members/eve",
            json!({"role": "member"}),
        )
        .await
        .is(200);
    front.fixture.clock.advance(std::time::Duration::from_secs(1));
    let subject = json!({"kind": "account", "name": "eve"});
    let rule = json!({"subject": subject, "repository": "ada/private", "rights": ["pull"]});
    front.api("ada", "POST", "/rules", rule).await.is(201);
    let page = front.api("eve", "GET", PATH, NONE).await.is(200);
    let items = page["items"].as_array().unwrap();
    items
        .iter()
        .map(|one| one["id"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn notifications_are_listed_read_and_deleted_by_whose_they_are() {
    let front = Front::new().await;
    let ids = told(&front).await;
    assert_eq!(ids.len(), 2);
    let first = front
        .api("eve", "GET", &format!("{PATH}?limit=1"), NONE)
        .await
        .is(200);
    let item = &first["items"][0];
    assert_eq!(
        (&item["kind"], &item["subject"], &item["actor"], &item["path"]),
        (
            &json!("collaborator"),
            &json!("ada/private"),
            &json!("ada"),
            &json!("/r/ada/private")
        )
    );
    assert!(item.get("read_at").is_none());
    let after = first["next"].as_str().unwrap();
    let second = front
        .api("eve", "GET", &format!("{PATH}?limit=1&after={after}"), NONE)
        .await
        .is(200);
    assert_eq!(
        (&second["items"][0]["kind"], &second["items"][0]["detail"]),
        (&json!("member"), &json!("member"))
    );
    assert!(second.get("next").is_none());
    let one = format!("{PATH}/{}", ids[0]);
    for (who, status) in [("ada", 404), ("", 401), ("eve", 200)] {
        front
            .api(who, "PUT", &format!("{one}/read"), NONE)
            .await
            .is(status);
    }
    front
        .api("eve", "PUT", &format!("{PATH}/read"), NONE)
        .await
        .is(204);
    let page = front.api("eve", "GET", PATH, NONE).await.is(200);
    let items = page["items"].as_array().unwrap();
    assert!(items.iter().all(|one| one["read_at"].is_string()), "{page}");
    for (who, status) in [("ada", 404), ("", 401), ("eve", 204), ("eve", 404)] {
        front.api(who, "DELETE", &one, NONE).await.is(status);
    }
    front.api("eve", "DELETE", PATH, NONE).await.is(204);
    let page = front.api("eve", "GET", PATH, NONE).await.is(200);
    assert_eq!(page["items"], json!([]));
    for id in ["x", "0", "99999999999999999999", "%00"] {
        front
            .api("eve", "DELETE", &format!("{PATH}/{id}"), NONE)
            .await
            .is(404);
    }
    front.api("", "GET", PATH, NONE).await.is(401);
}

#[tokio::test]
async fn kinds_are_switched_off_and_nobody_is_told_of_them() {
    let front = Front::new().await;
    let path = "/account/notification-choices";
    let all = front.api("eve", "GET", path, NONE).await.is(200);
    let items = all["items"].as_array().unwrap();
    assert!(
        items.len() == 10 && items.iter().all(|one| one["is_on"] == true),
        "{all}"
    );
    for (body, status) in [
        (json!({"off": ["dance"]}), 400),
        (json!({"of": []}), 422),
        (json!({"off": ["member", "member"]}), 200),
    ] {
        let answer = front.api("eve", "PUT", path, body.clone()).await;
        assert_eq!(
            answer.status.as_u16() / 100,
            status / 100,
            "{body}: {}",
            answer.body
        );
    }
    front.api("", "PUT", path, json!({"off": []})).await.is(401);
    let kept = front.api("eve", "GET", path, NONE).await.is(200);
    assert_eq!(kept["items"][0], json!({"kind": "member", "is_on": false}));
    assert_eq!(told(&front).await.len(), 1, "of the organisation she is not told");
}

#[tokio::test]
async fn a_limited_access_token_reads_nothing_of_it() {
    let front = Front::new().await;
    let token = front.access_token(shared::token::Actions::PULL, "ada/*").await;
    let credential = crate::http::testing::basic("ada", &token);
    let answer = front.get(&format!("/api/v1{PATH}"), Some(&credential)).await;
    answer.is(403);
}
