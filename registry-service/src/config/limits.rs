//! `http.limits`, `http.draintimeout` and `http.draindelay`: what one process and one client may take.

use shared::runtime::config::Faults;
use shared::runtime::serve::Limits;

use super::Section;
use super::key::{Key, Kind, key};

#[rustfmt::skip]
pub(super) const KEYS: &[Key] = &[
    key("http.draintimeout", Kind::Duration, "60s", "Time for requests in flight to finish at shutdown. `0`, which means not to wait in distribution, is the default here."),
    key("http.draindelay", Kind::Duration, "0s", "Ours: time between going unready (`/readyz`) and no longer accepting; longer than the load balancer takes to notice, customarily `5s`."),
    key("http.limits.connections", Kind::Count, "8192", "Ours: connections held at once."),
    key("http.limits.connectionsperaddress", Kind::Count, "256", "Ours. Behind a load balancer, raise it to `connections`."),
    key("http.limits.requests", Kind::Count, "1024", "Ours: requests that wait for their answer."),
    key("http.limits.header", Kind::Duration, "10s", "Ours: time for a request's header."),
    key("http.limits.idle", Kind::Duration, "75s", "Ours: time until the next request of a connection."),
    key("http.limits.body", Kind::Duration, "30s", "Ours: time without a byte of a request's body, and the span over which it must average 1 KiB/s."),
    key("http.limits.stall", Kind::Duration, "60s", "Ours: time in which a client takes nothing of its answer."),
];

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
        if root.has(key) {
            match root.count(key) {
                0 => root.refuse(faults, key, "a number above 0"),
                said => *count = said,
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
        let said = root.duration(key);
        if !said.is_zero() {
            *time = said;
        }
    }
    // One switch for all of HTTP/2, as in distribution.
    limits.plain_http2 = root.switch("http.h2c.enabled") && !root.switch("http.http2.disabled");
    limits.drain_delay = root.duration("http.draindelay");
    // One key for both: a body must come as fast over this span as it may stand still.
    limits.body_window = limits.body_idle;
    limits
}
