//! `portolan` commands that are stopped together with the server.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result};
use harness::binaries::path_of;
use harness::journey::unique;
use harness::process::{Daemon, wait_for};

/// Longest run of a command.
const PATIENCE: Duration = Duration::from_mins(1);

/// Commands on one data folder.
#[derive(Debug)]
pub(super) struct Commands {
    data: PathBuf,
    /// Where their output goes: not on the disk that loses its power.
    outputs: PathBuf,
    sabotage: String,
    gate: Mutex<Gate>,
}

#[derive(Debug, Default)]
struct Gate {
    closed: bool,
    running: HashMap<u32, Daemon>,
}

impl Commands {
    pub(super) fn new(data: PathBuf, outputs: PathBuf, sabotage: &str) -> Self {
        Self {
            data,
            outputs,
            sabotage: sabotage.to_owned(),
            gate: Mutex::default(),
        }
    }

    /// Runs one to its end: its output if it succeeded. `None`: it failed, or was stopped.
    pub(super) fn run(&self, words: &[&str]) -> Result<Option<String>> {
        let number = unique();
        let output = self.outputs.join(format!("command-{number}"));
        let mut command = Command::new(path_of("portolan")?);
        command.args(words).arg("--data").arg(&self.data);
        command.env("PORTOLAN_SABOTAGE", &self.sabotage);
        {
            let mut gate = self.gate();
            if gate.closed {
                return Ok(None);
            }
            gate.running
                .insert(number, Daemon::start(words[0], command, &output)?);
        }
        let ended = wait_for("a command to end", PATIENCE, || {
            match self.gate().running.get_mut(&number) {
                Some(daemon) => daemon.ended(),
                None => Ok(None),
            }
        })?;
        self.gate().running.remove(&number);
        let said = fs::read_to_string(&output).context("read a command's output")?;
        drop(fs::remove_file(&output));
        Ok(ended.success().then_some(said))
    }

    /// Stops all that run; from now on none is started.
    pub(super) fn pause(&self) {
        let mut gate = self.gate();
        gate.closed = true;
        gate.running.values().for_each(Daemon::pause);
    }

    /// `kill -9` to all that run.
    pub(super) fn kill(&self) {
        self.gate().running.values_mut().for_each(Daemon::kill);
    }

    /// Commands may be started again.
    pub(super) fn reopen(&self) {
        self.gate().closed = false;
    }

    fn gate(&self) -> MutexGuard<'_, Gate> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
