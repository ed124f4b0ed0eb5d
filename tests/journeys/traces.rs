//! OpenTelemetry: a collector of the test's own takes what `registry-service` sends.

mod collector;

use std::collections::BTreeSet;
use std::time::Duration;

use collector::{Collector, Seen};
use harness::open_registry::{Choices, OpenRegistry};
use harness::process::{free_port, wait_for};
use harness::{Context, Journey, Need, Result, Suite, ensure};

const PATIENCE: Duration = Duration::from_mins(2);
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";

pub(crate) fn add(suite: &mut Suite) {
    let needs = &[Need::Portolan];
    suite.add(
        "traces",
        "a_push_is_one_span_per_request_with_its_storage_below_it_in_the_callers_trace",
        needs,
        push,
    );
    suite.add(
        "traces",
        "a_collector_that_is_away_harms_nothing_and_without_the_variables_none_is_asked",
        needs,
        away,
    );
}

/// A registry with these variables.
fn start(journey: &Journey, variables: &[(&str, &str)], debug: Option<u16>) -> Result<OpenRegistry> {
    let mut launcher = vec!["env".to_owned()];
    launcher.extend(variables.iter().map(|(name, value)| format!("{name}={value}")));
    let config = debug
        .map(|port| format!("  debug:\n    addr: 127.0.0.1:{port}\n    prometheus:\n      enabled: true\n"));
    let choices = Choices {
        launcher,
        config: config.unwrap_or_default(),
        ..Choices::default()
    };
    OpenRegistry::start(journey, &journey.subfolder("store")?, &choices)
}

fn push(journey: &Journey) -> Result<()> {
    let collector = Collector::start()?;
    let endpoint = format!("http://127.0.0.1:{}", collector.port());
    let mut registry = start(
        journey,
        &[
            ("OTEL_TRACES_EXPORTER", "otlp"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint),
            ("OTEL_EXPORTER_OTLP_HEADERS", "x-collector-key=the%20key"),
            ("OTEL_SERVICE_NAME", "images"),
            ("OTEL_BSP_SCHEDULE_DELAY", "50"),
        ],
        None,
    )?;
    let api = registry.api()?;
    let digest = api.push_small_image("team/app", "1", "traced")?;
    let parent = format!("00-{TRACE}-{CALLER}-01");
    let secret = "canary-of-the-trace";
    let headers = [
        ("traceparent", parent.as_str()),
        ("authorization", "Basic Y2FuYXJ5LW9mLXRoZS10cmFjZQ=="),
    ];
    let path = format!("/v2/team/app/manifests/1?_state={secret}");
    api.send(http::Method::GET, &path, &headers, bytes::Bytes::new())?
        .expect(200)?;
    let manifest = api.manifest("team/app", "1")?.expect(200)?;
    let again = api.push_manifest(
        "team/app",
        "2",
        manifest.header("content-type")?,
        manifest.body.clone(),
    );
    again?;
    // What waits is sent before the process ends.
    registry.stop()?;
    let seen = collector.seen();
    ensure!(seen.service == "images", "the service is {:?}", seen.service);
    ensure!(seen.key == "the key", "the collector was not shown its key");
    let spans = &seen.spans;
    let by_name: BTreeSet<&str> = spans.iter().map(|span| span.name.as_str()).collect();
    for name in [
        "POST /v2/{name}/blobs/uploads/",
        "PUT /v2/{name}/manifests/{reference}",
        "GET /v2/{name}/manifests/{reference}",
        "PutContent",
    ] {
        ensure!(by_name.contains(name), "no span {name}: {by_name:?}");
    }
    let called = spans
        .iter()
        .find(|span| span.trace == TRACE && span.kind == 2)
        .context("the caller's trace was not gone on with")?;
    ensure!(called.parent == CALLER && called.kind == 2, "{called:?}");
    for (name, expected) in [
        ("http.request.method", "GET"),
        ("http.route", "/v2/{name}/manifests/{reference}"),
        ("url.path", "/v2/team/app/manifests/1"),
        ("url.scheme", "http"),
        ("http.response.status_code", "200"),
        ("server.address", "127.0.0.1"),
    ] {
        ensure!(
            called.attributes.get(name).is_some_and(|value| value == expected),
            "{name} of {called:?}"
        );
    }
    storage_below_requests(&seen, &digest)?;
    let shown = format!("{seen:?}");
    ensure!(
        !shown.contains(secret) && !shown.contains("Y2FuYXJ5"),
        "a secret is in a trace"
    );
    Ok(())
}

fn storage_below_requests(seen: &Seen, digest: &str) -> Result<()> {
    let put = seen
        .spans
        .iter()
        .find(|span| span.name == "PUT /v2/{name}/manifests/{reference}")
        .context("no push of a manifest")?;
    ensure!(
        put.attributes["http.response.status_code"] == "201",
        "{put:?} {digest}"
    );
    let writes = seen.spans.iter().filter(|span| span.parent == put.id);
    let writes: Vec<_> = writes.filter(|span| span.name == "PutContent").collect();
    ensure!(!writes.is_empty(), "the push of a manifest wrote nothing");
    for write in writes {
        ensure!(
            write.trace == put.trace
                && write.kind == 1
                && write.attributes["storage.driver.name"] == "filesystem",
            "{write:?}"
        );
        // The parent's beginning is known to the millisecond.
        ensure!(
            write.begin >= put.begin && write.end <= put.end + 2_000_000 && write.begin <= write.end,
            "{write:?} is not within {put:?}"
        );
    }
    let ids: BTreeSet<&str> = seen.spans.iter().map(|span| span.id.as_str()).collect();
    ensure!(ids.len() == seen.spans.len(), "an id was given twice");
    let strays = seen
        .spans
        .iter()
        .filter(|span| span.kind == 1 && !ids.contains(span.parent.as_str()));
    ensure!(
        strays.count() == 0,
        "an action on the storage belongs to no request"
    );
    Ok(())
}

fn away(journey: &Journey) -> Result<()> {
    let (nobody, debug) = (free_port()?, free_port()?);
    let endpoint = format!("http://127.0.0.1:{nobody}");
    let mut registry = start(
        journey,
        &[
            ("OTEL_TRACES_EXPORTER", "otlp"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint),
            ("OTEL_BSP_SCHEDULE_DELAY", "20"),
        ],
        Some(debug),
    )?;
    let api = registry.api()?;
    api.push_small_image("team/app", "1", "untraced")?;
    api.manifest("team/app", "1")?.expect(200)?;
    let operator = harness::api::Api::new(&format!("http://127.0.0.1:{debug}"), None)?;
    wait_for("dropped spans to be counted", PATIENCE, || {
        let text = operator.get("/metrics")?.expect(200)?;
        let text = String::from_utf8_lossy(&text.body).into_owned();
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix("portolan_trace_spans_dropped_total "));
        Ok(line.filter(|count| *count != "0").map(drop))
    })?;
    registry.stop()?;
    let log = std::fs::read_to_string(registry.log())?;
    ensure!(
        log.contains("does not take traces"),
        "the log does not tell:\n{log}"
    );

    let collector = Collector::start()?;
    let endpoint = format!("http://127.0.0.1:{}", collector.port());
    let mut quiet = start(journey, &[("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)], None)?;
    quiet.api()?.push_small_image("team/app", "2", "untraced")?;
    quiet.stop()?;
    ensure!(collector.seen().spans.is_empty(), "it traces unasked");
    Ok(())
}
