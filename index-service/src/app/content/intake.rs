//! Events of the registry, carried out once each, in the order of each repository.

use std::collections::BTreeMap;

use shared::oci::{Digest, MediaType, RepositoryName, Tag};
use shared::secret::Secret;

use super::event::{Envelope, Event};
use super::showcase::refresh_showcase;
use super::{day_of, stored_name};
use crate::app::App;
use crate::app::error::AppError;
use crate::app::overview::want_reading;
use crate::domain::content::{Dimension, clean, client_kind};
use crate::domain::webhook::Facts;
use crate::domain::{EventKind, RepositoryId};
use crate::store::content_count::{self, Count, Counter};
use crate::store::content_feed::{self, Feed, TagChange};
use crate::store::{Tx, manifest, manifest_work, tag};

/// Most events of one delivery.
const MOST_EVENTS: usize = 1_000;
/// Events that are remembered of each repository: twice what a registry sends again after it was killed.
const REMEMBERED: usize = 64;
/// Digits of an event's id that are remembered.
const ID_DIGITS: usize = 16;

/// What became of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Carried {
    /// Events that changed something.
    pub done: usize,
    /// Events that were carried out before.
    pub known: usize,
    /// Pulls, which are counted later.
    pub pulls: usize,
    /// Events that are none of the index's concern: blobs, repositories that it does not know.
    pub ignored: usize,
}

impl App {
    /// Whether this is what the registry shows of itself when it delivers events. Of no registry, where none is configured.
    pub fn is_registry(&self, shown: &Secret<String>) -> bool {
        // Each is compared, so that the time tells nothing of which.
        let secrets = self.settings.event_secrets.iter();
        secrets.filter(|secret| *secret == shown).count() > 0
    }

    /// Whether events are taken over HTTP.
    pub fn takes_events(&self) -> bool {
        !self.settings.event_secrets.is_empty()
    }

    /// Carries out a delivery of events, those of one repository in one transaction. The same may be delivered any number of
    /// times. What fails is to be delivered again as a whole.
    pub async fn receive_events(&self, body: &[u8]) -> Result<Carried, AppError> {
        let envelope: Envelope = serde_json::from_slice(body)
            .map_err(|error| AppError::Invalid(format!("this is no envelope of events: {error}")))?;
        if envelope.events.len() > MOST_EVENTS {
            return Err(AppError::Invalid(format!(
                "a delivery has at most {MOST_EVENTS} events"
            )));
        }
        let now = self.clock.now_ms();
        let mut carried = Carried::default();
        let mut of_repositories: BTreeMap<RepositoryName, Vec<Event>> = BTreeMap::new();
        for event in envelope.events {
            let is_manifest = MediaType::find(&event.target.media_type).is_some();
            let Some(stored_as) = stored_name(&event.target) else {
                carried.ignored += 1;
                continue;
            };
            match event.action.as_str() {
                "pull" if is_manifest && self.pulls.note(&stored_as, &event, now) => carried.pulls += 1,
                "push" if is_manifest => of_repositories.entry(stored_as).or_default().push(event),
                "delete" | "resync" => of_repositories.entry(stored_as).or_default().push(event),
                _ => carried.ignored += 1,
            }
        }
        for (stored_as, events) in of_repositories {
            self.carry_out(&stored_as, &events, now, &mut carried).await?;
        }
        Ok(carried)
    }

    async fn carry_out(
        &self,
        stored_as: &RepositoryName,
        events: &[Event],
        now: i64,
        carried: &mut Carried,
    ) -> Result<(), AppError> {
        // Where the registry runs apart, the event of its first manifest is how the index hears of a push.
        if let Some(push) = events.iter().find(|event| event.action == "push") {
            let name = push
                .target
                .repository
                .parse()
                .unwrap_or_else(|_| stored_as.clone());
            let pusher = Some(push.actor.name.as_str()).filter(|name| !name.is_empty());
            self.confirm_stored(&name, stored_as, pusher).await?;
        }
        let mut tx = self.store.write().await?;
        let known = content_feed::find_stored_repository(&mut tx, stored_as).await?;
        let Some(repository) = known.filter(|repository| !repository.is_pending) else {
            carried.ignored += events.len();
            return Ok(());
        };
        let mut delivery = Delivery {
            repository_id: repository.repository_id,
            feed: content_feed::enter_feed(&mut tx, repository.repository_id, now).await?,
            counts: BTreeMap::new(),
            told: Vec::new(),
            name: repository.name,
            is_told: repository.is_active,
            now,
            tag_changed_at: None,
        };
        let before = carried.done;
        for event in events {
            let id: String = event
                .id
                .chars()
                .filter(char::is_ascii_alphanumeric)
                .take(ID_DIGITS)
                .collect();
            if !id.is_empty()
                && delivery.feed.recent.contains(&id)
                && !shared::sabotage::breaks("events-again")
            {
                carried.known += 1;
                continue;
            }
            if delivery.carry_out(&mut tx, event).await? {
                carried.done += 1;
            } else {
                carried.ignored += 1;
            }
            if !id.is_empty() {
                delivery.feed.recent.push(id);
            }
        }
        let told = delivery.finish(&mut tx).await?;
        if !told.is_empty() {
            let listeners = self.listeners(&mut tx, repository.repository_id).await?;
            self.tell_all(&mut tx, &listeners, &told).await?;
        }
        tx.commit().await?;
        if !told.is_empty() {
            self.telling.notify_one();
        }
        if carried.done > before {
            self.reading.notify_one();
        }
        Ok(())
    }
}

/// Events of one repository as they are carried out.
struct Delivery {
    repository_id: RepositoryId,
    feed: Feed,
    counts: BTreeMap<Counter, Count>,
    /// What webhooks may be told of.
    told: Vec<(EventKind, Facts)>,
    /// What the repository is called.
    name: RepositoryName,
    /// Not of a deleted one, whose content is removed.
    is_told: bool,
    now: i64,
    /// When a tag was changed last, if any was.
    tag_changed_at: Option<i64>,
}

impl Delivery {
    /// Says whether the event changed anything, or could.
    async fn carry_out(&mut self, tx: &mut Tx, event: &Event) -> Result<bool, AppError> {
        let target = &event.target;
        let tag = target.tag.parse::<Tag>().ok();
        let digest = target
            .digest
            .parse::<Digest>()
            .ok()
            .map(|digest| digest.to_string());
        match (event.action.as_str(), tag, digest) {
            ("push", tag, Some(digest)) => {
                self.pushed(tx, event, tag.as_ref().map(Tag::as_str), &digest)
                    .await?;
                Ok(true)
            }
            ("delete", Some(tag), _) => self.tag_deleted(tx, event, tag.as_str()).await,
            ("delete", None, Some(digest)) => {
                manifest_work::drop_work(tx, self.repository_id, &digest).await?;
                let is_removed = manifest::remove_manifest(tx, self.repository_id, &digest).await?;
                if is_removed {
                    let facts = Facts {
                        digest: Some(digest),
                        ..self.facts(event)
                    };
                    self.tell(EventKind::ManifestDeleted, facts);
                }
                Ok(is_removed)
            }
            ("resync", _, _) => {
                want_reading(tx, self.repository_id, self.now).await?;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    async fn pushed(
        &mut self,
        tx: &mut Tx,
        event: &Event,
        tag: Option<&str>,
        digest: &str,
    ) -> Result<(), AppError> {
        let (id, at) = (self.repository_id, event.at(self.now));
        let size = i64::try_from(event.target.size).unwrap_or(i64::MAX);
        let media_type = MediaType::find(&event.target.media_type).map_or("", MediaType::as_str);
        if manifest::add_manifest(tx, id, digest, media_type, size).await? {
            manifest_work::add_work(tx, id, Some(digest), self.now).await?;
        }
        self.count_push(Dimension::Digest, digest, event, at, true);
        let client = client_kind(&event.request.useragent);
        let Some(tag) = tag else {
            // A part of something that a tag will point to: the repository was pushed to, though not counted.
            self.count_push(Dimension::Repository, "", event, at, false);
            return Ok(());
        };
        let before = tag::find_pointer(tx, id, tag).await?;
        tag::put_tag(tx, id, tag, digest, at).await?;
        let mut facts = Facts {
            tag: Some(tag.to_owned()),
            digest: Some(digest.to_owned()),
            media_type: Some(media_type.to_owned()).filter(|text| !text.is_empty()),
            ..self.facts(event)
        };
        if before.as_ref().is_none_or(|pointer| pointer.digest != digest) {
            let before = match before {
                // What was read from the registry may be ahead of the events: then the history knows better.
                Some(pointer) if pointer.updated_at > at => {
                    self.last_known(tx, tag).await?.or(Some(pointer.digest))
                }
                before => before.map(|pointer| pointer.digest),
            };
            facts.digest_before.clone_from(&before);
            self.change_tag(tx, event, tag, before, Some(digest.to_owned()))
                .await?;
        }
        self.tell(EventKind::Push, facts.clone());
        if facts.digest_before.is_some() {
            self.tell(EventKind::TagMoved, facts);
        }
        self.count_push(Dimension::Tag, tag, event, at, true);
        self.count_push(Dimension::Repository, "", event, at, true);
        self.count_push(Dimension::Client, client, event, at, true);
        Ok(())
    }

    async fn tag_deleted(&mut self, tx: &mut Tx, event: &Event, tag: &str) -> Result<bool, AppError> {
        let before = tag::find_pointer(tx, self.repository_id, tag).await?;
        let before = match before {
            Some(pointer) => Some(pointer.digest),
            None => self.last_known(tx, tag).await?,
        };
        let removed = tag::remove_tag(tx, self.repository_id, tag).await?;
        if removed || before.is_some() {
            let facts = Facts {
                tag: Some(tag.to_owned()),
                digest_before: before.clone(),
                ..self.facts(event)
            };
            self.tell(EventKind::TagDeleted, facts);
            self.change_tag(tx, event, tag, before, None).await?;
            return Ok(true);
        }
        Ok(false)
    }

    /// What the history says that a tag points to.
    async fn last_known(&self, tx: &mut Tx, tag: &str) -> Result<Option<String>, AppError> {
        let last = content_feed::list_tag_changes(tx, self.repository_id, tag, i64::MAX, 1).await?;
        Ok(last.into_iter().next().and_then(|change| change.digest_after))
    }

    async fn change_tag(
        &mut self,
        tx: &mut Tx,
        event: &Event,
        tag: &str,
        digest_before: Option<String>,
        digest_after: Option<String>,
    ) -> Result<(), AppError> {
        self.feed.changes += 1;
        let at = event.at(self.now);
        self.tag_changed_at = self.tag_changed_at.max(Some(at));
        let change = TagChange {
            sequence: self.feed.changes,
            tag: tag.to_owned(),
            digest_before,
            digest_after,
            changed_at: at,
            changed_by: by(event),
            client: Some(client_kind(&event.request.useragent).to_owned()),
        };
        Ok(content_feed::add_tag_change(tx, self.repository_id, &change).await?)
    }

    fn count_push(&mut self, dimension: Dimension, value: &str, event: &Event, at: i64, counts: bool) {
        let counter = Counter {
            repository_id: self.repository_id,
            dimension,
            value: value.to_owned(),
            day: day_of(at),
        };
        let count = self.counts.entry(counter).or_default();
        count.pushes += i64::from(counts);
        if count.last_pushed_at.is_none_or(|last| last <= at) {
            count.last_pushed_at = Some(at);
            count.last_pushed_by = by(event);
        }
    }

    fn facts(&self, event: &Event) -> Facts {
        let actor = by(event).unwrap_or_default();
        Facts::about(self.repository_id, &self.name, event.at(self.now), &actor)
    }

    fn tell(&mut self, kind: EventKind, facts: Facts) {
        if self.is_told {
            self.told.push((kind, facts));
        }
    }

    /// What webhooks may be told of all that.
    async fn finish(mut self, tx: &mut Tx) -> Result<Vec<(EventKind, Facts)>, AppError> {
        for (counter, count) in &self.counts {
            content_count::add_count(tx, counter, count).await?;
        }
        if let Some(at) = self.tag_changed_at {
            content_feed::note_change(tx, self.repository_id, at).await?;
            refresh_showcase(tx, self.repository_id).await?;
        }
        let beyond = self.feed.recent.len().saturating_sub(REMEMBERED);
        self.feed.recent.drain(..beyond);
        content_feed::leave_feed(tx, self.repository_id, &self.feed).await?;
        Ok(self.told)
    }
}

/// Who did it, as far as anybody verified that.
pub(super) fn by(event: &Event) -> Option<String> {
    Some(clean(&event.actor.name)).filter(|name| !name.is_empty())
}
