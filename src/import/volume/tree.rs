//! Which repositories a volume holds: distribution's tree, only read.

use std::path::Path;

use anyhow::Context as _;
use shared::oci::RepositoryName;

/// Where the tree is, below `rootdirectory`.
const REPOSITORIES: &str = "docker/registry/v2/repositories";

/// The repositories that hold a tag or a manifest, in the order of their names. What has no valid name is none.
pub(super) fn repositories(root: &Path) -> anyhow::Result<Vec<RepositoryName>> {
    let top = root.join(REPOSITORIES);
    anyhow::ensure!(
        top.is_dir(),
        "{} is no volume of a registry: there is no {REPOSITORIES} in it",
        root.display()
    );
    let mut found = Vec::new();
    let mut waiting = vec![String::new()];
    while let Some(above) = waiting.pop() {
        for name in folders(&top.join(&above))? {
            // What begins so belongs to the repository itself.
            if name.starts_with('_') {
                continue;
            }
            let whole = if above.is_empty() {
                name
            } else {
                format!("{above}/{name}")
            };
            let manifests = top.join(&whole).join("_manifests");
            let holds = |what: &str| has_entries(&manifests.join(what));
            if (holds("tags") || holds("revisions/sha256") || holds("revisions/sha512"))
                && let Ok(repository) = whole.parse()
            {
                found.push(repository);
            }
            waiting.push(whole);
        }
    }
    found.sort();
    Ok(found)
}

fn folders(path: &Path) -> anyhow::Result<Vec<String>> {
    let reading = || format!("reading {}", path.display());
    let mut names = Vec::new();
    for entry in std::fs::read_dir(path).with_context(reading)? {
        let entry = entry.with_context(reading)?;
        if entry.file_type().with_context(reading)?.is_dir()
            && let Ok(name) = entry.file_name().into_string()
        {
            names.push(name);
        }
    }
    Ok(names)
}

fn has_entries(path: &Path) -> bool {
    std::fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repositories_nest_and_empty_ones_do_not_count() {
        let folder = tempfile::tempdir().unwrap();
        let top = folder.path().join(REPOSITORIES);
        for path in [
            "app/_manifests/tags/v1",
            "app/below/_manifests/revisions/sha256/aa",
            "team/web/_manifests/tags/v1",
            "emptied/_manifests/tags",
            "emptied/_layers/sha256/aa",
            "Upper/_manifests/tags/v1",
        ] {
            std::fs::create_dir_all(top.join(path)).unwrap();
        }
        let found = repositories(folder.path()).unwrap();
        let names: Vec<&str> = found.iter().map(RepositoryName::as_str).collect();
        assert_eq!(names, ["app", "app/below", "team/web"]);
        let elsewhere = repositories(&top).unwrap_err().to_string();
        assert!(elsewhere.contains("no volume of a registry"), "{elsewhere}");
    }
}
