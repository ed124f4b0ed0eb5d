use serde_json::{Value, json};

use crate::http::testing::{Front, PASSWORD, basic};

const NONE: Value = Value::Null;
const GUEST_END: &str = "2027-01-16T08:00:00Z";

/// `acme` of ada, with these members.
async fn acme(members: &[(&str, &str)]) -> Front {
    let front = Front::new().await;
    for name in ["bob", "cyd"] {
        front
            .fixture
            .app
            .create_account(name, shared::secret::Secret::new(PASSWORD.to_owned()))
            .await
            .unwrap();
    }
    let made = front
        .api("ada", "POST", "/organisations", json!({"name": "Acme"}))
        .await
        .is(201);
    assert_eq!(
        (&made["name"], &made["display_name"], &made["role"]),
        (&json!("acme"), &json!("Acme"), &json!("owner"))
    );
    for (name, role) in members {
        put(&front, "ada", name, role).await.is(200);
    }
    front
}

async fn put(front: &Front, by: &str, name: &str, role: &str) -> crate::http::testing::Answer {
    let mut body = json!({ "role": role });
    if role == "guest" {
        body["expires_at"] = json!(GUEST_END);
    }
    front
        .api(by, "PUT", &format!("/organisations/acme/members/{name}"), body)
        .await
}

async fn names(front: &Front, by: &str, path: &str) -> Vec<String> {
    let list = front.api(by, "GET", path, NONE).await.is(200);
    let items = list["items"].as_array().unwrap();
    items
        .iter()
        .map(|item| item["name"].as_str().unwrap().to_owned())
        .collect()
}

/// What a token for a repository of acme would let the account do.
async fn scope(front: &Front, name: &str) -> String {
    let query = "/token?service=localhost:5000&scope=repository:acme/app:pull,push";
    front.get(query, Some(&basic(name, PASSWORD))).await.scope()
}

#[tokio::test]
async fn the_maker_owns_an_organisation_and_its_namespace() {
    let front = acme(&[]).await;
    assert_eq!(scope(&front, "ada").await, "repository:acme/app:pull,push");
    assert_eq!(scope(&front, "eve").await, "");
    assert_eq!(names(&front, "ada", "/organisations").await, ["acme"]);
    assert_eq!(names(&front, "eve", "/organisations").await, Vec::<String>::new());
}

#[tokio::test]
async fn a_name_is_given_once_to_an_account_or_an_organisation_in_any_case() {
    let front = acme(&[]).await;
    for name in ["acme", "ACME", "ada", "Eve", "library", "users", "a/b", "", "ädä"] {
        let answer = front
            .api("eve", "POST", "/organisations", json!({ "name": name }))
            .await;
        let expected = match name.to_lowercase().as_str() {
            "acme" | "ada" | "eve" => 409,
            _ => 400,
        };
        answer.is(expected);
    }
    let account = front
        .fixture
        .app
        .create_account("Acme", shared::secret::Secret::new(PASSWORD.to_owned()))
        .await;
    assert!(account.is_err());
    front
        .api("ada", "DELETE", "/organisations/acme", NONE)
        .await
        .is(204);
    front
        .api("ada", "POST", "/organisations", json!({"name": "acme"}))
        .await
        .is(409);
    front.api("ada", "GET", "/organisations/acme", NONE).await.is(404);
}

#[tokio::test]
async fn strangers_see_what_an_organisation_is_called_and_no_more() {
    let front = acme(&[("bob", "member")]).await;
    let body = json!({"display_name": "Acme Ltd", "description": "anvils", "default_visibility": "internal"});
    front
        .api("ada", "PATCH", "/organisations/acme", body)
        .await
        .is(200);
    let seen = front.api("bob", "GET", "/organisations/ACME", NONE).await.is(200);
    assert_eq!(
        (&seen["role"], &seen["default_visibility"]),
        (&json!("member"), &json!("internal"))
    );
    for stranger in ["", "eve"] {
        let seen = front
            .api(stranger, "GET", "/organisations/acme", NONE)
            .await
            .is(200);
        assert_eq!(seen["description"], "anvils");
        assert!(seen.get("role").is_none() && seen.get("default_visibility").is_none());
    }
    for path in ["members", "members/ada", "teams", "teams/ops", "deletion"] {
        let there = front
            .api("eve", "GET", &format!("/organisations/acme/{path}"), NONE)
            .await;
        let absent = front
            .api("eve", "GET", &format!("/organisations/none/{path}"), NONE)
            .await;
        there.is(404);
        assert_eq!(there.body.replace("acme", "none"), absent.body, "{path}");
    }
}

#[tokio::test]
async fn roles_may_do_what_the_table_says() {
    let front = acme(&[("bob", "manager"), ("cyd", "member")]).await;
    for (by, name, role, status) in [
        ("cyd", "eve", "guest", 403),
        ("eve", "eve", "owner", 404),
        ("bob", "eve", "owner", 403),
        ("bob", "ada", "member", 403),
        ("bob", "eve", "member", 200),
        ("bob", "eve", "guest", 200),
        ("bob", "bob", "owner", 403),
        ("ada", "nobody", "member", 404),
        ("ada", "cyd", "king", 400),
        ("ada", "cyd", "owner", 200),
    ] {
        let answer = put(&front, by, name, role).await;
        assert_eq!(
            answer.status.as_u16(),
            status,
            "{by} {name} {role}: {}",
            answer.body
        );
    }
    let without = json!({"role": "guest"});
    let with = json!({"role": "member", "expires_at": GUEST_END});
    let past = json!({"role": "guest", "expires_at": "2020-01-01T00:00:00Z"});
    for body in [without, with, past] {
        front
            .api("ada", "PUT", "/organisations/acme/members/eve", body)
            .await
            .is(400);
    }
    front
        .api(
            "bob",
            "PATCH",
            "/organisations/acme",
            json!({"display_name": "B"}),
        )
        .await
        .is(200);
    front
        .api("bob", "DELETE", "/organisations/acme", NONE)
        .await
        .is(403);
    front
        .api("bob", "DELETE", "/organisations/acme/members/ada", NONE)
        .await
        .is(403);
}

#[tokio::test]
async fn the_last_owner_stays() {
    let front = acme(&[("bob", "manager")]).await;
    let departure = "/organisations/acme/members/ada/departure";
    let told = front.api("ada", "GET", departure, NONE).await.is(200);
    assert!(
        told["obstacle"]
            .as_str()
            .unwrap()
            .contains("somebody else an owner"),
        "{told}"
    );
    front
        .api("ada", "DELETE", "/organisations/acme/members/ada", NONE)
        .await
        .is(409);
    put(&front, "ada", "ada", "manager").await.is(409);
    put(&front, "ada", "bob", "owner").await.is(200);
    front.api("bob", "GET", departure, NONE).await.is(200);
    front
        .api("ada", "DELETE", "/organisations/acme/members/ada", NONE)
        .await
        .is(204);
    assert_eq!(scope(&front, "ada").await, "");
    put(&front, "bob", "bob", "member").await.is(409);
}

#[tokio::test]
async fn guests_see_themselves_and_their_teams_until_their_date() {
    let front = acme(&[("bob", "guest"), ("cyd", "member")]).await;
    for team in ["ops", "dev"] {
        front
            .api(
                "ada",
                "POST",
                "/organisations/acme/teams",
                json!({ "name": team }),
            )
            .await
            .is(201);
    }
    front
        .api("ada", "PUT", "/organisations/acme/teams/ops/members/bob", NONE)
        .await
        .is(204);
    assert_eq!(names(&front, "bob", "/organisations/acme/members").await, ["bob"]);
    let mut all = names(&front, "cyd", "/organisations/acme/members").await;
    all.sort();
    assert_eq!(all, ["ada", "bob", "cyd"]);
    assert_eq!(names(&front, "bob", "/organisations/acme/teams").await, ["ops"]);
    front
        .api("bob", "GET", "/organisations/acme/teams/dev", NONE)
        .await
        .is(404);
    front
        .api("bob", "GET", "/organisations/acme/members/cyd", NONE)
        .await
        .is(404);
    front.fixture.clock.advance(std::time::Duration::from_hours(24));
    front
        .api("bob", "GET", "/organisations/acme/members", NONE)
        .await
        .is(404);
    assert_eq!(
        names(&front, "ada", "/organisations/acme/teams/ops/members").await,
        Vec::<String>::new()
    );
    assert_eq!(front.fixture.app.end_guests().await.unwrap(), 1);
    assert_eq!(front.fixture.app.end_guests().await.unwrap(), 0);
    put(&front, "ada", "bob", "member").await.is(200);
    assert_eq!(
        names(&front, "ada", "/organisations/acme/teams/ops/members").await,
        Vec::<String>::new(),
        "a new membership brings no old team back"
    );
}

#[tokio::test]
async fn teams_are_made_and_filled_by_those_who_administer() {
    let front = acme(&[("bob", "manager"), ("cyd", "member")]).await;
    let teams = "/organisations/acme/teams";
    front
        .api("cyd", "POST", teams, json!({"name": "ops"}))
        .await
        .is(403);
    let made = front
        .api(
            "bob",
            "POST",
            teams,
            json!({"name": "Ops", "description": "on call"}),
        )
        .await
        .is(201);
    assert_eq!(
        (&made["name"], &made["description"]),
        (&json!("ops"), &json!("on call"))
    );
    front
        .api("ada", "POST", teams, json!({"name": "OPS"}))
        .await
        .is(409);
    front
        .api("ada", "POST", teams, json!({"name": "no good"}))
        .await
        .is(400);
    front
        .api("ada", "POST", teams, json!({"name": "dev"}))
        .await
        .is(201);
    let ops = format!("{teams}/ops");
    front
        .api("bob", "PUT", &format!("{ops}/members/eve"), NONE)
        .await
        .is(404);
    front
        .api("bob", "PUT", &format!("{ops}/members/cyd"), NONE)
        .await
        .is(204);
    front
        .api("bob", "PUT", &format!("{ops}/members/cyd"), NONE)
        .await
        .is(204);
    assert_eq!(names(&front, "cyd", &format!("{ops}/members")).await, ["cyd"]);
    front
        .api("ada", "PATCH", &ops, json!({"name": "dev"}))
        .await
        .is(409);
    front
        .api("ada", "PATCH", &ops, json!({"name": "sre"}))
        .await
        .is(200);
    assert_eq!(names(&front, "cyd", teams).await, ["dev", "sre"]);
    let told = front
        .api("cyd", "GET", "/organisations/acme/members/cyd/departure", NONE)
        .await
        .is(200);
    assert_eq!((&told["teams"], &told["tokens"]), (&json!(["sre"]), &json!(0)));
    front
        .api("cyd", "DELETE", &format!("{teams}/sre/members/cyd"), NONE)
        .await
        .is(204);
    front
        .api("cyd", "DELETE", &format!("{teams}/sre/members/cyd"), NONE)
        .await
        .is(404);
    front
        .api("bob", "DELETE", &format!("{teams}/sre"), NONE)
        .await
        .is(204);
    front
        .api("bob", "GET", &format!("{teams}/sre"), NONE)
        .await
        .is(404);
}

#[tokio::test]
async fn an_organisation_with_repositories_is_not_deleted_and_says_which_they_are() {
    let front = acme(&[]).await;
    let name = "acme/app".parse().unwrap();
    front.fixture.app.confirm_pushed(&name).await.unwrap();
    let told = front
        .api("ada", "GET", "/organisations/acme/deletion", NONE)
        .await
        .is(200);
    assert_eq!(told["repositories"], json!({"count": 1, "names": ["acme/app"]}));
    let refused = front
        .api("ada", "DELETE", "/organisations/acme", NONE)
        .await
        .is(409);
    assert!(
        refused["detail"].as_str().unwrap().ends_with("first: acme/app"),
        "{refused}"
    );
}

#[tokio::test]
async fn a_limited_token_administers_nothing_that_it_does_not_reach() {
    let front = acme(&[]).await;
    let wish = |limits: &str| crate::app::access_token::AccessTokenWish {
        label: "ci".parse().unwrap(),
        ceiling: crate::domain::Ceiling::parse(Some(limits)).unwrap(),
        networks: crate::domain::AllowedNetworks::default(),
        life_days: 1,
    };
    let everything = "pull,push,delete,manage,administer";
    for (limits, read, change, make) in [
        ("pull acme/*", 200, 403, 403),
        ("pull acme/app", 404, 404, 403),
        (&format!("{everything} acme/*"), 200, 200, 403),
        (&format!("{everything} *"), 200, 200, 201),
    ] {
        let token = front
            .fixture
            .app
            .create_access_token(&"ada".parse().unwrap(), &wish(limits))
            .await
            .unwrap();
        let send = async |method: &str, path: &str, body: &str| {
            let request = http::Request::builder()
                .method(method)
                .uri(format!("/api/v1{path}"))
                .header("authorization", format!("Bearer {}", token.expose()))
                .header("content-type", "application/json")
                .body(axum::body::Body::from(body.to_owned()))
                .unwrap();
            front.send(request).await
        };
        send("GET", "/organisations/acme/members", "").await.is(read);
        send("PATCH", "/organisations/acme", "{\"description\": \"x\"}")
            .await
            .is(change);
        send("POST", "/organisations", "{\"name\": \"more\"}")
            .await
            .is(make);
    }
}
