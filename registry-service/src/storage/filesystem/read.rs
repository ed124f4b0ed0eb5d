//! Reading: stat, small objects, lists, stamps.

#![expect(clippy::unused_async, reason = "every backend has the same signatures")]

use std::collections::BinaryHeap;
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::ops::Range;
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;

use bytes::Bytes;
use rustix::io::Errno;

use super::stream::Source;
use super::{Filesystem, is_absent, options, short};
use crate::storage::reader;
use crate::storage::{Entry, EntryKind, Key, Reader, Stamp, Stat, StorageError, Version};

/// Objects up to this length are read on the calling thread.
pub(super) const SMALL_LENGTH: u64 = 64 * 1024;
/// Directory entries that are read on the calling thread before the rest goes to another.
const SMALL_DIRECTORY: usize = 512;
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

fn stamp_of(metadata: &Metadata) -> Stamp {
    let changed = metadata
        .mtime()
        .saturating_mul(1_000_000_000)
        .saturating_add(metadata.mtime_nsec());
    Stamp::new(metadata.ino(), changed)
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
            match short(|| directory.next().transpose()) {
                Ok(Some(entry)) => first.push(Ok(entry)),
                Ok(None) => break,
                Err(error) => return Err(listing(error)),
            }
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

    pub(in crate::storage) async fn is_empty(&self, prefix: &Key) -> Result<bool, StorageError> {
        let found = short(|| {
            let path = self.path(prefix);
            let metadata = fs::symlink_metadata(&path)?;
            // A directory has one link from above, one from itself and one from each directory in it. Where file systems
            // do not count so, it has a single one.
            if !metadata.is_dir() || metadata.nlink() > 2 {
                return Ok(!metadata.is_dir());
            }
            Ok(first_names(fs::read_dir(path)?, None, 1, |_| true)?.is_empty())
        });
        match found {
            Err(error) if is_absent(&error) => Ok(true),
            other => other.map_err(|error| StorageError::from_io(format!("looking into {prefix}"), error)),
        }
    }

    pub(in crate::storage) async fn stamp(&self, prefix: &Key) -> Result<Option<Stamp>, StorageError> {
        match short(|| fs::symlink_metadata(self.path(prefix))) {
            Ok(metadata) if metadata.is_dir() => Ok(Some(stamp_of(&metadata))),
            Ok(_) => Ok(None),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(StorageError::from_io(format!("looking at {prefix}"), error)),
        }
    }

    pub(in crate::storage) async fn object_stamp(&self, key: &Key) -> Result<Option<Stamp>, StorageError> {
        short(|| self.stamp_of_object(key))
    }

    pub(super) fn stamp_of_object(&self, key: &Key) -> Result<Option<Stamp>, StorageError> {
        match fs::symlink_metadata(self.path(key)) {
            Ok(metadata) if metadata.is_file() => Ok(Some(stamp_of(&metadata))),
            Ok(_) => Ok(None),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(StorageError::from_io(format!("looking at {key}"), error)),
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
