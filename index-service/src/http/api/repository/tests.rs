use std::time::Duration;

use serde_json::{Value, json};
use shared::secret::Secret;

use crate::app::deletion::Purge;
use crate::http::testing::{Front, PASSWORD, basic, name};

const NONE: Value = Value::Null;

/// `acme` of ada with the member cyd; bob and eve are nobody there.
async fn acme() -> Front {
    let front = Front::new().await;
    for account in ["bob", "cyd"] {
        front
            .fixture
            .app
            .create_account(account, Secret::new(PASSWORD.to_owned()))
            .await
            .unwrap();
    }
    front
        .api("ada", "POST", "/organisations", json!({"name": "acme"}))
        .await
        .is(201);
    front
        .api(
            "ada",
            "PUT",
            "/organisations/acme/members/cyd",
            json!({"role": "member"}),
        )
        .await
        .is(200);
    front
}

async fn id_of(front: &Front, by: &str, repository: &str) -> String {
    let found = front
        .api(by, "GET", &format!("/repositories?name={repository}"), NONE)
        .await
        .is(200);
    let id = found["items"][0]["id"].as_str();
    id.unwrap_or_else(|| panic!("{repository} of {by}: {found}"))
        .to_owned()
}

async fn names(front: &Front, by: &str, query: &str) -> Vec<String> {
    let list = front
        .api(by, "GET", &format!("/repositories{query}"), NONE)
        .await
        .is(200);
    let items = list["items"].as_array().unwrap().iter();
    items
        .map(|one| one["name"].as_str().unwrap().to_owned())
        .collect()
}

/// The access entry of a token for a repository; null when there is none.
async fn entry(front: &Front, who: Option<&str>, repository: &str) -> Value {
    let query = format!("/token?service=localhost:5000&scope=repository:{repository}:pull,push");
    let credential = who.map(|who| basic(who, PASSWORD));
    let token = front.get(&query, credential.as_deref()).await.claims();
    token["access"][0].clone()
}

async fn transfer(front: &Front, by: &str, id: &str, to: &str) -> crate::http::testing::Answer {
    let path = format!("/repositories/{id}/transfer");
    front.api(by, "POST", &path, json!({"name": to})).await
}

#[tokio::test]
async fn a_repository_is_made_shown_and_opened_by_those_who_may() {
    let front = acme().await;
    let new = |name: &str| json!({"name": name});
    let made = front
        .api("ada", "POST", "/repositories", new("ada/app"))
        .await
        .is(201);
    assert_eq!(
        (
            &made["name"],
            &made["visibility"],
            &made["state"],
            &made["namespace"]
        ),
        (
            &json!("ada/app"),
            &json!("private"),
            &json!("active"),
            &json!("ada")
        )
    );
    assert_eq!(made["rights"].as_array().unwrap().len(), 5);
    let path = format!("/repositories/{}", made["id"].as_str().unwrap());
    front
        .api("ada", "POST", "/repositories", new("ada/app"))
        .await
        .is(409);
    // Whether it exists or not: strangers are told the same.
    for taken in ["ada/app", "ada/other", "acme/x", "nothing/x", "centos"] {
        front
            .api("eve", "POST", "/repositories", new(taken))
            .await
            .is(403);
    }
    front
        .api("ada", "POST", "/repositories", new("Ada/App"))
        .await
        .is(400);
    for (method, body) in [
        ("GET", NONE),
        ("PATCH", json!({"visibility": "public"})),
        ("DELETE", NONE),
    ] {
        let hidden = front.api("eve", method, &path, body.clone()).await.is(404);
        let missing = front.api("eve", method, "/repositories/1", body).await.is(404);
        assert_eq!(hidden, missing, "{method}");
    }
    assert_eq!(names(&front, "eve", "?name=ada/app").await, [""; 0]);
    let opened = front
        .api("ada", "PATCH", &path, json!({"visibility": "internal"}))
        .await
        .is(200);
    assert_eq!(opened["visibility"], "internal");
    front.api("eve", "GET", &path, NONE).await.is(200);
    front.api("eve", "DELETE", &path, NONE).await.is(403);
    front
        .api("eve", "PATCH", &path, json!({"visibility": "public"}))
        .await
        .is(403);
    front
        .api("ada", "PATCH", &path, json!({"visibility": "open"}))
        .await
        .is(400);
    let nobody = front.get(&format!("/api/v1{path}"), None).await;
    assert_eq!(nobody.status.as_u16(), 404);
    front
        .api("ada", "PATCH", &path, json!({"visibility": "public"}))
        .await
        .is(200);
    let anybody = front.get(&format!("/api/v1{path}"), None).await.ok();
    assert_eq!(anybody["rights"], json!(["pull"]));
}

#[tokio::test]
async fn a_namespace_says_what_new_repositories_are() {
    let front = acme().await;
    let change = json!({"default_visibility": "public"});
    for (by, place) in [
        ("cyd", "acme"),
        ("eve", "acme"),
        ("eve", "nothing"),
        ("eve", "%00"),
    ] {
        front
            .api(by, "PATCH", &format!("/namespaces/{place}"), change.clone())
            .await
            .is(403);
    }
    front
        .api("ada", "PATCH", "/namespaces/acme", change)
        .await
        .is(200);
    let shown = front.api("ada", "GET", "/namespaces/acme", NONE).await.is(200);
    assert_eq!(
        (&shown["default_visibility"], &shown["owner"]),
        (&json!("public"), &json!("organisation"))
    );
    let made = front
        .api("ada", "POST", "/repositories", json!({"name": "acme/app"}))
        .await
        .is(201);
    assert_eq!(made["visibility"], "public");
    assert_eq!(names(&front, "eve", "?namespace=acme").await, ["acme/app"]);
    front
        .api(
            "ada",
            "POST",
            "/repositories",
            json!({"name": "acme/own", "visibility": "private"}),
        )
        .await
        .is(201);
    assert_eq!(names(&front, "eve", "?namespace=acme").await, ["acme/app"]);
    assert_eq!(
        names(&front, "ada", "?namespace=acme").await,
        ["acme/app", "acme/own"]
    );
    assert_eq!(
        names(&front, "ada", "?namespace=acme&after=acme/app").await,
        ["acme/own"]
    );
    assert_eq!(names(&front, "ada", "?namespace=nothing").await, [""; 0]);
}

#[tokio::test]
async fn a_renamed_repository_keeps_id_content_and_rules_and_is_pulled_by_both_names() {
    let front = acme().await;
    let id = id_of(&front, "ada", "ada/private").await;
    let rule =
        json!({"subject": {"kind": "account", "name": "eve"}, "repository": "ada/private", "role": "read"});
    front.api("ada", "POST", "/rules", rule).await.is(201);
    let done = transfer(&front, "ada", &id, "ada/renamed").await.is(200);
    assert_eq!(
        (
            &done["repository"]["name"],
            &done["repository"]["id"],
            &done["former_name"]
        ),
        (&json!("ada/renamed"), &json!(id), &json!("ada/private"))
    );
    for who in ["ada", "eve"] {
        assert_eq!(id_of(&front, who, "ada/private").await, id, "{who}");
        assert_eq!(id_of(&front, who, "ada/renamed").await, id, "{who}");
        let new = entry(&front, Some(who), "ada/renamed").await;
        assert_eq!(new["stored_as"], "ada/private", "{who}");
    }
    let old = entry(&front, Some("eve"), "ada/private").await;
    assert_eq!((&old["actions"], old.get("stored_as")), (&json!(["pull"]), None));
    assert_eq!(entry(&front, None, "ada/private").await, NONE);
    // A push takes the name: another repository with content of its own.
    let taken = entry(&front, Some("ada"), "ada/private").await;
    assert_eq!(taken["actions"], json!(["pull", "push"]));
    let stored_as = taken["stored_as"].as_str().unwrap();
    assert!(stored_as.starts_with("portolan/"), "{taken}");
    assert_eq!(entry(&front, Some("eve"), "ada/private").await, NONE);
    let app = &front.fixture.app;
    let (taken_name, stored_as) = (name("ada/private"), name(stored_as));
    assert!(app.confirm_stored(&taken_name, &stored_as, None).await.unwrap());
    let other = id_of(&front, "ada", "ada/private").await;
    assert_ne!(other, id);
    // Back to its own name while that is another's, and then.
    transfer(&front, "ada", &id, "ada/private").await.is(409);
    front
        .api("ada", "DELETE", &format!("/repositories/{other}"), NONE)
        .await
        .is(204);
    transfer(&front, "ada", &id, "ada/private").await.is(200);
    let back = entry(&front, Some("ada"), "ada/private").await;
    assert!(back.get("stored_as").is_none(), "{back}");
    assert_eq!(id_of(&front, "eve", "ada/renamed").await, id);
    transfer(&front, "ada", &id, "ada/private").await.is(400);
}

#[tokio::test]
async fn a_token_from_before_a_rename_pushes_to_the_same_content_and_makes_no_other_repository() {
    let front = acme().await;
    let id = id_of(&front, "ada", "ada/private").await;
    transfer(&front, "ada", &id, "ada/renamed").await.is(200);
    let old = name("ada/private");
    assert!(!front.fixture.app.confirm_pushed(&old).await.unwrap());
    assert_eq!(id_of(&front, "ada", "ada/private").await, id);
    assert_eq!(
        names(&front, "ada", "?namespace=ada").await,
        ["ada/public", "ada/renamed"]
    );
}

#[tokio::test]
async fn a_repository_moves_only_between_namespaces_that_one_administers() {
    let front = acme().await;
    let id = id_of(&front, "ada", "ada/private").await;
    for to in ["eve/app", "nothing/app", "centos", "library/app"] {
        transfer(&front, "ada", &id, to).await.is(403);
    }
    // Who may push into a namespace does not administer it.
    front
        .api(
            "eve",
            "POST",
            "/rules",
            json!({"subject": {"kind": "account", "name": "ada"}, "pattern": "eve/*", "role": "maintain"}),
        )
        .await
        .is(201);
    transfer(&front, "ada", &id, "eve/app").await.is(403);
    transfer(&front, "eve", &id, "eve/app").await.is(404);
    transfer(&front, "ada", &id, "acme/app").await.is(200);
    assert_eq!(
        entry(&front, Some("ada"), "acme/app").await["stored_as"],
        "ada/private"
    );
    let old = entry(&front, Some("ada"), "ada/private").await;
    assert_eq!(
        old["actions"],
        json!(["pull", "push"]),
        "the name is free for its owner"
    );
}

#[tokio::test]
async fn a_transfer_says_first_which_rules_stay_behind() {
    let front = acme().await;
    front
        .api("ada", "POST", "/repositories", json!({"name": "acme/app"}))
        .await
        .is(201);
    let id = id_of(&front, "ada", "acme/app").await;
    for (subject, target) in [
        (json!({"kind": "members"}), json!({"repository": "acme/app"})),
        (
            json!({"kind": "account", "name": "eve"}),
            json!({"repository": "acme/app"}),
        ),
        (
            json!({"kind": "account", "name": "bob"}),
            json!({"pattern": "acme/a*"}),
        ),
    ] {
        let mut rule = json!({"subject": subject, "role": "read"});
        rule.as_object_mut()
            .unwrap()
            .extend(target.as_object().unwrap().clone());
        front.api("ada", "POST", "/rules", rule).await.is(201);
    }
    let path = format!("/repositories/{id}/transfer?dry_run=true");
    let told = front
        .api("ada", "POST", &path, json!({"name": "ada/app"}))
        .await
        .is(200);
    let kinds = |list: &Value| -> Vec<String> {
        let rules = list.as_array().unwrap().iter();
        rules
            .map(|rule| rule["subject"]["kind"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(kinds(&told["dropped_rules"]), ["members"]);
    assert_eq!(kinds(&told["left_patterns"]), ["account"]);
    assert_eq!(told["repository"]["name"], "acme/app", "nothing has changed");
    for (who, pulls) in [("cyd", true), ("eve", true), ("bob", true)] {
        assert_eq!(entry(&front, Some(who), "acme/app").await != NONE, pulls, "{who}");
    }
    assert_eq!(
        transfer(&front, "ada", &id, "ada/app").await.is(200)["dropped_rules"],
        told["dropped_rules"]
    );
    for (who, pulls) in [("cyd", false), ("eve", true), ("bob", false)] {
        assert_eq!(entry(&front, Some(who), "ada/app").await != NONE, pulls, "{who}");
        // By the former name as well, and nothing more.
        assert_eq!(entry(&front, Some(who), "acme/app").await != NONE, pulls, "{who}");
    }
}

#[tokio::test]
async fn a_deleted_repository_is_refused_at_once_and_restored_with_what_it_had() {
    let front = acme().await;
    let id = id_of(&front, "ada", "ada/public").await;
    let rule =
        json!({"subject": {"kind": "account", "name": "eve"}, "repository": "ada/public", "role": "write"});
    front.api("ada", "POST", "/rules", rule).await.is(201);
    let path = format!("/repositories/{id}");
    front.api("eve", "DELETE", &path, NONE).await.is(403);
    front.api("ada", "DELETE", &path, NONE).await.is(204);
    for by in ["ada", "eve"] {
        front.api(by, "GET", &path, NONE).await.is(404);
        front.api(by, "DELETE", &path, NONE).await.is(404);
    }
    for who in [None, Some("eve")] {
        assert_eq!(entry(&front, who, "ada/public").await, NONE, "{who:?}");
    }
    assert_eq!(names(&front, "eve", "").await, ["eve/private"]);
    let deleted = front
        .api("ada", "GET", "/deleted-repositories?namespace=ada", NONE)
        .await
        .is(200);
    assert_eq!(
        (
            &deleted["items"][0]["id"],
            &deleted["items"][0]["restorable_until"]
        ),
        (&json!(id), &json!("2027-01-22T08:00:00Z"))
    );
    front
        .api("eve", "GET", "/deleted-repositories?namespace=ada", NONE)
        .await
        .is(403);
    // Its name is free: what is pushed there is stored elsewhere.
    let taken = entry(&front, Some("ada"), "ada/public").await;
    assert_ne!(taken["stored_as"], NONE);
    let restore = format!("/deleted-repositories/{id}/restore");
    front.api("eve", "POST", &restore, json!({})).await.is(404);
    front.api("ada", "POST", &restore, json!({})).await.is(409);
    front
        .api("ada", "POST", &restore, json!({"name": "acme/x"}))
        .await
        .is(400);
    let back = front
        .api("ada", "POST", &restore, json!({"name": "ada/back"}))
        .await
        .is(200);
    assert_eq!((&back["id"], &back["visibility"]), (&json!(id), &json!("public")));
    front.api("ada", "POST", &restore, json!({})).await.is(404);
    let eve = entry(&front, Some("eve"), "ada/back").await;
    assert_eq!(
        (&eve["stored_as"], &eve["actions"]),
        (&json!("ada/public"), &json!(["pull", "push"]))
    );
}

#[tokio::test]
async fn content_goes_when_the_delay_is_over_once_for_all_replicas_and_for_good() {
    let front = acme().await;
    let app = &front.fixture.app;
    let purged = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let sink = std::sync::Arc::clone(&purged);
    app.purge_with(Purge::new(move |stored_as| {
        let sink = std::sync::Arc::clone(&sink);
        Box::pin(async move {
            let mut done = sink.lock().unwrap();
            done.push(stored_as.to_string());
            if done.len() == 1 {
                return Err("the disk is away".into());
            }
            Ok(())
        })
    }));
    let id = id_of(&front, "ada", "ada/private").await;
    transfer(&front, "ada", &id, "ada/renamed").await.is(200);
    front
        .api("ada", "DELETE", &format!("/repositories/{id}"), NONE)
        .await
        .is(204);
    assert_eq!(app.purge_deleted().await.unwrap(), 0);
    front.fixture.clock.advance(Duration::from_hours(7 * 24));
    assert_eq!(app.purge_deleted().await.unwrap(), 1);
    // Another replica has nothing to do meanwhile; what failed is tried again.
    assert_eq!(app.purge_deleted().await.unwrap(), 0);
    let restore = format!("/deleted-repositories/{id}/restore");
    front.api("ada", "POST", &restore, json!({})).await.is(404);
    front.fixture.clock.advance(Duration::from_mins(3));
    assert_eq!(app.purge_deleted().await.unwrap(), 1);
    assert_eq!(*purged.lock().unwrap(), ["ada/private", "ada/private"]);
    front.fixture.clock.advance(Duration::from_hours(24));
    assert_eq!(app.purge_deleted().await.unwrap(), 0);
    let list = front
        .api("ada", "GET", "/deleted-repositories?namespace=ada", NONE)
        .await
        .is(200);
    assert_eq!(list["items"], json!([]));
    // Its storage name is never another's.
    let again = entry(&front, Some("ada"), "ada/private").await;
    assert!(again["stored_as"].as_str().unwrap().starts_with("portolan/"));
}

#[tokio::test]
async fn without_a_delay_content_is_removed_again_when_the_last_token_has_ended() {
    let fixture = crate::app::fixture::Fixture::build(
        crate::store::Store::open("sqlite::memory:").await.unwrap(),
        None,
        |settings| settings.restore_delay_ms = 0,
    );
    let front = Front::over(fixture).await;
    let app = &front.fixture.app;
    let count = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counter = std::sync::Arc::clone(&count);
    app.purge_with(Purge::new(move |_| {
        counter.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Box::pin(async { Ok(()) })
    }));
    let id = id_of(&front, "ada", "ada/private").await;
    front
        .api("ada", "DELETE", &format!("/repositories/{id}"), NONE)
        .await
        .is(204);
    for (hours, done) in [(0, 1), (1, 0), (1, 1), (48, 0)] {
        front.fixture.clock.advance(Duration::from_hours(hours));
        assert_eq!(app.purge_deleted().await.unwrap(), done, "{hours}");
    }
    assert_eq!(count.load(std::sync::atomic::Ordering::Relaxed), 2);
}
