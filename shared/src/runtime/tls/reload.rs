//! A certificate that follows its files.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::{ExposedKey, TlsError, load_pair};

/// Serves the pair last read from two files, and looks at them again upon a handshake.
#[derive(Debug)]
pub(super) struct ReloadingCertificate {
    certificate: PathBuf,
    key: PathBuf,
    exposed: ExposedKey,
    every: Duration,
    current: RwLock<Arc<CertifiedKey>>,
    seen: Mutex<Seen>,
}

#[derive(Debug)]
struct Seen {
    looked_at: Instant,
    stamps: [Option<Stamp>; 2],
}

/// What changes when a file is replaced or written: inode, size, time of modification.
pub type Stamp = (u64, u64, i64, i64);

impl ReloadingCertificate {
    pub(super) fn load(
        certificate: &Path,
        key: &Path,
        exposed: ExposedKey,
        every: Duration,
    ) -> Result<Self, TlsError> {
        // Stamps first: a change between the two is then seen at the next look.
        let stamps = [stamp(certificate), stamp(key)];
        let current = load_pair(certificate, key, exposed)?;
        Ok(Self {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
            exposed,
            every,
            current: RwLock::new(Arc::new(current)),
            seen: Mutex::new(Seen {
                looked_at: Instant::now(),
                stamps,
            }),
        })
    }

    /// Two `stat` calls now and then; only one handshake does it, the others go on with what is there.
    fn refresh(&self) {
        let Ok(mut seen) = self.seen.try_lock() else {
            return;
        };
        if seen.looked_at.elapsed() < self.every {
            return;
        }
        seen.looked_at = Instant::now();
        let stamps = [stamp(&self.certificate), stamp(&self.key)];
        if stamps == seen.stamps {
            return;
        }
        // Noted before reading, so that an unusable pair is reported once, not upon every look.
        seen.stamps = stamps;
        match load_pair(&self.certificate, &self.key, self.exposed) {
            Ok(pair) => {
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(pair);
                tracing::info!(certificate = %self.certificate.display(), "read the TLS certificate again");
            }
            Err(error) => {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                tracing::error!(%error, cause, "the TLS certificate changed and cannot be used; the last one stays");
            }
        }
    }
}

impl ResolvesServerCert for ReloadingCertificate {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.refresh();
        Some(Arc::clone(
            &self.current.read().unwrap_or_else(PoisonError::into_inner),
        ))
    }
}

/// The stamp of a file that is there.
pub fn stamp(path: &Path) -> Option<Stamp> {
    let metadata = fs::metadata(path).ok()?;
    Some((
        metadata.ino(),
        metadata.size(),
        metadata.mtime(),
        metadata.mtime_nsec(),
    ))
}
