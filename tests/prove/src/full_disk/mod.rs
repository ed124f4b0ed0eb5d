//! F8: the disk is full.

mod scene;

use anyhow::Result;
use harness::Need;
use harness::volume::Volume;

use crate::{Proof, Run, Verdict};

use scene::Scene;

/// See `docs/proofs.md`.
pub(crate) const PROOF: Proof = Proof {
    id: "F8",
    promise: "on a full disk pulls and deletes go on, uploads are refused with 507, and as soon as there is room all goes on",
    needs: &[Need::Portolan, Need::Mount, Need::LoopMount],
    control: "what does not fit on the disk is taken for written",
    run,
};

/// Size of the file systems in MiB.
const SIZE: u64 = 64;
/// After so many cycles the server is killed and started again while the disk is full.
const CYCLES_TO_A_START: usize = 4;

fn run(run: &mut Run<'_>) -> Result<Verdict> {
    let mut verdict = Verdict::default();
    let cycles = if run.control { 2 } else { run.choose(3, 100) };
    for name in ["tmpfs", "ext4"] {
        let folder = run.journey.subfolder(name)?;
        let volume = if name == "tmpfs" {
            Volume::in_memory(&folder, SIZE)?
        } else {
            Volume::on_disk(&folder, SIZE)?
        };
        let mut scene = Scene::prepare(run, volume, name)?;
        for cycle in 0..cycles {
            run.progress(&format!(
                "{name}, cycle {cycle} of {cycles}, {} violations",
                verdict.violations
            ));
            let starts = !run.control && (cycle + 1) % run.choose(cycles, CYCLES_TO_A_START) == 0;
            let outcome = scene.fill_and_free(cycle, starts, &mut verdict);
            if let Some(status) = scene.ended()? {
                verdict.violation(format!("{name}: the process ended: {status}"));
                return Ok(verdict);
            }
            outcome?;
            verdict.count("cycles", 1);
        }
        scene.audit(&mut verdict)?;
    }
    Ok(verdict)
}
