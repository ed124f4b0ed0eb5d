//! F36: replicas are restarted one after the other while clients go on.

mod balancer;
mod client;

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use harness::command::RUNTIME;
use harness::open_registry::{Choices, OpenRegistry};
use harness::process::wait_for;
use rustix::process::{Pid, Signal, kill_process};
use tokio::time::sleep;

use crate::raw::{Connection, allow_open_files};
use crate::{Proof, Run, Verdict};
use balancer::Balancer;
use client::{Client, Counts};

/// See `docs/proofs.md`.
pub(crate) const PROOF: Proof = Proof {
    id: "F36",
    promise: "replicas restart one by one under load: no connection is refused, no request cut off or answered 5xx",
    needs: &[harness::Need::Portolan],
    control: "SIGTERM ends the process without taking leave of its clients",
    run,
};

/// Longest pause of a client that browses: shorter than the delay, so each hears that it should go elsewhere.
const PAUSE: Duration = Duration::from_secs(1);
/// Larger than what the sockets between hold.
const BLOB_LENGTH: usize = 24 << 20;
/// Time for what is in flight: a slow transfer takes 8 s, and on a machine with much other work many times that.
const DRAIN: Duration = Duration::from_mins(5);
/// Longest wait for a replica to end or to begin.
const PATIENCE: Duration = Duration::from_mins(6);

fn run(run: &mut Run<'_>) -> Result<Verdict> {
    let (browsers, uploaders, downloaders) = run.choose((150, 6, 4), (1_000, 60, 40));
    let restarts = run.choose(2, 20);
    // Between going unready and no longer accepting.
    let delay = Duration::from_secs(run.choose(3, 5));
    // A slow transfer lasts longer than that, so each restart meets some that are not over when accepting ends.
    let rest = Duration::from_millis(run.choose(250, 500));
    allow_open_files(8_000)?;
    let folder = run.folder().join("storage");
    let choices = Choices {
        sabotage: if run.control { "no-drain" } else { "" }.into(),
        config: format!(
            "  draindelay: {}s\n  draintimeout: {}s\nlog:\n  level: warn\n",
            delay.as_secs(),
            DRAIN.as_secs()
        ),
        ..Choices::default()
    };
    let mut replicas = [
        OpenRegistry::start(run.journey, &folder, &choices)?,
        OpenRegistry::start(run.journey, &folder, &choices)?,
    ];
    let api = replicas[0].api()?;
    let blob = api.push_blob("rolling", run.random.bytes(BLOB_LENGTH))?;
    let manifest = api.push_small_image("rolling", "latest", "a small layer")?;
    let paths = Arc::new(vec![
        "/v2/".to_owned(),
        "/v2/rolling/tags/list".to_owned(),
        "/v2/rolling/manifests/latest".to_owned(),
        format!("/v2/rolling/manifests/{manifest}"),
    ]);
    let balancer = Balancer::start(&[replicas[0].port(), replicas[1].port()])?;
    let counts = Arc::new(Counts::new());
    let mut clients = Vec::new();
    for number in 0..browsers + uploaders + downloaders {
        let client = Client::new(balancer.port, &counts, run.random.fork(), rest);
        clients.push(if number < browsers {
            RUNTIME.spawn(client.browse(Arc::clone(&paths), PAUSE))
        } else if number < browsers + uploaders {
            RUNTIME.spawn(client.upload())
        } else {
            let path = format!("/v2/rolling/blobs/{blob}");
            RUNTIME.spawn(client.download(path, blob.clone(), BLOB_LENGTH))
        });
    }
    wait_for("all clients to be connected", PATIENCE, || {
        let connected = counts.connections.load(Ordering::SeqCst) >= clients.len() as u64;
        Ok(connected.then_some(()))
    })?;
    let mut verdict = Verdict::default();
    let mut longest = Duration::ZERO;
    for restart in 0..restarts {
        let replica = &mut replicas[restart % 2];
        let began = counts.seconds();
        let took = restart_one(replica, &balancer, &mut verdict)?;
        longest = longest.max(took);
        let (faults, last) = counts.faulty();
        run.progress(&format!(
            "restart {restart} of {restarts}: SIGTERM after {began:.1} s, left within {:.1} s; {faults} faults so far: {last}",
            took.as_secs_f64(),
        ));
        // So that the next one finds the clients on both again.
        RUNTIME.block_on(async { sleep(PAUSE).await });
    }
    counts.stop.store(true, Ordering::SeqCst);
    run.progress("the last transfers end");
    for client in clients {
        RUNTIME.block_on(client).context("a client")?;
    }
    report(&counts, &mut verdict);
    let refused = balancer.refused();
    verdict.require(refused == 0, || format!("{refused} connections were refused"));
    verdict.figure("restarts", restarts);
    verdict.figure("clients", browsers + uploaders + downloaders);
    verdict.figure("longest_leave_ms", u64::try_from(longest.as_millis())?);
    if !run.control {
        second_signal(run, &choices, delay, &mut verdict)?;
    }
    Ok(verdict)
}

fn report(counts: &Counts, verdict: &mut Verdict) {
    for (name, counter) in [
        ("requests", &counts.requests),
        ("connections", &counts.connections),
        ("closed_while_idle", &counts.closed_idle),
        ("told_to_come_back", &counts.farewells),
        ("uploads", &counts.uploads),
        ("downloads", &counts.downloads),
    ] {
        verdict.figure(name, counter.load(Ordering::SeqCst));
    }
    for fault in counts
        .faults
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .iter()
    {
        verdict.violation(fault);
    }
}

/// SIGTERM, its end, and the next process on the same port. How long it took to leave.
fn restart_one(replica: &mut OpenRegistry, balancer: &Balancer, verdict: &mut Verdict) -> Result<Duration> {
    let port = replica.port();
    let daemon = replica.daemon().context("it runs")?;
    let begun = Instant::now();
    daemon.terminate();
    let status = daemon.wait(PATIENCE)?;
    let took = begun.elapsed();
    verdict.require(status.success(), || format!("a replica ended with {status}"));
    wait_for("the balancer to notice", PATIENCE, || {
        Ok((!balancer.sends_to(port)).then_some(()))
    })?;
    replica.start_again()?;
    wait_for("the balancer to send requests again", PATIENCE, || {
        Ok(balancer.sends_to(port).then_some(()))
    })?;
    Ok(took)
}

/// Whoever signals twice does not want to wait.
fn second_signal(run: &Run<'_>, choices: &Choices, delay: Duration, verdict: &mut Verdict) -> Result<()> {
    let mut registry = OpenRegistry::start(run.journey, &run.folder().join("twice"), choices)?;
    let port = registry.port();
    let daemon = registry.daemon().context("it runs")?;
    let pid = Pid::from_raw(i32::try_from(daemon.pid())?).context("a process id")?;
    daemon.terminate();
    RUNTIME.block_on(async {
        while Connection::open(port).await?.get("/readyz").await?.status == 200 {
            sleep(Duration::from_millis(10)).await;
        }
        Ok::<_, anyhow::Error>(())
    })?;
    let begun = Instant::now();
    kill_process(pid, Signal::TERM)?;
    let status = daemon.wait(PATIENCE)?;
    let took = begun.elapsed();
    verdict.figure("second_signal_ms", u64::try_from(took.as_millis())?);
    ensure!(
        !status.success() || took >= delay,
        "the second signal came too late to be tried"
    );
    verdict.require(status.code() == Some(130), || {
        format!("the second signal did not end the process at once: {status}")
    });
    Ok(())
}
