//! The binaries under test: built once at the start of a run, or taken from where the environment says.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context, Result, anyhow, ensure};

use crate::environment::variable;

static FOLDER: OnceLock<PathBuf> = OnceLock::new();

/// Takes the binaries from this folder, whatever the environment says.
pub fn take_from(folder: &Path) -> Result<()> {
    let folder = folder
        .canonicalize()
        .with_context(|| format!("the binaries in {}", folder.display()))?;
    FOLDER
        .set(folder)
        .map_err(|_| anyhow!("the binaries were taken from elsewhere"))
}

/// Builds all binaries of the workspace in the profile of this test binary, unless a folder is given.
pub fn prepare() -> Result<()> {
    if FOLDER.get().is_some() {
        return Ok(());
    }
    let folder = match variable("PORTOLAN_TEST_BIN_DIR") {
        Some(folder) => PathBuf::from(folder)
            .canonicalize()
            .context("read PORTOLAN_TEST_BIN_DIR")?,
        None => build()?,
    };
    eprintln!("binaries under test: {}", folder.display());
    // A second call keeps the first folder: both were built from the same sources.
    drop(FOLDER.set(folder));
    Ok(())
}

/// The path of a binary of ours.
pub fn path_of(name: &str) -> Result<PathBuf> {
    let folder = FOLDER
        .get()
        .ok_or_else(|| anyhow!("the binaries were not prepared"))?;
    let path = folder.join(name);
    ensure!(path.is_file(), "{} is not there", path.display());
    Ok(path)
}

fn build() -> Result<PathBuf> {
    let cargo = variable("CARGO").unwrap_or_else(|| "cargo".to_owned());
    let root = workspace_root();
    let profile: &[&str] = if cfg!(debug_assertions) {
        &[]
    } else {
        &["--release"]
    };
    eprintln!(
        "building the binaries under test: cargo build --workspace --bins {}",
        profile.join(" ")
    );
    let status = Command::new(&cargo)
        .args(["build", "--quiet", "--workspace", "--bins"])
        .args(profile)
        .current_dir(&root)
        .status()
        .context("start cargo")?;
    ensure!(status.success(), "the binaries under test did not build");
    let metadata = Command::new(&cargo)
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .current_dir(&root)
        .output()
        .context("start cargo metadata")?;
    let metadata: serde_json::Value =
        serde_json::from_slice(&metadata.stdout).context("read cargo metadata")?;
    let target = metadata["target_directory"]
        .as_str()
        .ok_or_else(|| anyhow!("no target_directory"))?;
    Ok(PathBuf::from(target).join(if cfg!(debug_assertions) {
        "debug"
    } else {
        "release"
    }))
}

/// The workspace's folder.
pub fn workspace_root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}
