//! Daily administration on the command line: of a data folder, and of a server by its address.

use harness::server::{Options, Server};
use harness::{Context as _, Journey, Need, Result, Suite, binaries, ensure};
use serde_json::Value;

pub(crate) fn add(suite: &mut Suite) {
    let portolan = &[Need::Portolan];
    suite.add(
        "administration",
        "an_organisation_is_looked_after_by_its_address_and_in_its_folder",
        portolan,
        organisation,
    );
    suite.add(
        "administration",
        "what_a_stranger_may_not_is_told_with_what_to_do",
        portolan,
        refusals,
    );
    suite.add(
        "administration",
        "every_shell_gets_its_completion",
        portolan,
        completion,
    );
    suite.add(
        "administration",
        "each_program_writes_its_manual_pages",
        portolan,
        manual,
    );
}

fn organisation(journey: &Journey) -> Result<()> {
    let server = Server::own(journey, Options::default())?;
    let (ada, eve) = (server.account(journey, "ada")?, server.account(journey, "eve")?);
    let at =
        |words: &[&str]| -> Result<String> { Ok(server.command(journey, &ada, words)?.succeeds()?.stdout) };
    let made = at(&["org", "create", "crew", "--display-name", "The Crew"])?;
    ensure!(made.contains("The Crew"), "{made}");
    at(&[
        "team",
        "create",
        "crew",
        "builders",
        "--description",
        "who builds",
    ])?;
    at(&["member", "put", "crew", &eve.name])?;
    at(&["team", "add", "crew", "builders", &eve.name])?;
    let members = at(&["member", "list", "crew"])?;
    ensure!(
        members.lines().count() == 3 && members.contains(&eve.name) && members.contains("owner"),
        "{members}"
    );
    let json = at(&["team", "members", "crew", "builders", "--json"])?;
    let list: Value = serde_json::from_str(&json).context("read the JSON")?;
    ensure!(list[0]["name"] == eve.name.as_str(), "{json}");

    // The same organisation out of the folder, while the server runs.
    let folder = server.administer(journey, &["member", "list", "crew", "--as", &ada.name], "")?;
    ensure!(folder == members, "{folder}");

    let departure = at(&["member", "remove", "crew", &eve.name])?;
    ensure!(
        departure.contains("builders") && departure.contains("say --yes"),
        "{departure}"
    );
    at(&["member", "remove", "crew", &eve.name, "--yes"])?;
    let left = at(&["team", "members", "crew", "builders"])?;
    ensure!(left.lines().count() == 1, "who left is in no team: {left}");
    at(&["org", "delete", "crew", "--yes"])?;
    let none = at(&["org", "list", "--json"])?;
    ensure!(none.trim() == "[]", "{none}");
    let audit = server.administer(journey, &["audit", "--actor", &ada.name], "")?;
    ensure!(
        audit.contains("organisation.delete") && audit.contains("crew"),
        "{audit}"
    );
    Ok(())
}

fn refusals(journey: &Journey) -> Result<()> {
    let server = Server::shared(journey)?;
    let eve = server.account(journey, "eve")?;
    let program = binaries::path_of("portolan")?;
    journey
        .command(&program)
        .args(["org", "list", "--server", &server.url()])
        .fails()?
        .says("give --user NAME, or --token")?;
    journey
        .command(&program)
        .args([
            "member",
            "list",
            "nobody-here",
            "--server",
            &server.url(),
            "--user",
            &eve.name,
        ])
        .stdin(eve.password.as_str())
        .fails()?
        .says("404")?;
    journey
        .command(&program)
        .args(["org", "list", "--data", "/nonexistent"])
        .fails()?
        .says("portolan up")?;
    Ok(())
}

fn completion(journey: &Journey) -> Result<()> {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let program = binaries::path_of("portolan")?;
        let done = journey.command(program).args(["completion", shell]).succeeds()?;
        ensure!(done.stdout.contains("nginx-config"), "{shell}");
    }
    Ok(())
}

fn manual(journey: &Journey) -> Result<()> {
    let folder = journey.subfolder("man")?;
    for name in ["portolan", "index-service", "registry-service"] {
        let program = binaries::path_of(name)?;
        journey.command(program).arg("man").arg(&folder).succeeds()?;
    }
    for (page, says) in [
        ("portolan.1", "image"),
        ("portolan-import-registry.1", "create"),
        ("index-service-serve.1", "INDEX_"),
        ("registry-service-scrub.1", "quarantine"),
    ] {
        let text = std::fs::read_to_string(folder.join(page)).with_context(|| format!("read {page}"))?;
        ensure!(text.contains(".TH") && text.contains(says), "{page}: {text}");
    }
    Ok(())
}
