//! From one version to the next: what the earlier one left is opened, and the change of containers is noticed by nobody.

use std::path::PathBuf;

use harness::environment::variable;
use harness::image::Build;
use harness::{Context as _, Journey, Result, Suite, binaries, ensure};

use super::NEEDS;
use super::load::Load;
use super::project::{BINARIES, PATIENCE, PREFIX, Project, TARGETS};
use crate::upgrade::{ada, earlier, is_all_there, unpack};

pub(crate) fn add(suite: &mut Suite) {
    suite.add(
        "deployment",
        "what_an_earlier_version_left_in_postgresql_and_its_volumes_is_opened",
        &NEEDS,
        opened,
    );
    suite.add(
        "deployment",
        "containers_are_replaced_one_after_the_other_under_load_and_no_push_or_pull_fails",
        &NEEDS,
        rolling,
    );
}

fn opened(journey: &Journey) -> Result<()> {
    let project = Project::prepare(journey, "")?;
    let alone = ["run", "--rm", "-T", "--no-deps"];
    let run = |words: &[&str]| project.compose(&[&alone[..], words].concat());
    run(&["setup"]).succeeds()?;
    run(&[
        "--entrypoint",
        "sh",
        "setup",
        "-c",
        "cat > /setup/index/master-key",
    ])
    .stdin(std::fs::read(earlier(14, "master-key"))?)
    .succeeds()?;
    project
        .compose(&["up", "--detach", "--no-build", "--wait", "postgres"])
        .succeeds()?;
    let text = journey
        .command("gzip")
        .arg("-dc")
        .arg(earlier(14, "index.sql.gz"));
    let psql = "PGPASSWORD=$(cat /run/portolan/password) psql -q -v ON_ERROR_STOP=1 -h 127.0.0.1 -U portolan portolan";
    project
        .compose(&["exec", "-T", "postgres", "sh", "-c", psql])
        .stdin(text.succeeds()?.stdout)
        .succeeds()?;
    let data = journey.subfolder("earlier")?;
    unpack(journey, 14, &data)?;
    let archive = journey.folder().join("content.tar");
    let tar = journey.command("tar").arg("-C").arg(data.join("registry"));
    let tar = tar.args(["--owner=10001", "--group=10001", "--numeric-owner", "-cf"]);
    tar.arg(&archive).arg(".").succeeds()?;
    run(&[
        "--entrypoint",
        "tar",
        "registry",
        "-C",
        "/var/lib/registry",
        "-xf",
        "-",
    ])
    .stdin(std::fs::read(&archive)?)
    .succeeds()?;

    project.up(&["--scale", "index=2"])?;
    is_all_there(&project.api(Some(ada()))?, &project.api(None)?)
}

/// The images of the version before, which are of other binaries where `PORTOLAN_PREVIOUS_BIN_DIR` names their folder.
fn previous(journey: &Journey, project: &Project<'_>) -> Result<()> {
    let folder = variable("PORTOLAN_PREVIOUS_BIN_DIR").map(PathBuf::from);
    let paths: Vec<PathBuf> = BINARIES
        .iter()
        .map(|name| match &folder {
            Some(folder) => Ok(folder.join(name)),
            None => binaries::path_of(name),
        })
        .collect::<Result<_>>()?;
    let base = "base-of-previous:1";
    let build = Build::of_binaries(journey, &project.docker, base, &paths)?;
    for target in TARGETS {
        build.image_of("previous", target, &format!("{PREFIX}/{target}:previous"))?;
    }
    Ok(())
}

fn rolling(journey: &Journey) -> Result<()> {
    let project = Project::prepare(journey, "")?;
    previous(journey, &project)?;
    project.set("PORTOLAN_VERSION", "previous");
    project.up(&["--scale", "registry=3", "--scale", "index=2"])?;
    let admin = project.admin()?;
    let load = Load::default();
    let replaced = |service: &str| -> Result<Vec<String>> {
        let images = project.containers(service)?;
        images
            .iter()
            .map(|id| project.inspect(id, "{{.Config.Image}}"))
            .collect()
    };
    std::thread::scope(|scope| {
        load.start(scope, &project, &admin, 3)?;
        let done = (|| {
            load.wait_for_rounds(10)?;
            project.set("PORTOLAN_VERSION", "latest");
            let upgraded = project.line("deploy/upgrade.sh", &[]).limit(PATIENCE * 2);
            let took = upgraded.succeeds()?.took;
            load.wait_for_rounds(20)?;
            // Nothing is left to be done.
            let again = project.line("deploy/upgrade.sh", &[]).succeeds()?;
            again.does_not_say("another one instead of")?;
            Ok::<_, harness::Error>(took)
        })();
        load.end();
        let took = done?;
        journey.say(&format!(
            "three registries and two indexes replaced in {:.0} s, {} images meanwhile",
            took.as_secs_f64(),
            load.rounds()
        ));
        Ok::<_, harness::Error>(())
    })?;
    let (failures, last) = load.failures();
    ensure!(failures == 0, "{failures} attempts failed: {last}");
    for (service, count) in [("registry", 3), ("index", 2)] {
        let images = replaced(service)?;
        let expected = format!("{PREFIX}/{service}:latest");
        ensure!(
            images.len() == count && images.iter().all(|image| *image == expected),
            "{service}: {images:?}"
        );
    }
    // Another version may have another configuration of nginx.
    let older = "echo '# of another version' >> /setup/front/nginx.conf";
    let words = [
        "run",
        "--rm",
        "-T",
        "--no-deps",
        "--entrypoint",
        "sh",
        "setup",
        "-c",
        older,
    ];
    project.compose(&words).succeeds()?;
    project
        .line("deploy/upgrade.sh", &[])
        .succeeds()?
        .says("nginx reads its configuration again")?;
    let count = load
        .verify(&project.api(Some(admin))?)
        .context("after the upgrade")?;
    ensure!(count > 0, "nothing was pushed");
    Ok(())
}
