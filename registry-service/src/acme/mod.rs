//! Certificates by ACME (RFC 8555), validated by TLS-ALPN-01 (RFC 8737) on the registry's own port.
//!
//! The protocol is spoken with what the workspace has anyway, since nothing else is needed: the account's key and the
//! certificates lie in a folder as distribution's library keeps them, so that a move there or back orders nothing anew.
//! Replicas share the folder: one of them orders at a time, and each answers a validation that any of them began.

mod account;
mod authority;
mod cache;
mod error;
mod order;
mod renewal;
mod source;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;

use reqwest::Url;
use shared::runtime::clock::Clock;
use shared::runtime::tls::{Options, TlsAcceptorHandle};

pub use error::AcmeError;

use cache::Cache;
use source::{Certificates, Validations};

/// Let's Encrypt.
pub const LETS_ENCRYPT: &str = "https://acme-v02.api.letsencrypt.org/directory";

/// What certificates to have, of whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The folder that holds the account's key and the certificates; made when it is missing.
    pub folder: PathBuf,
    /// Whom the authority writes to when something is wrong.
    pub email: Option<String>,
    /// DNS names, in lower case; at least one. Each has a certificate of its own.
    pub hosts: Vec<String>,
    /// Where the authority says what it can do (RFC 8555, section 7.1.1).
    pub directory: Url,
    /// Whose certificate is believed there instead of the system's authorities: a file (PEM).
    pub authorities: Option<PathBuf>,
}

/// The certificates of a process: what is in the folder is served, and kept current.
#[derive(Debug)]
pub struct Acme {
    settings: Settings,
    certificates: Arc<Certificates>,
}

impl Acme {
    /// Reads what the folder holds. The authority is not asked: a start needs no network.
    pub fn open(settings: Settings) -> Result<Self, AcmeError> {
        let cache = Cache::open(&settings.folder)?;
        let certificates = Arc::new(Certificates::read(cache, &settings.hosts)?);
        Ok(Self {
            settings,
            certificates,
        })
    }

    /// Serves the certificates, and answers the authority's validations.
    pub fn acceptor(&self, options: &Options) -> Result<TlsAcceptorHandle, AcmeError> {
        let certificates = Arc::clone(&self.certificates);
        let validations = Validations(Arc::clone(&self.certificates));
        Ok(TlsAcceptorHandle::with_source(certificates, options)?.validated_by(Arc::new(validations))?)
    }

    /// Orders what is missing and renews what ends, in the background, for as long as the runtime lives. The port must be
    /// listened on by now, since the authority comes there. `random` gives a number between 0 and 1.
    pub fn keep_current(
        self,
        clock: Clock,
        random: impl Fn() -> f64 + Send + Sync + 'static,
    ) -> Result<(), AcmeError> {
        let renewal = renewal::Renewal::new(self.settings, self.certificates, clock, Box::new(random))?;
        tokio::spawn(renewal.run());
        Ok(())
    }
}
