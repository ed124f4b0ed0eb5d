//! Certificates that are believed because they themselves stand among the authorities.
//!
//! openssl's `req -x509` makes a certificate that vouches for itself and says `CA:true`, and people give it to both
//! sides. The library's path building refuses an authority at the end of a chain; Go's takes one that stands among the
//! roots. Nothing is lost by it: whoever holds that key could issue a certificate that is taken anyway.

use rustls::server::ParsedCertificate;
use rustls::{CertificateError, Error};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use x509_parser::prelude::{ExtendedKeyUsage, FromDer as _, X509Certificate};

/// What a certificate is to be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Client,
    Server,
}

/// Whether the certificate is one of these, letter for letter, and good now for this purpose.
pub(super) fn believes(
    roots: &[CertificateDer<'_>],
    certificate: &CertificateDer<'_>,
    purpose: Purpose,
    now: UnixTime,
) -> bool {
    roots.iter().any(|root| root == certificate) && is_good(certificate, purpose, now)
}

fn is_good(certificate: &CertificateDer<'_>, purpose: Purpose, now: UnixTime) -> bool {
    let Ok((_, parsed)) = X509Certificate::from_der(certificate) else {
        return false;
    };
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    let validity = parsed.validity();
    let is_current = validity.not_before.timestamp() <= now && now <= validity.not_after.timestamp();
    let serves = |usage: &ExtendedKeyUsage<'_>| {
        usage.any
            || match purpose {
                Purpose::Client => usage.client_auth,
                Purpose::Server => usage.server_auth,
            }
    };
    // One that does not say what it is for is for anything; one that says it twice is for nothing.
    let is_for_it = match parsed.extended_key_usage() {
        Ok(usage) => usage.is_none_or(|usage| serves(usage.value)),
        Err(_) => false,
    };
    is_current && is_for_it
}

/// Whether a server's certificate is for this name.
pub(super) fn names(certificate: &CertificateDer<'_>, name: &ServerName<'_>) -> Result<(), Error> {
    let parsed = ParsedCertificate::try_from(certificate)
        .map_err(|_| Error::InvalidCertificate(CertificateError::BadEncoding))?;
    rustls::client::verify_server_name(&parsed, name)
}
