//! Bytes of blobs: as many different ones as are wanted, at the cost of hashing one.

use std::fmt::Write as _;
use std::sync::Arc;

use anyhow::Result;
use sha2::{Digest, Sha256};
use tokio::io::{AsyncWrite, AsyncWriteExt};

/// Bytes of the block that blobs repeat.
const BLOCK: usize = 1 << 20;
/// Bytes at the end that differ from blob to blob.
const TAIL: usize = 64;
/// Bytes of a chunk.
const CHUNK: usize = 32 << 10;

/// Blobs of one size that differ in their last bytes; what they share was hashed once.
#[derive(Clone)]
pub(crate) struct Series {
    block: Arc<[u8]>,
    framed: Arc<[u8]>,
    shared: u64,
    hash: Sha256,
    seed: u64,
}

/// One blob.
pub(crate) struct Payload {
    block: Arc<[u8]>,
    framed: Arc<[u8]>,
    shared: u64,
    tail: Vec<u8>,
    pub(crate) digest: String,
}

impl Series {
    /// `size` is at least 64.
    pub(crate) fn new(seed: u64, size: u64) -> Self {
        let block = noise(seed, BLOCK);
        let mut framed = Vec::with_capacity(BLOCK + BLOCK / CHUNK * 8);
        for chunk in block.chunks(CHUNK) {
            frame(&mut framed, chunk);
        }
        let empty = Self {
            block: block.into(),
            framed: framed.into(),
            shared: 0,
            hash: Sha256::new(),
            seed,
        };
        empty.of_size(size)
    }

    /// The same with another size.
    pub(crate) fn of_size(&self, size: u64) -> Self {
        let shared = size.saturating_sub(TAIL as u64);
        let mut hash = Sha256::new();
        for length in pieces(shared) {
            hash.update(&self.block[..length]);
        }
        Self {
            shared,
            hash,
            ..self.clone()
        }
    }

    /// The blob of this number.
    pub(crate) fn get(&self, number: u64) -> Payload {
        let tail = noise(self.seed ^ number.wrapping_mul(0x9E37_79B9_7F4A_7C15), TAIL);
        let mut hash = self.hash.clone();
        hash.update(&tail);
        Payload {
            block: Arc::clone(&self.block),
            framed: Arc::clone(&self.framed),
            shared: self.shared,
            tail,
            digest: named(&hash.finalize()),
        }
    }
}

impl Payload {
    pub(crate) fn size(&self) -> u64 {
        self.shared + self.tail.len() as u64
    }

    /// Writes a request with this body.
    pub(crate) async fn write(&self, head: &[u8], to: &mut (impl AsyncWrite + Unpin)) -> Result<()> {
        if self.size() <= BLOCK as u64 / 8 {
            let mut all = head.to_vec();
            all.extend_from_slice(&self.block[..usize::try_from(self.shared)?]);
            all.extend_from_slice(&self.tail);
            return Ok(to.write_all(&all).await?);
        }
        to.write_all(head).await?;
        for length in pieces(self.shared) {
            to.write_all(&self.block[..length]).await?;
        }
        Ok(to.write_all(&self.tail).await?)
    }

    /// The same in chunks.
    pub(crate) async fn write_chunked(&self, head: &[u8], to: &mut (impl AsyncWrite + Unpin)) -> Result<()> {
        to.write_all(head).await?;
        for length in pieces(self.shared) {
            if length == BLOCK {
                to.write_all(&self.framed).await?;
                continue;
            }
            for chunk in self.block[..length].chunks(CHUNK) {
                let mut framed = Vec::with_capacity(CHUNK + 16);
                frame(&mut framed, chunk);
                to.write_all(&framed).await?;
            }
        }
        let mut end = Vec::new();
        frame(&mut end, &self.tail);
        end.extend_from_slice(b"0\r\n\r\n");
        Ok(to.write_all(&end).await?)
    }
}

/// Lengths of the blocks of so many bytes.
fn pieces(length: u64) -> impl Iterator<Item = usize> {
    let rest = usize::try_from(length % BLOCK as u64).unwrap_or_default();
    (0..length / BLOCK as u64)
        .map(|_| BLOCK)
        .chain(Some(rest).filter(|rest| *rest > 0))
}

fn frame(to: &mut Vec<u8>, chunk: &[u8]) {
    to.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
    to.extend_from_slice(chunk);
    to.extend_from_slice(b"\r\n");
}

/// The digest of these bytes as registries write it.
pub(crate) fn digest(bytes: &[u8]) -> String {
    named(&Sha256::digest(bytes))
}

fn named(hash: &[u8]) -> String {
    let mut text = String::from("sha256:");
    for byte in hash {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Bytes that no file system and no wire can make smaller (SplitMix64).
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut word = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bytes.extend_from_slice(&(word ^ (word >> 31)).to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Chunks;

    #[tokio::test]
    async fn what_is_written_has_the_digest_that_was_told() {
        for size in [64, 1024, 65_536, 200_000, 1 << 20, (2 << 20) + 17] {
            let series = Series::new(7, size);
            let payload = series.get(3);
            let mut whole = Vec::new();
            payload.write(b"", &mut whole).await.unwrap();
            assert_eq!(whole.len() as u64, size);
            assert_eq!(digest(&whole), payload.digest);
            assert_ne!(series.get(4).digest, payload.digest);
            let mut chunked = Vec::new();
            payload.write_chunked(b"", &mut chunked).await.unwrap();
            let mut chunks = Chunks::default();
            assert!(chunks.feed(&chunked).unwrap());
            assert_eq!(chunks.length, size);
        }
    }
}
