//! Events in the envelopes of CNCF distribution, as far as the index reads them.

use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// The body of a delivery.
#[derive(Debug, Deserialize)]
pub(super) struct Envelope {
    pub(super) events: Vec<Event>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Event {
    pub(super) id: String,
    pub(super) timestamp: String,
    pub(super) action: String,
    pub(super) target: Target,
    pub(super) request: Request,
    pub(super) actor: Actor,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Target {
    pub(super) media_type: String,
    pub(super) size: u64,
    pub(super) digest: String,
    pub(super) repository: String,
    pub(super) stored_as: String,
    pub(super) tag: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    pub(super) addr: String,
    pub(super) method: String,
    pub(super) useragent: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Actor {
    pub(super) name: String,
}

impl Event {
    /// When it happened, in milliseconds since 1970; `now_ms` for a time that cannot be read or is yet to come.
    pub(super) fn at(&self, now_ms: i64) -> i64 {
        let time = OffsetDateTime::parse(&self.timestamp, &Rfc3339).ok();
        let ms = time.and_then(|time| i64::try_from(time.unix_timestamp_nanos().div_euclid(1_000_000)).ok());
        ms.filter(|ms| (0..=now_ms).contains(ms)).unwrap_or(now_ms)
    }
}
