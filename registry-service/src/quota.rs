//! How much was pushed into namespaces since the index looked: what a token says of a quota, and what came on top of it
//! through this process. Pure, and bounded.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use shared::token::Quota;
use shared::token::quota::{Bytes, Share};

/// Most namespaces that are remembered; those that were pushed to least lately go first.
const NAMESPACES: usize = 10_000;
/// How long what was pushed is remembered, in milliseconds: longer than any token lives, with the leeway of clocks.
const MEMORY_MS: i64 = 1_200_000;
/// Most entries of a namespace; beyond, the oldest two become one.
const ENTRIES: usize = 4_096;

/// Something that is pushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Amount {
    /// Bytes that the repository did not hold.
    pub bytes: u64,
    /// Bytes that the namespace did not hold, as far as is known.
    pub storage: u64,
    /// Tags that did not exist.
    pub tags: u64,
}

impl Amount {
    fn add(&mut self, other: Self) {
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.storage = self.storage.saturating_add(other.storage);
        self.tags = self.tags.saturating_add(other.tags);
    }

    fn subtract(&mut self, other: Self) {
        self.bytes = self.bytes.saturating_sub(other.bytes);
        self.storage = self.storage.saturating_sub(other.storage);
        self.tags = self.tags.saturating_sub(other.tags);
    }
}

/// What would be too much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exceeded {
    what: What,
    used: u64,
    limit: u64,
    wanted: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Bytes,
    Storage,
    Tags,
}

impl fmt::Display for Exceeded {
    /// `the namespace holds 9.0 GB of its quota of 10.0 GB, and this push adds 2.0 GB`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (used, limit, wanted) = (self.used, self.limit, self.wanted);
        match self.what {
            What::Tags => write!(
                f,
                "the namespace holds {used} tags of its quota of {limit}, and this push adds {wanted}"
            ),
            What::Bytes | What::Storage => {
                let kind = if self.what == What::Storage {
                    " of storage"
                } else {
                    ""
                };
                let (used, limit, wanted) = (Bytes(used), Bytes(limit), Bytes(wanted));
                write!(
                    f,
                    "the namespace holds {used}{kind} of its quota of {limit}, and this push adds {wanted} or more"
                )
            }
        }
    }
}

/// What was pushed into each namespace, by time. Clones are of their own.
#[derive(Debug, Default)]
pub struct Ledger(Mutex<HashMap<i64, Account>>);

#[derive(Debug, Default)]
struct Account {
    entries: VecDeque<(i64, Amount)>,
}

impl Account {
    fn since(&self, at: i64) -> Amount {
        let mut sum = Amount::default();
        for (_, amount) in self.entries.iter().filter(|(when, _)| *when >= at) {
            sum.add(*amount);
        }
        sum
    }

    fn last(&self) -> i64 {
        self.entries.back().map_or(i64::MIN, |(at, _)| *at)
    }
}

impl Ledger {
    fn accounts(&self) -> MutexGuard<'_, HashMap<i64, Account>> {
        // Each change is whole when the lock is let go.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts what is to be pushed, if there is room for it beside what was used and what was counted since. Given back
    /// unless the [`Taken`] is kept.
    pub fn take(&self, quota: &Quota, amount: Amount, now_ms: i64) -> Result<Taken<'_>, Exceeded> {
        self.count(quota, amount, now_ms, true)?;
        Ok(Taken {
            ledger: self,
            of: quota.of,
            amount,
            is_kept: false,
        })
    }

    /// Counts what was pushed, whether there was room for it or not.
    pub fn add(&self, quota: &Quota, amount: Amount, now_ms: i64) {
        // Nothing is asked that could be refused.
        let _ = self.count(quota, amount, now_ms, false);
    }

    fn count(&self, quota: &Quota, amount: Amount, now_ms: i64, is_bound: bool) -> Result<(), Exceeded> {
        let mut accounts = self.accounts();
        if accounts.len() >= NAMESPACES && !accounts.contains_key(&quota.of) {
            accounts.retain(|_, account| account.last() > now_ms - MEMORY_MS);
            if accounts.len() >= NAMESPACES
                && let Some(oldest) = accounts
                    .iter()
                    .min_by_key(|(_, account)| account.last())
                    .map(|(of, _)| *of)
            {
                accounts.remove(&oldest);
            }
        }
        let account = accounts.entry(quota.of).or_default();
        while account
            .entries
            .front()
            .is_some_and(|(at, _)| *at <= now_ms - MEMORY_MS)
        {
            account.entries.pop_front();
        }
        if is_bound {
            check(quota, account.since(quota.at), amount)?;
        }
        match account.entries.back_mut() {
            Some((at, sum)) if *at >= now_ms => sum.add(amount),
            _ => account.entries.push_back((now_ms, amount)),
        }
        if account.entries.len() > ENTRIES
            && let Some((_, oldest)) = account.entries.pop_front()
            && let Some((_, next)) = account.entries.front_mut()
        {
            next.add(oldest);
        }
        Ok(())
    }

    /// Bytes for which there is room now: of the two kinds, the fewer.
    pub fn room(&self, quota: &Quota) -> u64 {
        let spent = self.spent(quota);
        let left = |share: Option<Share>, spent: u64| {
            share.map_or(u64::MAX, |Share(used, limit)| {
                limit.saturating_sub(used).saturating_sub(spent)
            })
        };
        left(quota.bytes, spent.bytes).min(left(quota.storage, spent.storage))
    }

    fn spent(&self, quota: &Quota) -> Amount {
        let accounts = self.accounts();
        accounts
            .get(&quota.of)
            .map_or_else(Amount::default, |account| account.since(quota.at))
    }

    /// That this would be too much, if it would.
    pub fn check(&self, quota: &Quota, amount: Amount) -> Result<(), Exceeded> {
        check(quota, self.spent(quota), amount)
    }

    /// What people are told when a limit is near.
    pub fn warning(&self, quota: &Quota) -> Option<String> {
        let spent = self.spent(quota);
        let near = |share: Option<Share>, spent: u64| {
            let Share(used, limit) = share?;
            let used = used.saturating_add(spent);
            let is_near = u128::from(used) * 100 >= u128::from(limit) * u128::from(quota.warn);
            is_near.then_some((used, limit))
        };
        if let Some((used, limit)) = near(quota.bytes, spent.bytes) {
            let (used, limit) = (Bytes(used), Bytes(limit));
            return Some(format!("the namespace holds {used} of its quota of {limit}"));
        }
        if let Some((used, limit)) = near(quota.storage, spent.storage) {
            let (used, limit) = (Bytes(used), Bytes(limit));
            return Some(format!(
                "the namespace holds {used} of storage of its quota of {limit}"
            ));
        }
        let (used, limit) = near(quota.tags, spent.tags)?;
        Some(format!("the namespace holds {used} tags of its quota of {limit}"))
    }
}

fn check(quota: &Quota, spent: Amount, amount: Amount) -> Result<(), Exceeded> {
    for (what, share, spent, wanted) in [
        (What::Bytes, quota.bytes, spent.bytes, amount.bytes),
        (What::Storage, quota.storage, spent.storage, amount.storage),
        (What::Tags, quota.tags, spent.tags, amount.tags),
    ] {
        let Some(Share(used, limit)) = share else { continue };
        let used = used.saturating_add(spent);
        // What adds nothing is never too much.
        if wanted > 0 && used.saturating_add(wanted) > limit {
            return Err(Exceeded {
                what,
                used,
                limit,
                wanted,
            });
        }
    }
    Ok(())
}

/// What was counted for a push that has not succeeded yet.
#[derive(Debug)]
pub struct Taken<'a> {
    ledger: &'a Ledger,
    of: i64,
    amount: Amount,
    is_kept: bool,
}

impl Taken<'_> {
    /// The push has succeeded.
    pub fn keep(mut self) {
        self.is_kept = true;
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        if self.is_kept || self.amount == Amount::default() {
            return;
        }
        let mut left = self.amount;
        if let Some(account) = self.ledger.accounts().get_mut(&self.of) {
            // From the last seconds: it was counted there, or others were since.
            for (_, sum) in account.entries.iter_mut().rev() {
                let before = *sum;
                sum.subtract(left);
                let mut taken = before;
                taken.subtract(*sum);
                left.subtract(taken);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quota(bytes: Option<Share>, tags: Option<Share>) -> Quota {
        Quota {
            of: 7,
            at: 1_000,
            bytes,
            storage: None,
            tags,
            warn: 80,
            strict: false,
        }
    }

    fn bytes(bytes: u64) -> Amount {
        Amount {
            bytes,
            storage: bytes,
            tags: 0,
        }
    }

    #[test]
    fn what_came_since_the_index_looked_counts_for_every_token() {
        let ledger = Ledger::default();
        let quota = quota(Some(Share(4, 10)), None);
        ledger.take(&quota, bytes(3), 1_001).unwrap().keep();
        let refused = ledger.take(&quota, bytes(4), 1_002).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "the namespace holds 7 bytes of its quota of 10 bytes, and this push adds 4 bytes or more"
        );
        assert_eq!(ledger.room(&quota), 3);
        // A token from before is told of what other tokens pushed; one from after knows it from the index.
        let later = Quota {
            at: 1_002,
            bytes: Some(Share(7, 10)),
            ..quota.clone()
        };
        assert_eq!(ledger.room(&later), 3);
        ledger.take(&later, bytes(3), 1_003).unwrap().keep();
        for quota in [&quota, &later] {
            assert_eq!(ledger.room(quota), 0);
            assert!(ledger.take(quota, bytes(1), 1_004).is_err());
            ledger.take(quota, bytes(0), 1_004).unwrap();
        }
        let other = Quota { of: 8, ..quota };
        assert_eq!(ledger.room(&other), 6, "another namespace is another account");
    }

    #[test]
    fn what_does_not_succeed_is_given_back() {
        let ledger = Ledger::default();
        let quota = quota(Some(Share(0, 10)), None);
        let first = ledger.take(&quota, bytes(6), 1_001).unwrap();
        assert!(ledger.take(&quota, bytes(6), 1_001).is_err());
        let second = ledger.take(&quota, bytes(4), 1_002).unwrap();
        drop(first);
        assert_eq!(ledger.room(&quota), 6);
        second.keep();
        assert_eq!(ledger.room(&quota), 6);
    }

    #[test]
    fn tags_and_bytes_have_limits_of_their_own_and_a_warning_before() {
        let ledger = Ledger::default();
        let quota = quota(None, Some(Share(2, 5)));
        assert_eq!(ledger.warning(&quota), None);
        let tags = |tags| Amount {
            tags,
            ..Amount::default()
        };
        ledger.take(&quota, tags(2), 1_001).unwrap().keep();
        assert_eq!(
            ledger.warning(&quota).as_deref(),
            Some("the namespace holds 4 tags of its quota of 5")
        );
        ledger.take(&quota, bytes(u64::MAX), 1_001).unwrap().keep();
        let refused = ledger.take(&quota, tags(2), 1_002).unwrap_err();
        assert!(
            refused.to_string().contains("4 tags of its quota of 5"),
            "{refused}"
        );
    }

    #[test]
    fn the_ledger_forgets_what_no_token_remembers_and_has_a_bound() {
        let ledger = Ledger::default();
        let quota = quota(Some(Share(0, 10)), None);
        ledger.take(&quota, bytes(10), 1_000).unwrap().keep();
        ledger.take(&quota, bytes(10), 1_000 + MEMORY_MS).unwrap().keep();
        for of in 0..i64::try_from(NAMESPACES).unwrap() + 100 {
            let quota = Quota { of, ..quota.clone() };
            let _ = ledger.take(&quota, bytes(1), 9_000);
        }
        assert!(ledger.accounts().len() <= NAMESPACES);
    }
}
