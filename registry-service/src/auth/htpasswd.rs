//! Accounts in a file, as `htpasswd -B` of Apache writes it: a name, a colon, a bcrypt hash. Lines with other hashes are
//! passed over, as distribution does.
//!
//! A verified password is remembered for some minutes under a code that only this process can make, so that a pull of 50
//! layers does not hash 50 times. The hash itself goes into the code: a changed file ends what was remembered.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use moka::sync::Cache;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Largest file that is read.
const MAX_FILE: u64 = 16 << 20;
/// Passwords that are remembered.
const REMEMBERED: u64 = 10_000;
/// For how long.
const MEMORY: Duration = Duration::from_mins(5);
/// Logins that wait for their turn to be hashed.
const MAX_WAITING: usize = 64;
/// What bcrypt reads of a password; of a longer one the rest would not count.
const MAX_PASSWORD: usize = 72;
/// A name is no secret, but a file is read for it: bounded.
const MAX_NAME: usize = 256;

/// The accounts of one file.
#[derive(Debug)]
pub struct Htpasswd {
    /// `realm`, as the challenge names it.
    realm: String,
    file: PathBuf,
    accounts: RwLock<Arc<Accounts>>,
    /// When the file was last looked at, seconds since the epoch.
    looked: AtomicI64,
    remembered: Cache<[u8; 32], ()>,
    code: hmac::Key,
    hashing: Arc<Semaphore>,
    waiting: AtomicUsize,
}

#[derive(Debug, Default)]
struct Accounts {
    /// Of the file when it was read.
    stamp: Option<Stamp>,
    hashes: HashMap<String, String>,
    /// The most that a password costs, so that an unknown name costs as much as a known one.
    decoy: Option<String>,
}

type Stamp = (Option<SystemTime>, u64);

/// Why somebody is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rejection {
    /// No name and password were shown.
    NoCredentials,
    /// No such account, or another password: nobody is told which.
    Wrong,
    /// Too many passwords wait to be verified.
    TooManyLogins,
}

impl Htpasswd {
    /// Reads the file. A missing one is made, with an account `docker` whose random password is shown once in the log,
    /// as distribution does.
    pub fn open(realm: String, file: PathBuf, random: &dyn Fn() -> [u8; 16]) -> io::Result<Self> {
        if !file.exists() {
            provision(&file, random)?;
        }
        let accounts = Accounts::read(&file)?;
        let secret = [random(), random()].concat();
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Ok(Self {
            realm,
            file,
            accounts: RwLock::new(Arc::new(accounts)),
            looked: AtomicI64::new(0),
            remembered: Cache::builder()
                .max_capacity(REMEMBERED)
                .time_to_live(MEMORY)
                .build(),
            code: hmac::Key::new(hmac::HMAC_SHA256, &secret),
            hashing: Arc::new(Semaphore::new(cores)),
            waiting: AtomicUsize::new(0),
        })
    }

    /// The value of `WWW-Authenticate` (RFC 7617).
    pub fn challenge(&self) -> String {
        let mut challenge = "Basic realm=\"".to_owned();
        for c in self.realm.chars() {
            if matches!(c, '"' | '\\') {
                challenge.push('\\');
            }
            challenge.push(c);
        }
        challenge + "\""
    }

    /// The name of the account whose password is shown. `authorization` is the value of that header, `now_s` the time in
    /// seconds since the epoch.
    pub async fn verify(&self, authorization: Option<&[u8]>, now_s: i64) -> Result<String, Rejection> {
        let (name, password) = authorization
            .and_then(credentials)
            .ok_or(Rejection::NoCredentials)?;
        let accounts = self.accounts(now_s);
        let Some(hash) = accounts.hashes.get(&name) else {
            if let Some(decoy) = accounts.decoy.clone() {
                self.compare(password, decoy).await?;
            }
            return Err(Rejection::Wrong);
        };
        let code = self.code(&name, &password, hash);
        if self.remembered.contains_key(&code) {
            return Ok(name);
        }
        if !self.compare(password, hash.clone()).await? {
            return Err(Rejection::Wrong);
        }
        self.remembered.insert(code, ());
        Ok(name)
    }

    /// The hash of an account's password, as the file has it now.
    pub(super) fn hash_of(&self, account: &str, now_s: i64) -> Option<String> {
        self.accounts(now_s).hashes.get(account).cloned()
    }

    /// The accounts of now: the file is looked at once a second, and read when it has changed.
    fn accounts(&self, now_s: i64) -> Arc<Accounts> {
        let known = Arc::clone(&self.accounts.read().unwrap_or_else(PoisonError::into_inner));
        if self.looked.swap(now_s, Ordering::Relaxed) == now_s {
            return known;
        }
        let stamp = fs::metadata(&self.file).map(|data| stamp(&data));
        if stamp.as_ref().ok() == known.stamp.as_ref() {
            return known;
        }
        match stamp.and_then(|_| Accounts::read(&self.file)) {
            Ok(read) => {
                tracing::info!(
                    accounts = read.hashes.len(),
                    "the file of accounts has changed and was read again"
                );
                let read = Arc::new(read);
                *self.accounts.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&read);
                read
            }
            Err(error) => {
                tracing::error!(%error, file = %self.file.display(), "the file of accounts cannot be read; the accounts from before stay");
                known
            }
        }
    }

    async fn compare(&self, password: Vec<u8>, hash: String) -> Result<bool, Rejection> {
        let place = match Arc::clone(&self.hashing).try_acquire_owned() {
            Ok(place) => place,
            Err(_) => self.wait().await?,
        };
        let compared = tokio::task::spawn_blocking(move || {
            // Held to the end of the work, also when the client has gone.
            let _place = place;
            password.len() <= MAX_PASSWORD && bcrypt::verify(&password, &hash).unwrap_or(false)
        });
        // A panic is told by the hook, and lets nobody in.
        Ok(compared.await.unwrap_or(false))
    }

    async fn wait(&self) -> Result<OwnedSemaphorePermit, Rejection> {
        let _waiting = Waiting::begin(&self.waiting).ok_or(Rejection::TooManyLogins)?;
        let place = Arc::clone(&self.hashing).acquire_owned().await;
        place.map_err(|_| Rejection::TooManyLogins)
    }

    fn code(&self, name: &str, password: &[u8], hash: &str) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.code);
        for part in [name.as_bytes(), password, hash.as_bytes()] {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        let mut code = [0; 32];
        for (to, from) in code.iter_mut().zip(context.sign().as_ref()) {
            *to = *from;
        }
        code
    }
}

/// A place in the queue, left however the waiting ends.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn begin(count: &'a AtomicUsize) -> Option<Self> {
        let waiting = Self(count);
        (count.fetch_add(1, Ordering::Relaxed) < MAX_WAITING).then_some(waiting)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Accounts {
    fn read(file: &Path) -> io::Result<Self> {
        let open = fs::File::open(file)?;
        let stamp = stamp(&open.metadata()?);
        let mut text = String::new();
        open.take(MAX_FILE + 1).read_to_string(&mut text)?;
        if text.len() as u64 > MAX_FILE {
            return Err(io::Error::other("the file of accounts is larger than 16 MiB"));
        }
        let mut accounts = Self {
            stamp: Some(stamp),
            ..Self::default()
        };
        let mut costliest = 0;
        let mut passed_over = 0;
        for line in text
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
        {
            let parts = line.split_once(':').filter(|(name, _)| !name.is_empty());
            let parsed =
                parts.and_then(|(name, hash)| Some((name, hash, bcrypt::HashParts::from_str(hash).ok()?)));
            let Some((name, hash, parts)) = parsed else {
                passed_over += 1;
                continue;
            };
            if parts.get_cost() > costliest {
                costliest = parts.get_cost();
                accounts.decoy = Some(hash.to_owned());
            }
            accounts.hashes.insert(name.to_owned(), hash.to_owned());
        }
        if passed_over > 0 {
            tracing::warn!(
                lines = passed_over,
                "lines of the file of accounts hold no bcrypt hash (htpasswd -B) and let nobody in"
            );
        }
        Ok(accounts)
    }
}

fn stamp(data: &fs::Metadata) -> Stamp {
    (data.modified().ok(), data.len())
}

/// Name and password of a `Basic` header (RFC 7617, UTF-8).
fn credentials(authorization: &[u8]) -> Option<(String, Vec<u8>)> {
    const SCHEME: &[u8] = b"basic ";
    let (scheme, rest) = authorization.split_at_checked(SCHEME.len())?;
    if !scheme.eq_ignore_ascii_case(SCHEME) {
        return None;
    }
    let decoded = STANDARD.decode(rest.trim_ascii()).ok()?;
    let colon = decoded.iter().position(|byte| *byte == b':')?;
    let name = std::str::from_utf8(&decoded[..colon]).ok()?;
    (name.len() <= MAX_NAME).then(|| (name.to_owned(), decoded[colon + 1..].to_vec()))
}

/// Whether a name or a password is shown at all: clients send an empty pair for nobody.
pub(super) fn is_basic(authorization: &[u8]) -> bool {
    const SCHEME: &[u8] = b"basic ";
    let scheme = authorization.split_at_checked(SCHEME.len());
    scheme.is_some_and(|(scheme, _)| scheme.eq_ignore_ascii_case(SCHEME))
        && credentials(authorization).is_none_or(|(name, password)| !name.is_empty() || !password.is_empty())
}

/// Makes the file with the account `docker`.
fn provision(file: &Path, random: &dyn Fn() -> [u8; 16]) -> io::Result<()> {
    let password = random().iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    });
    let hash = bcrypt::hash(&password, bcrypt::DEFAULT_COST).map_err(io::Error::other)?;
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut made = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)?;
    made.write_all(format!("docker:{hash}\n").as_bytes())?;
    made.sync_all()?;
    tracing::warn!(user = "docker", password, file = %file.display(), "htpasswd is missing, provisioning with default user");
    Ok(())
}

#[cfg(test)]
mod tests;
