//! The official OCI conformance suite, when `PORTOLAN_CONFORMANCE` names its compiled program.

use std::time::Duration;

use harness::environment::variable;
use harness::server::Options;
use harness::{Context, Journey, Need, Result, Server, Suite, ensure};

pub(crate) fn add(suite: &mut Suite) {
    let needs = &[Need::Portolan, Need::Conformance];
    suite.add(
        "official_suite",
        "the_official_suite_finds_no_fault_for_the_stable_version",
        needs,
        stable,
    );
    suite.add(
        "official_suite",
        "the_official_suite_finds_no_fault_for_the_development_version",
        needs,
        development,
    );
}

/// Fewest cases of a whole run. With a wrong configuration the program ends well without having tested anything.
const FEWEST: u32 = 500;

fn stable(journey: &Journey) -> Result<()> {
    run(journey, "stable")
}

fn development(journey: &Journey) -> Result<()> {
    run(journey, "dev")
}

fn run(journey: &Journey, version: &str) -> Result<()> {
    let server = Server::own(journey, Options::default())?;
    let account = server.account(journey, "conformance")?;
    let results = journey.subfolder("results")?;
    let program = variable("PORTOLAN_CONFORMANCE").context("PORTOLAN_CONFORMANCE is not set")?;
    let line = journey
        .command(program)
        .env("OCI_VERSION", version)
        .env("OCI_RESULTS_DIR", &results);
    let line = line.env("OCI_REGISTRY", server.host()).env("OCI_TLS", "disabled");
    let line = line.env("OCI_REPO1", format!("{}/first", account.name));
    let line = line.env("OCI_REPO2", format!("{}/second", account.name));
    let line = line
        .env("OCI_USERNAME", &account.name)
        .env("OCI_PASSWORD", &account.password);
    let finished = line.limit(Duration::from_mins(10)).run()?;

    let report = results.join("junit.xml");
    let report =
        std::fs::read_to_string(&report).with_context(|| format!("{finished}\nread {}", report.display()))?;
    let head = report
        .split("<testsuites")
        .nth(1)
        .and_then(|rest| rest.split('>').next())
        .context("no report")?;
    let number = |name: &str| -> u32 {
        let value = head
            .split(&format!(" {name}=\""))
            .nth(1)
            .and_then(|rest| rest.split('"').next());
        value.and_then(|value| value.parse().ok()).unwrap_or(0)
    };
    let (tests, failures, errors) = (number("tests"), number("failures"), number("errors"));
    journey.say(&format!(
        "{tests} cases for {version}, {failures} failures, {errors} errors"
    ));
    ensure!(
        failures == 0 && errors == 0 && finished.code == Some(0),
        "{finished}"
    );
    ensure!(tests >= FEWEST, "only {tests} cases ran: {finished}");
    Ok(())
}
