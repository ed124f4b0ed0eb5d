//! Numbers of each notification endpoint. The names are the operator's, from the configuration, so there are few.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::StatusCode;
use serde_json::{Value, json};

use super::exposition::head;
use super::number::{Counter, Level};

/// One endpoint's numbers.
#[derive(Debug, Default)]
pub struct EndpointNumbers {
    name: String,
    /// Events that it shall get.
    pub events: Counter,
    /// Events that it accepted.
    pub successes: Counter,
    /// Events that it answered otherwise, each time.
    pub failures: Counter,
    /// Events with which it could not be reached, each time.
    pub errors: Counter,
    /// Events that wait in the storage, where this process delivers.
    pub pending: Level,
    /// Pulls that wait in memory,
    pub pulls: Level,
    /// and about how many bytes they take.
    pub pull_bytes: Level,
    /// Pulls that were not told.
    pub pulls_dropped: Counter,
    /// Events that became dead letters.
    pub dead_letters: Counter,
    /// Dead letters that are kept, where this process delivers.
    pub dead_now: Level,
    /// Dead letters that were forgotten because there were too many.
    pub dead_dropped: Counter,
    /// Repositories that an index was told to read again.
    pub resyncs: Counter,
    /// Events by the status of the answer.
    statuses: Mutex<BTreeMap<u16, u64>>,
}

static ENDPOINTS: Mutex<Vec<Arc<EndpointNumbers>>> = Mutex::new(Vec::new());

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic elsewhere leaves it as it was.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The numbers of the endpoint of that name.
pub fn endpoint(name: &str) -> Arc<EndpointNumbers> {
    let mut endpoints = held(&ENDPOINTS);
    if let Some(known) = endpoints.iter().find(|known| known.name == name) {
        return Arc::clone(known);
    }
    let numbers = Arc::new(EndpointNumbers {
        name: name.to_owned(),
        ..EndpointNumbers::default()
    });
    endpoints.push(Arc::clone(&numbers));
    numbers
}

impl EndpointNumbers {
    /// It answered so, to so many events.
    pub fn answered(&self, status: StatusCode, events: u64) {
        *held(&self.statuses).entry(status.as_u16()).or_default() += events;
    }

    /// As distribution's `/debug/vars` shows them.
    pub fn shown(&self) -> Value {
        let statuses: BTreeMap<String, u64> = held(&self.statuses)
            .iter()
            .map(|(code, count)| (status_text(*code), *count))
            .collect();
        json!({
            "Pending": self.pending.get() + self.pulls.get(),
            "Events": self.events.get(),
            "Successes": self.successes.get(),
            "Failures": self.failures.get(),
            "Errors": self.errors.get(),
            "Statuses": statuses,
        })
    }
}

/// `200 OK`
fn status_text(code: u16) -> String {
    let status = StatusCode::from_u16(code).ok();
    let reason = status
        .and_then(|status| status.canonical_reason())
        .unwrap_or_default();
    format!("{code} {reason}")
}

/// A label's value (text format 0.0.4).
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

/// Appends the lines; none without an endpoint.
pub(super) fn append(out: &mut String) {
    let endpoints = held(&ENDPOINTS).clone();
    if endpoints.is_empty() {
        return;
    }
    let named: Vec<_> = endpoints
        .iter()
        .map(|numbers| (escaped(&numbers.name), numbers))
        .collect();
    let name = "registry_notifications_events_total";
    head(out, name, "counter", "The number of total events");
    for (endpoint, numbers) in &named {
        for (kind, count) in [
            ("Events", &numbers.events),
            ("Successes", &numbers.successes),
            ("Failures", &numbers.failures),
            ("Errors", &numbers.errors),
        ] {
            let _ = writeln!(
                out,
                "{name}{{endpoint=\"{endpoint}\",type=\"{kind}\"}} {}",
                count.get()
            );
        }
    }
    let name = "registry_notifications_pending_total";
    head(out, name, "gauge", "The gauge of pending events in queue");
    for (endpoint, numbers) in &named {
        let pending = numbers.pending.get() + numbers.pulls.get();
        let _ = writeln!(out, "{name}{{endpoint=\"{endpoint}\"}} {pending}");
    }
    let name = "registry_notifications_status_total";
    head(out, name, "counter", "The number of status code");
    for (endpoint, numbers) in &named {
        for (code, count) in held(&numbers.statuses).iter() {
            let code = status_text(*code);
            let _ = writeln!(out, "{name}{{code=\"{code}\",endpoint=\"{endpoint}\"}} {count}");
        }
    }
    ours(out, &named);
}

fn ours(out: &mut String, named: &[(String, &Arc<EndpointNumbers>)]) {
    type Number = fn(&EndpointNumbers) -> u64;
    let families: [(&str, &str, &str, Number); 5] = [
        (
            "portolan_notifications_dead_letters",
            "gauge",
            "Dead letters that are kept.",
            |numbers| numbers.dead_now.get(),
        ),
        (
            "portolan_notifications_dead_letters_total",
            "counter",
            "Events that were given up.",
            |numbers| numbers.dead_letters.get(),
        ),
        (
            "portolan_notifications_dead_letters_dropped_total",
            "counter",
            "Dead letters that were forgotten because there were too many.",
            |numbers| numbers.dead_dropped.get(),
        ),
        (
            "portolan_notifications_pulls_dropped_total",
            "counter",
            "Pulls that were not told.",
            |numbers| numbers.pulls_dropped.get(),
        ),
        (
            "portolan_notifications_resyncs_total",
            "counter",
            "Repositories that an index was told to read again.",
            |numbers| numbers.resyncs.get(),
        ),
    ];
    for (name, kind, help, number) in families {
        head(out, name, kind, help);
        for (endpoint, numbers) in named {
            let _ = writeln!(out, "{name}{{endpoint=\"{endpoint}\"}} {}", number(numbers));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_told_under_distributions_names_with_its_statuses_as_text() {
        let numbers = endpoint("a \"quoted\" one");
        numbers.events.add(3);
        numbers.pending.set(2);
        numbers.pulls.add(1);
        numbers.answered(StatusCode::OK, 2);
        numbers.answered(StatusCode::BAD_GATEWAY, 1);
        let mut text = String::new();
        append(&mut text);
        let label = "endpoint=\"a \\\"quoted\\\" one\"";
        for line in [
            format!("registry_notifications_events_total{{{label},type=\"Events\"}} 3\n"),
            format!("registry_notifications_pending_total{{{label}}} 3\n"),
            format!("registry_notifications_status_total{{code=\"200 OK\",{label}}} 2\n"),
            format!("registry_notifications_status_total{{code=\"502 Bad Gateway\",{label}}} 1\n"),
            format!("portolan_notifications_dead_letters{{{label}}} 0\n"),
        ] {
            assert!(text.contains(&line), "{line}{text}");
        }
        assert_eq!(
            numbers.shown()["Statuses"],
            json!({"200 OK": 2, "502 Bad Gateway": 1})
        );
        assert!(Arc::ptr_eq(&numbers, &endpoint("a \"quoted\" one")));
    }
}
