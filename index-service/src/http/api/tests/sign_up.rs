//! Accounts that people make for themselves: how many, and each once.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use shared::runtime::serve::PeerAddr;

use crate::app::fixture::Fixture;
use crate::app::sign_up::{SignUp, SignUpLimits};
use crate::http::testing::{Answer, Front, PASSWORD};
use crate::store::{Store, postgres_server};

const KEY: &str = "0123456789abcdef";

async fn site(store: Store, per_network: u32, site: u32) -> Front {
    let front = Front::over(Fixture::build(store, None, |settings| {
        settings.sign_up = SignUp::Open;
        settings.sign_up_limits = SignUpLimits { per_network, site };
    }))
    .await;
    front.administrator("root").await;
    front
}

async fn in_memory() -> Store {
    Store::open("sqlite::memory:").await.unwrap()
}

impl Front {
    /// Somebody at an address makes an account, perhaps under a key.
    async fn sign_up(&self, address: &str, key: Option<&str>, body: &Value) -> Answer {
        let mut request = http::Request::post("/api/v1/accounts").header("content-type", "application/json");
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        let mut request = request.body(body.to_string().into()).unwrap();
        let address: std::net::IpAddr = address.parse().unwrap();
        request
            .extensions_mut()
            .insert(PeerAddr(Some((address, 4000).into())));
        self.send(request).await
    }
}

fn person(name: &str) -> Value {
    json!({"name": name, "password": PASSWORD})
}

#[tokio::test]
async fn of_one_network_so_many_sign_up_within_an_hour_and_others_go_on() {
    let front = site(in_memory().await, 2, 4).await;
    front.sign_up("192.0.2.1", None, &person("one")).await.is(201);
    front.fixture.clock.advance(Duration::from_mins(1));
    // What makes no account is not counted.
    front.sign_up("192.0.2.1", None, &person("one")).await.is(409);
    front.sign_up("192.0.2.2", None, &person("X Y")).await.is(400);
    front.sign_up("192.0.2.200", None, &person("two")).await.is(201);
    let braked = front.sign_up("192.0.2.77", None, &person("three")).await;
    assert_eq!(braked.header("retry-after"), "3540");
    assert!(braked.is(429)["detail"].as_str().unwrap().contains("network"));
    front
        .sign_up("2001:db8:0:1::1", None, &person("three"))
        .await
        .is(201);
    front
        .sign_up("2001:db8:0:2::1", None, &person("four"))
        .await
        .is(201);
    // Now it is the whole site that has made enough.
    let braked = front.sign_up("198.51.100.1", None, &person("five")).await;
    assert!(braked.is(429)["detail"].as_str().unwrap().contains("here"));
    // Administrators make as many as they like.
    front
        .api("root", "POST", "/accounts", person("six"))
        .await
        .is(201);
    front.fixture.clock.advance(Duration::from_mins(59));
    front.sign_up("192.0.2.77", None, &person("five")).await.is(201);
    front.fixture.app.prune_sign_ups().await.unwrap();
    front.sign_up("192.0.2.77", None, &person("seven")).await.is(429);
}

#[tokio::test]
async fn whom_an_administrator_invited_is_not_counted_and_zero_bounds_nothing() {
    let front = site(in_memory().await, 1, 0).await;
    front.sign_up("192.0.2.1", None, &person("one")).await.is(201);
    front.sign_up("192.0.2.1", None, &person("two")).await.is(429);
    let invitation = front.api("root", "POST", "/invitations", json!({})).await.is(201);
    let invited = json!({"name": "two", "password": PASSWORD, "invitation": invitation["secret"]});
    front.sign_up("192.0.2.1", None, &invited).await.is(201);
    front
        .sign_up("198.51.100.1", None, &person("three"))
        .await
        .is(201);
}

async fn of_many_at_once_as_many_as_there_is_room_for(store: Store) {
    let front = site(store, 3, 0).await;
    let people: Vec<Value> = (0..8).map(|number| person(&format!("person-{number}"))).collect();
    let front = Arc::new(front);
    let mut tries = tokio::task::JoinSet::new();
    for person in people {
        let front = front.clone();
        tries.spawn(async move { front.sign_up("192.0.2.1", None, &person).await });
    }
    let answers = tries.join_all().await;
    let made = answers.iter().filter(|answer| answer.status == 201).count();
    let braked = answers.iter().filter(|answer| answer.status == 429).count();
    assert_eq!((made, braked), (3, 5));
}

#[tokio::test]
async fn of_many_at_once_as_many_sign_up_as_there_is_room_for() {
    of_many_at_once_as_many_as_there_is_room_for(in_memory().await).await;
    if let Some(store) = postgres_server::new_store().await {
        of_many_at_once_as_many_as_there_is_room_for(store.clone()).await;
        store.close().await;
    }
}

#[tokio::test]
async fn a_repeated_sign_up_has_the_same_answer_and_is_no_oracle() {
    let front = site(in_memory().await, 1, 0).await;
    let first = front.sign_up("192.0.2.1", Some(KEY), &person("one")).await;
    assert_eq!(first.is(201)["name"], "one");
    // From elsewhere too, since people move; the place of the network is used up by the first alone.
    for address in ["192.0.2.1", "198.51.100.1"] {
        let again = front.sign_up(address, Some(KEY), &person("one")).await;
        assert_eq!((again.status, &again.body), (first.status, &first.body));
        assert_eq!(again.header("idempotent-replayed"), "true");
    }
    let mut guess = person("one");
    guess["password"] = json!("another horse battery");
    let guessed = front.sign_up("198.51.100.1", Some(KEY), &guess).await.is(409);
    let unlike = front
        .sign_up("198.51.100.1", Some(KEY), &person("no-such"))
        .await
        .is(409);
    assert_eq!(guessed, unlike, "both are told the same");
    // Under another key it is another request.
    let other = format!("{KEY}-");
    front
        .sign_up("198.51.100.1", Some(&other), &person("one"))
        .await
        .is(409);
    front
        .sign_up("198.51.100.1", Some(&other), &person("two"))
        .await
        .is(201);
    let short = front
        .sign_up("203.0.113.1", Some("short"), &person("three"))
        .await;
    assert!(short.is(400)["detail"].as_str().unwrap().contains("16"));
    // The key of somebody who is signed in is another one.
    front
        .fixture
        .clock
        .advance(Duration::from_hours(24) + Duration::from_secs(1));
    front
        .sign_up("203.0.113.1", Some(KEY), &person("three"))
        .await
        .is(201);
}

#[tokio::test]
async fn a_sign_up_that_was_refused_may_be_asked_again_under_its_key_and_leaves_nothing() {
    let front = site(in_memory().await, 0, 0).await;
    front
        .sign_up(
            "192.0.2.1",
            Some(KEY),
            &json!({"name": "ada", "password": PASSWORD}),
        )
        .await
        .is(409);
    front
        .sign_up("192.0.2.1", Some(KEY), &json!({"name": "one", "password": "x"}))
        .await
        .is(400);
    front
        .sign_up("192.0.2.1", Some(KEY), &person("one"))
        .await
        .is(201);
    // Where a key says nothing it is in nobody's way.
    let request = http::Request::post("/api/v1/invitations/look")
        .header("content-type", "application/json")
        .header("idempotency-key", KEY);
    let body = json!({"invitation": "x"}).to_string();
    front.send(request.body(body.into()).unwrap()).await.is(404);
}
