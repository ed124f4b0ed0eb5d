//! An answer's body, which knows when the request has ended.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use http::StatusCode;
use http_body::{Body as _, Frame, SizeHint};
use tokio::time::Instant;
use tracing::Span;

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
}

impl Access {
    pub(super) fn begin(span: Span, state: Arc<ConnectionState>) -> Self {
        Self {
            span,
            state,
            began: Instant::now(),
            answered: false,
            complete: false,
            sent_bytes: 0,
        }
    }

    pub(super) fn answered(&mut self, status: StatusCode, route: Option<RouteName>) {
        self.answered = true;
        self.span.record("status", status.as_u16());
        if let Some(RouteName(route)) = route {
            self.span.record("route", route);
        }
    }
}

impl Drop for Access {
    fn drop(&mut self) {
        self.state.end_request();
        let duration_ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.span.record("duration_ms", duration_ms);
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
}

impl AnswerBody {
    pub(super) fn new(inner: Body, mut access: Access) -> Self {
        access.complete = inner.is_end_stream();
        Self { inner, access }
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
        let polled = Pin::new(&mut this.inner).poll_frame(cx);
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                this.access.sent_bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
                // hyper does not ask again once the announced length is reached.
                this.access.complete = this.inner.is_end_stream();
            }
            Poll::Ready(Some(Err(error))) => {
                tracing::error!(parent: &this.access.span, error = %chain(error), "while sending an answer");
            }
            Poll::Ready(None) => this.access.complete = true,
            Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
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
