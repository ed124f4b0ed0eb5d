//! The keys in use: the one that signs, and all that are published.

use std::io;
use std::path::PathBuf;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use shared::runtime::private_file::PrivateFileError;
use shared::token::key_id::p256_thumbprint;
use x509_parser::pem::parse_x509_pem;

use super::authority;
use super::material::{AuthorityMaterial, KeyMaterial};
use super::seal::{MasterKey, SealError};

/// Keys cannot be loaded or made.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// A key file is readable by others, or cannot be written.
    #[error("in the folder of signing keys")]
    File(#[from] PrivateFileError),
    /// The file system refused.
    #[error("while {doing} {}", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A file does not hold what its name says.
    #[error("{} is not {expected}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        expected: &'static str,
    },
    /// There are several signing keys and nothing says which of them signs.
    #[error("{} should name the signing key that is current", .0.display())]
    NoCurrent(PathBuf),
    /// What the database holds is no key.
    #[error("{0} in the database is damaged")]
    Stored(&'static str),
    /// What the database holds cannot be decrypted.
    #[error("{what} in the database cannot be used: {source}")]
    Sealed {
        /// Which key.
        what: &'static str,
        /// Why.
        source: SealError,
    },
    /// A key cannot be encrypted.
    #[error("while encrypting a key")]
    Seal(#[source] SealError),
    /// A certificate cannot be made.
    #[error("while making a certificate")]
    Certificate(#[from] rcgen::Error),
}

/// One signing key with what is published of it.
#[derive(Debug)]
pub(super) struct SigningKey {
    pub(super) id: String,
    pub(super) pair: EcdsaKeyPair,
    /// The public point as JWK coordinates (RFC 7518, section 6.2.1).
    pub(super) x: String,
    pub(super) y: String,
    /// The certificate of the key (DER), issued by the authority.
    pub(super) leaf: Vec<u8>,
}

/// Every key in use.
#[derive(Debug)]
pub struct KeySet {
    /// The one that signs comes first.
    keys: Vec<SigningKey>,
    authority_pem: String,
    authority: Vec<u8>,
}

impl KeySet {
    /// Reads the keys as they are kept; the one that signs comes first.
    pub fn read(
        authority: &AuthorityMaterial,
        keys: &[KeyMaterial],
        master: Option<&MasterKey>,
    ) -> Result<Self, KeyError> {
        Ok(Self {
            keys: keys
                .iter()
                .map(|key| read_key(key, master))
                .collect::<Result<_, _>>()?,
            authority_pem: authority.certificate.clone(),
            authority: certificate_der(&authority.certificate)
                .ok_or(KeyError::Stored("the authority's certificate"))?,
        })
    }

    /// The published keys as a JWK set (RFC 7517, section 5).
    pub fn jwks(&self) -> String {
        let keys: Vec<_> = self
            .keys
            .iter()
            .map(|key| {
                serde_json::json!({
                    "kty": "EC", "crv": "P-256", "x": key.x, "y": key.y,
                    "use": "sig", "alg": "ES256", "kid": key.id,
                })
            })
            .collect();
        serde_json::json!({ "keys": keys }).to_string()
    }

    /// The authority's certificate in PEM: what a stock registry takes as `rootcertbundle`.
    pub fn authority_pem(&self) -> &str {
        &self.authority_pem
    }

    /// The authority's certificate in DER.
    pub(super) fn authority_der(&self) -> &[u8] {
        &self.authority
    }

    /// Every key, the one that signs in front.
    pub(super) fn keys(&self) -> &[SigningKey] {
        &self.keys
    }
}

fn read_key(material: &KeyMaterial, master: Option<&MasterKey>) -> Result<SigningKey, KeyError> {
    const WHAT: &str = "a signing key";
    let key = material.key(master)?;
    let (x, y) = authority::coordinates(&key).ok_or(KeyError::Stored(WHAT))?;
    if p256_thumbprint(&x, &y) != material.key_id {
        return Err(KeyError::Stored(WHAT));
    }
    Ok(SigningKey {
        id: material.key_id.clone(),
        pair: EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, key.serialized_der())
            .map_err(|_| KeyError::Stored(WHAT))?,
        x: URL_SAFE_NO_PAD.encode(x),
        y: URL_SAFE_NO_PAD.encode(y),
        leaf: certificate_der(&material.certificate)
            .ok_or(KeyError::Stored("a signing key's certificate"))?,
    })
}

/// The bytes of a certificate (PEM).
pub(super) fn certificate_der(pem: &str) -> Option<Vec<u8>> {
    match parse_x509_pem(pem.as_bytes()) {
        Ok((_, pem)) if pem.label == "CERTIFICATE" => Some(pem.contents),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
