//! A5: requests that are wrong in some way, over all routes of both services.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use harness::bad_request::{Ground, Line, Maker};
use harness::server::Options;

use crate::raw::Process;
use crate::{Proof, Run, Verdict};

/// See `docs/proofs.md`.
pub(crate) const PROOF: Proof = Proof {
    id: "A5",
    promise: "whatever is asked, no answer is a server's error, none is missing or of another shape, and memory stays",
    needs: &[harness::Need::Portolan],
    control: "each connection keeps 64 KiB to itself",
    run,
};

/// Clients at once.
const CLIENTS: u64 = 4;
/// Tokens live for five minutes.
const RENEWED: Duration = Duration::from_mins(2);
/// Most that the process may grow by after the beginning, in bytes.
const GROWTH: u64 = 32 << 20;

/// What all clients share.
struct Campaign<'a> {
    ground: &'a Ground,
    /// Requests that are to be made.
    count: u64,
    until: Instant,
    made: AtomicU64,
    findings: Mutex<Findings>,
}

#[derive(Default)]
struct Findings {
    statuses: BTreeMap<u16, u64>,
    faults: Vec<String>,
    slowest: Duration,
}

fn run(run: &mut Run<'_>) -> Result<Verdict> {
    let sabotage = if run.control { "hoard-per-connection" } else { "" };
    let options = Options {
        arguments: ["--log", "error"].map(str::to_owned).to_vec(),
        launcher: vec!["env".into(), format!("PORTOLAN_SABOTAGE={sabotage}")],
        ..Options::default()
    };
    let ground = Ground::prepare_with(run.journey, options)?;
    let process = Process(ground.server.pid()?);
    // The beginning fills the caches.
    let (beginning, count) = run.choose((1_000, 4_000), (100_000, 900_000));
    let mut verdict = Verdict::default();
    campaign(run, &ground, beginning, Duration::from_mins(1), &mut verdict)?;
    let before = process.resident()?;
    campaign(run, &ground, count, Duration::from_secs(490), &mut verdict)?;
    let after = process.resident()?;
    let grown = after.saturating_sub(before);
    verdict.figure("resident_mib", after >> 20);
    verdict.figure("memory_grown_kib", grown >> 10);
    verdict.require(grown <= GROWTH, || format!("{} MiB more are held", grown >> 20));
    if let Err(error) = ground.serves_well() {
        verdict.violation(format!("in the end: {error:#}"));
    }
    Ok(verdict)
}

/// So many requests, or what can be made in this time.
fn campaign(
    run: &mut Run<'_>,
    ground: &Ground,
    count: u64,
    longest: Duration,
    verdict: &mut Verdict,
) -> Result<()> {
    let campaign = Campaign {
        ground,
        count,
        until: Instant::now() + longest,
        made: AtomicU64::new(0),
        findings: Mutex::default(),
    };
    let seeds: Vec<_> = (0..CLIENTS).map(|_| run.random.next()).collect();
    thread::scope(|scope| {
        let clients: Vec<_> = seeds
            .iter()
            .map(|seed| scope.spawn(|| campaign.client(*seed)))
            .collect();
        while clients.iter().any(|client| !client.is_finished()) {
            run.progress(&format!(
                "{} of {count} requests",
                campaign.made.load(Ordering::Relaxed)
            ));
            thread::sleep(Duration::from_millis(100));
        }
        for client in clients {
            client
                .join()
                .map_err(|_| anyhow::anyhow!("a client panicked"))??;
        }
        anyhow::Ok(())
    })?;
    let findings = campaign
        .findings
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    for (status, times) in findings.statuses {
        verdict.count("requests", times);
        verdict.count(&format!("answered_{status}"), times);
    }
    let slowest = u64::try_from(findings.slowest.as_millis()).unwrap_or(u64::MAX);
    verdict.figure("slowest_answer_ms", slowest);
    for fault in findings.faults {
        verdict.violation(fault);
    }
    Ok(())
}

impl Campaign<'_> {
    fn client(&self, seed: u64) -> Result<()> {
        let mut maker = Maker::new(self.ground, seed)?;
        let (mut line, mut renewed) = (Line::default(), Instant::now());
        let port = self.ground.server.port();
        while self.made.fetch_add(1, Ordering::Relaxed) < self.count && Instant::now() < self.until {
            if renewed.elapsed() > RENEWED {
                maker.renew(self.ground)?;
                renewed = Instant::now();
            }
            let request = maker.request();
            let asked = Instant::now();
            let reply = line.send(port, &request);
            let took = asked.elapsed();
            let mut findings = self.findings.lock().unwrap_or_else(PoisonError::into_inner);
            findings.slowest = findings.slowest.max(took);
            let judged = reply.and_then(|reply| {
                *findings.statuses.entry(reply.status).or_default() += 1;
                if let (202, Some(location)) = (reply.status, reply.header("location")) {
                    location.clone_into(&mut maker.session);
                }
                anyhow::ensure!(reply.status < 500, "a server's error: {reply}");
                if reply.status >= 400 && request.target.starts_with("/v2/") && request.method != "HEAD" {
                    reply.is_error_of(&request.target)?;
                }
                Ok(())
            });
            if let Err(error) = judged.with_context(|| format!("{request:?}")) {
                findings.faults.push(format!("{error:#}"));
            }
        }
        Ok(())
    }
}
