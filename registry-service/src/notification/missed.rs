//! What could not be told for want of room: indexes are told to read the repository, once there is room.
//!
//! A note of it lasts: empty files are made beforehand, and the commit that removes something renames one of them to the name of the
//! repository, which takes no room. Whoever is started finds the notes of those that ended.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use shared::oci::RepositoryName;

use super::event::{Action, Event, RequestRecord, Target};
use super::layout::of_repository;
use super::{Asker, Notifications};
use crate::storage::{Key, Step, StorageError};

/// Between two attempts.
const PAUSE: Duration = Duration::from_secs(1);
/// Most repositories that are remembered.
const MOST: usize = 10_000;
/// Where notes lie, and what becomes notes.
const NOTES: &str = "portolan/missed";
/// Notes that can be made while there is no room.
const SPARES: usize = 16;
/// A name that is longer, in bytes, has no note.
const LONGEST: usize = 200;
/// What a note's name begins with: of a repository that is to be told of,
const OF: &str = "of-";
/// and of one that somebody is telling of.
const TELLING: &str = "telling-";

/// Repositories, by their stored names, with what their indexes will be told.
#[derive(Debug, Default)]
pub(super) struct Missed {
    waiting: Mutex<BTreeMap<RepositoryName, Event>>,
    /// Files that are there to become notes, the last one first.
    spares: Mutex<Vec<Key>>,
}

impl Missed {
    fn waiting(&self) -> MutexGuard<'_, BTreeMap<RepositoryName, Event>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn spares(&self) -> MutexGuard<'_, Vec<Key>> {
        self.spares.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn first(&self) -> Option<(RepositoryName, Event)> {
        let waiting = self.waiting();
        let first = waiting.first_key_value();
        first.map(|(name, event)| (name.clone(), event.clone()))
    }

    /// Unless something else was missed meanwhile.
    fn forget(&self, repository: &RepositoryName, told: &Event) {
        let mut waiting = self.waiting();
        if waiting.get(repository).is_some_and(|event| event.id == told.id) {
            waiting.remove(repository);
        }
    }

    /// What makes a note of a repository; none where there is nothing left to make it of.
    pub(super) fn note(&self, repository: &RepositoryName) -> Option<Step> {
        let to = place(OF, repository)?;
        let from = self.spares().pop()?;
        Some(Step::Move { from, to })
    }
}

/// Remembers a repository.
pub(super) fn remember(hub: &Notifications, repository: &RepositoryName, event: Event) {
    let mut waiting = hub.0.missed.waiting();
    let is_first = waiting.is_empty();
    if waiting.len() < MOST {
        waiting.insert(repository.clone(), event);
    }
    drop(waiting);
    if is_first {
        tracing::warn!(
            "there is no room to tell indexes of what is deleted; they are told to read it again as soon as there is"
        );
        tokio::spawn(catch_up(hub.clone()));
    }
}

/// Makes what notes are made of, and remembers the repositories of those notes that somebody left.
pub(super) async fn prepare(hub: Notifications) {
    if let Err(error) = try_to_prepare(&hub).await {
        // Then what is missed is remembered by this process alone.
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "could not prepare notes of what cannot be told for want of room"
        );
    }
}

async fn try_to_prepare(hub: &Notifications) -> Result<(), StorageError> {
    let storage = &hub.0.storage;
    let mut found = Vec::new();
    for entry in storage.list(&folder(), None, MOST).await? {
        if let Some(repository) = repository_of(&entry.name) {
            found.push(repository);
        }
    }
    let mut steps = Vec::new();
    let mut spares = Vec::new();
    for number in 0..SPARES {
        let key = spare(number);
        match storage.stat(&key).await {
            Ok(_) => {}
            Err(StorageError::NotFound { .. }) => steps.push(Step::Write {
                key: key.clone(),
                content: Bytes::new(),
            }),
            Err(error) => return Err(error),
        }
        spares.push(key);
    }
    let are_made = storage.commit(Vec::new(), steps).await;
    *hub.0.missed.spares() = spares;
    for repository in found {
        remember(hub, &repository, event_of(hub, &repository));
    }
    are_made
}

/// What the indexes of a repository are told of which nothing but its stored name is known.
fn event_of(hub: &Notifications, repository: &RepositoryName) -> Event {
    let asker = Asker {
        repository: repository.clone(),
        stored_as: repository.clone(),
        from: None,
        base_url: String::new(),
        request: RequestRecord::default(),
        actor: String::new(),
    };
    let target = Target {
        repository: repository.to_string(),
        stored_as: repository.to_string(),
        ..Target::default()
    };
    hub.event(&asker, Action::Resync, target)
}

async fn catch_up(hub: Notifications) {
    while let Some((repository, event)) = hub.0.missed.first() {
        tokio::time::sleep(PAUSE).await;
        // What is missed from now on gets a note of its own.
        take_note(&hub, &repository).await;
        let mut is_told = true;
        for station in &hub.0.stations {
            // Told twice it is read twice.
            is_told &= station
                .spool
                .put(&of_repository(&repository), &event)
                .await
                .is_ok();
            station.wake.notify_one();
        }
        if is_told {
            hub.0.missed.forget(&repository, &event);
            end_note(&hub, &repository).await;
        }
    }
}

/// Makes of the note of what was told something to make notes of again, unless there is enough of that.
async fn end_note(hub: &Notifications, repository: &RepositoryName) {
    let Some(note) = place(TELLING, repository) else {
        return;
    };
    let free = {
        let spares = hub.0.missed.spares();
        (0..SPARES).map(spare).find(|key| !spares.contains(key))
    };
    let step = match &free {
        Some(to) => Step::Move {
            from: note,
            to: to.clone(),
        },
        None => Step::Remove { key: note },
    };
    if hub.0.storage.commit(Vec::new(), vec![step]).await.is_ok() {
        hub.0.missed.spares().extend(free);
    }
}

/// Gives the note of a repository, where there is one, the name of what somebody is telling of.
async fn take_note(hub: &Notifications, repository: &RepositoryName) {
    if let (Some(from), Some(to)) = (place(OF, repository), place(TELLING, repository)) {
        // Of a name that is too long, and of what was missed before there was anything to make notes of, there is none.
        drop(
            hub.0
                .storage
                .commit(Vec::new(), vec![Step::Move { from, to }])
                .await,
        );
    }
}

fn key(text: &str) -> Key {
    #[expect(clippy::expect_used, reason = "components of at most 255 allowed bytes")]
    Key::parse(text).expect("a key of a note")
}

fn folder() -> Key {
    key(NOTES)
}

fn spare(number: usize) -> Key {
    key(&format!("{NOTES}/spare-{number:02}"))
}

/// Where the note of a repository lies.
fn place(beginning: &str, repository: &RepositoryName) -> Option<Key> {
    (repository.as_str().len() <= LONGEST)
        .then(|| key(&format!("{NOTES}/{beginning}{}", of_repository(repository))))
}

/// The repository of a note.
fn repository_of(name: &str) -> Option<RepositoryName> {
    let name = name.strip_prefix(OF).or_else(|| name.strip_prefix(TELLING))?;
    name.replace('+', "/").parse().ok()
}
