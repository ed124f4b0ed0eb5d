//! HTTP/1.1 written by hand over a socket: what no client library can be made to send.

use std::fmt::Write as _;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::{Context as _, Result, bail, ensure};
use serde_json::Value;

/// No answer after this time is a hang.
pub const HANG: Duration = Duration::from_secs(30);

/// A request before it is written.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: String,
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Request {
    pub fn new(method: &str, target: impl Into<String>) -> Self {
        Self {
            method: method.to_owned(),
            target: target.into(),
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    #[must_use]
    pub fn bearer(self, token: &str) -> Self {
        self.header("Authorization", format!("Bearer {token}"))
    }

    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// As bytes, with a Host and the length of the body.
    pub fn bytes(&self, port: u16, connection: &str) -> Vec<u8> {
        let mut head = format!(
            "{} {} HTTP/1.1\r\nHost: localhost:{port}\r\n",
            self.method, self.target
        );
        for (name, value) in &self.headers {
            // Writing to a text cannot fail.
            let _ = write!(head, "{name}: {value}\r\n");
        }
        let _ = write!(
            head,
            "Content-Length: {}\r\nConnection: {connection}\r\n\r\n",
            self.body.len()
        );
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(&self.body);
        bytes
    }

    /// Sends it over a connection of its own. A connection closed without an answer is an error.
    pub fn send(&self, port: u16) -> Result<Reply> {
        let bytes = self.bytes(port, "close");
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(600)]).into_owned();
        let reply = exchange(port, &bytes, self.method == "HEAD").with_context(|| shown.clone())?;
        reply.with_context(|| format!("closed without an answer:\n{shown}"))
    }
}

/// What came back.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|(own, _)| own.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> Result<Value> {
        serde_json::from_slice(&self.body).with_context(|| format!("not JSON: {self}"))
    }

    /// The code of the first error of a body that has the specification's form.
    pub fn error_code(&self) -> Result<String> {
        let json = self.json()?;
        let media_type = self.header("content-type").unwrap_or_default();
        ensure!(
            media_type.starts_with("application/json"),
            "an error that is not JSON: {self}"
        );
        let errors = json["errors"].as_array().filter(|errors| !errors.is_empty());
        for error in errors.with_context(|| format!("no list of errors: {self}"))? {
            let code = error["code"].as_str().unwrap_or_default();
            let upper = code.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
            ensure!(!code.is_empty() && upper, "not an error code: {self}");
            ensure!(
                error["message"].as_str().is_some_and(|text| !text.is_empty()),
                "no sentence: {self}"
            );
        }
        Ok(json["errors"][0]["code"].as_str().unwrap_or_default().to_owned())
    }

    /// Holds an error to the form that clients of its path read: Docker Hub's below `/v2/users`, the specification's elsewhere.
    pub fn is_error_of(&self, target: &str) -> Result<()> {
        let is_hubs = target.starts_with("/v2/users")
            && self.json().is_ok_and(|json| {
                ["detail", "message"]
                    .iter()
                    .all(|name| json[name].as_str().is_some_and(|text| !text.is_empty()))
            });
        if is_hubs {
            return Ok(());
        }
        self.error_code().map(drop)
    }

    /// Holds it to being a refusal with one of these statuses and codes.
    pub fn refuses(&self, statuses: &[u16], codes: &[&str]) -> Result<()> {
        ensure!(
            statuses.contains(&self.status),
            "should have been one of {statuses:?}: {self}"
        );
        let code = self.error_code()?;
        ensure!(
            codes.contains(&code.as_str()),
            "should have been one of {codes:?}: {self}"
        );
        Ok(())
    }
}

impl std::fmt::Display for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let body = String::from_utf8_lossy(&self.body[..self.body.len().min(600)]).into_owned();
        write!(f, "{} {:?}\n{body}", self.status, self.headers)
    }
}

/// Writes bytes to a fresh connection and reads one answer. `None`: it was closed without one. No answer within
/// [`HANG`] is an error.
pub fn exchange(port: u16, bytes: &[u8], head_only: bool) -> Result<Option<Reply>> {
    let stream = TcpStream::connect(("127.0.0.1", port)).context("connect")?;
    exchange_on(&stream, bytes, head_only)
}

/// The same on a connection that is open already.
pub fn exchange_on(stream: &TcpStream, bytes: &[u8], head_only: bool) -> Result<Option<Reply>> {
    stream.set_nodelay(true)?;
    stream.set_write_timeout(Some(HANG))?;
    // A server that refuses early does not read the rest: what it answered counts, not that writing failed.
    let mut writer = stream;
    if let Err(error) = writer.write_all(bytes).and_then(|()| writer.flush()) {
        ensure!(!is_late(&error), "a hang: the server does not read");
    }
    read_reply(stream, head_only, HANG)
}

fn is_late(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

/// Reads one answer; `None` when the connection ends before one began.
pub fn read_reply(stream: &TcpStream, head_only: bool, limit: Duration) -> Result<Option<Reply>> {
    let mut input = Input {
        stream,
        held: Vec::new(),
        end: Instant::now() + limit,
    };
    let head = loop {
        if let Some(place) = input.held.windows(4).position(|window| window == b"\r\n\r\n") {
            break input.take(place + 4);
        }
        if !input.more()? {
            ensure!(
                input.held.is_empty(),
                "cut off in the head of an answer: {:?}",
                input.shown()
            );
            return Ok(None);
        }
    };
    let head = String::from_utf8_lossy(&head).into_owned();
    let mut lines = head.trim_end().split("\r\n");
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1))
        .and_then(|text| text.parse().ok());
    let status: u16 = status.with_context(|| format!("not an HTTP answer: {head}"))?;
    let pairs = lines.filter_map(|line| line.split_once(':'));
    let headers: Vec<(String, String)> = pairs
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let mut reply = Reply {
        status,
        headers,
        body: Vec::new(),
    };
    if head_only || status == 204 || status == 304 {
        return Ok(Some(reply));
    }
    if let Some(length) = reply.header("content-length").and_then(|text| text.parse().ok()) {
        reply.body = input.exactly(length)?;
    } else if reply
        .header("transfer-encoding")
        .is_some_and(|coding| coding.contains("chunked"))
    {
        reply.body = input.chunks()?;
    } else {
        while input.more()? {}
        reply.body = input.held;
    }
    Ok(Some(reply))
}

struct Input<'a> {
    stream: &'a TcpStream,
    held: Vec<u8>,
    end: Instant,
}

impl Input<'_> {
    /// Reads on; `false` at the end of the connection.
    fn more(&mut self) -> Result<bool> {
        let left = self.end.saturating_duration_since(Instant::now());
        ensure!(!left.is_zero(), "a hang: {:?} and then nothing", self.shown());
        self.stream.set_read_timeout(Some(left))?;
        let mut piece = [0; 16 * 1024];
        match self.stream.read(&mut piece) {
            Ok(0) => Ok(false),
            Ok(count) => {
                self.held.extend_from_slice(&piece[..count]);
                Ok(true)
            }
            Err(error) if is_late(&error) => bail!("a hang: {:?} and then nothing", self.shown()),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => Ok(false),
            Err(error) => Err(error).context("read an answer"),
        }
    }

    fn take(&mut self, count: usize) -> Vec<u8> {
        self.held.drain(..count).collect()
    }

    fn exactly(&mut self, count: usize) -> Result<Vec<u8>> {
        while self.held.len() < count {
            ensure!(
                self.more()?,
                "cut off in the body of an answer: {:?}",
                self.shown()
            );
        }
        Ok(self.take(count))
    }

    fn chunks(&mut self) -> Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let line = loop {
                if let Some(place) = self.held.windows(2).position(|window| window == b"\r\n") {
                    break self.take(place + 2);
                }
                ensure!(self.more()?, "cut off between chunks: {:?}", self.shown());
            };
            let size =
                usize::from_str_radix(String::from_utf8_lossy(&line).trim(), 16).context("a chunk's size")?;
            body.extend(self.exactly(size)?);
            self.exactly(2)?;
            if size == 0 {
                return Ok(body);
            }
        }
    }

    fn shown(&self) -> String {
        String::from_utf8_lossy(&self.held[..self.held.len().min(300)]).into_owned()
    }
}
