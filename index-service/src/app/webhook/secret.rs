//! The secrets of webhooks: sealed with the addresses, replaced without a gap.

use serde_json::json;
use shared::secret::Secret;

use super::{HookScope, ShownHook, find, told};
use crate::app::App;
use crate::app::audit::By;
use crate::app::caller::Caller;
use crate::app::error::AppError;
use crate::domain::webhook::{HookSecrets, MAX_SECRET, Webhook};
use crate::domain::{AuditAction, HookFormat, WebhookId};
use crate::egress::new_secret;
use crate::store::{Tx, webhook};
use crate::token::{MasterKey, reseal, seal, unseal};

/// How long the former secret is good beside a new one, when nobody says: a day, in hours.
pub const DEFAULT_OVERLAP_HOURS: u16 = 24;
/// The longest time for that: thirty days, in hours.
pub const MAX_OVERLAP_HOURS: u16 = 720;
const HOUR_MS: i64 = 3_600_000;
/// Webhooks whose secrets are encrypted anew at once.
const BATCH: u32 = 200;

/// What the sealed part of a webhook is sealed for.
pub(super) fn purpose(webhook_id: WebhookId) -> String {
    format!("webhook {webhook_id}")
}

impl App {
    /// Gives a webhook another secret, which is shown this once; the one before signs besides for `overlap_hours`.
    pub async fn rotate_webhook(
        &self,
        caller: &Caller,
        scope: &HookScope,
        webhook_id: WebhookId,
        overlap_hours: u16,
    ) -> Result<(ShownHook, Secret<String>), AppError> {
        if overlap_hours > MAX_OVERLAP_HOURS {
            return Err(AppError::Invalid(format!(
                "a replaced secret lives on for at most {MAX_OVERLAP_HOURS} hours"
            )));
        }
        let now = self.clock.now_ms();
        let mut tx = self.store.write().await?;
        let managed = self.hook_place(&mut tx, caller, scope).await?;
        let mut changed = find(&mut tx, &managed, webhook_id).await?;
        if !changed.format.is_signed() {
            return Err(AppError::Conflict(format!(
                "a webhook of the format {} has no secret of ours: its receiver makes one",
                changed.format
            )));
        }
        let mut secrets = self.open_secrets(&changed)?;
        let secret = new_secret(self.random.bytes());
        let former = secrets.secret.replace(secret.clone());
        secrets.former = former.filter(|_| overlap_hours > 0);
        changed.former_secret_until = secrets
            .former
            .as_ref()
            .map(|_| now + i64::from(overlap_hours) * HOUR_MS);
        changed.secret_set_at = Some(now);
        changed.sealed = self.seal_secrets(webhook_id, &secrets)?;
        webhook::change_webhook(&mut tx, &changed).await?;
        let change = told(AuditAction::WebhookRotate, &managed, &changed)
            .after(json!({"overlap_hours": overlap_hours}));
        self.audit(&mut tx, By::Caller(caller), change).await?;
        let shown = self.shown(&mut tx, managed.place, webhook_id).await?;
        tx.commit().await?;
        Ok((shown, Secret::new(secret)))
    }

    pub(super) fn seal_secrets(
        &self,
        webhook_id: WebhookId,
        secrets: &HookSecrets,
    ) -> Result<String, AppError> {
        let text = serde_json::to_string(secrets).map_err(|error| AppError::Internal(error.into()))?;
        seal(self.keys.master(), &purpose(webhook_id), &text, &self.random)
            .map_err(|error| AppError::Internal(error.into()))
    }

    pub(super) fn open_secrets(&self, webhook: &Webhook) -> Result<HookSecrets, AppError> {
        let text = unseal(self.keys.master(), &purpose(webhook.webhook_id), &webhook.sealed)
            .map_err(|error| AppError::Internal(error.into()))?;
        // The error would quote what it could not read.
        serde_json::from_str(&text)
            .map_err(|_| AppError::Internal("a webhook's secrets cannot be read".into()))
    }

    /// Encrypts what is secret about webhooks with another master key; says how many there are.
    pub(in crate::app) async fn reseal_webhooks(
        &self,
        tx: &mut Tx,
        new: &MasterKey,
    ) -> Result<usize, AppError> {
        let (mut after, mut count) = (i64::MIN, 0);
        loop {
            let batch = webhook::list_sealed(tx, after, BATCH).await?;
            let Some((last, _)) = batch.last() else {
                return Ok(count);
            };
            after = last.as_i64();
            count += batch.len();
            for (webhook_id, sealed) in batch {
                let sealed = reseal(
                    self.keys.master(),
                    new,
                    &purpose(webhook_id),
                    &sealed,
                    &self.random,
                )
                .map_err(|error| AppError::Internal(error.into()))?;
                webhook::set_sealed(tx, webhook_id, &sealed).await?;
            }
        }
    }
}

/// A secret that the receiver made.
pub(super) fn brought_secret(
    format: HookFormat,
    secret: &Secret<String>,
) -> Result<Option<String>, AppError> {
    let secret = secret.expose().trim();
    if secret.is_empty() {
        return Ok(None);
    }
    if !format.takes_secret() {
        return Err(AppError::Invalid(format!(
            "a webhook of the format {format} takes no secret: one is made where it signs"
        )));
    }
    if secret.len() > MAX_SECRET || secret.chars().any(char::is_control) {
        return Err(AppError::Invalid(format!(
            "a secret has at most {MAX_SECRET} visible characters"
        )));
    }
    Ok(Some(secret.to_owned()))
}
