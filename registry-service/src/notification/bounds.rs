//! What happens to a queue that grows too long or too old.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use super::backlog::Backlog;
use super::endpoint::Endpoint;
use super::layout::Name;
use super::spool::{Found, Spool};
use crate::metrics::EndpointNumbers;
use crate::storage::StorageError;

/// Takes the oldest events out of the queue, until it is within the endpoint's bounds: to the dead letters, or, for an index
/// of ours, all of a repository's against one event that says to read it again. Tells what is gone from the queue.
pub(super) async fn keep(
    spool: &Spool,
    endpoint: &Endpoint,
    backlog: &Backlog,
    numbers: &EndpointNumbers,
    now_ms: i64,
    random: impl Fn() -> [u8; 16],
) -> Result<Vec<Name>, StorageError> {
    let victims = oldest(spool, endpoint, backlog, now_ms).await?;
    if victims.is_empty() {
        return Ok(victims);
    }
    if !endpoint.is_index {
        spool.bury(&victims).await?;
        numbers.dead_letters.add(victims.len() as u64);
        tracing::warn!(
            endpoint = endpoint.name,
            events = victims.len(),
            "events were not delivered in time, and are dead letters now: see `notifications dead` and `replay`"
        );
        return Ok(victims);
    }
    let mut gone = Vec::new();
    for names in by_repository(victims).into_values() {
        let Some(like) = first_event(spool, &names).await? else {
            // None of them can be read, nor replaced by what would tell of whom.
            spool.bury(&names).await?;
            numbers.dead_letters.add(names.len() as u64);
            gone.extend(names);
            continue;
        };
        spool.replace(&names, like, random()).await?;
        numbers.resyncs.add(1);
        gone.extend(names);
    }
    Ok(gone)
}

async fn first_event(spool: &Spool, names: &[Name]) -> Result<Option<super::event::Event>, StorageError> {
    for name in names {
        if let Found::Event(event) = spool.read(name, true).await? {
            return Ok(Some(*event));
        }
    }
    Ok(None)
}

fn by_repository(names: Vec<Name>) -> BTreeMap<String, Vec<Name>> {
    let mut sorted: BTreeMap<String, Vec<Name>> = BTreeMap::new();
    for name in names {
        sorted.entry(name.repository.clone()).or_default().push(name);
    }
    sorted
}

/// The events that have to go: those that are too old, and the oldest as long as there are too many. For an index whole
/// repositories, of which one event stays.
async fn oldest(
    spool: &Spool,
    endpoint: &Endpoint,
    backlog: &Backlog,
    now_ms: i64,
) -> Result<Vec<Name>, StorageError> {
    let age = i64::try_from(endpoint.max_age.as_millis()).unwrap_or(i64::MAX);
    let before = now_ms.saturating_sub(age);
    let lines: BTreeMap<&str, Vec<u64>> = backlog
        .lines()
        .map(|(repository, numbers)| (repository, numbers.iter().copied().collect()))
        .collect();
    let mut count = backlog.count();
    let mut victims = Vec::new();
    // The first event of each repository, the oldest of them on top.
    let mut firsts = BinaryHeap::new();
    for repository in lines.keys() {
        push(spool, &mut firsts, &lines, repository, 0).await?;
    }
    while let Some(Reverse((since, repository, at))) = firsts.pop() {
        let is_too_much = count > endpoint.max_events;
        if since >= before && !is_too_much {
            break;
        }
        let name = |number: &u64| Name {
            repository: repository.to_owned(),
            number: *number,
        };
        let Some(numbers) = lines.get(repository) else {
            continue;
        };
        if endpoint.is_index {
            if numbers.len() == 1 && since >= before {
                // One for one would change nothing.
                continue;
            }
            victims.extend(numbers.iter().map(name));
            count -= numbers.len() - 1;
        } else {
            victims.extend(numbers.get(at).map(name));
            count -= 1;
            push(spool, &mut firsts, &lines, repository, at + 1).await?;
        }
    }
    Ok(victims)
}

/// An event by its age, its repository, and its place in that one's queue.
type Aged<'a> = Reverse<(i64, &'a str, usize)>;

/// Adds a repository's event at this place, or the next one that is still there.
async fn push<'a>(
    spool: &Spool,
    firsts: &mut BinaryHeap<Aged<'a>>,
    lines: &BTreeMap<&'a str, Vec<u64>>,
    repository: &'a str,
    mut at: usize,
) -> Result<(), StorageError> {
    while let Some(number) = lines.get(repository).and_then(|numbers| numbers.get(at)) {
        let name = Name {
            repository: repository.to_owned(),
            number: *number,
        };
        if let Some(since) = spool.since(&name, true).await? {
            firsts.push(Reverse((since, repository, at)));
            return Ok(());
        }
        at += 1;
    }
    Ok(())
}

/// Forgets the oldest dead letters beyond the endpoint's bound.
pub(super) async fn keep_dead(
    spool: &Spool,
    endpoint: &Endpoint,
    numbers: &EndpointNumbers,
) -> Result<(), StorageError> {
    let dead = spool.dead().await?;
    let beyond = dead.len().saturating_sub(endpoint.max_dead_letters);
    numbers.dead_now.set((dead.len() - beyond) as u64);
    if beyond == 0 {
        return Ok(());
    }
    let mut aged = Vec::with_capacity(dead.len());
    for name in dead {
        if let Some(since) = spool.since(&name, false).await? {
            aged.push((since, name));
        }
    }
    aged.sort_unstable();
    let oldest: Vec<Name> = aged.into_iter().take(beyond).map(|(_, name)| name).collect();
    spool.forget(&oldest).await?;
    numbers.dead_dropped.add(oldest.len() as u64);
    tracing::warn!(
        endpoint = endpoint.name,
        events = oldest.len(),
        "there are too many dead letters: the oldest are gone"
    );
    Ok(())
}
