//! The benchmark: Portolan against Debian's `docker-registry`, on the same disk, in turn, by the CPU of the servers.
//!
//! Ours runs as it is meant to: durable, a token verified at each request. The peer runs as it is quickest.
//! Loopback only, at most 256 connections, every round bounded in time and in operations.
//! Exit code 0: done. 1: something got worse than the baseline. 2: it could not be run.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the table is the answer, and progress is told while one waits"
)]

mod bench;
mod case;
mod client;
mod comparison;
mod content;
mod gauge;
mod hub;
mod leftover;
mod load;
mod machine;
mod pages;
mod payload;
mod private;
mod report;
mod search;
mod server;
mod statistics;
mod table;
mod tokens;
mod usage;
mod wire;
mod work;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use harness::command::RUNTIME;
use harness::{Journey, binaries};

use crate::bench::{Bench, Plan};
use crate::case::{Case, Sizes};
use crate::comparison::Change;
use crate::machine::Machine;
use crate::report::Report;

/// Measures Portolan against Debian's docker-registry.
#[derive(Debug, Parser)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of its own on the command line"
)]
struct Arguments {
    /// Only these cases, such as `ping,get-1MiB` or `htpasswd*`; `list` names them; `gauges` are memory and the start.
    #[arg(long, value_delimiter = ',')]
    cases: Vec<String>,
    /// One short round of each case.
    #[arg(long)]
    quick: bool,
    /// The smallest run that does everything once; its figures mean nothing.
    #[arg(long)]
    smoke: bool,
    /// Without the peer.
    #[arg(long)]
    only_ours: bool,
    /// Rounds of each case.
    #[arg(long)]
    rounds: Option<usize>,
    /// Seconds of a round.
    #[arg(long)]
    seconds: Option<f64>,
    /// What the content is made from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Take the binaries from this folder instead of building them.
    #[arg(long)]
    bin_dir: Option<PathBuf>,
    /// Measure nothing: show the figures of this earlier run.
    #[arg(long, conflicts_with = "against")]
    from: Option<PathBuf>,
    /// Write all figures to this file.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Write the table to this file, for a document.
    #[arg(long)]
    markdown: Option<PathBuf>,
    /// Measure tokens out of a large database instead, on these: `sqlite`, `postgres`.
    #[arg(long, value_delimiter = ',', conflicts_with_all = ["cases", "from", "against"])]
    tokens: Vec<tokens::Kind>,
    /// Measure searches among very many repositories instead, on these: `sqlite`, `postgres`.
    #[arg(long, value_delimiter = ',', conflicts_with_all = ["cases", "from", "against", "tokens"])]
    search: Vec<tokens::Kind>,
    /// Measure the data of a tag's page and the intake of events instead, on these: `sqlite`, `postgres`.
    #[arg(long, value_delimiter = ',', conflicts_with_all = ["cases", "from", "against", "tokens", "search"])]
    hub: Vec<tokens::Kind>,
    /// Measure the pages of the index instead: bytes, waiting, CPU.
    #[arg(long, conflicts_with_all = ["cases", "from", "against", "tokens", "search", "hub"])]
    pages: bool,
    /// The share of 100,000 accounts, 1,000,000 repositories and 10,000 teams that `--tokens` makes, of 1,000,000
    /// repositories of `--search`, and of 100,000 repositories with ten tags each of `--hub`.
    #[arg(long, default_value_t = 1.0)]
    scale: f64,
    /// Compare with the figures of an earlier run; exit code 1 when something costs over a tenth more.
    #[arg(long)]
    against: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &Arguments) -> Result<ExitCode> {
    if arguments.cases.iter().any(|name| name == "list") {
        for case in case::all() {
            println!("{}", case.id);
        }
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(path) = &arguments.from {
        hand_out(arguments, &report::read(path)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    if !arguments.tokens.is_empty() {
        return measure_tokens(arguments);
    }
    if !arguments.search.is_empty() {
        return measure_searches(arguments);
    }
    if !arguments.hub.is_empty() {
        return measure_hub(arguments);
    }
    if arguments.pages {
        return measure_pages(arguments);
    }
    let cases = chosen(&arguments.cases)?;
    if let Some(folder) = &arguments.bin_dir {
        binaries::take_from(folder)?;
    }
    let baseline = arguments.against.as_deref().map(report::read).transpose()?;
    let is_worse = harness::run::alone("bench", |journey| {
        let (report, changes) = measure(journey, arguments, &cases, baseline.as_ref())?;
        // Before the content is removed, which takes a while.
        hand_out(arguments, &report)?;
        for change in &changes {
            println!("{change}");
        }
        Ok(changes.iter().any(Change::is_worse))
    })?;
    Ok(if is_worse {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

fn measure_tokens(arguments: &Arguments) -> Result<ExitCode> {
    if let Some(folder) = &arguments.bin_dir {
        binaries::take_from(folder)?;
    }
    let reports = harness::run::alone("bench", |journey| {
        tokens::run(journey, &arguments.tokens, database_plan(arguments))
    })?;
    hand_out_tables(arguments, &reports, &tokens::markdown(&reports))
}

fn measure_searches(arguments: &Arguments) -> Result<ExitCode> {
    if let Some(folder) = &arguments.bin_dir {
        binaries::take_from(folder)?;
    }
    let reports = harness::run::alone("bench", |journey| {
        search::run(journey, &arguments.search, database_plan(arguments))
    })?;
    hand_out_tables(arguments, &reports, &search::markdown(&reports))
}

fn measure_hub(arguments: &Arguments) -> Result<ExitCode> {
    if let Some(folder) = &arguments.bin_dir {
        binaries::take_from(folder)?;
    }
    let reports = harness::run::alone("bench", |journey| {
        hub::run(journey, &arguments.hub, database_plan(arguments))
    })?;
    hand_out_tables(arguments, &reports, &hub::markdown(&reports))
}

fn measure_pages(arguments: &Arguments) -> Result<ExitCode> {
    if let Some(folder) = &arguments.bin_dir {
        binaries::take_from(folder)?;
    }
    let report = harness::run::alone("bench", |journey| pages::run(journey, database_plan(arguments)))?;
    hand_out_tables(arguments, &report, &pages::markdown(&report))
}

fn database_plan(arguments: &Arguments) -> tokens::Plan {
    let (rounds, seconds) = match (arguments.smoke, arguments.quick) {
        (true, _) => (1, 0.2),
        (_, true) => (1, 1.0),
        _ => (3, 2.0),
    };
    tokens::Plan {
        scale: if arguments.smoke { 0.001 } else { arguments.scale },
        rounds: arguments.rounds.unwrap_or(rounds),
        seconds: arguments.seconds.unwrap_or(seconds),
    }
}

fn hand_out_tables(arguments: &Arguments, reports: &impl serde::Serialize, text: &str) -> Result<ExitCode> {
    if let Some(path) = &arguments.json {
        std::fs::write(path, serde_json::to_string_pretty(reports)? + "\n")?;
    }
    if let Some(path) = &arguments.markdown {
        std::fs::write(path, text)?;
    }
    print!("{text}");
    Ok(ExitCode::SUCCESS)
}

fn hand_out(arguments: &Arguments, report: &Report) -> Result<()> {
    if let Some(path) = &arguments.json {
        let text = serde_json::to_string_pretty(report)?;
        std::fs::write(path, text + "\n").with_context(|| format!("write {}", path.display()))?;
    }
    if let Some(path) = &arguments.markdown {
        let text = table::markdown(report);
        std::fs::write(path, text).with_context(|| format!("write {}", path.display()))?;
    }
    print!("{}", table::terminal(report));
    Ok(())
}

/// Memory and the start, where cases are named.
const GAUGES: &str = "gauges";

/// How often a case is measured again before it is believed to be worse.
const DOUBTS: usize = 2;

fn measure(
    journey: &Journey,
    arguments: &Arguments,
    cases: &[&'static Case],
    baseline: Option<&Report>,
) -> Result<(Report, Vec<Change>)> {
    let plan = plan(arguments);
    let folder = match &arguments.bin_dir {
        Some(folder) => folder.clone(),
        None => binaries::workspace_root(),
    };
    let mut report = Report {
        machine: Machine::this(),
        commit: machine::commit(&folder),
        seed: plan.seed,
        rounds: plan.rounds,
        cases: Vec::new(),
        gauges: Vec::new(),
    };
    let with_gauges = arguments.cases.is_empty() || arguments.cases.iter().any(|name| name == GAUGES);
    if with_gauges {
        report
            .gauges
            .extend(gauge::start(journey, plan.with_peer, arguments.smoke)?);
        report.gauges.extend(gauge::idle(journey)?);
    }
    let mut changes = Vec::new();
    RUNTIME.block_on(async {
        let bench = Bench::prepare(journey, plan, cases).await?;
        if with_gauges {
            // First: what the cases leave behind is not of this.
            report.gauges.push(bench.busy().await?);
        }
        for case in cases {
            let mut figures = bench.measure(case).await?;
            let before = baseline.and_then(|it| it.cases.iter().find(|before| before.id == case.id));
            if let Some(before) = before {
                let mut change = comparison::of_case(before, &figures);
                for _ in 0..DOUBTS {
                    if change.is_worse() {
                        eprintln!("{change}; once more");
                        bench.again(&mut figures).await?;
                        change = comparison::of_case(before, &figures);
                    }
                }
                changes.push(change);
            }
            report.cases.push(figures);
        }
        Ok::<_, anyhow::Error>(())
    })?;
    changes.extend(
        baseline
            .iter()
            .flat_map(|before| comparison::of_gauges(&before.gauges, &report.gauges)),
    );
    Ok((report, changes))
}

fn plan(arguments: &Arguments) -> Plan {
    let (rounds, seconds) = match (arguments.smoke, arguments.quick) {
        (true, _) => (1, 0.1),
        (_, true) => (1, 1.0),
        _ => (3, 2.0),
    };
    let sizes = Sizes {
        middle: 1 << 20,
        large: if arguments.smoke { 4 << 20 } else { 1 << 30 },
        layer: 64 << 10,
    };
    Plan {
        seed: arguments.seed,
        rounds: arguments.rounds.unwrap_or(rounds),
        seconds: arguments.seconds.unwrap_or(seconds),
        sizes,
        tags: if arguments.smoke { 200 } else { 10_000 },
        repositories: if arguments.smoke { 20 } else { 1_000 },
        with_peer: !arguments.only_ours,
        is_smoke: arguments.smoke,
    }
}

fn chosen(names: &[String]) -> Result<Vec<&'static Case>> {
    for name in names {
        ensure!(
            name == GAUGES || case::all().any(|case| selects(name, case)),
            "no case is called {name}"
        );
    }
    let wanted = |case: &&Case| names.is_empty() || names.iter().any(|name| selects(name, case));
    Ok(case::all().filter(wanted).collect())
}

/// Whether this name, or the beginning of one with `*` behind it, means the case.
fn selects(name: &str, case: &Case) -> bool {
    match name.strip_suffix('*') {
        Some(beginning) => case.id.starts_with(beginning),
        None => name == case.id,
    }
}
