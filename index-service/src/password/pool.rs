//! The threads that hash: few, with a short queue, so that logins can starve nothing else.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, oneshot};

/// Too many passwords are being hashed: try again in a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many logins at once")]
pub struct Busy;

/// How much hashing is accepted.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Threads; 1 to 8 are taken.
    pub threads: usize,
    /// Most requests that wait for a thread.
    pub queue: usize,
    /// Longest time that a request waits for a thread.
    pub wait: Duration,
}

impl Limits {
    /// A thread for each core, 64 requests waiting, two seconds.
    pub fn for_cores(cores: usize) -> Self {
        Self {
            threads: cores,
            queue: 64,
            wait: Duration::from_secs(2),
        }
    }
}

/// Of a core that others want too, these threads get a third of what another one gets: a login may wait, a token not.
const NICENESS: i32 = 5;

type Job = Box<dyn FnOnce() + Send>;

pub(super) struct Pool {
    limits: Limits,
    /// One permit for each thread; waiting for one is first come, first served, and ends when the client goes away.
    threads: Arc<Semaphore>,
    /// One permit for each request that is hashed or waits.
    admitted: Arc<Semaphore>,
    jobs: Sender<Job>,
}

impl Pool {
    pub(super) fn new(limits: Limits) -> Self {
        let threads = limits.threads.clamp(1, 8);
        let (jobs, queue) = mpsc::channel();
        let queue = Arc::new(Mutex::new(queue));
        for _ in 0..threads {
            let queue = Arc::clone(&queue);
            // The thread ends when the pool is dropped.
            std::thread::spawn(move || {
                // On Linux this is the thread's own. That it is refused costs nothing but the precedence of others.
                let _ = rustix::process::nice(NICENESS);
                work(&queue);
            });
        }
        Self {
            limits,
            threads: Arc::new(Semaphore::new(threads)),
            admitted: Arc::new(Semaphore::new(threads + limits.queue)),
            jobs,
        }
    }

    /// Runs `work` on one of the threads. Work that has begun goes on when the caller goes away, and keeps its thread.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Busy> {
        if shared::sabotage::breaks("unbounded-hashing") {
            let (answer, answered) = oneshot::channel();
            std::thread::spawn(move || answer.send(work()).map_err(drop));
            return answered.await.map_err(|_| Busy);
        }
        let admitted = Arc::clone(&self.admitted).try_acquire_owned().map_err(|_| Busy)?;
        let thread = tokio::time::timeout(self.limits.wait, Arc::clone(&self.threads).acquire_owned())
            .await
            .map_err(|_| Busy)?
            .map_err(|_| Busy)?;
        let (answer, answered) = oneshot::channel();
        let job = Box::new(move || {
            let _ = answer.send(work());
            drop((thread, admitted));
        });
        self.jobs.send(job).map_err(|_| Busy)?;
        answered.await.map_err(|_| Busy)
    }
}

fn work(queue: &Mutex<Receiver<Job>>) {
    loop {
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else { return };
        // A panic ends one request, which sees its channel closed, and not the thread.
        let _ = catch_unwind(AssertUnwindSafe(job));
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(queue: usize) -> Arc<Pool> {
        Arc::new(Pool::new(Limits {
            threads: 1,
            queue,
            wait: Duration::from_secs(2),
        }))
    }

    /// Occupies the only thread until the returned sender is dropped.
    async fn occupy(pool: &Arc<Pool>) -> mpsc::Sender<()> {
        let (release, released) = mpsc::channel::<()>();
        let (begin, begun) = oneshot::channel();
        let pool = Arc::clone(pool);
        tokio::spawn(async move {
            pool.run(move || {
                let _ = begin.send(());
                let _ = released.recv();
            })
            .await
        });
        begun.await.unwrap();
        release
    }

    #[tokio::test]
    async fn work_is_done_on_another_thread() {
        let here = std::thread::current().id();
        let there = pool(0).run(|| std::thread::current().id()).await.unwrap();
        assert_ne!(here, there);
    }

    #[tokio::test]
    async fn beyond_the_queue_the_answer_is_busy_at_once() {
        let pool = pool(1);
        let release = occupy(&pool).await;
        let waiting = tokio::spawn({
            let pool = Arc::clone(&pool);
            async move { pool.run(|| 1).await }
        });
        while pool.admitted.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(pool.run(|| 2).await, Err(Busy));
        drop(release);
        assert_eq!(waiting.await.unwrap(), Ok(1));
        assert_eq!(pool.run(|| 3).await, Ok(3));
    }

    #[tokio::test]
    async fn whoever_waits_too_long_is_sent_away() {
        let pool = Arc::new(Pool::new(Limits {
            threads: 1,
            queue: 1,
            wait: Duration::from_millis(10),
        }));
        let release = occupy(&pool).await;
        assert_eq!(pool.run(|| ()).await, Err(Busy));
        drop(release);
    }

    #[tokio::test]
    async fn a_client_that_goes_away_leaves_the_queue() {
        let pool = pool(1);
        let release = occupy(&pool).await;
        let waiting = tokio::spawn({
            let pool = Arc::clone(&pool);
            async move { pool.run(|| 1).await }
        });
        while pool.admitted.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        waiting.abort();
        assert!(waiting.await.is_err());
        assert_eq!(pool.admitted.available_permits(), 1);
        drop(release);
    }

    #[tokio::test]
    async fn a_panic_ends_its_request_and_not_the_thread() {
        let pool = pool(0);
        let outcome = pool
            .run(|| assert!(std::hint::black_box(false), "one request"))
            .await;
        assert_eq!(outcome, Err(Busy));
        // The permits come back a moment after the answer.
        while pool.admitted.available_permits() == 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(pool.run(|| 1).await, Ok(1));
    }
}
