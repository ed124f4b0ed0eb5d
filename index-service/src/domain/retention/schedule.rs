//! When a policy is carried out by itself.

use super::{DAY_MS, InvalidRetention};

const HOUR_MS: i64 = 3_600_000;
const MOST_DAYS: u32 = 31;

/// Every so many days, at an hour (UTC).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    /// Absent for on demand alone.
    every_days: Option<u32>,
    at_hour: u32,
}

impl Schedule {
    /// Checks days and hour.
    pub fn new(every_days: Option<u32>, at_hour: u32) -> Result<Self, InvalidRetention> {
        if at_hour > 23 || every_days.is_some_and(|days| !(1..=MOST_DAYS).contains(&days)) {
            return Err(InvalidRetention::Schedule);
        }
        Ok(Self { every_days, at_hour })
    }

    /// Every so many days; absent for on demand alone.
    pub fn every_days(self) -> Option<u32> {
        self.every_days
    }

    /// At this hour.
    pub fn at_hour(self) -> u32 {
        self.at_hour
    }

    /// The first time of a schedule that is made at `now_ms`: the next time that it is this hour.
    pub fn first(self, now_ms: i64) -> Option<i64> {
        self.every_days?;
        let hour = now_ms.div_euclid(DAY_MS) * DAY_MS + i64::from(self.at_hour) * HOUR_MS;
        Some(if hour > now_ms { hour } else { hour + DAY_MS })
    }

    /// The time behind one that has come. What was missed is not made up for.
    pub fn next(self, came_ms: i64, now_ms: i64) -> Option<i64> {
        let step = i64::from(self.every_days?) * DAY_MS;
        let late = now_ms.saturating_sub(came_ms).max(0);
        Some(came_ms.saturating_add((late / step + 1) * step))
    }
}
