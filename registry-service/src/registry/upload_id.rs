//! Ids of upload sessions.

use std::fmt::{self, Write as _};
use std::str::FromStr;

use sha2::{Digest as _, Sha256};
use shared::oci::{Algorithm, RepositoryName};

use crate::storage::StagedId;

/// The id of an upload session: a UUID (RFC 9562) of 122 random bits. Version 4 says that the content is hashed
/// with SHA-256 while it arrives, version 8 with SHA-512.
///
/// It is a capability only together with its repository and owner: they are part of the name under which the
/// session is stored, so that nobody else finds it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct UploadId {
    text: Box<str>,
    algorithm: Algorithm,
}

/// The text is not the id of an upload session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the id of an upload session")]
pub struct InvalidUploadId;

impl UploadId {
    /// An id of random bytes, for a session that hashes with `algorithm` while content arrives.
    pub fn from_random(mut bytes: [u8; 16], algorithm: Algorithm) -> Self {
        let version = match algorithm {
            Algorithm::Sha256 => 0x40,
            Algorithm::Sha512 => 0x80,
        };
        bytes[6] = bytes[6] & 0x0f | version;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        let mut text = String::with_capacity(36);
        for (at, byte) in bytes.iter().enumerate() {
            if matches!(at, 4 | 6 | 8 | 10) {
                text.push('-');
            }
            let _ = write!(text, "{byte:02x}");
        }
        Self {
            text: text.into(),
            algorithm,
        }
    }

    /// The algorithm by which content is hashed while it arrives.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The name of the session in storage, found only with the same repository and owner.
    pub(super) fn staged(&self, repository: &RepositoryName, owner: &str) -> StagedId {
        // A repository name holds no NUL, so no two pairs read the same.
        let binding = Sha256::new()
            .chain_update(repository.as_str())
            .chain_update([0])
            .chain_update(owner);
        let name = format!(
            "{}-{}{}",
            self.text,
            half_hash(binding),
            of_repository(repository)
        );
        let parsed = StagedId::parse(&name);
        #[expect(clippy::expect_used, reason = "101 lower-case hexadecimal digits and hyphens")]
        parsed.expect("a staged id of digits and hyphens")
    }
}

/// What the names of all sessions of the repository end with, and no others.
pub(super) fn of_repository(repository: &RepositoryName) -> String {
    half_hash(Sha256::new().chain_update(repository.as_str()))
}

fn half_hash(hash: Sha256) -> String {
    hash.finalize()
        .iter()
        .take(16)
        .fold(String::with_capacity(32), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}

impl FromStr for UploadId {
    type Err = InvalidUploadId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let shape = |(at, byte): (usize, u8)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            19 => matches!(byte, b'8' | b'9' | b'a' | b'b'),
            _ => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
        };
        if text.len() != 36 || !text.bytes().enumerate().all(shape) {
            return Err(InvalidUploadId);
        }
        let algorithm = match text.as_bytes()[14] {
            b'4' => Algorithm::Sha256,
            b'8' => Algorithm::Sha512,
            _ => return Err(InvalidUploadId),
        };
        Ok(Self {
            text: text.into(),
            algorithm,
        })
    }
}

impl fmt::Display for UploadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for UploadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_what_it_prints_and_keeps_its_algorithm() {
        for algorithm in Algorithm::ALL {
            for byte in [0, 0x55, 0xff] {
                let id = UploadId::from_random([byte; 16], algorithm);
                assert_eq!(id.to_string().parse(), Ok(id.clone()));
                assert_eq!(id.algorithm(), algorithm);
            }
        }
    }

    #[test]
    fn text_that_is_not_an_id_is_refused() {
        let good = UploadId::from_random([0x1b; 16], Algorithm::Sha256).to_string();
        let upper = good.to_uppercase();
        let longer = format!("{good}0");
        let version_1 = format!("{}1{}", &good[..14], &good[15..]);
        let slashed = good.replace('-', "/");
        for bad in ["", "..", &upper, &longer, &good[1..], &version_1, &slashed] {
            assert_eq!(bad.parse::<UploadId>(), Err(InvalidUploadId), "{bad}");
        }
    }

    #[test]
    fn another_repository_or_owner_finds_another_session() {
        let id = UploadId::from_random([7; 16], Algorithm::Sha256);
        let name = |text: &str| text.parse::<RepositoryName>().unwrap();
        let staged = id.staged(&name("a/b"), "alice");
        assert_eq!(staged, id.staged(&name("a/b"), "alice"));
        assert_ne!(staged, id.staged(&name("a/b"), "bob"));
        assert_ne!(staged, id.staged(&name("a/c"), "alice"));
        assert_ne!(id.staged(&name("a/b"), "c"), id.staged(&name("a"), "b\0c"));
        let ends = |staged: &StagedId, text| staged.as_str().ends_with(&of_repository(&name(text)));
        assert!(ends(&staged, "a/b") && ends(&id.staged(&name("a/b"), "bob"), "a/b"));
        assert!(!ends(&staged, "a/c") && !ends(&id.staged(&name("a/c"), "alice"), "a/b"));
    }
}
