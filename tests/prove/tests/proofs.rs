//! The short form of every proof, and of every control: a control that is not found out is a failure.

use std::process::ExitCode;

use harness::{Journey, Result, ensure};
use prove::{PROOFS, Proof, Run, Size};

fn main() -> ExitCode {
    harness::run(|suite| {
        for proof in PROOFS {
            suite.add(proof.id, "holds", proof.needs, move |journey| {
                holds(proof, journey)
            });
            suite.add(
                proof.id,
                "its_control_is_found_out",
                proof.needs,
                move |journey| is_found_out(proof, journey),
            );
        }
    })
}

fn holds(proof: &Proof, journey: &Journey) -> Result<()> {
    let verdict = (proof.run)(&mut Run::new(journey, Size::Short, false, 1, false))?;
    journey.say(&serde_json::to_string(&verdict.figures)?);
    ensure!(
        verdict.holds(),
        "{}: {} violations:\n{}",
        proof.promise,
        verdict.violations,
        verdict.examples.join("\n")
    );
    Ok(())
}

fn is_found_out(proof: &Proof, journey: &Journey) -> Result<()> {
    let verdict = (proof.run)(&mut Run::new(journey, Size::Short, true, 1, false))?;
    ensure!(
        !verdict.holds(),
        "{}, and nothing was found: {}",
        proof.control,
        serde_json::to_string(&verdict.figures)?
    );
    Ok(())
}
