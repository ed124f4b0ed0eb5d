//! F7: a sync fails.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use bytes::Bytes;
use harness::Need;
use harness::api::{Answer, Api};
use harness::archive::digest;
use harness::layout::IMAGE_MANIFEST;
use harness::open_registry::{Choices, OpenRegistry};
use harness::process::wait_for;
use harness::volume::Volume;
use http::Method;

use crate::fault::{Errno, Fault, Kinds};
use crate::image::Image;
use crate::{Proof, Random, Run, Size, Verdict};

/// See `docs/proofs.md`.
pub(crate) const PROOF: Proof = Proof {
    id: "F7",
    promise: "what could not be synced is not acknowledged and not synced again, and whoever asks is told of the broken disk",
    needs: &[Need::Portolan, Need::Compiler, Need::LoopMount],
    control: "failed syncs are ignored",
    run,
};

/// Failed syncs within a minute that make a registry unready.
const MANY: u64 = 3;
/// A registry is ready again a minute after the last of them.
const PATIENCE: Duration = Duration::from_mins(5);
/// More syncs than any operation makes.
const MOST_SYNCS: u64 = 100;

fn run(run: &mut Run<'_>) -> Result<Verdict> {
    let mut verdict = Verdict::default();
    let folder = run.journey.subfolder("directories")?;
    on(run, "directories", &folder, &mut verdict)?;
    // Where names become durable by one sync of the journal.
    let volume = Volume::on_disk(&run.journey.subfolder("ext4")?, 1024)?;
    let folder = volume.path().join("registry");
    std::fs::create_dir(&folder)?;
    on(run, "journal", &folder, &mut verdict)?;
    Ok(verdict)
}

/// A registry, the faults below it, and an image that lies in it from the beginning.
struct Scene {
    name: &'static str,
    registry: OpenRegistry,
    fault: Fault,
    api: Api,
    kept: Image,
    random: Random,
}

fn on(run: &mut Run<'_>, name: &'static str, folder: &Path, verdict: &mut Verdict) -> Result<()> {
    let fault = Fault::prepare(run.journey, name, folder)?;
    let choices = Choices {
        sabotage: if run.control { "ignore-sync-errors" } else { "" }.into(),
        launcher: fault.launcher(),
        ..Choices::default()
    };
    let registry = OpenRegistry::start(run.journey, folder, &choices)?;
    let api = registry.api()?;
    let mut random = run.random.fork();
    let kept = Image::push(&api, "a/image", "latest", &mut random, &[300_000, 4_000])?;
    let mut scene = Scene {
        name,
        registry,
        fault,
        api,
        kept,
        random,
    };
    let mut acknowledged = Vec::new();
    scene.until_unready(verdict)?;
    for round in 0..run.choose(1, 10) {
        run.progress(&format!(
            "{name}, round {round}, {} violations",
            verdict.violations
        ));
        for operation in 0..Operation::ALL.len() {
            scene.each_sync(Operation::ALL[operation], &mut acknowledged, verdict)?;
        }
        scene.all_syncs(verdict)?;
    }
    if run.size == Size::Full && !run.control {
        run.progress(&format!("{name}: waits for the registry to be ready again"));
        let ready = wait_for("a ready registry", PATIENCE, || {
            Ok((scene.api.get("/readyz")?.status == 200).then_some(()))
        });
        verdict.require(ready.is_ok(), || format!("{name}: never ready again"));
    }
    scene.registry.kill();
    scene.registry.start_again()?;
    scene.api = scene.registry.api()?;
    scene.kept.pull(&scene.api)?;
    for path in &acknowledged {
        let status = scene.api.get(path)?.status;
        verdict.require(status == 200, || {
            format!("{name}: {path} is lost after a restart: {status}")
        });
    }
    verdict.count("looked_at_after_a_restart", acknowledged.len() as u64);
    Ok(())
}

/// Something that syncs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    Blob,
    Chunks,
    Manifest,
    Delete,
}

impl Operation {
    const ALL: [Self; 4] = [Self::Blob, Self::Chunks, Self::Manifest, Self::Delete];
}

/// How an operation ended.
#[derive(Debug)]
struct Outcome {
    answer: Answer,
    /// Where it can be read if it was acknowledged.
    path: Option<String>,
}

impl Outcome {
    fn is_acknowledged(&self) -> bool {
        matches!(self.answer.status, 201 | 202)
    }
}

impl Scene {
    /// Does it once.
    fn perform(&mut self, operation: Operation) -> Result<Outcome> {
        let uploads = "/v2/a/image/blobs/uploads/";
        let bytes = Bytes::from(self.random.bytes(1_200_000));
        let (answer, path) = match operation {
            Operation::Blob => {
                let path = format!("{uploads}?digest={}", digest(&bytes));
                let answer = self.api.send(Method::POST, &path, &[], bytes.clone())?;
                (answer, Some(format!("/v2/a/image/blobs/{}", digest(&bytes))))
            }
            Operation::Chunks => {
                let location = self.api.begin_upload("a/image")?;
                // Long enough that its hash state is stored, for which the content is synced.
                let half = bytes.slice(..1_100_000);
                let patched = self.api.send(Method::PATCH, &location, &[], half)?;
                if patched.status != 202 {
                    return Ok(Outcome {
                        answer: patched,
                        path: None,
                    });
                }
                let location = patched.header("location")?;
                let answer = self
                    .api
                    .finish_upload(location, &digest(&bytes), bytes.slice(1_100_000..))?;
                (answer, Some(format!("/v2/a/image/blobs/{}", digest(&bytes))))
            }
            Operation::Manifest => {
                let text = String::from_utf8_lossy(&self.kept.manifest).into_owned();
                let note = format!("{{\"annotations\":{{\"number\":\"{}\"}},", self.random.next());
                let path = format!("/v2/a/image/manifests/t{}", self.random.below(1 << 40));
                let headers = [("content-type", IMAGE_MANIFEST)];
                let body = text.replacen('{', &note, 1);
                let answer = self.api.send(Method::PUT, &path, &headers, body.into())?;
                (answer, Some(path))
            }
            Operation::Delete => (self.api.delete("/v2/a/image/manifests/deleted")?, None),
        };
        Ok(Outcome { answer, path })
    }

    /// One failure is a `Warning`, three are a reason to send nobody here any more.
    fn until_unready(&mut self, verdict: &mut Verdict) -> Result<()> {
        let before = self.api.get("/v2/")?;
        verdict.require(!before.headers.contains_key("warning"), || {
            format!("{}: a Warning without a failure", self.name)
        });
        for failures in 1..=MANY {
            let ready = self.api.get("/readyz")?.status;
            verdict.require(ready == 200, || {
                format!("{}: unready after {} failures", self.name, failures - 1)
            });
            self.fault.fail_nth(Kinds::SYNC, 1, Errno::Io)?;
            let outcome = self.perform(Operation::Blob)?;
            self.judge(Operation::Blob, &outcome, verdict)?;
            let warned = self.api.get("/v2/")?.headers.contains_key("warning");
            verdict.require(warned, || {
                format!("{}: no Warning after {failures} failures", self.name)
            });
        }
        self.fault.off()?;
        self.is_unready(verdict)
    }

    fn is_unready(&self, verdict: &mut Verdict) -> Result<()> {
        let (ready, live) = (self.api.get("/readyz")?, self.api.get("/livez")?.status);
        verdict.require(ready.status == 503 && live == 200, || {
            format!("{}: {live} as /livez and {ready}", self.name)
        });
        Ok(())
    }

    /// Each sync of an operation fails once; the next attempt works.
    fn each_sync(
        &mut self,
        operation: Operation,
        acknowledged: &mut Vec<String>,
        verdict: &mut Verdict,
    ) -> Result<()> {
        for nth in 1..=MOST_SYNCS {
            self.prepare(operation)?;
            self.fault.fail_nth(Kinds::SYNC, nth, Errno::Io)?;
            let outcome = self.perform(operation)?;
            let fired = self.fault.failed()? > 0;
            self.judge(operation, &outcome, verdict)?;
            self.fault.off()?;
            if !fired {
                return Ok(());
            }
            verdict.count("failed_syncs", 1);
            self.prepare(operation)?;
            let next = self.perform(operation)?;
            verdict.require(next.is_acknowledged(), || {
                format!("{}: the next {operation:?} fails too: {}", self.name, next.answer)
            });
            acknowledged.extend(next.path);
        }
        verdict.violation(format!("{}: {operation:?} has no end of syncs", self.name));
        Ok(())
    }

    /// What is to be deleted must be there.
    fn prepare(&self, operation: Operation) -> Result<()> {
        if operation == Operation::Delete {
            let manifest = self.kept.manifest.clone();
            self.api
                .push_manifest("a/image", "deleted", IMAGE_MANIFEST, manifest)?;
        }
        Ok(())
    }

    /// The disk syncs nothing any more: writing is refused, pulls go on, and it is over as soon as the disk works.
    fn all_syncs(&mut self, verdict: &mut Verdict) -> Result<()> {
        self.prepare(Operation::Delete)?;
        self.fault.fail_all(Kinds::SYNC, Errno::Io)?;
        for operation in Operation::ALL {
            let outcome = self.perform(operation)?;
            self.judge(operation, &outcome, verdict)?;
            let pulled = self.kept.pull(&self.api);
            verdict.require(pulled.is_ok(), || format!("{}: a pull: {pulled:?}", self.name));
            verdict.count("pulls_while_nothing_is_synced", 1);
        }
        self.is_unready(verdict)?;
        self.fault.off()?;
        let after = self.perform(Operation::Chunks)?;
        verdict.require(after.is_acknowledged(), || {
            format!("{}: syncs work again, and: {}", self.name, after.answer)
        });
        Ok(())
    }

    /// An operation of which a sync failed: refused clearly; its file is gone and was not synced again.
    fn judge(&self, operation: Operation, outcome: &Outcome, verdict: &mut Verdict) -> Result<()> {
        let calls = self.fault.calls()?;
        let Some(first) = calls.iter().position(|call| call.failed) else {
            return Ok(());
        };
        if outcome.is_acknowledged() {
            verdict.violation(format!(
                "{}: {operation:?} was acknowledged though a sync of {} failed",
                self.name,
                calls[first].path.display()
            ));
        } else {
            let answer = &outcome.answer;
            verdict.require(answer.status >= 500 && answer.error_code().is_ok(), || {
                format!("{}: not clear: {answer}", self.name)
            });
        }
        for (index, call) in calls.iter().enumerate().filter(|(_, call)| call.failed) {
            let is_content = ["portolan/staging", "portolan/tmp"]
                .iter()
                .any(|area| call.path.parent() == Some(&self.registry.folder().join(area)));
            if !is_content {
                continue;
            }
            verdict.count("failed_syncs_of_contents", 1);
            let again = calls[index + 1..].iter().any(|later| later.path == call.path);
            verdict.require(!again, || {
                format!("{}: {} was synced again", self.name, call.path.display())
            });
            verdict.require(!call.path.exists(), || {
                format!("{}: {} is still there", self.name, call.path.display())
            });
            if let Some(path) = &outcome.path {
                let status = self.api.get(path)?.status;
                verdict.require(status == 404, || {
                    format!("{}: {path} was never synced, and GET says {status}", self.name)
                });
            }
        }
        Ok(())
    }
}
