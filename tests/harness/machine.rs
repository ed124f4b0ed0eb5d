//! The machine of a tutorial: an address of its own, which no engine takes for loopback, a certificate by openssl, accounts
//! by htpasswd, a registry on a volume, and perhaps nginx in front.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::command::Line;
use crate::netns::NetworkNamespace;
use crate::process::Daemon;
use crate::server::{Account, probe};
use crate::{Journey, binaries, nginx};

/// What the tutorial's machine has.
pub struct Machine<'a> {
    journey: &'a Journey,
    space: NetworkNamespace,
    folder: PathBuf,
    /// Who is in its file of accounts.
    pub user: Account,
}

impl<'a> Machine<'a> {
    /// One with folders for a certificate, accounts, a volume and nginx, all empty.
    pub fn make(journey: &'a Journey) -> Result<Self> {
        let machine = Self {
            journey,
            space: NetworkNamespace::make()?,
            folder: journey.subfolder("machine")?,
            user: Account {
                name: "testuser".to_owned(),
                password: "test password of a tutorial".to_owned(),
            },
        };
        for folder in ["certs", "auth", "data", "nginx/certs"] {
            std::fs::create_dir_all(machine.path(folder))?;
        }
        Ok(machine)
    }

    /// Something in its folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Its address.
    pub fn address(&self) -> &str {
        self.space.inside()
    }

    /// `certs/server-crt.pem` and `certs/server-key.pem`, for the address and for `registry.test`.
    pub fn make_certificate(&self) -> Result<()> {
        let config = self.path("san.cnf");
        let text = format!(
            "[req]\ndefault_bits = 2048\ndistinguished_name = req_distinguished_name\nreq_extensions = req_ext\n\
             x509_extensions = v3_req\nprompt = no\n[req_distinguished_name]\ncountryName = XX\norganizationName = \
             Registry\ncommonName = registry.test\n[req_ext]\nsubjectAltName = @alt_names\n[v3_req]\nsubjectAltName = \
             @alt_names\nbasicConstraints = CA:true\n[alt_names]\nDNS.1 = registry.test\nIP.1 = {}\n",
            self.address()
        );
        std::fs::write(&config, text)?;
        let line = self.journey.command("openssl").args(["req", "-x509", "-nodes"]);
        let line = line.args(["-days", "365", "-newkey", "rsa:2048"]);
        let line = line.arg("-keyout").arg(self.path("certs/server-key.pem"));
        let line = line.arg("-out").arg(self.path("certs/server-crt.pem"));
        line.arg("-config").arg(&config).succeeds().map(drop)
    }

    /// The certificate as clients are given it.
    pub fn certificate(&self) -> Result<String> {
        std::fs::read_to_string(self.path("certs/server-crt.pem")).context("read the certificate")
    }

    /// `auth/htpasswd` with the user, made by this program.
    pub fn make_accounts(&self, htpasswd: impl AsRef<OsStr>) -> Result<()> {
        let line = self.journey.command(htpasswd).args(["-Bbn", &self.user.name]);
        let accounts = line.arg(&self.user.password).succeeds()?.stdout;
        std::fs::write(self.path("auth/htpasswd"), accounts).context("write the accounts")
    }

    /// A link to our binary, named as the original's images name theirs.
    pub fn link(&self, name: &str) -> Result<PathBuf> {
        let link = self.path(name);
        std::os::unix::fs::symlink(binaries::path_of("registry-service")?, &link)
            .with_context(|| format!("link {name}"))?;
        Ok(link)
    }

    /// Starts the registry with its volume at `/var/lib/registry`, as a container has it, and waits until it is `ready`.
    pub fn start_registry(
        &self,
        config: &Path,
        variables: &[(&str, String)],
        ready: impl FnMut() -> bool,
    ) -> Result<Daemon> {
        // The namespace's own mounts end with its last process.
        let volume = "mount -t tmpfs tmpfs /var/lib && mkdir /var/lib/registry && mount --bind \"$0\" \
                      /var/lib/registry && exec \"$@\"";
        let launcher = self.space.launcher();
        let mut command = Command::new(&launcher[0]);
        command.args(&launcher[1..]).args(["sh", "-c", volume]);
        command.arg(self.path("data"));
        command.arg(binaries::path_of("registry-service")?);
        command.arg("serve").arg(config);
        command.envs(variables.iter().map(|(name, value)| (*name, value)));
        let log = self.path("registry.log");
        self.journey.watch_log(&log);
        let mut daemon = Daemon::start("registry-service", command, &log)?;
        daemon.wait_until_ready(Duration::from_mins(1), ready)?;
        Ok(daemon)
    }

    /// The registry with the configuration of the official image and these variables, on port 5000 of the machine.
    pub fn start_plain_registry(&self, variables: &[(&str, String)]) -> Result<Daemon> {
        let config = binaries::workspace_root().join("deploy/registry/config.yml");
        let launcher = self.space.launcher();
        // From inside: it may be that nobody else shall reach it.
        let ready = || {
            let mut curl = Command::new(&launcher[0]);
            curl.args(&launcher[1..])
                .args(["curl", "-s", "http://127.0.0.1:5000/v2/"]);
            curl.output().is_ok_and(|done| done.status.success())
        };
        self.start_registry(&config, variables, ready)
    }

    /// nginx with one of the shipped servers, changed by `change`; it finds the certificate and the accounts where the
    /// file says.
    pub fn start_nginx(&self, server: &str, change: impl Fn(String) -> String) -> Result<Daemon> {
        let (folder, shipped) = (
            self.path("nginx"),
            binaries::workspace_root().join("deploy/nginx"),
        );
        let read = |name: &str| std::fs::read_to_string(shipped.join(name)).with_context(|| name.to_owned());
        let text = read(server)?;
        let scheme = if text.contains("listen 443") {
            "https"
        } else {
            "http"
        };
        nginx::place(&folder, "registry.conf", &change(text))?;
        let included = change(read("registry-proxy.inc")?);
        std::fs::write(folder.join("registry-proxy.inc"), included)?;
        for (from, to) in [
            ("certs/server-crt.pem", "certs/registry.crt"),
            ("certs/server-key.pem", "certs/registry.key"),
            ("auth/htpasswd", "registry.htpasswd"),
        ] {
            if self.path(from).exists() {
                std::fs::copy(self.path(from), folder.join(to)).context("give nginx its files")?;
            }
        }
        let url = format!("{scheme}://{}/v2/", self.address());
        nginx::start(self.journey, &folder, &self.space.launcher(), || probe(&url))
    }

    /// `curl` that trusts the machine's certificate.
    pub fn curl(&self, url: &str) -> Line<'a> {
        let line = self.journey.command("curl").args(["-sS", "--max-time", "20"]);
        let certificate = self.path("certs/server-crt.pem");
        let line = if certificate.exists() {
            line.arg("--cacert").arg(certificate)
        } else {
            line
        };
        line.arg(url)
    }
}
