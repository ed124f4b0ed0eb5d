//! F27: ten thousand connections that are kept and not used.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use harness::command::RUNTIME;
use harness::open_registry::{Choices, OpenRegistry};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsConnector;

use crate::raw::{Connection, Identity, Process, Stream, allow_open_files};
use crate::{Proof, Run, Verdict};

/// See `docs/proofs.md`.
pub(crate) const PROOF: Proof = Proof {
    id: "F27",
    promise: "10,000 idle connections cost at most 200 MiB (with TLS 450 MiB), and new clients are served",
    needs: &[harness::Need::Portolan],
    control: "each connection keeps 64 KiB to itself",
    run,
};

/// Bytes of memory for one idle connection: 200 MiB and 450 MiB for 10,000.
const PLAIN_BYTES: u64 = 20_971;
const TLS_BYTES: u64 = 47_185;
/// Connections beyond those that are held; each takes the place of an idle one.
const ROOM: usize = 50;
/// How late an idle connection may be closed: timers are exact, machines are busy.
const LATE: Duration = Duration::from_secs(7);
/// Longest wait for anything; only a broken promise comes near it.
const PATIENCE: Duration = Duration::from_mins(2);

fn run(run: &mut Run<'_>) -> Result<Verdict> {
    let mut verdict = Verdict::default();
    let held = run.choose(1_000, 10_000);
    allow_open_files(held as u64 + 1_000)?;
    memory(run, held, None, &mut verdict)?;
    if !run.control {
        let identity = Identity::make(run.folder())?;
        memory(run, held, Some(&identity), &mut verdict)?;
        idle_time(run, &mut verdict)?;
    }
    Ok(verdict)
}

/// Clients that connect in one way.
#[derive(Clone)]
struct Clients {
    port: u16,
    tls: Option<TlsConnector>,
}

impl Clients {
    /// One that has sent a request and was answered.
    async fn one(&self) -> Result<Connection> {
        let stream = match &self.tls {
            None => Stream::connect(self.port).await.context("connect")?,
            Some(connector) => Stream::secured(self.port, connector).await?,
        };
        let mut connection = Connection::over(stream);
        let answer = timeout(PATIENCE, connection.get("/v2/"))
            .await
            .context("no answer")??;
        ensure!(answer.status == 200, "answered with {}", answer.status);
        Ok(connection)
    }

    async fn many(&self, count: usize) -> Result<Vec<Connection>> {
        let each = stream::iter(0..count).map(|_| self.one());
        each.buffered(64).try_collect().await
    }
}

fn memory(run: &mut Run<'_>, held: usize, identity: Option<&Identity>, verdict: &mut Verdict) -> Result<()> {
    let kind = if identity.is_some() { "tls" } else { "plain" };
    let choices = Choices {
        sabotage: if run.control { "hoard-per-connection" } else { "" }.into(),
        config: format!(
            "  limits:\n    connections: {}\n{}log:\n  level: error\n",
            held + ROOM,
            identity
                .map(|identity| identity.config.as_str())
                .unwrap_or_default()
        ),
        ..Choices::default()
    };
    let mut registry = OpenRegistry::start(run.journey, &run.folder().join(kind), &choices)?;
    let process = Process(registry.pid().context("it runs")?);
    let clients = Clients {
        port: registry.port(),
        tls: identity
            .map(|identity| identity.connector("http/1.1"))
            .transpose()?,
    };
    // Threads, caches and code that the first requests bring.
    drop(RUNTIME.block_on(clients.many(64))?);
    let before = process.resident()?;
    run.progress(&format!("{held} connections, {kind}"));
    let idle = RUNTIME
        .block_on(clients.many(held))
        .context("a connection was refused")?;
    let after = process.resident()?;
    let each = after.saturating_sub(before) / held as u64;
    let allowed = if identity.is_some() {
        TLS_BYTES
    } else {
        PLAIN_BYTES
    };
    verdict.figure(&format!("{kind}_connections"), held);
    verdict.figure(&format!("{kind}_resident_mib"), after >> 20);
    verdict.figure(&format!("{kind}_bytes_each"), each);
    let open = idle.iter().filter(|connection| connection.is_quiet()).count();
    verdict.require(open == held, || {
        format!("{} of {held} were closed, {kind}", held - open)
    });
    verdict.require(each <= allowed, || {
        format!("each connection costs {each} bytes ({kind}); {allowed} are allowed")
    });
    if run.size == crate::Size::Full {
        let most = allowed * 10_000;
        verdict.require(after <= most, || {
            format!("{after} bytes resident ({kind}), more than {most}")
        });
    }
    if !run.control {
        RUNTIME.block_on(newcomers(&clients, &idle, verdict, kind))?;
        let now = process.resident()? >> 20;
        verdict.figure(&format!("{kind}_resident_mib_after_newcomers"), now);
    }
    drop(idle);
    registry.stop()
}

/// Twice as many as there is room for: all are served, and those that had been idle for long stay.
async fn newcomers(clients: &Clients, idle: &[Connection], verdict: &mut Verdict, kind: &str) -> Result<()> {
    // A connection makes room only when it has been idle for a second, so that a burst does not close its own.
    sleep(Duration::from_millis(1200)).await;
    let mut took = Vec::new();
    let mut new = Vec::new();
    for _ in 0..2 * ROOM {
        let begun = Instant::now();
        match clients.one().await {
            Ok(connection) => new.push(connection),
            Err(error) => verdict.violation(format!("a new client was not served ({kind}): {error:#}")),
        }
        took.push(begun.elapsed());
    }
    took.sort_unstable();
    verdict.figure(
        &format!("{kind}_new_client_ms_median"),
        millis(took[took.len() / 2]),
    );
    verdict.figure(
        &format!("{kind}_new_client_ms_p99"),
        millis(took[took.len() * 99 / 100]),
    );
    let closed = idle
        .iter()
        .chain(&new)
        .filter(|connection| !connection.is_quiet())
        .count();
    let oldest = idle.len() / 2;
    let old_closed = idle[..oldest]
        .iter()
        .filter(|connection| !connection.is_quiet())
        .count();
    verdict.figure(&format!("{kind}_closed_for_newcomers"), closed);
    verdict.require(closed <= ROOM + 1, || {
        format!("{closed} connections were closed for {ROOM} new ones ({kind})")
    });
    verdict.require(old_closed == 0, || {
        format!("{old_closed} of the longest idle connections were closed ({kind})")
    });
    Ok(())
}

/// A connection is closed when it has been idle for as long as the configuration says, not before.
fn idle_time(run: &mut Run<'_>, verdict: &mut Verdict) -> Result<()> {
    let idle = Duration::from_secs(run.choose(2, 75));
    let choices = Choices {
        config: format!("  limits:\n    idle: {}s\nlog:\n  level: error\n", idle.as_secs()),
        ..Choices::default()
    };
    let registry = OpenRegistry::start(run.journey, &run.folder().join("idle"), &choices)?;
    let clients = Clients {
        port: registry.port(),
        tls: None,
    };
    run.progress("idle time");
    let shortest = RUNTIME.block_on(async {
        let mut connection = clients.one().await?;
        let begun = Instant::now();
        let wait = async {
            while connection.is_quiet() {
                sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(idle + PATIENCE, wait)
            .await
            .context("an idle connection is never closed")?;
        let closed = begun.elapsed();
        ensure!(
            connection.get("/v2/").await.is_err(),
            "a closed connection answers"
        );
        Ok(closed)
    })?;
    verdict.figure("idle_closed_after_ms", millis(shortest));
    verdict.require(shortest + Duration::from_millis(50) >= idle, || {
        format!("an idle connection was closed after {shortest:?} instead of {idle:?}")
    });
    verdict.require(shortest <= idle + LATE, || {
        format!("an idle connection was closed only after {shortest:?} instead of {idle:?}")
    });
    Ok(())
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
