use serde_json::{Value, json};

use crate::http::testing::{Front, name};

const NONE: Value = Value::Null;
const SCOPE: &str = "service=localhost:5000&scope=repository:ada/private:pull,push,delete";

async fn id_of(front: &Front, repository: &str) -> String {
    let list = front
        .api("ada", "GET", &format!("/repositories?name={repository}"), NONE)
        .await
        .is(200);
    list["items"][0]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_rule_travels_in_tokens_that_push_or_delete_until_it_is_ended() {
    let front = Front::new().await;
    let id = id_of(&front, "ada/private").await;
    let path = format!("/repositories/{id}/immutable-tags");
    let nothing = json!({"tags": [], "except": [], "namespace": {"tags": [], "except": []}});
    assert_eq!(front.api("ada", "GET", &path, NONE).await.is(200), nothing);
    let claims = front.ada(SCOPE).await.claims();
    assert!(claims["access"][0].get("terms").is_none(), "{claims}");

    let rule = json!({"tags": ["v*"], "except": ["v0*"]});
    let made = front.api("ada", "PUT", &path, rule.clone()).await.is(200);
    assert_eq!((&made["tags"], &made["except"]), (&rule["tags"], &rule["except"]));
    let of_all = json!({"tags": ["*-final"]});
    front
        .api("ada", "PUT", "/namespaces/ada/immutable-tags", of_all)
        .await
        .is(200);
    let expected = json!({"v": 1, "repository": rule, "namespace": {"tags": ["*-final"]}});
    assert_eq!(front.ada(SCOPE).await.claims()["access"][0]["terms"], expected);
    let pull = front
        .ada("service=localhost:5000&scope=repository:ada/private:pull")
        .await;
    assert!(
        pull.claims()["access"][0].get("terms").is_none(),
        "who pulls needs none"
    );
    let new = front
        .ada("service=localhost:5000&scope=repository:ada/new:pull,push")
        .await;
    assert_eq!(
        new.claims()["access"][0]["terms"],
        json!({"v": 1, "namespace": {"tags": ["*-final"]}}),
        "a name to come is under its namespace's rule"
    );
    let seen = front.api("ada", "GET", &path, NONE).await.is(200);
    assert_eq!(seen["namespace"], json!({"tags": ["*-final"], "except": []}));

    front.api("ada", "PUT", &path, json!({"tags": []})).await.is(200);
    front
        .api(
            "ada",
            "PUT",
            "/namespaces/ada/immutable-tags",
            json!({"tags": []}),
        )
        .await
        .is(200);
    assert!(
        front.ada(SCOPE).await.claims()["access"][0]
            .get("terms")
            .is_none()
    );
}

#[tokio::test]
async fn rules_are_made_by_those_who_administer_and_read_by_those_who_may_pull() {
    let front = Front::new().await;
    let (private, public) = (
        id_of(&front, "ada/private").await,
        id_of(&front, "ada/public").await,
    );
    let of = |id: &str| format!("/repositories/{id}/immutable-tags");
    let rule = json!({"tags": ["v*"]});
    for (who, method, path, status) in [
        ("eve", "GET", of(&private), 404),
        ("eve", "PUT", of(&private), 404),
        ("", "GET", of(&private), 404),
        ("eve", "GET", of(&public), 200),
        ("", "GET", of(&public), 200),
        ("eve", "PUT", of(&public), 403),
        ("", "PUT", of(&public), 401),
        ("eve", "GET", "/namespaces/ada/immutable-tags".to_owned(), 403),
        ("eve", "PUT", "/namespaces/ada/immutable-tags".to_owned(), 403),
        ("eve", "PUT", "/namespaces/nobody/immutable-tags".to_owned(), 403),
        ("ada", "PUT", "/namespaces/eve/immutable-tags".to_owned(), 403),
        ("ada", "PUT", of("77"), 404),
        ("ada", "PUT", of("x"), 404),
    ] {
        let body = if method == "PUT" { rule.clone() } else { NONE };
        let answer = front.api(who, method, &path, body).await;
        assert_eq!(answer.status.as_u16(), status, "{who} {method} {path}");
    }
}

#[tokio::test]
async fn what_is_no_rule_is_refused_with_a_sentence() {
    let front = Front::new().await;
    let path = format!(
        "/repositories/{}/immutable-tags",
        id_of(&front, "ada/private").await
    );
    let many: Vec<String> = (0..21).map(|n| format!("v{n}")).collect();
    let long: Vec<String> = (0..9).map(|n| format!("{}{n}", "v".repeat(120))).collect();
    for (body, said) in [
        (json!({"tags": ["v?"]}), "tag pattern"),
        (json!({"tags": [""]}), "tag pattern"),
        (json!({"tags": many}), "20"),
        (json!({"tags": long}), "1,000"),
        (json!({"tags": [], "except": ["v*"]}), "except"),
    ] {
        let refused = front.api("ada", "PUT", &path, body.clone()).await.is(400);
        assert!(
            refused["detail"].as_str().unwrap().contains(said),
            "{body} {refused}"
        );
    }
}

#[tokio::test]
async fn a_stock_registry_is_given_no_right_to_change_what_it_would_not_keep() {
    use crate::app::Service;
    use crate::app::fixture::Fixture;
    use crate::store::Store;
    use crate::token::Recipient;

    let store = Store::open("sqlite::memory:").await.unwrap();
    let fixture = Fixture::build(store, None, |settings| {
        settings.token.services.push(Service {
            name: "stock".to_owned(),
            recipient: Recipient::Foreign,
        });
    });
    let front = Front::over(fixture).await;
    let scope = "service=stock&scope=repository:ada/private:pull,push,delete";
    assert_eq!(
        front.ada(scope).await.scope(),
        "repository:ada/private:pull,push,delete"
    );
    front
        .api(
            "ada",
            "PUT",
            "/namespaces/ada/immutable-tags",
            json!({"tags": ["v*"]}),
        )
        .await
        .is(200);
    assert_eq!(front.ada(scope).await.scope(), "repository:ada/private:pull");
    let new = "service=stock&scope=repository:ada/new:pull,push";
    front.ada(new).await;
    let reserved = front.fixture.app.list_pending(None, 10).await.unwrap();
    assert!(
        reserved.iter().all(|facts| facts.name != name("ada/new")),
        "{reserved:?}"
    );
}
