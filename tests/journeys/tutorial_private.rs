//! The tutorial of a private registry, as people follow it: a certificate of their own by openssl, accounts by htpasswd, and
//! an engine on another machine; set up by variables, and by a file.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use harness::command::Line;
use harness::engine::Docker;
use harness::netns::NetworkNamespace;
use harness::process::Daemon;
use harness::server::probe;
use harness::{Account, Journey, Need, Result, Suite, ensure};

use crate::tls::Trust;

pub(crate) fn add(suite: &mut Suite) {
    let needs = &[
        Need::Portolan,
        Need::NetworkNamespace,
        Need::Docker,
        Need::Openssl,
        Need::Curl,
        Need::Htpasswd,
    ];
    suite.add(
        "tutorial_private",
        "a_registry_with_a_certificate_and_accounts_is_set_up_by_variables",
        needs,
        by_variables,
    );
    suite.add(
        "tutorial_private",
        "a_registry_with_a_certificate_and_accounts_is_set_up_by_a_file",
        needs,
        by_file,
    );
}

/// What the tutorial's machine has.
struct Machine<'a> {
    journey: &'a Journey,
    space: NetworkNamespace,
    folder: PathBuf,
    user: Account,
}

impl<'a> Machine<'a> {
    fn make(journey: &'a Journey) -> Result<Self> {
        let machine = Self {
            journey,
            space: NetworkNamespace::make()?,
            folder: journey.subfolder("machine")?,
            user: Account {
                name: "testuser".to_owned(),
                password: "test password of a tutorial".to_owned(),
            },
        };
        for folder in ["certs", "auth", "data"] {
            std::fs::create_dir(machine.folder.join(folder))?;
        }
        machine.make_certificate()?;
        let line = journey.command("htpasswd").args(["-Bbn", &machine.user.name]);
        let accounts = line.arg(&machine.user.password).succeeds()?.stdout;
        std::fs::write(machine.folder.join("auth/htpasswd"), accounts)?;
        Ok(machine)
    }

    fn make_certificate(&self) -> Result<()> {
        let config = self.folder.join("san.cnf");
        let text = format!(
            "[req]\ndefault_bits = 2048\ndistinguished_name = req_distinguished_name\nreq_extensions = req_ext\n\
             x509_extensions = v3_req\nprompt = no\n[req_distinguished_name]\ncountryName = XX\norganizationName = \
             Registry\ncommonName = registry.test\n[req_ext]\nsubjectAltName = @alt_names\n[v3_req]\nsubjectAltName = \
             @alt_names\nbasicConstraints = CA:true\n[alt_names]\nDNS.1 = registry.test\nIP.1 = {}\n",
            self.space.inside()
        );
        std::fs::write(&config, text)?;
        let line = self.journey.command("openssl").args(["req", "-x509", "-nodes"]);
        let line = line.args(["-days", "365", "-newkey", "rsa:2048"]);
        let line = line.arg("-keyout").arg(self.certs("server-key.pem"));
        let line = line.arg("-out").arg(self.certs("server-crt.pem"));
        line.arg("-config").arg(&config).succeeds().map(drop)
    }

    fn certs(&self, name: &str) -> PathBuf {
        self.folder.join("certs").join(name)
    }

    /// `ADDRESS:PORT`, as clients name the registry.
    fn host(&self) -> String {
        format!("{}:5000", self.space.inside())
    }

    /// Starts the registry on a volume of its own at `/var/lib/registry`, as a container has it.
    fn start(&self, config: &Path, variables: &[(&str, String)]) -> Result<Daemon> {
        // The namespace's own mounts end with its last process.
        let volume = "mount -t tmpfs tmpfs /var/lib && mkdir /var/lib/registry && mount --bind \"$0\" \
                      /var/lib/registry && exec \"$@\"";
        let launcher = self.space.launcher();
        let mut command = Command::new(&launcher[0]);
        command.args(&launcher[1..]).args(["sh", "-c", volume]);
        command.arg(self.folder.join("data"));
        command.arg(harness::binaries::path_of("registry-service")?);
        command.arg("serve").arg(config);
        command.envs(variables.iter().map(|(name, value)| (*name, value)));
        let log = self.folder.join("registry.log");
        self.journey.watch_log(&log);
        let mut daemon = Daemon::start("registry-service", command, &log)?;
        let url = format!("https://{}/v2/", self.host());
        daemon.wait_until_ready(Duration::from_mins(1), || probe(&url))?;
        Ok(daemon)
    }

    fn curl(&self, path: &str) -> Line<'a> {
        let line = self.journey.command("curl").args(["-sS", "--max-time", "20"]);
        let line = line.arg("--cacert").arg(self.certs("server-crt.pem"));
        line.arg(format!("https://{}{path}", self.host()))
    }

    /// All that the tutorial does with the registry.
    fn follow(&self) -> Result<()> {
        let (host, docker) = (self.host(), Docker::new(self.journey)?);
        let image = format!("{host}/testuser/hello:1");
        docker.import(&image, "hello from a private registry")?;
        let pem = std::fs::read_to_string(self.certs("server-crt.pem"))?;
        {
            // The engine takes authorities from files that end in `.crt` alone.
            let _trust = Trust::place_as(&host, "server-crt.pem", &pem)?;
            docker
                .login(&host, &self.user)
                .fails()?
                .says("certificate signed by unknown authority")?;
        }
        let _trust = Trust::place_as(&host, "server-crt.crt", &pem)?;
        docker
            .line(["push", &image])
            .fails()?
            .says("no basic auth credentials")?;
        let wrong = Account {
            password: "wrong".to_owned(),
            ..self.user.clone()
        };
        docker.login(&host, &wrong).fails()?.says("401 Unauthorized")?;
        docker
            .login(&host, &self.user)
            .succeeds()?
            .says("Login Succeeded")?;
        docker.line(["push", &image]).succeeds()?;
        docker.forget(&[&image])?;
        docker.line(["pull", &image]).succeeds()?;
        let said = docker.run(&image)?;
        ensure!(said == "hello from a private registry\n", "the image says {said}");
        docker.forget(&[&image])?;
        docker.line(["logout", &host]).succeeds()?;
        docker
            .line(["pull", &image])
            .fails()?
            .says("no basic auth credentials")?;
        self.ask()
    }

    fn ask(&self) -> Result<()> {
        let user = format!("{}:{}", self.user.name, self.user.password);
        for (path, expected) in [
            ("/v2/", "{}"),
            ("/v2/_catalog", r#"{"repositories":["testuser/hello"]}"#),
            (
                "/v2/testuser/hello/tags/list",
                r#"{"name":"testuser/hello","tags":["1"]}"#,
            ),
        ] {
            let said = self.curl(path).args(["-u", &user]).succeeds()?.stdout;
            ensure!(said.trim_end() == expected, "{path}: {said}");
            let said = self.curl(path).arg("-i").succeeds()?;
            let head = said.stdout.to_lowercase();
            for words in [
                " 401",
                "www-authenticate: basic realm=\"registry realm\"",
                "unauthorized",
            ] {
                ensure!(head.contains(words), "{path} without an account: {head}");
            }
        }
        // By the name too.
        let said = self
            .journey
            .command("curl")
            .args(["-sS", "-u", &user, "--cacert"])
            .arg(self.certs("server-crt.pem"))
            .args([
                "--resolve",
                &format!("registry.test:5000:{}", self.space.inside()),
            ])
            .arg("https://registry.test:5000/v2/")
            .succeeds()?
            .stdout;
        ensure!(said == "{}", "by name: {said}");
        Ok(())
    }
}

fn by_variables(journey: &Journey) -> Result<()> {
    let machine = Machine::make(journey)?;
    let config = machine.folder.join("config.yml");
    let text = "version: 0.1\nlog:\n  fields:\n    service: registry\nstorage:\n  cache:\n    blobdescriptor: inmemory\n  \
                filesystem:\n    rootdirectory: /var/lib/registry\nhttp:\n  addr: :5000\n  headers:\n    \
                X-Content-Type-Options: [nosniff]\nhealth:\n  storagedriver:\n    enabled: true\n    interval: 10s\n    \
                threshold: 3\n";
    std::fs::write(&config, text)?;
    let path = |path: PathBuf| path.display().to_string();
    let variables = [
        (
            "REGISTRY_HTTP_TLS_CERTIFICATE",
            path(machine.certs("server-crt.pem")),
        ),
        ("REGISTRY_HTTP_TLS_KEY", path(machine.certs("server-key.pem"))),
        ("REGISTRY_AUTH", "htpasswd".to_owned()),
        ("REGISTRY_AUTH_HTPASSWD_REALM", "Registry Realm".to_owned()),
        (
            "REGISTRY_AUTH_HTPASSWD_PATH",
            path(machine.folder.join("auth/htpasswd")),
        ),
    ];
    let _registry = machine.start(&config, &variables)?;
    machine.follow()
}

fn by_file(journey: &Journey) -> Result<()> {
    let machine = Machine::make(journey)?;
    let config = machine.folder.join("config.yml");
    let text = format!(
        "version: 0.1\nlog:\n  fields:\n    service: registry\nstorage:\n  cache:\n    blobdescriptor: inmemory\n  \
         filesystem:\n    rootdirectory: /var/lib/registry\nhttp:\n  addr: :5000\n  headers:\n    X-Content-Type-Options: \
         [nosniff]\n  tls:\n    certificate: {folder}/certs/server-crt.pem\n    key: {folder}/certs/server-key.pem\nhealth:\n  \
         storagedriver:\n    enabled: true\n    interval: 10s\n    threshold: 3\nauth:\n  htpasswd:\n    realm: Registry \
         Realm\n    path: {folder}/auth/htpasswd\n",
        folder = machine.folder.display()
    );
    std::fs::write(&config, text)?;
    let _registry = machine.start(&config, &[])?;
    machine.follow()
}
