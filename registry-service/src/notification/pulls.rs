//! Pulls: told from memory, and dropped when there are more than the endpoint takes.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::mpsc;

use super::Random;
use super::backoff::Backoff;
use super::endpoint::Endpoint;
use super::event::Event;
use super::sender::{Refusal, Sender};
use crate::metrics::EndpointNumbers;

/// Memory that the waiting pulls of one endpoint take, in bytes as they are estimated.
const MEMORY: u64 = 8 << 20;

/// The end of the queue where pulls come in.
#[derive(Debug)]
pub(super) struct Pulls {
    queue: mpsc::Sender<Event>,
    numbers: Arc<EndpointNumbers>,
}

/// The end where they are sent from.
pub(super) struct PullDeliverer {
    pub(super) queue: mpsc::Receiver<Event>,
    pub(super) endpoint: Arc<Endpoint>,
    pub(super) sender: Sender,
    pub(super) numbers: Arc<EndpointNumbers>,
    pub(super) random: Random,
}

fn estimated(event: &Event) -> u64 {
    1_024 + 512 * event.target.references.len() as u64
}

impl Pulls {
    pub(super) fn new(queue: mpsc::Sender<Event>, numbers: Arc<EndpointNumbers>) -> Self {
        Self { queue, numbers }
    }

    /// Never waits.
    pub(super) fn tell(&self, event: Event) {
        let bytes = estimated(&event);
        let fits = self.numbers.pull_bytes.get() < MEMORY;
        self.numbers.pulls.add(1);
        self.numbers.pull_bytes.add(bytes);
        if fits && self.queue.try_send(event).is_ok() {
            self.numbers.events.add(1);
        } else {
            self.numbers.pulls.sub(1);
            self.numbers.pull_bytes.sub(bytes);
            self.numbers.pulls_dropped.add(1);
        }
    }
}

impl PullDeliverer {
    /// Sends until nobody can tell any more.
    pub(super) async fn run(mut self) {
        let mut events = Vec::new();
        while self
            .queue
            .recv_many(&mut events, self.endpoint.batch.max(1))
            .await
            > 0
        {
            self.send(&events).await;
            self.numbers.pulls.sub(events.len() as u64);
            self.numbers.pull_bytes.sub(events.iter().map(estimated).sum());
            events.clear();
        }
    }

    async fn send(&self, events: &[Event]) {
        let mut backoff = Backoff::default();
        loop {
            match self.sender.send(events).await {
                Ok(()) => return,
                Err(Refusal::These(why)) => {
                    tracing::debug!(endpoint = self.endpoint.name, why, "pulls were refused");
                    self.numbers.pulls_dropped.add(events.len() as u64);
                    return;
                }
                Err(Refusal::Everything(_)) => {}
            }
            let Endpoint {
                threshold,
                backoff: first,
                ..
            } = *self.endpoint;
            let now = Instant::now();
            backoff.failed(now, threshold, first, (self.random)());
            if let Some(until) = backoff.closed_until(now) {
                tokio::time::sleep_until(until.into()).await;
            }
        }
    }
}
