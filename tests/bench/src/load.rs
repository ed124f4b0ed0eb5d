//! Load: so many connections, until a time or a number of operations is reached.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use tokio::task::JoinSet;

use crate::client::{Client, Endpoint};
use crate::work::Work;

/// Bounds of one round.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) connections: usize,
    pub(crate) seconds: f64,
    pub(crate) operations: u64,
}

/// What was done in one round.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) operations: u64,
    /// Bytes of blobs and answers.
    pub(crate) bytes: u64,
    pub(crate) seconds: f64,
    /// How long each operation took, µs, sorted.
    pub(crate) latencies: Vec<u32>,
}

/// Most connections of any case.
pub(crate) const MOST_CONNECTIONS: usize = 256;

/// An operation that is under way at the end of a round gets so much more time.
const GRACE: Duration = Duration::from_mins(2);

/// One round. The first operation that fails ends it with an error.
pub(crate) async fn drive(endpoint: &Arc<Endpoint>, work: &Arc<Work>, limits: Limits) -> Result<Outcome> {
    ensure!(limits.connections <= MOST_CONNECTIONS, "too many connections");
    let mut clients = Vec::new();
    for _ in 0..limits.connections {
        let mut client = Client::new(Arc::clone(endpoint));
        client.connect().await?;
        clients.push(client);
    }
    let tickets = Arc::new(AtomicU64::new(0));
    let begin = Instant::now();
    let end = begin + Duration::from_secs_f64(limits.seconds);
    let mut running = JoinSet::new();
    for client in clients {
        let (work, tickets) = (Arc::clone(work), Arc::clone(&tickets));
        running.spawn(one(client, work, tickets, end, limits.operations));
    }
    let all = async {
        let (mut bytes, mut latencies) = (0, Vec::new());
        while let Some(done) = running.join_next().await {
            let (moved, took) = done??;
            bytes += moved;
            latencies.extend(took);
        }
        Ok::<_, anyhow::Error>((bytes, latencies))
    };
    let (bytes, mut latencies) = tokio::time::timeout_at((end + GRACE).into(), all)
        .await
        .context("the load did not end")??;
    let seconds = begin.elapsed().as_secs_f64();
    latencies.sort_unstable();
    Ok(Outcome {
        operations: latencies.len() as u64,
        bytes,
        seconds,
        latencies,
    })
}

async fn one(
    mut client: Client,
    work: Arc<Work>,
    tickets: Arc<AtomicU64>,
    end: Instant,
    most: u64,
) -> Result<(u64, Vec<u32>)> {
    let (mut bytes, mut latencies) = (0, Vec::new());
    loop {
        let begin = Instant::now();
        let ticket = tickets.fetch_add(1, Ordering::Relaxed);
        if begin >= end || ticket >= most {
            return Ok((bytes, latencies));
        }
        bytes += work.perform(&mut client, ticket).await?;
        latencies.push(u32::try_from(begin.elapsed().as_micros()).unwrap_or(u32::MAX));
    }
}
