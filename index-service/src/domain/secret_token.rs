//! The form of random secrets that we hand out, such as personal access tokens and refresh tokens.
//!
//! `ptl_pat_` or another prefix of three letters, then 43 letters and digits that hold 256 random bits, then 6 that hold a
//! CRC-32 of all before them. The prefix lets secret scanners find leaked tokens, and the checksum lets a mistyped one be refused
//! without asking the store.

use sha2::{Digest as _, Sha256};
use shared::secret::Secret;
use zeroize::Zeroize as _;

use super::credential::SecretHash;

/// What every secret of ours begins with; no password may.
pub const PREFIX: &str = "ptl_";
const PREFIX_CHARS: usize = 8;
const RANDOM_CHARS: usize = 43;
const CHECKSUM_CHARS: usize = 6;
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// What a secret is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretKind {
    /// A personal access token: used where a password is.
    AccessToken,
    /// A refresh token: a device that logged in with a password once.
    Refresh,
    /// The secret of a robot.
    Robot,
    /// An access token of an organisation.
    OrganisationToken,
    /// A session of the web pages, which a browser keeps in a cookie.
    Session,
    /// Sets a new password once.
    PasswordReset,
    /// An invitation: it lets somebody in, and is no credential.
    Invitation,
}

impl SecretKind {
    /// Every kind.
    pub const EVERY: [Self; 7] = [
        Self::AccessToken,
        Self::Refresh,
        Self::Robot,
        Self::OrganisationToken,
        Self::Session,
        Self::PasswordReset,
        Self::Invitation,
    ];

    fn prefix(self) -> &'static str {
        match self {
            Self::AccessToken => "ptl_pat_",
            Self::Refresh => "ptl_dev_",
            Self::Robot => "ptl_rob_",
            Self::OrganisationToken => "ptl_oat_",
            Self::Session => "ptl_web_",
            Self::PasswordReset => "ptl_rst_",
            Self::Invitation => "ptl_inv_",
        }
    }
}

/// A text begins as our secrets do and is none: mistyped, or cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the token is mistyped or cut off")]
pub struct Mistyped;

/// A secret of the right form. Whether it is known is the store's to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretToken {
    kind: SecretKind,
    text: Secret<String>,
}

impl SecretToken {
    /// A new secret of 256 random bits.
    pub fn new(kind: SecretKind, mut random: [u8; 32]) -> Self {
        let mut text = String::with_capacity(PREFIX_CHARS + RANDOM_CHARS + CHECKSUM_CHARS);
        text.push_str(kind.prefix());
        push_base62(&mut text, &mut random, RANDOM_CHARS);
        random.zeroize();
        let mut checksum = crc32fast::hash(text.as_bytes()).to_be_bytes();
        push_base62(&mut text, &mut checksum, CHECKSUM_CHARS);
        Self {
            kind,
            text: Secret::new(text),
        }
    }

    /// A secret that a client sent. `None` for a text that does not begin as our secrets do: a password.
    pub fn find(text: &str) -> Option<Result<Self, Mistyped>> {
        text.starts_with(PREFIX).then(|| Self::parse(text))
    }

    fn parse(text: &str) -> Result<Self, Mistyped> {
        let kind = SecretKind::EVERY
            .into_iter()
            .find(|kind| text.starts_with(kind.prefix()))
            .ok_or(Mistyped)?;
        if text.len() != PREFIX_CHARS + RANDOM_CHARS + CHECKSUM_CHARS || !text.is_ascii() {
            return Err(Mistyped);
        }
        let (body, checksum) = text.split_at(PREFIX_CHARS + RANDOM_CHARS);
        let mut expected = String::with_capacity(CHECKSUM_CHARS);
        let mut crc = crc32fast::hash(body.as_bytes()).to_be_bytes();
        push_base62(&mut expected, &mut crc, CHECKSUM_CHARS);
        // A checksum is no secret: it is computed from what was sent.
        if expected != checksum {
            return Err(Mistyped);
        }
        Ok(Self {
            kind,
            text: Secret::new(text.to_owned()),
        })
    }

    /// What it is for.
    pub fn kind(&self) -> SecretKind {
        self.kind
    }

    /// What the store knows it by. The secret is random, so one fast hash is enough.
    pub fn hash(&self) -> SecretHash {
        SecretHash::new(Sha256::digest(self.text.expose().as_bytes()).into())
    }

    /// The last four characters, by which its owner tells it from others.
    pub fn last_four(&self) -> &str {
        let text = self.text.expose();
        text.get(text.len().saturating_sub(4)..).unwrap_or_default()
    }

    /// The secret itself, to be shown once.
    pub fn into_secret(self) -> Secret<String> {
        self.text
    }
}

/// Writes a big-endian number as `digits` digits; the number is used up.
fn push_base62(text: &mut String, number: &mut [u8], digits: usize) {
    let mut written = [b'0'; RANDOM_CHARS];
    for digit in written[..digits].iter_mut().rev() {
        let mut remainder = 0_u32;
        for byte in number.iter_mut() {
            let value = remainder << 8 | u32::from(*byte);
            *byte = u8::try_from(value / 62).unwrap_or_default();
            remainder = value % 62;
        }
        *digit = ALPHABET[usize::try_from(remainder).unwrap_or_default()];
    }
    text.extend(written[..digits].iter().map(|digit| char::from(*digit)));
    written.zeroize();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(random: [u8; 32]) -> (SecretToken, String) {
        let token = SecretToken::new(SecretKind::AccessToken, random);
        let text = token.clone().into_secret().expose().clone();
        (token, text)
    }

    #[test]
    fn a_secret_reads_back_what_it_writes() {
        for random in [[0; 32], [0xff; 32], [7; 32]] {
            for kind in SecretKind::EVERY {
                let token = SecretToken::new(kind, random);
                let text = token.clone().into_secret();
                assert_eq!(SecretToken::find(text.expose()), Some(Ok(token)));
                assert_eq!(text.expose().len(), 57);
            }
        }
    }

    #[test]
    fn the_form_stays_as_it_is() {
        // Computed with Python: int.from_bytes(bytes(range(32))) in base 62, zlib.crc32.
        let (token, text) = secret(std::array::from_fn(|i| u8::try_from(i).unwrap()));
        assert_eq!(text, PYTHON);
        assert_eq!(token.hash().to_hex(), PYTHON_HASH);
        assert_eq!(token.last_four(), &PYTHON[53..]);
    }

    #[test]
    fn different_bits_are_different_secrets() {
        let (_, zero) = secret([0; 32]);
        for bit in 0..256 {
            let mut random = [0; 32];
            random[bit / 8] = 1 << (bit % 8);
            assert_ne!(secret(random).1, zero);
        }
    }

    #[test]
    fn every_mistyped_character_is_noticed() {
        let (_, text) = secret([42; 32]);
        for place in 0..text.len() {
            for letter in ['0', 'Z', 'z', '-', 'é'] {
                let mut chars: Vec<char> = text.chars().collect();
                if std::mem::replace(&mut chars[place], letter) == letter {
                    continue;
                }
                let typed: String = chars.into_iter().collect();
                match SecretToken::find(&typed) {
                    Some(outcome) => assert_eq!(outcome, Err(Mistyped), "{typed}"),
                    None => assert!(place < PREFIX.len(), "{typed}"),
                }
            }
        }
        for cut in [4, 8, 20, 56] {
            assert_eq!(SecretToken::find(&text[..cut]), Some(Err(Mistyped)));
        }
        assert_eq!(SecretToken::find(&format!("{text}0")), Some(Err(Mistyped)));
    }

    #[test]
    fn a_password_is_no_secret_of_ours() {
        for text in ["", "hunter2", "PTL_pat_x", "ptl", " ptl_pat_"] {
            assert_eq!(SecretToken::find(text), None);
        }
    }

    #[test]
    fn a_secret_is_not_printed() {
        let (token, text) = secret([3; 32]);
        assert!(!format!("{token:?}").contains(&text[8..]));
    }

    const PYTHON: &str = "ptl_pat_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf3vbelf";
    const PYTHON_HASH: &str = "6d987803632ca112785858009ee78b0d7035953fb2b81f16e70fdf2670725a65";
}
