//! What the accept loop, the sockets and the requests of one connection know of each other.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::head::Framing;

/// One connection's shared state.
#[derive(Debug)]
pub(super) struct ConnectionState {
    opened: Instant,
    /// Requests whose answer has not ended.
    in_flight: AtomicUsize,
    /// Requests so far.
    requests: AtomicU64,
    /// When the last answer ended or bytes came, in milliseconds after `opened`.
    idle_since: AtomicU64,
    /// Whether the body of the last request was read to its end (HTTP/1.1).
    body_complete: AtomicBool,
    /// The framing of the headers that were read and not yet handled (HTTP/1.1).
    framings: Mutex<VecDeque<Framing>>,
    /// Answers that wait for their client, by the number of their request, and since when (HTTP/2).
    waiting: Mutex<HashMap<u64, Instant>>,
    /// Asks the connection to close when it can.
    pub(super) close: Notify,
    /// Whether it closes if nothing has come from its client (HTTP/1.1).
    ending: AtomicBool,
    /// Tells that something has come, and that it goes on.
    resumed: Notify,
}

impl ConnectionState {
    pub(super) fn new() -> Self {
        Self {
            opened: Instant::now(),
            in_flight: AtomicUsize::new(0),
            requests: AtomicU64::new(0),
            idle_since: AtomicU64::new(0),
            body_complete: AtomicBool::new(true),
            framings: Mutex::default(),
            waiting: Mutex::default(),
            close: Notify::new(),
            ending: AtomicBool::new(false),
            resumed: Notify::new(),
        }
    }

    pub(super) fn begin_request(&self, has_body: bool) -> Framing {
        self.in_flight.fetch_add(1, Ordering::SeqCst);
        self.requests.fetch_add(1, Ordering::SeqCst);
        self.body_complete.store(!has_body, Ordering::SeqCst);
        self.framings
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop_front()
            .unwrap_or_default()
    }

    pub(super) fn end_request(&self) {
        self.is_idle_from_now();
        self.in_flight.fetch_sub(1, Ordering::SeqCst);
    }

    fn is_idle_from_now(&self) {
        let since = u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.idle_since.store(since, Ordering::SeqCst);
    }

    /// Bytes have come from the client: they may be a part of a request.
    pub(super) fn hear(&self) {
        self.is_idle_from_now();
        if self.ending.swap(false, Ordering::SeqCst) {
            self.resumed.notify_one();
        }
    }

    /// The connection ends, unless something has come that was not read yet.
    pub(super) fn end(&self) {
        self.ending.store(true, Ordering::SeqCst);
    }

    pub(super) fn is_ending(&self) -> bool {
        self.ending.load(Ordering::SeqCst)
    }

    /// Resolves when something has come to a connection that was about to end.
    pub(super) async fn resumes(&self) {
        self.resumed.notified().await;
    }

    pub(super) fn requests(&self) -> u64 {
        self.requests.load(Ordering::SeqCst)
    }

    pub(super) fn is_busy(&self) -> bool {
        self.in_flight.load(Ordering::SeqCst) > 0
    }

    /// When the connection became idle, unless it is busy.
    pub(super) fn idle_since(&self) -> Option<Instant> {
        let since = self.opened + Duration::from_millis(self.idle_since.load(Ordering::SeqCst));
        (!self.is_busy()).then_some(since)
    }

    /// Resolves when the connection has had no request for so long, or since it was opened.
    pub(super) async fn idle_for(&self, idle: Duration) {
        self.idle_for_after(idle, self.opened).await;
    }

    /// The same, counted from `after` at the earliest.
    pub(super) async fn idle_for_after(&self, idle: Duration, after: Instant) {
        loop {
            let now = Instant::now();
            let at = self.idle_since().map_or(now, |since| since.max(after)) + idle;
            if at <= now {
                return;
            }
            tokio::time::sleep_until(at).await;
        }
    }

    pub(super) fn body_completed(&self) {
        self.body_complete.store(true, Ordering::SeqCst);
    }

    pub(super) fn is_body_complete(&self) -> bool {
        self.body_complete.load(Ordering::SeqCst)
    }

    /// The answer to this request waits for its client from now on, or no longer.
    pub(super) fn waits(&self, request: u64, waits: bool) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waits {
            waiting.insert(request, Instant::now());
        } else {
            waiting.remove(&request);
        }
    }

    /// Since when the answer waits that waits longest.
    pub(super) fn waits_since(&self) -> Option<Instant> {
        self.waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .values()
            .min()
            .copied()
    }

    pub(super) fn note_framing(&self, framing: Framing) {
        self.framings
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push_back(framing);
    }

    pub(super) fn forget_framings(&self) {
        self.framings
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }
}
