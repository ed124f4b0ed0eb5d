//! Listing a prefix to its end, and all stored contents.

use shared::oci::{Algorithm, Digest};
use tokio::task::coop::consume_budget;

use super::layout;
use crate::storage::{Entry, Key, Storage, StorageError};

/// Names that are listed in one go.
const BATCH: usize = 1_000;

/// The names of a prefix's children, in order, whatever happens to those that were given.
pub(super) struct Children<'a> {
    storage: &'a Storage,
    prefix: Key,
    batch: std::vec::IntoIter<Entry>,
    last: Option<String>,
    is_complete: bool,
}

impl<'a> Children<'a> {
    pub(super) fn new(storage: &'a Storage, prefix: Key) -> Self {
        Self {
            storage,
            prefix,
            batch: Vec::new().into_iter(),
            last: None,
            is_complete: false,
        }
    }

    pub(super) async fn next(&mut self) -> Result<Option<String>, StorageError> {
        consume_budget().await;
        loop {
            if let Some(entry) = self.batch.next() {
                self.last = Some(entry.name.clone());
                return Ok(Some(entry.name));
            }
            if self.is_complete {
                return Ok(None);
            }
            let batch = self
                .storage
                .list(&self.prefix, self.last.as_deref(), BATCH)
                .await?;
            self.is_complete = batch.len() < BATCH;
            self.batch = batch.into_iter();
        }
    }
}

/// All contents, in order.
pub(super) struct Contents<'a> {
    storage: &'a Storage,
    algorithms: std::slice::Iter<'static, Algorithm>,
    /// The algorithm and its children, the first two digits.
    outer: Option<(Algorithm, Children<'a>)>,
    inner: Option<(Algorithm, Children<'a>)>,
}

impl<'a> Contents<'a> {
    pub(super) fn new(storage: &'a Storage) -> Self {
        Self {
            storage,
            algorithms: Algorithm::ALL.iter(),
            outer: None,
            inner: None,
        }
    }

    pub(super) async fn next(&mut self) -> Result<Option<Digest>, StorageError> {
        loop {
            if let Some((algorithm, inner)) = &mut self.inner {
                while let Some(hex) = inner.next().await? {
                    if let Ok(digest) = format!("{algorithm}:{hex}").parse() {
                        return Ok(Some(digest));
                    }
                }
                self.inner = None;
            }
            if let Some((algorithm, outer)) = &mut self.outer {
                if let Some(two) = outer.next().await? {
                    let below = outer.prefix.join(&two).ok();
                    self.inner = below.map(|prefix| (*algorithm, Children::new(self.storage, prefix)));
                    continue;
                }
                self.outer = None;
            }
            let Some(algorithm) = self.algorithms.next() else {
                return Ok(None);
            };
            let children = Children::new(self.storage, layout::contents(*algorithm));
            self.outer = Some((*algorithm, children));
        }
    }
}
