//! Clients that repeat nothing: what goes wrong once is a violation.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use harness::archive::digest;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::{sleep, timeout};

use crate::Random;
use crate::raw::{Answer, Connection};

/// Longest wait for one answer.
const PATIENCE: Duration = Duration::from_mins(2);
/// Pieces of a slow transfer.
const PIECES: usize = 16;

/// What all clients count.
#[derive(Debug)]
pub(super) struct Counts {
    began: Instant,
    pub(super) stop: AtomicBool,
    pub(super) requests: AtomicU64,
    pub(super) connections: AtomicU64,
    /// Connections that the server closed while nothing was asked, which HTTP allows.
    pub(super) closed_idle: AtomicU64,
    /// Answers that said that they are the last.
    pub(super) farewells: AtomicU64,
    pub(super) uploads: AtomicU64,
    pub(super) downloads: AtomicU64,
    pub(super) faults: Mutex<Vec<String>>,
}

impl Counts {
    pub(super) fn new() -> Self {
        Self {
            began: Instant::now(),
            stop: AtomicBool::default(),
            requests: AtomicU64::default(),
            connections: AtomicU64::default(),
            closed_idle: AtomicU64::default(),
            farewells: AtomicU64::default(),
            uploads: AtomicU64::default(),
            downloads: AtomicU64::default(),
            faults: Mutex::default(),
        }
    }

    /// How many faults so far, and the last of them.
    pub(super) fn faulty(&self) -> (usize, String) {
        let faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        (faults.len(), faults.last().cloned().unwrap_or_default())
    }

    /// Since the clients began: faults and restarts are told with it.
    pub(super) fn seconds(&self) -> f64 {
        self.began.elapsed().as_secs_f64()
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }

    fn fault(&self, text: &str) {
        self.faults
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(format!("after {:.1} s: {text}", self.seconds()));
    }

    fn add(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::SeqCst);
    }
}

/// A client with one connection at a time.
pub(super) struct Client {
    port: u16,
    counts: Arc<Counts>,
    random: Random,
    /// Between two pieces of a slow transfer.
    rest: Duration,
    connection: Option<Connection>,
    /// Answers over this connection so far, and when it was opened.
    answers: u64,
    opened: Instant,
}

impl Client {
    pub(super) fn new(port: u16, counts: &Arc<Counts>, random: Random, rest: Duration) -> Self {
        Self {
            port,
            counts: Arc::clone(counts),
            random,
            rest,
            connection: None,
            answers: 0,
            opened: Instant::now(),
        }
    }

    /// The connection, or a new one where the server has ended it between two requests.
    async fn connection(&mut self) -> Result<&mut Connection> {
        if self
            .connection
            .as_ref()
            .is_some_and(|connection| !connection.is_quiet())
        {
            Counts::add(&self.counts.closed_idle);
            self.connection = None;
        }
        if self.connection.is_none() {
            Counts::add(&self.counts.connections);
            self.answers = 0;
            self.opened = Instant::now();
            self.connection = Some(Connection::open(self.port).await.context("connect")?);
        }
        self.connection.as_mut().context("a connection")
    }

    async fn ask(&mut self, method: &str, path: &str, headers: &str, body: &[u8]) -> Result<Answer> {
        let connection = self.connection().await?;
        let began = Instant::now();
        let asked = timeout(PATIENCE, connection.ask(method, path, headers, body)).await;
        let answer = asked.context("no answer")?.with_context(|| {
            let (took, age) = (began.elapsed().as_millis(), self.opened.elapsed().as_millis());
            let answers = self.answers;
            format!("{method} {path}, {took} ms after it was sent, {age} ms after the connection began, {answers} answers before")
        })?;
        Ok(self.take_note(answer))
    }

    fn take_note(&mut self, answer: Answer) -> Answer {
        Counts::add(&self.counts.requests);
        self.answers += 1;
        if answer.is_last() {
            Counts::add(&self.counts.farewells);
            self.connection = None;
        }
        answer
    }

    /// Small requests with pauses, until told to stop.
    pub(super) async fn browse(mut self, paths: Arc<Vec<String>>, pause: Duration) {
        while !self.counts.stopped() {
            let path = &paths[usize::try_from(self.random.below(paths.len() as u64)).unwrap_or(0)];
            match self.ask("GET", path, "Accept: */*\r\n", b"").await {
                Ok(answer) if answer.status == 200 => {}
                Ok(answer) => self.counts.fault(&format!("GET {path}: {}", answer.status)),
                Err(error) => {
                    self.counts.fault(&format!("{error:#}"));
                    self.connection = None;
                }
            }
            let millis = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
            sleep(Duration::from_millis(self.random.below(millis))).await;
        }
    }

    /// Slow uploads one after the other; each goes on over whichever replica the next connection leads to.
    pub(super) async fn upload(mut self) {
        while !self.counts.stopped() {
            match self.upload_once().await {
                Ok(()) => Counts::add(&self.counts.uploads),
                Err(error) => {
                    self.counts.fault(&format!("an upload: {error:#}"));
                    self.connection = None;
                }
            }
        }
    }

    async fn upload_once(&mut self) -> Result<()> {
        let blob = Bytes::from(self.random.bytes(64 << 10));
        let rest = self.rest;
        let begun = self.ask("POST", "/v2/rolling/blobs/uploads/", "", b"").await?;
        ensure!(begun.status == 202, "POST: {}", begun.status);
        let mut location = begun.header("location").context("no location")?.to_owned();
        let half = blob.len() / 2;
        for part in [&blob[..half], &blob[half..]] {
            // A new connection each time: most likely the other replica.
            self.connection = None;
            let head = format!(
                "PATCH {location} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/octet-stream\r\n\
                 Content-Length: {}\r\n\r\n",
                part.len()
            );
            let connection = self.connection().await?;
            connection
                .stream()
                .write_all(head.as_bytes())
                .await
                .context("PATCH")?;
            for piece in part.chunks(part.len().div_ceil(PIECES)) {
                connection
                    .stream()
                    .write_all(piece)
                    .await
                    .context("within a PATCH")?;
                sleep(rest).await;
            }
            let answer = timeout(PATIENCE, connection.answer(false))
                .await
                .context("no answer")??;
            let answer = self.take_note(answer);
            ensure!(answer.status == 202, "PATCH: {}", answer.status);
            answer
                .header("location")
                .context("no location")?
                .clone_into(&mut location);
        }
        self.connection = None;
        let join = if location.contains('?') { '&' } else { '?' };
        let path = format!("{location}{join}digest={}", digest(&blob));
        let ended = self.ask("PUT", &path, "", b"").await?;
        ensure!(ended.status == 201, "PUT: {}", ended.status);
        Ok(())
    }

    /// Slow downloads one after the other.
    pub(super) async fn download(mut self, path: String, name: String, length: usize) {
        while !self.counts.stopped() {
            match self.download_once(&path, &name, length).await {
                Ok(()) => Counts::add(&self.counts.downloads),
                Err(error) => self.counts.fault(&format!("a download: {error:#}")),
            }
            self.connection = None;
        }
    }

    async fn download_once(&mut self, path: &str, name: &str, length: usize) -> Result<()> {
        let rest = self.rest;
        self.connection = None;
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        let connection = self.connection().await?;
        connection.stream().write_all(request.as_bytes()).await?;
        let mut read = Vec::with_capacity(length + 4096);
        let mut piece = vec![0; length / PIECES];
        let start = loop {
            let took = connection.stream().read(&mut piece).await?;
            ensure!(took > 0, "cut off after {} bytes", read.len());
            read.extend_from_slice(&piece[..took]);
            if let Some(at) = read.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
        };
        ensure!(read.starts_with(b"HTTP/1.1 200 "), "not 200");
        let mut rested = 0;
        while read.len() < start + length {
            let took = connection.stream().read(&mut piece).await?;
            ensure!(took > 0, "cut off after {} of {length} bytes", read.len() - start);
            read.extend_from_slice(&piece[..took]);
            if read.len() / piece.len() > rested {
                rested = read.len() / piece.len();
                sleep(rest).await;
            }
        }
        ensure!(digest(&read[start..]) == name, "other bytes than asked for");
        Counts::add(&self.counts.requests);
        Ok(())
    }
}
