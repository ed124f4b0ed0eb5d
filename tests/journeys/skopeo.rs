//! `skopeo`: multi-architecture indexes, inspection, deletion.

use harness::command::Line;
use harness::layout::{Descriptor, Layout};
use harness::server::Account;
use harness::{Journey, Need, Result, Server, Suite, ensure};

pub(crate) fn add(suite: &mut Suite) {
    let skopeo = &[Need::Skopeo];
    suite.add(
        "skopeo",
        "a_multi_architecture_index_is_copied_with_all_its_images",
        skopeo,
        index,
    );
    suite.add("skopeo", "a_deleted_manifest_is_gone_at_once", skopeo, delete);
    suite.add(
        "skopeo",
        "login_with_a_wrong_password_is_refused",
        skopeo,
        wrong_password,
    );
}

/// `user:password`, as skopeo's and podman's `--creds` take it.
pub(crate) fn credentials(account: &Account) -> String {
    format!("{}:{}", account.name, account.password)
}

/// Reads the manifest of an image with these credentials.
pub(crate) fn inspect<'a>(journey: &'a Journey, image: &str, credentials: &str) -> Line<'a> {
    let words = ["inspect", "--raw", "--tls-verify=false", "--creds", credentials];
    journey
        .command("skopeo")
        .args(words)
        .arg(format!("docker://{image}"))
}

/// A layout tagged `multi` with an index over images for two architectures.
pub(crate) fn two_architectures(journey: &Journey, name: &str) -> Result<(Layout, Descriptor)> {
    let mut layout = Layout::create(&journey.folder().join(name))?;
    let mut images = Vec::new();
    for (seed, architecture) in [(11, "amd64"), (12, "arm64")] {
        let layers = [
            layout.noise_layer(seed, 100_000)?,
            layout.noise_layer(seed + 10, 3)?,
        ];
        images.push(layout.image(architecture, &layers, &["/nothing"])?);
    }
    let index = layout.index(&images)?;
    layout.tag("multi", &index)?;
    Ok((layout, index))
}

fn index(journey: &Journey) -> Result<()> {
    let server = Server::shared(journey)?;
    let account = server.account(journey, "skopeo")?;
    let (layout, index) = two_architectures(journey, "layout")?;
    let source = format!("oci:{}:multi", layout.folder().display());
    let remote = format!("docker://{}/{}/multi:1", server.host(), account.name);
    let credentials = credentials(&account);
    let push = [
        "copy",
        "--all",
        "--dest-tls-verify=false",
        "--dest-creds",
        &credentials,
        &source,
        &remote,
    ];
    journey.command("skopeo").args(push).succeeds()?;

    let back = Layout::create(&journey.folder().join("back"))?;
    let target = format!("oci:{}:multi", back.folder().display());
    let pull = [
        "copy",
        "--all",
        "--src-tls-verify=false",
        "--src-creds",
        &credentials,
        &remote,
        &target,
    ];
    journey.command("skopeo").args(pull).succeeds()?;
    let pushed = blobs(&layout)?;
    ensure!(
        pushed.len() == 9,
        "two images of two layers and an index are nine blobs: {pushed:?}"
    );
    ensure!(
        blobs(&back)? == pushed,
        "what came back differs from what was pushed"
    );

    let api = server.api(&account)?;
    let answer = api
        .manifest(&format!("{}/multi", account.name), "1")?
        .expect(200)?;
    ensure!(
        answer.header("docker-content-digest")? == index.digest,
        "another digest: {answer}"
    );
    ensure!(
        answer.header("content-type")? == index.media_type,
        "another media type: {answer}"
    );
    let inspect = ["inspect", "--tls-verify=false", "--creds", &credentials];
    let inspect = journey
        .command("skopeo")
        .args(inspect)
        .args(["--override-arch", "arm64", &remote]);
    inspect.succeeds()?.says("arm64").map(drop)
}

/// The names of a layout's blobs; each name is the digest of the content, which skopeo checks.
fn blobs(layout: &Layout) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(layout.folder().join("blobs/sha256"))? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

fn delete(journey: &Journey) -> Result<()> {
    let server = Server::shared(journey)?;
    let account = server.account(journey, "delete")?;
    let repository = format!("{}/gone", account.name);
    let api = server.api(&account)?;
    let digest = api.push_small_image(&repository, "1", "soon gone")?;
    let remote = format!("docker://{}/{repository}:1", server.host());
    let credentials = credentials(&account);
    let options = ["--tls-verify=false", "--creds", &credentials, &remote];
    journey
        .command("skopeo")
        .arg("inspect")
        .arg("--raw")
        .args(options)
        .succeeds()?;
    journey.command("skopeo").arg("delete").args(options).succeeds()?;
    journey
        .command("skopeo")
        .arg("inspect")
        .arg("--raw")
        .args(options)
        .fails()?
        .says("manifest unknown")?;
    for reference in ["1", &digest] {
        let answer = api.manifest(&repository, reference)?.expect(404)?;
        ensure!(answer.error_code()? == "MANIFEST_UNKNOWN", "{answer}");
    }
    Ok(())
}

fn wrong_password(journey: &Journey) -> Result<()> {
    let server = Server::shared(journey)?;
    let account = server.account(journey, "login")?;
    let login = |password: &str| {
        let file = journey.folder().join("auth.json");
        let words = [
            "login",
            "--tls-verify=false",
            "--username",
            &account.name,
            "--password-stdin",
        ];
        journey
            .command("skopeo")
            .args(words)
            .arg("--authfile")
            .arg(file)
            .arg(server.host())
            .stdin(password)
    };
    login("a guess").fails()?.says("invalid username/password")?;
    login(&account.password)
        .succeeds()?
        .says("Login Succeeded")
        .map(drop)
}
