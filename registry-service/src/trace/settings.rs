//! The `OTEL_…` variables, as far as they are about traces.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

use http::{HeaderName, HeaderValue};
use reqwest::Url;

use super::sampler::Sampler;

/// How to trace.
#[derive(Debug)]
pub struct Settings {
    /// Where spans are sent to.
    pub endpoint: Url,
    /// Headers of each request there; they may be secret.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Whose certificate is believed there instead of the system's authorities (PEM).
    pub certificate: Option<PathBuf>,
    /// Time for one request.
    pub timeout: Duration,
    /// Which requests are traced.
    pub sampler: Sampler,
    /// Whether callers' traces are gone on with.
    pub listens: bool,
    /// What is said of this process.
    pub resource: Vec<(String, String)>,
    /// Spans that wait at most; more are dropped.
    pub queue: usize,
    /// Spans that are sent at once.
    pub batch: usize,
    /// Longest that a span waits.
    pub delay: Duration,
}

/// What the variables say.
#[derive(Debug, Default)]
pub struct Found {
    /// How to trace; nothing when nobody wants it.
    pub settings: Option<Settings>,
    /// What is there and is not done, one sentence each.
    pub warnings: Vec<String>,
}

impl Settings {
    /// From the process's variables, where an empty one is none. What cannot be done is told, and never a reason not to
    /// start.
    pub fn of(vars: impl Iterator<Item = (String, String)>) -> Found {
        let vars: HashMap<String, String> = vars
            .filter(|(name, value)| name.starts_with("OTEL_") && !value.trim().is_empty())
            .collect();
        let get = |name: &str| vars.get(name).map(|value| value.trim());
        let mut found = Found::default();
        let is_disabled = get("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"));
        match get("OTEL_TRACES_EXPORTER") {
            _ if is_disabled => return found,
            None | Some("none") => return found,
            Some("otlp") => {}
            Some(other) => {
                let warning =
                    format!("OTEL_TRACES_EXPORTER: there is no {other:?}, only otlp; nothing is traced");
                found.warnings.push(warning);
                return found;
            }
        }
        // What is said of traces alone counts before what is said of all signals.
        let of_exporter = |name: &str| {
            let alone = get(&format!("OTEL_EXPORTER_OTLP_TRACES_{name}"));
            alone.or_else(|| get(&format!("OTEL_EXPORTER_OTLP_{name}")))
        };
        if let Some(protocol) = of_exporter("PROTOCOL").filter(|protocol| *protocol != "http/protobuf") {
            let warning = format!(
                "OTEL_EXPORTER_OTLP_PROTOCOL: {protocol:?} is not spoken, only http/protobuf; nothing is traced"
            );
            found.warnings.push(warning);
            return found;
        }
        let Some(endpoint) = endpoint(&get) else {
            let warning = "OTEL_EXPORTER_OTLP_ENDPOINT: not an http or https URL; nothing is traced";
            found.warnings.push(warning.to_owned());
            return found;
        };
        let mut number = |name: &str, default: u64| {
            let Some(text) = get(name) else { return default };
            let parsed = text.parse().ok().filter(|number| *number > 0);
            parsed.unwrap_or_else(|| {
                found
                    .warnings
                    .push(format!("{name}: not a number above zero; {default} is taken"));
                default
            })
        };
        let timeout = match of_exporter("TIMEOUT").and_then(|text| text.parse().ok()) {
            Some(milliseconds) => Duration::from_millis(milliseconds),
            None => Duration::from_secs(10),
        };
        let queue = number("OTEL_BSP_MAX_QUEUE_SIZE", 2048).min(1 << 20);
        let batch = number("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", 512).min(queue);
        let delay = Duration::from_millis(number("OTEL_BSP_SCHEDULE_DELAY", 5000));
        let sampler = get("OTEL_TRACES_SAMPLER").unwrap_or("parentbased_always_on");
        let sampler = Sampler::of(sampler, get("OTEL_TRACES_SAMPLER_ARG")).unwrap_or_else(|| {
            let warning = format!("OTEL_TRACES_SAMPLER: {sampler:?} is none that is known, or its argument is not its own; every request is traced");
            found.warnings.push(warning);
            Sampler {
                follows: true,
                part: 1.0,
            }
        });
        let headers = headers(of_exporter("HEADERS").unwrap_or_default(), &mut found.warnings);
        found.settings = Some(Self {
            endpoint,
            headers,
            certificate: of_exporter("CERTIFICATE").map(Into::into),
            timeout,
            sampler,
            listens: get("OTEL_PROPAGATORS")
                .is_none_or(|list| list.split(',').any(|each| each.trim() == "tracecontext")),
            resource: resource(get("OTEL_SERVICE_NAME"), get("OTEL_RESOURCE_ATTRIBUTES")),
            queue: usize::try_from(queue).unwrap_or(usize::MAX),
            batch: usize::try_from(batch).unwrap_or(usize::MAX),
            delay,
        });
        found
    }
}

fn endpoint<'v>(get: &impl Fn(&str) -> Option<&'v str>) -> Option<Url> {
    // As it is, where the one for all signals is a folder.
    let url = if let Some(url) = get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") {
        url.to_owned()
    } else {
        let base = get("OTEL_EXPORTER_OTLP_ENDPOINT").unwrap_or("http://localhost:4318");
        format!("{}/v1/traces", base.trim_end_matches('/'))
    };
    let url = Url::parse(&url).ok()?;
    (matches!(url.scheme(), "http" | "https") && url.has_host()).then_some(url)
}

/// `name=value,name=value`, percent-encoded, as the variables have lists.
fn pairs(list: &str) -> impl Iterator<Item = (String, String)> {
    list.split(',').filter_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        Some((name.trim().to_owned(), decoded(value.trim())))
    })
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let escaped = (byte == b'%').then(|| after.get(..2)).flatten();
        let escaped = escaped.and_then(|digits| std::str::from_utf8(digits).ok());
        if let Some(escaped) = escaped.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            bytes.push(escaped);
            rest = &after[2..];
        } else {
            bytes.push(byte);
            rest = after;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn headers(list: &str, warnings: &mut Vec<String>) -> Vec<(HeaderName, HeaderValue)> {
    let mut headers = Vec::new();
    for (name, value) in pairs(list) {
        if let (Ok(name), Ok(mut value)) = (name.parse::<HeaderName>(), value.parse::<HeaderValue>()) {
            value.set_sensitive(true);
            headers.push((name, value));
        } else {
            // Not what it says: it may be secret.
            warnings.push("OTEL_EXPORTER_OTLP_HEADERS: one is no header, and is left out".to_owned());
        }
    }
    headers
}

/// What is said of this process; a name that is asked for by its own variable counts before one in the list.
fn resource(name: Option<&str>, list: Option<&str>) -> Vec<(String, String)> {
    let mut resource: Vec<(String, String)> = pairs(list.unwrap_or_default()).collect();
    if let Some(name) = name {
        resource.retain(|(key, _)| key != "service.name");
        resource.push(("service.name".to_owned(), name.to_owned()));
    }
    for (key, value) in [
        ("service.name", "portolan-registry"),
        ("service.version", env!("CARGO_PKG_VERSION")),
        ("telemetry.sdk.name", "portolan"),
        ("telemetry.sdk.language", "rust"),
        ("telemetry.sdk.version", env!("CARGO_PKG_VERSION")),
    ] {
        if !resource.iter().any(|(known, _)| known == key) {
            resource.push((key.to_owned(), value.to_owned()));
        }
    }
    resource
}
