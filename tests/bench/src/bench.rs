//! A run: content, servers, and each case in rounds, both servers in turn.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use harness::Journey;
use harness::open_registry::{Choices, OpenRegistry};

use crate::case::{self, BUSY, Case, Kind, Sizes, Supply};
use crate::client::Endpoint;
use crate::content::{self, Amounts, Content};
use crate::gauge;
use crate::leftover;
use crate::load::{Limits, Outcome, drive};
use crate::private::Private;
use crate::report::{CaseReport, Gauge, Round, Unit};
use crate::server::{Certificate, Server, Side};
use crate::statistics::{float, percentile};
use crate::usage;

/// How much is done.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) rounds: usize,
    /// Of one round of a case of weight 1.
    pub(crate) seconds: f64,
    pub(crate) sizes: Sizes,
    pub(crate) tags: u64,
    pub(crate) repositories: u64,
    pub(crate) with_peer: bool,
    /// Figures mean nothing.
    pub(crate) is_smoke: bool,
}

/// Both servers over the same content.
pub(crate) struct Bench {
    plan: Plan,
    content: Content,
    pub(crate) ours: Server,
    pub(crate) peer: Option<Server>,
    next: Arc<AtomicU64>,
}

/// Part of a round's time that is spent beforehand, unmeasured.
const WARM_UP: f64 = 0.25;

impl Bench {
    /// Makes the content and starts the servers.
    pub(crate) async fn prepare(journey: &Journey, plan: Plan, cases: &[&'static Case]) -> Result<Self> {
        let needs = |kind: Kind| cases.iter().any(|case| case.kind == kind);
        let amounts = Amounts {
            large: if needs(Kind::GetLarge) {
                plan.sizes.large
            } else {
                0
            },
            tags: if needs(Kind::Tags) { plan.tags } else { 0 },
            repositories: if needs(Kind::Catalog) {
                plan.repositories
            } else {
                0
            },
        };
        eprintln!("pushing the content");
        let root = journey.subfolder("ours")?;
        let content = seed(journey, &root, plan.seed, amounts).await?;
        let certificate = Certificate::make(journey.folder())?;
        let accounts = cases.iter().any(|case| case.accounts);
        let private = |side: Side, root: &Path| {
            let start = |journey: &Journey| Private::start(journey, side, root, &certificate);
            accounts.then(|| apart(journey, start)).transpose()
        };
        let mut peer = if plan.with_peer {
            eprintln!("copying it for the peer");
            let copy = journey.folder().join("peer");
            let copied = Command::new("cp").arg("-a").arg(&root).arg(&copy).status();
            ensure!(
                copied.context("start cp")?.success(),
                "the content could not be copied"
            );
            Some(apart(journey, |journey| {
                Server::peer(journey, &copy, &certificate)
            })?)
        } else {
            None
        };
        let mut ours = apart(journey, |journey| Server::ours(journey, &root, &certificate))?;
        ours.private = private(Side::Ours, &root)?;
        if let Some(peer) = &mut peer {
            peer.private = private(Side::Peer, &peer.root)?;
        }
        if !plan.is_smoke {
            rustix::fs::sync();
        }
        Ok(Self {
            plan,
            content,
            ours,
            peer,
            next: Arc::new(AtomicU64::new(1)),
        })
    }

    /// Every round of a case, the servers in turn.
    pub(crate) async fn measure(&self, case: &Case) -> Result<CaseReport> {
        let mut report = CaseReport {
            id: case.id.to_owned(),
            connections: case.connections,
            unit: case.unit,
            target: case.target,
            ours: Vec::new(),
            peer: Vec::new(),
        };
        for round in 1..=self.plan.rounds {
            for side in [Side::Ours, Side::Peer] {
                let (server, rounds) = match (side, &self.peer) {
                    (Side::Ours, _) => (&self.ours, &mut report.ours),
                    (Side::Peer, Some(peer)) if case.kind != Kind::Token => (peer, &mut report.peer),
                    (Side::Peer, _) => continue,
                };
                let done = self
                    .round(server, case)
                    .await
                    .with_context(|| format!("{}, {side:?}", case.id))?;
                eprintln!(
                    "{} {round}/{} {side:?}: {:.0}/s, cost {:.3}",
                    case.id, self.plan.rounds, done.rate, done.cost
                );
                rounds.push(done);
            }
        }
        Ok(report)
    }

    /// The case again, for who does not believe its figures.
    pub(crate) async fn again(&self, report: &mut CaseReport) -> Result<()> {
        let case = case::all().find(|case| case.id == report.id);
        let more = self.measure(case.context("no such case")?).await?;
        report.ours.extend(more.ours);
        report.peer.extend(more.peer);
        Ok(())
    }

    /// The most memory that the servers hold while 256 clients do a bit of everything.
    pub(crate) async fn busy(&self) -> Result<Gauge> {
        let peer = match &self.peer {
            Some(peer) => Some(self.busy_memory(peer).await?),
            None => None,
        };
        Ok(Gauge {
            id: format!("memory at {} busy connections, both services", BUSY.connections),
            unit: "MiB".to_owned(),
            ours: self.busy_memory(&self.ours).await?,
            peer,
            most: Some(64.0),
        })
    }

    async fn busy_memory(&self, server: &Server) -> Result<f64> {
        let endpoint = Arc::new(server.endpoint(&BUSY).await?);
        let work = Arc::new(BUSY.kind.work(&endpoint, &self.supply())?);
        let limits = Limits {
            connections: BUSY.connections,
            seconds: self.plan.seconds * BUSY.weight,
            operations: BUSY.most,
        };
        let processes = server.all_processes();
        // What the start took and gives back is not of the connections.
        tokio::time::sleep(gauge::REST).await;
        usage::reset_peak(&processes)?;
        drive(&endpoint, &work, limits).await?;
        Ok(float(usage::peak(&processes)?) / f64::from(1 << 20))
    }

    async fn round(&self, server: &Server, case: &Case) -> Result<Round> {
        let endpoint = Arc::new(server.endpoint(case).await?);
        let work = Arc::new(case.kind.work(&endpoint, &self.supply())?);
        let limits = Limits {
            connections: case.connections,
            seconds: self.plan.seconds * case.weight,
            operations: case.most,
        };
        if case.kind != Kind::PushLarge {
            let warm_up = Limits {
                seconds: limits.seconds * WARM_UP,
                operations: limits.operations.div_ceil(4),
                ..limits
            };
            drive(&endpoint, &work, warm_up).await?;
        }
        // What earlier rounds left to be written is not this round's work. Reads do not notice it.
        if case.kind.writes() && !self.plan.is_smoke {
            rustix::fs::sync();
        }
        let processes = server.processes(case)?;
        usage::reset_peak(&processes)?;
        let before = settle(&processes).await?;
        let outcome = drive(&endpoint, &work, limits).await?;
        let used = settle(&processes).await?.since(before);
        let peak = usage::peak(&processes)?;
        if case.kind.writes() {
            leftover::remove(&server.root, &self.content)?;
        }
        Ok(round(case.unit, &outcome, used, peak))
    }

    pub(crate) fn supply(&self) -> Supply<'_> {
        Supply {
            content: &self.content,
            sizes: self.plan.sizes,
            seed: self.plan.seed,
            next: Arc::clone(&self.next),
        }
    }
}

fn round(unit: Unit, outcome: &Outcome, used: usage::Cpu, peak: u64) -> Round {
    let amount = match unit {
        Unit::Gigabyte => float(outcome.bytes) / 1e9,
        // Milliseconds for 1,000 operations are microseconds for each.
        Unit::Thousand => float(outcome.operations) / 1e6,
    };
    Round {
        operations: outcome.operations,
        bytes: outcome.bytes,
        seconds: outcome.seconds,
        user: used.user,
        system: used.system,
        cost: used.total() / amount,
        rate: float(outcome.operations) / outcome.seconds,
        p50_ms: f64::from(percentile(&outcome.latencies, 50)) / 1e3,
        p99_ms: f64::from(percentile(&outcome.latencies, 99)) / 1e3,
        peak_mib: float(peak) / f64::from(1 << 20),
    }
}

/// The CPU used once the servers have come to rest: what they do behind an answer is work too.
async fn settle(processes: &[u32]) -> Result<usage::Cpu> {
    const TIMES: usize = 20;
    let mut before = usage::cpu(processes)?;
    for _ in 0..TIMES {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let now = usage::cpu(processes)?;
        if now.since(before).total() < 0.01 {
            return Ok(now);
        }
        before = now;
    }
    Ok(before)
}

/// Runs what blocks on another thread's runtime.
fn apart<T: Send>(journey: &Journey, start: impl FnOnce(&Journey) -> Result<T> + Send) -> Result<T> {
    std::thread::scope(|scope| {
        let done = scope.spawn(|| start(journey)).join();
        done.map_err(|_| anyhow::anyhow!("starting a server failed"))?
    })
}

/// Pushes the content with our registry, in the layout that both read. Nothing is synced: it need not outlive this run.
async fn seed(journey: &Journey, root: &Path, seed: u64, amounts: Amounts) -> Result<Content> {
    let choices = Choices {
        config: "log:\n  level: error\n".to_owned(),
        launcher: ["env", "REGISTRY_STORAGE_FILESYSTEM_DURABILITY=none"]
            .map(str::to_owned)
            .to_vec(),
        ..Choices::default()
    };
    let folder: PathBuf = root.to_owned();
    let mut registry = apart(journey, |journey| OpenRegistry::start(journey, &folder, &choices))?;
    let endpoint = Endpoint {
        port: registry.port(),
        authorization: String::new(),
        tls: None,
        fresh: false,
    };
    let content = content::push(Arc::new(endpoint), seed, amounts).await?;
    apart(journey, move |_| registry.stop())?;
    Ok(content)
}
