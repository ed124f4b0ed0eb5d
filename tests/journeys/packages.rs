//! What is shipped besides the programs: the Debian package's list, and what Kubernetes is given.

use std::path::{Path, PathBuf};

use harness::binaries::{path_of, workspace_root};
use harness::need::kubernetes_validate;
use harness::{Context as _, Journey, Need, Result, Suite, ensure};
use serde_json::Value;

pub(crate) fn add(suite: &mut Suite) {
    suite.add(
        "packages",
        "the_debian_package_lists_files_that_are_there",
        &[],
        debian,
    );
    suite.add(
        "packages",
        "both_services_take_the_configurations_for_kubernetes",
        &[Need::Portolan],
        configurations,
    );
    suite.add(
        "packages",
        "kubernetes_takes_every_resource",
        &[Need::KubernetesValidate],
        resources,
    );
}

/// Files that a pattern of one `*` in its last part names.
fn matching(pattern: &Path) -> Result<Vec<PathBuf>> {
    let name = pattern
        .file_name()
        .and_then(|name| name.to_str())
        .context("a name")?;
    let Some((before, after)) = name.split_once('*') else {
        return Ok(pattern
            .is_file()
            .then(|| pattern.to_owned())
            .into_iter()
            .collect());
    };
    let folder = pattern.parent().context("a folder")?;
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| format!("read {}", folder.display()))? {
        let path = entry?.path();
        let is_one = path
            .file_name()
            .and_then(|name| name.to_str())
            .is_some_and(|name| name.starts_with(before) && name.ends_with(after));
        if is_one && path.is_file() {
            found.push(path);
        }
    }
    Ok(found)
}

fn debian(journey: &Journey) -> Result<()> {
    let root = workspace_root();
    let said = journey
        .command("cargo")
        .args([
            "metadata",
            "--no-deps",
            "--offline",
            "--format-version",
            "1",
            "--manifest-path",
        ])
        .arg(root.join("Cargo.toml"))
        .succeeds()?;
    let metadata: Value = serde_json::from_str(&said.stdout)?;
    let packages = metadata["packages"].as_array().context("packages")?;
    let deb = packages
        .iter()
        .map(|package| &package["metadata"]["deb"])
        .find(|deb| !deb.is_null());
    let deb = deb.context("no package has metadata for Debian")?;
    let mut destinations = Vec::new();
    for asset in deb["assets"].as_array().context("assets")? {
        let source = asset[0].as_str().context("a source")?;
        destinations.push(asset[1].as_str().context("a destination")?);
        // What lies there is made by deploy/debian/build.
        if !source.starts_with("target/") {
            ensure!(!matching(&root.join(source))?.is_empty(), "there is no {source}");
        }
    }
    for file in deb["conf-files"].as_array().context("conf-files")? {
        let name = file
            .as_str()
            .and_then(|name| name.strip_prefix('/'))
            .context("an absolute name")?;
        ensure!(destinations.contains(&name), "{name} is not installed");
    }
    let scripts = root.join(deb["maintainer-scripts"].as_str().context("maintainer-scripts")?);
    for script in ["postinst", "prerm", "postrm"] {
        journey
            .command("sh")
            .arg("-n")
            .arg(scripts.join(script))
            .succeeds()?;
    }
    Ok(())
}

fn folder() -> PathBuf {
    workspace_root().join("deploy/kubernetes")
}

/// The configurations with the secrets' folder moved to where a test may write.
fn configurations(journey: &Journey) -> Result<()> {
    let secrets = journey.subfolder("secrets")?;
    let master = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    std::fs::write(secrets.join("database"), "postgres://portolan@postgres/portolan")?;
    std::fs::write(secrets.join("master-key"), master)?;
    std::fs::write(secrets.join("http-secret"), master)?;
    for (name, program) in [
        ("index.yml", "index-service"),
        ("registry.yml", "registry-service"),
    ] {
        let text = std::fs::read_to_string(folder().join(name))?;
        let text = text.replace("/run/secrets/portolan", &secrets.display().to_string());
        let text = text.replace(
            "/var/lib/registry",
            &journey.subfolder("registry")?.display().to_string(),
        );
        let copy = journey.folder().join(name);
        std::fs::write(&copy, text)?;
        journey
            .command(path_of(program)?)
            .arg("check-config")
            .arg(&copy)
            .succeeds()?;
    }
    Ok(())
}

fn resources(journey: &Journey) -> Result<()> {
    let listed = std::fs::read_to_string(folder().join("kustomization.yaml"))?;
    let mut files = Vec::new();
    let (_, listed) = listed.split_once("resources:\n").context("resources")?;
    for name in listed.lines().map_while(|line| line.trim().strip_prefix("- ")) {
        ensure!(
            folder().join(name).is_file(),
            "kustomization.yaml names {name}, which is not there"
        );
        files.push(folder().join(name));
    }
    let there = matching(&folder().join("*.yaml"))?.len();
    ensure!(
        files.len() + 1 == there,
        "kustomization.yaml lists {} of {there} files",
        files.len()
    );
    let program = kubernetes_validate().map_err(harness::Error::msg)?;
    journey.command(program).arg("--strict").args(&files).succeeds()?;
    Ok(())
}
