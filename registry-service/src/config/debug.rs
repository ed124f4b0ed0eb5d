//! `http.debug`

use std::net::{SocketAddr, ToSocketAddrs as _};

use shared::runtime::config::Faults;

use super::Section;
use super::key::{Key, Kind, key};

#[rustfmt::skip]
pub(super) const KEYS: &[Key] = &[
    key("http.debug.addr", Kind::Text, "", "Where the debug server listens, in the clear and without a login; without it there is none."),
    key("http.debug.prometheus.enabled", Kind::Switch, "false", "Whether it gives metrics."),
    key("http.debug.prometheus.path", Kind::Text, "/metrics", "Under which path."),
    key("http.debug.tls", Kind::Any, "", "GitLab's.").not_yet(),
    key("http.debug.pprof", Kind::Any, "", "GitLab's.").not_yet(),
];

/// `http.debug`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DebugConfig {
    /// `http.debug.addr`
    pub addr: SocketAddr,
    /// `http.debug.prometheus.path`, when metrics are given.
    pub metrics_path: Option<String>,
}

impl DebugConfig {
    pub(super) fn check(faults: &mut Faults, root: &Section<'_>) -> Option<Self> {
        let text = root.word("http.debug.addr")?;
        // Go's short form for every address.
        let full = match text.strip_prefix(':') {
            Some(port) => format!("0.0.0.0:{port}"),
            None => text,
        };
        let path = root.word("http.debug.prometheus.path").unwrap_or_default();
        if !path.starts_with('/') {
            root.refuse(faults, "http.debug.prometheus.path", "a path such as /metrics");
        }
        let found = full.to_socket_addrs().ok().and_then(|mut found| found.next());
        let Some(addr) = found else {
            let expected = "an address and a port, such as 127.0.0.1:5001";
            root.refuse(faults, "http.debug.addr", expected);
            return None;
        };
        Some(Self {
            addr,
            metrics_path: root.switch("http.debug.prometheus.enabled").then_some(path),
        })
    }
}
