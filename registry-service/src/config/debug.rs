//! `http.debug`

use super::key::{Key, Kind, key};

#[rustfmt::skip]
pub(super) const KEYS: &[Key] = &[
    key("http.debug.addr", Kind::Text, "", "Where the debug server listens.").not_yet(),
    key("http.debug.prometheus.enabled", Kind::Switch, "false", "Whether it gives metrics.").not_yet(),
    key("http.debug.prometheus.path", Kind::Text, "/metrics", "Under which path.").not_yet(),
    key("http.debug.tls", Kind::Any, "", "GitLab's.").not_yet(),
    key("http.debug.pprof", Kind::Any, "", "GitLab's.").not_yet(),
];
