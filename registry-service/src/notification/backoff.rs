//! When to try again after failures.

use std::time::{Duration, Instant};

/// No wait grows longer, unless it is configured longer.
const LONGEST: Duration = Duration::from_mins(1);
/// Between tries that are made at once.
const SHORTEST: Duration = Duration::from_millis(10);

/// Failures in a row, and until when nothing is tried.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
    not_before: Option<Instant>,
}

impl Backoff {
    /// One more failure. After `threshold` of them it waits for `first`, and for twice as long each time, less up to half of
    /// it at random, so that those who failed together do not come back together.
    pub(super) fn failed(&mut self, now: Instant, threshold: u32, first: Duration, random: [u8; 16]) {
        self.failures = self.failures.saturating_add(1);
        self.not_before = Some(now + delay(self.failures, threshold, first, random));
    }

    /// The failures are over; tells whether there were any.
    pub(super) fn succeeded(&mut self) -> bool {
        std::mem::take(self).failures > 0
    }

    /// Failures in a row.
    pub(super) fn failures(&self) -> u32 {
        self.failures
    }

    /// Until when nothing is tried; none when it may be tried now.
    pub(super) fn closed_until(&self, now: Instant) -> Option<Instant> {
        self.not_before.filter(|until| *until > now)
    }
}

fn delay(failures: u32, threshold: u32, first: Duration, random: [u8; 16]) -> Duration {
    let Some(beyond) = failures.checked_sub(threshold) else {
        return SHORTEST;
    };
    let full = first.saturating_mul(1 << beyond.min(20)).min(LONGEST.max(first));
    let part = f64::from(u16::from_be_bytes([random[0], random[1]])) / f64::from(u16::MAX);
    full.mul_f64(1.0 - part / 2.0).max(SHORTEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_begin_at_the_threshold_double_and_end_at_a_minute() {
        let second = Duration::from_secs(1);
        let of = |failures| delay(failures, 3, second, [0; 16]);
        assert_eq!([1, 2].map(of), [SHORTEST; 2]);
        assert_eq!([3, 4, 5].map(of), [1, 2, 4].map(Duration::from_secs));
        assert_eq!(of(9), LONGEST);
        assert_eq!(of(u32::MAX), LONGEST);
        assert_eq!(
            delay(9, 3, Duration::from_mins(5), [0; 16]),
            Duration::from_mins(5)
        );
        assert_eq!(delay(4, 3, second, [0xff; 16]), second, "half at the least");
    }

    #[test]
    fn a_success_ends_the_wait() {
        let (mut backoff, now) = (Backoff::default(), Instant::now());
        assert_eq!(backoff.closed_until(now), None);
        for _ in 0..2 {
            backoff.failed(now, 2, Duration::from_secs(8), [0; 16]);
        }
        assert_eq!(backoff.closed_until(now), Some(now + Duration::from_secs(8)));
        assert_eq!(backoff.closed_until(now + Duration::from_secs(8)), None);
        assert!(backoff.succeeded());
        assert_eq!((backoff.failures(), backoff.closed_until(now)), (0, None));
        assert!(!backoff.succeeded());
    }
}
