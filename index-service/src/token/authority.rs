//! The certificate authority: a ten-year certificate that a stock registry trusts once, and that vouches for each
//! signing key, so that signing keys can change without the registry's operator noticing.

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, SerialNumber,
};
use time::{Duration, OffsetDateTime};

use crate::random::Random;

const AUTHORITY_LIFE: Duration = Duration::days(3650);
/// A leaf is issued anew at a start that finds less than [`LEAF_RENEWAL`] of this left.
const LEAF_LIFE: Duration = Duration::days(3 * 365);
pub(super) const LEAF_RENEWAL: Duration = Duration::days(365);
/// Certificates begin in the past, so that a registry whose clock is behind accepts them.
const BACKDATED: Duration = Duration::hours(24);

/// A new P-256 key, as PKCS#8 PEM.
pub(super) fn generate_key() -> Result<KeyPair, rcgen::Error> {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)
}

/// A P-256 key from PKCS#8 PEM.
pub(super) fn parse_key(pem: &str) -> Result<KeyPair, rcgen::Error> {
    KeyPair::from_pkcs8_pem_and_sign_algo(pem, &PKCS_ECDSA_P256_SHA256)
}

/// The coordinates of a key's public point, when neither begins with a zero byte: distribution 3.1 leaves such bytes
/// out of its key ids, and would then look for another key than the one that signed.
pub(super) fn coordinates(key: &KeyPair) -> Option<([u8; 32], [u8; 32])> {
    let [4, point @ ..] = key.public_key_raw() else {
        return None;
    };
    let (x, y) = point.split_at_checked(32)?;
    let (x, y) = (x.try_into().ok()?, y.try_into().ok()?);
    let short = |coordinate: &[u8; 32]| coordinate[0] == 0;
    (!short(&x) && !short(&y)).then_some((x, y))
}

/// The authority's own certificate, in PEM.
pub(super) fn self_signed(
    key: &KeyPair,
    now: OffsetDateTime,
    random: &Random,
) -> Result<String, rcgen::Error> {
    let mut params = params("Portolan token authority", now, now + AUTHORITY_LIFE, random);
    // No further authority below this one.
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params.self_signed(key)?.pem())
}

/// The certificate of a signing key, in PEM.
pub(super) fn issue_leaf(
    authority_pem: &str,
    authority_key: &KeyPair,
    key: &KeyPair,
    key_id: &str,
    now: OffsetDateTime,
    random: &Random,
) -> Result<String, rcgen::Error> {
    let mut params = params(key_id, now, now + LEAF_LIFE, random);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.use_authority_key_identifier_extension = true;
    let issuer = Issuer::from_ca_cert_pem(authority_pem, authority_key)?;
    Ok(params.signed_by(key, &issuer)?.pem())
}

fn params(name: &str, now: OffsetDateTime, end: OffsetDateTime, random: &Random) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = now - BACKDATED;
    params.not_after = end;
    // Positive and at most 20 bytes (RFC 5280, section 4.1.2.2).
    let mut serial = random.bytes::<16>();
    serial[0] &= 0x7f;
    serial[0] |= 0x01;
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    params
}
