//! How often syncs have failed: at all, which is a warning, and of late, which is a reason to send writers elsewhere.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// So many failures within [`SPAN`] are many: one may be a bad sector.
const MANY: usize = 3;
const SPAN: Duration = Duration::from_mins(1);

#[derive(Default)]
pub(super) struct FailedSyncs(Mutex<Seen>);

#[derive(Default)]
struct Seen {
    count: u64,
    /// When the last [`MANY`] failed.
    last: VecDeque<Instant>,
}

impl FailedSyncs {
    pub(super) fn add(&self, now: Instant) {
        let mut seen = self.seen();
        seen.count += 1;
        seen.last.push_back(now);
        if seen.last.len() > MANY {
            seen.last.pop_front();
        }
    }

    pub(super) fn count(&self) -> u64 {
        self.seen().count
    }

    /// Whether [`MANY`] have failed within the [`SPAN`] before `now`.
    pub(super) fn are_many(&self, now: Instant) -> bool {
        let seen = self.seen();
        seen.last.len() == MANY
            && seen
                .last
                .front()
                .is_some_and(|first| now.duration_since(*first) < SPAN)
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        // A panic elsewhere leaves it as it was.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_within_a_minute_are_many_until_the_minute_is_over() {
        let (failed, start) = (FailedSyncs::default(), Instant::now());
        let after = |seconds| start + Duration::from_secs(seconds);
        failed.add(after(0));
        failed.add(after(60));
        failed.add(after(61));
        assert!(!failed.are_many(after(61)), "the first was too long ago");
        failed.add(after(62));
        assert!(failed.are_many(after(119)));
        assert!(!failed.are_many(after(120)));
        assert_eq!(failed.count(), 4);
    }
}
