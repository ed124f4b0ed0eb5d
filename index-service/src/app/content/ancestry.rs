//! What images were built on, what was built on them, and whether there is something newer to build on.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::no_tag;
use crate::app::App;
use crate::app::caller::Caller;
use crate::app::error::AppError;
use crate::domain::content::{Part, Role};
use crate::domain::layer::{image_layers, layer_chain, layer_chains};
use crate::domain::{RepositoryFacts, RepositoryId, Right};
use crate::store::ancestry::{self, ManifestPlace};
use crate::store::{Tx, lineage, manifest, tag};

/// Images of an index that are looked at.
const MOST_IMAGES: usize = 20;
/// Repositories that hold a layer, and images with it of each, that are looked at.
const MOST_OF_LAYER: u32 = 50;
/// Repositories with images of the same layers that are looked at.
const MOST_REPOSITORIES: usize = 64;
/// Bases that are told, and of them those of the image's own repository.
const MOST_BASES: usize = 10;
const MOST_OWN: usize = 3;
/// Images below, and images above, whose tags are looked for.
const MOST_TAGGED: usize = lineage::IMAGES / 2;
/// Tags of an image that are told.
const MOST_TAGS: usize = 20;
/// Images built on one that are told.
const MOST_DESCENDANTS: usize = 50;
/// Repositories, and images of each, that a page looks for descendants in: all of them together are asked about at once.
const PAGE_REPOSITORIES: u32 = 6;
const PAGE_IMAGES: u32 = 5;
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

/// An image that has some of another's first layers and no others.
#[derive(Debug, Clone)]
struct Below {
    image: ManifestPlace,
    layers: usize,
}

/// Repositories that the caller may pull.
pub(super) type Visible = HashMap<RepositoryId, RepositoryFacts>;

/// The tags that lead to an image, by themselves or by an index; and those that did.
#[derive(Debug, Default)]
struct Tags {
    tags: Vec<String>,
    moved: Vec<MovedTag>,
}

impl App {
    /// What an image was built on and some of what was built on it, as far as the caller may pull that: in ten statements, or one
    /// more for each further 64 layers, whatever there is below and above it.
    pub(in crate::app) async fn lineage(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        (id, digest): (RepositoryId, &str),
    ) -> Result<Lineage, AppError> {
        let parts = manifest::list_parts(tx, id, digest).await?;
        let own = image_layers(&parts);
        let Some(top) = own.last() else {
            return Ok(Lineage::default());
        };
        let below = below(tx, &own).await?;
        let mut holders = ancestry::list_with_blob(tx, top, i64::MIN, PAGE_REPOSITORIES + 1).await?;
        holders.retain(|other| *other != id);
        holders.truncate(usize::try_from(PAGE_REPOSITORIES).unwrap_or(usize::MAX));
        let asked = holders.iter().copied().chain(below.iter().map(|one| one.image.0));
        let visible = self.visible(tx, caller, &distinct(asked)).await?;
        let below = chosen(&below, &visible, id);
        holders.retain(|other| visible.contains_key(other));
        let mut above = above(tx, &holders, &own, PAGE_IMAGES).await?;
        above.truncate(MOST_TAGGED);
        let mut images: Vec<ManifestPlace> = below.iter().map(|one| one.image.clone()).collect();
        images.extend_from_slice(&above);
        let tags = tags_of(tx, &images).await?;
        Ok(Lineage {
            bases: bases(&below, &tags, &visible),
            descendants: descendants(&above, &tags, &visible),
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
        let below = below(tx, &image_layers(&parts)).await?;
        let asked = distinct(below.iter().map(|one| one.image.0));
        let visible = self.visible(tx, caller, &asked).await?;
        let below = chosen(&below, &visible, id);
        let images: Vec<ManifestPlace> = below.iter().map(|one| one.image.clone()).collect();
        let tags = tags_of(tx, &images).await?;
        Ok(bases(&below, &tags, &visible))
    }

    /// Images with tags that were built on this one, as far as the caller may pull them.
    pub(super) async fn descendants_of(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        (id, digest): (RepositoryId, &str),
    ) -> Result<Vec<Descendant>, AppError> {
        let parts = manifest::list_parts(tx, id, digest).await?;
        let own = image_layers(&parts);
        let Some(top) = own.last() else {
            return Ok(Vec::new());
        };
        let mut holders = ancestry::list_with_blob(tx, top, i64::MIN, MOST_OF_LAYER).await?;
        let visible = self.visible(tx, caller, &holders).await?;
        holders.retain(|other| visible.contains_key(other));
        let above = above(tx, &holders, &own, MOST_OF_LAYER).await?;
        let mut found = Vec::new();
        for images in above.chunks(lineage::IMAGES) {
            let tags = tags_of(tx, images).await?;
            found.extend(descendants(images, &tags, &visible));
            if found.len() >= MOST_DESCENDANTS {
                found.truncate(MOST_DESCENDANTS);
                break;
            }
        }
        Ok(found)
    }

    /// Those of some repositories that the caller may pull.
    pub(super) async fn visible(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        ids: &[RepositoryId],
    ) -> Result<Visible, AppError> {
        let seen = self.see_all(tx, &caller.principal(), ids).await?;
        let visible = seen
            .into_iter()
            .filter(|seen| seen.rights().contains(Right::Pull));
        Ok(visible
            .map(|seen| (seen.facts.repository_id, seen.facts))
            .collect())
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

/// The first of some repositories, each once.
fn distinct(ids: impl Iterator<Item = RepositoryId>) -> Vec<RepositoryId> {
    let mut met = BTreeSet::new();
    let new = ids.filter(|id| met.insert(*id));
    new.take(MOST_REPOSITORIES).collect()
}

/// Images that have some of the first of these layers and no others: those with the most first.
async fn below(tx: &mut Tx, own: &[&str]) -> Result<Vec<Below>, AppError> {
    let mut chains = layer_chains(own.iter().copied());
    // Whatever has all of them is the same.
    chains.pop();
    if chains.is_empty() {
        return Ok(Vec::new());
    }
    let known = lineage::find_chains(tx, &chains).await?;
    let stacks = (1_usize..).zip(chains);
    let mut stacks: Vec<(usize, String)> = stacks.filter(|(_, chain)| known.contains(chain)).collect();
    stacks.reverse();
    stacks.truncate(lineage::AT_ONCE);
    let names: Vec<String> = stacks.iter().map(|(_, chain)| chain.clone()).collect();
    let mut images = lineage::list_of_chains(tx, &names).await?;
    let mut found = Vec::new();
    for (layers, chain) in stacks {
        let of_chain = images.remove(&chain).unwrap_or_default();
        found.extend(of_chain.into_iter().map(|image| Below { image, layers }));
    }
    Ok(found)
}

/// Of images below one those whose tags are looked for: of each stack others' images first, which are what people mean by a
/// base.
fn chosen(below: &[Below], visible: &Visible, id: RepositoryId) -> Vec<Below> {
    let mut chosen = Vec::new();
    for stack in below.chunk_by(|one, next| one.layers == next.layers) {
        let seen = stack
            .iter()
            .filter(|one| visible.contains_key(&one.image.0))
            .cloned();
        let (own, others): (Vec<Below>, Vec<Below>) = seen.partition(|one| one.image.0 == id);
        chosen.extend(others.into_iter().take(MOST_BASES));
        chosen.extend(own.into_iter().take(MOST_OWN));
    }
    chosen.truncate(MOST_TAGGED);
    chosen
}

/// Images of these repositories, so many of each, that have all of these layers first and then others.
async fn above(
    tx: &mut Tx,
    holders: &[RepositoryId],
    own: &[&str],
    most: u32,
) -> Result<Vec<ManifestPlace>, AppError> {
    let Some(top) = own.last() else {
        return Ok(Vec::new());
    };
    let images = lineage::list_with_part(tx, holders, top, most).await?;
    let mut found = Vec::new();
    for chunk in images.chunks(lineage::IMAGES) {
        let parts = lineage::list_parts_of_images(tx, chunk).await?;
        let is_on_it = |image: &&ManifestPlace| parts.get(*image).is_some_and(|parts| is_on(parts, own));
        found.extend(chunk.iter().filter(is_on_it).cloned());
    }
    Ok(found)
}

/// Whether an image of these parts has these layers first and then others.
fn is_on(parts: &[Part], own: &[&str]) -> bool {
    let layers = image_layers(parts);
    layers.len() > own.len() && layers.starts_with(own)
}

/// The tags of images, at most [`lineage::IMAGES`].
async fn tags_of(tx: &mut Tx, images: &[ManifestPlace]) -> Result<HashMap<ManifestPlace, Tags>, AppError> {
    let mut found = HashMap::new();
    if images.is_empty() {
        return Ok(found);
    }
    let mut led = lineage::list_tags_of_images(tx, images).await?;
    let mut left = lineage::list_left_of_images(tx, images).await?;
    for image in images {
        let tags: BTreeSet<String> = led.remove(image).unwrap_or_default().into_iter().collect();
        let mut moved: BTreeMap<String, MovedTag> = BTreeMap::new();
        for one in left.remove(image).unwrap_or_default() {
            let is_known = moved
                .get(&one.tag)
                .is_some_and(|known| known.moved_at >= one.changed_at);
            if tags.contains(&one.tag) || is_known {
                continue;
            }
            let last = MovedTag {
                name: one.tag.clone(),
                digest: one.digest,
                moved_at: one.changed_at,
            };
            moved.insert(one.tag, last);
        }
        let mut moved: Vec<MovedTag> = moved.into_values().collect();
        moved.sort_by_key(|one| std::cmp::Reverse(one.moved_at));
        moved.truncate(MOST_TAGS);
        let tags = tags.into_iter().take(MOST_TAGS).collect();
        found.insert(image.clone(), Tags { tags, moved });
    }
    Ok(found)
}

/// The images with the most layers that a tag leads to, or led to.
fn bases(below: &[Below], tags: &HashMap<ManifestPlace, Tags>, visible: &Visible) -> Vec<Base> {
    let base = |one: &Below| {
        let known = tags.get(&one.image)?;
        if known.tags.is_empty() && known.moved.is_empty() {
            return None;
        }
        Some(Base {
            repository: visible.get(&one.image.0)?.clone(),
            digest: one.image.1.clone(),
            layers: one.layers,
            tags: known.tags.clone(),
            moved: known.moved.clone(),
        })
    };
    let stacks = below.chunk_by(|one, next| one.layers == next.layers);
    let mut found = stacks.map(|stack| stack.iter().filter_map(base).take(MOST_BASES).collect::<Vec<_>>());
    found.find(|bases| !bases.is_empty()).unwrap_or_default()
}

/// Those of these images that a tag leads to.
fn descendants(
    images: &[ManifestPlace],
    tags: &HashMap<ManifestPlace, Tags>,
    visible: &Visible,
) -> Vec<Descendant> {
    let built = images.iter().filter_map(|image| {
        let known = tags.get(image).filter(|known| !known.tags.is_empty())?;
        Some(Descendant {
            repository: visible.get(&image.0)?.clone(),
            digest: image.1.clone(),
            tags: known.tags.clone(),
        })
    });
    built.collect()
}
