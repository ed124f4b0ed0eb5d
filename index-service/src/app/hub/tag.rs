//! Tags of a repository by pages, with their images.

use shared::oci::RepositoryName;

use super::super::App;
use super::super::access::no_repository;
use super::super::caller::Caller;
use super::super::error::AppError;
use crate::domain::{RepositoryFacts, RepositoryState, Right};
use crate::store::Tx;
use crate::store::hub::{self, TagImage};
use crate::store::tag::{self, KnownTag};

/// Most tags of a repository that are looked through for a page.
const MOST: u32 = 20_000;

/// In which order tags are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HubTagOrder {
    /// Those that moved last first, as Docker Hub has it.
    #[default]
    Updated,
    /// By name.
    Name,
}

/// A tag with its images.
#[derive(Debug, Clone)]
pub struct HubTag {
    /// The tag.
    pub tag: KnownTag,
    /// The image that it points to, or those of the index.
    pub images: Vec<TagImage>,
}

impl App {
    /// The tags of a repository whose names hold `part`: the repository, how many, and a page of them.
    pub async fn list_hub_tags(
        &self,
        caller: &Caller,
        name: &RepositoryName,
        part: &str,
        (order, is_reversed): (HubTagOrder, bool),
        (offset, limit): (usize, usize),
    ) -> Result<(RepositoryFacts, usize, Vec<HubTag>), AppError> {
        let mut tx = self.store.read().await?;
        let facts = self.pullable(&mut tx, caller, name).await?;
        let mut pointers = tag::list_pointers(&mut tx, facts.repository_id, "", MOST).await?;
        pointers.retain(|pointer| pointer.name.contains(part));
        if order == HubTagOrder::Updated {
            pointers.sort_by(|a, b| (b.updated_at, &b.name).cmp(&(a.updated_at, &a.name)));
        }
        if is_reversed {
            pointers.reverse();
        }
        let count = pointers.len();
        let names: Vec<String> = pointers
            .into_iter()
            .skip(offset)
            .take(limit)
            .map(|pointer| pointer.name)
            .collect();
        let tags = self.hub_tags(&mut tx, &facts, &names).await?;
        Ok((facts, count, tags))
    }

    /// A tag of a repository with its images.
    pub async fn show_hub_tag(
        &self,
        caller: &Caller,
        name: &RepositoryName,
        tag: &str,
    ) -> Result<(RepositoryFacts, HubTag), AppError> {
        let mut tx = self.store.read().await?;
        let facts = self.pullable(&mut tx, caller, name).await?;
        let found = self.hub_tags(&mut tx, &facts, &[tag.to_owned()]).await?;
        match found.into_iter().next() {
            Some(found) => Ok((facts, found)),
            None => Err(no_tag(name, tag)),
        }
    }

    pub(in crate::app) async fn hub_tags(
        &self,
        tx: &mut Tx,
        facts: &RepositoryFacts,
        names: &[String],
    ) -> Result<Vec<HubTag>, AppError> {
        let mut known = hub::find_tags(tx, facts.repository_id, names).await?;
        let indexes: Vec<String> = known
            .values()
            .filter(|tag| tag.content_size.is_none())
            .map(|tag| tag.digest.clone())
            .collect();
        let mut of_indexes = hub::list_images(tx, facts.repository_id, &indexes).await?;
        let tags = names.iter().filter_map(|name| {
            let tag = known.remove(name)?;
            // Two tags may point to one index.
            let images = of_indexes.get_mut(&tag.digest).cloned();
            let images = images.unwrap_or_else(|| vec![TagImage::of(&tag)]);
            Some(HubTag { tag, images })
        });
        Ok(tags.collect())
    }

    async fn pullable(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        name: &RepositoryName,
    ) -> Result<RepositoryFacts, AppError> {
        let seen = self.see(tx, &caller.principal(), name).await?;
        if seen.rights().contains(Right::Pull) && seen.facts.state == RepositoryState::Active {
            return Ok(seen.facts);
        }
        Err(no_repository(name))
    }
}

fn no_tag(name: &RepositoryName, tag: &str) -> AppError {
    AppError::NotFound(format!("the repository {name} has no tag {tag}"))
}
