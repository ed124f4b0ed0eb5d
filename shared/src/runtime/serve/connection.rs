//! One connection, from its first byte to its end.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use http::{Request, Response};
use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, timeout, timeout_at};

use super::address::PeerAddr;
use super::exchange::Observer;
use super::frames::Http2Wire;
use super::limits::Limits;
use super::listener::Readiness;
use super::request::{Scheme, Shell};
use super::shutdown::{Shutdown, asked_to_end, at_least};
use super::socket::{OnSocket, StallGuard, has_unread};
use super::state::ConnectionState;
use super::stream::Stream;
use super::wire::{Http1Wire, answer_and_close};
use crate::runtime::telemetry::RequestIds;
use crate::runtime::tls::TlsAcceptorHandle;

/// Largest buffer for one HTTP/1.1 connection's reads, in bytes: more than the limit on headers, so that a header that
/// is too large is answered in words up to this size (beyond it hyper answers 431 without).
const BUFFER_BYTES: usize = 72 << 10;
/// HTTP/2 (RFC 9113): requests at once, flow-control windows, ping, and what a client may reset or send.
const STREAMS: u32 = 128;
const STREAM_WINDOW: u32 = 256 << 10;
const CONNECTION_WINDOW: u32 = 1 << 20;
const SEND_BUFFER: usize = 256 << 10;
const PING_INTERVAL: Duration = Duration::from_secs(30);
const PING_TIMEOUT: Duration = Duration::from_secs(20);
const HEADER_LIST: u32 = 16 << 10;
const PENDING_RESETS: usize = 20;
const LOCAL_RESETS: usize = 1024;

/// As Go's server says it; containerd takes an answer that begins with `HTTP` as leave to go on in the clear.
const TLS_ON_PLAIN: &[u8] =
    b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTPS request to an HTTP server.\n";
const PLAIN_ON_TLS: &[u8] =
    b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n";
/// What a client of HTTP/2 without TLS begins with: enough of it to be no other method.
const PREFACE: &[u8; 4] = b"PRI ";
/// How often the rest of it is looked for.
const PREFACE_PAUSE: Duration = Duration::from_millis(20);
/// Time for a peer that is answered so to take it.
const WRONG_PROTOCOL_LINGER: Duration = Duration::from_secs(1);

/// What all connections of one listener share.
pub(super) struct Shared<S> {
    pub(super) service: S,
    pub(super) tls: Option<TlsAcceptorHandle>,
    pub(super) limits: Arc<Limits>,
    pub(super) ids: Arc<RequestIds>,
    /// A permit for each request in flight.
    pub(super) in_flight: Arc<Semaphore>,
    pub(super) readiness: Readiness,
    pub(super) observer: Option<Observer>,
    pub(super) stopping: watch::Receiver<Shutdown>,
}

/// Serves one accepted connection to its end. Errors are the client's doing, and logged at debug.
pub(super) async fn handle<S>(
    shared: Arc<Shared<S>>,
    stream: Stream,
    peer: PeerAddr,
    state: Arc<ConnectionState>,
) where
    S: tower::Service<Request<Body>, Response = Response<Body>, Error = Infallible>
        + Clone
        + Send
        + Sync
        + 'static,
    S::Future: Send + 'static,
{
    let opened = Instant::now();
    let mut stopping = shared.stopping.clone();
    let first = async {
        tokio::select! {
            biased;
            first = first_byte(&stream) => first,
            () = asked_to_end(&mut stopping, &state, &shared.limits) => {
                // What has come is on its way to us.
                if has_unread(&stream) { first_byte(&stream).await } else { None }
            }
        }
    };
    let first = timeout_at(opened + shared.limits.headers, first)
        .await
        .ok()
        .flatten();
    let Some(first) = first else { return };
    // The stages below are boxed: a task is as large as its largest stage, and there may be ten thousand.
    let shell = |scheme| Shell {
        service: shared.service.clone(),
        ids: Arc::clone(&shared.ids),
        in_flight: Arc::clone(&shared.in_flight),
        limits: Arc::clone(&shared.limits),
        state: Arc::clone(&state),
        readiness: shared.readiness.clone(),
        observer: shared.observer.clone(),
        peer,
        scheme,
    };
    let prior_knowledge = shared.tls.is_none() && shared.limits.plain_http2 && first == PREFACE[0] && {
        let preface = timeout_at(opened + shared.limits.headers, begins_with_preface(&stream));
        preface.await.unwrap_or(false)
    };
    let stream = StallGuard::new(stream, Arc::clone(&state), shared.limits.write_stall);
    match &shared.tls {
        None if prior_knowledge => Box::pin(http2(stream, shell(Scheme::Http), stopping)).await,
        // A TLS record of the type "handshake" begins with 0x16.
        None if first == 0x16 => {
            tracing::debug!(%peer, "refused TLS on a plain port");
            answer_and_close(stream, TLS_ON_PLAIN, WRONG_PROTOCOL_LINGER).await;
        }
        None => Box::pin(http1(stream, shell(Scheme::Http), opened, stopping)).await,
        Some(_) if first.is_ascii_uppercase() => {
            tracing::debug!(%peer, "refused plain HTTP on a TLS port");
            answer_and_close(stream, PLAIN_ON_TLS, WRONG_PROTOCOL_LINGER).await;
        }
        Some(tls) => Box::pin(secured(tls, stream, shell(Scheme::Https), stopping)).await,
    }
}

/// A connection that begins with a TLS handshake.
async fn secured<S>(
    tls: &TlsAcceptorHandle,
    stream: StallGuard,
    shell: Shell<S>,
    stopping: watch::Receiver<Shutdown>,
) where
    S: tower::Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send + 'static,
{
    let peer = shell.peer;
    // A handshake that has begun is not quiet, whatever the shutdown: it has its own time-out.
    let accepted = tokio::select! {
        accepted = timeout(shell.limits.tls_handshake, Box::pin(tls.accept(stream))) => accepted,
        () = shell.state.close.notified() => return,
    };
    let stream = match accepted {
        Ok(Ok(Some(stream))) => stream,
        Ok(Ok(None)) => return tracing::debug!(%peer, "an authority looked whether its name leads here"),
        Ok(Err(error)) => return tracing::debug!(%peer, %error, "TLS handshake failed"),
        Err(_) => return tracing::debug!(%peer, "TLS handshake took too long"),
    };
    if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
        Box::pin(http2(stream, shell, stopping)).await;
    } else {
        Box::pin(http1(stream, shell, Instant::now(), stopping)).await;
    }
}

/// The first byte that the client sent, which stays to be read; none when it closed first.
async fn first_byte(stream: &Stream) -> Option<u8> {
    let mut first = [0];
    match stream.peek(&mut first).await {
        Ok(1) => Some(first[0]),
        _ => None,
    }
}

/// Whether the client begins with HTTP/2 (RFC 9113, section 3.3). What it sent stays to be read.
async fn begins_with_preface(stream: &Stream) -> bool {
    let mut begin = [0; PREFACE.len()];
    loop {
        match stream.peek(&mut begin).await {
            Ok(read) if read > 0 && PREFACE.starts_with(&begin[..read]) => {
                if read == PREFACE.len() {
                    return true;
                }
            }
            _ => return false,
        }
        // What has come stays there, so that the socket is ready at once: look again a little later.
        tokio::time::sleep(PREFACE_PAUSE).await;
    }
}

async fn http1<I, S>(stream: I, shell: Shell<S>, opened: Instant, mut stopping: watch::Receiver<Shutdown>)
where
    I: AsyncRead + AsyncWrite + OnSocket + Unpin + Send + 'static,
    S: tower::Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send + 'static,
{
    let peer = shell.peer;
    let state = Arc::clone(&shell.state);
    let limits = Arc::clone(&shell.limits);
    let wire = Http1Wire::new(stream, Arc::clone(&state), Arc::clone(&limits), opened);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        // The wire has its own, which can tell an idle connection from a slow header.
        .header_read_timeout(None)
        .max_buf_size(BUFFER_BYTES)
        .keep_alive(true)
        .half_close(false)
        // As Go's servers write them: people's scripts look for `Docker-Content-Digest` letter by letter.
        .title_case_headers(true)
        .serve_connection(TokioIo::new(wire), shell);
    let mut connection = pin!(connection);
    let ended = loop {
        tokio::select! {
            biased;
            ended = connection.as_mut() => break ended,
            () = asked_to_end(&mut stopping, &state, &limits) => {}
            // Not the wire's business: hyper does not look at it again when an answer has ended, so it would not notice.
            () = state.idle_for(limits.idle) => {}
        }
        // Not hyper's graceful shutdown, which closes a connection whose next request has come and was not read yet. The
        // wire tells hyper that the client has closed, if nothing has come.
        state.end();
        tokio::select! {
            biased;
            ended = connection.as_mut() => break ended,
            () = state.resumes() => {}
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%peer, %error, "connection ended");
    }
}

async fn http2<I, S>(stream: I, shell: Shell<S>, mut stopping: watch::Receiver<Shutdown>)
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: tower::Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send + 'static,
{
    let peer = shell.peer;
    let state = Arc::clone(&shell.state);
    let limits = Arc::clone(&shell.limits);
    let connection = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .adaptive_window(false)
        .max_send_buf_size(SEND_BUFFER)
        .keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PING_TIMEOUT)
        .max_header_list_size(HEADER_LIST)
        .max_pending_accept_reset_streams(PENDING_RESETS)
        .max_local_error_reset_streams(LOCAL_RESETS)
        .serve_connection(TokioIo::new(Http2Wire::new(stream, Arc::clone(&limits))), shell);
    let mut connection = pin!(connection);
    // GOAWAY cuts nothing off, so it goes out as soon as the shutdown is announced; who comes still later is let be
    // until it begins.
    let farewell = match *stopping.borrow() {
        Shutdown::No => Shutdown::Announced,
        _ => Shutdown::Begun,
    };
    let served = async {
        tokio::select! {
            ended = connection.as_mut() => return Some(ended),
            () = at_least(&mut stopping, farewell) => {}
            () = state.close.notified() => {}
            () = state.idle_for_after(limits.idle, Instant::now()) => {}
        }
        connection.as_mut().graceful_shutdown();
        tokio::select! {
            ended = connection => Some(ended),
            // The last answers may wait in buffers for a client that takes nothing any more.
            () = state.idle_for_after(limits.write_stall, Instant::now()) => None,
        }
    };
    let ended = tokio::select! {
        ended = served => ended,
        () = stalled_for(&state, limits.write_stall) => None,
    };
    match ended {
        Some(Ok(())) => {}
        Some(Err(error)) => tracing::debug!(%peer, %error, "connection ended"),
        None => tracing::debug!(%peer, "cut off: the peer stopped reading"),
    }
}

/// Resolves when an answer has waited so long for its client.
async fn stalled_for(state: &ConnectionState, limit: Duration) {
    loop {
        let now = Instant::now();
        let at = state.waits_since().unwrap_or(now) + limit;
        if at <= now {
            return;
        }
        tokio::time::sleep_until(at).await;
    }
}
