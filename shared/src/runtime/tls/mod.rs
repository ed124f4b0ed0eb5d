//! TLS for the listening side: certificate files, their reload, and certificates made on the spot.
//!
//! TLS 1.3, and 1.2 with ECDHE and AEAD ciphers only (rustls has no others); the hybrid key exchange
//! X25519MLKEM768 is preferred. No renegotiation, compression or early data (rustls has none or leaves it off);
//! session tickets are encrypted with keys that rotate. The cryptographic library is named explicitly, so that
//! no process-wide default decides.

mod client;
mod itself;
mod options;
mod outgoing;
mod reload;
mod self_signed;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::server::{Acceptor, NoServerSessionStorage, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio_rustls::server::TlsStream;
use tokio_rustls::{LazyConfigAcceptor, TlsAcceptor};

pub use options::{ClientCertificates, Demand, ExposedKey, Minimum, Options, is_supported};
pub use outgoing::trusting;
pub use self_signed::self_signed;

pub use super::private_file::{PrivateFileError, check_private, replace_private, write_private};
use client::Clients;
use reload::ReloadingCertificate;
pub use reload::{Stamp, stamp};

/// How often at most the certificate's files are looked at, upon a handshake.
pub const RELOAD_INTERVAL: Duration = Duration::from_secs(5);

/// The protocol by which an authority validates that a name leads here (RFC 8737, section 4).
pub const ACME_TLS: &[u8] = b"acme-tls/1";

/// TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("while reading {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A file is not PEM, or does not hold what it should.
    #[error("{} holds no {wanted} in PEM", path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// `certificate` or `private key`.
        wanted: &'static str,
        /// The cause, when the text is not PEM at all.
        source: Option<rustls_pki_types::pem::Error>,
    },
    /// The key is unusable, or belongs to another certificate.
    #[error("the key {} does not fit the certificate {}", key.display(), certificate.display())]
    Pair {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// The cause.
        source: rustls::Error,
    },
    /// The key's file can be read by others.
    #[error(transparent)]
    Exposed(PrivateFileError),
    /// What stands in a file of authorities cannot be one.
    #[error("{} holds a certificate that cannot vouch for others", path.display())]
    Authority {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: rustls::Error,
    },
    /// No authority was given.
    #[error("while setting up the authorities of certificates")]
    NoAuthority(#[source] rustls::server::VerifierBuilderError),
    /// The cryptographic library refused its own defaults.
    #[error("while setting up TLS")]
    Setup(#[from] rustls::Error),
    /// A certificate could not be made.
    #[error("while making a self-signed certificate")]
    SelfSigned(#[from] rcgen::Error),
}

/// A certificate and key, ready to accept TLS; clones share the certificate and its reload.
#[derive(Clone, Debug)]
pub struct TlsAcceptorHandle {
    config: Arc<ServerConfig>,
    validation: Option<Arc<ServerConfig>>,
}

impl TlsAcceptorHandle {
    /// Reads a certificate chain and its key (PEM files). The key's file must be private, see [`check_private`].
    ///
    /// When either file changes later, new connections get the new pair, at the latest [`RELOAD_INTERVAL`]
    /// after; a pair that cannot be used is reported in the log and the last good one stays.
    pub fn load(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        Self::load_with(certificate, key, &Options::default())
    }

    /// The same with choices. The authorities of client certificates are followed as the certificate is.
    pub fn load_with(certificate: &Path, key: &Path, options: &Options) -> Result<Self, TlsError> {
        Self::build(certificate, key, options, RELOAD_INTERVAL)
    }

    fn build(certificate: &Path, key: &Path, options: &Options, every: Duration) -> Result<Self, TlsError> {
        let source = ReloadingCertificate::load(certificate, key, options.exposed_key, every)?;
        Self::resolved(Arc::new(source), options, every)
    }

    /// Serves the certificates that `source` gives.
    pub fn with_source(source: Arc<dyn ResolvesServerCert>, options: &Options) -> Result<Self, TlsError> {
        Self::resolved(source, options, RELOAD_INTERVAL)
    }

    fn resolved(
        source: Arc<dyn ResolvesServerCert>,
        options: &Options,
        every: Duration,
    ) -> Result<Self, TlsError> {
        let mut provider = (*provider()).clone();
        if let Some(names) = &options.suites {
            provider.cipher_suites.retain(|suite| {
                let is_chosen = names.iter().any(|name| options::is_named(*suite, name));
                suite.tls13().is_some() || is_chosen
            });
        }
        let provider = Arc::new(provider);
        let versions: &[_] = match options.minimum {
            Minimum::Tls12 => &[&rustls::version::TLS13, &rustls::version::TLS12],
            Minimum::Tls13 => &[&rustls::version::TLS13],
        };
        let builder =
            ServerConfig::builder_with_provider(Arc::clone(&provider)).with_protocol_versions(versions)?;
        let builder = match &options.clients {
            Some(wanted) => {
                builder.with_client_cert_verifier(Arc::new(Clients::load(wanted, provider, every)?))
            }
            None => builder.with_no_client_auth(),
        };
        let mut config = builder.with_cert_resolver(source);
        if options.http2 {
            config.alpn_protocols.push(b"h2".to_vec());
        }
        config.alpn_protocols.push(b"http/1.1".to_vec());
        if options.clients.is_some() {
            // A resumed session would carry a certificate whose authority may be gone by now.
            config.session_storage = Arc::new(NoServerSessionStorage {});
            config.send_tls13_tickets = 0;
        } else {
            config.ticketer = aws_lc_rs::Ticketer::new()?;
        }
        Ok(Self {
            config: Arc::new(config),
            validation: None,
        })
    }

    /// Answers validations by TLS-ALPN-01 too (RFC 8737), with the certificates that `source` gives. Whoever validates is
    /// asked for no certificate, and no request is read.
    pub fn validated_by(mut self, source: Arc<dyn ResolvesServerCert>) -> Result<Self, TlsError> {
        let builder = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?;
        let mut config = builder.with_no_client_auth().with_cert_resolver(source);
        config.alpn_protocols.push(ACME_TLS.to_vec());
        config.send_tls13_tickets = 0;
        self.validation = Some(Arc::new(config));
        Ok(self)
    }

    /// Takes a handshake; nothing when it was a validation, which is over with it.
    pub(super) async fn accept<I>(&self, stream: I) -> io::Result<Option<TlsStream<I>>>
    where
        I: AsyncRead + AsyncWrite + Unpin,
    {
        let Some(validation) = &self.validation else {
            let acceptor = TlsAcceptor::from(Arc::clone(&self.config));
            return acceptor.accept(stream).await.map(Some);
        };
        let begun = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
        let is_validation = {
            let hello = begun.client_hello();
            // Alone: who offers others too is a client that wants to speak one of them.
            hello.alpn().is_some_and(|offered| offered.eq([ACME_TLS]))
        };
        if !is_validation {
            return begun.into_stream(Arc::clone(&self.config)).await.map(Some);
        }
        let mut stream = begun.into_stream(Arc::clone(validation)).await?;
        stream.shutdown().await?;
        Ok(None)
    }

    /// The configuration that connections are accepted with.
    pub fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.config)
    }
}

/// aws-lc with the hybrid post-quantum key exchange first.
pub fn provider() -> Arc<CryptoProvider> {
    use aws_lc_rs::kx_group::{SECP256R1, SECP384R1, X25519, X25519MLKEM768};
    Arc::new(CryptoProvider {
        kx_groups: vec![X25519MLKEM768, X25519, SECP256R1, SECP384R1],
        ..aws_lc_rs::default_provider()
    })
}

/// Reads a certificate chain and its key, which may stand in one file, and holds them to belong together.
pub fn load_pair(certificate: &Path, key: &Path, exposed: ExposedKey) -> Result<CertifiedKey, TlsError> {
    let chain = read_certificates(certificate)?;
    let bytes = zeroize::Zeroizing::new(read(key)?);
    match (check_private(key), exposed) {
        (Err(error @ PrivateFileError::Exposed { .. }), ExposedKey::Warn) => {
            tracing::warn!("{error}");
        }
        (checked, _) => checked.map_err(TlsError::Exposed)?,
    }
    let private = PrivateKeyDer::from_pem_slice(&bytes).map_err(|error| TlsError::Pem {
        path: key.to_owned(),
        wanted: "private key",
        source: Some(error),
    })?;
    CertifiedKey::from_der(chain, private, &provider()).map_err(|source| TlsError::Pair {
        certificate: certificate.to_owned(),
        key: key.to_owned(),
        source,
    })
}

/// The certificates of a PEM file, of which there must be one.
fn read_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let pem = |source| TlsError::Pem {
        path: path.to_owned(),
        wanted: "certificate",
        source,
    };
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(&read(path)?)
        .collect::<Result<_, _>>()
        .map_err(|error| pem(Some(error)))?;
    if certificates.is_empty() {
        return Err(pem(None));
    }
    Ok(certificates)
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    std::fs::read(path).map_err(|source| TlsError::Read {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests;
