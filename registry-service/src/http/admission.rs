//! How much may go on at once, so that memory stays bounded however many clients push.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::error::Error;
use crate::metrics;

/// Bodies of blobs that are received at once.
const UPLOADS: usize = 256;
/// Of these, those of one account: no account takes all of them.
const UPLOADS_PER_OWNER: usize = 192;
/// Memory for bodies of manifests, in KiB.
const MANIFEST_KIB: u32 = 64 << 10;
/// A body of a manifest up to this many bytes is not counted: the connections bound how many there are.
const SMALL_MANIFEST: u64 = 64 << 10;
/// Requests that may wait for a turn; one more is told at once to come again, so that those who wait do not fill all
/// places that the process has for requests.
const WAITING: usize = 256;
/// How long a request may wait for its turn before it is told to come again.
const PATIENCE: Duration = Duration::from_secs(10);

/// Who may go on.
pub(super) struct Admission {
    uploads: Arc<Semaphore>,
    by_owner: Arc<Mutex<HashMap<Box<str>, usize>>>,
    manifest_kib: Arc<Semaphore>,
    waiting: Semaphore,
    patience: Duration,
}

/// A place among the uploads; given back when dropped.
pub(super) struct UploadTurn {
    _counted: Option<Counted>,
    _permit: OwnedSemaphorePermit,
    _shown: Shown,
}

/// One of the uploads that metrics tell of.
struct Shown;

impl Shown {
    fn begin() -> Self {
        metrics::UPLOADS.add(1);
        Self
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        metrics::UPLOADS.add(-1);
    }
}

/// One of an owner's uploads.
struct Counted {
    by_owner: Arc<Mutex<HashMap<Box<str>, usize>>>,
    owner: Box<str>,
}

impl Admission {
    pub(super) fn new() -> Self {
        Self::with_patience(PATIENCE)
    }

    fn with_patience(patience: Duration) -> Self {
        Self {
            patience,
            uploads: Arc::new(Semaphore::new(UPLOADS)),
            by_owner: Arc::default(),
            manifest_kib: Arc::new(Semaphore::new(MANIFEST_KIB as usize)),
            waiting: Semaphore::new(WAITING),
        }
    }

    /// A place for an upload of `owner`; those of an open registry, which have none, share all places.
    pub(super) async fn upload(&self, owner: &str) -> Result<UploadTurn, Error> {
        let counted = if owner.is_empty() {
            None
        } else {
            Some(self.count(owner)?)
        };
        Ok(UploadTurn {
            _counted: counted,
            _permit: self.wait(&self.uploads, 1).await?,
            _shown: Shown::begin(),
        })
    }

    /// Room for the body of a manifest that is `length` bytes long, or as long as a manifest may be (`limit`) when it does not
    /// say so.
    pub(super) async fn manifest(
        &self,
        length: Option<u64>,
        limit: u64,
    ) -> Result<Option<OwnedSemaphorePermit>, Error> {
        let length = length.unwrap_or(limit).min(limit);
        if length <= SMALL_MANIFEST {
            return Ok(None);
        }
        let kib = u32::try_from(length.div_ceil(1 << 10)).unwrap_or(MANIFEST_KIB);
        self.wait(&self.manifest_kib, kib.min(MANIFEST_KIB))
            .await
            .map(Some)
    }

    async fn wait(&self, places: &Arc<Semaphore>, count: u32) -> Result<OwnedSemaphorePermit, Error> {
        if let Ok(permit) = Arc::clone(places).try_acquire_many_owned(count) {
            return Ok(permit);
        }
        let _waiting = self.waiting.try_acquire().map_err(|_| Error::Busy)?;
        match timeout(self.patience, Arc::clone(places).acquire_many_owned(count)).await {
            Ok(Ok(permit)) => Ok(permit),
            // The semaphore is never closed: either way the turn did not come.
            Ok(Err(_)) | Err(_) => Err(Error::Busy),
        }
    }

    fn count(&self, owner: &str) -> Result<Counted, Error> {
        let mut by_owner = self.by_owner.lock().unwrap_or_else(PoisonError::into_inner);
        let held = by_owner.entry(owner.into()).or_default();
        if *held >= UPLOADS_PER_OWNER {
            return Err(Error::Busy);
        }
        *held += 1;
        Ok(Counted {
            by_owner: Arc::clone(&self.by_owner),
            owner: owner.into(),
        })
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut by_owner = self.by_owner.lock().unwrap_or_else(PoisonError::into_inner);
        if let Entry::Occupied(mut held) = by_owner.entry(self.owner.clone()) {
            *held.get_mut() -= 1;
            if *held.get() == 0 {
                held.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn uploads_wait_for_their_turn_and_are_told_to_come_again() {
        let admission = Admission::with_patience(Duration::ZERO);
        let mut turns = Vec::new();
        for _ in 0..UPLOADS {
            turns.push(admission.upload("").await.unwrap_or_else(|_| panic!("a place")));
        }
        assert!(matches!(admission.upload("").await, Err(Error::Busy)));
        turns.pop();
        assert!(admission.upload("").await.is_ok());
    }

    #[tokio::test]
    async fn no_account_takes_every_place_and_each_place_comes_back() {
        let admission = Admission::with_patience(Duration::ZERO);
        let mut turns = Vec::new();
        for _ in 0..UPLOADS_PER_OWNER {
            turns.push(
                admission
                    .upload("alice")
                    .await
                    .unwrap_or_else(|_| panic!("a place")),
            );
        }
        assert!(matches!(admission.upload("alice").await, Err(Error::Busy)));
        assert!(admission.upload("bob").await.is_ok());
        turns.clear();
        assert!(admission.upload("alice").await.is_ok());
        assert!(
            admission.by_owner.lock().unwrap().is_empty(),
            "nobody is remembered"
        );
    }

    #[tokio::test]
    async fn large_manifests_share_bounded_memory_and_small_ones_need_none() {
        let admission = Admission::with_patience(Duration::ZERO);
        let limit = 4 << 20;
        let mut held = Vec::new();
        for _ in 0..16 {
            held.push(
                admission
                    .manifest(None, limit)
                    .await
                    .unwrap_or_else(|_| panic!("room")),
            );
        }
        assert!(matches!(
            admission.manifest(Some(1 << 20), limit).await,
            Err(Error::Busy)
        ));
        assert!(matches!(admission.manifest(Some(1_000), limit).await, Ok(None)));
        held.pop();
        assert!(admission.manifest(Some(1 << 20), limit).await.is_ok());
    }
}
