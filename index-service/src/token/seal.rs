//! Private keys at rest, encrypted with the operator's master key: AES-256-GCM under a random nonce, bound to what the
//! key is for, so that a sealed text cannot be put in another's place.

use std::fmt;
use std::fmt::Write as _;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};
use shared::secret::Secret;
use zeroize::Zeroizing;

use crate::random::Random;

/// What a sealed text begins with; the id of the master key and the sealed bytes follow.
const PREFIX: &str = "sealed:1:";

/// A text is no master key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a master key is 32 random bytes in base64 or in 64 hexadecimal digits; `openssl rand -base64 32` makes one"
)]
pub struct InvalidMasterKey;

/// A sealed text cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// There is no master key.
    #[error("it is encrypted with the master key {0}, and none was given: set master_key or master_key_file")]
    NoMasterKey(String),
    /// There is another one.
    #[error("it is encrypted with the master key {needed}, and the one that was given is {given}")]
    OtherMasterKey {
        /// The id of the key that it was sealed with.
        needed: String,
        /// The id of the key at hand.
        given: String,
    },
    /// It was changed since, or is another's.
    #[error("what was encrypted with the master key is damaged")]
    Damaged,
}

/// The operator's master key.
#[derive(Clone)]
pub struct MasterKey {
    key: std::sync::Arc<LessSafeKey>,
    id: String,
}

impl MasterKey {
    /// From base64 or hexadecimal.
    pub fn parse(text: &Secret<String>) -> Result<Self, InvalidMasterKey> {
        let bytes = Zeroizing::new(decode(text.expose().trim()).ok_or(InvalidMasterKey)?);
        let key = UnboundKey::new(&AES_256_GCM, bytes.as_slice()).map_err(|_| InvalidMasterKey)?;
        let digest = Sha256::new()
            .chain_update(b"portolan master key")
            .chain_update(bytes.as_slice())
            .finalize();
        let mut id = String::with_capacity(8);
        for byte in &digest[..4] {
            // Writing to a string cannot fail.
            let _ = write!(id, "{byte:02x}");
        }
        Ok(Self {
            key: std::sync::Arc::new(LessSafeKey::new(key)),
            id,
        })
    }

    /// What the key is called where its name must be told: eight digits of a hash.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Encrypts a text for a purpose.
    pub(super) fn seal(&self, purpose: &str, text: &str, random: &Random) -> Result<String, SealError> {
        let nonce = random.bytes::<NONCE_LEN>();
        let mut bytes = Zeroizing::new(text.as_bytes().to_vec());
        self.key
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(purpose.as_bytes()),
                &mut *bytes,
            )
            .map_err(|_| SealError::Damaged)?;
        let sealed = [nonce.as_slice(), bytes.as_slice()].concat();
        Ok(format!("{PREFIX}{}:{}", self.id, STANDARD.encode(sealed)))
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MasterKey({})", self.id)
    }
}

/// The id of the master key that a text is sealed with; `None` for a text that lies there as it is.
pub fn sealed_with(text: &str) -> Option<&str> {
    text.strip_prefix(PREFIX)?.split_once(':').map(|(id, _)| id)
}

/// Seals a text for a purpose; without a master key it stays as it is.
pub fn seal(
    master: Option<&MasterKey>,
    purpose: &str,
    text: &str,
    random: &Random,
) -> Result<String, SealError> {
    match master {
        Some(master) => master.seal(purpose, text, random),
        None => Ok(text.to_owned()),
    }
}

/// The same text under another master key.
pub fn reseal(
    old: Option<&MasterKey>,
    new: &MasterKey,
    purpose: &str,
    text: &str,
    random: &Random,
) -> Result<String, SealError> {
    // What was begun before may be under the new key already.
    let with = match sealed_with(text) {
        Some(id) if id == new.id() => Some(new),
        _ => old,
    };
    new.seal(purpose, &unseal(with, purpose, text)?, random)
}

/// The text itself, whether it was sealed or not.
pub fn unseal(master: Option<&MasterKey>, purpose: &str, text: &str) -> Result<Zeroizing<String>, SealError> {
    let Some(rest) = text.strip_prefix(PREFIX) else {
        return Ok(Zeroizing::new(text.to_owned()));
    };
    let (needed, encoded) = rest.split_once(':').ok_or(SealError::Damaged)?;
    let master = master.ok_or_else(|| SealError::NoMasterKey(needed.to_owned()))?;
    if master.id != needed {
        return Err(SealError::OtherMasterKey {
            needed: needed.to_owned(),
            given: master.id.clone(),
        });
    }
    let sealed = STANDARD.decode(encoded).map_err(|_| SealError::Damaged)?;
    let (nonce, bytes) = sealed.split_at_checked(NONCE_LEN).ok_or(SealError::Damaged)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealError::Damaged)?;
    let mut bytes = Zeroizing::new(bytes.to_vec());
    let text = master
        .key
        .open_in_place(nonce, Aad::from(purpose.as_bytes()), &mut bytes)
        .map_err(|_| SealError::Damaged)?;
    let text = std::str::from_utf8(text).map_err(|_| SealError::Damaged)?;
    Ok(Zeroizing::new(text.to_owned()))
}

fn decode(text: &str) -> Option<Vec<u8>> {
    if text.len() == 64 {
        return (0..32)
            .map(|place| u8::from_str_radix(text.get(2 * place..2 * place + 2)?, 16).ok())
            .collect();
    }
    STANDARD.decode(text).ok().filter(|bytes| bytes.len() == 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn master(byte: u8) -> MasterKey {
        MasterKey::parse(&Secret::new(STANDARD.encode([byte; 32]))).unwrap()
    }

    #[test]
    fn a_master_key_is_read_from_base64_and_from_hexadecimal() {
        let hex = MasterKey::parse(&Secret::new(format!("{}\n", "07".repeat(32)))).unwrap();
        assert_eq!(hex.id(), master(7).id());
        assert_ne!(hex.id(), master(8).id());
        for text in [
            "",
            "short",
            &"0".repeat(63),
            &"zz".repeat(32),
            &STANDARD.encode([1; 31]),
        ] {
            let refused = MasterKey::parse(&Secret::new(text.to_owned()));
            assert_eq!(refused.err(), Some(InvalidMasterKey), "{text}");
        }
        assert!(!format!("{hex:?}").contains("0707"));
    }

    #[test]
    fn what_is_sealed_opens_with_the_same_key_for_the_same_purpose_alone() {
        let random = Random::system();
        let sealed = master(7).seal("a", "text", &random).unwrap();
        assert_eq!(sealed_with(&sealed), Some(master(7).id()));
        assert!(!sealed.contains("text"));
        assert_ne!(sealed, master(7).seal("a", "text", &random).unwrap());
        assert_eq!(*unseal(Some(&master(7)), "a", &sealed).unwrap(), "text");
        assert_eq!(unseal(Some(&master(7)), "b", &sealed), Err(SealError::Damaged));
        let none = unseal(None, "a", &sealed).unwrap_err().to_string();
        assert!(
            none.contains(master(7).id()) && none.contains("master_key_file"),
            "{none}"
        );
        let other = unseal(Some(&master(8)), "a", &sealed).unwrap_err().to_string();
        assert!(
            other.contains(master(7).id()) && other.contains(master(8).id()),
            "{other}"
        );
        let mut damaged = sealed.clone();
        damaged.replace_range(sealed.len() - 6..sealed.len() - 5, "_");
        assert_eq!(unseal(Some(&master(7)), "a", &damaged), Err(SealError::Damaged));
        assert_eq!(
            unseal(Some(&master(7)), "a", &sealed[..30]),
            Err(SealError::Damaged)
        );
    }

    #[test]
    fn a_text_that_is_not_sealed_is_itself() {
        assert_eq!(sealed_with("-----BEGIN"), None);
        assert_eq!(*unseal(None, "a", "-----BEGIN").unwrap(), "-----BEGIN");
        assert_eq!(
            *unseal(Some(&master(1)), "a", "-----BEGIN").unwrap(),
            "-----BEGIN"
        );
    }
}
