//! The authority and signing keys as they are kept: private keys in PKCS#8 (PEM), sealed or not, and certificates (PEM).

use rcgen::KeyPair;
use shared::token::key_id::p256_thumbprint;
use time::OffsetDateTime;
use x509_parser::pem::parse_x509_pem;
use zeroize::Zeroizing;

use super::KeyError;
use super::authority;
use super::seal::{MasterKey, unseal};
use crate::random::Random;

/// What the authority's private key is sealed for.
const AUTHORITY: &str = "token authority";

/// The authority as it is kept.
#[derive(Clone)]
pub struct AuthorityMaterial {
    /// The private key, sealed or not.
    pub private_key: String,
    /// Its own certificate.
    pub certificate: String,
}

/// A signing key as it is kept.
#[derive(Clone)]
pub struct KeyMaterial {
    /// Its JWK thumbprint.
    pub key_id: String,
    /// The private key, sealed or not.
    pub private_key: String,
    /// The certificate that the authority issued to it.
    pub certificate: String,
}

impl AuthorityMaterial {
    /// A new authority.
    pub fn generate(
        master: Option<&MasterKey>,
        now: OffsetDateTime,
        random: &Random,
    ) -> Result<Self, KeyError> {
        let key = authority::generate_key()?;
        let certificate = authority::self_signed(&key, now, random)?;
        let pem = Zeroizing::new(key.serialize_pem());
        Ok(Self {
            private_key: seal(master, AUTHORITY, &pem, random)?,
            certificate,
        })
    }

    /// One that was kept as it is, from its key and its certificate.
    pub(super) fn adopt(
        key: &KeyPair,
        certificate: String,
        master: Option<&MasterKey>,
        random: &Random,
    ) -> Result<Self, KeyError> {
        let pem = Zeroizing::new(key.serialize_pem());
        Ok(Self {
            private_key: seal(master, AUTHORITY, &pem, random)?,
            certificate,
        })
    }

    fn key(&self, master: Option<&MasterKey>) -> Result<KeyPair, KeyError> {
        open_key("the authority's key", AUTHORITY, master, &self.private_key)
    }

    /// The same under another master key.
    pub fn reseal(
        &self,
        old: Option<&MasterKey>,
        new: &MasterKey,
        random: &Random,
    ) -> Result<Self, KeyError> {
        Ok(Self {
            private_key: reseal(
                "the authority's key",
                AUTHORITY,
                &self.private_key,
                old,
                new,
                random,
            )?,
            certificate: self.certificate.clone(),
        })
    }
}

impl KeyMaterial {
    /// A new signing key with a certificate of the authority.
    pub fn generate(
        authority: &AuthorityMaterial,
        master: Option<&MasterKey>,
        now: OffsetDateTime,
        random: &Random,
    ) -> Result<Self, KeyError> {
        // One key in 128 is thrown away for a zero byte.
        let (key, (x, y)) = loop {
            let key = authority::generate_key()?;
            if let Some(point) = authority::coordinates(&key) {
                break (key, point);
            }
        };
        let key_id = p256_thumbprint(&x, &y);
        Self::adopt(&key, key_id, None, authority, master, now, random)
    }

    /// One that was kept as it is. Without a certificate that is good for long it gets another.
    pub(super) fn adopt(
        key: &KeyPair,
        key_id: String,
        certificate: Option<String>,
        authority: &AuthorityMaterial,
        master: Option<&MasterKey>,
        now: OffsetDateTime,
        random: &Random,
    ) -> Result<Self, KeyError> {
        let good = certificate.filter(|pem| is_good_leaf(pem.as_bytes(), key, now));
        let certificate = match good {
            Some(certificate) => certificate,
            None => authority::issue_leaf(
                &authority.certificate,
                &authority.key(master)?,
                key,
                &key_id,
                now,
                random,
            )?,
        };
        let pem = Zeroizing::new(key.serialize_pem());
        Ok(Self {
            private_key: seal(master, &key_id, &pem, random)?,
            certificate,
            key_id,
        })
    }

    pub(super) fn key(&self, master: Option<&MasterKey>) -> Result<KeyPair, KeyError> {
        open_key("a signing key", &self.key_id, master, &self.private_key)
    }

    /// The same with a certificate of its own anew, when the one it has ends within a year.
    pub fn renewed(
        &self,
        authority: &AuthorityMaterial,
        master: Option<&MasterKey>,
        now: OffsetDateTime,
        random: &Random,
    ) -> Result<Option<Self>, KeyError> {
        if !is_old_leaf(self.certificate.as_bytes(), now) {
            return Ok(None);
        }
        let key = self.key(master)?;
        Self::adopt(&key, self.key_id.clone(), None, authority, master, now, random).map(Some)
    }

    /// The same under another master key.
    pub fn reseal(
        &self,
        old: Option<&MasterKey>,
        new: &MasterKey,
        random: &Random,
    ) -> Result<Self, KeyError> {
        Ok(Self {
            private_key: reseal("a signing key", &self.key_id, &self.private_key, old, new, random)?,
            ..self.clone()
        })
    }
}

fn seal(master: Option<&MasterKey>, purpose: &str, text: &str, random: &Random) -> Result<String, KeyError> {
    super::seal::seal(master, purpose, text, random).map_err(KeyError::Seal)
}

fn reseal(
    what: &'static str,
    purpose: &str,
    text: &str,
    old: Option<&MasterKey>,
    new: &MasterKey,
    random: &Random,
) -> Result<String, KeyError> {
    super::seal::reseal(old, new, purpose, text, random).map_err(|source| KeyError::Sealed { what, source })
}

fn open_key(
    what: &'static str,
    purpose: &str,
    master: Option<&MasterKey>,
    text: &str,
) -> Result<KeyPair, KeyError> {
    let pem = unseal(master, purpose, text).map_err(|source| KeyError::Sealed { what, source })?;
    authority::parse_key(&pem).map_err(|_| KeyError::Stored(what))
}

/// Whether the certificate is for this key and lasts long enough.
fn is_good_leaf(pem: &[u8], key: &KeyPair, now: OffsetDateTime) -> bool {
    let Ok((_, parsed)) = parse_x509_pem(pem) else {
        return false;
    };
    !is_old_leaf(pem, now)
        && parsed
            .parse_x509()
            .is_ok_and(|leaf| leaf.public_key().subject_public_key.data == key.public_key_raw())
}

fn is_old_leaf(pem: &[u8], now: OffsetDateTime) -> bool {
    let Ok((_, pem)) = parse_x509_pem(pem) else {
        return true;
    };
    pem.parse_x509()
        .is_ok_and(|leaf| leaf.validity().not_after.to_datetime() - now <= authority::LEAF_RENEWAL)
}
