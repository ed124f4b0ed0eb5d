//! Running a registry: metrics, health and the gate, logs; beside CNCF distribution's own.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use harness::api::{Answer, Api};
use harness::binaries::workspace_root;
use harness::environment::find_program;
use harness::open_registry::{Choices, OpenRegistry};
use harness::process::{Daemon, free_port, wait_for};
use harness::{Context, Journey, Need, Result, Suite, ensure};
use serde_json::Value;

const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) fn add(suite: &mut Suite) {
    suite.add(
        "operation",
        "a_push_and_a_pull_are_counted_and_dashboards_for_distribution_find_every_metric",
        &[Need::Portolan, Need::DockerRegistry],
        metrics,
    );
    suite.add(
        "operation",
        "every_metric_that_an_alert_watches_is_exported",
        &[Need::Portolan],
        alerts,
    );
    suite.add(
        "operation",
        "checks_close_the_registry_and_open_it_again",
        &[Need::Portolan],
        gate,
    );
    suite.add(
        "operation",
        "each_request_is_a_line_of_the_log_and_of_the_access_log_with_distributions_fields",
        &[Need::Portolan],
        logs,
    );
}

fn debug_section(port: u16) -> String {
    format!(
        "  debug:\n    addr: 127.0.0.1:{port}\n    prometheus:\n      enabled: true\n      path: /numbers\n"
    )
}

fn start(journey: &Journey, config: String) -> Result<OpenRegistry> {
    let choices = Choices {
        config,
        ..Choices::default()
    };
    OpenRegistry::start(journey, &journey.subfolder("storage")?, &choices)
}

/// What the metrics say under this name and these labels.
fn value(text: &str, line: &str) -> f64 {
    let found = text
        .lines()
        .find_map(|have| have.strip_prefix(line)?.trim().parse().ok());
    found.unwrap_or(0.0)
}

fn body(answer: &Answer) -> String {
    String::from_utf8_lossy(&answer.body).into_owned()
}

fn push_and_pull(api: &Api) -> Result<()> {
    api.push_small_image("team/app", "1", "a layer of a few bytes")?;
    let manifest = api.manifest("team/app", "1")?.expect(200)?.json()?;
    let layer = manifest["layers"][0]["digest"].as_str().context("a layer")?;
    api.get(&format!("/v2/team/app/blobs/{layer}"))?.expect(200)?;
    api.manifest("team/app", "absent")?.expect(404)?;
    api.get("/v2/")?.expect(200)?;
    api.get("/v2/team/app/tags/list")?.expect(200)?;
    api.get("/v2/_catalog")?.expect(200)?;
    Ok(())
}

fn metrics(journey: &Journey) -> Result<()> {
    let port = free_port()?;
    let registry = start(journey, debug_section(port))?;
    let api = registry.api()?;
    push_and_pull(&api)?;
    let operator = Api::new(&format!("http://127.0.0.1:{port}"), None)?;
    let pulled = "registry_http_requests_total{code=\"200\",handler=\"blob\",method=\"get\"}";
    // A request ends a moment after its client has the last byte.
    let text = wait_for("the pull to be counted", PATIENCE, || {
        let text = body(&operator.get("/numbers")?.expect(200)?);
        Ok((value(&text, pulled) >= 1.0).then_some(text))
    })?;
    for line in [
        "registry_http_requests_total{code=\"404\",handler=\"manifest\",method=\"get\"}",
        "registry_http_requests_total{code=\"201\",handler=\"manifest\",method=\"put\"}",
        "registry_http_requests_total{code=\"202\",handler=\"blob_upload\",method=\"post\"}",
        "registry_http_request_duration_seconds_count{handler=\"blob\",method=\"get\"}",
        "registry_http_response_size_bytes_sum{handler=\"blob\"}",
        "registry_storage_action_seconds_count{action=\"PutContent\",driver=\"filesystem\"}",
        "registry_storage_cache_requests_total",
        "portolan_connections",
        "process_resident_memory_bytes",
    ] {
        ensure!(value(&text, line) >= 1.0, "{line} is not there, or 0:\n{text}");
    }
    ensure!(!text.contains("team/app"), "a repository's name is a label");
    for path in ["/metrics", "/", "/debug/pprof/"] {
        operator.get(path)?.expect(404)?;
    }
    let variables = operator.get("/debug/vars")?.expect(200)?;
    ensure!(variables.json()?["registry"].is_object(), "no variables");
    api.get("/numbers")?.expect(404)?;

    let theirs = theirs(journey)?;
    let ours = families(&text);
    let own: BTreeSet<&String> = theirs
        .iter()
        .filter(|name| name.starts_with("registry_http_") || name.starts_with("registry_storage_"))
        .collect();
    journey.note(&format!("{} metrics of distribution's: {own:?}", own.len()));
    ensure!(own.len() >= 6, "the original has few metrics: {theirs:?}");
    let missing: Vec<_> = own.iter().filter(|name| !ours.contains(**name)).collect();
    ensure!(
        missing.is_empty(),
        "metrics that only the original has: {missing:?}"
    );
    Ok(())
}

fn alerts(journey: &Journey) -> Result<()> {
    let port = free_port()?;
    let registry = start(journey, debug_section(port))?;
    push_and_pull(&registry.api()?)?;
    let operator = Api::new(&format!("http://127.0.0.1:{port}"), None)?;
    let exported = body(&operator.get("/numbers")?.expect(200)?);
    let rules = workspace_root().join("deploy/prometheus/registry.rules.yml");
    let text = read(&rules)?;
    let watched: BTreeSet<&str> = text
        .split(|character: char| !(character.is_ascii_alphanumeric() || character == '_'))
        .filter(|word| {
            ["registry_", "portolan_", "process_"]
                .iter()
                .any(|beginning| word.starts_with(beginning))
        })
        .collect();
    ensure!(watched.len() >= 7, "the rules were not understood: {watched:?}");
    let page = read(&workspace_root().join("docs/operations.md"))?;
    for metric in watched {
        let is_exported = exported.lines().any(|line| {
            line.strip_prefix(metric)
                .is_some_and(|rest| rest.starts_with(['{', ' ']))
        });
        ensure!(is_exported, "{metric} is not exported:\n{exported}");
    }
    let names = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- alert: "));
    for name in names {
        ensure!(
            page.contains(&format!("| `{name}` |")),
            "docs/operations.md says nothing of {name}"
        );
    }
    Ok(())
}

/// Names of metrics with their labels' names and types, as `name{label,label} type`.
fn families(text: &str) -> BTreeSet<String> {
    let mut families = BTreeSet::new();
    let mut kind = "";
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            kind = rest.split(' ').nth(1).unwrap_or_default();
        } else if !line.starts_with('#') {
            let (name, rest) = line.split_once(['{', ' ']).unwrap_or((line, ""));
            let labels = rest.split_once('}').map_or("", |(labels, _)| labels);
            let names: Vec<_> = labels
                .split(',')
                .filter_map(|label| label.split_once('='))
                .map(|(name, _)| name)
                .collect();
            families.insert(format!("{name}{{{}}} {kind}", names.join(",")));
        }
    }
    families
}

/// What distribution's own registry tells after the same requests.
fn theirs(journey: &Journey) -> Result<BTreeSet<String>> {
    let folder = journey.subfolder("original")?;
    let (port, debug) = (free_port()?, free_port()?);
    let config = folder.join("original.yml");
    let text = format!(
        "version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {}\n  cache:\n    blobdescriptor: inmemory\n\
         http:\n  addr: 127.0.0.1:{port}\n  secret: a secret\n{}",
        folder.display(),
        debug_section(debug)
    );
    std::fs::write(&config, text)?;
    let mut command = Command::new(find_program("docker-registry").context("docker-registry is missing")?);
    command.arg("serve").arg(&config);
    let mut daemon = Daemon::start("docker-registry", command, &folder.join("original.log"))?;
    let api = Api::new(&format!("http://127.0.0.1:{port}"), None)?;
    daemon.wait_until_ready(PATIENCE, || api.get("/v2/").is_ok())?;
    push_and_pull(&api)?;
    let operator = Api::new(&format!("http://127.0.0.1:{debug}"), None)?;
    let text = body(&operator.get("/numbers")?.expect(200)?);
    Ok(families(&text))
}

fn gate(journey: &Journey) -> Result<()> {
    let port = free_port()?;
    let closing = journey.folder().join("closed-for-maintenance");
    let config = format!(
        "{}health:\n  storagedriver:\n    enabled: true\n    interval: 20ms\n    threshold: 2\n  file:\n    - file: {}\n      \
         interval: 20ms\n",
        debug_section(port),
        closing.display()
    );
    let mut registry = start(journey, config)?;
    let (api, operator) = (
        registry.api()?,
        Api::new(&format!("http://127.0.0.1:{port}"), None)?,
    );
    push_and_pull(&api)?;
    operator.get("/debug/health")?.expect(200)?;

    std::fs::write(&closing, "")?;
    let until = |status: u16| {
        wait_for("the gate", PATIENCE, || {
            Ok((api.get("/v2/")?.status == status).then_some(()))
        })
    };
    until(503)?;
    let refused = api.manifest("team/app", "1")?.expect(503)?;
    ensure!(refused.error_code()? == "UNAVAILABLE", "another code");
    api.get("/livez")?.expect(200)?;
    api.get("/readyz")?.expect(503)?;
    let failing = operator.get("/debug/health")?.expect(503)?.json()?;
    let name = closing.display().to_string();
    ensure!(failing[&name] == "file exists", "{failing}");
    std::fs::remove_file(&closing)?;
    until(200)?;

    let post = |path: &str| operator.send(http::Method::POST, path, &[], bytes::Bytes::new());
    operator.get("/debug/health/down")?.expect(404)?;
    post("/debug/health/down")?.expect(200)?;
    until(503)?;
    let failing = operator.get("/debug/health")?.expect(503)?.json()?;
    ensure!(failing["manual_http_status"].is_string(), "{failing}");
    post("/debug/health/up")?.expect(200)?;
    until(200)?;
    push_and_pull(&api)?;
    registry.stop()
}

fn logs(journey: &Journey) -> Result<()> {
    let config =
        "log:\n  formatter: json\n  fields:\n    service: registry\n    environment: staging\n".to_owned();
    let mut registry = start(journey, config)?;
    let api = registry.api()?;
    push_and_pull(&api)?;
    let secret = "canary-of-the-query";
    let id = "0123-from-the-proxy";
    let headers = [
        ("x-request-id", id),
        ("user-agent", "a \"quoted\" agent/1"),
        ("referer", "http://r/"),
    ];
    let path = format!("/v2/team/app/manifests/absent?_state={secret}");
    let answer = api
        .send(http::Method::GET, &path, &headers, bytes::Bytes::new())?
        .expect(404)?;
    ensure!(answer.header("x-request-id")? == id, "another request id");
    // What waits is written before the process ends.
    registry.stop()?;
    let log = read(registry.log())?;
    let lines: Vec<Value> = log
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    let line = lines
        .iter()
        .find(|line| line["http.request.id"] == id && line["http.response.status"] == 404)
        .with_context(|| format!("no line about the request:\n{log}"))?;
    for (field, expected) in [
        ("msg", "response completed with error"),
        ("level", "info"),
        ("service", "registry"),
        ("environment", "staging"),
        ("http.request.method", "GET"),
        ("http.request.uri", "/v2/team/app/manifests/absent?_state=-"),
        ("http.request.useragent", "a \"quoted\" agent/1"),
        ("http.request.referer", "http://r/"),
        ("vars.name", "team/app"),
        ("vars.reference", "absent"),
        ("err.code", "MANIFEST_UNKNOWN"),
        ("version", env!("CARGO_PKG_VERSION")),
    ] {
        ensure!(line[field] == expected, "{field} of {line}");
    }
    for field in [
        "time",
        "instance.id",
        "http.request.host",
        "http.request.remoteaddr",
        "http.response.duration",
    ] {
        ensure!(line[field].is_string(), "{field} of {line}");
    }
    ensure!(
        lines
            .iter()
            .any(|line| line["msg"] == "response completed" && line["vars.digest"].is_string()),
        "the pull of the blob left no line"
    );
    let access = log
        .lines()
        .find(|line| line.starts_with("127.0.0.1 - - [") && line.contains("absent?_state=-"))
        .with_context(|| format!("no line of the access log:\n{log}"))?;
    ensure!(
        access.contains("\"GET /v2/team/app/manifests/absent?_state=- HTTP/1.1\" 404 ")
            && access.ends_with("\"http://r/\" \"a \\\"quoted\\\" agent/1\""),
        "{access}"
    );
    ensure!(!log.contains(secret), "the value of a parameter is in a log");
    Ok(())
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).context("read the log")
}
