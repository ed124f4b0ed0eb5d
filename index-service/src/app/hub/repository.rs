//! Repositories of a namespace by pages, and what is told of one.

use shared::oci::RepositoryName;

use super::super::App;
use super::super::caller::Caller;
use super::super::error::AppError;
use crate::domain::search::is_official;
use crate::domain::{NamespaceName, RepositoryFacts, RepositoryState, Right, Rights};
use crate::store::hub::{self, RepositoryDetails};
use crate::store::{Tx, listing, namespace, repository_profile};

/// Most repositories of a namespace that are looked through for a page.
const MOST: usize = 5_000;
/// Repositories that are read at once.
const BATCH: u32 = 500;
/// Repositories whose details are held at once.
const DETAILED: usize = 320;

/// In which order repositories are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RepositoryOrder {
    /// By name.
    #[default]
    Name,
    /// Those first to which something was pushed last.
    Updated,
    /// By pulls, the fewest first.
    Pulls,
}

/// A repository with what is told of it.
#[derive(Debug, Clone)]
pub struct HubRepository {
    /// The repository.
    pub facts: RepositoryFacts,
    /// What is told of it.
    pub details: RepositoryDetails,
    /// What the caller may do with it; in lists no more is known than that it may be pulled.
    pub rights: Rights,
    /// Whether it is the site's own.
    pub is_official: bool,
    /// Whether the caller gave it a star.
    pub has_star: bool,
}

impl App {
    /// The repositories of a namespace that the caller may pull and whose names hold `part`: how many, and a page of them.
    /// What there is not has none.
    pub async fn list_hub_repositories(
        &self,
        caller: &Caller,
        name: &NamespaceName,
        part: &str,
        (order, is_reversed): (RepositoryOrder, bool),
        (offset, limit): (usize, usize),
    ) -> Result<(usize, Vec<HubRepository>), AppError> {
        let mut tx = self.store.read().await?;
        let Some(namespace) = namespace::find_namespace(&mut tx, name).await? else {
            return Ok((0, Vec::new()));
        };
        let (principal, now) = (caller.principal(), self.clock.now_ms());
        let mut found: Vec<RepositoryFacts> = Vec::new();
        let mut after = String::new();
        while found.len() < MOST {
            let page = (after.as_str(), BATCH);
            let batch =
                listing::list_visible_in(&mut tx, &principal, namespace.namespace_id, page, now).await?;
            let Some(last) = batch.last() else { break };
            after = last.name.to_string();
            found.extend(
                batch
                    .into_iter()
                    .filter(|facts| short_name(&facts.name).contains(part)),
            );
        }
        found.truncate(MOST);
        let count = found.len();
        if order == RepositoryOrder::Name {
            if is_reversed {
                found.reverse();
            }
            // No more is read than is shown.
            let page: Vec<RepositoryFacts> = found.into_iter().skip(offset).take(limit).collect();
            return Ok((count, detailed(&mut tx, page).await?));
        }
        // What they are sorted by alone is kept of all: descriptions are long.
        let mut listed: Vec<(i64, RepositoryFacts)> = Vec::with_capacity(count);
        for some in found.chunks(DETAILED) {
            let details = detailed(&mut tx, some.to_vec()).await?;
            listed.extend(details.into_iter().map(|one| {
                let key = if order == RepositoryOrder::Pulls {
                    one.details.pull_count
                } else {
                    one.details.last_updated().saturating_neg()
                };
                (key, one.facts)
            }));
        }
        listed.sort_by_key(|(key, _)| *key);
        if is_reversed {
            listed.reverse();
        }
        let page = listed.into_iter().skip(offset).take(limit);
        let page: Vec<RepositoryFacts> = page.map(|(_, facts)| facts).collect();
        Ok((count, detailed(&mut tx, page).await?))
    }

    /// What is told of a repository, present or former name, for whoever may pull it.
    pub async fn show_hub_repository(
        &self,
        caller: &Caller,
        name: &RepositoryName,
    ) -> Result<HubRepository, AppError> {
        let mut tx = self.store.read().await?;
        let seen = self.see(&mut tx, &caller.principal(), name).await?;
        let rights = seen.rights();
        let facts = seen.facts;
        if !rights.contains(Right::Pull) || facts.state != RepositoryState::Active {
            return Err(super::super::access::no_repository(name));
        }
        let has_star = match caller.principal().account_id() {
            Some(id) => repository_profile::has_star(&mut tx, id, facts.repository_id).await?,
            None => false,
        };
        let found = detailed(&mut tx, vec![facts]).await?.into_iter().next();
        let found = found.ok_or_else(|| super::super::access::no_repository(name))?;
        Ok(HubRepository {
            rights,
            has_star,
            ..found
        })
    }
}

pub(in crate::app) async fn detailed(
    tx: &mut Tx,
    found: Vec<RepositoryFacts>,
) -> Result<Vec<HubRepository>, AppError> {
    let ids: Vec<_> = found.iter().map(|facts| facts.repository_id).collect();
    let mut details = hub::find_details(tx, &ids).await?;
    Ok(found
        .into_iter()
        .filter_map(|facts| {
            Some(HubRepository {
                details: details.remove(&facts.repository_id.as_i64())?,
                rights: Rights::READ,
                is_official: is_official(&facts.name),
                has_star: false,
                facts,
            })
        })
        .collect())
}

/// What stands behind the namespace.
fn short_name(name: &RepositoryName) -> &str {
    name.as_str()
        .split_once('/')
        .map_or(name.as_str(), |(_, rest)| rest)
}
