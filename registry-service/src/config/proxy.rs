//! `proxy`

use shared::runtime::config::Faults;

use super::Section;
use super::auth::web_url;
use super::key::{Key, Kind, key};

#[rustfmt::skip]
pub(super) const KEYS: &[Key] = &[
    key("proxy.remoteurl", Kind::Text, "", "Refused: mirrors come with a later version. The section's keys are checked."),
    key("proxy.username", Kind::Text, "", ""),
    key("proxy.password", Kind::Secret, "", ""),
    key("proxy.exec.command", Kind::Text, "", ""),
    key("proxy.exec.lifetime", Kind::Duration, "", ""),
    key("proxy.ttl", Kind::Duration, "168h", ""),
    key("proxy.cachewritetimeout", Kind::Duration, "5m", ""),
];

pub(super) fn check(faults: &mut Faults, root: &Section<'_>) {
    let Some(url) = root.word("proxy.remoteurl") else {
        return;
    };
    if web_url(&url).is_none() {
        root.refuse(faults, "proxy.remoteurl", "an http or https URL");
    }
    faults.push("proxy", "no mirror: this version has none", "proxy.remoteurl");
}
