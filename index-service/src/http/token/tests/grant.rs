//! What is granted.

use http::StatusCode;
use shared::secret::Secret;
use shared::token::{Action, Actions};

use crate::domain::RepositoryState;
use crate::http::testing::{Answer, Front, PASSWORD, basic, name};
use crate::store::repository::find_repository;

/// An answer without what differs between any two tokens.
fn without_token(mut answer: Answer) -> (StatusCode, Vec<String>, serde_json::Value) {
    let mut body = answer.ok();
    body["token"].take();
    body["access_token"].take();
    // The token is as long, too.
    answer.headers.remove("content-length");
    let headers = answer
        .headers
        .iter()
        .map(|(name, value)| format!("{name}: {value:?}"))
        .collect();
    (answer.status, headers, body)
}

#[tokio::test]
async fn a_partial_grant_is_a_success() {
    let front = Front::new().await;
    for (scope, granted) in [
        (
            "repository:ada/private:pull,push",
            "repository:ada/private:pull,push",
        ),
        (
            "repository:ada/private:*",
            "repository:ada/private:pull,push,delete",
        ),
        ("repository:ada/private:delete", "repository:ada/private:delete"),
        (
            "repository:ada/private:pull,metadata_read",
            "repository:ada/private:pull",
        ),
        (
            "repository(plugin):ada/private:pull",
            "repository:ada/private:pull",
        ),
        ("repository:eve/private:pull,push", ""),
        (
            "repository:ada/new/deep/name:push,pull",
            "repository:ada/new/deep/name:pull,push",
        ),
        ("repository:centos:push,pull", ""),
        ("registry:catalog:*", ""),
        ("registry:catalog:search", "registry:catalog:search"),
    ] {
        assert_eq!(
            front.ada(&format!("scope={scope}")).await.scope(),
            granted,
            "{scope}"
        );
    }
}

#[tokio::test]
async fn a_mount_asks_for_two_repositories_at_once() {
    let front = Front::new().await;
    let query = "scope=repository:ada/target:push,pull&scope=repository:ada/private:pull";
    assert_eq!(
        front.ada(query).await.scope(),
        "repository:ada/target:pull,push repository:ada/private:pull"
    );
}

#[tokio::test]
async fn a_private_repository_of_another_looks_like_none() {
    let front = Front::new().await;
    // The same length, so that even that tells nothing.
    for query in [
        "scope=repository:eve/private:pull",
        "scope=repository:eve/nothing:pull",
    ] {
        for authorization in [Some(basic("ada", PASSWORD)), None] {
            let answer = front
                .get(&format!("/token?{query}"), authorization.as_deref())
                .await;
            let none = front
                .get("/token?scope=repository:nobody/x:pull", authorization.as_deref())
                .await;
            assert_eq!(answer.body.len(), none.body.len());
            assert_eq!(without_token(answer), without_token(none), "{query}");
        }
    }
}

#[tokio::test]
async fn a_granted_push_reserves_the_name_which_stays_invisible_until_its_first_manifest() {
    let front = Front::new().await;
    front.ada("scope=repository:ada/new:pull,push").await.ok();
    let mut tx = front.fixture.store.read().await.unwrap();
    let facts = find_repository(&mut tx, &name("ada/new")).await.unwrap().unwrap();
    drop(tx);
    assert!(matches!(facts.state, RepositoryState::Pending { .. }));
    let pull = "scope=repository:ada/new:pull";
    assert_eq!(front.anonymous(pull).await.scope(), "");
    assert_eq!(front.ada(pull).await.scope(), "repository:ada/new:pull");
    // A pull reserves nothing.
    front.ada("scope=repository:ada/other:pull").await.ok();
    let mut tx = front.fixture.store.read().await.unwrap();
    assert!(
        find_repository(&mut tx, &name("ada/other"))
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn beyond_fifty_reserved_names_a_push_is_not_granted_and_everything_else_is() {
    let front = Front::new().await;
    for i in 0..50 {
        let query = format!("scope=repository:ada/r{i}:pull,push");
        assert_eq!(
            front.ada(&query).await.scope(),
            format!("repository:ada/r{i}:pull,push")
        );
    }
    assert_eq!(
        front.ada("scope=repository:ada/more:pull,push").await.scope(),
        "repository:ada/more:pull"
    );
    assert_eq!(
        front.ada("scope=repository:ada/private:pull,push").await.scope(),
        "repository:ada/private:pull,push"
    );
}

#[tokio::test]
async fn the_library_belongs_to_the_administrator() {
    let front = Front::new().await;
    let password = front.fixture.app.ensure_admin().await.unwrap().unwrap();
    let admin = basic("admin", password.expose());
    let query =
        "/token?scope=repository:centos:push,pull&scope=registry:catalog:*&scope=repository:ada/private:pull";
    let answer = front.get(query, Some(&admin)).await;
    assert_eq!(answer.scope(), "repository:centos:pull,push registry:catalog:*");
}

#[tokio::test]
async fn an_access_token_narrows_what_its_owner_holds() {
    let front = Front::new().await;
    let limited = front.access_token(Actions::PULL, "ada/pri*").await;
    let limited = basic("ada", &limited);
    let ask = async |scope: &str| {
        front
            .get(&format!("/token?scope={scope}"), Some(&limited))
            .await
            .scope()
    };
    assert_eq!(
        ask("repository:ada/private:pull,push,delete").await,
        "repository:ada/private:pull"
    );
    assert_eq!(ask("repository:ada/public:pull").await, "");
    assert_eq!(ask("repository:ada/new:pull,push").await, "");
    let full = front.access_token(Actions::NONE.with(Action::All), "*").await;
    let answer = front
        .get(
            "/token?scope=repository:ada/private:*",
            Some(&basic("ada", &full)),
        )
        .await;
    assert_eq!(answer.scope(), "repository:ada/private:pull,push,delete");
    let foreign = front
        .get(
            "/token?scope=repository:eve/private:pull",
            Some(&basic("ada", &full)),
        )
        .await;
    assert_eq!(foreign.scope(), "");
}

#[tokio::test]
async fn the_catalog_is_granted_to_an_administrator_with_a_password_alone() {
    let front = Front::new().await;
    let app = &front.fixture.app;
    let password: Secret<String> = app.ensure_admin().await.unwrap().unwrap();
    let wish = crate::app::access_token::AccessTokenWish {
        label: "all".parse().unwrap(),
        actions: Actions::NONE.with(Action::All),
        pattern: "*".parse().unwrap(),
        life_days: 1,
    };
    let secret = app
        .create_access_token(&"admin".parse().unwrap(), &wish)
        .await
        .unwrap();
    for (secret, granted) in [(&password, "registry:catalog:*"), (&secret, "")] {
        let credential = basic("admin", secret.expose());
        let answer = front
            .get("/token?scope=registry:catalog:*", Some(&credential))
            .await;
        assert_eq!(answer.scope(), granted);
    }
}
