//! Delivery from the durable queue: at least once, in the order of each repository's events, by one process at a time.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future;
use shared::runtime::clock::Clock;
use tokio::sync::Notify;

use super::Random;
use super::backlog::Backlog;
use super::backoff::Backoff;
use super::bounds;
use super::endpoint::Endpoint;
use super::event::Event;
use super::layout::Name;
use super::sender::{Refusal, Sender};
use super::spool::{Found, Spool};
use crate::metrics::EndpointNumbers;
use crate::storage::{Stamp, StorageError};

/// How often it looks for what other processes wrote, and whether the one that delivers is gone.
const LOOK: Duration = Duration::from_secs(1);
/// While there is enough to do, it looks this often.
const LOOK_WHILE_BUSY: Duration = Duration::from_millis(250);
/// How often ages are looked at.
const AGES: Duration = Duration::from_mins(1);
/// Repositories that are served at once, and how many events of each until what was accepted is taken out of the queue: what
/// may be sent twice when the process ends.
const LINES: usize = 8;
const EVENTS: usize = 32;

/// Whoever delivers to one endpoint.
pub(super) struct Deliverer {
    pub(super) spool: Spool,
    pub(super) endpoint: Arc<Endpoint>,
    pub(super) sender: Sender,
    pub(super) numbers: Arc<EndpointNumbers>,
    /// Something was put into the queue by this process.
    pub(super) wake: Arc<Notify>,
    pub(super) clock: Clock,
    pub(super) random: Random,
}

/// What was seen of the queue.
#[derive(Default)]
struct Seen {
    stamp: Option<Stamp>,
    at: Option<Instant>,
    /// How long the look took: a long queue is not looked at all the time.
    took: Duration,
    ages: Option<Instant>,
}

/// How far the events of one repository got.
#[derive(Default)]
struct Outcome {
    delivered: Vec<Name>,
    unreadable: Vec<Name>,
    refusal: Option<Refusal>,
}

impl Deliverer {
    /// Delivers, as long as no other process does.
    pub(super) async fn run(self) -> Infallible {
        let mut is_told = false;
        loop {
            match self.spool.lease().await {
                Ok(None) => {}
                Ok(Some(lease)) => {
                    tracing::debug!(endpoint = self.endpoint.name, "this process delivers");
                    let Err(error) = self.deliver(&mut is_told).await;
                    drop(lease);
                    self.numbers.pending.set(0);
                    self.tell(&error, &mut is_told);
                }
                Err(error) => self.tell(&error, &mut is_told),
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    fn tell(&self, error: &StorageError, is_told: &mut bool) {
        if !std::mem::replace(is_told, true) {
            tracing::error!(
                endpoint = self.endpoint.name,
                error = error as &dyn std::error::Error,
                "events wait in the storage, which fails; they are tried again, and this is not said again until they are delivered"
            );
        }
    }

    /// Delivers until the storage fails. What was delivered takes back that a failure is told.
    async fn deliver(&self, is_told: &mut bool) -> Result<Infallible, StorageError> {
        let mut backlog = Backlog::default();
        let mut seen = Seen::default();
        let mut receiver = Backoff::default();
        bounds::keep_dead(&self.spool, &self.endpoint, &self.numbers).await?;
        self.look(&mut backlog, &mut seen).await?;
        loop {
            let now = Instant::now();
            let lines = match receiver.closed_until(now) {
                Some(_) => Vec::new(),
                // One is enough to find out.
                None if receiver.failures() > 0 => backlog.due(now, 1, 1),
                None => backlog.due(now, LINES, EVENTS),
            };
            if lines.is_empty() {
                let until = receiver.closed_until(now).or_else(|| backlog.next_due(now));
                self.wait(&seen, until).await;
                self.look(&mut backlog, &mut seen).await?;
                continue;
            }
            self.round(lines, &mut backlog, &mut receiver).await?;
            *is_told = false;
            if seen.at.is_none_or(|at| at.elapsed() > LOOK_WHILE_BUSY) || backlog.count() == 0 {
                self.look(&mut backlog, &mut seen).await?;
            }
        }
    }

    /// Waits until something may have come, or may be tried again.
    async fn wait(&self, seen: &Seen, until: Option<Instant>) {
        let pause = LOOK.max(10 * seen.took);
        let look = seen.at.map_or_else(Instant::now, |at| at + pause);
        let until = until.map_or(look, |until| until.min(look));
        let woken = async {
            self.wake.notified().await;
            // A look that was long waits for more to come.
            if let Some(at) = seen.at {
                tokio::time::sleep_until((at + 10 * seen.took).into()).await;
            }
        };
        tokio::select! {
            () = woken => {}
            () = tokio::time::sleep_until(until.into()) => {}
        }
    }

    /// Reads the queue, if it has changed, and keeps it within its bounds.
    async fn look(&self, backlog: &mut Backlog, seen: &mut Seen) -> Result<(), StorageError> {
        let begun = Instant::now();
        if seen.at.is_some_and(|at| begun < at + 10 * seen.took) {
            return Ok(());
        }
        let now_ms = self.clock.now_ms();
        let stamp = self.spool.stamp().await?;
        if stamp.is_none() || stamp != seen.stamp {
            // A change right after an unsettled stamp would not show.
            seen.stamp = stamp.filter(|stamp| stamp.is_settled(now_ms));
            backlog.update(self.spool.waiting().await?);
        }
        seen.at = Some(Instant::now());
        seen.took = begun.elapsed();
        let ages = seen.ages.is_none_or(|looked| looked.elapsed() > AGES);
        if ages || backlog.count() > self.endpoint.max_events {
            seen.ages = seen.at;
            self.keep_bounds(backlog, seen, now_ms).await?;
        }
        self.numbers.pending.set(backlog.count() as u64);
        Ok(())
    }

    async fn keep_bounds(
        &self,
        backlog: &mut Backlog,
        seen: &mut Seen,
        now_ms: i64,
    ) -> Result<(), StorageError> {
        let random = || (self.random)();
        let gone = bounds::keep(
            &self.spool,
            &self.endpoint,
            backlog,
            &self.numbers,
            now_ms,
            random,
        )
        .await?;
        if !gone.is_empty() {
            backlog.remove(&gone);
            seen.stamp = None;
            bounds::keep_dead(&self.spool, &self.endpoint, &self.numbers).await?;
        }
        Ok(())
    }

    /// Sends the first events of some repositories, and takes out of the queue what was accepted.
    async fn round(
        &self,
        lines: Vec<Vec<Name>>,
        backlog: &mut Backlog,
        receiver: &mut Backoff,
    ) -> Result<(), StorageError> {
        let repositories: Vec<_> = lines
            .iter()
            .filter_map(|line| line.first())
            .map(|name| name.repository.clone())
            .collect();
        let outcomes = future::join_all(lines.into_iter().map(|line| self.line(line))).await;
        let (mut delivered, mut unreadable, mut failed) = (Vec::new(), Vec::new(), None);
        for (repository, outcome) in repositories.iter().zip(outcomes) {
            let outcome = outcome?;
            if !outcome.delivered.is_empty()
                && let Some(backoff) = backlog.backoff(repository)
            {
                backoff.succeeded();
            }
            delivered.extend(outcome.delivered);
            unreadable.extend(outcome.unreadable);
            match outcome.refusal {
                None => {}
                Some(Refusal::Everything(why)) => failed = Some(why),
                Some(Refusal::These(why)) => self.refused(backlog, repository, &why),
            }
        }
        let is_accepting = !delivered.is_empty();
        self.spool.remove(&delivered).await?;
        backlog.remove(&delivered);
        if !unreadable.is_empty() {
            tracing::error!(
                endpoint = self.endpoint.name,
                events = unreadable.len(),
                "what waits in the queue cannot be read; it is kept as dead letters"
            );
            self.spool.bury(&unreadable).await?;
            self.numbers.dead_letters.add(unreadable.len() as u64);
            backlog.remove(&unreadable);
            bounds::keep_dead(&self.spool, &self.endpoint, &self.numbers).await?;
        }
        self.numbers.pending.set(backlog.count() as u64);
        if is_accepting && receiver.succeeded() {
            tracing::info!(endpoint = self.endpoint.name, "events are delivered again");
        }
        if let Some(why) = failed {
            if receiver.failures() == 0 {
                let (endpoint, url) = (&self.endpoint.name, self.endpoint.shown_url());
                tracing::warn!(
                    endpoint,
                    url,
                    why,
                    "events cannot be delivered; they wait and are tried again"
                );
            }
            let Endpoint {
                threshold, backoff, ..
            } = *self.endpoint;
            receiver.failed(Instant::now(), threshold, backoff, (self.random)());
        }
        Ok(())
    }

    fn refused(&self, backlog: &mut Backlog, repository: &str, why: &str) {
        let Endpoint {
            threshold, backoff, ..
        } = *self.endpoint;
        let Some(line) = backlog.backoff(repository) else {
            return;
        };
        if line.failures() == 0 {
            tracing::warn!(
                endpoint = self.endpoint.name,
                repository,
                why,
                "the receiver refuses an event; those of this repository wait and are tried again"
            );
        }
        line.failed(Instant::now(), threshold, backoff, (self.random)());
    }

    /// Sends events of one repository in their order, up to the first that is not accepted.
    async fn line(&self, names: Vec<Name>) -> Result<Outcome, StorageError> {
        let mut outcome = Outcome::default();
        for names in names.chunks(self.endpoint.batch.max(1)) {
            let (mut events, mut of_events): (Vec<Event>, Vec<Name>) = (Vec::new(), Vec::new());
            for name in names {
                match self.spool.read(name, true).await? {
                    Found::Event(event) => {
                        events.push(*event);
                        of_events.push(name.clone());
                    }
                    Found::Gone => outcome.delivered.push(name.clone()),
                    Found::Unreadable => outcome.unreadable.push(name.clone()),
                }
            }
            if events.is_empty() {
                continue;
            }
            if let Err(refusal) = self.sender.send(&events).await {
                outcome.refusal = Some(refusal);
                return Ok(outcome);
            }
            outcome.delivered.extend(of_events);
        }
        Ok(outcome)
    }
}
