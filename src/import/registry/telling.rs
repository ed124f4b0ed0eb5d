//! Telling the server how far the import is, so that its administrators see it: as well as it can be told. Nothing waits for it
//! or fails because of it.

use std::convert::Infallible;
use std::io::Write as _;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::{Either, select};
use http::Method;
use http::header::CONTENT_TYPE;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::endpoint::Endpoint;
use super::tally::Count;

/// Between two reports.
const INTERVAL: Duration = Duration::from_secs(2);
/// Longest wait for an answer, so also for the last one.
const PATIENCE: Duration = Duration::from_secs(2);

/// What the server is told.
pub(super) struct Telling<'a> {
    server: &'a Endpoint,
    /// What names the import: 32 hexadecimal digits.
    run: String,
    /// Where it comes from.
    source: String,
    /// The namespace or the repository that it goes to; none for several.
    about: Option<String>,
    is_rehearsal: bool,
    began: Instant,
    traffic: Arc<Count>,
    sequence: AtomicU64,
    /// Whether the server was found not to take it.
    is_refused: AtomicBool,
    step: Mutex<Step>,
}

/// What is being done.
#[derive(Debug, Clone, Copy)]
struct Step {
    phase: &'static str,
    done: u64,
    total: u64,
}

/// How it ended: `done`, `failed` or `stopped`, and a sentence.
pub(super) type End<'a> = (&'static str, &'a str);

impl<'a> Telling<'a> {
    /// Of an import that begins; `run` is random.
    pub(super) fn new(
        server: &'a Endpoint,
        (source, about): (String, Option<String>),
        is_rehearsal: bool,
        traffic: &Arc<Count>,
        run: [u8; 16],
    ) -> Self {
        Self {
            server,
            run: format!("{:032x}", u128::from_be_bytes(run)),
            source,
            about,
            is_rehearsal,
            began: Instant::now(),
            traffic: Arc::clone(traffic),
            sequence: AtomicU64::new(0),
            is_refused: AtomicBool::new(false),
            step: Mutex::new(Step {
                phase: "looking",
                done: 0,
                total: 0,
            }),
        }
    }

    /// Something else is done now, for so many repositories.
    pub(super) fn step(&self, phase: &'static str, total: usize) {
        *self.step.lock().unwrap_or_else(PoisonError::into_inner) = Step {
            phase,
            done: 0,
            total: total as u64,
        };
    }

    /// One repository more is done.
    pub(super) fn one(&self) {
        self.step.lock().unwrap_or_else(PoisonError::into_inner).done += 1;
    }

    /// Tells it every few seconds until `work` is done.
    pub(super) async fn beside<T>(&self, work: impl Future<Output = T>) -> T {
        let (tell, work) = (pin!(self.tell()), pin!(work));
        match select(work, tell).await {
            Either::Left((done, _)) => done,
            Either::Right((never, _)) => match never {},
        }
    }

    async fn tell(&self) -> Infallible {
        loop {
            self.send(None).await;
            tokio::time::sleep(INTERVAL).await;
        }
    }

    /// Tells how it ended, for as long as one answer may take.
    pub(super) async fn end(&self, end: End<'_>) {
        self.send(Some(end)).await;
    }

    async fn send(&self, end: Option<End<'_>>) {
        if self.is_refused.load(Ordering::Relaxed) {
            return;
        }
        let Err(why) = self.try_send(end).await else {
            return;
        };
        // A server of an earlier version does not know it; whoever is away may be back, but is not waited for again and again.
        self.is_refused.store(true, Ordering::Relaxed);
        let _ = writeln!(
            std::io::stderr(),
            "\r{} is not told how far the import is, which goes on: {why}",
            self.server.host()
        );
    }

    async fn try_send(&self, end: Option<End<'_>>) -> Result<(), String> {
        let account = self.server.account().ok_or("nobody has signed in")?;
        let request = self
            .server
            .api(Method::PUT, &format!("/work/{}", self.run))
            .map_err(|fault| fault.to_string())?
            .basic_auth(&account.name, Some(account.secret.expose()))
            .header(CONTENT_TYPE, "application/json")
            .timeout(PATIENCE)
            .body(self.report(end).to_string());
        match request.send().await {
            Ok(answer) if answer.status().is_success() => Ok(()),
            Ok(answer) => Err(answer.status().to_string()),
            Err(error) => Err(shared::causes::in_one_line(&error.without_url())),
        }
    }

    fn report(&self, end: Option<End<'_>>) -> Value {
        let step = *self.step.lock().unwrap_or_else(PoisonError::into_inner);
        let mut report = json!({
            "sequence": self.sequence.fetch_add(1, Ordering::Relaxed) + 1,
            "elapsed_ms": u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX),
            "about": self.about,
            "subject": self.source,
            "phase": step.phase,
            "unit": "repositories",
            "done": step.done,
            "total": step.total,
            "bytes": self.traffic.get(),
            "is_dry_run": self.is_rehearsal,
        });
        if let Some((outcome, message)) = end {
            report["outcome"] = outcome.into();
            report["message"] = message.into();
        }
        report
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::extract::State;
    use axum::routing::put;
    use http::StatusCode;
    use shared::runtime::clock::Clock;
    use shared::secret::Secret;

    use super::super::sign_in::Account;
    use super::*;

    type Told = Arc<Mutex<Vec<Value>>>;

    async fn take(State(told): State<Told>, body: String) -> StatusCode {
        told.lock().unwrap().push(serde_json::from_str(&body).unwrap());
        StatusCode::NO_CONTENT
    }

    async fn server(router: Router) -> Endpoint {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let (clock, _) = Clock::fixed(1_700_000_000_000);
        let account = Account {
            name: "ada".to_owned(),
            secret: Secret::new("secret".to_owned()),
        };
        Endpoint::new(&url, Some(account), Vec::new(), None, clock).unwrap()
    }

    fn telling<'a>(server: &'a Endpoint, traffic: &Arc<Count>) -> Telling<'a> {
        let about = Some("team".to_owned());
        Telling::new(
            server,
            ("harbor.example".to_owned(), about),
            false,
            traffic,
            [10; 16],
        )
    }

    #[tokio::test]
    async fn the_server_is_told_how_far_it_is_and_how_it_ended() {
        let told = Told::default();
        let path = format!("/api/v1/work/{}", "0a".repeat(16));
        let router = Router::new()
            .route(&path, put(take))
            .with_state(Arc::clone(&told));
        let server = server(router).await;
        let traffic = Arc::<Count>::default();
        let telling = telling(&server, &traffic);
        telling.step("copying", 3);
        telling.one();
        traffic.add(12);
        assert_eq!(telling.beside(async { 7 }).await, 7);
        telling.end(("failed", "1 of 3 repositories is not whole")).await;
        let told = told.lock().unwrap();
        let last = told.last().unwrap();
        assert_eq!(
            (&last["phase"], &last["done"], &last["total"]),
            (&json!("copying"), &json!(1), &json!(3))
        );
        assert_eq!(
            (&last["subject"], &last["about"]),
            (&json!("harbor.example"), &json!("team"))
        );
        assert_eq!((&last["bytes"], &last["outcome"]), (&json!(12), &json!("failed")));
        assert!(last["sequence"].as_u64().is_some_and(|number| number > 0));
    }

    #[tokio::test]
    async fn a_server_that_does_not_know_it_is_asked_once() {
        let server = server(Router::new()).await;
        let telling = telling(&server, &Arc::default());
        telling.end(("done", "")).await;
        assert!(telling.is_refused.load(Ordering::Relaxed));
        telling.end(("done", "")).await;
        assert_eq!(telling.sequence.load(Ordering::Relaxed), 1);
    }
}
