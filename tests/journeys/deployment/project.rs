//! A deployment of the shipped `compose.yaml` under a name and on ports of its own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use harness::api::Api;
use harness::command::{Line, RUNTIME};
use harness::engine::Docker;
use harness::image::Build;
use harness::journey::unique;
use harness::need::compose;
use harness::process::{free_port, wait_for};
use harness::{Account, Context as _, Journey, Result, binaries, ensure, stand_in};

use super::group::Group;

/// Long enough for a machine that is busy with other tests.
pub(crate) const PATIENCE: Duration = Duration::from_mins(3);

static IMAGES: Mutex<bool> = Mutex::new(false);

/// What our images are of: the targets of `deploy/Dockerfile`.
pub(crate) const TARGETS: [&str; 3] = ["portolan", "index", "registry"];
/// The binaries in them.
pub(crate) const BINARIES: [&str; 3] = ["index-service", "registry-service", "portolan"];

/// Where our images are, as `PORTOLAN_IMAGE` says it.
pub(crate) const PREFIX: &str = "portolan-under-test";

/// Taken down with its volumes when dropped.
pub(crate) struct Project<'a> {
    pub(crate) journey: &'a Journey,
    pub(crate) docker: Docker<'a>,
    pub(crate) folder: PathBuf,
    address: String,
    name: String,
    port: u16,
    http_port: u16,
    more: Vec<PathBuf>,
    /// Variables as in `.env`.
    settings: Mutex<BTreeMap<&'static str, String>>,
    /// Whom clients trust, where that is not the deployment's own authority.
    trusted: Mutex<Option<Vec<u8>>>,
}

impl<'a> Project<'a> {
    /// Images and files, and nothing started yet; `more` is laid over compose.yaml.
    pub(crate) fn prepare(journey: &'a Journey, more: &str) -> Result<Self> {
        let (docker, address) = Docker::on_server(journey)?;
        let plugins = docker.config().join("cli-plugins");
        std::fs::create_dir_all(&plugins)?;
        let plugin = compose().map_err(harness::Error::msg)?;
        std::os::unix::fs::symlink(plugin, plugins.join("docker-compose")).context("link the plugin")?;
        images(journey, &docker)?;
        let number = unique();
        let folder = journey.subfolder(&format!("deployment{number}"))?;
        let root = binaries::workspace_root();
        std::fs::copy(root.join("compose.yaml"), folder.join("compose.yaml"))?;
        std::os::unix::fs::symlink(root.join("deploy").canonicalize()?, folder.join("deploy"))?;
        let mut laid_over = Vec::new();
        if !more.is_empty() {
            std::fs::write(folder.join("more.yaml"), more)?;
            laid_over.push(folder.join("more.yaml"));
        }
        Ok(Self {
            journey,
            docker,
            address,
            name: format!("hub{}x{number}", std::process::id()),
            folder,
            port: free_port()?,
            http_port: free_port()?,
            more: laid_over,
            settings: Mutex::default(),
            trusted: Mutex::default(),
        })
    }

    /// Writes a setting, as an operator does into `.env`; it counts from the next command on.
    pub(crate) fn set(&self, name: &'static str, value: impl Into<String>) {
        let mut settings = self.settings.lock().unwrap_or_else(PoisonError::into_inner);
        settings.insert(name, value.into());
    }

    /// Has clients trust these authorities from now on, and not the deployment's own.
    pub(crate) fn trust(&self, authorities: &Path) -> Result<()> {
        self.trust_bytes(&std::fs::read(authorities).context("read the authority")?);
        Ok(())
    }

    /// The same with the text (PEM), which then is not asked for any more.
    pub(crate) fn trust_bytes(&self, authorities: &[u8]) {
        *self.trusted.lock().unwrap_or_else(PoisonError::into_inner) = Some(authorities.to_owned());
    }

    /// A program with the environment of an operator in the project's folder.
    pub(crate) fn line(&self, program: &str, words: &[&str]) -> Line<'a> {
        let files: Vec<_> = std::iter::once(self.folder.join("compose.yaml"))
            .chain(self.more.iter().cloned())
            .map(|path| path.display().to_string())
            .collect();
        let line = self
            .journey
            .command(program)
            .args(words)
            .within(&self.folder)
            .env("DOCKER_CONFIG", self.docker.config())
            .env("DOCKER_HOST", self.docker.engine_address())
            .env("COMPOSE_FILE", files.join(":"))
            .env("COMPOSE_PROJECT_NAME", &self.name)
            .env("COMPOSE_PROGRESS", "plain")
            .env("PORTOLAN_HOST", &self.address)
            .env("PORTOLAN_PORT", self.port.to_string())
            .env("PORTOLAN_HTTP_PORT", self.http_port.to_string())
            .env("PORTOLAN_IMAGE", PREFIX);
        let settings = self.settings.lock().unwrap_or_else(PoisonError::into_inner);
        settings
            .iter()
            .fold(line, |line, (name, value)| line.env(name, value))
    }

    /// `docker compose` with these words.
    pub(crate) fn compose(&self, words: &[&str]) -> Line<'a> {
        let mut all = vec!["compose"];
        all.extend(words);
        self.line("docker", &all)
    }

    /// `docker compose up`, and waits until the front door and both services behind it answer.
    pub(crate) fn up(&self, words: &[&str]) -> Result<()> {
        let mut all = vec!["up", "--detach", "--no-build"];
        all.extend(words);
        if let Err(error) = self.compose(&all).succeeds() {
            drop(self.compose(&["ps", "--all"]).run());
            drop(self.compose(&["logs", "--no-color"]).run());
            return Err(error);
        }
        self.wait_until_it_answers()
    }

    /// Until the front door and both services behind it answer.
    pub(crate) fn wait_until_it_answers(&self) -> Result<()> {
        let anonymous = self.api(None)?;
        let answered = wait_for("the deployment to answer", PATIENCE, || {
            let status = |path: &str| {
                let answer =
                    RUNTIME.block_on(async { anonymous.http().get(anonymous.url(path)).send().await });
                answer.ok().map(|answer| answer.status().as_u16())
            };
            Ok((status("/v2/") == Some(401) && status("/readyz") == Some(200)).then_some(()))
        });
        if answered.is_err() {
            drop(self.compose(&["ps", "--all"]).run());
            drop(self.compose(&["logs", "--no-color", "--tail", "60"]).run());
        }
        answered
    }

    /// `NAME:PORT` of the server, as clients name it.
    pub(crate) fn host(&self) -> String {
        let settings = self.settings.lock().unwrap_or_else(PoisonError::into_inner);
        let name = settings.get("PORTOLAN_HOST").unwrap_or(&self.address);
        format!("{name}:{}", self.port)
    }

    /// The server's address.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// The port of HTTP in the clear.
    pub(crate) fn clear_port(&self) -> u16 {
        self.http_port
    }

    /// Where the server answers in the clear.
    pub(crate) fn clear_host(&self) -> String {
        format!("{}:{}", self.address, self.http_port)
    }

    /// The authority that clients are told to trust.
    pub(crate) fn authority(&self) -> Result<Vec<u8>> {
        let trusted = self.trusted.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pem) = &*trusted {
            return Ok(pem.clone());
        }
        let words = ["exec", "-T", "front", "cat", "/etc/portolan/tls/ca.crt"];
        Ok(self.compose(&words).succeeds()?.stdout.into_bytes())
    }

    /// The administrator, by the password that the setup tells of.
    pub(crate) fn admin(&self) -> Result<Account> {
        let path = "/etc/portolan/index/initial-admin-password";
        let said = self
            .compose(&["exec", "-T", "index", "cat", path])
            .succeeds()?
            .stdout;
        Ok(Account {
            name: "admin".to_owned(),
            password: said.trim().to_owned(),
        })
    }

    /// A caller that trusts the deployment's authority and nobody else.
    pub(crate) fn api(&self, account: Option<Account>) -> Result<Api> {
        let url = format!("https://{}", self.host());
        Api::trusting_at(&url, account, &self.authority()?, &self.address)
    }

    /// A volume, as the engine calls it.
    pub(crate) fn volume(&self, name: &str) -> String {
        format!("{}_{name}", self.name)
    }

    /// The containers of a service, running ones alone.
    pub(crate) fn containers(&self, service: &str) -> Result<Vec<String>> {
        let said = self.compose(&["ps", "--quiet", service]).succeeds()?.stdout;
        Ok(said.lines().map(str::to_owned).collect())
    }

    /// One field of a container, by the engine's template.
    pub(crate) fn inspect(&self, container: &str, template: &str) -> Result<String> {
        let said = self
            .docker
            .line(["inspect", "--format", template, container])
            .succeeds()?
            .stdout;
        Ok(said.trim().to_owned())
    }

    /// `kill -9` of the container's main process, by its number on the host.
    pub(crate) fn kill(&self, container: &str) -> Result<()> {
        let process = self.inspect(container, "{{.State.Pid}}")?;
        ensure!(process != "0", "{container} does not run");
        self.journey
            .command("kill")
            .args(["-9", &process])
            .succeeds()
            .map(drop)
    }

    /// Memory of each container in MiB, without what is only cached, by service, largest first.
    pub(crate) fn memory(&self) -> Result<Vec<(String, f64)>> {
        let mut all = Vec::new();
        for (service, process) in self.processes()? {
            all.push((service, Group::of(&process)?.memory(true)?));
        }
        all.sort_by(|one, other| other.1.total_cmp(&one.1));
        Ok(all)
    }

    /// The main process of each container that runs, with its service.
    pub(crate) fn processes(&self) -> Result<Vec<(String, String)>> {
        let ids = self.compose(&["ps", "--quiet"]).succeeds()?.stdout;
        let template = r#"{{index .Config.Labels "com.docker.compose.service"}} {{.State.Pid}}"#;
        let one = |id: &str| {
            let said = self.inspect(id, template)?;
            let (service, process) = said.split_once(' ').context("no process")?;
            Ok((service.to_owned(), process.to_owned()))
        };
        ids.lines().map(one).collect()
    }
}

impl Drop for Project<'_> {
    fn drop(&mut self) {
        // For the transcript of a journey that failed.
        drop(self.compose(&["logs", "--no-color", "--tail", "25"]).run());
        drop(
            self.compose(&[
                "--profile",
                "tools",
                "--profile",
                "redis",
                "down",
                "--volumes",
                "--timeout",
                "3",
            ])
            .run(),
        );
    }
}

/// The base of our images.
const BASE: &str = "debian:bookworm-slim";

/// Builds and imports all images, once in a run.
fn images(journey: &Journey, docker: &Docker<'_>) -> Result<()> {
    let mut made = IMAGES.lock().unwrap_or_else(PoisonError::into_inner);
    if *made {
        return Ok(());
    }
    stand_in::nginx(journey, docker, "nginx:1.28")?;
    stand_in::postgres(journey, docker, "postgres:17")?;
    let build = Build::prepare(journey, docker, BASE, &BINARIES)?;
    for target in TARGETS {
        build.image(target, &format!("{PREFIX}/{target}:latest"))?;
    }
    *made = true;
    Ok(())
}
