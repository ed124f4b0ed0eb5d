//! Counts of this process, bounded.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Mutex, PoisonError};

use shared::token::rates::{Counted, Rate};

use super::{Ask, Window};

/// Parts of the table, each with a lock of its own.
const PARTS: usize = 16;
/// Most counts of a part. When it is full of windows that have not ended, those with the fewest are forgotten first.
const PART: usize = 8_192;

/// Windows by what is counted and whom it counts as.
type Part = HashMap<(Counted, String), Begun>;

/// A table of counts.
#[derive(Debug)]
pub(super) struct Table {
    parts: Box<[Mutex<Part>]>,
    hasher: RandomState,
}

#[derive(Debug, Clone, Copy)]
struct Begun {
    ends_ms: i64,
    count: u64,
}

impl Default for Table {
    fn default() -> Self {
        Self {
            parts: (0..PARTS).map(|_| Mutex::default()).collect(),
            hasher: RandomState::new(),
        }
    }
}

impl Table {
    /// Counts, or looks.
    pub(super) fn count(&self, rate: &Rate, ask: Ask, now_ms: i64) -> Window {
        let window_ms = i64::from(rate.window_s) * 1_000;
        let key = (rate.what, rate.key.clone());
        let part = usize::try_from(self.hasher.hash_one(&key) % (PARTS as u64)).unwrap_or(0);
        let mut part = self.parts[part].lock().unwrap_or_else(PoisonError::into_inner);
        let ends_ms = now_ms.saturating_add(window_ms);
        let more = u64::from(ask == Ask::Take);
        if let Some(begun) = part.get_mut(&key) {
            // A clock that was set back does not make a window longer.
            if begun.ends_ms <= now_ms || begun.ends_ms > ends_ms {
                *begun = Begun { ends_ms, count: 0 };
            }
            begun.count = begun.count.saturating_add(more);
            return Window {
                count: begun.count,
                left_ms: u64::try_from(begun.ends_ms - now_ms).unwrap_or(0),
            };
        }
        if more > 0 {
            if part.len() >= PART {
                make_room(&mut part, now_ms);
            }
            part.insert(key, Begun { ends_ms, count: more });
        }
        Window {
            count: more,
            left_ms: u64::try_from(window_ms).unwrap_or(0),
        }
    }
}

fn make_room(part: &mut Part, now_ms: i64) {
    part.retain(|_, begun| begun.ends_ms > now_ms);
    let mut fewest = 1;
    // Whoever asked often is remembered, so that a crowd of others does not help anybody.
    while part.len() >= PART - PART / 8 {
        part.retain(|_, begun| begun.count > fewest);
        fewest = fewest.saturating_mul(2);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crowd_makes_nobody_forget_who_asked_often_and_the_table_has_a_bound() {
        let table = Table::default();
        let rate = |key: String| Rate {
            key,
            what: Counted::Pulls,
            limit: 10,
            window_s: 60,
        };
        let often = rate("often".to_owned());
        for _ in 0..100 {
            table.count(&often, Ask::Take, 0);
        }
        for n in 0..PARTS * PART * 2 {
            table.count(&rate(format!("n:{n}")), Ask::Take, 1_000);
        }
        assert_eq!(table.count(&often, Ask::Look, 2_000).count, 100);
        let held: usize = table.parts.iter().map(|part| part.lock().unwrap().len()).sum();
        assert!(held <= PARTS * PART, "{held}");
    }
}
