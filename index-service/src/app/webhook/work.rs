//! Deliveries are sent, by whichever replica claims their webhook, and their outcome is written down.
//!
//! A webhook is claimed as a whole and sent to one after the other: a slow receiver takes one place among those that are
//! sent to at once, whatever waits for it, and messages keep their order as long as nothing fails. After a failure the
//! webhook pauses, the longer the more failed in a row; each delivery is tried again for a day.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::task::JoinSet;

use super::message::Next;
use crate::app::App;
use crate::app::audit::{By, Change};
use crate::app::error::AppError;
use crate::app::notice::News;
use crate::domain::webhook::{DeliveryState, DisabledBecause, HookDelivery, HookPlace, Keeper, Webhook};
use crate::domain::{
    AuditAction, Ceiling, DeliveryId, EventKind, HookFormat, NoticeKind, Principal, RepositoryFacts,
    RepositoryId, RepositoryState, Right, Rights, TargetKind, decide, decide_namespace,
};
use crate::egress::{Message, Outcome};
use crate::store::access::Surroundings;
use crate::store::webhook::HookClaim;
use crate::store::{Tx, account, deletion, namespace, repository, robot, webhook, webhook_delivery};

/// How often it is looked for what other replicas, or other use cases, left.
const LOOK: Duration = Duration::from_secs(1);
/// Webhooks that one replica sends to at once.
const CONCURRENCY: usize = 8;
/// How long a webhook is claimed, in milliseconds: longer than [`TURN`] and the last delivery in it together.
const CLAIM_MS: i64 = 25_000;
/// How long deliveries of one webhook follow one another before others have their turn.
const TURN: Duration = Duration::from_secs(8);
/// How long deliveries in flight have to end when the process does.
const DRAIN: Duration = Duration::from_secs(5);

/// The first wait before a delivery is tried again, in milliseconds; each is twice as long as the one before.
const RETRY_MS: i64 = 10_000;
/// The longest.
const LONGEST_RETRY_MS: i64 = 2 * 3_600_000;
/// How long a delivery is tried, in milliseconds: a day.
const LIFE_MS: i64 = 86_400_000;
/// The first pause of a webhook after a failure, in milliseconds; each is twice as long as the one before.
const PAUSE_MS: i64 = 5_000;
/// The longest.
const LONGEST_PAUSE_MS: i64 = 15 * 60_000;
/// A webhook is switched off when it failed for so long, in milliseconds: three days.
const PATIENCE_MS: i64 = 3 * 86_400_000;
/// And so often.
const FEWEST_FAILURES: i64 = 10;

/// Deliveries of one webhook that are remembered.
const KEPT_DELIVERIES: u32 = 500;
/// How long deliveries are remembered, in milliseconds: a week.
const KEPT_MS: i64 = 7 * 86_400_000;
/// Old deliveries that are forgotten at once.
const DROPPED_AT_ONCE: u32 = 500;

/// How a webhook goes on after a delivery.
enum Turn {
    /// With the next delivery.
    Next,
    /// After a pause until then.
    Pause(i64),
    /// Not at all.
    Off,
}

impl App {
    /// Sends what is to be sent until `shutdown` resolves.
    pub(in crate::app) async fn follow_webhooks(self: &Arc<Self>, shutdown: impl Future<Output = ()>) {
        let mut shutdown = pin!(shutdown);
        let mut working = JoinSet::new();
        loop {
            match self.claim_due(CONCURRENCY - working.len()).await {
                Ok(claims) => {
                    for claim in claims {
                        let app = Arc::clone(self);
                        working.spawn(async move { app.work_or_tell(claim).await });
                    }
                }
                Err(error) => tracing::warn!(%error, "could not look for what is to be sent to webhooks"),
            }
            tokio::select! {
                () = &mut shutdown => break,
                Some(_) = working.join_next() => {}
                () = self.telling.notified(), if working.len() < CONCURRENCY => {}
                () = tokio::time::sleep(LOOK), if working.len() < CONCURRENCY => {}
            }
        }
        // What is cut off here is sent again by the next process, perhaps a second time.
        let ended = async { while working.join_next().await.is_some() {} };
        if tokio::time::timeout(DRAIN, ended).await.is_err() {
            tracing::debug!("deliveries to webhooks were cut off; they are sent again");
        }
    }

    /// Sends everything that is due now, one after the other; says for how many webhooks.
    pub async fn deliver_due(&self) -> Result<usize, AppError> {
        let mut count = 0;
        loop {
            let claims = self.claim_due(CONCURRENCY).await?;
            if claims.is_empty() {
                return Ok(count);
            }
            count += claims.len();
            for claim in claims {
                self.work(claim).await?;
            }
        }
    }

    async fn claim_due(&self, most: usize) -> Result<Vec<HookClaim>, AppError> {
        let most = u32::try_from(most).unwrap_or(u32::MAX);
        if most == 0 {
            return Ok(Vec::new());
        }
        let now = self.clock.now_ms();
        let mut tx = self.store.read().await?;
        // Looking costs no write.
        if !webhook::is_webhook_due(&mut tx, now).await? {
            return Ok(Vec::new());
        }
        drop(tx);
        let mut tx = self.store.write().await?;
        let claims = webhook::claim_webhooks(&mut tx, now + CLAIM_MS, now, most).await?;
        tx.commit().await?;
        Ok(claims)
    }

    async fn work_or_tell(&self, claim: HookClaim) {
        if let Err(error) = self.work(claim).await {
            // Its claim ends, and somebody tries again.
            tracing::warn!(
                webhook.id = %claim.webhook_id,
                error = &error as &dyn std::error::Error,
                "could not send to a webhook"
            );
        }
    }

    /// Sends what is due for one webhook.
    async fn work(&self, claim: HookClaim) -> Result<(), AppError> {
        let begun = Instant::now();
        let mut pause = None;
        while begun.elapsed() < TURN {
            let now = self.clock.now_ms();
            let mut tx = self.store.read().await?;
            let Some(hook) = webhook::find_claimed(&mut tx, claim).await? else {
                return Ok(());
            };
            let Some(delivery) = webhook_delivery::find_next(&mut tx, hook.webhook_id, now).await? else {
                break;
            };
            // Whoever lost the right to look after the repository is not told of it any longer.
            if !self.may_keep(&mut tx, &hook).await? {
                drop(tx);
                return self.end_webhook(claim, &hook, DisabledBecause::Permission).await;
            }
            let next = self.prepare(&mut tx, &hook, &delivery).await?;
            drop(tx);
            let turn = match next {
                // What comes after it waits as well, so that the order stays.
                Next::Later(due_at) => Turn::Pause(due_at),
                Next::Send(message) => {
                    let outcome = self.egress.send(&message).await;
                    self.settle(claim, &hook, delivery, &message, outcome).await?
                }
            };
            match turn {
                Turn::Next => {}
                Turn::Pause(until) => {
                    pause = Some(until);
                    break;
                }
                Turn::Off => return Ok(()),
            }
        }
        let mut tx = self.store.write().await?;
        // Held first: what is added meanwhile is seen by what is read after it.
        if webhook::hold_claim(&mut tx, claim).await? {
            let earliest = webhook_delivery::find_earliest(&mut tx, claim.webhook_id).await?;
            let due_at = earliest.map(|due_at| due_at.max(pause.unwrap_or(due_at)));
            webhook::release_webhook(&mut tx, claim.webhook_id, due_at).await?;
            webhook_delivery::drop_beyond(&mut tx, claim.webhook_id, KEPT_DELIVERIES).await?;
        }
        Ok(tx.commit().await?)
    }

    /// Whether a webhook's keeper may look after its place, now.
    async fn may_keep(&self, tx: &mut Tx, hook: &Webhook) -> Result<bool, AppError> {
        let now = self.clock.now_ms();
        let principal = match hook.keeper {
            Keeper::Account(id) => match account::find_account_by_id(tx, id).await? {
                Some(account) => account.principal(Ceiling::Full),
                None => return Ok(false),
            },
            Keeper::Robot(id) => match robot::find_robot_by_id(tx, id).await? {
                Some(robot) if robot.is_live(now) => Principal::Machine(self.machine(tx, &robot).await?),
                _ => return Ok(false),
            },
        };
        match hook.place {
            HookPlace::Repository(id) => {
                let Some(facts) = find_living_or_deleted(tx, id).await? else {
                    return Ok(false);
                };
                let around = Surroundings::of_namespace(tx, &principal, facts.namespace_id).await?;
                let decision = decide(
                    &principal,
                    &around.facts(Some(&facts), now),
                    &facts.name,
                    Rights::ALL,
                );
                Ok(decision.granted.contains(Right::Manage))
            }
            HookPlace::Namespace(id) => {
                let around = Surroundings::of_namespace(tx, &principal, id).await?;
                Ok(decide_namespace(&principal, &around.facts(None, now)).contains(Right::Administer))
            }
        }
    }

    /// Writes down what became of a delivery, and how the webhook goes on.
    async fn settle(
        &self,
        claim: HookClaim,
        hook: &Webhook,
        mut delivery: HookDelivery,
        message: &Message,
        outcome: Outcome,
    ) -> Result<Turn, AppError> {
        let now = self.clock.now_ms();
        let failure = failure(hook.format, &outcome);
        let is_gone = outcome.status == Some(410);
        let retry_after_ms = outcome
            .retry_after_s
            .and_then(|seconds| i64::try_from(seconds).ok())
            .map_or(0, |seconds| seconds.saturating_mul(1_000).min(LONGEST_RETRY_MS));
        // A test is over when it fails, and so is what is sent to a webhook that is off.
        let is_single = delivery.kind == EventKind::Ping || !hook.is_enabled;
        let wait = self
            .jittered(doubled(RETRY_MS, delivery.attempts, LONGEST_RETRY_MS))
            .max(retry_after_ms);
        let is_over = is_single || now.saturating_add(wait) > delivery.created_at + LIFE_MS;
        (delivery.state, delivery.due_at) = match &failure {
            None => (DeliveryState::Delivered, None),
            Some(_) if is_over => (DeliveryState::Dead, None),
            Some(_) => (DeliveryState::Waiting, Some(now.saturating_add(wait))),
        };
        delivery.attempted_at = Some(now);
        delivery.duration_ms = Some(outcome.duration_ms);
        delivery.status = outcome.status.map(i64::from);
        delivery.error.clone_from(&failure);
        delivery.request_headers = Some(message.head());
        delivery.request_body = Some(message.body.clone());
        delivery.response_headers = Some(outcome.headers);
        delivery.response_body = Some(outcome.body);
        let counts = failure.is_none() || !is_single;
        let mut tx = self.store.write().await?;
        webhook_delivery::settle_delivery(&mut tx, &delivery).await?;
        if counts {
            webhook::note_attempt(&mut tx, hook.webhook_id, failure.is_none(), now).await?;
        }
        tx.commit().await?;
        if failure.is_none() || is_single {
            return Ok(Turn::Next);
        }
        if is_gone {
            self.end_webhook(claim, hook, DisabledBecause::Gone).await?;
            return Ok(Turn::Off);
        }
        let failures = hook.failures + 1;
        let is_hopeless = failures >= FEWEST_FAILURES
            && hook
                .failing_since
                .is_some_and(|since| now.saturating_sub(since) >= PATIENCE_MS);
        if is_hopeless {
            self.end_webhook(claim, hook, DisabledBecause::Failing).await?;
            return Ok(Turn::Off);
        }
        let pause = self.jittered(doubled(PAUSE_MS, failures - 1, LONGEST_PAUSE_MS));
        Ok(Turn::Pause(now.saturating_add(pause.max(retry_after_ms))))
    }

    /// Switches a claimed webhook off by itself, and says so.
    async fn end_webhook(
        &self,
        claim: HookClaim,
        hook: &Webhook,
        because: DisabledBecause,
    ) -> Result<(), AppError> {
        let mut tx = self.store.write().await?;
        if !webhook::hold_claim(&mut tx, claim).await? {
            return Ok(());
        }
        self.switch_off(&mut tx, hook.webhook_id, because).await?;
        webhook::release_webhook(&mut tx, hook.webhook_id, None).await?;
        let (name, namespace) = match hook.place {
            HookPlace::Repository(id) => match find_living_or_deleted(&mut tx, id).await? {
                Some(facts) => (
                    facts.name.to_string(),
                    namespace::find_namespace_by_id(&mut tx, facts.namespace_id).await?,
                ),
                None => (String::new(), None),
            },
            HookPlace::Namespace(id) => {
                let found = namespace::find_namespace_by_id(&mut tx, id).await?;
                (
                    found
                        .as_ref()
                        .map(|namespace| namespace.name.to_string())
                        .unwrap_or_default(),
                    found,
                )
            }
        };
        let mut change = Change::new(AuditAction::WebhookDisable, TargetKind::Webhook, &name)
            .id(hook.webhook_id.as_i64())
            .after(
                serde_json::json!({"because": because.as_str(), "name": hook.label, "url": hook.shown_url}),
            );
        if let Some(namespace) = &namespace {
            change = change.within(namespace);
        }
        self.audit(&mut tx, By::Service, change).await?;
        let mut told = match &namespace {
            Some(namespace) => self.caretakers(&mut tx, namespace).await?,
            None => Vec::new(),
        };
        // Whoever lost the right to look after the place is told no more of it.
        if let Keeper::Account(keeper) = hook.keeper
            && because != DisabledBecause::Permission
        {
            told.push(keeper);
        }
        let news = News {
            kind: NoticeKind::Webhook,
            subject: &name,
            subject_id: Some(hook.webhook_id.as_i64()),
            actor: None,
            detail: because.as_str(),
        };
        if !name.is_empty() {
            self.notify(&mut tx, told, news).await?;
        }
        tx.commit().await?;
        tracing::warn!(
            webhook.id = %hook.webhook_id,
            webhook.place = name,
            because = because.as_str(),
            "a webhook was switched off"
        );
        Ok(())
    }

    /// Forgets deliveries that are old; says how many.
    pub async fn prune_deliveries(&self) -> Result<u64, AppError> {
        let before = DeliveryId::first_of(self.clock.now_ms().saturating_sub(KEPT_MS));
        let mut dropped = 0;
        loop {
            let mut tx = self.store.write().await?;
            let count = webhook_delivery::drop_old(&mut tx, before, DROPPED_AT_ONCE).await?;
            tx.commit().await?;
            dropped += count;
            if count < u64::from(DROPPED_AT_ONCE) {
                return Ok(dropped);
            }
        }
    }

    /// A time that is up to a quarter shorter or longer, so that not everything that failed together comes back together.
    fn jittered(&self, wait_ms: i64) -> i64 {
        let percent = 75 + i64::from(self.random.number() % 51);
        wait_ms / 100 * percent
    }
}

/// `first`, doubled so many times, at most `longest`.
fn doubled(first: i64, times: i64, longest: i64) -> i64 {
    let times = u32::try_from(times.clamp(0, 30)).unwrap_or(0);
    first.saturating_mul(1 << times).min(longest)
}

/// Why a message was not taken. Chats answer 200 to everything and say the rest in the body.
fn failure(format: HookFormat, outcome: &Outcome) -> Option<String> {
    if let Some(error) = &outcome.error {
        return Some(error.clone());
    }
    let status = outcome.status.unwrap_or_default();
    if !(200..300).contains(&status) {
        return Some(format!("the receiver answered {status}"));
    }
    let fields: &[&str] = match format {
        HookFormat::Feishu => &["code", "StatusCode"],
        HookFormat::DingTalk | HookFormat::WeCom => &["errcode"],
        HookFormat::DockerHub | HookFormat::CloudEvents | HookFormat::Slack => &[],
    };
    let answer: Value = serde_json::from_str(&outcome.body).unwrap_or_default();
    fields
        .iter()
        .filter_map(|field| answer[field].as_i64())
        .find(|code| *code != 0)
        .map(|code| format!("the receiver answered {status} with the code {code}"))
}

/// A repository, also one that was deleted and can be restored.
pub(super) async fn find_living_or_deleted(
    tx: &mut Tx,
    id: RepositoryId,
) -> Result<Option<RepositoryFacts>, AppError> {
    if let Some(facts) = repository::find_repository_by_id(tx, id).await? {
        return Ok(Some(facts));
    }
    let deleted = deletion::find_deleted(tx, id).await?;
    Ok(deleted.map(|deleted| RepositoryFacts {
        repository_id: deleted.repository_id,
        namespace_id: deleted.namespace_id,
        name: deleted.name,
        stored_as: deleted.stored_as,
        visibility: deleted.visibility,
        state: RepositoryState::Active,
    }))
}
