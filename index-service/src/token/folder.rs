//! The folder that keys were kept in before they were kept in the database. It is read once; what it holds goes on
//! signing. Afterwards only the authority's certificate is written there, for the operators of stock registries.
//!
//! `ca.key` and `ca.pem`: the authority. `signing-<key id>.key` and `signing-<key id>.pem`: a signing key and its
//! certificate, any number of them. `current`: the id of the one that signs.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rcgen::KeyPair;
use shared::runtime::private_file::{check_private, replace_private};
use shared::token::key_id::p256_thumbprint;
use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::material::{AuthorityMaterial, KeyMaterial};
use super::seal::MasterKey;
use super::{KeyError, authority};
use crate::random::Random;

/// What a folder of keys holds.
pub struct KeyFolder {
    /// The authority.
    pub authority: AuthorityMaterial,
    /// The signing keys; the one that signs comes first.
    pub keys: Vec<KeyMaterial>,
}

/// Reads a folder; `None` when it has no authority in it. Certificates that are missing or old are issued anew; nothing is
/// written.
pub fn read_folder(
    folder: &Path,
    master: Option<&MasterKey>,
    now: OffsetDateTime,
    random: &Random,
) -> Result<Option<KeyFolder>, KeyError> {
    if !exists(&folder.join("ca.key"))? {
        return Ok(None);
    }
    let key = read_key(&folder.join("ca.key"))?;
    let certificate = match read_text(&folder.join("ca.pem"))? {
        Some(certificate) => {
            super::key_set::certificate_der(&certificate).ok_or_else(|| KeyError::Malformed {
                path: folder.join("ca.pem"),
                expected: "a certificate (PEM)",
            })?;
            certificate
        }
        None => authority::self_signed(&key, now, random)?,
    };
    let authority = AuthorityMaterial::adopt(&key, certificate, master, random)?;
    let ids = list_key_ids(folder)?;
    let current = current_id(folder, &ids)?;
    let mut keys = Vec::with_capacity(ids.len());
    for id in ids {
        let is_current = current.as_ref() == Some(&id);
        let key = read_signing_key(folder, id, &authority, master, now, random)?;
        if is_current {
            keys.insert(0, key);
        } else {
            keys.push(key);
        }
    }
    Ok(Some(KeyFolder { authority, keys }))
}

/// Writes the authority's certificate into the folder as `ca.pem`, unless it is there. The folder is made with mode 0700.
pub fn write_certificate(folder: &Path, pem: &str) -> Result<(), KeyError> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(fail("making the folder", folder))?;
    let path = folder.join("ca.pem");
    if read_text(&path)?.as_deref() == Some(pem) {
        return Ok(());
    }
    Ok(replace_private(&path, pem.as_bytes())?)
}

fn read_signing_key(
    folder: &Path,
    id: String,
    authority: &AuthorityMaterial,
    master: Option<&MasterKey>,
    now: OffsetDateTime,
    random: &Random,
) -> Result<KeyMaterial, KeyError> {
    let path = key_path(folder, &id);
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
    let certificate = read_text(&folder.join(format!("signing-{id}.pem")))?;
    KeyMaterial::adopt(&key, id, certificate, authority, master, now, random)
}

fn list_key_ids(folder: &Path) -> Result<Vec<String>, KeyError> {
    let mut ids = Vec::new();
    for entry in fs::read_dir(folder).map_err(fail("listing", folder))? {
        let name = entry.map_err(fail("listing", folder))?.file_name();
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

fn current_id(folder: &Path, ids: &[String]) -> Result<Option<String>, KeyError> {
    let path = folder.join("current");
    let Some(text) = read_text(&path)? else {
        return match ids {
            [] => Ok(None),
            [only] => Ok(Some(only.clone())),
            _ => Err(KeyError::NoCurrent(path)),
        };
    };
    match ids.iter().find(|known| *known == text.trim()) {
        Some(id) => Ok(Some(id.clone())),
        None => Err(KeyError::NoCurrent(path)),
    }
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

fn read_text(path: &Path) -> Result<Option<String>, KeyError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(fail("reading", path)(error)),
    }
}

fn exists(path: &Path) -> Result<bool, KeyError> {
    path.try_exists().map_err(fail("looking for", path))
}

fn fail<'a>(doing: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> KeyError + 'a {
    move |source| KeyError::Io {
        doing,
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
#[path = "folder/tests.rs"]
mod tests;
