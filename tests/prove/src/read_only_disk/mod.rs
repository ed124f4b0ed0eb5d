//! F9: the disk can only be read.

mod forced;
mod remounted;

use anyhow::Result;
use harness::Need;
use harness::api::Answer;
use harness::volume::Volume;

use crate::{Proof, Run, Verdict};

/// See `docs/proofs.md`.
pub(crate) const PROOF: Proof = Proof {
    id: "F9",
    promise: "on a read-only disk pulls go on, writing is answered with 503 and Retry-After, and all goes on when it is writable again",
    needs: &[Need::Portolan, Need::Mount, Need::LoopMount, Need::Compiler],
    control: "the registry keeps a file open for writing",
    run,
};

/// Size of the file systems in MiB.
const SIZE: u64 = 64;

fn run(run: &mut Run<'_>) -> Result<Verdict> {
    let mut verdict = Verdict::default();
    for name in ["tmpfs", "ext4"] {
        let folder = run.journey.subfolder(name)?;
        let volume = if name == "tmpfs" {
            Volume::in_memory(&folder, SIZE)?
        } else {
            Volume::on_disk(&folder, SIZE)?
        };
        remounted::run(run, &volume, name, &mut verdict)?;
    }
    if !run.control {
        forced::run(run, &mut verdict)?;
    }
    Ok(verdict)
}

/// 503 that tells when to come again, with a body that says why.
fn refused(answer: &Answer, verdict: &mut Verdict) {
    verdict.count("writes_refused", 1);
    let is_clear = answer.headers.contains_key("retry-after") && answer.error_code().is_ok();
    verdict.require(answer.status == 503 && is_clear, || {
        format!("not clear: {answer}")
    });
}
