mod access_token;
mod brake;
mod device;
mod leak;
mod organisation_machine;
mod password;
mod robot;
mod sign_up;

use http::StatusCode;
use serde_json::Value;

use crate::http::testing::{Front, PASSWORD, basic};

#[tokio::test]
async fn whoever_asks_is_named_with_the_credential() {
    let front = Front::new().await;
    let answer = front.get("/api/v1/account", Some(&basic("ada", PASSWORD))).await;
    assert_eq!(
        (answer.status, &answer.json()["name"]),
        (StatusCode::OK, &Value::from("ada"))
    );
    let nobody = front.get("/api/v1/account", None).await;
    assert_eq!(nobody.status, StatusCode::UNAUTHORIZED);
    assert_eq!(nobody.headers["content-type"], "application/problem+json");
    assert_eq!(nobody.json()["status"], 401);
}

#[tokio::test]
async fn what_is_no_route_of_the_api_is_a_problem_document() {
    let front = Front::new().await;
    let answer = front.get("/api/v1/nothing/here", None).await;
    assert_eq!(
        (answer.status, &answer.json()["status"]),
        (StatusCode::NOT_FOUND, &Value::from(404))
    );
}

#[tokio::test]
async fn the_description_is_served_and_says_openapi_3_1() {
    let front = Front::new().await;
    let answer = front.get("/api/v1/openapi.json", None).await;
    let description = answer.json();
    assert!(description["openapi"].as_str().unwrap().starts_with("3.1"));
    assert!(description["paths"]["/api/v1/account"]["get"].is_object());
}

#[tokio::test]
async fn every_documented_operation_is_there_and_no_route_is_undocumented() {
    let front = Front::new().await;
    let description = front.get("/api/v1/openapi.json", None).await.json();
    let mut ids = std::collections::BTreeSet::new();
    let mut operations = 0;
    for (path, methods) in description["paths"].as_object().unwrap() {
        let path: String = path
            .split('/')
            .map(|part| if part.starts_with('{') { "1" } else { part })
            .collect::<Vec<_>>()
            .join("/");
        for (method, operation) in methods.as_object().unwrap() {
            operations += 1;
            let id = operation["operationId"].as_str().unwrap();
            assert!(ids.insert(id.to_owned()), "{id} names two operations");
            assert!(operation["summary"].is_string(), "{id} has no summary");
            assert!(operation["responses"]["default"].is_object(), "{id}");
            let request = http::Request::builder()
                .method(method.to_uppercase().as_str())
                .uri(&path);
            let answer = front.send(request.body(axum::body::Body::empty()).unwrap()).await;
            assert!(
                !answer.body.contains("the API has nothing at this path"),
                "{method} {path}"
            );
            assert_ne!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
        }
    }
    assert!(operations > 20, "{operations}");
    // Routes are added through the router that documents them; the two that are not are what answers for everything else.
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/http/api");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let routes = text
            .lines()
            .filter(|line| line.trim_start().starts_with(".route("))
            .count();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        assert!(
            routes <= usize::from(name == "mod.rs"),
            "{name} adds a route past the description"
        );
    }
}

async fn create(front: &Front, key: &str, body: &str) -> crate::http::testing::Answer {
    let request = http::Request::post("/api/v1/organisations")
        .header("authorization", basic("ada", PASSWORD))
        .header("content-type", "application/json")
        .header("idempotency-key", key)
        .body(axum::body::Body::from(body.to_owned()))
        .unwrap();
    front.send(request).await
}

#[tokio::test]
async fn a_repeated_creation_gets_the_first_answer_again() {
    let front = Front::new().await;
    let first = create(&front, "k1", r#"{"name":"crew"}"#).await;
    assert_eq!(first.status, StatusCode::CREATED, "{}", first.body);
    let again = create(&front, "k1", r#"{"name":"crew"}"#).await;
    assert_eq!((again.status, &again.body), (StatusCode::CREATED, &first.body));
    assert_eq!(again.headers["idempotent-replayed"], "true");
    let other = create(&front, "k2", r#"{"name":"crew"}"#).await;
    assert_eq!(
        other.status,
        StatusCode::CONFLICT,
        "another key is another request"
    );
    let misused = create(&front, "k1", r#"{"name":"crew2"}"#).await;
    assert_eq!(misused.status, StatusCode::CONFLICT);
    assert!(misused.body.contains("Idempotency-Key"), "{}", misused.body);
    // What was refused may be asked again under the same key.
    let refused = create(&front, "k3", r#"{"name":"crew"}"#).await;
    let refused_again = create(&front, "k3", r#"{"name":"crew-2"}"#).await;
    assert_eq!(
        (refused.status, refused_again.status),
        (StatusCode::CONFLICT, StatusCode::CREATED)
    );
    let long = create(&front, &"k".repeat(129), r#"{"name":"crew-3"}"#).await;
    assert_eq!(long.status, StatusCode::BAD_REQUEST);
}

/// Two types of one name would be one schema in the description, and one of them the wrong one.
#[test]
fn no_two_described_types_have_the_same_name() {
    let mut names = std::collections::BTreeSet::new();
    let mut folders = vec![std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/http/api")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            for described in text.split("ToSchema)]").skip(1) {
                let head = described.split('{').next().unwrap_or_default();
                let renamed = head
                    .split("#[schema(as = ")
                    .nth(1)
                    .and_then(|rest| rest.split(')').next());
                let own = head.split_whitespace().last().unwrap_or_default();
                let name = renamed.unwrap_or(own).to_owned();
                assert!(names.insert(name.clone()), "{name} in {}", path.display());
            }
        }
    }
    assert!(names.len() > 40, "{}", names.len());
}
