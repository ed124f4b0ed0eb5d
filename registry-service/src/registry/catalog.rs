//! The list of repositories, read from the tree: an ordered walk that goes down only as far as the page reaches.

mod level_cache;

use std::collections::VecDeque;

use shared::oci::RepositoryName;
use tracing::instrument;

use super::{Page, Registry, RegistryError, layout};
use crate::storage::{Storage, StorageError};
use level_cache::components;

pub(super) use level_cache::LevelCache;

/// Names that are listed in one go.
const BATCH: usize = 1_000;
/// Names that are taken at once from a level in memory.
const SHORT_BATCH: usize = 128;

impl Registry {
    /// The repositories after `after` (which need not exist) in byte order of their whole names. A repository is
    /// listed when it holds a tag or a manifest.
    #[instrument(level = "debug", skip_all)]
    pub async fn list_repositories(
        &self,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<RepositoryName>, RegistryError> {
        let mut walk = Walk::new(after).remembering(self.levels.clone(), self.clock.now_ms());
        let mut items = Vec::new();
        while let Some(name) = walk.next(&self.storage).await? {
            tokio::task::coop::consume_budget().await;
            let Ok(repository) = name.parse::<RepositoryName>() else {
                continue;
            };
            if !self.holds_anything(&repository).await? {
                continue;
            }
            if items.len() == limit {
                return Ok(Page { items, more: true });
            }
            items.push(repository);
        }
        Ok(Page { items, more: false })
    }

    /// Whether the repository is listed: it holds a tag or a manifest.
    pub async fn holds_anything(&self, repository: &RepositoryName) -> Result<bool, RegistryError> {
        let tags = layout::tags(repository);
        Ok(!self.storage.is_empty(&tags).await? || self.holds_manifests(repository).await?)
    }
}

/// A walk over all names below the repositories' prefix in byte order of the whole name. `a-b` comes before `a/b`
/// though it comes after `a`: what lies below a name waits until the names beside it that sort earlier are done.
pub(super) struct Walk {
    levels: Vec<Level>,
    remembered: Option<Remembered>,
}

/// Levels that need not be read again, and the time in milliseconds since the epoch.
struct Remembered {
    levels: LevelCache,
    now_ms: i64,
}

struct Level {
    /// The name above, empty at the top.
    above: String,
    /// Names on this level that are still to come.
    names: VecDeque<String>,
    /// The last name that was listed, from which listing goes on.
    listed: Option<String>,
    is_complete: bool,
    /// Names whose subtrees are still to come, the first of them last.
    waiting: Vec<String>,
    /// Only what comes after this is wanted; relative to this level.
    after: Option<String>,
}

impl Walk {
    pub(super) fn new(after: Option<&str>) -> Self {
        let top = Level::new(
            String::new(),
            after.filter(|after| !after.is_empty()).map(str::to_owned),
        );
        Self {
            levels: vec![top],
            remembered: None,
        }
    }

    /// The same walk, which reads only levels that have changed.
    fn remembering(mut self, levels: LevelCache, now_ms: i64) -> Self {
        self.remembered = Some(Remembered { levels, now_ms });
        self
    }

    pub(super) async fn next(&mut self, storage: &Storage) -> Result<Option<String>, StorageError> {
        while let Some(level) = self.levels.last_mut() {
            level.fill(storage, self.remembered.as_ref()).await?;
            let subtree = match (level.waiting.last(), level.names.front()) {
                (None, None) => {
                    self.levels.pop();
                    continue;
                }
                (Some(waiting), Some(name)) => *name > format!("{waiting}/"),
                (waiting, None) => waiting.is_some(),
                (None, Some(_)) => false,
            };
            if subtree {
                let below = level.waiting.pop().and_then(|name| level.descend(&name));
                self.levels.extend(below);
            } else if let Some(name) = level.names.pop_front() {
                let is_wanted = level.after.as_ref().is_none_or(|after| name > *after);
                let whole = level.whole(&name);
                level.waiting.push(name);
                if is_wanted {
                    return Ok(Some(whole));
                }
            }
        }
        Ok(None)
    }
}

impl Level {
    fn new(above: String, after: Option<String>) -> Self {
        let first = after
            .as_deref()
            .map(|after| after.split('/').next().unwrap_or_default().to_owned());
        // What lies below the name in `after` comes after it, and so does what lies below those beginnings of the
        // name that would sort behind it with a slash: `a/x` comes after `a-b`.
        let ends = first.iter().flat_map(|name| {
            let inner = name
                .char_indices()
                .filter(|(at, c)| *at > 0 && *c < '/')
                .map(|(at, _)| at);
            inner
                .chain(std::iter::once(name.len()))
                .map(|end| name[..end].to_owned())
        });
        Self {
            above,
            names: VecDeque::new(),
            waiting: ends
                .filter(|name| shared::oci::name::is_component(name))
                .collect(),
            listed: first,
            is_complete: false,
            after,
        }
    }

    fn whole(&self, name: &str) -> String {
        if self.above.is_empty() {
            name.to_owned()
        } else {
            format!("{}/{name}", self.above)
        }
    }

    /// The level below a name, unless all of it comes before what is wanted, or it is too deep to hold names.
    fn descend(&self, name: &str) -> Option<Self> {
        let whole = self.whole(name);
        whole.parse::<RepositoryName>().ok()?;
        let begin = format!("{name}/");
        let after = match self.after.as_deref() {
            None => None,
            Some(after) => match after.strip_prefix(&begin) {
                Some(rest) => Some(rest.to_owned()),
                None if begin.as_str() > after => None,
                None => return None,
            },
        };
        Some(Self::new(whole, after.filter(|after| !after.is_empty())))
    }

    async fn fill(&mut self, storage: &Storage, remembered: Option<&Remembered>) -> Result<(), StorageError> {
        while self.names.is_empty() && !self.is_complete {
            if let Some(Remembered { levels, now_ms }) = remembered
                && let Some(names) = levels.names(storage, &self.above, *now_ms).await?
            {
                let listed = self.listed.as_deref();
                let start = listed.map_or(0, |listed| names.partition_point(|name| name.as_ref() <= listed));
                let end = names.len().min(start + SHORT_BATCH);
                self.is_complete = end == names.len();
                self.names
                    .extend(names[start..end].iter().map(ToString::to_string));
                self.listed = self.names.back().cloned().or(self.listed.take());
                continue;
            }
            let prefix = layout::repositories(&self.above);
            let batch = storage.list(&prefix, self.listed.as_deref(), BATCH).await?;
            self.is_complete = batch.len() < BATCH;
            if let Some(last) = batch.last() {
                self.listed = Some(last.name.clone());
            }
            self.names.extend(components(batch));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
