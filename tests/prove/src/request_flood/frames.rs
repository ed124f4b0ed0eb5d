//! Each flood in turn, and connections that are only held, while honest clients work.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use harness::command::RUNTIME;
use harness::open_registry::{Choices, OpenRegistry};
use harness::process::{processor_seconds, wait_for};
use tokio::task::JoinSet;

use super::millis;
use super::offender::{self, Ended, Flood, Hold};
use crate::crowd::{Crowd, Door, Report};
use crate::image::Image;
use crate::raw::{Identity, Process, Stream, Watch};
use crate::{Run, Verdict};

/// Honest clients, and requests of theirs before any flood.
const CROWD: usize = 2;
const USUAL: usize = 200;
/// By how much the p99 may grow beyond that: what a machine with other work does by itself.
const DELAY: u32 = 10;
/// Most that the process may grow by under floods of frames, in bytes.
const GROWTH: u64 = 64 << 20;
/// Memory for each of the transfers that a held connection may have, in bytes, and how many there are.
const TRANSFER_BYTES: u64 = 512 << 10;
const STREAMS: u64 = 128;
/// Bytes of a blob that is not read.
const LARGE_BLOB: usize = 8 << 20;
/// `ENHANCE_YOUR_CALM` (RFC 9113, section 7).
const CALM_DOWN: u32 = 11;
/// Clocks that count milliseconds.
const EARLY: Duration = Duration::from_millis(5);

struct Scene {
    process: Process,
    offenders: Door,
    honest: Door,
    paths: Arc<Vec<String>>,
    blob: String,
    usual: Report,
    /// A p99 under this is no delay, whatever it was before; more where few requests are timed.
    unnoticed: Duration,
    /// How late the server may act.
    slack: Duration,
}

pub(super) fn play(run: &mut Run<'_>, verdict: &mut Verdict) -> Result<()> {
    let identity = Identity::make(run.folder())?;
    let (idle, stall) = run.choose((2, 3), (20, 30));
    let choices = Choices {
        sabotage: if run.control { "no-frame-budget" } else { "" }.into(),
        config: format!(
            "  limits:\n    idle: {idle}s\n    stall: {stall}s\n{}log:\n  level: error\n",
            identity.config
        ),
        ..Choices::default()
    };
    let mut registry = OpenRegistry::start(run.journey, &run.folder().join("frames"), &choices)?;
    let door = |protocol| {
        anyhow::Ok(Door {
            port: registry.port(),
            tls: Some(identity.connector(protocol)?),
        })
    };
    let (offenders, honest) = (door("h2")?, door("http/1.1")?);
    let api = harness::api::Api::trusting(
        &format!("https://localhost:{}", registry.port()),
        None,
        &std::fs::read(run.folder().join("server.pem"))?,
    )?;
    let image = Image::push(&api, "honest", "it", &mut run.random, &[60_000, LARGE_BLOB])?;
    let paths: Vec<_> = image.paths().into_iter().map(|(path, _)| path).collect();
    let small = Arc::new(vec!["/v2/".to_owned(), paths[0].clone(), paths[2].clone()]);
    let crowd = Crowd::begin(CROWD, &honest, &small, &mut run.random);
    wait_for("the honest clients", Duration::from_mins(2), || {
        Ok((crowd.answered() >= USUAL).then_some(()))
    })?;
    let scene = Scene {
        process: Process(registry.pid().context("it runs")?),
        offenders,
        honest,
        blob: paths[3].clone(),
        paths: small,
        usual: RUNTIME.block_on(crowd.end()),
        unnoticed: Duration::from_millis(run.choose(3_000, 300)),
        slack: Duration::from_secs(if run.control { 3 } else { run.choose(30, 5) }),
    };
    verdict.figure("usual_p99_ms", millis(scene.usual.percentile(99)));
    if run.control {
        scene.flood(run, &[Flood::Ping], verdict)?;
        // It might wait for its offenders.
        registry.kill();
        return registry.stop();
    }
    scene.flood(run, &Flood::ALL, verdict)?;
    let times = [idle, stall].map(Duration::from_secs);
    scene.held(run, times, verdict)?;
    registry.stop()
}

impl Scene {
    fn flood(&self, run: &mut Run<'_>, floods: &[Flood], verdict: &mut Verdict) -> Result<()> {
        let (at_once, length) = run.choose((2, Duration::ZERO), (8, Duration::from_secs(15)));
        let before = self.process.resident()?;
        let crowd = Crowd::begin(CROWD, &self.honest, &self.paths, &mut run.random);
        let watch = Watch::begin(self.process);
        for flood in floods {
            run.progress(&format!("{flood:?}"));
            let used = processor_seconds(self.process.0)?;
            let begun = Instant::now();
            let mut connections = 0_u64;
            let (mut slowest, mut bytes) = (Duration::ZERO, 0);
            while connections == 0 || begun.elapsed() < length {
                for ended in RUNTIME.block_on(self.at_once(*flood, at_once)) {
                    connections += 1;
                    match ended {
                        Ok(Some(ended)) => {
                            slowest = slowest.max(ended.after);
                            bytes += ended.sent_bytes;
                            verdict.require(ended.reason == Some(CALM_DOWN), || {
                                format!("{flood:?}: ended with GOAWAY {:?}", ended.reason)
                            });
                        }
                        Ok(None) => {
                            verdict.violation(format!("{flood:?} went on for {:?}", self.slack));
                        }
                        Err(error) => verdict.violation(format!("{flood:?}: {error:#}")),
                    }
                }
            }
            let used = processor_seconds(self.process.0)? - used;
            let name = format!("{flood:?}");
            verdict.figure(&format!("{name}_connections"), connections);
            verdict.figure(&format!("{name}_ended_after_ms"), millis(slowest));
            verdict.figure(&format!("{name}_kib_each"), (bytes / connections) >> 10);
            #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
            let each = (used * 1e4 / connections as f64).round() / 10.0;
            verdict.figure(&format!("{name}_processor_ms_each_with_honest"), each);
        }
        self.judge("floods", watch, crowd, before, GROWTH, verdict)
    }

    async fn at_once(&self, kind: Flood, count: usize) -> Vec<Result<Option<Ended>>> {
        let mut offenders = JoinSet::new();
        for _ in 0..count {
            let (door, patience) = (self.offenders.clone(), self.slack);
            offenders.spawn(async move {
                let stream = connect(&door).await?;
                offender::flood(stream, kind, patience).await
            });
        }
        let mut ended = Vec::new();
        while let Some(offender) = offenders.join_next().await {
            ended.push(offender.context("an offender").and_then(|ended| ended));
        }
        ended
    }

    /// Connections that are held in each way; `times` are how long a header and a reader may take.
    fn held(&self, run: &mut Run<'_>, times: [Duration; 2], verdict: &mut Verdict) -> Result<()> {
        let each = run.choose(1, 4);
        let before = self.process.resident()?;
        let crowd = Crowd::begin(CROWD, &self.honest, &self.paths, &mut run.random);
        let watch = Watch::begin(self.process);
        run.progress("connections that are held");
        let ended = RUNTIME.block_on(async {
            let mut holders = JoinSet::new();
            for kind in Hold::ALL.into_iter().cycle().take(Hold::ALL.len() * each) {
                let limit = times[usize::from(kind != Hold::HalfHeader)];
                let (door, blob, patience) = (self.offenders.clone(), self.blob.clone(), limit + self.slack);
                holders.spawn(async move {
                    let held = async {
                        let stream = connect(&door).await?;
                        offender::hold(stream, kind, &blob, patience).await
                    };
                    (kind, limit, held.await)
                });
            }
            holders.join_all().await
        });
        for (kind, limit, after) in ended {
            match after {
                Ok(Some(after)) => {
                    verdict.figure(&format!("{kind:?}_ended_after_ms"), millis(after));
                    verdict.require(after + EARLY >= limit, || {
                        format!("{kind:?} was ended after {after:?}, before {limit:?}")
                    });
                }
                Ok(None) => verdict.violation(format!("{kind:?} was not ended in time, {limit:?}")),
                Err(error) => verdict.violation(format!("{kind:?}: {error:#}")),
            }
        }
        let transfers = 2 * each as u64 * STREAMS;
        self.judge("held", watch, crowd, before, transfers * TRANSFER_BYTES, verdict)
    }

    /// Memory, and how the honest clients fared.
    fn judge(
        &self,
        name: &str,
        watch: Watch,
        crowd: Crowd,
        before: u64,
        growth: u64,
        verdict: &mut Verdict,
    ) -> Result<()> {
        let grown = watch.end()?.resident.saturating_sub(before);
        let report = RUNTIME.block_on(crowd.end());
        verdict.figure(&format!("{name}_memory_grown_mib"), grown >> 20);
        verdict.require(grown <= growth, || format!("{name}: {} MiB more", grown >> 20));
        let (was, is) = (self.usual.percentile(99), report.percentile(99));
        verdict.figure(&format!("{name}_honest_requests"), report.times.len());
        verdict.figure(&format!("{name}_honest_p99_ms"), millis(is));
        for fault in &report.faults {
            verdict.violation(format!("{name}: an honest client: {fault}"));
        }
        verdict.require(is <= self.unnoticed.max(was * DELAY), || {
            format!("{name}: honest requests take {is:?} instead of {was:?} (p99)")
        });
        verdict.require(!report.times.is_empty(), || {
            format!("{name}: no honest client was served")
        });
        Ok(())
    }
}

async fn connect(door: &Door) -> Result<Stream> {
    let connector = door.tls.as_ref().context("HTTP/2 is over TLS")?;
    Stream::secured(door.port, connector).await
}
