//! The folder of keys: the authority, the signing keys, and which of them signs.
//!
//! `ca.key` and `ca.pem`: the authority. `signing-<key id>.key` and `signing-<key id>.pem`: a signing key and its
//! certificate, any number of them; all are published. `current`: the id of the one that signs.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rcgen::KeyPair;
use shared::runtime::private_file::{PrivateFileError, check_private, write_private};
use shared::token::key_id::p256_thumbprint;
use time::OffsetDateTime;
use x509_parser::pem::parse_x509_pem;
use zeroize::Zeroizing;

use super::authority;
use crate::random::Random;

/// Keys cannot be loaded or made.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// A key file is readable by others, exists where none may, or cannot be written.
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

/// Every key of the folder.
#[derive(Debug)]
pub struct KeySet {
    /// The one that signs comes first.
    keys: Vec<SigningKey>,
    authority_pem: String,
    authority: Vec<u8>,
}

impl KeySet {
    /// Loads the folder, and makes what is missing: the folder (mode 0700), the authority, a first signing key,
    /// certificates. Several processes may do so at once on one folder.
    ///
    /// `now` is the start of new certificates; a certificate with less than a year left is issued anew.
    pub fn open(folder: &Path, now: OffsetDateTime, random: &Random) -> Result<Self, KeyError> {
        create_folder(folder)?;
        let _lock = lock(folder)?;
        let authority_key = authority_key(folder)?;
        let authority_path = folder.join("ca.pem");
        let authority_pem = read_or_make(&authority_path, || {
            authority::self_signed(&authority_key, now, random)
        })?;
        let authority = certificate_der(&authority_path, &authority_pem)?;
        let mut ids = list_key_ids(folder)?;
        if ids.is_empty() {
            ids.push(generate_signing_key(folder)?);
        }
        let current = current_id(folder, &ids)?;
        let mut keys = Vec::with_capacity(ids.len());
        for id in ids {
            let issuer = (&authority_key, authority_pem.as_str());
            let key = load_signing_key(folder, &id, issuer, now, random)?;
            // The current one in front, the others in the order of their ids.
            if id == current {
                keys.insert(0, key);
            } else {
                keys.push(key);
            }
        }
        Ok(Self {
            keys,
            authority_pem,
            authority,
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

fn fail<'a>(doing: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> KeyError + 'a {
    move |source| KeyError::Io {
        doing,
        path: path.to_owned(),
        source,
    }
}

fn create_folder(folder: &Path) -> Result<(), KeyError> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(fail("making the folder", folder))
}

fn authority_key(folder: &Path) -> Result<KeyPair, KeyError> {
    let path = folder.join("ca.key");
    if !exists(&path)? {
        let pem = Zeroizing::new(authority::generate_key()?.serialize_pem());
        write_private(&path, pem.as_bytes())?;
    }
    read_key(&path)
}

/// Makes a signing key and returns its id.
fn generate_signing_key(folder: &Path) -> Result<String, KeyError> {
    // One key in 128 is thrown away for a zero byte.
    let (key, (x, y)) = loop {
        let key = authority::generate_key()?;
        if let Some(point) = authority::coordinates(&key) {
            break (key, point);
        }
    };
    let id = p256_thumbprint(&x, &y);
    let pem = Zeroizing::new(key.serialize_pem());
    write_private(&key_path(folder, &id), pem.as_bytes())?;
    Ok(id)
}

fn load_signing_key(
    folder: &Path,
    id: &str,
    (authority_key, authority_pem): (&KeyPair, &str),
    now: OffsetDateTime,
    random: &Random,
) -> Result<SigningKey, KeyError> {
    let path = key_path(folder, id);
    let malformed = |expected| KeyError::Malformed {
        path: path.clone(),
        expected,
    };
    let key = read_key(&path)?;
    let (x, y) = authority::coordinates(&key).ok_or_else(|| {
        malformed("a P-256 key whose coordinates have no leading zero byte, which registries disagree about")
    })?;
    if p256_thumbprint(&x, &y) != id {
        return Err(malformed("the key that its name says"));
    }
    let leaf_path = folder.join(format!("signing-{id}.pem"));
    if let Ok(pem) = fs::read(&leaf_path)
        && !is_good_leaf(&pem, &key, now)
    {
        fs::remove_file(&leaf_path).map_err(fail("removing", &leaf_path))?;
    }
    let leaf_pem = read_or_make(&leaf_path, || {
        authority::issue_leaf(authority_pem, authority_key, &key, id, now, random)
    })?;
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, key.serialized_der())
        .map_err(|_| malformed("a P-256 key in PKCS#8"))?;
    Ok(SigningKey {
        id: id.to_owned(),
        pair,
        x: URL_SAFE_NO_PAD.encode(x),
        y: URL_SAFE_NO_PAD.encode(y),
        leaf: certificate_der(&leaf_path, &leaf_pem)?,
    })
}

/// Whether the certificate is for this key and lasts long enough.
fn is_good_leaf(pem: &[u8], key: &KeyPair, now: OffsetDateTime) -> bool {
    let Ok((_, pem)) = parse_x509_pem(pem) else {
        return false;
    };
    pem.parse_x509().is_ok_and(|leaf| {
        leaf.validity().not_after.to_datetime() - now > authority::LEAF_RENEWAL
            && leaf.public_key().subject_public_key.data == key.public_key_raw()
    })
}

fn list_key_ids(folder: &Path) -> Result<Vec<String>, KeyError> {
    let reading = "listing";
    let mut ids = Vec::new();
    for entry in fs::read_dir(folder).map_err(fail(reading, folder))? {
        let name = entry.map_err(fail(reading, folder))?.file_name();
        if let Some(id) = name.to_str().and_then(|name| {
            name.strip_prefix("signing-")
                .and_then(|rest| rest.strip_suffix(".key"))
        }) {
            ids.push(id.to_owned());
        }
    }
    ids.sort();
    Ok(ids)
}

fn current_id(folder: &Path, ids: &[String]) -> Result<String, KeyError> {
    let path = folder.join("current");
    if !exists(&path)? {
        let [only] = ids else {
            return Err(KeyError::NoCurrent(path));
        };
        write_private(&path, only.as_bytes())?;
    }
    let text = fs::read_to_string(&path).map_err(fail("reading", &path))?;
    let id = text.trim();
    if ids.iter().any(|known| known == id) {
        return Ok(id.to_owned());
    }
    Err(KeyError::NoCurrent(path))
}

/// Holds other processes off while keys are looked for and made; released when dropped.
fn lock(folder: &Path) -> Result<fs::File, KeyError> {
    let path = folder.join("lock");
    let file = fs::File::create(&path).map_err(fail("making", &path))?;
    file.lock().map_err(fail("locking", &path))?;
    Ok(file)
}

fn key_path(folder: &Path, id: &str) -> PathBuf {
    folder.join(format!("signing-{id}.key"))
}

fn read_key(path: &Path) -> Result<KeyPair, KeyError> {
    check_private(path)?;
    let pem = Zeroizing::new(fs::read_to_string(path).map_err(fail("reading", path))?);
    authority::parse_key(&pem).map_err(|_| KeyError::Malformed {
        path: path.to_owned(),
        expected: "a P-256 key in PKCS#8 (PEM)",
    })
}

/// The text of a public file, made first when there is none.
fn read_or_make(
    path: &Path,
    make: impl FnOnce() -> Result<String, rcgen::Error>,
) -> Result<String, KeyError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let text = make()?;
            write_private(path, text.as_bytes())?;
            Ok(text)
        }
        Err(error) => Err(fail("reading", path)(error)),
    }
}

fn certificate_der(path: &Path, pem: &str) -> Result<Vec<u8>, KeyError> {
    match parse_x509_pem(pem.as_bytes()) {
        Ok((_, pem)) if pem.label == "CERTIFICATE" => Ok(pem.contents),
        _ => Err(KeyError::Malformed {
            path: path.to_owned(),
            expected: "a certificate (PEM)",
        }),
    }
}

fn exists(path: &Path) -> Result<bool, KeyError> {
    path.try_exists().map_err(fail("looking for", path))
}

#[cfg(test)]
mod tests;
