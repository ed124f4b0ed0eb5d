//! Writing past the page cache.
//!
//! A large blob would fill the page cache with what nobody may ever read, and a copy into fresh pages costs more than
//! all the rest of an upload. Where the file system allows it, whole pieces go from our memory to the disk; what does
//! not end on a block, and everything short, goes through the cache as usual.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::Errno;

use crate::storage::buffer::BLOCK_LENGTH;

/// Shorter pieces go through the cache: small blobs are likely to be read soon.
const LEAST: usize = 128 * 1024;

/// Whether the file system takes content past its cache: believed until it refuses.
#[derive(Debug)]
pub(super) struct Willing(AtomicBool);

/// A file that is written through the page cache or past it. One operation at a time.
#[derive(Debug)]
pub(super) struct DirectFile {
    file: File,
    is_direct: AtomicBool,
}

impl Willing {
    pub(super) fn new() -> Self {
        Self(AtomicBool::new(true))
    }

    fn is_willing(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    fn refused(&self) {
        if self.0.swap(false, Ordering::Relaxed) {
            tracing::debug!("the file system takes no content past its cache");
        }
    }
}

impl DirectFile {
    pub(super) fn new(file: File) -> Self {
        Self {
            file,
            is_direct: AtomicBool::new(false),
        }
    }

    /// Writes all of a piece.
    pub(super) fn write(&self, piece: &[u8], at: u64, willing: &Willing) -> io::Result<()> {
        let mut written = 0;
        let blocks = piece.len() - piece.len() % BLOCK_LENGTH;
        let fits = at.is_multiple_of(BLOCK_LENGTH as u64) && piece.as_ptr().align_offset(BLOCK_LENGTH) == 0;
        if fits && blocks >= LEAST && willing.is_willing() {
            written = self.write_direct(&piece[..blocks], at, willing)?;
        }
        if written < piece.len() {
            self.through_cache()?
                .write_all_at(&piece[written..], at + written as u64)?;
        }
        Ok(())
    }

    /// Writes past the cache as much as the file system takes.
    fn write_direct(&self, piece: &[u8], at: u64, willing: &Willing) -> io::Result<usize> {
        let mut written = 0;
        if self.turn(true).is_err() {
            willing.refused();
            return Ok(0);
        }
        while written < piece.len() {
            match self.file.write_at(&piece[written..], at + written as u64) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(taken) => written += taken,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // Not here, or not these blocks. After a part of a block the rest goes through the cache too.
                Err(error) if error.raw_os_error() == Some(Errno::INVAL.raw_os_error()) => {
                    willing.refused();
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(written)
    }

    /// The file, for reading and writing at any place.
    pub(super) fn through_cache(&self) -> io::Result<&File> {
        self.turn(false)?;
        Ok(&self.file)
    }

    /// The file, for what neither reads nor writes.
    pub(super) fn file(&self) -> &File {
        &self.file
    }

    fn turn(&self, direct: bool) -> io::Result<()> {
        if self.is_direct.load(Ordering::Relaxed) != direct {
            let mut flags = fcntl_getfl(&self.file)?;
            flags.set(OFlags::DIRECT, direct);
            fcntl_setfl(&self.file, flags)?;
            self.is_direct.store(direct, Ordering::Relaxed);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::PIECE_LENGTH;
    use crate::storage::buffer::Buffers;

    #[test]
    fn pieces_of_every_length_and_place_are_written_as_they_are_willing_or_not() {
        let block = BLOCK_LENGTH;
        let lengths = [
            PIECE_LENGTH,
            LEAST,
            LEAST + 1,
            1,
            block - 2,
            PIECE_LENGTH - 1,
            7 * block,
            PIECE_LENGTH,
        ];
        for is_willing in [true, false] {
            let willing = Willing(AtomicBool::new(is_willing));
            let file = DirectFile::new(tempfile::tempfile().unwrap());
            let mut expected = Vec::new();
            for (number, length) in lengths.into_iter().enumerate() {
                let content: Vec<u8> = (0..length)
                    .map(|at| u8::try_from((at / 7 + number) % 251).unwrap())
                    .collect();
                let mut piece = Buffers::default().take(PIECE_LENGTH);
                assert_eq!(piece.fill(&content, PIECE_LENGTH), length);
                file.write(piece.as_ref(), expected.len() as u64, &willing)
                    .unwrap();
                expected.extend(content);
                if number % 3 == 0 {
                    let mut read = vec![0; expected.len()];
                    file.through_cache().unwrap().read_exact_at(&mut read, 0).unwrap();
                    assert!(read == expected, "after piece {number}");
                }
            }
            assert_eq!(file.file().metadata().unwrap().len(), expected.len() as u64);
        }
    }
}
