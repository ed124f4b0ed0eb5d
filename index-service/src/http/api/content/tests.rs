use http::Request;
use serde_json::{Value, json};

use crate::http::testing::{Answer, Front};

const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

async fn deliver(front: &Front, secret: Option<&str>, body: String) -> Answer {
    let mut request = Request::post("/events/registry");
    if let Some(secret) = secret {
        request = request.header("authorization", format!("Bearer {secret}"));
    }
    front
        .send(request.body(axum::body::Body::from(body)).unwrap())
        .await
}

fn push(repository: &str, tag: &str) -> String {
    json!({"events": [{"id": "e-1", "timestamp": "2027-01-15T07:59:00Z", "action": "push",
        "target": {"mediaType": "application/vnd.oci.image.manifest.v1+json", "size": 12, "digest": DIGEST,
            "repository": repository, "tag": tag},
        "request": {"method": "PUT", "useragent": "docker/27"}, "actor": {"name": "ada"}}]})
    .to_string()
}

async fn id_of(front: &Front, name: &str) -> String {
    let found = front
        .api("ada", "GET", &format!("/repositories?name={name}"), Value::Null)
        .await
        .ok();
    found["items"][0]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_registry_alone_delivers_events() {
    let front = Front::new().await;
    for secret in [
        None,
        Some(""),
        Some("the registry's secre"),
        Some("the registry's secret!"),
    ] {
        let refused = deliver(&front, secret, push("ada/private", "v1")).await;
        assert_eq!(refused.status.as_u16(), 401, "{secret:?}");
    }
    let taken = deliver(&front, Some("the registry's secret"), push("ada/private", "v1")).await;
    assert_eq!(taken.ok()["done"], 1);
    let again = deliver(&front, Some("the registry's secret"), push("ada/private", "v1")).await;
    assert_eq!(
        (again.ok()["done"].clone(), again.json()["known"].clone()),
        (json!(0), json!(1))
    );
    let odd = deliver(&front, Some("the registry's secret"), "{}".to_owned()).await;
    assert_eq!(odd.status.as_u16(), 400);
}

#[tokio::test]
async fn tags_are_shown_to_whoever_may_pull_and_to_nobody_else() {
    let front = Front::new().await;
    deliver(&front, Some("the registry's secret"), push("ada/private", "v1"))
        .await
        .ok();
    let id = id_of(&front, "ada/private").await;
    let tags = front
        .api("ada", "GET", &format!("/repositories/{id}/tags"), Value::Null)
        .await
        .ok();
    let tag = &tags["items"][0];
    assert_eq!(
        (&tag["name"], &tag["digest"], &tag["push_count"]),
        (&json!("v1"), &json!(DIGEST), &json!(1))
    );
    assert_eq!(tag["updated_at"], "2027-01-15T07:59:00Z");
    let detail = front
        .api("ada", "GET", &format!("/repositories/{id}/tags/v1"), Value::Null)
        .await
        .ok();
    assert_eq!(
        (&detail["manifest"]["digest"], &detail["manifest"]["is_read"]),
        (&json!(DIGEST), &json!(false))
    );
    let history = front
        .api(
            "ada",
            "GET",
            &format!("/repositories/{id}/tags/v1/history"),
            Value::Null,
        )
        .await
        .ok();
    assert_eq!(
        (
            &history["items"][0]["digest_after"],
            &history["items"][0]["changed_by"]
        ),
        (&json!(DIGEST), &json!("ada"))
    );
    let activity = front
        .api(
            "ada",
            "GET",
            &format!("/repositories/{id}/activity?by=tag"),
            Value::Null,
        )
        .await
        .ok();
    assert_eq!(
        activity["days"],
        json!([{"day": "2027-01-15", "value": "v1", "pull_count": 0, "push_count": 1}])
    );
    let short = front
        .api(
            "ada",
            "GET",
            &format!("/repositories/{id}/manifests/e3b0c442"),
            Value::Null,
        )
        .await
        .ok();
    assert_eq!(short["digest"], DIGEST);
    for path in [
        "tags",
        "tags/v1",
        "tags/v1/history",
        "tags/v1/deletion",
        "manifests/e3b0c442",
        "activity",
        "size",
    ] {
        let path = format!("/repositories/{id}/{path}");
        assert_eq!(
            front.api("ada", "GET", &path, Value::Null).await.status.as_u16(),
            200,
            "{path}"
        );
        let (hidden, missing) = (
            front.api("eve", "GET", &path, Value::Null).await,
            front
                .api("eve", "GET", &path.replace(&id, "17"), Value::Null)
                .await,
        );
        assert_eq!(
            (hidden.status.as_u16(), &hidden.body),
            (404, &missing.body),
            "{path}"
        );
        assert_eq!(
            front.api("", "GET", &path, Value::Null).await.status.as_u16(),
            404,
            "{path}"
        );
    }
    let of_namespace = front.api("ada", "GET", "/namespaces/ada/size", Value::Null).await;
    assert_eq!(of_namespace.ok()["blobs"], 0);
    assert_eq!(
        front
            .api("eve", "GET", "/namespaces/ada/size", Value::Null)
            .await
            .status
            .as_u16(),
        403
    );
    let by = front
        .api(
            "ada",
            "GET",
            &format!("/repositories/{id}/activity?by=moon"),
            Value::Null,
        )
        .await;
    assert_eq!(by.status.as_u16(), 400);
}

#[tokio::test]
async fn reading_again_is_for_those_who_manage_and_needs_a_registry() {
    let front = Front::new().await;
    let id = id_of(&front, "ada/private").await;
    let path = format!("/repositories/{id}/reindex");
    assert_eq!(
        front.api("eve", "POST", &path, Value::Null).await.status.as_u16(),
        404
    );
    assert_eq!(
        front.api("ada", "POST", &path, Value::Null).await.status.as_u16(),
        503
    );
    let later = front
        .api("ada", "POST", &format!("{path}?later=true"), Value::Null)
        .await;
    assert_eq!(later.is(202)["is_done"], false);
    assert_eq!(
        front
            .api("ada", "POST", "/reindex", Value::Null)
            .await
            .status
            .as_u16(),
        403
    );
    front.administrator("root").await;
    assert_eq!(
        front.api("root", "POST", "/reindex", Value::Null).await.is(202)["repositories"],
        3
    );
}
