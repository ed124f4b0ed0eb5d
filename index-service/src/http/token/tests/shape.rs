//! The answer and the token in it.

use serde_json::{Value, json};
use shared::token::{Actions, Claims};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::app::fixture::NOW_MS;
use crate::http::testing::{Front, PASSWORD};

const NOW_S: i64 = NOW_MS / 1000;

#[tokio::test]
async fn the_answer_has_what_every_client_reads() {
    let front = Front::new().await;
    let form = format!(
        "grant_type=password&username=ada&password={PASSWORD}&client_id=c&scope=repository:ada/private:pull"
    );
    for answer in [
        front.ada("scope=repository:ada/private:pull").await,
        front.post("/token", form).await,
    ] {
        let body = answer.ok();
        assert_eq!(body["token"], body["access_token"]);
        assert_eq!(body["expires_in"], 300);
        let issued_at = body["issued_at"].as_str().unwrap();
        assert!(issued_at.ends_with('Z'), "{issued_at}");
        let issued_at = OffsetDateTime::parse(issued_at, &Rfc3339).unwrap();
        assert_eq!(issued_at.unix_timestamp(), NOW_S);
        assert_eq!(body["scope"], "repository:ada/private:pull");
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("pragma"), "no-cache");
    }
}

#[tokio::test]
async fn the_claims_are_those_of_the_specification_and_our_registry_reads_them() {
    let front = Front::new().await;
    let answer = front.ada("scope=repository:ada/private:pull,push").await;
    let mut claims = answer.claims();
    let act = claims["act"].as_str().unwrap().to_owned();
    assert!(act.starts_with("password:"), "{act}");
    serde_json::from_value::<Claims>(claims.clone()).unwrap();
    let jti = claims["jti"].take();
    assert_eq!(jti.as_str().unwrap().len(), 32);
    claims["act"].take();
    assert_eq!(
        claims,
        json!({
            "iss": "portolan", "sub": "ada", "aud": "localhost:5000",
            "iat": NOW_S, "nbf": NOW_S - 10, "exp": NOW_S + 300, "jti": null, "act": null,
            "access": [{"type": "repository", "name": "ada/private", "actions": ["pull", "push"]}],
        })
    );
    let again = front.ada("").await.claims();
    assert_ne!(again["jti"], jti, "every token has an id of its own");
}

#[tokio::test]
async fn duplicate_scopes_are_one_entry() {
    let front = Front::new().await;
    let answer = front
        .ada(
            "scope=repository:ada/private:pull&scope=repository:ada/private:push repository:ada/private:pull"
                .replace(' ', "+")
                .as_str(),
        )
        .await;
    assert_eq!(answer.scope(), "repository:ada/private:pull,push");
    assert_eq!(answer.claims()["access"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_token_holds_what_fits_into_six_kib_and_the_answer_says_what_that_is() {
    let front = Front::new().await;
    let names: Vec<String> = (10..60).map(|i| format!("ada/{i}-{}", "n".repeat(150))).collect();
    for name in &names {
        front
            .fixture
            .app
            .confirm_pushed(&name.parse().unwrap())
            .await
            .unwrap();
    }
    let query: Vec<String> = names
        .iter()
        .map(|name| format!("scope=repository:{name}:pull"))
        .collect();
    let answer = front.ada(&query.join("&")).await;
    let token = answer.ok()["token"].as_str().unwrap().to_owned();
    assert!(token.len() <= 6 * 1024, "{}", token.len());
    assert!(answer.body.len() < 64 * 1024);
    let access = answer.claims()["access"].as_array().unwrap().clone();
    let kept: Vec<&str> = access.iter().filter_map(|entry| entry["name"].as_str()).collect();
    assert!(kept.len() > 10 && kept.len() < 50, "{}", kept.len());
    assert_eq!(kept, names[..kept.len()]);
    let scopes: Vec<String> = kept
        .iter()
        .map(|name| format!("repository:{name}:pull"))
        .collect();
    assert_eq!(answer.scope(), scopes.join(" "));
}

#[tokio::test]
async fn at_most_fifty_resources_are_looked_at() {
    let front = Front::new().await;
    let mut query: Vec<String> = (0..50)
        .map(|i| format!("scope=repository:no/r{i}:pull"))
        .collect();
    query.push("scope=repository:ada/public:pull".to_owned());
    assert_eq!(front.ada(&query.join("&")).await.scope(), "");
    query.remove(0);
    assert_eq!(
        front.ada(&query.join("&")).await.scope(),
        "repository:ada/public:pull"
    );
}

#[tokio::test]
async fn the_token_says_which_credential_it_was_issued_for() {
    let front = Front::new().await;
    let secret = front.access_token(Actions::PULL, "*").await;
    let answer = front
        .get("/token", Some(&crate::http::testing::basic("ada", &secret)))
        .await;
    assert!(answer.claims()["act"].as_str().unwrap().starts_with("pat:"));
    assert_eq!(front.anonymous("").await.claims().get("act"), None::<&Value>);
}
