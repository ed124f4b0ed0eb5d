//! Digests in little memory.

use shared::oci::{Algorithm, Digest};

/// A digest without its text.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) enum Packed {
    Sha256([u8; 32]),
    Sha512(Box<[u8; 64]>),
}

impl Packed {
    /// `None` for what is no digest of a known length.
    pub(super) fn of(digest: &Digest) -> Option<Self> {
        let mut bytes = [0; 64];
        let hex = digest.hex();
        for (at, byte) in bytes.iter_mut().take(hex.len() / 2).enumerate() {
            *byte = u8::from_str_radix(hex.get(2 * at..2 * at + 2)?, 16).ok()?;
        }
        Some(match digest.algorithm() {
            Algorithm::Sha256 => Self::Sha256(*bytes.first_chunk()?),
            Algorithm::Sha512 => Self::Sha512(Box::new(bytes)),
        })
    }

    pub(super) fn unpack(&self) -> Option<Digest> {
        match self {
            Self::Sha256(bytes) => Digest::from_bytes(Algorithm::Sha256, bytes).ok(),
            Self::Sha512(bytes) => Digest::from_bytes(Algorithm::Sha512, &bytes[..]).ok(),
        }
    }

    pub(super) fn algorithm(&self) -> Algorithm {
        match self {
            Self::Sha256(_) => Algorithm::Sha256,
            Self::Sha512(_) => Algorithm::Sha512,
        }
    }
}
