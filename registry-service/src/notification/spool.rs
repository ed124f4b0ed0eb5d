//! The durable queue of one endpoint.

use tokio::task::coop::consume_budget;

use super::event::{Action, ActorRecord, Event, RequestRecord, Target, uuid};
use super::layout::{Folder, Name};
use crate::storage::{StagedWriter, Stamp, Stat, Step, Storage, StorageError};

/// Longer content, in bytes, is no event of ours.
const LONGEST: u64 = 1 << 20;
/// Names that are listed in one go.
const LISTING: usize = 200_000;
/// Objects that one commit removes or moves.
const COMMIT: usize = 256;

/// An endpoint's events in the storage.
#[derive(Debug, Clone)]
pub(super) struct Spool {
    storage: Storage,
    folder: Folder,
}

/// An event as it was read.
#[derive(Debug)]
pub(super) enum Found {
    Event(Box<Event>),
    /// Somebody has taken it meanwhile.
    Gone,
    /// It is none.
    Unreadable,
}

impl Spool {
    pub(super) fn new(storage: Storage, folder: Folder) -> Self {
        Self { storage, folder }
    }

    /// What puts an event at the end of its repository's queue.
    pub(super) fn append(&self, repository: &str, event: &Event) -> Step {
        Step::Number {
            counter: self.folder.counter(repository),
            stem: self.folder.stem(repository),
            content: event.to_bytes(),
        }
    }

    /// Puts an event at the end of its repository's queue by itself.
    pub(super) async fn put(&self, repository: &str, event: &Event) -> Result<(), StorageError> {
        self.storage
            .commit(Vec::new(), vec![self.append(repository, event)])
            .await
    }

    /// Makes this process the one that delivers, until the answer is dropped; none while another one is.
    pub(super) async fn lease(&self) -> Result<Option<StagedWriter>, StorageError> {
        let id = self.folder.lease();
        for _ in 0..2 {
            match self.storage.open_staged(&id).await {
                Ok(writer) => return Ok(Some(writer)),
                Err(StorageError::Locked { .. }) => return Ok(None),
                Err(StorageError::NotFound { .. }) => {}
                Err(error) => return Err(error),
            }
            match self.storage.stage(&id).await {
                // Another process was faster.
                Ok(()) | Err(StorageError::Conflict { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// Changes whenever an event comes or goes.
    pub(super) async fn stamp(&self) -> Result<Option<Stamp>, StorageError> {
        self.storage.stamp(&self.folder.queue()).await
    }

    /// All that waits, by repository and number.
    pub(super) async fn waiting(&self) -> Result<Vec<Name>, StorageError> {
        self.names(true).await
    }

    /// All dead letters, by repository and number.
    pub(super) async fn dead(&self) -> Result<Vec<Name>, StorageError> {
        self.names(false).await
    }

    async fn names(&self, waiting: bool) -> Result<Vec<Name>, StorageError> {
        let prefix = if waiting {
            self.folder.queue()
        } else {
            self.folder.dead()
        };
        let mut names = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let batch = self.storage.list(&prefix, after.as_deref(), LISTING).await?;
            names.extend(batch.iter().filter_map(|entry| Name::parse(&entry.name)));
            if batch.len() < LISTING {
                // By text, `a-b-…` lies between `a-…` of small and of large numbers.
                names.sort_unstable();
                return Ok(names);
            }
            after = batch.into_iter().last().map(|last| last.name);
        }
    }

    /// When an event was put where it lies, in milliseconds since the epoch; none when it is gone.
    pub(super) async fn since(&self, name: &Name, waiting: bool) -> Result<Option<i64>, StorageError> {
        consume_budget().await;
        let key = if waiting {
            self.folder.waiting(name)
        } else {
            self.folder.buried(name)
        };
        match self.storage.stat(&key).await {
            Ok(Stat { modified_ms, .. }) => Ok(Some(modified_ms)),
            Err(StorageError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn read(&self, name: &Name, waiting: bool) -> Result<Found, StorageError> {
        consume_budget().await;
        let key = if waiting {
            self.folder.waiting(name)
        } else {
            self.folder.buried(name)
        };
        match self.storage.read(&key, LONGEST).await {
            Ok((content, _)) => {
                let event = Event::parse(&content).map(Box::new);
                Ok(event.map_or(Found::Unreadable, Found::Event))
            }
            Err(StorageError::NotFound { .. }) => Ok(Found::Gone),
            Err(StorageError::Corrupt { .. }) => Ok(Found::Unreadable),
            Err(error) => Err(error),
        }
    }

    /// Takes delivered events out of the queue.
    pub(super) async fn remove(&self, names: &[Name]) -> Result<(), StorageError> {
        self.commit(names, |name| Step::Remove {
            key: self.folder.waiting(name),
        })
        .await
    }

    /// Forgets dead letters.
    pub(super) async fn forget(&self, names: &[Name]) -> Result<(), StorageError> {
        self.commit(names, |name| Step::Remove {
            key: self.folder.buried(name),
        })
        .await
    }

    /// Makes dead letters of events.
    pub(super) async fn bury(&self, names: &[Name]) -> Result<(), StorageError> {
        self.commit(names, |name| Step::Move {
            from: self.folder.waiting(name),
            to: self.folder.buried(name),
        })
        .await
    }

    /// Puts a dead letter at the end of its queue again; false when it is gone or no event.
    pub(super) async fn revive(&self, name: &Name) -> Result<bool, StorageError> {
        let Found::Event(event) = self.read(name, false).await? else {
            return Ok(false);
        };
        let key = self.folder.buried(name);
        let steps = vec![self.append(&name.repository, &event), Step::Remove { key }];
        self.storage.commit(Vec::new(), steps).await?;
        Ok(true)
    }

    /// Puts one event that says to read the repository again in the place of these events of it. `like`: one of them.
    pub(super) async fn replace(
        &self,
        names: &[Name],
        like: Event,
        id: [u8; 16],
    ) -> Result<(), StorageError> {
        let Some(first) = names.first() else { return Ok(()) };
        let marker = Event {
            id: uuid(id),
            action: Action::Resync,
            target: Target {
                repository: like.target.repository,
                stored_as: like.target.stored_as,
                ..Target::default()
            },
            request: RequestRecord::default(),
            actor: ActorRecord::default(),
            ..like
        };
        // First: an interruption leaves too much, never nothing.
        let marking = vec![self.append(&first.repository, &marker)];
        self.storage.commit(Vec::new(), marking).await?;
        self.remove(names).await
    }

    async fn commit(&self, names: &[Name], step: impl Fn(&Name) -> Step) -> Result<(), StorageError> {
        for names in names.chunks(COMMIT) {
            let steps = names.iter().map(&step).collect();
            self.storage.commit(Vec::new(), steps).await?;
        }
        Ok(())
    }
}
