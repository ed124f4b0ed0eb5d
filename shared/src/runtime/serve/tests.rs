//! Raw sockets against the shell, with short limits where a limit is tested.

mod abuse;
mod drain;
mod form;
mod log;
mod process;
mod tls;
mod unix;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::to_bytes;
use axum::extract::Extension;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use bytes::Bytes;
use futures_util::stream;
use http::StatusCode;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;

use super::*;

/// Longer than anything here takes, on any machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// More than the sockets of a connection hold.
const LARGE: usize = 32 << 20;

/// A server with a few routes, on a free port.
pub(super) struct Server {
    addr: SocketAddr,
    readiness: Readiness,
    /// Lets `/gate` answer.
    gate: Arc<Notify>,
    /// Tells that a request has come to `/gate`.
    entered: Arc<Notify>,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<io::Result<()>>,
}

fn routes(gate: Arc<Notify>, entered: Arc<Notify>) -> Router {
    Router::new()
        .route("/ok", any(ok))
        .route(
            "/panic",
            get(|| async { panic!("the secret of the panic") as &'static str }),
        )
        .route("/count", post(count))
        .route("/text", post(async |body: Bytes| format!("{} bytes", body.len())))
        .route(
            "/ignore",
            post(|| async { (StatusCode::UNAUTHORIZED, "log in first") }),
        )
        .route("/large", get(|| async { vec![b'x'; LARGE] }))
        .route("/never", any(std::future::pending::<()>))
        .route("/endless", get(endless))
        .route(
            "/gate",
            get(async move || {
                entered.notify_one();
                gate.notified().await;
                "through"
            }),
        )
}

async fn ok(
    Extension(peer): Extension<PeerAddr>,
    Extension(scheme): Extension<Scheme>,
    Extension(id): Extension<RequestId>,
) -> Response {
    (
        Extension(RouteName("test.ok")),
        format!(
            "{} {scheme:?} {id}",
            peer.ip().map_or("@".to_owned(), |address| address.to_string())
        ),
    )
        .into_response()
}

/// The number of bytes of the body, or 408 when it stalled.
async fn count(request: Request<Body>) -> Response {
    match to_bytes(request.into_body(), usize::MAX).await {
        Ok(bytes) => bytes.len().to_string().into_response(),
        Err(error) => {
            let mut source: Option<&dyn std::error::Error> = Some(&error);
            while let Some(error) = source {
                if error.is::<BodyStalled>() {
                    return StatusCode::REQUEST_TIMEOUT.into_response();
                }
                source = error.source();
            }
            StatusCode::BAD_REQUEST.into_response()
        }
    }
}

async fn endless() -> Body {
    Body::from_stream(stream::repeat_with(|| {
        Ok::<_, Infallible>(Bytes::from(vec![7; 64 << 10]))
    }))
}

impl Server {
    pub(super) async fn start(limits: Limits) -> Self {
        Self::start_with(limits, None).await
    }

    pub(super) async fn start_with(limits: Limits, tls: Option<TlsAcceptorHandle>) -> Self {
        let listener = Listener::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let (addr, readiness) = (listener.local_addr().unwrap(), listener.readiness());
        let (gate, entered) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (stop, stopped) = oneshot::channel::<()>();
        let router = routes(Arc::clone(&gate), Arc::clone(&entered));
        let task = tokio::spawn(async move {
            serve(listener, tls, router, limits, async {
                let _ = stopped.await;
            })
            .await
        });
        Self {
            addr,
            readiness,
            gate,
            entered,
            stop: Some(stop),
            task,
        }
    }

    pub(super) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.addr).await.unwrap()
    }

    /// Sends bytes on a new connection and reads until the server closes it.
    pub(super) async fn exchange(&self, bytes: impl AsRef<[u8]>) -> String {
        let mut stream = self.connect().await;
        stream.write_all(bytes.as_ref()).await.unwrap();
        read_to_close(&mut stream).await
    }

    /// A whole answer to one request without a body.
    pub(super) async fn get(&self, path: &str) -> String {
        self.exchange(format!(
            "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        ))
        .await
    }

    pub(super) fn stop(&mut self) {
        let _ = self.stop.take().unwrap().send(());
    }

    pub(super) async fn ended(self) {
        timeout(PATIENCE, self.task)
            .await
            .expect("the server ends")
            .unwrap()
            .unwrap();
    }
}

/// What comes until the other side closes or resets.
pub(super) async fn read_to_close(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    // A reset is a close too; what came before it counts.
    let _ = timeout(PATIENCE, stream.read_to_end(&mut bytes))
        .await
        .expect("the server closes");
    String::from_utf8_lossy(&bytes).into_owned()
}

/// One answer of a kept-alive connection with a `Content-Length`.
pub(super) async fn read_answer(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    let mut byte = [0];
    while !text.ends_with("\r\n\r\n") {
        let read = timeout(PATIENCE, stream.read(&mut byte))
            .await
            .expect("an answer comes")
            .unwrap();
        assert_eq!(read, 1, "closed after {text:?}");
        text.push(char::from(byte[0]));
    }
    let length = text
        .lines()
        .find_map(|line| line.strip_prefix("Content-Length: "))
        .unwrap_or("0");
    let mut body = vec![0; length.parse().unwrap()];
    timeout(PATIENCE, stream.read_exact(&mut body))
        .await
        .expect("the body comes")
        .unwrap();
    text + &String::from_utf8_lossy(&body)
}

#[track_caller]
pub(super) fn assert_status(answer: &str, status: u16) {
    assert!(
        answer.starts_with(&format!("HTTP/1.1 {status} ")),
        "{status} expected: {answer}"
    );
}

#[tokio::test]
async fn a_service_learns_peer_scheme_and_request_id_and_the_answer_carries_the_id() {
    let server = Server::start(Limits::default()).await;
    let answer = server.get("/ok").await;
    assert_status(&answer, 200);
    let id = answer
        .lines()
        .find_map(|line| line.strip_prefix("X-Request-Id: "))
        .unwrap();
    assert!(answer.ends_with(&format!("127.0.0.1 Http {id}")), "{answer}");
    let refused = server.get("/a//b").await;
    assert!(refused.contains("\r\nX-Request-Id: "), "{refused}");
    assert!(!refused.contains(id), "every request has its own");
}

#[tokio::test]
async fn head_is_answered_with_the_length_and_without_the_body() {
    let server = Server::start(Limits::default()).await;
    let mut stream = server.connect().await;
    for _ in 0..2 {
        stream
            .write_all(b"HEAD /ok HTTP/1.1\r\nHost: x\r\n\r\n")
            .await
            .unwrap();
        let mut byte = [0];
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            stream.read_exact(&mut byte).await.unwrap();
            head.push(char::from(byte[0]));
        }
        assert_status(&head, 200);
        assert!(!head.contains("Content-Length: 0"), "{head}");
        assert!(head.contains("Content-Length: "), "{head}");
    }
    let refused = server
        .exchange("HEAD /a//b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .await;
    assert_status(&refused, 400);
    assert!(refused.ends_with("\r\n\r\n"), "{refused}");
}

#[tokio::test]
async fn a_panic_answers_500_without_its_text_and_the_next_request_is_served() {
    let server = Server::start(Limits::default()).await;
    let mut stream = server.connect().await;
    stream
        .write_all(b"GET /panic HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    let answer = read_answer(&mut stream).await;
    assert_status(&answer, 500);
    let id = answer
        .lines()
        .find_map(|line| line.strip_prefix("X-Request-Id: "))
        .unwrap();
    assert!(answer.contains(r#"{"errors":[{"code":"UNKNOWN""#), "{answer}");
    assert_eq!(
        answer.matches(id).count(),
        2,
        "the body names the request: {answer}"
    );
    assert!(!answer.contains("secret"), "{answer}");
    stream
        .write_all(b"GET /ok HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    assert_status(&read_answer(&mut stream).await, 200);
}

#[tokio::test]
async fn a_get_that_is_not_answered_in_time_gets_503() {
    let limits = Limits {
        request_total: Duration::from_millis(50),
        ..Limits::default()
    };
    let server = Server::start(limits).await;
    let answer = server.get("/never").await;
    assert_status(&answer, 503);
    assert!(answer.contains(r#""code":"UNAVAILABLE""#), "{answer}");
}
