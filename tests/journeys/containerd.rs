//! `ctr` on a containerd of the test's own: push, pull, a foreign account.

use std::process::Command;
use std::time::Duration;

use harness::command::Line;
use harness::layout::Layout;
use harness::process::Daemon;
use harness::{Journey, Need, Result, Server, Suite, ensure};

use crate::skopeo::credentials;

pub(crate) fn add(suite: &mut Suite) {
    suite.add(
        "containerd",
        "ctr_pushes_an_image_and_pulls_it_again",
        &[Need::Containerd],
        push_and_pull,
    );
}

struct Containerd<'a> {
    journey: &'a Journey,
    socket: String,
    _daemon: Daemon,
}

impl<'a> Containerd<'a> {
    fn start(journey: &'a Journey) -> Result<Self> {
        let folder = journey.subfolder("containerd")?;
        let socket = folder.join("socket").display().to_string();
        let config = folder.join("config.toml");
        let text = format!(
            "version = 2\nroot = \"{0}/root\"\nstate = \"{0}/state\"\ndisabled_plugins = \
             [\"io.containerd.grpc.v1.cri\"]\n[grpc]\naddress = \"{socket}\"\n",
            folder.display()
        );
        std::fs::write(&config, text)?;
        let log = folder.join("containerd.log");
        journey.watch_log(&log);
        let mut command = Command::new("containerd");
        command.arg("--config").arg(&config).args(["--log-level", "warn"]);
        let mut daemon = Daemon::start("containerd", command, &log)?;
        daemon.wait_until_ready(Duration::from_mins(1), || {
            let version = Command::new("ctr")
                .args(["--address", &socket, "version"])
                .output();
            version.is_ok_and(|done| done.status.success())
        })?;
        Ok(Self {
            journey,
            socket,
            _daemon: daemon,
        })
    }

    fn images(&self) -> Line<'a> {
        self.journey
            .command("ctr")
            .args(["--address", &self.socket, "--namespace", "test", "images"])
    }
}

fn push_and_pull(journey: &Journey) -> Result<()> {
    let server = Server::shared(journey)?;
    let (account, other) = (server.account(journey, "ctr")?, server.account(journey, "other")?);
    let containerd = Containerd::start(journey)?;
    let mut layout = Layout::create(&journey.folder().join("layout"))?;
    let layers = [layout.busybox_layer()?, layout.noise_layer(21, 3_000_000)?];
    let image = layout.image("amd64", &layers, &["/bin/sh"])?;
    layout.tag("1", &image)?;
    let archive = journey.folder().join("image.tar");
    journey
        .command("tar")
        .arg("-C")
        .arg(layout.folder())
        .arg("-cf")
        .arg(&archive)
        .arg(".")
        .succeeds()?;

    containerd
        .images()
        .args(["import", "--base-name", "local"])
        .arg(&archive)
        .succeeds()?;
    let name = format!("{}/{}/pushed:1", server.host(), account.name);
    containerd.images().args(["tag", "local:1", &name]).succeeds()?;
    let user = credentials(&account);
    containerd
        .images()
        .args(["push", "--plain-http", "--user", &user, &name])
        .succeeds()?;
    containerd
        .images()
        .args(["rm", "--sync", "local:1", &name])
        .succeeds()?;
    let left = containerd.images().args(["ls", "--quiet"]).succeeds()?;
    ensure!(
        left.stdout.trim().is_empty(),
        "the images are still there: {left}"
    );

    containerd
        .images()
        .args(["pull", "--plain-http", "--user", "nobody:wrong", &name])
        .fails()?;
    if harness::server::Kind::under_test() == harness::server::Kind::Portolan {
        let foreign = credentials(&other);
        containerd
            .images()
            .args(["pull", "--plain-http", "--user", &foreign, &name])
            .fails()?;
    }
    containerd
        .images()
        .args(["pull", "--plain-http", "--user", &user, &name])
        .succeeds()?;
    containerd.images().arg("ls").succeeds()?.says(&image.digest)?;
    containerd
        .images()
        .arg("check")
        .succeeds()?
        .says("complete (3/3)")
        .map(drop)
}
