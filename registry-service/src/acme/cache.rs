//! The folder of the account's key and the certificates, with the names and contents that Go's `autocert` gives them:
//! `acme_account+key`, `HOST` with key and chain, and `HOST+token` while the authority validates.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use shared::runtime::tls::replace_private;

use super::AcmeError;

const ACCOUNT: &str = "acme_account+key";
/// Held by whoever orders. `autocert` has no such file, and leaves it alone.
const LOCK: &str = ".portolan.lock";

/// The folder.
#[derive(Debug, Clone)]
pub(super) struct Cache {
    folder: PathBuf,
}

/// The right to order; gone when dropped, or with the process.
#[derive(Debug)]
pub(super) struct Ordering {
    _lock: File,
}

impl Cache {
    /// Makes the folder when it is missing, for its owner alone.
    pub(super) fn open(folder: &Path) -> Result<Self, AcmeError> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.map_err(|source| AcmeError::Folder {
            doing: "making",
            path: folder.to_owned(),
            source,
        })?;
        Ok(Self {
            folder: folder.to_owned(),
        })
    }

    /// The file of a host's certificate and key.
    pub(super) fn certificate(&self, host: &str) -> PathBuf {
        self.folder.join(host)
    }

    /// The file of the certificate by which a host is validated.
    pub(super) fn validation(&self, host: &str) -> PathBuf {
        self.folder.join(format!("{host}+token"))
    }

    /// The file of the account's key.
    pub(super) fn account(&self) -> PathBuf {
        self.folder.join(ACCOUNT)
    }

    /// A file's content, when it is there.
    pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>, AcmeError> {
        match fs::read(path) {
            Ok(content) => Ok(Some(content)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(AcmeError::Folder {
                doing: "reading",
                path: path.to_owned(),
                source,
            }),
        }
    }

    /// Replaces a file, durably, for its owner alone.
    pub(super) fn write(path: &Path, content: &[u8]) -> Result<(), AcmeError> {
        Ok(replace_private(path, content)?)
    }

    /// Removes the answer to a validation that is over. One that stays does no harm.
    pub(super) fn forget_validation(&self, host: &str) {
        let _ = fs::remove_file(self.validation(host));
    }

    /// Takes the right to order; nothing when another process has it.
    pub(super) fn begin_ordering(&self) -> Result<Option<Ordering>, AcmeError> {
        let path = self.folder.join(LOCK);
        let fail = |source| AcmeError::Folder {
            doing: "locking",
            path: path.clone(),
            source,
        };
        let opened = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&path);
        let lock = opened.map_err(fail)?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(Ordering { _lock: lock })),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
            Err(error) => Err(fail(error.into())),
        }
    }
}
