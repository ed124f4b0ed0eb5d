//! What administrators of the site decide while it runs. What the configuration says goes before it; what nobody decided has
//! its default. Every process keeps in memory what holds, and looks every few seconds whether it was decided otherwise.

mod current;

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::sync::{Mutex, watch};

use super::audit::{By, Change};
use super::caller::Caller;
use super::error::AppError;
use super::profile::lock_site;
use super::{App, Settings};
use crate::domain::{AuditAction, SettingKey, TargetKind};
use crate::store::{StoreError, Tx, setting};

pub use current::{Current, LONGEST_RESTORE, UNLIMITED, is_unlimited};

/// How often it is looked whether something was decided elsewhere.
const INTERVAL: Duration = Duration::from_secs(3);
/// What keys begin with under which decisions are kept.
const KEPT: &str = "site:";
/// Most that is read of them; there are fewer keys.
const MOST: u32 = 100;

/// What was decided, as it is kept.
type Rows = Vec<(SettingKey, String)>;

/// What this process knows of it.
#[derive(Debug)]
pub(super) struct Decided {
    current: watch::Sender<Arc<Current>>,
    /// What was read last. Whoever reads again holds it meanwhile, so that nobody puts something older in its place.
    rows: Mutex<Rows>,
}

impl Decided {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            current: watch::Sender::new(Arc::new(Current::of(settings))),
            rows: Mutex::new(Rows::new()),
        }
    }
}

/// Something that administrators of the site may decide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// What.
    pub key: SettingKey,
    /// What holds, as the configuration writes it.
    pub value: String,
    /// What holds when nobody decides otherwise.
    pub default: String,
    /// Whether the configuration says it, so that nobody decides otherwise here.
    pub is_fixed: bool,
}

impl Setting {
    /// Whether administrators decided it.
    pub fn is_changed(&self) -> bool {
        !self.is_fixed && self.value != self.default
    }
}

impl App {
    /// What holds now, whoever decided it.
    pub fn current(&self) -> Arc<Current> {
        self.decided.current.borrow().clone()
    }

    /// What administrators of the site may decide, and what they have. For them alone.
    pub async fn list_settings(&self, caller: &Caller) -> Result<Vec<Setting>, AppError> {
        caller.administrator()?;
        let mut tx = self.store.read().await?;
        let rows = read_rows(&mut tx).await?;
        Ok(self.settings_of(&rows))
    }

    /// Decides: all of these, or nothing when one is refused. `None` takes back what was decided. By administrators of the site.
    pub async fn change_settings(
        &self,
        caller: &Caller,
        wishes: &[(SettingKey, Option<String>)],
    ) -> Result<Vec<Setting>, AppError> {
        caller.administrator()?;
        let default = Current::of(&self.settings);
        let mut wanted = default.clone();
        for (key, wish) in wishes {
            if self.settings.fixed.contains(key) {
                return Err(AppError::Conflict(
                    "this is set by the configuration: change it there".to_owned(),
                ));
            }
            if let Some(text) = wish {
                wanted.decide(*key, text)?;
            }
        }
        let mut tx = self.store.write().await?;
        // One administrator after the other, so that each is said to have changed what they found.
        lock_site(&mut tx).await?;
        let before = self.laid_over(&read_rows(&mut tx).await?);
        for (key, _) in wishes {
            let (from, to) = (before.text(*key), wanted.text(*key));
            if *key == SettingKey::Comments {
                if from != to {
                    self.put_comments_allowed(&mut tx, caller, to == "true").await?;
                }
                continue;
            }
            let kept = format!("{KEPT}{key}");
            if to == default.text(*key) {
                setting::remove_setting(&mut tx, &kept).await?;
            } else {
                setting::put_setting(&mut tx, &kept, &to).await?;
            }
            if from != to {
                let change = Change::new(AuditAction::SettingChange, TargetKind::Site, key)
                    .before(json!({ "value": from }))
                    .after(json!({ "value": to }));
                self.audit(&mut tx, By::Caller(caller), change).await?;
            }
        }
        let rows = read_rows(&mut tx).await?;
        tx.commit().await?;
        if let Err(error) = self.refresh_settings().await {
            tracing::warn!(%error, "could not read what was just decided; it holds here in a few seconds");
        }
        Ok(self.settings_of(&rows))
    }

    /// Looks whether something was decided elsewhere.
    pub async fn refresh_settings(&self) -> Result<(), StoreError> {
        let mut known = self.decided.rows.lock().await;
        let mut tx = self.store.read().await?;
        let rows = read_rows(&mut tx).await?;
        drop(tx);
        if *known != rows {
            self.decided.current.send_replace(Arc::new(self.laid_over(&rows)));
            *known = rows;
        }
        Ok(())
    }

    /// Looks every few seconds, until `ended` has no sender.
    pub(super) async fn follow_settings(&self, mut ended: watch::Receiver<()>) {
        let mut is_away = false;
        loop {
            tokio::select! {
                _ = ended.changed() => return,
                () = tokio::time::sleep(INTERVAL) => {}
            }
            let read = self.refresh_settings().await;
            // Said once: others say that the database is away, too.
            if let Err(error) = &read
                && !is_away
            {
                tracing::warn!(%error, "could not look what administrators decided; what was known holds on");
            }
            is_away = read.is_err();
        }
    }

    /// What holds when this was decided.
    fn laid_over(&self, rows: &[(SettingKey, String)]) -> Current {
        let mut current = Current::of(&self.settings);
        for (key, text) in rows {
            if self.settings.fixed.contains(key) {
                continue;
            }
            if let Err(error) = current.decide(*key, text) {
                tracing::warn!(%key, %error, "what was decided makes no sense to this version; the default holds");
            }
        }
        current
    }

    fn settings_of(&self, rows: &[(SettingKey, String)]) -> Vec<Setting> {
        let (default, current) = (Current::of(&self.settings), self.laid_over(rows));
        SettingKey::EVERY
            .iter()
            .map(|key| Setting {
                key: *key,
                value: current.text(*key),
                default: default.text(*key),
                is_fixed: self.settings.fixed.contains(key),
            })
            .collect()
    }
}

/// What was decided, as it is kept. What this version does not know is left where it is.
async fn read_rows(tx: &mut Tx) -> Result<Rows, StoreError> {
    let kept = setting::list_settings(tx, KEPT, MOST).await?;
    let read = |(key, value): (String, String)| {
        let key: SettingKey = key.strip_prefix(KEPT)?.parse().ok()?;
        Some((key, value))
    };
    let mut rows: Rows = kept.into_iter().filter_map(read).collect();
    if super::comment::allowed(tx).await? {
        rows.push((SettingKey::Comments, true.to_string()));
    }
    Ok(rows)
}

#[cfg(test)]
mod tests;
