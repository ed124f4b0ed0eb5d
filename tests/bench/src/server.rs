//! The servers: ours apart, so that each service's CPU is seen alone, and the peer.

use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use base64::Engine as _;
use harness::environment::find_program;
use harness::process::{Daemon, free_port};
use harness::server::probe;
use harness::{Journey, binaries};
use rustls::pki_types::pem::PemObject as _;
use tokio_rustls::TlsConnector;

use crate::case::{Case, Kind};
use crate::client::{Body, Client, Endpoint};
use crate::private::Private;

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Ours,
    Peer,
}

/// A running registry, with whatever gives tokens for it.
pub(crate) struct Server {
    /// Where the content lies.
    pub(crate) root: PathBuf,
    registry: Service,
    /// A second process over the same content, with TLS.
    tls: Service,
    connector: TlsConnector,
    index: Option<Index>,
    /// Two more over the same content, with accounts in a file.
    pub(crate) private: Option<Private>,
}

pub(crate) struct Service {
    pub(crate) port: u16,
    pub(crate) daemon: Daemon,
}

struct Index {
    service: Service,
    /// `Authorization` of an account's access token, and of the administrator's.
    account: String,
    administrator: String,
}

/// A certificate for `localhost`.
pub(crate) struct Certificate {
    pub(crate) chain: PathBuf,
    pub(crate) key: PathBuf,
    connector: TlsConnector,
}

impl Certificate {
    pub(crate) fn make(folder: &Path) -> Result<Self> {
        let made =
            rcgen::generate_simple_self_signed(["localhost".to_owned()]).context("make a certificate")?;
        let (chain, key) = (folder.join("tls.pem"), folder.join("tls.key"));
        std::fs::write(&chain, made.cert.pem())?;
        std::fs::write(&key, made.signing_key.serialize_pem())?;
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600))?;
        let mut roots = rustls::RootCertStore::empty();
        roots.add(rustls::pki_types::CertificateDer::from_pem_file(&chain).context("read a certificate")?)?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        // Clients written in Go do not resume sessions unless told to; docker and skopeo do not tell.
        config.resumption = rustls::client::Resumption::disabled();
        Ok(Self {
            chain,
            key,
            connector: TlsConnector::from(Arc::new(config)),
        })
    }
}

pub(crate) const ACCOUNT: &str = "bench";
pub(crate) const PASSWORD: &str = "correct horse of the benchmark";
const READY: Duration = Duration::from_mins(1);

impl Server {
    /// Ours: the index, and the registry with tokens and as durable as it comes, over `root`.
    pub(crate) fn ours(journey: &Journey, root: &Path, certificate: &Certificate) -> Result<Self> {
        let (index_port, port, tls_port) = (free_port()?, free_port()?, free_port()?);
        let data = root.with_extension("index");
        std::fs::DirBuilder::new().mode(0o700).create(&data)?;
        let at = data.display();
        let text = format!(
            "listen: 127.0.0.1:{index_port}\npublic_url: http://localhost:{index_port}\n\
             database: sqlite://{at}/index.db\nkeys_dir: {at}/keys\ninitial_password_file: {at}/first-password\n\
             token:\n  lifetime: 15m\nregistry:\n  url: http://127.0.0.1:{port}\n  service: bench\n\
             log:\n  level: error\n"
        );
        let index = start(
            journey,
            "index-service",
            &binaries::path_of("index-service")?,
            &text,
            &[],
            &format!("http://127.0.0.1:{index_port}/readyz"),
        )?;
        let account = access_token(journey, &data)?;
        // The catalog is for an administrator's password alone.
        let first =
            std::fs::read_to_string(data.join("first-password")).context("read the first password")?;
        let administrator = basic("admin", first.trim());
        let program = binaries::path_of("registry-service")?;
        let registry = |name: &str, port: u16, tls: &str| {
            let text = format!(
                "version: 0.1\nlog:\n  level: error\n  accesslog:\n    disabled: true\nstorage:\n  filesystem:\n    rootdirectory: {}\n\
                 auth:\n  token:\n    realm: http://localhost:{index_port}/token\n    service: bench\n    \
                 issuer: portolan\n    jwksurl: http://127.0.0.1:{index_port}/.well-known/jwks.json\n\
                 http:\n  addr: 127.0.0.1:{port}\n  secret: one secret for every start, and long\n{tls}",
                root.display()
            );
            let scheme = if tls.is_empty() { "http" } else { "https" };
            start(
                journey,
                name,
                &program,
                &text,
                &[],
                &format!("{scheme}://127.0.0.1:{port}/v2/"),
            )
        };
        Ok(Self {
            root: root.to_owned(),
            registry: Service {
                port,
                daemon: registry("registry", port, "")?,
            },
            tls: Service {
                port: tls_port,
                daemon: registry("registry-tls", tls_port, &tls_lines(certificate))?,
            },
            connector: certificate.connector.clone(),
            index: Some(Index {
                service: Service {
                    port: index_port,
                    daemon: index,
                },
                account,
                administrator,
            }),
            private: None,
        })
    }

    /// The peer as it is quickest: no authentication, descriptors cached, nothing logged, nothing in the background.
    pub(crate) fn peer(journey: &Journey, root: &Path, certificate: &Certificate) -> Result<Self> {
        let program = find_program("docker-registry").context("docker-registry is not installed")?;
        let registry = |name: &str, port: u16, tls: &str| {
            let text = format!(
                "version: 0.1\nlog:\n  level: error\n  accesslog:\n    disabled: true\nstorage:\n  filesystem:\n    \
                 rootdirectory: {}\n  cache:\n    blobdescriptor: inmemory\n  maintenance:\n    uploadpurging:\n      \
                 enabled: false\nhealth:\n  storagedriver:\n    enabled: false\nhttp:\n  addr: 127.0.0.1:{port}\n  \
                 secret: one secret for every start, and long\n{tls}",
                root.display()
            );
            let scheme = if tls.is_empty() { "http" } else { "https" };
            start(
                journey,
                name,
                &program,
                &text,
                &[],
                &format!("{scheme}://127.0.0.1:{port}/v2/"),
            )
        };
        let (port, tls_port) = (free_port()?, free_port()?);
        Ok(Self {
            root: root.to_owned(),
            registry: Service {
                port,
                daemon: registry("peer", port, "")?,
            },
            tls: Service {
                port: tls_port,
                daemon: registry("peer-tls", tls_port, &tls_lines(certificate))?,
            },
            connector: certificate.connector.clone(),
            index: None,
            private: None,
        })
    }

    /// Where a case's requests go, with a token of now.
    pub(crate) async fn endpoint(&self, case: &Case) -> Result<Endpoint> {
        let service = self.service(case)?;
        let authorization = match &self.index {
            _ if case.accounts => password(),
            None => String::new(),
            Some(index) if case.kind == Kind::Token => index.account.clone(),
            Some(index) => index.bearer(case.kind).await?,
        };
        Ok(Endpoint {
            port: service.port,
            authorization,
            tls: case.way.is_tls().then(|| self.connector.clone()),
            fresh: case.way.is_fresh(),
        })
    }

    /// The processes whose work a case is.
    pub(crate) fn processes(&self, case: &Case) -> Result<Vec<u32>> {
        Ok(vec![self.service(case)?.daemon.pid()])
    }

    /// All that is needed to serve clients without TLS.
    pub(crate) fn all_processes(&self) -> Vec<u32> {
        let index = self.index.iter().map(|index| &index.service);
        index
            .chain([&self.registry])
            .map(|service| service.daemon.pid())
            .collect()
    }

    /// The registry's port without TLS, and the index's.
    pub(crate) fn ports(&self) -> (u16, Option<u16>) {
        let index = self.index.as_ref().map(|index| index.service.port);
        (self.registry.port, index)
    }

    fn service(&self, case: &Case) -> Result<&Service> {
        Ok(match &self.index {
            _ if case.accounts => {
                let private = self.private.as_ref();
                private
                    .context("no registry with accounts was started")?
                    .service(case.way)
            }
            Some(index) if case.kind == Kind::Token => &index.service,
            _ if case.way.is_tls() => &self.tls,
            _ => &self.registry,
        })
    }
}

impl Index {
    async fn bearer(&self, kind: Kind) -> Result<String> {
        let authorization = if kind == Kind::Catalog {
            self.administrator.clone()
        } else {
            self.account.clone()
        };
        let endpoint = Endpoint {
            port: self.service.port,
            authorization,
            tls: None,
            fresh: true,
        };
        let path = format!("/token?service=bench&scope={}", kind.scope());
        let request = endpoint.prepare("GET", &path, "");
        let answer = Client::new(Arc::new(endpoint))
            .fetch(&request, Body::None)
            .await?;
        let json: serde_json::Value = serde_json::from_slice(&answer.body).context("read a token")?;
        let token = json["token"]
            .as_str()
            .with_context(|| format!("no token in {json}"))?;
        Ok(format!("Authorization: Bearer {token}\r\n"))
    }
}

fn tls_lines(certificate: &Certificate) -> String {
    let (chain, key) = (certificate.chain.display(), certificate.key.display());
    format!("  tls:\n    certificate: {chain}\n    key: {key}\n")
}

/// A server on this configuration, with these variables laid over it, once `ready` is answered.
pub(crate) fn start(
    journey: &Journey,
    name: &str,
    program: &Path,
    config: &str,
    variables: &[(&str, String)],
    ready: &str,
) -> Result<Daemon> {
    let folder = journey.subfolder(&format!("{name}-{}", harness::journey::unique()))?;
    let path = folder.join("config.yml");
    std::fs::write(&path, config).context("write a configuration")?;
    // The peer writes many lines for what is no error, and its log is of no use to anybody.
    let log = if name.starts_with("peer") {
        PathBuf::from("/dev/null")
    } else {
        folder.join("log")
    };
    journey.watch_log(&log);
    let mut command = Command::new(program);
    command.arg("serve").arg(path);
    command.envs(variables.iter().map(|(name, value)| (*name, value)));
    let mut daemon = Daemon::start(name, command, &log)?;
    daemon.wait_until_ready(READY, || probe(ready))?;
    Ok(daemon)
}

/// `Authorization` with an access token of an account that is made for it.
fn access_token(journey: &Journey, data: &Path) -> Result<String> {
    let administer = |words: &[&str], stdin: &str| {
        let line = journey.command(binaries::path_of("portolan")?).args(words);
        Ok::<_, anyhow::Error>(line.arg("--data").arg(data).stdin(stdin).succeeds()?.stdout)
    };
    administer(&["user", "add", ACCOUNT, "--password-stdin"], PASSWORD)?;
    let secret = administer(
        &[
            "token",
            "create",
            ACCOUNT,
            "--name",
            "bench",
            "--actions",
            "pull,push,delete",
        ],
        "",
    )?;
    Ok(basic(ACCOUNT, secret.trim()))
}

/// `Authorization` with the password of the account that has an access token.
pub(crate) fn password() -> String {
    basic(ACCOUNT, PASSWORD)
}

pub(crate) fn basic(name: &str, secret: &str) -> String {
    let pair = base64::engine::general_purpose::STANDARD.encode(format!("{name}:{secret}"));
    format!("Authorization: Basic {pair}\r\n")
}
