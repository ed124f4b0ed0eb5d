//! Reading every content.

use std::pin::pin;

use futures_util::TryStreamExt as _;
use shared::oci::Digest;
use tokio::task::coop::consume_budget;

use super::{Finding, Scrub};
use crate::registry::contents::Contents;
use crate::registry::hash_state::Hasher;
use crate::registry::packed::Packed;
use crate::registry::{RegistryError, layout};
use crate::storage::{Condition, Guard, Key, Stamp, Step, Storage, StorageError};

impl Scrub<'_> {
    /// Reads all contents, and remembers which are sound.
    pub(super) async fn contents(&mut self, quarantine: bool) -> Result<(), RegistryError> {
        let storage = &self.registry.storage;
        let mut contents = Contents::new(storage);
        while let Some(digest) = contents.next().await? {
            consume_budget().await;
            let Some(packed) = Packed::of(&digest) else {
                continue;
            };
            let key = layout::content(&digest);
            let Some(stamp) = storage.object_stamp(&key).await? else {
                continue;
            };
            match read(storage, &key, &digest).await {
                Ok((found, size)) if found == digest => {
                    self.sound.insert(packed);
                    self.count(size);
                }
                Ok((found, size)) => {
                    self.bad.insert(packed);
                    self.count(size);
                    self.found(Finding::Corrupt {
                        digest: &digest,
                        found: &found,
                        size,
                    });
                    if quarantine {
                        self.quarantine(&digest, key, stamp).await?;
                    }
                }
                Err(StorageError::NotFound { .. }) => {}
                Err(error) => {
                    self.bad.insert(packed);
                    self.found(Finding::Unreadable(&digest, &error));
                }
            }
        }
        Ok(())
    }

    fn count(&mut self, size: u64) {
        self.report.contents += 1;
        self.report.bytes += size;
        self.found(Finding::Verified {
            contents: self.report.contents,
            bytes: self.report.bytes,
        });
    }

    /// Only what was read goes: whoever has pushed it anew meanwhile has mended it.
    async fn quarantine(&mut self, digest: &Digest, from: Key, stamp: Stamp) -> Result<(), RegistryError> {
        let to = layout::quarantine(digest);
        let guard = Guard {
            key: from.clone(),
            condition: Condition::Untouched(stamp),
        };
        let step = Step::Move { from, to: to.clone() };
        match self.registry.storage.commit(vec![guard], vec![step]).await {
            Ok(()) => {
                self.report.quarantined += 1;
                self.found(Finding::Quarantined(digest, &to));
                Ok(())
            }
            Err(StorageError::Conflict { .. } | StorageError::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// The digest that the content has, and its length in bytes.
async fn read(storage: &Storage, key: &Key, digest: &Digest) -> Result<(Digest, u64), StorageError> {
    let reader = storage.open(key, None).await?;
    let size = reader.size();
    let mut hasher = Hasher::new(digest.algorithm());
    let mut pieces = pin!(reader.into_stream());
    while let Some(piece) = pieces.try_next().await? {
        hasher.update(&piece);
    }
    Ok((hasher.finish(), size))
}
