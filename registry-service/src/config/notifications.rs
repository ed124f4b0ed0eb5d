//! `notifications`

use shared::runtime::config::Faults;

use super::Section;
use super::auth::web_url;
use super::key::{Key, Kind, key};

#[rustfmt::skip]
pub(super) const KEYS: &[Key] = &[
    key("notifications.events.includereferences", Kind::Switch, "false", "Whether events name what a manifest refers to.").quiet(),
    key("notifications.endpoints[].name", Kind::Text, "", "What it is called. An endpoint that is not disabled is refused: its events would be lost."),
    key("notifications.endpoints[].disabled", Kind::Switch, "false", "Whether it is off."),
    key("notifications.endpoints[].url", Kind::Text, "", "Where events are sent."),
    key("notifications.endpoints[].headers", Kind::Headers, "", "Headers of the requests."),
    key("notifications.endpoints[].timeout", Kind::Duration, "1s", ""),
    key("notifications.endpoints[].threshold", Kind::Integer, "10", ""),
    key("notifications.endpoints[].backoff", Kind::Duration, "1s", ""),
    key("notifications.endpoints[].ignoredmediatypes", Kind::Texts, "", ""),
    key("notifications.endpoints[].ignore.mediatypes", Kind::Texts, "", ""),
    key("notifications.endpoints[].ignore.actions", Kind::Texts, "", ""),
];

pub(super) fn check(faults: &mut Faults, root: &Section<'_>) {
    for endpoint in root.items("notifications.endpoints") {
        if endpoint.switch("disabled") {
            continue;
        }
        let url = endpoint.required(faults, "url");
        if !url.is_empty() && web_url(&url).is_none() {
            endpoint.refuse(faults, "url", "an http or https URL");
        }
        let expected =
            "no endpoint, or `disabled: true`: this version sends no events, and they would be lost";
        let found = endpoint
            .word("name")
            .unwrap_or_else(|| "one without a name".to_owned());
        faults.push(endpoint.full(""), expected, found);
    }
}
