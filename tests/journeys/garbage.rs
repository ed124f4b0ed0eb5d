//! Garbage collection on one volume, in turn with CNCF distribution's: both must agree on what is garbage.

use std::collections::BTreeSet;

use bytes::Bytes;
use harness::api::Api;
use harness::archive::digest;
use harness::layout::{IMAGE_INDEX, IMAGE_MANIFEST};
use harness::open_registry::{Choices, OpenRegistry};
use harness::peer::{Auth, DockerRegistry};
use harness::{Account, Journey, Need, Result, Suite, binaries, ensure};
use http::Method;
use serde_json::json;

use crate::apart::Apart;

pub(crate) fn add(suite: &mut Suite) {
    suite.add(
        "garbage",
        "ours_and_distributions_agree_on_what_is_garbage_and_both_serve_what_stays",
        &[Need::Portolan, Need::DockerRegistry],
        there_and_back,
    );
    suite.add(
        "garbage",
        "deleting_untagged_manifests_keeps_the_parts_of_an_index_and_what_refers_to_an_image",
        &[Need::Portolan],
        untagged,
    );
    suite.add(
        "garbage",
        "the_index_is_told_how_a_collection_goes_which_does_not_need_it",
        &[Need::Portolan, Need::Nginx],
        told,
    );
}

fn told(journey: &Journey) -> Result<()> {
    let mut apart = Apart::prepare(journey)?;
    let events = apart.events();
    apart.start_registry_with(&events)?;
    let config = journey.folder().join("registry-service.yml");
    let program = binaries::path_of("registry-service")?;
    let collect = || {
        let line = journey.command(&program);
        line.args(["garbage-collect", "--dry-run"])
            .arg(&config)
            .succeeds()
    };
    let alone = collect()?;
    ensure!(
        alone.stderr.contains("the index cannot be told"),
        "nothing is said of the index: {}",
        alone.stderr
    );
    apart.start_index()?;
    apart.start_nginx()?;
    let beside = collect()?;
    ensure!(!beside.stderr.contains("cannot be told"), "{}", beside.stderr);
    let password = std::fs::read_to_string(apart.data.join("initial-admin-password"))?;
    let admin = Account {
        name: "admin".to_owned(),
        password: password.trim_end().to_owned(),
    };
    let authorization = admin.basic();
    let api = Api::new(&format!("http://{}", apart.host()), None)?;
    let headers = [("authorization", authorization.as_str())];
    let known = api.send(Method::GET, "/api/v1/work", &headers, Bytes::new())?;
    let known = known.expect(200)?.json()?;
    let items = known["items"].as_array().map_or(0, Vec::len);
    ensure!(
        items == 1,
        "the run while the index was away was told, or the other was not: {known:#}"
    );
    let work = &known["items"][0];
    ensure!(
        work["kind"] == "garbage_collection" && work["state"] == "done" && work["is_dry_run"] == true,
        "{known:#}"
    );
    ensure!(work["subject"] == config.display().to_string(), "{known:#}");
    Ok(())
}

/// A volume with things that stay and things that go.
struct Volume {
    registry: OpenRegistry,
    /// What must be marked: manifests and blobs.
    live: BTreeSet<String>,
    garbage: BTreeSet<String>,
}

fn there_and_back(journey: &Journey) -> Result<()> {
    let folder = journey.subfolder("volume")?;
    let mut volume = fill(journey)?;
    volume.registry.stop()?;
    // Something that the original pushed and deleted in between.
    let peer = DockerRegistry::start(&folder, volume.registry.folder(), &Auth::None)?;
    let api = Api::new(&peer.url(), None)?;
    let theirs = api.push_small_image("theirs/kept", "1", "kept by the original")?;
    volume
        .live
        .extend([theirs.clone(), digest(b"kept by the original")]);
    let dropped = api.push_small_image("theirs/dropped", "1", "dropped by the original")?;
    api.delete(&format!("/v2/theirs/dropped/manifests/{dropped}"))?
        .expect(202)?;
    volume
        .garbage
        .extend([dropped, digest(b"dropped by the original")]);
    peer.into_daemon().stop(std::time::Duration::from_mins(1))?;

    let config = folder.join("peer.yml");
    let original = |journey: &Journey| {
        let done = journey
            .command("docker-registry")
            .args(["garbage-collect", "--dry-run"]);
        Ok::<_, harness::Error>(done.arg(&config).succeeds()?.stdout)
    };
    let (theirs_said, ours_said) = (
        original(journey)?,
        collect(journey, &volume.registry, &["--dry-run"])?,
    );
    for said in [&theirs_said, &ours_said] {
        ensure!(
            eligible(said) == volume.garbage,
            "eligible: {:?} instead of {:?}",
            eligible(said),
            volume.garbage
        );
        ensure!(
            marked(said) == volume.live,
            "marked: {:?} instead of {:?}",
            marked(said),
            volume.live
        );
    }
    collect(journey, &volume.registry, &[])?;
    let left = original(journey)?;
    ensure!(eligible(&left).is_empty(), "the original finds more: {left}");
    ensure!(marked(&left) == volume.live, "the original marks: {left}");
    volume.registry.start_again()?;
    let api = volume.registry.api()?;
    api.get(&format!("/v2/theirs/kept/manifests/{theirs}"))?
        .expect(200)?;
    check_content(&api, &["many", "one", "theirs/kept"])
}

/// A deleted image, a blob that no image names, an image in two repositories of which one lets go of it, and an index.
fn fill(journey: &Journey) -> Result<Volume> {
    let folder = journey.subfolder("store")?;
    let registry = OpenRegistry::start(journey, &folder, &Choices::default())?;
    let api = registry.api()?;
    let mut live = BTreeSet::from([digest(b"{}")]);
    let mut garbage = BTreeSet::new();
    for text in ["first", "second"] {
        live.insert(api.push_small_image("one", text, text)?);
        live.insert(digest(text.as_bytes()));
    }
    let gone = api.push_small_image("one", "gone", "gone")?;
    api.delete(&format!("/v2/one/manifests/{gone}"))?.expect(202)?;
    garbage.extend([gone, digest(b"gone")]);
    garbage.insert(api.push_blob("one", "loose")?);
    let shared = api.push_small_image("one", "shared", "shared")?;
    api.push_small_image("one/deeper", "shared", "shared")?;
    api.delete(&format!("/v2/one/manifests/{shared}"))?.expect(202)?;
    live.extend([shared, digest(b"shared")]);
    let mut children = Vec::new();
    for platform in ["amd64", "arm64"] {
        let child = api.push_small_image("many", platform, platform)?;
        let size = api.manifest("many", &child)?.body.len();
        children.push(json!({ "mediaType": IMAGE_MANIFEST, "digest": child, "size": size, "platform": { "os": "linux", "architecture": platform } }));
        live.extend([child, digest(platform.as_bytes())]);
        api.delete(&format!("/v2/many/manifests/{platform}"))?
            .expect(202)?;
    }
    let index = json!({ "schemaVersion": 2, "mediaType": IMAGE_INDEX, "manifests": children });
    live.insert(api.push_manifest("many", "latest", IMAGE_INDEX, serde_json::to_vec(&index)?)?);
    Ok(Volume {
        registry,
        live,
        garbage,
    })
}

fn untagged(journey: &Journey) -> Result<()> {
    let mut volume = fill(journey)?;
    let api = volume.registry.api()?;
    let untagged = api.push_small_image("one", "moves", "before")?;
    let tagged = api.push_small_image("one", "moves", "after")?;
    let subject = json!({ "mediaType": IMAGE_MANIFEST, "digest": tagged, "size": api.manifest("one", &tagged)?.body.len() });
    let signature = json!({
        "schemaVersion": 2, "mediaType": IMAGE_MANIFEST, "artifactType": "application/vnd.example.signature",
        "config": { "mediaType": "application/vnd.oci.empty.v1+json", "digest": digest(b"{}"), "size": 2 },
        "layers": [], "subject": subject,
    });
    let signature = serde_json::to_vec(&signature)?;
    let reference = digest(&signature);
    api.push_manifest("one", &reference, IMAGE_MANIFEST, signature)?;
    volume.registry.stop()?;
    let said = collect(journey, &volume.registry, &["--delete-untagged", "--quiet"])?;
    ensure!(
        said.lines().count() == 1 && said.starts_with("1 manifests, "),
        "{said}"
    );
    volume.registry.start_again()?;
    let api = volume.registry.api()?;
    api.get(&format!("/v2/one/manifests/{untagged}"))?.expect(404)?;
    for kept in [&tagged, &reference] {
        api.get(&format!("/v2/one/manifests/{kept}"))?.expect(200)?;
    }
    let referrers = api
        .get(&format!("/v2/one/referrers/{tagged}"))?
        .expect(200)?
        .json()?;
    ensure!(
        referrers["manifests"][0]["digest"] == reference.as_str(),
        "{referrers}"
    );
    check_content(&api, &["many", "one"])
}

/// Whether every tag of these repositories can be pulled whole.
pub(crate) fn check_content(api: &Api, repositories: &[&str]) -> Result<()> {
    let mut waiting = Vec::new();
    for repository in repositories {
        let tags = api
            .get(&format!("/v2/{repository}/tags/list"))?
            .expect(200)?
            .json()?;
        for tag in tags["tags"].as_array().into_iter().flatten() {
            waiting.push((*repository, tag.as_str().unwrap_or_default().to_owned()));
        }
    }
    ensure!(waiting.len() >= repositories.len(), "no tags");
    while let Some((repository, reference)) = waiting.pop() {
        let manifest = api.manifest(repository, &reference)?.expect(200)?.json()?;
        for child in manifest["manifests"].as_array().into_iter().flatten() {
            waiting.push((
                repository,
                child["digest"].as_str().unwrap_or_default().to_owned(),
            ));
        }
        let layers = manifest["layers"].as_array().into_iter().flatten();
        for blob in layers.chain(manifest.get("config")) {
            let expected = blob["digest"].as_str().unwrap_or_default();
            let content = api
                .get(&format!("/v2/{repository}/blobs/{expected}"))?
                .expect(200)?
                .body;
            ensure!(
                digest(&content) == expected,
                "{repository}: {expected} has other bytes"
            );
        }
    }
    Ok(())
}

pub(crate) fn collect(journey: &Journey, registry: &OpenRegistry, words: &[&str]) -> Result<String> {
    let program = binaries::path_of("registry-service")?;
    let line = journey
        .command(program)
        .arg("garbage-collect")
        .args(words)
        .arg(registry.config());
    Ok(line.succeeds()?.stdout)
}

pub(crate) fn eligible(said: &str) -> BTreeSet<String> {
    said.lines()
        .filter_map(|line| line.strip_prefix("blob eligible for deletion: "))
        .map(str::to_owned)
        .collect()
}

pub(crate) fn marked(said: &str) -> BTreeSet<String> {
    said.lines()
        .filter(|line| line.contains(": marking "))
        .filter_map(|line| line.split_whitespace().last())
        .map(str::to_owned)
        .collect()
}
