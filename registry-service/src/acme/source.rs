//! Certificates for handshakes: those of the hosts, and those by which the authority validates.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Instant;

use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use shared::runtime::tls::{ExposedKey, RELOAD_INTERVAL, Stamp, TlsError, load_pair, provider, stamp};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::AcmeError;
use super::cache::Cache;

/// The hosts' certificates, as they lie in the folder: what another process puts there counts too.
#[derive(Debug)]
pub(super) struct Certificates {
    cache: Cache,
    /// Who asks for no name gets the first of them.
    first: String,
    hosts: HashMap<String, Host>,
}

#[derive(Debug, Default)]
struct Host {
    held: RwLock<Option<Held>>,
    seen: Mutex<Option<(Instant, Option<Stamp>)>>,
}

/// A certificate that is served.
#[derive(Debug, Clone)]
struct Held {
    pair: Arc<CertifiedKey>,
    validity: Validity,
}

/// From when to when a certificate is good, in seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Validity {
    pub(super) begins: i64,
    pub(super) ends: i64,
}

impl Certificates {
    pub(super) fn read(cache: Cache, hosts: &[String]) -> Result<Self, AcmeError> {
        let certificates = Self {
            first: hosts.first().cloned().unwrap_or_default(),
            hosts: hosts.iter().map(|host| (host.clone(), Host::default())).collect(),
            cache,
        };
        for host in hosts {
            // A folder that cannot be read is better known now.
            Cache::read(&certificates.cache.certificate(host))?;
            certificates.look(host);
        }
        Ok(certificates)
    }

    pub(super) fn cache(&self) -> &Cache {
        &self.cache
    }

    /// How long the certificate of a host is good, when there is one.
    pub(super) fn validity(&self, host: &str) -> Option<Validity> {
        let held = self.hosts.get(host)?.held.read();
        let held = held.unwrap_or_else(PoisonError::into_inner);
        held.as_ref().map(|held| held.validity)
    }

    /// Takes what lies in the folder for a host now, if it is another one than before.
    pub(super) fn look(&self, name: &str) {
        let Some(host) = self.hosts.get(name) else { return };
        let mut seen = host.seen.lock().unwrap_or_else(PoisonError::into_inner);
        self.look_locked(name, host, &mut seen);
    }

    /// The same now and then, by one handshake, while the others go on with what is there.
    fn look_now_and_then(&self, name: &str, host: &Host) {
        let Ok(mut seen) = host.seen.try_lock() else {
            return;
        };
        if seen.is_none_or(|(at, _)| at.elapsed() >= RELOAD_INTERVAL) {
            self.look_locked(name, host, &mut seen);
        }
    }

    fn look_locked(&self, name: &str, host: &Host, seen: &mut Option<(Instant, Option<Stamp>)>) {
        let path = self.cache.certificate(name);
        let now = stamp(&path);
        let before = seen.replace((Instant::now(), now)).and_then(|(_, stamp)| stamp);
        if now.is_none() || now == before {
            return;
        }
        match parse(&path) {
            Ok(held) => *host.held.write().unwrap_or_else(PoisonError::into_inner) = Some(held),
            Err(error) => {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                tracing::warn!(host = name, %error, cause, "a certificate in the folder cannot be used");
            }
        }
    }
}

fn parse(path: &Path) -> Result<Held, TlsError> {
    let pair = load_pair(path, path, ExposedKey::Warn)?;
    let unreadable = || TlsError::Pem {
        path: path.to_owned(),
        wanted: "certificate",
        source: None,
    };
    let leaf = pair.cert.first().ok_or_else(unreadable)?;
    let (_, leaf) = X509Certificate::from_der(leaf).map_err(|_| unreadable())?;
    let validity = Validity {
        begins: leaf.validity().not_before.timestamp(),
        ends: leaf.validity().not_after.timestamp(),
    };
    Ok(Held {
        pair: Arc::new(pair),
        validity,
    })
}

/// Whether a text holds a key and a certificate that belong together.
pub(super) fn check(path: &Path) -> Result<(), TlsError> {
    parse(path).map(drop)
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let name = hello.server_name().map(str::to_ascii_lowercase);
        let name = name.as_deref().unwrap_or(&self.first);
        let host = self.hosts.get(name)?;
        self.look_now_and_then(name, host);
        let held = host.held.read().unwrap_or_else(PoisonError::into_inner);
        held.as_ref().map(|held| Arc::clone(&held.pair))
    }
}

/// What the authority shall find, whichever replica it comes to: read from the folder each time, which is seldom.
#[derive(Debug)]
pub(super) struct Validations(pub(super) Arc<Certificates>);

impl ResolvesServerCert for Validations {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let name = hello.server_name()?.to_ascii_lowercase();
        // Only the hosts: a name from outside must not become a path.
        if !self.0.hosts.contains_key(&name) {
            return None;
        }
        let text = Cache::read(&self.0.cache.validation(&name)).ok()??;
        // Not held against each other as usual: the extension that makes it an answer is one that others must refuse.
        let chain = CertificateDer::pem_slice_iter(&text)
            .collect::<Result<_, _>>()
            .ok()?;
        let key = PrivateKeyDer::from_pem_slice(&text).ok()?;
        let key = provider().key_provider.load_private_key(key).ok()?;
        Some(Arc::new(CertifiedKey::new(chain, key)))
    }
}
