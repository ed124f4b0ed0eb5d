//! What one process and one client may take.

use std::time::Duration;

/// Most connections that are held unless the limit on open files asks for fewer.
const MAX_CONNECTIONS: usize = 8192;
/// Open files left for storage, databases and outgoing connections.
const RESERVED_FILES: usize = 256;

/// Limits and time-outs of the accept loop, the connections and the requests. The defaults are meant for the open
/// network; every field may be set.
///
/// There is no limit on the whole time of a request with a body or of a streamed answer: blobs are large and
/// networks slow. What is bounded is standing still.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Connections held at once. At this number the newest connection that has been idle for
    /// [`evict_after`](Self::evict_after) is closed for a new one; when none is, new ones wait in the backlog.
    /// Default: 8192, or the process's limit on open files less 256 when that is smaller.
    pub max_connections: usize,
    /// Connections held at once from one IPv4 address or one IPv6 /64; one more is closed at once. Default: 256.
    /// Raise it to `max_connections` behind a load balancer, whose address all connections have.
    pub max_connections_per_address: usize,
    /// Whether peers on loopback are exempt from `max_connections_per_address`. Default: true, because a reverse
    /// proxy, a container engine and every client on the same machine share that one address, and whoever is on the machine has
    /// cheaper ways to harm it.
    pub exempt_loopback: bool,
    /// How long a connection must have been idle before it may be closed in favour of a new one. Default: 1 s, so
    /// that a burst of new connections does not close its own first ones.
    pub evict_after: Duration,
    /// Requests that wait for the head of their answer at once, without those that wait for their own client's bytes; one
    /// more is answered 503 with `Retry-After` before anything is done for it, unless it asks for `/livez`, `/readyz` or
    /// `/healthz`. Default: 1024.
    pub max_requests: usize,
    /// Time for the TLS handshake. Default: 10 s.
    pub tls_handshake: Duration,
    /// Time from the first byte of a request to the end of its header, and from the opening of a connection to the
    /// end of its first header. Default: 10 s.
    pub headers: Duration,
    /// How long a kept-alive connection may wait for its next request. Default: 75 s.
    pub idle: Duration,
    /// How long a handler may wait for the next bytes of a request's body. Default: 30 s.
    pub body_idle: Duration,
    /// Least bytes per second of a request's body, averaged over each `body_window` of waiting for them.
    /// Time in which nobody waits for the client does not count. Default: 1024.
    pub body_min_rate: u64,
    /// The span over which `body_min_rate` is averaged, and so the grace before it is asked for. Default: 30 s.
    pub body_window: Duration,
    /// How long a client may take no byte of an answer before the connection is reset. Default: 60 s.
    pub write_stall: Duration,
    /// Header lines of a request. Default: 64. More are refused with 431.
    pub header_count: usize,
    /// Bytes of a request's header: names and values, and 4 for each line. Default: 32 KiB; HTTP/2: also at
    /// most 16 KiB as that protocol counts. More are refused with 431.
    pub header_bytes: usize,
    /// Bytes of the request line (method, target, version). Default: 8 KiB. More are refused with 414.
    pub request_line: usize,
    /// Bytes of the header `Authorization`. Default: 8 KiB. More are refused with 431.
    pub authorization_bytes: usize,
    /// Time for the head of the answer to GET, HEAD and OPTIONS; then the answer is 503. Default: 30 s. Other methods
    /// are bounded by what they do: to commit a large blob may take longer, also with an empty body.
    pub request_total: Duration,
    /// Time for requests in flight to finish at shutdown. Default: 60 s.
    pub drain: Duration,
    /// Whether HTTP/2 is spoken without TLS too, to clients that begin with it. Default: no.
    pub plain_http2: bool,
    /// Time between going unready and no longer accepting, in which load balancers take notice.
    /// Default: 0; behind a load balancer 5 s is customary.
    pub drain_delay: Duration,
    /// Time in which bytes of a refused body are read and dropped before the connection is closed, so that the
    /// client gets to read the answer instead of a reset. Default: 2 s.
    pub linger: Duration,
    /// Most bytes that are dropped so. Default: 16 MiB: a manifest that is a few times too large is worth an answer that
    /// says so, and clients that send before they read would see a broken connection instead.
    pub linger_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        let files = open_file_limit().unwrap_or(1024);
        Self {
            max_connections: MAX_CONNECTIONS.min(files.saturating_sub(RESERVED_FILES)).max(16),
            max_connections_per_address: 256,
            exempt_loopback: true,
            evict_after: Duration::from_secs(1),
            max_requests: 1024,
            tls_handshake: Duration::from_secs(10),
            headers: Duration::from_secs(10),
            idle: Duration::from_secs(75),
            body_idle: Duration::from_secs(30),
            body_min_rate: 1024,
            body_window: Duration::from_secs(30),
            write_stall: Duration::from_mins(1),
            header_count: 64,
            header_bytes: 32 << 10,
            request_line: 8 << 10,
            authorization_bytes: 8 << 10,
            request_total: Duration::from_secs(30),
            drain: Duration::from_mins(1),
            plain_http2: false,
            drain_delay: Duration::ZERO,
            linger: Duration::from_secs(2),
            linger_bytes: 16 << 20,
        }
    }
}

/// The soft limit on open files, where the system says it.
fn open_file_limit() -> Option<usize> {
    let text = std::fs::read_to_string("/proc/self/limits").ok()?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    match line.split_whitespace().next()? {
        "unlimited" => Some(usize::MAX),
        number => number.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_room_for_other_open_files() {
        let files = open_file_limit().unwrap();
        let limits = Limits::default();
        assert!(limits.max_connections <= MAX_CONNECTIONS);
        assert!(limits.max_connections + RESERVED_FILES <= files || files < 16 + RESERVED_FILES);
    }
}
