use serde_json::{Value, json};

use crate::http::testing::{Answer, Front};

async fn id_of(front: &Front, name: &str) -> String {
    let found = front
        .api("ada", "GET", &format!("/repositories?name={name}"), Value::Null)
        .await
        .ok();
    found["items"][0]["id"].as_str().unwrap().to_owned()
}

/// The places that ada may give webhooks to.
async fn places(front: &Front) -> [String; 2] {
    let id = id_of(front, "ada/private").await;
    [
        format!("/repositories/{id}/webhooks"),
        "/namespaces/ada/webhooks".to_owned(),
    ]
}

async fn make(front: &Front, place: &str, body: Value) -> Answer {
    front.api("ada", "POST", place, body).await
}

#[tokio::test]
async fn a_webhook_is_made_shown_changed_tested_and_removed_in_either_place() {
    let front = Front::new().await;
    for place in places(&front).await {
        let new = json!({"name": "ci", "url": "https://ci.example.com/a/secret/path/abcd", "events": ["star", "push"],
            "tags": ["v*"]});
        let made = make(&front, &place, new).await;
        assert_eq!(made.header("cache-control"), "no-store");
        let made = made.is(201);
        assert!(made["secret"].as_str().unwrap().starts_with("whsec_"));
        assert_eq!(made["url"], "https://ci.example.com/…abcd");
        assert_eq!(made["events"], json!(["push", "star"]));
        assert_eq!(
            (&made["format"], &made["kept_by"]),
            (&json!("docker_hub"), &json!("ada"))
        );
        let hook = format!("{place}/{}", made["id"].as_str().unwrap());
        let listed = front.api("ada", "GET", &place, Value::Null).await.ok();
        assert_eq!(listed["items"].as_array().unwrap().len(), 1);
        let shown = front.api("ada", "GET", &hook, Value::Null).await.ok();
        assert_eq!(shown, listed["items"][0]);
        assert!(shown.get("secret").is_none() && !shown.to_string().contains("secret/path"));
        let changed = front
            .api(
                "ada",
                "PATCH",
                &hook,
                json!({"enabled": false, "tags": [], "format": "slack"}),
            )
            .await
            .ok();
        assert_eq!(
            (
                &changed["enabled"],
                &changed["disabled_because"],
                &changed["format"]
            ),
            (&json!(false), &json!("asked"), &json!("slack"))
        );
        assert!(changed.get("tags").is_none() && changed.get("secret_set_at").is_none());
        assert_eq!(
            front
                .api("ada", "POST", &format!("{hook}/secret"), json!({}))
                .await
                .status,
            409
        );
        front
            .api("ada", "PATCH", &hook, json!({"format": "cloudevents"}))
            .await
            .ok();
        let rotated = front
            .api(
                "ada",
                "POST",
                &format!("{hook}/secret"),
                json!({"overlap_hours": 2}),
            )
            .await
            .is(201);
        assert_ne!(rotated["secret"], made["secret"]);
        assert!(rotated.get("former_secret_until").is_none(), "there was none");
        let ping = front
            .api("ada", "POST", &format!("{hook}/ping"), Value::Null)
            .await
            .is(202);
        assert_eq!(
            (&ping["event"], &ping["state"]),
            (&json!("ping"), &json!("waiting"))
        );
        let delivery = format!("{hook}/deliveries/{}", ping["id"].as_str().unwrap());
        assert_eq!(front.api("ada", "GET", &delivery, Value::Null).await.ok(), ping);
        let again = front
            .api("ada", "POST", &format!("{delivery}/redeliver"), Value::Null)
            .await
            .is(202);
        assert_eq!(again["message_id"], ping["message_id"]);
        let log = front
            .api("ada", "GET", &format!("{hook}/deliveries?limit=1"), Value::Null)
            .await
            .ok();
        assert_eq!(log["items"][0]["id"], again["id"]);
        let rest = front
            .api(
                "ada",
                "GET",
                &format!("{hook}/deliveries?after={}", log["next"].as_str().unwrap()),
                Value::Null,
            )
            .await
            .ok();
        assert_eq!(rest["items"][0]["id"], ping["id"]);
        front.api("ada", "DELETE", &hook, Value::Null).await.is(204);
        assert_eq!(front.api("ada", "GET", &hook, Value::Null).await.status, 404);
    }
}

#[tokio::test]
async fn what_cannot_be_is_refused_with_what_to_do() {
    let front = Front::new().await;
    let url = "https://ci.example.com/";
    for place in places(&front).await {
        for (body, says) in [
            (json!({"url": "http://127.0.0.1/"}), "webhooks.allow"),
            (json!({"url": "http://[fd00::1]:80/"}), "webhooks.allow"),
            (json!({"url": "ftp://x/"}), "http://"),
            (json!({"url": url, "events": []}), "one kind"),
            (json!({"url": url, "events": ["ping"]}), "asks for it"),
            (json!({"url": url, "events": ["nothing"]}), "tag.moved"),
            (json!({"url": url, "format": "fax"}), "dingtalk"),
            (json!({"url": url, "tags": ["a b"]}), "tag pattern"),
            (json!({"url": url, "tags": vec!["v*"; 21]}), "20"),
            (json!({"url": url, "name": "x".repeat(101)}), "100"),
            (json!({"url": url, "secret": "mine"}), "takes no secret"),
            (
                json!({"url": url, "format": "feishu", "secret": "x".repeat(257)}),
                "256",
            ),
        ] {
            let refused = make(&front, &place, body.clone()).await;
            assert_eq!(refused.status, 400, "{body}");
            assert!(refused.body.contains(says), "{body}: {}", refused.body);
        }
        let unknown = make(&front, &place, json!({"url": url, "color": "red"})).await;
        assert_eq!(unknown.status, 422);
    }
}

#[tokio::test]
async fn strangers_see_no_webhooks_and_nobody_known_sees_none() {
    let front = Front::new().await;
    let [here, there] = places(&front).await;
    for place in [&here, &there] {
        let made = make(&front, place, json!({"url": "https://ci.example.com/"}))
            .await
            .is(201);
        let hook = format!("{place}/{}", made["id"].as_str().unwrap());
        let hidden = if place == &here { 404 } else { 403 };
        for (method, path, body) in [
            ("GET", place.clone(), Value::Null),
            ("POST", place.clone(), json!({"url": "https://ci.example.com/"})),
            ("GET", hook.clone(), Value::Null),
            ("PATCH", hook.clone(), json!({"enabled": false})),
            ("DELETE", hook.clone(), Value::Null),
            ("POST", format!("{hook}/ping"), Value::Null),
            ("POST", format!("{hook}/secret"), json!({})),
            ("GET", format!("{hook}/deliveries"), Value::Null),
            ("GET", format!("{hook}/deliveries/1"), Value::Null),
            ("POST", format!("{hook}/deliveries/1/redeliver"), Value::Null),
        ] {
            let refused = front.api("eve", method, &path, body.clone()).await;
            assert_eq!(refused.status, hidden, "{method} {path}");
            let nobody = front.api("", method, &path, body).await;
            assert_eq!(nobody.status, 401, "{method} {path}");
        }
        // Through another place it is not there.
        let other = if place == &here { &there } else { &here };
        let foreign = format!("{other}/{}", made["id"].as_str().unwrap());
        assert_eq!(front.api("ada", "GET", &foreign, Value::Null).await.status, 404);
        assert_eq!(
            front
                .api("ada", "GET", &format!("{place}/nonsense"), Value::Null)
                .await
                .status,
            404
        );
    }
}

#[tokio::test]
async fn the_answer_that_shows_a_secret_is_not_kept_for_repetition() {
    let front = Front::new().await;
    let [here, _] = places(&front).await;
    let ask = async || {
        let request = http::Request::post(format!("/api/v1{here}"))
            .header(
                "authorization",
                crate::http::testing::basic("ada", crate::http::testing::PASSWORD),
            )
            .header("content-type", "application/json")
            .header("idempotency-key", "once")
            .body(axum::body::Body::from(r#"{"url":"https://ci.example.com/"}"#))
            .unwrap();
        front.send(request).await
    };
    assert_eq!(ask().await.status, 201);
    let again = ask().await;
    assert_eq!(again.status, 409);
    assert!(!again.body.contains("whsec_"));
}
