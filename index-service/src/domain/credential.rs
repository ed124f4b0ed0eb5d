//! Credentials: what is stored of a secret.

use std::fmt;
use std::str::FromStr;

use shared::secret::Secret;

/// Which function made a password hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HashKind {
    /// `$argon2id$…`, a PHC string: what new passwords get.
    Argon2id,
    /// `$2a$…`, `$2b$…`, `$2y$…`: imported; replaced at the next login.
    Bcrypt,
}

/// A text is no password hash of a kind that is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a password hash is an argon2id PHC string or a bcrypt string")]
pub struct InvalidPasswordHash;

/// A stored password hash. Its parameters are checked when a password is verified against it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasswordHash {
    kind: HashKind,
    text: Secret<String>,
}

impl PasswordHash {
    /// Which function made it.
    pub fn kind(&self) -> HashKind {
        self.kind
    }

    /// The text to verify against or to store.
    pub fn expose(&self) -> &str {
        self.text.expose()
    }
}

impl FromStr for PasswordHash {
    type Err = InvalidPasswordHash;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let kind = if text.starts_with("$argon2id$") {
            HashKind::Argon2id
        } else if ["$2a$", "$2b$", "$2y$"]
            .iter()
            .any(|prefix| text.starts_with(prefix))
        {
            HashKind::Bcrypt
        } else {
            return Err(InvalidPasswordHash);
        };
        if text.len() > 512 || !text.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(InvalidPasswordHash);
        }
        Ok(Self {
            kind,
            text: Secret::new(text.to_owned()),
        })
    }
}

/// The SHA-256 of a random secret: what is stored of an access token or a refresh token.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SecretHash([u8; 32]);

impl SecretHash {
    /// The hash that was computed.
    pub fn new(sha256: [u8; 32]) -> Self {
        Self(sha256)
    }

    /// As it is stored: 64 lower-case hexadecimal digits.
    pub fn to_hex(self) -> String {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        self.0
            .iter()
            .flat_map(|byte| [byte >> 4, byte & 15])
            .map(|half| char::from(DIGITS[usize::from(half)]))
            .collect()
    }
}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hash]")
    }
}

/// Longest label of a credential in characters.
pub const MAX_LABEL_LENGTH: usize = 100;

/// A text is no label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a label has 1 to 100 characters, none of them a control character")]
pub struct InvalidLabel;

/// What the owner calls an access token: 1 to 100 characters without control characters; outer spaces are dropped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenLabel(Box<str>);

impl TokenLabel {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TokenLabel {
    type Err = InvalidLabel;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        if text.is_empty() || text.chars().count() > MAX_LABEL_LENGTH || text.chars().any(char::is_control) {
            return Err(InvalidLabel);
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for TokenLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Uses of a credential are written down once in this time, in milliseconds.
pub const USE_INTERVAL_MS: i64 = 60_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn password_hashes_of_known_kinds_are_accepted_and_never_printed() {
        let argon = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2g";
        let hash: PasswordHash = argon.parse().unwrap();
        assert_eq!((hash.kind(), hash.expose()), (HashKind::Argon2id, argon));
        assert!(!format!("{hash:?}").contains("argon2id$v"));
        assert_eq!(
            "$2y$10$abc".parse::<PasswordHash>().unwrap().kind(),
            HashKind::Bcrypt
        );
    }

    #[test]
    fn other_texts_are_no_password_hash() {
        let long = format!("$argon2id${}", "a".repeat(600));
        for text in [
            "",
            "hunter2",
            "$1$abc",
            "$apr1$x$y",
            "{SHA}x",
            "$argon2i$v=19$x",
            "$2x$10$abc",
            "$2y$10$ä",
            &long,
        ] {
            assert_eq!(text.parse::<PasswordHash>(), Err(InvalidPasswordHash), "{text}");
        }
    }

    #[test]
    fn a_secret_hash_is_stored_in_hexadecimal() {
        let mut bytes = [0; 32];
        bytes[0] = 0xab;
        bytes[31] = 0x0f;
        let hex = SecretHash::new(bytes).to_hex();
        assert!(
            hex.len() == 64 && hex.starts_with("ab00") && hex.ends_with("000f"),
            "{hex}"
        );
    }

    #[test]
    fn a_label_is_one_line_of_text() {
        assert_eq!(" ci 42 ".parse::<TokenLabel>().unwrap().as_str(), "ci 42");
        assert_eq!(
            "电脑"
                .repeat(50)
                .parse::<TokenLabel>()
                .unwrap()
                .as_str()
                .chars()
                .count(),
            100
        );
        for text in ["", "  ", "a\nb", "a\u{1b}[0m", &"a".repeat(101)] {
            assert_eq!(text.parse::<TokenLabel>(), Err(InvalidLabel), "{text:?}");
        }
    }
}
