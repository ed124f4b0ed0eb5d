//! Policies carried out: by schedule and on demand, by whichever replica claims a run, in small steps that another can go on
//! with.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use shared::token::Terms;

use super::plan::plan;
use crate::app::App;
use crate::app::content::{is_readable, load_holdings};
use crate::app::content_deletion::{Behalf, Doomed};
use crate::app::error::AppError;
use crate::domain::{DeletionId, RepositoryFacts, RunId};
use crate::registry_client::{Changed, RegistryClient};
use crate::store::content_deletion::{self, ContentDeletion, DeletionState};
use crate::store::repository;
use crate::store::retention_policy::{self, Place, Policy};
use crate::store::retention_run::{self, Run};

/// How often it is looked for what is due.
const LOOK: Duration = Duration::from_secs(15);
/// How long a run is one replica's without a sign of life, in milliseconds.
pub(in crate::app) const CLAIM_MS: i64 = 120_000;
/// What is deleted between two such signs.
const BATCH: usize = 25;
/// Policies whose time has come that are looked at at once.
const POLICIES: u32 = 50;
/// The wait before a run that failed is tried again, in milliseconds; twice as long each time.
const RETRY_MS: i64 = 30_000;
/// Longest of them.
const LONGEST_RETRY_MS: i64 = 3_600_000;
/// A run that fails so often in a row is given up.
const ATTEMPTS: i64 = 20;

/// Why a run ends before its end.
enum Stop {
    /// It is another's by now.
    Lost,
    /// It is tried again.
    Failed(AppError),
}

impl<E: Into<AppError>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// Says how much a run will have deleted in all when it has `left` to delete; of several repositories nobody knows.
fn foresee(run: &mut Run, policy: &Policy, left: usize) {
    if matches!(policy.place, Place::Repository(_)) {
        let left = i64::try_from(left).unwrap_or(i64::MAX);
        run.planned = Some((run.tags + run.manifests + run.failures).saturating_add(left));
    }
}

impl App {
    /// Carries policies out, and removes what deleted tags led to, until `shutdown` resolves.
    pub(in crate::app) async fn follow_retention(&self, shutdown: impl Future<Output = ()>) {
        let mut shutdown = pin!(shutdown);
        loop {
            let looked = async {
                if let Err(error) = self.queue_retention().await {
                    tracing::warn!(%error, "could not look for policies of retention whose time has come");
                }
                loop {
                    match self.carry_out_retention().await {
                        Ok(false) => break,
                        Ok(true) => {}
                        Err(error) => {
                            tracing::warn!(%error, "could not carry out a policy of retention");
                            break;
                        }
                    }
                }
                match self.tend_ancestry().await {
                    Ok(0) => {}
                    Ok(number) => tracing::info!(number, "computed the stacks of layers of images"),
                    Err(error) => tracing::warn!(%error, "could not compute the stacks of layers of images"),
                }
                if let Err(error) = self.purge_deleted_tags().await {
                    tracing::warn!(%error, "could not look for deleted tags whose time is over");
                }
            };
            tokio::select! {
                () = &mut shutdown => break,
                () = looked => {}
            }
            tokio::select! {
                () = &mut shutdown => break,
                () = self.retaining.notified() => {}
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    /// Wants those policies carried out whose time has come; says how many. Replicas share the work.
    pub async fn queue_retention(&self) -> Result<usize, AppError> {
        let now = self.clock.now_ms();
        let mut tx = self.store.read().await?;
        let due = retention_policy::list_due_policies(&mut tx, now, POLICIES).await?;
        drop(tx);
        let mut count = 0;
        for policy in due {
            let Some(came) = policy.next_run_at else { continue };
            let mut tx = self.store.write().await?;
            let next = policy.schedule.next(came, now);
            if retention_policy::pass_policy(&mut tx, policy.policy_id, came, next).await?
                && retention_run::find_open_run(&mut tx, policy.policy_id)
                    .await?
                    .is_none()
            {
                let run_id = self.new_id(RunId::new);
                retention_run::add_run(&mut tx, run_id, (policy.policy_id, policy.place), None, now).await?;
                count += 1;
            }
            tx.commit().await?;
        }
        Ok(count)
    }

    /// Claims a run that is due and carries it out; says whether there was one.
    pub async fn carry_out_retention(&self) -> Result<bool, AppError> {
        let Some(registry) = self.content_registry() else {
            return Ok(false);
        };
        let now = self.clock.now_ms();
        let mut tx = self.store.write().await?;
        let claimed = retention_run::claim_run(&mut tx, now.saturating_add(CLAIM_MS), now).await?;
        tx.commit().await?;
        let Some(mut run) = claimed else {
            return Ok(false);
        };
        let ended = match self.follow_run(registry, &mut run).await {
            Ok(()) => Ok(()),
            Err(Stop::Lost) => return Ok(true),
            Err(Stop::Failed(error)) => Err(error),
        };
        let now = self.clock.now_ms();
        let mut tx = self.store.write().await?;
        match ended {
            Ok(()) => retention_run::end_run(&mut tx, &run, "done", None, now).await?,
            Err(error) => {
                tracing::warn!(
                    run.id = %run.run_id,
                    error = &error as &dyn std::error::Error,
                    "a policy of retention could not be carried out to its end"
                );
                let why = crate::domain::content::clean(&error.to_string());
                let is_final = matches!(error, AppError::Conflict(_) | AppError::Invalid(_));
                if is_final || run.attempts >= ATTEMPTS {
                    retention_run::end_run(&mut tx, &run, "failed", Some(&why), now).await?;
                } else {
                    let doublings = u32::try_from(run.attempts.clamp(1, 20) - 1).unwrap_or(0);
                    let wait = RETRY_MS.saturating_mul(1 << doublings).min(LONGEST_RETRY_MS);
                    retention_run::delay_run(&mut tx, &run, now.saturating_add(wait), &why).await?;
                }
            }
        }
        tx.commit().await?;
        Ok(true)
    }

    async fn follow_run(&self, registry: &RegistryClient, run: &mut Run) -> Result<(), Stop> {
        let mut tx = self.store.read().await?;
        let policy = retention_policy::find_policy(&mut tx, run.policy_id).await?;
        drop(tx);
        let Some(policy) = policy.filter(|policy| policy.is_enabled) else {
            return Ok(());
        };
        self.settle_run(registry, run).await?;
        match policy.place {
            Place::Repository(id) => {
                let mut tx = self.store.read().await?;
                let facts = repository::find_repository_by_id(&mut tx, id).await?;
                drop(tx);
                if let Some(facts) = facts.filter(is_readable) {
                    self.retain(registry, run, &policy, &facts).await?;
                }
            }
            Place::Namespace(namespace_id) => loop {
                let mut tx = self.store.read().await?;
                let next = retention_run::next_repository(&mut tx, namespace_id, &run.after_name).await?;
                let Some(id) = next else { break };
                let facts = repository::find_repository_by_id(&mut tx, id).await?;
                let own = retention_policy::find_policy_of(&mut tx, Place::Repository(id)).await?;
                drop(tx);
                let Some(facts) = facts else { break };
                if own.is_none() && is_readable(&facts) {
                    self.retain(registry, run, &policy, &facts).await?;
                }
                facts.name.as_str().clone_into(&mut run.after_name);
                self.go_on(run).await?;
            },
        }
        Ok(())
    }

    /// Says that the run is alive, and how far it is.
    async fn go_on(&self, run: &mut Run) -> Result<(), Stop> {
        let until = self.clock.now_ms().saturating_add(CLAIM_MS);
        let mut tx = self.store.write().await?;
        if !retention_run::go_on_with_run(&mut tx, run, until).await? {
            return Err(Stop::Lost);
        }
        tx.commit().await?;
        run.claim = Some(until);
        run.attempts = 0;
        Ok(())
    }

    /// What somebody who was interrupted wanted to delete either went or did not: the registry knows.
    async fn settle_run(&self, registry: &RegistryClient, run: &mut Run) -> Result<(), Stop> {
        let most = u32::try_from(BATCH).unwrap_or(u32::MAX);
        loop {
            let mut tx = self.store.read().await?;
            let pending = content_deletion::list_pending_of_run(&mut tx, run.run_id, most).await?;
            drop(tx);
            if pending.is_empty() {
                return Ok(());
            }
            for one in pending {
                let mut tx = self.store.read().await?;
                let facts = repository::find_repository_by_id(&mut tx, one.repository_id).await?;
                drop(tx);
                let stands = match facts.filter(is_readable) {
                    Some(facts) => self.still_stands(registry, &facts, &one).await?,
                    None => true,
                };
                let (state, purge_after) = match (stands, &one.tag) {
                    (true, _) => (DeletionState::Kept, None),
                    (false, Some(_)) => (DeletionState::Deleted, one.purge_after),
                    (false, None) => (DeletionState::Purged, None),
                };
                run.tags += i64::from(!stands && one.tag.is_some());
                run.manifests += i64::from(!stands && one.tag.is_none());
                let mut tx = self.store.write().await?;
                content_deletion::set_state(&mut tx, one.deletion_id, state, purge_after).await?;
                tx.commit().await?;
            }
            self.go_on(run).await?;
        }
    }

    /// Carries a policy out in one repository.
    async fn retain(
        &self,
        registry: &RegistryClient,
        run: &mut Run,
        policy: &Policy,
        facts: &RepositoryFacts,
    ) -> Result<(), Stop> {
        let mut tx = self.store.read().await?;
        let holdings = load_holdings(&mut tx, facts.repository_id).await?;
        let (namespace, id) = (facts.namespace_id, facts.repository_id);
        let terms = self.terms(&mut tx, namespace, Some(id), false).await?;
        drop(tx);
        let now = self.clock.now_ms();
        let going = plan(&holdings, &policy.rules, &facts.name, &terms, now)?;
        foresee(run, policy, going.tags.len() + going.untagged.len());
        for batch in going.tags.chunks(BATCH) {
            let doomed = batch.iter().map(|tag| Doomed {
                tag: tag.name.clone(),
                digest: tag.digest.clone(),
                rule: tag.rule.and_then(|rule| i64::try_from(rule).ok()),
                pushed_at: Some(tag.pushed_at),
                pulled_at: tag.pulled_at,
            });
            let behalf = Behalf::Run(run.run_id);
            let done = self
                .delete_tags(registry, facts, behalf, doomed.collect())
                .await?;
            for (_, changed) in &done {
                match changed {
                    Changed::Done => run.tags += 1,
                    // Somebody else was first, or needs it.
                    Changed::Absent | Changed::Moved => {}
                    Changed::Refused(_) => run.failures += 1,
                }
            }
            self.go_on(run).await?;
        }
        if policy.rules.untagged_days.is_some() {
            self.retain_untagged(registry, run, policy, (facts, &terms))
                .await?;
        }
        Ok(())
    }

    /// Deletes the manifests that nothing has led to for long.
    async fn retain_untagged(
        &self,
        registry: &RegistryClient,
        run: &mut Run,
        policy: &Policy,
        (facts, terms): (&RepositoryFacts, &Terms),
    ) -> Result<(), Stop> {
        let now = self.clock.now_ms();
        let mut tx = self.store.read().await?;
        let holdings = load_holdings(&mut tx, facts.repository_id).await?;
        drop(tx);
        if plan(&holdings, &policy.rules, &facts.name, terms, now)?
            .untagged
            .is_empty()
            && holdings.is_read
        {
            return Ok(());
        }
        // What the registry was not heard of yet might need them.
        self.reconcile(registry, facts, false).await?;
        self.go_on(run).await?;
        let mut tx = self.store.read().await?;
        let holdings = load_holdings(&mut tx, facts.repository_id).await?;
        drop(tx);
        if !holdings.is_read {
            return Err(crate::app::content_deletion::not_read().into());
        }
        let going = plan(&holdings, &policy.rules, &facts.name, terms, now)?.untagged;
        foresee(run, policy, going.len());
        let mut gone = Vec::new();
        for batch in going.chunks(BATCH) {
            for digest in batch {
                let deletion = self.loose_deletion(run.run_id, facts, digest);
                let mut tx = self.store.write().await?;
                content_deletion::add_deletion(&mut tx, &deletion).await?;
                tx.commit().await?;
                let changed = self.delete_loose(registry, facts, digest).await?;
                let state = match changed {
                    Changed::Done | Changed::Absent => DeletionState::Purged,
                    Changed::Moved | Changed::Refused(_) => DeletionState::Kept,
                };
                if state == DeletionState::Purged {
                    gone.push(digest.clone());
                }
                run.manifests += i64::from(changed == Changed::Done);
                run.failures += i64::from(state == DeletionState::Kept);
                let mut tx = self.store.write().await?;
                content_deletion::set_state(&mut tx, deletion.deletion_id, state, None).await?;
                tx.commit().await?;
            }
            self.go_on(run).await?;
        }
        let behalf = Behalf::Run(run.run_id);
        run.tags += self
            .delete_followers(registry, facts, (&holdings, &gone), behalf)
            .await?;
        Ok(())
    }

    fn loose_deletion(&self, run_id: RunId, facts: &RepositoryFacts, digest: &str) -> ContentDeletion {
        ContentDeletion {
            deletion_id: self.new_id(DeletionId::new),
            repository_id: facts.repository_id,
            tag: None,
            digest: digest.to_owned(),
            state: DeletionState::Pending,
            deleted_at: self.clock.now_ms(),
            deleted_by: None,
            run_id: Some(run_id),
            rule: None,
            pushed_at: None,
            pulled_at: None,
            purge_after: None,
        }
    }
}
