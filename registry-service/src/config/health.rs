//! `health`

use super::key::{Key, Kind, key};

#[rustfmt::skip]
pub(super) const KEYS: &[Key] = &[
    key("health.storagedriver.enabled", Kind::Switch, "false", "Whether the storage is checked.").not_yet(),
    key("health.storagedriver.interval", Kind::Duration, "10s", "How often.").not_yet(),
    key("health.storagedriver.threshold", Kind::Integer, "1", "After how many failures it counts as failing.").not_yet(),
    key("health.file[].file", Kind::Text, "", "The check fails while this file exists.").not_yet(),
    key("health.file[].interval", Kind::Duration, "10s", "How often.").not_yet(),
    key("health.file[].threshold", Kind::Integer, "1", "After how many failures it counts as failing.").not_yet(),
    key("health.http[].uri", Kind::Text, "", "Asked with HEAD.").not_yet(),
    key("health.http[].headers", Kind::Headers, "", "Headers of the request.").not_yet(),
    key("health.http[].statuscode", Kind::Integer, "200", "The status that is well.").not_yet(),
    key("health.http[].timeout", Kind::Duration, "0s", "Longest wait; without one as long as it takes.").not_yet(),
    key("health.http[].interval", Kind::Duration, "10s", "How often.").not_yet(),
    key("health.http[].threshold", Kind::Integer, "1", "After how many failures it counts as failing.").not_yet(),
    key("health.tcp[].addr", Kind::Text, "", "Connected to.").not_yet(),
    key("health.tcp[].timeout", Kind::Duration, "0s", "Longest wait.").not_yet(),
    key("health.tcp[].interval", Kind::Duration, "10s", "How often.").not_yet(),
    key("health.tcp[].threshold", Kind::Integer, "1", "After how many failures it counts as failing.").not_yet(),
];
