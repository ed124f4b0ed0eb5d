//! Passwords, through the API and the token endpoint.

use std::time::Duration;

use http::StatusCode;
use serde_json::json;

use crate::app::password::Imported;
use crate::http::testing::{Front, PASSWORD, basic};

const NEW: &str = "violet harbour compass 9";

impl Front {
    async fn logs_in(&self, name: &str, password: &str) -> bool {
        self.get("/token", Some(&basic(name, password))).await.status == StatusCode::OK
    }

    /// The credential of the administrator.
    async fn admin(&self) -> String {
        let password = self.fixture.app.ensure_admin().await.unwrap().unwrap();
        basic("admin", password.expose())
    }
}

#[tokio::test]
async fn a_password_is_changed_by_whoever_knows_it() {
    let front = Front::new().await;
    let token = front.access_token(shared::token::Actions::PULL, "*").await;
    let device = front.ada("offline_token=true").await.ok()["refresh_token"].clone();
    for (current, new, says) in [
        ("not her password", NEW, "current password"),
        (&token, NEW, "current password"),
        (PASSWORD, "short", "12 to 256"),
        (PASSWORD, "password1234", "too easy to guess"),
        (PASSWORD, "aaaaaaaaaaaaaaaaaaaa", "too easy to guess"),
        (PASSWORD, "ptl_pat_violet harbour", "access token"),
    ] {
        let refused = front
            .mine(
                "PUT",
                "/account/password",
                json!({"current": current, "new": new}),
            )
            .await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{new}: {}", refused.body);
        assert!(refused.body.contains(says), "{new}: {}", refused.body);
        assert!(!refused.body.contains(new) && !refused.body.contains(current));
    }
    let limited = front
        .api_as(
            &basic("ada", &token),
            "PUT",
            "/account/password",
            json!({"current": PASSWORD, "new": NEW}),
        )
        .await;
    assert_eq!(limited.status, StatusCode::FORBIDDEN);
    let changed = front
        .mine(
            "PUT",
            "/account/password",
            json!({"current": PASSWORD, "new": NEW}),
        )
        .await;
    assert_eq!(changed.status, StatusCode::NO_CONTENT, "{}", changed.body);
    assert!(front.logs_in("ada", NEW).await && !front.logs_in("ada", PASSWORD).await);
    assert!(front.logs_in("ada", &token).await, "access tokens stay");
    let form = format!(
        "grant_type=refresh_token&refresh_token={}&client_id=c",
        device.as_str().unwrap()
    );
    assert_eq!(
        front.post("/token", form).await.status,
        StatusCode::UNAUTHORIZED,
        "devices do not"
    );
}

#[tokio::test]
async fn guesses_of_the_current_password_are_braked_too() {
    let front = Front::new().await;
    for number in 0..10 {
        let body = json!({"current": format!("guess {number}"), "new": NEW});
        assert_eq!(
            front.mine("PUT", "/account/password", body).await.status,
            StatusCode::BAD_REQUEST
        );
    }
    let braked = front
        .mine(
            "PUT",
            "/account/password",
            json!({"current": PASSWORD, "new": NEW}),
        )
        .await;
    assert_eq!(braked.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(!braked.header("retry-after").is_empty());
}

#[tokio::test]
async fn a_link_sets_a_password_once() {
    let front = Front::new().await;
    let admin = front.admin().await;
    let wish = json!({"username": "ADA"});
    let nobody = front
        .api_as(&admin, "POST", "/password-resets", json!({"username": "nobody"}))
        .await;
    assert_eq!(nobody.status, StatusCode::NOT_FOUND);
    assert_eq!(
        front.mine("POST", "/password-resets", wish.clone()).await.status,
        StatusCode::FORBIDDEN
    );
    let made = front
        .api_as(&admin, "POST", "/password-resets", wish.clone())
        .await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    let (secret, link) = (
        made.json()["secret"].as_str().unwrap().to_owned(),
        made.json()["link"].clone(),
    );
    assert!(secret.starts_with("ptl_rst_"));
    assert_eq!(link, format!("http://localhost:5000/reset-password#{secret}"));
    assert_eq!(made.json()["expires_at"], "2027-01-16T08:00:00Z");

    // It is no credential.
    assert!(!front.logs_in("ada", &secret).await);
    let redeem = async |secret: &str, password: &str| {
        let request = http::Request::post("/api/v1/password-resets/redeem")
            .header("content-type", "application/json")
            .body(json!({"secret": secret, "password": password}).to_string().into());
        front.send(request.unwrap()).await.status
    };
    assert_eq!(
        redeem(&secret, "password1234").await,
        StatusCode::BAD_REQUEST,
        "the link stays"
    );
    assert_eq!(redeem("ptl_rst_x", NEW).await, StatusCode::NOT_FOUND);
    assert_eq!(redeem(&secret, NEW).await, StatusCode::NO_CONTENT);
    assert!(front.logs_in("ada", NEW).await && !front.logs_in("ada", PASSWORD).await);
    assert_eq!(redeem(&secret, PASSWORD).await, StatusCode::NOT_FOUND, "once");

    // Another link ends the one before; time ends both.
    let first = front
        .api_as(&admin, "POST", "/password-resets", wish.clone())
        .await
        .json();
    let second = front
        .api_as(&admin, "POST", "/password-resets", wish)
        .await
        .json();
    assert_eq!(
        redeem(first["secret"].as_str().unwrap(), PASSWORD).await,
        StatusCode::NOT_FOUND
    );
    front.fixture.clock.advance(Duration::from_hours(24));
    assert_eq!(
        redeem(second["secret"].as_str().unwrap(), PASSWORD).await,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn a_page_takes_the_link_without_a_script() {
    let front = Front::new().await;
    let admin = front.admin().await;
    let made = front
        .api_as(&admin, "POST", "/password-resets", json!({"username": "ada"}))
        .await
        .json();
    let page = front.get("/reset-password", None).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains("<form method=\"post\""), "{}", page.body);
    let browser = front.browser("").await;
    let send = async |password: &str| {
        let fields = [
            ("secret", made["secret"].as_str().unwrap()),
            ("password", password),
        ];
        browser.post("/reset-password", &fields).await
    };
    let weak = send("password1234").await;
    assert_eq!(weak.status, StatusCode::BAD_REQUEST);
    assert!(weak.body.contains("too easy to guess") && !weak.body.contains("password1234"));
    let done = send(NEW).await;
    assert_eq!(
        (done.status, done.header("cache-control")),
        (StatusCode::OK, "no-store")
    );
    assert!(front.logs_in("ada", NEW).await);
    assert_eq!(send(NEW).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_imported_password_works_and_is_hashed_anew_at_the_first_login() {
    let front = Front::new().await;
    let app = &front.fixture.app;
    let hash: crate::domain::PasswordHash = bcrypt::hash("old", 4).unwrap().parse().unwrap();
    for (name, replace, expected) in [
        ("Bob", false, Imported::Created),
        ("bob", false, Imported::Skipped),
        ("bob", true, Imported::Replaced),
        ("ada", false, Imported::Skipped),
    ] {
        assert_eq!(
            app.preview_import(name, replace).await.unwrap(),
            expected,
            "{name} {replace}"
        );
        assert_eq!(
            app.import_account(name, &hash, replace).await.unwrap(),
            expected,
            "{name} {replace}"
        );
    }
    assert!(app.import_account("no name", &hash, false).await.is_err());
    assert!(front.logs_in("bob", "old").await && front.logs_in("ada", PASSWORD).await);
    let mut tx = front.fixture.store.read().await.unwrap();
    let bob = crate::store::account::find_account(&mut tx, &"bob".parse().unwrap())
        .await
        .unwrap()
        .unwrap();
    assert!(bob.password_hash.expose().starts_with("$argon2id$"));
}
