//! The certificate of the front door: the operator's, kept as it is, or one of an authority of the deployment's own.
//!
//! An authority and not a certificate signed by itself: clients are told once whom to trust, and certificates are renewed
//! behind their backs. It can vouch for this one host and nobody else (name constraints, RFC 5280 section 4.2.1.10), and
//! its key is in a volume that nothing but the setup sees.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use anyhow::Context as _;
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DistinguishedName, DnType, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose, NameConstraints, PKCS_ECDSA_P256_SHA256,
};
use sha2::{Digest as _, Sha256};
use shared::runtime::tls::{ExposedKey, load_pair};
use time::{Duration, OffsetDateTime};

use super::folder::Folder;
use super::{NGINX, hexadecimal};
use crate::address::PublicUrl;

/// How long the authority is good, in days.
const AUTHORITY_DAYS: i64 = 3650;
/// How long a certificate is good, in days: the longest that all clients take.
const CERTIFICATE_DAYS: i64 = 825;
/// A certificate that is good for fewer days is made anew.
const RENEWAL_DAYS: i64 = 550;
/// Longest common name (RFC 5280, `ub-common-name`).
const LONGEST_NAME: usize = 64;

/// Whose certificate the front door has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Vouched {
    /// The authority of the deployment vouches for it.
    Ours,
    /// The operator brought it.
    Theirs,
}

/// Keeps what the operator brought into the folder `tls` below `parent`, and otherwise makes a certificate, or another one
/// in good time before it ends.
pub(super) fn keep(
    authority: &Folder,
    parent: &Path,
    url: &PublicUrl,
    now: OffsetDateTime,
) -> anyhow::Result<Vouched> {
    let tls = parent.join("tls");
    let (certificate, key) = (tls.join("tls.crt"), tls.join("tls.key"));
    match fs::read(&certificate) {
        Ok(bytes) => {
            let Ok(record) = fs::read_to_string(authority.path(&record_of(&bytes))) else {
                check(&certificate, &key)?;
                return Ok(Vouched::Theirs);
            };
            // A crash may have left the key of the certificate before.
            let fits = load_pair(&certificate, &key, ExposedKey::Warn).is_ok();
            if fits && serves(&record, url, now) {
                return Ok(Vouched::Ours);
            }
        }
        Err(_) => anyhow::ensure!(
            !key.exists(),
            "{} is there without its certificate {}",
            key.display(),
            certificate.display()
        ),
    }
    let ends = now + Duration::days(CERTIFICATE_DAYS);
    let (ca_certificate, ca_key) = authority_of(authority, url, now)?;
    let (certificate, key) = issue(&ca_certificate, &ca_key, url, now, ends)?;
    // Written down first: what nobody knows of would be taken for the operator's.
    let record = format!("{} {}", ends.unix_timestamp(), url.host());
    authority.write(&record_of(certificate.as_bytes()), &record)?;
    let folder = Folder::make(parent, "tls", NGINX)?;
    folder.write("ca.crt", &ca_certificate)?;
    // The certificate first: a key alone would be refused above, after a crash between them.
    folder.write("tls.crt", &certificate)?;
    folder.write("tls.key", &key)?;
    Ok(Vouched::Ours)
}

/// The file that tells a certificate of ours from an operator's: when it ends, and for whom it is.
fn record_of(certificate: &[u8]) -> String {
    format!("issued-{}", hexadecimal(&Sha256::digest(certificate)))
}

/// Whether a certificate of this record goes on serving the host.
fn serves(record: &str, url: &PublicUrl, now: OffsetDateTime) -> bool {
    let Some((ends, host)) = record.split_once(' ') else {
        return false;
    };
    let left = ends.parse::<i64>().unwrap_or_default() - now.unix_timestamp();
    host == url.host() && left > Duration::days(RENEWAL_DAYS).whole_seconds()
}

/// What the operator brought: a pair that fits, and that nginx can read.
fn check(certificate: &Path, key: &Path) -> anyhow::Result<()> {
    // Of its group it must be readable where nginx is not its owner.
    load_pair(certificate, key, ExposedKey::Warn)?;
    for path in [certificate, key] {
        let metadata = fs::metadata(path).with_context(|| format!("reading {}", path.display()))?;
        let mode = metadata.mode();
        let is_readable = (metadata.uid() == NGINX && mode & 0o400 != 0)
            || (metadata.gid() == NGINX && mode & 0o040 != 0)
            || mode & 0o004 != 0
            || !rustix::process::geteuid().is_root();
        anyhow::ensure!(
            is_readable,
            "{name} cannot be read by nginx, whose user is {NGINX}; on the server type: chgrp {NGINX} {name} && chmod 640 {name}",
            name = path.file_name().unwrap_or_default().to_string_lossy()
        );
    }
    Ok(())
}

/// Certificate and key of the authority for this host, as PEM.
fn authority_of(folder: &Folder, url: &PublicUrl, now: OffsetDateTime) -> anyhow::Result<(String, String)> {
    let stem = format!("ca-{}", url.host().replace(':', "-"));
    let (certificate_name, key_name) = (format!("{stem}.crt"), format!("{stem}.key"));
    let key_text = folder.secret(&key_name, || {
        KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)
            .map_or_else(|_| String::new(), |key| key.serialize_pem())
    })?;
    if let Ok(certificate) = fs::read_to_string(folder.path(&certificate_name)) {
        return Ok((certificate, key_text));
    }
    let key = KeyPair::from_pem(&key_text).context("the authority's key")?;
    let mut params = CertificateParams::default();
    params.distinguished_name = named(
        &format!("Portolan authority of {}", url.host()),
        "Portolan authority",
    );
    params.not_before = now - Duration::hours(1);
    params.not_after = now + Duration::days(AUTHORITY_DAYS);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: hosts(url).iter().map(|host| subtree(host)).collect(),
        excluded_subtrees: Vec::new(),
    });
    let certificate = params.self_signed(&key)?.pem();
    folder.write(&certificate_name, &certificate)?;
    Ok((certificate, key_text))
}

/// A certificate of this authority for the host, and its key, as PEM.
fn issue(
    authority: &str,
    authority_key: &str,
    url: &PublicUrl,
    now: OffsetDateTime,
    ends: OffsetDateTime,
) -> anyhow::Result<(String, String)> {
    let issuer = Issuer::from_ca_cert_pem(authority, KeyPair::from_pem(authority_key)?)?;
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let mut params = CertificateParams::new(hosts(url))?;
    params.distinguished_name = named(url.host(), "Portolan");
    params.not_before = now - Duration::hours(1);
    params.not_after = ends - Duration::hours(2);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    Ok((params.signed_by(&key, &issuer)?.pem(), key.serialize_pem()))
}

/// Whom the certificate is for: the host, and whoever asks on the server itself.
fn hosts(url: &PublicUrl) -> Vec<String> {
    let mut hosts = vec![url.host().to_owned()];
    for more in ["localhost", "127.0.0.1", "::1"] {
        if !hosts.iter().any(|host| host == more) {
            hosts.push(more.to_owned());
        }
    }
    hosts
}

fn subtree(host: &str) -> GeneralSubtree {
    match host.parse() {
        Ok(IpAddr::V4(address)) => GeneralSubtree::IpAddress(alone_v4(address)),
        Ok(IpAddr::V6(address)) => GeneralSubtree::IpAddress(alone_v6(address)),
        Err(_) => GeneralSubtree::DnsName(host.to_owned()),
    }
}

fn alone_v4(address: Ipv4Addr) -> CidrSubnet {
    CidrSubnet::from_v4_prefix(address.octets(), 32)
}

fn alone_v6(address: Ipv6Addr) -> CidrSubnet {
    CidrSubnet::from_v6_prefix(address.octets(), 128)
}

fn named(name: &str, otherwise: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    let name = if name.len() <= LONGEST_NAME {
        name
    } else {
        otherwise
    };
    distinguished.push(DnType::CommonName, name);
    distinguished
}
