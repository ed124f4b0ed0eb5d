//! Judges whether a history of one register is linearizable (Herlihy and Wing 1990), by just-in-time linearization
//! (Lowe 2017): calls and returns are taken in the order of time, and every order of effects that is still possible is
//! kept, until a return has none left.

use std::collections::HashSet;

/// What a client asked for, and what it was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Effect {
    /// A write that was acknowledged.
    Write(u32),
    /// Acknowledged, as nothing was there (`If-None-Match: *`).
    Create(u32),
    /// Refused, as something was there.
    CreateRefused,
    /// Acknowledged, as the first was there (`If-Match`).
    Replace(u32, u32),
    /// Refused, as something else was there, or nothing.
    ReplaceRefused(u32),
    /// What was read; nothing is `None`.
    Read(Option<u32>),
    /// A removal that was acknowledged. When two remove at the same time, both may be.
    Remove,
    /// A removal that found nothing.
    RemoveRefused,
}

impl Effect {
    /// What the register holds afterwards; `None` if this cannot happen to a register that holds `value`.
    #[expect(
        clippy::option_option,
        reason = "the inner one is the register's value, which may be nothing"
    )]
    fn apply(&self, value: Option<u32>) -> Option<Option<u32>> {
        let fits = |holds: bool, after| holds.then_some(after);
        match *self {
            Self::Write(new) => Some(Some(new)),
            Self::Create(new) => fits(value.is_none(), Some(new)),
            Self::CreateRefused => fits(value.is_some(), value),
            Self::Replace(old, new) => fits(value == Some(old), Some(new)),
            Self::ReplaceRefused(old) => fits(value != Some(old), value),
            Self::Read(read) => fits(read == value, value),
            Self::Remove => Some(None),
            Self::RemoveRefused => fits(value.is_none(), None),
        }
    }
}

/// One operation: its effect lay somewhere between these two moments, in nanoseconds of one clock.
#[derive(Debug, Clone)]
pub(super) struct Operation {
    pub(super) called: u64,
    pub(super) returned: u64,
    pub(super) effect: Effect,
}

/// One possible past: the value, and which of the operations still under way have had their effect.
type Past = (Option<u32>, Vec<usize>);

/// The number of the first operation that no order of effects explains; `None`: the history is linearizable.
/// The register holds nothing at first.
pub(super) fn unexplained(history: &[Operation]) -> Option<usize> {
    let mut events: Vec<(u64, bool, usize)> = Vec::with_capacity(history.len() * 2);
    for (number, operation) in history.iter().enumerate() {
        // At the same moment a call comes before a return: the two may overlap.
        events.push((operation.called, false, number));
        events.push((operation.returned, true, number));
    }
    events.sort_unstable();
    let mut under_way: Vec<usize> = Vec::new();
    let mut pasts: HashSet<Past> = HashSet::from([(None, Vec::new())]);
    for (_, is_return, number) in events {
        if !is_return {
            under_way.push(number);
            continue;
        }
        pasts = after_return(history, &under_way, pasts, number);
        if pasts.is_empty() {
            return Some(number);
        }
        under_way.retain(|other| *other != number);
    }
    None
}

/// The pasts in which `number` has had its effect, extended by effects of others where needed.
fn after_return(
    history: &[Operation],
    under_way: &[usize],
    pasts: HashSet<Past>,
    number: usize,
) -> HashSet<Past> {
    let mut seen = HashSet::new();
    let mut open: Vec<Past> = pasts.into_iter().collect();
    let mut done = HashSet::new();
    while let Some((value, effective)) = open.pop() {
        if let Some(place) = effective.iter().position(|other| *other == number) {
            let mut effective = effective;
            effective.remove(place);
            done.insert((value, effective));
            continue;
        }
        for next in under_way {
            if let Err(place) = effective.binary_search(next)
                && let Some(after) = history[*next].effect.apply(value)
            {
                let mut extended = effective.clone();
                extended.insert(place, *next);
                let past = (after, extended);
                if seen.insert(past.clone()) {
                    open.push(past);
                }
            }
        }
    }
    done
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Random;

    fn history(operations: &[(u64, u64, Effect)]) -> Vec<Operation> {
        let make = |(called, returned, effect): &(u64, u64, Effect)| Operation {
            called: *called,
            returned: *returned,
            effect: effect.clone(),
        };
        operations.iter().map(make).collect()
    }

    #[test]
    fn histories_that_an_order_of_effects_explains_are_accepted() {
        use Effect::*;
        for good in [
            vec![(0, 1, Write(1)), (2, 3, Read(Some(1)))],
            // Either of two writes at once may come last.
            vec![(0, 9, Write(1)), (1, 8, Write(2)), (10, 11, Read(Some(1)))],
            vec![(0, 9, Write(1)), (1, 8, Write(2)), (10, 11, Read(Some(2)))],
            // A read may see a write that has not been acknowledged yet.
            vec![(0, 9, Write(1)), (1, 2, Read(None)), (3, 4, Read(Some(1)))],
            vec![
                (0, 1, Create(1)),
                (2, 3, CreateRefused),
                (4, 5, Replace(1, 2)),
                (6, 7, ReplaceRefused(1)),
            ],
            vec![
                (0, 1, Write(1)),
                (2, 9, Remove),
                (3, 8, Remove),
                (10, 11, RemoveRefused),
                (12, 13, Create(5)),
            ],
        ] {
            assert_eq!(unexplained(&history(&good)), None, "{good:?}");
        }
    }

    #[test]
    fn histories_that_nothing_explains_are_found_out() {
        use Effect::*;
        for bad in [
            // A lost write.
            vec![(0, 1, Write(1)), (2, 3, Write(2)), (4, 5, Read(Some(1)))],
            // A read that goes back in time.
            vec![(0, 9, Write(1)), (1, 2, Read(Some(1))), (3, 4, Read(None))],
            vec![(0, 1, Write(1)), (2, 3, Remove), (4, 5, Read(Some(1)))],
            vec![(0, 1, Read(Some(7)))],
            vec![(0, 1, Create(1)), (2, 3, Create(2))],
            vec![(0, 1, Write(1)), (2, 9, Replace(1, 2)), (3, 8, Replace(1, 3))],
            vec![(0, 1, CreateRefused)],
        ] {
            assert!(unexplained(&history(&bad)).is_some(), "{bad:?}");
        }
    }

    /// Tries every order: right by definition, and far too slow for more than a few operations.
    fn is_linearizable(history: &[Operation], value: Option<u32>, left: &[usize]) -> bool {
        left.is_empty()
            || left.iter().any(|first| {
                let others: Vec<usize> = left.iter().copied().filter(|other| other != first).collect();
                let may_be_first = others
                    .iter()
                    .all(|other| history[*other].returned >= history[*first].called);
                may_be_first
                    && history[*first]
                        .effect
                        .apply(value)
                        .is_some_and(|after| is_linearizable(history, after, &others))
            })
    }

    #[test]
    fn it_agrees_with_trying_every_order() {
        let mut random = Random::new(31);
        let mut counts = [0, 0];
        for _ in 0..20_000 {
            let length = 2 + random.below(4);
            let history: Vec<Operation> = (0..length)
                .map(|_| {
                    let called = random.below(12);
                    let value = u32::try_from(random.below(3)).unwrap();
                    let effect = match random.below(8) {
                        0 | 1 => Effect::Write(value),
                        2 => Effect::Create(value),
                        3 => Effect::CreateRefused,
                        4 => Effect::Replace(value, (value + 1) % 3),
                        5 => Effect::Remove,
                        6 => Effect::RemoveRefused,
                        _ => Effect::Read((value > 0).then_some(value)),
                    };
                    Operation {
                        called,
                        returned: called + 1 + random.below(6),
                        effect,
                    }
                })
                .collect();
            let all: Vec<usize> = (0..history.len()).collect();
            let expected = is_linearizable(&history, None, &all);
            counts[usize::from(expected)] += 1;
            assert_eq!(unexplained(&history).is_none(), expected, "{history:#?}");
        }
        assert!(counts.iter().all(|count| *count > 1_000), "one-sided: {counts:?}");
    }
}
