//! `http.tls.letsencrypt`: Pebble, the authority that Let's Encrypt tests with, issues; curl and openssl look.

pub(crate) mod authority;

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use authority::Authority;
use harness::binaries;
use harness::process::{Daemon, free_port, wait_for};
use harness::{Context, Journey, Need, Result, Suite, ensure};

/// Longer than anything here takes, on any machine.
const PATIENCE: Duration = Duration::from_mins(3);

pub(crate) fn add(suite: &mut Suite) {
    let needs = &[Need::Portolan, Need::Pebble, Need::Openssl, Need::Curl];
    suite.add(
        "acme",
        "replicas_that_share_a_folder_order_once_per_name_and_a_restart_orders_nothing",
        needs,
        issue,
    );
    suite.add(
        "acme",
        "a_certificate_is_renewed_before_it_ends_and_served_without_a_restart",
        needs,
        renewal,
    );
    suite.add(
        "acme",
        "a_folder_of_distribution_is_served_while_the_authority_is_away",
        &[Need::Portolan, Need::Openssl, Need::Curl],
        moved,
    );
    suite.add(
        "acme",
        "a_name_that_does_not_lead_here_is_told_with_what_to_do",
        needs,
        elsewhere,
    );
}

/// A registry that gets its certificates by ACME.
struct Registry<'a> {
    journey: &'a Journey,
    port: u16,
    cache: PathBuf,
    config: PathBuf,
    log: PathBuf,
    daemon: Option<Daemon>,
}

impl<'a> Registry<'a> {
    fn start(
        journey: &'a Journey,
        port: u16,
        cache: &Path,
        directory: &str,
        trusted: &Path,
        hosts: &str,
    ) -> Result<Self> {
        let config = journey.folder().join(format!("acme-{port}.yml"));
        let text = format!(
            "version: 0.1\nstorage: inmemory\nhttp:\n  addr: 127.0.0.1:{port}\n  secret: one secret for all\n  tls:\n    \
             letsencrypt:\n      cachefile: {}\n      email: operator@registry.test\n      hosts: [{hosts}]\n      \
             directoryurl: {directory}\n      directoryca: {}\n",
            cache.display(),
            trusted.display()
        );
        std::fs::write(&config, text)?;
        let log = journey.folder().join(format!("acme-{port}.log"));
        journey.watch_log(&log);
        let mut registry = Self {
            journey,
            port,
            cache: cache.to_owned(),
            config,
            log,
            daemon: None,
        };
        registry.start_again()?;
        Ok(registry)
    }

    fn start_again(&mut self) -> Result<()> {
        let mut command = Command::new(binaries::path_of("registry-service")?);
        command.arg("serve").arg(&self.config);
        let mut daemon = Daemon::start("registry-service", command, &self.log)?;
        let port = self.port;
        daemon.wait_until_ready(PATIENCE, || {
            std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
        })?;
        self.daemon = Some(daemon);
        Ok(())
    }

    fn stop(&mut self) -> Result<()> {
        let mut daemon = self.daemon.take().context("it does not run")?;
        ensure!(daemon.stop(PATIENCE)?.success(), "it ended with a failure");
        Ok(())
    }

    /// Whether curl, which trusts `root` alone, is answered under this name.
    fn answers(&self, name: &str, root: &Path) -> Result<bool> {
        let (port, url) = (self.port, format!("https://{name}:{}/v2/", self.port));
        let line = self.journey.command("curl").args(["-sS", "--max-time", "20"]);
        let line = line.args(["-o", "/dev/null", "-w", "%{http_code} %{http_version}"]);
        let line = line.arg("--resolve").arg(format!("{name}:{port}:127.0.0.1"));
        let done = line.arg("--cacert").arg(root).arg(url).run()?;
        ensure!(
            done.code != Some(0) || done.stdout == "200 2",
            "curl says {}",
            done.stdout
        );
        Ok(done.code == Some(0))
    }

    fn until_it_answers(&self, name: &str, root: &Path) -> Result<()> {
        wait_for("a certificate", PATIENCE, || {
            Ok(self.answers(name, root)?.then_some(()))
        })
    }

    /// The serial number of the certificate that is served.
    fn serial(&self, name: &str) -> Result<String> {
        let line = self.journey.command("openssl").args(["s_client", "-connect"]);
        let line = line.arg(format!("127.0.0.1:{}", self.port));
        let shown = line.args(["-servername", name]).stdin("").run()?.stdout;
        let line = self
            .journey
            .command("openssl")
            .args(["x509", "-noout", "-serial"]);
        Ok(line.stdin(shown).succeeds()?.stdout)
    }

    fn says(&self, words: &str) -> Result<bool> {
        Ok(std::fs::read_to_string(&self.log)?.contains(words))
    }
}

fn issue(journey: &Journey) -> Result<()> {
    let (first, second) = (free_port()?, free_port()?);
    let mut authority = Authority::start(journey, first, Duration::from_hours(24 * 90))?;
    let cache = journey.folder().join("cache");
    let start = |port| {
        let (directory, trusted) = (authority.directory(), authority.trusted());
        let hosts = "one.registry.test, two.registry.test";
        Registry::start(journey, port, &cache, &directory, trusted, hosts)
    };
    // The authority comes to the port of the first, whoever orders.
    let mut replicas = [start(first)?, start(second)?];
    let root = authority.root(journey)?;
    for replica in &replicas {
        for name in ["one.registry.test", "two.registry.test"] {
            replica.until_it_answers(name, &root)?;
        }
        ensure!(
            !replica.answers("three.registry.test", &root)?,
            "a name that is not configured is served"
        );
        let unknown = journey.command("openssl").args(["s_client", "-connect"]);
        let unknown = unknown.arg(format!("127.0.0.1:{}", replica.port));
        let unknown = unknown.args(["-servername", "three.registry.test"]).stdin("");
        unknown.fails()?.says("alert")?;
    }
    ensure!(authority.orders()? == 2, "{} orders", authority.orders()?);
    let serial = replicas[0].serial("one.registry.test")?;
    ensure!(
        replicas[1].serial("one.registry.test")? == serial,
        "each replica has its own"
    );
    private(&replicas[0].cache)?;

    authority.kill();
    for replica in &mut replicas {
        replica.stop()?;
        replica.start_again()?;
        ensure!(
            replica.answers("one.registry.test", &root)?,
            "not served from the folder"
        );
        ensure!(
            replica.serial("one.registry.test")? == serial,
            "another certificate"
        );
    }
    ensure!(authority.orders()? == 2, "a restart ordered anew");
    Ok(())
}

/// Nobody else may read what lies in the folder, and the answers to validations are gone.
fn private(cache: &Path) -> Result<()> {
    let mode = |path: &Path| -> Result<u32> { Ok(std::fs::metadata(path)?.permissions().mode() & 0o777) };
    ensure!(mode(cache)? == 0o700, "the folder has mode {:o}", mode(cache)?);
    let mut names = Vec::new();
    for entry in std::fs::read_dir(cache)? {
        let entry = entry?;
        ensure!(
            mode(&entry.path())? == 0o600,
            "{} has another mode",
            entry.path().display()
        );
        names.push(entry.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    let expected = [
        ".portolan.lock",
        "acme_account+key",
        "one.registry.test",
        "two.registry.test",
    ];
    ensure!(names == expected, "the folder holds {names:?}");
    Ok(())
}

fn renewal(journey: &Journey) -> Result<()> {
    let port = free_port()?;
    let authority = Authority::start(journey, port, Duration::from_secs(20))?;
    let cache = journey.folder().join("cache");
    let (directory, trusted) = (authority.directory(), authority.trusted());
    let name = "short.registry.test";
    let registry = Registry::start(journey, port, &cache, &directory, trusted, name)?;
    let root = authority.root(journey)?;
    registry.until_it_answers(name, &root)?;
    let serial = registry.serial(name)?;
    wait_for("the next certificate", PATIENCE, || {
        Ok((registry.serial(name)? != serial).then_some(()))
    })?;
    registry.until_it_answers(name, &root)?;
    ensure!(authority.orders()? >= 2, "{} orders", authority.orders()?);
    Ok(())
}

fn moved(journey: &Journey) -> Result<()> {
    let cache = journey.subfolder("cache")?;
    let name = "moved.registry.test";
    // As Go's library writes them: keys of SEC 1, the certificate's before its chain.
    let key = |file: &Path| -> Result<()> {
        let line = journey
            .command("openssl")
            .args(["ecparam", "-name", "prime256v1"]);
        line.args(["-genkey", "-noout", "-out"]).arg(file).succeeds()?;
        Ok(())
    };
    key(&cache.join("acme_account+key"))?;
    let account = std::fs::read(cache.join("acme_account+key"))?;
    let (key_file, root) = (
        journey.folder().join("key.pem"),
        journey.folder().join("leaf.pem"),
    );
    key(&key_file)?;
    let line = journey.command("openssl").args(["req", "-x509", "-days", "60"]);
    let line = line.args(["-subj", "/CN=moved", "-addext"]);
    let line = line.arg(format!("subjectAltName=DNS:{name}"));
    line.arg("-key")
        .arg(&key_file)
        .arg("-out")
        .arg(&root)
        .succeeds()?;
    let both = std::fs::read_to_string(&key_file)? + &std::fs::read_to_string(&root)?;
    ensure!(
        both.starts_with("-----BEGIN EC PRIVATE KEY-----"),
        "another form of key"
    );
    std::fs::write(cache.join(name), both)?;

    let nobody = format!("https://127.0.0.1:{}/dir", free_port()?);
    let port = free_port()?;
    let hosts = format!("{name}, new.registry.test");
    let registry = Registry::start(journey, port, &cache, &nobody, &root, &hosts)?;
    ensure!(
        registry.answers(name, &root)?,
        "what was issued before is not served"
    );
    wait_for("the fault to be told", PATIENCE, || {
        let told =
            registry.says("the authority cannot be reached; look at http.tls.letsencrypt.directoryurl")?;
        Ok(told.then_some(()))
    })?;
    ensure!(registry.answers(name, &root)?, "the fault ended the service");
    ensure!(
        std::fs::read(cache.join("acme_account+key"))? == account,
        "the account's key was replaced"
    );
    Ok(())
}

fn elsewhere(journey: &Journey) -> Result<()> {
    // Nobody listens where the authority looks.
    let authority = Authority::start(journey, free_port()?, Duration::from_hours(24))?;
    let cache = journey.folder().join("cache");
    let (directory, trusted) = (authority.directory(), authority.trusted());
    let name = "lost.registry.test";
    let mut registry = Registry::start(journey, free_port()?, &cache, &directory, trusted, name)?;
    wait_for("the fault to be told", PATIENCE, || {
        let told = registry.says("could not validate lost.registry.test")?;
        Ok(told.then_some(()))
    })?;
    ensure!(
        registry.says("must lead to this registry, whose port the authority reaches as 443")?,
        "the log does not say what to do"
    );
    ensure!(authority.orders()? == 1, "it was ordered again at once");
    ensure!(
        !cache.join("lost.registry.test+token").exists(),
        "the answer stays behind"
    );
    registry.stop()
}
