//! Content digests (OCI image-spec, "Digests"): `algorithm:hex`, lower case.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256, Sha512};

/// A registered digest algorithm that content may be addressed by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// `sha256`, 64 hexadecimal digits.
    Sha256,
    /// `sha512`, 128 hexadecimal digits.
    Sha512,
}

impl Algorithm {
    /// Every algorithm that is accepted, in the order of the specification.
    pub const ALL: [Self; 2] = [Self::Sha256, Self::Sha512];

    /// The name as it stands before the colon.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    /// Number of hexadecimal digits.
    pub fn hex_len(self) -> usize {
        match self {
            Self::Sha256 => 64,
            Self::Sha512 => 128,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Algorithm {
    type Err = InvalidDigest;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "sha256" => Ok(Self::Sha256),
            "sha512" => Ok(Self::Sha512),
            _ => Err(InvalidDigest::Algorithm),
        }
    }
}

/// Why a text is not a digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDigest {
    /// There is no `:`.
    #[error("a digest is written algorithm:hex, such as sha256:… followed by 64 hexadecimal digits")]
    Form,
    /// The algorithm is not one of [`Algorithm::ALL`].
    #[error("the digest algorithm is not supported; use sha256 or sha512")]
    Algorithm,
    /// Wrong number of digits, upper case, or not hexadecimal.
    #[error("the digest must hold exactly 64 (sha256) or 128 (sha512) lower-case hexadecimal digits")]
    Hex,
}

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// The digest of some content: a valid algorithm and exactly as many lower-case hexadecimal digits as it has.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest {
    algorithm: Algorithm,
    hex: Box<str>,
}

impl Digest {
    /// From an algorithm and its raw output. The length must be that of the algorithm.
    pub fn from_bytes(algorithm: Algorithm, bytes: &[u8]) -> Result<Self, InvalidDigest> {
        if bytes.len() * 2 != algorithm.hex_len() {
            return Err(InvalidDigest::Hex);
        }
        let mut hex = String::with_capacity(algorithm.hex_len());
        for byte in bytes {
            hex.push(char::from(DIGITS[usize::from(byte >> 4)]));
            hex.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
        Ok(Self {
            algorithm,
            hex: hex.into(),
        })
    }

    /// The digest of `content`, which is held in memory: for manifests and other small bodies.
    pub fn of(algorithm: Algorithm, content: &[u8]) -> Self {
        let bytes = match algorithm {
            Algorithm::Sha256 => Sha256::digest(content).to_vec(),
            Algorithm::Sha512 => Sha512::digest(content).to_vec(),
        };
        let made = Self::from_bytes(algorithm, &bytes);
        #[expect(
            clippy::expect_used,
            reason = "a hash function's output has the length of its algorithm"
        )]
        made.expect("output length of the algorithm")
    }

    /// Which algorithm made it.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The digits after the colon.
    pub fn hex(&self) -> &str {
        &self.hex
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.algorithm, self.hex)
    }
}

impl FromStr for Digest {
    type Err = InvalidDigest;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (algorithm, hex) = text.split_once(':').ok_or(InvalidDigest::Form)?;
        let algorithm = algorithm.parse::<Algorithm>()?;
        let is_hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if hex.len() != algorithm.hex_len() || !hex.bytes().all(is_hex) {
            return Err(InvalidDigest::Hex);
        }
        Ok(Self {
            algorithm,
            hex: hex.into(),
        })
    }
}

super::text::debug_as_text!(Digest);
super::text::serialise_as_text!(Digest);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_empty_content_has_the_published_digests() {
        assert_eq!(
            Digest::of(Algorithm::Sha256, b"").to_string(),
            "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        assert!(
            Digest::of(Algorithm::Sha512, b"")
                .to_string()
                .starts_with("sha512:cf83e1357eefb8bd")
        );
    }

    #[test]
    fn text_that_is_not_a_digest_is_refused_with_its_reason() {
        let upper = format!("sha256:{}", "A".repeat(64));
        for (text, reason) in [
            ("", InvalidDigest::Form),
            ("sha256", InvalidDigest::Form),
            ("md5:00", InvalidDigest::Algorithm),
            ("SHA256:00", InvalidDigest::Algorithm),
            ("sha256:baddigeststring", InvalidDigest::Hex),
            ("sha256:../../etc/passwd", InvalidDigest::Hex),
            (upper.as_str(), InvalidDigest::Hex),
        ] {
            assert_eq!(text.parse::<Digest>(), Err(reason), "{text}");
        }
    }

    #[test]
    fn a_digest_reads_back_what_it_prints() {
        for algorithm in Algorithm::ALL {
            let digest = Digest::of(algorithm, b"portolan");
            assert_eq!(digest.to_string().parse(), Ok(digest.clone()));
            let json = serde_json::to_string(&digest).unwrap();
            assert_eq!(serde_json::from_str::<Digest>(&json).unwrap(), digest);
        }
    }
}
