//! Objects under the next number of a series.
//!
//! The counter is the name of an empty file, so that counting is one rename: nothing has to be synced for it but the
//! directory, which is synced before that of the object. After a power cut no number is behind what stands in the series.

use std::fs;
use std::path::Path;

use bytes::Bytes;

use super::commit::Applied;
use super::{Filesystem, is_absent};
use crate::storage::commit::{number, numbered};
use crate::storage::{Key, StorageError};

impl Filesystem {
    /// Gives a file the next number of the counter, whose lock is held.
    pub(super) fn place_numbered(
        &self,
        from: &Path,
        counter: &Key,
        stem: &Key,
        applied: &mut Applied,
    ) -> Result<(), StorageError> {
        let last = self.last_number(counter)?;
        let mut number = last;
        let (next, key) = loop {
            number += 1;
            let keys = numbered(counter, stem, number)?;
            // Only where somebody has removed the counter.
            match fs::symlink_metadata(self.path(&keys.1)) {
                Ok(_) => {}
                Err(error) if is_absent(&error) => break keys,
                Err(error) => return Err(StorageError::from_io(format!("numbering {stem}"), error)),
            }
        };
        if last == 0 {
            let (mut first, _) = self.write_temporary(&next, &Bytes::new())?;
            self.place(&first.path, &next, applied)?;
            first.placed = true;
        } else {
            let (last, _) = numbered(counter, stem, last)?;
            self.place(&self.path(&last), &next, applied)?;
        }
        self.place(from, &key, applied)
    }

    /// The last number that was taken; 0 when there was none.
    fn last_number(&self, counter: &Key) -> Result<u64, StorageError> {
        let failed = |error| StorageError::from_io(format!("reading the counter {counter}"), error);
        let entries = match fs::read_dir(self.path(counter)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(0),
            Err(error) => return Err(failed(error)),
        };
        let mut last = 0;
        for entry in entries {
            let name = entry.map_err(failed)?.file_name();
            last = last.max(name.to_str().and_then(number).unwrap_or(0));
        }
        Ok(last)
    }
}
