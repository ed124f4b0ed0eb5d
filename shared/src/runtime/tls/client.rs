//! Certificates of clients.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, Error, RootCertStore, SignatureScheme};
use rustls_pki_types::{CertificateDer, UnixTime};

use super::itself::{self, Purpose};
use super::options::{ClientCertificates, Demand};
use super::reload::{Stamp, stamp};
use super::{TlsError, read_certificates};

/// Asks clients for certificates, and follows the files of the authorities.
#[derive(Debug)]
pub(super) struct Clients {
    authorities: Vec<PathBuf>,
    demand: Demand,
    every: Duration,
    provider: Arc<CryptoProvider>,
    /// Who verifies; nobody where any certificate is good.
    current: RwLock<Option<Current>>,
    seen: Mutex<(Instant, Vec<Option<Stamp>>)>,
}

/// The authorities as they were last read.
#[derive(Debug, Clone)]
struct Current {
    by_path: Arc<dyn ClientCertVerifier>,
    roots: Arc<[CertificateDer<'static>]>,
}

impl Clients {
    pub(super) fn load(
        wanted: &ClientCertificates,
        provider: Arc<CryptoProvider>,
        every: Duration,
    ) -> Result<Self, TlsError> {
        let stamps = wanted.authorities.iter().map(|path| stamp(path)).collect();
        let clients = Self {
            authorities: wanted.authorities.clone(),
            demand: wanted.demand,
            every,
            provider,
            current: RwLock::new(None),
            seen: Mutex::new((Instant::now(), stamps)),
        };
        clients.read()?;
        Ok(clients)
    }

    fn read(&self) -> Result<(), TlsError> {
        if !self.demand.verifies() {
            return Ok(());
        }
        let mut store = RootCertStore::empty();
        let mut roots = Vec::new();
        for path in &self.authorities {
            for certificate in read_certificates(path)? {
                roots.push(certificate.clone());
                store.add(certificate).map_err(|source| TlsError::Authority {
                    path: path.clone(),
                    source,
                })?;
            }
        }
        let by_path =
            WebPkiClientVerifier::builder_with_provider(Arc::new(store), Arc::clone(&self.provider))
                .build()
                .map_err(TlsError::NoAuthority)?;
        let current = Current {
            by_path,
            roots: roots.into(),
        };
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Some(current);
        Ok(())
    }

    /// As the certificate of the server: one handshake looks now and then.
    fn refresh(&self) {
        let Ok(mut seen) = self.seen.try_lock() else {
            return;
        };
        if seen.0.elapsed() < self.every {
            return;
        }
        seen.0 = Instant::now();
        let stamps: Vec<_> = self.authorities.iter().map(|path| stamp(path)).collect();
        if stamps == seen.1 {
            return;
        }
        seen.1 = stamps;
        match self.read() {
            Ok(()) => tracing::info!("read the authorities of client certificates again"),
            Err(error) => {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                tracing::error!(%error, cause, "the authorities of client certificates changed and cannot be used; the last ones stay");
            }
        }
    }
}

impl ClientCertVerifier for Clients {
    fn client_auth_mandatory(&self) -> bool {
        self.demand.is_mandatory()
    }

    /// None: they would have to follow the files too, and clients know what to show.
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.refresh();
        let verifier = self
            .current
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        match verifier {
            Some(current) if itself::believes(&current.roots, end_entity, Purpose::Client, now) => {
                Ok(ClientCertVerified::assertion())
            }
            Some(current) => current.by_path.verify_client_cert(end_entity, intermediates, now),
            None if self.demand.verifies() => Err(Error::General("no authorities".to_owned())),
            None => Ok(ClientCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
