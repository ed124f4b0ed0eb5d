//! Robots and access tokens of organisations, through the API and the token endpoint.

use std::time::Duration;

use http::StatusCode;
use serde_json::{Value, json};

use super::access_token::created;
use crate::domain::{NamespaceId, NamespaceName, OrganisationId, OrganisationRole};
use crate::http::testing::{Front, PASSWORD, basic, claims};
use crate::store::{account, namespace, organisation};

impl Front {
    /// The organisation `team`, which ada owns and where eve is a member.
    async fn with_team() -> Self {
        let front = Self::new().await;
        let mut tx = front.fixture.store.write().await.unwrap();
        let (team, id): (NamespaceName, _) = ("team".parse().unwrap(), OrganisationId::from_i64(50));
        organisation::create_organisation(&mut tx, id, &team, "Team", None, 0)
            .await
            .unwrap();
        namespace::create_organisation_namespace(&mut tx, NamespaceId::from_i64(60), &team, id, 0)
            .await
            .unwrap();
        for (name, role) in [
            ("ada", OrganisationRole::Owner),
            ("eve", OrganisationRole::Member),
        ] {
            let member = account::find_account(&mut tx, &name.parse().unwrap())
                .await
                .unwrap()
                .unwrap();
            organisation::put_member(&mut tx, id, member.account_id, role, None, 0)
                .await
                .unwrap();
        }
        tx.commit().await.unwrap();
        for repository in ["team/app", "team/web"] {
            let name = crate::http::testing::name(repository);
            front.fixture.app.confirm_pushed(&name).await.unwrap();
        }
        front
    }

    /// What of `team/app` and `team/web` a credential is granted.
    async fn grants(&self, username: &str, secret: &str) -> String {
        self.get(
            "/token?scope=repository:team/app:pull,push,delete&scope=repository:team/web:pull,push",
            Some(&basic(username, secret)),
        )
        .await
        .scope()
    }

    async fn status_of(&self, username: &str, secret: &str) -> StatusCode {
        self.get("/token", Some(&basic(username, secret))).await.status
    }
}

fn robot(name: &str, pattern: &str, rights: &[&str]) -> Value {
    json!({"namespace": "team", "name": name, "limits": [{"pattern": pattern, "rights": rights}]})
}

#[tokio::test]
async fn a_robot_logs_in_by_its_full_name_with_what_its_limits_leave() {
    let front = Front::with_team().await;
    let (id, secret, body) = created(
        &front
            .mine("POST", "/robots", robot("CI", "team/app", &["pull", "push"]))
            .await,
    );
    assert!(secret.starts_with("ptl_rob_"));
    assert_eq!(
        (&body["username"], &body["label"], &body["expires_at"]),
        (&json!("team+ci"), &json!("CI"), &Value::Null)
    );
    for username in ["team+ci", "Team+CI"] {
        assert_eq!(
            front.grants(username, &secret).await,
            "repository:team/app:pull,push"
        );
    }
    for username in ["team", "ci", "ada", "team+other", ""] {
        assert_eq!(
            front.status_of(username, &secret).await,
            StatusCode::UNAUTHORIZED,
            "{username}"
        );
    }
    let issued = front
        .get(
            "/token?scope=repository:team/app:pull&offline_token=true&account=team+ci",
            Some(&basic("team+ci", &secret)),
        )
        .await;
    assert!(issued.ok().get("refresh_token").is_none());
    let said = claims(issued.ok()["token"].as_str().unwrap());
    assert_eq!(
        (&said["sub"], &said["act"]),
        (&json!("team+ci"), &json!(format!("rob:{id}")))
    );
    // The catalog reads the token again.
    let bearer = format!("Bearer {}", issued.ok()["token"].as_str().unwrap());
    let listed = front.get("/v2/_catalog", Some(&bearer)).await.ok();
    assert_eq!(listed["repositories"], json!(["ada/public", "team/app"]));
    let form =
        format!("grant_type=password&username=team%2Bci&password={secret}&client_id=c&access_type=offline");
    let posted = front.post("/token", form).await;
    assert!(posted.ok().get("refresh_token").is_none());
    let form = format!("grant_type=refresh_token&refresh_token={secret}&client_id=c");
    assert_eq!(front.post("/token", form).await.status, StatusCode::UNAUTHORIZED);
    // What is limited to one repository is not limited to a namespace.
    let account = front
        .get("/api/v1/account", Some(&format!("Bearer {secret}")))
        .await
        .ok();
    assert_eq!(account["name"], "team+ci");
}

#[tokio::test]
async fn an_organisation_has_access_tokens_of_its_own() {
    let front = Front::with_team().await;
    let wish = json!({"organisation": "team", "label": "deploy", "limits": [{"pattern": "team/*", "rights": ["pull"]}]});
    let (id, secret, body) = created(&front.mine("POST", "/organisation-tokens", wish.clone()).await);
    assert!(secret.starts_with("ptl_oat_") && body["expires_at"].is_string());
    assert_eq!(
        front.grants("team", &secret).await,
        "repository:team/app:pull repository:team/web:pull"
    );
    assert_eq!(front.status_of("ada", &secret).await, StatusCode::UNAUTHORIZED);
    let token = front.get("/token", Some(&basic("team", &secret))).await.claims();
    assert_eq!(
        (&token["sub"], &token["act"]),
        (&json!("team"), &json!(format!("oat:{id}")))
    );
    // It is no robot, and an account has none.
    assert_eq!(
        front
            .mine("GET", &format!("/robots/{id}"), Value::Null)
            .await
            .status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        front
            .mine("GET", &format!("/organisation-tokens/{id}"), Value::Null)
            .await
            .status,
        StatusCode::OK
    );
    let listed = front
        .mine("GET", "/organisation-tokens?organisation=team", Value::Null)
        .await
        .ok();
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    let robots = front
        .mine("GET", "/robots?namespace=team", Value::Null)
        .await
        .ok();
    assert_eq!(robots["items"], json!([]));
    let mut own = wish;
    own["organisation"] = json!("ada");
    own["limits"] = json!([{"pattern": "ada/*", "rights": ["pull"]}]);
    assert_eq!(
        front.mine("POST", "/organisation-tokens", own).await.status,
        StatusCode::BAD_REQUEST
    );
}

#[tokio::test]
async fn robots_are_made_by_those_who_administer_the_namespace() {
    let front = Front::with_team().await;
    let wish = robot("ci", "team/*", &["pull"]);
    for stranger in [
        basic("eve", PASSWORD),
        basic(
            "ada",
            &front.access_token(shared::token::Actions::PULL, "team/*").await,
        ),
    ] {
        let refused = front.api_as(&stranger, "POST", "/robots", wish.clone()).await;
        let missing = front
            .api_as(&stranger, "POST", "/robots", json!({"namespace": "nowhere", "name": "ci", "limits": [{"pattern": "nowhere/*", "rights": ["pull"]}]}))
            .await;
        assert_eq!(
            (refused.status, missing.status),
            (StatusCode::NOT_FOUND, StatusCode::NOT_FOUND)
        );
        assert_eq!(refused.body.replace("team", "nowhere"), missing.body);
    }
    let (id, _, _) = created(&front.mine("POST", "/robots", wish.clone()).await);
    assert_eq!(
        front.mine("POST", "/robots", wish).await.status,
        StatusCode::CONFLICT
    );
    let eve = basic("eve", PASSWORD);
    for (method, body) in [
        ("GET", Value::Null),
        ("PATCH", json!({"label": "x"})),
        ("DELETE", Value::Null),
    ] {
        let answer = front.api_as(&eve, method, &format!("/robots/{id}"), body).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{method}");
    }
    // An account's namespace has robots too.
    let own = json!({"namespace": "eve", "name": "ci", "limits": [{"pattern": "eve/*", "rights": ["pull"]}]});
    created(&front.api_as(&eve, "POST", "/robots", own.clone()).await);
    assert_eq!(
        front.mine("POST", "/robots", own).await.status,
        StatusCode::NOT_FOUND
    );
    // Limits stay inside.
    for pattern in ["*", "ada/*"] {
        let outside = front
            .mine("POST", "/robots", robot("out", pattern, &["pull"]))
            .await;
        assert_eq!(outside.status, StatusCode::BAD_REQUEST, "{pattern}");
    }
}

#[tokio::test]
async fn a_robot_makes_robots_with_a_part_of_its_rights_and_takes_them_along() {
    let front = Front::with_team().await;
    let (parent_id, parent, _) = created(
        &front
            .mine(
                "POST",
                "/robots",
                robot("maker", "team/app", &["pull", "push", "administer"]),
            )
            .await,
    );
    let by = format!("Bearer {parent}");
    for (pattern, rights, status) in [
        ("team/*", &["pull"][..], StatusCode::FORBIDDEN),
        ("team/web", &["pull"], StatusCode::FORBIDDEN),
        ("team/app", &["pull", "delete"], StatusCode::FORBIDDEN),
        ("ada/*", &["pull"], StatusCode::BAD_REQUEST),
    ] {
        let refused = front
            .api_as(&by, "POST", "/robots", robot("child", pattern, rights))
            .await;
        assert_eq!(refused.status, status, "{pattern} {rights:?}: {}", refused.body);
    }
    let wish = robot("child", "team/app", &["pull", "administer"]);
    let (child_id, child, body) = created(&front.api_as(&by, "POST", "/robots", wish).await);
    assert_eq!(body["parent_id"], parent_id.as_str());
    assert_eq!(
        front.grants("team+child", &child).await,
        "repository:team/app:pull"
    );
    let (_, grandchild, _) = created(
        &front
            .api_as(
                &format!("Bearer {child}"),
                "POST",
                "/robots",
                robot("grandchild", "team/app", &["pull"]),
            )
            .await,
    );
    assert_eq!(
        front.grants("team+grandchild", &grandchild).await,
        "repository:team/app:pull"
    );
    // It sees and ends what it made, and nothing else.
    let listed = front
        .api_as(&by, "GET", "/robots?namespace=team", Value::Null)
        .await
        .ok();
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    let by_child = format!("Bearer {child}");
    let up = front
        .api_as(&by_child, "GET", &format!("/robots/{parent_id}"), Value::Null)
        .await;
    assert_eq!(up.status, StatusCode::NOT_FOUND);
    // Narrowing the maker narrows what it made.
    let narrow = json!({"limits": [{"pattern": "team/web", "rights": ["pull", "administer"]}]});
    front
        .mine("PATCH", &format!("/robots/{parent_id}"), narrow)
        .await
        .ok();
    assert_eq!(front.grants("team+child", &child).await, "");
    // Suspending it suspends them.
    front
        .mine(
            "PATCH",
            &format!("/robots/{parent_id}"),
            json!({"suspended": true}),
        )
        .await
        .ok();
    for (name, secret) in [
        ("team+maker", &parent),
        ("team+child", &child),
        ("team+grandchild", &grandchild),
    ] {
        assert_eq!(
            front.status_of(name, secret).await,
            StatusCode::FORBIDDEN,
            "{name}"
        );
    }
    front
        .mine(
            "PATCH",
            &format!("/robots/{parent_id}"),
            json!({"suspended": false}),
        )
        .await
        .ok();
    assert_eq!(
        front.status_of("team+grandchild", &grandchild).await,
        StatusCode::OK
    );
    // Deleting it deletes them.
    let gone = front
        .mine("DELETE", &format!("/robots/{parent_id}"), Value::Null)
        .await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    for (name, secret) in [
        ("team+maker", &parent),
        ("team+child", &child),
        ("team+grandchild", &grandchild),
    ] {
        assert_eq!(
            front.status_of(name, secret).await,
            StatusCode::UNAUTHORIZED,
            "{name}"
        );
    }
    assert_eq!(
        front
            .mine("GET", &format!("/robots/{child_id}"), Value::Null)
            .await
            .status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn a_robot_without_the_right_to_administer_makes_none() {
    let front = Front::with_team().await;
    let (id, secret, _) = created(
        &front
            .mine(
                "POST",
                "/robots",
                robot("ci", "team/*", &["pull", "push", "delete", "manage"]),
            )
            .await,
    );
    let by = format!("Bearer {secret}");
    let refused = front
        .api_as(&by, "POST", "/robots", robot("child", "team/app", &["pull"]))
        .await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(
        front
            .api_as(&by, "GET", &format!("/robots/{id}"), Value::Null)
            .await
            .status,
        StatusCode::NOT_FOUND
    );
    // Its own secret it may replace, so that nobody else has to.
    let (_, second, _) = created(
        &front
            .api_as(
                &by,
                "POST",
                &format!("/robots/{id}/secrets"),
                json!({"overlap_hours": 0}),
            )
            .await,
    );
    assert_eq!(
        front.status_of("team+ci", &secret).await,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(front.status_of("team+ci", &second).await, StatusCode::OK);
}

#[tokio::test]
async fn a_robot_ends_with_its_date_with_its_owner_and_elsewhere() {
    let front = Front::with_team().await;
    let mut wish = robot("ci", "team/*", &["pull"]);
    wish["expires_in_days"] = json!(2);
    wish["networks"] = json!(["10.0.0.0/8"]);
    let (_, secret, _) = created(&front.mine("POST", "/robots", wish).await);
    assert_eq!(
        front.login_from("192.0.2.1", "team+ci", &secret).await.status,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        front.login_from("10.0.0.1", "team+ci", &secret).await.status,
        StatusCode::OK
    );
    front.fixture.clock.advance(Duration::from_hours(48));
    assert_eq!(
        front.login_from("10.0.0.1", "team+ci", &secret).await.status,
        StatusCode::UNAUTHORIZED
    );
    let own = json!({"namespace": "eve", "name": "ci", "limits": [{"pattern": "eve/*", "rights": ["pull"]}]});
    let (_, secret, _) = created(
        &front
            .api_as(&basic("eve", PASSWORD), "POST", "/robots", own)
            .await,
    );
    let mut tx = front.fixture.store.write().await.unwrap();
    let eve = account::find_account(&mut tx, &"eve".parse().unwrap())
        .await
        .unwrap()
        .unwrap();
    account::set_disabled(&mut tx, eve.account_id, Some(1), 1)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(front.status_of("eve+ci", &secret).await, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_rule_gives_a_robot_rights_in_another_namespace() {
    let front = Front::with_team().await;
    let (id, secret, _) = created(
        &front
            .mine("POST", "/robots", robot("ci", "team/*", &["pull"]))
            .await,
    );
    let ask = async || {
        front
            .get(
                "/token?scope=repository:ada/private:pull,push",
                Some(&basic("team+ci", &secret)),
            )
            .await
            .scope()
    };
    assert_eq!(ask().await, "");
    let rule =
        json!({"subject": {"kind": "robot", "name": "Team+CI"}, "repository": "ada/private", "role": "read"});
    let made = front.mine("POST", "/rules", rule).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    assert!(made.body.contains("team+ci"), "{}", made.body);
    assert_eq!(ask().await, "repository:ada/private:pull");
    front.mine("DELETE", &format!("/robots/{id}"), Value::Null).await;
    let (_, secret, _) = created(
        &front
            .mine("POST", "/robots", robot("ci", "team/*", &["pull"]))
            .await,
    );
    let other = front
        .get(
            "/token?scope=repository:ada/private:pull",
            Some(&basic("team+ci", &secret)),
        )
        .await;
    assert_eq!(other.scope(), "", "another robot of that name is another robot");
}
