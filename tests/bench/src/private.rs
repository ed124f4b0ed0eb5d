//! Registries as people run `registry:2` for themselves: accounts in a file of Apache's, with and without TLS, both
//! servers on one configuration file. Ours is as durable as ever.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use harness::environment::find_program;
use harness::process::free_port;
use harness::{Journey, binaries};

use crate::case::{Case, Kind, Way, case, ratio};
use crate::report::Unit::{self, Gigabyte, Thousand};
use crate::server::{ACCOUNT, Certificate, PASSWORD, Service, Side, start};

/// The same work in each of the ways in which clients come. The target is to be ahead.
pub(crate) static CASES: &[Case] = &[
    private("htpasswd-ping", Kind::Ping, Thousand, Way::Kept),
    private("htpasswd-manifest", Kind::ManifestByTag, Thousand, Way::Kept),
    private("htpasswd-get-1KiB", Kind::GetSmall, Thousand, Way::Kept),
    private("htpasswd-get-1MiB", Kind::GetMiddle, Gigabyte, Way::Kept),
    private("htpasswd-push-1MiB", Kind::PushMiddle, Gigabyte, Way::Kept),
    private("htpasswd-push-image", Kind::PushImage, Thousand, Way::Kept),
    private("htpasswd-tls-ping", Kind::Ping, Thousand, Way::KeptTls),
    private(
        "htpasswd-tls-manifest",
        Kind::ManifestByTag,
        Thousand,
        Way::KeptTls,
    ),
    private("htpasswd-tls-get-1KiB", Kind::GetSmall, Thousand, Way::KeptTls),
    private("htpasswd-tls-get-1MiB", Kind::GetMiddle, Gigabyte, Way::KeptTls),
    private("htpasswd-tls-push-1MiB", Kind::PushMiddle, Gigabyte, Way::KeptTls),
    private("htpasswd-tls-push-image", Kind::PushImage, Thousand, Way::KeptTls),
    private("htpasswd-tls-fresh-ping", Kind::Ping, Thousand, Way::FreshTls),
    private(
        "htpasswd-tls-fresh-manifest",
        Kind::ManifestByTag,
        Thousand,
        Way::FreshTls,
    ),
    private(
        "htpasswd-tls-fresh-get-1KiB",
        Kind::GetSmall,
        Thousand,
        Way::FreshTls,
    ),
    private(
        "htpasswd-tls-fresh-get-1MiB",
        Kind::GetMiddle,
        Gigabyte,
        Way::FreshTls,
    ),
    private(
        "htpasswd-tls-fresh-push-1MiB",
        Kind::PushMiddle,
        Gigabyte,
        Way::FreshTls,
    ),
    private(
        "htpasswd-tls-fresh-push-image",
        Kind::PushImage,
        Thousand,
        Way::FreshTls,
    ),
];

/// Clients at once: few, as a private registry has them.
const CONNECTIONS: usize = 8;

const fn private(id: &'static str, kind: Kind, unit: Unit, way: Way) -> Case {
    Case {
        way,
        accounts: true,
        ..case(id, kind, CONNECTIONS, unit, Some(ratio(1.0)))
    }
}

/// A registry with accounts, and a second process over the same content, with TLS.
pub(crate) struct Private {
    plain: Service,
    tls: Service,
}

impl Private {
    pub(crate) fn start(
        journey: &Journey,
        side: Side,
        root: &Path,
        certificate: &Certificate,
    ) -> Result<Self> {
        let (name, program) = match side {
            Side::Ours => ("private", binaries::path_of("registry-service")?),
            Side::Peer => (
                "peer-private",
                find_program("docker-registry").context("docker-registry is not installed")?,
            ),
        };
        let config = configuration(&accounts(journey)?);
        let registry = |tls: &[(&'static str, &Path)]| {
            let port = free_port()?;
            let mut variables = vec![
                ("REGISTRY_HTTP_ADDR", format!("127.0.0.1:{port}")),
                (
                    "REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY",
                    root.display().to_string(),
                ),
            ];
            variables.extend(tls.iter().map(|(name, path)| (*name, path.display().to_string())));
            let scheme = if tls.is_empty() { "http" } else { "https" };
            let ready = format!("{scheme}://127.0.0.1:{port}/v2/");
            let daemon = start(journey, name, &program, &config, &variables, &ready)?;
            Ok::<_, anyhow::Error>(Service { port, daemon })
        };
        Ok(Self {
            plain: registry(&[])?,
            tls: registry(&[
                ("REGISTRY_HTTP_TLS_CERTIFICATE", &certificate.chain),
                ("REGISTRY_HTTP_TLS_KEY", &certificate.key),
            ])?,
        })
    }

    /// Which of the two is asked in this way.
    pub(crate) fn service(&self, way: Way) -> &Service {
        if way.is_tls() { &self.tls } else { &self.plain }
    }
}

/// A file with one account, of bcrypt's cost that `htpasswd -B` chooses.
fn accounts(journey: &Journey) -> Result<PathBuf> {
    let folder = journey.subfolder("accounts")?;
    let (tool, file) = (folder.join("htpasswd"), folder.join("accounts"));
    if !file.exists() {
        std::os::unix::fs::symlink(binaries::path_of("registry-service")?, &tool).context("link htpasswd")?;
        let line = journey.command(&tool).args(["-Bbn", ACCOUNT, PASSWORD]);
        std::fs::write(&file, line.succeeds()?.stdout).context("write the accounts")?;
    }
    Ok(file)
}

/// What is in the file that both are given; address, folder and certificate are laid over it by variables.
fn configuration(accounts: &Path) -> String {
    format!(
        "version: 0.1\nlog:\n  level: error\n  accesslog:\n    disabled: true\nstorage:\n  cache:\n    blobdescriptor: inmemory\n  \
         filesystem:\n    rootdirectory: /var/lib/registry\n  maintenance:\n    uploadpurging:\n      enabled: false\nhttp:\n  addr: :5000\n  \
         headers:\n    X-Content-Type-Options: [nosniff]\n  secret: one secret for every start, and long\nhealth:\n  \
         storagedriver:\n    enabled: true\n    interval: 10s\n    threshold: 3\nauth:\n  htpasswd:\n    realm: basic-realm\n    \
         path: {}\n",
        accounts.display()
    )
}
