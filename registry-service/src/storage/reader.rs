//! A stored object as a stream of pieces.

use std::ops::Range;

use bytes::Bytes;
use futures_util::stream::{self, Stream};

use super::{StorageError, filesystem};

/// Largest piece of a stream in bytes; one piece per stream is in memory at a time.
pub const PIECE_LENGTH: usize = 256 * 1024;

/// An opened object: what it holds stays readable even if it is replaced or removed meanwhile.
#[derive(Debug)]
pub struct Reader {
    pub(super) size: u64,
    pub(super) range: Range<u64>,
    pub(super) source: Source,
}

#[derive(Debug)]
pub(super) enum Source {
    File(filesystem::Source),
    Memory(Bytes),
}

impl Reader {
    /// Length of the whole object in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// What will be read.
    pub fn range(&self) -> Range<u64> {
        self.range.clone()
    }

    /// The same object with another range, for callers that need the size to choose it.
    #[must_use]
    pub fn narrow(mut self, range: Range<u64>) -> Self {
        self.range = range;
        self
    }

    /// The bytes of the range in order, in pieces of at most [`PIECE_LENGTH`]. An object that is shorter than
    /// the range ends the stream with [`StorageError::Corrupt`], never silently.
    pub fn into_stream(self) -> impl Stream<Item = Result<Bytes, StorageError>> + Send + 'static {
        stream::try_unfold(self, |mut reader| async move {
            let Range { start, end } = reader.range;
            if start >= end {
                return Ok(None);
            }
            let wanted = usize::try_from(end - start).map_or(PIECE_LENGTH, |left| left.min(PIECE_LENGTH));
            let piece = match &mut reader.source {
                Source::File(file) => file.read(start, wanted).await?,
                Source::Memory(content) => {
                    let from = usize::try_from(start).map_or(content.len(), |at| at.min(content.len()));
                    content.slice(from..content.len().min(from + wanted))
                }
            };
            if piece.is_empty() {
                let doing = format!("reading up to byte {end} of an object that ends at {start}");
                return Err(StorageError::corrupt(doing));
            }
            reader.range.start += piece.len() as u64;
            Ok(Some((piece, reader)))
        })
    }
}
