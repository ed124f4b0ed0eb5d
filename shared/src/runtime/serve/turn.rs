//! A request's place among those in flight.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A place, given back when dropped, and for as long as the request only waits for its client's bytes: else a thousand
/// clients that send nothing would take all places, and everybody else would be turned away.
#[derive(Debug)]
pub(super) struct Turn {
    places: Arc<Semaphore>,
    held: Mutex<Option<OwnedSemaphorePermit>>,
}

impl Turn {
    /// None when all places are taken.
    pub(super) fn take(places: &Arc<Semaphore>) -> Option<Self> {
        let permit = Arc::clone(places).try_acquire_owned().ok()?;
        Some(Self {
            places: Arc::clone(places),
            held: Mutex::new(Some(permit)),
        })
    }

    /// The request waits for its client from now on.
    pub(super) fn pause(&self) {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// Bytes have come. Without a free place the request goes on all the same: it was let in once, and what it may take is
    /// bounded elsewhere.
    pub(super) fn resume(&self) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.is_none() {
            *held = Arc::clone(&self.places).try_acquire_owned().ok();
        }
    }
}
