//! What ends all keys at once, after one was stolen.

use super::{KeysError, add, authority_material};
use crate::app::App;
use crate::app::audit::{By, Change};
use crate::app::error::AppError;
use crate::domain::{AuditAction, KeyState, TargetKind};
use crate::store::signing_key::{self, KeptKey};
use crate::token::{AuthorityMaterial, KeyMaterial};

impl App {
    /// Puts new keys in the place of all that there are, the next one included; says how many were ended. Tokens that were
    /// signed until now are refused as soon as a registry has fetched the keys again: within a minute. With a new `authority`
    /// its certificate vouches for none of the old ones either, as a registry needs it that believes the certificate alone; that
    /// one has to be given the new certificate. For administrators of the site, and commands on its machine.
    pub async fn revoke_keys(&self, by: By<'_>, authority: bool) -> Result<usize, AppError> {
        if let By::Caller(caller) = by {
            caller.administrator()?;
        }
        let (master, now) = (self.keys.options.master.as_ref(), self.clock.now());
        let (overlap, now_ms) = (self.keys.options.plan.overlap, self.clock.now_ms());
        let mut tx = self.store.write().await?;
        signing_key::lock_keys(&mut tx).await?;
        let vouching = if authority {
            let new = AuthorityMaterial::generate(master, now, &self.random).map_err(KeysError::Key)?;
            let kept = KeptKey {
                private_key: new.private_key.clone(),
                certificate: new.certificate.clone(),
            };
            signing_key::replace_authority(&mut tx, &kept).await?;
            new
        } else {
            authority_material(
                signing_key::find_authority(&mut tx)
                    .await?
                    .ok_or(KeysError::Missing)?,
            )
        };
        let stolen = signing_key::list_signing_keys(&mut tx).await?;
        for (facts, _) in &stolen {
            signing_key::remove_signing_key(&mut tx, &facts.key_id).await?;
        }
        for state in [KeyState::Current, KeyState::Next] {
            let key = KeyMaterial::generate(&vouching, master, now, &self.random).map_err(KeysError::Key)?;
            add(&mut tx, key, state, overlap, now_ms).await?;
        }
        let change = Change::new(AuditAction::KeyRevoke, TargetKind::Site, "")
            .after(serde_json::json!({ "keys": stolen.len(), "authority": authority }));
        self.audit(&mut tx, by, change).await?;
        tx.commit().await?;
        self.keys.refresh(&self.store).await?;
        Ok(stolen.len())
    }
}
