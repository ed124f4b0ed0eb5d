//! Webhooks: made, changed and removed by those who manage a repository, or administer a namespace.

mod log;
mod message;
mod outbox;
mod secret;
mod work;

#[cfg(test)]
mod tests;

use serde_json::json;
use shared::oci::RepositoryName;
use shared::secret::Secret;
use shared::token::TagSet;

pub use secret::{DEFAULT_OVERLAP_HOURS, MAX_OVERLAP_HOURS};

use super::App;
use super::audit::{By, Change};
use super::caller::Caller;
use super::error::AppError;
use crate::domain::free_text::HOOK_LABEL;
use crate::domain::webhook::{
    DisabledBecause, HookFilter, HookPlace, HookSecrets, Keeper, Webhook, shown_url,
};
use crate::domain::{
    AuditAction, EventKind, HookFormat, NamespaceFacts, NamespaceName, Principal, RepositoryId, Right,
    TargetKind, WebhookId,
};
use crate::egress::new_secret;
use crate::store::{Tx, account, namespace, robot, webhook, webhook_delivery};
use secret::brought_secret;

/// Most webhooks of one repository, or of one namespace.
pub const MAX_WEBHOOKS: i64 = 20;

/// Whose webhooks somebody asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HookScope {
    /// Those of a repository.
    Repository(RepositoryId),
    /// Those of a namespace.
    Namespace(NamespaceName),
}

/// What a webhook shall be; of a change, `None` stays.
#[derive(Debug, Default)]
pub struct HookWish {
    /// What people call it.
    pub label: Option<String>,
    /// Where it is sent.
    pub url: Option<Secret<String>>,
    /// In which form.
    pub format: Option<HookFormat>,
    /// What it is told of.
    pub events: Option<Vec<EventKind>>,
    /// Of which tags.
    pub tags: Option<TagSet>,
    /// The secret that its receiver signs by, where that has one; an empty one for none.
    pub secret: Option<Secret<String>>,
    /// Whether it is told anything.
    pub is_enabled: Option<bool>,
}

/// A webhook as it is shown.
#[derive(Debug)]
pub struct ShownHook {
    /// The webhook.
    pub webhook: Webhook,
    /// On whose rights it stands, by name; none of somebody who is gone.
    pub keeper: Option<String>,
}

/// Where webhooks belong, for somebody who may look after them.
struct Managed {
    place: HookPlace,
    namespace: Option<NamespaceFacts>,
    repository: Option<RepositoryName>,
}

fn missing() -> AppError {
    AppError::NotFound("there is no such webhook here".to_owned())
}

impl App {
    /// The place of webhooks, for whoever manages the repository or administers the namespace.
    async fn hook_place(&self, tx: &mut Tx, caller: &Caller, scope: &HookScope) -> Result<Managed, AppError> {
        match scope {
            HookScope::Repository(id) => {
                let seen = self
                    .see_by_id(tx, &caller.principal(), *id)
                    .await?
                    .with(Right::Manage)?;
                Ok(Managed {
                    place: HookPlace::Repository(*id),
                    namespace: seen.surroundings.namespace,
                    repository: Some(seen.facts.name),
                })
            }
            HookScope::Namespace(name) => {
                let namespace = self.administered_namespace(tx, caller, name).await?;
                Ok(Managed {
                    place: HookPlace::Namespace(namespace.namespace_id),
                    namespace: Some(namespace),
                    repository: None,
                })
            }
        }
    }

    /// Makes a webhook. Its secret, where it has one of ours, is shown this once.
    pub async fn create_webhook(
        &self,
        caller: &Caller,
        scope: &HookScope,
        wish: HookWish,
    ) -> Result<(ShownHook, Option<Secret<String>>), AppError> {
        let now = self.clock.now_ms();
        let url = wish
            .url
            .as_ref()
            .ok_or_else(|| invalid("a webhook has an address"))?;
        let format = wish.format.unwrap_or(HookFormat::DockerHub);
        let mut secrets = HookSecrets {
            url: self.checked_url(url)?,
            secret: None,
            former: None,
        };
        let secret = format.is_signed().then(|| new_secret(self.random.bytes()));
        secrets.secret = match &wish.secret {
            Some(brought) => brought_secret(format, brought)?,
            None => secret.clone(),
        };
        let mut tx = self.store.write().await?;
        let managed = self.hook_place(&mut tx, caller, scope).await?;
        // Two at once must not both take the last free place.
        if let Some(namespace) = &managed.namespace {
            namespace::lock_namespace(&mut tx, namespace.namespace_id).await?;
        }
        if webhook::count_webhooks(&mut tx, managed.place).await? >= MAX_WEBHOOKS {
            return Err(AppError::Conflict(format!(
                "there are {MAX_WEBHOOKS} webhooks here already: remove one first"
            )));
        }
        let webhook_id = self.new_id(WebhookId::new);
        let made = Webhook {
            webhook_id,
            place: managed.place,
            label: label(wish.label.as_deref().unwrap_or_default())?,
            format,
            filter: HookFilter {
                events: chosen(wish.events.unwrap_or_else(|| vec![EventKind::Push]))?,
                tags: wish.tags.unwrap_or(TagSet::Every),
            },
            shown_url: shown_url(&secrets.url),
            sealed: self.seal_secrets(webhook_id, &secrets)?,
            secret_set_at: secrets.secret.as_ref().map(|_| now),
            former_secret_until: None,
            keeper: keeper(caller)?,
            is_enabled: true,
            disabled_because: None,
            disabled_at: None,
            failures: 0,
            failing_since: None,
            attempted_at: None,
            delivered_at: None,
            created_at: now,
        };
        webhook::create_webhook(&mut tx, &made).await?;
        if wish.is_enabled == Some(false) {
            webhook::disable_webhook(&mut tx, webhook_id, DisabledBecause::Asked, now).await?;
        }
        let change = told(AuditAction::WebhookCreate, &managed, &made).after(state(&made));
        self.audit(&mut tx, By::Caller(caller), change).await?;
        let shown = self.shown(&mut tx, managed.place, webhook_id).await?;
        tx.commit().await?;
        Ok((shown, secret.map(Secret::new)))
    }

    /// At most `limit` webhooks, the oldest first, behind `after`.
    pub async fn list_webhooks(
        &self,
        caller: &Caller,
        scope: &HookScope,
        after: i64,
        limit: u32,
    ) -> Result<Vec<ShownHook>, AppError> {
        let mut tx = self.store.read().await?;
        let managed = self.hook_place(&mut tx, caller, scope).await?;
        let mut shown = Vec::new();
        for webhook in webhook::list_webhooks(&mut tx, managed.place, after, limit).await? {
            shown.push(with_keeper(&mut tx, webhook).await?);
        }
        Ok(shown)
    }

    /// A webhook.
    pub async fn show_webhook(
        &self,
        caller: &Caller,
        scope: &HookScope,
        webhook_id: WebhookId,
    ) -> Result<ShownHook, AppError> {
        let mut tx = self.store.read().await?;
        let managed = self.hook_place(&mut tx, caller, scope).await?;
        self.shown(&mut tx, managed.place, webhook_id).await
    }

    /// Makes a webhook another one. From now on it stands on the rights of whoever changes it.
    pub async fn change_webhook(
        &self,
        caller: &Caller,
        scope: &HookScope,
        webhook_id: WebhookId,
        wish: HookWish,
    ) -> Result<ShownHook, AppError> {
        let now = self.clock.now_ms();
        let mut tx = self.store.write().await?;
        let managed = self.hook_place(&mut tx, caller, scope).await?;
        let before = find(&mut tx, &managed, webhook_id).await?;
        let mut after = before.clone();
        let mut secrets = self.open_secrets(&before)?;
        if let Some(text) = &wish.label {
            after.label = label(text)?;
        }
        if let Some(url) = &wish.url {
            secrets.url = self.checked_url(url)?;
            after.shown_url = shown_url(&secrets.url);
        }
        if let Some(format) = wish.format.filter(|format| *format != before.format) {
            if format.is_signed() != before.format.is_signed() {
                // A secret of another kind is none.
                secrets.secret = None;
                secrets.former = None;
                (after.secret_set_at, after.former_secret_until) = (None, None);
            }
            after.format = format;
        }
        if let Some(brought) = &wish.secret {
            secrets.secret = brought_secret(after.format, brought)?;
            after.secret_set_at = secrets.secret.as_ref().map(|_| now);
        }
        if let Some(events) = wish.events {
            after.filter.events = chosen(events)?;
        }
        if let Some(tags) = wish.tags {
            after.filter.tags = tags;
        }
        after.keeper = keeper(caller)?;
        after.sealed = self.seal_secrets(webhook_id, &secrets)?;
        webhook::change_webhook(&mut tx, &after).await?;
        match wish.is_enabled {
            Some(true) if !before.is_enabled => {
                webhook::enable_webhook(&mut tx, webhook_id).await?;
                after.is_enabled = true;
            }
            Some(false) if before.is_enabled => {
                self.switch_off(&mut tx, webhook_id, DisabledBecause::Asked)
                    .await?;
                after.is_enabled = false;
            }
            _ => {}
        }
        let change = told(AuditAction::WebhookUpdate, &managed, &after)
            .before(state(&before))
            .after(state(&after));
        self.audit(&mut tx, By::Caller(caller), change).await?;
        let shown = self.shown(&mut tx, managed.place, webhook_id).await?;
        tx.commit().await?;
        Ok(shown)
    }

    /// Removes a webhook, and what it was told.
    pub async fn remove_webhook(
        &self,
        caller: &Caller,
        scope: &HookScope,
        webhook_id: WebhookId,
    ) -> Result<(), AppError> {
        let mut tx = self.store.write().await?;
        let managed = self.hook_place(&mut tx, caller, scope).await?;
        let removed = find(&mut tx, &managed, webhook_id).await?;
        webhook_delivery::remove_deliveries(&mut tx, webhook_id).await?;
        webhook::remove_webhook(&mut tx, webhook_id).await?;
        let change = told(AuditAction::WebhookRemove, &managed, &removed).before(state(&removed));
        self.audit(&mut tx, By::Caller(caller), change).await?;
        Ok(tx.commit().await?)
    }

    /// The webhooks of a repository whose content is gone for good go with it.
    pub(super) async fn remove_webhooks_of(
        &self,
        tx: &mut Tx,
        repository_id: RepositoryId,
    ) -> Result<(), AppError> {
        let limit = u32::try_from(MAX_WEBHOOKS).unwrap_or(u32::MAX);
        let place = HookPlace::Repository(repository_id);
        for one in webhook::list_webhooks(tx, place, i64::MIN, limit).await? {
            webhook_delivery::remove_deliveries(tx, one.webhook_id).await?;
            webhook::remove_webhook(tx, one.webhook_id).await?;
        }
        Ok(())
    }

    /// Switches a webhook off, and gives up what waits for it.
    async fn switch_off(
        &self,
        tx: &mut Tx,
        webhook_id: WebhookId,
        because: DisabledBecause,
    ) -> Result<(), AppError> {
        webhook::disable_webhook(tx, webhook_id, because, self.clock.now_ms()).await?;
        Ok(webhook_delivery::give_up_waiting(tx, webhook_id, "the webhook was switched off").await?)
    }

    async fn shown(
        &self,
        tx: &mut Tx,
        place: HookPlace,
        webhook_id: WebhookId,
    ) -> Result<ShownHook, AppError> {
        let webhook = webhook::find_webhook(tx, place, webhook_id)
            .await?
            .ok_or_else(missing)?;
        with_keeper(tx, webhook).await
    }

    fn checked_url(&self, url: &Secret<String>) -> Result<String, AppError> {
        self.egress
            .check(url.expose().trim())
            .map_err(|refused| invalid(&refused))
    }
}

async fn find(tx: &mut Tx, managed: &Managed, webhook_id: WebhookId) -> Result<Webhook, AppError> {
    webhook::find_webhook(tx, managed.place, webhook_id)
        .await?
        .ok_or_else(missing)
}

async fn with_keeper(tx: &mut Tx, webhook: Webhook) -> Result<ShownHook, AppError> {
    let keeper = match webhook.keeper {
        Keeper::Account(id) => account::find_account_by_id(tx, id)
            .await?
            .map(|account| account.username.to_string()),
        Keeper::Robot(id) => robot::find_robot_by_id(tx, id)
            .await?
            .map(|robot| robot.username()),
    };
    Ok(ShownHook { webhook, keeper })
}

/// On whose rights a webhook stands that this caller makes.
fn keeper(caller: &Caller) -> Result<Keeper, AppError> {
    match (caller.principal(), caller.robot()) {
        (Principal::Account(account), _) => Ok(Keeper::Account(account.account_id)),
        (_, Some(robot)) => Ok(Keeper::Robot(robot.robot_id)),
        (Principal::Anonymous | Principal::Machine(_), None) => Err(AppError::Forbidden(
            "this is for accounts and robots; sign in as one",
        )),
    }
}

fn label(text: &str) -> Result<String, AppError> {
    HOOK_LABEL.check(text).map_err(|error| invalid(&error))
}

fn chosen(mut events: Vec<EventKind>) -> Result<Vec<EventKind>, AppError> {
    if events.is_empty() {
        return Err(invalid("a webhook is told of one kind of event at least"));
    }
    if events.iter().any(|kind| !kind.is_chosen()) {
        return Err(invalid("a ping is sent when somebody asks for it"));
    }
    events.sort_by_key(|kind| EventKind::EVERY.iter().position(|one| one == kind));
    events.dedup();
    Ok(events)
}

fn invalid(error: &(impl std::fmt::Display + ?Sized)) -> AppError {
    AppError::Invalid(error.to_string())
}

/// What the audit log is told.
fn told(action: AuditAction, managed: &Managed, webhook: &Webhook) -> Change {
    let name = managed.repository.as_ref().map(ToString::to_string).or_else(|| {
        managed
            .namespace
            .as_ref()
            .map(|namespace| namespace.name.to_string())
    });
    let change =
        Change::new(action, TargetKind::Webhook, &name.unwrap_or_default()).id(webhook.webhook_id.as_i64());
    match &managed.namespace {
        Some(namespace) => change.within(namespace),
        None => change,
    }
}

fn state(webhook: &Webhook) -> serde_json::Value {
    json!({
        "name": webhook.label,
        "url": webhook.shown_url,
        "format": webhook.format.as_str(),
        "events": webhook.filter.events_text(),
        "tags": webhook.filter.tags.to_text(),
        "enabled": webhook.is_enabled,
    })
}
