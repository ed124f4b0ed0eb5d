//! How much there is, and what would be freed.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::no_tag;
use crate::app::App;
use crate::app::caller::Caller;
use crate::app::error::AppError;
use crate::domain::content::Role;
use crate::domain::{NamespaceName, RepositoryId};
use crate::store::Tx;
use crate::store::manifest::{self, Measure};
use crate::store::tag;

/// Most manifests whose bytes are counted.
const MOST: usize = 2_000;

/// What would go with a tag.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Freed {
    /// Bytes that the repository would hold less.
    pub bytes: i64,
    /// Of these, bytes that no other repository holds: what the storage would have more, after garbage collection.
    pub storage_bytes: i64,
    /// Manifests to which nothing else leads.
    pub manifests: Vec<String>,
    /// Whether they are so many that not all are counted.
    pub is_cut: bool,
}

impl App {
    /// How much a repository holds, for whoever may pull it.
    pub async fn measure_repository(
        &self,
        caller: &Caller,
        repository_id: RepositoryId,
    ) -> Result<Measure, AppError> {
        let mut tx = self.store.read().await?;
        self.see_content(&mut tx, caller, repository_id).await?;
        Ok(manifest::measure_repository(&mut tx, repository_id).await?)
    }

    /// How much the repositories of a namespace hold, what they share once; for those who administer it.
    pub async fn measure_namespace(
        &self,
        caller: &Caller,
        name: &NamespaceName,
    ) -> Result<Measure, AppError> {
        let mut tx = self.store.read().await?;
        let namespace = self.administered_namespace(&mut tx, caller, name).await?;
        Ok(manifest::measure_namespace(&mut tx, namespace.namespace_id).await?)
    }

    /// What deleting a tag would free: what nothing else in the repository leads to.
    pub async fn measure_deletion(
        &self,
        caller: &Caller,
        repository_id: RepositoryId,
        tag: &str,
    ) -> Result<Freed, AppError> {
        let mut tx = self.store.read().await?;
        self.see_content(&mut tx, caller, repository_id).await?;
        let pointer = tag::find_pointer(&mut tx, repository_id, tag).await?;
        let root = pointer.ok_or_else(|| no_tag(tag))?.digest;
        let goes = going_of(&mut tx, repository_id, Some(tag), root).await?;
        weigh(&mut tx, repository_id, goes.into_iter().collect()).await
    }
}

/// What a repository holds less, and the storage, when these manifests go. Of very many, only the first are counted.
pub(in crate::app) async fn weigh(
    tx: &mut Tx,
    repository_id: RepositoryId,
    goes: Vec<String>,
) -> Result<Freed, AppError> {
    let mut freed = Freed::default();
    let mut uses: BTreeMap<String, (i64, i64)> = BTreeMap::new();
    for digest in goes.iter().take(MOST) {
        let Some(known) = manifest::find_manifest(tx, repository_id, digest).await? else {
            continue;
        };
        let parts = manifest::list_parts(tx, repository_id, digest).await?;
        for (blob, size) in manifest::blobs(digest, known.description.size, &parts) {
            uses.entry(blob.to_owned()).or_insert((size, 0)).1 += 1;
        }
    }
    for (blob, (size, count)) in uses {
        if manifest::count_uses(tx, repository_id, &blob).await? > count {
            continue;
        }
        freed.bytes += size;
        if !manifest::is_needed_elsewhere(tx, repository_id, &blob).await? {
            freed.storage_bytes += size;
        }
    }
    freed.is_cut = goes.len() > MOST;
    freed.manifests = goes;
    Ok(freed)
}

/// The manifests to which nothing leads but this tag, or without one this manifest, all tags of which go.
pub(super) async fn going_of(
    tx: &mut Tx,
    id: RepositoryId,
    tag: Option<&str>,
    root: String,
) -> Result<BTreeSet<String>, AppError> {
    let mut goes = BTreeSet::new();
    let mut queue = VecDeque::from([root.clone()]);
    while let Some(digest) = queue.pop_front() {
        let tags = tag::list_tags_of_digest(tx, id, &digest, 2).await?;
        let is_held = match tag {
            Some(tag) => tags.iter().any(|pointer| pointer.name != tag),
            None => digest != root && !tags.is_empty(),
        };
        if is_held || goes.len() >= MOST {
            continue;
        }
        let parents = manifest::list_parents(tx, id, &digest, 100).await?;
        let is_whole = tag.is_none() && digest == root;
        if !is_whole && parents.iter().any(|parent| !goes.contains(parent)) || !goes.insert(digest.clone()) {
            continue;
        }
        let parts = manifest::list_parts(tx, id, &digest).await?;
        queue.extend(
            parts
                .into_iter()
                .filter(|part| part.role == Role::Manifest)
                .map(|part| part.digest),
        );
        // What refers to something that is gone goes with it.
        let referrers = manifest::list_referrers(tx, id, &digest, 100).await?;
        queue.extend(referrers.into_iter().map(|referrer| referrer.digest));
    }
    Ok(goes)
}
