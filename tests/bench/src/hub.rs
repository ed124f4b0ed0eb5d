//! Content as the index knows it: how long the data of a tag's page takes, and what the intake of events costs, on SQLite and
//! PostgreSQL.

mod intake;
mod population;

use std::fmt::Write as _;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use harness::Journey;
use harness::command::RUNTIME;

use crate::client::{Body, Client, Endpoint};
use crate::load::{Limits, drive};
use crate::server::basic;
use crate::statistics::{float, median, percentile};
use crate::tokens::{self, Database, Kind, Plan};
use crate::usage;
use crate::work::Work;
use intake::{Intake, Told};
use population::{Population, SEEN, SEEN_NAME};

/// Readers at once: as many as the machine that is measured has processors, so that nobody waits for others.
const CONNECTIONS: usize = 2;

/// What one case took.
#[derive(Debug, serde::Serialize)]
pub(crate) struct Figures {
    id: &'static str,
    /// Answers, or events, for each second.
    rate: f64,
    /// CPU seconds of the index for 1,000 of them,
    cost: f64,
    /// and of the database's server, where it is one.
    database_cost: Option<f64>,
    /// How long a reader, or a delivery, waits.
    p50_us: u32,
    p99_us: u32,
}

/// Everything measured on one database.
#[derive(Debug, serde::Serialize)]
pub(crate) struct Report {
    database: &'static str,
    repositories: u64,
    /// Tags of the repository that is looked at.
    tags: u64,
    /// Resident memory of the index after all cases, bytes.
    memory: u64,
    /// The data of pages.
    pages: Vec<Figures>,
    /// Events.
    intake: Vec<Figures>,
}

/// What a page needs, and whether one has to be signed in for it.
fn pages() -> Vec<(&'static str, String, bool)> {
    let of = |path: &str| format!("/api/v1/repositories/{SEEN}/{path}");
    vec![
        ("tags by name, 50", of("tags?limit=50"), false),
        ("tags by time, 50", of("tags?limit=50&order=updated"), false),
        ("a tag: index, 3 images, 30 layers", of("tags/v7"), false),
        ("its history", of("tags/v7/history"), false),
        ("what deleting it frees", of("tags/v7/deletion"), false),
        ("what depends on it", of("tags/v7/impact"), true),
        ("activity of 30 days", of("activity?days=30"), false),
        ("the repository's size", of("size"), false),
        ("the repository by its name", format!("/r/{SEEN_NAME}"), false),
        (
            "feed of the repository",
            format!("/feed/r/{SEEN_NAME}.atom"),
            false,
        ),
        ("feed of its namespace", "/feed/n/admin.atom".to_owned(), false),
        (
            "feed of a namespace with all others",
            "/feed/n/library.atom".to_owned(),
            false,
        ),
        ("badge", format!("/badge/{SEEN_NAME}/pulls.svg"), false),
    ]
}

fn intakes() -> [Intake; 5] {
    let pushes = Intake {
        id: "pushes, one in a delivery",
        told: Told::Pushes,
        events: 1,
        repositories: 20,
        registries: 1,
    };
    [
        pushes,
        Intake {
            id: "pushes, 100 of 20 repositories in a delivery",
            events: 100,
            ..pushes
        },
        Intake {
            id: "pushes, 100 of one repository in a delivery",
            events: 100,
            repositories: 1,
            ..pushes
        },
        Intake {
            id: "pushes, 100 of 20 repositories, four registries",
            events: 100,
            registries: 4,
            ..pushes
        },
        Intake {
            id: "pulls, 100 in a delivery",
            told: Told::Pulls,
            events: 100,
            ..pushes
        },
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
    let processes = (daemon.pid(), database.pid());
    // A password is hashed once and then remembered for a while.
    let authorization = basic("admin", password.trim());
    let mut report = Report {
        database: kind.name(),
        repositories: population.repositories,
        tags: population.tags,
        memory: 0,
        pages: Vec::new(),
        intake: Vec::new(),
    };
    for (id, path, is_signed_in) in pages() {
        let authorization = if is_signed_in { &*authorization } else { "" };
        let endpoint = Arc::new(Endpoint {
            port,
            authorization: authorization.to_owned(),
            tls: None,
            fresh: false,
        });
        let figures = RUNTIME.block_on(measure_page(id, &path, &endpoint, processes, plan))?;
        tell(kind, &figures);
        report.pages.push(figures);
    }
    for intake in intakes() {
        let figures = RUNTIME.block_on(measure_intake(intake, port, processes, plan))?;
        tell(kind, &figures);
        report.intake.push(figures);
    }
    report.memory = usage::resident(&[daemon.pid()])?;
    Ok(report)
}

fn tell(kind: Kind, figures: &Figures) {
    eprintln!(
        "{}: {}: {:.0}/s, {:.3} s/1000, p50 {} p99 {} µs",
        kind.name(),
        figures.id,
        figures.rate,
        figures.cost,
        figures.p50_us,
        figures.p99_us
    );
}

/// What the processes used for so many, for each 1,000.
struct Costs {
    processes: (u32, Option<u32>),
    before: (usage::Cpu, Option<usage::Cpu>),
}

impl Costs {
    fn begin(processes: (u32, Option<u32>)) -> Result<Self> {
        let before = (
            usage::cpu(&[processes.0])?,
            processes.1.map(|pid| usage::cpu(&[pid])).transpose()?,
        );
        Ok(Self { processes, before })
    }

    fn end(self, number: u64) -> Result<(f64, Option<f64>)> {
        let thousands = float(number) / 1000.0;
        let own = usage::cpu(&[self.processes.0])?.since(self.before.0).total() / thousands;
        let of_database = match (self.processes.1, self.before.1) {
            (Some(pid), Some(before)) => Some(usage::cpu(&[pid])?.since(before).total() / thousands),
            _ => None,
        };
        Ok((own, of_database))
    }
}

async fn measure_page(
    id: &'static str,
    path: &str,
    endpoint: &Arc<Endpoint>,
    processes: (u32, Option<u32>),
    plan: Plan,
) -> Result<Figures> {
    let request = endpoint.prepare("GET", path, "");
    let answer = Client::new(Arc::clone(endpoint))
        .fetch(&request, Body::None)
        .await?;
    ensure!(answer.status == 200 && answer.length > 2, "{id}: {answer:?}");
    let work = Arc::new(Work::Read(vec![request]));
    let limits = |seconds| Limits {
        connections: CONNECTIONS,
        seconds,
        operations: u64::MAX,
    };
    drive(endpoint, &work, limits(plan.seconds / 4.0)).await?;
    let costs = Costs::begin(processes)?;
    let outcome = drive(endpoint, &work, limits(plan.seconds)).await?;
    let (cost, database_cost) = costs.end(outcome.operations)?;
    Ok(Figures {
        id,
        rate: float(outcome.operations) / outcome.seconds,
        cost,
        database_cost,
        p50_us: percentile(&outcome.latencies, 50),
        p99_us: percentile(&outcome.latencies, 99),
    })
}

async fn measure_intake(
    intake: Intake,
    port: u16,
    processes: (u32, Option<u32>),
    plan: Plan,
) -> Result<Figures> {
    intake
        .drive(port, tokens::EVENTS_SECRET, plan.seconds / 4.0)
        .await?;
    let (mut rates, mut costs, mut database_costs) = (Vec::new(), Vec::new(), Vec::new());
    let mut latencies = Vec::new();
    for _ in 0..plan.rounds {
        let used = Costs::begin(processes)?;
        let taken = intake.drive(port, tokens::EVENTS_SECRET, plan.seconds).await?;
        let (cost, database_cost) = used.end(taken.events)?;
        rates.push(float(taken.events) / taken.seconds);
        costs.push(cost);
        database_costs.extend(database_cost);
        latencies.extend(taken.latencies);
    }
    latencies.sort_unstable();
    Ok(Figures {
        id: intake.id,
        rate: median(&rates),
        cost: median(&costs),
        database_cost: (!database_costs.is_empty()).then(|| median(&database_costs)),
        p50_us: percentile(&latencies, 50),
        p99_us: percentile(&latencies, 99),
    })
}

/// Two tables for each database.
pub(crate) fn markdown(reports: &[Report]) -> String {
    let mut text = String::new();
    for report in reports {
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "**{}**, {} repositories with 10 tags, and one with {}; {:.0} MiB resident after all cases\n",
            report.database,
            report.repositories,
            report.tags,
            float(report.memory) / 1_048_576.0,
        );
        for (name, unit, cases) in [
            ("data of a page", "answers", &report.pages),
            ("intake", "events", &report.intake),
        ] {
            let _ = writeln!(
                text,
                "| {name} | {unit}/s | CPU s/1000 | database's server | p50 ms | p99 ms |\n|---|---|---|---|---|---|"
            );
            for case in cases {
                let ms = |us: u32| f64::from(us) / 1000.0;
                let database = case
                    .database_cost
                    .map_or_else(String::new, |cost| format!("{cost:.3}"));
                let _ = writeln!(
                    text,
                    "| {} | {:.0} | {:.3} | {database} | {:.2} | {:.2} |",
                    case.id,
                    case.rate,
                    case.cost,
                    ms(case.p50_us),
                    ms(case.p99_us),
                );
            }
            text.push('\n');
        }
    }
    text
}
