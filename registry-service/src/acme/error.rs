//! What goes wrong between this process, its folder and the authority, and what to do about it.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use shared::runtime::tls::{PrivateFileError, TlsError};

/// No certificate could be had.
#[derive(Debug, thiserror::Error)]
pub enum AcmeError {
    /// The folder cannot be used.
    #[error("http.tls.letsencrypt.cachefile is the folder of certificates: while {doing} {}", path.display())]
    Folder {
        /// What was being done.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A file in it cannot be written.
    #[error("http.tls.letsencrypt.cachefile is the folder of certificates")]
    Write(#[from] PrivateFileError),
    /// The account's key is there and is none that can be used. It is not replaced: the account would be lost.
    #[error("{} holds no private key on P-256; put the account's key there again, or remove the file for a new account", .0.display())]
    AccountKey(PathBuf),
    /// The cryptographic library refused.
    #[error("while signing for the authority")]
    Crypto,
    /// TLS cannot be set up.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// A request or a certificate could not be made.
    #[error("while making a request for a certificate")]
    Make(#[from] rcgen::Error),
    /// The authority cannot be reached.
    #[error(
        "the authority cannot be reached; look at http.tls.letsencrypt.directoryurl, the network, and, when its own \
         certificate is of a private authority, at http.tls.letsencrypt.directoryca"
    )]
    Unreachable(#[source] reqwest::Error),
    /// It does not want to.
    #[error("the authority answered {status}: {detail} ({kind})")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The problem's type, such as `urn:ietf:params:acme:error:rateLimited`.
        kind: String,
        /// What the authority says about it.
        detail: String,
        /// When it wants to be asked again.
        retry_after: Option<Duration>,
    },
    /// What it answered is no answer.
    #[error(
        "the authority's answer has no {0}; is http.tls.letsencrypt.directoryurl the URL of an ACME directory?"
    )]
    Answer(&'static str),
    /// It does not validate by TLS-ALPN-01.
    #[error(
        "the authority offers no validation of {0} by tls-alpn-01, the only one that the registry answers"
    )]
    NoValidation(String),
    /// It came to another server, or to none.
    #[error(
        "the authority could not validate {host}: {detail}; {host} must lead to this registry, whose port the authority \
         reaches as 443, with TLS passed through and not ended by a proxy"
    )]
    Invalid {
        /// The name.
        host: String,
        /// What the authority says about it.
        detail: String,
    },
    /// It took its time.
    #[error("the authority did not come to an end with {0} in time")]
    Late(String),
    /// It issued something that is no certificate for what was asked.
    #[error("what the authority issued for {0} cannot be used")]
    Issued(String, #[source] Box<TlsError>),
}

impl AcmeError {
    /// Whether the network was at fault, which costs the account nothing to try again.
    pub(super) fn is_of_network(&self) -> bool {
        matches!(self, Self::Unreachable(_))
    }

    /// When the authority wants to be asked again.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}
