//! The images' recipe, read and not run: what it must keep so that they can be built anywhere and say what they are. That it
//! builds them is proved by the journeys of the deployment.

use harness::binaries::workspace_root;
use harness::{Context as _, Journey, Result, Suite, bail, ensure};

pub(crate) fn add(suite: &mut Suite) {
    suite.add(
        "image",
        "its_build_runs_nothing_of_another_platform",
        &[],
        platform,
    );
    suite.add(
        "image",
        "dependencies_are_compiled_before_our_sources",
        &[],
        dependencies,
    );
    suite.add("image", "its_labels_tell_the_version_that_is_built", &[], labels);
}

fn text(path: &str) -> Result<String> {
    std::fs::read_to_string(workspace_root().join(path)).with_context(|| format!("read {path}"))
}

/// The instructions with their stage, as `(stage, instruction, rest)`; a line's continuation is part of it.
fn instructions() -> Result<Vec<(String, String, String)>> {
    let text = text("deploy/Dockerfile")?;
    let whole = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .collect::<Vec<_>>()
        .join("\n")
        .replace("\\\n", " ");
    let mut stage = String::new();
    let mut found = Vec::new();
    for line in whole.lines().filter(|line| !line.trim().is_empty()) {
        let (word, rest) = line.split_once(' ').context("an instruction")?;
        if word == "FROM" {
            rest.rsplit(' ').next().unwrap_or_default().clone_into(&mut stage);
        }
        found.push((stage.clone(), word.to_owned(), rest.to_owned()));
    }
    Ok(found)
}

/// Only the builder's own stage runs anything, and it is of the builder's platform.
fn platform(_: &Journey) -> Result<()> {
    let instructions = instructions()?;
    for (stage, word, rest) in &instructions {
        match word.as_str() {
            "RUN" => ensure!(stage == "build", "{stage} runs {rest}"),
            "FROM" if stage == "build" => {
                ensure!(rest.contains("--platform=${BUILDPLATFORM:-linux}"), "FROM {rest}");
            }
            _ => (),
        }
    }
    for target in ["registry", "index", "portolan"] {
        let starts = instructions
            .iter()
            .any(|(stage, word, _)| stage == target && word == "ENTRYPOINT");
        ensure!(starts, "{target} has no entry point");
    }
    Ok(())
}

/// The workspace's manifests and nothing else of ours, so that a changed source leaves the layer of the dependencies alone.
fn dependencies(_: &Journey) -> Result<()> {
    let manifest = text("Cargo.toml")?;
    let members = manifest
        .lines()
        .find_map(|line| line.strip_prefix("members = ["))
        .context("the workspace's members")?;
    let members = members
        .trim_end_matches(']')
        .split(", ")
        .map(|name| name.trim_matches('"'));
    let ignored = text(".dockerignore")?;
    let build: Vec<_> = instructions()?
        .into_iter()
        .filter(|(stage, ..)| stage == "build")
        .map(|(_, word, rest)| format!("{word} {rest}"))
        .collect();
    let at = |wanted: &str| build.iter().position(|line| line == wanted);
    let compiled = at("RUN sh deploy/build.sh dependencies").context("no layer of dependencies")?;
    for member in members.filter(|name| *name != ".") {
        let copied = format!("COPY {member}/Cargo.toml {member}/");
        ensure!(at(&copied).is_some_and(|place| place < compiled), "no {copied}");
        let folder = member.split('/').next().unwrap_or_default();
        let kept = ignored
            .lines()
            .any(|line| line == format!("!{folder}") || line == format!("!{member}/Cargo.toml"));
        ensure!(kept, ".dockerignore keeps {member} away");
    }
    for source in ["shared", "index-service", "registry-service", "src"] {
        let Some(place) = at(&format!("COPY {source} {source}")) else {
            bail!("{source} is not copied");
        };
        ensure!(
            place > compiled,
            "{source} is copied before dependencies are compiled"
        );
    }
    Ok(())
}

fn labels(_: &Journey) -> Result<()> {
    let manifest = text("Cargo.toml")?;
    let (_, package) = manifest
        .split_once("[workspace.package]")
        .context("the workspace's package")?;
    let version = package
        .lines()
        .find_map(|line| line.strip_prefix("version = "))
        .context("its version")?
        .trim_matches('"');
    let instructions = instructions()?;
    let has = |stage: &str, word: &str, part: &str| {
        instructions
            .iter()
            .any(|(in_stage, is, rest)| in_stage == stage && is == word && rest.contains(part))
    };
    ensure!(
        has("base", "ARG", &format!("VERSION={version}")),
        "VERSION is not {version}"
    );
    for label in ["vendor", "licenses", "version", "revision"] {
        let label = format!("org.opencontainers.image.{label}=");
        ensure!(has("base", "LABEL", &label), "no {label}");
    }
    for target in ["registry", "index", "portolan"] {
        for label in ["title", "description"] {
            let label = format!("org.opencontainers.image.{label}=");
            ensure!(has(target, "LABEL", &label), "{target} has no {label}");
        }
    }
    Ok(())
}
