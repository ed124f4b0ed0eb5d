//! The data folder: what lies where.

use std::fs::DirBuilder;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use index_service::token::MasterKey;
use shared::runtime::tls::{check_private, write_private};
use shared::secret::Secret;

/// Bytes of the secret that upload sessions are signed with.
const SECRET_LENGTH: usize = 32;

/// A data folder that exists.
#[derive(Debug, Clone)]
pub(crate) struct DataFolder {
    dir: PathBuf,
    master_key_file: Option<PathBuf>,
}

impl DataFolder {
    /// The folder at `dir`, made with mode 0700 when it is not there yet.
    pub(crate) fn make(dir: &Path) -> anyhow::Result<Self> {
        if !dir.is_dir() {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(dir)
                .with_context(|| format!("making the data folder {}", dir.display()))?;
        }
        Self::at(dir)
    }

    /// The folder at `dir`, which a first start has made.
    pub(crate) fn find(dir: &Path) -> anyhow::Result<Self> {
        let found = Self::at(dir)?;
        anyhow::ensure!(
            found.dir.join("index.db").exists(),
            "{} holds no data yet; start `portolan up --data {}` first, or say --data DIR",
            dir.display(),
            dir.display()
        );
        Ok(found)
    }

    fn at(dir: &Path) -> anyhow::Result<Self> {
        let absolute = std::path::absolute(dir).with_context(|| format!("finding {}", dir.display()))?;
        let metadata = absolute.metadata().with_context(|| {
            format!(
                "opening the data folder {}; start `portolan up` first, or say --data DIR",
                dir.display()
            )
        })?;
        anyhow::ensure!(metadata.is_dir(), "{} is not a folder", dir.display());
        // The last six bits are those of the group and of others.
        let mode = metadata.permissions().mode() & 0o777;
        anyhow::ensure!(
            mode.trailing_zeros() >= 6,
            "the data folder {} holds keys but can be opened by others (mode {mode:04o}); type: chmod 700 {}",
            dir.display(),
            dir.display()
        );
        Ok(Self {
            dir: absolute,
            master_key_file: None,
        })
    }

    /// The same, with the file of the master key.
    pub(crate) fn with_master_key(mut self, file: Option<&Path>) -> Self {
        self.master_key_file = file.map(Path::to_owned);
        self
    }

    /// What the signing keys are encrypted with, if anything.
    pub(crate) fn master_key(&self) -> anyhow::Result<Option<MasterKey>> {
        self.master_key_file.as_deref().map(read_master_key).transpose()
    }

    /// The folder itself.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// The URL of the index's database.
    pub(crate) fn database(&self) -> String {
        format!("sqlite://{}", self.dir.join("index.db").display())
    }

    /// The certificate that vouches for the signing keys; and the keys themselves, when an older version made them.
    pub(crate) fn keys(&self) -> PathBuf {
        self.dir.join("keys")
    }

    /// The storage root, laid out as distribution's `rootdirectory`.
    pub(crate) fn registry(&self) -> PathBuf {
        self.dir.join("registry")
    }

    /// The first password of `admin`, until it is changed.
    pub(crate) fn initial_admin_password(&self) -> PathBuf {
        self.dir.join("initial-admin-password")
    }

    /// The certificate and key of `--tls-self-signed` for one host.
    pub(crate) fn self_signed(&self, host: &str) -> (PathBuf, PathBuf) {
        let stem: String = host
            .chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() || c == '.' {
                    c
                } else {
                    '-'
                }
            })
            .collect();
        (
            self.dir.join(format!("tls-{stem}.pem")),
            self.dir.join(format!("tls-{stem}.key")),
        )
    }

    /// The secret that upload sessions are signed with, made at the first start from `random`.
    pub(crate) fn upload_secret(
        &self,
        random: impl FnOnce(&mut [u8]) -> anyhow::Result<()>,
    ) -> anyhow::Result<Secret<Vec<u8>>> {
        let path = self.dir.join("upload-secret");
        if !path.exists() {
            let mut fresh = vec![0; SECRET_LENGTH];
            random(&mut fresh)?;
            write_private(&path, &fresh).context("keeping the secret of upload sessions")?;
        }
        check_private(&path)?;
        let secret = std::fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
        anyhow::ensure!(
            secret.len() == SECRET_LENGTH,
            "{} is damaged; remove it to have it made anew",
            path.display()
        );
        Ok(Secret::new(secret))
    }
}

/// The master key in a file that its owner alone can read.
pub(crate) fn read_master_key(path: &Path) -> anyhow::Result<MasterKey> {
    check_private(path)?;
    let text = std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    MasterKey::parse(&Secret::new(text)).with_context(|| format!("the master key in {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_is_made_for_its_owner_alone_and_found_again() {
        let parent = tempfile::tempdir().unwrap();
        let dir = parent.path().join("a/b");
        let made = DataFolder::make(&dir).unwrap();
        assert_eq!(dir.metadata().unwrap().permissions().mode() & 0o777, 0o700);
        let secret = made
            .upload_secret(|bytes| {
                bytes.fill(7);
                Ok(())
            })
            .unwrap();
        let again = DataFolder::make(&dir)
            .unwrap()
            .upload_secret(|_| anyhow::bail!("asked twice"))
            .unwrap();
        assert_eq!(secret, again);
    }

    #[test]
    fn a_folder_that_others_can_open_is_refused_with_the_command_that_mends_it() {
        let parent = tempfile::tempdir().unwrap();
        std::fs::set_permissions(parent.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let refusal = DataFolder::make(parent.path()).unwrap_err().to_string();
        assert!(refusal.contains("chmod 700"), "{refusal}");
    }

    #[test]
    fn administration_of_a_folder_without_data_says_what_to_do() {
        let parent = tempfile::tempdir().unwrap();
        let missing = DataFolder::find(&parent.path().join("x")).unwrap_err();
        assert!(format!("{missing:#}").contains("portolan up"), "{missing:#}");
    }
}
