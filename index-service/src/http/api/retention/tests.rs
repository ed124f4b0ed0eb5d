use serde_json::{Value, json};

use crate::http::testing::Front;

async fn id_of(front: &Front, name: &str) -> String {
    let found = front
        .api("ada", "GET", &format!("/repositories?name={name}"), Value::Null)
        .await
        .ok();
    found["items"][0]["id"].as_str().unwrap().to_owned()
}

fn policy() -> Value {
    json!({"rules": [{"action": "delete", "tags": ["dev-*"], "not_pushed_for_days": 30}, {"action": "keep", "newest": 3}],
        "untagged_days": 7, "every_days": 1})
}

#[tokio::test]
async fn a_policy_is_put_shown_inherited_and_taken_away() {
    let front = Front::new().await;
    let of_repository = format!("/repositories/{}/retention", id_of(&front, "ada/private").await);
    let none = front.api("ada", "GET", &of_repository, Value::Null).await.ok();
    assert_eq!(
        (&none["policy"], &none["inherited"]),
        (&Value::Null, &Value::Null)
    );
    let of_namespace = "/namespaces/ada/retention";
    let put = front.api("ada", "PUT", of_namespace, policy()).await.ok();
    assert_eq!(
        (&put["enabled"], &put["at_hour"], &put["changed_by"]),
        (&json!(true), &json!(3), &json!("ada"))
    );
    assert_eq!(put["next_run_at"], "2027-01-16T03:00:00Z");
    let inherited = front.api("ada", "GET", &of_repository, Value::Null).await.ok();
    assert_eq!(inherited["inherited"]["rules"][0]["not_pushed_for_days"], 30);
    let mut own = policy();
    own["enabled"] = false.into();
    own["rules"] = json!([]);
    let own = front.api("ada", "PUT", &of_repository, own).await.ok();
    assert_eq!(own["next_run_at"], Value::Null);
    let shown = front.api("ada", "GET", &of_repository, Value::Null).await.ok();
    assert_eq!((&shown["policy"], &shown["inherited"]), (&own, &Value::Null));
    let runs = format!("{of_repository}/runs");
    let off = front.api("ada", "POST", &runs, Value::Null).await;
    assert_eq!(off.status.as_u16(), 409);
    let run = front
        .api("ada", "POST", &format!("{of_namespace}/runs"), Value::Null)
        .await
        .is(202);
    assert_eq!(
        (&run["state"], &run["requested_by"]),
        (&json!("waiting"), &json!("ada"))
    );
    let path = format!("/retention-runs/{}", run["id"].as_str().unwrap());
    assert_eq!(front.api("ada", "GET", &path, Value::Null).await.ok(), run);
    let listed = front
        .api("ada", "GET", &format!("{of_namespace}/runs"), Value::Null)
        .await
        .ok();
    assert_eq!(listed["items"], json!([run]));
    let deletions = front
        .api("ada", "GET", &format!("{path}/deletions"), Value::Null)
        .await
        .ok();
    assert_eq!(deletions["items"], json!([]));
    front
        .api("ada", "DELETE", of_namespace, Value::Null)
        .await
        .is(204);
    assert_eq!(
        front
            .api("ada", "DELETE", of_namespace, Value::Null)
            .await
            .status
            .as_u16(),
        404
    );
    // The record of what happened stays.
    assert_eq!(
        front.api("ada", "GET", &path, Value::Null).await.status.as_u16(),
        200
    );
    let log = front
        .api("ada", "GET", "/audit?action=retention.put", Value::Null)
        .await;
    assert_eq!(
        log.status.as_u16(),
        403,
        "the log is for others, who find all of it there"
    );
}

#[tokio::test]
async fn what_cannot_be_is_refused_with_a_sentence() {
    let front = Front::new().await;
    let path = format!("/repositories/{}/retention", id_of(&front, "ada/private").await);
    for (body, word) in [
        (json!({"rules": [{"action": "burn"}]}), "keep or delete"),
        (json!({"rules": [{"action": "keep", "newest": 0}]}), "newest"),
        (
            json!({"rules": [{"action": "delete", "repositories": "ada/*"}]}),
            "namespace",
        ),
        (json!({"untagged_days": 0}), "untagged"),
        (json!({"every_days": 40}), "31"),
        (json!({"at_hour": 24}), "hour"),
    ] {
        for way in ["", "/simulation"] {
            let method = if way.is_empty() { "PUT" } else { "POST" };
            let refused = front
                .api("ada", method, &format!("{path}{way}"), body.clone())
                .await;
            let text = refused.is(400)["detail"].as_str().unwrap().to_owned();
            assert!(text.contains(word), "{text}");
        }
    }
}

#[tokio::test]
async fn retention_is_for_those_who_administer_and_to_others_a_private_repository_is_not_there() {
    let front = Front::new().await;
    let (private, public) = (
        id_of(&front, "ada/private").await,
        id_of(&front, "ada/public").await,
    );
    let run = front
        .api(
            "ada",
            "PUT",
            &format!("/repositories/{private}/retention"),
            policy(),
        )
        .await
        .ok();
    assert_eq!(run["enabled"], true);
    let run = front
        .api(
            "ada",
            "POST",
            &format!("/repositories/{private}/retention/runs"),
            Value::Null,
        )
        .await
        .is(202);
    let run = format!("/retention-runs/{}", run["id"].as_str().unwrap());
    for (method, path, body) in [
        ("GET", "retention", Value::Null),
        ("PUT", "retention", policy()),
        ("DELETE", "retention", Value::Null),
        ("POST", "retention/simulation", policy()),
        ("GET", "retention/runs", Value::Null),
        ("POST", "retention/runs", Value::Null),
        ("DELETE", "tags/v1", Value::Null),
        ("POST", "tags/v1/restore", json!({})),
    ] {
        for (id, expected) in [(&private, 404), (&public, 403)] {
            let path = format!("/repositories/{id}/{path}");
            let refused = front.api("eve", method, &path, body.clone()).await;
            assert_eq!(refused.status.as_u16(), expected, "{method} {path}");
            let unknown = front.api("", method, &path, body.clone()).await;
            assert_eq!(unknown.status.as_u16(), 401, "{method} {path}");
        }
        if path.starts_with("retention") {
            let path = format!("/namespaces/ada/{path}");
            let refused = front.api("eve", method, &path, body).await;
            assert_eq!(refused.status.as_u16(), 403, "{method} {path}");
        }
    }
    for path in [
        run.clone(),
        format!("{run}/deletions"),
        "/retention-runs/x".to_owned(),
    ] {
        assert_eq!(
            front.api("eve", "GET", &path, Value::Null).await.status.as_u16(),
            404,
            "{path}"
        );
    }
    for path in [
        "deleted-tags",
        "impact",
        "tags/v1/impact",
        "tags/v1/base",
        "manifests/sha256:x/impact",
    ] {
        let path = format!("/repositories/{private}/{path}");
        let (hidden, missing) = (
            front.api("eve", "GET", &path, Value::Null).await,
            front
                .api("eve", "GET", &path.replace(&private, "17"), Value::Null)
                .await,
        );
        assert_eq!(
            (hidden.status.as_u16(), &hidden.body),
            (404, &missing.body),
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_tag_that_is_not_there_is_neither_deleted_nor_restored() {
    let front = Front::new().await;
    let id = id_of(&front, "ada/private").await;
    for tag in ["v1", "%00", "..", &"x".repeat(300)] {
        let path = format!("/repositories/{id}/tags/{tag}");
        let deleted = front.api("ada", "DELETE", &path, Value::Null).await;
        assert_eq!(deleted.status.as_u16(), 404, "{tag}");
        let restored = front
            .api("ada", "POST", &format!("{path}/restore"), json!({}))
            .await;
        assert!(
            matches!(restored.status.as_u16(), 404 | 503),
            "{tag}: {}",
            restored.body
        );
    }
    let listed = front
        .api(
            "ada",
            "GET",
            &format!("/repositories/{id}/deleted-tags"),
            Value::Null,
        )
        .await;
    assert_eq!(listed.ok()["items"], json!([]));
}
