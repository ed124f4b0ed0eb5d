//! A request's body that must keep coming.

use std::future::Future as _;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep, sleep_until};

use super::limits::Limits;
use super::state::ConnectionState;
use super::turn::Turn;

/// The client sent its body too slowly, or not at all. Found in the source chain of the body's error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the request's body came too slowly or stopped")]
pub struct BodyStalled;

/// hyper's body with the limits `body_idle`, `body_min_rate` and `body_window`; trailers are dropped.
pub(super) struct PacedBody {
    inner: Incoming,
    state: Arc<ConnectionState>,
    limits: Arc<Limits>,
    /// The request's place among those in flight, while it has not been answered.
    turn: Weak<Turn>,
    /// Whether the body was given up, for the request that waits for it.
    stalled: Arc<AtomicBool>,
    /// Since when the handler waits for bytes.
    waiting: Option<Instant>,
    /// Time waited in this window, without the wait that goes on.
    waited: Duration,
    /// Bytes received in this window.
    received: u64,
    deadline: Option<Pin<Box<Sleep>>>,
    ended: bool,
}

impl PacedBody {
    pub(super) fn new(
        inner: Incoming,
        state: Arc<ConnectionState>,
        limits: Arc<Limits>,
        turn: Option<&Arc<Turn>>,
    ) -> Self {
        Self {
            inner,
            state,
            limits,
            turn: turn.map(Arc::downgrade).unwrap_or_default(),
            stalled: Arc::default(),
            waiting: None,
            waited: Duration::ZERO,
            received: 0,
            deadline: None,
            ended: false,
        }
    }

    /// Becomes true when the client has been too slow.
    pub(super) fn stalled(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.stalled)
    }

    fn give_up(&mut self) -> Poll<Option<Result<Frame<Bytes>, axum::BoxError>>> {
        self.ended = true;
        self.stalled.store(true, Ordering::SeqCst);
        Poll::Ready(Some(Err(BodyStalled.into())))
    }

    /// Ends the window when it is full; whether too little came in it.
    fn is_too_slow(&mut self, waited: Duration) -> bool {
        let window = self.limits.body_window;
        if waited < window {
            return false;
        }
        let least = u128::from(self.limits.body_min_rate) * window.as_millis() / 1000;
        let slow = u128::from(self.received) < least;
        self.waited = Duration::ZERO;
        self.received = 0;
        slow
    }

    fn poll_stalled(&mut self, cx: &mut Context<'_>) -> bool {
        let now = Instant::now();
        let since = *self.waiting.get_or_insert(now);
        let window_ends = since + self.limits.body_window.saturating_sub(self.waited);
        let at = window_ends.min(since + self.limits.body_idle);
        if now >= since + self.limits.body_idle {
            return true;
        }
        if now >= window_ends {
            if self.is_too_slow(self.waited + (now - since)) {
                return true;
            }
            self.waiting = Some(now);
            return self.poll_stalled(cx);
        }
        let deadline = self.deadline.get_or_insert_with(|| Box::pin(sleep_until(at)));
        if deadline.deadline() != at {
            deadline.as_mut().reset(at);
        }
        if deadline.as_mut().poll(cx).is_ready() {
            // Due between the two looks at the clock: look again.
            return self.poll_stalled(cx);
        }
        false
    }
}

impl Body for PacedBody {
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::BoxError>>> {
        let this = &mut *self;
        if this.ended {
            return Poll::Ready(None);
        }
        let polled = Pin::new(&mut this.inner).poll_frame(cx);
        if polled.is_pending() {
            if this.poll_stalled(cx) {
                return this.give_up();
            }
            if let Some(turn) = this.turn.upgrade() {
                turn.pause();
            }
            return Poll::Pending;
        }
        if let Some(since) = this.waiting.take() {
            this.waited += since.elapsed();
            if let Some(turn) = this.turn.upgrade() {
                turn.resume();
            }
        }
        let data = match polled {
            Poll::Ready(Some(Ok(frame))) => frame.into_data().ok(),
            Poll::Ready(Some(Err(error))) => {
                this.ended = true;
                return Poll::Ready(Some(Err(error.into())));
            }
            _ => None,
        };
        // Trailers end a body and say nothing that we want.
        let Some(data) = data else {
            this.ended = true;
            this.state.body_completed();
            return Poll::Ready(None);
        };
        this.received += data.len() as u64;
        if this.is_too_slow(this.waited) {
            return this.give_up();
        }
        if this.inner.is_end_stream() {
            this.state.body_completed();
        }
        Poll::Ready(Some(Ok(Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        self.ended || self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
