//! Streams: pieces of an open file, in buffers that are used again.

use std::fs::File;
use std::io::{self, IoSliceMut};
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use rustix::io::{Errno, ReadWriteFlags};

use super::Filesystem;
use crate::storage::{PIECE_LENGTH, StorageError};

/// Buffers that are kept for later streams, each [`PIECE_LENGTH`] long. While as many are in use, further streams get
/// pieces of [`CROWDED_LENGTH`]: what a crowd of slow readers holds is bounded by their number times that.
const KEPT_BUFFERS: usize = 32;
/// The length of a piece in a crowd.
const CROWDED_LENGTH: usize = 64 * 1024;

/// An open file and where its pieces' buffers come from.
#[derive(Debug)]
pub(in crate::storage) struct Source {
    pub(super) file: Arc<File>,
    pub(super) storage: Filesystem,
}

/// Buffers of finished pieces: fresh memory costs more than the copy from the page cache.
#[derive(Default)]
pub(super) struct Buffers {
    kept: Mutex<Vec<Box<[u8]>>>,
    /// Long ones that are part of a piece now.
    in_use: AtomicUsize,
}

/// A piece that gives a long buffer back.
struct Piece {
    buffer: Box<[u8]>,
    length: usize,
    home: Option<Arc<Buffers>>,
}

impl Source {
    /// At most `wanted` bytes from `start`: fewer at the end of the file, and while many read.
    pub(in crate::storage) async fn read(
        &mut self,
        start: u64,
        wanted: usize,
    ) -> Result<Bytes, StorageError> {
        let wanted = self.storage.0.buffers.fitting(wanted);
        let mut piece = self.storage.0.buffers.take(wanted);
        let cached = read_cached(&self.file, &mut piece.buffer[..wanted], start);
        piece.length = cached;
        if cached < wanted {
            let file = Arc::clone(&self.file);
            let failed = |error| StorageError::from_io("reading a piece of an object", error);
            let work = move || {
                let rest = read_rest(&file, &mut piece.buffer[cached..wanted], start + cached as u64);
                piece.length += rest.map_err(failed)?;
                Ok(piece)
            };
            piece = self.storage.continued(work).await?;
        }
        Ok(Bytes::from_owner(piece))
    }
}

/// Reads what is in the page cache, without waiting for the disk.
fn read_cached(file: &File, buffer: &mut [u8], start: u64) -> usize {
    let mut length = 0;
    while length < buffer.len() {
        let mut slices = [IoSliceMut::new(&mut buffer[length..])];
        match rustix::io::preadv2(file, &mut slices, start + length as u64, ReadWriteFlags::NOWAIT) {
            Ok(read) if read > 0 => length += read,
            Err(Errno::INTR) => {}
            // The end, not in the cache, or not supported: the waiting read tells.
            _ => break,
        }
    }
    length
}

fn read_rest(file: &File, buffer: &mut [u8], start: u64) -> io::Result<usize> {
    let mut length = 0;
    while length < buffer.len() {
        match file.read_at(&mut buffer[length..], start + length as u64) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(length)
}

impl Buffers {
    /// How much of `wanted` a piece should hold now. A moment's count: two that ask at once may both get a long one.
    fn fitting(&self, wanted: usize) -> usize {
        if self.in_use.load(Ordering::Relaxed) < KEPT_BUFFERS {
            wanted
        } else {
            wanted.min(CROWDED_LENGTH)
        }
    }

    fn take(self: &Arc<Self>, wanted: usize) -> Piece {
        if wanted <= CROWDED_LENGTH {
            return Piece {
                buffer: vec![0; wanted].into(),
                length: 0,
                home: None,
            };
        }
        self.in_use.fetch_add(1, Ordering::Relaxed);
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).pop();
        Piece {
            buffer: kept.unwrap_or_else(|| vec![0; PIECE_LENGTH].into()),
            length: 0,
            home: Some(Arc::clone(self)),
        }
    }
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.buffer[..self.length]
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        let Some(home) = &self.home else { return };
        home.in_use.fetch_sub(1, Ordering::Relaxed);
        let mut kept = home.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < KEPT_BUFFERS {
            kept.push(std::mem::take(&mut self.buffer));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crowd_gets_short_pieces_and_whoever_comes_after_it_long_ones() {
        let buffers = Arc::new(Buffers::default());
        let mut crowd: Vec<Piece> = Vec::new();
        for _ in 0..KEPT_BUFFERS {
            assert_eq!(buffers.fitting(PIECE_LENGTH), PIECE_LENGTH);
            crowd.push(buffers.take(PIECE_LENGTH));
        }
        assert_eq!(buffers.fitting(PIECE_LENGTH), CROWDED_LENGTH);
        assert_eq!(buffers.fitting(7), 7);
        let short = buffers.take(CROWDED_LENGTH);
        assert_eq!(short.buffer.len(), CROWDED_LENGTH);
        crowd.pop();
        assert_eq!(buffers.fitting(PIECE_LENGTH), PIECE_LENGTH);
        drop((crowd, short));
        assert_eq!(buffers.in_use.load(Ordering::Relaxed), 0);
        assert_eq!(buffers.kept.lock().unwrap().len(), KEPT_BUFFERS, "used again");
    }
}
