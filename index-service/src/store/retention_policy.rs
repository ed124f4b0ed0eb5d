//! Policies of retention: one of a namespace, one of a repository.

use super::dialect::{Tx, find, list, on, statements};
use super::error::{StoreError, taking, unreadable, writing};
use super::row::row;
use crate::domain::retention::{RetentionRules, RuleForm, Schedule};
use crate::domain::{NamespaceId, PolicyId, RepositoryId};

statements! {
    FIND_POLICY = "select policy_id, namespace_id, repository_id, is_enabled, rules, untagged_days, every_days, at_hour,
        next_run_at, changed_at, changed_by from retention_policy where policy_id = $1";
    FIND_POLICY_OF_NAMESPACE = "select policy_id, namespace_id, repository_id, is_enabled, rules, untagged_days, every_days,
        at_hour, next_run_at, changed_at, changed_by from retention_policy where namespace_id = $1";
    FIND_POLICY_OF_REPOSITORY = "select policy_id, namespace_id, repository_id, is_enabled, rules, untagged_days, every_days,
        at_hour, next_run_at, changed_at, changed_by from retention_policy where repository_id = $1";
    ADD_POLICY = "insert into retention_policy (policy_id, namespace_id, repository_id, is_enabled, rules, untagged_days,
        every_days, at_hour, next_run_at, changed_at, changed_by) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    CHANGE_POLICY = "update retention_policy set is_enabled = $2, rules = $3, untagged_days = $4, every_days = $5,
        at_hour = $6, next_run_at = $7, changed_at = $8, changed_by = $9 where policy_id = $1";
    REMOVE_POLICY = "delete from retention_policy where policy_id = $1";
    LIST_DUE_POLICIES = "select policy_id, namespace_id, repository_id, is_enabled, rules, untagged_days, every_days, at_hour,
        next_run_at, changed_at, changed_by from retention_policy where next_run_at <= $1 order by next_run_at limit $2";
    PASS_POLICY = "update retention_policy set next_run_at = $3 where policy_id = $1 and next_run_at = $2";
}

row! {
struct PolicyRow {
    policy_id: i64,
    namespace_id: Option<i64>,
    repository_id: Option<i64>,
    is_enabled: bool,
    rules: String,
    untagged_days: Option<i64>,
    every_days: Option<i64>,
    at_hour: i64,
    next_run_at: Option<i64>,
    changed_at: i64,
    changed_by: String,
}
}

/// What a policy is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The repositories of a namespace that have no policy of their own.
    Namespace(NamespaceId),
    /// One repository.
    Repository(RepositoryId),
}

impl Place {
    /// The namespace, or the repository.
    pub fn ids(self) -> (Option<i64>, Option<i64>) {
        match self {
            Self::Namespace(id) => (Some(id.as_i64()), None),
            Self::Repository(id) => (None, Some(id.as_i64())),
        }
    }

    pub(super) fn of_ids(namespace_id: Option<i64>, repository_id: Option<i64>) -> Option<Self> {
        match (namespace_id, repository_id) {
            (Some(id), None) => Some(Self::Namespace(NamespaceId::from_i64(id))),
            (None, Some(id)) => Some(Self::Repository(RepositoryId::from_i64(id))),
            _ => None,
        }
    }
}

/// A policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Its id.
    pub policy_id: PolicyId,
    /// What it is about.
    pub place: Place,
    /// Whether it is carried out.
    pub is_enabled: bool,
    /// Its rules.
    pub rules: RetentionRules,
    /// When it is carried out by itself.
    pub schedule: Schedule,
    /// The next time, in milliseconds since 1970.
    pub next_run_at: Option<i64>,
    /// When it was made or changed, in milliseconds since 1970.
    pub changed_at: i64,
    /// By whom.
    pub changed_by: String,
}

#[derive(Debug, thiserror::Error)]
#[error("it is about neither a namespace nor a repository")]
struct Nowhere;

impl PolicyRow {
    fn into_policy(self) -> Result<Policy, StoreError> {
        let place = Place::of_ids(self.namespace_id, self.repository_id)
            .ok_or(Nowhere)
            .map_err(unreadable("policy"))?;
        let forms: Vec<RuleForm> = serde_json::from_str(&self.rules).map_err(unreadable("policy"))?;
        let small = |number: i64| u32::try_from(number).map_err(unreadable("policy"));
        let untagged_days = self.untagged_days.map(small).transpose()?;
        let is_of_namespace = matches!(place, Place::Namespace(_));
        Ok(Policy {
            policy_id: PolicyId::from_i64(self.policy_id),
            place,
            is_enabled: self.is_enabled,
            rules: RetentionRules::new(forms, untagged_days, is_of_namespace)
                .map_err(unreadable("policy"))?,
            schedule: Schedule::new(self.every_days.map(small).transpose()?, small(self.at_hour)?)
                .map_err(unreadable("policy"))?,
            next_run_at: self.next_run_at,
            changed_at: self.changed_at,
            changed_by: self.changed_by,
        })
    }
}

/// A policy by its id.
pub async fn find_policy(tx: &mut Tx, policy_id: PolicyId) -> Result<Option<Policy>, StoreError> {
    let row = find!("policy", tx, PolicyRow, FIND_POLICY, policy_id.as_i64())?;
    row.map(PolicyRow::into_policy).transpose()
}

/// The policy of a place.
pub async fn find_policy_of(tx: &mut Tx, place: Place) -> Result<Option<Policy>, StoreError> {
    let row = match place {
        Place::Namespace(id) => find!("policy", tx, PolicyRow, FIND_POLICY_OF_NAMESPACE, id.as_i64())?,
        Place::Repository(id) => find!("policy", tx, PolicyRow, FIND_POLICY_OF_REPOSITORY, id.as_i64())?,
    };
    row.map(PolicyRow::into_policy).transpose()
}

/// Adds a policy; [`StoreError::Conflict`] where there is one.
pub async fn add_policy(tx: &mut Tx, policy: &Policy) -> Result<(), StoreError> {
    let (namespace_id, repository_id) = policy.place.ids();
    on!(tx, c => sqlx::query(ADD_POLICY)
        .bind(policy.policy_id.as_i64())
        .bind(namespace_id)
        .bind(repository_id)
        .bind(policy.is_enabled)
        .bind(policy.rules.to_json())
        .bind(policy.rules.untagged_days.map(i64::from))
        .bind(policy.schedule.every_days().map(i64::from))
        .bind(i64::from(policy.schedule.at_hour()))
        .bind(policy.next_run_at)
        .bind(policy.changed_at)
        .bind(&policy.changed_by)
        .execute(c).await.map(drop))
    .map_err(taking("policy"))
}

/// Puts other rules and another schedule in the place of those of a policy.
pub async fn change_policy(tx: &mut Tx, policy: &Policy) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(CHANGE_POLICY)
        .bind(policy.policy_id.as_i64())
        .bind(policy.is_enabled)
        .bind(policy.rules.to_json())
        .bind(policy.rules.untagged_days.map(i64::from))
        .bind(policy.schedule.every_days().map(i64::from))
        .bind(i64::from(policy.schedule.at_hour()))
        .bind(policy.next_run_at)
        .bind(policy.changed_at)
        .bind(&policy.changed_by)
        .execute(c).await.map(drop))
    .map_err(writing("policy"))
}

/// Removes a policy.
pub async fn remove_policy(tx: &mut Tx, policy_id: PolicyId) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(REMOVE_POLICY).bind(policy_id.as_i64()).execute(c).await.map(drop))
        .map_err(writing("policy"))
}

/// At most `limit` policies whose time has come.
pub async fn list_due_policies(tx: &mut Tx, now_ms: i64, limit: u32) -> Result<Vec<Policy>, StoreError> {
    let rows = list!(
        "policies",
        tx,
        PolicyRow,
        LIST_DUE_POLICIES,
        now_ms,
        i64::from(limit)
    )?;
    rows.into_iter().map(PolicyRow::into_policy).collect()
}

/// Goes on from a time of a policy's schedule to the next; says whether nobody else did.
pub async fn pass_policy(
    tx: &mut Tx,
    policy_id: PolicyId,
    came: i64,
    next: Option<i64>,
) -> Result<bool, StoreError> {
    on!(tx, c => sqlx::query(PASS_POLICY).bind(policy_id.as_i64()).bind(came).bind(next)
        .execute(c).await.map(|done| done.rows_affected() > 0))
    .map_err(writing("policy"))
}
