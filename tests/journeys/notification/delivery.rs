//! What is promised of delivery: order, kills, a receiver that hangs, a replica that dies.

use std::collections::{BTreeMap, BTreeSet};

use harness::binaries::path_of;
use harness::layout::IMAGE_MANIFEST;
use harness::open_registry::OpenRegistry;
use harness::process::{free_port, wait_for};
use harness::receiver::Receiver;
use harness::{Context, Journey, Result, ensure};
use serde_json::{Value, json};

use super::{PATIENCE, is_of_manifest, manifest, quickly, section, start};

// Order.

pub(super) fn order(journey: &Journey) -> Result<()> {
    const WORKERS: usize = 6;
    const MOVES: usize = 12;
    let receiver = Receiver::start()?;
    let folder = journey.subfolder("registry")?;
    let config = || section(&receiver.url(), quickly());
    let registries = [
        start(journey, &folder, config())?,
        start(journey, &folder, config())?,
    ];
    let apis = [registries[0].api()?, registries[1].api()?];
    let blob = apis[0].push_blob("app", "{}")?;
    let moving = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS)
            .map(|worker| {
                let (api, blob) = (&apis[worker % 2], &blob);
                scope.spawn(move || -> Result<Vec<String>> {
                    let numbers = (0..MOVES).map(|number| worker * MOVES + number);
                    numbers
                        .map(|number| {
                            api.push_manifest("app", "moving", IMAGE_MANIFEST, manifest(blob, number))
                        })
                        .collect()
                })
            })
            .collect();
        workers
            .into_iter()
            .map(|worker| worker.join().map_err(|_| harness::anyhow!("a worker panicked"))?)
            .collect::<Result<Vec<_>>>()
    })?;
    let count = WORKERS * MOVES;
    let tags = |events: &[Value]| -> Vec<String> {
        let moves = events
            .iter()
            .filter(|event| event["target"]["tag"] == "moving" && event["action"] == "push");
        moves
            .map(|event| event["target"]["digest"].as_str().unwrap_or_default().to_owned())
            .collect()
    };
    let events = receiver.wait("every move", |events| tags(events).len() >= count)?;
    let told = tags(&events);
    ensure!(told.len() == count, "{} moves were told", told.len());
    let stands = apis[0]
        .manifest("app", "moving")?
        .header("docker-content-digest")?
        .to_owned();
    ensure!(
        told.last() == Some(&stands),
        "the tag stands at {stands}, and the last that was told is {:?}",
        told.last()
    );
    let place: BTreeMap<&String, usize> = told.iter().enumerate().map(|(at, digest)| (digest, at)).collect();
    for of_worker in &moving {
        // Each was acknowledged before the next began.
        let places: Vec<_> = of_worker.iter().map(|digest| place.get(digest)).collect();
        ensure!(places.is_sorted() && !places.contains(&None), "{places:?}");
    }
    let sources: BTreeSet<String> = events
        .iter()
        .map(|event| event["source"]["addr"].to_string())
        .collect();
    ensure!(sources.len() == 2, "both replicas should have told: {sources:?}");
    Ok(())
}

// Kills.

pub(super) fn killed(journey: &Journey) -> Result<()> {
    const IMAGES: usize = 8;
    let port = free_port()?;
    let folder = journey.subfolder("registry")?;
    let url = format!("http://127.0.0.1:{port}/hook");
    let mut registry = start(journey, &folder, section(&url, quickly()))?;
    let mut pushed = BTreeMap::<&str, Vec<String>>::new();
    // Nobody listens yet.
    for number in 0..IMAGES {
        for repository in ["a", "b/c"] {
            let api = registry.api()?;
            let blob = api.push_blob(repository, "{}")?;
            let digest = api.push_manifest(repository, "one", IMAGE_MANIFEST, manifest(&blob, number))?;
            pushed.entry(repository).or_default().push(digest);
        }
        if number % 3 == 0 {
            registry.kill();
            registry.start_again()?;
        }
    }
    registry.kill();
    let receiver = Receiver::start_on(port)?;
    registry.start_again()?;
    let of = |events: &[Value], repository: &str| -> Vec<String> {
        let of = events
            .iter()
            .filter(|event| is_of_manifest(event) && event["target"]["repository"] == repository);
        of.map(|event| event["target"]["digest"].as_str().unwrap_or_default().to_owned())
            .collect()
    };
    let events = receiver.wait("every push", |events| {
        pushed
            .iter()
            .all(|(repository, digests)| of(events, repository).len() >= digests.len())
    })?;
    for (repository, digests) in &pushed {
        ensure!(
            of(&events, repository) == *digests,
            "{repository}: {:?}",
            of(&events, repository)
        );
    }
    let head = receiver.last_head();
    ensure!(
        head.contains("application/vnd.docker.distribution.events.v2+json"),
        "{head}"
    );
    let ids: BTreeSet<String> = events.iter().map(|event| event["id"].to_string()).collect();
    ensure!(
        ids.len() == events.len() && ids.len() == IMAGES * 4,
        "{} of {} events",
        ids.len(),
        events.len()
    );
    let list = || commanded(journey, &registry, &["list", "--endpoint", "alice"]);
    wait_for("an empty queue", PATIENCE, || {
        Ok(list()?.starts_with("0 events wait").then_some(()))
    })?;
    let api = registry.api()?;
    api.delete("/v2/a/manifests/one")?.expect(202)?;
    let events = receiver.wait("the delete", |events| {
        events.iter().any(|event| event["action"] == "delete")
    })?;
    let last = events.last().context("no event")?;
    ensure!(
        last["target"] == json!({"repository": "a", "tag": "one"}),
        "{last}"
    );
    // Neither garbage collection nor scrub takes the queues for anything else.
    let line = journey
        .command(path_of("registry-service")?)
        .arg("scrub")
        .arg(registry.config());
    line.succeeds()?;
    let catalog = api.get("/v2/_catalog")?.expect(200)?.json()?;
    ensure!(catalog["repositories"] == json!(["a", "b/c"]), "{catalog}");
    Ok(())
}

fn commanded(journey: &Journey, registry: &OpenRegistry, words: &[&str]) -> Result<String> {
    let line = journey
        .command(path_of("registry-service")?)
        .arg("notifications")
        .args(words);
    Ok(line.arg(registry.config()).succeeds()?.stdout)
}

// A receiver that hangs.

pub(super) fn hanging(journey: &Journey) -> Result<()> {
    const PUSHES: usize = 12;
    let receiver = Receiver::start()?;
    receiver.hang(true);
    let more = "      timeout: 60s\n      backoff: 20ms\n      maxevents: 5\n";
    let registry = start(
        journey,
        &journey.subfolder("registry")?,
        section(&receiver.url(), more),
    )?;
    let api = registry.api()?;
    let blob = api.push_blob("app", "{}")?;
    wait_for("the first event", PATIENCE, || {
        Ok((receiver.requests() == 1).then_some(()))
    })?;
    let mut pushed = Vec::new();
    for number in 0..PUSHES {
        pushed.push(api.push_manifest(
            "app",
            &format!("t{number}"),
            IMAGE_MANIFEST,
            manifest(&blob, number),
        )?);
    }
    // All of them are answered though the first event is not.
    ensure!(
        (receiver.requests(), receiver.events().len()) == (1, 0),
        "{} requests",
        receiver.requests()
    );
    let waiting = commanded(journey, &registry, &["list"])?;
    ensure!(waiting.lines().count() == PUSHES + 2, "{waiting}");
    for digest in &pushed {
        ensure!(waiting.contains(digest.as_str()), "{digest} is not listed");
    }
    receiver.answer(503);
    receiver.hang(false);
    // Now that it hears, it says no: what is too much becomes dead letters, the oldest first.
    let dead = wait_for("dead letters", PATIENCE, || {
        let dead = commanded(journey, &registry, &["dead"])?;
        Ok(dead.starts_with("alice 1 ").then_some(dead))
    })?;
    ensure!(
        dead.contains(&format!("{} dead letters", PUSHES + 1 - 5)),
        "{dead}"
    );
    receiver.answer(200);
    let kept = receiver.wait("what was left", |events| events.len() >= 5)?;
    let last: Vec<_> = pushed[PUSHES - 5..].iter().map(|digest| json!(digest)).collect();
    ensure!(
        kept.iter().map(|event| &event["target"]["digest"]).eq(&last),
        "{kept:?}"
    );
    wait_for("all dead letters to be replayed", PATIENCE, || {
        let replayed = commanded(journey, &registry, &["replay", "--endpoint", "alice"])?;
        Ok((!replayed.contains("stay dead")).then_some(()))
    })?;
    let all = receiver.wait("the replayed", |events| events.len() > PUSHES)?;
    let digests: BTreeSet<_> = all
        .iter()
        .filter_map(|event| event["target"]["digest"].as_str())
        .collect();
    ensure!(
        pushed.iter().all(|digest| digests.contains(digest.as_str())),
        "{all:?}"
    );
    ensure!(
        commanded(journey, &registry, &["dead"])?.starts_with("0 dead letters"),
        "dead letters stay"
    );
    Ok(())
}

// Replicas.

pub(super) fn takeover(journey: &Journey) -> Result<()> {
    let receiver = Receiver::start()?;
    let folder = journey.subfolder("registry")?;
    let mut registries = Vec::new();
    for _ in 0..2 {
        registries.push(start(journey, &folder, section(&receiver.url(), quickly()))?);
    }
    let mut told = 0;
    for round in 0..4 {
        let (dies, lives) = (round % 2, (round + 1) % 2);
        for at in [dies, lives] {
            let api = registries[at].api()?;
            let blob = api.push_blob("app", "{}")?;
            api.push_manifest("app", "one", IMAGE_MANIFEST, manifest(&blob, 10 * round + at))?;
            told += 1;
        }
        registries[dies].kill();
        let moves = |events: &[Value]| {
            let ids = events
                .iter()
                .filter(|event| is_of_manifest(event))
                .map(|event| event["id"].to_string());
            ids.collect::<BTreeSet<_>>().len()
        };
        receiver.wait("what both were told", |events| moves(events) == told)?;
        registries[dies].start_again()?;
    }
    Ok(())
}
