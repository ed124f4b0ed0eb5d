//! The state of a hash that is computed while content arrives, and how it is kept between requests.

use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::digest::common::hazmat::{SerializableState, SerializedState};
use sha2::{Digest as _, Sha256, Sha512};
use shared::oci::{Algorithm, Digest};
use shared::secret::Secret;

use crate::storage::StagedId;

/// Longest sealed state in bytes.
pub(super) const SEALED_LIMIT: u64 = 1024;

/// Most bytes that a kept state may have taken in: more than any disk holds, and few enough to count their bits.
const MAX_OFFSET: u64 = 1 << 60;
const FORMAT: u8 = 1;
const HEADER_LENGTH: usize = 10;
const MAC_LENGTH: usize = 32;
const PURPOSE: &[u8] = b"portolan hash state";

/// A hash under way.
#[derive(Clone)]
pub(super) enum Hasher {
    Sha256(Sha256),
    Sha512(Sha512),
}

impl Hasher {
    pub(super) fn new(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Sha256 => Self::Sha256(Sha256::new()),
            Algorithm::Sha512 => Self::Sha512(Sha512::new()),
        }
    }

    pub(super) fn algorithm(&self) -> Algorithm {
        match self {
            Self::Sha256(_) => Algorithm::Sha256,
            Self::Sha512(_) => Algorithm::Sha512,
        }
    }

    pub(super) fn update(&mut self, piece: &[u8]) {
        match self {
            Self::Sha256(hash) => hash.update(piece),
            Self::Sha512(hash) => hash.update(piece),
        }
    }

    pub(super) fn finish(self) -> Digest {
        let made = match self {
            Self::Sha256(hash) => Digest::from_bytes(Algorithm::Sha256, &hash.finalize()),
            Self::Sha512(hash) => Digest::from_bytes(Algorithm::Sha512, &hash.finalize()),
        };
        #[expect(
            clippy::expect_used,
            reason = "a hash function's output has the length of its algorithm"
        )]
        made.expect("output length of the algorithm")
    }
}

/// The hash of a session's first `offset` bytes.
#[derive(Clone)]
pub(super) struct HashState {
    pub(super) offset: u64,
    pub(super) hasher: Hasher,
}

impl HashState {
    /// The state as it is stored: format, algorithm, offset, state, and an HMAC-SHA256 over all of it and the
    /// session's name, so that a state is believed only where it was made.
    pub(super) fn seal(&self, secret: &Secret<Vec<u8>>, staged: &StagedId) -> Bytes {
        let mut sealed = Vec::with_capacity(512);
        sealed.push(FORMAT);
        sealed.push(algorithm_number(self.hasher.algorithm()));
        sealed.extend_from_slice(&self.offset.to_be_bytes());
        match &self.hasher {
            Hasher::Sha256(hash) => sealed.extend_from_slice(&hash.serialize()),
            Hasher::Sha512(hash) => sealed.extend_from_slice(&hash.serialize()),
        }
        let mac = mac(secret, staged, &sealed).finalize().into_bytes();
        sealed.extend_from_slice(&mac);
        sealed.into()
    }

    /// Reads a sealed state of this session. `None` for whatever was not made by [`HashState::seal`] with the
    /// same secret for the same session: nothing of it is looked at before its MAC is found right.
    pub(super) fn open(sealed: &[u8], secret: &Secret<Vec<u8>>, staged: &StagedId) -> Option<Self> {
        let (content, seal) = sealed.split_at_checked(sealed.len().checked_sub(MAC_LENGTH)?)?;
        mac(secret, staged, content).verify_slice(seal).ok()?;
        let (header, state) = content.split_at_checked(HEADER_LENGTH)?;
        if header[0] != FORMAT {
            return None;
        }
        let algorithm = Algorithm::ALL
            .into_iter()
            .find(|it| algorithm_number(*it) == header[1])?;
        let hasher = match algorithm {
            Algorithm::Sha256 => Hasher::Sha256(deserialize(state)?),
            Algorithm::Sha512 => Hasher::Sha512(deserialize(state)?),
        };
        let offset = u64::from_be_bytes(header[2..].try_into().ok()?);
        let is_consistent = offset <= MAX_OFFSET && hashed_bytes(algorithm, state) == Some(offset);
        is_consistent.then_some(Self { offset, hasher })
    }
}

fn algorithm_number(algorithm: Algorithm) -> u8 {
    match algorithm {
        Algorithm::Sha256 => 1,
        Algorithm::Sha512 => 2,
    }
}

/// How many bytes a serialised state has taken in: after the words of the hash, the number of whole blocks (little-endian)
/// and of the bytes that wait for a block.
fn hashed_bytes(algorithm: Algorithm, state: &[u8]) -> Option<u64> {
    let (blocks, waiting, block_length) = match algorithm {
        Algorithm::Sha256 => (state.get(32..40)?, *state.get(40)?, 64),
        Algorithm::Sha512 => (state.get(64..80)?, *state.get(80)?, 128),
    };
    let mut wide = [0; 16];
    wide[..blocks.len()].copy_from_slice(blocks);
    let blocks = u64::try_from(u128::from_le_bytes(wide)).ok()?;
    blocks.checked_mul(block_length)?.checked_add(waiting.into())
}

fn deserialize<H: SerializableState>(state: &[u8]) -> Option<H> {
    let state: &SerializedState<H> = state.try_into().ok()?;
    H::deserialize(state).ok()
}

pub(super) fn mac(secret: &Secret<Vec<u8>>, staged: &StagedId, content: &[u8]) -> Hmac<Sha256> {
    let made = Hmac::<Sha256>::new_from_slice(secret.expose());
    #[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
    let mac = made.expect("a key of any length");
    // A purpose of its own and lengths first: no MAC made for something else can be read as one of these.
    mac.chain_update((PURPOSE.len() as u64).to_be_bytes())
        .chain_update(PURPOSE)
        .chain_update((staged.as_str().len() as u64).to_be_bytes())
        .chain_update(staged.as_str())
        .chain_update(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn staged(text: &str) -> StagedId {
        StagedId::parse(text).unwrap()
    }

    #[test]
    fn a_hash_goes_on_from_its_sealed_state_at_every_offset() {
        let secret = Secret::new(b"secret".to_vec());
        let content: Vec<u8> = (0..=255).cycle().take(300).collect();
        for algorithm in Algorithm::ALL {
            for cut in 0..content.len() {
                let mut hasher = Hasher::new(algorithm);
                hasher.update(&content[..cut]);
                let offset = cut as u64;
                let sealed = HashState { offset, hasher }.seal(&secret, &staged("a"));
                assert!(sealed.len() as u64 <= SEALED_LIMIT);
                let mut opened = HashState::open(&sealed, &secret, &staged("a")).unwrap();
                assert_eq!(opened.offset, offset);
                opened.hasher.update(&content[cut..]);
                assert_eq!(opened.hasher.finish(), Digest::of(algorithm, &content));
            }
        }
    }

    #[test]
    fn whatever_was_not_sealed_with_the_secret_for_the_session_is_refused() {
        let secret = Secret::new(b"secret".to_vec());
        for algorithm in Algorithm::ALL {
            let hasher = Hasher::new(algorithm);
            let sealed = HashState { offset: 0, hasher }.seal(&secret, &staged("a"));
            assert!(HashState::open(&sealed, &secret, &staged("a")).is_some());
            assert!(HashState::open(&sealed, &secret, &staged("b")).is_none());
            assert!(HashState::open(&sealed, &Secret::new(b"other".to_vec()), &staged("a")).is_none());
            for length in 0..sealed.len() {
                assert!(HashState::open(&sealed[..length], &secret, &staged("a")).is_none());
            }
            for at in 0..sealed.len() {
                let mut altered = sealed.to_vec();
                altered[at] ^= 0x40;
                assert!(
                    HashState::open(&altered, &secret, &staged("a")).is_none(),
                    "byte {at}"
                );
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn no_content_breaks_the_reader_of_states(mut content: Vec<u8>, is_sealed: bool) {
            let secret = Secret::new(b"secret".to_vec());
            if is_sealed {
                let seal = mac(&secret, &staged("a"), &content).finalize().into_bytes();
                content.extend_from_slice(&seal);
            }
            let _ = HashState::open(&content, &secret, &staged("a"));
        }
    }

    #[test]
    fn a_state_that_has_not_hashed_as_much_as_it_says_is_refused_even_with_the_right_seal() {
        let secret = Secret::new(b"secret".to_vec());
        for algorithm in Algorithm::ALL {
            let mut hasher = Hasher::new(algorithm);
            hasher.update(&[7; 300]);
            let sealed = HashState { offset: 300, hasher }.seal(&secret, &staged("a"));
            let content = &sealed[..sealed.len() - MAC_LENGTH];
            let count = HEADER_LENGTH + algorithm.hex_len() / 2;
            let waiting = content.len() - 1 - if algorithm == Algorithm::Sha512 { 128 } else { 64 };
            for at in (2..HEADER_LENGTH).chain(count..=waiting) {
                let mut other = content.to_vec();
                other[at] ^= 0x80;
                let seal = mac(&secret, &staged("a"), &other).finalize().into_bytes();
                other.extend_from_slice(&seal);
                assert!(
                    HashState::open(&other, &secret, &staged("a")).is_none(),
                    "{algorithm} byte {at}"
                );
            }
        }
    }

    #[test]
    fn sealed_content_of_another_format_is_refused_even_with_the_right_seal() {
        let secret = Secret::new(b"secret".to_vec());
        let sealed = |content: &[u8]| {
            let seal = mac(&secret, &staged("a"), content).finalize().into_bytes();
            [content, &seal[..]].concat()
        };
        let state = vec![0; 104];
        for header in [[2, 1], [1, 0], [1, 2], [1, 3]] {
            let content = [&header[..], &[0; 8], &state].concat();
            assert!(
                HashState::open(&sealed(&content), &secret, &staged("a")).is_none(),
                "{header:?}"
            );
        }
        for short in [&b""[..], &[1], &[1, 1, 0, 0], &[1, 1, 0, 0, 0, 0, 0, 0, 0, 0]] {
            assert!(HashState::open(&sealed(short), &secret, &staged("a")).is_none());
        }
    }
}
