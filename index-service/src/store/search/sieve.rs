//! Who of those that stand at the beginning of one list has the other words too.
//!
//! Their own words are read for it and nothing else, which costs a tenth of looking at a repository with all that is
//! shown of it: a rare word beside a frequent one has hundreds of such candidates.

use std::collections::HashMap;

use super::beginning::{Candidate, Group};
use super::{MAX_SIFTED, SIFT, SIFTS};
use crate::store::dialect::Tx;
use crate::store::error::StoreError;
use crate::store::posting::places;
use crate::store::value::{Kind, Value, ask};

/// What is known about candidates, each read once in a search.
pub(super) struct Sieve<'a> {
    groups: &'a [Group],
    /// The place of each by all words; none for who lacks one.
    known: HashMap<i64, Option<i64>>,
}

impl<'a> Sieve<'a> {
    pub(super) fn new(groups: &'a [Group]) -> Self {
        Self {
            groups,
            known: HashMap::new(),
        }
    }

    /// Those that have all words, in their order; whether all were read, which ends at [`MAX_SIFTED`].
    pub(super) async fn sift(
        &mut self,
        tx: &mut Tx,
        mut candidates: Vec<Candidate>,
    ) -> Result<(Vec<Candidate>, bool), StoreError> {
        let unread: Vec<i64> = candidates
            .iter()
            .filter(|candidate| !candidate.is_sure && !self.known.contains_key(&candidate.id))
            .map(|candidate| candidate.id)
            .collect();
        let left = MAX_SIFTED.saturating_sub(self.known.len());
        for chunk in unread[..unread.len().min(left)].chunks(SIFTS) {
            self.read(tx, chunk).await?;
        }
        candidates.retain_mut(|candidate| {
            if candidate.is_sure {
                return true;
            }
            let place = self.known.get(&candidate.id).copied().flatten();
            candidate.place = place.unwrap_or(candidate.place);
            place.is_some()
        });
        candidates.sort_unstable_by_key(|candidate| (candidate.place, candidate.id));
        Ok((candidates, unread.len() <= left))
    }

    async fn read(&mut self, tx: &mut Tx, ids: &[i64]) -> Result<(), StoreError> {
        // No repository has the id -1.
        let values: Vec<Value> = ids
            .iter()
            .copied()
            .chain(std::iter::repeat(-1))
            .take(SIFTS)
            .map(|id| Value::Integer(Some(id)))
            .collect();
        self.known.extend(ids.iter().map(|id| (*id, None)));
        for row in ask(tx, SIFT, &values, &[Kind::Integer, Kind::Text]).await? {
            let own: HashMap<&str, i64> = places(row[1].text()).collect();
            let place = self
                .groups
                .iter()
                .try_fold(0, |sum, group| Some(sum + group.place_among(&own)?));
            self.known.insert(row[0].integer(), place);
        }
        Ok(())
    }
}
