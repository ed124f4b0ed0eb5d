//! Commands that end: run with a limit, their output kept and checked.

use std::ffi::OsStr;
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tokio::io::AsyncWriteExt;
use tokio::runtime::Runtime;

use crate::Journey;

/// The runtime on which commands and HTTP requests of all tests run.
#[expect(
    clippy::expect_used,
    reason = "without a runtime no test can run, and statics cannot fail otherwise"
)]
pub static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("start the runtime")
});

/// Longest run of one command unless it sets its own.
const LIMIT: Duration = Duration::from_mins(3);

/// A command of a journey, built up and then run.
#[derive(Debug)]
pub struct Line<'a> {
    journey: &'a Journey,
    command: Command,
    shown: String,
    stdin: Option<Vec<u8>>,
    limit: Duration,
}

/// What a command did.
#[derive(Debug)]
pub struct Finished {
    line: String,
    /// Exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
    pub took: Duration,
}

impl<'a> Line<'a> {
    pub(crate) fn new(journey: &'a Journey, program: impl AsRef<OsStr>) -> Self {
        let shown = program.as_ref().to_string_lossy().into_owned();
        let mut command = Command::new(program);
        command.current_dir(journey.folder());
        Self {
            journey,
            command,
            shown,
            stdin: None,
            limit: LIMIT,
        }
    }

    #[must_use]
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.shown.push(' ');
        self.shown.push_str(&argument.as_ref().to_string_lossy());
        self.command.arg(argument);
        self
    }

    #[must_use]
    pub fn args<S: AsRef<OsStr>>(self, arguments: impl IntoIterator<Item = S>) -> Self {
        arguments.into_iter().fold(self, Self::arg)
    }

    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Runs it in this folder instead of the test's own.
    #[must_use]
    pub fn within(mut self, folder: &std::path::Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    #[must_use]
    pub fn stdin(mut self, text: impl Into<Vec<u8>>) -> Self {
        self.stdin = Some(text.into());
        self
    }

    #[must_use]
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Runs it to its end; a failure to start or the limit is an error, an exit code is not.
    pub fn run(self) -> Result<Finished> {
        let Self {
            journey,
            mut command,
            shown,
            stdin,
            limit,
        } = self;
        let begun = Instant::now();
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.stdin(if stdin.is_some() {
            Stdio::piped()
        } else {
            Stdio::null()
        });
        let work = async {
            let mut child = tokio::process::Command::from(command)
                .kill_on_drop(true)
                .spawn()?;
            if let (Some(mut pipe), Some(text)) = (child.stdin.take(), stdin) {
                // A command that does not read its input is judged by its exit code.
                drop(pipe.write_all(&text).await);
            }
            child.wait_with_output().await
        };
        let output = RUNTIME.block_on(async { tokio::time::timeout(limit, work).await });
        let took = begun.elapsed();
        let Ok(output) = output else {
            journey.note(&format!("$ {shown}\n(cut off after {limit:?})"));
            bail!("`{shown}` did not end within {limit:?}");
        };
        let output = output.with_context(|| format!("start `{shown}`"))?;
        let finished = Finished {
            line: shown,
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            took,
        };
        journey.note(&finished.to_string());
        Ok(finished)
    }

    /// Runs it; any exit code but 0 is an error.
    pub fn succeeds(self) -> Result<Finished> {
        let finished = self.run()?;
        if finished.code != Some(0) {
            bail!("should have succeeded: {finished}");
        }
        Ok(finished)
    }

    /// Runs it; exit code 0 is an error.
    pub fn fails(self) -> Result<Finished> {
        let finished = self.run()?;
        if finished.code == Some(0) {
            bail!("should have failed: {finished}");
        }
        Ok(finished)
    }
}

impl Finished {
    /// Standard output and error together.
    pub fn text(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    /// Holds the output to containing this text, whatever the case of its letters.
    pub fn says(self, expected: &str) -> Result<Self> {
        if !self.text().to_lowercase().contains(&expected.to_lowercase()) {
            bail!("should have said “{expected}”: {self}");
        }
        Ok(self)
    }

    /// Holds the output to being free of this text.
    pub fn does_not_say(self, banned: &str) -> Result<Self> {
        if self.text().contains(banned) {
            bail!("should not have said “{banned}”: {self}");
        }
        Ok(self)
    }
}

impl std::fmt::Display for Finished {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let code = self
            .code
            .map_or("by a signal".to_owned(), |code| code.to_string());
        write!(
            f,
            "$ {}\n{}{}(ended {code} after {:.1?})",
            self.line, self.stdout, self.stderr, self.took
        )
    }
}
