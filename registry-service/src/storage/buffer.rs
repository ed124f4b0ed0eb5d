//! Buffers for content on its way to a staged object.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::PIECE_LENGTH;

/// What a file system asks of memory, offsets and lengths before it takes content past its cache.
pub(super) const BLOCK_LENGTH: usize = 4096;
/// Whole buffers that are kept for later requests: fresh memory costs more than the copy into it.
const KEPT: usize = 8;
/// While so many whole buffers are in use, further requests get one of [`CROWDED_LENGTH`]: more changes of threads for
/// each, a quarter of the memory.
const MANY: usize = 16;
/// The length of a buffer in a crowd.
const CROWDED_LENGTH: usize = 64 * 1024;

/// Bytes that are gathered for [`StagedWriter::append`](super::StagedWriter::append), in memory that begins where a
/// file system can take it as it is. Whole ones, [`PIECE_LENGTH`] long, are used again; in a crowd they are shorter.
#[derive(Debug)]
pub struct Buffer {
    memory: Vec<u8>,
    start: usize,
    capacity: usize,
    is_for_all: bool,
    home: Buffers,
}

/// The buffers that wait for their next use.
#[derive(Debug, Clone, Default)]
pub(super) struct Buffers(Arc<Home>);

#[derive(Debug, Default)]
struct Home {
    kept: Mutex<Vec<Vec<u8>>>,
    /// Whole ones that somebody has.
    in_use: AtomicUsize,
}

impl Buffers {
    /// An empty buffer for `length` bytes or the first of them, at most [`PIECE_LENGTH`].
    pub(super) fn take(&self, length: usize) -> Buffer {
        let is_crowded = self.0.in_use.load(Ordering::Relaxed) >= MANY;
        let capacity = length.min(if is_crowded { CROWDED_LENGTH } else { PIECE_LENGTH });
        let kept = if capacity == PIECE_LENGTH {
            self.0.in_use.fetch_add(1, Ordering::Relaxed);
            self.0.kept.lock().unwrap_or_else(PoisonError::into_inner).pop()
        } else {
            None
        };
        let mut memory = kept.unwrap_or_else(|| Vec::with_capacity(capacity + BLOCK_LENGTH));
        let start = memory.as_ptr().align_offset(BLOCK_LENGTH).min(BLOCK_LENGTH);
        memory.resize(start, 0);
        Buffer {
            memory,
            start,
            capacity,
            is_for_all: length <= capacity,
            home: self.clone(),
        }
    }
}

impl Buffer {
    /// Bytes that it can hold.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Whether it can hold all that it was asked for.
    pub(super) fn is_for_all(&self) -> bool {
        self.is_for_all
    }

    /// Bytes that it holds.
    pub fn len(&self) -> usize {
        self.memory.len() - self.start
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds as much of `bytes` as fits, until it holds `limit` bytes; how much that was.
    pub fn fill(&mut self, bytes: &[u8], limit: usize) -> usize {
        let room = self.capacity.min(limit).saturating_sub(self.len());
        let fitting = bytes.len().min(room);
        self.memory.extend_from_slice(&bytes[..fitting]);
        fitting
    }

    /// Lets go of what it holds.
    pub fn clear(&mut self) {
        self.memory.truncate(self.start);
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.memory[self.start..]
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if self.capacity == PIECE_LENGTH {
            self.home.0.in_use.fetch_sub(1, Ordering::Relaxed);
            let mut kept = self.home.0.kept.lock().unwrap_or_else(PoisonError::into_inner);
            if kept.len() < KEPT {
                self.memory.clear();
                kept.push(std::mem::take(&mut self.memory));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_begins_on_a_block_takes_what_fits_and_is_used_again_empty() {
        let home = Buffers::default();
        for length in [3, 5000, PIECE_LENGTH, PIECE_LENGTH + 1] {
            let mut buffer = home.take(length);
            let place = buffer.memory.as_ptr();
            assert_eq!(buffer.as_ref().as_ptr().align_offset(BLOCK_LENGTH), 0);
            assert_eq!(
                buffer.fill(&vec![7; length], usize::MAX),
                length.min(PIECE_LENGTH)
            );
            assert_eq!(buffer.fill(&[7], usize::MAX), 0);
            assert_eq!(buffer.memory.as_ptr(), place, "never moved");
            buffer.clear();
            assert!(buffer.is_empty());
            assert_eq!(buffer.fill(&[1, 2, 3], 2), 2);
            assert_eq!(buffer.as_ref(), [1, 2]);
        }
        assert!(home.take(PIECE_LENGTH).is_empty());
    }

    #[test]
    fn a_crowd_gets_short_buffers_and_few_whole_ones_are_kept() {
        let home = Buffers::default();
        let crowd: Vec<_> = (0..2 * MANY).map(|_| home.take(PIECE_LENGTH)).collect();
        let lengths: Vec<_> = crowd.iter().map(Buffer::capacity).collect();
        assert_eq!(lengths[..MANY], [PIECE_LENGTH; MANY]);
        assert_eq!(lengths[MANY..], [CROWDED_LENGTH; MANY]);
        drop(crowd);
        assert_eq!(home.0.kept.lock().unwrap().len(), KEPT);
        assert_eq!(home.take(PIECE_LENGTH).capacity(), PIECE_LENGTH);
    }
}
