//! The profile `redis`: blobs are told to it, and nobody notices when it is gone.

use harness::process::wait_for;
use harness::{Journey, Need, Result, Suite, ensure, stand_in};

use super::NEEDS;
use super::load::Load;
use super::project::{PATIENCE, Project};

pub(crate) fn add(suite: &mut Suite) {
    suite.add(
        "deployment",
        "with_the_profile_redis_blobs_are_told_to_it_and_nobody_notices_its_end",
        &[&NEEDS[..], &[Need::Redis]].concat(),
        beside,
    );
}

fn beside(journey: &Journey) -> Result<()> {
    let project = Project::prepare(journey, "")?;
    stand_in::redis(journey, &project.docker, "redis:7")?;
    project.set("PORTOLAN_REDIS", "redis:6379");
    project.set("COMPOSE_PROFILES", "redis");
    project.up(&[])?;
    let admin = project.admin()?;
    let api = project.api(Some(admin.clone()))?;
    let is_told = |blob: &str| -> Result<bool> {
        let words = ["exec", "-T", "redis", "redis-cli", "SISMEMBER"];
        let words = [&words[..], &["repository::admin/app::blobs", blob]].concat();
        // It may not listen yet.
        Ok(project.compose(&words).run()?.stdout.trim() == "1")
    };
    let before = api.push_blob("admin/app", "before")?;
    wait_for("redis to know the blob", PATIENCE, || {
        Ok(is_told(&before)?.then_some(()))
    })?;

    let load = Load::default();
    std::thread::scope(|scope| {
        load.start(scope, &project, &admin, 2)?;
        let done = (|| {
            load.wait_for_rounds(5)?;
            let redis = project.containers("redis")?.concat();
            project.kill(&redis)?;
            load.wait_for_rounds(10)?;
            project.compose(&["stop", "redis"]).succeeds()?;
            load.wait_for_rounds(10)?;
            project.compose(&["start", "redis"]).succeeds()?;
            load.wait_for_rounds(5).map(drop)
        })();
        load.end();
        done
    })?;
    let (failures, last) = load.failures();
    ensure!(failures == 0, "{failures} attempts failed without redis: {last}");
    load.verify(&api)?;
    // What was pushed while it did not listen yet is not told again.
    let mut count = 0;
    wait_for("redis to know a new blob", PATIENCE, || {
        count += 1;
        let blob = api.push_blob("admin/app", format!("afterwards {count}"))?;
        Ok(is_told(&blob)?.then_some(()))
    })
}
