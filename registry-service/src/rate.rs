//! How often holders of tokens have asked: counted per window, in this process or, for all replicas, in redis.
//!
//! A window begins with the first request that is counted and ends after the time that the limit is about; then the count
//! begins anew. Where redis does not answer, this process counts for itself.

mod redis_table;
mod table;

use shared::token::rates::{Counted, Rate, Rates};

pub use redis_table::RedisTable;
use table::Table;

/// The counts. Clones of a redis share it.
#[derive(Debug, Default)]
pub struct Counts {
    own: Table,
    shared: Option<RedisTable>,
}

/// How a limit stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// What is counted.
    pub what: Counted,
    /// How many may be.
    pub limit: u32,
    /// In how many seconds.
    pub window_s: u32,
    /// How many are left.
    pub remaining: u32,
    /// Whether this one was too many.
    pub is_over: bool,
    /// In how many seconds the count begins anew.
    pub resets_s: u32,
}

/// What is done with a count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// One more.
    Take,
    /// It is looked at, and what there is none left of is refused.
    Look,
}

/// How many there were, and when the window ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Window {
    count: u64,
    left_ms: u64,
}

impl Counts {
    /// Counting in redis, for all that share it.
    pub fn shared(redis: RedisTable) -> Self {
        Self {
            own: Table::default(),
            shared: Some(redis),
        }
    }

    /// How the limits of one kind stand: the one that has least left. None where there is no such limit.
    pub async fn ask(&self, rates: &Rates, what: Counted, ask: Ask, now_ms: i64) -> Option<Standing> {
        let mut worst: Option<Standing> = None;
        for rate in rates.limits.iter().filter(|rate| rate.what == what) {
            let standing = self.one(rate, ask, now_ms).await;
            let key = |standing: &Standing| (!standing.is_over, standing.remaining);
            if worst.as_ref().is_none_or(|worst| key(&standing) < key(worst)) {
                worst = Some(standing);
            }
        }
        worst
    }

    async fn one(&self, rate: &Rate, ask: Ask, now_ms: i64) -> Standing {
        let found = match &self.shared {
            Some(redis) => redis.count(rate, ask).await,
            None => None,
        };
        let window = match found {
            Some(window) => window,
            None => self.own.count(rate, ask, now_ms),
        };
        let limit = u64::from(rate.limit);
        let is_over = match ask {
            Ask::Take => window.count > limit,
            Ask::Look => window.count >= limit,
        };
        Standing {
            what: rate.what,
            limit: rate.limit,
            window_s: rate.window_s,
            remaining: u32::try_from(limit.saturating_sub(window.count)).unwrap_or(u32::MAX),
            is_over,
            resets_s: u32::try_from(window.left_ms.div_ceil(1_000))
                .unwrap_or(u32::MAX)
                .max(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates(limits: &[(&str, Counted, u32, u32)]) -> Rates {
        Rates {
            source: "x".to_owned(),
            limits: limits
                .iter()
                .map(|(key, what, limit, window_s)| Rate {
                    key: (*key).to_owned(),
                    what: *what,
                    limit: *limit,
                    window_s: *window_s,
                })
                .collect(),
        }
    }

    #[tokio::test]
    async fn a_window_takes_as_many_as_it_may_and_begins_anew() {
        let counts = Counts::default();
        let rates = rates(&[("a:1", Counted::Pulls, 2, 60)]);
        let at = |s: i64| s * 1_000;
        for (now, ask, remaining, is_over, resets) in [
            (0, Ask::Look, 2, false, 60),
            (10, Ask::Take, 1, false, 60),
            (20, Ask::Take, 0, false, 50),
            (21, Ask::Look, 0, true, 49),
            (22, Ask::Take, 0, true, 48),
            (69, Ask::Take, 0, true, 1),
            (70, Ask::Take, 1, false, 60),
        ] {
            let standing = counts.ask(&rates, Counted::Pulls, ask, at(now)).await.unwrap();
            assert_eq!(
                (standing.remaining, standing.is_over, standing.resets_s),
                (remaining, is_over, resets),
                "at {now}"
            );
        }
        assert_eq!(counts.ask(&rates, Counted::Requests, Ask::Take, 0).await, None);
    }

    #[tokio::test]
    async fn the_tightest_of_several_limits_is_told() {
        let counts = Counts::default();
        let account = rates(&[("a:1", Counted::Pulls, 5, 60), ("t:1", Counted::Pulls, 2, 60)]);
        let other = rates(&[("a:1", Counted::Pulls, 5, 60), ("t:2", Counted::Pulls, 2, 60)]);
        for _ in 0..2 {
            let standing = counts.ask(&account, Counted::Pulls, Ask::Take, 0).await.unwrap();
            assert!(!standing.is_over);
        }
        assert!(
            counts
                .ask(&account, Counted::Pulls, Ask::Take, 0)
                .await
                .unwrap()
                .is_over
        );
        // What was too many for one limit was counted for the other: whoever asks on is not rewarded for it.
        let standing = counts.ask(&other, Counted::Pulls, Ask::Take, 0).await.unwrap();
        assert_eq!((standing.is_over, standing.remaining), (false, 1));
    }
}
