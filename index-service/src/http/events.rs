//! What the registry tells of pushes, pulls and deletes, in the envelopes of CNCF distribution.

use axum::body::{Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::AUTHORIZATION;
use serde_json::json;
use shared::secret::Secret;

use super::error::no_such_path;
use super::json::Json;
use crate::app::AppError;

/// Longest delivery, in bytes.
const LONGEST: usize = 16 << 20;
/// Longest report of work, in bytes.
const LONGEST_REPORT: usize = 16 << 10;

/// `POST /events/registry`. Who cannot show the secret is refused before the body is read.
pub(super) async fn receive(State(state): State<super::State>, request: Request) -> Response {
    let body = match read(&state, request, LONGEST).await {
        Ok(body) => body,
        Err(refused) => return refused,
    };
    match state.app.receive_events(&body).await {
        Ok(carried) => Json(
            json!({
                "done": carried.done,
                "known": carried.known,
                "pulls": carried.pulls,
                "ignored": carried.ignored,
            })
            .to_string(),
        )
        .into_response(),
        Err(error) => error.into_response(),
    }
}

/// `POST /events/quota`: whether the registry may store a manifest, where a quota is strict.
pub(super) async fn permit(State(state): State<super::State>, request: Request) -> Response {
    let body = match read(&state, request, LONGEST).await {
        Ok(body) => body,
        Err(refused) => return refused,
    };
    match state.app.permit_push(&body).await {
        Ok(refusal) => Json(json!({ "refusal": refusal }).to_string()).into_response(),
        Err(error) => error.into_response(),
    }
}

/// `POST /events/work`: how far the registry is with what takes long.
pub(super) async fn work(State(state): State<super::State>, request: Request) -> Response {
    let body = match read(&state, request, LONGEST_REPORT).await {
        Ok(body) => body,
        Err(refused) => return refused,
    };
    match state.app.receive_work(&body).await {
        // What is no news is no fault either.
        Ok(_) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => error.into_response(),
    }
}

/// What the registry sends, at most so many bytes, after it has shown the secret.
async fn read(state: &super::State, request: Request, longest: usize) -> Result<Bytes, Response> {
    if !state.app.takes_events() {
        return Err(no_such_path().await.into_response());
    }
    let shown = request
        .headers()
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, secret)| Secret::new(secret.trim().to_owned()));
    if !shown.is_some_and(|shown| state.app.is_registry(&shown)) {
        let refused = AppError::Unauthenticated("this is for the registry, which shows its secret");
        return Err(refused.into_response());
    }
    let body = to_bytes(request.into_body(), longest).await;
    body.map_err(|_| StatusCode::PAYLOAD_TOO_LARGE.into_response())
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use http::{Request, StatusCode};
    use serde_json::{Value, json};

    use crate::http::testing::{Answer, Front};

    async fn report(front: &Front, secret: &str, body: &Value) -> Answer {
        let request = Request::post("/events/work")
            .header("authorization", format!("Bearer {secret}"))
            .body(Body::from(body.to_string()))
            .unwrap();
        front.send(request).await
    }

    #[tokio::test]
    async fn a_registry_that_shows_its_secret_tells_of_garbage_and_nobody_else_does() {
        let front = Front::new().await;
        front.administrator("root").await;
        let body = json!({"run": "0".repeat(32), "sequence": 1, "kind": "garbage_collection", "phase": "marking",
            "unit": "manifests", "done": 3});
        for secret in ["", "another secret", "the registry's secret "] {
            let refused = report(&front, secret, &body).await;
            let is_own = secret.trim() == "the registry's secret";
            assert_eq!(refused.status == StatusCode::NO_CONTENT, is_own, "{secret:?}");
        }
        let nobody = front.post("/events/work", body.to_string()).await;
        assert_eq!(nobody.status, StatusCode::UNAUTHORIZED);
        let known = front.api("root", "GET", "/work", Value::Null).await.ok();
        assert_eq!(known["items"][0]["done"], 3, "{known}");
        assert_eq!(known["items"].as_array().map(Vec::len), Some(1));
        let wrong = json!({"run": "x"});
        let wrong = report(&front, "the registry's secret", &wrong).await;
        assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
        let long = json!({"message": "x".repeat(20_000)});
        let long = report(&front, "the registry's secret", &long).await;
        assert_eq!(long.status, StatusCode::PAYLOAD_TOO_LARGE);
    }
}
