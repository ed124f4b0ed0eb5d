//! Our images, built by the engine from `deploy/Dockerfile` and the binaries under test: what takes nine minutes of two
//! cores, compiling a release, is left out here.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result};

use crate::engine::Docker;
use crate::journey::unique;
use crate::{Journey, binaries, stand_in};

static SHARED: Mutex<Option<String>> = Mutex::new(None);

/// The name of the image that stands in for the official `registry`; the first of a run who asks builds it, and nobody
/// removes it.
pub fn shared(journey: &Journey, docker: &Docker<'_>) -> Result<String> {
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(image) = &*shared {
        return Ok(image.clone());
    }
    let number = unique();
    let (base, image) = (
        format!("base-of-registry:{number}"),
        format!("registry:2-{number}"),
    );
    let build = Build::prepare(journey, docker, &base, &["registry-service"])?;
    build.image("registry", &image)?;
    Ok(shared.insert(image).clone())
}

/// A context for `deploy/Dockerfile` with binaries that are built, and a base to build on.
pub struct Build<'d, 'j> {
    docker: &'d Docker<'j>,
    context: PathBuf,
    base: String,
}

impl<'d, 'j> Build<'d, 'j> {
    /// With these binaries, and a base of this name that has what they need.
    pub fn prepare(journey: &Journey, docker: &'d Docker<'j>, base: &str, names: &[&str]) -> Result<Self> {
        let paths: Vec<PathBuf> = names
            .iter()
            .map(|name| binaries::path_of(name))
            .collect::<Result<_>>()?;
        Self::of_binaries(journey, docker, base, &paths)
    }

    /// The same with binaries that lie there.
    pub fn of_binaries(
        journey: &Journey,
        docker: &'d Docker<'j>,
        base: &str,
        paths: &[PathBuf],
    ) -> Result<Self> {
        let context = journey.subfolder(&format!("context-{}", unique()))?;
        let root = binaries::workspace_root();
        // The sources are not compiled here, but each instruction is carried out.
        let sources = journey
            .command("cp")
            .args(["-a", "--parents", "Cargo.toml", "Cargo.lock", "shared"]);
        let sources = sources.args(["index-service", "registry-service", "src", "deploy"]);
        let manifests = ["", "bench/", "fuzz/", "prove/"].map(|folder| format!("tests/{folder}Cargo.toml"));
        sources.args(&manifests).arg(&context).within(&root).succeeds()?;
        let prebuilt = context.join("prebuilt");
        std::fs::create_dir(&prebuilt).context("make a folder")?;
        for path in paths {
            let copy = prebuilt.join(path.file_name().unwrap_or_default());
            std::fs::copy(path, &copy).with_context(|| format!("copy {}", path.display()))?;
            // Names and lines for a debugger make most of an unoptimised binary.
            drop(journey.command("strip").arg(copy).run());
        }
        stand_in::base(journey, docker, base, paths)?;
        Ok(Self {
            docker,
            context,
            base: base.to_owned(),
        })
    }

    /// Builds a target.
    pub fn image(&self, target: &str, image: &str) -> Result<()> {
        self.image_of("unknown", target, image)
    }

    /// The same, labelled as that of a revision of the sources.
    pub fn image_of(&self, revision: &str, target: &str, image: &str) -> Result<()> {
        // The classic builder: BuildKit needs a plugin of the client.
        let line = self
            .docker
            .line(["build", "--network", "none", "--target", target, "--tag", image]);
        let base = &self.base;
        let line = line.arg("--build-arg").arg(format!("RUST={base}"));
        let line = line.arg("--build-arg").arg(format!("BASE={base}"));
        let line = line.arg("--build-arg").arg(format!("REVISION={revision}"));
        let line = line.arg("--file").arg(self.context.join("deploy/Dockerfile"));
        line.arg(&self.context).env("DOCKER_BUILDKIT", "0").succeeds()?;
        Ok(())
    }
}
