//! The registry's storage under power cuts.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use harness::disk::Disk;
use harness::process::wait_for;

use crate::crash::{Access, Ledger, Load, Service, check_tree};
use crate::{Run, Verdict};

/// Size of a disk.
const MEBIBYTES: u64 = 512;
/// Clients at once, disk by disk. One client alone has nobody else's syncs write its changes to the disk by luck.
const CLIENTS: [usize; 6] = [8, 1, 4, 2, 8, 3];
/// The power is cut after so many acknowledgements for each client, at most.
const MOST: u64 = 20;
/// The longest wait for them.
const PATIENCE: Duration = Duration::from_mins(1);

/// Disk after disk, each through one cut after the other: what a cut leaves is what the next load begins with.
pub(super) fn run(run: &mut Run<'_>, verdict: &mut Verdict) -> Result<()> {
    let disks = run.choose(2, CLIENTS.len());
    let cuts = run.choose(3, 40);
    let mut ready = Vec::new();
    for (number, clients) in CLIENTS.into_iter().take(disks).enumerate() {
        let folder = run.journey.subfolder(&format!("registry{number}"))?;
        let mut disk = Disk::make(&folder, MEBIBYTES)?;
        let storage = disk.path().join("storage");
        let durability = if run.control { "    durability: none\n" } else { "" };
        let service = Service::open_registry(&folder, &storage, durability)?;
        let mut load = Load::new(&mut run.random, "cut", clients, false);
        for cut in 0..=cuts {
            if cut > 0 {
                check_tree(&storage, verdict)?;
            }
            let mut running = service.start(run.journey)?;
            ready.push(running.ready_after);
            let access = Arc::new(Access::open(&[service.url()])?);
            load.check(&access, verdict)?;
            if cut == cuts {
                load.audit_all(&access, verdict)?;
                verdict.require(running.stop()?, || {
                    "the registry did not end well at SIGTERM".to_owned()
                });
                break;
            }
            let more = 1 + run.random.below(MOST * clients as u64);
            load.work_until(&access, |ledger| {
                wait(ledger, more)?;
                // Answers that come from here on promise nothing.
                ledger.close();
                running.pause();
                disk.cut()?;
                running.kill();
                disk.power_up()
            })?;
            load.unexpected(run.control, verdict);
            verdict.count("registry_cuts", 1);
            let violations = verdict.violations;
            run.progress(&format!(
                "disk {number}, cut {cut} of {cuts}, {violations} violations"
            ));
        }
        load.figures("registry_", verdict);
    }
    ready.sort();
    let median = ready[ready.len() / 2];
    verdict.figure("registry_ready_median_ms", median.as_secs_f64() * 1000.0);
    Ok(())
}

/// Waits for so many more acknowledgements.
fn wait(ledger: &Ledger, more: u64) -> Result<()> {
    let before = ledger.total();
    wait_for("acknowledgements", PATIENCE, || {
        Ok((ledger.total() >= before + more).then_some(()))
    })
}
