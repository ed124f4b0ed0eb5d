//! A policy rehearsed: what would go, who pulled it last, and what that frees.

use super::plan::{ImmutableTag, PlannedTag, plan};
use super::{PolicyWish, RetentionPlace};
use crate::app::App;
use crate::app::caller::Caller;
use crate::app::content::{Freed, is_readable, load_holdings, weigh};
use crate::app::error::AppError;
use crate::domain::RepositoryFacts;
use crate::domain::retention::{RetentionRules, Schedule};
use crate::store::retention_policy::{self, Place};
use crate::store::{Tx, repository, retention_run};

/// Repositories of a namespace that are rehearsed at once.
const REPOSITORIES: usize = 20;
/// Most tags and manifests of a repository that are told one by one.
const MOST_TOLD: usize = 500;

/// What a policy would do.
#[derive(Debug, Clone)]
pub struct Simulation {
    /// Repository by repository, in the order of their names.
    pub repositories: Vec<RepositorySimulation>,
    /// Behind which repository to go on, where there are more.
    pub next: Option<String>,
}

/// What a policy would do in one repository.
#[derive(Debug, Clone)]
pub struct RepositorySimulation {
    /// The repository.
    pub facts: RepositoryFacts,
    /// Tags that would go, the first of them.
    pub tags: Vec<PlannedTag>,
    /// How many would.
    pub tag_count: usize,
    /// How many would stay.
    pub kept_count: usize,
    /// Of these, those that would go if they were not immutable, the first of them.
    pub immutable: Vec<ImmutableTag>,
    /// How many would.
    pub immutable_count: usize,
    /// Manifests that would go at once, since nothing has led to them for long, the first of them.
    pub untagged: Vec<String>,
    /// How many would.
    pub untagged_count: usize,
    /// What is free when the tags cannot be restored any more, and of that in the storage.
    pub freed: Freed,
    /// Whether every manifest was read; until then none goes.
    pub is_read: bool,
}

impl App {
    /// What a policy that is wished for would do now, in one repository or in those of a namespace behind a name. For those who
    /// administer the place; nothing is changed.
    pub async fn simulate_retention(
        &self,
        caller: &Caller,
        place: &RetentionPlace,
        wish: PolicyWish,
        after: &str,
    ) -> Result<Simulation, AppError> {
        let mut tx = self.store.read().await?;
        let at = self.retention_place(&mut tx, caller, place).await?;
        Schedule::new(wish.every_days, wish.at_hour)?;
        let is_of_namespace = matches!(at.place, Place::Namespace(_));
        let rules = RetentionRules::new(wish.rules, wish.untagged_days, is_of_namespace)?;
        let mut simulation = Simulation {
            repositories: Vec::new(),
            next: None,
        };
        let namespace_id = match (at.place, at.repository) {
            (Place::Repository(_), Some(facts)) => {
                simulation
                    .repositories
                    .push(self.rehearse(&mut tx, &rules, facts).await?);
                return Ok(simulation);
            }
            (Place::Repository(_), None) => return Ok(simulation),
            (Place::Namespace(id), _) => id,
        };
        let mut after = after.to_owned();
        while let Some(id) = retention_run::next_repository(&mut tx, namespace_id, &after).await? {
            if simulation.repositories.len() >= REPOSITORIES {
                simulation.next = Some(after);
                break;
            }
            let facts = repository::find_repository_by_id(&mut tx, id).await?;
            let Some(facts) = facts else { break };
            facts.name.as_str().clone_into(&mut after);
            let own = retention_policy::find_policy_of(&mut tx, Place::Repository(id)).await?;
            if own.is_none() && is_readable(&facts) {
                simulation
                    .repositories
                    .push(self.rehearse(&mut tx, &rules, facts).await?);
            }
        }
        Ok(simulation)
    }

    async fn rehearse(
        &self,
        tx: &mut Tx,
        rules: &RetentionRules,
        facts: RepositoryFacts,
    ) -> Result<RepositorySimulation, AppError> {
        let id = facts.repository_id;
        let holdings = load_holdings(tx, id).await?;
        let terms = self.terms(tx, facts.namespace_id, Some(id), false).await?;
        let mut plan = plan(&holdings, rules, &facts.name, &terms, self.clock.now_ms())?;
        let mut goes = plan.with_tags;
        goes.extend(plan.untagged.iter().cloned());
        goes.sort();
        goes.dedup();
        let tag_count = plan.tags.len();
        let untagged_count = plan.untagged.len();
        let immutable_count = plan.immutable.len();
        plan.tags.truncate(MOST_TOLD);
        plan.immutable.truncate(MOST_TOLD);
        plan.untagged.truncate(MOST_TOLD);
        Ok(RepositorySimulation {
            facts,
            tags: plan.tags,
            tag_count,
            kept_count: plan.kept,
            immutable: plan.immutable,
            immutable_count,
            untagged: plan.untagged,
            untagged_count,
            freed: weigh(tx, id, goes).await?,
            is_read: holdings.is_read,
        })
    }
}
