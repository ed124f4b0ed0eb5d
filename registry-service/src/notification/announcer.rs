//! What one request's changes add to their commits.

use shared::oci::RepositoryName;

use super::event::{Action, Event, RequestRecord, Target};
use super::layout::of_repository;
use super::missed;
use super::{Asker, Notifications, blob};
use crate::registry::{Announcer, Change};
use crate::storage::Step;

/// Tells of what one request changes.
pub(super) struct OfRequest {
    notifications: Notifications,
    asker: Asker,
}

impl OfRequest {
    pub(super) fn new(notifications: Notifications, asker: Asker) -> Self {
        Self { notifications, asker }
    }

    fn event(&self, change: Change<'_>) -> Event {
        let (hub, asker) = (&self.notifications, &self.asker);
        let of_repository = || Target {
            repository: asker.repository.to_string(),
            ..Target::default()
        };
        let (action, target) = match change {
            Change::ManifestPushed {
                digest,
                media_type,
                bytes,
                tag,
            } => (Action::Push, hub.manifest(asker, digest, media_type, bytes, tag)),
            Change::BlobPushed { digest, size } => (Action::Push, blob(asker, digest, size)),
            Change::BlobMounted { digest, size, from } => {
                let from = asker.from.as_ref().or(from);
                let target = Target {
                    from_repository: from.map(ToString::to_string).unwrap_or_default(),
                    ..blob(asker, digest, size)
                };
                (Action::Mount, target)
            }
            Change::ManifestDeleted(digest) | Change::BlobDeleted(digest) => {
                let target = Target {
                    digest: digest.to_string(),
                    ..of_repository()
                };
                (Action::Delete, target)
            }
            Change::TagDeleted(tag) => {
                let target = Target {
                    tag: tag.to_string(),
                    ..of_repository()
                };
                (Action::Delete, target)
            }
        };
        hub.event(asker, action, target)
    }
}

impl Announcer for OfRequest {
    fn announce(&self, repository: &RepositoryName, changes: &[Change<'_>]) -> Vec<Step> {
        let stored_as = repository;
        let repository = of_repository(repository);
        let mut steps = Vec::new();
        for change in changes {
            let event = self.event(*change);
            for station in &self.notifications.0.stations {
                // An index reads of blobs in manifests.
                let is_blob = matches!(
                    change,
                    Change::BlobPushed { .. } | Change::BlobMounted { .. } | Change::BlobDeleted(_)
                );
                let wants = station.endpoint.wants_event(&event) && !(is_blob && station.endpoint.is_index);
                if wants {
                    let told = station.endpoint.told(&event, stored_as.as_str());
                    steps.push(station.spool.append(&repository, &told));
                    station.numbers.events.add(1);
                }
            }
        }
        steps
    }

    fn committed(&self) {
        for station in &self.notifications.0.stations {
            station.wake.notify_one();
        }
    }

    fn goes_without_telling(&self, repository: &RepositoryName) -> bool {
        let hub = &self.notifications;
        if !hub.0.stations.iter().all(|station| station.endpoint.is_index) {
            return false;
        }
        let target = Target {
            repository: self.asker.repository.to_string(),
            stored_as: repository.to_string(),
            ..Target::default()
        };
        let event = Event {
            request: RequestRecord::default(),
            ..hub.event(&self.asker, Action::Resync, target)
        };
        missed::remember(hub, repository, event);
        true
    }

    fn note_missed(&self, repository: &RepositoryName) -> Option<Step> {
        self.notifications.0.missed.note(repository)
    }
}
