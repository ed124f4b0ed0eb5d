//! What is counted, under distribution's names, and Prometheus' text of it.
//!
//! Nearly everything is a static: a process has one set of metrics, and counting is an addition to an atomic, without a lock,
//! a look-up or an allocation. Labels come from closed sets that are compiled in, and from the configuration; no name that
//! a client chose is one. A crate would bring families that are looked up by label under a lock, for the same text.

mod exposition;
mod notification;
mod number;
pub mod process;

#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

pub use exposition::text;
pub use notification::{EndpointNumbers, endpoint};
pub use number::{Counter, Gauge, Level};

use number::Histogram;

/// Answers' codes that are told apart; all others count as 0.
const CODES: [u16; 26] = [
    0, 200, 201, 202, 204, 206, 301, 302, 304, 307, 400, 401, 403, 404, 405, 408, 409, 412, 413, 414, 416,
    429, 431, 499, 500, 503,
];
/// Methods as Prometheus' Go client writes them.
const METHODS: [&str; 8] = [
    "get", "head", "post", "put", "patch", "delete", "options", "unknown",
];

/// Which part of the API a request asked for: distribution's `handler`, and two of ours at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handler {
    /// `/v2/`
    Base,
    /// `/v2/_catalog`
    Catalog,
    /// `tags/list`
    Tags,
    /// `manifests/…`
    Manifest,
    /// `blobs/<digest>`
    Blob,
    /// `blobs/uploads/`
    BlobUpload,
    /// `blobs/uploads/<id>`
    BlobUploadChunk,
    /// `referrers/…`
    Referrers,
    /// Anything else, and what was refused before it was looked at.
    Other,
}

/// Labels of [`Handler`], in its order.
const HANDLERS: [&str; 9] = [
    "base",
    "catalog",
    "tags",
    "manifest",
    "blob",
    "blob_upload",
    "blob_upload_chunk",
    "referrers",
    "other",
];

/// What is done to the storage: distribution's `action`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// A small object is read.
    GetContent,
    /// Objects are made visible and durable.
    PutContent,
    /// An object is opened for reading.
    Reader,
    /// A staged object is made or opened for appending.
    Writer,
    /// Size, age or stamp.
    Stat,
    /// Children of a prefix.
    List,
    /// A staged object is given up.
    Delete,
    /// It is decided where a client is sent for an object.
    RedirectUrl,
}

impl Action {
    /// Its label.
    pub fn label(self) -> &'static str {
        ACTIONS[self as usize]
    }
}

/// Labels of [`Action`], in its order.
const ACTIONS: [&str; 8] = [
    "GetContent",
    "PutContent",
    "Reader",
    "Writer",
    "Stat",
    "List",
    "Delete",
    "RedirectURL",
];

/// Which storage: distribution's `driver`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Driver {
    /// A folder.
    Filesystem,
    /// This process.
    InMemory,
}

impl Driver {
    /// Its label.
    pub fn label(self) -> &'static str {
        DRIVERS[self as usize]
    }
}

/// Labels of [`Driver`], in its order.
const DRIVERS: [&str; 2] = ["filesystem", "inmemory"];

/// What redis is told: distribution's `operation`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CacheOperation {
    /// A repository holds a blob.
    SetDescriptor,
    /// It does not any more.
    Clear,
}

/// Labels of [`CacheOperation`], in its order.
const REDIS_OPERATIONS: [&str; 2] = ["SetDescriptor", "Clear"];

/// One handler's numbers.
struct OfHandler {
    in_flight: Gauge,
    requests: [[Counter; CODES.len()]; METHODS.len()],
    duration: [Histogram; METHODS.len()],
    request_size: Histogram,
    response_size: Histogram,
}

static HTTP: [OfHandler; HANDLERS.len()] = [const {
    OfHandler {
        in_flight: Gauge::new(),
        requests: [const { [const { Counter::new() }; CODES.len()] }; METHODS.len()],
        duration: [const { Histogram::new() }; METHODS.len()],
        request_size: Histogram::new(),
        response_size: Histogram::new(),
    }
}; HANDLERS.len()];

static STORAGE: [[Histogram; ACTIONS.len()]; DRIVERS.len()] =
    [const { [const { Histogram::new() }; ACTIONS.len()] }; DRIVERS.len()];

static REDIS: [Histogram; REDIS_OPERATIONS.len()] = [const { Histogram::new() }; REDIS_OPERATIONS.len()];

/// Manifests looked for in memory.
pub static CACHE_REQUESTS: Counter = Counter::new();
/// Those that were there.
pub static CACHE_HITS: Counter = Counter::new();
/// Questions to redis that were not answered.
pub static CACHE_ERRORS: Counter = Counter::new();
/// Blobs that are being received.
pub static UPLOADS: Gauge = Gauge::new();
/// Requests that were refused before they were looked at: malformed, too large, or too many at once.
pub static REFUSED: Counter = Counter::new();
/// Lines that the access log dropped because nobody took them.
pub static ACCESS_LOG_DROPPED: Counter = Counter::new();

/// Spans that the collector of traces took.
pub static TRACE_SENT: Counter = Counter::new();
/// Spans that it did not take, or that there was no room for.
pub static TRACE_DROPPED: Counter = Counter::new();

/// A request in flight, until it is dropped.
#[derive(Debug)]
pub struct InFlight(Handler);

impl InFlight {
    /// One more.
    pub fn begin(handler: Handler) -> Self {
        HTTP[handler as usize].in_flight.add(1);
        Self(handler)
    }

    /// Which part of the API it asks for.
    pub fn handler(&self) -> Handler {
        self.0
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        HTTP[self.0 as usize].in_flight.add(-1);
    }
}

/// Counts a request that has ended. `request_bytes` and `response_bytes` are those of the bodies.
pub fn request(
    handler: Handler,
    method: &http::Method,
    code: u16,
    duration: Duration,
    request_bytes: u64,
    response_bytes: u64,
) {
    let of_handler = &HTTP[handler as usize];
    let method = method_index(method);
    let code = CODES.iter().position(|known| *known == code).unwrap_or(0);
    of_handler.requests[method][code].add(1);
    of_handler.duration[method].observe_time(duration);
    of_handler.request_size.observe_bytes(request_bytes);
    of_handler.response_size.observe_bytes(response_bytes);
}

fn method_index(method: &http::Method) -> usize {
    use http::Method;
    match *method {
        Method::GET => 0,
        Method::HEAD => 1,
        Method::POST => 2,
        Method::PUT => 3,
        Method::PATCH => 4,
        Method::DELETE => 5,
        Method::OPTIONS => 6,
        _ => 7,
    }
}

/// Measures an action on the storage until it is dropped.
#[derive(Debug)]
pub struct Timer {
    driver: Driver,
    action: Action,
    began: Instant,
}

impl Timer {
    /// It begins now.
    pub fn begin(driver: Driver, action: Action) -> Self {
        Self {
            driver,
            action,
            began: Instant::now(),
        }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        STORAGE[self.driver as usize][self.action as usize].observe_time(self.began.elapsed());
    }
}

/// Measures what redis is told until it is dropped.
#[derive(Debug)]
pub struct CacheTimer {
    operation: CacheOperation,
    began: Instant,
}

impl CacheTimer {
    /// It begins now.
    pub fn begin(operation: CacheOperation) -> Self {
        Self {
            operation,
            began: Instant::now(),
        }
    }
}

impl Drop for CacheTimer {
    fn drop(&mut self) {
        REDIS[self.operation as usize].observe_time(self.began.elapsed());
    }
}
