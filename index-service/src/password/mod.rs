//! Passwords: hashed slowly on purpose, so bounded, and remembered for a moment so that a client that sends its
//! password with every request costs one hash.

mod hash;
mod memory;
mod pool;
mod remembered;
mod strength;

use shared::runtime::clock::Clock;
use shared::secret::Secret;

use crate::domain::{AccountId, PasswordHash};
use crate::random::Random;

pub use hash::{InvalidParameters, Parameters};
pub use pool::{Busy, Limits};

use pool::Pool;
use remembered::Remembered;

/// What a stored password is compared with, and whose it is.
#[derive(Debug, Clone)]
pub struct Stored {
    /// The account.
    pub account_id: AccountId,
    /// Counts the account's passwords, so that what was remembered of an older one is worth nothing.
    pub version: i64,
    /// The stored hash.
    pub hash: PasswordHash,
}

/// The outcome of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The password is right. `outdated`: its hash should be replaced by one with today's function and parameters.
    Right {
        /// Whether the stored hash is of another kind or of other parameters than new ones.
        outdated: bool,
    },
    /// The password is wrong, or there is no such account.
    Wrong,
}

/// Hashes and compares passwords.
#[derive(Debug)]
pub struct Passwords {
    parameters: Parameters,
    pool: Pool,
    remembered: Remembered,
    random: Random,
    /// What the password of an unknown account is compared with, so that it takes as long as for a known one.
    nobody: PasswordHash,
}

impl Passwords {
    /// Starts the threads that hash.
    pub fn new(
        parameters: Parameters,
        limits: Limits,
        clock: Clock,
        random: Random,
    ) -> Result<Self, InvalidParameters> {
        let nobody = hash::of_nobody(random.bytes(), random.bytes(), parameters)?;
        Ok(Self {
            parameters,
            pool: Pool::new(limits),
            remembered: Remembered::new(&random.bytes(), clock),
            random,
            nobody,
        })
    }

    /// What is weak about a new password, in words for whoever chose it; `None` when it is good enough. `known` are words
    /// that others know about its owner.
    pub async fn weakness(
        &self,
        password: &Secret<String>,
        known: Vec<String>,
    ) -> Result<Option<String>, Busy> {
        let password = password.clone();
        self.pool
            .run(move |_| strength::weakness(password.expose(), &known))
            .await
    }

    /// The hash of a new password.
    pub async fn hash(&self, password: Secret<String>) -> Result<PasswordHash, Busy> {
        let (salt, parameters) = (self.random.bytes(), self.parameters);
        self.pool
            .run(move |memory| hash::hash(memory, password.expose().as_bytes(), salt, parameters))
            .await?
            // The parameters were checked when the configuration was read.
            .map_err(|InvalidParameters| Busy)
    }

    /// Compares a password with a stored one. An unknown account (`None`) costs as much as a known one.
    pub async fn verify(&self, stored: Option<Stored>, password: &Secret<String>) -> Result<Verdict, Busy> {
        let remembered = stored
            .as_ref()
            .map(|stored| self.remembered.key(stored.account_id, stored.version, password));
        if remembered.as_ref().is_some_and(|key| self.remembered.holds(key)) {
            return Ok(Verdict::Right { outdated: false });
        }
        let (parameters, password) = (self.parameters, password.clone());
        let known = stored.is_some();
        let hash = stored.map_or_else(|| self.nobody.clone(), |stored| stored.hash);
        let verdict = self
            .pool
            .run(move |memory| hash::verify(memory, password.expose().as_bytes(), &hash, parameters))
            .await?;
        let verdict = if known { verdict } else { Verdict::Wrong };
        if let (Verdict::Right { .. }, Some(key)) = (verdict, remembered) {
            self.remembered.insert(key);
        }
        Ok(verdict)
    }
}

#[cfg(test)]
mod tests;
