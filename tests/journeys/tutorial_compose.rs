//! `docker compose` with a private registry: BuildKit builds on a base from it and pushes what it built.

use harness::engine::Docker;
use harness::need::compose;
use harness::open_registry::{Choices, OpenRegistry};
use harness::{Account, Context, Journey, Need, Result, Suite, binaries, ensure};

pub(crate) fn add(suite: &mut Suite) {
    suite.add(
        "tutorial_compose",
        "buildkit_builds_on_a_private_base_and_pushes_what_it_built",
        &[Need::Portolan, Need::Docker, Need::Compose],
        build_and_push,
    );
}

fn build_and_push(journey: &Journey) -> Result<()> {
    let user = Account {
        name: "testuser".to_owned(),
        password: "test password of a tutorial".to_owned(),
    };
    let registry = start(journey, &user)?;
    let docker = Docker::new(journey)?;
    let plugins = docker.config().join("cli-plugins");
    std::fs::create_dir_all(&plugins)?;
    let plugin = compose().map_err(harness::Error::msg)?;
    std::os::unix::fs::symlink(plugin, plugins.join("docker-compose")).context("link the plugin")?;

    // BuildKit of this engine reads no certs.d: in the clear, on loopback.
    let host = format!("localhost:{}", registry.port());
    let (base, image) = (
        format!("{host}/testuser/base:1"),
        format!("{host}/testuser/app:1"),
    );
    docker.import(&base, "the base")?;
    docker.login(&host, &user).succeeds()?;
    docker.line(["push", &base]).succeeds()?;
    docker.forget(&[&base])?;

    let project = journey.subfolder("project")?;
    let file = format!("FROM {base}\nCOPY says /says\n");
    std::fs::write(project.join("Dockerfile"), file)?;
    std::fs::write(project.join("says"), "built by BuildKit\n")?;
    let text = format!("services:\n  app:\n    build: .\n    image: {image}\n");
    std::fs::write(project.join("compose.yaml"), text)?;
    let build = |docker: &Docker<'_>| {
        let line = docker.line(["compose", "--progress", "plain", "--file"]);
        let line = line.arg(project.join("compose.yaml"));
        line.args(["build", "--push"]).env("DOCKER_BUILDKIT", "1").run()
    };
    let stranger = Docker::new(journey)?;
    std::os::unix::fs::symlink(&plugins, stranger.config().join("cli-plugins"))?;
    let refused = build(&stranger)?;
    ensure!(refused.code != Some(0), "built without an account: {refused}");
    let built = build(&docker)?;
    ensure!(built.code == Some(0), "{built}");
    let _ = docker.line(["image", "rm", "--force", &image]).run()?;
    docker.line(["pull", &image]).succeeds()?;
    let said = docker.run(&image)?;
    ensure!(said == "built by BuildKit\n", "{said}");
    docker.forget(&[&image])
}

fn start(journey: &Journey, user: &Account) -> Result<OpenRegistry> {
    let tool = journey.folder().join("htpasswd");
    std::os::unix::fs::symlink(binaries::path_of("registry-service")?, &tool)?;
    let line = journey.command(tool).args(["-Bbn", &user.name, &user.password]);
    let accounts = journey.folder().join("accounts");
    std::fs::write(&accounts, line.succeeds()?.stdout)?;
    let choices = Choices {
        config: format!(
            "auth:\n  htpasswd:\n    realm: basic-realm\n    path: {}\n",
            accounts.display()
        ),
        ..Choices::default()
    };
    OpenRegistry::start(journey, &journey.subfolder("store")?, &choices)
}
