//! The access log in Apache's combined format, on a stream that may stall: requests never wait for it.
//!
//! Lines are appended to a buffer in memory, which a thread of its own writes out a few times per second. When nobody takes
//! them and the buffer is full, lines are dropped and counted.

mod line;

#[cfg(test)]
mod tests;

use std::io::Write;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use shared::runtime::serve::Exchange;

pub use line::shown_target;

use crate::metrics;

/// Bytes that may wait to be written.
const BUFFER: usize = 4 << 20;
/// How long lines are gathered before they are written.
const GATHER: Duration = Duration::from_millis(100);
/// How long the end of the process waits for the last lines to be taken.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Where lines go. Clones share it.
#[derive(Debug, Clone)]
pub struct AccessLog(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    waiting: Mutex<Waiting>,
    something: Condvar,
    limit: usize,
}

#[derive(Debug, Default)]
struct Waiting {
    lines: Vec<u8>,
    ended: bool,
}

/// The thread that writes.
#[derive(Debug)]
pub struct Writer {
    log: AccessLog,
    done: Receiver<()>,
}

impl AccessLog {
    /// Writes to `out` from now on, in a thread of its own.
    pub fn start(out: impl Write + Send + 'static) -> std::io::Result<(Self, Writer)> {
        Self::with_buffer(out, BUFFER)
    }

    fn with_buffer(out: impl Write + Send + 'static, limit: usize) -> std::io::Result<(Self, Writer)> {
        let log = Self(Arc::new(Shared {
            waiting: Mutex::default(),
            something: Condvar::new(),
            limit,
        }));
        let (tell, done) = channel();
        let shared = Arc::clone(&log.0);
        let thread = std::thread::Builder::new().name("access-log".to_owned());
        thread.spawn(move || {
            shared.write_out(out);
            // Nobody waits any more when the time was over.
            let _ = tell.send(());
        })?;
        let writer = Writer {
            log: log.clone(),
            done,
        };
        Ok((log, writer))
    }

    /// One line about a request of `user` (empty for nobody) that ended at `now_s`, seconds since the epoch.
    pub fn write(&self, exchange: &Exchange, status: u16, user: &str, now_s: i64) {
        self.append(|lines| line::append(lines, exchange, status, user, now_s));
    }

    fn append(&self, write: impl FnOnce(&mut Vec<u8>)) {
        let mut waiting = self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.lines.len() >= self.0.limit {
            metrics::ACCESS_LOG_DROPPED.add(1);
            return;
        }
        let was_empty = waiting.lines.is_empty();
        write(&mut waiting.lines);
        drop(waiting);
        if was_empty {
            self.0.something.notify_one();
        }
    }
}

impl Shared {
    fn write_out(&self, mut out: impl Write) {
        let mut lines = Vec::new();
        loop {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            while waiting.lines.is_empty() && !waiting.ended {
                waiting = self
                    .something
                    .wait(waiting)
                    .unwrap_or_else(PoisonError::into_inner);
            }
            if !waiting.ended {
                // More come right after the first; one wake-up is enough for all of them.
                drop(waiting);
                std::thread::sleep(GATHER);
                waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            }
            std::mem::swap(&mut lines, &mut waiting.lines);
            let ended = waiting.ended;
            drop(waiting);
            // A stream that nobody reads any more is no reason to end a registry.
            if out.write_all(&lines).and_then(|()| out.flush()).is_err() {
                let lost = lines.split(|byte| *byte == b'\n').count().saturating_sub(1);
                metrics::ACCESS_LOG_DROPPED.add(lost as u64);
            }
            lines.clear();
            // What a burst took is given back.
            lines.shrink_to(64 << 10);
            if ended {
                return;
            }
        }
    }
}

impl Writer {
    /// Writes what waits, and ends; for a stream that is stalled it waits two seconds at most.
    pub fn end(self) {
        let shared = &self.log.0;
        shared
            .waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .ended = true;
        shared.something.notify_one();
        if let Err(RecvTimeoutError::Timeout) = self.done.recv_timeout(LAST_WORDS) {
            tracing::warn!("nobody takes the access log; its last lines are lost");
        }
    }
}
