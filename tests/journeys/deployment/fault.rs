//! Replicas and faults: what clients notice, what comes back by itself, and that nothing acknowledged is lost.

use std::time::Instant;

use bytes::Bytes;
use harness::api::Api;
use harness::command::RUNTIME;
use harness::process::wait_for;
use harness::{Journey, Result, Suite, ensure};
use http::Method;

use super::NEEDS;
use super::first_push::shown;
use super::load::Load;
use super::project::{PATIENCE, Project};

pub(crate) fn add(suite: &mut Suite) {
    suite.add(
        "deployment",
        "replicas_come_and_go_and_nothing_acknowledged_is_lost_when_containers_are_killed_under_load",
        &NEEDS,
        killed,
    );
    suite.add(
        "deployment",
        "a_full_disk_refuses_pushes_serves_pulls_and_heals",
        &NEEDS,
        full_disk,
    );
}

fn killed(journey: &Journey) -> Result<()> {
    let project = Project::prepare(journey, "")?;
    project.up(&[])?;
    let admin = project.admin()?;
    let api = project.api(Some(admin.clone()))?;
    api.push_small_image("admin/kept", "1", "kept")?;
    let load = Load::default();
    std::thread::scope(|scope| {
        load.start(scope, &project, &admin, 3)?;
        let done = faults(&project, &load, &api);
        load.end();
        done
    })?;
    let count = load.verify(&api)?;
    journey.say(&format!(
        "{count} images acknowledged and all there; {} attempts failed",
        load.failures().0
    ));
    Ok(())
}

fn faults(project: &Project<'_>, load: &Load, api: &Api) -> Result<()> {
    load.wait_for_rounds(5)?;
    project.up(&["--scale", "registry=3", "--scale", "index=2"])?;
    for (service, count) in [("registry", 3), ("index", 2)] {
        let there = project.containers(service)?.len();
        ensure!(there == count, "{there} containers of {service}");
    }
    load.wait_for_rounds(20)?;
    let sum: f64 = project.memory()?.iter().map(|(_, size)| size).sum();
    let memory = shown(&project.memory()?);
    project.journey.say(&format!(
        "three registries and two indexes under load {sum:.0} MiB: {memory}"
    ));

    nobody_notices(project, load)?;
    let mut told = Vec::new();
    for service in ["registry", "index", "front", "postgres"] {
        let container = project.containers(service)?.swap_remove(0);
        let restarts = restarts(project, &container)?;
        project.kill(&container)?;
        let back = load.wait_for_rounds(10)?;
        wait_for("the engine to start it again", PATIENCE, || {
            Ok((self::restarts(project, &container)? > restarts).then_some(()))
        })?;
        told.push(format!("{service} {:.1}", back.as_secs_f64()));
    }
    project.journey.say(&format!(
        "seconds from kill -9 to the next image: {}",
        told.join(", ")
    ));

    let begun = Instant::now();
    project.compose(&["restart", "postgres"]).succeeds()?;
    load.wait_for_rounds(10)?;
    let took = begun.elapsed().as_secs_f64();
    project.journey.say(&format!(
        "PostgreSQL restarted under load: ten more images after {took:.1} s"
    ));
    without_index(project, load, api)
}

fn restarts(project: &Project<'_>, container: &str) -> Result<u32> {
    Ok(project.inspect(container, "{{.RestartCount}}")?.parse()?)
}

/// A replica that is stopped is missed by no client.
fn nobody_notices(project: &Project<'_>, load: &Load) -> Result<()> {
    let before = load.failures().0;
    for service in ["registry", "index"] {
        let container = project.containers(service)?.swap_remove(0);
        project
            .docker
            .line(["stop", "--time", "60", &container])
            .succeeds()?;
        load.wait_for_rounds(10)?;
        project.docker.line(["start", &container]).succeeds()?;
        load.wait_for_rounds(5)?;
    }
    let (after, last) = load.failures();
    ensure!(
        after == before,
        "{} attempts failed while replicas were stopped: {last}",
        after - before
    );
    Ok(())
}

/// Who has a token goes on pulling without any index; it goes on for all when one is back.
fn without_index(project: &Project<'_>, load: &Load, api: &Api) -> Result<()> {
    let path = "/v2/admin/kept/manifests/1";
    let one = || RUNTIME.block_on(api.once(Method::GET, path, &[], Bytes::new()));
    api.manifest("admin/kept", "1")?.expect(200)?;
    project
        .compose(&["stop", "--timeout", "20", "index"])
        .succeeds()?;
    for _ in 0..50 {
        one()?.expect(200)?;
    }
    project.compose(&["start", "index"]).succeeds()?;
    load.wait_for_rounds(10).map(drop)
}

/// Content on a file system in memory that is soon full.
const SMALL: &str = "volumes:
  content:
    driver: local
    driver_opts: {type: tmpfs, device: tmpfs, o: \"size=48m,uid=10001,gid=10001,mode=0700\"}
";

fn full_disk(journey: &Journey) -> Result<()> {
    let project = Project::prepare(journey, SMALL)?;
    project.up(&[])?;
    let api = project.api(Some(project.admin()?))?;
    let digest = api.push_small_image("admin/kept", "1", "before")?;
    let there = |tag: &str, digest: &str| -> Result<()> {
        let answer = api.manifest("admin/kept", tag)?.expect(200)?;
        ensure!(answer.header("docker-content-digest")? == digest, "{answer}");
        Ok(())
    };
    let inside = |words: &[&str]| project.compose(&[&["exec", "-T", "registry"][..], words].concat());
    // Until nothing goes any more; it ends with an error.
    inside(&["dd", "if=/dev/zero", "of=/var/lib/registry/filler", "bs=4k"]).fails()?;
    let location = api.begin_upload("admin/kept");
    let refused = match &location {
        Ok(location) => {
            let bytes = vec![7; 1 << 20];
            let digest = harness::archive::digest(&bytes);
            let answer = api.finish_upload(location, &digest, bytes.into())?;
            ensure!(answer.status >= 500, "a full disk took a blob: {answer}");
            answer.to_string()
        }
        Err(refused) => format!("{refused:#}"),
    };
    ensure!(
        refused.contains("\"errors\""),
        "the refusal is no error of the protocol: {refused}"
    );
    there("1", &digest)?;
    inside(&["rm", "/var/lib/registry/filler"]).succeeds()?;
    let second = wait_for("a push after space was made", PATIENCE, || {
        Ok(api.push_small_image("admin/kept", "2", "after").ok())
    })?;
    there("2", &second)?;
    there("1", &digest)
}
