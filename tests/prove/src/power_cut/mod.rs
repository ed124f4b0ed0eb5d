//! R2: the power is cut under load: what the kernel had not written to the disk is gone.

mod registry;

use anyhow::Result;
use harness::Need;

use crate::{Proof, Run, Verdict};

/// See `docs/proofs.md`.
pub(crate) const PROOF: Proof = Proof {
    id: "R2",
    promise: "a power cut at any moment loses nothing that was acknowledged and leaves nothing half visible",
    needs: &[Need::Portolan, Need::LoopMount],
    control: "the registry does not sync",
    run,
};

fn run(run: &mut Run<'_>) -> Result<Verdict> {
    let mut verdict = Verdict::default();
    registry::run(run, &mut verdict)?;
    Ok(verdict)
}
