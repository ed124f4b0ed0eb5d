//! What the registry holds against what the index knows of it: told, and repaired. Content and facts of record are never touched.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;

use shared::oci::MediaType;

use super::is_readable;
use super::showcase::refresh_showcase;
use crate::app::App;
use crate::app::audit::{By, Change};
use crate::app::caller::Caller;
use crate::app::error::AppError;
use crate::app::overview::{want_every_reading, want_reading};
use crate::domain::content::{Description, Role};
use crate::domain::{AuditAction, RepositoryFacts, RepositoryId, Right, TargetKind};
use crate::registry_client::RegistryClient;
use crate::store::{Tx, content_feed, manifest, manifest_work, tag};

/// How often it is begun anew because of pushes meanwhile.
const ATTEMPTS: usize = 5;
/// What is written in one transaction.
const BATCH: usize = 100;
/// What is read of the database at once.
const PAGE: u32 = 1_000;
/// Examples that are told.
const EXAMPLES: usize = 20;
/// Behind every digest.
const BEHIND_DIGESTS: &str = "sha:";

/// What differed between registry and index.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Differences {
    /// Tags and manifests that were compared.
    pub compared: u64,
    /// Tags that the index did not know.
    pub tags_missing: u64,
    /// Tags that pointed elsewhere.
    pub tags_moved: u64,
    /// Tags that the registry does not have.
    pub tags_gone: u64,
    /// Manifests that the index did not know, or had not read yet.
    pub manifests_missing: u64,
    /// Manifests of which the index knew something else than they say.
    pub manifests_different: u64,
    /// Manifests that the registry does not have.
    pub manifests_gone: u64,
    /// The first few of them, in words.
    pub examples: Vec<String>,
}

impl Differences {
    /// Whether nothing differed.
    pub fn is_nothing(&self) -> bool {
        self.count() == 0
    }

    /// How much differed.
    pub fn count(&self) -> u64 {
        self.tags_missing
            + self.tags_moved
            + self.tags_gone
            + self.manifests_missing
            + self.manifests_different
            + self.manifests_gone
    }

    fn note(&mut self, repair: &Repair) {
        let (count, words) = match repair {
            Repair::Tag {
                name,
                digest,
                is_new: true,
            } => (
                &mut self.tags_missing,
                format!("tag {name} ({digest}) was not known"),
            ),
            Repair::Tag {
                name,
                digest,
                is_new: false,
            } => (&mut self.tags_moved, format!("tag {name} points to {digest}")),
            Repair::NoTag(name) => (&mut self.tags_gone, format!("there is no tag {name}")),
            Repair::Manifest {
                digest, is_new: true, ..
            } => (
                &mut self.manifests_missing,
                format!("manifest {digest} was not known"),
            ),
            Repair::Manifest {
                digest,
                is_new: false,
                ..
            } => (
                &mut self.manifests_different,
                format!("manifest {digest} says something else"),
            ),
            Repair::NoManifest(digest) => {
                (&mut self.manifests_gone, format!("there is no manifest {digest}"))
            }
        };
        *count += 1;
        if self.examples.len() < EXAMPLES {
            self.examples.push(words);
        }
    }
}

impl fmt::Display for Differences {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "tags: {} missing, {} moved, {} gone; manifests: {} missing, {} different, {} gone",
            self.tags_missing,
            self.tags_moved,
            self.tags_gone,
            self.manifests_missing,
            self.manifests_different,
            self.manifests_gone
        )
    }
}

/// What makes the index know what the registry holds.
#[derive(Debug)]
enum Repair {
    Tag {
        name: String,
        digest: String,
        is_new: bool,
    },
    NoTag(String),
    Manifest {
        digest: String,
        description: Box<Description>,
        is_new: bool,
    },
    NoManifest(String),
}

impl App {
    /// Compares a repository with what the registry serves, every manifest by its bytes, and repairs what the index knows
    /// of it; with `is_rehearsal` it only tells. By those who manage the repository.
    pub async fn reindex(
        &self,
        caller: &Caller,
        repository_id: RepositoryId,
        is_rehearsal: bool,
    ) -> Result<Differences, AppError> {
        let facts = self.managed(caller, repository_id).await?;
        let registry = self.content_registry().ok_or_else(no_registry)?;
        self.compare(registry, &facts, Care::Thorough, is_rehearsal).await
    }

    /// Wants a repository read again, soon. By those who manage it.
    pub async fn reindex_later(&self, caller: &Caller, repository_id: RepositoryId) -> Result<(), AppError> {
        let facts = self.managed(caller, repository_id).await?;
        let mut tx = self.store.write().await?;
        want_reading(&mut tx, facts.repository_id, self.clock.now_ms()).await?;
        tx.commit().await?;
        self.reading.notify_one();
        Ok(())
    }

    /// Wants every repository read again, soon; says how many there are. By administrators of the site.
    pub async fn reindex_all(&self, caller: &Caller) -> Result<u64, AppError> {
        caller.administrator()?;
        let mut tx = self.store.write().await?;
        let count = want_every_reading(&mut tx, self.clock.now_ms()).await?;
        let change = Change::new(AuditAction::ContentReindex, TargetKind::Site, "")
            .after(serde_json::json!({ "repositories": count }));
        self.audit(&mut tx, By::Caller(caller), change).await?;
        tx.commit().await?;
        self.reading.notify_one();
        Ok(count)
    }

    async fn managed(
        &self,
        caller: &Caller,
        repository_id: RepositoryId,
    ) -> Result<RepositoryFacts, AppError> {
        let mut tx = self.store.read().await?;
        let seen = self
            .see_by_id(&mut tx, &caller.principal(), repository_id)
            .await?
            .with(Right::Manage)?;
        Ok(seen.facts)
    }

    /// Repairs what the index knows of a repository, whoever asks. Manifests that were read are not read again.
    pub(in crate::app) async fn reconcile(
        &self,
        registry: &RegistryClient,
        facts: &RepositoryFacts,
        is_rehearsal: bool,
    ) -> Result<Differences, AppError> {
        self.compare(registry, facts, Care::Quick, is_rehearsal).await
    }

    async fn compare(
        &self,
        registry: &RegistryClient,
        facts: &RepositoryFacts,
        care: Care,
        is_rehearsal: bool,
    ) -> Result<Differences, AppError> {
        if !is_readable(facts) {
            return Ok(Differences::default());
        }
        let mut told = Differences::default();
        for attempt in 1..=ATTEMPTS {
            let mut tx = self.store.read().await?;
            let version = content_feed::find_feed(&mut tx, facts.repository_id)
                .await?
                .version;
            drop(tx);
            let survey = Survey {
                app: self,
                registry,
                facts,
                care,
            };
            let (repairs, compared) = survey.run().await?;
            let mut found = Differences {
                compared,
                ..Differences::default()
            };
            for repair in &repairs {
                found.note(repair);
            }
            let is_settled = if is_rehearsal {
                repairs.is_empty() || self.is_at(facts, version).await?
            } else {
                self.repair(facts, version, repairs).await?
            };
            // What was repaired before somebody pushed is told too.
            if found.count() > told.count() || attempt == 1 || is_rehearsal {
                told = found;
            }
            if is_settled {
                return Ok(told);
            }
        }
        Err(AppError::Conflict(
            "the repository is pushed to all the time, so that no comparison holds; try again later"
                .to_owned(),
        ))
    }

    async fn is_at(&self, facts: &RepositoryFacts, version: i64) -> Result<bool, AppError> {
        let mut tx = self.store.read().await?;
        Ok(content_feed::find_feed(&mut tx, facts.repository_id)
            .await?
            .version
            == version)
    }

    /// Carries out repairs, unless events came since `version`; says whether all are.
    async fn repair(
        &self,
        facts: &RepositoryFacts,
        version: i64,
        repairs: Vec<Repair>,
    ) -> Result<bool, AppError> {
        let (id, now) = (facts.repository_id, self.clock.now_ms());
        if repairs.is_empty() {
            return Ok(true);
        }
        let version = if version == 0 {
            let mut tx = self.store.write().await?;
            let entered = content_feed::enter_feed(&mut tx, id, now).await?.version;
            tx.commit().await?;
            if entered != 1 {
                return Ok(false);
            }
            entered
        } else {
            version
        };
        for batch in repairs.chunks(BATCH) {
            let mut tx = self.store.write().await?;
            if !content_feed::hold_feed(&mut tx, id, version).await? {
                return Ok(false);
            }
            for repair in batch {
                carry_out(&mut tx, id, repair, now).await?;
            }
            refresh_showcase(&mut tx, id).await?;
            tx.commit().await?;
        }
        Ok(true)
    }
}

pub(in crate::app) fn no_registry() -> AppError {
    AppError::Unavailable("no registry can be asked from here".into())
}

async fn carry_out(tx: &mut Tx, id: RepositoryId, repair: &Repair, now: i64) -> Result<(), AppError> {
    match repair {
        Repair::Tag { name, digest, .. } => tag::put_tag(tx, id, name, digest, now).await?,
        Repair::NoTag(name) => drop(tag::remove_tag(tx, id, name).await?),
        Repair::Manifest {
            digest, description, ..
        } => {
            manifest::add_manifest(tx, id, digest, &description.media_type, description.size).await?;
            manifest::describe_manifest(tx, id, digest, description, now).await?;
            manifest_work::drop_work(tx, id, digest).await?;
        }
        Repair::NoManifest(digest) => {
            manifest::remove_manifest(tx, id, digest).await?;
            manifest_work::drop_work(tx, id, digest).await?;
        }
    }
    Ok(())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Care {
    /// What was read once is what it says, since a digest says so.
    Quick,
    /// Everything is read again.
    Thorough,
}

/// One comparison.
struct Survey<'a> {
    app: &'a App,
    registry: &'a RegistryClient,
    facts: &'a RepositoryFacts,
    care: Care,
}

impl Survey<'_> {
    /// What is to be repaired, manifests first, and how much was compared.
    async fn run(&self) -> Result<(Vec<Repair>, u64), AppError> {
        let served = self.served_tags().await?;
        let known = self.known_tags().await?;
        let mut repairs = Vec::new();
        let mut queue: VecDeque<String> = served.values().cloned().collect();
        let mut seen: BTreeSet<String> = BTreeSet::new();
        while let Some(digest) = queue.pop_front() {
            if seen.insert(digest.clone()) {
                self.look_at(&digest, &mut repairs, &mut queue).await?;
            }
        }
        // What no tag leads to cannot be listed; but what is known can be asked for.
        let mut after = String::new();
        loop {
            let mut tx = self.app.store.read().await?;
            let id = self.facts.repository_id;
            let page = manifest::list_manifests_between(&mut tx, id, (&after, BEHIND_DIGESTS), PAGE).await?;
            drop(tx);
            let Some(last) = page.last() else { break };
            after.clone_from(&last.digest);
            for known in page {
                if seen.insert(known.digest.clone()) {
                    self.look_at(&known.digest, &mut repairs, &mut queue).await?;
                }
            }
        }
        let compared = seen.len() + served.len();
        for (name, digest) in &served {
            match known.get(name) {
                Some(at) if at == digest => {}
                at => repairs.push(Repair::Tag {
                    name: name.clone(),
                    digest: digest.clone(),
                    is_new: at.is_none(),
                }),
            }
        }
        let gone = known.into_keys().filter(|name| !served.contains_key(name));
        repairs.extend(gone.map(Repair::NoTag));
        Ok((repairs, compared as u64))
    }

    /// Compares one manifest; what it leads to goes to the end of the queue.
    async fn look_at(
        &self,
        digest: &str,
        repairs: &mut Vec<Repair>,
        queue: &mut VecDeque<String>,
    ) -> Result<(), AppError> {
        let id = self.facts.repository_id;
        let mut tx = self.app.store.read().await?;
        let known = manifest::find_manifest(&mut tx, id, digest).await?;
        let parts = manifest::list_parts(&mut tx, id, digest).await?;
        drop(tx);
        let known = known.map(|mut known| {
            known.description.parts = parts;
            known
        });
        let is_read = known.as_ref().is_some_and(|known| known.is_read);
        let token = self.app.reading_token(self.facts)?;
        let name = &self.facts.name;
        let served = if is_read && self.care == Care::Quick {
            let is_there = self
                .registry
                .manifest(name, digest, &token, true)
                .await?
                .is_some();
            known
                .as_ref()
                .filter(|_| is_there)
                .map(|known| known.description.clone())
        } else {
            self.app.read_manifest(self.registry, self.facts, digest).await?
        };
        let Some(served) = served else {
            if known.is_some() {
                repairs.push(Repair::NoManifest(digest.to_owned()));
            }
            return Ok(());
        };
        let children = served.parts.iter().filter(|part| part.role == Role::Manifest);
        queue.extend(children.map(|part| part.digest.clone()));
        let is_index = MediaType::find(&served.media_type).is_some_and(MediaType::is_index);
        // Signatures and the like are attached to an index as well as to an image, hardly ever to one another.
        if is_index || served.subject.is_none() {
            queue.extend(self.registry.referrers(name, digest, &token).await?);
        }
        if known
            .as_ref()
            .is_none_or(|known| !known.is_read || known.description != served)
        {
            repairs.push(Repair::Manifest {
                digest: digest.to_owned(),
                description: Box::new(served),
                is_new: !is_read,
            });
        }
        Ok(())
    }

    /// What the registry's tags point to.
    async fn served_tags(&self) -> Result<BTreeMap<String, String>, AppError> {
        let name = &self.facts.name;
        let mut served = BTreeMap::new();
        let mut after = String::new();
        loop {
            // A repository may be large, and a token lives for minutes.
            let token = self.app.reading_token(self.facts)?;
            let page = self.registry.tags(name, &token, &after).await?;
            for tag in &page.tags {
                let token = self.app.reading_token(self.facts)?;
                // One that was deleted meanwhile points to nothing.
                if let Some(found) = self.registry.manifest(name, tag, &token, true).await? {
                    served.insert(tag.clone(), found.digest);
                }
            }
            match page.tags.into_iter().last() {
                Some(last) if page.more => after = last,
                _ => return Ok(served),
            }
        }
    }

    async fn known_tags(&self) -> Result<BTreeMap<String, String>, AppError> {
        let mut known = BTreeMap::new();
        let mut after = String::new();
        loop {
            let mut tx = self.app.store.read().await?;
            let page = tag::list_pointers(&mut tx, self.facts.repository_id, &after, PAGE).await?;
            drop(tx);
            let Some(last) = page.last() else { return Ok(known) };
            after.clone_from(&last.name);
            known.extend(page.into_iter().map(|pointer| (pointer.name, pointer.digest)));
        }
    }
}
