//! The one temporary folder of a run; everything that tests write lies in it.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};

use crate::process::wait_for;

static ROOT: OnceLock<PathBuf> = OnceLock::new();
/// Tests begin at once on several threads; one of them makes the folder.
static MAKING: Mutex<()> = Mutex::new(());

/// The run's folder, made at the first call (mode 0700, under `TMPDIR`).
pub fn root() -> Result<&'static Path> {
    let _making = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
    if ROOT.get().is_none() {
        let made = tempfile::Builder::new()
            .prefix("portolan-")
            .tempdir()
            .context("make the run's folder")?;
        drop(ROOT.set(made.keep()));
    }
    ROOT.get().map(PathBuf::as_path).context("the run has no folder")
}

/// A folder below the run's, made with its parents.
pub fn folder(name: &str) -> Result<PathBuf> {
    let path = root()?.join(name);
    std::fs::create_dir_all(&path).with_context(|| format!("make {}", path.display()))?;
    Ok(path)
}

/// Takes away what the run wrote, mounts of dead engines included.
pub fn remove() {
    let Some(root) = ROOT.get() else { return };
    let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let ours: Vec<&str> = mounts
        .lines()
        .filter_map(|line| line.split(' ').nth(1))
        .filter(|point| Path::new(point).starts_with(root))
        .collect();
    for point in ours.into_iter().rev() {
        drop(std::process::Command::new("umount").args(["-l", point]).output());
    }
    // Tests that were interrupted may still write into it for a moment.
    let removed = wait_for("the run's folder to go", Duration::from_secs(5), || {
        Ok(std::fs::remove_dir_all(root)
            .ok()
            .or_else(|| (!root.exists()).then_some(())))
    });
    if let Err(error) = removed {
        eprintln!("left behind: {}: {error:#}", root.display());
    }
}
