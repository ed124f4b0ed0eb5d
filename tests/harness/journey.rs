//! One test as it runs: its folder, its commands, the transcript that is shown when it fails.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result};

use crate::canary;
use crate::command::Line;
use crate::process::tail;
use crate::scratch;

/// What tests measured in this run.
static FIGURES: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Takes what tests measured.
pub(crate) fn take_figures() -> Vec<String> {
    std::mem::take(&mut *FIGURES.lock().unwrap_or_else(PoisonError::into_inner))
}

/// What a test function gets.
#[derive(Debug)]
pub struct Journey {
    name: String,
    folder: PathBuf,
    transcript: Mutex<Vec<String>>,
    logs: Mutex<Vec<PathBuf>>,
    own_logs: Mutex<BTreeSet<PathBuf>>,
}

/// A number that no other test of this run gets: names made with it never meet.
pub fn unique() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

impl Journey {
    pub(crate) fn begin(name: &str) -> Result<Self> {
        let folder = scratch::folder(&format!("t{}", unique()))?;
        Ok(Self {
            name: name.to_owned(),
            folder,
            transcript: Mutex::default(),
            logs: Mutex::default(),
            own_logs: Mutex::default(),
        })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// The test's own folder; commands run in it.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A folder below the test's own, made now.
    pub fn subfolder(&self, name: &str) -> Result<PathBuf> {
        let path = self.folder.join(name);
        std::fs::create_dir_all(&path).with_context(|| format!("make {}", path.display()))?;
        Ok(path)
    }

    /// A command to run in the test's folder.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Line<'_> {
        Line::new(self, program)
    }

    /// Adds to the transcript.
    pub fn note(&self, text: &str) {
        self.transcript
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(text.trim_end().to_owned());
    }

    /// Adds to the transcript, and shows it at the end of the run also when the test passes: a measurement.
    pub fn say(&self, text: &str) {
        self.note(text);
        let line = format!("{}: {text}", self.name);
        FIGURES.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }

    /// Names a log of ours, whose end is shown when the test fails, and which may hold no secret.
    pub fn watch_log(&self, log: &Path) {
        self.watch_foreign_log(log);
        let mut own = self.own_logs.lock().unwrap_or_else(PoisonError::into_inner);
        own.insert(log.to_owned());
    }

    /// For what breaks that promise on purpose: the logs named so far may hold secrets.
    pub fn let_logs_hold_secrets(&self) {
        let mut own = self.own_logs.lock().unwrap_or_else(PoisonError::into_inner);
        own.clear();
    }

    /// Fails when a secret stands in a log of ours.
    pub(crate) fn inspect_logs(&self) -> Result<()> {
        let own = self.own_logs.lock().unwrap_or_else(PoisonError::into_inner);
        own.iter().try_for_each(|log| canary::inspect(log))
    }

    /// Names a log whose end is shown when the test fails.
    pub fn watch_foreign_log(&self, log: &Path) {
        let mut logs = self.logs.lock().unwrap_or_else(PoisonError::into_inner);
        if !logs.iter().any(|known| known == log) {
            logs.push(log.to_owned());
        }
    }

    /// What is shown of a failed test: its commands with their output, then the ends of the logs.
    pub(crate) fn report(&self) -> String {
        let mut text = self
            .transcript
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .join("\n");
        for log in self.logs.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            text += "\n--- ";
            text += &log.to_string_lossy();
            text += " ---\n";
            text += &tail(log, 60);
        }
        text
    }
}

impl Drop for Journey {
    fn drop(&mut self) {
        // Layers of a gigabyte should not pile up until the end of the run; the final sweep reports what stays.
        drop(std::fs::remove_dir_all(&self.folder));
    }
}
