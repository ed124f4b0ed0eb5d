//! Who a client may be, by which credential.

use std::time::Duration;

use http::StatusCode;
use shared::secret::Secret;
use shared::token::Actions;

use crate::domain::Ended;
use crate::http::testing::{Front, PASSWORD, basic};
use crate::store::{access_token, account};

const DAY: Duration = Duration::from_hours(24);

impl Front {
    async fn status(&self, username: &str, secret: &str) -> StatusCode {
        self.get("/token", Some(&basic(username, secret))).await.status
    }
}

#[tokio::test]
async fn a_wrong_credential_is_401_and_never_anonymous() {
    let front = Front::new().await;
    for (username, password) in [
        ("ada", "wrong horse battery"),
        ("ada", ""),
        ("", ""),
        ("", PASSWORD),
        ("nobody", PASSWORD),
        ("eve ", PASSWORD),
        ("library", PASSWORD),
        ("ädä", PASSWORD),
        ("<token>", PASSWORD),
        ("ada", "correct horse battery "),
    ] {
        let answer = front
            .get(
                "/token?scope=repository:ada/public:pull",
                Some(&basic(username, password)),
            )
            .await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{username}:{password}");
        let form = format!("grant_type=password&username={username}&password={password}&client_id=c");
        let posted = front.post("/token", form).await;
        assert!(
            matches!(posted.status, StatusCode::UNAUTHORIZED | StatusCode::BAD_REQUEST),
            "{username}:{password}"
        );
    }
    for header in ["Basic !", "Bearer x", "Basic", "Negotiate abc"] {
        let answer = front
            .get("/token?scope=repository:ada/public:pull", Some(header))
            .await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{header}");
    }
}

#[tokio::test]
async fn two_credentials_are_none() {
    let front = Front::new().await;
    for path in ["/token", "/v2/_catalog"] {
        let request = http::Request::get(path)
            .header("authorization", basic("ada", PASSWORD))
            .header("authorization", basic("nobody", "x"));
        let answer = front.send(request.body(axum::body::Body::empty()).unwrap()).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{path}");
    }
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_account_are_answered_alike() {
    let front = Front::new().await;
    let wrong = front.get("/token", Some(&basic("ada", "not her password"))).await;
    let unknown = front.get("/token", Some(&basic("bob", "not her password"))).await;
    assert_eq!(wrong, unknown);
}

#[tokio::test]
async fn a_disabled_account_is_told_so_once_its_secret_is_right() {
    let front = Front::new().await;
    let secret = front.access_token(Actions::PULL, "*").await;
    let refresh = front.ada("offline_token=true").await.ok()["refresh_token"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut tx = front.fixture.store.write().await.unwrap();
    let ada = account::find_account(&mut tx, &"ada".parse().unwrap())
        .await
        .unwrap()
        .unwrap();
    account::set_disabled(&mut tx, ada.account_id, Some(1), 1)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    for right in [PASSWORD, &secret, &refresh] {
        assert_eq!(front.status("ada", right).await, StatusCode::FORBIDDEN);
    }
    assert_eq!(
        front.status("ada", "not her password").await,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn an_access_token_is_its_owners_alone_and_unharmed_by_spelling() {
    let front = Front::new().await;
    let secret = front.access_token(Actions::PULL, "*").await;
    assert_eq!(front.status("ada", &secret).await, StatusCode::OK);
    assert_eq!(front.status("ADA", &secret).await, StatusCode::OK);
    for username in ["eve", "nobody", "", "<token>"] {
        assert_eq!(
            front.status(username, &secret).await,
            StatusCode::UNAUTHORIZED,
            "{username}"
        );
    }
    // No place for it among refresh tokens.
    let form = format!("grant_type=refresh_token&refresh_token={secret}&client_id=c");
    assert_eq!(front.post("/token", form).await.status, StatusCode::UNAUTHORIZED);
    let form = format!("grant_type=password&username=ada&password={secret}&client_id=c");
    assert_eq!(front.post("/token", form).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_mistyped_access_token_is_refused_without_asking_the_store() {
    let front = Front::new().await;
    let mut secret = front.access_token(Actions::PULL, "*").await;
    let last = if secret.ends_with('0') { '1' } else { '0' };
    secret.pop();
    secret.push(last);
    front.fixture.store.close().await;
    assert_eq!(front.status("ada", &secret).await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn an_access_token_dies_with_its_expiry_and_its_revocation() {
    let front = Front::new().await;
    let secret = front.access_token(Actions::PULL, "*").await;
    front
        .fixture
        .clock
        .advance(DAY * 89 + Duration::from_secs(86_399));
    assert_eq!(front.status("ada", &secret).await, StatusCode::OK);
    front.fixture.clock.advance(Duration::from_secs(1));
    assert_eq!(front.status("ada", &secret).await, StatusCode::UNAUTHORIZED);

    let secret = front.access_token(Actions::PULL, "*").await;
    let mut tx = front.fixture.store.write().await.unwrap();
    let ada = account::find_account(&mut tx, &"ada".parse().unwrap())
        .await
        .unwrap()
        .unwrap();
    let tokens = access_token::list_access_tokens(&mut tx, ada.account_id, None, 10)
        .await
        .unwrap();
    for token in tokens {
        access_token::revoke_access_token(&mut tx, ada.account_id, token.token_id, Ended::Revoked, 1)
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();
    assert_eq!(front.status("ada", &secret).await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn the_last_use_of_an_access_token_is_written_down_later_and_once_a_minute() {
    let front = Front::new().await;
    let secret = front.access_token(Actions::PULL, "*").await;
    let last_used = async || {
        let mut tx = front.fixture.store.read().await.unwrap();
        let ada = account::find_account(&mut tx, &"ada".parse().unwrap())
            .await
            .unwrap()
            .unwrap();
        access_token::list_access_tokens(&mut tx, ada.account_id, None, 1)
            .await
            .unwrap()[0]
            .last_use
            .as_ref()
            .map(|last| last.at)
    };
    let now = crate::app::fixture::NOW_MS;
    front.status("ada", &secret).await;
    assert_eq!(last_used().await, None, "a pull is no write");
    front.fixture.app.flush_touches().await;
    assert_eq!(last_used().await, Some(now));
    front.fixture.clock.advance(Duration::from_secs(59));
    front.status("ada", &secret).await;
    front.fixture.app.flush_touches().await;
    assert_eq!(last_used().await, Some(now));
    front.fixture.clock.advance(Duration::from_secs(1));
    front.status("ada", &secret).await;
    front.fixture.app.flush_touches().await;
    assert_eq!(last_used().await, Some(now + 60_000));
}

#[tokio::test]
async fn a_password_hashed_with_bcrypt_is_accepted_and_rehashed_at_its_first_login() {
    let front = Front::new().await;
    let imported = bcrypt::hash(PASSWORD, 4).unwrap();
    let set = async |hash: &str| {
        let mut tx = front.fixture.store.write().await.unwrap();
        let ada = account::find_account(&mut tx, &"ada".parse().unwrap())
            .await
            .unwrap()
            .unwrap();
        account::set_password(&mut tx, ada.account_id, &hash.parse().unwrap(), 1)
            .await
            .unwrap();
        tx.commit().await.unwrap();
    };
    let stored = async || {
        let mut tx = front.fixture.store.read().await.unwrap();
        let ada = account::find_account(&mut tx, &"ada".parse().unwrap())
            .await
            .unwrap()
            .unwrap();
        ada.password_hash.expose().to_owned()
    };
    set(&imported).await;
    assert_eq!(
        front.status("ada", "not her password").await,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(stored().await, imported);
    assert_eq!(front.status("ada", PASSWORD).await, StatusCode::OK);
    assert!(stored().await.starts_with("$argon2id$"));
    assert_eq!(front.status("ada", PASSWORD).await, StatusCode::OK);
    assert_eq!(
        front.status("ada", "not her password").await,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn a_changed_password_counts_at_once_although_the_old_one_is_remembered() {
    let front = Front::new().await;
    assert_eq!(front.status("ada", PASSWORD).await, StatusCode::OK);
    let new = Secret::new("another horse battery".to_owned());
    front
        .fixture
        .app
        .reset_password("ada", new.clone())
        .await
        .unwrap();
    assert_eq!(front.status("ada", PASSWORD).await, StatusCode::UNAUTHORIZED);
    assert_eq!(front.status("ada", new.expose()).await, StatusCode::OK);
}
