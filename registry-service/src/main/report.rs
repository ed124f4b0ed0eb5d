//! Telling the index how the collection of garbage goes, where the configuration names one: as well as it can be told. The
//! collection never waits for it, and never fails because of it.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::StatusCode;
use http::header::CONTENT_TYPE;
use registry_service::notification::Endpoint;
use registry_service::registry::garbage::Finding;
use serde_json::{Value, json};
use shared::causes::in_one_line;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// Where an index is told.
const WORK: &str = "/events/work";
/// Between two reports.
const INTERVAL: Duration = Duration::from_secs(2);
/// Longest wait for an answer, so also for the last one.
const PATIENCE: Duration = Duration::from_secs(2);
/// Longest sentence that is told, in characters.
const LONGEST: usize = 300;

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Progress {
    phase: &'static str,
    unit: &'static str,
    done: u64,
    total: Option<u64>,
}

/// How it ended.
#[derive(Debug)]
pub(crate) struct End {
    /// `done`, `failed` or `stopped`.
    pub(crate) outcome: &'static str,
    /// Bytes that were freed, or would be.
    pub(crate) bytes: Option<u64>,
    /// A sentence about it.
    pub(crate) message: String,
}

/// Tells how far it is while it goes on.
pub(crate) struct Teller {
    progress: Arc<Mutex<Progress>>,
    /// The task that tells; none where nobody is told.
    task: Option<(oneshot::Sender<End>, JoinHandle<()>)>,
}

impl Teller {
    /// Begins to tell the endpoint that is an index, if one is. `run` is random; `configuration` is what the command was given.
    pub(crate) fn start(
        endpoints: &[Endpoint],
        configuration: &Path,
        is_rehearsal: bool,
        run: [u8; 16],
    ) -> Self {
        let progress = Arc::new(Mutex::new(Progress {
            phase: "marking",
            unit: "manifests",
            done: 0,
            total: None,
        }));
        let index = endpoints.iter().find(|endpoint| endpoint.is_index);
        let task = index.and_then(|endpoint| {
            let client = match endpoint.client(PATIENCE.min(endpoint.timeout)) {
                Ok(client) => client,
                Err(error) => {
                    // Without its URL, which may hold a password.
                    untold(&in_one_line(&error.without_url()));
                    return None;
                }
            };
            let sender = Sender {
                client,
                endpoint: endpoint.clone(),
                run: format!("{:032x}", u128::from_be_bytes(run)),
                configuration: configuration.display().to_string(),
                is_rehearsal,
                began: Instant::now(),
                sequence: 0,
                state: State::Well,
            };
            let (end, ended) = oneshot::channel();
            Some((end, tokio::spawn(tell(sender, Arc::clone(&progress), ended))))
        });
        Self { progress, task }
    }

    /// Counts what was found.
    pub(crate) fn found(&self, finding: &Finding<'_>) {
        let mut progress = lock(&self.progress);
        match finding {
            Finding::Manifest(..) | Finding::EligibleBlob(_) => progress.done += 1,
            Finding::Marked(collection) => {
                *progress = Progress {
                    phase: "sweeping",
                    unit: "blobs",
                    done: 0,
                    total: Some(collection.blobs),
                };
            }
            Finding::Repository(_)
            | Finding::Blob(..)
            | Finding::Missing(..)
            | Finding::EligibleManifest(..)
            | Finding::EligibleLink(..) => {}
        }
    }

    /// Tells the end, for as long as one answer may take.
    pub(crate) async fn end(self, end: End) {
        if let Some((sender, task)) = self.task
            && sender.send(end).is_ok()
        {
            // A task that panicked tells nobody; nothing hangs on it.
            let _ = task.await;
        }
    }
}

/// Whether the index takes what it is told.
#[derive(Debug, PartialEq, Eq)]
enum State {
    /// As far as it is known.
    Well,
    /// Not the last time; it may be back.
    Away,
    /// It does not know such reports, or does not know us: it is not asked again.
    Refused,
}

/// Whoever sends the reports.
struct Sender {
    client: reqwest::Client,
    endpoint: Endpoint,
    run: String,
    configuration: String,
    is_rehearsal: bool,
    began: Instant,
    sequence: u64,
    state: State,
}

async fn tell(mut sender: Sender, progress: Arc<Mutex<Progress>>, mut ended: oneshot::Receiver<End>) {
    loop {
        let now = *lock(&progress);
        let round = async {
            sender.send(now, None).await;
            tokio::time::sleep(INTERVAL).await;
        };
        let end = tokio::select! {
            end = &mut ended => Some(end),
            () = round => None,
        };
        let Some(end) = end else { continue };
        // Without an end, whoever would tell it is gone.
        if let Ok(end) = end {
            let last = *lock(&progress);
            sender.send(last, Some(&end)).await;
        }
        return;
    }
}

impl Sender {
    async fn send(&mut self, progress: Progress, end: Option<&End>) {
        if self.state == State::Refused {
            return;
        }
        self.sequence += 1;
        let mut request = self
            .client
            .post(self.endpoint.beside(WORK))
            .header(CONTENT_TYPE, "application/json");
        for (name, value) in &self.endpoint.headers {
            request = request.header(name, value);
        }
        let body = self.report(progress, end).to_string();
        let (state, why) = match request.body(body).send().await {
            Ok(answer) if answer.status().is_success() => (State::Well, String::new()),
            Ok(answer) if is_for_good(answer.status()) => (State::Refused, answer.status().to_string()),
            Ok(answer) => (State::Away, answer.status().to_string()),
            Err(error) => (State::Away, in_one_line(&error.without_url())),
        };
        // It is said once.
        if self.state == State::Well && state != State::Well {
            untold(&why);
        }
        if state == State::Refused || self.state == State::Well {
            self.state = state;
        }
    }

    fn report(&self, progress: Progress, end: Option<&End>) -> Value {
        let mut report = json!({
            "run": self.run,
            "sequence": self.sequence,
            "kind": "garbage_collection",
            "elapsed_ms": u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX),
            "subject": self.configuration,
            "phase": progress.phase,
            "unit": progress.unit,
            "done": progress.done,
            "total": progress.total,
            "is_rehearsal": self.is_rehearsal,
        });
        if let Some(end) = end {
            report["outcome"] = end.outcome.into();
            report["bytes"] = end.bytes.into();
            report["message"] = end.message.chars().take(LONGEST).collect::<String>().into();
        }
        report
    }
}

/// Whether asking again is no use.
fn is_for_good(status: StatusCode) -> bool {
    status.is_client_error()
        && status != StatusCode::TOO_MANY_REQUESTS
        && status != StatusCode::REQUEST_TIMEOUT
}

fn untold(why: &str) {
    tracing::warn!(
        why,
        "the index cannot be told how the collection of garbage goes; it goes on"
    );
}

fn lock(progress: &Mutex<Progress>) -> MutexGuard<'_, Progress> {
    progress.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::extract::State as Shared;
    use axum::routing::post;
    use http::header::AUTHORIZATION;
    use http::{HeaderMap, HeaderValue};
    use registry_service::notification::Version;
    use registry_service::registry::garbage::Collection;

    use super::*;

    type Told = Arc<Mutex<Vec<(HeaderMap, Value)>>>;

    fn endpoint(url: &str, is_index: bool) -> Endpoint {
        Endpoint {
            name: "index".to_owned(),
            url: url.parse().unwrap(),
            headers: vec![(AUTHORIZATION, HeaderValue::from_static("Bearer secret"))],
            timeout: Duration::from_secs(10),
            threshold: 3,
            backoff: Duration::from_secs(1),
            ignored_media_types: Vec::new(),
            ignored_actions: Vec::new(),
            version: Version::V2,
            batch: 1,
            max_events: 10,
            max_age: Duration::from_secs(10),
            max_dead_letters: 10,
            max_pulls: 10,
            is_index,
        }
    }

    async fn take(Shared(told): Shared<Told>, headers: HeaderMap, body: String) -> StatusCode {
        let report = serde_json::from_str(&body).unwrap();
        told.lock().unwrap().push((headers, report));
        StatusCode::NO_CONTENT
    }

    /// An index on this machine, and what it is told.
    async fn index() -> (String, Told) {
        let told = Told::default();
        let router = Router::new()
            .route(WORK, post(take))
            .with_state(Arc::clone(&told));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/events/registry", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (url, told)
    }

    fn done() -> End {
        End {
            outcome: "done",
            bytes: Some(12),
            message: "2 manifests".to_owned(),
        }
    }

    #[tokio::test]
    async fn the_index_is_told_how_it_ended_with_the_secret_and_rising_numbers() {
        let (url, told) = index().await;
        let endpoints = [endpoint("http://other.invalid/", false), endpoint(&url, true)];
        let teller = Teller::start(&endpoints, Path::new("/srv/config.yml"), true, [10; 16]);
        let collection = Collection {
            blobs: 2,
            ..Collection::default()
        };
        teller.found(&Finding::Marked(&collection));
        teller.found(&Finding::EligibleBlob(&shared::oci::Digest::of(
            shared::oci::Algorithm::Sha256,
            b"a",
        )));
        teller.end(done()).await;
        let told = told.lock().unwrap();
        let (headers, last) = told.last().unwrap();
        assert_eq!(headers[AUTHORIZATION], "Bearer secret");
        assert_eq!(last["run"], "0a".repeat(16));
        assert_eq!(
            (&last["kind"], &last["outcome"]),
            (&json!("garbage_collection"), &json!("done"))
        );
        assert_eq!(
            (&last["phase"], &last["unit"]),
            (&json!("sweeping"), &json!("blobs"))
        );
        assert_eq!(
            (&last["done"], &last["total"], &last["bytes"]),
            (&json!(1), &json!(2), &json!(12))
        );
        assert_eq!(
            (&last["subject"], &last["is_rehearsal"]),
            (&json!("/srv/config.yml"), &json!(true))
        );
        let numbers: Vec<u64> = told
            .iter()
            .filter_map(|(_, report)| report["sequence"].as_u64())
            .collect();
        assert!(numbers.is_sorted() && numbers.len() == told.len(), "{numbers:?}");
    }

    #[tokio::test]
    async fn an_index_that_is_away_or_unknown_changes_nothing() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let closed = format!("http://{}/events/registry", listener.local_addr().unwrap());
        drop(listener);
        let (open, _) = index().await;
        for endpoints in [
            vec![],
            vec![endpoint(&open, false)],
            vec![endpoint(&closed, true)],
            vec![endpoint(
                &open.replace("/events/registry", "/elsewhere/events/registry"),
                true,
            )],
        ] {
            let teller = Teller::start(&endpoints, Path::new("/c"), false, [0; 16]);
            teller.end(done()).await;
        }
    }

    #[test]
    fn an_index_is_not_asked_again_that_does_not_know_such_reports() {
        for (status, for_good) in [
            (404, true),
            (401, true),
            (429, false),
            (408, false),
            (503, false),
            (204, false),
        ] {
            assert_eq!(
                is_for_good(StatusCode::from_u16(status).unwrap()),
                for_good,
                "{status}"
            );
        }
    }
}
