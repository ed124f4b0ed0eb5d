//! Counts in redis, shared by all replicas that use it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use shared::token::rates::{Counted, Rate};
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::{Ask, Window};
use crate::descriptor_cache::{Connector, Options, SharedConnection, Unusable};

/// How long a request waits for redis.
const PATIENCE: Duration = Duration::from_millis(250);
/// How long redis is left alone when it did not answer.
const PAUSE: Duration = Duration::from_secs(2);

/// Whoever counts in redis. Clones share everything.
#[derive(Clone)]
pub struct RedisTable(Arc<Shared>);

struct Shared {
    connector: Connector,
    /// Redis did not answer: this process counts for itself until it is tried again.
    is_away: AtomicBool,
    /// One connection, which all requests share.
    connection: Mutex<Option<SharedConnection>>,
}

impl RedisTable {
    /// In this redis. Whether it answers shows later.
    pub fn open(options: &Options) -> Result<Self, Unusable> {
        Ok(Self(Arc::new(Shared {
            connector: Connector::open(options)?,
            is_away: AtomicBool::new(false),
            connection: Mutex::new(None),
        })))
    }

    /// Counts, or looks; none when redis does not answer.
    pub(super) async fn count(&self, rate: &Rate, ask: Ask) -> Option<Window> {
        if self.0.is_away.load(Ordering::Relaxed) {
            return None;
        }
        match timeout(PATIENCE, self.counted(rate, ask)).await {
            Ok(Ok(window)) => Some(window),
            Ok(Err(error)) => {
                self.step_back(&error.to_string());
                None
            }
            Err(_) => {
                self.step_back("no answer in time");
                None
            }
        }
    }

    async fn counted(&self, rate: &Rate, ask: Ask) -> redis::RedisResult<Window> {
        let mut connection = {
            let mut held = self.0.connection.lock().await;
            match &*held {
                Some(connection) => connection.clone(),
                None => held.insert(self.0.connector.connect().await?).clone(),
            }
        };
        let what = match rate.what {
            Counted::Pulls => "pulls",
            Counted::Requests => "requests",
        };
        let key = format!("portolan:rate:{what}:{}:{}", rate.window_s, rate.key);
        let mut pipe = redis::pipe();
        pipe.cmd("SET")
            .arg(&key)
            .arg(0)
            .arg("EX")
            .arg(rate.window_s)
            .arg("NX")
            .ignore();
        pipe.cmd("INCRBY").arg(&key).arg(u8::from(ask == Ask::Take));
        pipe.cmd("PTTL").arg(&key);
        let (count, left_ms): (i64, i64) = connection.run(&pipe).await?;
        Ok(Window {
            count: u64::try_from(count).unwrap_or(0),
            // It may have ended between two of the commands.
            left_ms: u64::try_from(left_ms).unwrap_or(1_000),
        })
    }

    fn step_back(&self, why: &str) {
        if self.0.is_away.swap(true, Ordering::Relaxed) {
            return;
        }
        tracing::warn!(
            why,
            "redis does not answer; this process counts requests for itself until it does"
        );
        let shared = Arc::clone(&self.0);
        tokio::spawn(async move {
            tokio::time::sleep(PAUSE).await;
            *shared.connection.lock().await = None;
            shared.is_away.store(false, Ordering::Relaxed);
        });
    }
}

impl fmt::Debug for RedisTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RedisTable")
    }
}
