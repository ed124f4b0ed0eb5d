//! Passwords that were right a moment ago, under a keyed hash.

use std::fmt;

use aws_lc_rs::hmac;
use moka::sync::Cache;
use shared::runtime::clock::Clock;
use shared::secret::Secret;

use crate::domain::AccountId;

/// How long a right password is remembered, in milliseconds.
const LIFE_MS: i64 = 120_000;
const MAX_ENTRIES: u64 = 10_000;

/// The MAC of account, password version and password.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Key([u8; 32]);

pub(super) struct Remembered {
    key: hmac::Key,
    clock: Clock,
    /// When each entry was made, in milliseconds since the epoch.
    entries: Cache<Key, i64>,
}

impl Remembered {
    /// `key` should be random and live no longer than the process.
    pub(super) fn new(key: &[u8; 32], clock: Clock) -> Self {
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, key),
            clock,
            entries: Cache::new(MAX_ENTRIES),
        }
    }

    /// The key of a password. Every field but the last has a fixed length, so no two triples share an encoding.
    pub(super) fn key(&self, account_id: AccountId, version: i64, password: &Secret<String>) -> Key {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(b"portolan password\0");
        context.update(&account_id.as_i64().to_be_bytes());
        context.update(&version.to_be_bytes());
        context.update(password.expose().as_bytes());
        let mut key = [0; 32];
        key.copy_from_slice(context.sign().as_ref());
        Key(key)
    }

    pub(super) fn holds(&self, key: &Key) -> bool {
        match self.entries.get(key) {
            // Nor does an entry of the future count, when the clock was set back.
            Some(made) if (0..LIFE_MS).contains(&self.clock.now_ms().saturating_sub(made)) => true,
            Some(_) => {
                self.entries.invalidate(key);
                false
            }
            None => false,
        }
    }

    pub(super) fn insert(&self, key: Key) {
        self.entries.insert(key, self.clock.now_ms());
    }
}

impl fmt::Debug for Remembered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Remembered")
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn secret(text: &str) -> Secret<String> {
        Secret::new(text.to_owned())
    }

    #[test]
    fn a_password_is_remembered_for_two_minutes_and_for_its_version_alone() {
        let (clock, time) = Clock::fixed(1_000_000);
        let remembered = Remembered::new(&[1; 32], clock);
        let id = AccountId::from_i64(1);
        let key = remembered.key(id, 1, &secret("a"));
        assert!(!remembered.holds(&key));
        remembered.insert(key.clone());
        assert!(remembered.holds(&key));
        for other in [
            remembered.key(id, 2, &secret("a")),
            remembered.key(AccountId::from_i64(2), 1, &secret("a")),
            remembered.key(id, 1, &secret("b")),
        ] {
            assert!(!remembered.holds(&other));
        }
        time.advance(Duration::from_secs(119));
        assert!(remembered.holds(&key));
        time.advance(Duration::from_secs(1));
        assert!(!remembered.holds(&key));
    }

    #[test]
    fn a_clock_set_back_does_not_keep_an_entry() {
        let (clock, time) = Clock::fixed(10_000_000);
        let remembered = Remembered::new(&[1; 32], clock);
        let key = remembered.key(AccountId::from_i64(1), 1, &secret("a"));
        remembered.insert(key.clone());
        time.set(0);
        assert!(!remembered.holds(&key));
    }
}
