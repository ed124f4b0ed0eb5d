//! Refresh tokens: devices.

use std::time::Duration;

use http::StatusCode;
use shared::secret::Secret;
use shared::token::Actions;

use crate::http::testing::{Front, PASSWORD, basic};

const DAY: Duration = Duration::from_hours(24);

impl Front {
    /// As `docker login` does it.
    async fn log_in(&self) -> String {
        let answer = self
            .ada("account=ada&client_id=docker&offline_token=true&service=localhost:5000")
            .await;
        answer.ok()["refresh_token"].as_str().unwrap().to_owned()
    }

    async fn refresh(&self, token: &str) -> crate::http::testing::Answer {
        let form = format!(
            "grant_type=refresh_token&refresh_token={token}&client_id=docker&service=localhost:5000\
             &scope=repository:ada/private:pull"
        );
        self.post("/token", form).await
    }
}

#[tokio::test]
async fn a_refresh_token_stands_for_the_account() {
    let front = Front::new().await;
    let token = front.log_in().await;
    let answer = front.refresh(&token).await;
    assert_eq!(answer.claims()["sub"], "ada");
    assert_eq!(answer.scope(), "repository:ada/private:pull");
    assert!(answer.claims()["act"].as_str().unwrap().starts_with("dev:"));
}

#[tokio::test]
async fn only_a_password_login_that_asks_for_it_gets_one() {
    let front = Front::new().await;
    let secret = front.access_token(Actions::PULL, "*").await;
    let has = |answer: crate::http::testing::Answer| answer.ok().get("refresh_token").is_some();
    assert!(!has(front.ada("").await));
    assert!(!has(front.ada("offline_token=false").await));
    assert!(!has(front.anonymous("offline_token=true").await));
    let with_token = basic("ada", &secret);
    assert!(!has(front
        .get("/token?offline_token=true", Some(&with_token))
        .await));
    let form = |password: &str, access: &str| {
        format!("grant_type=password&username=ada&password={password}&client_id=c&access_type={access}")
    };
    assert!(!has(front.post("/token", form(&secret, "offline")).await));
    assert!(!has(front.post("/token", form(PASSWORD, "online")).await));
    assert!(has(front.post("/token", form(PASSWORD, "offline")).await));
}

#[tokio::test]
async fn it_is_never_replaced_and_handed_back_when_asked_for() {
    let front = Front::new().await;
    let token = front.log_in().await;
    for _ in 0..3 {
        assert!(front.refresh(&token).await.ok().get("refresh_token").is_none());
        let form = format!("grant_type=refresh_token&refresh_token={token}&client_id=c&access_type=offline");
        assert_eq!(front.post("/token", form).await.ok()["refresh_token"], token);
    }
    assert_ne!(front.log_in().await, token, "another login is another device");
}

#[tokio::test]
async fn it_may_stand_where_a_password_does() {
    let front = Front::new().await;
    let token = front.log_in().await;
    for username in ["<token>", "oauth2accesstoken", "ada"] {
        let answer = front.get("/token", Some(&basic(username, &token))).await;
        assert_eq!(answer.claims()["sub"], "ada", "{username}");
    }
    for username in ["eve", "", "nobody"] {
        let answer = front.get("/token", Some(&basic(username, &token))).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{username}");
    }
}

#[tokio::test]
async fn it_dies_after_ninety_idle_days_and_after_a_year() {
    let front = Front::new().await;
    let token = front.log_in().await;
    for _ in 0..4 {
        front.fixture.clock.advance(DAY * 89);
        assert_eq!(front.refresh(&token).await.status, StatusCode::OK);
        front.fixture.app.flush_touches().await;
    }
    front.fixture.clock.advance(DAY * 9);
    assert_eq!(
        front.refresh(&token).await.status,
        StatusCode::UNAUTHORIZED,
        "a year"
    );
    let idle = front.log_in().await;
    front.fixture.clock.advance(DAY * 90);
    assert_eq!(
        front.refresh(&idle).await.status,
        StatusCode::UNAUTHORIZED,
        "idle"
    );
}

#[tokio::test]
async fn it_dies_with_the_password() {
    let front = Front::new().await;
    let token = front.log_in().await;
    let new = Secret::new("another horse battery".to_owned());
    front.fixture.app.reset_password("ada", new).await.unwrap();
    assert_eq!(front.refresh(&token).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_made_up_one_is_refused() {
    let front = Front::new().await;
    let token = front.log_in().await;
    let mut mistyped = token.clone();
    mistyped.replace_range(20..21, if &token[20..21] == "a" { "b" } else { "a" });
    let unknown = crate::domain::SecretToken::new(crate::domain::SecretKind::Refresh, [1; 32]).into_secret();
    for wrong in ["x", "ptl_dev_", PASSWORD, &mistyped, unknown.expose()] {
        let answer = front.refresh(wrong).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{wrong}");
        assert_eq!(answer.json()["error"], "invalid_grant");
    }
}
