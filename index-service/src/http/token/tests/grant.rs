//! What is granted.

use http::StatusCode;
use serde_json::json;
use shared::secret::Secret;
use shared::token::{Action, Actions};

use crate::app::Service;
use crate::app::access_token::AccessTokenWish;
use crate::app::fixture::Fixture;
use crate::domain::{Ceiling, RepositoryState, Rights};
use crate::http::testing::{Answer, Front, PASSWORD, basic, name};
use crate::store::Store;
use crate::store::repository::find_repository;
use crate::token::Recipient;

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
                .get(
                    "/token?scope=repository:nobody/abcd:pull",
                    authorization.as_deref(),
                )
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
        ceiling: Ceiling::limited(Rights::ALL, "*".parse().unwrap()),
        networks: crate::domain::AllowedNetworks::default(),
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

#[tokio::test]
async fn bounds_of_tags_travel_to_our_registry_and_a_stock_one_gets_no_right_that_has_them() {
    let fixture = Fixture::build(Store::open("sqlite::memory:").await.unwrap(), None, |settings| {
        settings.token.services.push(Service {
            name: "stock".to_owned(),
            recipient: Recipient::Foreign,
        });
    });
    let front = Front::over(fixture).await;
    let limits = "pull,push,delete ada/* push:v*,main delete:*-dev\npull,push ada/free";
    let wish = AccessTokenWish {
        label: "ci".parse().unwrap(),
        ceiling: Ceiling::parse(Some(limits)).unwrap(),
        networks: crate::domain::AllowedNetworks::default(),
        life_days: 90,
    };
    let app = &front.fixture.app;
    let secret = app
        .create_access_token(&"ada".parse().unwrap(), &wish)
        .await
        .unwrap();
    let ask = async |service: &str, repository: &str| {
        let query = format!("/token?service={service}&scope=repository:ada/{repository}:pull,push,delete");
        let answer = front.get(&query, Some(&basic("ada", secret.expose()))).await;
        answer.claims()["access"][0].clone()
    };
    let own = ask("localhost:5000", "private").await;
    assert_eq!(own["actions"], json!(["pull", "push", "delete"]));
    assert_eq!(
        (&own["push_tags"], &own["delete_tags"]),
        (&json!([["main", "v*"]]), &json!([["*-dev"]]))
    );
    let stock = ask("stock", "private").await;
    assert_eq!(stock["actions"], json!(["pull"]));
    let free = ask("stock", "free").await;
    assert_eq!(free["actions"], json!(["pull", "push"]));
    assert!(free.get("push_tags").is_none());
    let pending = ask("stock", "new").await;
    assert_eq!(
        (&pending["actions"], pending.get("push_tags")),
        (&json!(["pull"]), None)
    );
    // What is not granted reserves no name.
    let mut tx = front.fixture.store.read().await.unwrap();
    assert_eq!(find_repository(&mut tx, &name("ada/new")).await.unwrap(), None);
}

#[tokio::test]
async fn an_official_repository_is_pulled_with_library_in_front_or_without() {
    let front = Front::new().await;
    let app = &front.fixture.app;
    for (own, other) in [("library/web", "web"), ("centos", "library/centos")] {
        let scope = format!("scope=repository:{other}:pull,push");
        app.confirm_pushed(&name(own)).await.unwrap();
        assert_eq!(front.anonymous(&scope).await.scope(), "", "{own} is private");
        app.set_visibility(&name(own), crate::domain::Visibility::Public)
            .await
            .unwrap();
        let answer = front.anonymous(&scope).await;
        assert_eq!(answer.scope(), format!("repository:{other}:pull"));
        assert_eq!(answer.claims()["access"][0]["stored_as"], own);
        // Deeper names are nobody's but their own.
        let deeper = front
            .anonymous(&format!("scope=repository:library/{own}:pull"))
            .await;
        assert_eq!(
            deeper.scope(),
            if own == "centos" {
                "repository:library/centos:pull"
            } else {
                ""
            }
        );
    }
    // One that has the very name is the one that is meant.
    app.confirm_pushed(&name("web")).await.unwrap();
    assert_eq!(front.anonymous("scope=repository:web:pull").await.scope(), "");
}
