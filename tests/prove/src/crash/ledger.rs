//! What clients were promised: for each thing, the states that it may be in.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::fmt;
use std::hash::Hash;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Things that were changed last are looked at after each crash, at most so many.
const REMEMBERED: usize = 400;

/// Something that a registry holds, or not.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Key {
    /// Repository and digest.
    Blob(String, String),
    /// Repository and digest.
    Manifest(String, String),
    /// Repository and tag.
    Tag(String, String),
}

/// The digest that a thing has or points to; `None`: it is absent.
pub(crate) type State = Option<String>;

/// A change that was asked for.
pub(crate) type Change<K = Key> = (K, State);

/// The promises. Each thing is changed by one client alone, one request after the other, so that what it may be is
/// known exactly: the state of the last acknowledgement, or of any request since that was not answered.
#[derive(Debug)]
pub(crate) struct Ledger<K = Key> {
    inner: Mutex<Inner<K>>,
    stopped: AtomicBool,
}

#[derive(Debug)]
struct Inner<K> {
    states: HashMap<K, Vec<State>>,
    in_doubt: HashSet<K>,
    recent: VecDeque<K>,
    acknowledged: BTreeMap<&'static str, u64>,
    unexpected: Vec<String>,
    closed: bool,
}

impl<K> Default for Ledger<K> {
    fn default() -> Self {
        let inner = Inner {
            states: HashMap::new(),
            in_doubt: HashSet::new(),
            recent: VecDeque::new(),
            acknowledged: BTreeMap::new(),
            unexpected: Vec::new(),
            closed: false,
        };
        Self {
            inner: Mutex::new(inner),
            stopped: AtomicBool::new(false),
        }
    }
}

impl<K: Clone + Eq + Hash + Ord> Ledger<K> {
    /// A request for these changes is about to be sent.
    pub(crate) fn intend(&self, changes: &[Change<K>]) {
        let mut inner = self.inner();
        for (key, state) in changes {
            let states = inner.states.entry(key.clone()).or_insert_with(|| vec![None]);
            if !states.contains(state) {
                states.push(state.clone());
            }
            if states.len() > 1 {
                inner.in_doubt.insert(key.clone());
            }
        }
    }

    /// The request was answered with success: from now on nothing else may be seen.
    pub(crate) fn acknowledge(&self, what: &'static str, changes: &[Change<K>]) {
        let mut inner = self.inner();
        if inner.closed {
            return;
        }
        *inner.acknowledged.entry(what).or_default() += 1;
        for (key, state) in changes {
            inner.settle(key, state);
            inner.recent.push_back(key.clone());
        }
        while inner.recent.len() > REMEMBERED {
            inner.recent.pop_front();
        }
    }

    /// Something was acknowledged that is no change of a thing.
    pub(crate) fn count(&self, what: &'static str) {
        *self.inner().acknowledged.entry(what).or_default() += 1;
    }

    /// From here on answers come too late to count: the power is cut.
    pub(crate) fn close(&self) {
        self.inner().closed = true;
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// Clients shall end after their current request.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// Answers count again.
    pub(crate) fn reopen(&self) {
        self.inner().closed = false;
        self.stopped.store(false, Ordering::Relaxed);
    }

    /// An answer that no crash explains.
    pub(crate) fn unexpected(&self, what: String) {
        self.inner().unexpected.push(what);
    }

    pub(crate) fn take_unexpected(&self) -> Vec<String> {
        std::mem::take(&mut self.inner().unexpected)
    }

    /// The one state that the thing can be in; `None` if it is in doubt.
    pub(crate) fn certain(&self, key: &K) -> Option<State> {
        match self.inner().states.get(key).map(Vec::as_slice) {
            None => Some(None),
            Some([state]) => Some(state.clone()),
            Some(_) => None,
        }
    }

    /// The states that the thing may be in.
    pub(crate) fn possible(&self, key: &K) -> Vec<State> {
        let inner = self.inner();
        inner.states.get(key).cloned().unwrap_or_else(|| vec![None])
    }

    /// The thing was seen in this state, and may not change by itself.
    pub(crate) fn observe(&self, key: &K, state: &State) {
        self.inner().settle(key, state);
    }

    /// Everything in doubt, and what was acknowledged last.
    pub(crate) fn newest(&self, count: usize) -> Vec<K> {
        let inner = self.inner();
        let recent = inner.recent.iter().rev().take(count);
        let keys: HashSet<&K> = recent.chain(&inner.in_doubt).collect();
        let mut keys: Vec<K> = keys.into_iter().cloned().collect();
        keys.sort();
        keys
    }

    /// Everything.
    pub(crate) fn all(&self) -> Vec<K> {
        let mut keys: Vec<K> = self.inner().states.keys().cloned().collect();
        keys.sort();
        keys
    }

    /// How many things are in doubt.
    pub(crate) fn doubts(&self) -> usize {
        self.inner().in_doubt.len()
    }

    /// How often each kind of request was acknowledged.
    pub(crate) fn acknowledged(&self) -> BTreeMap<&'static str, u64> {
        self.inner().acknowledged.clone()
    }

    /// How many requests were acknowledged.
    pub(crate) fn total(&self) -> u64 {
        self.inner().acknowledged.values().sum()
    }

    fn inner(&self) -> MutexGuard<'_, Inner<K>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Clone + Eq + Hash> Inner<K> {
    fn settle(&mut self, key: &K, state: &State) {
        self.states.insert(key.clone(), vec![state.clone()]);
        self.in_doubt.remove(key);
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Blob(repository, digest) => write!(f, "blob {repository}@{digest}"),
            Self::Manifest(repository, digest) => write!(f, "manifest {repository}@{digest}"),
            Self::Tag(repository, tag) => write!(f, "tag {repository}:{tag}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_without_an_answer_leaves_both_states_possible() {
        let ledger: Ledger = Ledger::default();
        let key = Key::Tag("a".into(), "1".into());
        let to = |digest: &str| (key.clone(), Some(digest.to_owned()));
        ledger.intend(&[to("x")]);
        ledger.acknowledge("tags", &[to("x")]);
        assert_eq!(ledger.certain(&key), Some(Some("x".into())));
        ledger.intend(&[to("y")]);
        assert_eq!(ledger.certain(&key), None);
        assert_eq!(ledger.possible(&key), [Some("x".into()), Some("y".into())]);
        ledger.observe(&key, &Some("y".into()));
        assert_eq!(ledger.certain(&key), Some(Some("y".into())));
    }

    #[test]
    fn an_answer_after_the_cut_promises_nothing() {
        let ledger: Ledger = Ledger::default();
        let change = (Key::Blob("a".into(), "x".into()), Some("x".to_owned()));
        ledger.intend(std::slice::from_ref(&change));
        ledger.close();
        ledger.acknowledge("blobs", std::slice::from_ref(&change));
        assert_eq!(ledger.possible(&change.0).len(), 2);
        assert!(ledger.acknowledged().is_empty());
    }
}
