//! The server under test: `portolan up`, or Debian's registry in its place to check the harness itself.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail, ensure};
use base64::Engine as _;

use crate::api::Api;
use crate::command::RUNTIME;
use crate::environment::variable;
use crate::journey::unique;
use crate::peer::{Auth, DockerRegistry, htpasswd};
use crate::process::{Daemon, free_port, wait_for};
use crate::{Journey, binaries, scratch};

/// Which server the run tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Portolan,
    DockerRegistry,
}

impl Kind {
    /// What `PORTOLAN_TEST_SERVER` says; Portolan without it.
    pub fn under_test() -> Self {
        match variable("PORTOLAN_TEST_SERVER").as_deref() {
            Some("docker-registry") => Self::DockerRegistry,
            _ => Self::Portolan,
        }
    }
}

/// A name with its password.
#[derive(Debug, Clone)]
pub struct Account {
    pub name: String,
    pub password: String,
}

impl Account {
    /// The value of a Basic `Authorization` header.
    pub fn basic(&self) -> String {
        let pair = format!("{}:{}", self.name, self.password);
        format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair))
    }
}

/// What a test may choose about its own server.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Further words of the command line.
    pub arguments: Vec<String>,
    /// A command line before the server's own (a cgroup, a network namespace).
    pub launcher: Vec<String>,
    /// Port of the public URL when it is not the one that the server listens on (a relay stands there).
    pub public_port: Option<u16>,
    /// Listen on this address, with HTTPS, instead of 127.0.0.1 with HTTP.
    pub address: Option<String>,
    /// The data folder, when it shall not lie beside the log.
    pub data: Option<PathBuf>,
}

/// A running server with its data.
#[derive(Debug)]
pub struct Server {
    kind: Kind,
    port: u16,
    data: PathBuf,
    log_folder: PathBuf,
    options: Options,
    daemon: Mutex<Option<Daemon>>,
}

static SHARED: Mutex<Option<Arc<Server>>> = Mutex::new(None);

impl Server {
    /// The run's common server, started at the first call. Tests keep apart by accounts.
    pub fn shared(journey: &Journey) -> Result<Arc<Self>> {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        let server = if let Some(server) = &*shared {
            Arc::clone(server)
        } else {
            let folder = scratch::folder("shared")?;
            let server = Arc::new(Self::start(&folder, Options::default())?);
            Arc::clone(shared.insert(server))
        };
        journey.watch_log(&server.log());
        Ok(server)
    }

    /// A server of the test's own, for tests that kill or configure it.
    pub fn own(journey: &Journey, options: Options) -> Result<Self> {
        let server = Self::start(&journey.subfolder(&format!("server{}", unique()))?, options)?;
        journey.watch_log(&server.log());
        Ok(server)
    }

    fn start(folder: &Path, options: Options) -> Result<Self> {
        let server = Self {
            kind: Kind::under_test(),
            port: free_port()?,
            data: options.data.clone().unwrap_or_else(|| folder.join("data")),
            log_folder: folder.to_owned(),
            options,
            daemon: Mutex::default(),
        };
        server.start_again()?;
        Ok(server)
    }

    /// Starts it on the same port and data after [`Self::kill`] or [`Self::stop`].
    pub fn start_again(&self) -> Result<()> {
        let mut place = self.place();
        ensure!(place.is_none(), "the server still runs");
        *place = Some(match self.kind {
            Kind::Portolan => self.start_portolan()?,
            Kind::DockerRegistry => self.start_peer()?,
        });
        Ok(())
    }

    fn start_portolan(&self) -> Result<Daemon> {
        let program = binaries::path_of("portolan")?;
        let mut words = self.options.launcher.clone();
        words.push(program.display().to_string());
        let address = self.options.address.as_deref().unwrap_or("127.0.0.1");
        let listen = format!("{address}:{}", self.port);
        words.extend(["up", "--listen", &listen, "--public-url", &self.url()].map(str::to_owned));
        words.extend(["--data".into(), self.data.display().to_string()]);
        words.extend(self.options.arguments.iter().cloned());
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]);
        let mut daemon = Daemon::start("portolan up", command, &self.log())?;
        let (scheme, probed) = (self.scheme(), format!("{listen}/v2/"));
        daemon.wait_until_ready(Duration::from_mins(1), || probe(&format!("{scheme}://{probed}")))?;
        Ok(daemon)
    }

    fn start_peer(&self) -> Result<Daemon> {
        std::fs::create_dir_all(&self.data).context("make the data folder")?;
        let users = self.data.join("htpasswd");
        if !users.exists() {
            htpasswd(&users, "admin", "admin-password")?;
        }
        let folder = self.data.parent().unwrap_or(&self.data);
        let launcher = &self.options.launcher;
        let auth = Auth::Htpasswd(users);
        Ok(DockerRegistry::start_on(self.port, folder, &self.storage(), &auth, launcher)?.into_daemon())
    }

    /// Where the content lies, as distribution's `rootdirectory` names it.
    pub fn storage(&self) -> PathBuf {
        self.data.join("registry")
    }

    /// The data folder.
    pub fn data(&self) -> &Path {
        &self.data
    }

    pub fn log(&self) -> PathBuf {
        let name = if self.kind == Kind::Portolan {
            "portolan.log"
        } else {
            "peer.log"
        };
        self.log_folder.join(name)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// `localhost:PORT`, as clients name it and as tokens carry it as their service.
    pub fn host(&self) -> String {
        let name = self.options.address.as_deref().unwrap_or("localhost");
        format!("{name}:{}", self.options.public_port.unwrap_or(self.port))
    }

    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme(), self.host())
    }

    fn scheme(&self) -> &'static str {
        if self.options.address.is_some() {
            "https"
        } else {
            "http"
        }
    }

    pub fn pid(&self) -> Result<u32> {
        self.place()
            .as_ref()
            .map(Daemon::pid)
            .ok_or_else(|| anyhow!("the server does not run"))
    }

    /// `kill -9`.
    pub fn kill(&self) {
        if let Some(mut daemon) = self.place().take() {
            daemon.kill();
        }
    }

    /// SIGTERM, and how it ended.
    pub fn stop(&self) -> Result<ExitStatus> {
        let Some(mut daemon) = self.place().take() else {
            bail!("the server does not run")
        };
        daemon.stop(Duration::from_mins(1))
    }

    /// How the process ended, when it has ended by itself.
    pub fn ended(&self) -> Result<Option<ExitStatus>> {
        self.place().as_mut().map_or(Ok(None), Daemon::ended)
    }

    /// The account that exists from the first start.
    pub fn admin(&self) -> Result<Account> {
        let password = match self.kind {
            Kind::Portolan => {
                let path = self.data.join("initial-admin-password");
                std::fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?
            }
            Kind::DockerRegistry => "admin-password".to_owned(),
        };
        Ok(Account {
            name: "admin".to_owned(),
            password: password.trim_end_matches('\n').to_owned(),
        })
    }

    /// A new account with a namespace of its own. `hint` begins its name.
    pub fn account(&self, journey: &Journey, hint: &str) -> Result<Account> {
        let number = unique();
        let account = Account {
            name: format!("{hint}{number}"),
            password: format!("correct horse {number} battery"),
        };
        match self.kind {
            Kind::Portolan => {
                self.administer(
                    journey,
                    &["user", "add", &account.name, "--password-stdin"],
                    &account.password,
                )?;
            }
            Kind::DockerRegistry => htpasswd(&self.data.join("htpasswd"), &account.name, &account.password)?,
        }
        Ok(account)
    }

    /// Runs a sub-command of `portolan` on the data folder while the server runs; gives its standard output.
    pub fn administer(&self, journey: &Journey, words: &[&str], stdin: &str) -> Result<String> {
        ensure!(self.kind == Kind::Portolan, "only Portolan is administered so");
        let line = journey.command(binaries::path_of("portolan")?).args(words);
        Ok(line.arg("--data").arg(&self.data).stdin(stdin).succeeds()?.stdout)
    }

    /// Lets everybody pull a repository.
    pub fn set_public(&self, journey: &Journey, repository: &str) -> Result<()> {
        self.administer(journey, &["repo", "set-public", repository], "")
            .map(drop)
    }

    /// An HTTP caller with this account.
    pub fn api(&self, account: &Account) -> Result<Api> {
        Api::new(&self.url(), Some(account.clone()))
    }

    /// An HTTP caller without an account.
    pub fn anonymous(&self) -> Result<Api> {
        Api::new(&self.url(), None)
    }

    fn place(&self) -> MutexGuard<'_, Option<Daemon>> {
        self.daemon.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether something answers `/v2/` on this port of 127.0.0.1.
pub fn answers(port: u16) -> bool {
    probe(&format!("http://127.0.0.1:{port}/v2/"))
}

/// Whether this URL is answered with 200 or 401; a certificate is not looked at.
pub fn probe(url: &str) -> bool {
    let request = async {
        let client = reqwest::Client::builder()
            .no_proxy()
            .tls_danger_accept_invalid_certs(true)
            .timeout(Duration::from_secs(2))
            .tls_danger_accept_invalid_certs(true)
            .build()?;
        client.get(url).send().await
    };
    RUNTIME
        .block_on(request)
        .is_ok_and(|answer| matches!(answer.status().as_u16(), 200 | 401))
}

/// Waits until a file exists, for what a server writes while it starts.
pub fn wait_for_file(path: &Path) -> Result<()> {
    let what = format!("the file {}", path.display());
    wait_for(&what, Duration::from_secs(30), || Ok(path.exists().then_some(())))
}

/// Stops the common server.
pub(crate) fn stop_shared() {
    if let Some(server) = SHARED.lock().unwrap_or_else(PoisonError::into_inner).take() {
        drop(server.stop());
    }
}
