//! What the page of a namespace shows: whose it is, and its repositories.

use std::collections::HashMap;

use super::App;
use super::caller::Caller;
use super::content::day_of;
use super::content::shown::{Day, Measure};
use super::error::AppError;
use super::hub::{HubRepository, RepositoryOrder};
use super::repository_page::DAYS;
use crate::domain::profile::Profile;
use crate::domain::{NamespaceName, NamespaceOwner, Organisation, RepositoryId, Right};
use crate::store::{account, content_count, manifest, namespace, organisation, profile, repository_profile};

/// Whose a namespace is, as anybody may know.
#[derive(Debug)]
pub enum Owner {
    /// An account's.
    Account(Box<Profile>),
    /// An organisation's.
    Organisation(Organisation),
    /// The site's own.
    Site,
}

/// What the page of a namespace shows.
#[derive(Debug)]
pub struct NamespacePage {
    /// Its name.
    pub name: NamespaceName,
    /// Whose it is.
    pub owner: Owner,
    /// Whether it is whose it claims to be.
    pub is_verified: bool,
    /// How many of its repositories the caller may pull.
    pub count: usize,
    /// A page of them.
    pub repositories: Vec<HubRepository>,
    /// Today, in days since 1970 (UTC).
    pub today: i64,
    /// Pulls and pushes of these in the last days on which there were any.
    pub days: HashMap<RepositoryId, Vec<Day>>,
    /// How much it holds, for those who administer it.
    pub size: Option<Measure>,
    /// Whether the caller may make repositories in it.
    pub may_push: bool,
    /// Whether the caller administers it.
    pub is_administered: bool,
}

impl App {
    /// What the page of a namespace shows: at most `limit` of the repositories behind `offset` whose names hold `part`.
    pub async fn namespace_page(
        &self,
        caller: &Caller,
        name: &NamespaceName,
        part: &str,
        order: RepositoryOrder,
        (offset, limit): (usize, usize),
    ) -> Result<NamespacePage, AppError> {
        let missing = || AppError::NotFound(format!("there is no namespace {name}"));
        let mut tx = self.store.read().await?;
        let namespace = namespace::find_namespace(&mut tx, name)
            .await?
            .ok_or_else(missing)?;
        let owner = match namespace.owner {
            NamespaceOwner::Administrators => Owner::Site,
            NamespaceOwner::Organisation(id) => organisation::find_organisation_by_id(&mut tx, id)
                .await?
                .filter(|organisation| organisation.deleted_at.is_none())
                .map(Owner::Organisation)
                .ok_or_else(missing)?,
            NamespaceOwner::Account(id) => {
                let account = account::find_account_by_id(&mut tx, id)
                    .await?
                    .ok_or_else(missing)?;
                let found = profile::find_profile(&mut tx, &account.username).await?;
                Owner::Account(Box::new(found.ok_or_else(missing)?))
            }
        };
        let rights = self.rights_in(&mut tx, caller, &namespace).await?;
        let is_administered = rights.contains(Right::Administer);
        let size = if is_administered {
            Some(manifest::measure_namespace(&mut tx, namespace.namespace_id).await?)
        } else {
            None
        };
        let is_verified = repository_profile::is_verified(&mut tx, namespace.namespace_id).await?;
        drop(tx);
        // Those with the most pulls first, as names are in their order.
        let order = (order, order == RepositoryOrder::Pulls);
        let (count, repositories) = self
            .list_hub_repositories(caller, name, part, order, (offset, limit))
            .await?;
        let today = day_of(self.clock.now_ms());
        let ids = repositories.iter().map(|one| one.facts.repository_id);
        let ids: Vec<RepositoryId> = ids.collect();
        let mut tx = self.store.read().await?;
        let days = content_count::list_days_of_each(&mut tx, &ids, (today - DAYS + 1, today)).await?;
        Ok(NamespacePage {
            today,
            days,
            name: namespace.name,
            owner,
            is_verified,
            count,
            repositories,
            size,
            may_push: rights.contains(Right::Push),
            is_administered,
        })
    }
}
