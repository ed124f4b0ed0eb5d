//! A receiver of notifications: takes POSTs of event envelopes and keeps them.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::process::{free_port, wait_for};

/// A receiver on 127.0.0.1, as long as the run lasts.
#[derive(Debug, Clone)]
pub struct Receiver {
    port: u16,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    events: Vec<Value>,
    /// Head of each request, in small letters.
    heads: Vec<String>,
    /// Requests that were accepted, as they came.
    requests: Vec<Request>,
    /// What is answered: 200 for 0.
    status: u16,
    is_hanging: bool,
}

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Request {
    head: String,
    pub body: Vec<u8>,
}

impl Request {
    /// The value of a header; empty without one.
    pub fn header(&self, name: &str) -> &str {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        let mut values = lines.filter(|(own, _)| own.eq_ignore_ascii_case(name));
        values.next().map_or("", |(_, value)| value.trim())
    }
}

impl Receiver {
    pub fn start() -> Result<Self> {
        Self::start_on(free_port()?)
    }

    /// One that was away until now.
    pub fn start_on(port: u16) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", port)).context("listen for events")?;
        let receiver = Self {
            port,
            state: Arc::default(),
        };
        let answering = receiver.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let answering = answering.clone();
                // A connection that breaks off is the sender's affair.
                std::thread::spawn(move || drop(answering.serve(stream)));
            }
        });
        Ok(receiver)
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hook", self.port)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// From now on every request gets this answer; what is not 2xx or 3xx is not kept.
    pub fn answer(&self, status: u16) {
        self.state().status = status;
    }

    /// From now on no request is answered, until this is called with false.
    pub fn hang(&self, is_hanging: bool) {
        self.state().is_hanging = is_hanging;
    }

    /// What was accepted, in its order.
    pub fn events(&self) -> Vec<Value> {
        self.state().events.clone()
    }

    /// How many requests came.
    pub fn requests(&self) -> usize {
        self.state().heads.len()
    }

    /// Requests that were accepted, in their order.
    pub fn accepted(&self) -> Vec<Request> {
        self.state().requests.clone()
    }

    /// The head of the last request, in small letters.
    pub fn last_head(&self) -> String {
        self.state().heads.last().cloned().unwrap_or_default()
    }

    /// Waits until `enough` holds for what was accepted.
    pub fn wait(&self, what: &str, enough: impl Fn(&[Value]) -> bool) -> Result<Vec<Value>> {
        let waited = wait_for(what, Duration::from_mins(2), || {
            let events = self.events();
            Ok(enough(&events).then_some(events))
        });
        waited.with_context(|| {
            let events = self.events();
            let shown: Vec<_> = events
                .iter()
                .map(|event| format!("{} {}", event["action"], event["target"]))
                .collect();
            format!("{} events: {}", events.len(), shown.join("\n"))
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self, stream: TcpStream) -> Result<()> {
        let mut writer = stream.try_clone()?;
        let mut reader = BufReader::new(stream);
        loop {
            let (mut head, mut original, mut length) = (String::new(), String::new(), 0);
            loop {
                let mut line = String::new();
                if reader.read_line(&mut line)? == 0 {
                    return Ok(());
                }
                original += &line;
                let line = line.to_ascii_lowercase();
                if let Some(value) = line.strip_prefix("content-length:") {
                    length = value.trim().parse()?;
                }
                if line == "\r\n" {
                    break;
                }
                head += &line;
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body)?;
            let status = self.take(head, original, body)?;
            writer.write_all(format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n").as_bytes())?;
        }
    }

    /// Keeps the events of a request, an envelope of them or one alone, and gives the status of its answer.
    fn take(&self, head: String, original: String, body: Vec<u8>) -> Result<u16> {
        self.state().heads.push(head);
        while self.state().is_hanging {
            std::thread::sleep(Duration::from_millis(20));
        }
        let document: Value = serde_json::from_slice(&body).context("an event")?;
        let events = match &document["events"] {
            Value::Array(events) => events.clone(),
            _ => vec![document],
        };
        let mut state = self.state();
        let status = if state.status == 0 { 200 } else { state.status };
        if (200..400).contains(&status) {
            state.events.extend(events);
            let head = original;
            state.requests.push(Request { head, body });
        }
        Ok(status)
    }
}
