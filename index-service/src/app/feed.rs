//! What was changed last, for those who follow a repository or a namespace: changes of tags, the newest first.

use std::cmp::Reverse;

use shared::oci::{RepositoryName, Tag};
use shared::token::{TagPattern, TagSet};

use super::App;
use super::access::no_repository;
use super::caller::Caller;
use super::error::AppError;
use crate::domain::{NamespaceName, RepositoryFacts, RepositoryId, RepositoryState, Right};
use crate::store::content_feed::{self, TagChange};
use crate::store::{Tx, listing, namespace};

/// Most changes of a feed.
const MOST: usize = 50;
/// The same, as what is read.
const PAGE: u32 = 50;
/// Most changes that are looked through for those of some tags.
const MOST_LOOKED_THROUGH: usize = 1_000;
/// Most of these of each repository of a namespace.
const MOST_OF_ONE: usize = 200;
/// Most repositories of a namespace that are looked at.
const MOST_REPOSITORIES: usize = 500;
/// What is read at once.
const BATCH: usize = 500;
/// Repositories that are read at once.
const REPOSITORIES: u32 = 50;

/// Changes of tags, the newest first.
#[derive(Debug, Clone)]
pub struct ChangeFeed {
    /// The id of the repository or the namespace.
    pub id: i64,
    /// What it is called now.
    pub name: String,
    /// The namespace.
    pub namespace: NamespaceName,
    /// The changes, at most 50.
    pub changes: Vec<FeedChange>,
}

/// A change of a tag, and where.
#[derive(Debug, Clone)]
pub struct FeedChange {
    /// The repository's id.
    pub repository_id: RepositoryId,
    /// What it is called now.
    pub name: RepositoryName,
    /// The change.
    pub change: TagChange,
}

impl App {
    /// The last changes of these tags of a repository, for whoever may pull it.
    pub async fn repository_feed(
        &self,
        caller: &Caller,
        name: &RepositoryName,
        tags: &TagSet,
    ) -> Result<ChangeFeed, AppError> {
        let mut tx = self.store.read().await?;
        let seen = self.see(&mut tx, &caller.principal(), name).await?;
        if !seen.rights().contains(Right::Pull) || seen.facts.state != RepositoryState::Active {
            return Err(no_repository(name));
        }
        let mut budget = MOST_LOOKED_THROUGH;
        Ok(ChangeFeed {
            id: seen.facts.repository_id.as_i64(),
            name: seen.facts.name.to_string(),
            namespace: NamespaceName::from(&seen.facts.name),
            changes: newest(&mut tx, &seen.facts, tags, &mut budget, MOST_LOOKED_THROUGH).await?,
        })
    }

    /// The last changes of these tags in the repositories of a namespace that the caller may pull. Where there is none of
    /// them, there is no such namespace.
    pub async fn namespace_feed(
        &self,
        caller: &Caller,
        name: &NamespaceName,
        tags: &TagSet,
    ) -> Result<ChangeFeed, AppError> {
        let missing = || no_namespace(name);
        let (principal, now) = (caller.principal(), self.clock.now_ms());
        let mut tx = self.store.read().await?;
        let namespace = namespace::find_namespace(&mut tx, name)
            .await?
            .ok_or_else(missing)?;
        let id = namespace.namespace_id;
        if listing::list_visible_in(&mut tx, &principal, id, ("", 1), now)
            .await?
            .is_empty()
        {
            return Err(missing());
        }
        let mut changes: Vec<FeedChange> = Vec::new();
        let (mut budget, mut looked) = (MOST_LOOKED_THROUGH, 0);
        let mut before = (i64::MAX, i64::MAX);
        'walk: while budget > 0 && looked < MOST_REPOSITORIES {
            let page = (before, REPOSITORIES);
            let batch = listing::list_changed_in(&mut tx, &principal, id, page, now).await?;
            let Some(last) = batch.last() else { break };
            before = (last.tag_changed_at, last.facts.repository_id.as_i64());
            looked += batch.len();
            for changed in &batch {
                // All that follows is older still.
                let oldest = changes.get(MOST - 1).map(|entry| entry.change.changed_at);
                if budget == 0 || oldest.is_some_and(|oldest| oldest >= changed.tag_changed_at) {
                    break 'walk;
                }
                changes.extend(newest(&mut tx, &changed.facts, tags, &mut budget, MOST_OF_ONE).await?);
                changes.sort_by_key(|entry| {
                    let place = (entry.repository_id.as_i64(), entry.change.sequence);
                    Reverse((entry.change.changed_at, place))
                });
                changes.truncate(MOST);
            }
        }
        Ok(ChangeFeed {
            id: id.as_i64(),
            name: namespace.name.to_string(),
            namespace: namespace.name,
            changes,
        })
    }
}

/// Said of what there is not, and of what somebody may not know of.
pub fn no_namespace(name: &impl std::fmt::Display) -> AppError {
    AppError::NotFound(format!("there is no namespace {name} with a repository to pull"))
}

/// The last changes of these tags of a repository. What is looked through for some of its tags, and each question, is taken from
/// `budget`, and is not more than `most`.
async fn newest(
    tx: &mut Tx,
    facts: &RepositoryFacts,
    tags: &TagSet,
    budget: &mut usize,
    most: usize,
) -> Result<Vec<FeedChange>, AppError> {
    let id = facts.repository_id;
    let mut found = match tags {
        TagSet::Every => content_feed::list_changes(tx, id, i64::MAX, PAGE).await?,
        TagSet::Only(patterns) if patterns.iter().all(is_exact) => {
            let mut found = Vec::new();
            for tag in patterns {
                if *budget == 0 {
                    break;
                }
                let batch = content_feed::list_tag_changes(tx, id, tag.as_str(), i64::MAX, PAGE).await?;
                *budget = budget.saturating_sub(batch.len().max(1));
                found.extend(batch);
            }
            found.sort_by_key(|change| Reverse(change.sequence));
            found.dedup_by_key(|change| change.sequence);
            found
        }
        TagSet::Only(_) => {
            let (mut found, mut before) = (Vec::new(), i64::MAX);
            let mut left = most.min(*budget);
            while found.len() < MOST && left > 0 {
                let wanted = left.min(BATCH);
                let limit = u32::try_from(wanted).unwrap_or(u32::MAX);
                let batch = content_feed::list_changes(tx, id, before, limit).await?;
                let used = batch.len().max(1);
                left = left.saturating_sub(used);
                *budget = budget.saturating_sub(used);
                let is_last = batch.len() < wanted;
                before = batch.last().map_or(before, |last| last.sequence);
                let is_wanted =
                    |change: &TagChange| change.tag.parse::<Tag>().is_ok_and(|tag| tags.contains(&tag));
                found.extend(batch.into_iter().filter(is_wanted));
                if is_last {
                    break;
                }
            }
            found
        }
    };
    found.truncate(MOST);
    let of_here = found.into_iter().map(|change| FeedChange {
        repository_id: id,
        name: facts.name.clone(),
        change,
    });
    Ok(of_here.collect())
}

/// Whether a pattern is a tag, whose changes are found without looking through others.
fn is_exact(pattern: &TagPattern) -> bool {
    !pattern.as_str().contains('*')
}
