//! When credentials were used last, and which uses were refused: gathered in memory and written together, else every pull
//! would be a write.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use shared::network::Network;

use super::App;
use super::caller::Client;
use crate::domain::{DeviceId, LastUse, RefusedUses, SecretOwner};
use crate::store::{StoreError, access_token, device, robot};

/// Uses that wait to be written; one that does not fit is forgotten, the next use counts again.
const MAX_WAITING: usize = 10_000;

#[derive(Debug, Default)]
pub(super) struct Touches(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    used: HashMap<SecretOwner, LastUse>,
    devices: HashMap<DeviceId, (i64, Option<String>)>,
    refused: HashMap<SecretOwner, RefusedUses>,
}

impl Touches {
    /// A use of an access token or a robot.
    pub(super) fn used(&self, owner: SecretOwner, now_ms: i64, client: &Client) {
        self.with(|waiting| {
            // Of many uses in a minute the first is as good as the last.
            if waiting.used.len() < MAX_WAITING {
                waiting.used.entry(owner).or_insert_with(|| LastUse {
                    at: now_ms,
                    address: client.address_text(),
                    client: client.program.clone(),
                });
            }
        });
    }

    /// A use of a refresh token.
    pub(super) fn device(&self, id: DeviceId, now_ms: i64, client: &Client) {
        self.with(|waiting| {
            if waiting.devices.len() < MAX_WAITING {
                waiting
                    .devices
                    .entry(id)
                    .or_insert_with(|| (now_ms, client.address_text()));
            }
        });
    }

    /// A use that was refused.
    pub(super) fn refused(&self, owner: SecretOwner, now_ms: i64, client: &Client) {
        self.with(|waiting| {
            if waiting.refused.len() >= MAX_WAITING && !waiting.refused.contains_key(&owner) {
                return;
            }
            let refused = waiting.refused.entry(owner).or_insert(RefusedUses {
                count: 0,
                last_at: now_ms,
                network: None,
            });
            refused.count += 1;
            refused.last_at = now_ms;
            refused.network = client.address.map(|address| Network::around(address).to_string());
        });
    }

    fn with(&self, note: impl FnOnce(&mut Waiting)) {
        note(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn take(&self) -> Waiting {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl App {
    /// Writes down when credentials were used last, and which uses were refused.
    pub async fn flush_touches(&self) {
        let waiting = self.touches.take();
        if waiting.used.is_empty() && waiting.devices.is_empty() && waiting.refused.is_empty() {
            return;
        }
        if let Err(error) = self.write_touches(waiting).await {
            // Nothing depends on it but what people are shown.
            tracing::warn!(%error, "could not write down when credentials were used");
        }
    }

    async fn write_touches(&self, waiting: Waiting) -> Result<(), StoreError> {
        let mut tx = self.store.write().await?;
        for (owner, last) in waiting.used {
            match owner {
                SecretOwner::AccessToken(id) => access_token::touch_access_token(&mut tx, id, &last).await?,
                SecretOwner::Robot(id) => robot::touch_robot(&mut tx, id, &last).await?,
            };
        }
        for (id, (at, address)) in waiting.devices {
            device::touch_device(&mut tx, id, at, address.as_deref()).await?;
        }
        for (owner, refused) in waiting.refused {
            match owner {
                SecretOwner::AccessToken(id) => {
                    access_token::note_refused_access_token(&mut tx, id, &refused).await?;
                }
                SecretOwner::Robot(id) => robot::note_refused_robot(&mut tx, id, &refused).await?,
            }
        }
        tx.commit().await
    }
}
