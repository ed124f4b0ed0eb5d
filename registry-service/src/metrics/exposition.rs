//! Prometheus' text format 0.0.4.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::number::{Histogram, SIZES, Snapshot, TIMES};
use super::{
    ACCESS_LOG_DROPPED, ACTIONS, CACHE_ERRORS, CACHE_HITS, CACHE_REQUESTS, CODES, DRIVERS, HANDLERS, HTTP,
    METHODS, REDIS, REDIS_OPERATIONS, REFUSED, STORAGE, TRACE_DROPPED, TRACE_SENT, UPLOADS, notification,
    process,
};

/// All metrics at this moment. `connections` is how many connections the registry holds.
pub fn text(connections: &AtomicUsize) -> String {
    let mut out = String::with_capacity(64 << 10);
    requests(&mut out);
    sizes(&mut out);
    storage(&mut out);
    notification::append(&mut out);
    redis(&mut out);
    ours(&mut out, connections);
    process::append(&mut out);
    out
}

pub(super) fn head(out: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

fn requests(out: &mut String) {
    let name = "registry_http_in_flight_requests";
    head(out, name, "gauge", "The in-flight HTTP requests");
    for (handler, of_handler) in HANDLERS.iter().zip(&HTTP) {
        let _ = writeln!(
            out,
            "{name}{{handler=\"{handler}\"}} {}",
            of_handler.in_flight.get()
        );
    }
    let name = "registry_http_requests_total";
    head(out, name, "counter", "Total number of HTTP requests made.");
    for (handler, of_handler) in HANDLERS.iter().zip(&HTTP) {
        for (method, by_code) in METHODS.iter().zip(&of_handler.requests) {
            for (code, count) in CODES.iter().zip(by_code).filter(|(_, count)| count.get() > 0) {
                let _ = writeln!(
                    out,
                    "{name}{{code=\"{code}\",handler=\"{handler}\",method=\"{method}\"}} {}",
                    count.get()
                );
            }
        }
    }
    let name = "registry_http_request_duration_seconds";
    head(out, name, "histogram", "The HTTP request latencies in seconds.");
    for (handler, of_handler) in HANDLERS.iter().zip(&HTTP) {
        for (method, duration) in METHODS.iter().zip(&of_handler.duration) {
            times(
                out,
                name,
                &format!("handler=\"{handler}\",method=\"{method}\""),
                duration,
            );
        }
    }
}

fn sizes(out: &mut String) {
    let name = "registry_http_request_size_bytes";
    head(out, name, "histogram", "The HTTP request sizes in bytes.");
    for (handler, of_handler) in HANDLERS.iter().zip(&HTTP) {
        bytes(out, name, handler, &of_handler.request_size);
    }
    let name = "registry_http_response_size_bytes";
    head(out, name, "histogram", "The HTTP response sizes in bytes.");
    for (handler, of_handler) in HANDLERS.iter().zip(&HTTP) {
        bytes(out, name, handler, &of_handler.response_size);
    }
}

fn storage(out: &mut String) {
    let name = "registry_storage_action_seconds";
    let help = "The number of seconds that the storage action takes";
    head(out, name, "histogram", help);
    for (driver, actions) in DRIVERS.iter().zip(&STORAGE) {
        for (action, duration) in ACTIONS.iter().zip(actions) {
            times(
                out,
                name,
                &format!("action=\"{action}\",driver=\"{driver}\""),
                duration,
            );
        }
    }
    let (asked, hits) = (CACHE_REQUESTS.get(), CACHE_HITS.get());
    // Hits are counted after the requests, which another thread may read in between.
    let misses = asked.saturating_sub(hits);
    let name = "registry_storage_cache_total";
    head(out, name, "counter", "The number of cache request received");
    for (kind, count) in [("Request", asked), ("Hit", hits), ("Miss", misses)] {
        let _ = writeln!(out, "{name}{{type=\"{kind}\"}} {count}");
    }
    for (name, help, count) in [
        (
            "registry_storage_cache_requests_total",
            "The number of cache requests",
            asked,
        ),
        (
            "registry_storage_cache_hits_total",
            "The number of cache hits",
            hits,
        ),
        (
            "registry_storage_cache_errors_total",
            "The number of cache errors",
            CACHE_ERRORS.get(),
        ),
    ] {
        one(out, name, "counter", help, count);
    }
}

fn redis(out: &mut String) {
    let name = "registry_storage_cache_redis_seconds";
    head(out, name, "histogram", "Latency seconds of redis operations");
    for (operation, duration) in REDIS_OPERATIONS.iter().zip(&REDIS) {
        times(out, name, &format!("operation=\"{operation}\""), duration);
    }
}

fn ours(out: &mut String, connections: &AtomicUsize) {
    let connections = connections.load(Ordering::Relaxed);
    let name = "portolan_connections";
    one(
        out,
        name,
        "gauge",
        "Connections that the registry holds.",
        connections,
    );
    let name = "portolan_uploads_in_progress";
    one(
        out,
        name,
        "gauge",
        "Blobs that are being received.",
        UPLOADS.get(),
    );
    let help = "Requests that were refused before they were looked at.";
    one(
        out,
        "portolan_requests_refused_total",
        "counter",
        help,
        REFUSED.get(),
    );
    let help = "Lines that the access log dropped because nobody took them.";
    let dropped = ACCESS_LOG_DROPPED.get();
    one(out, "portolan_access_log_dropped_total", "counter", help, dropped);
    let help = "Spans of traces that the collector took.";
    one(
        out,
        "portolan_trace_spans_sent_total",
        "counter",
        help,
        TRACE_SENT.get(),
    );
    let help = "Spans of traces that were dropped: the collector did not take them, or too many waited.";
    one(
        out,
        "portolan_trace_spans_dropped_total",
        "counter",
        help,
        TRACE_DROPPED.get(),
    );
}

fn one(out: &mut String, name: &str, kind: &str, help: &str, value: impl std::fmt::Display) {
    head(out, name, kind, help);
    let _ = writeln!(out, "{name} {value}");
}

/// A histogram of times; one without values is left out, as Prometheus' clients do with labels that never occurred.
fn times(out: &mut String, name: &str, labels: &str, histogram: &Histogram) {
    let found = histogram.snapshot();
    if found.count() == 0 {
        return;
    }
    for (at, (_, bound)) in TIMES.iter().enumerate() {
        let count = found.up_to(at);
        let _ = writeln!(out, "{name}_bucket{{{labels},le=\"{bound}\"}} {count}");
    }
    let seconds = std::time::Duration::from_nanos(found.sum).as_secs_f64();
    last(out, name, labels, &found, &seconds.to_string());
}

fn bytes(out: &mut String, name: &str, handler: &str, histogram: &Histogram) {
    let labels = format!("handler=\"{handler}\"");
    let found = histogram.snapshot();
    if found.count() == 0 {
        return;
    }
    for at in 0..SIZES {
        let (bound, count) = (1024_u64 << at, found.up_to(at));
        let _ = writeln!(
            out,
            "{name}_bucket{{{labels},le=\"{}\"}} {count}",
            go_float(bound)
        );
    }
    last(out, name, &labels, &found, &found.sum.to_string());
}

fn last(out: &mut String, name: &str, labels: &str, found: &Snapshot, sum: &str) {
    let count = found.count();
    let _ = writeln!(
        out,
        "{name}_bucket{{{labels},le=\"+Inf\"}} {count}\n{name}_sum{{{labels}}} {sum}\n{name}_count{{{labels}}} {count}"
    );
}

/// As Go writes the number: a dashboard may name a bound as it saw it.
pub(super) fn go_float(value: u64) -> String {
    let digits = value.to_string();
    if digits.len() < 7 {
        return digits;
    }
    let fraction = digits[1..].trim_end_matches('0');
    let dot = if fraction.is_empty() { "" } else { "." };
    format!("{}{dot}{fraction}e+{:02}", &digits[..1], digits.len() - 1)
}
