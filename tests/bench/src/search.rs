//! Searches among very many repositories: how long clients wait, on SQLite and PostgreSQL.

mod population;

use std::fmt::Write as _;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use harness::Journey;
use harness::command::RUNTIME;

use crate::client::{Body, Client, Endpoint};
use crate::load::{Limits, drive};
use crate::server::basic;
use crate::statistics::{float, percentile};
use crate::tokens::{self, Database, Kind, Plan};
use crate::usage;
use crate::work::Work;
use population::Population;

/// Clients at once: as many as the machine that is measured has processors, so that nobody waits for others.
const CONNECTIONS: usize = 2;

/// What one case took.
#[derive(Debug, serde::Serialize)]
pub(crate) struct Figures {
    id: &'static str,
    /// How many repositories were said to be found.
    found: u64,
    rate: f64,
    p50_us: u32,
    p99_us: u32,
    /// Most µs that 99 of 100 clients may wait.
    target_us: u32,
}

/// Everything measured on one database.
#[derive(Debug, serde::Serialize)]
pub(crate) struct Report {
    database: &'static str,
    repositories: u64,
    /// Resident memory of the index after all cases, bytes.
    memory: u64,
    cases: Vec<Figures>,
}

struct Case {
    id: &'static str,
    /// Each is asked in turn.
    queries: Vec<String>,
    is_signed_in: bool,
    target_us: u32,
}

const NARROW: u32 = 50_000;
const BROAD: u32 = 100_000;

fn cases(population: Population) -> Vec<Case> {
    let case = |id, queries: Vec<String>, target_us| Case {
        id,
        queries,
        is_signed_in: false,
        target_us,
    };
    let one = |query: &str| vec![query.to_owned()];
    let spread = |word: &str, of: u64| (0..50).map(|n| format!("{word}{}", n * 7919 % of)).collect();
    vec![
        case(
            "one repository by its name",
            spread("r", population.repositories),
            NARROW,
        ),
        case(
            "an unfinished word",
            spread("r", population.repositories.min(100)),
            NARROW,
        ),
        case("a word of one in 5,000", spread("w", 5_000), NARROW),
        case("a word of one in 1,000", one("thousandth"), NARROW),
        case("a word of one in 100", one("hundredth"), NARROW),
        Case {
            is_signed_in: true,
            ..case("a word of one in 100, signed in", one("hundredth"), NARROW)
        },
        case(
            "words of one in 100 and of one in 5,000",
            one("hundredth+w100"),
            NARROW,
        ),
        case("a word of one in 10", one("tenth"), BROAD),
        case("a word of every one", one("everywhere"), BROAD),
        case(
            "words of every one and of one in 10",
            one("everywhere+tenth"),
            BROAD,
        ),
        case(
            "words of one in 10 that no repository has both of",
            one("tenth+other"),
            BROAD,
        ),
        case("everything", one(""), BROAD),
    ]
}

/// Measures one database after the other.
pub(crate) fn run(journey: &Journey, kinds: &[Kind], plan: Plan) -> Result<Vec<Report>> {
    kinds.iter().map(|kind| measure(journey, *kind, plan)).collect()
}

fn measure(journey: &Journey, kind: Kind, plan: Plan) -> Result<Report> {
    let folder = journey.subfolder(kind.name())?;
    let database = Database::make(journey, kind, &folder)?;
    let port = harness::process::free_port()?;
    drop(tokens::index(journey, &database, &folder, port)?);
    let password =
        std::fs::read_to_string(folder.join("first-password")).context("read the first password")?;
    let population = Population::of(plan.scale);
    eprintln!("{}: {} repositories", kind.name(), population.repositories);
    database.fill(|series| population.statements(series))?;
    let daemon = tokens::index(journey, &database, &folder, port)?;
    // A password is hashed once and then remembered for a while.
    let authorization = basic("admin", password.trim());
    let mut measured = Vec::new();
    for case in cases(population) {
        let authorization = if case.is_signed_in { &*authorization } else { "" };
        let figures = RUNTIME.block_on(measure_case(port, &case, authorization, plan))?;
        eprintln!(
            "{}: {}: {} found, {:.0}/s, p50 {} p99 {} µs",
            kind.name(),
            figures.id,
            figures.found,
            figures.rate,
            figures.p50_us,
            figures.p99_us
        );
        measured.push(figures);
    }
    Ok(Report {
        database: kind.name(),
        repositories: population.repositories,
        memory: usage::resident(&[daemon.pid()])?,
        cases: measured,
    })
}

async fn measure_case(port: u16, case: &Case, authorization: &str, plan: Plan) -> Result<Figures> {
    let endpoint = Arc::new(Endpoint {
        port,
        authorization: authorization.to_owned(),
        tls: None,
        fresh: false,
    });
    let requests: Vec<Vec<u8>> = case
        .queries
        .iter()
        .map(|query| endpoint.prepare("GET", &format!("/v1/search?q={query}&n=25"), ""))
        .collect();
    let first = requests.first().context("no query")?;
    let answer = Client::new(Arc::clone(&endpoint))
        .fetch(first, Body::None)
        .await?;
    let body: serde_json::Value = serde_json::from_slice(&answer.body).context("read an answer")?;
    let found = body["num_results"].as_u64().context("no number of results")?;
    ensure!(
        found > 0 || case.id.contains("no repository"),
        "{}: nothing is found",
        case.id
    );
    let work = Arc::new(Work::Read(requests));
    let limits = |seconds| Limits {
        connections: CONNECTIONS,
        seconds,
        operations: u64::MAX,
    };
    drive(&endpoint, &work, limits(plan.seconds / 4.0)).await?;
    let outcome = drive(&endpoint, &work, limits(plan.seconds)).await?;
    Ok(Figures {
        id: case.id,
        found,
        rate: float(outcome.operations) / outcome.seconds,
        p50_us: percentile(&outcome.latencies, 50),
        p99_us: percentile(&outcome.latencies, 99),
        target_us: case.target_us,
    })
}

/// One table for each database.
pub(crate) fn markdown(reports: &[Report]) -> String {
    let mut text = String::new();
    for report in reports {
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "**{}**, {} repositories, {CONNECTIONS} clients; {:.0} MiB resident after all cases\n\n\
             | case | found | searches/s | p50 ms | p99 ms | target | |\n|---|---|---|---|---|---|---|",
            report.database,
            report.repositories,
            float(report.memory) / 1_048_576.0,
        );
        for case in &report.cases {
            let ms = |us: u32| f64::from(us) / 1000.0;
            let met = if case.p99_us <= case.target_us {
                "met"
            } else {
                "**missed**"
            };
            let _ = writeln!(
                text,
                "| {} | {} | {:.0} | {:.2} | {:.2} | ≤ {} | {met} |",
                case.id,
                case.found,
                case.rate,
                ms(case.p50_us),
                ms(case.p99_us),
                ms(case.target_us),
            );
        }
        text.push('\n');
    }
    text
}
