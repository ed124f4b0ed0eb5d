//! Policies, rehearsals and runs as the API shows them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::AppError;
use crate::app::retention::{PolicyWish, Simulation, shown};
use crate::domain::retention::{RetentionAction, RuleForm};
use crate::http::api::instant::Instant;

/// A rule of a policy. Conditions that are absent hold; of several all must hold.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RetentionRule {
    /// `keep`: the tags stay, whatever other rules say. `delete`: they go, unless a rule keeps them.
    action: String,
    /// In the policy of a namespace: of which repositories, such as `team/app-*`; absent for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    repositories: Option<String>,
    /// Patterns of the tags that it is about, such as `dev-*`; without one, all.
    #[serde(default)]
    tags: Vec<String>,
    /// Patterns of tags that it is not about.
    #[serde(default)]
    except: Vec<String>,
    /// To keep: so many of them that were pushed last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 100_000)]
    newest: Option<u32>,
    /// To keep: pushed within so many days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 36_500)]
    pushed_within_days: Option<u32>,
    /// To keep: pulled within so many days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 36_500)]
    pulled_within_days: Option<u32>,
    /// To delete: not pushed for so many days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 36_500)]
    not_pushed_for_days: Option<u32>,
    /// To delete: neither pulled nor pushed for so many days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 36_500)]
    not_pulled_for_days: Option<u32>,
}

/// A policy as it shall be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewRetentionPolicy {
    /// Whether it is carried out. Default: true.
    #[serde(default = "yes")]
    enabled: bool,
    /// At most 20. A tag that any rule keeps stays; of the others, those go that any rule deletes.
    #[serde(default)]
    rules: Vec<RetentionRule>,
    /// Manifests go that no tag, index or subject has led to for so many days; absent for none.
    #[schema(minimum = 1, maximum = 36_500)]
    untagged_days: Option<u32>,
    /// Carried out every so many days; absent for on demand alone.
    #[schema(minimum = 1, maximum = 31)]
    every_days: Option<u32>,
    /// At this hour (UTC). Default: 3.
    #[serde(default = "night")]
    #[schema(minimum = 0, maximum = 23)]
    at_hour: u32,
}

fn yes() -> bool {
    true
}

fn night() -> u32 {
    3
}

/// A policy.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RetentionPolicy {
    /// Whether it is carried out.
    enabled: bool,
    /// Its rules.
    rules: Vec<RetentionRule>,
    /// Days after which manifests go that nothing leads to.
    untagged_days: Option<u32>,
    /// Carried out every so many days; absent for on demand alone.
    every_days: Option<u32>,
    /// At this hour (UTC).
    at_hour: u32,
    /// When next.
    next_run_at: Option<Instant>,
    /// When it was made or changed.
    changed_at: Instant,
    /// By whom.
    changed_by: String,
}

/// The policy of a repository or a namespace.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RetentionState {
    /// Its own.
    policy: Option<RetentionPolicy>,
    /// Of a repository without one: its namespace's.
    inherited: Option<RetentionPolicy>,
}

/// What a policy would do now.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RetentionSimulation {
    /// Repository by repository.
    repositories: Vec<SimulatedRepository>,
    /// What `after` takes for the next ones; absent after the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// What a policy would do in a repository.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SimulatedRepository {
    /// Its id.
    id: String,
    /// Its name.
    name: String,
    /// Tags that would go, 500 at most.
    tags: Vec<SimulatedTag>,
    /// How many would go,
    tag_count: usize,
    /// and how many would stay.
    kept_count: usize,
    /// Of these, those that would go if they were not immutable, 500 at most.
    immutable: Vec<SimulatedImmutableTag>,
    /// How many would.
    immutable_count: usize,
    /// Manifests that would go at once, since nothing has led to them for long; 500 at most.
    untagged: Vec<String>,
    /// How many would.
    untagged_count: usize,
    /// Bytes that the repository would hold less, once the tags cannot be restored any more.
    bytes: i64,
    /// Of these, bytes that no other repository holds.
    storage_bytes: i64,
    /// Whether the bytes of everything that goes are counted; of very much, only a part is.
    is_counted: bool,
    /// Whether the index has read every manifest of the repository; until then none goes.
    is_read: bool,
}

/// A tag that would go.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SimulatedTag {
    /// Its name.
    name: String,
    /// The manifest that it points to.
    digest: String,
    /// When it was pushed last.
    pushed_at: Instant,
    /// When it, or its manifest, was pulled last,
    pulled_at: Option<Instant>,
    /// and by whom, when it was by its name and after signing in.
    pulled_by: Option<String>,
    /// By which rule, counted from 1; absent for what goes with the manifest that it is named after.
    rule: Option<usize>,
}

/// A tag that would go if it were not immutable.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SimulatedImmutableTag {
    /// Its name.
    name: String,
    /// By which rule of the policy it would go, counted from 1.
    rule: Option<usize>,
    /// What keeps it, such as `the rule v* of the repository`.
    kept_by: String,
}

/// A policy being carried out once.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RetentionRun {
    /// Its id.
    id: String,
    /// `waiting`, `running`, `done` or `failed`.
    state: String,
    /// Who wanted it; absent for the schedule.
    requested_by: Option<String>,
    /// When it was wanted.
    created_at: Instant,
    /// When it began.
    started_at: Option<Instant>,
    /// When it ended.
    ended_at: Option<Instant>,
    /// Tags that it deleted.
    tags: i64,
    /// Manifests that it deleted, since nothing had led to them for long.
    manifests: i64,
    /// What it was to delete and the registry refused.
    refused: i64,
    /// How many tags and manifests it is to delete in all; absent while nobody knows, as of a namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    planned: Option<i64>,
    /// What went wrong.
    message: Option<String>,
}

impl RetentionRule {
    fn parse(self, number: usize) -> Result<RuleForm, AppError> {
        let action = match self.action.as_str() {
            "keep" => RetentionAction::Keep,
            "delete" => RetentionAction::Delete,
            _ => {
                return Err(AppError::Invalid(format!(
                    "rule {number}: the action is keep or delete"
                )));
            }
        };
        Ok(RuleForm {
            action,
            repositories: self.repositories,
            tags: self.tags,
            except: self.except,
            newest: self.newest,
            pushed_within_days: self.pushed_within_days,
            pulled_within_days: self.pulled_within_days,
            not_pushed_for_days: self.not_pushed_for_days,
            not_pulled_for_days: self.not_pulled_for_days,
        })
    }
}

impl NewRetentionPolicy {
    pub(super) fn parse(self) -> Result<PolicyWish, AppError> {
        let numbered = (1..).zip(self.rules);
        Ok(PolicyWish {
            is_enabled: self.enabled,
            rules: numbered
                .map(|(number, rule)| rule.parse(number))
                .collect::<Result<_, _>>()?,
            untagged_days: self.untagged_days,
            every_days: self.every_days,
            at_hour: self.at_hour,
        })
    }
}

fn show_rule(form: &RuleForm) -> RetentionRule {
    let form = form.clone();
    RetentionRule {
        action: form.action.as_str().to_owned(),
        repositories: form.repositories,
        tags: form.tags,
        except: form.except,
        newest: form.newest,
        pushed_within_days: form.pushed_within_days,
        pulled_within_days: form.pulled_within_days,
        not_pushed_for_days: form.not_pushed_for_days,
        not_pulled_for_days: form.not_pulled_for_days,
    }
}

pub(super) fn show_policy(policy: &shown::Policy) -> RetentionPolicy {
    let rules = policy.rules.rules.iter();
    RetentionPolicy {
        enabled: policy.is_enabled,
        rules: rules.map(|rule| show_rule(&rule.form)).collect(),
        untagged_days: policy.rules.untagged_days,
        every_days: policy.schedule.every_days(),
        at_hour: policy.schedule.at_hour(),
        next_run_at: policy.next_run_at.map(Instant),
        changed_at: Instant(policy.changed_at),
        changed_by: policy.changed_by.clone(),
    }
}

pub(super) fn show_state(state: &crate::app::retention::RetentionState) -> RetentionState {
    RetentionState {
        policy: state.own.as_ref().map(show_policy),
        inherited: state.inherited.as_ref().map(show_policy),
    }
}

pub(super) fn show_simulation(simulation: Simulation) -> RetentionSimulation {
    let repositories = simulation
        .repositories
        .into_iter()
        .map(|one| SimulatedRepository {
            id: one.facts.repository_id.to_string(),
            name: one.facts.name.to_string(),
            tags: one.tags.into_iter().map(show_tag).collect(),
            tag_count: one.tag_count,
            kept_count: one.kept_count,
            immutable: one.immutable.into_iter().map(show_immutable).collect(),
            immutable_count: one.immutable_count,
            untagged: one.untagged,
            untagged_count: one.untagged_count,
            bytes: one.freed.bytes,
            storage_bytes: one.freed.storage_bytes,
            is_counted: !one.freed.is_cut,
            is_read: one.is_read,
        });
    RetentionSimulation {
        repositories: repositories.collect(),
        next: simulation.next,
    }
}

fn show_tag(tag: crate::app::retention::PlannedTag) -> SimulatedTag {
    SimulatedTag {
        name: tag.name,
        digest: tag.digest,
        pushed_at: Instant(tag.pushed_at),
        pulled_at: tag.pulled_at.map(Instant),
        pulled_by: tag.pulled_by,
        rule: tag.rule,
    }
}

fn show_immutable(tag: crate::app::retention::ImmutableTag) -> SimulatedImmutableTag {
    SimulatedImmutableTag {
        name: tag.name,
        rule: tag.rule,
        kept_by: tag.kept_by,
    }
}

pub(super) fn show_run(run: shown::Run) -> RetentionRun {
    RetentionRun {
        id: run.run_id.to_string(),
        state: run.state,
        requested_by: run.requested_by,
        created_at: Instant(run.created_at),
        started_at: run.started_at.map(Instant),
        ended_at: run.ended_at.map(Instant),
        tags: run.tags,
        manifests: run.manifests,
        refused: run.failures,
        planned: run.planned,
        message: run.message,
    }
}
