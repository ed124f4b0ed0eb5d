//! Plugins of the Docker client with a private registry: BuildKit builds on a base from it and pushes what it built, and the
//! registry itself is a service of `docker compose`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use harness::command::{Finished, Line};
use harness::engine::Docker;
use harness::need::{buildx, compose};
use harness::open_registry::{Choices, OpenRegistry};
use harness::process::{free_port, wait_for};
use harness::server::probe;
use harness::{Account, Context, Journey, Need, Result, Suite, binaries, ensure, image};

pub(crate) fn add(suite: &mut Suite) {
    suite.add(
        "tutorial_compose",
        "compose_builds_on_a_private_base_and_pushes_what_buildkit_built",
        &[Need::Portolan, Need::Docker, Need::Compose],
        |journey| build_and_push(journey, Builder::Compose),
    );
    suite.add(
        "tutorial_compose",
        "buildx_builds_on_a_private_base_and_pushes_what_buildkit_built",
        &[Need::Portolan, Need::Docker, Need::Buildx],
        |journey| build_and_push(journey, Builder::Buildx),
    );
    suite.add(
        "tutorial_compose",
        "a_private_registry_is_a_service_of_compose",
        &[Need::Portolan, Need::Docker, Need::Compose, Need::Openssl],
        service,
    );
}

fn user() -> Account {
    Account {
        name: "testuser".to_owned(),
        password: "test password of a tutorial".to_owned(),
    }
}

/// A file of accounts as our own `htpasswd` makes it.
fn accounts(journey: &Journey, file: &Path) -> Result<()> {
    let (tool, user) = (journey.folder().join("htpasswd"), user());
    std::os::unix::fs::symlink(binaries::path_of("registry-service")?, &tool)?;
    let line = journey.command(tool).args(["-Bbn", &user.name, &user.password]);
    std::fs::write(file, line.succeeds()?.stdout).context("write the accounts")
}

/// A client that has the plugin.
fn client<'a>(journey: &'a Journey, plugin: &Path) -> Result<Docker<'a>> {
    let docker = Docker::new(journey)?;
    let plugins = docker.config().join("cli-plugins");
    std::fs::create_dir_all(&plugins)?;
    let name = plugin.file_name().unwrap_or_default();
    std::os::unix::fs::symlink(plugin, plugins.join(name)).context("link the plugin")?;
    Ok(docker)
}

#[derive(Clone, Copy)]
enum Builder {
    Compose,
    Buildx,
}

impl Builder {
    fn plugin(self) -> Result<PathBuf> {
        let found = match self {
            Self::Compose => compose(),
            Self::Buildx => buildx(),
        };
        found.map_err(harness::Error::msg)
    }

    /// Builds what is in the folder, and pushes it.
    fn build(self, docker: &Docker<'_>, project: &Path, image: &str) -> Result<Finished> {
        let line = match self {
            Self::Compose => {
                let line = docker.line(["compose", "--progress", "plain", "--file"]);
                line.arg(project.join("compose.yaml")).args(["build", "--push"])
            }
            Self::Buildx => {
                let words = ["buildx", "build", "--progress", "plain", "--push", "--tag", image];
                docker.line(words).arg(project)
            }
        };
        line.env("DOCKER_BUILDKIT", "1").run()
    }
}

fn build_and_push(journey: &Journey, builder: Builder) -> Result<()> {
    let file = journey.folder().join("accounts");
    accounts(journey, &file)?;
    let choices = Choices {
        config: format!(
            "auth:\n  htpasswd:\n    realm: basic-realm\n    path: {}\n",
            file.display()
        ),
        ..Choices::default()
    };
    let registry = OpenRegistry::start(journey, &journey.subfolder("store")?, &choices)?;
    let docker = client(journey, &builder.plugin()?)?;

    // BuildKit of an older engine reads no certs.d: in the clear, on loopback.
    let host = format!("localhost:{}", registry.port());
    let (base, image) = (
        format!("{host}/testuser/base:1"),
        format!("{host}/testuser/app:1"),
    );
    docker.import(&base, "the base")?;
    docker.login(&host, &user()).succeeds()?;
    docker.line(["push", &base]).succeeds()?;
    docker.forget(&[&base])?;

    let project = journey.subfolder("project")?;
    for (name, text) in [
        ("Dockerfile", format!("FROM {base}\nCOPY says /says\n")),
        ("says", "built by BuildKit\n".to_owned()),
        (
            "compose.yaml",
            format!("services:\n  app:\n    build: .\n    image: {image}\n"),
        ),
    ] {
        std::fs::write(project.join(name), text)?;
    }
    let refused = builder.build(&client(journey, &builder.plugin()?)?, &project, &image)?;
    ensure!(refused.code != Some(0), "built without an account: {refused}");
    let built = builder.build(&docker, &project, &image)?;
    ensure!(built.code == Some(0), "{built}");
    drop(docker.line(["image", "rm", "--force", &image]).run()?);
    docker.line(["pull", &image]).succeeds()?;
    let said = docker.run(&image)?;
    ensure!(said == "built by BuildKit\n", "{said}");
    docker.forget(&[&image])
}

/// A project that is taken down when dropped.
struct Project<'a> {
    docker: Docker<'a>,
    file: PathBuf,
    image: String,
    port: u16,
}

impl<'a> Project<'a> {
    fn line(&self, words: &[&str]) -> Line<'a> {
        let line = self.docker.line(["compose", "--progress", "plain", "--file"]);
        line.arg(&self.file)
            .args(words)
            .env("REGISTRY_IMAGE", &self.image)
            .env("REGISTRY_PORT", format!("127.0.0.1:{}", self.port))
    }
}

impl Drop for Project<'_> {
    fn drop(&mut self) {
        drop(self.line(&["down", "--volumes", "--timeout", "10"]).run());
    }
}

fn service(journey: &Journey) -> Result<()> {
    let docker = client(journey, &Builder::Compose.plugin()?)?;
    let image = image::shared(journey, &docker)?;
    let (port, folder) = (
        free_port()?,
        journey.subfolder(&format!("project{}", std::process::id()))?,
    );
    for name in ["data", "certs", "auth"] {
        std::fs::create_dir(folder.join(name))?;
    }
    accounts(journey, &folder.join("auth/htpasswd"))?;
    let openssl = journey.command("openssl");
    let words = [
        "req",
        "-x509",
        "-nodes",
        "-days",
        "30",
        "-newkey",
        "rsa:2048",
        "-subj",
        "/CN=localhost",
    ];
    let line = openssl
        .args(words)
        .args(["-addext", "subjectAltName=DNS:localhost"]);
    let line = line.arg("-keyout").arg(folder.join("certs/server-key.pem"));
    line.arg("-out")
        .arg(folder.join("certs/server-crt.pem"))
        .succeeds()?;
    let project = Project {
        docker,
        file: folder.join("compose.yaml"),
        image,
        port,
    };
    let shipped = binaries::workspace_root().join("deploy/compose.yaml");
    std::fs::copy(shipped, &project.file).context("copy compose.yaml")?;
    let up = || -> Result<()> {
        project.line(&["up", "--detach"]).succeeds()?;
        wait_for("the service", Duration::from_mins(1), || {
            Ok(probe(&format!("https://localhost:{port}/v2/")).then_some(()))
        })
    };
    up()?;
    let (docker, host) = (&project.docker, format!("localhost:{port}"));
    let image = format!("{host}/testuser/hello:1");
    docker.import(&image, "from a service")?;
    docker
        .line(["push", &image])
        .fails()?
        .says("no basic auth credentials")?;
    docker.login(&host, &user()).succeeds()?;
    docker.line(["push", &image]).succeeds()?;
    project.line(&["ps"]).succeeds()?.says("registry")?;
    project.line(&["logs"]).succeeds()?.says("response completed")?;
    project.line(&["down", "--timeout", "10"]).succeeds()?;
    up()?;
    docker.forget(&[&image])?;
    docker.line(["pull", &image]).succeeds()?;
    let said = docker.run(&image)?;
    ensure!(said == "from a service\n", "{said}");
    docker.forget(&[&image])
}
