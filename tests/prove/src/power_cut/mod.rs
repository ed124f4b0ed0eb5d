//! R2: the power is cut under load: what the kernel had not written to the disk is gone.

mod commands;
mod index;
mod person;
mod registry;
mod view;

use anyhow::Result;
use harness::Need;

use crate::{Proof, Run, Verdict};

/// See `docs/proofs.md`.
pub(crate) const PROOF: Proof = Proof {
    id: "R2",
    promise: "a power cut at any moment loses nothing that was acknowledged and leaves nothing half visible",
    needs: &[Need::Portolan, Need::LoopMount],
    control: "neither the registry nor SQLite syncs",
    run,
};

fn run(run: &mut Run<'_>) -> Result<Verdict> {
    let mut verdict = Verdict::default();
    registry::run(run, &mut verdict)?;
    let registry = verdict.violations;
    index::run(run, &mut verdict)?;
    let index = verdict.violations - registry;
    if run.control && (registry == 0 || index == 0) {
        // A control that half of the proof did not find out is not found out.
        verdict = Verdict::default();
    }
    verdict.figure("registry_violations", registry);
    verdict.figure("index_violations", index);
    Ok(verdict)
}
