//! A folder whose files one recipient reads.

use std::fs::DirBuilder;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use shared::runtime::private_file::{replace_private, write_private};

/// One that exists, and that its owner alone can open.
#[derive(Debug, Clone)]
pub(super) struct Folder {
    path: PathBuf,
    owner: u32,
}

impl Folder {
    /// The folder of this name below `parent`, made when it is not there.
    pub(super) fn make(parent: &Path, name: &str, owner: u32) -> anyhow::Result<Self> {
        let path = parent.join(name);
        if !path.is_dir() {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(&path)
                .with_context(|| format!("making {}", path.display()))?;
        }
        let folder = Self { path, owner };
        std::fs::set_permissions(&folder.path, std::fs::Permissions::from_mode(0o700))
            .with_context(|| format!("closing {} to others", folder.path.display()))?;
        folder.give(&folder.path)?;
        Ok(folder)
    }

    /// Where a file of this name lies.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// What the file holds; made by `fresh` at the first time, and never again.
    pub(super) fn secret(&self, name: &str, fresh: impl FnOnce() -> String) -> anyhow::Result<String> {
        let path = self.path(name);
        if !path.exists() {
            write_private(&path, fresh().as_bytes())?;
        }
        self.give(&path)?;
        let text = std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        let text = text.trim().to_owned();
        anyhow::ensure!(
            !text.is_empty(),
            "{} is empty: put the backup of it back",
            path.display()
        );
        Ok(text)
    }

    /// Writes a file, unless it holds this already.
    pub(super) fn write(&self, name: &str, text: &str) -> anyhow::Result<()> {
        let path = self.path(name);
        if std::fs::read(&path).ok().as_deref() != Some(text.as_bytes()) {
            replace_private(&path, text.as_bytes())?;
        }
        self.give(&path)
    }

    /// Only root can give files away; whoever else runs this keeps them.
    fn give(&self, path: &Path) -> anyhow::Result<()> {
        if rustix::process::geteuid().is_root() {
            chown(path, Some(self.owner), Some(self.owner))
                .with_context(|| format!("giving {} to the user {}", path.display(), self.owner))?;
        }
        Ok(())
    }
}
