//! Keys from X.509 certificates: distribution's `rootcertbundle`, and `x5c` up to it.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use x509_parser::prelude::{ASN1Time, FromDer as _, Pem, X509Certificate};
use x509_parser::public_key::PublicKey;

use super::key::{InvalidKey, Key, MAX_KEYS};

/// Most certificates of one `x5c` chain; a longer one is refused before any is decoded.
const MAX_CHAIN: usize = 4;

/// A certificate of the configured bundle.
#[derive(Debug, Clone)]
pub(super) struct Root {
    der: Vec<u8>,
    pub(super) key: Arc<Key>,
}

/// The certified key of a token.
#[derive(Debug)]
pub(super) struct Leaf {
    pub(super) key: Key,
    /// Seconds since the epoch after which its certificate is not valid.
    pub(super) not_after_s: i64,
}

/// The certificates of a PEM bundle. Blocks of another kind are refused: a private key has no business there.
pub(super) fn parse_bundle(pem: &[u8]) -> Result<Vec<Root>, InvalidKey> {
    let mut roots = Vec::new();
    for block in Pem::iter_from_buffer(pem) {
        let block = block.map_err(|_| InvalidKey::Pem)?;
        if block.label.ends_with("PRIVATE KEY") {
            return Err(InvalidKey::Private);
        }
        if block.label != "CERTIFICATE" {
            return Err(InvalidKey::Pem);
        }
        let key = Arc::new(key_of(&certificate(&block.contents)?)?);
        roots.push(Root {
            der: block.contents,
            key,
        });
        if roots.len() > MAX_KEYS {
            return Err(InvalidKey::TooLarge);
        }
    }
    if roots.is_empty() {
        return Err(InvalidKey::Empty);
    }
    Ok(roots)
}

/// The key of a token's `x5c`: its first certificate must be one of the roots, or be signed by one that is an
/// authority, and be valid at `now_s`. Gives the key to verify with and the root it hangs on.
pub(super) fn leaf_key<'r>(chain: &[String], roots: &'r [Root], now_s: i64) -> Option<(Leaf, &'r Root)> {
    if chain.len() > MAX_CHAIN {
        return None;
    }
    let der = STANDARD.decode(chain.first()?).ok()?;
    let leaf = certificate(&der).ok()?;
    let now = ASN1Time::from_timestamp(now_s).ok()?;
    if !leaf.validity().is_valid_at(now) {
        return None;
    }
    let root = roots
        .iter()
        .find(|root| root.der == der || signed_by(&leaf, root, now))?;
    let leaf = Leaf {
        key: key_of(&leaf).ok()?,
        not_after_s: leaf.validity().not_after.timestamp(),
    };
    Some((leaf, root))
}

fn signed_by(leaf: &X509Certificate<'_>, root: &Root, now: ASN1Time) -> bool {
    let Ok(authority) = certificate(&root.der) else {
        return false;
    };
    let may_sign_tokens = leaf
        .key_usage()
        .is_ok_and(|usage| usage.is_none_or(|usage| usage.value.digital_signature()));
    authority.is_ca()
        && may_sign_tokens
        && authority.validity().is_valid_at(now)
        && authority.subject().as_raw() == leaf.issuer().as_raw()
        && leaf.verify_signature(Some(authority.public_key())).is_ok()
}

fn certificate(der: &[u8]) -> Result<X509Certificate<'_>, InvalidKey> {
    match X509Certificate::from_der(der) {
        Ok(([], certificate)) => Ok(certificate),
        _ => Err(InvalidKey::Pem),
    }
}

fn key_of(certificate: &X509Certificate<'_>) -> Result<Key, InvalidKey> {
    const ED25519: &str = "1.3.101.112";
    let info = certificate.public_key();
    match info.parsed().map_err(|_| InvalidKey::Malformed)? {
        PublicKey::EC(point) => Key::from_point(point.data()),
        PublicKey::RSA(rsa) => Key::from_rsa(rsa.modulus, rsa.exponent),
        _ if info.algorithm.algorithm.to_id_string() == ED25519 => {
            Key::from_ed25519(&info.subject_public_key.data)
        }
        _ => Err(InvalidKey::Malformed),
    }
}
