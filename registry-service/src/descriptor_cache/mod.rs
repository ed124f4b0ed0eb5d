//! Descriptors of blobs in redis, under distribution's keys, for a fleet of which a part is distribution.
//!
//! Nothing is read from there. Whether a repository holds a blob and how large it is its storage tells within microseconds, and
//! rightly; redis would take a hundred times as long, could be out of date, and whoever may write to it could lie. But
//! distribution's processes on the same storage believe it: so what is deleted here is taken out there before the client is
//! answered, and what is pushed is written there.
//!
//! A task of its own speaks to redis. When redis does not answer, nothing waits for it and nothing fails: what is to be taken
//! out is owed until it answers again, and what is to be written is left out, since distribution then looks into the storage.

mod server;

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use shared::oci::{Digest, RepositoryName};
use tokio::sync::{Notify, oneshot};
use tokio::time::timeout;

pub use server::{Account, Options, TlsFiles, Unusable};

use crate::metrics::{self, CacheOperation, CacheTimer};
use server::{Connection, Server};

/// What may wait to be written; more is left out.
const WAITING: usize = 1_024;
/// What may be owed; beyond it redis has to be emptied by hand.
const OWED: usize = 100_000;

/// Connections for whoever else keeps something in the same redis.
#[derive(Debug)]
pub struct Connector(Server);

/// A connection that many use at once.
#[derive(Clone)]
pub struct SharedConnection(Connection);

impl Connector {
    /// To this redis. Whether it answers shows later.
    pub fn open(options: &Options) -> Result<Self, Unusable> {
        Server::open(options).map(Self)
    }

    /// A new connection.
    pub async fn connect(&self) -> redis::RedisResult<SharedConnection> {
        self.0.connect().await.map(SharedConnection)
    }
}

impl SharedConnection {
    /// What redis answers to commands that go together.
    pub async fn run<T: redis::FromRedisValue>(
        &mut self,
        commands: &redis::Pipeline,
    ) -> redis::RedisResult<T> {
        match &mut self.0 {
            Connection::Single(connection) => commands.query_async(connection).await,
            Connection::Cluster(connection) => commands.query_async(connection).await,
        }
    }
}

/// The cache. Clones share everything.
#[derive(Debug, Clone)]
pub struct DescriptorCache(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    jobs: Mutex<VecDeque<Job>>,
    /// Whether one that was taken from `jobs` is being told; changed while they are held.
    is_one_told: AtomicBool,
    something: Notify,
    /// Whether redis did not answer last time; then nobody waits for it.
    is_away: AtomicBool,
    /// How long a deletion waits to be taken out of redis.
    patience: Duration,
    shown: Shown,
}

/// What operators are shown; never a password.
#[derive(Debug, Clone)]
struct Shown {
    addrs: Vec<String>,
    master_name: Option<String>,
    db: i64,
    tls: bool,
}

#[derive(Debug)]
enum Job {
    /// The repository holds the blob.
    Hold(RepositoryName, Digest, u64),
    /// It does not any more.
    Forget(RepositoryName, Digest, Option<oneshot::Sender<()>>),
}

impl DescriptorCache {
    /// Begins to speak to redis. Must be called inside a runtime. Whether redis answers shows later.
    pub fn start(options: &Options) -> Result<Self, Unusable> {
        let server = Server::open(options)?;
        let cache = Self(Arc::new(Shared {
            jobs: Mutex::default(),
            is_one_told: AtomicBool::new(false),
            something: Notify::new(),
            is_away: AtomicBool::new(false),
            patience: options.dial.saturating_add(options.read),
            shown: Shown {
                addrs: options.addrs.clone(),
                master_name: options.master_name.clone(),
                db: options.db,
                tls: options.tls.is_some(),
            },
        }));
        tokio::spawn(work(Arc::clone(&cache.0), server, options.pause));
        Ok(cache)
    }

    /// The repository, by its name in the storage, holds this blob of `size` bytes from now on. Never waits.
    pub fn hold(&self, repository: &RepositoryName, digest: &Digest, size: u64) {
        let mut jobs = self.0.jobs();
        if jobs.len() >= WAITING || self.0.is_away.load(Ordering::Relaxed) {
            return;
        }
        jobs.push_back(Job::Hold(repository.clone(), digest.clone(), size));
        self.0.something.notify_one();
    }

    /// It does not hold it any more. Returns when redis knows, or does not answer.
    pub async fn forget(&self, repository: &RepositoryName, digest: &Digest) {
        let (tell, told) = oneshot::channel();
        {
            let mut jobs = self.0.jobs();
            if jobs.len() >= OWED {
                tracing::error!(
                    "redis was away for too long: empty it (FLUSHDB), or deleted blobs are served by distribution"
                );
                return;
            }
            jobs.push_back(Job::Forget(repository.clone(), digest.clone(), Some(tell)));
        }
        self.0.something.notify_one();
        if !self.0.is_away.load(Ordering::Relaxed) {
            // An error says that redis does not answer: what is owed stays owed.
            let _ = timeout(self.0.patience, told).await;
        }
    }

    /// For `/debug/vars`: where redis is, whether it answers, and what it is owed.
    pub fn variables(&self) -> serde_json::Value {
        let shown = &self.0.shown;
        let is_away = self.0.is_away.load(Ordering::Relaxed);
        let jobs = self.0.jobs();
        let owed = jobs.len() + usize::from(self.0.is_one_told.load(Ordering::Relaxed));
        drop(jobs);
        serde_json::json!({
            "Config": {
                "Addrs": shown.addrs, "MasterName": shown.master_name, "DB": shown.db, "TLS": shown.tls,
            },
            "Active": u8::from(!is_away),
            "Owed": owed,
        })
    }
}

impl Shared {
    fn jobs(&self) -> MutexGuard<'_, VecDeque<Job>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is to be told next.
    fn take(&self) -> Option<Job> {
        let mut jobs = self.jobs();
        let next = jobs.pop_front();
        self.is_one_told.store(next.is_some(), Ordering::Relaxed);
        next
    }

    /// Redis does not answer: who waits goes on, what is owed stays, the rest is left out.
    fn put_back(&self, job: Job) {
        self.is_away.store(true, Ordering::Relaxed);
        let mut jobs = self.jobs();
        self.is_one_told.store(false, Ordering::Relaxed);
        jobs.push_front(job);
        jobs.retain_mut(|job| match job {
            Job::Hold(..) => false,
            Job::Forget(_, _, tell) => {
                tell.take().map(|tell| tell.send(()));
                true
            }
        });
    }
}

async fn work(shared: Arc<Shared>, server: Server, (shortest, longest): (Duration, Duration)) {
    let mut connection = None;
    let mut pause = shortest;
    let mut is_said = false;
    loop {
        let Some(job) = shared.take() else {
            shared.something.notified().await;
            continue;
        };
        match attempt(&server, &mut connection, &job).await {
            Ok(()) => {
                shared.is_away.store(false, Ordering::Relaxed);
                if std::mem::take(&mut is_said) {
                    tracing::info!("redis answers again");
                }
                pause = shortest;
                job.done();
            }
            // Nobody finds anything there; to ask again would keep all others from being told.
            Err(error) if error.code() == Some("WRONGTYPE") => {
                metrics::CACHE_ERRORS.add(1);
                tracing::warn!(%error, "redis holds something else under a key of distribution's");
                job.done();
            }
            Err(error) => {
                metrics::CACHE_ERRORS.add(1);
                connection = None;
                if !std::mem::replace(&mut is_said, true) {
                    tracing::warn!(%error, "redis does not answer; descriptors are not shared until it does");
                }
                shared.put_back(job);
                tokio::time::sleep(pause).await;
                pause = pause.saturating_mul(2).min(longest);
                if shared.jobs().is_empty() {
                    // Nothing is owed: what comes next is tried again.
                    shared.is_away.store(false, Ordering::Relaxed);
                }
            }
        }
    }
}

async fn attempt(server: &Server, connection: &mut Option<Connection>, job: &Job) -> redis::RedisResult<()> {
    let connected = match connection {
        Some(connected) => connected,
        None => connection.insert(server.connect().await?),
    };
    let _timer = CacheTimer::begin(match job {
        Job::Hold(..) => CacheOperation::SetDescriptor,
        Job::Forget(..) => CacheOperation::Clear,
    });
    job.tell(connected).await
}

/// The media type that distribution gives every blob.
const MEDIA_TYPE: &str = "application/octet-stream";

impl Job {
    /// Who waits goes on.
    fn done(self) {
        if let Self::Forget(_, _, Some(tell)) = self {
            // They may have gone away.
            let _ = tell.send(());
        }
    }

    /// As distribution's cache has it, but that membership goes with a blob: distribution leaves it, and finds the deleted
    /// blob again.
    async fn tell(&self, connection: &mut Connection) -> redis::RedisResult<()> {
        let (Self::Hold(repository, digest, _) | Self::Forget(repository, digest, _)) = self;
        let digest = digest.to_string();
        let set = format!("repository::{repository}::blobs");
        let (own, all) = (format!("{set}::{digest}"), format!("blobs::{digest}"));
        match self {
            Self::Hold(_, _, size) => {
                let descriptor = redis::cmd("HSET")
                    .arg(&all)
                    .arg(&["digest", digest.as_str(), "size"])
                    .arg(*size)
                    .to_owned();
                connection.tell(&descriptor).await?;
                connection
                    .tell(redis::cmd("HSETNX").arg(&all).arg("mediatype").arg(MEDIA_TYPE))
                    .await?;
                connection
                    .tell(redis::cmd("HSET").arg(&own).arg("mediatype").arg(MEDIA_TYPE))
                    .await?;
                // Last: who finds it here looks for the others.
                connection.tell(redis::cmd("SADD").arg(&set).arg(&digest)).await
            }
            Self::Forget(..) => {
                connection.tell(redis::cmd("SREM").arg(&set).arg(&digest)).await?;
                connection.tell(redis::cmd("DEL").arg(&own)).await
            }
        }
    }
}
