//! `prove ID`: one proof at full size; one line of JSON on standard output.
//!
//! Exit code 0: the promise held. 1: it was broken (what `--control` must end with). 2: the proof could not be run.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the line of JSON and the reasons are the program's answer"
)]

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use harness::{Journey, Result, ensure};
use prove::{PROOFS, Proof, Run, Size, Verdict};
use serde::Serialize;

/// Tries what Portolan promises.
#[derive(Debug, Parser)]
struct Arguments {
    /// The proof's number; without it, all are listed.
    id: Option<String>,
    /// The same sequence of random choices again.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Seconds instead of minutes, as in the gate.
    #[arg(long)]
    short: bool,
    /// Break the promise on purpose: the proof must fail.
    #[arg(long)]
    control: bool,
}

/// The line of JSON.
#[derive(Serialize)]
struct Line<'a> {
    id: &'a str,
    holds: bool,
    control: bool,
    size: Size,
    seed: u64,
    seconds: f64,
    #[serde(flatten)]
    verdict: &'a Verdict,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let Some(id) = &arguments.id else {
        for proof in PROOFS {
            println!("{:4} {}", proof.id, proof.promise);
        }
        return ExitCode::SUCCESS;
    };
    match harness::run::alone(&format!("prove {id}"), |journey| run(id, journey, &arguments)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{id}: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run(id: &str, journey: &Journey, arguments: &Arguments) -> Result<bool> {
    let proof: &Proof = prove::find(id).ok_or_else(|| harness::anyhow!("there is no such proof"))?;
    for need in proof.needs {
        let missing = need.missing();
        ensure!(missing.is_none(), "skipped: {}", missing.unwrap_or_default());
    }
    let size = if arguments.short { Size::Short } else { Size::Full };
    eprintln!("{}: {}", proof.id, proof.promise);
    if arguments.control {
        eprintln!("  control: {}", proof.control);
    }
    prove::tell_as_they_come();
    let begun = Instant::now();
    let mut run = Run::new(journey, size, arguments.control, arguments.seed, true);
    let verdict = (proof.run)(&mut run)?;
    let line = Line {
        id: proof.id,
        holds: verdict.holds(),
        control: arguments.control,
        size,
        seed: arguments.seed,
        seconds: (begun.elapsed().as_secs_f64() * 10.0).round() / 10.0,
        verdict: &verdict,
    };
    println!("{}", serde_json::to_string(&line)?);
    Ok(verdict.holds())
}
