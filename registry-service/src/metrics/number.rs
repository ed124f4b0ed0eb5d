//! Numbers that many threads change.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

/// A number that grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Nothing.
    pub const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// So much more.
    pub fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    /// How much.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A number that grows and shrinks.
#[derive(Debug, Default)]
pub struct Gauge(AtomicI64);

impl Gauge {
    /// Nothing.
    pub const fn new() -> Self {
        Self(AtomicI64::new(0))
    }

    /// So much more, or less.
    pub fn add(&self, more: i64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    /// How much.
    pub fn get(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// How much there is of something.
#[derive(Debug, Default)]
pub struct Level(AtomicU64);

impl Level {
    /// So much it is.
    pub fn set(&self, now: u64) {
        self.0.store(now, Ordering::Relaxed);
    }

    /// So much more.
    pub fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    /// So much less; what is less than there is.
    pub fn sub(&self, less: u64) {
        self.0.fetch_sub(less, Ordering::Relaxed);
    }

    /// How much.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Upper bounds of times in nanoseconds, as the text writes them in seconds: those of distribution.
pub(super) const TIMES: [(u64, &str); 13] = [
    (5_000_000, "0.005"),
    (10_000_000, "0.01"),
    (25_000_000, "0.025"),
    (50_000_000, "0.05"),
    (100_000_000, "0.1"),
    (250_000_000, "0.25"),
    (500_000_000, "0.5"),
    (1_000_000_000, "1"),
    (2_500_000_000, "2.5"),
    (5_000_000_000, "5"),
    (10_000_000_000, "10"),
    (25_000_000_000, "25"),
    (60_000_000_000, "60"),
];
/// Upper bounds of sizes: 1 KiB and 21 doublings.
pub(super) const SIZES: usize = 22;

/// How many values lie below which bound. It holds times or sizes, never both.
#[derive(Debug)]
pub(super) struct Histogram {
    /// Each value is counted once, in the first bucket that it fits into; the last is for all that fit into none.
    buckets: [AtomicU64; SIZES + 1],
    sum: AtomicU64,
}

/// What a histogram held at one moment.
pub(super) struct Snapshot {
    buckets: [u64; SIZES + 1],
    pub(super) sum: u64,
}

impl Histogram {
    pub(super) const fn new() -> Self {
        Self {
            buckets: [const { AtomicU64::new(0) }; SIZES + 1],
            sum: AtomicU64::new(0),
        }
    }

    pub(super) fn observe_time(&self, time: Duration) {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let bucket = TIMES.iter().position(|(bound, _)| nanos <= *bound);
        self.observe(bucket.unwrap_or(SIZES), nanos);
    }

    pub(super) fn observe_bytes(&self, bytes: u64) {
        // The bounds are powers of two, so the number of bits tells.
        let bits = u64::BITS - bytes.saturating_sub(1).leading_zeros();
        let bucket = bits.saturating_sub(10) as usize;
        self.observe(bucket.min(SIZES), bytes);
    }

    fn observe(&self, bucket: usize, value: u64) {
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        self.sum.fetch_add(value, Ordering::Relaxed);
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        Snapshot {
            buckets: std::array::from_fn(|at| self.buckets[at].load(Ordering::Relaxed)),
            sum: self.sum.load(Ordering::Relaxed),
        }
    }
}

impl Snapshot {
    /// How many values there are.
    pub(super) fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// How many values lie at or below the bound of this number.
    pub(super) fn up_to(&self, bound: usize) -> u64 {
        self.buckets[..=bound].iter().sum()
    }
}
