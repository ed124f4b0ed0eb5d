//! Access tokens of people, through the API and the token endpoint.

use std::time::Duration;

use http::StatusCode;
use serde_json::{Value, json};

use crate::http::testing::{Answer, Front, PASSWORD, basic};

impl Front {
    /// A request of the API as ada with her password.
    pub(super) async fn mine(&self, method: &str, path: &str, body: Value) -> Answer {
        self.api_as(&basic("ada", PASSWORD), method, path, body).await
    }

    /// The same with any credential.
    pub(super) async fn api_as(&self, authorization: &str, method: &str, path: &str, body: Value) -> Answer {
        let mut request = http::Request::builder()
            .method(method)
            .uri(format!("/api/v1{path}"))
            .header("authorization", authorization);
        let mut text = String::new();
        if !body.is_null() {
            request = request.header("content-type", "application/json");
            text = body.to_string();
        }
        self.send(request.body(text.into()).unwrap()).await
    }

    /// A login at the token endpoint from an address.
    pub(super) async fn login_from(&self, address: &str, username: &str, secret: &str) -> Answer {
        let mut request = http::Request::get("/token?scope=repository:ada/private:pull,push")
            .header("authorization", basic(username, secret))
            .body(axum::body::Body::empty())
            .unwrap();
        let peer = shared::runtime::serve::PeerAddr(Some(
            (address.parse::<std::net::IpAddr>().unwrap(), 4000).into(),
        ));
        request.extensions_mut().insert(peer);
        self.send(request).await
    }
}

#[track_caller]
pub(super) fn created(answer: &Answer) -> (String, String, Value) {
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
    assert_eq!(answer.headers["cache-control"], "no-store");
    let body = answer.json();
    let text = |key: &str| body[key].as_str().unwrap().to_owned();
    (text("id"), text("secret"), body.clone())
}

fn wish() -> Value {
    json!({"label": "ci", "limits": [{"pattern": "ada/*", "rights": ["pull"]}]})
}

#[tokio::test]
async fn an_access_token_is_made_shown_renamed_and_revoked() {
    let front = Front::new().await;
    let made = front
        .mine(
            "POST",
            "/access-tokens",
            json!({"label": " ci ", "expires_in_days": 1, "networks": ["10.1.2.3/8"], "limits": [
                {"pattern": "ada/*", "rights": ["pull", "push"], "push_tags": ["v*"]},
                {"pattern": "*", "rights": ["pull"]}]}),
        )
        .await;
    let (id, secret, body) = created(&made);
    assert!(secret.starts_with("ptl_pat_"));
    assert_eq!(body["label"], "ci");
    assert_eq!(body["networks"], json!(["10.0.0.0/8"]));
    assert_eq!(
        body["limits"],
        json!([{"pattern": "ada/*", "rights": ["pull", "push"], "push_tags": ["v*"]},
            {"pattern": "*", "rights": ["pull"]}])
    );
    assert_eq!(body["secrets"][0]["last_four"], secret[secret.len() - 4..]);
    assert_eq!(
        (&body["created_at"], &body["expires_at"]),
        (&json!("2027-01-15T08:00:00Z"), &json!("2027-01-16T08:00:00Z"))
    );

    let path = format!("/access-tokens/{id}");
    let shown = front.mine("GET", &path, Value::Null).await.ok();
    assert!(shown.get("secret").is_none() && !shown.to_string().contains(&secret));
    let renamed = front.mine("PATCH", &path, json!({"label": "other"})).await.ok();
    assert_eq!(renamed["label"], "other");
    assert_eq!(front.mine("PATCH", &path, json!({})).await.ok()["label"], "other");
    assert_eq!(
        front.mine("PATCH", &path, json!({"limits": []})).await.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );

    // Nobody else knows of it.
    let eve = basic("eve", PASSWORD);
    for method in ["GET", "PATCH", "DELETE"] {
        let body = if method == "PATCH" {
            json!({"label": "x"})
        } else {
            Value::Null
        };
        let answer = front.api_as(&eve, method, &path, body).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{method}");
    }
    assert_eq!(
        front.mine("DELETE", &path, Value::Null).await.status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(
        front.mine("DELETE", &path, Value::Null).await.status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(
        front.mine("GET", &path, Value::Null).await.ok()["revoked"],
        "revoked"
    );
    assert_eq!(
        front.login_from("10.0.0.1", "ada", &secret).await.status,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn what_is_no_access_token_is_refused_with_the_reason() {
    let front = Front::new().await;
    let limit = json!({"pattern": "ada/*", "rights": ["pull"]});
    for (body, says) in [
        (json!({"label": "", "limits": [limit]}), "label"),
        (json!({"label": "x", "limits": []}), "1 to 50 limits"),
        (
            json!({"label": "x", "limits": vec![limit.clone(); 51]}),
            "1 to 50 limits",
        ),
        (
            json!({"label": "x", "limits": [limit], "expires_in_days": 0}),
            "1 to 365",
        ),
        (
            json!({"label": "x", "limits": [limit], "expires_in_days": 366}),
            "1 to 365",
        ),
        (
            json!({"label": "x", "limits": [limit], "networks": ["10.0.0.0/33"]}),
            "range of addresses",
        ),
        (
            json!({"label": "x", "limits": [limit], "networks": vec!["::1"; 21]}),
            "at most 20",
        ),
        (
            json!({"label": "x", "limits": [{"pattern": "te*", "rights": ["pull"]}]}),
            "namespace",
        ),
        (
            json!({"label": "x", "limits": [{"pattern": "*", "rights": ["root"]}]}),
            "a right is one of",
        ),
        (
            json!({"label": "x", "limits": [{"pattern": "*", "rights": []}]}),
            "a right is one of",
        ),
        (
            json!({"label": "x", "limits": [{"pattern": "*", "rights": ["push"], "push_tags": ["a b"]}]}),
            "tag",
        ),
    ] {
        let answer = front.mine("POST", "/access-tokens", body.clone()).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}: {}", answer.body);
        assert!(
            answer.json()["detail"].as_str().unwrap().contains(says),
            "{body}: {}",
            answer.body
        );
    }
}

#[tokio::test]
async fn a_limited_access_token_makes_no_others() {
    let front = Front::new().await;
    let (_, secret, _) = created(&front.mine("POST", "/access-tokens", wish()).await);
    for credential in [basic("ada", &secret), format!("Bearer {secret}")] {
        for (method, body) in [("POST", wish()), ("GET", Value::Null)] {
            let answer = front.api_as(&credential, method, "/access-tokens", body).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{method}");
        }
    }
    let all = json!({"label": "all", "limits": [{"pattern": "*", "rights": ["*"]}]});
    let (_, secret, _) = created(&front.mine("POST", "/access-tokens", all).await);
    let by_all = front
        .api_as(&format!("Bearer {secret}"), "POST", "/access-tokens", wish())
        .await;
    created(&by_all);
}

#[tokio::test]
async fn one_secret_replaces_another_without_a_gap() {
    let front = Front::new().await;
    let (id, first, _) = created(&front.mine("POST", "/access-tokens", wish()).await);
    let path = format!("/access-tokens/{id}/secrets");
    front.fixture.clock.advance(Duration::from_secs(1));
    let (_, second, body) = created(&front.mine("POST", &path, json!({})).await);
    assert_ne!(first, second);
    assert_eq!(body["secrets"].as_array().unwrap().len(), 2);
    assert_eq!(body["secrets"][1]["ended_because"], "replaced");
    let works =
        async |secret: &str| front.login_from("192.0.2.1", "ada", secret).await.status == StatusCode::OK;
    assert!(works(&first).await && works(&second).await);
    // Two are enough.
    let third = front.mine("POST", &path, json!({"overlap_hours": 1})).await;
    assert_eq!(third.status, StatusCode::CONFLICT);
    front.fixture.clock.advance(Duration::from_hours(24));
    assert!(!works(&first).await && works(&second).await);
    // In an emergency the others end at once.
    let (_, third, body) = created(&front.mine("POST", &path, json!({"overlap_hours": 0})).await);
    assert!(!works(&second).await && works(&third).await);
    let newest = body["secrets"][0]["id"].as_str().unwrap();
    let ended = front
        .mine("DELETE", &format!("{path}/{newest}"), Value::Null)
        .await;
    assert_eq!(ended.status, StatusCode::NO_CONTENT);
    assert!(!works(&third).await);
    let again = front
        .mine("DELETE", &format!("{path}/{newest}"), Value::Null)
        .await;
    assert_eq!(again.status, StatusCode::NOT_FOUND);
    let too_long = front.mine("POST", &path, json!({"overlap_hours": 721})).await;
    assert_eq!(too_long.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn an_access_token_works_in_its_networks_alone_and_its_owner_hears_of_the_others() {
    let front = Front::new().await;
    let mut bound = wish();
    bound["networks"] = json!(["10.0.0.0/8", "2001:db8::/32"]);
    let (id, secret, _) = created(&front.mine("POST", "/access-tokens", bound).await);
    for (address, status) in [
        ("10.2.3.4", StatusCode::OK),
        ("::ffff:10.2.3.4", StatusCode::OK),
        ("2001:db8::1", StatusCode::OK),
        ("192.0.2.1", StatusCode::FORBIDDEN),
        ("192.0.2.2", StatusCode::FORBIDDEN),
    ] {
        assert_eq!(
            front.login_from(address, "ada", &secret).await.status,
            status,
            "{address}"
        );
    }
    front.fixture.app.flush_touches().await;
    let shown = front
        .mine("GET", &format!("/access-tokens/{id}"), Value::Null)
        .await
        .ok();
    assert_eq!(shown["last_use"]["address"], "10.2.3.4");
    assert_eq!(shown["refused_since"]["count"], 2);
    assert_eq!(shown["refused_since"]["network"], "192.0.2.0/24");
}

#[tokio::test]
async fn the_owner_of_an_expired_access_token_hears_who_still_uses_it() {
    let front = Front::new().await;
    let mut short = wish();
    short["expires_in_days"] = json!(1);
    let (id, secret, _) = created(&front.mine("POST", "/access-tokens", short).await);
    front.fixture.clock.advance(Duration::from_hours(24));
    for _ in 0..3 {
        let refused = front.login_from("192.0.2.77", "ada", &secret).await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    }
    // Under another name it is nobody's business.
    front.login_from("192.0.2.77", "eve", &secret).await;
    front.fixture.app.flush_touches().await;
    let shown = front
        .mine("GET", &format!("/access-tokens/{id}"), Value::Null)
        .await
        .ok();
    assert_eq!(
        shown["refused_since"],
        json!({"count": 3, "network": "192.0.2.0/24", "last_at": "2027-01-16T08:00:00Z"})
    );
}

#[tokio::test]
async fn access_tokens_are_listed_page_by_page() {
    let front = Front::new().await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(created(&front.mine("POST", "/access-tokens", wish()).await).0);
        front.fixture.clock.advance(Duration::from_secs(1));
    }
    let first = front
        .mine("GET", "/access-tokens?limit=2", Value::Null)
        .await
        .ok();
    let next = first["next"].as_str().unwrap().to_owned();
    let second = front
        .mine(
            "GET",
            &format!("/access-tokens?limit=2&after={next}"),
            Value::Null,
        )
        .await
        .ok();
    let mut listed = Vec::new();
    for page in [&first, &second] {
        for item in page["items"].as_array().unwrap() {
            listed.push(item["id"].as_str().unwrap().to_owned());
        }
    }
    assert_eq!(listed, ids);
    assert!(second.get("next").is_none());
}
