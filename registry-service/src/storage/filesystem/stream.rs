//! Streams: pieces of an open file, in buffers that are used again.

use std::fs::File;
use std::io::{self, IoSliceMut};
use std::os::unix::fs::FileExt;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use rustix::io::{Errno, ReadWriteFlags};

use super::Filesystem;
use super::read::SMALL_LENGTH;
use crate::storage::{PIECE_LENGTH, StorageError};

/// Buffers that are kept for later streams, each [`PIECE_LENGTH`] long.
const KEPT_BUFFERS: usize = 32;

/// An open file and where its pieces' buffers come from.
#[derive(Debug)]
pub(in crate::storage) struct Source {
    pub(super) file: Arc<File>,
    pub(super) storage: Filesystem,
}

/// Buffers of finished pieces: fresh memory costs more than the copy from the page cache.
#[derive(Default)]
pub(super) struct Buffers(Mutex<Vec<Box<[u8]>>>);

/// A piece that gives its buffer back.
struct Piece {
    buffer: Box<[u8]>,
    length: usize,
    home: Arc<Buffers>,
}

impl Source {
    /// At most `wanted` bytes from `start`; fewer only at the end of the file.
    pub(in crate::storage) async fn read(
        &mut self,
        start: u64,
        wanted: usize,
    ) -> Result<Bytes, StorageError> {
        let mut buffer = self.storage.0.buffers.take(wanted);
        let cached = read_cached(&self.file, &mut buffer[..wanted], start);
        let length = if cached == wanted {
            cached
        } else {
            let file = Arc::clone(&self.file);
            let failed = |error| StorageError::from_io("reading a piece of an object", error);
            let work = move || {
                let rest = read_rest(&file, &mut buffer[cached..wanted], start + cached as u64);
                rest.map(|rest| (buffer, cached + rest)).map_err(failed)
            };
            let (filled, length) = self.storage.continued(work).await?;
            buffer = filled;
            length
        };
        Ok(self.storage.0.buffers.piece(buffer, length))
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
    fn take(&self, wanted: usize) -> Box<[u8]> {
        if (wanted as u64) <= SMALL_LENGTH {
            return vec![0; wanted].into();
        }
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        kept.unwrap_or_else(|| vec![0; PIECE_LENGTH].into())
    }

    fn piece(self: &Arc<Self>, buffer: Box<[u8]>, length: usize) -> Bytes {
        if buffer.len() < PIECE_LENGTH {
            return Bytes::from(buffer).slice(..length);
        }
        Bytes::from_owner(Piece {
            buffer,
            length,
            home: Arc::clone(self),
        })
    }
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.buffer[..self.length]
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        let mut kept = self.home.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < KEPT_BUFFERS {
            kept.push(std::mem::take(&mut self.buffer));
        }
    }
}
