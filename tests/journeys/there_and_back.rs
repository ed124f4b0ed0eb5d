//! One volume, alternately and at once under CNCF distribution and under ours: each serves and collects what the other wrote.
//! A ledger of the test knows what must stay.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use harness::api::Api;
use harness::archive::digest;
use harness::layout::IMAGE_MANIFEST;
use harness::open_registry::{Choices, OpenRegistry};
use harness::peer::{Auth, DockerRegistry};
use harness::{Journey, Need, Result, Suite, ensure};
use serde_json::{Value, json};

use crate::garbage::{check_content, collect, eligible, marked};

pub(crate) fn add(suite: &mut Suite) {
    suite.add(
        "there_and_back",
        "a_volume_goes_back_and_forth_and_both_agree_with_a_ledger",
        &[Need::Portolan, Need::DockerRegistry],
        alternately,
    );
    suite.add(
        "there_and_back",
        "what_the_original_pushes_meanwhile_is_seen_at_once",
        &[Need::Portolan, Need::DockerRegistry],
        at_once,
    );
}

/// What is stored and why.
#[derive(Default)]
struct Ledger {
    /// Manifests and blobs that a repository holds.
    live: BTreeSet<String>,
    /// Those that nobody holds any more.
    garbage: BTreeSet<String>,
    repositories: BTreeSet<String>,
}

impl Ledger {
    fn push(&mut self, api: &Api, repository: &str, tag: &str) -> Result<String> {
        let text = format!("{repository}:{tag} by {}", api.base());
        let manifest = api.push_small_image(repository, tag, &text)?;
        self.live
            .extend([manifest.clone(), digest(text.as_bytes()), digest(b"{}")]);
        self.repositories.insert(repository.to_owned());
        Ok(manifest)
    }

    /// Pushes an image and deletes its manifest, and leaves a blob that no manifest names.
    fn plant(&mut self, api: &Api, repository: &str) -> Result<()> {
        let text = format!("dropped by {}", api.base());
        let manifest = api.push_small_image(repository, "dropped", &text)?;
        api.delete(&format!("/v2/{repository}/manifests/{manifest}"))?
            .expect(202)?;
        let loose = api.push_blob(repository, format!("loose by {}", api.base()))?;
        self.garbage.extend([manifest, digest(text.as_bytes()), loose]);
        Ok(())
    }

    /// Pushes what refers to an image, as a signature does.
    fn sign(&mut self, api: &Api, repository: &str, image: &str) -> Result<String> {
        let signature = signature(api, repository, image)?;
        self.live.insert(signature.clone());
        Ok(signature)
    }

    fn serve(&self, api: &Api) -> Result<()> {
        let names: Vec<&str> = self.repositories.iter().map(String::as_str).collect();
        check_content(api, &names)
    }

    /// Whether a collection, theirs or ours, said of each digest what is true.
    fn agrees(&self, who: &str, said: &str) -> Result<()> {
        let (marked, eligible) = (marked(said), eligible(said));
        ensure!(
            marked == self.live,
            "{who} marks {marked:?} instead of {:?}",
            self.live
        );
        ensure!(
            eligible == self.garbage,
            "{who} would remove {eligible:?} instead of {:?}",
            self.garbage
        );
        Ok(())
    }
}

/// A manifest with a subject; each side's is its own.
fn signature(api: &Api, repository: &str, image: &str) -> Result<String> {
    let config = api.push_blob(repository, "{}")?;
    let size = api.manifest(repository, image)?.expect(200)?.body.len();
    let manifest = json!({
        "schemaVersion": 2, "mediaType": IMAGE_MANIFEST, "artifactType": "application/vnd.example.signature",
        "config": { "mediaType": "application/vnd.oci.empty.v1+json", "digest": config, "size": 2 },
        "layers": [],
        "subject": { "mediaType": IMAGE_MANIFEST, "digest": image, "size": size },
        "annotations": { "by": api.base() },
    });
    let bytes = serde_json::to_vec(&manifest)?;
    api.push_manifest(repository, &digest(&bytes), IMAGE_MANIFEST, bytes)
}

/// The original over the volume; it is asked for its verdict on the garbage by its own command.
struct Original<'a> {
    journey: &'a Journey,
    folder: PathBuf,
    root: &'a Path,
}

impl Original<'_> {
    /// Does something with the original while it runs.
    fn with<T>(&self, work: impl FnOnce(&Api) -> Result<T>) -> Result<T> {
        let peer = DockerRegistry::start(&self.folder, self.root, &Auth::None)?;
        self.journey.watch_foreign_log(peer.log());
        let done = work(&Api::new(&peer.url(), None)?)?;
        peer.into_daemon().stop(Duration::from_mins(1))?;
        Ok(done)
    }

    fn would_collect(&self) -> Result<String> {
        let line = self.journey.command("docker-registry");
        let line = line
            .args(["garbage-collect", "--dry-run"])
            .arg(self.folder.join("peer.yml"));
        Ok(line.succeeds()?.stdout)
    }
}

fn alternately(journey: &Journey) -> Result<()> {
    let root = journey.subfolder("volume")?;
    let original = Original {
        journey,
        folder: journey.subfolder("original")?,
        root: &root,
    };
    let mut ledger = Ledger::default();
    let (image, dropped) = original.with(|theirs| {
        let image = ledger.push(theirs, "original/app", "1")?;
        ledger.push(theirs, "original/app", "2")?;
        ledger.push(theirs, "nested/deeper/app", "1")?;
        ledger.plant(theirs, "original/app")?;
        // What ours will let go of.
        let shared = ledger.push(theirs, "shared", "1")?;
        Ok((image, shared))
    })?;

    let mut ours = OpenRegistry::start(journey, &root, &Choices::default())?;
    let api = ours.api()?;
    ledger.serve(&api)?;
    ledger.push(&api, "ours/app", "1")?;
    ledger.push(&api, "original/app", "3")?;
    ledger.sign(&api, "original/app", &image)?;
    ledger.plant(&api, "ours/app")?;
    api.delete(&format!("/v2/shared/manifests/{dropped}"))?
        .expect(202)?;
    forget_image(&mut ledger, &root, &dropped)?;
    ours.stop()?;

    original.with(|theirs| ledger.serve(theirs))?;
    ledger.agrees("the original", &original.would_collect()?)?;
    ledger.agrees("ours", &collect(journey, &ours, &["--dry-run"])?)?;
    collect(journey, &ours, &[])?;
    ledger.garbage.clear();
    ledger.agrees("the original, afterwards,", &original.would_collect()?)?;

    // Once more, planted by both on what was collected.
    original.with(|theirs| {
        ledger.serve(theirs)?;
        ledger.sign(theirs, "original/app", &image)?;
        ledger.plant(theirs, "nested/deeper/app")
    })?;
    ours.start_again()?;
    ledger.plant(&ours.api()?, "nested/deeper/app")?;
    ours.stop()?;
    ledger.agrees("the original", &original.would_collect()?)?;
    ledger.agrees("ours", &collect(journey, &ours, &["--dry-run"])?)?;
    collect(journey, &ours, &["--quiet"])?;
    ledger.garbage.clear();
    ledger.agrees("the original, at the end,", &original.would_collect()?)?;
    original.with(|theirs| ledger.serve(theirs))?;
    ours.start_again()?;
    ledger.serve(&ours.api()?)
}

/// Moves an image whose manifest was deleted to the garbage, with its layer.
fn forget_image(ledger: &mut Ledger, root: &Path, manifest: &str) -> Result<()> {
    let (_, hex) = manifest.split_once(':').unwrap_or_default();
    let stored = root
        .join("docker/registry/v2/blobs/sha256")
        .join(&hex[..2])
        .join(hex);
    let manifest_json: Value = serde_json::from_slice(&std::fs::read(stored.join("data"))?)?;
    let layer = manifest_json["layers"][0]["digest"].as_str().unwrap_or_default();
    for gone in [manifest, layer] {
        ensure!(ledger.live.remove(gone), "{gone} was not in the ledger");
        ledger.garbage.insert(gone.to_owned());
    }
    ledger.repositories.remove("shared");
    Ok(())
}

/// What ours says of a repository, having been asked before so that it remembers.
fn look(api: &Api, image: &str) -> Result<[Value; 3]> {
    let tags = api.get("/v2/team/app/tags/list")?.expect(200)?.json()?;
    let referrers = api
        .get(&format!("/v2/team/app/referrers/{image}"))?
        .expect(200)?
        .json()?;
    let catalog = api.get("/v2/_catalog")?.expect(200)?.json()?;
    Ok([
        tags["tags"].clone(),
        json!(
            referrers["manifests"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|found| found["digest"].clone())
                .collect::<Vec<_>>()
        ),
        catalog["repositories"].clone(),
    ])
}

fn at_once(journey: &Journey) -> Result<()> {
    let root = journey.subfolder("volume")?;
    let ours = OpenRegistry::start(journey, &root, &Choices::default())?;
    let peer = DockerRegistry::start(&journey.subfolder("original")?, &root, &Auth::None)?;
    journey.watch_foreign_log(peer.log());
    let (api, theirs) = (ours.api()?, Api::new(&peer.url(), None)?);
    let image = api.push_small_image("team/app", "1", "by us")?;
    let seen = look(&api, &image)?;
    ensure!(seen == [json!(["1"]), json!([]), json!(["team/app"])], "{seen:?}");

    for round in 1..=3 {
        let tag = format!("theirs-{round}");
        let pushed = theirs.push_small_image("team/app", &tag, &format!("round {round}"))?;
        let [tags, ..] = look(&api, &image)?;
        ensure!(
            tags.as_array().is_some_and(|all| all.contains(&json!(tag))),
            "{tag}: {tags}"
        );
        let served = api.manifest("team/app", &tag)?.expect(200)?;
        ensure!(
            served.header("docker-content-digest")? == pushed,
            "{tag}: {served}"
        );
        let moved = theirs.push_small_image("team/app", "moves", &format!("moved {round}"))?;
        let served = api.manifest("team/app", "moves")?.expect(200)?;
        ensure!(
            served.header("docker-content-digest")? == moved,
            "moves: {served}"
        );
        let other = format!("team/other{round}");
        theirs.push_small_image(&other, "1", "another repository")?;
        let [_, _, catalog] = look(&api, &image)?;
        ensure!(
            catalog.as_array().is_some_and(|all| all.contains(&json!(other))),
            "{other}: {catalog}"
        );
    }
    let signature = signature(&theirs, "team/app", &image)?;
    let [_, referrers, _] = look(&api, &image)?;
    ensure!(
        referrers == json!([signature]),
        "{referrers} instead of {signature}"
    );
    theirs
        .delete(&format!("/v2/team/app/manifests/{signature}"))?
        .expect(202)?;
    let [_, referrers, _] = look(&api, &image)?;
    ensure!(referrers == json!([]), "deleted by the original: {referrers}");
    api.get(&format!("/v2/team/app/manifests/{signature}"))?
        .expect(404)?;
    let tagged = api
        .manifest("team/app", "theirs-1")?
        .header("docker-content-digest")?
        .to_owned();
    theirs
        .delete(&format!("/v2/team/app/manifests/{tagged}"))?
        .expect(202)?;
    api.manifest("team/app", "theirs-1")?.expect(404)?;
    let [tags, ..] = look(&api, &image)?;
    ensure!(tags == json!(["1", "moves", "theirs-2", "theirs-3"]), "{tags}");
    Ok(())
}
