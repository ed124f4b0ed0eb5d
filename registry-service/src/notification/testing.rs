//! Endpoints and a receiver for tests.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use http::{HeaderMap, StatusCode};

use super::event::Event;
use super::{Endpoint, Random, Version};

/// An endpoint as it is configured by default, only quicker.
pub(super) fn endpoint(name: &str, url: &str) -> Endpoint {
    Endpoint {
        name: name.to_owned(),
        url: url.parse().unwrap(),
        headers: Vec::new(),
        timeout: Duration::from_secs(30),
        threshold: 2,
        backoff: Duration::from_millis(20),
        ignored_media_types: Vec::new(),
        ignored_actions: Vec::new(),
        version: Version::V2,
        batch: 1,
        max_events: 1_000,
        max_age: Duration::from_hours(168),
        max_dead_letters: 100,
        max_pulls: 100,
        is_index: false,
    }
}

/// Bytes that differ each time.
pub(super) fn random() -> Random {
    let count = Mutex::new(0_u128);
    Arc::new(move || {
        let mut count = count.lock().unwrap();
        *count += 1;
        count.to_be_bytes()
    })
}

/// What accepts events, or answers as it is told.
#[derive(Clone, Default)]
pub(super) struct Receiver(Arc<Mutex<Received>>);

#[derive(Default)]
struct Received {
    events: Vec<Event>,
    requests: Vec<(HeaderMap, usize)>,
    /// Statuses of the next answers.
    answers: VecDeque<StatusCode>,
    /// Events of these repositories are answered with 400.
    refused: Vec<String>,
    is_hanging: bool,
}

impl Receiver {
    /// A receiver and its URL.
    pub(super) async fn start() -> (Self, String) {
        let receiver = Self::default();
        let router = Router::new().fallback(receive).with_state(receiver.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (receiver, url)
    }

    pub(super) fn answer(&self, statuses: impl IntoIterator<Item = StatusCode>) {
        self.0.lock().unwrap().answers.extend(statuses);
    }

    pub(super) fn refuse(&self, repositories: &[&str]) {
        self.0.lock().unwrap().refused = repositories.iter().map(|&name| name.to_owned()).collect();
    }

    pub(super) fn hang(&self) {
        self.0.lock().unwrap().is_hanging = true;
    }

    /// What was accepted.
    pub(super) fn events(&self) -> Vec<Event> {
        self.0.lock().unwrap().events.clone()
    }

    /// Headers of all requests, with the count of their events.
    pub(super) fn requests(&self) -> Vec<(HeaderMap, usize)> {
        self.0.lock().unwrap().requests.clone()
    }
}

async fn receive(State(receiver): State<Receiver>, headers: HeaderMap, body: bytes::Bytes) -> StatusCode {
    let document: serde_json::Value = serde_json::from_slice(&body).unwrap();
    let events: Vec<Event> = serde_json::from_value(document["events"].clone()).unwrap();
    let is_hanging = {
        let mut received = receiver.0.lock().unwrap();
        received.requests.push((headers, events.len()));
        received.is_hanging
    };
    if is_hanging {
        std::future::pending::<()>().await;
    }
    let mut received = receiver.0.lock().unwrap();
    let refuses = |event: &Event| received.refused.contains(&event.target.repository);
    if events.iter().any(refuses) {
        return StatusCode::BAD_REQUEST;
    }
    let status = received.answers.pop_front().unwrap_or(StatusCode::OK);
    if status.is_success() || status.is_redirection() {
        received.events.extend(events);
    }
    status
}

/// Waits for what happens in the background.
pub(super) async fn eventually(what: &str, holds: impl AsyncFn() -> bool) {
    let begun = Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < Duration::from_mins(1), "{what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
