//! Keys from X.509 certificates: distribution's `rootcertbundle`, and `x5c` up to it.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use x509_parser::prelude::{ASN1Time, FromDer as _, Pem, X509Certificate};
use x509_parser::public_key::PublicKey;

use super::key::{InvalidKey, Key};

/// Most certificates of one `x5c` chain; a longer one is refused before any is decoded.
const MAX_CHAIN: usize = 4;
/// Most certificates of the bundle: all authorities that a machine trusts, and some.
const MAX_ROOTS: usize = 512;

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
    /// Seconds since the epoch after which a certificate of its chain is not valid.
    pub(super) not_after_s: i64,
}

/// The certificates of a PEM bundle. Blocks of another kind are passed over, as distribution does, and so are
/// certificates whose keys make no signatures that are taken.
pub(super) fn parse_bundle(pem: &[u8]) -> Result<Vec<Root>, InvalidKey> {
    let mut roots = Vec::new();
    for block in Pem::iter_from_buffer(pem) {
        let block = block.map_err(|_| InvalidKey::Pem)?;
        if block.label.ends_with("PRIVATE KEY") {
            tracing::warn!(
                "the bundle of certificates holds a private key, which has no business there; it is not read"
            );
        }
        if block.label != "CERTIFICATE" {
            continue;
        }
        let certificate = certificate(&block.contents)?;
        let Ok(key) = key_of(&certificate) else {
            let subject = certificate.subject().to_string();
            tracing::warn!(
                subject,
                "a certificate of the bundle has a key that cannot be used; it is passed over"
            );
            continue;
        };
        let key = Arc::new(key);
        roots.push(Root {
            der: block.contents,
            key,
        });
        if roots.len() > MAX_ROOTS {
            return Err(InvalidKey::TooLarge);
        }
    }
    if roots.is_empty() {
        return Err(InvalidKey::Empty);
    }
    Ok(roots)
}

/// The key of a token's `x5c`: its first certificate must be one of the roots, or hang on one by the others, each of them
/// an authority, and all of them valid at `now_s`. Gives the key to verify with and the root it hangs on.
pub(super) fn leaf_key<'r>(chain: &[String], roots: &'r [Root], now_s: i64) -> Option<(Leaf, &'r Root)> {
    if chain.len() > MAX_CHAIN {
        return None;
    }
    let now = ASN1Time::from_timestamp(now_s).ok()?;
    let (first, rest) = chain.split_first()?;
    let der = STANDARD.decode(first).ok()?;
    let leaf = certificate(&der).ok()?;
    if !leaf.validity().is_valid_at(now) {
        return None;
    }
    let not_after_s = leaf.validity().not_after.timestamp();
    let (root, not_after_s) = match roots.iter().find(|root| root.der == der) {
        Some(root) => (root, not_after_s),
        None if !may_sign_tokens(&leaf) => return None,
        None => {
            let rest: Vec<_> = rest
                .iter()
                .filter_map(|text| STANDARD.decode(text).ok())
                .collect();
            let between: Vec<_> = rest.iter().filter_map(|der| certificate(der).ok()).collect();
            let between: Vec<_> = between.iter().collect();
            let (root, until) = climb(&leaf, 0, &between, roots, now)?;
            (root, until.min(not_after_s))
        }
    };
    let leaf = Leaf {
        key: key_of(&leaf).ok()?,
        not_after_s,
    };
    Some((leaf, root))
}

/// The root that `certificate` hangs on, `depth` authorities above the leaf, and the end of the first of those to end.
/// At most three stand between, so that the search is short.
fn climb<'r>(
    certificate: &X509Certificate<'_>,
    depth: u32,
    between: &[&X509Certificate<'_>],
    roots: &'r [Root],
    now: ASN1Time,
) -> Option<(&'r Root, i64)> {
    for root in roots {
        let Ok(authority) = self::certificate(&root.der) else {
            continue;
        };
        if vouches(&authority, certificate, depth, now) {
            return Some((root, authority.validity().not_after.timestamp()));
        }
    }
    for (at, authority) in between.iter().enumerate() {
        if !vouches(authority, certificate, depth, now) {
            continue;
        }
        let mut others = between.to_vec();
        others.remove(at);
        if let Some((root, until)) = climb(authority, depth + 1, &others, roots, now) {
            return Some((root, until.min(authority.validity().not_after.timestamp())));
        }
    }
    None
}

/// Whether `authority` is one, may be `depth` above the leaf, and signed the certificate.
fn vouches(
    authority: &X509Certificate<'_>,
    certificate: &X509Certificate<'_>,
    depth: u32,
    now: ASN1Time,
) -> bool {
    if authority.subject().as_raw() != certificate.issuer().as_raw() {
        return false;
    }
    let constraints = authority.basic_constraints().ok().flatten();
    let may_be_here = constraints.is_some_and(|constraints| {
        constraints.value.ca
            && constraints
                .value
                .path_len_constraint
                .is_none_or(|most| depth <= most)
    });
    let may_sign_certificates = authority
        .key_usage()
        .is_ok_and(|usage| usage.is_none_or(|usage| usage.value.key_cert_sign()));
    may_be_here
        && may_sign_certificates
        && authority.validity().is_valid_at(now)
        && certificate.verify_signature(Some(authority.public_key())).is_ok()
}

fn may_sign_tokens(leaf: &X509Certificate<'_>) -> bool {
    leaf.key_usage()
        .is_ok_and(|usage| usage.is_none_or(|usage| usage.value.digital_signature()))
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
