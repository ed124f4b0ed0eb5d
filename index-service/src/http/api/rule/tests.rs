use std::time::Duration;

use serde_json::{Value, json};
use shared::secret::Secret;

use crate::http::testing::{Answer, Front, PASSWORD, basic, name};

const NONE: Value = Value::Null;

/// `acme` of ada with the team `dev` of bob, the member cyd and the repository `acme/app`; eve is nobody there.
async fn acme() -> Front {
    let front = Front::new().await;
    let app = &front.fixture.app;
    for account in ["bob", "cyd"] {
        app.create_account(account, Secret::new(PASSWORD.to_owned()))
            .await
            .unwrap();
    }
    front
        .api("ada", "POST", "/organisations", json!({"name": "acme"}))
        .await
        .is(201);
    for member in ["bob", "cyd"] {
        let path = format!("/organisations/acme/members/{member}");
        front
            .api("ada", "PUT", &path, json!({"role": "member"}))
            .await
            .is(200);
    }
    front
        .api("ada", "POST", "/organisations/acme/teams", json!({"name": "dev"}))
        .await
        .is(201);
    let added = front
        .api("ada", "PUT", "/organisations/acme/teams/dev/members/bob", NONE)
        .await;
    assert!(added.status.is_success(), "{added:?}");
    app.confirm_pushed(&name("acme/app")).await.unwrap();
    front
}

async fn make(front: &Front, by: &str, rule: Value) -> Answer {
    front.api(by, "POST", "/rules", rule).await
}

/// What a token for `acme/app` would let the account do.
async fn scope(front: &Front, who: &str) -> String {
    let query = "/token?service=localhost:5000&scope=repository:acme/app:pull,push,delete";
    let scope = front.get(query, Some(&basic(who, PASSWORD))).await.scope();
    scope.rsplit(':').next().unwrap_or_default().to_owned()
}

async fn listed(front: &Front, by: &str, query: &str) -> Vec<String> {
    let list = front
        .api(by, "GET", &format!("/rules{query}"), NONE)
        .await
        .is(200);
    let ids = list["items"].as_array().unwrap().iter();
    ids.map(|rule| rule["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_rule_gives_what_it_says_to_whom_it_says_until_it_is_removed() {
    let front = acme().await;
    let rule = |subject: Value| json!({"subject": subject, "repository": "acme/app", "role": "write"});
    for (subject, who) in [
        (json!({"kind": "account", "name": "eve"}), "eve"),
        (json!({"kind": "team", "name": "dev"}), "bob"),
        (json!({"kind": "members"}), "cyd"),
    ] {
        assert_eq!(scope(&front, who).await, "", "{who}");
        let made = make(&front, "ada", rule(subject.clone())).await.is(201);
        assert_eq!(
            (
                &made["subject"],
                &made["role"],
                &made["repository"],
                &made["namespace"]
            ),
            (&subject, &json!("write"), &json!("acme/app"), &json!("acme"))
        );
        assert_eq!(scope(&front, who).await, "pull,push", "{who}");
        make(&front, "ada", rule(subject)).await.is(409);
        let path = format!("/rules/{}", made["id"].as_str().unwrap());
        let narrowed = json!({"rights": ["pull"]});
        let changed = front.api("ada", "PATCH", &path, narrowed).await.is(200);
        assert_eq!((&changed["role"], &changed["id"]), (&json!("read"), &made["id"]));
        assert_eq!(scope(&front, who).await, "pull", "{who}");
        front.api("ada", "DELETE", &path, NONE).await.is(204);
        front.api("ada", "GET", &path, NONE).await.is(404);
        assert_eq!(scope(&front, who).await, "", "{who}");
    }
}

#[tokio::test]
async fn a_pattern_reaches_repositories_to_come_and_its_tags_and_end_are_kept() {
    let front = acme().await;
    let wish = json!({"subject": {"kind": "team", "name": "dev"}, "pattern": "acme/a*", "rights": ["push", "pull", "delete"],
        "push_tags": ["v*", "main"], "delete_tags": ["*-dev"], "expires_at": "2027-01-15T08:00:10Z"});
    let made = make(&front, "ada", wish).await.is(201);
    assert_eq!(
        (&made["rights"], &made["push_tags"], &made["expires_at"]),
        (
            &json!(["pull", "push", "delete"]),
            &json!(["v*", "main"]),
            &json!("2027-01-15T08:00:10Z")
        )
    );
    let query = "/token?service=localhost:5000&scope=repository:acme/another:pull,push,delete";
    let token = front.get(query, Some(&basic("bob", PASSWORD))).await.claims();
    assert_eq!(token["access"][0]["push_tags"], json!([["main", "v*"]]));
    let path = format!("/rules/{}", made["id"].as_str().unwrap());
    let opened = json!({"push_tags": null});
    let changed = front.api("ada", "PATCH", &path, opened).await.is(200);
    assert!(changed.get("push_tags").is_none(), "{changed}");
    assert_eq!(changed["delete_tags"], json!(["*-dev"]));
    front.fixture.clock.advance(std::time::Duration::from_secs(10));
    assert_eq!(scope(&front, "bob").await, "");
    let kept = front
        .api("ada", "PATCH", &path, json!({"expires_at": null}))
        .await
        .is(200);
    assert!(kept.get("expires_at").is_none());
    assert_eq!(scope(&front, "bob").await, "pull,push,delete");
}

#[tokio::test]
async fn nobody_makes_rules_about_what_they_do_not_administer_or_gives_more_than_they_hold() {
    let front = acme().await;
    let about = |target: (&str, &str), role: &str| json!({"subject": {"kind": "account", "name": "cyd"}, target.0: target.1, "role": role});
    let one = ("repository", "acme/app");
    let all = ("pattern", "acme/*");
    // Strangers hear of no repository and of no namespace.
    make(&front, "eve", about(one, "read")).await.is(404);
    make(&front, "eve", about(all, "read")).await.is(403);
    make(&front, "eve", about(("pattern", "nothing/*"), "read"))
        .await
        .is(403);
    // Whoever may push, or knows of it, does not administer it.
    make(
        &front,
        "ada",
        json!({"subject": {"kind": "account", "name": "bob"}, "repository": "acme/app", "role": "maintain"}),
    )
    .await
    .is(201);
    make(&front, "bob", about(one, "read")).await.is(403);
    make(&front, "ada", json!({"subject": {"kind": "account", "name": "eve"}, "repository": "acme/app", "rights": ["pull", "administer"]}))
        .await
        .is(201);
    // Eve administers one repository, and has no more to give than she has.
    make(&front, "eve", about(one, "write")).await.is(403);
    make(&front, "eve", about(all, "read")).await.is(403);
    let made = make(&front, "eve", about(one, "read")).await.is(201);
    let path = format!("/rules/{}", made["id"].as_str().unwrap());
    let more = json!({"role": "write"});
    front.api("eve", "PATCH", &path, more.clone()).await.is(403);
    front.api("bob", "DELETE", &path, NONE).await.is(404);
    front.api("ada", "PATCH", &path, more).await.is(200);
    front.api("cyd", "DELETE", &path, NONE).await.is(403);
    front.api("cyd", "GET", &path, NONE).await.is(200);
    front.api("eve", "DELETE", &path, NONE).await.is(204);
}

#[tokio::test]
async fn whoever_is_bound_to_tags_gives_those_alone() {
    let front = acme().await;
    make(
        &front,
        "ada",
        json!({"subject": {"kind": "account", "name": "eve"}, "repository": "acme/app",
        "rights": ["pull", "push", "administer"], "push_tags": ["v*", "main"]}),
    )
    .await
    .is(201);
    let give = |more: Value| {
        let mut rule =
            json!({"subject": {"kind": "account", "name": "cyd"}, "repository": "acme/app", "role": "write"});
        rule.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        rule
    };
    make(&front, "eve", give(json!({}))).await.is(403);
    make(&front, "eve", give(json!({"push_tags": ["*"]})))
        .await
        .is(403);
    make(&front, "eve", give(json!({"push_tags": ["main"]})))
        .await
        .is(201);
}

#[tokio::test]
async fn a_wrong_wish_is_told_what_is_wrong() {
    let front = acme().await;
    let base = json!({"subject": {"kind": "team", "name": "dev"}, "repository": "acme/app", "role": "read"});
    for (edit, status) in [
        (json!({"subject": {"kind": "team", "name": "none"}}), 404),
        (json!({"subject": {"kind": "account", "name": "none"}}), 404),
        (json!({"subject": {"kind": "account", "name": "../x"}}), 404),
        (json!({"subject": {"kind": "account"}}), 400),
        (json!({"subject": {"kind": "anyone", "name": "x"}}), 400),
        (json!({"subject": {"kind": "world"}}), 400),
        (json!({"subject": {"kind": "anyone"}, "role": "write"}), 400),
        (json!({"role": "owner"}), 400),
        (json!({"role": null}), 400),
        (json!({"rights": ["pull"]}), 400),
        (json!({"role": null, "rights": []}), 400),
        (json!({"role": null, "rights": ["fly"]}), 400),
        (json!({"pattern": "acme/*"}), 400),
        (json!({"repository": "acme/none"}), 404),
        (json!({"repository": "ACME/app"}), 404),
        (json!({"repository": null, "pattern": "*"}), 400),
        (json!({"repository": null, "pattern": "ac*"}), 400),
        (json!({"push_tags": ["v*"]}), 400),
        (json!({"role": "write", "push_tags": ["v?"]}), 400),
        (json!({"expires_at": "2020-01-01T00:00:00Z"}), 400),
    ] {
        let mut rule = base.clone();
        rule.as_object_mut()
            .unwrap()
            .extend(edit.as_object().unwrap().clone());
        let answer = make(&front, "ada", rule).await;
        assert_eq!(answer.status.as_u16(), status, "{edit}: {}", answer.body);
    }
    make(
        &front,
        "ada",
        json!({"subject": {"kind": "members"}, "repository": "ada/private", "role": "read"}),
    )
    .await
    .is(400);
    make(
        &front,
        "ada",
        json!({"subject": {"kind": "signed_in"}, "pattern": "acme/*", "role": "read"}),
    )
    .await
    .is(201);
    assert_eq!(scope(&front, "eve").await, "pull");
}

#[tokio::test]
async fn collaborators_are_seen_by_administrators_and_by_themselves() {
    let front = acme().await;
    let rule = |who: &str, target: (&str, &str)| json!({"subject": {"kind": "account", "name": who}, target.0: target.1, "role": "read"});
    let one = ("repository", "acme/app");
    // Ids grow with time.
    let id = |answer: Value| {
        front.fixture.clock.advance(std::time::Duration::from_millis(1));
        answer["id"].as_str().unwrap().to_owned()
    };
    let eve = id(make(&front, "ada", rule("eve", one)).await.is(201));
    let bob = id(make(&front, "ada", rule("bob", one)).await.is(201));
    let all = id(make(&front, "ada", rule("bob", ("pattern", "acme/*")))
        .await
        .is(201));
    let of_app = "?repository=acme/app";
    assert_eq!(listed(&front, "ada", of_app).await, [eve.clone(), bob.clone()]);
    assert_eq!(
        listed(&front, "ada", "?namespace=acme").await,
        [eve.clone(), bob.clone(), all.clone()]
    );
    let own = std::slice::from_ref(&eve);
    assert_eq!(listed(&front, "eve", of_app).await, own);
    assert_eq!(listed(&front, "eve", "?namespace=acme").await, own);
    assert_eq!(listed(&front, "bob", "").await, [bob.clone(), all.clone()]);
    assert_eq!(listed(&front, "bob", &format!("?after={bob}")).await, [all]);
    assert_eq!(listed(&front, "cyd", "?namespace=acme").await, [""; 0]);
    assert_eq!(listed(&front, "cyd", "?namespace=nothing").await, [""; 0]);
    front
        .api("cyd", "GET", &format!("/rules{of_app}"), NONE)
        .await
        .is(404);
    for path in [
        format!("/rules/{eve}"),
        "/rules/1".to_owned(),
        "/rules/x".to_owned(),
    ] {
        front.api("bob", "GET", &path, NONE).await.is(404);
    }
    let first = front
        .api("ada", "GET", "/rules?namespace=acme&limit=2", NONE)
        .await
        .is(200);
    assert_eq!(first["next"], json!(bob));
}

#[tokio::test]
async fn a_rule_about_a_guest_ends_with_the_guest_and_one_that_is_made_after_it_stays() {
    let front = acme().await;
    let guest = json!({"role": "guest", "expires_at": "2027-01-15T08:00:10Z"});
    front
        .api("ada", "PUT", "/organisations/acme/members/eve", guest)
        .await
        .is(200);
    let rule =
        json!({"subject": {"kind": "account", "name": "eve"}, "repository": "acme/app", "role": "read"});
    make(&front, "ada", rule.clone()).await.is(201);
    front.fixture.clock.advance(Duration::from_secs(9));
    assert_eq!(scope(&front, "eve").await, "pull");
    front.fixture.clock.advance(Duration::from_secs(1));
    assert_eq!(scope(&front, "eve").await, "");
    // Nothing is swept yet: the rule is not in the way of a new one, which is not about a guest any more.
    make(&front, "ada", rule).await.is(201);
    assert_eq!(scope(&front, "eve").await, "pull");
    front.fixture.app.end_guests().await.unwrap();
    assert_eq!(scope(&front, "eve").await, "pull");
}
