//! Looks at a storage folder from the outside: whatever has a name there must be whole.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use harness::archive::digest;

use crate::Verdict;

/// Checks distribution's tree: contents have the digests that they are named by, links are whole, and manifests are
/// there for their links and tags. The link of a blob may be there before its content: until then the blob is
/// unknown.
pub(crate) fn check_tree(root: &Path, verdict: &mut Verdict) -> Result<()> {
    let tree = root.join("docker/registry/v2");
    let mut files = Vec::new();
    walk(&tree, &mut files)?;
    for path in &files {
        let relative = path.strip_prefix(&tree).context("walk")?.to_string_lossy();
        let parts: Vec<&str> = relative.split('/').collect();
        let bytes = fs::read(path).with_context(|| format!("read {relative}"))?;
        verdict.count("files", 1);
        match parts.as_slice() {
            ["blobs", "sha256", _, hex, "data"] => {
                verdict.require(digest(&bytes) == format!("sha256:{hex}"), || {
                    format!("{relative}: {} bytes of another digest", bytes.len())
                });
            }
            [.., "link"] => {
                let text = String::from_utf8_lossy(&bytes);
                let Some(hex) = text.strip_prefix("sha256:").filter(|hex| hex.len() == 64) else {
                    verdict.violation(format!("{relative}: not a link: {text:?}"));
                    continue;
                };
                let needed = match parts.as_slice() {
                    [name @ .., "_manifests", "tags", _, "current", "link"] => tree
                        .join(name.join("/"))
                        .join("_manifests/revisions/sha256")
                        .join(hex)
                        .join("link"),
                    // An index of a tag tells of its past: manifests that were deleted since.
                    [.., "index" | "_layers", "sha256", _, "link"] => continue,
                    _ => tree.join("blobs/sha256").join(&hex[..2]).join(hex).join("data"),
                };
                verdict.require(needed.is_file(), || format!("{relative} points to nothing"));
            }
            _ => verdict.violation(format!("{relative} is no file of a storage folder")),
        }
    }
    Ok(())
}

fn walk(folder: &Path, files: &mut Vec<std::path::PathBuf>) -> Result<()> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Ok(());
    };
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            walk(&entry.path(), files)?;
        } else {
            files.push(entry.path());
        }
    }
    Ok(())
}
