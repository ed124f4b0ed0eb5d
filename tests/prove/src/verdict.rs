//! What a run of a proof found.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;
use serde_json::Value;

/// Violations that are told in full; the rest is only counted.
const SHOWN: usize = 20;

/// Whether violations are said on standard error as they come.
static IS_ALOUD: AtomicBool = AtomicBool::new(false);

/// Has each violation that is told in full said on standard error when it is found, too: a long run may be ended before its end.
pub fn tell_as_they_come() {
    IS_ALOUD.store(true, Ordering::Relaxed);
}

/// Figures and violations.
#[derive(Debug, Default, Serialize)]
pub struct Verdict {
    /// What was done and measured, by name; units stand in the names.
    pub figures: BTreeMap<String, Value>,
    /// How often the promise was broken.
    pub violations: u64,
    /// The first of them, in words.
    pub examples: Vec<String>,
}

impl Verdict {
    /// Sets a figure.
    pub fn figure(&mut self, name: &str, value: impl Into<Value>) {
        self.figures.insert(name.to_owned(), value.into());
    }

    /// Adds to a figure that counts.
    pub fn count(&mut self, name: &str, more: u64) {
        let so_far = self.figures.get(name).and_then(Value::as_u64).unwrap_or_default();
        self.figure(name, so_far + more);
    }

    /// The promise was broken.
    pub fn violation(&mut self, what: impl Into<String>) {
        self.violations += 1;
        if self.examples.len() < SHOWN {
            let what = what.into();
            if IS_ALOUD.load(Ordering::Relaxed) {
                eprintln!("  violation: {what}");
            }
            self.examples.push(what);
        }
    }

    /// Counts a violation unless the promise held.
    pub fn require(&mut self, held: bool, what: impl FnOnce() -> String) {
        if !held {
            self.violation(what());
        }
    }

    /// Whether the promise held throughout.
    pub fn holds(&self) -> bool {
        self.violations == 0
    }
}
