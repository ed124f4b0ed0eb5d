//! Where keys come from: a certificate bundle, a JSON Web Key Set in a file, one behind a URL, or the process itself.
//!
//! Start-up never dials out: the last good set of the URL is kept on disk, and a first fetch happens in the background.
//! A fetch that fails changes nothing.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use reqwest::Url;
use shared::runtime::tls;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use super::jwks::Origin;
use super::key::{InvalidKey, MAX_DOCUMENT};
use super::key_ring::{KeyRing, KeySet};

/// How often the URL is asked.
const REFRESH: Duration = Duration::from_mins(1);
/// How often files are looked at for a change.
const LOOK: Duration = Duration::from_secs(10);
/// Least time between two refreshes that unknown key ids ask for.
const UNKNOWN_KEY_PAUSE: Duration = Duration::from_secs(10);
/// The same after a refresh that failed.
const FAILED_PAUSE: Duration = Duration::from_secs(1);
/// Longest a fetch may take in all.
const FETCH_TIME: Duration = Duration::from_secs(10);

/// What to take keys from. All that is named is taken together.
#[derive(Debug, Clone, Default)]
pub struct KeyLocations {
    /// PEM certificates (`rootcertbundle`).
    pub bundle: Option<PathBuf>,
    /// A JSON Web Key Set (`jwks`).
    pub jwks: Option<PathBuf>,
    /// The URL of a JSON Web Key Set (`jwksurl`), as the index publishes it.
    pub jwks_url: Option<Url>,
    /// Whose certificate is believed there instead of the system's authorities (`jwksurlca`).
    pub jwks_authorities: Option<PathBuf>,
    /// Where the last good set of the URL is kept.
    pub kept: Option<PathBuf>,
}

impl KeyLocations {
    fn is_empty(&self) -> bool {
        self.bundle.is_none() && self.jwks.is_none() && self.jwks_url.is_none()
    }
}

/// Why the keys cannot be had at the start.
#[derive(Debug, thiserror::Error)]
pub enum KeySourceError {
    /// A file cannot be read.
    #[error("cannot read the keys in {path}")]
    Read {
        /// Which file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// What was read cannot be taken.
    #[error("cannot take the keys for tokens")]
    Invalid(#[from] InvalidKey),
    /// The HTTP client cannot be set up.
    #[error("cannot set up the client that fetches keys")]
    Client(#[source] reqwest::Error),
    /// The authorities cannot be used.
    #[error("cannot take the authorities of the key set's URL")]
    Authorities(#[from] tls::TlsError),
    /// An answer of the URL is none.
    #[error("the key set's URL cannot be fetched")]
    Fetch(#[source] reqwest::Error),
    /// The URL answered with something else than 200.
    #[error("the key set's URL answered with status {0}")]
    Status(u16),
    /// No answer within the time.
    #[error("the key set's URL did not answer in time")]
    Late,
}

/// Keeps a [`KeyRing`] current. Clones are the same source.
#[derive(Debug, Clone)]
pub struct KeySource(Arc<Source>);

#[derive(Debug)]
struct Source {
    ring: KeyRing,
    locations: KeyLocations,
    client: Option<reqwest::Client>,
    state: Mutex<State>,
    /// When a refresh for an unknown key last came to its end, and how long there is none; held while one is under way, so that
    /// there is one at a time.
    asked: tokio::sync::Mutex<Option<(Instant, Duration)>>,
    /// Held during a fetch: an answer must not take the place of one that was asked for later.
    fetching: tokio::sync::Mutex<()>,
}

/// The documents that the ring was last made of.
#[derive(Debug, Default)]
struct State {
    fetched: Option<Vec<u8>>,
    changed: Vec<Option<SystemTime>>,
}

impl KeySource {
    /// A ring that somebody else in this process keeps current.
    pub fn fixed(ring: KeyRing) -> Self {
        Self(Arc::new(Source {
            ring,
            locations: KeyLocations::default(),
            client: None,
            state: Mutex::default(),
            asked: tokio::sync::Mutex::default(),
            fetching: tokio::sync::Mutex::default(),
        }))
    }

    /// Reads what lies in files; without any connection to anybody.
    pub fn open(locations: KeyLocations) -> Result<Self, KeySourceError> {
        let authorities = locations.jwks_authorities.as_deref();
        let client = locations
            .jwks_url
            .as_ref()
            .map(|url| client(url, authorities))
            .transpose()?;
        let kept = locations
            .kept
            .as_deref()
            .and_then(|path| std::fs::read(path).ok());
        let source = Source {
            ring: KeyRing::default(),
            locations,
            client,
            state: Mutex::new(State {
                // A kept set that is damaged is as good as none.
                fetched: kept.filter(|document| KeySet::parse(None, &[document]).is_ok()),
                changed: Vec::new(),
            }),
            asked: tokio::sync::Mutex::default(),
            fetching: tokio::sync::Mutex::default(),
        };
        source.load()?;
        Ok(Self(Arc::new(source)))
    }

    /// The keys.
    pub fn ring(&self) -> &KeyRing {
        &self.0.ring
    }

    /// Keeps the ring current in the background, until the source is dropped. Must be called inside a runtime.
    pub fn keep_current(&self) {
        if self.0.locations.is_empty() {
            return;
        }
        let source = Arc::downgrade(&self.0);
        tokio::spawn(async move {
            let mut ticks = interval(LOOK);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            let mut fetched: Option<Instant> = None;
            loop {
                ticks.tick().await;
                let Some(source) = source.upgrade() else { return };
                let due = fetched.is_none_or(|at| at.elapsed() >= REFRESH);
                if due {
                    fetched = Some(Instant::now());
                }
                source.refresh(due).await;
            }
        });
    }

    /// Looks for new keys because a token names one that is not known: at most once in ten seconds, a second after it failed, and
    /// one at a time. Whether it looked (or another request did meanwhile), so that trying again makes sense.
    pub(super) async fn refresh_now(&self) -> bool {
        // Whoever keeps a fixed ring current has put its keys there already.
        if self.0.locations.is_empty() {
            return false;
        }
        let called = Instant::now();
        let mut asked = self.0.asked.lock().await;
        match *asked {
            // Another request looked while this one waited.
            Some((at, _)) if at >= called => return true,
            Some((at, pause)) if at.elapsed() < pause => return false,
            _ => {}
        }
        let is_read = self.0.refresh(true).await;
        let pause = if is_read { UNKNOWN_KEY_PAUSE } else { FAILED_PAUSE };
        *asked = Some((Instant::now(), pause));
        true
    }
}

impl Source {
    /// Puts what the documents hold to use.
    fn load(&self) -> Result<(), KeySourceError> {
        let changed = self.changed();
        let read = |path: &Option<PathBuf>| path.as_deref().map(read).transpose();
        let bundle = read(&self.locations.bundle)?;
        let jwks = read(&self.locations.jwks)?;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let fetched: Vec<&[u8]> = state.fetched.iter().map(Vec::as_slice).collect();
        let mut keys = KeySet::parse(bundle.as_deref(), &fetched)?;
        if let Some(document) = &jwks {
            keys.add(document, Origin::OwnFile)?;
        }
        self.ring.replace(keys);
        state.changed = changed;
        Ok(())
    }

    fn changed(&self) -> Vec<Option<SystemTime>> {
        let files = [&self.locations.bundle, &self.locations.jwks];
        let modified = |path: &PathBuf| std::fs::metadata(path).and_then(|data| data.modified()).ok();
        files
            .into_iter()
            .map(|path| path.as_ref().and_then(modified))
            .collect()
    }

    /// Takes what changed; says whether all could be read. What fails is logged and leaves the last good keys in use.
    async fn refresh(&self, fetch: bool) -> bool {
        let mut is_read = true;
        let changed = self.changed();
        let mut is_new = {
            let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            changed != state.changed
        };
        if fetch && let Some(url) = &self.locations.jwks_url {
            let _one_at_a_time = self.fetching.lock().await;
            match self.fetch(url).await {
                Ok(document) => is_new |= self.take(document),
                Err(error) => {
                    is_read = false;
                    let error: &dyn std::error::Error = &error;
                    tracing::warn!(
                        error,
                        "the keys for tokens could not be fetched; the last good ones stay in use"
                    );
                }
            }
        }
        if is_new && let Err(error) = self.load() {
            is_read = false;
            let error: &dyn std::error::Error = &error;
            tracing::warn!(
                error,
                "the keys for tokens could not be read; the last good ones stay in use"
            );
        }
        is_read
    }

    /// Whether the document is another one than before. It is kept on disk.
    fn take(&self, document: Vec<u8>) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.fetched.as_ref() == Some(&document) {
            return false;
        }
        if let Some(path) = &self.locations.kept
            && let Err(error) = keep(path, &document)
        {
            tracing::warn!(%error, "the fetched keys could not be kept for the next start");
        }
        state.fetched = Some(document);
        true
    }

    async fn fetch(&self, url: &Url) -> Result<Vec<u8>, KeySourceError> {
        let Some(client) = &self.client else {
            return Err(KeySourceError::Late);
        };
        let fetched = async {
            let mut answer = match client.get(url.clone()).send().await {
                Ok(answer) => answer,
                // A replica of the index may have ended this moment, and another one answers.
                Err(_) => client
                    .get(url.clone())
                    .send()
                    .await
                    .map_err(KeySourceError::Fetch)?,
            };
            if answer.status() != reqwest::StatusCode::OK {
                return Err(KeySourceError::Status(answer.status().as_u16()));
            }
            let mut document = Vec::new();
            while let Some(piece) = answer.chunk().await.map_err(KeySourceError::Fetch)? {
                if document.len() + piece.len() > MAX_DOCUMENT {
                    return Err(InvalidKey::TooLarge.into());
                }
                document.extend_from_slice(&piece);
            }
            KeySet::parse(None, &[&document])?;
            Ok(document)
        };
        timeout(FETCH_TIME, fetched)
            .await
            .map_err(|_| KeySourceError::Late)?
    }
}

/// A client without redirects, ambient proxies or endless waiting.
fn client(url: &Url, authorities: Option<&Path>) -> Result<reqwest::Client, KeySourceError> {
    let mut builder = reqwest::Client::builder();
    if let Some(authorities) = authorities {
        builder = builder.tls_backend_preconfigured(tls::trusting(authorities)?);
    } else if url.scheme() == "http" {
        // No certificate is looked at, so a machine without any authority will do.
        builder = builder.tls_certs_only([]);
    }
    builder
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        // One request a minute: a connection that was kept would be closed by the other side as often as not.
        .pool_max_idle_per_host(0)
        .connect_timeout(Duration::from_secs(5))
        .timeout(FETCH_TIME)
        .build()
        .map_err(KeySourceError::Client)
}

fn read(path: &Path) -> Result<Vec<u8>, KeySourceError> {
    std::fs::read(path).map_err(|source| KeySourceError::Read {
        path: path.to_owned(),
        source,
    })
}

/// Replaces the file as a whole, so that a crash leaves the old set or the new one.
fn keep(path: &Path, document: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let new = path.with_extension("new");
    std::fs::write(&new, document)?;
    std::fs::rename(&new, path)
}

#[cfg(test)]
mod tests;
