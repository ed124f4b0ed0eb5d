//! What an operator sees of the queues, and brings back from the dead letters. May run while the registry is served.

use std::fmt;

use super::event::Event;
use super::layout::{EVENTS, Folder, Name};
use super::spool::{Found, Spool};
use crate::storage::{EntryKind, Key, Storage, StorageError};

/// Most endpoints that are looked at.
const ENDPOINTS: usize = 1_000;

/// Which events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Those that wait for delivery.
    Waiting,
    /// Those that were given up.
    Dead,
}

/// An event in a queue; as one line.
#[derive(Debug)]
pub struct Listed<'a> {
    /// The endpoint's name.
    pub endpoint: &'a str,
    /// Its place in the order of its repository's events.
    pub number: u64,
    /// The event; none when it cannot be read.
    pub event: Option<&'a Event>,
}

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.endpoint, self.number)?;
        let Some(event) = self.event else {
            return f.write_str(" (cannot be read)");
        };
        let (action, target) = (event.action.as_str(), &event.target);
        write!(f, " {} {action} {}", event.timestamp, target.repository)?;
        if !target.tag.is_empty() {
            write!(f, ":{}", target.tag)?;
        }
        if !target.digest.is_empty() {
            write!(f, "@{}", target.digest)?;
        }
        write!(f, " {}", event.id)
    }
}

/// How many events there were.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// Events that were told or moved.
    pub events: usize,
    /// Endpoints that have any queue, configured or not.
    pub endpoints: usize,
    /// Dead letters that stay such, since the queue has no more room.
    pub left: usize,
}

/// Tells of each event, of one endpoint or of all, by endpoint and in the order of each repository.
pub async fn list(
    storage: &Storage,
    endpoint: Option<&str>,
    kind: Kind,
    mut tell: impl FnMut(Listed<'_>),
) -> Result<Count, StorageError> {
    let mut count = Count::default();
    for (endpoint, spool) in spools(storage, endpoint).await? {
        count.endpoints += 1;
        let waiting = kind == Kind::Waiting;
        for name in names(&spool, kind).await? {
            let found = spool.read(&name, waiting).await?;
            let event = match &found {
                Found::Event(event) => Some(event.as_ref()),
                Found::Unreadable => None,
                Found::Gone => continue,
            };
            count.events += 1;
            tell(Listed {
                endpoint: &endpoint,
                number: name.number,
                event,
            });
        }
    }
    Ok(count)
}

/// Puts dead letters, of one endpoint or of all, back to the end of their queues, in their order and as many as `most` of the
/// endpoint leaves room for.
pub async fn replay(
    storage: &Storage,
    endpoint: Option<&str>,
    most: impl Fn(&str) -> usize,
) -> Result<Count, StorageError> {
    let mut count = Count::default();
    for (endpoint, spool) in spools(storage, endpoint).await? {
        count.endpoints += 1;
        let room = most(&endpoint).saturating_sub(spool.waiting().await?.len());
        let dead = spool.dead().await?;
        count.left += dead.len().saturating_sub(room);
        for name in dead.iter().take(room) {
            if spool.revive(name).await? {
                count.events += 1;
            }
        }
    }
    Ok(count)
}

async fn names(spool: &Spool, kind: Kind) -> Result<Vec<Name>, StorageError> {
    match kind {
        Kind::Waiting => spool.waiting().await,
        Kind::Dead => spool.dead().await,
    }
}

async fn spools(storage: &Storage, endpoint: Option<&str>) -> Result<Vec<(String, Spool)>, StorageError> {
    let Ok(prefix) = EVENTS.parse::<Key>() else {
        return Ok(Vec::new());
    };
    let folders = storage.list(&prefix, None, ENDPOINTS).await?;
    let folders = folders
        .into_iter()
        .filter(|entry| entry.kind == EntryKind::Prefix)
        .map(|entry| Folder::found(&entry.name));
    let named = folders.map(|folder| (folder.endpoint(), Spool::new(storage.clone(), folder)));
    Ok(named
        .filter(|(name, _)| endpoint.is_none_or(|wanted| wanted == name))
        .collect())
}
