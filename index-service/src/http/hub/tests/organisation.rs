use http::Request;
use serde_json::{Value, json};

use super::{ask, login};
use crate::http::testing::Front;

/// `crew`, which ada owns, with the repository `crew/app`.
async fn crew(front: &Front) -> String {
    front
        .api("ada", "POST", "/organisations", json!({"name": "crew"}))
        .await
        .is(201);
    let ada = login(front, "ada").await;
    let new = json!({"name": "app", "is_private": true});
    ask(front, &ada, "POST", "/v2/namespaces/crew/repositories", &new)
        .await
        .is(201);
    ada
}

#[tokio::test]
async fn terraform_lets_people_in_makes_teams_and_gives_them_a_repository() {
    let front = Front::new().await;
    let ada = crew(&front).await;
    let organisation = ask(&front, &ada, "GET", "/v2/orgs/crew/", &Value::Null)
        .await
        .ok();
    assert_eq!(organisation["orgname"], "crew");
    let invited = json!({"org": "crew", "team": "", "role": "member", "invitees": ["eve"], "dry_run": false});
    let answer = ask(&front, &ada, "POST", "/v2/invites/bulk", &invited)
        .await
        .is(202);
    assert_eq!(
        (
            &answer["invitees"][0]["invitee"],
            &answer["invitees"][0]["status"]
        ),
        (&json!("eve"), &json!("invited"))
    );
    let members = ask(&front, &ada, "GET", "/v2/orgs/crew/members", &Value::Null)
        .await
        .ok();
    let mut roles: Vec<(&Value, &Value)> = members["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (&one["username"], &one["role"]))
        .collect();
    // Ids of one millisecond have no order.
    roles.sort_by_key(|(name, _)| name.as_str());
    assert_eq!(
        roles,
        [
            (&json!("ada"), &json!("Owner")),
            (&json!("eve"), &json!("Member"))
        ]
    );
    let team = ask(
        &front,
        &ada,
        "POST",
        "/v2/orgs/crew/groups/",
        &json!({"name": "Dev", "description": "d"}),
    )
    .await
    .is(201);
    let id = team["id"].as_i64().unwrap();
    ask(
        &front,
        &ada,
        "POST",
        "/v2/orgs/crew/groups/dev/members/",
        &json!({"member": "eve"}),
    )
    .await
    .ok();
    let seen = ask(&front, &ada, "GET", "/v2/orgs/crew/groups/dev/", &Value::Null)
        .await
        .ok();
    assert_eq!(
        (&seen["member_count"], seen["id"].as_i64()),
        (&json!(1), Some(id))
    );
    let page = ask(
        &front,
        &ada,
        "GET",
        "/v2/orgs/crew/groups/dev/members/",
        &Value::Null,
    )
    .await
    .ok();
    assert_eq!(page["results"][0]["username"], "eve");
    // hub-tool reads a plain list at the same place.
    let request = Request::get("/v2/orgs/crew/groups/dev/members/")
        .header("authorization", &ada)
        .header("user-agent", "hub-tool/v0.4.6")
        .body(axum::body::Body::empty())
        .unwrap();
    assert_eq!(front.send(request).await.ok()[0]["username"], "eve");

    let eve = login(&front, "eve").await;
    ask(&front, &eve, "GET", "/v2/repositories/crew/app/", &Value::Null)
        .await
        .is(404);
    let groups = "/v2/repositories/crew/app/groups/";
    let given = ask(
        &front,
        &ada,
        "POST",
        groups,
        &json!({"group_id": id, "permission": "read"}),
    )
    .await
    .is(201);
    assert_eq!(
        (given["group_id"].as_i64(), &given["group_name"]),
        (Some(id), &json!("dev"))
    );
    let seen = ask(&front, &eve, "GET", "/v2/repositories/crew/app/", &Value::Null)
        .await
        .ok();
    assert_eq!(
        seen["permissions"],
        json!({"read": true, "write": false, "admin": false})
    );
    ask(
        &front,
        &ada,
        "PATCH",
        &format!("{groups}{id}/"),
        &json!({"permission": "admin"}),
    )
    .await
    .ok();
    let seen = ask(&front, &eve, "GET", "/v2/repositories/crew/app/", &Value::Null)
        .await
        .ok();
    assert_eq!(seen["permissions"]["admin"], true);
    let one = ask(&front, &ada, "GET", &format!("{groups}{id}/"), &Value::Null)
        .await
        .ok();
    assert_eq!(one["permission"], "admin");
    ask(&front, &ada, "DELETE", &format!("{groups}{id}/"), &Value::Null)
        .await
        .is(204);
    ask(&front, &eve, "GET", "/v2/repositories/crew/app/", &Value::Null)
        .await
        .is(404);
    ask(&front, &ada, "GET", &format!("{groups}{id}/"), &Value::Null)
        .await
        .is(404);

    let renamed = ask(
        &front,
        &ada,
        "PATCH",
        "/v2/orgs/crew/groups/dev/",
        &json!({"name": "ops", "description": ""}),
    )
    .await
    .ok();
    assert_eq!(renamed["name"], "ops");
    ask(
        &front,
        &ada,
        "DELETE",
        "/v2/orgs/crew/groups/ops/members/eve",
        &Value::Null,
    )
    .await
    .is(204);
    ask(&front, &ada, "DELETE", "/v2/orgs/crew/groups/ops/", &Value::Null)
        .await
        .is(204);
    // What Terraform deletes first there is not, so it goes on with the member.
    ask(&front, &ada, "DELETE", "/v2/invites/", &Value::Null)
        .await
        .is(404);
    ask(&front, &ada, "DELETE", "/v2/orgs/crew/members/eve/", &Value::Null)
        .await
        .is(204);
}

#[tokio::test]
async fn who_is_not_in_an_organisation_learns_nothing_of_it() {
    let front = Front::new().await;
    crew(&front).await;
    let eve = login(&front, "eve").await;
    for path in [
        "/v2/orgs/crew/members",
        "/v2/orgs/crew/groups",
        "/v2/orgs/crew/invites",
        "/v2/orgs/crew/access-tokens",
        "/v2/repositories/crew/app/groups",
        "/v2/auditlogs/crew",
    ] {
        let answer = ask(&front, &eve, "GET", path, &Value::Null).await;
        assert!(
            matches!(answer.status.as_u16(), 403 | 404),
            "{path}: {}",
            answer.body
        );
    }
    let invited = json!({"org": "crew", "role": "owner", "invitees": ["eve"]});
    ask(&front, &eve, "POST", "/v2/invites/bulk", &invited)
        .await
        .is(404);
    ask(
        &front,
        &eve,
        "POST",
        "/v2/orgs/crew/groups",
        &json!({"name": "x"}),
    )
    .await
    .is(404);
}

#[tokio::test]
async fn hub_tool_lists_organisations_and_a_plan_without_limits() {
    let front = Front::new().await;
    let ada = crew(&front).await;
    let own = ask(
        &front,
        &ada,
        "GET",
        "/v2/user/orgs/?page=1&page_size=100",
        &Value::Null,
    )
    .await
    .ok();
    assert_eq!(
        (&own["count"], &own["results"][0]["orgname"]),
        (&json!(1), &json!("crew"))
    );
    let id = own["results"][0]["id"].as_str().unwrap();
    let plan = ask(
        &front,
        &ada,
        "GET",
        &format!("/api/billing/v4/accounts/{id}/hub-plan"),
        &Value::Null,
    )
    .await
    .ok();
    assert_eq!(plan["name"], "unlimited");
    let spaces = ask(&front, &ada, "GET", "/v2/repositories/namespaces/", &Value::Null)
        .await
        .ok();
    assert_eq!(spaces, json!({"namespaces": ["ada", "crew"]}));
}

#[tokio::test]
async fn access_tokens_of_an_organisation_reach_what_their_resources_say() {
    let front = Front::new().await;
    let ada = crew(&front).await;
    let new = json!({"label": "ci", "description": "", "expires_at": "2027-02-01T00:00:00Z",
        "resources": [{"type": "TYPE_REPO", "path": "crew/app", "scopes": ["repo-pull"]}]});
    let made = ask(&front, &ada, "POST", "/v2/orgs/crew/access-tokens", &new)
        .await
        .is(201);
    let (id, secret) = (made["id"].as_str().unwrap(), made["token"].as_str().unwrap());
    assert!(secret.starts_with("ptl_oat_"), "{made}");
    let machine = format!("Bearer {secret}");
    ask(
        &front,
        &machine,
        "GET",
        "/v2/repositories/crew/app/",
        &Value::Null,
    )
    .await
    .ok();
    ask(
        &front,
        &machine,
        "DELETE",
        "/v2/repositories/crew/app/",
        &Value::Null,
    )
    .await
    .is(403);
    let body = json!({"username": "crew", "password": secret});
    let session = ask(&front, "", "POST", "/v2/users/login", &body).await.ok();
    let session = format!("Bearer {}", session["token"].as_str().unwrap());
    ask(
        &front,
        &session,
        "GET",
        "/v2/repositories/crew/app/",
        &Value::Null,
    )
    .await
    .ok();
    let path = format!("/v2/orgs/crew/access-tokens/{id}");
    let changed = ask(
        &front,
        &ada,
        "PATCH",
        &path,
        &json!({"label": "new", "is_active": false}),
    )
    .await
    .ok();
    assert_eq!(
        (&changed["label"], &changed["is_active"]),
        (&json!("new"), &json!(false))
    );
    let refused = ask(
        &front,
        &session,
        "GET",
        "/v2/repositories/crew/app/",
        &Value::Null,
    )
    .await;
    assert_eq!(refused.status.as_u16(), 401, "{}", refused.body);
    let listed = ask(&front, &ada, "GET", "/v2/orgs/crew/access-tokens", &Value::Null)
        .await
        .ok();
    assert_eq!(
        (&listed["total"], &listed["results"][0]["id"]),
        (&json!(1), &json!(id))
    );
    ask(&front, &ada, "DELETE", &path, &Value::Null).await.is(204);
    ask(&front, &ada, "GET", &path, &Value::Null).await.is(404);
    for wrong in [
        json!({"label": "x", "resources": []}),
        json!({"label": "x", "resources": [{"type": "TYPE_ORG", "path": "crew", "scopes": ["member-edit"]}]}),
        json!({"label": "x", "resources": [{"type": "TYPE_REPO", "path": "ada/private", "scopes": ["repo-pull"]}]}),
        json!({"label": "x", "resources": [{"type": "TYPE_REPO", "path": "crew/*", "scopes": []}]}),
    ] {
        ask(&front, &ada, "POST", "/v2/orgs/crew/access-tokens", &wrong)
            .await
            .is(400);
    }
}

#[tokio::test]
async fn the_audit_log_of_an_organisation_is_for_its_owners() {
    let front = Front::new().await;
    let ada = crew(&front).await;
    let logs = ask(
        &front,
        &ada,
        "GET",
        "/v2/auditlogs/crew?page_size=5",
        &Value::Null,
    )
    .await
    .ok();
    let logs = logs["logs"].as_array().unwrap();
    assert!(
        logs.iter()
            .any(|one| one["action"] == "repository.create" && one["actor"] == "ada"),
        "{logs:?}"
    );
    let none = ask(
        &front,
        &ada,
        "GET",
        "/v2/auditlogs/crew?action=repository.create&from=2030-01-01T00:00:00Z",
        &Value::Null,
    )
    .await
    .ok();
    assert_eq!(none["logs"], json!([]));
    ask(
        &front,
        &ada,
        "GET",
        "/v2/auditlogs/crew?action=nonsense",
        &Value::Null,
    )
    .await
    .is(400);
    let kinds = ask(&front, &ada, "GET", "/v2/auditlogs/crew/actions", &Value::Null)
        .await
        .ok();
    assert!(kinds["actions"]["repository"]["actions"].is_array(), "{kinds}");
}
