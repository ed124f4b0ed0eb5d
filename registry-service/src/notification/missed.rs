//! What could not be told for want of room: indexes are told to read the repository, once there is room.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use shared::oci::RepositoryName;

use super::Notifications;
use super::event::Event;
use super::layout::of_repository;

/// Between two attempts.
const PAUSE: Duration = Duration::from_secs(1);
/// Most repositories that are remembered.
const MOST: usize = 10_000;

/// Repositories, by their stored names, with what their indexes will be told.
#[derive(Debug, Default)]
pub(super) struct Missed(Mutex<BTreeMap<RepositoryName, Event>>);

impl Missed {
    fn first(&self) -> Option<(RepositoryName, Event)> {
        let missed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        missed
            .first_key_value()
            .map(|(name, event)| (name.clone(), event.clone()))
    }

    /// Unless something else was missed meanwhile.
    fn forget(&self, repository: &RepositoryName, told: &Event) {
        let mut missed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if missed.get(repository).is_some_and(|event| event.id == told.id) {
            missed.remove(repository);
        }
    }
}

/// Remembers a repository, in memory: where there is no room, there is none for a note either.
pub(super) fn note(hub: &Notifications, repository: &RepositoryName, event: Event) {
    let mut missed = hub.0.missed.0.lock().unwrap_or_else(PoisonError::into_inner);
    let is_first = missed.is_empty();
    if missed.len() < MOST {
        missed.insert(repository.clone(), event);
    }
    drop(missed);
    if is_first {
        tracing::warn!(
            "there is no room to tell indexes of what is deleted; they are told to read it again as soon as there is"
        );
        tokio::spawn(catch_up(hub.clone()));
    }
}

async fn catch_up(hub: Notifications) {
    while let Some((repository, event)) = hub.0.missed.first() {
        tokio::time::sleep(PAUSE).await;
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
        }
    }
}
