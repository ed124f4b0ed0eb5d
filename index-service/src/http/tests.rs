//! The routes besides the token endpoint: the catalog, the keys, the page, health, and what there is not.

use axum::body::Body;
use http::{Request, StatusCode};
use serde_json::json;
use shared::runtime::serve::ReadyState;
use shared::secret::Secret;
use shared::token::Actions;

use super::testing::{Answer, Front, PASSWORD, basic, name};
use crate::domain::{Ended, SecretToken, Visibility};
use crate::store::{access_token, account};

const CHALLENGE: &str =
    "Bearer realm=\"http://localhost:5000/token\",service=\"localhost:5000\",scope=\"registry:catalog:*\"";

impl Front {
    async fn catalog(&self, query: &str, authorization: &str) -> Answer {
        self.get(&format!("/v2/_catalog{query}"), Some(authorization))
            .await
    }

    /// A Bearer header with a token that was asked for as the query says.
    async fn bearer(&self, query: &str, authorization: Option<&str>) -> String {
        let answer = self.get(&format!("/token?{query}"), authorization).await;
        format!("Bearer {}", answer.ok()["token"].as_str().unwrap())
    }
}

#[tokio::test]
async fn without_a_token_the_catalog_challenges_as_the_registry_does() {
    let front = Front::new().await;
    let answer = front.get("/v2/_catalog", None).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(answer.header("www-authenticate"), CHALLENGE);
    assert_eq!(answer.header("docker-distribution-api-version"), "registry/2.0");
    assert_eq!(answer.json()["errors"][0]["code"], "UNAUTHORIZED");
    for wrong in ["Bearer x", "Bearer ", "bearer a.b.c"] {
        let answer = front.catalog("", wrong).await;
        assert_eq!(
            answer.header("www-authenticate"),
            format!("{CHALLENGE},error=\"invalid_token\""),
            "{wrong}"
        );
    }
}

#[tokio::test]
async fn the_catalog_lists_what_its_reader_may_pull() {
    let front = Front::new().await;
    let ada = basic("ada", PASSWORD);
    let own = json!({"repositories": ["ada/private", "ada/public"]});
    let public = json!({"repositories": ["ada/public"]});
    // With the credential itself, with a token for it, and with a token that was asked for something else.
    assert_eq!(front.catalog("", &ada).await.ok(), own);
    for query in [
        "scope=registry:catalog:*",
        "",
        "scope=repository:ada/private:pull",
    ] {
        assert_eq!(
            front
                .catalog("", &front.bearer(query, Some(&ada)).await)
                .await
                .ok(),
            own
        );
    }
    assert_eq!(
        front.catalog("", &front.bearer("", None).await).await.ok(),
        public
    );
    let eve = basic("eve", PASSWORD);
    let visible = front.catalog("", &front.bearer("", Some(&eve)).await).await.ok();
    assert_eq!(visible, json!({"repositories": ["ada/public", "eve/private"]}));
    assert_eq!(
        front.catalog("", &basic("ada", "not her password")).await.status,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn the_catalog_does_not_show_what_is_pending() {
    let front = Front::new().await;
    front.ada("scope=repository:ada/new:pull,push").await.ok();
    let answer = front.catalog("", &basic("ada", PASSWORD)).await;
    assert!(!answer.body.contains("ada/new"), "{}", answer.body);
}

#[tokio::test]
async fn an_access_token_lists_no_more_than_it_reaches() {
    let front = Front::new().await;
    let narrow = front.access_token(Actions::PULL, "ada/pr*").await;
    let narrow = front.bearer("", Some(&basic("ada", &narrow))).await;
    assert_eq!(
        front.catalog("", &narrow).await.ok(),
        json!({"repositories": ["ada/private"]})
    );
    let push_only = front
        .access_token(Actions::NONE.with(shared::token::Action::Push), "*")
        .await;
    let push_only = front.bearer("", Some(&basic("ada", &push_only))).await;
    assert_eq!(
        front.catalog("", &push_only).await.ok(),
        json!({"repositories": []})
    );
}

#[tokio::test]
async fn the_catalog_reads_the_credential_of_a_token_again() {
    let front = Front::new().await;
    let by_password = front.bearer("", Some(&basic("ada", PASSWORD))).await;
    let refresh = front.ada("offline_token=true").await.ok()["refresh_token"]
        .as_str()
        .unwrap()
        .to_owned();
    let by_device = front.bearer("", Some(&basic("<token>", &refresh))).await;
    let secret = front.access_token(Actions::PULL, "*").await;
    let by_token = front.bearer("", Some(&basic("ada", &secret))).await;
    for token in [&by_password, &by_device, &by_token] {
        assert_eq!(front.catalog("", token).await.status, StatusCode::OK);
    }
    // A new password ends the devices.
    let new = Secret::new("another horse battery".to_owned());
    front.fixture.app.reset_password("ada", new).await.unwrap();
    assert_eq!(
        front.catalog("", &by_device).await.status,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(front.catalog("", &by_token).await.status, StatusCode::OK);
    // What is revoked ends at once, here.
    let revoked = front.access_token(Actions::PULL, "ada/*").await;
    let by_revoked = front.bearer("", Some(&basic("ada", &revoked))).await;
    let mut tx = front.fixture.store.write().await.unwrap();
    let token = SecretToken::find(&revoked).unwrap().unwrap();
    let (token, _, ada) = access_token::find_access_token(&mut tx, token.hash())
        .await
        .unwrap()
        .unwrap();
    access_token::revoke_access_token(&mut tx, ada.account_id, token.token_id, Ended::Revoked, 1)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(
        front.catalog("", &by_revoked).await.status,
        StatusCode::UNAUTHORIZED
    );
    // A disabled account sees nothing.
    let mut tx = front.fixture.store.write().await.unwrap();
    let ada = account::find_account(&mut tx, &"ada".parse().unwrap())
        .await
        .unwrap()
        .unwrap();
    account::set_disabled(&mut tx, ada.account_id, Some(1), 1)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(
        front.catalog("", &by_token).await.ok(),
        json!({"repositories": []})
    );
}

#[tokio::test]
async fn a_token_of_the_catalog_expires() {
    let front = Front::new().await;
    let token = front.bearer("", Some(&basic("ada", PASSWORD))).await;
    front.fixture.clock.advance(std::time::Duration::from_secs(359));
    assert_eq!(front.catalog("", &token).await.status, StatusCode::OK);
    front.fixture.clock.advance(std::time::Duration::from_secs(1));
    assert_eq!(front.catalog("", &token).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn the_catalog_is_walked_page_by_page_in_order() {
    let front = Front::new().await;
    let mut expected = vec!["ada/private".to_owned(), "ada/public".to_owned()];
    for other in ["ada-x/y", "ada/a/b", "ada/a-b", "ada/ab"] {
        // The namespace ada-x does not exist, so it is not taken in.
        if front.fixture.app.confirm_pushed(&name(other)).await.unwrap() {
            expected.push(other.to_owned());
        }
    }
    expected.sort();
    assert_eq!(expected.len(), 5);
    let ada = basic("ada", PASSWORD);
    let mut seen = Vec::new();
    let mut next = "/v2/_catalog?n=2".to_owned();
    for _ in 0..9 {
        let answer = front.get(&next, Some(&ada)).await;
        let page = answer.ok()["repositories"].as_array().unwrap().clone();
        assert!(page.len() <= 2);
        seen.extend(page.iter().map(|name| name.as_str().unwrap().to_owned()));
        let link = answer.header("link");
        if link.is_empty() {
            break;
        }
        let path = link
            .strip_prefix('<')
            .unwrap()
            .strip_suffix(">; rel=\"next\"")
            .unwrap();
        next = path.to_owned();
    }
    assert_eq!(seen, expected);
    assert_eq!(
        front.catalog("?n=0", &ada).await.ok(),
        json!({"repositories": []})
    );
    let wrong = front.catalog("?n=x", &ada).await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    assert_eq!(wrong.json()["errors"][0]["code"], "PAGINATION_NUMBER_INVALID");
    assert_eq!(
        front.catalog("?last=zzz", &ada).await.ok(),
        json!({"repositories": []})
    );
}

#[tokio::test]
async fn what_becomes_private_leaves_the_catalog_at_once() {
    let front = Front::new().await;
    let anonymous = front.bearer("", None).await;
    let app = &front.fixture.app;
    app.set_visibility(&name("ada/public"), Visibility::Private)
        .await
        .unwrap();
    assert_eq!(
        front.catalog("", &anonymous).await.ok(),
        json!({"repositories": []})
    );
}

#[tokio::test]
async fn the_keys_are_published_for_five_minutes() {
    let front = Front::new().await;
    let answer = front.get("/.well-known/jwks.json", None).await;
    assert_eq!(answer.header("cache-control"), "public, max-age=300");
    assert_eq!(answer.header("content-type"), "application/json");
    let key = &answer.ok()["keys"][0];
    assert_eq!(
        (&key["kty"], &key["crv"], &key["use"]),
        (&json!("EC"), &json!("P-256"), &json!("sig"))
    );
    assert!(key.get("d").is_none(), "no private part");
    let token = front.ada("").await.ok()["token"].as_str().unwrap().to_owned();
    assert_eq!(
        jsonwebtoken::decode_header(&token).unwrap().kid.unwrap(),
        key["kid"]
    );
}

#[tokio::test]
async fn the_first_page_says_what_to_type_in_the_readers_language() {
    let front = Front::new().await;
    for (language, text) in [("en", "an index and a registry"), ("zh-CN,zh;q=0.9", "容器镜像")] {
        let request = Request::get("/").header("accept-language", language);
        let answer = front.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert!(answer.body.contains(text) && answer.body.contains("docker login localhost:5000"));
        assert_eq!(answer.header("vary"), "cookie, accept-language");
        for header in [
            "content-security-policy",
            "x-content-type-options",
            "referrer-policy",
            "cross-origin-opener-policy",
            "cross-origin-resource-policy",
            "permissions-policy",
        ] {
            assert!(answer.headers.contains_key(header), "{header}");
        }
        assert!(
            answer
                .header("content-security-policy")
                .contains("default-src 'none'")
        );
        assert_eq!(answer.body.matches("<script").count(), 1);
        assert!(answer.body.contains("<script src=\"/static/portolan.js?v="));
    }
    let style = front.get("/static/portolan.css", None).await;
    assert_eq!(style.header("content-type"), "text/css; charset=utf-8");
    assert!(style.body.contains("light-dark("));
}

#[tokio::test]
async fn a_process_that_can_only_do_a_part_says_so_and_gets_requests() {
    let front = Front::new().await;
    front.readiness.watch(|| ReadyState::Limited("read-only"));
    let ready = front.get("/readyz", None).await;
    assert_eq!(
        (ready.status, ready.body.as_str()),
        (StatusCode::OK, "read-only\n")
    );
}

#[tokio::test]
async fn a_process_that_shuts_down_lives_and_is_not_ready() {
    let front = Front::new().await;
    assert_eq!(front.get("/readyz", None).await.status, StatusCode::OK);
    front.readiness.set(false);
    assert_eq!(
        front.get("/readyz", None).await.status,
        StatusCode::SERVICE_UNAVAILABLE
    );
    for path in ["/livez", "/healthz"] {
        assert_eq!(front.get(path, None).await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn what_there_is_not_is_said_in_json() {
    let front = Front::new().await;
    for path in [
        "/v1/",
        "/v1/repositories/x",
        "/v2/library/app/manifests/1",
        "/nothing",
        "/v2/_catalog/",
        "/token/x",
        "/Token",
    ] {
        let answer = front.get(path, None).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert!(answer.json()["details"].is_string());
    }
    assert_eq!(
        front.post("/v2/_catalog", "").await.status,
        StatusCode::METHOD_NOT_ALLOWED
    );
}

#[tokio::test]
async fn every_route_has_a_name_for_the_log() {
    use shared::runtime::serve::RouteName;
    use tower::ServiceExt as _;
    let front = Front::new().await;
    let router = super::router(front.fixture.app.clone(), front.readiness.clone());
    for path in [
        "/",
        "/token",
        "/auth/",
        "/v2/_catalog",
        "/.well-known/jwks.json",
        "/livez",
        "/readyz",
        "/static/portolan.css",
    ] {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = router.clone().oneshot(request).await.unwrap();
        assert!(response.extensions().get::<RouteName>().is_some(), "{path}");
    }
}
