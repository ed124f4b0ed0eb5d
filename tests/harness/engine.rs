//! The run's one Docker engine, and its command-line client with a configuration folder for each user.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};

use crate::archive::Tar;
use crate::command::Line;
use crate::environment::find_program;
use crate::journey::unique;
use crate::layout::busybox;
use crate::netns::NetworkNamespace;
use crate::process::{Daemon, wait_for};
use crate::server::Account;
use crate::{Journey, scratch};

/// A running `dockerd` on its own socket, data folder and bridge.
#[derive(Debug)]
pub struct Engine {
    daemon: Mutex<Daemon>,
    socket: PathBuf,
    log: PathBuf,
    bridge: Option<String>,
    /// `daemon.json`, and the hosts that it names as `insecure-registries`.
    plain: (PathBuf, Mutex<BTreeSet<String>>),
}

static SHARED: Mutex<Option<Arc<Engine>>> = Mutex::new(None);

impl Engine {
    fn shared() -> Result<Arc<Self>> {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(engine) = &*shared {
            return Ok(Arc::clone(engine));
        }
        let engine = Self::start_here(None)?;
        Ok(Arc::clone(shared.insert(Arc::new(engine))))
    }

    /// The engine of the run's server: on an address of its own, with rules for packets of its own, as a machine has
    /// them that nothing else runs on.
    fn of_server() -> Result<(Arc<Self>, String)> {
        let mut server = SERVER.lock().unwrap_or_else(PoisonError::into_inner);
        if server.is_none() {
            let space = NetworkNamespace::make_lasting()?;
            let engine = Arc::new(Self::start_here(Some(&space))?);
            *server = Some((engine, space));
        }
        let (engine, space) = server.as_ref().context("it was started")?;
        Ok((Arc::clone(engine), space.inside().to_owned()))
    }

    fn start_here(space: Option<&NetworkNamespace>) -> Result<Self> {
        Self::start("overlay2", space).or_else(|first| {
            Self::start("vfs", space)
                .with_context(|| format!("without overlay2, which failed with: {first:#}"))
        })
    }

    fn start(driver: &str, space: Option<&NetworkNamespace>) -> Result<Self> {
        let place = if space.is_some() { "server" } else { "engine" };
        let folder = scratch::folder(&format!("{place}-{driver}"))?;
        let program = find_program("dockerd").ok_or_else(|| anyhow!("dockerd is missing"))?;
        let socket = folder.join("docker.sock");
        let log = folder.join("dockerd.log");
        let bridge = if space.is_some() { None } else { make_bridge() };
        let mut command = match space {
            Some(space) => {
                let launcher = space.light_launcher();
                let mut command = Command::new(&launcher[0]);
                command.args(&launcher[1..]).arg(program);
                command
            }
            None => Command::new(program),
        };
        command.arg("--data-root").arg(folder.join("data"));
        command.arg("--exec-root").arg(folder.join("exec"));
        command.arg("--pidfile").arg(folder.join("dockerd.pid"));
        command.arg("--host").arg(format!("unix://{}", socket.display()));
        // Nothing of the machine's own: no iptables rules, no default bridge, no daemon.json.
        let settings = folder.join("daemon.json");
        command.arg("--config-file").arg(&settings);
        std::fs::write(&settings, "{}").context("write daemon.json")?;
        command.args(["--storage-driver", driver, "--ip6tables=false"]);
        if space.is_none() {
            command.args(["--iptables=false", "--ip-masq=false"]);
        }
        command.args(["--log-level", "warn"]);
        if let Some(bridge) = &bridge {
            command.args(["--bridge", bridge]);
        }
        let docker = find_program("docker").ok_or_else(|| anyhow!("docker is missing"))?;
        let mut daemon = Daemon::start("dockerd", command, &log)?;
        let ready = daemon.wait_until_ready(Duration::from_mins(1), || {
            let host = format!("unix://{}", socket.display());
            Command::new(&docker)
                .args(["--host", &host, "version"])
                .output()
                .is_ok_and(|output| output.status.success())
        });
        let engine = Self {
            daemon: Mutex::new(daemon),
            socket,
            log,
            bridge,
            plain: (settings, Mutex::default()),
        };
        ready.map(|()| engine)
    }

    /// Changes whom the engine speaks plain HTTP with, as an operator does: in `daemon.json`, then SIGHUP.
    fn change_plain(&self, change: impl FnOnce(&mut BTreeSet<String>) -> bool) -> Result<()> {
        let (settings, hosts) = &self.plain;
        let mut hosts = hosts.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut hosts);
        let text = serde_json::json!({ "insecure-registries": *hosts }).to_string();
        std::fs::write(settings, text).context("write daemon.json")?;
        self.daemon
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .hang_up();
        Ok(())
    }

    fn stop(&self) {
        // SIGTERM lets the engine unmount its layers and end its containerd.
        let mut daemon = self.daemon.lock().unwrap_or_else(PoisonError::into_inner);
        drop(daemon.stop(Duration::from_secs(30)));
        if let Some(bridge) = &self.bridge {
            drop(Command::new("ip").args(["link", "del", bridge]).output());
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A bridge of the engine's own, so that it leaves another engine's `docker0` alone; `None` where there can be none.
fn make_bridge() -> Option<String> {
    let number = std::process::id() % 10_000;
    let name = format!("ptl{number}x{}", unique() % 1000);
    let address = format!("10.{}.{}.1/24", 200 + number % 50, number / 50 % 250);
    let ip = |words: &[&str]| {
        Command::new("ip")
            .args(words)
            .output()
            .is_ok_and(|done| done.status.success())
    };
    let made = ip(&["link", "add", &name, "type", "bridge"])
        && ip(&["addr", "add", &address, "dev", &name])
        && ip(&["link", "set", &name, "up"]);
    made.then_some(name)
}

/// Stops the run's engine, also when tests that were interrupted still hold it.
pub(crate) fn stop() {
    if let Some(engine) = SHARED.lock().unwrap_or_else(PoisonError::into_inner).take() {
        engine.stop();
    }
    let server = SERVER.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some((engine, space)) = server {
        engine.stop();
        drop(space);
    }
}

/// The engine of a server, and where it is.
static SERVER: Mutex<Option<(Arc<Engine>, NetworkNamespace)>> = Mutex::new(None);

/// A host that the engine may speak plain HTTP with, though it is not loopback, until this is dropped.
pub struct Plain {
    engine: Arc<Engine>,
    host: String,
}

impl Drop for Plain {
    fn drop(&mut self) {
        drop(self.engine.change_plain(|hosts| hosts.remove(&self.host)));
    }
}

/// One user's Docker client.
#[derive(Debug)]
pub struct Docker<'a> {
    journey: &'a Journey,
    engine: Arc<Engine>,
    config: PathBuf,
}

impl<'a> Docker<'a> {
    /// A client that knows no login yet.
    pub fn new(journey: &'a Journey) -> Result<Self> {
        Self::of(journey, Engine::shared()?)
    }

    /// The operator's client on the server, another machine with an engine of its own; and that machine's address.
    pub fn on_server(journey: &'a Journey) -> Result<(Self, String)> {
        let (engine, address) = Engine::of_server()?;
        Ok((Self::of(journey, engine)?, address))
    }

    fn of(journey: &'a Journey, engine: Arc<Engine>) -> Result<Self> {
        journey.watch_foreign_log(&engine.log);
        let config = journey.subfolder(&format!("docker-config-{}", unique()))?;
        Ok(Self {
            journey,
            engine,
            config,
        })
    }

    /// `docker` with these words.
    pub fn line<S: AsRef<std::ffi::OsStr>>(&self, words: impl IntoIterator<Item = S>) -> Line<'a> {
        let host = format!("unix://{}", self.engine.socket.display());
        self.journey
            .command("docker")
            .args(words)
            .env("DOCKER_CONFIG", &self.config)
            .env("DOCKER_HOST", host)
    }

    /// The same for a process that is to be watched or cut off.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new("docker");
        command
            .args(words)
            .env("DOCKER_CONFIG", &self.config)
            .env("DOCKER_HOST", self.engine_address());
        command
    }

    /// `docker login`, the password on standard input.
    pub fn login(&self, host: &str, account: &Account) -> Line<'a> {
        self.line(["login", "--username", &account.name, "--password-stdin", host])
            .stdin(account.password.clone())
    }

    /// The folder that holds `config.json`.
    pub fn config(&self) -> &Path {
        &self.config
    }

    /// The engine's address, as `DOCKER_HOST` takes it.
    pub fn engine_address(&self) -> String {
        format!("unix://{}", self.engine.socket.display())
    }

    /// Lets the engine speak plain HTTP with a host that is not loopback.
    pub fn allow_plain(&self, host: &str) -> Result<Plain> {
        self.engine.change_plain(|hosts| hosts.insert(host.to_owned()))?;
        let plain = Plain {
            engine: Arc::clone(&self.engine),
            host: host.to_owned(),
        };
        wait_for("the engine's new configuration", Duration::from_mins(1), || {
            let words = ["info", "--format", "{{json .RegistryConfig.IndexConfigs}}"];
            let said = self.line(words).succeeds()?.stdout;
            Ok(said.contains(&format!("\"{host}\"")).then_some(()))
        })?;
        Ok(plain)
    }

    /// Imports an image that shares no layer with any other and prints `says` when it runs.
    pub fn import(&self, image: &str, says: &str) -> Result<()> {
        self.import_with(image, says, 0)
    }

    /// The same with so many bytes that no compression makes smaller.
    pub fn import_with(&self, image: &str, says: &str, noise: u64) -> Result<()> {
        let path = self.journey.folder().join(format!("root-{}.tar", unique()));
        let mut file = std::fs::File::create(&path).context("write the root file system")?;
        let mut tar = Tar::new(&mut file as &mut dyn Write);
        busybox(&mut tar)?;
        tar.file("says", 0o644, format!("{says}\n").as_bytes())?;
        if noise > 0 {
            tar.noise("noise", u64::from(unique()), noise)?;
        }
        tar.finish()?;
        self.line(["import", "-c", r#"CMD ["/bin/cat", "/says"]"#])
            .arg(&path)
            .arg(image)
            .succeeds()
            .map(drop)
    }

    /// Puts one more layer on an image: a file with this content.
    pub fn extend(&self, image: &str, onto: &str, file: &Path) -> Result<()> {
        let made = self.line(["create", "--network", "none", onto]).succeeds()?;
        let container = made.stdout.trim();
        let name = file
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        self.line(["cp"])
            .arg(file)
            .arg(format!("{container}:/{name}"))
            .succeeds()?;
        self.line(["commit", container, image]).succeeds()?;
        self.line(["rm", container]).succeeds().map(drop)
    }

    /// Removes images with all layers that only they use, and holds the engine to have forgotten them.
    pub fn forget(&self, images: &[&str]) -> Result<()> {
        self.line(["image", "rm", "--force"]).args(images).succeeds()?;
        for image in images {
            let left = self.line(["image", "inspect", image]).run()?;
            ensure!(left.code != Some(0), "the engine still has {image}");
        }
        Ok(())
    }

    /// Runs an image without a network and gives what it prints.
    pub fn run(&self, image: &str) -> Result<String> {
        Ok(self
            .line(["run", "--rm", "--network", "none", "--pull", "never", image])
            .succeeds()?
            .stdout)
    }
}
