//! What a round pushed, and nobody will ask for again.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::content::Content;

/// Only files that fill a disk: a gigabyte is pushed in many rounds.
const LARGE: u64 = 1 << 20;

/// Removes large blobs that are not of the first content, behind the server's back: their digests never come again.
pub(crate) fn remove(root: &Path, content: &Content) -> Result<()> {
    let algorithm = root.join("docker/registry/v2/blobs/sha256");
    for prefix in entries(&algorithm)? {
        for blob in entries(&prefix)? {
            let name = blob.file_name().unwrap_or_default().to_string_lossy();
            let digest = format!("sha256:{name}");
            let data = blob.join("data");
            let is_large = fs::metadata(&data).is_ok_and(|data| data.len() >= LARGE);
            if is_large && !content.middle.contains(&digest) && !content.large.contains(&digest) {
                fs::remove_file(&data).with_context(|| format!("remove {}", data.display()))?;
            }
        }
    }
    Ok(())
}

fn entries(folder: &Path) -> Result<Vec<std::path::PathBuf>> {
    let read = fs::read_dir(folder).with_context(|| format!("read {}", folder.display()))?;
    Ok(read
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_pushed_later_goes_and_the_content_stays() {
        let root = std::env::temp_dir().join(format!("portolan-bench-leftover-{}", std::process::id()));
        let data = |digest: &str| {
            root.join("docker/registry/v2/blobs/sha256")
                .join(&digest[..2])
                .join(digest)
                .join("data")
        };
        for (digest, size) in [("aa1", LARGE), ("aa2", LARGE), ("bb3", 10)] {
            fs::create_dir_all(data(digest).parent().unwrap()).unwrap();
            fs::File::create(data(digest)).unwrap().set_len(size).unwrap();
        }
        let content = Content {
            middle: vec!["sha256:aa1".to_owned()],
            ..Content::default()
        };
        remove(&root, &content).unwrap();
        let left = ["aa1", "aa2", "bb3"].map(|digest| data(digest).exists());
        fs::remove_dir_all(&root).unwrap();
        assert_eq!(left, [true, false, true]);
    }
}
