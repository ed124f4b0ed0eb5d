//! An answer's body, which knows when the request has ended.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::body::Body;
use bytes::Bytes;
use http::Response;
use http::header::CONTENT_TYPE;
use http_body::{Body as _, Frame, SizeHint};
use tokio::time::Instant;
use tracing::Span;

use super::exchange::{Exchange, Observer};
use super::state::ConnectionState;
use crate::runtime::telemetry::RouteName;

/// One line in the log when a request has ended, however it ended.
#[derive(Debug)]
pub(super) struct Access {
    span: Span,
    state: Arc<ConnectionState>,
    began: Instant,
    answered: bool,
    complete: bool,
    sent_bytes: u64,
    observed: Option<Box<(Observer, Exchange)>>,
}

impl Access {
    pub(super) fn begin(
        span: Span,
        state: Arc<ConnectionState>,
        observed: Option<Box<(Observer, Exchange)>>,
    ) -> Self {
        Self {
            span,
            state,
            began: Instant::now(),
            answered: false,
            complete: false,
            sent_bytes: 0,
            observed,
        }
    }

    pub(super) fn answered(&mut self, response: &mut Response<Body>) {
        self.answered = true;
        self.span.record("status", response.status().as_u16());
        if let Some(RouteName(route)) = response.extensions().get() {
            self.span.record("route", route);
        }
        if let Some((_, exchange)) = self.observed.as_deref_mut() {
            exchange.status = Some(response.status());
            exchange.answer_type = response.headers().get(CONTENT_TYPE).cloned();
            exchange.extensions = std::mem::take(response.extensions_mut());
        }
    }
}

impl Drop for Access {
    fn drop(&mut self) {
        self.state.end_request();
        let duration = self.began.elapsed();
        let duration_ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        self.span.record("duration_ms", duration_ms);
        if let Some((observer, exchange)) = self.observed.as_deref_mut() {
            exchange.sent_bytes = self.sent_bytes;
            exchange.complete = self.complete;
            exchange.duration = duration;
            let _inside = self.span.enter();
            observer.tell(exchange);
            return;
        }
        let ended = match (self.answered, self.complete) {
            (true, true) => "request ended",
            (true, false) => "request ended before its answer was sent",
            (false, _) => "request ended before it was answered",
        };
        tracing::info!(parent: &self.span, sent_bytes = self.sent_bytes, "{ended}");
    }
}

/// A service's body, which ends its request when it ends or is dropped.
#[derive(Debug)]
pub(super) struct AnswerBody {
    inner: Body,
    access: Access,
    /// HTTP/2 only: the request's number, and what is left of the service's last piece.
    paced: Option<(u64, Bytes)>,
}

/// HTTP/2 takes an answer in pieces of at most this many bytes, each within the time-out for a stalled write:
/// whether a client reads shows only when the next piece is asked for, so large ones would cut off slow clients.
const PIECE: usize = 32 << 10;

impl AnswerBody {
    /// `request` is the request's number on an HTTP/2 connection.
    pub(super) fn new(inner: Body, mut access: Access, request: Option<u64>) -> Self {
        access.complete = inner.is_end_stream();
        Self {
            inner,
            access,
            paced: request.map(|request| (request, Bytes::new())),
        }
    }

    fn poll_inner(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let Some((_, rest)) = &mut self.paced else {
            return Pin::new(&mut self.inner).poll_frame(cx);
        };
        if rest.is_empty() {
            match ready!(Pin::new(&mut self.inner).poll_frame(cx)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => *rest = data,
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                },
                other => return Poll::Ready(other),
            }
        }
        let piece = rest.split_to(rest.len().min(PIECE));
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn rest(&self) -> u64 {
        self.paced.as_ref().map_or(0, |(_, rest)| rest.len() as u64)
    }
}

impl http_body::Body for AnswerBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = &mut *self;
        let polled = this.poll_inner(cx);
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                this.access.sent_bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
                // hyper does not ask again once the announced length is reached.
                this.access.complete = this.is_end_stream();
            }
            Poll::Ready(Some(Err(error))) => {
                tracing::error!(parent: &this.access.span, error = %chain(error), "while sending an answer");
            }
            Poll::Ready(None) => this.access.complete = true,
            Poll::Pending => {}
        }
        if let Some((request, _)) = this.paced {
            this.access
                .state
                .waits(request, matches!(polled, Poll::Ready(Some(Ok(_)))));
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.rest() == 0 && self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (inner, rest) = (self.inner.size_hint(), self.rest());
        let mut hint = SizeHint::new();
        hint.set_lower(inner.lower().saturating_add(rest));
        if let Some(upper) = inner.upper() {
            hint.set_upper(upper.saturating_add(rest));
        }
        hint
    }
}

impl Drop for AnswerBody {
    fn drop(&mut self) {
        if let Some((request, _)) = self.paced {
            self.access.state.waits(request, false);
        }
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}
