//! What the log says of a request, and what it must not say.

use std::io::Write;
use std::sync::{Mutex, PoisonError};

use tracing_subscriber::EnvFilter;

use super::*;
use crate::runtime::telemetry::{Format, subscriber};

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()).unwrap()
    }
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Everything that is logged on this thread, which the test's runtime does not leave.
fn capture(format: Format, level: &str) -> (Lines, tracing::subscriber::DefaultGuard) {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = subscriber(format, EnvFilter::new(level), move || writer.clone(), false);
    (lines, tracing::subscriber::set_default(subscriber))
}

#[tokio::test]
async fn a_request_leaves_one_line_with_its_id_method_route_status_and_duration() {
    let (lines, _guard) = capture(Format::Json, "info");
    let mut server = Server::start(Limits::default()).await;
    let answer = server.get("/ok?secret=canary").await;
    let id = answer
        .lines()
        .find_map(|line| line.strip_prefix("X-Request-Id: "))
        .unwrap()
        .to_owned();
    server.stop();
    server.ended().await;
    let text = lines.text();
    let line: Vec<&str> = text
        .lines()
        .filter(|line| line.contains("request ended"))
        .collect();
    assert_eq!(line.len(), 1, "{text}");
    let line: serde_json::Value = serde_json::from_str(line[0]).unwrap();
    let span = &line["span"];
    assert_eq!(span["request_id"], id.as_str(), "{line}");
    assert_eq!(span["method"], "GET", "{line}");
    assert_eq!(span["route"], "test.ok", "{line}");
    assert_eq!(span["status"], 200, "{line}");
    assert!(span["duration_ms"].is_u64(), "{line}");
    assert_eq!(line["level"], "INFO", "{line}");
    assert!(line["sent_bytes"].as_u64().unwrap() > 0, "{line}");
}

#[tokio::test]
async fn nothing_of_headers_queries_paths_and_bodies_reaches_the_log() {
    let (lines, _guard) = capture(Format::Text, "trace");
    let mut server = Server::start(Limits::default()).await;
    for head in [
        "GET /ok?token=canary1 HTTP/1.1\r\n",
        "GET /ok HTTP/1.1\r\nAuthorization: Bearer canary2\r\n",
        "GET /ok HTTP/1.1\r\nCookie: session=canary3\r\n",
        "GET /canary4/../x HTTP/1.1\r\n",
        "CANARY5 /ok HTTP/1.1\r\n",
        "GET /ok HTTP/1.1\r\nAuthorization: Basic canary6\r\nBroken canary7\r\n",
        "GET /ok?canary8 HTTP/9.9\r\nAuthorization: canary9\r\n",
    ] {
        server
            .exchange(format!("{head}Host: x\r\nConnection: close\r\n\r\n"))
            .await;
    }
    let body = "POST /count HTTP/1.1\r\nHost: x\r\nContent-Length: 8\r\nConnection: close\r\n\r\ncanary10";
    server.exchange(body).await;
    server.stop();
    server.ended().await;
    let text = lines.text();
    assert!(text.contains("request ended"), "{text}");
    assert!(!text.to_lowercase().contains("canary"), "{text}");
}

#[tokio::test]
async fn tls_on_the_plain_port_and_slow_clients_are_not_worth_a_line() {
    let (lines, _guard) = capture(Format::Text, "info");
    let mut server = Server::start(Limits {
        headers: Duration::from_millis(100),
        ..Limits::default()
    })
    .await;
    server
        .exchange([&[0x16, 3, 1, 2, 0, 1, 0][..], &[0; 500]].concat())
        .await;
    server.exchange("GET /ok HT").await;
    server.stop();
    server.ended().await;
    assert_eq!(lines.text(), "");
}
