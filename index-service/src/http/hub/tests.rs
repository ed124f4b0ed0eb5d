//! Docker Hub's API as its clients use it, over a database in memory.

mod organisation;
mod refusal;
mod session;

use axum::body::Body;
use http::{Method, Request};
use serde_json::{Value, json};

use crate::http::testing::{Answer, Front, PASSWORD};

const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// A request with a JSON body, or none, as a client with this `Authorization` sends it.
async fn ask(front: &Front, authorization: &str, method: &str, path: &str, body: &Value) -> Answer {
    let mut request = Request::builder()
        .method(method.parse::<Method>().unwrap())
        .uri(path)
        .header("user-agent", "terraform-provider-docker/1.0");
    if !authorization.is_empty() {
        request = request.header("authorization", authorization);
    }
    let body = if body.is_null() {
        Body::empty()
    } else {
        Body::from(body.to_string())
    };
    front.send(request.body(body).unwrap()).await
}

/// `Bearer` with the token of a new session.
async fn login(front: &Front, username: &str) -> String {
    let body = json!({"username": username, "password": PASSWORD});
    let answer = ask(front, "", "POST", "/v2/users/login/", &body).await.ok();
    format!("Bearer {}", answer["token"].as_str().unwrap())
}

async fn push(front: &Front, repository: &str, tag: &str, time: &str) {
    let event = json!({"events": [{"id": format!("{repository}-{tag}"), "timestamp": time, "action": "push",
        "target": {"mediaType": "application/vnd.oci.image.manifest.v1+json", "size": 12, "digest": DIGEST,
            "repository": repository, "tag": tag},
        "request": {"method": "PUT", "useragent": "docker/27"}, "actor": {"name": "ada"}}]});
    let answer = ask(
        front,
        "Bearer the registry's secret",
        "POST",
        "/events/registry",
        &event,
    )
    .await;
    assert_eq!(answer.ok()["done"], 1);
}

#[tokio::test]
async fn a_repository_is_made_described_shown_hidden_and_deleted() {
    let front = Front::new().await;
    let ada = login(&front, "ada").await;
    let new = json!({"name": "shop", "description": "a shop", "full_description": "# Shop\r\n", "is_private": true,
        "registry": "docker.io"});
    let made = ask(&front, &ada, "POST", "/v2/namespaces/ada/repositories", &new)
        .await
        .is(201);
    assert_eq!(
        (
            &made["namespace"],
            &made["name"],
            &made["is_private"],
            &made["full_description"]
        ),
        (&json!("ada"), &json!("shop"), &json!(true), &json!("# Shop\r\n"))
    );
    let eve = login(&front, "eve").await;
    for who in ["", eve.as_str()] {
        ask(&front, who, "GET", "/v2/repositories/ada/shop/", &Value::Null)
            .await
            .is(404);
        ask(&front, who, "GET", "/v2/repositories/ada/shop/tags", &Value::Null)
            .await
            .is(404);
    }
    // What README pushers send, and read again byte for byte.
    let readme = "# Ünï\n\n```sh\n<b>&\t\"\\\n```\n";
    let changed = ask(
        &front,
        &ada.replace("Bearer", "JWT"),
        "PATCH",
        "/v2/repositories/ada/shop/",
        &json!({"full_description": readme}),
    )
    .await
    .ok();
    assert_eq!(changed["full_description"], readme);
    assert_eq!(changed["description"], "a shop");
    ask(
        &front,
        &eve,
        "PATCH",
        "/v2/repositories/ada/shop",
        &json!({"full_description": "x"}),
    )
    .await
    .is(404);
    ask(
        &front,
        &ada,
        "POST",
        "/v2/repositories/ada/shop/privacy/",
        &json!({"is_private": false}),
    )
    .await
    .ok();
    let seen = ask(&front, "", "GET", "/hub/v2/repositories/ada/shop", &Value::Null)
        .await
        .ok();
    assert_eq!(
        (&seen["is_private"], &seen["permissions"]["write"]),
        (&json!(false), &json!(false))
    );
    ask(
        &front,
        &eve,
        "POST",
        "/v2/repositories/ada/shop/privacy",
        &json!({"is_private": true}),
    )
    .await
    .is(403);
    ask(&front, &eve, "DELETE", "/v2/repositories/ada/shop/", &Value::Null)
        .await
        .is(403);
    let head = ask(
        &front,
        "",
        "HEAD",
        "/v2/namespaces/ada/repositories/shop",
        &Value::Null,
    )
    .await;
    assert_eq!(head.status.as_u16(), 200);
    ask(&front, &ada, "DELETE", "/v2/repositories/ada/shop/", &Value::Null)
        .await
        .is(202);
    ask(&front, &ada, "GET", "/v2/repositories/ada/shop/", &Value::Null)
        .await
        .is(404);
}

#[tokio::test]
async fn what_cannot_be_described_is_not_made() {
    let front = Front::new().await;
    let ada = login(&front, "ada").await;
    let new = json!({"name": "shop", "description": "x".repeat(101)});
    ask(&front, &ada, "POST", "/v2/namespaces/ada/repositories", &new)
        .await
        .is(400);
    let new = json!({"name": "shop", "full_description": "x".repeat(25_001)});
    ask(&front, &ada, "POST", "/v2/namespaces/ada/repositories", &new)
        .await
        .is(400);
    ask(&front, &ada, "GET", "/v2/repositories/ada/shop/", &Value::Null)
        .await
        .is(404);
    let old = json!({"namespace": "ada", "name": "old-way"});
    ask(&front, &ada, "POST", "/v2/repositories/", &old).await.is(201);
    ask(&front, &ada, "POST", "/v2/repositories/", &old).await.is(409);
}

#[tokio::test]
async fn a_namespace_shows_what_may_be_pulled_by_pages_in_the_order_wished_for() {
    let front = Front::new().await;
    let ada = login(&front, "ada").await;
    let names = |answer: &Value| -> Vec<String> {
        let results = answer["results"].as_array().unwrap();
        results
            .iter()
            .map(|one| one["name"].as_str().unwrap().to_owned())
            .collect()
    };
    let open = ask(
        &front,
        "",
        "GET",
        "/v2/repositories/ada/?page_size=1000",
        &Value::Null,
    )
    .await
    .ok();
    assert_eq!(
        (names(&open), &open["count"]),
        (vec!["public".to_owned()], &json!(1))
    );
    push(&front, "ada/public", "1", "2027-01-15T07:00:00Z").await;
    let first = ask(
        &front,
        &ada,
        "GET",
        "/v2/namespaces/ada/repositories?page_size=1",
        &Value::Null,
    )
    .await
    .ok();
    assert_eq!(
        (names(&first), &first["count"]),
        (vec!["private".to_owned()], &json!(2))
    );
    let next = first["next"].as_str().unwrap();
    assert_eq!(
        next,
        "http://localhost:5000/v2/namespaces/ada/repositories?page=2&page_size=1"
    );
    let path = next.strip_prefix("http://localhost:5000").unwrap();
    let second = ask(&front, &ada, "GET", path, &Value::Null).await.ok();
    assert_eq!(names(&second), ["public"]);
    assert!(second["next"].is_null() && second["previous"].is_string());
    for (query, expected) in [
        ("ordering=-name", vec!["public", "private"]),
        ("ordering=pull_count", vec!["private", "public"]),
        ("name=publ", vec!["public"]),
        ("name=%25", vec![]),
    ] {
        let path = format!("/v2/repositories/ada?{query}");
        let found = ask(&front, &ada, "GET", &path, &Value::Null).await.ok();
        assert_eq!(names(&found), expected, "{query}");
    }
    ask(&front, &ada, "GET", "/v2/repositories/ada/?page=3", &Value::Null)
        .await
        .is(404);
    let none = ask(&front, &ada, "GET", "/v2/repositories/nobody/", &Value::Null)
        .await
        .ok();
    assert_eq!(none["count"], 0);
    let own = ask(&front, &ada, "GET", "/v2/repositories/namespaces/", &Value::Null)
        .await
        .ok();
    assert_eq!(own, json!({"namespaces": ["ada"]}));
}

#[tokio::test]
async fn tags_are_listed_newest_first_and_shown_with_what_clients_decode() {
    let front = Front::new().await;
    for (tag, time) in [
        ("1.0", "2027-01-15T07:00:00Z"),
        ("1.1", "2027-01-15T07:30:00Z"),
        ("0.9", "2027-01-15T07:10:00Z"),
    ] {
        push(&front, "ada/public", tag, time).await;
    }
    let names = |answer: &Value| -> Vec<String> {
        let results = answer["results"].as_array().unwrap();
        results
            .iter()
            .map(|one| one["name"].as_str().unwrap().to_owned())
            .collect()
    };
    for (query, expected) in [
        ("", vec!["1.1", "0.9", "1.0"]),
        ("?page_size=1000&ordering=last_updated", vec!["1.1", "0.9", "1.0"]),
        ("?ordering=-last_updated", vec!["1.0", "0.9", "1.1"]),
        ("?ordering=name", vec!["0.9", "1.0", "1.1"]),
        ("?ordering=-name&page_size=2", vec!["1.1", "1.0"]),
        ("?name=1.", vec!["1.1", "1.0"]),
    ] {
        for base in [
            "/v2/repositories/ada/public/tags",
            "/hub/v2/namespaces/ada/repositories/public/tags/",
        ] {
            let found = ask(&front, "", "GET", &format!("{base}{query}"), &Value::Null)
                .await
                .ok();
            assert_eq!(names(&found), expected, "{base}{query}");
        }
    }
    let tag = ask(
        &front,
        "",
        "GET",
        "/v2/repositories/ada/public/tags/1.1/",
        &Value::Null,
    )
    .await
    .ok();
    assert_eq!(
        (&tag["digest"], &tag["last_updated"]),
        (&json!(DIGEST), &json!("2027-01-15T07:30:00Z"))
    );
    assert_eq!(
        (&tag["last_updater_username"], &tag["tag_status"], &tag["v2"]),
        (&json!("ada"), &json!("active"), &json!(true))
    );
    assert!(tag["id"].as_i64().unwrap() > 0 && tag["repository"].is_i64() && tag["images"].is_array());
    assert!(tag["tag_last_pulled"].is_null());
    let head = ask(
        &front,
        "",
        "HEAD",
        "/v2/repositories/ada/public/tags/1.1",
        &Value::Null,
    )
    .await;
    assert_eq!((head.status.as_u16(), head.body.len()), (200, 0));
    ask(
        &front,
        "",
        "GET",
        "/v2/repositories/ada/public/tags/none",
        &Value::Null,
    )
    .await
    .is(404);
    let images = ask(
        &front,
        "",
        "GET",
        "/v2/repositories/ada/public/tags/1.1/images",
        &Value::Null,
    )
    .await
    .ok();
    assert_eq!(images[0]["digest"], DIGEST);
    // Without a registry that could be asked nothing is deleted, and those who may not are told so before.
    let (ada, eve) = (login(&front, "ada").await, login(&front, "eve").await);
    ask(
        &front,
        &eve,
        "DELETE",
        "/v2/repositories/ada/public/tags/1.1/",
        &Value::Null,
    )
    .await
    .is(403);
    ask(
        &front,
        "",
        "DELETE",
        "/v2/repositories/ada/public/tags/1.1/",
        &Value::Null,
    )
    .await
    .is(401);
    ask(
        &front,
        &ada,
        "DELETE",
        "/v2/repositories/ada/public/tags/none/",
        &Value::Null,
    )
    .await
    .is(404);
    ask(
        &front,
        &ada,
        "DELETE",
        "/v2/repositories/ada/public/tags/1.1/",
        &Value::Null,
    )
    .await
    .is(503);
}

#[tokio::test]
async fn stars_are_given_listed_and_taken_back() {
    let front = Front::new().await;
    let eve = login(&front, "eve").await;
    ask(
        &front,
        &eve,
        "POST",
        "/v2/repositories/ada/public/stars/",
        &json!({}),
    )
    .await
    .is(201);
    ask(
        &front,
        &eve,
        "POST",
        "/v2/repositories/ada/private/stars/",
        &json!({}),
    )
    .await
    .is(404);
    let seen = ask(&front, &eve, "GET", "/v2/repositories/ada/public/", &Value::Null)
        .await
        .ok();
    assert_eq!(
        (&seen["star_count"], &seen["has_starred"]),
        (&json!(1), &json!(true))
    );
    let own = ask(
        &front,
        &eve,
        "GET",
        "/v2/users/eve/repositories/starred/",
        &Value::Null,
    )
    .await
    .ok();
    assert_eq!(own["results"][0]["name"], "public");
    ask(
        &front,
        &eve,
        "GET",
        "/v2/users/ada/repositories/starred/",
        &Value::Null,
    )
    .await
    .is(404);
    ask(
        &front,
        &eve,
        "DELETE",
        "/v2/repositories/ada/public/stars/",
        &Value::Null,
    )
    .await
    .is(204);
    let own = ask(&front, &eve, "GET", "/v2/user/starred", &Value::Null)
        .await
        .ok();
    assert_eq!(own["count"], 0);
}

#[tokio::test]
async fn searches_answer_in_both_forms() {
    let front = Front::new().await;
    let old = ask(
        &front,
        "",
        "GET",
        "/v2/search/repositories/?query=public",
        &Value::Null,
    )
    .await
    .ok();
    assert_eq!(
        (&old["count"], &old["results"][0]["repo_name"]),
        (&json!(1), &json!("ada/public"))
    );
    let new = ask(
        &front,
        "",
        "GET",
        "/api/search/v4?query=public&from=0&size=5",
        &Value::Null,
    )
    .await
    .ok();
    assert_eq!(
        (&new["total"], &new["results"][0]["slug"]),
        (&json!(1), &json!("ada/public"))
    );
    let hidden = ask(
        &front,
        "",
        "GET",
        "/v2/search/repositories/?query=private",
        &Value::Null,
    )
    .await
    .ok();
    assert_eq!(hidden["count"], 0);
}

#[tokio::test]
async fn renovate_is_told_of_tags_with_their_times() {
    let front = Front::new().await;
    push(&front, "ada/public", "1.0", "2027-01-15T07:00:00Z").await;
    push(&front, "ada/public", "latest", "2027-01-15T07:00:01Z").await;
    let found = ask(&front, "", "GET", "/api/v1/renovate/ada/public", &Value::Null)
        .await
        .ok();
    assert_eq!(
        found["releases"][1],
        json!({"version": "1.0", "releaseTimestamp": "2027-01-15T07:00:00Z", "digest": DIGEST})
    );
    assert_eq!(found["tags"], json!({"latest": "1.0"}));
    ask(&front, "", "GET", "/api/v1/renovate/ada/private", &Value::Null)
        .await
        .is(404);
}
