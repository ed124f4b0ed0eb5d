//! Objects in this process's memory, with the rules of the file system: for tests.

#![expect(clippy::unused_async, reason = "every backend has the same signatures")]

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Slot;
use std::fmt;
use std::ops::{Bound, Range};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::commit::{number, numbered};
use super::reader::Source;
use super::staged::{Health, Medium};
use super::{
    Condition, Entry, EntryKind, Guard, Key, PIECE_LENGTH, Reader, StagedId, StagedWriter, Stamp, Stat, Step,
    StorageError, Version,
};

/// Objects in memory. Clones share them.
#[derive(Clone)]
pub struct Memory(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    now_ms: Box<dyn Fn() -> i64 + Send + Sync>,
}

#[derive(Default)]
struct State {
    objects: BTreeMap<String, Object>,
    staged: BTreeMap<StagedId, Arc<Staged>>,
    /// Each prefix that has ever had children, with the number of the last change of their set.
    changes: BTreeMap<String, i64>,
    last_change: i64,
}

struct Object {
    content: Bytes,
    modified_ms: i64,
    /// The number of the change that wrote it.
    change: i64,
}

struct Staged {
    content: Mutex<Vec<u8>>,
    modified_ms: Mutex<i64>,
    open: AtomicBool,
}

/// One staged object, open for its only writer.
pub(super) struct StagedBytes {
    storage: Memory,
    staged: Arc<Staged>,
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic elsewhere leaves complete values behind: each is replaced in one assignment.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Memory {
    /// An empty storage that takes the time of changes from `now_ms` (milliseconds since the epoch).
    pub fn new(now_ms: impl Fn() -> i64 + Send + Sync + 'static) -> Self {
        Self(Arc::new(Shared {
            state: Mutex::default(),
            now_ms: Box::new(now_ms),
        }))
    }

    fn now_ms(&self) -> i64 {
        (self.0.now_ms)()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        held(&self.0.state)
    }

    pub(super) async fn stat(&self, key: &Key) -> Result<Stat, StorageError> {
        let state = self.state();
        let object = state.find(key)?;
        Ok(Stat {
            size: object.content.len() as u64,
            modified_ms: object.modified_ms,
        })
    }

    pub(super) async fn read(&self, key: &Key, limit: u64) -> Result<(Bytes, Version), StorageError> {
        let content = self.state().find(key)?.content.clone();
        if content.len() as u64 > limit {
            return Err(StorageError::corrupt(format!(
                "reading {key}, which is longer than {limit} bytes"
            )));
        }
        let version = Version::of(&content);
        Ok((content, version))
    }

    pub(super) async fn open_object(
        &self,
        key: &Key,
        range: Option<Range<u64>>,
    ) -> Result<Reader, StorageError> {
        let content = self.state().find(key)?.content.clone();
        let size = content.len() as u64;
        Ok(Reader {
            size,
            range: range.unwrap_or(0..size),
            source: Source::Memory(content),
        })
    }

    pub(super) async fn list(
        &self,
        prefix: &Key,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Entry>, StorageError> {
        let state = self.state();
        let names = state.children(prefix.as_str()).into_iter();
        let wanted = names.filter(|(name, _)| after.is_none_or(|after| name.as_str() > after));
        Ok(wanted
            .take(limit)
            .map(|(name, kind)| Entry { name, kind })
            .collect())
    }

    pub(super) async fn is_empty(&self, prefix: &Key) -> Result<bool, StorageError> {
        Ok(self.state().children(prefix.as_str()).is_empty())
    }

    pub(super) async fn stamp(&self, prefix: &Key) -> Result<Option<Stamp>, StorageError> {
        let state = self.state();
        if state.children(prefix.as_str()).is_empty() {
            return Ok(None);
        }
        let change = state.changes.get(prefix.as_str()).copied().unwrap_or_default();
        Ok(Some(Stamp::new(0, -change - 1)))
    }

    pub(super) async fn object_stamp(&self, key: &Key) -> Result<Option<Stamp>, StorageError> {
        Ok(self.state().objects.get(key.as_str()).map(Object::stamp))
    }

    pub(super) async fn commit(&self, guards: Vec<Guard>, steps: Vec<Step>) -> Result<(), StorageError> {
        for step in &steps {
            if let Step::Promote { staged, key } = step {
                staged.usable(&format!("promoting to {key} the"))?;
                if !matches!(&staged.medium, Medium::Memory(bytes) if Arc::ptr_eq(&bytes.storage.0, &self.0))
                {
                    let doing = format!("promoting {} of another storage to {key}", staged.id);
                    return Err(StorageError::not_found(doing));
                }
            }
        }
        let now_ms = self.now_ms();
        let mut state = self.state();
        for guard in &guards {
            state.check(guard)?;
        }
        for step in steps {
            match step {
                Step::Write { key, content } => state.put(&key, content, now_ms)?,
                Step::Promote { staged, key } => {
                    let Medium::Memory(bytes) = &staged.medium else {
                        return Err(StorageError::not_found(format!(
                            "promoting {} to {key}",
                            staged.id
                        )));
                    };
                    // Taken only once it is visible: if that fails, the object stays staged, content and all.
                    let mut content = held(&bytes.staged.content).clone();
                    content.extend_from_slice(staged.last.as_ref().map_or(&[], AsRef::as_ref));
                    state.put(&key, content.into(), now_ms)?;
                    state.staged.remove(&staged.id);
                }
                Step::Number {
                    counter,
                    stem,
                    content,
                } => state.put_numbered(&counter, &stem, content, now_ms)?,
                Step::Move { from, to } => {
                    let held = state.objects.get(from.as_str());
                    let content = held.map(|object| object.content.clone());
                    let content = content.ok_or_else(|| StorageError::not_found(format!("moving {from}")))?;
                    state.put(&to, content, now_ms)?;
                    state.remove(&from);
                }
                Step::Remove { key } => state.remove(&key),
            }
        }
        Ok(())
    }

    pub(super) async fn note(&self, key: &Key, content: Bytes) -> Result<(), StorageError> {
        let now_ms = self.now_ms();
        self.state().put(key, content, now_ms)
    }

    pub(super) async fn stage(&self, id: &StagedId) -> Result<(), StorageError> {
        let now_ms = self.now_ms();
        match self.state().staged.entry(id.clone()) {
            Slot::Occupied(_) => Err(StorageError::conflict(format!("staging {id}"))),
            Slot::Vacant(slot) => {
                slot.insert(Arc::new(Staged {
                    content: Mutex::default(),
                    modified_ms: Mutex::new(now_ms),
                    open: AtomicBool::new(false),
                }));
                Ok(())
            }
        }
    }

    pub(super) async fn staged(&self, id: &StagedId) -> Result<Stat, StorageError> {
        let state = self.state();
        let staged = state.staged.get(id);
        staged
            .map(|it| it.stat())
            .ok_or_else(|| StorageError::not_found(format!("looking at staged {id}")))
    }

    pub(super) async fn open_staged(&self, id: &StagedId) -> Result<StagedWriter, StorageError> {
        let staged = self.state().staged.get(id).cloned();
        let staged = staged.ok_or_else(|| StorageError::not_found(format!("opening staged {id}")))?;
        if staged.open.swap(true, Ordering::AcqRel) {
            return Err(StorageError::locked(format!("opening staged {id}")));
        }
        let size = staged.stat().size;
        let medium = Medium::Memory(StagedBytes {
            storage: self.clone(),
            staged,
        });
        Ok(StagedWriter {
            id: id.clone(),
            size,
            health: Health::Dirty,
            medium,
            last: None,
        })
    }

    pub(super) async fn discard(&self, id: &StagedId) -> Result<(), StorageError> {
        match self.open_staged(id).await {
            Ok(writer) => writer.discard().await,
            Err(StorageError::NotFound { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn list_staged(
        &self,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(StagedId, Stat)>, StorageError> {
        let state = self.state();
        let wanted = state
            .staged
            .iter()
            .filter(|(id, _)| after.is_none_or(|after| id.as_str() > after));
        Ok(wanted
            .take(limit)
            .map(|(id, staged)| (id.clone(), staged.stat()))
            .collect())
    }
}

impl State {
    fn find(&self, key: &Key) -> Result<&Object, StorageError> {
        self.objects
            .get(key.as_str())
            .ok_or_else(|| StorageError::not_found(format!("reading {key}")))
    }

    /// Direct children in byte order.
    fn children(&self, prefix: &str) -> BTreeMap<String, EntryKind> {
        let begin = format!("{prefix}/");
        let mut children = BTreeMap::new();
        let mut from = Bound::Excluded(begin.clone());
        while let Some((key, _)) = self.objects.range((from, Bound::Unbounded)).next() {
            let Some(rest) = key.strip_prefix(&begin) else {
                break;
            };
            if let Some((name, _)) = rest.split_once('/') {
                children.insert(name.to_owned(), EntryKind::Prefix);
                // '0' follows '/': past everything below this child.
                from = Bound::Included(format!("{begin}{name}0"));
            } else {
                children.insert(rest.to_owned(), EntryKind::Object);
                from = Bound::Excluded(key.clone());
            }
        }
        children
    }

    fn check(&self, guard: &Guard) -> Result<(), StorageError> {
        let now = self.objects.get(guard.key.as_str());
        let holds = match &guard.condition {
            Condition::Any => true,
            Condition::Absent => now.is_none(),
            Condition::Is(version) => now.is_some_and(|object| Version::of(&object.content) == *version),
            Condition::Untouched(stamp) => now.is_some_and(|object| object.stamp() == *stamp),
        };
        if holds {
            Ok(())
        } else {
            Err(StorageError::conflict(format!("committing to {}", guard.key)))
        }
    }

    fn put(&mut self, key: &Key, content: Bytes, modified_ms: i64) -> Result<(), StorageError> {
        let text = key.as_str();
        let below_an_object = text
            .match_indices('/')
            .any(|(at, _)| self.objects.contains_key(&text[..at]));
        if below_an_object || !self.children(text).is_empty() {
            return Err(StorageError::corrupt(format!("writing {key}")));
        }
        self.last_change += 1;
        let object = Object {
            content,
            modified_ms,
            change: self.last_change,
        };
        if self.objects.insert(text.to_owned(), object).is_none() {
            self.changed(text);
        }
        Ok(())
    }

    fn put_numbered(
        &mut self,
        counter: &Key,
        stem: &Key,
        content: Bytes,
        modified_ms: i64,
    ) -> Result<(), StorageError> {
        let taken = self.children(counter.as_str());
        let last = taken.keys().filter_map(|name| number(name)).max().unwrap_or(0);
        let mut next = last + 1;
        let (taken, key) = loop {
            let (taken, key) = numbered(counter, stem, next)?;
            if !self.objects.contains_key(key.as_str()) {
                break (taken, key);
            }
            next += 1;
        };
        if last > 0 {
            self.remove(&numbered(counter, stem, last)?.0);
        }
        self.put(&taken, Bytes::new(), modified_ms)?;
        self.put(&key, content, modified_ms)
    }

    fn remove(&mut self, key: &Key) {
        let text = key.as_str();
        let (begin, end) = (format!("{text}/"), format!("{text}0"));
        let below: Vec<_> = self
            .objects
            .range(begin..end)
            .map(|(key, _)| key.clone())
            .collect();
        let object = self.objects.remove(text).map(|_| text.to_owned());
        for gone in below.into_iter().chain(object) {
            self.objects.remove(&gone);
            self.changed(&gone);
        }
    }

    /// Marks every prefix above a key as changed.
    fn changed(&mut self, key: &str) {
        self.last_change += 1;
        for (at, _) in key.match_indices('/') {
            self.changes.insert(key[..at].to_owned(), self.last_change);
        }
    }
}

impl Object {
    fn stamp(&self) -> Stamp {
        Stamp::new(0, -self.change - 1)
    }
}

impl Staged {
    fn stat(&self) -> Stat {
        Stat {
            size: held(&self.content).len() as u64,
            modified_ms: *held(&self.modified_ms),
        }
    }
}

impl StagedBytes {
    pub(super) fn append<P: AsRef<[u8]>, T>(&self, piece: P, observe: impl FnOnce(&[u8]) -> T) -> (P, T) {
        held(&self.staged.content).extend_from_slice(piece.as_ref());
        *held(&self.staged.modified_ms) = self.storage.now_ms();
        let observed = observe(piece.as_ref());
        (piece, observed)
    }

    pub(super) fn cut(&self, length: u64) {
        held(&self.staged.content).truncate(usize::try_from(length).unwrap_or(usize::MAX));
    }

    pub(super) fn read_back<T>(
        &self,
        range: Range<u64>,
        mut state: T,
        mut fold: impl FnMut(&mut T, &[u8]),
    ) -> T {
        let content = held(&self.staged.content);
        let bounded = |at: u64| usize::try_from(at).map_or(content.len(), |at| at.min(content.len()));
        content[bounded(range.start)..bounded(range.end)]
            .chunks(PIECE_LENGTH)
            .for_each(|piece| fold(&mut state, piece));
        state
    }

    pub(super) fn discard(self, id: &StagedId) {
        self.storage.state().staged.remove(id);
    }
}

impl Drop for StagedBytes {
    fn drop(&mut self) {
        self.staged.open.store(false, Ordering::Release);
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Memory")
    }
}

impl fmt::Debug for StagedBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StagedBytes")
    }
}
