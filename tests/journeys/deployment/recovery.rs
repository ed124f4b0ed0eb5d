//! `kill -9` of the only container of each service under load: everything works again within ten seconds.

use std::time::{Duration, Instant};

use harness::process::wait_for;
use harness::{Account, Journey, Result, Suite, ensure};

use super::NEEDS;
use super::load::Load;
use super::project::{PATIENCE, PREFIX, Project};

/// From the kill to the next login, push and pull, on a machine that has time.
const RECOVERY: Duration = Duration::from_secs(10);
/// What [`control`] may take on such a machine; with ten times more work than two cores can do it was 1.1 to 2.2 s.
const CONTROL: Duration = Duration::from_millis(800);

pub(crate) fn add(suite: &mut Suite) {
    suite.add(
        "deployment",
        "each_container_that_is_killed_under_load_is_back_within_ten_seconds",
        &NEEDS,
        recovery,
    );
}

fn recovery(journey: &Journey) -> Result<()> {
    let project = Project::prepare(journey, "")?;
    project.up(&[])?;
    let admin = project.admin()?;
    let load = Load::default();
    let mut told = Vec::new();
    std::thread::scope(|scope| {
        load.start(scope, &project, &admin, 2)?;
        let done = (|| {
            load.wait_for_rounds(5)?;
            for service in ["registry", "index", "front", "postgres"] {
                let (took, limit) = kill(&project, &load, &admin, service)?;
                told.push(format!(
                    "{service} {:.1} of {:.0}",
                    took.as_secs_f64(),
                    limit.as_secs_f64()
                ));
                ensure!(
                    took <= limit,
                    "{service} was away for {took:?}, and may for {limit:?}; the last failure: {}",
                    load.failures().1
                );
                load.wait_for_rounds(5)?;
            }
            Ok(())
        })();
        load.end();
        done
    })?;
    load.verify(&project.api(Some(admin))?)?;
    journey.say(&format!(
        "seconds from kill -9 of the only container to the next login, push and pull: {}",
        told.join(", ")
    ));
    Ok(())
}

/// How long it took until somebody new could log in, push and pull, and how long it may have taken: ten seconds, times what
/// this machine is slower at the moment than one that has time. That is measured by what the engine needs to start a
/// process in a container, before and afterwards, under the same load.
fn kill(project: &Project<'_>, load: &Load, admin: &Account, service: &str) -> Result<(Duration, Duration)> {
    let before = control(project)?;
    let container = project.containers(service)?.concat();
    let restarts = || project.inspect(&container, "{{.RestartCount}}");
    let first = restarts()?;
    let authority = project.authority()?;
    project.trust_bytes(&authority);
    project.kill(&container)?;
    let begun = Instant::now();
    let mut number = 0_u32;
    wait_for("somebody new to log in, push and pull", PATIENCE, || {
        number += 1;
        let tag = format!("{service}-{number}");
        // A new caller: without a token from before, nor a connection.
        let api = project.api(Some(admin.clone()))?;
        let done = api
            .push_small_image("admin/again", &tag, &tag)
            .and_then(|_| api.manifest("admin/again", &tag)?.expect(200));
        Ok(done.ok().map(drop))
    })
    .map_err(|error| {
        error.context(format!(
            "{service} was killed; the last failure: {}",
            load.failures().1
        ))
    })?;
    let took = begun.elapsed();
    wait_for("the engine to start it again", PATIENCE, || {
        Ok((restarts()? != first).then_some(()))
    })?;
    let slowest = before.max(control(project)?);
    let factor = (slowest.as_secs_f64() / CONTROL.as_secs_f64()).max(1.0);
    Ok((took, RECOVERY.mul_f64(factor)))
}

/// How long the engine needs to start a container whose process ends at once.
fn control(project: &Project<'_>) -> Result<Duration> {
    let image = format!("{PREFIX}/registry:latest");
    let line = project
        .docker
        .line(["run", "--rm", "--network", "none", "--entrypoint", "registry"]);
    Ok(line.args([image.as_str(), "--version"]).succeeds()?.took)
}
