//! What an organisation's own access tokens and robots may do with the organisation.

use serde_json::{Value, json};

use super::access_token::created;
use crate::http::testing::{Answer, Front, name};

const NONE: Value = Value::Null;

/// `acme` and `other` of ada; eve is in `acme`, and its team `dev` has nobody.
async fn world() -> Front {
    let front = Front::new().await;
    for org in ["acme", "other"] {
        let body = json!({ "name": org });
        front.api("ada", "POST", "/organisations", body).await.is(201);
    }
    let member = json!({"role": "member"});
    front
        .api("ada", "PUT", "/organisations/acme/members/eve", member)
        .await
        .is(200);
    front
        .api("ada", "POST", "/organisations/acme/teams", json!({"name": "dev"}))
        .await
        .is(201);
    front.fixture.app.confirm_pushed(&name("acme/app")).await.unwrap();
    front
}

/// A machine of an organisation that may do this: a robot, or (without a name) an access token.
async fn machine(front: &Front, org: &str, robot: Option<&str>, rights: &[&str], pattern: &str) -> String {
    let limits = json!([{"rights": rights, "pattern": pattern}]);
    let (path, body) = match robot {
        Some(name) => (
            "/robots",
            json!({"namespace": org, "name": name, "limits": limits}),
        ),
        None => (
            "/organisation-tokens",
            json!({"organisation": org, "label": "terraform", "limits": limits}),
        ),
    };
    created(&front.mine("POST", path, body).await).1
}

async fn ask(front: &Front, secret: &str, method: &str, path: &str, body: &Value) -> Answer {
    let request = http::Request::builder()
        .method(method)
        .uri(format!("/api/v1{path}"))
        .header("authorization", format!("Bearer {secret}"))
        .header("content-type", "application/json");
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    front.send(request.body(body.into()).unwrap()).await
}

#[tokio::test]
async fn a_machine_that_administers_the_whole_namespace_looks_after_the_organisation() {
    let administer = ["pull", "push", "administer"];
    for robot in [None, Some("terraform")] {
        let front = world().await;
        let secret = machine(&front, "acme", robot, &administer, "acme/*").await;
        let robot_of_its_own = json!({"namespace": "acme", "name": "ci",
            "limits": [{"rights": ["pull"], "pattern": "acme/*"}]});
        let rule =
            json!({"subject": {"kind": "team", "name": "dev"}, "pattern": "acme/*", "rights": ["pull"]});
        let too_much =
            json!({"subject": {"kind": "team", "name": "dev"}, "pattern": "acme/*", "rights": ["delete"]});
        for (method, path, body, status) in [
            ("GET", "/organisations/acme/members", NONE, 200),
            ("GET", "/organisations/acme/members/eve", NONE, 200),
            (
                "PUT",
                "/organisations/acme/members/eve",
                json!({"role": "manager"}),
                200,
            ),
            (
                "PUT",
                "/organisations/acme/members/eve",
                json!({"role": "owner"}),
                403,
            ),
            ("DELETE", "/organisations/acme/members/ada", NONE, 403),
            ("GET", "/organisations/acme/members/eve/departure", NONE, 200),
            ("PATCH", "/organisations/acme", json!({"description": "x"}), 200),
            ("POST", "/organisations/acme/teams", json!({"name": "ops"}), 201),
            ("GET", "/organisations/acme/teams", NONE, 200),
            ("PUT", "/organisations/acme/teams/dev/members/eve", NONE, 204),
            ("GET", "/organisations/acme/teams/dev/members", NONE, 200),
            ("DELETE", "/organisations/acme/teams/dev/members/eve", NONE, 204),
            ("DELETE", "/organisations/acme/teams/ops", NONE, 204),
            ("POST", "/rules", rule, 201),
            ("POST", "/rules", too_much, 403),
            ("POST", "/repositories", json!({"name": "acme/new"}), 201),
            ("POST", "/robots", robot_of_its_own, 201),
            ("DELETE", "/organisations/acme/members/eve", NONE, 204),
            // What people alone do: their name stands for it.
            (
                "POST",
                "/organisations/acme/invitations",
                json!({"role": "member"}),
                403,
            ),
            ("GET", "/organisations/acme/deletion", NONE, 403),
            ("DELETE", "/organisations/acme", NONE, 403),
            ("POST", "/organisations", json!({"name": "mine"}), 403),
            ("GET", "/audit?organisation=acme", NONE, 403),
            // Another organisation is as foreign as to anybody.
            ("GET", "/organisations/other/members", NONE, 404),
            (
                "PUT",
                "/organisations/other/members/eve",
                json!({"role": "member"}),
                404,
            ),
        ] {
            let answer = ask(&front, &secret, method, path, &body).await;
            assert_eq!(answer.status.as_u16(), status, "{method} {path} {}", answer.body);
        }
        // The log names the machine.
        let path = "/audit?organisation=acme&action=team.create";
        let events = front.api("ada", "GET", path, NONE).await.is(200);
        let mut events = events["items"].as_array().unwrap().iter();
        assert!(events.any(|event| event["actor"]["kind"] == "robot"));
    }
}

#[tokio::test]
async fn any_other_machine_is_nobody_in_the_organisation() {
    let front = world().await;
    for (org, robot, rights, pattern) in [
        ("acme", None, &["pull", "push", "delete", "manage"][..], "acme/*"),
        ("acme", None, &["administer", "pull"], "acme/a*"),
        ("acme", Some("ci"), &["pull"], "acme/*"),
        ("other", None, &["*"], "other/*"),
    ] {
        let secret = machine(&front, org, robot, rights, pattern).await;
        for (method, path, body) in [
            ("GET", "/organisations/acme/members", NONE),
            (
                "PUT",
                "/organisations/acme/members/eve",
                json!({"role": "manager"}),
            ),
            ("DELETE", "/organisations/acme/members/eve", NONE),
            ("PATCH", "/organisations/acme", json!({"description": "x"})),
            ("POST", "/organisations/acme/teams", json!({"name": "ops"})),
            ("GET", "/organisations/acme/teams", NONE),
        ] {
            let answer = ask(&front, &secret, method, path, &body).await;
            assert_eq!(
                answer.status.as_u16(),
                404,
                "{org} {method} {path} {}",
                answer.body
            );
        }
    }
}

#[tokio::test]
async fn a_machine_that_is_narrowed_looks_after_nothing_from_then_on() {
    let front = world().await;
    let wish = json!({"organisation": "acme", "label": "terraform",
        "limits": [{"rights": ["*"], "pattern": "acme/*"}]});
    let (id, secret, _) = created(&front.mine("POST", "/organisation-tokens", wish).await);
    let members = "/organisations/acme/members";
    ask(&front, &secret, "GET", members, &NONE).await.is(200);
    let narrow = json!({"limits": [{"rights": ["pull"], "pattern": "acme/*"}]});
    front
        .api("ada", "PATCH", &format!("/organisation-tokens/{id}"), narrow)
        .await
        .is(200);
    ask(&front, &secret, "GET", members, &NONE).await.is(404);
}
