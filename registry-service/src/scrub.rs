//! The command `scrub`: what it says, and how it ends.

use std::io::Write as _;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use registry_service::registry::Registry;
use registry_service::registry::scrub::Finding;

/// How often progress is told.
const PROGRESS: Duration = Duration::from_secs(5);

/// Verifies everything, tells it on standard output, and its progress on standard error. Fails when there is damage.
pub(crate) async fn scrub(registry: &Registry, quarantine: bool, quiet: bool) -> anyhow::Result<()> {
    // Who reads along may go away in the middle.
    let mut out = std::io::BufWriter::new(std::io::stdout());
    let mut told = Instant::now();
    let mut tell = |finding: Finding<'_>| match finding {
        _ if quiet => {}
        Finding::Verified { contents, bytes } => {
            if told.elapsed() >= PROGRESS {
                told = Instant::now();
                progress(contents, bytes);
            }
        }
        finding => {
            let _ = writeln!(out, "{finding}");
        }
    };
    let report = registry.scrub(quarantine, &mut tell).await?;
    let _ = writeln!(
        out,
        "{} contents of {} bytes and {} links of {} repositories verified; {} damages, {} scars; {} moved to quarantine",
        report.contents,
        report.bytes,
        report.links,
        report.repositories,
        report.damages,
        report.scars,
        report.quarantined
    );
    out.flush().context("say what came of it")?;
    if report.damages > 0 {
        anyhow::bail!("something that was pushed is damaged or lost");
    }
    Ok(())
}

#[expect(clippy::print_stderr, reason = "progress of a command, beside its answer")]
fn progress(contents: u64, bytes: u64) {
    eprintln!(
        "registry-service: {contents} contents of {} MB verified",
        bytes / 1_000_000
    );
}
