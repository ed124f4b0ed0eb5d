//! Where operations on the disk run: on threads that may wait for it, or on the calling one.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;

use super::Filesystem;
use crate::storage::StorageError;

/// Operations that may wait for the disk, at most so many at once.
const LONG_OPERATIONS: usize = 64;
/// Operations that wait for one of these to end. Further ones are refused: a disk that is so slow would only let the
/// requests grow old that wait for it, until no place is left for those that need no disk.
const WAITING: usize = 512;
/// Short operations on threads of their own while the disk is slow, at most so many at once: with these above they must
/// leave threads of the runtime's 512 for other work.
const SHORT_OPERATIONS: usize = 256;
/// A short operation that takes longer than this shows that the disk is slow.
const SLOW: Duration = Duration::from_millis(100);
/// For so long short operations give their thread away after that.
const CAUTION: Duration = Duration::from_secs(10);

/// Who may wait for the disk.
pub(super) struct Places {
    long: Arc<Semaphore>,
    waiting: AtomicUsize,
}

/// One of those that are counted, until dropped.
struct Waiting<'a>(&'a AtomicUsize);

impl Places {
    pub(super) fn new() -> Self {
        Self {
            long: Arc::new(Semaphore::new(LONG_OPERATIONS)),
            waiting: AtomicUsize::new(0),
        }
    }

    /// A place; for something new only when not too many wait for one.
    async fn take(&self, is_new: bool) -> Result<OwnedSemaphorePermit, StorageError> {
        if let Ok(permit) = Arc::clone(&self.long).try_acquire_owned() {
            return Ok(permit);
        }
        let before = self.waiting.fetch_add(1, Ordering::Relaxed);
        let _waiting = Waiting(&self.waiting);
        if is_new && before >= WAITING {
            return Err(StorageError::Unavailable {
                doing: format!("waiting for the disk behind {before} other operations"),
                source: None,
            });
        }
        let permit = Arc::clone(&self.long).acquire_owned().await;
        permit.map_err(|closed| stopped(io::Error::other(closed)))
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn stopped(cause: io::Error) -> StorageError {
    StorageError::from_io("running an operation on the disk", cause)
}

impl Filesystem {
    /// Runs what may wait for the disk on a thread of its own. Once begun it ends, even when the caller goes away.
    /// [`StorageError::Unavailable`] when too much waits already.
    pub(super) async fn long<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, StorageError> + Send + 'static,
    ) -> Result<T, StorageError> {
        self.run(true, work).await
    }

    /// The same for what goes on with something that has begun: never refused.
    pub(super) async fn continued<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, StorageError> + Send + 'static,
    ) -> Result<T, StorageError> {
        self.run(false, work).await
    }

    /// Begins what may wait for the disk; it ends whether anybody waits for it or not.
    /// [`StorageError::Unavailable`] when too much waits already.
    pub(super) async fn begin(&self, work: impl FnOnce() + Send + 'static) -> Result<(), StorageError> {
        let permit = self.0.places.take(true).await?;
        tokio::task::spawn_blocking(move || {
            work();
            drop(permit);
        });
        Ok(())
    }

    /// Begins what may wait for the disk on a thread of its own, unless all are taken.
    pub(super) fn begin_if_free<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<JoinHandle<T>> {
        let permit = Arc::clone(&self.0.places.long).try_acquire_owned().ok()?;
        Some(tokio::task::spawn_blocking(move || {
            let result = work();
            drop(permit);
            result
        }))
    }

    async fn run<T: Send + 'static>(
        &self,
        is_new: bool,
        work: impl FnOnce() -> Result<T, StorageError> + Send + 'static,
    ) -> Result<T, StorageError> {
        if shared::sabotage::breaks("disk-on-any-thread") {
            return work();
        }
        let permit = self.0.places.take(is_new).await?;
        let running = tokio::task::spawn_blocking(move || {
            let result = work();
            drop(permit);
            result
        });
        running
            .await
            .map_err(|panicked| stopped(io::Error::other(panicked)))?
    }
}

/// Too many short operations wait for a slow disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{SHORT_OPERATIONS} short operations wait for the disk already")]
pub(super) struct TooSlow;

impl From<TooSlow> for io::Error {
    fn from(error: TooSlow) -> Self {
        Self::new(io::ErrorKind::ResourceBusy, error)
    }
}

impl From<TooSlow> for StorageError {
    fn from(error: TooSlow) -> Self {
        Self::from_io("beginning a short operation", error.into())
    }
}

/// Runs what takes microseconds, as long as the directory is in memory, on the calling thread. Here, in one place, so that
/// this choice can be changed. While the disk is slow, the thread's other tasks move to another first, for at most
/// [`SHORT_OPERATIONS`] at once; further ones fail.
pub(super) fn short<T, E: From<TooSlow>>(work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    static APART: AtomicUsize = AtomicUsize::new(0);
    let begun = Instant::now();
    let done = if PACE.is_slow(begun) && is_movable() {
        let before = APART.fetch_add(1, Ordering::Relaxed);
        let _apart = Waiting(&APART);
        if before >= SHORT_OPERATIONS {
            return Err(TooSlow.into());
        }
        tokio::task::block_in_place(work)
    } else {
        work()
    };
    PACE.note(begun, begun.elapsed());
    done
}

/// Whether this thread's other tasks can move to another.
fn is_movable() -> bool {
    if shared::sabotage::breaks("disk-on-any-thread") {
        return false;
    }
    Handle::try_current().is_ok_and(|handle| handle.runtime_flavor() == RuntimeFlavor::MultiThread)
}

/// How short operations of this process have gone of late.
static PACE: Pace = Pace {
    slow_until_ms: AtomicU64::new(0),
    start: std::sync::OnceLock::new(),
};

struct Pace {
    /// Milliseconds after `start`.
    slow_until_ms: AtomicU64,
    start: std::sync::OnceLock<Instant>,
}

impl Pace {
    fn is_slow(&self, now: Instant) -> bool {
        let until = self.slow_until_ms.load(Ordering::Relaxed);
        until > 0 && self.ms(now) < until
    }

    fn note(&self, begun: Instant, took: Duration) {
        if took > SLOW {
            let begun_ms = self.ms(begun);
            let until = self.ms(begun + took + CAUTION);
            if self.slow_until_ms.swap(until, Ordering::Relaxed) <= begun_ms {
                tracing::warn!(
                    took_ms = took.as_millis(),
                    "the disk is slow: a short operation waited for it"
                );
            }
        }
    }

    fn ms(&self, at: Instant) -> u64 {
        let start = *self.start.get_or_init(|| at);
        u64::try_from(at.saturating_duration_since(start).as_millis()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_new_is_refused_when_too_much_waits_and_what_has_begun_is_not() {
        let places = Arc::new(Places::new());
        let held = Arc::clone(&places.long)
            .acquire_many_owned(u32::try_from(LONG_OPERATIONS).unwrap())
            .await
            .unwrap();
        let mut waiting = Vec::new();
        for _ in 0..WAITING {
            let places = Arc::clone(&places);
            waiting.push(tokio::spawn(async move { places.take(true).await.map(drop) }));
        }
        while places.waiting.load(Ordering::Relaxed) < WAITING {
            tokio::task::yield_now().await;
        }
        let refused = places.take(true).await;
        assert!(matches!(refused, Err(StorageError::Unavailable { .. })));
        let continued = tokio::spawn({
            let places = Arc::clone(&places);
            async move { places.take(false).await.map(drop) }
        });
        while places.waiting.load(Ordering::Relaxed) < WAITING + 1 {
            tokio::task::yield_now().await;
        }
        drop(held);
        for task in waiting {
            task.await.unwrap().unwrap();
        }
        continued.await.unwrap().unwrap();
        assert!(places.take(true).await.is_ok());
        assert_eq!(places.waiting.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn a_short_operation_that_takes_long_makes_the_next_ones_careful_for_a_while() {
        let pace = Pace {
            slow_until_ms: AtomicU64::new(0),
            start: std::sync::OnceLock::new(),
        };
        let start = Instant::now();
        pace.note(start, SLOW);
        assert!(!pace.is_slow(start));
        let took = SLOW + Duration::from_millis(1);
        pace.note(start, took);
        assert!(pace.is_slow(start + CAUTION));
        assert!(!pace.is_slow(start + took + CAUTION));
    }
}
