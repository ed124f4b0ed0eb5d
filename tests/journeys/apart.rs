//! The two services run apart, behind nginx with the shipped path table.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use harness::api::Api;
use harness::engine::Docker;
use harness::process::{Daemon, free_port, wait_for};
use harness::server::probe;
use harness::{Account, Context as _, Journey, Need, Result, Suite, binaries, ensure, nginx};

pub(crate) fn add(suite: &mut Suite) {
    suite.add(
        "apart",
        "docker_pushes_and_pulls_through_nginx_and_two_services",
        &[Need::Portolan, Need::Nginx, Need::Docker],
        push_and_pull,
    );
    suite.add(
        "apart",
        "the_registry_starts_before_the_index_and_believes_it_afterwards",
        &[Need::Portolan, Need::Nginx],
        registry_first,
    );
    suite.add(
        "apart",
        "the_shipped_configurations_are_in_order",
        &[Need::Portolan],
        examples,
    );
}

/// What the registry shows to the index when it tells of content.
const EVENTS_SECRET: &str = "what-the-registry-shows-to-the-index-0123456789";

/// Ports, files and processes of one front door. The index's files lie as those of `portolan up` do, so that
/// `portolan`'s commands administer them.
pub(crate) struct Apart<'a> {
    journey: &'a Journey,
    pub(crate) data: PathBuf,
    front: u16,
    index: u16,
    registry: u16,
    pub(crate) running: Vec<Daemon>,
}

impl<'a> Apart<'a> {
    pub(crate) fn prepare(journey: &'a Journey) -> Result<Self> {
        use std::os::unix::fs::PermissionsExt as _;
        let data = journey.subfolder("data")?;
        std::fs::set_permissions(&data, std::fs::Permissions::from_mode(0o700))?;
        Ok(Self {
            journey,
            data,
            front: free_port()?,
            index: free_port()?,
            registry: free_port()?,
            running: Vec::new(),
        })
    }

    pub(crate) fn host(&self) -> String {
        format!("localhost:{}", self.front)
    }

    fn start(&mut self, program: &Path, words: &[&str], name: &str) -> Result<&mut Daemon> {
        let log = self.journey.folder().join(format!("{name}.log"));
        let mut command = Command::new(program);
        command.args(words);
        self.running.push(Daemon::start(name, command, &log)?);
        self.journey.watch_log(&log);
        self.running.last_mut().context("a process that was just started")
    }

    /// `name` is the program, with a number behind it where it runs several times.
    fn start_service(&mut self, name: &str, config: &str, port: u16, ready: &str) -> Result<()> {
        let path = self.journey.folder().join(format!("{name}.yml"));
        std::fs::write(&path, config)?;
        let path = path.display().to_string();
        let program = binaries::path_of(name.trim_end_matches(|c: char| c == '-' || c.is_ascii_digit()))?;
        let ready = format!("http://127.0.0.1:{port}{ready}");
        self.start(&program, &["serve", &path], name)?
            .wait_until_ready(Duration::from_mins(1), || probe(&ready))
    }

    pub(crate) fn start_index(&mut self) -> Result<()> {
        self.start_index_with("")
    }

    /// With further sections in its configuration.
    pub(crate) fn start_index_with(&mut self, more: &str) -> Result<()> {
        let data = self.data.display();
        let config = format!(
            "listen: 127.0.0.1:{}\npublic_url: http://{}\ndatabase: sqlite://{data}/index.db\nkeys_dir: {data}/keys\n\
             initial_password_file: {data}/initial-admin-password\nregistry:\n  url: http://127.0.0.1:{}\n  \
             events_secret: {EVENTS_SECRET}\n{more}",
            self.index,
            self.host(),
            self.registry,
        );
        let port = self.index;
        self.start_service("index-service", &config, port, "/readyz")
    }

    fn start_registry(&mut self) -> Result<()> {
        self.start_registry_with("")
    }

    /// With further sections in its configuration, `registry-service.yml`.
    pub(crate) fn start_registry_with(&mut self, more: &str) -> Result<()> {
        self.start_registry_at("registry-service", self.registry, more)
    }

    /// Another registry on the same storage; where it listens.
    pub(crate) fn start_another_registry(&mut self, more: &str) -> Result<String> {
        let port = free_port()?;
        self.start_registry_at("registry-service-2", port, more)?;
        Ok(format!("http://127.0.0.1:{port}"))
    }

    /// Where the first registry listens itself.
    pub(crate) fn registry(&self) -> String {
        format!("http://127.0.0.1:{}", self.registry)
    }

    fn start_registry_at(&mut self, name: &str, port: u16, more: &str) -> Result<()> {
        let config = format!(
            "version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {}/registry\n  delete:\n    enabled: true\n\
             auth:\n  token:\n    realm: http://{host}/token\n    service: {host}\n    issuer: portolan\n    \
             jwksurl: http://127.0.0.1:{}/.well-known/jwks.json\nhttp:\n  addr: 127.0.0.1:{}\n  secret: {}\n{more}",
            self.data.display(),
            self.index,
            port,
            "one secret for every start, and long",
            host = self.host(),
        );
        self.start_service(name, &config, port, "/v2/")
    }

    /// What the registry's configuration says to tell the index of content.
    pub(crate) fn events(&self) -> String {
        format!(
            "notifications:\n  endpoints:\n    - name: index\n      url: http://127.0.0.1:{}/events/registry\n      \
             index: true\n      headers:\n        Authorization: [Bearer {EVENTS_SECRET}]\n      threshold: 3\n      \
             batch: 100\n      ignore:\n        mediatypes: [application/octet-stream]\n",
            self.index
        )
    }

    /// Where a registry tells the index what takes long, and what it shows there.
    pub(crate) fn reports(&self) -> (String, &'static str) {
        let url = format!("http://127.0.0.1:{}/events/work", self.index);
        (url, EVENTS_SECRET)
    }

    /// nginx with the file that `portolan nginx-config` prints, which the shipped one is.
    pub(crate) fn start_nginx(&mut self) -> Result<()> {
        let daemon = nginx::front_door(self.journey, self.front, &[self.index], self.registry)?;
        self.running.push(daemon);
        Ok(())
    }

    pub(crate) fn administer(&self, words: &[&str], stdin: &str) -> Result<String> {
        let line = self.journey.command(binaries::path_of("portolan")?).args(words);
        Ok(line.arg("--data").arg(&self.data).stdin(stdin).succeeds()?.stdout)
    }

    pub(crate) fn account(&self, name: &str) -> Result<Account> {
        let account = Account {
            name: name.to_owned(),
            password: format!("correct horse of {name}"),
        };
        self.administer(&["user", "add", name, "--password-stdin"], &account.password)?;
        Ok(account)
    }

    /// The index learns of a first push by asking the registry every few seconds.
    pub(crate) fn set_public_once_confirmed(&self, repository: &str) -> Result<()> {
        wait_for(
            &format!("{repository} to be confirmed"),
            Duration::from_mins(1),
            || {
                let line = self.journey.command(binaries::path_of("portolan")?);
                let line = line
                    .args(["repo", "set-public", repository, "--data"])
                    .arg(&self.data);
                Ok(line.succeeds().ok().map(drop))
            },
        )
    }
}

fn push_and_pull(journey: &Journey) -> Result<()> {
    let mut apart = Apart::prepare(journey)?;
    apart.start_index()?;
    apart.start_registry()?;
    apart.start_nginx()?;
    let (ada, eve) = (apart.account("ada")?, apart.account("eve")?);
    let host = apart.host();
    let image = format!("{host}/ada/app:1");
    let docker = Docker::new(journey)?;
    docker.login(&host, &ada).succeeds()?;
    docker.import(&image, "apart")?;
    docker.line(["push", &image]).succeeds()?;
    docker.forget(&[&image])?;
    let other = Docker::new(journey)?;
    other.login(&host, &eve).succeeds()?;
    other.line(["pull", &image]).fails()?.says("denied")?;
    docker.line(["pull", &image]).succeeds()?;
    ensure!(
        docker.run(&image)? == "apart\n",
        "the pulled image runs otherwise"
    );
    docker.forget(&[&image])?;
    apart.set_public_once_confirmed("ada/app")?;
    let anonymous = Docker::new(journey)?;
    anonymous.line(["pull", &image]).succeeds()?;
    anonymous.forget(&[&image])?;
    // The front door's catalog is the index's: what the caller may see.
    let catalog = Api::new(&format!("http://{host}"), Some(eve))?
        .get("/v2/_catalog")?
        .expect(200)?;
    ensure!(
        catalog.json()? == serde_json::json!({ "repositories": ["ada/app"] }),
        "{catalog}"
    );
    for mut daemon in apart.running {
        let status = daemon.stop(Duration::from_mins(1))?;
        ensure!(status.success(), "ended with {status}");
    }
    Ok(())
}

fn registry_first(journey: &Journey) -> Result<()> {
    let mut apart = Apart::prepare(journey)?;
    apart.start_registry()?;
    apart.start_index()?;
    apart.start_nginx()?;
    let ada = apart.account("ada")?;
    let api = Api::new(&format!("http://{}", apart.host()), Some(ada))?;
    // The keys could not be fetched at the start; they are once a token names one that is not known.
    wait_for(
        "the registry to know the index's key",
        Duration::from_mins(1),
        || Ok(api.push_small_image("ada/app", "1", "late").ok()),
    )?;
    api.manifest("ada/app", "1")?.expect(200).map(drop)
}

fn examples(journey: &Journey) -> Result<()> {
    let deploy = binaries::workspace_root().join("deploy");
    let secret = journey.folder().join("secret");
    std::fs::write(&secret, "one secret for every start, and long")?;
    for (program, file) in [
        ("index-service", "index.yml"),
        ("registry-service", "registry.yml"),
    ] {
        journey
            .command(binaries::path_of(program)?)
            .arg("check-config")
            .arg(deploy.join(file))
            // The file that the example names is the operator's to make.
            .env("REGISTRY_HTTP_SECRETFILE", &secret)
            .succeeds()?;
    }
    Ok(())
}
