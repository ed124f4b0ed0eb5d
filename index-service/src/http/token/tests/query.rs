//! GET.

use http::StatusCode;
use serde_json::json;

use crate::app::Service;
use crate::app::fixture::Fixture;
use crate::http::testing::{Front, PASSWORD, basic};
use crate::store::Store;
use crate::token::Recipient;

#[tokio::test]
async fn every_name_of_the_endpoint_answers_get_and_post() {
    let front = Front::new().await;
    for path in ["/token", "/auth/token", "/v2/token", "/auth", "/service/token"] {
        for path in [path.to_owned(), format!("{path}/")] {
            let got = front.get(&path, Some(&basic("ada", PASSWORD))).await;
            assert_eq!(got.claims()["sub"], "ada", "{path}");
            let form = format!("grant_type=password&username=ada&password={PASSWORD}&client_id=c");
            assert_eq!(front.post(&path, form).await.claims()["sub"], "ada", "{path}");
        }
    }
}

#[tokio::test]
async fn a_login_without_a_scope_is_a_valid_token_that_allows_nothing() {
    let front = Front::new().await;
    let answer = front
        .ada("service=localhost:5000&account=ada&client_id=docker&offline_token=true")
        .await;
    assert_eq!(answer.claims()["access"], json!([]));
    assert_eq!(answer.scope(), "");
}

#[tokio::test]
async fn without_a_credential_only_public_pulls_are_granted() {
    let front = Front::new().await;
    let answer = front.anonymous("service=localhost:5000").await;
    assert_eq!(
        (answer.claims()["sub"].as_str(), answer.scope().as_str()),
        (Some(""), "")
    );
    assert!(answer.claims().get("act").is_none());
    let answer = front
        .anonymous(
            "scope=repository:ada/public:pull,push&scope=repository:ada/private:pull\
             &scope=repository:ada/new:push,pull&scope=repository:nobody/x:pull",
        )
        .await;
    assert_eq!(answer.scope(), "repository:ada/public:pull");
    let access = json!([{"type": "repository", "name": "ada/public", "actions": ["pull"]}]);
    assert_eq!(answer.claims()["access"], access);
}

#[tokio::test]
async fn the_subject_is_the_authenticated_account_and_never_the_hint() {
    let front = Front::new().await;
    assert_eq!(front.anonymous("account=ada").await.claims()["sub"], "");
    assert_eq!(front.ada("account=ada").await.claims()["sub"], "ada");
    assert_eq!(front.ada("account=eve").await.status, StatusCode::BAD_REQUEST);
    // However the name is spelt, the subject is the account's.
    let shouted = front
        .get("/token?account=ADA", Some(&basic("Ada", PASSWORD)))
        .await;
    assert_eq!(shouted.claims()["sub"], "ada");
}

#[tokio::test]
async fn a_token_is_for_a_known_service_alone() {
    let front = Front::new().await;
    let answer = front.ada("service=localhost:5000").await;
    assert_eq!(answer.claims()["aud"], "localhost:5000");
    let unknown = front.ada("service=elsewhere").await;
    assert_eq!(unknown.status, StatusCode::BAD_REQUEST);
    assert!(unknown.body.contains("no tokens are issued for this service"));
    // Without any, the only one is meant.
    assert_eq!(front.ada("").await.claims()["aud"], "localhost:5000");
    assert_eq!(
        front.ada("service=localhost:5000&service=x").await.status,
        StatusCode::BAD_REQUEST
    );
}

#[tokio::test]
async fn with_several_services_one_must_be_named_and_each_is_answered_as_it_needs() {
    let store = Store::open("sqlite::memory:").await.unwrap();
    let fixture = Fixture::build(store, None, |settings| {
        settings.token.services.push(Service {
            name: "old.example.com".to_owned(),
            recipient: Recipient::Foreign,
        });
    });
    let front = Front::over(fixture).await;
    assert_eq!(front.ada("").await.status, StatusCode::BAD_REQUEST);
    let header = |token: &str| jsonwebtoken::decode_header(token).unwrap();
    let own = front.ada("service=localhost:5000").await.ok();
    let foreign = front.ada("service=old.example.com").await.ok();
    assert!(header(own["token"].as_str().unwrap()).x5c.is_none());
    assert_eq!(header(foreign["token"].as_str().unwrap()).x5c.unwrap().len(), 2);
}

#[tokio::test]
async fn malformed_scopes_are_ignored_and_the_rest_stands() {
    let front = Front::new().await;
    for item in [
        "x",
        "::",
        "repository:A/B:pull",
        "repository:ada/public",
        "plugin:a:b",
        "%20",
        "repository:../x:pull",
    ] {
        let answer = front
            .ada(&format!("scope={item}&scope=repository:ada/public:pull"))
            .await;
        assert_eq!(answer.scope(), "repository:ada/public:pull", "{item}");
    }
}

#[tokio::test]
async fn offline_token_is_true_or_false() {
    let front = Front::new().await;
    assert_eq!(
        front.ada("offline_token=maybe").await.status,
        StatusCode::BAD_REQUEST
    );
}
