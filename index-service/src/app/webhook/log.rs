//! What webhooks were told, told again, and told for a test.

use serde_json::json;

use super::{HookScope, Managed, find, missing, told};
use crate::app::App;
use crate::app::audit::By;
use crate::app::caller::Caller;
use crate::app::error::AppError;
use crate::domain::webhook::{Facts, HookDelivery, HookPlace, Webhook};
use crate::domain::{AuditAction, DeliveryId, EventKind, WebhookId};
use crate::store::webhook_delivery::{self, NewDelivery};
use crate::store::{Tx, namespace, overview, repository, webhook};

/// Most tests and repetitions that wait for one webhook.
const MOST_ASKED: u32 = 100;

fn no_delivery() -> AppError {
    AppError::NotFound("the webhook has no such delivery".to_owned())
}

impl App {
    /// At most `limit` deliveries of a webhook, the newest first, those before `before`.
    pub async fn list_deliveries(
        &self,
        caller: &Caller,
        scope: &HookScope,
        webhook_id: WebhookId,
        before: i64,
        limit: u32,
    ) -> Result<Vec<HookDelivery>, AppError> {
        let mut tx = self.store.read().await?;
        let managed = self.hook_place(&mut tx, caller, scope).await?;
        find(&mut tx, &managed, webhook_id).await?;
        Ok(webhook_delivery::list_deliveries(&mut tx, webhook_id, before, limit).await?)
    }

    /// A delivery with what was sent and what was answered.
    pub async fn show_delivery(
        &self,
        caller: &Caller,
        scope: &HookScope,
        webhook_id: WebhookId,
        delivery_id: DeliveryId,
    ) -> Result<HookDelivery, AppError> {
        let mut tx = self.store.read().await?;
        let managed = self.hook_place(&mut tx, caller, scope).await?;
        find(&mut tx, &managed, webhook_id).await?;
        webhook_delivery::find_delivery(&mut tx, webhook_id, delivery_id)
            .await?
            .ok_or_else(no_delivery)
    }

    /// Sends a delivery once more, as the same message.
    pub async fn redeliver(
        &self,
        caller: &Caller,
        scope: &HookScope,
        webhook_id: WebhookId,
        delivery_id: DeliveryId,
    ) -> Result<HookDelivery, AppError> {
        let mut tx = self.store.write().await?;
        let managed = self.hook_place(&mut tx, caller, scope).await?;
        let webhook = find(&mut tx, &managed, webhook_id).await?;
        let made = self
            .repeat(&mut tx, caller, (&managed, &webhook), delivery_id)
            .await?;
        tx.commit().await?;
        self.telling.notify_one();
        Ok(made)
    }

    /// Sends a delivery once more that was given up, whosever webhook it is for. For administrators of the site.
    pub async fn redeliver_dead(
        &self,
        caller: &Caller,
        delivery_id: DeliveryId,
    ) -> Result<HookDelivery, AppError> {
        caller.administrator()?;
        let mut tx = self.store.write().await?;
        let before = delivery_id.as_i64().saturating_add(1);
        let newest = overview::list_dead(&mut tx, before, 1).await?.pop();
        let dead = newest.filter(|dead| dead.delivery_id == delivery_id);
        let dead = dead.ok_or_else(|| AppError::NotFound("no such delivery was given up".to_owned()))?;
        let (place, _) = dead.place.ok_or_else(no_delivery)?;
        let managed = placed(&mut tx, place).await?;
        let webhook = find(&mut tx, &managed, dead.webhook_id).await?;
        let made = self
            .repeat(&mut tx, caller, (&managed, &webhook), delivery_id)
            .await?;
        tx.commit().await?;
        self.telling.notify_one();
        Ok(made)
    }

    async fn repeat(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        (managed, webhook): (&Managed, &Webhook),
        delivery_id: DeliveryId,
    ) -> Result<HookDelivery, AppError> {
        let old = webhook_delivery::find_delivery(tx, webhook.webhook_id, delivery_id)
            .await?
            .ok_or_else(no_delivery)?;
        let made = self
            .ask_for(tx, webhook.webhook_id, Some(old.message_id), old.kind, &old.facts)
            .await?;
        let change = told(AuditAction::WebhookRedeliver, managed, webhook);
        let change =
            change.after(json!({ "event": old.kind.as_str(), "delivery": old.delivery_id.to_string() }));
        self.audit(tx, By::Caller(caller), change).await?;
        Ok(made)
    }

    /// Sends a test to a webhook, also to one that is off.
    pub async fn ping_webhook(
        &self,
        caller: &Caller,
        scope: &HookScope,
        webhook_id: WebhookId,
    ) -> Result<HookDelivery, AppError> {
        let mut tx = self.store.write().await?;
        let managed = self.hook_place(&mut tx, caller, scope).await?;
        find(&mut tx, &managed, webhook_id).await?;
        let (now, name) = (self.clock.now_ms(), caller.name());
        let facts = match (managed.place, &managed.repository, &managed.namespace) {
            (HookPlace::Repository(id), Some(repository), _) => Facts::about(id, repository, now, &name),
            (_, _, namespace) => Facts {
                at: now,
                namespace: namespace
                    .as_ref()
                    .map(|namespace| namespace.name.to_string())
                    .unwrap_or_default(),
                actor: Some(name),
                ..Facts::default()
            },
        };
        let made = self
            .ask_for(&mut tx, webhook_id, None, EventKind::Ping, &facts)
            .await?;
        tx.commit().await?;
        self.telling.notify_one();
        Ok(made)
    }

    async fn ask_for(
        &self,
        tx: &mut Tx,
        webhook_id: WebhookId,
        message_id: Option<DeliveryId>,
        kind: EventKind,
        facts: &Facts,
    ) -> Result<HookDelivery, AppError> {
        if webhook_delivery::count_waiting(tx, webhook_id, MOST_ASKED).await? >= i64::from(MOST_ASKED) {
            return Err(AppError::Conflict(
                "much waits for this webhook already: look what its receiver answers".to_owned(),
            ));
        }
        let delivery_id = self.new_delivery_id();
        let new = NewDelivery {
            delivery_id,
            webhook_id,
            message_id: message_id.unwrap_or(delivery_id),
            kind,
            facts,
            now_ms: self.clock.now_ms(),
            is_asked: true,
            refused: None,
        };
        webhook_delivery::add_delivery(tx, &new).await?;
        webhook::rouse_webhook(tx, webhook_id, new.now_ms).await?;
        webhook_delivery::find_delivery(tx, webhook_id, delivery_id)
            .await?
            .ok_or_else(missing)
    }
}

/// The place of a webhook, whoever looks after it.
async fn placed(tx: &mut Tx, place: HookPlace) -> Result<Managed, AppError> {
    let (namespace_id, repository) = match place {
        HookPlace::Repository(id) => {
            let facts = repository::find_repository_by_id(tx, id).await?;
            let facts = facts.ok_or_else(no_delivery)?;
            (facts.namespace_id, Some(facts.name))
        }
        HookPlace::Namespace(id) => (id, None),
    };
    Ok(Managed {
        place,
        namespace: namespace::find_namespace_by_id(tx, namespace_id).await?,
        repository,
    })
}
