//! Every operation of the API under Schemathesis: made-up requests from the description, boundaries and nonsense.

use harness::server::{Options, Server};
use harness::{Journey, Need, Result, Suite, ensure, need};

pub(crate) fn add(suite: &mut Suite) {
    suite.add(
        "fuzzed_api",
        "no_made_up_request_gets_a_fault_or_an_answer_that_is_not_described",
        &[Need::Portolan, Need::Schemathesis],
        fuzz,
    );
}

/// Faults of the server, and answers that the description does not have.
const CHECKS: &str = "not_a_server_error,status_code_conformance,response_schema_conformance";

fn fuzz(journey: &Journey) -> Result<()> {
    let server = Server::own(journey, Options::default())?;
    let (admin, ada) = (server.admin()?, server.account(journey, "ada")?);
    let program = need::schemathesis().map_err(harness::Error::msg)?;
    for who in [Some(&admin), Some(&ada), None] {
        let mut line = journey
            .command(&program)
            .arg("run")
            .arg(format!("{}/api/v1/openapi.json", server.url()))
            .args([
                "--checks",
                CHECKS,
                "--max-examples",
                "8",
                "--seed",
                "1",
                "--no-color",
            ])
            // Deleting the account that asks would leave the rest with refusals.
            .args(["--exclude-path-regex", "/account$"]);
        if let Some(account) = who {
            line = line.arg("-H").arg(format!("Authorization: {}", account.basic()));
        }
        let done = line.run()?;
        let name = who.map_or("nobody", |account| account.name.as_str());
        ensure!(done.code == Some(0), "as {name}: {}", done.text());
        let tested = done.text();
        let counts = tested
            .lines()
            .find(|line| line.contains(" generated, "))
            .unwrap_or_default();
        journey.say(&format!("as {name}: {}", counts.trim()));
    }
    Ok(())
}
