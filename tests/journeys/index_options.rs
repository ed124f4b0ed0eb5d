//! What `portolan up` is told about its index: keys of index-service's configuration, checked as there.

use std::time::Duration;

use harness::process::wait_for;
use harness::server::{Options, Server};
use harness::{Journey, Need, Result, Suite, binaries, ensure};
use serde_json::Value;

pub(crate) fn add(suite: &mut Suite) {
    suite.add(
        "index_options",
        "the_audit_log_of_portolan_up_goes_to_its_sink_and_a_sign_in_outlives_a_kill",
        &[Need::Portolan],
        sink,
    );
    suite.add(
        "index_options",
        "a_wrong_value_is_refused_by_the_name_of_its_key",
        &[Need::Portolan],
        refused,
    );
}

/// Longer than a busy machine needs.
const PATIENCE: Duration = Duration::from_mins(2);

fn sink(journey: &Journey) -> Result<()> {
    let lines = journey.folder().join("audit.jsonl");
    let sink = lines.display().to_string();
    let arguments = ["--audit-sink", sink.as_str(), "--audit-retention", "0"].map(str::to_owned);
    let options = Options {
        arguments: arguments.to_vec(),
        ..Options::default()
    };
    let server = Server::own(journey, options)?;
    let eve = server.account(journey, "eve")?;
    server.api(&eve)?.get("/api/v1/account")?.expect(200)?;
    let is_written = || {
        let words = ["audit", "--action", "sign_in", "--json"];
        let events = server.administer(journey, &words, "")?;
        Ok::<_, harness::Error>(events.contains(&eve.name))
    };
    wait_for("the sign-in in the log", PATIENCE, || {
        Ok(is_written()?.then_some(()))
    })?;
    wait_for("the line of the sign-in", PATIENCE, || {
        let text = std::fs::read_to_string(&lines).unwrap_or_default();
        let mut events = text
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let found =
            events.any(|event| event["action"] == "sign_in" && event["target"]["name"] == eve.name.as_str());
        Ok(found.then_some(()))
    })?;
    server.kill();
    server.start_again()?;
    ensure!(is_written()?, "the sign-in is gone");
    Ok(())
}

fn refused(journey: &Journey) -> Result<()> {
    for (option, value, key) in [
        ("--token-key-rotation", "1m", "token.key_rotation"),
        ("--token-key-notice", "48h", "token.key_notice"),
        ("--audit-retention", "long", "--audit-retention"),
        ("--trusted-proxies", "everybody", "trusted_proxies"),
        ("--webhooks-allow", "10.0.0.0/33", "webhooks.allow"),
        ("--organisations-create", "nobody", "--organisations-create"),
    ] {
        let data = journey.folder().join("data");
        let line = journey.command(binaries::path_of("portolan")?);
        let line = line.args(["up", "--listen", "127.0.0.1:0", option, value]);
        line.arg("--data").arg(&data).fails()?.says(key)?;
    }
    Ok(())
}
