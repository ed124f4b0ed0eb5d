//! When credentials were used last: gathered in memory and written together, else every pull would be a write.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::App;
use crate::domain::{DeviceId, TokenId};
use crate::store::{StoreError, access_token, device};

/// Uses that wait to be written; one that does not fit is forgotten, the next use counts again.
const MAX_WAITING: usize = 10_000;

#[derive(Debug, Default)]
pub(super) struct Touches(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    access_tokens: HashMap<TokenId, i64>,
    devices: HashMap<DeviceId, i64>,
}

impl Touches {
    pub(super) fn access_token(&self, id: TokenId, now_ms: i64) {
        note(
            &mut self
                .0
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .access_tokens,
            id,
            now_ms,
        );
    }

    pub(super) fn device(&self, id: DeviceId, now_ms: i64) {
        note(
            &mut self.0.lock().unwrap_or_else(PoisonError::into_inner).devices,
            id,
            now_ms,
        );
    }

    fn take(&self) -> Waiting {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn note<Id: std::hash::Hash + Eq>(waiting: &mut HashMap<Id, i64>, id: Id, now_ms: i64) {
    if waiting.len() < MAX_WAITING || waiting.contains_key(&id) {
        waiting.insert(id, now_ms);
    }
}

impl App {
    /// Writes down when credentials were used last.
    pub async fn flush_touches(&self) {
        let waiting = self.touches.take();
        if waiting.access_tokens.is_empty() && waiting.devices.is_empty() {
            return;
        }
        if let Err(error) = self.write_touches(waiting).await {
            // Nothing depends on it but what people are shown.
            tracing::warn!(%error, "could not write down when credentials were used");
        }
    }

    async fn write_touches(&self, waiting: Waiting) -> Result<(), StoreError> {
        let mut tx = self.store.write().await?;
        for (id, at) in waiting.access_tokens {
            access_token::touch_access_token(&mut tx, id, at).await?;
        }
        for (id, at) in waiting.devices {
            device::touch_device(&mut tx, id, at).await?;
        }
        tx.commit().await
    }
}
