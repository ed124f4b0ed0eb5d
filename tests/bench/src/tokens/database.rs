//! The two databases, filled from outside.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use harness::Journey;
use harness::postgres::Postgres;

/// Which database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    Sqlite,
    Postgres,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}

/// One that a service can be started on.
pub(crate) struct Database {
    pub(super) url: String,
    file: PathBuf,
    server: Option<Postgres>,
}

impl Database {
    pub(crate) fn make(journey: &Journey, kind: Kind, folder: &Path) -> Result<Self> {
        let file = folder.join("index.db");
        let (url, server) = match kind {
            Kind::Sqlite => (format!("sqlite://{}", file.display()), None),
            Kind::Postgres => {
                let server = Postgres::start(journey, &["shared_buffers=256MB"])?;
                (server.database("bench")?, Some(server))
            }
        };
        Ok(Self { url, file, server })
    }

    /// The first process of the server, where there is one.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.server.as_ref().map(Postgres::pid)
    }

    /// Fills it, in one transaction for each statement.
    pub(crate) fn fill(&self, statements: impl Fn(fn(u64) -> String) -> Vec<String>) -> Result<()> {
        if let Some(server) = &self.server {
            for statement in statements(|to| format!("generate_series(0, {to} - 1) as n(i)")) {
                server.run("bench", &statement)?;
            }
            return Ok(());
        }
        let series = |to: u64| {
            format!(
                "(with recursive c(i) as (select 0 union all select i + 1 from c where i + 1 < {to}) select i from c) as n"
            )
        };
        let mut text = statements(series).join(";\n");
        text.insert_str(
            0,
            "pragma foreign_keys = off; pragma cache_size = -200000; begin;\n",
        );
        text.push_str(";\ncommit; pragma wal_checkpoint(truncate);\n");
        self.sqlite(&text)
    }

    fn sqlite(&self, text: &str) -> Result<()> {
        use std::io::Write as _;

        let mut shell = Command::new("sqlite3")
            .arg("-bail")
            .arg(&self.file)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .context("run sqlite3")?;
        shell
            .stdin
            .take()
            .context("sqlite3 takes no input")?
            .write_all(text.as_bytes())?;
        let done = shell.wait_with_output()?;
        ensure!(
            done.status.success(),
            "sqlite3: {}",
            String::from_utf8_lossy(&done.stderr)
        );
        Ok(())
    }
}
