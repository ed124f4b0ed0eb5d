//! The list of a repository's tags, derived from the tree and never part of a write.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use moka::sync::Cache;
use shared::oci::{RepositoryName, Tag};
use tokio::task::coop::consume_budget;
use tracing::instrument;

use super::link::Link;
use super::{Page, Registry, RegistryError, layout};
use crate::storage::{EntryKind, Stamp};

/// Most bytes of tag lists in memory.
const CAPACITY: u64 = 32 << 20;
/// Longer lists are read from the tree page by page.
const LONGEST_LIST: usize = 200_000;

/// The tags of repositories, each list valid as long as the stamp of its prefix stands.
pub(super) type TagCache = Cache<RepositoryName, Arc<TagList>>;

pub(super) fn tag_cache() -> TagCache {
    let weigher = |name: &RepositoryName, list: &Arc<TagList>| {
        let tags: usize = list
            .tags
            .iter()
            .map(|listed| listed.tag.as_str().len() + 40)
            .sum();
        u32::try_from(tags + name.as_str().len() + 200).unwrap_or(u32::MAX)
    };
    Cache::builder().max_capacity(CAPACITY).weigher(weigher).build()
}

pub(super) struct TagList {
    stamp: Stamp,
    /// In byte order.
    tags: Box<[ListedTag]>,
}

struct ListedTag {
    tag: Tag,
    /// Whether the tag was seen to have a link that can be read. A crash of the old binary leaves some without;
    /// those are looked at each time.
    is_whole: AtomicBool,
}

impl Registry {
    /// The repository's tags after `after` (which need not exist), in byte order.
    /// [`RegistryError::NameUnknown`] if the repository holds neither tags nor manifests.
    #[instrument(level = "debug", skip_all, fields(repository.name = %repository))]
    pub async fn list_tags(
        &self,
        repository: &RepositoryName,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<Tag>, RegistryError> {
        let stamp = self.storage.stamp(&layout::tags(repository)).await?;
        let page = match stamp {
            Some(stamp) => match self.tag_list(repository, stamp).await? {
                Some(list) => self.page_of_list(repository, &list, after, limit).await?,
                None => self.page_of_tree(repository, after, limit).await?,
            },
            None => Page::empty(),
        };
        if page.items.is_empty() && after.is_none() && !self.holds_manifests(repository).await? {
            return Err(RegistryError::NameUnknown);
        }
        Ok(page)
    }

    /// The whole list, from memory or read now; `None` if it is too long, or has just changed so that the next
    /// change might not show in the stamp.
    async fn tag_list(
        &self,
        repository: &RepositoryName,
        stamp: Stamp,
    ) -> Result<Option<Arc<TagList>>, RegistryError> {
        if let Some(list) = self.tags.get(repository).filter(|list| list.stamp == stamp) {
            return Ok(Some(list));
        }
        if !stamp.is_settled(self.clock.now_ms()) {
            return Ok(None);
        }
        let entries = self
            .storage
            .list(&layout::tags(repository), None, LONGEST_LIST)
            .await?;
        if entries.len() == LONGEST_LIST {
            return Ok(None);
        }
        let entries = entries
            .into_iter()
            .filter(|entry| entry.kind == EntryKind::Prefix);
        let tags = entries.filter_map(|entry| entry.name.parse().ok());
        let list = Arc::new(TagList {
            stamp,
            tags: tags
                .map(|tag| ListedTag {
                    tag,
                    is_whole: AtomicBool::new(false),
                })
                .collect(),
        });
        self.tags.insert(repository.clone(), Arc::clone(&list));
        Ok(Some(list))
    }

    async fn page_of_list(
        &self,
        repository: &RepositoryName,
        list: &TagList,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<Tag>, RegistryError> {
        let start = after.map_or(0, |after| {
            list.tags.partition_point(|it| it.tag.as_str() <= after)
        });
        let mut items = Vec::with_capacity(limit.min(list.tags.len() - start));
        for listed in &list.tags[start..] {
            if items.len() == limit {
                return Ok(Page { items, more: true });
            }
            if !listed.is_whole.load(Ordering::Relaxed) {
                if !self.is_whole(repository, &listed.tag).await? {
                    continue;
                }
                listed.is_whole.store(true, Ordering::Relaxed);
            }
            items.push(listed.tag.clone());
        }
        Ok(Page { items, more: false })
    }

    async fn page_of_tree(
        &self,
        repository: &RepositoryName,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<Tag>, RegistryError> {
        let mut items = Vec::new();
        let mut after = after.map(str::to_owned);
        loop {
            let batch = self
                .storage
                .list(
                    &layout::tags(repository),
                    after.as_deref(),
                    limit.saturating_add(1),
                )
                .await?;
            let is_last = batch.len() <= limit;
            for entry in batch {
                after = Some(entry.name);
                let tag = after.as_deref().and_then(|name| name.parse::<Tag>().ok());
                let Some(tag) = tag.filter(|_| entry.kind == EntryKind::Prefix) else {
                    continue;
                };
                if !self.is_whole(repository, &tag).await? {
                    continue;
                }
                if items.len() == limit {
                    return Ok(Page { items, more: true });
                }
                items.push(tag);
            }
            if is_last {
                return Ok(Page { items, more: false });
            }
        }
    }

    async fn is_whole(&self, repository: &RepositoryName, tag: &Tag) -> Result<bool, RegistryError> {
        consume_budget().await;
        let link = Link::read(&self.storage, &layout::tag_current(repository, tag)).await?;
        Ok(link.into_digest().is_some())
    }
}

#[cfg(test)]
mod tests;
