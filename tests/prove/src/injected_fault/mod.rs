//! R3: the n-th system call fails, for every n.

mod account;
mod script;
mod trial;

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::Result;
use harness::server::{Options, Server};
use harness::{Journey, Need};

use crate::fault::{Errno, Fault, Kinds, trace};
use crate::{Proof, Run, Size, Verdict};

use script::{Ground, Kept};
use trial::Trial;

/// See `docs/proofs.md`.
pub(crate) const PROOF: Proof = Proof {
    id: "R3",
    promise: "whichever system call fails, nothing is acknowledged that is not so, the error is clear, the next attempt works",
    needs: &[Need::Portolan, Need::Compiler, Need::Strace],
    control: "failed syncs are ignored",
    run,
};

/// After so many trials the server is killed, started anew and asked for all that it acknowledged.
const AUDITED_TRIALS: usize = 100;

fn run(run: &mut Run<'_>) -> Result<Verdict> {
    let mut verdict = Verdict::default();
    let data = run.journey.subfolder("faulty")?;
    std::fs::set_permissions(&data, Permissions::from_mode(0o700))?;
    let fault = Fault::prepare(run.journey, "fault", &data)?;
    let server = server(run.journey, &data, &fault, run.control)?;
    let ground = Ground::prepare(&server)?;

    if run.size == Size::Full && !run.control {
        let output = run.folder().join("trace");
        let mut kept = None;
        let coverage = trace(&fault, server.pid()?, &data, &output, || {
            let mut trial = Trial::new(
                &fault,
                &server.log(),
                &mut verdict,
                "traced".to_owned(),
                Errno::Io,
            )?;
            kept = script::play(&ground, &mut trial, 0)?;
            Ok(())
        })?;
        for missed in coverage.missed {
            verdict.violation(format!("the faults pass calls by: {missed}"));
        }
        verdict.figure("calls_of_the_script", serde_json::to_value(coverage.system)?);
    }

    let mut kept = Vec::new();
    for (number, (kinds, error, nth)) in positions(run, &server.log(), &ground, &fault)?
        .into_iter()
        .enumerate()
    {
        run.progress(&format!("trial {number}: call {nth}, {error:?}"));
        fault.fail_nth(kinds, nth, error)?;
        let mut trial = Trial::new(
            &fault,
            &server.log(),
            &mut verdict,
            format!("call {nth}, {error:?}"),
            error,
        )?;
        kept.extend(script::play(&ground, &mut trial, number + 2)?);
        let fired = fault.failed()?;
        fault.off()?;
        verdict.count("faults", fired);
        verdict.count("trials", 1);
        if let Some(status) = server.ended()? {
            verdict.violation(format!("call {nth}, {error:?}: the process ended: {status}"));
            server.kill();
            server.start_again()?;
        }
        if kept.len() >= AUDITED_TRIALS {
            audit(&server, &ground, &mut kept, &mut verdict)?;
        }
    }
    audit(&server, &ground, &mut kept, &mut verdict)?;
    if !run.control {
        account::run(run, &server, &data, &mut verdict)?;
    }
    let log = std::fs::read_to_string(server.log())?;
    for line in log.lines().filter(|line| line.contains("panicked")) {
        verdict.violation(format!("in the log: {line}"));
    }
    Ok(verdict)
}

fn server(journey: &Journey, data: &Path, fault: &Fault, control: bool) -> Result<Server> {
    let mut launcher = fault.launcher();
    if control {
        launcher.push("PORTOLAN_SABOTAGE=ignore-sync-errors".to_owned());
    }
    let options = Options {
        launcher,
        data: Some(data.to_owned()),
        ..Options::default()
    };
    Server::own(journey, options)
}

/// Which call fails with which error in which trial: all of them, or a sample.
fn positions(
    run: &mut Run<'_>,
    log: &Path,
    ground: &Ground,
    fault: &Fault,
) -> Result<Vec<(Kinds, Errno, u64)>> {
    let counted = |kinds: Kinds, number: usize| {
        fault.watch(kinds)?;
        let mut ignored = Verdict::default();
        let mut trial = Trial::new(fault, log, &mut ignored, "counted".to_owned(), Errno::Io)?;
        script::play(ground, &mut trial, number)?;
        let count = fault.count()?;
        fault.off()?;
        anyhow::ensure!(
            ignored.holds(),
            "without any fault: {}",
            ignored.examples.join("\n")
        );
        Ok(count)
    };
    let mut all = Vec::new();
    if run.control {
        let syncs = counted(Kinds::SYNC, 1)?;
        all.extend((1..=syncs).map(|nth| (Kinds::SYNC, Errno::Io, nth)));
    } else {
        let (calls, space) = (counted(Kinds::ALL, 0)?, counted(Kinds::SPACE, 1)?);
        all.extend((1..=calls).map(|nth| (Kinds::ALL, Errno::Io, nth)));
        all.extend((1..=space).map(|nth| (Kinds::SPACE, Errno::NoSpace, nth)));
    }
    let sample = run.choose(if run.control { 8 } else { 32 }, all.len());
    // Fisher and Yates, as far as the sample goes.
    for index in 0..sample.min(all.len()) {
        let rest = u64::try_from(all.len() - index)?;
        let other = index + usize::try_from(run.random.below(rest))?;
        all.swap(index, other);
    }
    all.truncate(sample);
    Ok(all)
}

/// What was acknowledged must be there after a `kill -9` and a start without faults.
fn audit(server: &Server, ground: &Ground, kept: &mut Vec<Kept>, verdict: &mut Verdict) -> Result<()> {
    server.kill();
    server.start_again()?;
    for kept in kept.drain(..) {
        kept.verify(ground, verdict)?;
    }
    Ok(())
}
