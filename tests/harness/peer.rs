//! Debian's `docker-registry` (CNCF distribution 2.8): the peer that must take our tokens and our storage tree.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, anyhow};

use crate::environment::find_program;
use crate::process::{Daemon, free_port, wait_for};
use crate::server::answers;

/// How the peer learns who calls.
#[derive(Debug, Clone)]
pub enum Auth {
    None,
    /// A user file of Apache's, bcrypt only.
    Htpasswd(PathBuf),
    /// Tokens of a service that signs with keys of this bundle (PEM certificates).
    Token {
        realm: String,
        service: String,
        issuer: String,
        bundle: PathBuf,
    },
}

/// A running peer.
#[derive(Debug)]
pub struct DockerRegistry {
    port: u16,
    daemon: Daemon,
}

impl DockerRegistry {
    /// Starts it on `root`, a storage tree, with its configuration and log in `folder`.
    pub fn start(folder: &Path, root: &Path, auth: &Auth) -> Result<Self> {
        Self::start_on(free_port()?, folder, root, auth, &[])
    }

    /// The same without authentication, and with more sections in its configuration.
    pub fn configured(folder: &Path, root: &Path, sections: &str) -> Result<Self> {
        let port = free_port()?;
        let text = configuration(port, root, &Auth::None)? + sections;
        Self::run(port, folder, &text, &[])
    }

    /// The same with keys below `storage`, indented by two spaces.
    pub fn with_storage(folder: &Path, root: &Path, storage: &str, sections: &str) -> Result<Self> {
        let port = free_port()?;
        let text = configuration(port, root, &Auth::None)?;
        let text = text.replacen("storage:\n", &format!("storage:\n{storage}"), 1) + sections;
        Self::run(port, folder, &text, &[])
    }

    /// The same on a given port, with a command line put before its own.
    pub fn start_on(port: u16, folder: &Path, root: &Path, auth: &Auth, launcher: &[String]) -> Result<Self> {
        Self::run(port, folder, &configuration(port, root, auth)?, launcher)
    }

    fn run(port: u16, folder: &Path, text: &str, launcher: &[String]) -> Result<Self> {
        let config = folder.join("peer.yml");
        std::fs::write(&config, text).context("write the peer's configuration")?;
        let program = find_program("docker-registry").ok_or_else(|| anyhow!("docker-registry is missing"))?;
        let mut words = launcher.to_vec();
        words.extend([
            program.display().to_string(),
            "serve".into(),
            config.display().to_string(),
        ]);
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]);
        let mut daemon = Daemon::start("docker-registry", command, &folder.join("peer.log"))?;
        daemon.wait_until_ready(Duration::from_secs(30), || answers(port))?;
        Ok(Self { port, daemon })
    }

    /// `localhost:PORT`, as clients name it.
    pub fn host(&self) -> String {
        format!("localhost:{}", self.port)
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.host())
    }

    pub fn log(&self) -> &Path {
        self.daemon.log()
    }

    /// Gives the process away to whoever shall end it.
    pub fn into_daemon(self) -> Daemon {
        self.daemon
    }
}

fn configuration(port: u16, root: &Path, auth: &Auth) -> Result<String> {
    let mut text = format!(
        "version: 0.1\nlog:\n  level: info\nstorage:\n  filesystem:\n    rootdirectory: {}\n  delete:\n    \
         enabled: true\nhttp:\n  addr: 127.0.0.1:{port}\n  secret: one-secret-for-every-start\n",
        root.display()
    );
    match auth {
        Auth::None => {}
        Auth::Htpasswd(path) => {
            write!(
                text,
                "auth:\n  htpasswd:\n    realm: test\n    path: {}\n",
                path.display()
            )?;
        }
        Auth::Token {
            realm,
            service,
            issuer,
            bundle,
        } => {
            let bundle = bundle.display();
            write!(
                text,
                "auth:\n  token:\n    realm: {realm}\n    service: {service}\n    issuer: {issuer}\n    \
                 rootcertbundle: {bundle}\n"
            )?;
        }
    }
    Ok(text)
}

/// Adds a line to a user file of Apache's with its own tool.
pub fn htpasswd(file: &Path, name: &str, password: &str) -> Result<()> {
    let program = find_program("htpasswd").ok_or_else(|| anyhow!("htpasswd is missing"))?;
    // The tool writes in place, and the registry reads when the file's time has changed: swap whole files.
    let _one_at_a_time = ONE_WRITER.lock().unwrap_or_else(PoisonError::into_inner);
    let before = std::fs::metadata(file).and_then(|data| data.modified()).ok();
    let draft = file.with_extension("draft");
    wait_for("a new time of the user file", Duration::from_secs(5), || {
        let mut command = Command::new(&program);
        if file.exists() {
            std::fs::copy(file, &draft)?;
            command.arg("-bB");
        } else {
            command.arg("-cbB");
        }
        let done = command.arg(&draft).args([name, password]).output()?;
        anyhow::ensure!(
            done.status.success(),
            "htpasswd: {}",
            String::from_utf8_lossy(&done.stderr)
        );
        let now = std::fs::metadata(&draft)?.modified()?;
        Ok((before != Some(now)).then_some(()))
    })?;
    std::fs::rename(&draft, file).context("replace the user file")
}

static ONE_WRITER: Mutex<()> = Mutex::new(());
