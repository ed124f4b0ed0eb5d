//! Checks of what a registry depends on (distribution's `health`), and the gate that they close: while any of them fails,
//! the registry answers nothing but 503.

mod check;
mod probe;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

pub use check::{Check, Kind};

use check::Streak;

use crate::registry::Registry;

/// The name of the check that an operator fails and heals by hand.
const MANUAL: &str = "manual_http_status";

/// What is known of all checks. Clones share everything.
#[derive(Clone, Default)]
pub struct Health(Arc<Shared>);

#[derive(Default)]
struct Shared {
    /// Whether `failing` holds anything: asked by every request, which must not wait for a lock.
    closed: AtomicBool,
    failing: Mutex<BTreeMap<String, String>>,
}

impl Health {
    /// Whether any check fails. Never waits.
    pub fn is_failing(&self) -> bool {
        self.0.closed.load(Ordering::Relaxed)
    }

    /// The checks that fail, by their names, and why.
    pub fn failing(&self) -> BTreeMap<String, String> {
        let failing = self.0.failing.lock().unwrap_or_else(PoisonError::into_inner);
        failing.clone()
    }

    /// Fails until [`mark_up`](Self::mark_up), whatever the checks say.
    pub fn mark_down(&self) {
        self.tell(MANUAL, Some("Manual Check".to_owned()));
    }

    /// Takes [`mark_down`](Self::mark_down) back.
    pub fn mark_up(&self) {
        self.tell(MANUAL, None);
    }

    /// Makes a check again and again from now on, the first time after its interval. Must be called inside a runtime.
    pub fn watch(&self, check: Check, registry: &Registry) {
        let (health, registry) = (self.clone(), registry.clone());
        tokio::spawn(async move {
            let client = probe::client(&check.kind);
            let mut streak = Streak::new(check.threshold);
            loop {
                tokio::time::sleep(check.interval).await;
                let found = match &client {
                    Ok(client) => probe::probe(&check.kind, client.as_ref(), &registry).await,
                    Err(error) => Err(error.clone()),
                };
                health.tell(&check.name(), streak.judge(found.err()));
            }
        });
    }

    fn tell(&self, name: &str, trouble: Option<String>) {
        let mut failing = self.0.failing.lock().unwrap_or_else(PoisonError::into_inner);
        let was_failing = failing.contains_key(name);
        if let Some(why) = trouble {
            if !was_failing {
                tracing::warn!(check = name, why, "a health check fails: requests are refused");
            }
            failing.insert(name.to_owned(), why);
        } else {
            if was_failing {
                tracing::info!(check = name, "a health check is well again");
            }
            failing.remove(name);
        }
        self.0.closed.store(!failing.is_empty(), Ordering::Relaxed);
    }
}

impl fmt::Debug for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Health").field(&self.failing()).finish()
    }
}
