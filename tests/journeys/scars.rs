//! A volume that CNCF distribution has used for years: what crashes and people's hands left on it harms nobody, and is told.

use std::fs;
use std::path::{Path, PathBuf};

use harness::api::Api;
use harness::archive::digest;
use harness::command::Finished;
use harness::open_registry::{Choices, OpenRegistry};
use harness::peer::{Auth, DockerRegistry};
use harness::{Journey, Need, Result, Suite, binaries, ensure};
use reqwest::Method;

/// Bytes of an upload that the original never finished.
const BEGUN: usize = 3 << 20;

pub(crate) fn add(suite: &mut Suite) {
    suite.add(
        "scars",
        "a_volume_with_the_scars_of_real_life_is_served_reported_and_mended",
        &[Need::Portolan, Need::DockerRegistry],
        served_reported_mended,
    );
}

fn served_reported_mended(journey: &Journey) -> Result<()> {
    let (folder, root) = (journey.subfolder("peer")?, journey.subfolder("volume")?);
    let peer = DockerRegistry::start(&folder, &root, &Auth::None)?;
    let corrupt = push(&Api::new(&peer.url(), None)?)?;
    peer.into_daemon().kill();
    scar(&root)?;
    let layer = Tree(&root).content(&digest(b"deeper"));
    fs::write(&layer, b"eaten")?;

    let mut registry = OpenRegistry::start(journey, &root, &Choices::default())?;
    let api = registry.api()?;
    look(&api)?;
    api.get(&format!("/v2/team/app/deeper/manifests/{corrupt}"))?
        .expect(200)?;

    let told = scrub(journey, &registry, &[])?;
    for scar in [
        "_manifests/tags/empty/current/link: empty or partial",
        "/link: empty or partial; it counts as absent",
        "team/app: tag hollow points to nothing",
        &format!("{}: corrupt: its 5 bytes have the digest", digest(b"deeper")),
        &format!("team/app/deeper: manifest {corrupt} needs {}", digest(b"deeper")),
    ] {
        told.stdout_says(scar)?;
    }
    ensure!(layer.exists(), "nothing is changed unless it is asked for");
    scrub(journey, &registry, &["--quarantine"])?.stdout_says("1 moved to quarantine")?;
    ensure!(!layer.exists(), "corrupt content went to quarantine");
    let blob = format!("/v2/team/app/deeper/blobs/{}", digest(b"deeper"));
    api.head(&blob)?.expect(404)?;
    // A client that asks first is told to upload, and mends the image by that.
    api.push_small_image("team/app/deeper", "1", "deeper")?;
    ensure!(api.get(&blob)?.expect(200)?.body == b"deeper"[..], "mended");
    fs::remove_dir_all(Tree(&root).repository("team/app/_manifests/tags/hollow"))?;
    api.push_small_image("team/app", "empty", "team/app:empty")?;
    let program = binaries::path_of("registry-service")?;
    let line = journey.command(program).arg("scrub").arg("--quiet");
    let sound = line.arg(registry.config()).succeeds()?;
    sound.says("0 damages, ")?;

    registry.stop()?;
    let peer = DockerRegistry::start(&folder, &root, &Auth::None)?;
    let api = Api::new(&peer.url(), None)?;
    ensure!(
        api.get(&blob)?.expect(200)?.body == b"deeper"[..],
        "the original serves it too"
    );
    Ok(())
}

/// What the original stores, an upload that it never ends among it; gives the manifest whose layer will rot.
fn push(api: &Api) -> Result<String> {
    for (repository, tag) in [
        ("team/app", "1"),
        ("team/app", "hollow"),
        ("team/app", "empty"),
        ("emptied", "1"),
    ] {
        api.push_small_image(repository, tag, &format!("{repository}:{tag}"))?;
    }
    let location = api.begin_upload("team/app")?;
    let begun = vec![7; BEGUN];
    api.send(Method::PATCH, &location, &[], begun.into())?
        .expect(202)?;
    api.push_small_image("team/app/deeper", "1", "deeper")
}

/// What crashes of the original and people's hands leave.
fn scar(root: &Path) -> Result<()> {
    let tree = Tree(root);
    let app = tree.repository("team/app");
    fs::remove_dir_all(app.join("_manifests/tags/hollow/current"))?;
    fs::write(app.join("_manifests/tags/empty/current/link"), b"")?;
    let layer = digest(b"team/app:empty");
    let (_, hex) = layer.split_once(':').unwrap_or_default();
    fs::write(app.join(format!("_layers/sha256/{hex}/link")), b"sha256:12")?;
    fs::remove_dir_all(tree.repository("emptied").join("_manifests"))?;
    fs::create_dir_all(tree.repository("nothing/in/it"))?;
    let uploads: Vec<_> = fs::read_dir(app.join("_uploads"))?.collect::<Result<_, _>>()?;
    ensure!(
        uploads.len() == 1,
        "the original keeps what was begun: {uploads:?}"
    );
    let states = uploads[0].path().join("hashstates/sha256");
    ensure!(
        states.is_dir(),
        "the original keeps what it has hashed: {}",
        states.display()
    );
    Ok(())
}

/// Everything that a client may ask of such a volume.
fn look(api: &Api) -> Result<()> {
    let catalog = api.get("/v2/_catalog")?.expect(200)?.json()?;
    let listed = catalog["repositories"].as_array().cloned().unwrap_or_default();
    ensure!(
        listed.iter().any(|name| name == "team/app") && listed.iter().any(|name| name == "team/app/deeper"),
        "{catalog}"
    );
    let tags = api.get("/v2/team/app/tags/list")?.expect(200)?.json()?;
    ensure!(tags["tags"].to_string().contains("\"1\""), "{tags}");
    api.get("/v2/team/app/manifests/1")?.expect(200)?;
    let layer = digest(b"team/app:1");
    let served = api.get(&format!("/v2/team/app/blobs/{layer}"))?.expect(200)?;
    ensure!(
        served.body == b"team/app:1"[..],
        "the sound layer is served whole"
    );
    for tag in ["hollow", "empty", "never"] {
        let answer = api.get(&format!("/v2/team/app/manifests/{tag}"))?.expect(404)?;
        ensure!(answer.error_code()? == "MANIFEST_UNKNOWN", "{tag}");
    }
    let partial = digest(b"team/app:empty");
    api.get(&format!("/v2/team/app/blobs/{partial}"))?.expect(404)?;
    for emptied in ["emptied", "nothing/in/it"] {
        let answer = api.get(&format!("/v2/{emptied}/tags/list"))?;
        ensure!(
            [200, 404].contains(&answer.status),
            "{emptied}: {}",
            answer.status
        );
    }
    Ok(())
}

struct Tree<'a>(&'a Path);

impl Tree<'_> {
    fn repository(&self, name: &str) -> PathBuf {
        self.0.join("docker/registry/v2/repositories").join(name)
    }

    fn content(&self, digest: &str) -> PathBuf {
        let (algorithm, hex) = digest.split_once(':').unwrap_or_default();
        let folder = self.0.join("docker/registry/v2/blobs").join(algorithm);
        folder.join(&hex[..2]).join(hex).join("data")
    }
}

fn scrub(journey: &Journey, registry: &OpenRegistry, words: &[&str]) -> Result<Told> {
    let program = binaries::path_of("registry-service")?;
    let line = journey.command(program).arg("scrub").args(words);
    Ok(Told(line.arg(registry.config()).fails()?))
}

/// What a scrub said that found damage.
struct Told(Finished);

impl Told {
    fn stdout_says(&self, expected: &str) -> Result<()> {
        ensure!(
            self.0.stdout.contains(expected),
            "{expected:?} is not in {}",
            self.0.text()
        );
        Ok(())
    }
}
