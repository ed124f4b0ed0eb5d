//! A PostgreSQL server of a test's own, in a folder that goes with it.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::Journey;
use crate::process::Daemon;

const READY: Duration = Duration::from_mins(1);

/// A running server. Everybody on this machine who reaches its socket may do everything.
#[derive(Debug)]
pub struct Postgres {
    folder: PathBuf,
    programs: PathBuf,
    daemon: Daemon,
}

impl Postgres {
    /// Makes and starts one with these further settings, such as `fsync=off`. Its locale is not C, as most are not.
    pub fn start(journey: &Journey, settings: &[&str]) -> Result<Self> {
        let programs = find_programs().context("no initdb in /usr/lib/postgresql/*/bin")?;
        // The path of a socket is short, and the server's own user must reach it.
        let name = format!("portolan-pg-{}-{}", std::process::id(), crate::journey::unique());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir(&folder).context("make the folder of PostgreSQL")?;
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o777))?;
        let data = folder.join("data");
        let made = as_its_user(&programs.join("initdb"))
            .arg("-D")
            .arg(&data)
            .args(["-A", "trust", "-U", "portolan", "-E", "UTF8", "--no-sync"])
            .args(["--locale=C", "--locale-provider=icu", "--icu-locale=en-US"])
            .current_dir("/")
            .output()
            .context("run initdb")?;
        ensure!(
            made.status.success(),
            "initdb: {}",
            String::from_utf8_lossy(&made.stderr)
        );
        let mut command = as_its_user(&programs.join("postgres"));
        command.arg("-D").arg(&data).current_dir("/");
        let socket = format!("unix_socket_directories={}", folder.display());
        for setting in ["listen_addresses=", socket.as_str(), "max_connections=200"]
            .iter()
            .chain(settings)
        {
            command.args(["-c", setting]);
        }
        let log = journey.subfolder("postgres")?.join("log");
        let mut daemon = Daemon::start("postgres", command, &log)?;
        let ready = programs.join("pg_isready");
        daemon.wait_until_ready(READY, || {
            Command::new(&ready)
                .arg("-q")
                .arg("-h")
                .arg(&folder)
                .status()
                .is_ok_and(|status| status.success())
        })?;
        Ok(Self {
            folder,
            programs,
            daemon,
        })
    }

    /// Makes an empty database; gives its URL.
    pub fn database(&self, name: &str) -> Result<String> {
        self.run("postgres", &format!("create database {name}"))?;
        Ok(format!(
            "postgres://portolan@localhost/{name}?host={}",
            self.folder.display()
        ))
    }

    /// Runs statements in a database; gives what they print, columns separated by `|`.
    pub fn run(&self, database: &str, statements: &str) -> Result<String> {
        let done = Command::new(self.programs.join("psql"))
            .args([
                "-X",
                "-q",
                "-A",
                "-t",
                "-v",
                "ON_ERROR_STOP=1",
                "-U",
                "portolan",
                "-d",
                database,
            ])
            .arg("-h")
            .arg(&self.folder)
            .arg("-c")
            .arg(statements)
            .output()
            .context("run psql")?;
        ensure!(
            done.status.success(),
            "psql: {}",
            String::from_utf8_lossy(&done.stderr)
        );
        Ok(String::from_utf8_lossy(&done.stdout).into_owned())
    }

    /// The first process of the server.
    pub fn pid(&self) -> u32 {
        self.daemon.pid()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.daemon.kill();
        // The run's sweep takes what is left.
        drop(std::fs::remove_dir_all(&self.folder));
    }
}

/// Why there is none, when there is none.
pub fn missing() -> Option<String> {
    find_programs()
        .is_none()
        .then(|| "PostgreSQL is not installed (Debian: postgresql)".to_owned())
}

/// The server refuses to run as root.
fn as_its_user(program: &Path) -> Command {
    if !rustix::process::getuid().is_root() {
        return Command::new(program);
    }
    let known = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let user = if known.lines().any(|line| line.starts_with("postgres:")) {
        "postgres"
    } else {
        "nobody"
    };
    let mut command = Command::new("runuser");
    command.args(["-u", user, "--"]).arg(program);
    command
}

/// The folder of its programs, of the newest version that is installed.
pub(crate) fn find_programs() -> Option<PathBuf> {
    let installed = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let mut folders: Vec<PathBuf> = installed
        .flatten()
        .map(|version| version.path().join("bin"))
        .filter(|folder| folder.join("initdb").is_file() && folder.join("postgres").is_file())
        .collect();
    folders.sort();
    folders.pop()
}
