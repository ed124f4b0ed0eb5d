//! What became of a repository.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use super::fault::Fault;
use super::name_map::Pair;
use super::tally::{Tally, size};
use crate::import::count::Count;

/// Most failures that are told of one repository.
const MOST_TOLD: usize = 100;

/// What was done for a repository, and what failed.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) tally: Tally,
    failures: Mutex<Vec<(String, String)>>,
    failed: Count,
    is_denied: AtomicBool,
}

impl Outcome {
    /// Something of it failed; the others go on, unless all would be refused.
    pub(super) fn failed(&self, what: &str, fault: &Fault) {
        if fault.is_denied() {
            self.is_denied.store(true, Ordering::Relaxed);
        }
        self.failed.one();
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() < MOST_TOLD {
            failures.push((what.to_owned(), fault.to_string()));
        }
    }

    pub(super) fn is_denied(&self) -> bool {
        self.is_denied.load(Ordering::Relaxed)
    }

    pub(super) fn is_whole(&self) -> bool {
        self.failed.get() == 0
    }

    /// For programs.
    pub(super) fn json(&self, pair: &Pair) -> Value {
        let failures: Vec<Value> = self
            .told()
            .into_iter()
            .map(|(what, why)| json!({"what": what, "why": why}))
            .collect();
        let mut value = self.tally.json();
        value["source"] = json!(pair.source);
        value["target"] = json!(pair.target.as_str());
        value["failed"] = json!(self.failed.get());
        value["failures"] = failures.into();
        value
    }

    /// For people: a row of the table.
    pub(super) fn row(&self, pair: &Pair) -> Value {
        let tally = &self.tally;
        json!({
            "source": pair.source,
            "target": pair.target.as_str(),
            "tags": tally.tags.get(),
            "manifests": format!("{} + {}", tally.manifests.get(), tally.manifests_there.get()),
            "blobs": format!("{} + {}", tally.blobs.get(), tally.blobs_mounted.get() + tally.blobs_there.get()),
            "size": size(tally.bytes.get()),
            "verified": tally.verified.get(),
            "result": if self.is_whole() { "whole".to_owned() } else { format!("{} failed", self.failed.get()) },
        })
    }

    /// What failed and why; a row each.
    pub(super) fn failure_rows(&self, pair: &Pair) -> Vec<Value> {
        self.told()
            .into_iter()
            .map(|(what, why)| json!({"source": pair.source, "what": what, "why": why}))
            .collect()
    }

    fn told(&self) -> Vec<(String, String)> {
        self.failures
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
