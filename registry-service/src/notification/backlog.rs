//! What waits in one endpoint's queue, as the process that delivers knows it.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;
use std::time::Instant;

use super::backoff::Backoff;
use super::layout::Name;

/// The queues of all repositories. In memory: numbers, not events.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    lines: BTreeMap<String, Line>,
    count: usize,
    /// The repository that was served last.
    served: String,
}

/// One repository's queue.
#[derive(Debug, Default)]
struct Line {
    numbers: VecDeque<u64>,
    backoff: Backoff,
}

impl Backlog {
    /// How many events wait.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Takes over what was listed, in its order.
    pub(super) fn update(&mut self, names: Vec<Name>) {
        self.count = names.len();
        let mut before = std::mem::take(&mut self.lines);
        for Name { repository, number } in names {
            let line = self
                .lines
                .entry(repository)
                .or_insert_with_key(|repository| Line {
                    numbers: VecDeque::new(),
                    backoff: before
                        .remove(repository)
                        .map(|line| line.backoff)
                        .unwrap_or_default(),
                });
            line.numbers.push_back(number);
        }
    }

    /// The first events of at most `lines` repositories that may be tried now, at most `events` of each; repositories take
    /// turns.
    pub(super) fn due(&mut self, now: Instant, lines: usize, events: usize) -> Vec<Vec<Name>> {
        let after = (Bound::Excluded(self.served.as_str()), Bound::Unbounded);
        let until = (Bound::Unbounded, Bound::Included(self.served.as_str()));
        let around = self
            .lines
            .range::<str, _>(after)
            .chain(self.lines.range::<str, _>(until));
        let mut due: Vec<Vec<Name>> = Vec::new();
        for (repository, line) in around {
            if line.backoff.closed_until(now).is_none() && !line.numbers.is_empty() {
                let name = |number: &u64| Name {
                    repository: repository.clone(),
                    number: *number,
                };
                due.push(line.numbers.iter().take(events).map(name).collect());
            }
            if due.len() == lines {
                break;
            }
        }
        if let Some(last) = due.last().and_then(|line| line.first()) {
            self.served.clone_from(&last.repository);
        }
        due
    }

    /// When the first of those that wait may be tried again; none when none waits for that.
    pub(super) fn next_due(&self, now: Instant) -> Option<Instant> {
        let lines = self.lines.values();
        lines.filter_map(|line| line.backoff.closed_until(now)).min()
    }

    /// How the tries of one repository go.
    pub(super) fn backoff(&mut self, repository: &str) -> Option<&mut Backoff> {
        self.lines.get_mut(repository).map(|line| &mut line.backoff)
    }

    /// Forgets what is there no more.
    pub(super) fn remove(&mut self, names: &[Name]) {
        for name in names {
            let Some(line) = self.lines.get_mut(&name.repository) else {
                continue;
            };
            if let Ok(at) = line.numbers.binary_search(&name.number) {
                line.numbers.remove(at);
                self.count -= 1;
            }
            if line.numbers.is_empty() {
                self.lines.remove(&name.repository);
            }
        }
    }

    /// Each repository with its events, the first of them first.
    pub(super) fn lines(&self) -> impl Iterator<Item = (&str, &VecDeque<u64>)> {
        self.lines
            .iter()
            .map(|(repository, line)| (repository.as_str(), &line.numbers))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn names(text: &str) -> Vec<Name> {
        let name = |word: &str| {
            let (repository, number) = word.split_at(1);
            Name {
                repository: repository.to_owned(),
                number: number.parse().unwrap(),
            }
        };
        text.split_whitespace().map(name).collect()
    }

    #[test]
    fn repositories_take_turns_and_keep_their_order() {
        let mut backlog = Backlog::default();
        backlog.update(names("a1 a2 a3 b7 c1 c9"));
        assert_eq!(backlog.count(), 6);
        let now = Instant::now();
        assert_eq!(backlog.due(now, 2, 2), [names("a1 a2"), names("b7")]);
        assert_eq!(backlog.due(now, 2, 2), [names("c1 c9"), names("a1 a2")]);
        backlog.remove(&names("a1 a2 c1 c9 b8"));
        assert_eq!((backlog.count(), backlog.lines().count()), (2, 2));
        assert_eq!(backlog.due(now, 9, 9), [names("b7"), names("a3")]);
        backlog.remove(&names("b7 a3"));
        assert_eq!(backlog.due(now, 9, 9), [[]; 0]);
    }

    #[test]
    fn a_repository_that_failed_waits_and_holds_up_no_other_though_more_comes() {
        let mut backlog = Backlog::default();
        backlog.update(names("a1 b1"));
        let (now, wait) = (Instant::now(), Duration::from_secs(5));
        backlog.backoff("a").unwrap().failed(now, 1, wait, [0; 16]);
        backlog.update(names("a1 a2 b1"));
        assert_eq!(backlog.due(now, 9, 9), [names("b1")]);
        assert_eq!(backlog.next_due(now), Some(now + wait));
        assert_eq!(backlog.due(now + wait, 9, 9), [names("a1 a2"), names("b1")]);
        assert_eq!(backlog.next_due(now + wait), None);
    }
}
