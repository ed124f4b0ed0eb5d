//! Devices, through the API and the token endpoint.

use std::time::Duration;

use http::StatusCode;
use serde_json::{Value, json};

use crate::http::testing::{Answer, Front, PASSWORD, basic};

impl Front {
    /// A `docker login` with the password; its refresh token.
    async fn device(&self) -> String {
        let form = format!(
            "grant_type=password&username=ada&password={PASSWORD}&client_id=docker&access_type=offline"
        );
        let answer = self.post("/token", form).await.ok();
        answer["refresh_token"].as_str().unwrap().to_owned()
    }

    async fn renew(&self, token: &str) -> Answer {
        let form = format!("grant_type=refresh_token&refresh_token={token}&client_id=docker");
        self.post("/token", form).await
    }
}

#[tokio::test]
async fn devices_are_listed_and_signed_out_one_by_one_and_all_at_once() {
    let front = Front::new().await;
    let mut tokens = Vec::new();
    for _ in 0..3 {
        tokens.push(front.device().await);
        front.fixture.clock.advance(Duration::from_secs(1));
    }
    let page = front.mine("GET", "/devices?limit=2", Value::Null).await.ok();
    let items = page["items"].as_array().unwrap();
    assert_eq!(items.len(), 2);
    assert_eq!(items[0]["client_id"], "docker");
    assert_eq!(items[0]["created_at"], "2027-01-15T08:00:00Z");
    let first = items[0]["id"].as_str().unwrap();
    let eve = basic("eve", PASSWORD);
    let path = format!("/devices/{first}");
    assert_eq!(
        front.api_as(&eve, "DELETE", &path, Value::Null).await.status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        front.mine("DELETE", &path, Value::Null).await.status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(front.renew(&tokens[0]).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(front.renew(&tokens[1]).await.status, StatusCode::OK);
    let page = front.mine("GET", "/devices", Value::Null).await.ok();
    assert_eq!(page["items"].as_array().unwrap().len(), 2);

    assert_eq!(
        front.mine("DELETE", "/devices", Value::Null).await.status,
        StatusCode::NO_CONTENT
    );
    for token in &tokens {
        assert_eq!(front.renew(token).await.status, StatusCode::UNAUTHORIZED);
    }
    let page = front.mine("GET", "/devices", Value::Null).await.ok();
    assert_eq!(page["items"], json!([]));
    // The password is the same one, and access tokens stay.
    assert_eq!(front.renew(&front.device().await).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_limited_access_token_sees_no_devices() {
    let front = Front::new().await;
    let secret = front.access_token(shared::token::Actions::PULL, "*").await;
    for (method, path) in [
        ("GET", "/devices"),
        ("DELETE", "/devices"),
        ("DELETE", "/devices/1"),
    ] {
        let answer = front
            .api_as(&format!("Bearer {secret}"), method, path, Value::Null)
            .await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{method} {path}");
    }
}
