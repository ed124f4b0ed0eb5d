//! What the pages of a repository show, read at once.

use std::collections::BTreeMap;

use shared::oci::RepositoryName;
use shared::oci::name::LIBRARY;
use shared::token::TagLimits;

use super::App;
use super::access::{Seen, no_repository};
use super::caller::Caller;
use super::comment::allowed;
use super::content::shown::{Day, Measure};
use super::content::{Lineage, day_of};
use super::error::AppError;
use super::hub::shown::RepositoryDetails;
use super::hub::{HubTag, detailed};
use super::repository_profile::Described;
use crate::domain::content::{Dimension, Role};
use crate::domain::retention::subject_of_tag;
use crate::domain::{RepositoryFacts, RepositoryId, RepositoryState, Right, Rights};
use crate::store::{Tx, bookmark, comment, content_count, manifest, tag};

/// The list of an account's bookmarks that pages put repositories on.
pub const SHELF: &str = "bookmarks";
/// Days whose pulls are shown.
pub const DAYS: i64 = 30;
/// Tags that the overview shows.
const MOST_TAGS: usize = 8;
/// Tags that these are looked for among.
const MOST_LOOKED_AT: u32 = 32;
/// Lines of counts that are added up.
const MOST_LINES: u32 = 2_000;

/// What every page of a repository begins with.
#[derive(Debug)]
pub struct RepositoryHead {
    /// What is said about it.
    pub described: Described,
    /// What is told of it.
    pub details: RepositoryDetails,
    /// What the caller may do with it.
    pub rights: Rights,
    /// How many tags it has.
    pub tag_count: i64,
    /// Whether people write comments here.
    pub has_comments: bool,
    /// Whether it is among the caller's bookmarks.
    pub has_bookmark: bool,
    /// Today, in days since 1970 (UTC).
    pub today: i64,
    /// Pulls and pushes of the last days on which there were any.
    pub days: Vec<Day>,
    push_tags: TagLimits,
    delete_tags: TagLimits,
}

impl RepositoryHead {
    /// The repository.
    pub fn facts(&self) -> &RepositoryFacts {
        &self.described.facts
    }

    /// The id of the repository.
    pub fn id(&self) -> RepositoryId {
        self.facts().repository_id
    }

    /// What clients call it: an official one by its last part alone.
    pub fn pulled_as(&self) -> &str {
        let name = self.facts().name.as_str();
        let short = name.strip_prefix(LIBRARY).and_then(|rest| rest.strip_prefix('/'));
        short.unwrap_or(name)
    }

    /// Whether the caller may let this tag point elsewhere.
    pub fn may_push(&self, tag: &str) -> bool {
        let is_within = tag.parse().is_ok_and(|tag| self.push_tags.allow(&tag));
        self.rights.contains(Right::Push) && is_within
    }

    /// Whether the caller may delete this tag.
    pub fn may_delete(&self, tag: &str) -> bool {
        let is_within = tag.parse().is_ok_and(|tag| self.delete_tags.allow(&tag));
        self.rights.contains(Right::Delete) && is_within
    }
}

/// What the page of a repository shows.
#[derive(Debug)]
pub struct RepositoryOverview {
    /// What every page of it begins with.
    pub head: RepositoryHead,
    /// The tags that moved last.
    pub tags: Vec<HubTag>,
    /// Pulls in these days by platform, the most first.
    pub platforms: Vec<(String, i64)>,
    /// How much it holds.
    pub size: Measure,
    /// What the image that stands for it was built on, and what on that.
    pub lineage: Lineage,
}

impl App {
    /// What every page of a repository of a name, present or former, begins with; for whoever may pull it.
    pub async fn repository_head(
        &self,
        caller: &Caller,
        name: &RepositoryName,
    ) -> Result<RepositoryHead, AppError> {
        let mut tx = self.store.read().await?;
        self.head(&mut tx, caller, name).await
    }

    /// What the page of a repository of a name, present or former, shows to whoever may pull it.
    pub async fn repository_overview(
        &self,
        caller: &Caller,
        name: &RepositoryName,
    ) -> Result<RepositoryOverview, AppError> {
        let mut tx = self.store.read().await?;
        let head = self.head(&mut tx, caller, name).await?;
        let id = head.id();
        let found = tag::list_tags_by_time(&mut tx, id, (i64::MAX, ""), MOST_LOOKED_AT).await?;
        // Those of signatures belong to others.
        let own = found
            .into_iter()
            .filter(|tag| subject_of_tag(&tag.name).is_none());
        let names: Vec<String> = own.map(|tag| tag.name).take(MOST_TAGS).collect();
        let tags = self.hub_tags(&mut tx, head.facts(), &names).await?;
        let range = (head.today - DAYS + 1, head.today);
        let lines = content_count::list_days(&mut tx, id, Dimension::Platform, range, MOST_LINES).await?;
        Ok(RepositoryOverview {
            lineage: self.lineage_of_showcase(&mut tx, caller, &head).await?,
            size: manifest::measure_repository(&mut tx, id).await?,
            platforms: added_up(lines),
            head,
            tags,
        })
    }

    async fn head(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        name: &RepositoryName,
    ) -> Result<RepositoryHead, AppError> {
        let Seen { facts, decision, .. } = self.see(tx, &caller.principal(), name).await?;
        if !decision.granted.contains(Right::Pull) || facts.state != RepositoryState::Active {
            return Err(no_repository(name));
        }
        let id = facts.repository_id;
        let has_bookmark = match caller.principal().account_id() {
            Some(account_id) => bookmark::has_bookmark(tx, account_id, SHELF, id).await?,
            None => false,
        };
        let has_comments = allowed(tx).await? && comment::find_board(tx, id).await?.is_open;
        let found = detailed(tx, vec![facts]).await?.into_iter().next();
        let found = found.ok_or_else(|| no_repository(name))?;
        let today = day_of(self.clock.now_ms());
        let range = (today - DAYS + 1, today);
        Ok(RepositoryHead {
            days: content_count::list_days_of(tx, id, (Dimension::Repository, ""), range).await?,
            today,
            tag_count: tag::count_tags(tx, id).await?,
            described: self.described(tx, caller, found.facts).await?,
            details: found.details,
            rights: decision.granted,
            push_tags: decision.push_tags,
            delete_tags: decision.delete_tags,
            has_comments,
            has_bookmark,
        })
    }

    /// Of the image of the tag that stands for the repository, the first where there are several.
    async fn lineage_of_showcase(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        head: &RepositoryHead,
    ) -> Result<Lineage, AppError> {
        let Some(showcase) = &head.described.showcase else {
            return Ok(Lineage::default());
        };
        let id = head.id();
        let Some(pointer) = tag::find_pointer(tx, id, &showcase.tag).await? else {
            return Ok(Lineage::default());
        };
        let parts = manifest::list_parts(tx, id, &pointer.digest).await?;
        let first = parts.into_iter().find(|part| part.role == Role::Manifest);
        let digest = first.map_or(pointer.digest, |part| part.digest);
        self.lineage(tx, caller, (id, &digest)).await
    }
}

/// Pulls by what they are of, the most first.
fn added_up(lines: Vec<Day>) -> Vec<(String, i64)> {
    let mut sums: BTreeMap<String, i64> = BTreeMap::new();
    for line in lines {
        *sums.entry(line.value).or_default() += line.pull_count;
    }
    let mut sums: Vec<(String, i64)> = sums.into_iter().filter(|(_, count)| *count > 0).collect();
    sums.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    sums
}
