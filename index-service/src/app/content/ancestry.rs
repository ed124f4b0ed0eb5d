//! What images were built on, what was built on them, and whether there is something newer to build on.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};

use super::no_tag;
use crate::app::App;
use crate::app::caller::Caller;
use crate::app::error::AppError;
use crate::domain::content::Role;
use crate::domain::layer::{image_layers, layer_chain, layer_chains};
use crate::domain::{RepositoryFacts, RepositoryId, Right};
use crate::store::{Tx, ancestry, manifest, tag};

/// Images of an index that are looked at.
const MOST_IMAGES: usize = 20;
/// Images of the same layers that are looked at, and of all prefixes together.
const MOST_OF_CHAIN: u32 = 50;
const MOST_LOOKED_AT: usize = 200;
/// Bases that are told.
const MOST_BASES: usize = 10;
/// Tags of a base that are told, and changes that are looked through.
const MOST_TAGS: u32 = 20;
/// Images built on one that are told.
const MOST_DESCENDANTS: usize = 50;
/// Repositories, and images of each, that a page looks for descendants in.
const PAGE_BREADTH: u32 = 6;
/// Stacks that are computed in one transaction.
const BATCH: u32 = 500;

/// What an image was built on.
#[derive(Debug, Clone)]
pub struct ImageBases {
    /// The image.
    pub digest: String,
    /// For which platform it is.
    pub platform: Option<String>,
    /// Images that have the most of its first layers, and no others.
    pub bases: Vec<Base>,
}

/// An image that another was built on.
#[derive(Debug, Clone)]
pub struct Base {
    /// Its repository.
    pub repository: RepositoryFacts,
    /// The image.
    pub digest: String,
    /// How many layers it has.
    pub layers: usize,
    /// Tags that lead to it.
    pub tags: Vec<String>,
    /// Tags that led to it and lead elsewhere by now: there is something newer.
    pub moved: Vec<MovedTag>,
}

/// A tag that led to an image before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovedTag {
    /// The tag.
    pub name: String,
    /// To what it points now.
    pub digest: String,
    /// When it was moved, in milliseconds since 1970.
    pub moved_at: i64,
}

/// An image that was built on another.
#[derive(Debug, Clone)]
pub struct Descendant {
    /// Its repository.
    pub repository: RepositoryFacts,
    /// The image.
    pub digest: String,
    /// Tags that lead to it.
    pub tags: Vec<String>,
}

/// What an image was built on, and what was built on it.
#[derive(Debug, Clone, Default)]
pub struct Lineage {
    /// What it was built on.
    pub bases: Vec<Base>,
    /// Some of what was built on it in other repositories.
    pub descendants: Vec<Descendant>,
}

impl Lineage {
    /// A tag of a base that leads elsewhere by now: something newer to build on.
    pub fn newer(&self) -> Option<(&Base, &MovedTag)> {
        let mut bases = self.bases.iter();
        bases.find_map(|base| base.moved.first().map(|moved| (base, moved)))
    }
}

impl App {
    /// What an image was built on and some of what was built on it, as far as the caller may pull that.
    pub(in crate::app) async fn lineage(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        (id, digest): (RepositoryId, &str),
    ) -> Result<Lineage, AppError> {
        let mut descendants = self
            .descendants_within(tx, caller, (id, digest), PAGE_BREADTH)
            .await?;
        descendants.retain(|one| one.repository.repository_id != id);
        Ok(Lineage {
            bases: self.bases_of(tx, caller, (id, digest)).await?,
            descendants,
        })
    }

    /// What the image of a tag was built on, or each image of an index, as far as the caller may pull that.
    pub async fn find_bases(
        &self,
        caller: &Caller,
        repository_id: RepositoryId,
        name: &str,
    ) -> Result<Vec<ImageBases>, AppError> {
        let mut tx = self.store.read().await?;
        self.see_content(&mut tx, caller, repository_id).await?;
        let pointer = tag::find_pointer(&mut tx, repository_id, name).await?;
        let root = pointer.ok_or_else(|| no_tag(name))?.digest;
        let parts = manifest::list_parts(&mut tx, repository_id, &root).await?;
        let children = parts.iter().filter(|part| part.role == Role::Manifest);
        let mut images: Vec<String> = children
            .map(|part| part.digest.clone())
            .take(MOST_IMAGES)
            .collect();
        if images.is_empty() {
            images.push(root);
        }
        let mut found = Vec::new();
        for digest in images {
            let Some(known) = manifest::find_manifest(&mut tx, repository_id, &digest).await? else {
                continue;
            };
            let bases = self.bases_of(&mut tx, caller, (repository_id, &digest)).await?;
            found.push(ImageBases {
                digest,
                platform: known.description.platform,
                bases,
            });
        }
        Ok(found)
    }

    async fn bases_of(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        (id, digest): (RepositoryId, &str),
    ) -> Result<Vec<Base>, AppError> {
        let parts = manifest::list_parts(tx, id, digest).await?;
        let mut chains = layer_chains(image_layers(&parts));
        chains.pop();
        let known = ancestry::find_chains(tx, &chains).await?;
        let mut looked_at = 0;
        let mut seen: HashMap<RepositoryId, Option<RepositoryFacts>> = HashMap::new();
        for (below, chain) in chains.iter().enumerate().rev() {
            if !known.contains(chain) {
                continue;
            }
            let (mut bases, mut of_others) = (Vec::new(), 0);
            for (base_id, base_digest) in ancestry::list_of_chain(tx, chain, MOST_OF_CHAIN).await? {
                // Those of others come first, and no more are told.
                if of_others >= MOST_BASES {
                    break;
                }
                looked_at += 1;
                if let Entry::Vacant(entry) = seen.entry(base_id) {
                    entry.insert(self.visible(tx, caller, base_id).await?);
                }
                let Some(facts) = seen.get(&base_id).cloned().flatten() else {
                    continue;
                };
                let (tags, moved) = tags_of(tx, base_id, &base_digest).await?;
                if tags.is_empty() && moved.is_empty() {
                    continue;
                }
                of_others += usize::from(base_id != id);
                bases.push(Base {
                    repository: facts,
                    digest: base_digest,
                    layers: below + 1,
                    tags,
                    moved,
                });
            }
            if !bases.is_empty() {
                // Others' images are what people mean by a base.
                bases.sort_by_key(|base| base.repository.repository_id == id);
                bases.truncate(MOST_BASES);
                return Ok(bases);
            }
            if looked_at >= MOST_LOOKED_AT {
                break;
            }
        }
        Ok(Vec::new())
    }

    /// Images with tags that were built on this one, as far as the caller may pull them.
    pub(super) async fn descendants_of(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        image: (RepositoryId, &str),
    ) -> Result<Vec<Descendant>, AppError> {
        self.descendants_within(tx, caller, image, MOST_OF_CHAIN).await
    }

    /// The same among so many repositories, and so many images of each.
    async fn descendants_within(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        (id, digest): (RepositoryId, &str),
        breadth: u32,
    ) -> Result<Vec<Descendant>, AppError> {
        let parts = manifest::list_parts(tx, id, digest).await?;
        let own: Vec<String> = image_layers(&parts).into_iter().map(str::to_owned).collect();
        let Some(top) = own.last() else {
            return Ok(Vec::new());
        };
        let mut found = Vec::new();
        for other in ancestry::list_with_blob(tx, top, i64::MIN, breadth).await? {
            let Some(facts) = self.visible(tx, caller, other).await? else {
                continue;
            };
            for digest in ancestry::list_with_part(tx, other, top, breadth).await? {
                let parts = manifest::list_parts(tx, other, &digest).await?;
                let layers = image_layers(&parts);
                let is_on_it = layers.len() > own.len() && layers.iter().zip(&own).all(|(a, b)| a == b);
                if !is_on_it {
                    continue;
                }
                let (tags, _) = tags_of(tx, other, &digest).await?;
                if tags.is_empty() {
                    continue;
                }
                found.push(Descendant {
                    repository: facts.clone(),
                    digest,
                    tags,
                });
                if found.len() >= MOST_DESCENDANTS {
                    return Ok(found);
                }
            }
        }
        Ok(found)
    }

    /// A repository, if the caller may pull it.
    pub(super) async fn visible(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        id: RepositoryId,
    ) -> Result<Option<RepositoryFacts>, AppError> {
        match self.see_by_id(tx, &caller.principal(), id).await {
            Ok(seen) if seen.rights().contains(Right::Pull) => Ok(Some(seen.facts)),
            Ok(_) | Err(AppError::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Computes the stacks of layers of images that an earlier version read; says how many.
    pub async fn tend_ancestry(&self) -> Result<usize, AppError> {
        let mut count = 0;
        loop {
            let mut tx = self.store.read().await?;
            let batch = ancestry::list_without_chain(&mut tx, BATCH).await?;
            drop(tx);
            if batch.is_empty() {
                return Ok(count);
            }
            count += batch.len();
            let mut tx = self.store.write().await?;
            for (id, digest) in batch {
                let parts = manifest::list_parts(&mut tx, id, &digest).await?;
                ancestry::set_chain(&mut tx, id, &digest, &layer_chain(&parts)).await?;
            }
            tx.commit().await?;
        }
    }
}

/// The tags that lead to a manifest, by themselves or by an index; and those that did.
async fn tags_of(
    tx: &mut Tx,
    id: RepositoryId,
    digest: &str,
) -> Result<(Vec<String>, Vec<MovedTag>), AppError> {
    let mut holders = vec![digest.to_owned()];
    holders.extend(manifest::list_parents(tx, id, digest, MOST_TAGS).await?);
    let mut tags = BTreeSet::new();
    for holder in &holders {
        let pointers = tag::list_tags_of_digest(tx, id, holder, MOST_TAGS).await?;
        tags.extend(pointers.into_iter().map(|pointer| pointer.name));
    }
    let mut moved: Vec<MovedTag> = Vec::new();
    for holder in &holders {
        for left in ancestry::list_left_by(tx, id, holder, MOST_TAGS).await? {
            if tags.contains(&left.tag) || moved.iter().any(|one| one.name == left.tag) {
                continue;
            }
            if let Some(now) = tag::find_pointer(tx, id, &left.tag).await? {
                moved.push(MovedTag {
                    name: left.tag,
                    digest: now.digest,
                    moved_at: left.changed_at,
                });
            }
        }
    }
    Ok((tags.into_iter().collect(), moved))
}
