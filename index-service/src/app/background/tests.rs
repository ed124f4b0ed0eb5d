use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use http::{HeaderMap, StatusCode};
use shared::oci::RepositoryName;
use shared::secret::Secret;
use shared::token::Claims;

use crate::app::fixture::Fixture;
use crate::domain::{AccountId, Ceiling, RepositoryState};
use crate::registry_client::RegistryClient;
use crate::store::{Store, repository};

/// A registry that holds what it is told to and remembers what it was asked with.
#[derive(Default)]
struct Registry {
    holds: Vec<&'static str>,
    broken: bool,
    asked: Vec<(String, String)>,
}

type Shared = Arc<Mutex<Registry>>;

async fn tags(State(registry): State<Shared>, Path(rest): Path<String>, headers: HeaderMap) -> StatusCode {
    let mut registry = registry.lock().unwrap();
    let name = rest.strip_suffix("/tags/list").unwrap().to_owned();
    let token = headers["authorization"]
        .to_str()
        .unwrap()
        .strip_prefix("Bearer ")
        .unwrap()
        .to_owned();
    let held = registry.holds.contains(&name.as_str());
    registry.asked.push((name, token));
    match (registry.broken, held) {
        (true, _) => StatusCode::SERVICE_UNAVAILABLE,
        (false, true) => StatusCode::OK,
        (false, false) => StatusCode::NOT_FOUND,
    }
}

/// The use cases, asking a registry on a port of its own.
async fn world() -> (Fixture, Shared) {
    let registry = Shared::default();
    let router = Router::new()
        .route("/v2/{*rest}", get(tags))
        .with_state(registry.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let client = RegistryClient::new(&url).unwrap();
    let store = Store::open("sqlite::memory:").await.unwrap();
    let fixture = Fixture::build(store, Some(client), |_| {});
    (fixture, registry)
}

fn name(text: &str) -> RepositoryName {
    text.parse().unwrap()
}

async fn reserve(fixture: &Fixture, names: &[&str]) -> AccountId {
    let password = Secret::new("correct horse battery".to_owned());
    let ada = fixture.app.create_account("ada", password).await.unwrap();
    for text in names {
        fixture
            .app
            .reserve(&ada.principal(Ceiling::Full), &name(text))
            .await
            .unwrap();
    }
    ada.account_id
}

async fn is_active(fixture: &Fixture, text: &str) -> bool {
    let mut tx = fixture.store.read().await.unwrap();
    let facts = repository::find_repository(&mut tx, &name(text)).await.unwrap();
    facts.unwrap().state == RepositoryState::Active
}

#[tokio::test]
async fn a_pending_repository_is_confirmed_once_the_registry_holds_it() {
    let (fixture, registry) = world().await;
    reserve(&fixture, &["ada/one", "ada/two"]).await;
    registry.lock().unwrap().holds = vec!["ada/two"];
    fixture.app.confirm_pending().await;
    assert!(!is_active(&fixture, "ada/one").await);
    assert!(is_active(&fixture, "ada/two").await);
    registry.lock().unwrap().asked.clear();
    fixture.app.confirm_pending().await;
    let asked: Vec<String> = registry
        .lock()
        .unwrap()
        .asked
        .iter()
        .map(|(name, _)| name.clone())
        .collect();
    assert_eq!(asked, ["ada/one"], "what is confirmed is not asked for again");
}

#[tokio::test]
async fn the_index_asks_with_a_token_for_a_pull_of_that_repository_alone() {
    let (fixture, registry) = world().await;
    reserve(&fixture, &["ada/one"]).await;
    fixture.app.confirm_pending().await;
    let token = registry.lock().unwrap().asked[0].1.clone();
    let claims: Claims = fixture
        .app
        .keys
        .signer()
        .verify(&token, fixture.app.clock.now_s())
        .unwrap();
    let scopes: Vec<String> = claims
        .access
        .iter()
        .map(|entry| format!("{} {}", entry.resource.name(), entry.actions))
        .collect();
    assert_eq!(
        (claims.sub.as_str(), claims.aud.as_str()),
        ("@index", "localhost:5000")
    );
    assert_eq!(scopes, ["ada/one pull"]);
}

#[tokio::test]
async fn a_registry_that_is_away_ends_the_round_and_confirms_nothing() {
    let (fixture, registry) = world().await;
    reserve(&fixture, &["ada/one", "ada/two"]).await;
    registry.lock().unwrap().broken = true;
    fixture.app.confirm_pending().await;
    assert_eq!(registry.lock().unwrap().asked.len(), 1);
    assert!(!is_active(&fixture, "ada/one").await);
}

#[tokio::test]
async fn more_pending_repositories_than_a_batch_are_all_looked_at() {
    let (fixture, registry) = world().await;
    // Fifty for each account.
    for account in 0..3 {
        let password = Secret::new("correct horse battery".to_owned());
        let owner = format!("owner{account}");
        let owned = fixture.app.create_account(&owner, password).await.unwrap();
        for i in 0..50 {
            let repository = name(&format!("{owner}/r{i}"));
            fixture
                .app
                .reserve(&owned.principal(Ceiling::Full), &repository)
                .await
                .unwrap();
        }
    }
    fixture.app.confirm_pending().await;
    assert_eq!(registry.lock().unwrap().asked.len(), 150);
}

#[tokio::test]
async fn the_background_work_ends_when_it_is_told_to() {
    let (fixture, _) = world().await;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let app = fixture.app.clone();
    let work = tokio::spawn(async move {
        app.background(async {
            let _ = stopped.await;
        })
        .await;
    });
    drop(stop);
    work.await.unwrap();
}
