use serde_json::{Value, json};
use shared::token::Actions;

use super::{ask, login};
use crate::http::testing::{Front, PASSWORD, basic, claims};

#[tokio::test]
async fn a_session_is_a_jwt_with_an_end_and_is_for_this_api_alone() {
    let front = Front::new().await;
    let ada = login(&front, "ada").await;
    let token = ada.strip_prefix("Bearer ").unwrap();
    let said = claims(token);
    assert_eq!(
        said["exp"].as_i64().unwrap() - said["iat"].as_i64().unwrap(),
        86_400
    );
    assert_eq!((&said["sub"], &said["access"]), (&json!("ada"), &json!([])));
    // Neither our own API nor the catalog takes it, nor the other way round.
    let refused = front.get("/api/v1/account", Some(&ada)).await;
    assert_eq!(refused.status.as_u16(), 401);
    let refused = front.get("/v2/_catalog", Some(&ada)).await;
    assert_eq!(refused.status.as_u16(), 401);
    let of_registry = front
        .ada("service=localhost:5000&scope=registry:catalog:*")
        .await
        .ok();
    let of_registry = format!("Bearer {}", of_registry["token"].as_str().unwrap());
    ask(&front, &of_registry, "GET", "/v2/user/", &Value::Null)
        .await
        .is(401);
    let own = ask(&front, &ada, "GET", "/v2/user/", &Value::Null).await.ok();
    assert_eq!(own["username"], "ada");
}

#[tokio::test]
async fn newer_clients_sign_in_for_ten_minutes_with_other_words() {
    let front = Front::new().await;
    let body = json!({"identifier": "ADA", "secret": PASSWORD});
    let answer = ask(&front, "", "POST", "/v2/auth/token", &body).await;
    assert_eq!(answer.header("cache-control"), "no-store");
    let token = answer.ok()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(answer.json()["expires_in"], 600);
    let bearer = format!("Bearer {token}");
    ask(&front, &bearer, "GET", "/v2/user", &Value::Null).await.ok();
    front.fixture.clock.advance(std::time::Duration::from_secs(661));
    ask(&front, &bearer, "GET", "/v2/user", &Value::Null)
        .await
        .is(401);
}

#[tokio::test]
async fn a_wrong_secret_is_told_in_words_that_clients_show() {
    let front = Front::new().await;
    for (path, body) in [
        (
            "/v2/users/login",
            json!({"username": "ada", "password": "wrong password"}),
        ),
        (
            "/v2/users/login",
            json!({"username": "nobody", "password": "wrong password"}),
        ),
        (
            "/v2/auth/token",
            json!({"identifier": "ada", "secret": "wrong password"}),
        ),
        (
            "/v2/users/2fa-login?refresh_token=true",
            json!({"login_2fa_token": "x", "code": "1"}),
        ),
    ] {
        let answer = ask(&front, "", "POST", path, &body).await.is(401);
        let fields = answer.as_object().unwrap();
        assert!(
            fields.values().all(Value::is_string) && fields.contains_key("detail"),
            "{answer}"
        );
        assert_ne!(
            answer["detail"],
            "Require secondary authentication on MFA enabled account"
        );
    }
    for body in [
        json!({}),
        json!([]),
        json!({"username": 1, "password": "x"}),
        json!("x"),
    ] {
        ask(&front, "", "POST", "/v2/users/login", &body).await.is(400);
    }
}

#[tokio::test]
async fn a_session_ends_with_the_password_that_it_began_with() {
    let front = Front::new().await;
    let ada = login(&front, "ada").await;
    ask(&front, &ada, "GET", "/v2/user", &Value::Null).await.ok();
    let app = &front.fixture.app;
    app.reset_password(
        "ada",
        shared::secret::Secret::new("another horse battery".to_owned()),
    )
    .await
    .unwrap();
    ask(&front, &ada, "GET", "/v2/user", &Value::Null).await.is(401);
}

#[tokio::test]
async fn a_session_of_an_access_token_reaches_as_far_as_the_token_and_ends_with_it() {
    let front = Front::new().await;
    let secret = front.access_token(Actions::PULL, "ada/private").await;
    let body = json!({"username": "ada", "password": secret});
    let answer = ask(&front, "", "POST", "/v2/users/login", &body).await.ok();
    let bearer = format!("Bearer {}", answer["token"].as_str().unwrap());
    let direct = format!("Bearer {secret}");
    for who in [&bearer, &direct, &basic("ada", &secret)] {
        ask(&front, who, "GET", "/v2/repositories/ada/private/", &Value::Null)
            .await
            .ok();
        ask(
            &front,
            who,
            "PATCH",
            "/v2/repositories/ada/private/",
            &json!({"full_description": "x"}),
        )
        .await
        .is(403);
        ask(
            &front,
            who,
            "POST",
            "/v2/access-tokens",
            &json!({"token_label": "x"}),
        )
        .await
        .is(403);
    }
    let ada = login(&front, "ada").await;
    let tokens = ask(&front, &ada, "GET", "/v2/access-tokens", &Value::Null)
        .await
        .ok();
    let id = tokens["results"][0]["uuid"].as_str().unwrap().to_owned();
    ask(
        &front,
        &ada,
        "DELETE",
        &format!("/v2/api_tokens/{id}"),
        &Value::Null,
    )
    .await
    .is(202);
    ask(
        &front,
        &bearer,
        "GET",
        "/v2/repositories/ada/private/",
        &Value::Null,
    )
    .await
    .is(401);
    ask(
        &front,
        &direct,
        "GET",
        "/v2/repositories/ada/private/",
        &Value::Null,
    )
    .await
    .is(401);
}

#[tokio::test]
async fn access_tokens_are_made_shown_renamed_and_deleted_under_both_names() {
    let front = Front::new().await;
    let ada = login(&front, "ada").await;
    for base in ["/v2/access-tokens", "/v2/api_tokens"] {
        let new = json!({"token_label": "ci", "scopes": ["repo:write"], "is_active": false,
            "expires_at": "2027-03-01T00:00:00Z"});
        let made = ask(&front, &ada, "POST", base, &new).await.is(201);
        let (id, secret) = (made["uuid"].as_str().unwrap(), made["token"].as_str().unwrap());
        assert!(secret.starts_with("ptl_pat_") && id.len() == 36, "{made}");
        assert_eq!(
            (&made["scopes"], &made["is_active"]),
            (&json!(["repo:write"]), &json!(true))
        );
        let path = format!("{base}/{id}");
        let seen = ask(&front, &ada, "GET", &path, &Value::Null).await.ok();
        assert_eq!((&seen["token"], &seen["token_label"]), (&json!(""), &json!("ci")));
        let renamed = ask(
            &front,
            &ada,
            "PATCH",
            &path,
            &json!({"token_label": "new", "is_active": true}),
        )
        .await
        .ok();
        assert_eq!(renamed["token_label"], "new");
        ask(&front, &ada, "PATCH", &path, &json!({"is_active": false}))
            .await
            .is(400);
        let eve = login(&front, "eve").await;
        ask(&front, &eve, "GET", &path, &Value::Null).await.is(404);
        ask(&front, &eve, "DELETE", &path, &Value::Null).await.is(404);
        ask(&front, &ada, "DELETE", &path, &Value::Null).await.is(202);
        ask(&front, &ada, "GET", &path, &Value::Null).await.is(404);
    }
    for wrong in [
        json!({"token_label": "x", "scopes": ["repo:public_read"]}),
        json!({"token_label": "x", "scopes": ["everything"]}),
        json!({"token_label": "", "scopes": []}),
        json!({"token_label": "x", "expires_at": "tomorrow"}),
        json!({"token_label": "x", "expires_at": "2020-01-01T00:00:00Z"}),
        json!({"token_label": "x", "expires_at": "2999-01-01T00:00:00Z"}),
        json!({"scopes": []}),
    ] {
        ask(&front, &ada, "POST", "/v2/access-tokens", &wrong)
            .await
            .is(400);
    }
}
