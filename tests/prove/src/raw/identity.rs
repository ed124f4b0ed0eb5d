//! A certificate for a server, and clients that believe it.

use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use std::io::Write as _;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::Stream;

/// A certificate for `localhost` with its key.
#[derive(Debug)]
pub(crate) struct Identity {
    certificate: CertificateDer<'static>,
    /// Lines for the section `http` of `config.yml`.
    pub(crate) config: String,
}

impl Identity {
    /// Makes one; its files lie in the folder.
    pub(crate) fn make(folder: &Path) -> Result<Self> {
        let pair = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
        let (certificate, key) = (folder.join("server.pem"), folder.join("server.key"));
        std::fs::write(&certificate, pair.cert.pem()).context("write the certificate")?;
        let mut private = std::fs::OpenOptions::new();
        private.write(true).create_new(true).mode(0o600);
        let mut file = private.open(&key).context("write the key")?;
        file.write_all(pair.signing_key.serialize_pem().as_bytes())?;
        Ok(Self {
            certificate: pair.cert.der().clone(),
            config: format!(
                "  tls:\n    certificate: {}\n    key: {}\n",
                certificate.display(),
                key.display()
            ),
        })
    }

    /// Clients that believe this certificate alone and speak this above TLS: `http/1.1`, `h2`.
    pub(crate) fn connector(&self, protocol: &str) -> Result<TlsConnector> {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone())?;
        let provider = tokio_rustls::rustls::crypto::aws_lc_rs::default_provider();
        let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
        Ok(TlsConnector::from(Arc::new(config)))
    }
}

impl Stream {
    /// Connects over TLS.
    pub(crate) async fn secured(port: u16, connector: &TlsConnector) -> Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.set_nodelay(true)?;
        let name = ServerName::try_from("localhost")?;
        Ok(Self::Tls(Box::new(connector.connect(name, stream).await?)))
    }
}
