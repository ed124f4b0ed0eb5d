//! What a listener asks of TLS beyond a certificate.

use std::path::PathBuf;

use rustls::SupportedCipherSuite;
use rustls::crypto::aws_lc_rs::ALL_CIPHER_SUITES;

/// What a listener asks of TLS beyond a certificate. The default is what a server on the open network should have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The least version. Default: 1.2.
    pub minimum: Minimum,
    /// The suites of TLS 1.2 by their IANA names, as [`is_supported`] knows them; those of 1.3 cannot be chosen. Default:
    /// all.
    pub suites: Option<Vec<String>>,
    /// Whether clients are asked for certificates. Default: no.
    pub clients: Option<ClientCertificates>,
    /// Whether HTTP/2 is offered. Default: yes.
    pub http2: bool,
    /// What to do about a key that others can read. Default: refuse it.
    pub exposed_key: ExposedKey,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            minimum: Minimum::Tls12,
            suites: None,
            clients: None,
            http2: true,
            exposed_key: ExposedKey::Refuse,
        }
    }
}

/// The least version of TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Minimum {
    /// TLS 1.2
    Tls12,
    /// TLS 1.3
    Tls13,
}

/// What to do about a key that others can read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExposedKey {
    /// Not serve with it.
    Refuse,
    /// Say so in the log.
    Warn,
}

/// Which certificates of clients are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCertificates {
    /// Whose certificates are believed: PEM files, read again when they change.
    pub authorities: Vec<PathBuf>,
    /// Who must show one.
    pub demand: Demand,
}

/// Who must show a certificate, and which ones are good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Demand {
    /// Nobody must, and any is good.
    Request,
    /// Everybody must, and any is good.
    RequireAny,
    /// Nobody must, but what is shown must be of an authority.
    VerifyIfGiven,
    /// Everybody must, of an authority.
    RequireAndVerify,
}

impl Demand {
    pub(super) fn is_mandatory(self) -> bool {
        matches!(self, Self::RequireAny | Self::RequireAndVerify)
    }

    pub(super) fn verifies(self) -> bool {
        matches!(self, Self::VerifyIfGiven | Self::RequireAndVerify)
    }
}

/// Whether this is the IANA name of a suite that can be had.
pub fn is_supported(name: &str) -> bool {
    ALL_CIPHER_SUITES.iter().any(|suite| is_named(*suite, name))
}

pub(super) fn is_named(suite: SupportedCipherSuite, name: &str) -> bool {
    let own = format!("{:?}", suite.suite());
    // The library marks those of 1.3.
    own.replacen("TLS13_", "TLS_", 1) == name
}
