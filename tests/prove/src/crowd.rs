//! Clients that do what they came for, and time it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use harness::archive::digest;
use harness::command::RUNTIME;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsConnector;

use crate::Random;
use crate::raw::{Answer, Connection, Stream};

/// Longest wait for one answer.
const PATIENCE: Duration = Duration::from_mins(2);
/// Between two rounds.
const PAUSE: Duration = Duration::from_millis(20);
/// Bytes of a blob that is pushed.
const PUSHED_BYTES: usize = 20_000;

/// What all of them found.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    stop: AtomicBool,
    times: Mutex<Vec<Duration>>,
    faults: Mutex<Vec<String>>,
    busy: Mutex<u64>,
}

/// How clients come in.
#[derive(Clone)]
pub(crate) struct Door {
    pub(crate) port: u16,
    pub(crate) tls: Option<TlsConnector>,
}

impl Door {
    pub(crate) async fn open(&self) -> Result<Connection> {
        let stream = match &self.tls {
            None => Stream::connect(self.port).await.context("connect")?,
            Some(connector) => Stream::secured(self.port, connector).await?,
        };
        Ok(Connection::over(stream))
    }
}

/// Some clients at work.
#[derive(Debug)]
pub(crate) struct Crowd {
    findings: Arc<Findings>,
    clients: Vec<JoinHandle<()>>,
}

/// What their work showed.
#[derive(Debug)]
pub(crate) struct Report {
    /// How long each request took, in order of length.
    pub(crate) times: Vec<Duration>,
    /// Uploads that were told to come again.
    pub(crate) busy: u64,
    pub(crate) faults: Vec<String>,
}

impl Crowd {
    /// Sets them to work: each reads these paths over a connection that it keeps, and pushes a blob over a new one.
    pub(crate) fn begin(clients: usize, door: &Door, paths: &Arc<Vec<String>>, random: &mut Random) -> Self {
        let findings = Arc::new(Findings::default());
        let clients = (0..clients).map(|_| {
            let client = Client {
                door: door.clone(),
                paths: Arc::clone(paths),
                random: Random::new(random.next()),
                findings: Arc::clone(&findings),
                kept: None,
            };
            RUNTIME.spawn(client.work())
        });
        Self {
            clients: clients.collect(),
            findings,
        }
    }

    /// How many requests have been answered.
    pub(crate) fn answered(&self) -> usize {
        lock(&self.findings.times).len()
    }

    /// Ends their work.
    pub(crate) async fn end(self) -> Report {
        self.findings.stop.store(true, Ordering::SeqCst);
        for client in self.clients {
            if let Err(error) = client.await {
                lock(&self.findings.faults).push(error.to_string());
            }
        }
        let mut times = std::mem::take(&mut *lock(&self.findings.times));
        times.sort_unstable();
        Report {
            times,
            busy: *lock(&self.findings.busy),
            faults: std::mem::take(&mut *lock(&self.findings.faults)),
        }
    }
}

impl Report {
    /// The time that this share of all requests (in percent) did not exceed.
    pub(crate) fn percentile(&self, percent: usize) -> Duration {
        let place = self.times.len() * percent / 100;
        self.times.get(place).copied().unwrap_or_default()
    }
}

struct Client {
    door: Door,
    paths: Arc<Vec<String>>,
    random: Random,
    findings: Arc<Findings>,
    kept: Option<Connection>,
}

impl Client {
    async fn work(mut self) {
        while !self.findings.stop.load(Ordering::SeqCst) {
            if let Err(error) = self.round().await {
                lock(&self.findings.faults).push(format!("{error:#}"));
                self.kept = None;
            }
            sleep(PAUSE).await;
        }
    }

    async fn round(&mut self) -> Result<()> {
        for path in self.paths.iter() {
            let mut connection = match self.kept.take() {
                Some(kept) => kept,
                None => self.door.open().await?,
            };
            let begun = Instant::now();
            let answer = within(connection.ask("GET", path, "Accept: */*\r\n", b""))
                .await
                .with_context(|| format!("GET {path}"))?;
            lock(&self.findings.times).push(begun.elapsed());
            ensure!(answer.status == 200, "GET {path}: {}", answer.status);
            self.kept = (!answer.is_last()).then_some(connection);
        }
        self.push().await
    }

    async fn push(&mut self) -> Result<()> {
        let blob = self.random.bytes(PUSHED_BYTES);
        let path = format!("/v2/honest/blobs/uploads/?digest={}", digest(&blob));
        let begun = Instant::now();
        let mut connection = self.door.open().await?;
        let kind = "Content-Type: application/octet-stream\r\n";
        let answer = within(connection.ask("POST", &path, kind, &blob))
            .await
            .context("a push")?;
        match answer.status {
            201 => lock(&self.findings.times).push(begun.elapsed()),
            429 if answer.header("retry-after").is_some() => *lock(&self.findings.busy) += 1,
            status => bail!("a push: {status}"),
        }
        Ok(())
    }
}

async fn within(asked: impl Future<Output = Result<Answer>>) -> Result<Answer> {
    timeout(PATIENCE, asked).await.context("no answer")?
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
