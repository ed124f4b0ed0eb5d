//! Retention: policies that say which tags of a repository stay, rehearsed before they are saved, and carried out in the
//! background.

mod plan;
mod run;
mod simulation;

#[cfg(test)]
mod tests;

pub use plan::{ImmutableTag, PlannedTag};
pub(super) use run::CLAIM_MS;
pub use simulation::{RepositorySimulation, Simulation};

/// Rows as they are shown.
pub mod shown {
    pub use crate::store::retention_policy::Policy;
    pub use crate::store::retention_run::Run;
}

use serde_json::json;

use super::App;
use super::audit::{By, Change};
use super::caller::Caller;
use super::error::AppError;
use crate::domain::retention::{InvalidRetention, RetentionRules, RuleForm, Schedule};
use crate::domain::{
    AuditAction, DeletionId, NamespaceFacts, NamespaceName, PolicyId, RepositoryFacts, RepositoryId, Right,
    RunId, TargetKind,
};
use crate::store::content_deletion::{self, ContentDeletion};
use crate::store::retention_policy::{self, Place, Policy};
use crate::store::retention_run::{self, Run};
use crate::store::{Tx, namespace};

/// What a policy is about, as it is asked for.
#[derive(Debug, Clone)]
pub enum RetentionPlace {
    /// One repository.
    Repository(RepositoryId),
    /// The repositories of a namespace that have no policy of their own.
    Namespace(NamespaceName),
}

/// A policy as it is wished for.
#[derive(Debug, Clone)]
pub struct PolicyWish {
    /// Whether it shall be carried out.
    pub is_enabled: bool,
    /// Its rules.
    pub rules: Vec<RuleForm>,
    /// Days after which manifests go that nothing leads to.
    pub untagged_days: Option<u32>,
    /// Every so many days; absent for on demand alone.
    pub every_days: Option<u32>,
    /// At this hour (UTC).
    pub at_hour: u32,
}

/// The policy of a repository or a namespace.
#[derive(Debug, Clone)]
pub struct RetentionState {
    /// Its own.
    pub own: Option<Policy>,
    /// Of a repository without one: its namespace's.
    pub inherited: Option<Policy>,
}

/// A place that somebody administers.
pub(super) struct Administered {
    pub(super) place: Place,
    /// What it is called.
    pub(super) name: String,
    pub(super) namespace: Option<NamespaceFacts>,
    pub(super) repository: Option<RepositoryFacts>,
}

impl From<InvalidRetention> for AppError {
    fn from(error: InvalidRetention) -> Self {
        Self::Invalid(error.to_string())
    }
}

fn no_policy() -> AppError {
    AppError::NotFound("there is no policy of retention here".to_owned())
}

fn no_run() -> AppError {
    AppError::NotFound("there is no such run".to_owned())
}

impl App {
    /// The policy of a place, for those who administer it.
    pub async fn show_retention(
        &self,
        caller: &Caller,
        place: &RetentionPlace,
    ) -> Result<RetentionState, AppError> {
        let mut tx = self.store.read().await?;
        let at = self.retention_place(&mut tx, caller, place).await?;
        let own = retention_policy::find_policy_of(&mut tx, at.place).await?;
        let inherited = match (&own, &at.repository) {
            (None, Some(facts)) => {
                retention_policy::find_policy_of(&mut tx, Place::Namespace(facts.namespace_id)).await?
            }
            _ => None,
        };
        Ok(RetentionState { own, inherited })
    }

    /// Gives a place a policy, in the place of the one that it has.
    pub async fn put_retention(
        &self,
        caller: &Caller,
        place: &RetentionPlace,
        wish: PolicyWish,
    ) -> Result<Policy, AppError> {
        let now = self.clock.now_ms();
        let mut tx = self.store.write().await?;
        let at = self.retention_place(&mut tx, caller, place).await?;
        let before = retention_policy::find_policy_of(&mut tx, at.place).await?;
        let schedule = Schedule::new(wish.every_days, wish.at_hour)?;
        let is_of_namespace = matches!(at.place, Place::Namespace(_));
        let policy = Policy {
            policy_id: before
                .as_ref()
                .map_or_else(|| self.new_id(PolicyId::new), |policy| policy.policy_id),
            place: at.place,
            is_enabled: wish.is_enabled,
            rules: RetentionRules::new(wish.rules, wish.untagged_days, is_of_namespace)?,
            schedule,
            next_run_at: schedule.first(now).filter(|_| wish.is_enabled),
            changed_at: now,
            changed_by: caller.name(),
        };
        match &before {
            Some(_) => retention_policy::change_policy(&mut tx, &policy).await?,
            None => retention_policy::add_policy(&mut tx, &policy).await?,
        }
        let mut change = change_of(AuditAction::RetentionPut, &at).after(told(&policy));
        if let Some(before) = &before {
            change = change.before(told(before));
        }
        self.audit(&mut tx, By::Caller(caller), change).await?;
        tx.commit().await?;
        Ok(policy)
    }

    /// Takes the policy of a place away.
    pub async fn remove_retention(&self, caller: &Caller, place: &RetentionPlace) -> Result<(), AppError> {
        let mut tx = self.store.write().await?;
        let at = self.retention_place(&mut tx, caller, place).await?;
        let policy = retention_policy::find_policy_of(&mut tx, at.place).await?;
        let policy = policy.ok_or_else(no_policy)?;
        retention_policy::remove_policy(&mut tx, policy.policy_id).await?;
        let change = change_of(AuditAction::RetentionRemove, &at).before(told(&policy));
        self.audit(&mut tx, By::Caller(caller), change).await?;
        Ok(tx.commit().await?)
    }

    /// Wants the policy of a place carried out now; a run that has not ended is that run.
    pub async fn start_retention(&self, caller: &Caller, place: &RetentionPlace) -> Result<Run, AppError> {
        let mut tx = self.store.write().await?;
        let at = self.retention_place(&mut tx, caller, place).await?;
        let policy = retention_policy::find_policy_of(&mut tx, at.place).await?;
        let policy = policy.ok_or_else(no_policy)?;
        if !policy.is_enabled {
            return Err(AppError::Conflict("the policy is switched off".to_owned()));
        }
        if let Some(open) = retention_run::find_open_run(&mut tx, policy.policy_id).await? {
            return Ok(open);
        }
        let run_id = self.new_id(RunId::new);
        let (by, of) = (caller.name(), (policy.policy_id, policy.place));
        retention_run::add_run(&mut tx, run_id, of, Some(&by), self.clock.now_ms()).await?;
        let run = retention_run::find_run(&mut tx, run_id)
            .await?
            .ok_or_else(no_run)?;
        let change = change_of(AuditAction::RetentionRun, &at);
        self.audit(&mut tx, By::Caller(caller), change).await?;
        tx.commit().await?;
        self.retaining.notify_one();
        Ok(run)
    }

    /// At most `limit` runs of the policies of a place, the newest first, those before `before`.
    pub async fn list_retention_runs(
        &self,
        caller: &Caller,
        place: &RetentionPlace,
        before: RunId,
        limit: u32,
    ) -> Result<Vec<Run>, AppError> {
        let mut tx = self.store.read().await?;
        let at = self.retention_place(&mut tx, caller, place).await?;
        Ok(retention_run::list_runs(&mut tx, at.place, before, limit).await?)
    }

    /// A run, for those who administer what its policy is about.
    pub async fn show_retention_run(&self, caller: &Caller, run_id: RunId) -> Result<Run, AppError> {
        let mut tx = self.store.read().await?;
        self.administered_run(&mut tx, caller, run_id).await
    }

    /// At most `limit` things that a run deleted, or was to delete, behind `after`.
    pub async fn list_deletions_of_run(
        &self,
        caller: &Caller,
        run_id: RunId,
        after: DeletionId,
        limit: u32,
    ) -> Result<Vec<ContentDeletion>, AppError> {
        let mut tx = self.store.read().await?;
        self.administered_run(&mut tx, caller, run_id).await?;
        Ok(content_deletion::list_deletions_of_run(&mut tx, run_id, after, limit).await?)
    }

    async fn administered_run(&self, tx: &mut Tx, caller: &Caller, run_id: RunId) -> Result<Run, AppError> {
        let run = retention_run::find_run(tx, run_id).await?.ok_or_else(no_run)?;
        let place = match run.place.ok_or_else(no_run)? {
            Place::Repository(id) => RetentionPlace::Repository(id),
            Place::Namespace(id) => {
                let facts = namespace::find_namespace_by_id(tx, id).await?;
                RetentionPlace::Namespace(facts.ok_or_else(no_run)?.name)
            }
        };
        match self.retention_place(tx, caller, &place).await {
            Ok(_) => Ok(run),
            // To others it does not exist.
            Err(AppError::NotFound(_) | AppError::Forbidden(_)) => Err(no_run()),
            Err(error) => Err(error),
        }
    }

    /// A place for those who administer it.
    pub(super) async fn retention_place(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        place: &RetentionPlace,
    ) -> Result<Administered, AppError> {
        Ok(match place {
            RetentionPlace::Repository(id) => {
                let seen = self
                    .see_by_id(tx, &caller.principal(), *id)
                    .await?
                    .with(Right::Administer)?;
                Administered {
                    place: Place::Repository(*id),
                    name: seen.facts.name.to_string(),
                    namespace: seen.surroundings.namespace,
                    repository: Some(seen.facts),
                }
            }
            RetentionPlace::Namespace(name) => {
                let facts = self.administered_namespace(tx, caller, name).await?;
                Administered {
                    place: Place::Namespace(facts.namespace_id),
                    name: facts.name.to_string(),
                    namespace: Some(facts),
                    repository: None,
                }
            }
        })
    }
}

/// A policy as the audit log tells it.
fn told(policy: &Policy) -> serde_json::Value {
    let forms: Vec<&RuleForm> = policy.rules.rules.iter().map(|rule| &rule.form).collect();
    json!({
        "enabled": policy.is_enabled,
        "rules": forms,
        "untagged_days": policy.rules.untagged_days,
        "every_days": policy.schedule.every_days(),
        "at_hour": policy.schedule.at_hour(),
    })
}

fn change_of(action: AuditAction, at: &Administered) -> Change {
    let (kind, id) = match at.place {
        Place::Repository(id) => (TargetKind::Repository, id.as_i64()),
        Place::Namespace(id) => (TargetKind::Namespace, id.as_i64()),
    };
    let change = Change::new(action, kind, &at.name).id(id);
    match &at.namespace {
        Some(namespace) => change.within(namespace),
        None => change,
    }
}
