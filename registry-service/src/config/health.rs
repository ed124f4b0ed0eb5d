//! `health`

use std::time::Duration;

use ::http::{HeaderName, HeaderValue};
use reqwest::Url;
use shared::runtime::config::{Faults, Node};

use super::key::{Key, Kind, key};
use super::storage::{Backend, StorageConfig};
use super::{Section, shape};
use crate::health::{Check, Kind as Looks};

#[rustfmt::skip]
pub(super) const KEYS: &[Key] = &[
    key("health.storagedriver.enabled", Kind::Switch, "false", "Whether the storage is checked."),
    key("health.storagedriver.interval", Kind::Duration, "10s", "How often."),
    key("health.storagedriver.threshold", Kind::Integer, "1", "After how many failures in a row it counts as failing."),
    key("health.file[].file", Kind::Text, "", "The check fails while this file exists."),
    key("health.file[].interval", Kind::Duration, "10s", "How often."),
    key("health.file[].threshold", Kind::Integer, "1", "After how many failures in a row it counts as failing."),
    key("health.http[].uri", Kind::Text, "", "Asked with HEAD."),
    key("health.http[].headers", Kind::SecretHeaders, "", "Headers of the request."),
    key("health.http[].statuscode", Kind::Integer, "200", "The status that is well."),
    key("health.http[].timeout", Kind::Duration, "0s", "Longest wait; without one 30s."),
    key("health.http[].interval", Kind::Duration, "10s", "How often."),
    key("health.http[].threshold", Kind::Integer, "1", "After how many failures in a row it counts as failing."),
    key("health.tcp[].addr", Kind::Text, "", "Connected to: host and port."),
    key("health.tcp[].timeout", Kind::Duration, "0s", "Longest wait; without one 30s."),
    key("health.tcp[].interval", Kind::Duration, "10s", "How often."),
    key("health.tcp[].threshold", Kind::Integer, "1", "After how many failures in a row it counts as failing."),
];

/// How often a check that names no interval looks, or names none that is a time.
const INTERVAL: Duration = Duration::from_secs(10);

pub(super) fn check(faults: &mut Faults, root: &Section<'_>, storage: &StorageConfig) -> Vec<Check> {
    let mut checks = Vec::new();
    if root.switch("health.storagedriver.enabled") {
        let driver = match storage.backend {
            Backend::Filesystem { .. } => "filesystem",
            Backend::Memory => "inmemory",
        };
        checks.push(Check {
            kind: Looks::Storage(driver),
            interval: interval(root.duration("health.storagedriver.interval")),
            threshold: threshold(root.integer("health.storagedriver.threshold")),
        });
    }
    for item in root.items("health.file") {
        let file = item.required(faults, "file");
        checks.push(of(&item, Looks::File(file.into())));
    }
    for item in root.items("health.http") {
        let uri = item.required(faults, "uri");
        let is_web = Url::parse(&uri).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
        if !uri.is_empty() && !is_web {
            item.refuse(faults, "uri", "a URI such as http://other.example/health");
        }
        let status = item.integer("statuscode").unwrap_or_default();
        let status = u16::try_from(status).unwrap_or_default();
        let kind = Looks::Http {
            uri,
            headers: headers(faults, &item),
            status: if status == 0 { 200 } else { status },
            timeout: timeout(&item),
        };
        checks.push(of(&item, kind));
    }
    for item in root.items("health.tcp") {
        let addr = item.required(faults, "addr");
        if !addr.is_empty() && !addr.contains(':') {
            item.refuse(faults, "addr", "a host and a port, such as other.example:6379");
        }
        let kind = Looks::Tcp {
            addr,
            timeout: timeout(&item),
        };
        checks.push(of(&item, kind));
    }
    checks
}

fn of(item: &Section<'_>, kind: Looks) -> Check {
    Check {
        kind,
        interval: interval(item.duration("interval")),
        threshold: threshold(item.integer("threshold")),
    }
}

fn interval(written: Duration) -> Duration {
    if written.is_zero() { INTERVAL } else { written }
}

fn threshold(written: Option<i64>) -> u32 {
    written.and_then(|number| u32::try_from(number).ok()).unwrap_or(1)
}

fn timeout(item: &Section<'_>) -> Option<Duration> {
    Some(item.duration("timeout")).filter(|timeout| !timeout.is_zero())
}

pub(super) fn headers(faults: &mut Faults, item: &Section<'_>) -> Vec<(HeaderName, HeaderValue)> {
    let mut headers = Vec::new();
    for (name, values) in item.get("headers").map(Node::entries).unwrap_or_default() {
        let parsed = name.parse::<HeaderName>();
        for value in shape::texts(values).unwrap_or_default() {
            if let (Ok(name), Ok(value)) = (&parsed, value.parse::<HeaderValue>()) {
                headers.push((name.clone(), value));
            } else {
                // The value may be a password.
                let path = item.full(&format!("headers.{name}"));
                faults.push(path, "a header's name and value", "something else");
            }
        }
    }
    headers
}
