//! What happens is written down for whoever wants to be told of it, in the transaction in which it happens.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use crate::app::App;
use crate::app::error::AppError;
use crate::domain::webhook::Facts;
use crate::domain::{DeliveryId, EventKind, NamespaceFacts, RepositoryFacts, RepositoryId, WebhookId};
use crate::store::webhook::Listener;
use crate::store::webhook_delivery::NewDelivery;
use crate::store::{Tx, webhook, webhook_delivery};
use shared::oci::RepositoryName;

/// Most webhooks that are told of one thing.
const MOST_LISTENERS: u32 = 200;
/// Most deliveries that wait for one webhook.
const MOST_WAITING: u32 = 1_000;
/// Most that may wait when one more is about what people do as often as they like.
const MOST_CHATTER: u32 = 100;

/// Who is told of something.
#[derive(Debug, Default)]
pub(in crate::app) struct Listeners(BTreeMap<WebhookId, Listener>);

impl Listeners {
    fn of(found: Vec<Listener>) -> Self {
        Self(
            found
                .into_iter()
                .map(|listener| (listener.webhook_id, listener))
                .collect(),
        )
    }

    /// These and those.
    pub(in crate::app) fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }
}

impl Facts {
    /// What happens to a repository now.
    pub(in crate::app) fn about(id: RepositoryId, name: &RepositoryName, at: i64, actor: &str) -> Self {
        Self {
            at,
            namespace: name.namespace().to_owned(),
            repository: Some(name.to_string()),
            repository_id: Some(id.as_i64()),
            actor: Some(actor.to_owned()).filter(|actor| !actor.is_empty()),
            ..Self::default()
        }
    }
}

impl App {
    /// Who may be told what happens to a repository, as things are now.
    pub(in crate::app) async fn listeners(
        &self,
        tx: &mut Tx,
        repository_id: RepositoryId,
    ) -> Result<Listeners, AppError> {
        let found = webhook::list_listeners(tx, repository_id, MOST_LISTENERS).await?;
        Ok(Listeners::of(found))
    }

    /// Tells that much of what a namespace may hold is there, in words.
    pub(in crate::app) async fn tell_of_quota(
        &self,
        tx: &mut Tx,
        namespace: &NamespaceFacts,
        text: String,
    ) -> Result<(), AppError> {
        let found = webhook::list_namespace_listeners(tx, namespace.namespace_id, MOST_LISTENERS).await?;
        let facts = Facts {
            at: self.clock.now_ms(),
            namespace: namespace.name.to_string(),
            text: Some(text),
            ..Facts::default()
        };
        self.tell_all(tx, &Listeners::of(found), &[(EventKind::Quota, facts)])
            .await
    }

    /// Tells that something happened to a repository.
    pub(in crate::app) async fn tell_about(
        &self,
        tx: &mut Tx,
        kind: EventKind,
        repository: &RepositoryFacts,
        actor: &str,
    ) -> Result<(), AppError> {
        let facts = Facts::about(
            repository.repository_id,
            &repository.name,
            self.clock.now_ms(),
            actor,
        );
        self.tell(tx, repository.repository_id, kind, facts).await
    }

    /// The same with more to say.
    pub(in crate::app) async fn tell(
        &self,
        tx: &mut Tx,
        repository_id: RepositoryId,
        kind: EventKind,
        facts: Facts,
    ) -> Result<(), AppError> {
        let listeners = self.listeners(tx, repository_id).await?;
        self.tell_all(tx, &listeners, &[(kind, facts)]).await
    }

    /// Tells of several things, in their order.
    pub(in crate::app) async fn tell_all(
        &self,
        tx: &mut Tx,
        listeners: &Listeners,
        events: &[(EventKind, Facts)],
    ) -> Result<(), AppError> {
        // In the order of their ids, so that no two wait for each other.
        for listener in listeners.0.values() {
            let mut is_told = false;
            for (kind, facts) in events {
                if listener.wants(*kind, facts.tag.as_deref()) {
                    is_told |= self.enqueue(tx, listener.webhook_id, *kind, facts).await?;
                }
            }
            if is_told {
                webhook::wake_webhook(tx, listener.webhook_id, self.clock.now_ms()).await?;
            }
        }
        Ok(())
    }

    /// Ids of deliveries are in the order in which this process made them, also within a millisecond: so they are sent.
    pub(super) fn new_delivery_id(&self) -> DeliveryId {
        let new = self.new_id(DeliveryId::new).as_i64();
        let next = |last: i64| new.max(last.saturating_add(1));
        let last = self
            .last_delivery
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| Some(next(last)));
        DeliveryId::from_i64(last.map_or(new, next))
    }

    /// Adds one delivery to the queue of a webhook; says whether it is to be sent.
    async fn enqueue(
        &self,
        tx: &mut Tx,
        webhook_id: WebhookId,
        kind: EventKind,
        facts: &Facts,
    ) -> Result<bool, AppError> {
        let most = if kind.is_chatter() {
            MOST_CHATTER
        } else {
            MOST_WAITING
        };
        let waiting = webhook_delivery::count_waiting(tx, webhook_id, most).await?;
        let is_full = waiting >= i64::from(most);
        if is_full && kind.is_chatter() {
            return Ok(false);
        }
        let delivery_id = self.new_delivery_id();
        let new = NewDelivery {
            delivery_id,
            webhook_id,
            message_id: delivery_id,
            kind,
            facts,
            now_ms: self.clock.now_ms(),
            is_asked: false,
            refused: is_full.then_some("too many deliveries waited for the webhook"),
        };
        webhook_delivery::add_delivery(tx, &new).await?;
        Ok(!is_full)
    }
}
