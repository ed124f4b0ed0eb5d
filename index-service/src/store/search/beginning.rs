//! The beginnings of lists, and which repositories are in all of them.

use std::collections::HashMap;

use super::{BRANCHES, FOR_UNFINISHED, WALK};
use crate::domain::Reach;
use crate::store::dialect::Tx;
use crate::store::error::StoreError;
use crate::store::value::{Kind, Value, ask};

/// A word, or the words that an unfinished one may become.
pub(super) struct Group {
    /// Each with what it counts against it that it is longer.
    pub(super) words: Vec<(String, i64)>,
    /// What is unfinished, where there are more words than these.
    pub(super) unfinished: Option<String>,
}

impl Group {
    pub(super) fn of(word: String) -> Self {
        Self {
            words: vec![(word, 0)],
            unfinished: None,
        }
    }

    /// The least of the places that one has by these words; none when it has none of them.
    pub(super) fn place_among(&self, places: &HashMap<&str, i64>) -> Option<i64> {
        let listed = self
            .words
            .iter()
            .filter_map(|(word, count)| Some(places.get(word.as_str())? + count));
        let begun = self.unfinished.iter().flat_map(|begun| {
            let longer = places.iter().filter(|(word, _)| word.starts_with(begun.as_str()));
            longer.map(|(_, place)| place + FOR_UNFINISHED)
        });
        listed.chain(begun).min()
    }
}

/// The beginning of the lists of one word.
#[derive(Default)]
pub(super) struct Beginning {
    /// Repositories with their place; whether they are open to whoever asks.
    places: HashMap<i64, (i64, bool)>,
    /// Whether the lists were read to their end.
    is_whole: bool,
    /// The last place that was read.
    last: i64,
}

/// A repository that may be one of those looked for.
pub(super) struct Candidate {
    pub(super) place: i64,
    pub(super) id: i64,
    pub(super) is_open: bool,
    /// Whether it has all words for sure.
    pub(super) is_sure: bool,
}

/// Reads the beginnings of the lists of one word: among whom it is looked for, and of what it may become.
pub(super) async fn read(
    tx: &mut Tx,
    group: &Group,
    reaches: &[Reach],
    depth: usize,
) -> Result<Beginning, StoreError> {
    // Where a word may become many, of each a little.
    let depth = (depth * 4 / group.words.len().max(4)).max(1);
    let lists: Vec<(&str, i64, Reach)> = reaches
        .iter()
        .flat_map(|reach| {
            group
                .words
                .iter()
                .map(|(word, count)| (word.as_str(), *count, *reach))
        })
        .collect();
    let mut beginning = Beginning {
        is_whole: group.unfinished.is_none(),
        ..Beginning::default()
    };
    for chunk in lists.chunks(BRANCHES) {
        let mut values = Vec::new();
        for branch in 0..BRANCHES {
            let (word, reach) = chunk
                .get(branch)
                .map_or(("", 0), |(word, _, reach)| (*word, reach.as_i64()));
            values.push(Value::Text(Some(word.to_owned())));
            values.push(Value::Integer(Some(reach)));
            if branch == 0 {
                values.push(Value::Integer(Some(i64::try_from(depth).unwrap_or(i64::MAX))));
            }
        }
        let rows = ask(tx, WALK, &values, &[Kind::Integer, Kind::Integer, Kind::Integer]).await?;
        let mut lengths = [0; BRANCHES];
        for row in rows {
            let branch = usize::try_from(row[0].integer()).unwrap_or(0);
            let Some((_, count, reach)) = chunk.get(branch) else {
                continue;
            };
            lengths[branch] += 1;
            let (place, is_open) = (row[1].integer() + count, !matches!(reach, Reach::Namespace(_)));
            beginning.last = beginning.last.max(place);
            let known = beginning
                .places
                .entry(row[2].integer())
                .or_insert((place, is_open));
            known.0 = place.min(known.0);
        }
        beginning.is_whole &= lengths.iter().all(|length| *length < depth);
    }
    Ok(beginning)
}

/// Repositories that may have every word, the best first; whether there are no others.
pub(super) fn candidates(beginnings: &[Beginning]) -> (Vec<Candidate>, bool) {
    let rarest = beginnings
        .iter()
        .min_by_key(|beginning| (!beginning.is_whole, beginning.places.len()));
    let Some(rarest) = rarest else {
        return (Vec::new(), true);
    };
    let mut candidates = Vec::new();
    for (id, (_, is_open)) in &rarest.places {
        let mut candidate = Candidate {
            place: 0,
            id: *id,
            is_open: *is_open,
            is_sure: true,
        };
        let is_out = beginnings.iter().any(|beginning| {
            if let Some((place, _)) = beginning.places.get(id) {
                candidate.place += place;
                return false;
            }
            candidate.place += beginning.last;
            candidate.is_sure = false;
            beginning.is_whole
        });
        if !is_out {
            candidates.push(candidate);
        }
    }
    candidates.sort_unstable_by_key(|candidate| (candidate.place, candidate.id));
    (candidates, rarest.is_whole)
}
