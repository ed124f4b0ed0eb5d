//! F11: the disk is slow.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use bytes::Bytes;
use harness::Need;
use harness::api::{Answer, Api};
use harness::archive::digest;
use harness::command::RUNTIME;
use harness::open_registry::{Choices, OpenRegistry};
use harness::process::wait_for;
use http::Method;
use tokio::task::JoinSet;

use crate::fault::{Fault, Kinds};
use crate::image::Image;
use crate::{Proof, Run, Verdict};

/// See `docs/proofs.md`.
pub(crate) const PROOF: Proof = Proof {
    id: "F11",
    promise: "on a disk that takes 2 s for each call a bounded number of requests wait, the others are told so, and what needs no disk goes on",
    needs: &[Need::Portolan, Need::Compiler],
    control: "operations on the disk run on the threads that serve all requests",
    run,
};

/// What each call on the disk takes longer.
const DELAY: Duration = Duration::from_secs(2);
/// Longest answer of most probes, which need no disk: a thread that serves requests and waits for one call takes twice as long.
const PROMPT: Duration = Duration::from_secs(1);
/// Requests at once that need the disk: more than may wait for it.
const READERS: usize = 500;
/// The same that write.
const WRITERS: usize = 40;
/// Most calls that may wait at once: 256 short ones, 64 long ones, and those that the runtime's threads were at.
const MOST_WAITING: u64 = 256 + 64 + 16;
/// Requests that are always under way while the pull goes on, so that it meets a slow disk until its end.
const BESIDE: usize = 8;
/// Longest pull: half of what it takes when each of its 96 pieces of 256 KiB waits for the disk.
const PULL: Duration = Duration::from_secs(96);
/// Longer than what the sockets between hold, so that a pull stands still in the middle.
const BLOB_LENGTH: usize = 24 << 20;
/// Longest wait for what must come.
const PATIENCE: Duration = Duration::from_mins(2);

fn run(run: &mut Run<'_>) -> Result<Verdict> {
    let mut verdict = Verdict::default();
    let folder = run.journey.subfolder("slow")?;
    let fault = Fault::prepare(run.journey, "fault", &folder)?;
    let choices = Choices {
        sabotage: if run.control { "disk-on-any-thread" } else { "" }.into(),
        launcher: fault.launcher(),
        ..Choices::default()
    };
    let mut registry = OpenRegistry::start(run.journey, &folder, &choices)?;
    let api = registry.api()?;
    let image = Image::push(&api, "a/image", "latest", &mut run.random, &[BLOB_LENGTH, 5_000])?;
    let rounds = if run.control { 1 } else { run.choose(1, 15) };
    for round in 0..rounds {
        run.progress(&format!(
            "round {round} of {rounds}, {} violations",
            verdict.violations
        ));
        once(run, &registry, &fault, &image, &mut verdict)?;
        // The next round's disk is slow all of a sudden, too.
        registry.kill();
        registry.start_again()?;
        verdict.count("rounds", 1);
    }
    Ok(verdict)
}

fn once(
    run: &mut Run<'_>,
    registry: &OpenRegistry,
    fault: &Fault,
    image: &Image,
    verdict: &mut Verdict,
) -> Result<()> {
    let api = Arc::new(registry.api()?);
    image.pull(&api)?;
    let blob = format!("/v2/a/image/blobs/{}", digest(&image.blobs[0]));
    let (first, mut pull) = RUNTIME.block_on(async {
        let mut response = api.http().get(api.url(&blob)).send().await?.error_for_status()?;
        let first = response.chunk().await?.context("an empty body")?;
        Ok::<_, anyhow::Error>((first, response))
    })?;
    fault.delay(Kinds::ALL, DELAY)?;
    // The first to meet the slow disk find out that it is.
    let log = std::fs::read_to_string(registry.log())?.len();
    let finding_out = begin(&api, image, run, 4, 0);
    wait_for("somebody to notice that the disk is slow", PATIENCE, || {
        let text = std::fs::read_to_string(registry.log())?;
        Ok(text[log..].contains("the disk is slow").then_some(()))
    })?;
    let asked = begin(&api, image, run, READERS, WRITERS);
    wait_for("calls that wait", PATIENCE, || {
        Ok((fault.waiting()? > 0).then_some(()))
    })?;

    let mut probes = Vec::new();
    // In the control nothing is answered before the disk has done its work.
    let (repeats, patience) = if run.control { (1, PROMPT) } else { (10, PATIENCE) };
    for path in ["/livez", "/readyz", "/v2/"] {
        for _ in 0..repeats {
            let begun = Instant::now();
            // A connection of its own, which is to be accepted too.
            let new = registry.api()?;
            let answered =
                RUNTIME.block_on(async { new.http().get(new.url(path)).timeout(patience).send().await });
            probes.push(begun.elapsed());
            if !run.control {
                let status = answered?.status();
                verdict.require(status == 200, || format!("{path} says {status}"));
            }
            let waiting = fault.waiting()?;
            verdict.require(waiting <= MOST_WAITING, || {
                format!("{waiting} calls wait at once")
            });
            most(verdict, "most_calls_waiting", waiting);
            verdict.count("probes", 1);
        }
    }
    // The median: one probe may be slow because of other work on this machine.
    probes.sort_unstable();
    let (median, slowest) = (probes[probes.len() / 2], probes[probes.len() - 1]);
    most(verdict, "slowest_probe_ms", u64::try_from(slowest.as_millis())?);
    most(
        verdict,
        "slowest_median_of_probes_ms",
        u64::try_from(median.as_millis())?,
    );
    verdict.require(median < PROMPT, || {
        format!("most probes took {median:?} and longer")
    });

    if run.control {
        fault.off()?;
        return Ok(());
    }
    // In the page cache, and begun: it needs nothing of the disk.
    let pulled = Arc::new(AtomicBool::new(false));
    let beside = keep_asking(&api, image, &pulled);
    let began = Instant::now();
    let rest = RUNTIME.block_on(async {
        let mut body = first.to_vec();
        while let Some(piece) = pull.chunk().await? {
            body.extend_from_slice(&piece);
        }
        Ok::<_, reqwest::Error>(body)
    });
    let took = began.elapsed();
    pulled.store(true, Ordering::SeqCst);
    verdict.require(rest.as_ref().is_ok_and(|rest| *rest == image.blobs[0]), || {
        "a pull that had begun did not go on".into()
    });
    verdict.require(took < PULL, || format!("a pull that had begun took {took:?}"));
    most(verdict, "slowest_pull_ms", u64::try_from(took.as_millis())?);

    fault.off()?;
    end(finding_out, verdict)?;
    end(beside, verdict)?;
    end(asked, verdict)?;
    image.pull(&api)
}

fn most(verdict: &mut Verdict, name: &str, value: u64) {
    let so_far = verdict.figures.get(name).and_then(serde_json::Value::as_u64);
    verdict.figure(name, so_far.unwrap_or_default().max(value));
}

/// Requests at once.
type Asked = JoinSet<Result<Answer>>;

fn begin(api: &Arc<Api>, image: &Image, run: &mut Run<'_>, readers: usize, writers: usize) -> Asked {
    let mut asked = JoinSet::new();
    let paths: Vec<String> = image.paths().into_iter().map(|(path, _)| path).collect();
    for number in 0..readers {
        let (api, path) = (Arc::clone(api), paths[number % paths.len()].clone());
        let request = async move { api.once(Method::HEAD, &path, &[], Bytes::new()).await };
        asked.spawn_on(request, RUNTIME.handle());
    }
    for _ in 0..writers {
        let (api, bytes) = (Arc::clone(api), Bytes::from(run.random.bytes(10_000)));
        let request = async move {
            let path = format!("/v2/a/image/blobs/uploads/?digest={}", digest(&bytes));
            api.once(Method::POST, &path, &[], bytes).await
        };
        asked.spawn_on(request, RUNTIME.handle());
    }
    asked
}

/// Some that ask for the image again and again until the pull has ended; what the last of each was answered.
fn keep_asking(api: &Arc<Api>, image: &Image, pulled: &Arc<AtomicBool>) -> Asked {
    let mut asked = JoinSet::new();
    let paths: Vec<String> = image.paths().into_iter().map(|(path, _)| path).collect();
    for number in 0..BESIDE {
        let (api, pulled) = (Arc::clone(api), Arc::clone(pulled));
        let path = paths[number % paths.len()].clone();
        let asking = async move {
            loop {
                let answer = api.once(Method::HEAD, &path, &[], Bytes::new()).await?;
                if pulled.load(Ordering::SeqCst) {
                    return Ok(answer);
                }
                if answer.status == 503 {
                    tokio::time::sleep(DELAY / 10).await;
                }
            }
        };
        asked.spawn_on(asking, RUNTIME.handle());
    }
    asked
}

/// All are answered: as asked, or with when to come again.
fn end(mut asked: Asked, verdict: &mut Verdict) -> Result<()> {
    RUNTIME.block_on(async {
        while let Some(answer) = asked.join_next().await {
            let answer = answer??;
            let is_refused = answer.status == 503 && answer.headers.contains_key("retry-after");
            let name = if is_refused {
                "refused"
            } else {
                "waited_for_the_disk"
            };
            verdict.count(name, 1);
            verdict.require(is_refused || matches!(answer.status, 200 | 201), || {
                format!("not clear: {answer}")
            });
        }
        Ok(())
    })
}
