//! Layers made cheaply: a tar archive written by hand, seeded noise as content, gzip without compression.

use std::io::{Result, Write};

use sha2::{Digest, Sha256};

/// `sha256:` and the hexadecimal digest of the bytes.
pub fn digest(bytes: &[u8]) -> String {
    render(Sha256::digest(bytes).as_slice())
}

/// Counts and hashes what is written through it.
pub struct Hashing<W> {
    inner: W,
    state: Sha256,
    count: u64,
}

impl<W: Write> Hashing<W> {
    pub fn new(inner: W) -> Self {
        Self {
            inner,
            state: Sha256::new(),
            count: 0,
        }
    }

    /// The writer below, the digest and the number of bytes.
    pub fn finish(self) -> (W, String, u64) {
        (self.inner, render(self.state.finalize().as_slice()), self.count)
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        self.inner.write_all(bytes)?;
        self.state.update(bytes);
        self.count += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<()> {
        self.inner.flush()
    }
}

/// A gzip stream of stored blocks (RFC 1952, RFC 1951 section 3.2.4): valid, and as fast as a copy.
pub struct StoredGzip<W> {
    inner: W,
    check: crc32fast::Hasher,
    count: u64,
}

impl<W: Write> StoredGzip<W> {
    pub fn new(mut inner: W) -> Result<Self> {
        inner.write_all(&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255])?;
        Ok(Self {
            inner,
            check: crc32fast::Hasher::new(),
            count: 0,
        })
    }

    pub fn finish(mut self) -> Result<W> {
        self.inner.write_all(&[1, 0, 0, 0xff, 0xff])?;
        self.inner.write_all(&self.check.finalize().to_le_bytes())?;
        // RFC 1952: the length modulo 2^32.
        let length = u32::try_from(self.count & u64::from(u32::MAX)).unwrap_or_default();
        self.inner.write_all(&length.to_le_bytes())?;
        Ok(self.inner)
    }
}

impl<W: Write> Write for StoredGzip<W> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        for block in bytes.chunks(usize::from(u16::MAX)) {
            let length = u16::try_from(block.len()).unwrap_or(u16::MAX);
            self.inner.write_all(&[0])?;
            self.inner.write_all(&length.to_le_bytes())?;
            self.inner.write_all(&(!length).to_le_bytes())?;
            self.inner.write_all(block)?;
        }
        self.check.update(bytes);
        self.count += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<()> {
        self.inner.flush()
    }
}

/// Writes a POSIX tar archive: directories, files, symbolic links; all owned by root, dated 1970.
pub struct Tar<W> {
    inner: W,
}

impl<W: Write> Tar<W> {
    pub fn new(inner: W) -> Self {
        Self { inner }
    }

    pub fn directory(&mut self, path: &str) -> Result<()> {
        self.header(path, 0o755, 0, b'5', "")
    }

    pub fn symlink(&mut self, path: &str, target: &str) -> Result<()> {
        self.header(path, 0o777, 0, b'2', target)
    }

    pub fn file(&mut self, path: &str, mode: u32, content: &[u8]) -> Result<()> {
        self.header(path, mode, content.len() as u64, b'0', "")?;
        self.inner.write_all(content)?;
        self.pad(content.len() as u64)
    }

    /// A file of seeded noise.
    pub fn noise(&mut self, path: &str, seed: u64, size: u64) -> Result<()> {
        self.header(path, 0o644, size, b'0', "")?;
        let mut noise = Noise::new(seed);
        let mut left = size;
        while left > 0 {
            let block = noise.next_block();
            let take = block.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            self.inner.write_all(&block[..take])?;
            left -= take as u64;
        }
        self.pad(size)
    }

    /// Ends the archive.
    pub fn finish(mut self) -> Result<W> {
        self.inner.write_all(&[0; 1024])?;
        Ok(self.inner)
    }

    fn pad(&mut self, size: u64) -> Result<()> {
        let rest = usize::try_from(size.next_multiple_of(512) - size).unwrap_or_default();
        self.inner.write_all(&[0; 512][..rest])
    }

    fn header(&mut self, path: &str, mode: u32, size: u64, kind: u8, target: &str) -> Result<()> {
        let mut block = [0_u8; 512];
        let mut put = |at: usize, text: &str| block[at..at + text.len()].copy_from_slice(text.as_bytes());
        put(0, path);
        put(100, &format!("{mode:07o}"));
        put(108, "0000000");
        put(116, "0000000");
        put(124, &format!("{size:011o}"));
        put(136, "00000000000");
        put(148, "        ");
        put(157, target);
        put(257, "ustar\u{0}00");
        block[156] = kind;
        let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
        block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        self.inner.write_all(&block)
    }
}

/// Bytes that do not compress, made at the speed of a copy: one random block whose pages are numbered anew.
pub struct Noise {
    block: Vec<u8>,
    counter: u64,
}

impl Noise {
    /// Length of each block in bytes.
    pub const BLOCK: usize = 1024 * 1024;

    pub fn new(seed: u64) -> Self {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut block = Vec::with_capacity(Self::BLOCK);
        while block.len() < Self::BLOCK {
            // xorshift64 (Marsaglia): never zero, full period.
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            block.extend_from_slice(&state.to_le_bytes());
        }
        Self { block, counter: 0 }
    }

    /// The next block of the sequence.
    pub fn next_block(&mut self) -> &[u8] {
        for page in self.block.chunks_mut(4096) {
            self.counter += 1;
            page[..8].copy_from_slice(&self.counter.to_le_bytes());
        }
        &self.block
    }
}

fn render(hash: &[u8]) -> String {
    use std::fmt::Write as _;
    hash.iter().fold("sha256:".to_owned(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
