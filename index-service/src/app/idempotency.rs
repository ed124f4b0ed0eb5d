//! Requests that a client may repeat without knowing whether they were carried out: under a key of its own.

use sha2::{Digest as _, Sha256};

use super::App;
use super::caller::Caller;
use super::error::AppError;
use crate::domain::SecretHash;
use crate::store::idempotency::Known;
use crate::store::{Tx, idempotency};

/// How long an answer is kept, in milliseconds: a day.
const KEPT_MS: i64 = 86_400_000;
/// After this time without an answer the process that carried the request out must have ended, in milliseconds.
const ABANDONED_MS: i64 = 120_000;

/// Shortest key of somebody who is not signed in, in bytes: nobody else's by chance.
const MIN_KEY_OF_NOBODY: usize = 16;

/// What becomes of a request that comes with a key.
#[derive(Debug)]
pub enum Turn {
    /// It is the first: carry it out, then [`App::keep_answer`]. For nobody known nothing is kept yet: what is carried out
    /// keeps the key and the answer in its own transaction.
    First(Claim),
    /// It was carried out before.
    Before {
        /// The status of the answer.
        status: u16,
        /// The body of the answer; `None` when it held a secret.
        body: Option<String>,
    },
}

/// What is kept of a key and of the request that came with it.
#[derive(Debug, Clone)]
pub struct Claim {
    key_hash: String,
    request_hash: String,
}

impl Claim {
    /// `request` is what makes requests the same: method, path and body. A body may hold a password: without the key,
    /// which is not kept, its hash tells nothing of it.
    fn new(caller: &Caller, key: &str, request: &[&[u8]]) -> Self {
        let parts = [&[key.as_bytes()], request].concat();
        Self {
            key_hash: hash(&[caller.name().as_bytes(), key.as_bytes()]),
            request_hash: hash(&parts),
        }
    }

    /// What was answered when the key came with this very request before.
    fn replay(&self, known: Known) -> Result<Turn, AppError> {
        if known.request_hash != self.request_hash {
            return Err(AppError::Conflict(
                "this Idempotency-Key came with another request before; take a new one".to_owned(),
            ));
        }
        let status = known.status.ok_or_else(busy)?;
        Ok(Turn::Before {
            status: u16::try_from(status).unwrap_or(200),
            body: known.body,
        })
    }
}

fn busy() -> AppError {
    AppError::Conflict("a request with this Idempotency-Key is being carried out".to_owned())
}

impl App {
    /// Takes `key` for a request of this caller; `request` is its method, path and body.
    pub async fn take_turn(&self, caller: &Caller, key: &str, request: &[&[u8]]) -> Result<Turn, AppError> {
        let claim = Claim::new(caller, key, request);
        if caller.is_anonymous() {
            return self.look_for_turn(key, claim).await;
        }
        let mut tx = self.store.write().await?;
        let is_first = self.take(&mut tx, &claim).await?;
        let known = idempotency::find_key(&mut tx, &claim.key_hash).await?;
        tx.commit().await?;
        if is_first {
            return Ok(Turn::First(claim));
        }
        claim.replay(known.ok_or_else(busy)?)
    }

    /// The same for nobody known, of whose requests nothing is written unless they succeed. Whoever does not know the key
    /// and the whole request learns nothing of what was answered.
    async fn look_for_turn(&self, key: &str, claim: Claim) -> Result<Turn, AppError> {
        if key.len() < MIN_KEY_OF_NOBODY {
            return Err(AppError::Invalid(format!(
                "without signing in, an Idempotency-Key has at least {MIN_KEY_OF_NOBODY} characters, chosen at random"
            )));
        }
        let mut tx = self.store.read().await?;
        let known = idempotency::find_key(&mut tx, &claim.key_hash).await?;
        let oldest = self.clock.now_ms() - KEPT_MS;
        match known.filter(|known| known.created_at >= oldest) {
            Some(known) => claim.replay(known),
            None => Ok(Turn::First(claim)),
        }
    }

    async fn take(&self, tx: &mut Tx, claim: &Claim) -> Result<bool, AppError> {
        let now = self.clock.now_ms();
        let (key, request) = (&claim.key_hash, &claim.request_hash);
        Ok(idempotency::claim_key(tx, key, request, now, now - KEPT_MS, now - ABANDONED_MS).await?)
    }

    /// Takes a key in the transaction that carries the request out.
    pub(super) async fn claim(&self, tx: &mut Tx, claim: &Claim) -> Result<(), AppError> {
        if self.take(tx, claim).await? {
            return Ok(());
        }
        // The same request was carried out meanwhile: asked again, it has its answer.
        Err(busy())
    }

    /// Keeps the answer in that transaction.
    pub(super) async fn keep_answer_of(
        &self,
        tx: &mut Tx,
        claim: &Claim,
        status: u16,
        body: &str,
    ) -> Result<(), AppError> {
        Ok(idempotency::keep_answer(tx, &claim.key_hash, status, Some(body)).await?)
    }

    /// Keeps the answer of a request that was carried out; `body` is `None` when it holds a secret.
    pub async fn keep_answer(&self, claim: &Claim, status: u16, body: Option<&str>) -> Result<(), AppError> {
        let mut tx = self.store.write().await?;
        idempotency::keep_answer(&mut tx, &claim.key_hash, status, body).await?;
        Ok(tx.commit().await?)
    }

    /// Frees the key of a request that was not carried out.
    pub async fn give_turn_back(&self, claim: &Claim) -> Result<(), AppError> {
        let mut tx = self.store.write().await?;
        idempotency::release_key(&mut tx, &claim.key_hash).await?;
        Ok(tx.commit().await?)
    }

    /// Forgets keys that are too old to be repeated; says how many.
    pub async fn prune_idempotency_keys(&self) -> Result<u64, AppError> {
        let mut tx = self.store.write().await?;
        let forgotten = idempotency::prune_keys(&mut tx, self.clock.now_ms() - KEPT_MS).await?;
        tx.commit().await?;
        Ok(forgotten)
    }
}

/// SHA-256 over the parts, each with its length before it.
fn hash(parts: &[&[u8]]) -> String {
    let mut state = Sha256::new();
    for part in parts {
        state.update((part.len() as u64).to_be_bytes());
        state.update(part);
    }
    SecretHash::new(state.finalize().into()).to_hex()
}
