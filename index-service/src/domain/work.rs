//! Work that takes long: how far it is, as whoever does it tells.

use std::fmt;
use std::str::FromStr;

use super::audit::words;
use super::id::{NamespaceId, RepositoryId, WorkId};

/// Whoever tells nothing for so long may be gone, in milliseconds.
pub const SILENCE_MS: i64 = 300_000;

words! {
    /// What is done.
    WorkKind: InvalidWorkKind, "there is no such kind of work";
    /// The registry removes content that nobody needs.
    GarbageCollection = "garbage_collection",
    /// Repositories of another registry are taken over: copied, or adopted where they lie.
    Import = "import",
    /// Repositories are read from the registry as a whole.
    Reindex = "reindex",
    /// A policy of retention is carried out.
    Retention = "retention",
}

words! {
    /// What is being done at present.
    WorkPhase: InvalidWorkPhase, "there is no such phase of work";
    /// Nothing yet.
    Waiting = "waiting",
    /// What is needed is looked for.
    Marking = "marking",
    /// What is not needed goes.
    Sweeping = "sweeping",
    /// What would be copied is looked for.
    Looking = "looking",
    /// Content is copied.
    Copying = "copying",
    /// Repositories get owners where they lie.
    Adopting = "adopting",
    /// What was copied is compared.
    Verifying = "verifying",
    /// Content is read.
    Reading = "reading",
    /// Tags and manifests are deleted.
    Deleting = "deleting",
}

words! {
    /// What is counted.
    WorkUnit: InvalidWorkUnit, "there is no such unit of work";
    /// Manifests.
    Manifests = "manifests",
    /// Blobs.
    Blobs = "blobs",
    /// Bytes.
    Bytes = "bytes",
    /// Repositories.
    Repositories = "repositories",
    /// Tags, and manifests without one.
    TagsAndManifests = "tags_and_manifests",
}

words! {
    /// How it ended.
    WorkOutcome: InvalidWorkOutcome, "work ends as done, failed or stopped";
    /// As it should.
    Done = "done",
    /// It could not go on.
    Failed = "failed",
    /// Somebody ended it.
    Stopped = "stopped",
}

words! {
    /// How it is.
    WorkState: InvalidWorkState, "there is no such state of work";
    /// It is yet to begin.
    Waiting = "waiting",
    /// It goes on.
    Running = "running",
    /// Nobody tells of it any more.
    Lost = "lost",
    /// It was done.
    Done = "done",
    /// It could not go on.
    Failed = "failed",
    /// Somebody ended it.
    Stopped = "stopped",
}

/// What work is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkPlace {
    /// A repository.
    Repository(RepositoryId),
    /// A namespace.
    Namespace(NamespaceId),
}

impl WorkPlace {
    /// The ids of the namespace and of the repository, one of which it has.
    pub fn ids(self) -> (Option<i64>, Option<i64>) {
        match self {
            Self::Namespace(id) => (Some(id.as_i64()), None),
            Self::Repository(id) => (None, Some(id.as_i64())),
        }
    }

    /// The place of these ids.
    pub fn of_ids(namespace: Option<i64>, repository: Option<i64>) -> Option<Self> {
        let repository = repository.map(|id| Self::Repository(RepositoryId::from_i64(id)));
        repository.or_else(|| namespace.map(|id| Self::Namespace(NamespaceId::from_i64(id))))
    }
}

/// How far work is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkProgress {
    /// What is being done.
    pub phase: WorkPhase,
    /// What is counted.
    pub unit: WorkUnit,
    /// How many of them are done.
    pub done: i64,
    /// How many there are; `None` while nobody knows.
    pub total: Option<i64>,
    /// Bytes that were freed, or copied.
    pub bytes: Option<i64>,
    /// How it ended; `None` while it goes on.
    pub outcome: Option<WorkOutcome>,
    /// A sentence about it; perhaps empty.
    pub message: String,
}

/// Work that takes long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LongWork {
    /// Its id; work is in the order of its ids.
    pub work_id: WorkId,
    /// What is done.
    pub kind: WorkKind,
    /// What it is about, with its name where that is known still; `None` for everything.
    pub place: Option<(WorkPlace, Option<String>)>,
    /// The same in words; perhaps empty.
    pub subject: String,
    /// The account that began it; empty for the service itself.
    pub began_by: String,
    /// When it began, in milliseconds since 1970, as all times here.
    pub began_at: i64,
    /// When something was heard of it last.
    pub told_at: i64,
    /// When it ended.
    pub ended_at: Option<i64>,
    /// Whether nothing is changed.
    pub is_rehearsal: bool,
    /// How far it is.
    pub progress: WorkProgress,
}

impl LongWork {
    /// How it is at `now_ms`.
    pub fn state(&self, now_ms: i64) -> WorkState {
        match self.progress.outcome {
            Some(WorkOutcome::Done) => WorkState::Done,
            Some(WorkOutcome::Failed) => WorkState::Failed,
            Some(WorkOutcome::Stopped) => WorkState::Stopped,
            None if now_ms.saturating_sub(self.told_at) >= SILENCE_MS => WorkState::Lost,
            None if self.progress.phase == WorkPhase::Waiting => WorkState::Waiting,
            None => WorkState::Running,
        }
    }

    /// Whether it goes on, or is about to, at `now_ms`.
    pub fn is_going_on(&self, now_ms: i64) -> bool {
        matches!(self.state(now_ms), WorkState::Running | WorkState::Waiting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn work(phase: WorkPhase, outcome: Option<WorkOutcome>) -> LongWork {
        LongWork {
            work_id: WorkId::from_i64(1),
            kind: WorkKind::Import,
            place: None,
            subject: String::new(),
            began_by: String::new(),
            began_at: 0,
            told_at: 1_000,
            ended_at: None,
            is_rehearsal: false,
            progress: WorkProgress {
                phase,
                unit: WorkUnit::Blobs,
                done: 0,
                total: None,
                bytes: None,
                outcome,
                message: String::new(),
            },
        }
    }

    #[test]
    fn work_of_which_nobody_tells_for_five_minutes_is_lost_unless_it_has_ended() {
        let running = work(WorkPhase::Copying, None);
        let last = 1_000 + SILENCE_MS - 1;
        assert_eq!(running.state(last), WorkState::Running);
        assert_eq!(running.state(last + 1), WorkState::Lost);
        assert!(running.is_going_on(last) && !running.is_going_on(last + 1));
        assert_eq!(work(WorkPhase::Waiting, None).state(last), WorkState::Waiting);
        for (outcome, state) in [
            (WorkOutcome::Done, WorkState::Done),
            (WorkOutcome::Failed, WorkState::Failed),
            (WorkOutcome::Stopped, WorkState::Stopped),
        ] {
            assert_eq!(work(WorkPhase::Copying, Some(outcome)).state(i64::MAX), state);
        }
    }

    #[test]
    fn a_place_is_what_its_ids_say() {
        for place in [
            WorkPlace::Repository(RepositoryId::from_i64(7)),
            WorkPlace::Namespace(NamespaceId::from_i64(8)),
        ] {
            let (namespace, repository) = place.ids();
            assert_eq!(WorkPlace::of_ids(namespace, repository), Some(place));
        }
        assert_eq!(WorkPlace::of_ids(None, None), None);
    }
}
