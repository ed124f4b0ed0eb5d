//! Two replicas of the registry on one folder: every file is a shipped one of `deploy/`, changed by variables alone.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use bytes::Bytes;
use harness::api::Api;
use harness::archive::{Noise, digest};
use harness::binaries::{path_of, workspace_root};
use harness::engine::Docker;
use harness::process::{Daemon, free_port};
use harness::server::{answers, wait_for_file};
use harness::{Account, Context, Journey, Need, Result, Suite, ensure, nginx};
use http::Method;

pub(crate) fn add(suite: &mut Suite) {
    let docker = &[Need::Portolan, Need::Nginx, Need::Docker];
    suite.add(
        "replica",
        "docker_pushes_and_pulls_through_nginx_and_two_replicas",
        docker,
        docker_journey,
    );
    let nginx = &[Need::Portolan, Need::Nginx];
    suite.add(
        "replica",
        "any_replica_continues_an_upload_session",
        nginx,
        replicas,
    );
}

/// Index, two registries on one folder, nginx.
struct Deployment<'a> {
    journey: &'a Journey,
    data: PathBuf,
    front: u16,
    registries: [u16; 2],
    running: Vec<Daemon>,
}

impl<'a> Deployment<'a> {
    fn start(journey: &'a Journey) -> Result<Self> {
        let data = journey.subfolder("data")?;
        std::fs::set_permissions(&data, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
        let (front, index, registries) = (free_port()?, free_port()?, [free_port()?, free_port()?]);
        let mut deployment = Self {
            journey,
            data,
            front,
            registries,
            running: Vec::new(),
        };
        let mut running = vec![deployment.index(index)?];
        for port in registries {
            running.push(deployment.registry(port)?);
        }
        running.push(deployment.nginx(index)?);
        deployment.running = running;
        Ok(deployment)
    }

    fn host(&self) -> String {
        format!("localhost:{}", self.front)
    }

    fn url(&self) -> String {
        format!("http://{}", self.host())
    }

    /// A service on its shipped example, changed only by variables.
    fn service(&self, name: &str, port: u16, variables: &[(&str, String)]) -> Result<Daemon> {
        let example = format!("deploy/{}.yml", name.trim_end_matches("-service"));
        let mut command = Command::new(path_of(name)?);
        command.arg("serve").arg(workspace_root().join(example));
        command.envs(variables.iter().map(|(name, value)| (*name, value)));
        let log = self.journey.folder().join(format!("{name}-{port}.log"));
        self.journey.watch_log(&log);
        let mut daemon = Daemon::start(name, command, &log)?;
        daemon.wait_until_ready(Duration::from_mins(1), || {
            std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
        })?;
        Ok(daemon)
    }

    fn index(&self, port: u16) -> Result<Daemon> {
        let daemon = self.service(
            "index-service",
            port,
            &[
                ("INDEX_LISTEN", format!("127.0.0.1:{port}")),
                ("INDEX_PUBLIC_URL", self.url()),
                (
                    "INDEX_DATABASE",
                    format!("sqlite://{}", self.data.join("index.db").display()),
                ),
                ("INDEX_KEYS_DIR", self.data.join("keys").display().to_string()),
                (
                    "INDEX_REGISTRY_URL",
                    format!("http://127.0.0.1:{}", self.registries[0]),
                ),
                ("INDEX_REGISTRY_SERVICE", self.host()),
            ],
        )?;
        wait_for_file(&self.data.join("index.db"))?;
        Ok(daemon)
    }

    fn registry(&self, port: u16) -> Result<Daemon> {
        let secret = self.data.join("registry-http-secret");
        if !secret.exists() {
            std::fs::write(&secret, "0123456789abcdef".repeat(4))?;
            std::fs::set_permissions(&secret, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
        }
        self.service(
            "registry-service",
            port,
            &[
                ("REGISTRY_HTTP_ADDR", format!("127.0.0.1:{port}")),
                ("REGISTRY_HTTP_SECRETFILE", secret.display().to_string()),
                (
                    "REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY",
                    self.data.join("registry").display().to_string(),
                ),
                ("REGISTRY_AUTH_TOKEN_REALM", format!("{}/token", self.url())),
                ("REGISTRY_AUTH_TOKEN_SERVICE", self.host()),
                (
                    "REGISTRY_AUTH_TOKEN_JWKSURL",
                    format!("{}/.well-known/jwks.json", self.url()),
                ),
            ],
        )
    }

    fn nginx(&self, index: u16) -> Result<Daemon> {
        let folder = self.journey.subfolder("nginx")?;
        let shipped = std::fs::read_to_string(workspace_root().join("deploy/nginx.conf"))?;
        let [first, second] = self.registries.map(|port| format!("server 127.0.0.1:{port};"));
        let front = shipped
            .replace("listen 80;", &format!("listen 127.0.0.1:{};", self.front))
            .replace("server index:5001;", &format!("server 127.0.0.1:{index};"))
            .replace("server registry:5000;", &format!("{first} {second}"));
        ensure!(
            front.contains(&first),
            "the shipped configuration names the registry otherwise"
        );
        nginx::place(&folder, "front.conf", &front)?;
        nginx::start(self.journey, &folder, &[], || answers(self.front))
    }

    /// `portolan` with these words, on the data of the index.
    fn administer(&self, words: &[&str], stdin: &str) -> Result<String> {
        let line = self
            .journey
            .command(path_of("portolan")?)
            .args(words)
            .arg("--data")
            .arg(&self.data);
        Ok(line.stdin(stdin).succeeds()?.stdout)
    }

    fn account(&self, name: &str) -> Result<Account> {
        let account = Account {
            name: name.to_owned(),
            password: format!("correct horse {name} battery"),
        };
        self.administer(&["user", "add", name, "--password-stdin"], &account.password)?;
        Ok(account)
    }
}

fn docker_journey(journey: &Journey) -> Result<()> {
    let deployment = Deployment::start(journey)?;
    let alice = deployment.account("alice")?;
    let image = format!("{}/alice/shared:1", deployment.host());
    let docker = Docker::new(journey)?;
    docker.login(&deployment.host(), &alice).succeeds()?;
    docker.import(&image, "two replicas")?;
    docker.line(["push", &image]).succeeds()?;
    docker.forget(&[&image])?;
    docker.line(["pull", &image]).succeeds()?;
    ensure!(
        docker.run(&image)? == "two replicas\n",
        "the pulled image runs otherwise"
    );
    docker.forget(&[&image])
}

fn replicas(journey: &Journey) -> Result<()> {
    let deployment = Deployment::start(journey)?;
    let alice = deployment.account("alice")?;
    let repository = "alice/shared";
    let front = Api::new(&deployment.url(), Some(alice))?;
    let authorization = front.authorization_for(&format!("repository:{repository}:pull,push"))?;
    let replicas: Vec<Api> = deployment
        .registries
        .iter()
        .map(|port| Api::new(&format!("http://127.0.0.1:{port}"), None))
        .collect::<Result<_>>()?;
    let send = |number: usize, method: Method, path: &str, range: Option<&str>, body: Bytes| {
        let mut headers = vec![("authorization", authorization.as_str())];
        headers.extend(range.map(|range| ("content-range", range)));
        replicas[number % 2].send(method, path, &headers, body)
    };
    let content: Bytes = Noise::new(41).next_block().to_vec().into();
    let path = format!("/v2/{repository}/blobs/uploads/");
    let begun = send(0, Method::POST, &path, None, Bytes::new())?.expect(202)?;
    let mut location = relative(begun.header("location")?)?;
    let piece = content.len() / 8;
    for number in 0..8 {
        // Each piece goes to the other replica than the one before.
        let (from, to) = (number * piece, (number + 1) * piece);
        let range = format!("{from}-{}", to - 1);
        let answer = send(
            number + 1,
            Method::PATCH,
            &location,
            Some(&range),
            content.slice(from..to),
        )?
        .expect(202)?;
        location = relative(answer.header("location")?)?;
    }
    let join = if location.contains('?') { '&' } else { '?' };
    let path = format!("{location}{join}digest={}", digest(&content));
    send(0, Method::PUT, &path, None, Bytes::new())?.expect(201)?;
    for number in 0..2 {
        let path = format!("/v2/{repository}/blobs/{}", digest(&content));
        let answer = send(number, Method::GET, &path, None, Bytes::new())?.expect(200)?;
        ensure!(answer.body == content, "the blob came back changed");
    }
    // Through the front door, whichever replica it picks.
    let pushed = front.push_small_image(repository, "1", "two replicas")?;
    for _ in 0..4 {
        let answer = front.manifest(repository, "1")?.expect(200)?;
        ensure!(answer.header("docker-content-digest")? == pushed, "{answer}");
    }
    Ok(())
}

/// A location without scheme and host.
fn relative(location: &str) -> Result<String> {
    let Some((_, rest)) = location.split_once("://") else {
        return Ok(location.to_owned());
    };
    let path = rest.find('/').context("a location without a path")?;
    Ok(rest[path..].to_owned())
}
