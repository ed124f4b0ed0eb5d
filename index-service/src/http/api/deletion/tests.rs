use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::delete;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use crate::app::Service;
use crate::app::deletion::Purge;
use crate::app::fixture::Fixture;
use crate::http::testing::{Front, claims};
use crate::registry_client::RegistryClient;
use crate::store::Store;
use crate::token::Recipient;

const NONE: Value = Value::Null;

/// A registry that is asked to remove content: each path with its token, and what it answers.
#[derive(Default)]
struct Registry {
    asked: Vec<(String, String)>,
    is_away: bool,
}

type Shared = Arc<Mutex<Registry>>;

async fn remove(State(registry): State<Shared>, Path(path): Path<String>, headers: HeaderMap) -> StatusCode {
    let mut registry = registry.lock().unwrap();
    let token = headers["authorization"].to_str().unwrap();
    let token = token.strip_prefix("Bearer ").unwrap().to_owned();
    registry.asked.push((path, token));
    if registry.is_away {
        StatusCode::SERVICE_UNAVAILABLE
    } else {
        StatusCode::ACCEPTED
    }
}

async fn world() -> (Front, Shared) {
    let registry = Shared::default();
    let router = Router::new()
        .route("/v2/{*path}", delete(remove))
        .with_state(registry.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = RegistryClient::new(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    let store = Store::open("sqlite::memory:").await.unwrap();
    let fixture = Fixture::build(store, Some(client), |settings| {
        settings.token.services.push(Service {
            name: "stock".to_owned(),
            recipient: Recipient::Foreign,
        });
    });
    (Front::over(fixture).await, registry)
}

/// Makes a repository and deletes it; the path of the deleted one.
async fn deleted(front: &Front, name: &str) -> String {
    let made = front
        .api("ada", "POST", "/repositories", json!({"name": name}))
        .await
        .is(201);
    let id = made["id"].as_str().unwrap();
    front
        .api("ada", "DELETE", &format!("/repositories/{id}"), NONE)
        .await
        .is(204);
    format!("/deleted-repositories/{id}")
}

#[tokio::test]
async fn content_is_removed_at_once_when_those_who_administer_want_it() {
    let (front, registry) = world().await;
    let path = deleted(&front, "ada/app").await;
    front.api("eve", "DELETE", &path, NONE).await.is(404);
    assert_eq!(registry.lock().unwrap().asked, []);
    registry.lock().unwrap().is_away = true;
    front.api("ada", "DELETE", &path, NONE).await.is(503);
    // What was asked for is not taken back: it happens in the background.
    front
        .api("ada", "POST", &format!("{path}/restore"), json!({}))
        .await
        .is(404);
    front.api("ada", "DELETE", &path, NONE).await.is(404);
    registry.lock().unwrap().is_away = false;
    front.fixture.clock.advance(std::time::Duration::from_mins(3));
    assert_eq!(front.fixture.app.purge_deleted().await.unwrap(), 1);
    assert_eq!(registry.lock().unwrap().asked.len(), 2);
    front.administrator("root").await;
    let audit = front
        .api("root", "GET", "/audit?action=repository.purge", NONE)
        .await
        .is(200);
    assert_eq!(audit["items"][0]["actor"]["name"], "ada", "{audit}");
}

#[tokio::test]
async fn where_no_registry_can_be_asked_content_is_left_to_whoever_can() {
    let front = Front::new().await;
    let path = deleted(&front, "ada/app").await;
    front.fixture.clock.advance(std::time::Duration::from_hours(3));
    front.api("ada", "DELETE", &path, NONE).await.is(204);
    let restore = format!("{path}/restore");
    front.api("ada", "POST", &restore, json!({})).await.is(404);
    let removed = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&removed);
    front.fixture.app.purge_with(Purge::new(move |stored_as| {
        sink.lock().unwrap().push(stored_as.to_string());
        Box::pin(async { Ok(()) })
    }));
    assert_eq!(front.fixture.app.purge_deleted().await.unwrap(), 1);
    assert_eq!(*removed.lock().unwrap(), ["ada/app"]);
}

#[tokio::test]
async fn the_registry_is_told_a_name_that_nothing_else_has() {
    let (front, registry) = world().await;
    // Its last name; the storage name is in the token.
    let first = deleted(&front, "ada/app").await;
    front.api("ada", "DELETE", &first, NONE).await.is(204);
    let second = deleted(&front, "ada/app").await;
    front.api("ada", "DELETE", &second, NONE).await.is(204);
    // Its name is another's by now, or the former name of another.
    let third = deleted(&front, "ada/web").await;
    front
        .api("ada", "POST", "/repositories", json!({"name": "ada/web"}))
        .await
        .is(201);
    front.api("ada", "DELETE", &third, NONE).await.is(204);
    let asked = std::mem::take(&mut registry.lock().unwrap().asked);
    let id = |path: &str| path.rsplit('/').next().unwrap().to_owned();
    let expected = [
        ("ada/app".to_owned(), None),
        ("ada/app".to_owned(), Some(format!("portolan/{}", id(&second)))),
        (format!("portolan/{}", id(&third)), Some("ada/web".to_owned())),
    ];
    for ((path, token), (name, stored_as)) in asked.iter().zip(&expected) {
        assert_eq!(path, &format!("{name}/_portolan/content"));
        let access = &claims(token)["access"][0];
        assert_eq!(access["name"], name.as_str());
        assert_eq!(access["stored_as"].as_str(), stored_as.as_deref());
        assert_eq!(access["actions"], json!(["*"]));
    }
    assert_eq!(asked.len(), expected.len());
}

/// What ada's token for `actions` on a repository says.
async fn entry(front: &Front, name: &str, actions: &str) -> Value {
    entry_at(front, "localhost:5000", name, actions).await
}

async fn entry_at(front: &Front, service: &str, name: &str, actions: &str) -> Value {
    let query = format!("service={service}&scope=repository:{name}:{actions}");
    front.ada(&query).await.claims()["access"][0].clone()
}

#[tokio::test]
async fn what_lies_under_a_name_that_is_free_again_is_not_reached_by_the_name() {
    let (front, _) = world().await;
    let make = async |name: &str| {
        let made = front
            .api("ada", "POST", "/repositories", json!({"name": name}))
            .await
            .is(201);
        format!("/repositories/{}", made["id"].as_str().unwrap())
    };
    let rename = async |path: &str, name: &str| {
        let transfer = format!("{path}/transfer");
        front
            .api("ada", "POST", &transfer, json!({"name": name}))
            .await
            .is(200);
    };
    // Deleted; deleted after it was renamed; renamed, and whoever took its name deleted.
    deleted(&front, "ada/deleted").await;
    let path = make("ada/moved").await;
    rename(&path, "ada/gone").await;
    front.api("ada", "DELETE", &path, NONE).await.is(204);
    rename(&make("ada/lives").await, "ada/elsewhere").await;
    deleted(&front, "ada/lives").await;
    for name in ["ada/deleted", "ada/moved", "ada/lives"] {
        for actions in ["pull", "delete", "pull,delete"] {
            let entry = entry(&front, name, actions).await;
            assert_eq!(entry["stored_as"], "portolan/0", "{name} {actions}");
        }
    }
    // A stock registry goes by the name alone.
    let stock = async |name: &str| entry_at(&front, "stock", name, "pull,push,delete").await;
    for name in ["ada/deleted", "ada/moved", "ada/lives"] {
        assert_eq!(stock(name).await, NONE, "{name}");
        let pushed = entry(&front, name, "pull,push").await["stored_as"].clone();
        let pushed = pushed.as_str().unwrap();
        assert!(
            pushed.starts_with("portolan/") && pushed != "portolan/0",
            "{name}: {pushed}"
        );
        assert_eq!(entry(&front, name, "pull").await["stored_as"], pushed, "{name}");
        assert_eq!(stock(name).await, NONE, "{name}");
    }
    assert_ne!(stock("ada/elsewhere").await, NONE);
    // A name that nothing ever had, and one that is the former name of what lies there.
    assert_eq!(entry(&front, "ada/never", "pull").await["stored_as"], NONE);
    rename(&make("ada/before").await, "ada/after").await;
    assert_eq!(entry(&front, "ada/before", "pull").await["stored_as"], NONE);
    assert_eq!(
        entry(&front, "ada/after", "pull").await["stored_as"],
        "ada/before"
    );
}
