use serde_json::{Value, json};

use crate::app::fixture::Fixture;
use crate::app::sign_up::SignUp;
use crate::http::testing::{Front, PASSWORD};
use crate::store::Store;

const NONE: Value = Value::Null;
const LINKS: &str = "/organisations/acme/invitations";

/// `acme` of ada on a site with this way to sign up, and `root`, who administers it.
async fn acme(sign_up: SignUp) -> Front {
    let store = Store::open("sqlite::memory:").await.unwrap();
    let front = Front::over(Fixture::build(store, None, |settings| settings.sign_up = sign_up)).await;
    front.administrator("root").await;
    front
        .api("ada", "POST", "/organisations", json!({"name": "acme"}))
        .await
        .is(201);
    front
}

async fn invite(front: &Front, by: &str, body: Value) -> String {
    let made = front.api(by, "POST", LINKS, body).await.is(201);
    let (secret, link) = (made["secret"].as_str().unwrap(), made["link"].as_str().unwrap());
    assert_eq!(link, format!("http://localhost:5000/invitation#{secret}"));
    assert!(secret.starts_with("ptl_inv_") && secret.ends_with(made["last_four"].as_str().unwrap()));
    link.to_owned()
}

async fn accept(front: &Front, by: &str, link: &str) -> crate::http::testing::Answer {
    front
        .api(by, "POST", "/invitations/accept", json!({ "invitation": link }))
        .await
}

async fn role(front: &Front, name: &str) -> Value {
    let member = format!("/organisations/acme/members/{name}");
    let answer = front.api("ada", "GET", &member, NONE).await;
    if answer.status == 404 {
        return NONE;
    }
    answer.is(200)["role"].clone()
}

#[tokio::test]
async fn a_link_lets_one_in_as_what_it_says_and_into_the_team() {
    let front = acme(SignUp::Closed).await;
    front
        .api("ada", "POST", "/organisations/acme/teams", json!({"name": "ops"}))
        .await
        .is(201);
    let link = invite(&front, "ada", json!({"role": "member", "team": "ops"})).await;
    let look = json!({ "invitation": link });
    let offered = front.api("", "POST", "/invitations/look", look).await.is(200);
    assert_eq!(
        (
            &offered["organisation"],
            &offered["role"],
            &offered["team"],
            &offered["inviter"]
        ),
        (&json!("acme"), &json!("member"), &json!("ops"), &json!("ada"))
    );
    accept(&front, "ada", &link).await.is(409);
    assert_eq!(accept(&front, "eve", &link).await.is(200)["organisation"], "acme");
    assert_eq!(role(&front, "eve").await, "member");
    let team = front
        .api("eve", "GET", "/organisations/acme/teams/ops/members", NONE)
        .await
        .is(200);
    assert_eq!(team["items"][0]["name"], "eve");
    accept(&front, "root", &link).await.is(404);
    let listed = front.api("ada", "GET", LINKS, NONE).await.is(200);
    assert_eq!(listed["items"][0]["uses_left"], 0);
    assert!(!listed.to_string().contains("ptl_inv_"), "{listed}");
    assert_eq!(offered["makes_account"], false);
}

#[tokio::test]
async fn what_a_link_may_offer_is_bounded() {
    let front = acme(SignUp::Closed).await;
    let until = "2027-02-01T00:00:00Z";
    for body in [
        json!({"role": "owner"}),
        json!({"role": "guest"}),
        json!({"role": "member", "guest_until": until}),
        json!({"role": "member", "days": 0}),
        json!({"role": "member", "days": 31}),
        json!({"role": "member", "uses": 0}),
        json!({"role": "member", "uses": 101}),
        json!({"role": "king"}),
    ] {
        front.api("ada", "POST", LINKS, body).await.is(400);
    }
    let team = json!({"role": "member", "team": "none"});
    front.api("ada", "POST", LINKS, team).await.is(404);
    let member = json!({"role": "member"});
    front.api("eve", "POST", LINKS, member.clone()).await.is(404);
    let link = invite(&front, "ada", member.clone()).await;
    accept(&front, "eve", &link).await.is(200);
    front.api("eve", "POST", LINKS, member).await.is(403);
    front.api("eve", "GET", LINKS, NONE).await.is(403);
    let guest = json!({"role": "guest", "guest_until": until});
    let link = invite(&front, "ada", guest).await;
    accept(&front, "eve", &link).await.is(409);
    accept(&front, "root", &link).await.is(200);
    let member = front
        .api("ada", "GET", "/organisations/acme/members/root", NONE)
        .await
        .is(200);
    assert_eq!(member["expires_at"], until);
}

#[tokio::test]
async fn a_link_ends_by_its_date_by_withdrawal_and_with_the_right_of_its_maker() {
    let front = acme(SignUp::Closed).await;
    let put = |role: &str| json!({ "role": role });
    let eve = "/organisations/acme/members/eve";
    front.api("ada", "PUT", eve, put("manager")).await.is(200);
    let old = invite(&front, "eve", put("member")).await;
    let withdrawn = invite(&front, "eve", put("member")).await;
    let listed = front.api("eve", "GET", LINKS, NONE).await.is(200);
    let item = listed["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|item| withdrawn.ends_with(item["last_four"].as_str().unwrap()))
        .unwrap()
        .clone();
    let path = format!("{LINKS}/{}", item["id"].as_str().unwrap());
    front.api("ada", "DELETE", &path, NONE).await.is(204);
    front.api("ada", "DELETE", &path, NONE).await.is(404);
    accept(&front, "root", &withdrawn).await.is(404);
    front.api("ada", "PUT", eve, put("member")).await.is(200);
    accept(&front, "root", &old).await.is(404);
    front.api("ada", "PUT", eve, put("manager")).await.is(200);
    front
        .fixture
        .clock
        .advance(std::time::Duration::from_hours(7 * 24));
    accept(&front, "root", &old).await.is(404);
    let mistyped = format!("{old}x");
    for link in ["", "x", "ptl_inv_", &mistyped] {
        accept(&front, "root", link).await.is(404);
    }
    assert_eq!(role(&front, "root").await, NONE);
    assert_eq!(front.fixture.app.prune_invitations().await.unwrap(), 0);
    front
        .fixture
        .clock
        .advance(std::time::Duration::from_hours(31 * 24));
    assert_eq!(front.fixture.app.prune_invitations().await.unwrap(), 2);
}

#[tokio::test]
async fn a_deleted_team_withdraws_the_links_to_it() {
    let front = acme(SignUp::Closed).await;
    let teams = "/organisations/acme/teams";
    front
        .api("ada", "POST", teams, json!({"name": "ops"}))
        .await
        .is(201);
    let link = invite(&front, "ada", json!({"role": "member", "team": "ops"})).await;
    let ops = format!("{teams}/ops");
    front.api("ada", "DELETE", &ops, NONE).await.is(204);
    accept(&front, "eve", &link).await.is(404);
}

#[tokio::test]
async fn a_link_that_somebody_found_lets_nobody_in_and_its_organisation_sees_why() {
    let front = acme(SignUp::Invitation).await;
    let link = invite(&front, "ada", json!({"role": "member"})).await;
    let site = front.api("root", "POST", "/invitations", json!({})).await.is(201);
    let secrets = [link.split_once('#').unwrap().1, site["secret"].as_str().unwrap()];
    for _ in 0..2 {
        let told = front
            .api("", "POST", "/leaks", json!({ "secrets": secrets }))
            .await
            .is(200);
        assert_eq!(told, json!({"recognised": 2}));
    }
    accept(&front, "eve", &link).await.is(404);
    sign_up(&front, "bob", site["link"].as_str()).await.is(404);
    for (who, path) in [("ada", LINKS), ("root", "/invitations")] {
        let listed = front.api(who, "GET", path, NONE).await.is(200);
        assert_eq!(listed["items"][0]["revoked_because"], "leaked");
    }
    let path = "/audit?organisation=acme&action=invitation.revoke";
    let events = front.api("ada", "GET", path, NONE).await.is(200);
    assert_eq!(events["items"].as_array().unwrap().len(), 1, "{events}");
    assert_eq!(events["items"][0]["after"]["because"], "leaked");
}

#[tokio::test]
async fn an_invitation_is_no_credential() {
    let front = acme(SignUp::Closed).await;
    let link = invite(&front, "ada", json!({"role": "member"})).await;
    let secret = link.split_once('#').unwrap().1;
    for authorization in [
        format!("Bearer {secret}"),
        crate::http::testing::basic("ada", secret),
    ] {
        let answer = front.get("/api/v1/account", Some(&authorization)).await;
        assert_eq!(answer.status, 401);
    }
}

async fn sign_up(front: &Front, name: &str, link: Option<&str>) -> crate::http::testing::Answer {
    let mut body = json!({"name": name, "password": PASSWORD});
    if let Some(link) = link {
        body["invitation"] = json!(link);
    }
    front.api("", "POST", "/accounts", body).await
}

async fn makes_account(front: &Front, link: Option<&str>) -> Value {
    let look = json!({ "invitation": link });
    let offered = front.api("", "POST", "/invitations/look", look).await.is(200);
    offered["makes_account"].clone()
}

#[tokio::test]
async fn accounts_are_made_as_the_site_lets_them() {
    let closed = acme(SignUp::Closed).await;
    let site = closed
        .api("root", "POST", "/invitations", json!({}))
        .await
        .is(201);
    sign_up(&closed, "bob", None).await.is(403);
    sign_up(&closed, "bob", site["link"].as_str()).await.is(403);
    assert_eq!(makes_account(&closed, site["link"].as_str()).await, false);

    let invited = acme(SignUp::Invitation).await;
    invited
        .api("ada", "POST", "/invitations", json!({}))
        .await
        .is(403);
    let site = invited
        .api("root", "POST", "/invitations", json!({}))
        .await
        .is(201);
    let site = site["link"].as_str();
    sign_up(&invited, "bob", None).await.is(403);
    let of_member = invite(&invited, "ada", json!({"role": "member"})).await;
    sign_up(&invited, "bob", Some(&of_member)).await.is(403);
    assert_eq!(makes_account(&invited, Some(&of_member)).await, false);
    assert_eq!(makes_account(&invited, site).await, true);
    accept(&invited, "ada", site.unwrap()).await.is(409);
    sign_up(&invited, "ADA", site).await.is(409);
    sign_up(&invited, "bob", site).await.is(201);
    sign_up(&invited, "cyd", site).await.is(404);
    let put = json!({"role": "manager"});
    invited
        .api("ada", "PUT", "/organisations/acme/members/root", put)
        .await
        .is(200);
    let of_admin = invite(&invited, "root", json!({"role": "member"})).await;
    let made = sign_up(&invited, "cyd", Some(&of_admin)).await.is(201);
    assert_eq!(made["organisation"], "acme");
    assert_eq!(role(&invited, "cyd").await, "member");

    let open = acme(SignUp::Open).await;
    sign_up(&open, "bob", None).await.is(201);
    let link = invite(&open, "ada", json!({"role": "member"})).await;
    assert_eq!(makes_account(&open, Some(&link)).await, true);
    assert_eq!(
        sign_up(&open, "cyd", Some(&link)).await.is(201)["organisation"],
        "acme"
    );
    sign_up(&open, "dan", Some(&link)).await.is(404);
    open.api("dan", "GET", "/account", NONE).await.is(401);
}
