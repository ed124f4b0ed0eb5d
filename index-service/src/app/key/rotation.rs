//! Signing keys take turns: what is due is done by whichever replica looks first.

use super::{KeysError, add, authority_material, facts, material};
use crate::app::App;
use crate::app::audit::{By, Change};
use crate::app::error::AppError;
use crate::domain::signing_key::due;
use crate::domain::{AuditAction, KeyState, RotationStep, TargetKind};
use crate::store::Tx;
use crate::store::signing_key::{self, KeptKey};
use crate::token::KeyMaterial;

/// Steps that one look at the keys takes at most.
const MAX_STEPS: usize = 8;

impl App {
    /// Takes up what other replicas changed about the keys, and does what is due. Any number of replicas may.
    pub async fn tend_keys(&self) -> Result<(), AppError> {
        self.keys.refresh(&self.store).await?;
        let mut changed = self.renew_certificates().await?;
        for _ in 0..MAX_STEPS {
            if !self.take_step().await? {
                break;
            }
            changed = true;
        }
        if changed {
            self.keys.refresh(&self.store).await?;
        }
        Ok(())
    }

    /// Does the next thing that is due; says whether anything was.
    async fn take_step(&self) -> Result<bool, AppError> {
        let (plan, now) = (self.keys.options.plan, self.clock.now_ms());
        let mut tx = self.store.read().await?;
        let keys = facts(&mut tx).await?;
        drop(tx);
        // A database without keys is one that this process did not open them from.
        if keys.is_empty() || due(&keys, &plan, now).is_none() {
            return Ok(false);
        }
        let mut tx = self.store.write().await?;
        signing_key::lock_keys(&mut tx).await?;
        // Another replica may have been first.
        let Some(step) = due(&facts(&mut tx).await?, &plan, now) else {
            return Ok(false);
        };
        let change = |action, key_id: &str| Change::new(action, TargetKind::SigningKey, key_id);
        let change = match step {
            RotationStep::Publish => {
                let key = self.new_key(&mut tx).await?;
                let change = change(AuditAction::KeyPublish, &key.key_id);
                add(&mut tx, key, KeyState::Next, plan.overlap, now).await?;
                change
            }
            RotationStep::Promote { next } => {
                let withdraw_at = now.saturating_add(plan.overlap);
                if !signing_key::promote_signing_key(&mut tx, &next, withdraw_at, now).await? {
                    return Ok(false);
                }
                change(AuditAction::KeyRotate, &next)
            }
            RotationStep::Withdraw(key_id) => {
                signing_key::withdraw_signing_key(&mut tx, &key_id).await?;
                change(AuditAction::KeyWithdraw, &key_id)
            }
        };
        self.audit(&mut tx, By::Service, change).await?;
        tx.commit().await?;
        Ok(true)
    }

    async fn new_key(&self, tx: &mut Tx) -> Result<KeyMaterial, AppError> {
        let authority = signing_key::find_authority(tx).await?.ok_or(KeysError::Missing)?;
        let (master, now) = (self.keys.options.master.as_ref(), self.clock.now());
        let made = KeyMaterial::generate(&authority_material(authority), master, now, &self.random);
        Ok(made.map_err(KeysError::Key)?)
    }

    /// Certificates that end within a year are issued anew; says whether there were any.
    async fn renew_certificates(&self) -> Result<bool, AppError> {
        let (master, now) = (self.keys.options.master.as_ref(), self.clock.now());
        let mut tx = self.store.read().await?;
        let Some(authority) = signing_key::find_authority(&mut tx).await? else {
            return Ok(false);
        };
        let keys = signing_key::list_signing_keys(&mut tx).await?;
        drop(tx);
        let authority = authority_material(authority);
        let mut renewed = false;
        for (facts, kept) in keys {
            let key = material(facts.key_id, kept);
            let new = key
                .renewed(&authority, master, now, &self.random)
                .map_err(KeysError::Key)?;
            let Some(new) = new else { continue };
            let kept = KeptKey {
                private_key: key.private_key,
                certificate: new.certificate,
            };
            let mut tx = self.store.write().await?;
            signing_key::set_key_material(&mut tx, &key.key_id, &kept).await?;
            tx.commit().await?;
            renewed = true;
        }
        Ok(renewed)
    }

    /// Lets the next key sign as soon as registries know it; says from when on, in milliseconds since 1970. Asked twice, it
    /// is one rotation. For administrators of the site, and commands on its machine.
    pub async fn rotate_keys(&self, by: By<'_>) -> Result<i64, AppError> {
        if let By::Caller(caller) = by {
            caller.administrator()?;
        }
        self.tend_keys().await?;
        let now = self.clock.now_ms();
        let mut tx = self.store.write().await?;
        signing_key::lock_keys(&mut tx).await?;
        let keys = facts(&mut tx).await?;
        let next = keys
            .iter()
            .find(|key| key.state == KeyState::Next)
            .ok_or(KeysError::Missing)?;
        let from = next.promote_at.unwrap_or(now);
        let from = from.max(next.created_at.saturating_add(self.keys.options.plan.notice));
        if signing_key::ask_for_promotion(&mut tx, now).await? {
            let change = Change::new(AuditAction::KeyRequest, TargetKind::SigningKey, &next.key_id)
                .after(serde_json::json!({ "signs_from": crate::app::audit::rfc3339(from) }));
            self.audit(&mut tx, by, change).await?;
        }
        tx.commit().await?;
        self.tend_keys().await?;
        Ok(from)
    }
}
