//! `registry-service` alone, without authentication: for what is tried by force and not by account.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::api::Api;
use crate::process::{Daemon, free_port};
use crate::server::{answers, probe};
use crate::{Journey, binaries};

/// A running registry. Several may share one folder.
#[derive(Debug)]
pub struct OpenRegistry {
    port: u16,
    folder: PathBuf,
    log: PathBuf,
    config: PathBuf,
    sabotage: String,
    launcher: Vec<String>,
    is_secured: bool,
    asks_clients: bool,
    daemon: Option<Daemon>,
}

/// What a test may choose about it.
#[derive(Debug, Clone, Default)]
pub struct Choices {
    /// Promises to break, see `shared::sabotage`.
    pub sabotage: String,
    /// Lines of `config.yml`: first what belongs to `http`, indented by two spaces, then sections such as `log: …`.
    pub config: String,
    /// Keys below `storage`, each line indented by two spaces.
    pub storage: String,
    /// A command line before the registry's own.
    pub launcher: Vec<String>,
}

impl OpenRegistry {
    /// Starts one on a free port; its content lies in `folder`.
    pub fn start(journey: &Journey, folder: &Path, choices: &Choices) -> Result<Self> {
        let port = free_port()?;
        let config = journey.folder().join(format!("open-{port}.yml"));
        let text = format!(
            "version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {}\n  delete:\n    enabled: true\n{}\
             http:\n  addr: 127.0.0.1:{port}\n  secret: one secret for all replicas, and long\n{}",
            folder.display(),
            choices.storage,
            choices.config,
        );
        std::fs::write(&config, text).context("write the configuration")?;
        let log = journey.folder().join(format!("open-{port}.log"));
        journey.watch_log(&log);
        let mut registry = Self {
            port,
            folder: folder.to_owned(),
            log,
            config,
            sabotage: choices.sabotage.clone(),
            launcher: choices.launcher.clone(),
            is_secured: choices.config.contains("\n  tls:") || choices.config.starts_with("  tls:"),
            asks_clients: choices.config.contains("clientcas"),
            daemon: None,
        };
        registry.start_again()?;
        Ok(registry)
    }

    /// Starts it on the same port and folder after [`Self::kill`] or [`Self::stop`].
    pub fn start_again(&mut self) -> Result<()> {
        let mut words = self.launcher.clone();
        words.push(binaries::path_of("registry-service")?.display().to_string());
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).arg("serve").arg(&self.config);
        command.env("PORTOLAN_SABOTAGE", &self.sabotage);
        let mut daemon = Daemon::start("registry-service", command, &self.log)?;
        let port = self.port;
        let secured = format!("https://127.0.0.1:{port}/v2/");
        daemon.wait_until_ready(Duration::from_mins(1), || {
            if self.asks_clients {
                // Without a certificate it may not answer.
                std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
            } else if self.is_secured {
                probe(&secured)
            } else {
                answers(port)
            }
        })?;
        self.daemon = Some(daemon);
        Ok(())
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            daemon.kill();
        }
    }

    /// The process, for what this type does not do with it.
    pub fn daemon(&mut self) -> Option<&mut Daemon> {
        self.daemon.as_mut()
    }

    /// SIGTERM, and waits for the end.
    pub fn stop(&mut self) -> Result<()> {
        if let Some(mut daemon) = self.daemon.take() {
            daemon.stop(Duration::from_mins(1))?;
        }
        Ok(())
    }

    pub fn pid(&self) -> Option<u32> {
        self.daemon.as_ref().map(Daemon::pid)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where its content lies.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Its `config.yml`.
    pub fn config(&self) -> &Path {
        &self.config
    }

    pub fn log(&self) -> &Path {
        &self.log
    }

    /// A caller with connections of its own.
    pub fn api(&self) -> Result<Api> {
        Api::new(&format!("http://127.0.0.1:{}", self.port), None)
    }
}
