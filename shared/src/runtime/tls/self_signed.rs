//! A certificate for those who have none yet.

use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256,
};
use time::{Duration, OffsetDateTime};
use zeroize::Zeroizing;

use super::TlsError;

/// Longest life of a server certificate that all clients take, in days.
const VALIDITY_DAYS: i64 = 825;

/// Makes a P-256 key and a certificate for it, signed by itself, and returns both as PEM: `(certificate, key)`.
///
/// `hosts` are DNS names and IP addresses, the first names the subject. It is valid from an hour before `now`
/// (clocks differ) for 825 days, and is no authority: whoever trusts it trusts this one server.
pub fn self_signed(hosts: &[String], now: OffsetDateTime) -> Result<(String, Zeroizing<String>), TlsError> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let mut params = CertificateParams::new(hosts.to_vec())?;
    params.distinguished_name = DistinguishedName::new();
    let subject = hosts.first().map_or("localhost", String::as_str);
    params.distinguished_name.push(DnType::CommonName, subject);
    params.not_before = now - Duration::hours(1);
    params.not_after = params.not_before + Duration::days(VALIDITY_DAYS) - Duration::seconds(1);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let certificate = params.self_signed(&key)?;
    Ok((certificate.pem(), Zeroizing::new(key.serialize_pem())))
}
