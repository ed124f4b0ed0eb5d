//! The image that stands in for the official `registry`: built by the engine from `deploy/Dockerfile` and our binary.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, ensure};

use crate::archive::Tar;
use crate::engine::Docker;
use crate::journey::unique;
use crate::{Journey, binaries};

static SHARED: Mutex<Option<String>> = Mutex::new(None);

/// Its name; the first of a run who asks builds it, and nobody removes it.
pub fn shared(journey: &Journey, docker: &Docker<'_>) -> Result<String> {
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(image) = &*shared {
        return Ok(image.clone());
    }
    let image = build(journey, docker)?;
    Ok(shared.insert(image).clone())
}

fn build(journey: &Journey, docker: &Docker<'_>) -> Result<String> {
    let binary = binaries::path_of("registry-service")?;
    let number = unique();
    let (base, image) = (
        format!("base-of-registry:{number}"),
        format!("registry:2-{number}"),
    );
    let root = journey.folder().join("base.tar");
    let mut file = std::fs::File::create(&root).context("write the base")?;
    let mut tar = Tar::new(&mut file as &mut dyn Write);
    fill(&mut tar, &libraries(journey, &binary)?)?;
    tar.finish()?;
    docker.line(["import"]).arg(&root).arg(&base).succeeds()?;

    let (context, deploy) = (
        journey.subfolder("image")?,
        binaries::workspace_root().join("deploy"),
    );
    for (from, name) in [
        (binary, "registry-service"),
        (deploy.join("entrypoint.sh"), "entrypoint.sh"),
        (deploy.join("registry/config.yml"), "config.yml"),
    ] {
        std::fs::copy(from, context.join(name)).with_context(|| format!("copy {name}"))?;
    }
    // Names and lines for a debugger make most of an unoptimised binary.
    let strip = journey.command("strip").arg(context.join("registry-service"));
    drop(strip.run());
    // The classic builder: BuildKit needs a plugin of the client.
    docker
        .line(["build", "--network", "none", "--tag", &image, "--build-arg"])
        .arg(format!("BASE={base}"))
        .arg("--file")
        .arg(deploy.join("Dockerfile"))
        .arg(&context)
        .env("DOCKER_BUILDKIT", "0")
        .succeeds()?;
    Ok(image)
}

/// The shared libraries of a binary, as the loader finds them here.
fn libraries(journey: &Journey, binary: &Path) -> Result<BTreeSet<String>> {
    let said = journey.command("ldd").arg(binary).succeeds()?.stdout;
    let found: BTreeSet<String> = said
        .split_whitespace()
        .filter(|word| word.starts_with('/'))
        .map(|word| word.trim_end_matches(':').to_owned())
        .collect();
    ensure!(!found.is_empty(), "ldd names no library: {said}");
    Ok(found)
}

/// What Debian's smallest image has of what is needed.
fn fill(tar: &mut Tar<&mut dyn Write>, libraries: &BTreeSet<String>) -> Result<()> {
    let busybox = std::fs::read("/bin/busybox").or_else(|_| std::fs::read("/usr/bin/busybox"))?;
    for folder in [
        "bin/",
        "etc/",
        "tmp/",
        "usr/",
        "usr/local/",
        "usr/local/bin/",
        "var/",
        "var/lib/",
    ] {
        tar.directory(folder)?;
    }
    tar.file("bin/busybox", 0o755, &busybox)?;
    for name in ["sh", "ln", "ls", "cat", "echo"] {
        tar.symlink(&format!("bin/{name}"), "busybox")?;
    }
    let mut folders = BTreeSet::new();
    for library in libraries {
        let path = Path::new(library.trim_start_matches('/'));
        let parents: Vec<&Path> = path.ancestors().skip(1).collect();
        for parent in parents
            .into_iter()
            .rev()
            .filter(|parent| parent.components().count() > 0)
        {
            if folders.insert(parent.to_owned()) && parent != Path::new("usr") {
                tar.directory(&format!("{}/", parent.display()))?;
            }
        }
        let content = std::fs::read(library).with_context(|| format!("read {library}"))?;
        tar.file(&path.display().to_string(), 0o755, &content)?;
    }
    Ok(())
}
