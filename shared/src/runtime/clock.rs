//! The one place that reads the time of day.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::SystemTime;

use time::OffsetDateTime;

/// Tells the time of day: the system's, or in tests a time that stands until it is moved.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System,
    Fixed(Arc<AtomicI64>),
}

/// Moves a clock made by [`Clock::fixed`].
#[derive(Clone, Debug)]
pub struct ClockHandle(Arc<AtomicI64>);

impl Clock {
    /// The system's clock.
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands at `unix_ms` (milliseconds since 1970-01-01T00:00:00Z) until its handle moves it.
    pub fn fixed(unix_ms: i64) -> (Self, ClockHandle) {
        let time = Arc::new(AtomicI64::new(unix_ms));
        (Self(Source::Fixed(Arc::clone(&time))), ClockHandle(time))
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub fn now_ms(&self) -> i64 {
        match &self.0 {
            Source::System => system_ms(),
            Source::Fixed(time) => time.load(Ordering::SeqCst),
        }
    }

    /// Whole seconds since 1970-01-01T00:00:00Z, rounded down.
    pub fn now_s(&self) -> i64 {
        self.now_ms().div_euclid(1000)
    }

    /// The time as a date in UTC, to the millisecond.
    pub fn now(&self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.now_ms()) * 1_000_000)
            .unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }
}

impl ClockHandle {
    /// Sets the clock to `unix_ms`.
    pub fn set(&self, unix_ms: i64) {
        self.0.store(unix_ms, Ordering::SeqCst);
    }

    /// Moves the clock forward; a whole number of milliseconds.
    pub fn advance(&self, by: std::time::Duration) {
        self.0.fetch_add(
            i64::try_from(by.as_millis()).unwrap_or(i64::MAX),
            Ordering::SeqCst,
        );
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the clock that everything else is given"
)]
fn system_ms() -> i64 {
    let time = SystemTime::now();
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
        Err(before) => -i64::try_from(before.duration().as_millis()).unwrap_or(i64::MAX),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_fixed_clock_stands_until_its_handle_moves_it() {
        let (clock, handle) = Clock::fixed(1_700_000_000_999);
        assert_eq!(clock.now_s(), 1_700_000_000);
        assert_eq!(clock.now_ms(), 1_700_000_000_999);
        handle.advance(Duration::from_millis(1));
        assert_eq!(clock.clone().now_s(), 1_700_000_001);
        handle.set(-1);
        assert_eq!(clock.now_s(), -1);
        assert_eq!(clock.now().year(), 1969);
    }

    #[test]
    fn the_system_clock_is_past_the_day_this_was_written() {
        assert!(Clock::system().now_s() > 1_780_000_000);
    }
}
