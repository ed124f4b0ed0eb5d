//! Notifications: a receiver gets what distribution would send it, in order, and nothing is lost.

mod delivery;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use bytes::Bytes;
use harness::api::Api;
use harness::archive::digest;
use harness::environment::find_program;
use harness::layout::{IMAGE_CONFIG, IMAGE_INDEX, IMAGE_MANIFEST};
use harness::open_registry::{Choices, OpenRegistry};
use harness::process::{Daemon, free_port, wait_for};
use harness::receiver::Receiver;
use harness::{Context, Journey, Need, Result, Suite, ensure};
use http::Method;
use serde_json::{Value, json};

pub(crate) fn add(suite: &mut Suite) {
    let peer = &[Need::Portolan, Need::DockerRegistry];
    suite.add(
        "notification",
        "a_receiver_gets_the_same_events_as_from_distribution_field_by_field",
        peer,
        same_events,
    );
    let alone = &[Need::Portolan];
    suite.add(
        "notification",
        "two_replicas_that_move_one_tag_tell_of_it_in_the_order_of_visibility",
        alone,
        delivery::order,
    );
    suite.add(
        "notification",
        "what_was_acknowledged_before_a_kill_is_told_after_it_and_in_order",
        alone,
        delivery::killed,
    );
    suite.add(
        "notification",
        "a_receiver_that_hangs_holds_up_no_push_and_what_is_too_much_can_be_replayed",
        alone,
        delivery::hanging,
    );
    suite.add(
        "notification",
        "another_replica_takes_over_from_one_that_died",
        alone,
        delivery::takeover,
    );
}

const PATIENCE: Duration = Duration::from_mins(2);

/// The section with one endpoint; further lines of it are indented by six spaces.
fn section(url: &str, more: &str) -> String {
    format!(
        "notifications:\n  events:\n    includereferences: true\n  endpoints:\n    - name: alice\n      url: {url}\n{more}"
    )
}

fn start(journey: &Journey, folder: &Path, config: String) -> Result<OpenRegistry> {
    let choices = Choices {
        config,
        ..Choices::default()
    };
    OpenRegistry::start(journey, folder, &choices)
}

fn quickly() -> &'static str {
    "      backoff: 20ms\n      timeout: 30s\n"
}

/// A manifest without layers, told apart by a number.
fn manifest(config: &str, number: usize) -> Vec<u8> {
    json!({
        "schemaVersion": 2,
        "mediaType": IMAGE_MANIFEST,
        "config": { "mediaType": IMAGE_CONFIG, "digest": config, "size": 2 },
        "layers": [],
        "annotations": { "number": number.to_string() },
    })
    .to_string()
    .into_bytes()
}

fn is_of_manifest(event: &Value) -> bool {
    event["target"]["mediaType"] == IMAGE_MANIFEST
}

// The same events.

fn same_events(journey: &Journey) -> Result<()> {
    let (to_theirs, to_ours) = (Receiver::start()?, Receiver::start()?);
    let debug = [free_port()?, free_port()?];
    let operator =
        |port: u16| format!("  debug:\n    addr: 127.0.0.1:{port}\n    prometheus:\n      enabled: true\n");
    let headers = "      headers:\n        X-Secret: [canary-of-the-endpoint]\n      timeout: 30s\n      mediatype: application/vnd.docker.distribution.events.v1+json\n      ignore:\n        actions: [none]\n";
    let folder = journey.subfolder("original")?;
    let port = free_port()?;
    let file = folder.join("original.yml");
    let text = format!(
        "version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {}\n  delete:\n    enabled: true\nhttp:\n  \
         addr: 127.0.0.1:{port}\n  secret: a secret\n{}{}",
        folder.display(),
        operator(debug[0]),
        section(&to_theirs.url(), headers),
    );
    std::fs::write(&file, text)?;
    let mut command = Command::new(find_program("docker-registry").context("docker-registry is missing")?);
    command.arg("serve").arg(&file);
    let log = folder.join("original.log");
    journey.watch_foreign_log(&log);
    let mut daemon = Daemon::start("docker-registry", command, &log)?;
    let theirs = Api::new(&format!("http://127.0.0.1:{port}"), None)?;
    daemon.wait_until_ready(PATIENCE, || theirs.get("/v2/").is_ok())?;

    let config = operator(debug[1]) + &section(&to_ours.url(), headers);
    let registry = start(journey, &journey.subfolder("ours")?, config)?;
    let ours = registry.api()?;

    work(&theirs)?;
    work(&ours)?;
    // Each event is sent alone and in order: the last one is that of the last delete.
    let is_last = |events: &[Value]| {
        let deletes = events.iter().filter(|event| event["action"] == "delete");
        deletes.count() == 4
    };
    let expected = to_theirs.wait("the events of the original", is_last)?;
    let found = to_ours.wait("as many events", |events| events.len() >= expected.len())?;
    let (expected, found) = (normalised(&expected, &theirs)?, normalised(&found, &ours)?);
    journey.note(&format!(
        "{} events of the original:\n{}",
        expected.len(),
        expected.join("\n")
    ));
    for event in &expected {
        ensure!(
            found.contains(event),
            "only the original tells\n{event}\nours:\n{}",
            found.join("\n")
        );
    }
    for event in &found {
        ensure!(expected.contains(event), "only ours tells\n{event}");
    }
    ensure!(expected == found, "other numbers of events");
    ensure!(expected.len() >= 17, "only {} events", expected.len());

    let media_type = |receiver: &Receiver| -> Result<String> {
        let head = receiver.last_head();
        let line = head.lines().find(|line| line.starts_with("content-type:"));
        Ok(line.context("no media type")?.to_owned())
    };
    let (of_original, of_ours) = (media_type(&to_theirs)?, media_type(&to_ours)?);
    journey.note(&format!("the original sends {of_original}, ours {of_ours}"));
    ensure!(of_original == of_ours, "{of_original}, {of_ours}");
    for receiver in [&to_theirs, &to_ours] {
        ensure!(
            receiver.last_head().contains("x-secret: canary-of-the-endpoint"),
            "no header"
        );
    }
    numbers(debug)
}

/// Metrics, and the same variables as distribution's without its secrets.
fn numbers(debug: [u16; 2]) -> Result<()> {
    let [theirs, ours] = debug.map(|port| Api::new(&format!("http://127.0.0.1:{port}"), None));
    let (theirs, ours) = (theirs?, ours?);
    // Under the names of distribution 3; 2.8 has no metrics of them.
    let of_alice = [
        "events_total{endpoint=\"alice\",type=\"Events\"} ",
        "events_total{endpoint=\"alice\",type=\"Successes\"} ",
        "events_total{endpoint=\"alice\",type=\"Failures\"} 0",
        "events_total{endpoint=\"alice\",type=\"Errors\"} 0",
        "pending_total{endpoint=\"alice\"} 0",
        "status_total{code=\"200 OK\",endpoint=\"alice\"} ",
    ];
    wait_for("the metrics", PATIENCE, || {
        let answer = ours.get("/metrics")?.expect(200)?;
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        let is_there = |line: &str| text.contains(&format!("\nregistry_notifications_{line}"));
        Ok(of_alice.into_iter().all(is_there).then_some(()))
    })?;
    let variables = |api: &Api| -> Result<Value> {
        let document = api.get("/debug/vars")?.expect(200)?.json()?;
        Ok(document["registry"]["notifications"]["endpoints"][0].clone())
    };
    let (theirs, ours) = (variables(&theirs)?, variables(&ours)?);
    let keys = |value: &Value| -> BTreeSet<String> {
        value
            .as_object()
            .map(|map| map.keys().cloned().collect())
            .unwrap_or_default()
    };
    ensure!(
        !keys(&theirs).is_empty() && keys(&theirs).is_subset(&keys(&ours)),
        "{theirs} {ours}"
    );
    ensure!(
        keys(&theirs["Metrics"]) == keys(&ours["Metrics"]),
        "{theirs} {ours}"
    );
    ensure!(
        theirs["Metrics"]["Successes"] == ours["Metrics"]["Successes"],
        "{theirs} {ours}"
    );
    ensure!(!ours.to_string().contains("canary"), "a secret is shown: {ours}");
    Ok(())
}

/// Pushes, pulls, mounts and deletes, one after the other.
fn work(api: &Api) -> Result<()> {
    let image = api.push_small_image("team/app", "one", "a layer")?;
    let agent = [("user-agent", "a journey/1"), ("accept", "*/*")];
    let index = json!({
        "schemaVersion": 2, "mediaType": IMAGE_INDEX,
        "manifests": [{"mediaType": IMAGE_MANIFEST, "digest": image, "size": 100,
                       "platform": {"os": "linux", "architecture": "amd64"}}],
    });
    let index = api.push_manifest("team/app", "many", IMAGE_INDEX, index.to_string().into_bytes())?;
    let send = |method: Method, path: &str| api.send(method, path, &agent, Bytes::new());
    let layer = digest(b"a layer");
    for reference in ["one", &image, "many"] {
        let accept = [
            ("user-agent", "a journey/1"),
            ("accept", IMAGE_MANIFEST),
            ("accept", IMAGE_INDEX),
        ];
        let path = format!("/v2/team/app/manifests/{reference}");
        api.send(Method::GET, &path, &accept, Bytes::new())?.expect(200)?;
        api.send(Method::HEAD, &path, &accept, Bytes::new())?
            .expect(200)?;
    }
    let blob = format!("/v2/team/app/blobs/{layer}");
    send(Method::HEAD, &blob)?.expect(200)?;
    send(Method::GET, &blob)?.expect(200)?;
    let ranged = [("user-agent", "a journey/1"), ("range", "bytes=2-4")];
    api.send(Method::GET, &blob, &ranged, Bytes::new())?.expect(206)?;
    // What does not succeed is not told.
    send(Method::GET, "/v2/team/app/manifests/absent")?.expect(404)?;
    send(Method::HEAD, &format!("/v2/other/blobs/{layer}"))?.expect(404)?;
    let mount = format!("/v2/other/blobs/uploads/?mount={layer}&from=team/app");
    send(Method::POST, &mount)?.expect(201)?;
    send(Method::POST, &mount)?.expect(201)?;
    send(Method::DELETE, &format!("/v2/other/blobs/{layer}"))?.expect(202)?;
    let absent = format!("/v2/other/blobs/{}", digest(b"absent"));
    send(Method::DELETE, &absent)?.expect(404)?;
    api.push_manifest(
        "team/app",
        "again",
        IMAGE_MANIFEST,
        api.manifest("team/app", "one")?.body,
    )?;
    send(Method::DELETE, &format!("/v2/team/app/manifests/{index}"))?.expect(202)?;
    let config = api.push_blob("last", "{}")?;
    let only = api.push_manifest(
        "last",
        &digest(&manifest(&config, 0)),
        IMAGE_MANIFEST,
        manifest(&config, 0),
    )?;
    send(Method::DELETE, &format!("/v2/last/manifests/{only}"))?.expect(202)?;
    Ok(())
}

/// Events in an order of their own, with what differs from process to process replaced by what it is.
fn normalised(events: &[Value], api: &Api) -> Result<Vec<String>> {
    let host = api.base().trim_start_matches("http://");
    let mut normalised = Vec::new();
    for event in events {
        let mut event = event.clone();
        let mut replace = |path: &[&str], is: fn(&str) -> bool| -> Result<()> {
            let mut value = &mut event;
            for name in path {
                value = value.get_mut(name).with_context(|| format!("no {path:?}"))?;
            }
            let text = value.as_str().with_context(|| format!("{path:?} is no text"))?;
            ensure!(is(text), "{path:?} is {text}");
            *value = json!("(checked)");
            Ok(())
        };
        let is_uuid = |text: &str| text.len() == 36 && text.split('-').count() == 5;
        replace(&["id"], is_uuid)?;
        replace(&["timestamp"], |text| text.len() > 19 && text.contains('T'))?;
        replace(&["request", "id"], |text| !text.is_empty())?;
        replace(&["request", "addr"], |text| text.starts_with("127.0.0.1:"))?;
        replace(&["source", "addr"], |text| {
            let parts = text.rsplit_once(':');
            parts.is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok())
        })?;
        replace(&["source", "instanceID"], is_uuid)?;
        normalised.push(event.to_string().replace(host, "(host)"));
    }
    normalised.sort();
    Ok(normalised)
}
