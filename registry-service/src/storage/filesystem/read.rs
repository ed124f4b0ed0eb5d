//! Reading: stat, small objects, streams, lists, stamps.

#![expect(clippy::unused_async, reason = "every backend has the same signatures")]

use std::collections::BinaryHeap;
use std::fs::{self, File, Metadata};
use std::io::{self, IoSliceMut, Read};
use std::ops::Range;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use rustix::io::{Errno, ReadWriteFlags};

use super::{Filesystem, is_absent, options, short};
use crate::storage::reader;
use crate::storage::{Entry, EntryKind, Key, PIECE_LENGTH, Reader, Stamp, Stat, StorageError, Version};

/// Objects up to this length are read on the calling thread.
const SMALL_LENGTH: u64 = 64 * 1024;
/// Directory entries that are read on the calling thread before the rest goes to another.
const SMALL_DIRECTORY: usize = 512;
/// Buffers that are kept for later streams, each [`PIECE_LENGTH`] long.
const KEPT_BUFFERS: usize = 32;

/// An open file and where its pieces' buffers come from.
#[derive(Debug)]
pub(in crate::storage) struct Source {
    file: Arc<File>,
    storage: Filesystem,
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

pub(super) fn stat_of(metadata: &Metadata) -> Stat {
    let modified_ms = metadata
        .mtime()
        .saturating_mul(1_000)
        .saturating_add(metadata.mtime_nsec() / 1_000_000);
    Stat {
        size: metadata.len(),
        modified_ms,
    }
}

fn failed<'a>(doing: &'a str, key: &'a Key) -> impl Fn(io::Error) -> StorageError + 'a {
    move |error| {
        let doing = format!("{doing} {key}");
        if is_absent(&error) {
            StorageError::not_found(doing)
        } else {
            StorageError::from_io(doing, error)
        }
    }
}

impl Filesystem {
    pub(in crate::storage) async fn stat(&self, key: &Key) -> Result<Stat, StorageError> {
        let metadata = short(|| fs::symlink_metadata(self.path(key))).map_err(failed("looking at", key))?;
        if !metadata.is_file() {
            return Err(StorageError::not_found(format!("looking at {key}")));
        }
        Ok(stat_of(&metadata))
    }

    fn open_file(&self, key: &Key) -> Result<(File, u64), StorageError> {
        let opened = short(|| {
            let file = options().read(true).open(self.path(key))?;
            let metadata = file.metadata()?;
            Ok((file, metadata))
        });
        let (file, metadata) = opened.map_err(failed("opening", key))?;
        if !metadata.is_file() {
            return Err(StorageError::not_found(format!("opening {key}")));
        }
        Ok((file, metadata.len()))
    }

    pub(in crate::storage) async fn read(
        &self,
        key: &Key,
        limit: u64,
    ) -> Result<(Bytes, Version), StorageError> {
        let (file, size) = self.open_file(key)?;
        let too_long =
            move |key: &Key| StorageError::corrupt(format!("reading {key}, longer than {limit} bytes"));
        if size > limit {
            return Err(too_long(key));
        }
        let key = key.clone();
        let work = move || {
            let mut content = Vec::with_capacity(usize::try_from(size).unwrap_or_default() + 1);
            file.take(limit.saturating_add(1))
                .read_to_end(&mut content)
                .map_err(failed("reading", &key))?;
            if content.len() as u64 > limit {
                return Err(too_long(&key));
            }
            let version = Version::of(&content);
            Ok((Bytes::from(content), version))
        };
        if size <= SMALL_LENGTH {
            short(work)
        } else {
            self.long(work).await
        }
    }

    pub(in crate::storage) async fn open_object(
        &self,
        key: &Key,
        range: Option<Range<u64>>,
    ) -> Result<Reader, StorageError> {
        let (file, size) = self.open_file(key)?;
        let source = reader::Source::File(Source {
            file: Arc::new(file),
            storage: self.clone(),
        });
        Ok(Reader {
            size,
            range: range.unwrap_or(0..size),
            source,
        })
    }

    pub(in crate::storage) async fn list(
        &self,
        prefix: &Key,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Entry>, StorageError> {
        let listing = |error| StorageError::from_io(format!("listing {prefix}"), error);
        let opened = short(|| {
            let path = self.path(prefix);
            // A link is no prefix: what it leads to may lie anywhere.
            if fs::symlink_metadata(&path)?.is_dir() {
                fs::read_dir(path)
            } else {
                Err(Errno::NOTDIR.into())
            }
        });
        let mut directory = match opened {
            Ok(directory) => directory,
            Err(error) if is_absent(&error) => return Ok(Vec::new()),
            Err(error) => return Err(listing(error)),
        };
        let mut first = Vec::new();
        while first.len() < SMALL_DIRECTORY {
            let Some(entry) = short(|| directory.next()) else {
                break;
            };
            first.push(entry);
        }
        let whole = first.len() < SMALL_DIRECTORY;
        let (after, prefix) = (after.map(str::to_owned), prefix.clone());
        let work = move || {
            let entries = first.into_iter().chain(directory);
            let names = first_names(entries, after.as_deref(), limit, |_| true);
            let names = names.map_err(|error| StorageError::from_io(format!("listing {prefix}"), error))?;
            Ok(names
                .into_iter()
                .map(|(name, kind)| Entry { name, kind })
                .collect())
        };
        if whole { short(work) } else { self.long(work).await }
    }

    pub(in crate::storage) async fn stamp(&self, prefix: &Key) -> Result<Option<Stamp>, StorageError> {
        match short(|| fs::symlink_metadata(self.path(prefix))) {
            Ok(metadata) if metadata.is_dir() => {
                let changed = metadata
                    .mtime()
                    .saturating_mul(1_000_000_000)
                    .saturating_add(metadata.mtime_nsec());
                Ok(Some(Stamp::new(metadata.ino(), changed)))
            }
            Ok(_) => Ok(None),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(StorageError::from_io(format!("looking at {prefix}"), error)),
        }
    }
}

/// The first `limit` names after `after` in byte order, in memory for as many. What is neither file nor directory
/// is foreign and left out.
pub(super) fn first_names(
    entries: impl Iterator<Item = io::Result<fs::DirEntry>>,
    after: Option<&str>,
    limit: usize,
    wanted: impl Fn(&str) -> bool,
) -> io::Result<Vec<(String, EntryKind)>> {
    let mut greatest_first: BinaryHeap<(String, bool)> = BinaryHeap::new();
    for entry in entries {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        let beyond =
            || greatest_first.len() >= limit && greatest_first.peek().is_none_or(|(last, _)| name > *last);
        if after.is_some_and(|after| name.as_str() <= after) || beyond() || !wanted(&name) {
            continue;
        }
        let kind = entry.file_type()?;
        if kind.is_file() || kind.is_dir() {
            greatest_first.push((name, kind.is_dir()));
            if greatest_first.len() > limit {
                greatest_first.pop();
            }
        }
    }
    let kind = |is_prefix| {
        if is_prefix {
            EntryKind::Prefix
        } else {
            EntryKind::Object
        }
    };
    Ok(greatest_first
        .into_sorted_vec()
        .into_iter()
        .map(|(name, is_prefix)| (name, kind(is_prefix)))
        .collect())
}

impl Source {
    /// At most `wanted` bytes from `start`; fewer only at the end of the file.
    pub(in crate::storage) async fn read(
        &mut self,
        start: u64,
        wanted: usize,
    ) -> Result<Bytes, StorageError> {
        let mut buffer = self.storage.0.buffers.take(wanted);
        let cached = short(|| read_cached(&self.file, &mut buffer[..wanted], start));
        let length = if cached == wanted {
            cached
        } else {
            let file = Arc::clone(&self.file);
            let failed = |error| StorageError::from_io("reading a piece of an object", error);
            let work = move || {
                let rest = read_rest(&file, &mut buffer[cached..wanted], start + cached as u64);
                rest.map(|rest| (buffer, cached + rest)).map_err(failed)
            };
            let (filled, length) = self.storage.long(work).await?;
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
