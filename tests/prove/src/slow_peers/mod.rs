//! F28: clients that are slow with their headers, their bodies, or with reading.

mod peer;
mod scene;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use harness::open_registry::{Choices, OpenRegistry};

use crate::image::Image;
use crate::raw::{Process, allow_open_files};
use crate::{Proof, Run, Verdict};
use peer::{BODIES, Bound, HEADERS, READERS, Sloth, Target};
use scene::Scene;

/// See `docs/proofs.md`.
pub(crate) const PROOF: Proof = Proof {
    id: "F28",
    promise: "slow headers, bodies and readers are ended in time, hold little, and hinder nobody",
    needs: &[harness::Need::Portolan],
    control: "the limits are an hour",
    run,
};

/// Bytes of memory for one connection with a slow header (as for an idle one), and for one transfer.
const HEADER_BYTES: u64 = 20_971;
const TRANSFER_BYTES: u64 = 512 << 10;
/// What honest clients may take besides.
const HONEST_BYTES: u64 = 8 << 20;
/// Bytes of the blob that is not read.
const LARGE_BLOB: usize = 8 << 20;

/// How long the server waits in each case, and how much later it may act.
#[derive(Debug, Clone, Copy)]
struct Times {
    header: Duration,
    body: Duration,
    reader: Duration,
    slack: Duration,
    /// A p99 of honest clients under this is no delay, whatever it was before; more where few requests are timed.
    unnoticed: Duration,
}

impl Times {
    fn of(&self, bound: Bound) -> Duration {
        match bound {
            Bound::Header => self.header,
            Bound::Body => self.body,
            Bound::Reader => self.reader,
        }
    }

    fn config(&self, control: bool) -> String {
        let text = |time: Duration| {
            if control {
                "1h".to_owned()
            } else {
                format!("{}s", time.as_secs())
            }
        };
        format!(
            "    header: {}\n    body: {}\n    stall: {}\n",
            text(self.header),
            text(self.body),
            text(self.reader)
        )
    }
}

/// Slow clients of some kinds, which come together.
struct Wave {
    name: &'static str,
    peers: Vec<Sloth>,
}

impl Wave {
    fn new(name: &'static str, kinds: &[(&[Sloth], usize)]) -> Self {
        let each = kinds
            .iter()
            .flat_map(|(kinds, count)| kinds.iter().copied().cycle().take(*count));
        Self {
            name,
            peers: each.collect(),
        }
    }

    /// Memory that they may take together, in bytes.
    fn allowed(&self) -> u64 {
        let each = |sloth: &Sloth| match sloth.bound() {
            Bound::Header => HEADER_BYTES,
            Bound::Body | Bound::Reader => TRANSFER_BYTES,
        };
        HONEST_BYTES + self.peers.iter().map(each).sum::<u64>()
    }
}

fn run(run: &mut Run<'_>) -> Result<Verdict> {
    let (headers, bodies, readers) = run.choose((400, 160, 80), (5_000, 2_000, 1_000));
    let times = run.choose((3, 3, 3, 20), (10, 30, 60, 5));
    let mut times = Times {
        header: Duration::from_secs(times.0),
        body: Duration::from_secs(times.1),
        reader: Duration::from_secs(times.2),
        slack: Duration::from_secs(times.3),
        unnoticed: Duration::from_millis(run.choose(3_000, 300)),
    };
    let all = Wave::new(
        "all",
        &[(&HEADERS, headers), (&BODIES, bodies), (&READERS, readers)],
    );
    let waves = if run.control {
        times.slack = Duration::from_secs(3);
        vec![all]
    } else {
        vec![
            Wave::new("headers", &[(&HEADERS, headers)]),
            Wave::new("bodies", &[(&BODIES, bodies)]),
            Wave::new("readers", &[(&READERS, readers)]),
            all,
        ]
    };
    let most = headers + bodies + readers + 200;
    allow_open_files(most as u64 + 1_000)?;
    let choices = Choices {
        config: format!(
            "  limits:\n    connections: {most}\n{}log:\n  level: error\n",
            times.config(run.control)
        ),
        ..Choices::default()
    };
    let mut registry = OpenRegistry::start(run.journey, &run.folder().join("slow"), &choices)?;
    let (port, api) = (registry.port(), registry.api()?);
    let image = Image::push(&api, "honest", "it", &mut run.random, &[60_000, LARGE_BLOB])?;
    let paths: Vec<_> = image.paths().into_iter().map(|(path, _)| path).collect();
    let target = Target {
        port,
        blob: paths[3].clone(),
    };
    let small = vec!["/v2/".to_owned(), paths[0].clone(), paths[2].clone()];
    let scene = Scene {
        process: Process(registry.pid().context("it runs")?),
        target,
        paths: Arc::new(small),
        times,
    };
    let mut verdict = Verdict::default();
    let usual = scene.usual(run)?;
    verdict.figure("usual_p99_ms", millis(usual.percentile(99)));
    for fault in &usual.faults {
        verdict.violation(format!("before anybody is slow: {fault}"));
    }
    for wave in waves {
        scene.meet(run, &wave, &usual, &mut verdict)?;
    }
    if run.control {
        // It would wait for its slow clients.
        registry.kill();
    }
    registry.stop()?;
    Ok(verdict)
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
