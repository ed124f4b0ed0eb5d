//! `podman` and `buildah`: login, build, push, pull, run, manifest lists; each test with a storage of its own.

use harness::command::Line;
use harness::layout::busybox_folder;
use harness::{Journey, Need, Result, Server, Suite, ensure};

use crate::skopeo::{credentials, two_architectures};

pub(crate) fn add(suite: &mut Suite) {
    let buildah = &[Need::Podman, Need::Buildah];
    suite.add(
        "podman",
        "buildah_pushes_what_it_built_and_podman_pulls_and_runs_it",
        buildah,
        build_push_pull,
    );
    suite.add(
        "podman",
        "podman_pushes_a_manifest_list",
        &[Need::Podman],
        manifest_push,
    );
    suite.add(
        "podman",
        "podman_login_is_checked_and_logout_forgets_it",
        &[Need::Podman],
        login,
    );
}

/// `podman` or `buildah` on the test's own storage.
pub(crate) fn tool<'a>(journey: &'a Journey, name: &str, storage: &str) -> Result<Line<'a>> {
    let folder = journey.subfolder(storage)?;
    let auth_file = folder.join("auth.json");
    if !auth_file.exists() {
        std::fs::write(&auth_file, "{}")?;
    }
    let line = journey.command(name).arg("--root").arg(folder.join("root"));
    let line = line
        .arg("--runroot")
        .arg(folder.join("run"))
        .args(["--storage-driver", "vfs"]);
    // Short temporary names: conmon's sockets must fit into 108 bytes.
    Ok(line
        .env("XDG_RUNTIME_DIR", journey.folder())
        .env("REGISTRY_AUTH_FILE", auth_file))
}

/// `podman` as it runs inside another container, too.
pub(crate) fn podman<'a>(journey: &'a Journey, storage: &str) -> Result<Line<'a>> {
    Ok(tool(journey, "podman", storage)?.args([
        "--runtime",
        "runc",
        "--cgroup-manager",
        "cgroupfs",
        "--events-backend",
        "none",
    ]))
}

fn build_push_pull(journey: &Journey) -> Result<()> {
    let server = Server::shared(journey)?;
    let account = server.account(journey, "buildah")?;
    let context = journey.subfolder("context")?;
    busybox_folder(&context.join("root"))?;
    std::fs::write(context.join("says"), "built by buildah\n")?;
    let file = "FROM scratch\nCOPY root /\nCOPY says /says\nCMD [\"/bin/cat\", \"/says\"]\n";
    std::fs::write(context.join("Containerfile"), file)?;
    let image = format!("{}/{}/built:1", server.host(), account.name);
    let creds = credentials(&account);
    let build = [
        "build",
        "--isolation",
        "chroot",
        "--layers=false",
        "--tag",
        &image,
    ];
    tool(journey, "buildah", "first")?
        .args(build)
        .arg(&context)
        .succeeds()?;
    tool(journey, "buildah", "first")?
        .args(["push", "--tls-verify=false", "--creds", &creds, &image])
        .succeeds()?;

    podman(journey, "second")?
        .args(["pull", "--tls-verify=false", &image])
        .fails()?;
    podman(journey, "second")?
        .args(["pull", "--tls-verify=false", "--creds", &creds, &image])
        .succeeds()?;
    // Limits that are lower than any machine's: podman's own default may be higher than what is allowed here.
    let limits = ["run", "--ulimit", "nofile=256:256", "--ulimit", "nproc=256:256"];
    let run = podman(journey, "second")?.args(limits);
    let ran = run
        .args(["--rm", "--network", "none", "--pull", "never", &image])
        .succeeds()?;
    ensure!(
        ran.stdout == "built by buildah\n",
        "the pulled image runs otherwise: {ran}"
    );
    Ok(())
}

fn manifest_push(journey: &Journey) -> Result<()> {
    let server = Server::shared(journey)?;
    let account = server.account(journey, "podman")?;
    let (layout, _) = two_architectures(journey, "layout")?;
    let list = format!("{}/{}/list:1", server.host(), account.name);
    let creds = credentials(&account);
    podman(journey, "storage")?
        .args(["manifest", "create", &list])
        .succeeds()?;
    let source = format!("oci:{}:multi", layout.folder().display());
    podman(journey, "storage")?
        .args(["manifest", "add", "--all", &list, &source])
        .succeeds()?;
    let push = [
        "manifest",
        "push",
        "--all",
        "--tls-verify=false",
        "--creds",
        &creds,
        &list,
    ];
    podman(journey, "storage")?
        .args(push)
        .arg(format!("docker://{list}"))
        .succeeds()?;

    let api = server.api(&account)?;
    let repository = format!("{}/list", account.name);
    let index = api.manifest(&repository, "1")?.expect(200)?.json()?;
    let children = index["manifests"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    ensure!(children.len() == 2, "the list should name two images: {index}");
    for child in children {
        let digest = child["digest"].as_str().unwrap_or_default();
        let manifest = api.manifest(&repository, digest)?.expect(200)?.json()?;
        for layer in manifest["layers"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default()
        {
            let digest = layer["digest"].as_str().unwrap_or_default();
            api.head(&format!("/v2/{repository}/blobs/{digest}"))?
                .expect(200)?;
        }
    }
    Ok(())
}

fn login(journey: &Journey) -> Result<()> {
    let server = Server::shared(journey)?;
    let account = server.account(journey, "podman")?;
    let login = |password: &str| -> Result<Line<'_>> {
        let words = [
            "login",
            "--tls-verify=false",
            "--username",
            &account.name,
            "--password-stdin",
        ];
        Ok(podman(journey, "storage")?
            .args(words)
            .arg(server.host())
            .stdin(password))
    };
    login("a guess")?.fails()?.says("invalid username/password")?;
    login(&account.password)?.succeeds()?.says("Login Succeeded")?;
    podman(journey, "storage")?
        .args(["logout", &server.host()])
        .succeeds()?
        .says("Removed login")?;
    Ok(())
}
