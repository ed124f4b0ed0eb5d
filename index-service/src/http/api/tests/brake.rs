//! The brake on guessing, at the token endpoint.

use std::time::Duration;

use http::StatusCode;
use serde_json::{Value, json};

use super::access_token::created;
use crate::http::testing::{Front, PASSWORD};

/// Wrong passwords for a name from an address; what the last answer was.
async fn guess(front: &Front, address: &str, name: &str, from: u32, to: u32) -> StatusCode {
    let mut last = StatusCode::OK;
    for number in from..to {
        last = front
            .login_from(address, name, &format!("wrong guess number {number}"))
            .await
            .status;
    }
    last
}

#[tokio::test]
async fn ten_different_wrong_passwords_make_a_network_wait_for_that_name_alone() {
    let front = Front::new().await;
    assert_eq!(
        guess(&front, "192.0.2.1", "ada", 0, 5).await,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(
        guess(&front, "192.0.2.200", "ADA", 5, 10).await,
        StatusCode::UNAUTHORIZED
    );
    for password in ["wrong guess number 0", "another", PASSWORD] {
        let braked = front.login_from("192.0.2.7", "ada", password).await;
        assert_eq!(braked.status, StatusCode::TOO_MANY_REQUESTS, "{password}");
        assert_eq!(braked.header("retry-after"), "900");
    }
    // A right secret from elsewhere, and other names from there, are unaffected.
    for (address, name) in [
        ("198.51.100.1", "ada"),
        ("192.0.3.1", "ada"),
        ("2001:db8::1", "ada"),
        ("192.0.2.7", "eve"),
    ] {
        let answer = front.login_from(address, name, PASSWORD).await;
        assert_eq!(answer.status, StatusCode::OK, "{address} {name}");
    }
    front.fixture.clock.advance(Duration::from_secs(899));
    let braked = front.login_from("192.0.2.7", "ada", PASSWORD).await;
    assert_eq!(
        (braked.status, braked.header("retry-after")),
        (StatusCode::TOO_MANY_REQUESTS, "1")
    );
    front.fixture.clock.advance(Duration::from_secs(1));
    assert_eq!(
        front.login_from("192.0.2.7", "ada", PASSWORD).await.status,
        StatusCode::OK
    );
    front.fixture.app.prune_wrong_secrets().await.unwrap();
}

#[tokio::test]
async fn an_unknown_name_is_braked_as_a_known_one_is() {
    let front = Front::new().await;
    for name in ["ada", "nobody", "no+body", "ä"] {
        assert_eq!(
            guess(&front, "192.0.2.1", name, 0, 10).await,
            StatusCode::UNAUTHORIZED,
            "{name}"
        );
    }
    let known = front.login_from("192.0.2.1", "ada", "x").await;
    assert_eq!(known.status, StatusCode::TOO_MANY_REQUESTS);
    for name in ["nobody", "no+body", "ä"] {
        assert_eq!(front.login_from("192.0.2.1", name, "x").await, known, "{name}");
    }
}

#[tokio::test]
async fn a_stale_password_on_five_hundred_machines_locks_nobody_out() {
    let front = Front::new().await;
    for machine in 0..500 {
        let address = format!("10.0.{}.{}", machine / 250, machine % 250 + 1);
        let stale = front
            .login_from(&address, "ada", "the password of last year")
            .await;
        assert_eq!(stale.status, StatusCode::UNAUTHORIZED, "{address}");
        if machine % 100 == 0 {
            front.fixture.clock.advance(Duration::from_secs(61));
        }
    }
    assert_eq!(
        front.login_from("10.0.0.1", "ada", PASSWORD).await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn wrong_access_tokens_and_robots_lock_nobody_out() {
    let front = Front::new().await;
    let wish = json!({"label": "ci", "limits": [{"pattern": "ada/*", "rights": ["pull"]}]});
    for _ in 0..12 {
        let (id, secret, _) = created(&front.mine("POST", "/access-tokens", wish.clone()).await);
        front
            .mine("DELETE", &format!("/access-tokens/{id}"), Value::Null)
            .await;
        let gone = front.login_from("192.0.2.1", "ada", &secret).await;
        assert_eq!(gone.status, StatusCode::UNAUTHORIZED);
    }
    for mistyped in 0..12 {
        let secret = format!("ptl_pat_{mistyped}");
        assert_eq!(
            front.login_from("192.0.2.1", "ada", &secret).await.status,
            StatusCode::UNAUTHORIZED
        );
    }
    assert_eq!(
        front.login_from("192.0.2.1", "ada", PASSWORD).await.status,
        StatusCode::OK
    );
    // Nor does the brake hold up an access token.
    let (_, secret, _) = created(&front.mine("POST", "/access-tokens", wish).await);
    guess(&front, "192.0.2.1", "ada", 0, 11).await;
    assert_eq!(
        front.login_from("192.0.2.1", "ada", &secret).await.status,
        StatusCode::OK
    );
}
