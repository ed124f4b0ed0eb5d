//! More requests than may be in flight, each with a password that somebody would have to look at.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use harness::command::RUNTIME;
use harness::open_registry::{Choices, OpenRegistry};
use harness::process::processor_seconds;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::millis;
use crate::raw::{Connection, Process, Watch};
use crate::{Run, Verdict};

/// Requests in flight that are allowed, and clients that always have one: fewer where every password is looked at.
const ALLOWED: usize = 8;
const CLIENTS: usize = 64;
const CONTROL_CLIENTS: usize = 20;
/// Between two questions about health.
const PAUSE: Duration = Duration::from_millis(20);
/// Longest wait for one answer.
const PATIENCE: Duration = Duration::from_mins(2);
/// Most that the process may grow by, in bytes.
const GROWTH: u64 = 32 << 20;
/// An account with a bcrypt hash of cost 10, and its password.
const ACCOUNT: &str = "honest:$2y$10$ve4UPbm/Yv0E5sYfs0t4ke54plmHxDys/1lASNLsccozFJEnsFOEW\n";
const PASSWORD: &str = "a password of the honest";

/// How many were answered so.
#[derive(Debug, Default)]
struct Answers {
    refused: u64,
    looked_at: u64,
    others: Vec<String>,
}

pub(super) fn play(run: &mut Run<'_>, verdict: &mut Verdict) -> Result<()> {
    let accounts = run.folder().join("accounts");
    std::fs::write(&accounts, ACCOUNT).context("write the accounts")?;
    let allowed = if run.control { 100_000 } else { ALLOWED };
    let choices = Choices {
        config: format!(
            "  limits:\n    requests: {allowed}\nlog:\n  level: error\nauth:\n  htpasswd:\n    realm: flood\n    path: {}\n",
            accounts.display()
        ),
        ..Choices::default()
    };
    let mut registry = OpenRegistry::start(run.journey, &run.folder().join("many"), &choices)?;
    let (pid, port) = (registry.pid().context("it runs")?, registry.port());
    let process = Process(pid);
    let honest = basic("honest", PASSWORD);
    RUNTIME.block_on(async {
        let answer = ask(port, "/v2/", &honest).await?;
        ensure!(answer == 200, "the right password: {answer}");
        anyhow::Ok(())
    })?;
    let length = Duration::from_secs(if run.control { 1 } else { run.choose(3, 60) });
    let clients = if run.control { CONTROL_CLIENTS } else { CLIENTS };
    run.progress("more requests than allowed");
    let (resident, used) = (process.resident()?, processor_seconds(pid)?);
    let watch = Watch::begin(process);
    let (answers, health) = RUNTIME.block_on(flood(port, clients, length, verdict))?;
    let peak = watch.end()?;
    let used = processor_seconds(pid)? - used;

    verdict.figure("requests_refused", answers.refused);
    verdict.figure("requests_looked_at", answers.looked_at);
    verdict.figure("requests_processor_seconds", used);
    verdict.figure("requests_health_asked", health.len());
    verdict.figure("requests_health_ms_median", millis(health[health.len() / 2]));
    verdict.figure("requests_health_ms_slowest", millis(health[health.len() - 1]));
    let grown = peak.resident.saturating_sub(resident);
    verdict.figure("requests_memory_grown_mib", grown >> 20);
    verdict.require(grown <= GROWTH, || format!("the flood took {} MiB", grown >> 20));
    for other in answers.others {
        verdict.violation(other);
    }
    verdict.require(answers.refused > answers.looked_at, || {
        format!(
            "{} passwords were looked at, and {} requests refused, though {clients} always ask and {ALLOWED} may",
            answers.looked_at, answers.refused
        )
    });
    let after = RUNTIME.block_on(ask(port, "/v2/", &honest))?;
    verdict.require(after == 200, || format!("after the flood: {after}"));
    registry.stop()
}

/// All clients ask without pause, and somebody asks how the process is; how long those answers took, in order of length.
async fn flood(
    port: u16,
    clients: usize,
    length: Duration,
    verdict: &mut Verdict,
) -> Result<(Answers, Vec<Duration>)> {
    let stop = Arc::new(AtomicBool::new(false));
    let mut flood = JoinSet::new();
    for number in 0..clients {
        flood.spawn(client(port, number, Arc::clone(&stop)));
    }
    let begun = Instant::now();
    let mut times = Vec::new();
    let mut probe = 0;
    while begun.elapsed() < length || times.len() < 10 {
        let path = ["/livez", "/readyz"][probe % 2];
        probe += 1;
        let asked = Instant::now();
        match ask(port, path, "").await {
            Ok(200) => {}
            Ok(status) => verdict.violation(format!("{path}: {status}")),
            Err(error) => verdict.violation(format!("{path}: {error:#}")),
        }
        times.push(asked.elapsed());
        sleep(PAUSE).await;
    }
    stop.store(true, Ordering::SeqCst);
    times.sort_unstable();
    let mut all = Answers::default();
    while let Some(client) = flood.join_next().await {
        let answers = client.context("a client")??;
        all.refused += answers.refused;
        all.looked_at += answers.looked_at;
        all.others.extend(answers.others);
    }
    Ok((all, times))
}

async fn client(port: u16, number: usize, stop: Arc<AtomicBool>) -> Result<Answers> {
    let mut answers = Answers::default();
    let mut connection = Connection::open(port).await?;
    let mut asked = 0;
    while !stop.load(Ordering::SeqCst) {
        asked += 1;
        let header = basic("honest", &format!("wrong {number} {asked}"));
        let answer = timeout(PATIENCE, connection.ask("GET", "/v2/", &header, b"")).await;
        let answer = answer.context("no answer")??;
        let retry = answer.header("retry-after").is_some();
        match answer.status {
            401 => answers.looked_at += 1,
            503 if retry => answers.refused += 1,
            status => answers.others.push(format!(
                "answered with {status}, Retry-After: {retry}; a limit on requests must be met first"
            )),
        }
        if answer.is_last() {
            connection = Connection::open(port).await?;
        }
    }
    Ok(answers)
}

/// Asks once over a new connection; the status.
async fn ask(port: u16, path: &str, header: &str) -> Result<u16> {
    let mut connection = Connection::open(port).await?;
    let answer = timeout(PATIENCE, connection.ask("GET", path, header, b"")).await;
    Ok(answer.context("no answer")??.status)
}

fn basic(name: &str, password: &str) -> String {
    let pair = BASE64_STANDARD.encode(format!("{name}:{password}"));
    format!("Authorization: Basic {pair}\r\n")
}
