//! `notifications`

use std::collections::HashSet;
use std::time::Duration;

use shared::runtime::config::Faults;

use super::Section;
use super::auth::web_url;
use super::health::headers;
use super::key::{Key, Kind, key};
use crate::notification::{Endpoint, Version};

const VERSIONS: &[&str] = &[Version::V1.media_type(), Version::V2.media_type()];

#[rustfmt::skip]
pub(super) const KEYS: &[Key] = &[
    key("notifications.events.includereferences", Kind::Switch, "false", "Whether events name what a manifest refers to."),
    key("notifications.endpoints[].name", Kind::Text, "(the URL's host)", "What its queue in the storage and its metrics are named by. Of several with one name the later ones are `name#2` and so on."),
    key("notifications.endpoints[].disabled", Kind::Switch, "false", "Whether it is off. What waits for it stays."),
    key("notifications.endpoints[].url", Kind::Text, "", "Required. Where events are sent. Redirects are not followed; 2xx and 3xx count as accepted."),
    key("notifications.endpoints[].headers", Kind::SecretHeaders, "", "Headers of the requests, such as `Authorization`."),
    key("notifications.endpoints[].timeout", Kind::Duration, "1s", "Longest wait for an answer."),
    key("notifications.endpoints[].threshold", Kind::Integer, "10", "After so many failures in a row it waits before it tries again."),
    key("notifications.endpoints[].backoff", Kind::Duration, "1s", "The first of these waits; each is twice as long as the one before, up to a minute, less up to half of it at random."),
    key("notifications.endpoints[].ignoredmediatypes", Kind::Texts, "", "The old name of `ignore.mediatypes`; both count."),
    key("notifications.endpoints[].ignore.mediatypes", Kind::Texts, "", "Events about these media types are not sent; blobs have `application/octet-stream`."),
    key("notifications.endpoints[].ignore.actions", Kind::Texts, "", "Events of these actions are not sent: `pull`, `push`, `mount`, `delete`."),
    key("notifications.endpoints[].mediatype", Kind::OneOf(VERSIONS), Version::V2.media_type(), "Ours: the media type of the envelopes: `…v2+json` as distribution 3 sends it, `…v1+json` as distribution 2. The fields are the same, except that in v1 references of an index are without `platform`."),
    key("notifications.endpoints[].batch", Kind::Count, "1", "Ours: most events of one envelope. Distribution sends one, and some receivers read no more."),
    key("notifications.endpoints[].maxevents", Kind::Count, "100000", "Ours: most events that wait; at most 256 KiB each, customarily 1 KiB. Beyond it the oldest become dead letters."),
    key("notifications.endpoints[].maxage", Kind::Duration, "168h", "Ours: events that wait longer become dead letters."),
    key("notifications.endpoints[].deadletters", Kind::Count, "10000", "Ours: most dead letters that are kept; beyond it the oldest are forgotten."),
    key("notifications.endpoints[].maxpulls", Kind::Count, "1000", "Ours: most pulls that wait, in memory; beyond it they are dropped and counted."),
    key("notifications.endpoints[].index", Kind::Switch, "false", "Ours: whether the receiver is an index of Portolan. In the place of dead letters it gets one event with the action `resync` per repository: read it again."),
];

/// A longer queue would take too long to look at, and too much memory.
const MOST_EVENTS: usize = 1_000_000;

/// `notifications`
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NotificationsConfig {
    /// `notifications.endpoints`: those that are not disabled.
    pub endpoints: Vec<Endpoint>,
    /// `notifications.events.includereferences`
    pub include_references: bool,
}

impl NotificationsConfig {
    pub(super) fn check(faults: &mut Faults, root: &Section<'_>) -> Self {
        let mut names = HashSet::new();
        let mut endpoints = Vec::new();
        for item in root.items("notifications.endpoints") {
            if item.switch("disabled") {
                continue;
            }
            let url = item.required(faults, "url");
            let Some(url) = web_url(&url) else {
                if !url.is_empty() {
                    item.refuse(faults, "url", "an http or https URL");
                }
                continue;
            };
            let host = || url.host_str().unwrap_or_default().to_owned();
            let name = unique(&mut names, &item.word("name").unwrap_or_else(host));
            let mut ignored_media_types = item.texts("ignore.mediatypes");
            ignored_media_types.extend(item.texts("ignoredmediatypes"));
            let headers = headers(faults, &item).into_iter().map(|(name, mut value)| {
                value.set_sensitive(true);
                (name, value)
            });
            endpoints.push(Endpoint {
                name,
                headers: headers.collect(),
                // As distribution reads what says nothing.
                timeout: above_zero(item.duration("timeout"), Duration::from_secs(1)),
                threshold: threshold(item.integer("threshold")),
                backoff: above_zero(item.duration("backoff"), Duration::from_secs(1)),
                ignored_media_types,
                ignored_actions: item.texts("ignore.actions"),
                version: version(item.text("mediatype").as_deref()),
                batch: from_one(faults, &item, "batch", 1_000),
                max_events: from_one(faults, &item, "maxevents", MOST_EVENTS),
                max_age: max_age(faults, &item),
                max_dead_letters: item.count("deadletters").min(MOST_EVENTS),
                max_pulls: from_one(faults, &item, "maxpulls", MOST_EVENTS),
                is_index: item.switch("index"),
                url,
            });
        }
        Self {
            endpoints,
            include_references: root.switch("notifications.events.includereferences"),
        }
    }
}

/// A name that no endpoint before has.
fn unique(names: &mut HashSet<String>, name: &str) -> String {
    let mut found = name.to_owned();
    let mut number = 1;
    while !names.insert(found.clone()) {
        number += 1;
        found = format!("{name}#{number}");
    }
    found
}

fn above_zero(said: Duration, default: Duration) -> Duration {
    if said.is_zero() { default } else { said }
}

fn threshold(said: Option<i64>) -> u32 {
    let said = said.and_then(|said| u32::try_from(said).ok());
    said.filter(|said| *said > 0).unwrap_or(10)
}

fn version(text: Option<&str>) -> Version {
    if text == Some(Version::V1.media_type()) {
        Version::V1
    } else {
        Version::V2
    }
}

fn from_one(faults: &mut Faults, item: &Section<'_>, key: &str, most: usize) -> usize {
    let said = item.count(key);
    if said == 0 || said > most {
        item.refuse(faults, key, format!("a number from 1 to {most}"));
    }
    said
}

fn max_age(faults: &mut Faults, item: &Section<'_>) -> Duration {
    let said = item.duration("maxage");
    if said.is_zero() {
        item.refuse(faults, "maxage", "a time, such as 168h");
    }
    said
}
