//! The brake on guessing: whoever shows too many *different* wrong passwords for one name from one network waits. The same
//! wrong password counts once however often it is shown, so that a stale one on any number of machines locks nobody out.
//!
//! What is remembered lies in the database, where every replica sees it: keyed hashes of name and network, and of the
//! password. Rows are as many as passwords can be hashed in a quarter of an hour, and are forgotten after it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_lc_rs::hmac;
use shared::network::Network;
use shared::secret::Secret;
use tokio::sync::{OnceCell, oneshot};

use super::App;
use super::caller::Client;
use super::error::AppError;
use crate::store::wrong_secret::{
    count_wrong_secrets, find_wrong_secret, note_wrong_secret, prune_wrong_secrets,
};
use crate::store::{Store, StoreError, Tx, setting};

/// Different wrong secrets for one name from one network that are one too many.
pub(super) const MAX_DISTINCT: i64 = 10;
/// How long a wrong secret counts, in milliseconds: a quarter of an hour.
const WINDOW_MS: i64 = 15 * 60_000;
/// A secret that was wrong this long ago, in milliseconds, needs not be written down again.
const REPEAT_MS: i64 = 60_000;
/// Different unknown secrets in leak reports of one network that are one too many.
const MAX_LEAKS: i64 = 1000;
/// How long a wrong secret waits for others that are written down with it.
const GATHERED: Duration = Duration::from_millis(100);
/// Where the key is kept among the settings.
const KEY: &str = "brake_key";

/// The key of what is remembered, once it was asked for.
#[derive(Debug, Default)]
pub(super) struct BrakeKey(OnceCell<hmac::Key>);

/// Who guesses about whom: a keyed hash.
#[derive(Debug)]
pub(super) struct Subject(String);

/// A wrong secret, shown at a time in milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Wrong {
    subject: String,
    fingerprint: String,
    at: i64,
}

/// Wrong secrets that are written down together: each commit is synced, and a flood of guesses would be a flood of syncs. They are
/// no more than passwords that can be hashed within the time.
#[derive(Debug, Default)]
pub(super) struct Wrongs(Arc<Mutex<Vec<WaitingWrong>>>);

/// With whoever waits for it to be written.
type WaitingWrong = (Wrong, oneshot::Sender<()>);

impl Wrongs {
    /// Writes it down with those of the same moment. Whether that was done.
    async fn gather(&self, store: &Store, wrong: Wrong) -> bool {
        let (done, written) = oneshot::channel();
        let is_first = {
            let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            waiting.push((wrong, done));
            waiting.len() == 1
        };
        if is_first {
            // On its own, so that a client that goes away takes nobody's guess with it.
            let (waiting, store) = (Arc::clone(&self.0), store.clone());
            tokio::spawn(async move {
                tokio::time::sleep(GATHERED).await;
                let all = std::mem::take(&mut *waiting.lock().unwrap_or_else(PoisonError::into_inner));
                let (wrongs, done): (Vec<_>, Vec<_>) = all.into_iter().unzip();
                if write_wrongs(&store, &wrongs).await.is_ok() {
                    for done in done {
                        // Whoever has gone away does not listen.
                        let _ = done.send(());
                    }
                }
            });
        }
        written.await.is_ok()
    }
}

async fn write_wrongs(store: &Store, wrongs: &[Wrong]) -> Result<(), StoreError> {
    let mut wrongs: Vec<&Wrong> = wrongs.iter().collect();
    // Replicas that write the same rows wait for each other in one order.
    wrongs.sort();
    let mut tx = store.write().await?;
    for wrong in wrongs {
        note_wrong_secret(&mut tx, &wrong.subject, &wrong.fingerprint, wrong.at).await?;
    }
    tx.commit().await
}

impl App {
    /// Refuses to look at a password for this name from this network while too many were wrong.
    pub(super) async fn check_brake(&self, username: &str, client: &Client) -> Result<Subject, AppError> {
        let name = username.to_ascii_lowercase();
        let subject = self.subject(b"password", name.as_bytes(), client).await?;
        let mut tx = self.store.read().await?;
        self.brake(&mut tx, &subject, MAX_DISTINCT).await?;
        Ok(subject)
    }

    /// The same for reports of leaked secrets.
    pub(super) async fn check_leak_brake(&self, client: &Client) -> Result<Subject, AppError> {
        let subject = self.subject(b"leaks", b"", client).await?;
        let mut tx = self.store.read().await?;
        self.brake(&mut tx, &subject, MAX_LEAKS).await?;
        Ok(subject)
    }

    /// Remembers that a password was wrong.
    pub(super) async fn note_wrong(
        &self,
        subject: &Subject,
        password: &Secret<String>,
    ) -> Result<(), AppError> {
        let fingerprint = self.fingerprint(subject, password).await?;
        let now = self.clock.now_ms();
        let mut tx = self.store.read().await?;
        let seen = find_wrong_secret(&mut tx, &subject.0, &fingerprint).await?;
        drop(tx);
        if seen.is_some_and(|at| now - at < REPEAT_MS) {
            return Ok(());
        }
        let wrong = Wrong {
            subject: subject.0.clone(),
            fingerprint,
            at: now,
        };
        if self.wrongs.gather(&self.store, wrong.clone()).await {
            return Ok(());
        }
        // What several wrote together failed: this one may succeed, and knows why if it does not.
        Ok(write_wrongs(&self.store, &[wrong]).await?)
    }

    /// Remembers an unknown secret of a report.
    pub(super) async fn note_unknown(
        &self,
        tx: &mut Tx,
        subject: &Subject,
        secret: &Secret<String>,
    ) -> Result<(), AppError> {
        let fingerprint = self.fingerprint(subject, secret).await?;
        Ok(note_wrong_secret(tx, &subject.0, &fingerprint, self.clock.now_ms()).await?)
    }

    /// Forgets what no longer counts.
    pub async fn prune_wrong_secrets(&self) -> Result<(), AppError> {
        let mut tx = self.store.write().await?;
        prune_wrong_secrets(&mut tx, self.clock.now_ms() - WINDOW_MS).await?;
        Ok(tx.commit().await?)
    }

    async fn brake(&self, tx: &mut Tx, subject: &Subject, limit: i64) -> Result<(), AppError> {
        let now = self.clock.now_ms();
        let wrong = count_wrong_secrets(tx, &subject.0, now - WINDOW_MS).await?;
        if wrong.distinct < limit {
            return Ok(());
        }
        let wait_ms = wrong.oldest.map_or(WINDOW_MS, |oldest| oldest + WINDOW_MS - now);
        Err(AppError::braked(
            "too many different wrong secrets came from your network",
            wait_ms,
        ))
    }

    async fn subject(&self, kind: &[u8], name: &[u8], client: &Client) -> Result<Subject, AppError> {
        let network = network_of(client);
        Ok(Subject(
            self.mac(&[b"subject", kind, network.as_bytes(), name]).await?,
        ))
    }

    /// The network of a client as it is kept: a keyed hash, another one for each purpose.
    pub(super) async fn origin(&self, purpose: &[u8], client: &Client) -> Result<String, AppError> {
        self.mac(&[b"origin", purpose, network_of(client).as_bytes()])
            .await
    }

    async fn fingerprint(&self, subject: &Subject, secret: &Secret<String>) -> Result<String, AppError> {
        self.mac(&[b"secret", subject.0.as_bytes(), secret.expose().as_bytes()])
            .await
    }

    /// The first 16 bytes of a MAC over the parts, in hexadecimal.
    async fn mac(&self, parts: &[&[u8]]) -> Result<String, AppError> {
        let key = self.brake_key.0.get_or_try_init(|| self.read_brake_key()).await?;
        let mut context = hmac::Context::with_key(key);
        for part in parts {
            // With its length before it no part can be taken for two.
            context.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            context.update(part);
        }
        Ok(hexadecimal(&context.sign().as_ref()[..16]))
    }

    /// The key that all replicas share, made by the first that asks.
    async fn read_brake_key(&self) -> Result<hmac::Key, AppError> {
        let mut tx = self.store.read().await?;
        let mut kept = setting::find_setting(&mut tx, KEY).await?;
        drop(tx);
        if kept.is_none() {
            let mut tx = self.store.write().await?;
            // Another replica may have been first.
            kept = setting::find_setting(&mut tx, KEY).await?;
            if kept.is_none() {
                let made = hexadecimal(&self.random.bytes::<32>());
                setting::put_setting(&mut tx, KEY, &made).await?;
                tx.commit().await?;
                // Read again: of two replicas at once, the last to write has decided.
                let mut tx = self.store.read().await?;
                kept = setting::find_setting(&mut tx, KEY).await?;
            }
        }
        let key = Secret::new(kept.unwrap_or_default());
        Ok(hmac::Key::new(hmac::HMAC_SHA256, key.expose().as_bytes()))
    }
}

/// The network that a client is in; empty for a socket of this machine.
fn network_of(client: &Client) -> String {
    client
        .address
        .map(|address| Network::around(address).to_string())
        .unwrap_or_default()
}

fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write as _;

    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
