use serde_json::{Value, json};

use crate::app::fixture::Fixture;
use crate::app::sign_up::SignUp;
use crate::http::testing::{Front, PASSWORD, basic};
use crate::store::Store;

const NONE: Value = Value::Null;

/// ada, eve and `root`, who administers the site, where everybody may sign up.
async fn site() -> Front {
    let store = Store::open("sqlite::memory:").await.unwrap();
    let front = Front::over(Fixture::build(store, None, |settings| {
        settings.sign_up = SignUp::Open;
    }))
    .await;
    front.administrator("root").await;
    front
}

#[tokio::test]
async fn a_profile_is_public_but_for_the_address_and_the_state() {
    let front = site().await;
    let body = json!({"full_name": "Ada Lovelace", "biography": "First.", "location": "London",
        "website": "https://example.com/ada", "email": "Ada@Example.com"});
    let own = front.api("ada", "PATCH", "/accounts/ada", body).await.is(200);
    assert_eq!(
        (&own["email"], &own["is_admin"]),
        (&json!("ada@example.com"), &json!(false))
    );
    for stranger in ["", "eve"] {
        let seen = front.api(stranger, "GET", "/accounts/ADA", NONE).await.is(200);
        assert_eq!(
            (&seen["full_name"], &seen["name"]),
            (&json!("Ada Lovelace"), &json!("ada"))
        );
        for hidden in ["email", "is_admin", "suspended_at", "is_email_of_another"] {
            assert!(seen.get(hidden).is_none(), "{hidden} {seen}");
        }
    }
    let seen = front.api("root", "GET", "/accounts/ada", NONE).await.is(200);
    assert_eq!(seen["is_email_of_another"], false);
    let cleared = json!({"email": "", "location": ""});
    let own = front.api("ada", "PATCH", "/accounts/ada", cleared).await.is(200);
    assert!(own.get("email").is_none() && own["location"] == "" && own["biography"] == "First.");
    front
        .api("eve", "PATCH", "/accounts/ada", json!({"full_name": "Not Ada"}))
        .await
        .is(403);
    front.api("", "GET", "/accounts/nobody", NONE).await.is(404);
    for wrong in [
        json!({"website": "javascript:alert(1)"}),
        json!({"email": "ada"}),
        json!({"full_name": "a\u{202e}b"}),
    ] {
        front.api("ada", "PATCH", "/accounts/ada", wrong).await.is(400);
    }
}

#[tokio::test]
async fn nobody_learns_which_addresses_there_are() {
    let front = site().await;
    let known = json!({"email": "ada@example.com"});
    front
        .api("ada", "PATCH", "/accounts/ada", known.clone())
        .await
        .is(200);
    let eve = front.api("eve", "PATCH", "/accounts/eve", known).await.is(200);
    assert_eq!(eve["email"], "ada@example.com");
    let mut answers = Vec::new();
    for (name, email) in [("bob", "ada@example.com"), ("cyd", "new@example.com")] {
        let body = json!({"name": name, "password": PASSWORD, "email": email});
        let mut made = front.api("", "POST", "/accounts", body).await.is(201);
        made["id"].take();
        answers.push(made.to_string().replace(name, "x"));
    }
    assert_eq!(answers[0], answers[1]);
    let list = front.api("root", "GET", "/accounts?prefix=B", NONE).await.is(200);
    assert_eq!(
        (
            &list["items"][0]["name"],
            &list["items"][0]["is_email_of_another"]
        ),
        (&json!("bob"), &json!(true))
    );
    let ada = front.api("root", "GET", "/accounts/ada", NONE).await.is(200);
    assert_eq!(ada["is_email_of_another"], false);
}

#[tokio::test]
async fn administrators_make_list_suspend_and_resume_accounts() {
    let front = site().await;
    front.api("ada", "GET", "/accounts", NONE).await.is(403);
    let made = front
        .api("root", "POST", "/accounts", json!({"name": "Bob"}))
        .await
        .is(201);
    let password = made["password"].as_str().unwrap();
    let bob = basic("bob", password);
    assert_eq!(front.get("/api/v1/account", Some(&bob)).await.status, 200);
    front
        .api("ada", "POST", "/accounts", json!({"name": "cyd"}))
        .await
        .is(400);
    let page = front.api("root", "GET", "/accounts?limit=2", NONE).await.is(200);
    assert_eq!(
        (&page["items"][1]["name"], &page["next"]),
        (&json!("bob"), &json!("bob"))
    );
    let rest = front
        .api("root", "GET", "/accounts?limit=2&after=bob", NONE)
        .await
        .is(200);
    assert_eq!(
        (&rest["items"][1]["name"], rest.get("next")),
        (&json!("root"), None)
    );
    let suspended = json!({"is_suspended": true});
    front
        .api("ada", "PATCH", "/accounts/ada", suspended.clone())
        .await
        .is(403);
    front
        .api("root", "PATCH", "/accounts/root", suspended.clone())
        .await
        .is(409);
    front
        .api("root", "PATCH", "/accounts/bob", suspended)
        .await
        .is(200);
    assert_eq!(front.get("/api/v1/account", Some(&bob)).await.status, 403);
    let resumed = json!({"is_suspended": false});
    front.api("root", "PATCH", "/accounts/bob", resumed).await.is(200);
    assert_eq!(front.get("/api/v1/account", Some(&bob)).await.status, 200);
}

#[tokio::test]
async fn the_site_keeps_an_administrator() {
    let front = site().await;
    let admin = |is: bool| json!({ "is_admin": is });
    front
        .api("ada", "PATCH", "/accounts/ada", admin(true))
        .await
        .is(403);
    front
        .api("root", "PATCH", "/accounts/root", admin(false))
        .await
        .is(409);
    front.api("root", "DELETE", "/accounts/root", NONE).await.is(409);
    front
        .api("root", "PATCH", "/accounts/ada", admin(true))
        .await
        .is(200);
    front
        .api("root", "PATCH", "/accounts/root", admin(false))
        .await
        .is(200);
    front
        .api("root", "PATCH", "/accounts/eve", admin(true))
        .await
        .is(403);
    front
        .api("ada", "PATCH", "/accounts/ada", json!({"is_admin": false}))
        .await
        .is(409);
}

#[tokio::test]
async fn an_owner_whom_others_depend_on_is_not_suspended_before_there_is_another() {
    let front = site().await;
    front
        .api("ada", "POST", "/organisations", json!({"name": "acme"}))
        .await
        .is(201);
    let suspended = json!({"is_suspended": true});
    let put = |role: &str| json!({ "role": role });
    front
        .api("ada", "PUT", "/organisations/acme/members/eve", put("member"))
        .await
        .is(200);
    let refused = front
        .api("root", "PATCH", "/accounts/ada", suspended.clone())
        .await
        .is(409);
    assert!(
        refused["detail"].as_str().unwrap().ends_with("first: acme"),
        "{refused}"
    );
    for (name, status) in [("root", 409), ("eve", 200)] {
        let path = format!("/organisations/acme/members/{name}");
        front.api("root", "PUT", &path, put("owner")).await.is(status);
    }
    front
        .api("root", "PATCH", "/accounts/ada", suspended)
        .await
        .is(200);
}

#[tokio::test]
async fn an_account_is_deleted_with_all_that_is_personal_and_its_name_stays_taken() {
    let front = site().await;
    for name in ["bob", "cyd"] {
        let body =
            json!({"name": name, "password": PASSWORD, "full_name": "Robert", "email": "bob@example.com"});
        front.api("", "POST", "/accounts", body).await.is(201);
    }
    front
        .api("bob", "POST", "/organisations", json!({"name": "acme"}))
        .await
        .is(201);
    let name = "bob/app".parse().unwrap();
    front.fixture.app.confirm_pushed(&name).await.unwrap();
    let end = "/accounts/bob/deletion";
    front.api("eve", "GET", end, NONE).await.is(403);
    let told = front.api("bob", "GET", end, NONE).await.is(200);
    assert_eq!(told["repositories"], json!({"count": 1, "names": ["bob/app"]}));
    assert_eq!(told["organisations"], json!({"count": 1, "names": ["acme"]}));
    assert_eq!(told["obstacles"].as_array().unwrap().len(), 2, "{told}");
    let refused = front.api("bob", "DELETE", "/accounts/bob", NONE).await.is(409);
    assert!(
        refused["detail"].as_str().unwrap().contains("bob/app"),
        "{refused}"
    );
    front.api("eve", "DELETE", "/accounts/cyd", NONE).await.is(403);
    front
        .api(
            "bob",
            "PUT",
            "/organisations/acme/members/cyd",
            json!({"role": "member"}),
        )
        .await
        .is(200);
    let scope = "/token?service=localhost:5000&offline_token=true";
    let login = front.get(scope, Some(&basic("cyd", PASSWORD))).await.ok();
    let refresh = login["refresh_token"].as_str().unwrap();
    front.api("cyd", "DELETE", "/accounts/cyd", NONE).await.is(204);
    for credential in [PASSWORD, refresh] {
        let answer = front.get(scope, Some(&basic("cyd", credential))).await;
        assert_eq!(answer.status, 401, "{}", answer.body);
    }
    front.api("root", "GET", "/accounts/cyd", NONE).await.is(404);
    front
        .api("bob", "GET", "/organisations/acme/members/cyd", NONE)
        .await
        .is(404);
    let again = json!({"name": "CYD", "password": PASSWORD});
    front.api("", "POST", "/accounts", again).await.is(409);
    front
        .api("eve", "POST", "/organisations", json!({"name": "cyd"}))
        .await
        .is(409);
}

#[tokio::test]
async fn what_an_account_chose_for_pages_is_its_own_and_left_to_the_browser_again() {
    let front = site().await;
    let chosen = json!({"language": "zh-CN", "theme": "dark"});
    let own = front.api("ada", "PATCH", "/accounts/ada", chosen).await.is(200);
    assert_eq!(
        (&own["language"], &own["theme"]),
        (&json!("zh-CN"), &json!("dark"))
    );
    for stranger in ["", "eve"] {
        let seen = front.api(stranger, "GET", "/accounts/ada", NONE).await.is(200);
        assert!(seen.get("language").is_none() && seen.get("theme").is_none());
    }
    for wrong in [json!({"language": "de"}), json!({"theme": "blue"})] {
        front.api("ada", "PATCH", "/accounts/ada", wrong).await.is(400);
    }
    front
        .api("eve", "PATCH", "/accounts/ada", json!({"language": "en"}))
        .await
        .is(403);
    let one = front
        .api("ada", "PATCH", "/accounts/ada", json!({"theme": ""}))
        .await
        .is(200);
    assert!(one["language"] == "zh-CN" && one.get("theme").is_none(), "{one}");
}
