//! One trial: requests while a system call may fail, each answer judged.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, anyhow};
use bytes::Bytes;
use harness::command::RUNTIME;
use harness::process::wait_for;
use http::{HeaderMap, Method};
use serde_json::Value;

use crate::Verdict;
use crate::fault::{Call, Errno, Fault};

/// No answer within this time is a hang.
const PATIENCE: Duration = Duration::from_mins(1);
/// The index's background work says within this time that it has failed.
const SAYING: Duration = Duration::from_secs(10);
/// What it says then.
const SAID: [&str; 4] = [
    "could not",
    "events cannot be delivered",
    "the receiver refuses an event",
    "events wait in the storage",
];
/// Lines of the log that go with a violation.
const LINES_SHOWN: usize = 5;
/// Attempts at one step: the fault fires once, so the second must succeed; the third tells a fault that stays.
const ATTEMPTS: usize = 3;

/// A request.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) method: Method,
    pub(super) url: String,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Bytes,
}

/// An answer that has come whole.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// Whether the body is the specification's: a list of errors with codes.
    fn is_clear(&self) -> bool {
        self.json()["errors"][0]["code"]
            .as_str()
            .is_some_and(|code| !code.is_empty())
    }
}

/// How a request ended without an answer.
enum Broken {
    Hung,
    NoAnswer(String),
    /// The body broke off: all that is left when reading fails in its middle.
    Body,
}

/// Sends a request on a connection of its own kind, and waits for all of the answer.
fn send(http: &reqwest::Client, request: &Request) -> Result<Answer, Broken> {
    let Request {
        method,
        url,
        headers,
        body,
    } = request.clone();
    let mut builder = http.request(method, url).timeout(PATIENCE).body(body);
    for (name, value) in headers {
        builder = builder.header(name, value);
    }
    let broken = |error: &reqwest::Error| {
        if error.is_timeout() {
            Broken::Hung
        } else {
            Broken::NoAnswer(format!("{error:?}"))
        }
    };
    RUNTIME.block_on(async {
        let response = builder.send().await.map_err(|error| broken(&error))?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.bytes().await.map_err(|error| match broken(&error) {
            Broken::NoAnswer(_) => Broken::Body,
            hung => hung,
        })?;
        Ok(Answer {
            status,
            headers,
            body,
        })
    })
}

/// A request outside of any trial.
pub(super) fn ask(http: &reqwest::Client, request: &Request) -> Result<Answer> {
    send(http, request).map_err(|broken| match broken {
        Broken::Hung => anyhow!("{}: no answer", request.url),
        Broken::NoAnswer(error) => anyhow!("{}: {error}", request.url),
        Broken::Body => anyhow!("{}: the body broke off", request.url),
    })
}

/// Judges.
pub(super) struct Trial<'a> {
    fault: &'a Fault,
    verdict: &'a mut Verdict,
    position: String,
    error: Errno,
    /// Faults before the present attempt.
    before: u64,
    /// The server's log, and its length when the trial began.
    log: (PathBuf, usize),
}

impl<'a> Trial<'a> {
    pub(super) fn new(
        fault: &'a Fault,
        log: &Path,
        verdict: &'a mut Verdict,
        position: String,
        error: Errno,
    ) -> Result<Self> {
        let length = usize::try_from(std::fs::metadata(log)?.len())?;
        Ok(Self {
            fault,
            verdict,
            position,
            error,
            before: 0,
            log: (log.to_owned(), length),
        })
    }

    /// Repeats a step until it is acknowledged. `None`: it never was, which is a violation.
    pub(super) fn step<T>(
        &mut self,
        name: &str,
        mut attempt: impl FnMut(&mut Self) -> Result<Option<T>>,
    ) -> Result<Option<T>> {
        for _ in 0..ATTEMPTS {
            self.before = self.fault.failed()?;
            if let Some(done) = attempt(self)? {
                return Ok(Some(done));
            }
            self.verdict.count("failed_attempts", 1);
            if self.fault.failed()? == self.before {
                self.violation(&format!("{name} failed though nothing failed below it"))?;
            }
        }
        self.violation(&format!("{name} does not work any more"))?;
        Ok(None)
    }

    /// One request that shall be answered with this status. `None`: it failed, in a way that is judged here.
    pub(super) fn ask(
        &mut self,
        http: &reqwest::Client,
        request: &Request,
        status: u16,
    ) -> Result<Option<Answer>> {
        let failed_before = self.fault.failed()?;
        let outcome = send(http, request);
        let failed = self.fault.failed()? > failed_before;
        let what = format!("{} {}", request.method, request.url);
        match outcome {
            Ok(answer) if answer.status == status => {
                // On a full disk something is deleted without telling of it, at the second attempt; the audit looks for it.
                let is_repeated = request.method == Method::DELETE && self.error == Errno::NoSpace;
                if failed && !is_repeated && self.is_lost_sync()? {
                    self.violation(&format!("{what} was acknowledged though a sync failed"))?;
                }
                return Ok(Some(answer));
            }
            Ok(answer) if answer.status >= 500 => {
                if request.method != Method::HEAD && !answer.is_clear() {
                    let body = String::from_utf8_lossy(&answer.body).into_owned();
                    self.violation(&format!("{what}: {} with the body {body:?}", answer.status))?;
                }
            }
            Ok(answer) => {
                let body = String::from_utf8_lossy(&answer.body).into_owned();
                self.violation(&format!(
                    "{what}: {} says something else than that the storage failed: {body}",
                    answer.status
                ))?;
            }
            Err(Broken::Hung) => self.violation(&format!("{what} hangs"))?,
            Err(Broken::NoAnswer(error)) => self.violation(&format!("{what} has no answer: {error}"))?,
            Err(Broken::Body) if request.method == Method::GET => {}
            Err(Broken::Body) => self.violation(&format!("{what}: the answer breaks off"))?,
        }
        Ok(None)
    }

    /// Whether the last fault was a failed sync of what was acknowledged, and nothing makes it good.
    fn is_lost_sync(&self) -> Result<bool> {
        let calls = self.fault.calls()?;
        let last = calls.iter().rev().find(|call| call.failed);
        let Some(call) = last.filter(|call| lost_sync(call)) else {
            return Ok(false);
        };
        let is_shared_with_background = call
            .path
            .extension()
            .is_some_and(|extension| extension == "db-wal")
            || call.path.iter().any(|part| part == "events");
        Ok(!is_shared_with_background || !self.was_in_background())
    }

    /// Whether it was work beside all requests that failed, the index's own or the delivery of events: it says so in the log.
    fn was_in_background(&self) -> bool {
        let (path, length) = &self.log;
        let said = wait_for("a line in the log", SAYING, || {
            let text = std::fs::read(path)?;
            let new = String::from_utf8_lossy(&text[*length..]);
            let said = new
                .lines()
                .any(|line| SAID.iter().any(|said| line.contains(said)));
            Ok(said.then_some(()))
        });
        said.is_ok()
    }

    pub(super) fn violation(&mut self, what: &str) -> Result<()> {
        let calls = self.fault.calls()?;
        let failed = calls.iter().rev().find(|call| call.failed);
        let failed = failed.map_or("none yet".to_owned(), |call| {
            format!("{} {}", call.kind, call.path.display())
        });
        let said = self.said_last()?;
        self.verdict
            .violation(format!("{} (failed: {failed}): {what}; {said}", self.position));
        Ok(())
    }

    /// The last lines of the log since the trial began: where to look first.
    fn said_last(&self) -> Result<String> {
        let (path, length) = &self.log;
        let text = std::fs::read(path)?;
        let new = String::from_utf8_lossy(text.get(*length..).unwrap_or_default());
        let lines: Vec<&str> = new.lines().rev().take(LINES_SHOWN).collect();
        Ok(format!("the log's last lines, newest first: {lines:?}"))
    }
}

/// Whether a call is a sync whose failure loses what it was to keep. Two of SQLite's are not: it copies its log into the
/// database after the commit is safe in the log, and again when a sync of the database has failed; and it syncs the folder
/// of a log that each process finds there already.
pub(super) fn lost_sync(call: &Call) -> bool {
    let is_database = call.path.extension().is_some_and(|extension| extension == "db");
    call.kind == "sync" && !is_database && !call.path.join("index.db").exists()
}
