//! Pulls: gathered in memory, written together every few seconds.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Mutex, PoisonError};

use shared::oci::{Digest, MediaType, RepositoryName, Tag};

use super::day_of;
use super::event::Event;
use super::intake::by;
use crate::app::App;
use crate::app::error::AppError;
use crate::app::token::OWN_SUBJECT;
use crate::domain::content::{Dimension, client_kind};
use crate::domain::search::doublings;
use crate::registry_client;
use crate::store::content_count::{self, Count, Counter};
use crate::store::{Tx, content_feed, manifest, posting};

/// Kinds of pulls that wait to be written; what does not fit is not counted.
const MOST_WAITING: usize = 50_000;
/// Counters that are written in one transaction.
const BATCH: usize = 500;

/// Pulls that wait to be written.
#[derive(Debug, Default)]
pub(in crate::app) struct Pulls(Mutex<HashMap<Key, Noted>>);

/// Pulls that are the same in every respect that is counted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    stored_as: RepositoryName,
    digest: String,
    tag: Option<String>,
    is_index: bool,
    client: &'static str,
    day: i64,
    /// Address, program and name of who pulls.
    who: u64,
}

#[derive(Debug, Clone, Default)]
struct Noted {
    asked: i64,
    taken: i64,
    last_at: i64,
    /// Whose pulls these are; none of who had not signed in.
    by: Option<String>,
}

impl Pulls {
    /// Notes a pull of a manifest; says whether it will be counted. The index's own reading is not.
    pub(super) fn note(&self, stored_as: &RepositoryName, event: &Event, now: i64) -> bool {
        let target = &event.target;
        let Ok(digest) = target.digest.parse::<Digest>() else {
            return false;
        };
        let is_own = event.actor.name == OWN_SUBJECT
            || (event.actor.name.is_empty() && event.request.useragent == registry_client::USER_AGENT);
        if is_own {
            return false;
        }
        let at = event.at(now);
        let mut who = DefaultHasher::new();
        // Without the port, which is another one for each connection.
        let address = event
            .request
            .addr
            .rsplit_once(':')
            .map_or("", |(address, _)| address);
        (address, &event.request.useragent, &event.actor.name).hash(&mut who);
        let key = Key {
            stored_as: stored_as.clone(),
            digest: digest.to_string(),
            tag: target.tag.parse::<Tag>().ok().map(|tag| tag.to_string()),
            is_index: MediaType::find(&target.media_type).is_some_and(MediaType::is_index),
            client: client_kind(&event.request.useragent),
            day: day_of(at),
            who: who.finish(),
        };
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() >= MOST_WAITING && !waiting.contains_key(&key) {
            return false;
        }
        let noted = waiting.entry(key).or_default();
        if event.request.method == "HEAD" {
            noted.asked += 1;
        } else {
            noted.taken += 1;
        }
        noted.last_at = noted.last_at.max(at);
        if noted.by.is_none() {
            noted.by = by(event);
        }
        true
    }

    fn take(&self) -> HashMap<Key, Noted> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl App {
    /// Writes down the pulls that wait. What cannot be written is lost, as pulls may be.
    pub async fn flush_pulls(&self) {
        let waiting = self.pulls.take();
        if waiting.is_empty() {
            return;
        }
        let count = waiting.len();
        if let Err(error) = self.write_pulls(waiting).await {
            tracing::warn!(%error, kinds = count, "could not write down pulls; they are not counted");
        }
    }

    async fn write_pulls(&self, waiting: HashMap<Key, Noted>) -> Result<(), AppError> {
        let mut of_repositories: BTreeMap<RepositoryName, Vec<(Key, Noted)>> = BTreeMap::new();
        for (key, noted) in waiting {
            of_repositories
                .entry(key.stored_as.clone())
                .or_default()
                .push((key, noted));
        }
        let mut counts: BTreeMap<Counter, Count> = BTreeMap::new();
        let mut tx = self.store.read().await?;
        for (stored_as, noted) in of_repositories {
            let Some(repository) = content_feed::find_stored_repository(&mut tx, &stored_as).await? else {
                continue;
            };
            if repository.is_pending {
                continue;
            }
            let id = repository.repository_id;
            let mut platforms: HashMap<String, Option<String>> = HashMap::new();
            for (key, noted) in noted {
                let mut add = |dimension, value: &str, pulls| {
                    let counter = Counter {
                        repository_id: id,
                        dimension,
                        value: value.to_owned(),
                        day: key.day,
                    };
                    let count = counts.entry(counter).or_default();
                    count.pulls += pulls;
                    if count.last_pulled_at.is_none_or(|last| last <= noted.last_at) {
                        count.last_pulled_at = Some(noted.last_at);
                        count.last_pulled_by.clone_from(&noted.by);
                    }
                };
                // An image counts once, whether clients come to it through an index or not.
                let images = if key.is_index { 0 } else { noted.taken };
                add(Dimension::Repository, "", images);
                add(Dimension::Digest, &key.digest, noted.taken);
                if let Some(tag) = &key.tag {
                    // Clients ask what a tag points to and take that by its digest, or they take it at once.
                    add(Dimension::Tag, tag, noted.asked.max(noted.taken));
                }
                if images > 0 {
                    add(Dimension::Client, key.client, images);
                    let platform = match platforms.entry(key.digest.clone()) {
                        Entry::Occupied(entry) => entry.into_mut(),
                        Entry::Vacant(entry) => {
                            let known = manifest::find_manifest(&mut tx, id, &key.digest).await?;
                            entry.insert(known.and_then(|known| known.description.platform))
                        }
                    };
                    if let Some(platform) = platform {
                        add(Dimension::Platform, platform, images);
                    }
                }
            }
        }
        drop(tx);
        let counts: Vec<(Counter, Count)> = counts.into_iter().collect();
        for batch in counts.chunks(BATCH) {
            let mut tx = self.store.write().await?;
            let mut risen = Vec::new();
            for (counter, count) in batch {
                if counter.dimension == Dimension::Repository && rises(&mut tx, counter, count).await? {
                    risen.push(counter.repository_id);
                }
                content_count::add_count(&mut tx, counter, count).await?;
            }
            tx.commit().await?;
            // Where searches find it follows, in a transaction of its own.
            for repository_id in risen {
                let mut tx = self.store.write().await?;
                posting::refresh(&mut tx, repository_id).await?;
                tx.commit().await?;
            }
        }
        Ok(())
    }
}

/// Whether a repository has pulls enough now to stand elsewhere among what searches find: that is so with each doubling.
async fn rises(tx: &mut Tx, counter: &Counter, count: &Count) -> Result<bool, AppError> {
    let (id, dimension) = (counter.repository_id, counter.dimension);
    let before = content_count::find_total(tx, id, dimension, &counter.value).await?;
    let before = before.map_or(0, |total| total.pull_count);
    Ok(doublings(before) != doublings(before.saturating_add(count.pulls)))
}
