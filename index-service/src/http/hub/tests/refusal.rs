use serde_json::{Value, json};

use super::super::routes;
use super::{ask, login};
use crate::http::testing::Front;

const METHODS: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

/// Whatever is sent to whichever route, it is answered, and never with a fault of the server.
#[tokio::test]
async fn no_nonsense_gets_a_fault() {
    let front = Front::new().await;
    front
        .api("ada", "POST", "/organisations", json!({"name": "crew"}))
        .await
        .is(201);
    let ada = login(&front, "ada").await;
    let segments = [
        "ada",
        "crew",
        "public",
        "x",
        "%00",
        "%2F",
        "..%2f..",
        "%F0%9F%92%A9",
        "9223372036854775807",
        "-1",
        "00000000-0000-0000-ffff-ffffffffffff",
    ];
    let bodies = [
        Value::Null,
        json!({}),
        json!([1]),
        json!({"name": "\u{0}", "description": "\u{0}", "token_label": "\u{0}", "member": "\u{0}", "label": "\u{0}"}),
        json!({"name": "..", "description": 7, "group_id": i64::MAX, "permission": "admin", "member": "x".repeat(1_000),
            "org": "crew", "invitees": ["%", "", "eve"], "role": "owner", "token_label": "x", "scopes": ["repo:read"],
            "is_private": true, "resources": [{"type": "TYPE_REPO", "path": "crew/*", "scopes": ["repo-pull"]}],
            "label": "x", "username": "ada", "password": "wrong password", "identifier": "", "secret": ""}),
    ];
    let queries = [
        "",
        "?page=99999999999999999999&page_size=-1&ordering=%00&name=%25%27&query=%00&from=x&action=x",
        "?page=2&page_size=1000&query=a&from=9999&size=9999&search=%00",
    ];
    let (mut asked, mut answered) = (0, std::collections::BTreeSet::new());
    for (place, (path, _, _)) in routes().into_iter().enumerate() {
        for (turn, segment) in segments.iter().enumerate() {
            let mut filled = String::new();
            for part in path.split('/').skip(1) {
                filled.push('/');
                filled.push_str(if part.starts_with('{') { segment } else { part });
            }
            for (number, method) in METHODS.iter().enumerate() {
                // Not everything with everything: each in its turn.
                let body = &bodies[(place + turn + number) % bodies.len()];
                let query = queries[(turn + number) % queries.len()];
                for who in ["", ada.as_str(), "JWT x.y.z"] {
                    let path = format!("/v2{filled}{query}");
                    let answer = ask(&front, who, method, &path, body).await;
                    asked += 1;
                    answered.insert(answer.status.as_u16());
                    assert!(
                        answer.status.as_u16() < 500 || answer.status.as_u16() == 503,
                        "{method} {path} {body}: {} {}",
                        answer.status,
                        answer.body
                    );
                    if answer.status.is_client_error() && *method != "HEAD" {
                        let said = answer.json();
                        let text = said["message"].as_str().or(said["details"].as_str());
                        assert!(
                            text.is_some_and(|text| !text.is_empty()),
                            "{method} {path}: {}",
                            answer.body
                        );
                    }
                }
            }
        }
    }
    assert!(
        asked > 5_000 && answered.contains(&401) && answered.contains(&404),
        "{asked} {answered:?}"
    );
}

#[tokio::test]
async fn what_changes_something_needs_a_credential() {
    let front = Front::new().await;
    for (path, _, _) in routes() {
        if path.starts_with("/users/") || path == "/auth/token" {
            continue;
        }
        let filled: Vec<&str> = path
            .split('/')
            .map(|part| match part {
                "{ns}" | "{org}" | "{user}" | "{account}" => "ada",
                "{repo}" => "public",
                "{tag}" | "{group}" | "{id}" => "1",
                part => part,
            })
            .collect();
        for method in ["POST", "PUT", "PATCH", "DELETE"] {
            let path = format!("/v2{}", filled.join("/"));
            let answer = ask(&front, "", method, &path, &json!({})).await;
            assert!(
                matches!(answer.status.as_u16(), 401 | 405),
                "{method} {path}: {} {}",
                answer.status,
                answer.body
            );
        }
    }
}
