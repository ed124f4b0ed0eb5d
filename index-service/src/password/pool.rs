//! The threads that hash: few, with a short queue, so that logins can starve nothing else.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::memory::{Memory, Stash};

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
    /// A thread for every two cores, 64 requests waiting, two seconds. Even threads that yield to everybody take caches and the
    /// way to memory from those who would answer meanwhile: a hash reads and writes 19 MiB.
    pub fn for_cores(cores: usize) -> Self {
        Self {
            threads: cores.div_ceil(2),
            queue: 64,
            wait: Duration::from_secs(2),
        }
    }
}

/// Of a core that others want too, the thread that helps out gets a third of what another one gets.
const NICENESS: i32 = 5;
/// With no work for so long, the memory of former hashes is given back.
const MEMORY_KEPT: Duration = Duration::from_secs(1);
/// When no hash came to its end for so long, the machine leaves the threads nothing.
const STALLED: Duration = Duration::from_millis(250);

type Job = Box<dyn FnOnce(&mut Memory) + Send>;

/// Threads that only run when nobody else wants the core: a login may wait, a token not. Where the machine never has a moment
/// to spare, one more thread takes its share of it, so that logins are slow and not impossible.
pub(super) struct Pool {
    limits: Limits,
    /// One permit for each request that is hashed or waits.
    admitted: Arc<Semaphore>,
    ordinary: Group,
    help: Group,
}

/// Threads, each with one job at a time.
struct Group {
    /// One permit for each thread; waiting for one is first come, first served, and ends when the client goes away.
    threads: Arc<Semaphore>,
    jobs: Sender<Job>,
    finished: Arc<AtomicU64>,
}

impl Pool {
    pub(super) fn new(limits: Limits) -> Self {
        let threads = limits.threads.clamp(1, 8);
        let stash = Arc::new(Stash::default());
        Self {
            limits,
            admitted: Arc::new(Semaphore::new(threads + limits.queue)),
            ordinary: Group::new(threads, &stash, yield_to_everybody),
            help: Group::new(1, &stash, yield_a_little),
        }
    }

    /// Runs `work` on one of the threads; on two, if the first does not get on. Work that has begun goes on when the caller goes
    /// away, and keeps its thread.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl Fn(&mut Memory) -> T + Send + Sync + 'static,
    ) -> Result<T, Busy> {
        if shared::sabotage::breaks("unbounded-hashing") {
            let (answer, answered) = oneshot::channel();
            std::thread::spawn(move || answer.send(work(&mut Memory::default())).map_err(drop));
            return answered.await.map_err(|_| Busy);
        }
        let admitted = Arc::clone(&self.admitted).try_acquire_owned().map_err(|_| Busy)?;
        let (work, admitted) = (Arc::new(work), Arc::new(admitted));
        let begun = tokio::time::timeout(self.limits.wait, async {
            tokio::select! {
                biased;
                thread = self.ordinary.thread() => self.ordinary.begin(thread?, &work, &admitted),
                thread = self.helper() => self.help.begin(thread?, &work, &admitted),
            }
        });
        let mut answered = begun.await.map_err(|_| Busy)??;
        tokio::select! {
            biased;
            answer = &mut answered => answer.map_err(|_| Busy),
            thread = self.helper() => {
                let helped = self.help.begin(thread?, &work, &admitted)?;
                tokio::select! {
                    answer = answered => answer,
                    answer = helped => answer,
                }
                .map_err(|_| Busy)
            }
        }
    }

    /// The thread that helps out, as soon as it is needed and free.
    async fn helper(&self) -> Result<OwnedSemaphorePermit, Busy> {
        loop {
            let before = self.ordinary.finished.load(Ordering::Relaxed);
            tokio::time::sleep(STALLED).await;
            if self.ordinary.finished.load(Ordering::Relaxed) == before {
                return self.help.thread().await;
            }
        }
    }
}

impl Group {
    fn new(threads: usize, stash: &Arc<Stash>, set_up: fn()) -> Self {
        let (jobs, queue) = mpsc::channel();
        let (queue, finished) = (Arc::new(Mutex::new(queue)), Arc::new(AtomicU64::new(0)));
        for _ in 0..threads {
            let (queue, stash, finished) = (Arc::clone(&queue), Arc::clone(stash), Arc::clone(&finished));
            // The thread ends when the pool is dropped.
            std::thread::spawn(move || {
                set_up();
                work(&queue, &stash, &finished);
            });
        }
        Self {
            threads: Arc::new(Semaphore::new(threads)),
            jobs,
            finished,
        }
    }

    async fn thread(&self) -> Result<OwnedSemaphorePermit, Busy> {
        Arc::clone(&self.threads).acquire_owned().await.map_err(|_| Busy)
    }

    fn begin<T: Send + 'static>(
        &self,
        thread: OwnedSemaphorePermit,
        work: &Arc<impl Fn(&mut Memory) -> T + Send + Sync + 'static>,
        admitted: &Arc<OwnedSemaphorePermit>,
    ) -> Result<oneshot::Receiver<T>, Busy> {
        let (work, admitted) = (Arc::clone(work), Arc::clone(admitted));
        let (answer, answered) = oneshot::channel();
        let job = Box::new(move |memory: &mut Memory| {
            let _ = answer.send(work(memory));
            drop((thread, admitted));
        });
        self.jobs.send(job).map_err(|_| Busy)?;
        Ok(answered)
    }
}

/// Everybody else comes first. Where the system does not know this, a little is what there is.
fn yield_to_everybody() {
    #[cfg(target_os = "linux")]
    {
        use thread_priority::{
            NormalThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy, set_thread_priority_and_policy,
            thread_native_id,
        };

        let policy = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
        if set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Min, policy).is_ok() {
            return;
        }
    }
    yield_a_little();
}

fn yield_a_little() {
    // On Linux this is the thread's own. That it is refused costs nothing but the precedence of others.
    let _ = rustix::process::nice(NICENESS);
}

fn work(queue: &Mutex<Receiver<Job>>, stash: &Stash, finished: &AtomicU64) {
    while let Some(job) = next(queue, stash) {
        let mut memory = stash.take();
        // A panic ends one request, which sees its channel closed, and not the thread.
        let _ = catch_unwind(AssertUnwindSafe(|| job(&mut memory)));
        stash.put(memory);
        finished.fetch_add(1, Ordering::Relaxed);
    }
}

/// The next job; `None` when there will be no more. One thread waits for it, the others for that one.
fn next(queue: &Mutex<Receiver<Job>>, stash: &Stash) -> Option<Job> {
    let queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
    while !stash.is_empty() {
        match queue.recv_timeout(MEMORY_KEPT) {
            Ok(job) => return Some(job),
            Err(RecvTimeoutError::Timeout) => stash.clear(),
            Err(RecvTimeoutError::Disconnected) => return None,
        }
    }
    queue.recv().ok()
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
        let released = Mutex::new(released);
        let (begin, mut begun) = tokio::sync::mpsc::unbounded_channel();
        let pool = Arc::clone(pool);
        tokio::spawn(async move {
            let attempts = AtomicU64::new(0);
            pool.run(move |_| {
                // The thread that helps out is not to be occupied.
                if attempts.fetch_add(1, Ordering::Relaxed) == 0 {
                    let _ = begin.send(());
                    let _ = released.lock().unwrap().recv();
                }
            })
            .await
        });
        begun.recv().await.unwrap();
        release
    }

    #[tokio::test]
    async fn work_is_done_on_another_thread() {
        let here = std::thread::current().id();
        let there = pool(0).run(|_| std::thread::current().id()).await.unwrap();
        assert_ne!(here, there);
    }

    #[tokio::test]
    async fn beyond_the_queue_the_answer_is_busy_at_once() {
        let pool = pool(1);
        let release = occupy(&pool).await;
        let waiting = tokio::spawn({
            let pool = Arc::clone(&pool);
            async move { pool.run(|_| 1).await }
        });
        while pool.admitted.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(pool.run(|_| 2).await, Err(Busy));
        drop(release);
        assert_eq!(waiting.await.unwrap(), Ok(1));
        assert_eq!(pool.run(|_| 3).await, Ok(3));
    }

    #[tokio::test]
    async fn whoever_waits_too_long_is_sent_away() {
        let pool = Arc::new(Pool::new(Limits {
            threads: 1,
            queue: 1,
            wait: Duration::from_millis(10),
        }));
        let release = occupy(&pool).await;
        assert_eq!(pool.run(|_| ()).await, Err(Busy));
        drop(release);
    }

    #[tokio::test]
    async fn where_the_threads_do_not_get_on_another_one_helps() {
        let pool = pool(1);
        let release = occupy(&pool).await;
        let (first, second) = tokio::join!(pool.run(|_| 1), async {
            tokio::task::yield_now().await;
            pool.run(|_| 2).await
        });
        assert_eq!(
            (first, second),
            (Ok(1), Err(Busy)),
            "one waits, and no more than that"
        );
        drop(release);
    }

    #[tokio::test]
    async fn work_that_does_not_get_on_is_begun_again_by_the_one_that_helps() {
        let pool = pool(0);
        let attempts = AtomicU64::new(0);
        let (release, released) = mpsc::channel::<()>();
        let released = Mutex::new(released);
        let answer = pool
            .run(move |_| {
                if attempts.fetch_add(1, Ordering::Relaxed) == 0 {
                    // The first attempt gets no time at all.
                    let _ = released.lock().unwrap().recv();
                    return "late";
                }
                "in time"
            })
            .await;
        assert_eq!(answer, Ok("in time"));
        drop(release);
    }

    #[tokio::test]
    async fn a_client_that_goes_away_leaves_the_queue() {
        let pool = pool(1);
        let release = occupy(&pool).await;
        let waiting = tokio::spawn({
            let pool = Arc::clone(&pool);
            async move { pool.run(|_| 1).await }
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
            .run(|_| assert!(std::hint::black_box(false), "one request"))
            .await;
        assert_eq!(outcome, Err(Busy));
        // The permits come back a moment after the answer.
        while pool.admitted.available_permits() == 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(pool.run(|_| 1).await, Ok(1));
    }
}
