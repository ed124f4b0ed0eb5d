//! What depends on a tag, a manifest or a repository: asked before it is deleted.

use std::collections::BTreeSet;

use super::ancestry::Descendant;
use super::space::{Freed, going_of, weigh};
use super::{day_of, no_manifest, no_tag};
use crate::app::App;
use crate::app::access::Seen;
use crate::app::caller::Caller;
use crate::app::error::AppError;
use crate::domain::content::{Dimension, Part, Role};
use crate::domain::{RepositoryFacts, RepositoryId, Right};
use crate::store::manifest::KnownManifest;
use crate::store::{Tx, ancestry, content_count, manifest, tag};

/// Days whose pulls are told.
pub const IMPACT_DAYS: i64 = 30;
/// Tags, indexes and repositories that are told.
const MOST: u32 = 100;
/// Blobs of which it is asked who else holds them.
const MOST_BLOBS: usize = 200;
/// Holders of one blob that are looked at.
const MOST_HOLDERS: u32 = 50;
/// Lines of counts that are added up.
const MOST_LINES: u32 = 5_000;
/// Images of an index whose descendants are looked for.
const MOST_IMAGES: usize = 20;

/// What depends on something.
#[derive(Debug, Clone, Default)]
pub struct Impact {
    /// Other tags of the same manifest.
    pub tags: Vec<String>,
    /// Indexes that the manifest is in.
    pub indexes: Vec<String>,
    /// What refers to the manifest.
    pub referrers: Vec<KnownManifest>,
    /// Repositories that hold some of the same blobs, as far as the caller may pull them.
    pub shared_with: Vec<RepositoryFacts>,
    /// Images that were built on it, as far as the caller may pull them.
    pub built_on_it: Vec<Descendant>,
    /// Pulls of the last days.
    pub pulls: i64,
    /// Pulls of the repository in these days by kinds of clients.
    pub clients: Vec<(String, i64)>,
    /// When it was pulled last.
    pub last_pulled_at: Option<i64>,
    /// By whom, where they had signed in; for those who manage the repository.
    pub last_pulled_by: Option<String>,
    /// What deleting it frees.
    pub freed: Freed,
}

impl App {
    /// What depends on a tag.
    pub async fn impact_of_tag(
        &self,
        caller: &Caller,
        repository_id: RepositoryId,
        name: &str,
    ) -> Result<Impact, AppError> {
        let mut tx = self.store.read().await?;
        let seen = self.see_content(&mut tx, caller, repository_id).await?;
        let pointer = tag::find_pointer(&mut tx, repository_id, name).await?;
        let root = pointer.ok_or_else(|| no_tag(name))?.digest;
        let mut impact = self.impact_of(&mut tx, caller, &seen, &root).await?;
        impact.tags.retain(|other| other != name);
        self.add_pulls(&mut tx, &seen, &mut impact, Dimension::Tag, name)
            .await?;
        let goes = going_of(&mut tx, repository_id, Some(name), root).await?;
        impact.freed = weigh(&mut tx, repository_id, goes.into_iter().collect()).await?;
        Ok(impact)
    }

    /// What depends on a manifest, all tags of which go with it.
    pub async fn impact_of_manifest(
        &self,
        caller: &Caller,
        repository_id: RepositoryId,
        digest: &str,
    ) -> Result<Impact, AppError> {
        let mut tx = self.store.read().await?;
        let seen = self.see_content(&mut tx, caller, repository_id).await?;
        if manifest::find_manifest(&mut tx, repository_id, digest)
            .await?
            .is_none()
        {
            return Err(no_manifest());
        }
        let mut impact = self.impact_of(&mut tx, caller, &seen, digest).await?;
        self.add_pulls(&mut tx, &seen, &mut impact, Dimension::Digest, digest)
            .await?;
        let goes = going_of(&mut tx, repository_id, None, digest.to_owned()).await?;
        impact.freed = weigh(&mut tx, repository_id, goes.into_iter().collect()).await?;
        Ok(impact)
    }

    /// What depends on a repository.
    pub async fn impact_of_repository(
        &self,
        caller: &Caller,
        repository_id: RepositoryId,
    ) -> Result<Impact, AppError> {
        let mut tx = self.store.read().await?;
        let seen = self.see_content(&mut tx, caller, repository_id).await?;
        let mut impact = Impact::default();
        self.add_pulls(&mut tx, &seen, &mut impact, Dimension::Repository, "")
            .await?;
        let pointers = tag::list_pointers(&mut tx, repository_id, "", MOST).await?;
        let mut blobs = BTreeSet::new();
        let mut images = BTreeSet::new();
        for pointer in pointers {
            for digest in images_of(&mut tx, repository_id, &pointer.digest).await? {
                let parts = manifest::list_parts(&mut tx, repository_id, &digest).await?;
                blobs.extend(blobs_of(&parts));
                images.insert(digest);
            }
            impact.tags.push(pointer.name);
        }
        impact.shared_with = self.holders(&mut tx, caller, repository_id, &blobs).await?;
        for digest in images.iter().take(MOST_IMAGES) {
            let found = self
                .descendants_of(&mut tx, caller, (repository_id, digest))
                .await?;
            let outside = found
                .into_iter()
                .filter(|one| one.repository.repository_id != repository_id);
            impact.built_on_it.extend(outside);
        }
        let manifests =
            crate::store::retained::list_retained_manifests(&mut tx, repository_id, "", 5_000).await?;
        let digests = manifests.into_iter().map(|one| one.digest).collect();
        impact.freed = weigh(&mut tx, repository_id, digests).await?;
        impact.freed.manifests.clear();
        Ok(impact)
    }

    async fn impact_of(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        seen: &Seen,
        digest: &str,
    ) -> Result<Impact, AppError> {
        let id = seen.facts.repository_id;
        let pointers = tag::list_tags_of_digest(tx, id, digest, MOST).await?;
        let mut impact = Impact {
            tags: pointers.into_iter().map(|pointer| pointer.name).collect(),
            indexes: manifest::list_parents(tx, id, digest, MOST).await?,
            referrers: manifest::list_referrers(tx, id, digest, MOST).await?,
            ..Impact::default()
        };
        let mut blobs = BTreeSet::new();
        for image in images_of(tx, id, digest).await? {
            let parts = manifest::list_parts(tx, id, &image).await?;
            blobs.extend(blobs_of(&parts));
            impact
                .built_on_it
                .extend(self.descendants_of(tx, caller, (id, &image)).await?);
        }
        impact.tags.sort();
        impact.shared_with = self.holders(tx, caller, id, &blobs).await?;
        Ok(impact)
    }

    /// Other repositories that hold any of some blobs, as far as the caller may pull them. Others are not even counted.
    async fn holders(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        id: RepositoryId,
        blobs: &BTreeSet<String>,
    ) -> Result<Vec<RepositoryFacts>, AppError> {
        let mut ids = BTreeSet::new();
        for blob in blobs.iter().take(MOST_BLOBS) {
            ids.extend(ancestry::list_with_blob(tx, blob, i64::MIN, MOST_HOLDERS).await?);
        }
        ids.remove(&id);
        let most = usize::try_from(MOST).unwrap_or(usize::MAX);
        let ids: Vec<RepositoryId> = ids.into_iter().take(most).collect();
        let mut visible = self.visible(tx, caller, &ids).await?;
        Ok(ids.iter().filter_map(|other| visible.remove(other)).collect())
    }

    async fn add_pulls(
        &self,
        tx: &mut Tx,
        seen: &Seen,
        impact: &mut Impact,
        dimension: Dimension,
        value: &str,
    ) -> Result<(), AppError> {
        let id = seen.facts.repository_id;
        let today = day_of(self.clock.now_ms());
        let days = (today - IMPACT_DAYS + 1, today);
        let total = content_count::find_total(tx, id, dimension, value).await?;
        if let Some(total) = total {
            impact.last_pulled_at = total.last_pulled_at;
            let may_know = seen.rights().contains(Right::Manage);
            impact.last_pulled_by = total.last_pulled_by.filter(|_| may_know);
        }
        let lines = content_count::list_days_of(tx, id, (dimension, value), days).await?;
        impact.pulls = lines.iter().map(|day| day.pull_count).sum();
        let lines = content_count::list_days(tx, id, Dimension::Client, days, MOST_LINES).await?;
        let mut clients: std::collections::BTreeMap<String, i64> = std::collections::BTreeMap::new();
        for line in lines {
            *clients.entry(line.value).or_default() += line.pull_count;
        }
        clients.retain(|_, count| *count > 0);
        impact.clients = clients.into_iter().collect();
        Ok(())
    }
}

/// The images of an index, or the manifest itself.
async fn images_of(tx: &mut Tx, id: RepositoryId, digest: &str) -> Result<Vec<String>, AppError> {
    let parts = manifest::list_parts(tx, id, digest).await?;
    let children = parts.into_iter().filter(|part| part.role == Role::Manifest);
    let mut images: Vec<String> = children.map(|part| part.digest).take(MOST_IMAGES).collect();
    if images.is_empty() {
        images.push(digest.to_owned());
    }
    Ok(images)
}

fn blobs_of(parts: &[Part]) -> impl Iterator<Item = String> {
    let layers = parts
        .iter()
        .filter(|part| part.role == Role::Layer && part.is_blob());
    layers.map(|part| part.digest.clone())
}
