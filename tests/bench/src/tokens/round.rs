//! Rounds at full load, for cost and rate, and at half of it, for how long a client waits.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::task::JoinSet;

use super::Plan;
use crate::client::{Body, Client, Endpoint};
use crate::load::{Limits, drive};
use crate::statistics::{float, median, percentile};
use crate::usage;
use crate::work::Work;

/// Clients at once.
const CONNECTIONS: usize = 64;

/// What one case cost.
#[derive(Debug, serde::Serialize)]
pub(crate) struct Figures {
    pub(crate) id: &'static str,
    /// CPU seconds of the index for 1,000 tokens; median of the rounds at full load.
    pub(crate) cost: f64,
    /// The same of the database's server, where it is one.
    pub(crate) database_cost: Option<f64>,
    /// Tokens for each second at full load.
    pub(crate) rate: f64,
    /// How long clients wait at full load, µs.
    pub(crate) p50_us: u32,
    pub(crate) p99_us: u32,
    /// The same at half of that rate.
    pub(crate) half_p50_us: u32,
    pub(crate) half_p99_us: u32,
    /// Most CPU seconds for 1,000 tokens.
    pub(crate) target: Option<f64>,
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: {:.3} s/1000, {:.0}/s, p50 {} p99 {} µs, at half load p50 {} p99 {} µs",
            self.id, self.cost, self.rate, self.p50_us, self.p99_us, self.half_p50_us, self.half_p99_us
        )
    }
}

pub(super) async fn measure(
    id: &'static str,
    endpoint: &Arc<Endpoint>,
    work: &Arc<Work>,
    index: u32,
    database: Option<u32>,
    plan: Plan,
    target: Option<f64>,
) -> Result<Figures> {
    let limits = |seconds| Limits {
        connections: CONNECTIONS,
        seconds,
        operations: u64::MAX,
    };
    drive(endpoint, work, limits(plan.seconds / 4.0)).await?;
    let (mut costs, mut database_costs, mut rates) = (Vec::new(), Vec::new(), Vec::new());
    let (mut p50, mut p99) = (Vec::new(), Vec::new());
    for _ in 0..plan.rounds {
        let before = usage::cpu(&[index])?;
        let database_before = database.map(|pid| usage::cpu(&[pid])).transpose()?;
        let outcome = drive(endpoint, work, limits(plan.seconds)).await?;
        let thousands = float(outcome.operations) / 1000.0;
        costs.push(usage::cpu(&[index])?.since(before).total() / thousands);
        if let (Some(pid), Some(before)) = (database, database_before) {
            database_costs.push(usage::cpu(&[pid])?.since(before).total() / thousands);
        }
        rates.push(float(outcome.operations) / outcome.seconds);
        p50.push(percentile(&outcome.latencies, 50));
        p99.push(percentile(&outcome.latencies, 99));
    }
    let rate = median(&rates);
    let half = at_rate(endpoint, work, rate / 2.0, plan.seconds).await?;
    Ok(Figures {
        id,
        cost: median(&costs),
        database_cost: (!database_costs.is_empty()).then(|| median(&database_costs)),
        rate,
        p50_us: middle(p50),
        p99_us: middle(p99),
        half_p50_us: percentile(&half, 50),
        half_p99_us: percentile(&half, 99),
        target,
    })
}

/// How often the same is measured without and beside logins, in turn.
const TURNS: usize = 5;

/// The same work at a rate, in turn without and while 64 clients log in as fast as they are let: unknown names, whose passwords
/// cost as much as known ones. What the clients and the machine add to a wait is then in both. `ids` name the two.
pub(super) async fn beside_logins(
    ids: [&'static str; 2],
    endpoint: &Arc<Endpoint>,
    work: &Arc<Work>,
    port: u16,
    (index, database): (u32, Option<u32>),
    rate: f64,
    plan: Plan,
) -> Result<[Figures; 2]> {
    let names = Arc::new(AtomicU64::new(0));
    let mut windows = [Windows::default(), Windows::default()];
    for _ in 0..TURNS {
        for (clients, windows) in [0, 64].into_iter().zip(&mut windows) {
            let stop = Arc::new(AtomicBool::new(false));
            let mut logins = JoinSet::new();
            for _ in 0..clients {
                logins.spawn(log_in(port, Arc::clone(&stop), Arc::clone(&names)));
            }
            let before = usage::cpu(&[index])?;
            let database_before = database.map(|pid| usage::cpu(&[pid])).transpose()?;
            let latencies = at_rate(endpoint, work, rate, plan.seconds).await?;
            let thousands = float(latencies.len() as u64) / 1000.0;
            windows
                .costs
                .push(usage::cpu(&[index])?.since(before).total() / thousands);
            if let (Some(pid), Some(before)) = (database, database_before) {
                windows
                    .database_costs
                    .push(usage::cpu(&[pid])?.since(before).total() / thousands);
            }
            windows.p50.push(percentile(&latencies, 50));
            windows.p99.push(percentile(&latencies, 99));
            stop.store(true, Ordering::Relaxed);
            while let Some(done) = logins.join_next().await {
                done??;
            }
        }
    }
    let [alone, beside] = windows;
    Ok([alone.figures(ids[0], rate), beside.figures(ids[1], rate)])
}

/// What several windows at a rate measured.
#[derive(Default)]
struct Windows {
    costs: Vec<f64>,
    database_costs: Vec<f64>,
    p50: Vec<u32>,
    p99: Vec<u32>,
}

impl Windows {
    /// The middle of each.
    fn figures(self, id: &'static str, rate: f64) -> Figures {
        let (p50, p99) = (middle(self.p50), middle(self.p99));
        Figures {
            id,
            cost: median(&self.costs),
            database_cost: (!self.database_costs.is_empty()).then(|| median(&self.database_costs)),
            rate,
            p50_us: p50,
            p99_us: p99,
            half_p50_us: p50,
            half_p99_us: p99,
            target: None,
        }
    }
}

async fn log_in(port: u16, stop: Arc<AtomicBool>, names: Arc<AtomicU64>) -> Result<()> {
    while !stop.load(Ordering::Relaxed) {
        let name = names.fetch_add(1, Ordering::Relaxed);
        let endpoint = Arc::new(Endpoint {
            port,
            authorization: crate::server::basic(&format!("nobody{name}"), "a password that is wrong"),
            tls: None,
            fresh: true,
        });
        let request = endpoint.prepare("GET", "/token?service=bench", "");
        // 401, or 503 when too many wait: both are answers.
        Client::new(endpoint).fetch(&request, Body::None).await?;
    }
    Ok(())
}

/// Operations at a steady rate, spread over the clients; one that is late is begun at once, and its wait counts from when it was
/// due.
async fn at_rate(endpoint: &Arc<Endpoint>, work: &Arc<Work>, rate: f64, seconds: f64) -> Result<Vec<u32>> {
    let interval = Duration::from_secs_f64(float(CONNECTIONS as u64) / rate.max(1.0));
    let begin = Instant::now();
    let end = begin + Duration::from_secs_f64(seconds);
    let mut running = JoinSet::new();
    for number in 0..CONNECTIONS {
        let (endpoint, work) = (Arc::clone(endpoint), Arc::clone(work));
        let first = begin + interval.mul_f64(float(number as u64) / float(CONNECTIONS as u64));
        running.spawn(async move {
            let mut client = Client::new(endpoint);
            client.connect().await?;
            let (mut due, mut latencies) = (first, Vec::new());
            let mut ticket = 0;
            while due < end {
                tokio::time::sleep_until(due.into()).await;
                // The clock of sleeps has steps of a millisecond; what counts begins when the client wakes, unless it is late by more.
                let begun = Instant::now();
                let from = if begun.duration_since(due) > Duration::from_millis(2) {
                    due
                } else {
                    begun
                };
                work.perform(&mut client, ticket).await?;
                ticket += 1;
                latencies.push(u32::try_from(from.elapsed().as_micros()).unwrap_or(u32::MAX));
                due += interval;
            }
            Ok::<_, anyhow::Error>(latencies)
        });
    }
    let mut all = Vec::new();
    while let Some(done) = running.join_next().await {
        all.extend(done??);
    }
    all.sort_unstable();
    Ok(all)
}

fn middle(mut values: Vec<u32>) -> u32 {
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or_default()
}
