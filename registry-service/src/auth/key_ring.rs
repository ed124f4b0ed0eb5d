//! The keys in use, replaced as a whole while requests are served.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use super::certificate::{self, Root};
use super::jwks::{self, Origin};
use super::key::{InvalidKey, Key};

/// One complete set of keys, found by id.
#[derive(Debug, Default)]
pub struct KeySet {
    by_id: HashMap<Box<str>, Arc<Key>>,
    pub(super) roots: Vec<Root>,
}

impl KeySet {
    /// The keys of the documents that are given; at least one must be.
    pub fn parse(bundle: Option<&[u8]>, jwks: &[&[u8]]) -> Result<Self, InvalidKey> {
        let mut set = Self::default();
        if let Some(pem) = bundle {
            set.roots = certificate::parse_bundle(pem)?;
            for root in set.roots.clone() {
                for id in [root.key.thumbprint(), root.key.libtrust()] {
                    set.by_id.insert(id.into(), Arc::clone(&root.key));
                }
            }
        }
        for document in jwks {
            set.add(document, Origin::Published)?;
        }
        Ok(set)
    }

    /// Adds the keys of a JSON Web Key Set.
    pub(super) fn add(&mut self, document: &[u8], origin: Origin) -> Result<(), InvalidKey> {
        for (id, key) in jwks::parse_jwks_of(origin, document)? {
            self.insert(id, key)?;
        }
        Ok(())
    }

    fn insert(&mut self, id: String, key: Key) -> Result<(), InvalidKey> {
        let known = self.by_id.get(id.as_str());
        if known.is_some_and(|known| known.fingerprint() != key.fingerprint()) {
            return Err(InvalidKey::DuplicateId(id));
        }
        let key = self.same_as(&key).unwrap_or_else(|| Arc::new(key));
        self.by_id.insert(id.into(), key);
        Ok(())
    }

    fn same_as(&self, key: &Key) -> Option<Arc<Key>> {
        let mut known = self.by_id.values();
        known
            .find(|known| known.fingerprint() == key.fingerprint() && known.algorithms().eq(key.algorithms()))
            .cloned()
    }

    /// The key of an id.
    pub fn find(&self, id: &str) -> Option<Arc<Key>> {
        self.by_id.get(id).cloned()
    }

    /// Whether there is no key at all, as before the first answer of the key set's URL.
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }
}

/// The keys in use. Cheap to clone; all clones see a replacement at once.
#[derive(Debug, Clone, Default)]
pub struct KeyRing(Arc<RwLock<Arc<KeySet>>>);

impl KeyRing {
    /// A ring that holds the keys of a JSON Web Key Set.
    pub fn from_jwks(document: &[u8]) -> Result<Self, InvalidKey> {
        let ring = Self::default();
        ring.replace(KeySet::parse(None, &[document])?);
        Ok(ring)
    }

    /// The set in use.
    pub fn current(&self) -> Arc<KeySet> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts another set to use. A key of both sets goes on as the same one; a key that is in the new set no more is
    /// retired, and what was verified with it is believed no more.
    pub fn replace(&self, mut next: KeySet) {
        let mut current = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let keep = |key: &mut Arc<Key>| {
            if let Some(same) = current.same_as(key) {
                *key = same;
            }
        };
        next.by_id.values_mut().for_each(keep);
        next.roots.iter_mut().map(|root| &mut root.key).for_each(keep);
        for gone in current.by_id.values().filter(|key| next.same_as(key).is_none()) {
            gone.retire();
        }
        *current = Arc::new(next);
    }

    /// Puts the keys of a JSON Web Key Set to use, in place of all others.
    pub fn replace_jwks(&self, document: &[u8]) -> Result<(), InvalidKey> {
        self.replace(KeySet::parse(None, &[document])?);
        Ok(())
    }
}
