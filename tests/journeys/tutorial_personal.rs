//! The tutorial of a personal registry, as people follow it: a registry on a volume, push, remove, pull; our binary by its
//! link, and in an image that stands in for the official one.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use harness::engine::Docker;
use harness::process::{Daemon, free_port, wait_for};
use harness::server::answers;
use harness::{Journey, Need, Result, Suite, binaries, ensure, image};

pub(crate) fn add(suite: &mut Suite) {
    let needs = &[Need::Portolan, Need::Docker, Need::Curl];
    suite.add(
        "tutorial_personal",
        "a_binary_named_registry_keeps_images_on_its_volume",
        needs,
        by_link,
    );
    suite.add(
        "tutorial_personal",
        "an_image_in_the_place_of_the_official_one_keeps_images_on_its_volume",
        needs,
        by_image,
    );
}

/// What the tutorial does; `again` ends the registry and starts another on the same volume.
fn follow(journey: &Journey, port: u16, again: impl FnOnce() -> Result<()>) -> Result<()> {
    let docker = Docker::new(journey)?;
    let host = format!("localhost:{port}");
    let (first, second) = (
        format!("{host}/distribution:2"),
        format!("{host}/distribution:two"),
    );
    let local = format!("something-local:{port}");
    docker.import(&local, "kept on a volume")?;
    docker.line(["tag", &local, &first]).succeeds()?;
    docker
        .line(["push", &first])
        .succeeds()?
        .says("2: digest: sha256:")?;
    docker.forget(&[&local, &first])?;
    pull_and_run(&docker, &first)?;
    docker.line(["tag", &first, &second]).succeeds()?;
    docker
        .line(["push", &second])
        .succeeds()?
        .says("two: digest: sha256:")?;
    docker.forget(&[&first, &second])?;
    ask(journey, &host)?;
    again()?;
    ask(journey, &host)?;
    pull_and_run(&docker, &second)?;
    docker.forget(&[&second])
}

fn pull_and_run(docker: &Docker<'_>, image: &str) -> Result<()> {
    docker.line(["pull", image]).succeeds()?;
    let said = docker.run(image)?;
    ensure!(said == "kept on a volume\n", "{image} says {said}");
    Ok(())
}

fn ask(journey: &Journey, host: &str) -> Result<()> {
    let curl = |words: &[&str], path: &str| {
        let line = journey
            .command("curl")
            .args(["-s", "--max-time", "20"])
            .args(words);
        Ok::<_, harness::Error>(line.arg(format!("http://{host}{path}")).succeeds()?.stdout)
    };
    let head = curl(&["-I"], "/v2/")?;
    let lines: Vec<&str> = head.lines().map(str::trim).collect();
    // Letter by letter, as scripts look for them.
    for wanted in [
        "HTTP/1.1 200 OK",
        "Docker-Distribution-Api-Version: registry/2.0",
        "Content-Length: 2",
        "Content-Type: application/json",
    ] {
        ensure!(lines.contains(&wanted), "no line {wanted}: {head}");
    }
    for (path, expected) in [
        ("/v2/", "{}"),
        (
            "/v2/distribution/tags/list",
            r#"{"name":"distribution","tags":["2","two"]}"#,
        ),
        ("/v2/_catalog", r#"{"repositories":["distribution"]}"#),
    ] {
        let said = curl(&[], path)?;
        ensure!(said.trim_end() == expected, "{path}: {said}");
    }
    Ok(())
}

fn by_link(journey: &Journey) -> Result<()> {
    let (port, debug) = (free_port()?, free_port()?);
    let volume = journey.subfolder("volume")?;
    let link = journey.folder().join("registry");
    std::os::unix::fs::symlink(binaries::path_of("registry-service")?, &link)?;
    let mut running = start_link(journey, &link, &volume, [port, debug])?;
    follow(journey, port, || {
        let ended = running.stop(Duration::from_mins(1))?;
        ensure!(ended.success(), "ended with {ended}");
        running = start_link(journey, &link, &volume, [port, debug])?;
        Ok(())
    })
}

/// `registry FILE`, with the configuration of the official image.
fn start_link(journey: &Journey, link: &Path, volume: &Path, ports: [u16; 2]) -> Result<Daemon> {
    let [address, debug] = ports.map(|port| format!("127.0.0.1:{port}"));
    let mut command = Command::new(link);
    command.arg(binaries::workspace_root().join("deploy/registry/config.yml"));
    command.env("REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY", volume);
    command.env("REGISTRY_HTTP_ADDR", address);
    command.env("REGISTRY_HTTP_DEBUG_ADDR", debug);
    let log = journey.folder().join("registry.log");
    journey.watch_log(&log);
    let mut daemon = Daemon::start("registry", command, &log)?;
    daemon.wait_until_ready(Duration::from_mins(1), || answers(ports[0]))?;
    Ok(daemon)
}

/// A container that is removed when dropped.
struct Container<'a> {
    docker: &'a Docker<'a>,
    name: String,
}

impl Container<'_> {
    /// The registry is the container's first process: it takes its leave when it is told to.
    fn stop(&self) -> Result<()> {
        self.docker
            .line(["stop", "--time", "60", &self.name])
            .succeeds()?;
        let words = ["inspect", "--format", "{{.State.ExitCode}}", &self.name];
        let code = self.docker.line(words).succeeds()?.stdout;
        ensure!(code.trim_end() == "0", "ended with {code}");
        Ok(())
    }

    fn remove(&self) -> Result<()> {
        self.docker
            .line(["rm", "--force", &self.name])
            .succeeds()
            .map(drop)
    }
}

impl Drop for Container<'_> {
    fn drop(&mut self) {
        drop(self.remove());
    }
}

fn by_image(journey: &Journey) -> Result<()> {
    let docker = Docker::new(journey)?;
    let image = image::shared(journey, &docker)?;
    let (port, volume) = (free_port()?, journey.subfolder("volume")?);
    let container = Container {
        docker: &docker,
        name: format!("registry-{port}"),
    };
    start_container(&container, &image, &volume, port)?;
    follow(journey, port, || {
        container.stop()?;
        container.remove()?;
        start_container(&container, &image, &volume, port)
    })?;
    container.remove()?;
    other_commands(journey, &docker, &image, &volume)
}

fn start_container(container: &Container<'_>, image: &str, volume: &Path, port: u16) -> Result<()> {
    let run = [
        "run",
        "--detach",
        "--restart=always",
        "--name",
        &container.name,
        "--publish",
    ];
    let line = container.docker.line(run).arg(format!("127.0.0.1:{port}:5000"));
    let line = line.arg("--volume").arg(mount(volume));
    line.arg(image).succeeds()?;
    wait_for("the registry in its container", Duration::from_mins(1), || {
        Ok(answers(port).then_some(()))
    })
    .or_else(|error| {
        container.docker.line(["logs", &container.name]).run()?;
        Err(error)
    })
}

fn mount(volume: &Path) -> String {
    format!("{}:/var/lib/registry", volume.display())
}

/// Every other way in which people call the official image.
fn other_commands(journey: &Journey, docker: &Docker<'_>, image: &str, volume: &Path) -> Result<()> {
    let run = |options: &[&str], words: &[&str]| {
        let line = docker
            .line(["run", "--rm", "--network", "none", "--volume"])
            .arg(mount(volume));
        Ok::<_, harness::Error>(line.args(options).arg(image).args(words).succeeds()?.text())
    };
    let config = "/etc/docker/registry/config.yml";
    let collected = run(&[], &["garbage-collect", "--dry-run", config])?;
    ensure!(
        collected.contains("distribution: marking manifest sha256:"),
        "{collected}"
    );
    let version = run(&[], &["--version"])?;
    ensure!(version.contains(env!("CARGO_PKG_VERSION")), "{version}");
    let shell = run(&[], &["sh", "-c", "echo a shell"])?;
    ensure!(shell == "a shell\n", "{shell}");
    let accounts = run(
        &["--entrypoint", "htpasswd"],
        &["-Bbn", "testuser", "testpassword"],
    )?;
    ensure!(accounts.starts_with("testuser:$2y$05$"), "{accounts}");
    // A file of one's own, by its name alone and after `serve`.
    for words in [&["/my/config.yml"][..], &["serve", "/my/config.yml"]] {
        let my: PathBuf = journey.subfolder("my")?;
        std::fs::write(my.join("config.yml"), "version: 0.1\nstorage: nonsense\n")?;
        let line = docker.line(["run", "--rm", "--network", "none", "--volume"]);
        let line = line
            .arg(format!("{}:/my:ro", my.display()))
            .arg(image)
            .args(words);
        line.fails()?.says("nonsense")?;
    }
    Ok(())
}
