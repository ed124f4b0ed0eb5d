//! `http.limits`, `http.draintimeout` and `http.draindelay`: what one process and one client may take.

use std::time::Duration;

use shared::runtime::config::Faults;
use shared::runtime::serve::Limits;

use super::Section;

/// The limits with what the configuration says of them; all of it is ours.
pub(super) fn check(faults: &mut Faults, root: &Section<'_>) -> Limits {
    let mut limits = Limits::default();
    for (key, count) in [
        ("http.limits.connections", &mut limits.max_connections),
        (
            "http.limits.connectionsperaddress",
            &mut limits.max_connections_per_address,
        ),
        ("http.limits.requests", &mut limits.max_requests),
    ] {
        if let Some(text) = root.text(faults, key) {
            let parsed = text.parse().ok().filter(|count| *count > 0);
            match parsed {
                Some(parsed) => *count = parsed,
                None => faults.push(key, "a number above 0", text),
            }
        }
    }
    for (key, time) in [
        ("http.limits.header", &mut limits.headers),
        ("http.limits.idle", &mut limits.idle),
        ("http.limits.body", &mut limits.body_idle),
        ("http.limits.stall", &mut limits.write_stall),
        // Distribution does not drain by default; whoever says nothing gets the better.
        ("http.draintimeout", &mut limits.drain),
    ] {
        let said = root.duration(faults, key, Duration::ZERO);
        if !said.is_zero() {
            *time = said;
        }
    }
    limits.plain_http2 = root.switch(faults, "http.h2c.enabled", false)
        // One switch for all of HTTP/2, as in distribution.
        && !root.switch(faults, "http.http2.disabled", false);
    limits.drain_delay = root.duration(faults, "http.draindelay", Duration::ZERO);
    // One key for both: a body must come as fast over this span as it may stand still.
    limits.body_window = limits.body_idle;
    limits
}
