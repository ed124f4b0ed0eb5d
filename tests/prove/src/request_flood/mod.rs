//! F29: more requests than may be in flight, and HTTP/2 frames that bring nothing.

mod frame;
mod frames;
mod many;
mod offender;

use std::time::Duration;

use anyhow::Result;

use crate::{Proof, Run, Verdict};

/// See `docs/proofs.md`.
pub(crate) const PROOF: Proof = Proof {
    id: "F29",
    promise: "requests beyond the limit are sent away before they cost anything, and who floods a connection is sent away with it",
    needs: &[harness::Need::Portolan],
    control: "there is no limit on requests, and none on frames that bring nothing",
    run,
};

fn run(run: &mut Run<'_>) -> Result<Verdict> {
    let mut verdict = Verdict::default();
    many::play(run, &mut verdict)?;
    frames::play(run, &mut verdict)?;
    Ok(verdict)
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
