mod ancestry;
mod tag_list;
pub(in crate::app) mod world;

use std::sync::Arc;

use serde_json::{Value, json};
use shared::secret::Secret;

use super::reading::CLAIM_MS;
use super::*;
use crate::app::fixture::NOW_MS;
use crate::domain::content::Dimension;
use crate::store::manifest::Measure;
use crate::store::manifest_work;
use crate::store::tag as stored_tag;

use world::{INDEX, MANIFEST, World, digest_of};

#[tokio::test]
async fn a_push_is_seen_with_everything_that_the_image_says() {
    let mut world = World::new().await;
    let app = Arc::clone(&world.fixture.app);
    let (arm, amd) = (
        world.image(&["base", "arm"], "arm64"),
        world.image(&["base", "amd"], "amd64"),
    );
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [world.descriptor(&arm), world.descriptor(&amd)]});
    let index = world.manifest(INDEX, &index);
    let sbom = json!({"schemaVersion": 2, "mediaType": MANIFEST, "artifactType": "text/sbom", "layers": [],
        "config": {"mediaType": "application/vnd.oci.empty.v1+json", "digest": digest_of(b"{}"), "size": 2},
        "subject": {"mediaType": INDEX, "digest": index, "size": 1}});
    let sbom = world.manifest(MANIFEST, &sbom);
    let events = [
        world.push(&arm, None),
        world.push(&amd, None),
        world.push(&index, Some("v1")),
        world.push(&sbom, None),
    ];
    assert_eq!(world.deliver(&events).await.done, 4);
    world.read().await;
    assert_eq!(world.check().await.examples, [""; 0]);
    let (tag, node) = app.show_tag(&world.ada, world.id, "v1").await.unwrap();
    let node = node.unwrap();
    assert_eq!((tag.digest.as_str(), tag.push_count), (index.as_str(), Some(1)));
    assert_eq!(tag.last_pushed_by.as_deref(), Some("ada"));
    let platforms: Vec<_> = node
        .children
        .iter()
        .map(|child| child.manifest.description.platform.clone().unwrap())
        .collect();
    assert_eq!(platforms, ["linux/arm64", "linux/amd64"]);
    let image = &node.children[1].manifest.description;
    let commands: Vec<_> = image
        .parts
        .iter()
        .filter_map(|part| part.command.as_deref())
        .collect();
    assert_eq!(commands, ["ADD base", "ADD amd"]);
    let config = image.config.as_deref().unwrap();
    assert!(
        config.contains("\"title\":\"app\"") && config.contains("SECRET") && !config.contains("canary"),
        "{config}"
    );
    assert_eq!(node.referrers[0].digest, sbom);
    assert_eq!(
        node.referrers[0].description.artifact_type.as_deref(),
        Some("text/sbom")
    );
    let short = &index["sha256:".len()..][..8];
    assert_eq!(
        app.show_manifest(&world.ada, world.id, short)
            .await
            .unwrap()
            .manifest
            .digest,
        index
    );
    assert!(matches!(
        app.show_manifest(&world.ada, world.id, "abcde").await,
        Err(AppError::NotFound(_))
    ));
    let eve = app
        .create_account("eve", Secret::new("correct horse battery".to_owned()))
        .await
        .unwrap();
    let eve = app.operator(eve.username.as_str()).await.unwrap();
    assert!(matches!(
        app.show_tag(&eve, world.id, "v1").await,
        Err(AppError::NotFound(_))
    ));
    assert!(matches!(
        app.reindex(&eve, world.id, true).await,
        Err(AppError::NotFound(_))
    ));
}

#[tokio::test]
async fn a_tag_that_moves_and_goes_has_a_history_and_what_comes_twice_counts_once() {
    let mut world = World::new().await;
    let app = Arc::clone(&world.fixture.app);
    let (one, two) = (world.image(&["1"], "amd64"), world.image(&["2"], "amd64"));
    let first = [
        world.push(&one, Some("v1")),
        world.push(&one, Some("v1")),
        world.push(&two, Some("v1")),
    ];
    let carried = world.deliver(&first).await;
    assert_eq!((carried.done, carried.known), (3, 0));
    // The registry was killed before it noted the answer.
    let again = world.deliver(&first[1..]).await;
    assert_eq!((again.done, again.known), (0, 2));
    let gone = world.event("delete", json!({"tag": "v1"}));
    world.held.lock().unwrap().tags.clear();
    world.deliver(std::slice::from_ref(&gone)).await;
    world.deliver(std::slice::from_ref(&gone)).await;
    let some = |digest: &str| Some(digest.to_owned());
    assert_eq!(
        world.history("v1").await,
        [(some(&two), None), (some(&one), some(&two)), (None, some(&one))]
    );
    assert!(matches!(
        app.show_tag(&world.ada, world.id, "v1").await,
        Err(AppError::NotFound(_))
    ));
    let activity = app
        .activity(&world.ada, world.id, Dimension::Tag, 2)
        .await
        .unwrap();
    assert_eq!(
        activity.days.iter().map(|day| day.push_count).collect::<Vec<_>>(),
        [3]
    );
    assert_eq!(activity.total.unwrap().push_count, 3);
    // A manifest that is gone takes its parts along.
    world.read().await;
    let one_gone = world.event("delete", json!({"digest": one}));
    world.held.lock().unwrap().manifests.remove(&one);
    world.deliver(&[one_gone]).await;
    assert_eq!(world.check().await.examples, [""; 0]);
    assert!(matches!(
        app.show_manifest(&world.ada, world.id, &one).await,
        Err(AppError::NotFound(_))
    ));
}

#[tokio::test]
async fn pulls_are_counted_by_tag_digest_platform_and_client_and_written_together() {
    let mut world = World::new().await;
    let app = Arc::clone(&world.fixture.app);
    let image = world.image(&["1"], "amd64");
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [world.descriptor(&image)]});
    let index = world.manifest(INDEX, &index);
    let pushes = [world.push(&image, None), world.push(&index, Some("v1"))];
    world.deliver(&pushes).await;
    world.read().await;
    let mut pulls = Vec::new();
    for (digest, tag, method, agent) in [
        // Docker asks what the tag points to, and takes that and the image by their digests.
        (&index, Some("v1"), "HEAD", "docker/27.0"),
        (&index, None, "GET", "docker/27.0"),
        (&image, None, "GET", "docker/27.0"),
        // Skopeo takes it at once.
        (&index, Some("v1"), "GET", "skopeo/1.9"),
        (&image, None, "GET", "skopeo/1.9"),
        // The index itself.
        (&image, None, "GET", "portolan-index"),
    ] {
        let mut target = world.descriptor(digest);
        if let Some(tag) = tag {
            target["tag"] = tag.into();
        }
        let mut event = world.event("pull", target);
        event["request"]["method"] = method.into();
        event["request"]["useragent"] = agent.into();
        if agent == "portolan-index" {
            event["actor"] = json!({"name": "@index"});
        }
        pulls.push(event);
    }
    assert_eq!(world.deliver(&pulls).await.pulls, 5);
    let of = async |dimension| {
        let activity = app.activity(&world.ada, world.id, dimension, 1).await.unwrap();
        let days = activity.days.into_iter().filter(|day| day.pull_count > 0);
        days.map(|day| (day.value, day.pull_count)).collect::<Vec<_>>()
    };
    assert_eq!(of(Dimension::Repository).await, []);
    app.flush_pulls().await;
    let line = |value: &str, count| (value.to_owned(), count);
    assert_eq!(of(Dimension::Repository).await, [line("", 2)]);
    assert_eq!(of(Dimension::Tag).await, [line("v1", 2)]);
    assert_eq!(of(Dimension::Platform).await, [line("linux/amd64", 2)]);
    assert_eq!(
        of(Dimension::Client).await,
        [line("docker", 1), line("skopeo", 1)]
    );
    assert_eq!(
        of(Dimension::Digest)
            .await
            .iter()
            .map(|(_, count)| count)
            .sum::<i64>(),
        4
    );
    let (tag, _) = app.show_tag(&world.ada, world.id, "v1").await.unwrap();
    assert_eq!(tag.pull_count, Some(2));
    assert_eq!(tag.last_pulled_at, Some(NOW_MS - 60_000));
}

#[tokio::test]
async fn reading_again_repairs_what_the_index_knows_and_leaves_the_history_alone() {
    let mut world = World::new().await;
    let app = Arc::clone(&world.fixture.app);
    let (one, two) = (world.image(&["1"], "amd64"), world.image(&["2"], "amd64"));
    let known = [world.push(&one, Some("v1")), world.push(&one, Some("old"))];
    world.deliver(&known).await;
    world.read().await;
    // What the index never heard of.
    world.push(&two, Some("v1"));
    world.push(&two, Some("v2"));
    world.held.lock().unwrap().tags.remove("old");
    world.held.lock().unwrap().manifests.remove(&one);
    let found = world.check().await;
    assert_eq!(
        (found.tags_moved, found.tags_missing, found.tags_gone),
        (1, 1, 1),
        "{found}"
    );
    assert_eq!((found.manifests_missing, found.manifests_gone), (1, 1), "{found}");
    assert_eq!(world.check().await, found, "looking changes nothing");
    let history = world.history("v1").await;
    assert_eq!(app.reindex(&world.ada, world.id, false).await.unwrap(), found);
    assert!(world.check().await.is_nothing());
    assert_eq!(world.history("v1").await, history);
    // Somebody has been at the database.
    let mut tx = world.fixture.store.write().await.unwrap();
    let mut known = crate::store::manifest::find_manifest(&mut tx, world.id, &two)
        .await
        .unwrap()
        .unwrap();
    known.description.platform = Some("plan9/mips".to_owned());
    crate::store::manifest::describe_manifest(&mut tx, world.id, &two, &known.description, NOW_MS)
        .await
        .unwrap();
    stored_tag::put_tag(&mut tx, world.id, "v3", &two, NOW_MS)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let found = world.check().await;
    assert_eq!(
        (found.manifests_different, found.tags_gone, found.count()),
        (1, 1, 2),
        "{found}"
    );
    // Events were lost: the registry says so, and the index reads.
    let lost = world.event("resync", json!({}));
    world.deliver(&[lost]).await;
    world.read().await;
    assert_eq!(
        world.check().await.count(),
        1,
        "what was read once is read again by those who ask for it"
    );
    app.reindex(&world.ada, world.id, false).await.unwrap();
    assert!(world.check().await.is_nothing());
}

#[tokio::test]
async fn a_registry_that_is_away_is_asked_again_and_a_manifest_that_is_gone_is_forgotten() {
    let mut world = World::new().await;
    let app = Arc::clone(&world.fixture.app);
    let (one, two) = (world.image(&["1"], "amd64"), world.image(&["2"], "amd64"));
    let pushes = [world.push(&one, Some("v1")), world.push(&two, Some("v2"))];
    world.held.lock().unwrap().is_away = true;
    world.deliver(&pushes).await;
    world.read().await;
    let shown = app.show_manifest(&world.ada, world.id, &one).await.unwrap();
    assert!(!shown.manifest.is_read);
    assert!(matches!(
        app.reindex(&world.ada, world.id, true).await,
        Err(AppError::Unavailable(_))
    ));
    {
        let mut held = world.held.lock().unwrap();
        held.is_away = false;
        held.manifests.remove(&two);
        held.tags.remove("v2");
    }
    world.read().await;
    assert!(
        !app.show_manifest(&world.ada, world.id, &one)
            .await
            .unwrap()
            .manifest
            .is_read,
        "not at once"
    );
    world.fixture.clock.advance(std::time::Duration::from_secs(10));
    world.read().await;
    assert!(
        app.show_manifest(&world.ada, world.id, &one)
            .await
            .unwrap()
            .manifest
            .is_read
    );
    assert!(matches!(
        app.show_manifest(&world.ada, world.id, &two).await,
        Err(AppError::NotFound(_))
    ));
}

#[tokio::test]
async fn what_waited_for_a_registry_that_was_away_for_long_is_read_as_soon_as_it_is_back() {
    let mut world = World::new().await;
    let app = Arc::clone(&world.fixture.app);
    let (one, two) = (world.image(&["1"], "amd64"), world.image(&["2"], "amd64"));
    let (first, second) = (world.push(&one, Some("v1")), world.push(&two, Some("v2")));
    world.held.lock().unwrap().is_away = true;
    world.deliver(&[first]).await;
    for doubling in 0..7 {
        world.read().await;
        world
            .fixture
            .clock
            .advance(std::time::Duration::from_secs(2 << doubling));
    }
    // It waits for more than four minutes now.
    world.read().await;
    world.held.lock().unwrap().is_away = false;
    world.deliver(&[second]).await;
    world.read().await;
    for digest in [&two, &one] {
        let shown = app.show_manifest(&world.ada, world.id, digest).await.unwrap();
        assert!(shown.manifest.is_read, "{digest}");
    }
}

#[tokio::test]
async fn a_repository_that_takes_long_to_read_is_left_alone_by_others_until_its_reader_is_gone() {
    let world = World::new().await;
    let (app, clock) = (&world.fixture.app, &world.fixture.clock);
    app.reindex_later(&world.ada, world.id).await.unwrap();
    let mut tx = app.store.write().await.unwrap();
    let now = app.clock.now_ms();
    let claimed = manifest_work::claim_work(&mut tx, now + CLAIM_MS, now, 1)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let mut work = claimed.into_iter().next().unwrap();
    let is_due = async || {
        let mut tx = app.store.read().await.unwrap();
        manifest_work::is_work_due(&mut tx, app.clock.now_ms())
            .await
            .unwrap()
    };
    // Four times as long as it was claimed for.
    let reading = async {
        for _ in 0..6 {
            clock.advance(std::time::Duration::from_secs(10));
            let until = app.clock.now_ms() + CLAIM_MS;
            loop {
                let mut tx = app.store.read().await.unwrap();
                let wanted = manifest_work::list_work(&mut tx, world.id, 1).await.unwrap();
                if wanted[0].claim == until {
                    break;
                }
            }
            assert!(!is_due().await, "others begin to read it too");
        }
        Ok(())
    };
    let reading = app.prolonging(&mut work, std::time::Duration::from_millis(1), reading);
    let limit = std::time::Duration::from_mins(1);
    Box::pin(tokio::time::timeout(limit, reading))
        .await
        .unwrap()
        .unwrap();
    clock.advance(std::time::Duration::from_secs(15));
    assert!(is_due().await, "nobody goes on where its reader was killed");
    let mut tx = app.store.write().await.unwrap();
    assert!(manifest_work::end_work(&mut tx, &work).await.unwrap());
}

#[tokio::test]
async fn what_a_tag_would_free_is_what_nothing_else_needs() {
    let mut world = World::new().await;
    let app = Arc::clone(&world.fixture.app);
    let (one, two) = (
        world.image(&["base", "one-layer"], "amd64"),
        world.image(&["base", "2"], "amd64"),
    );
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [world.descriptor(&one), world.descriptor(&two)]});
    let index = world.manifest(INDEX, &index);
    let pushes = [
        world.push(&one, None),
        world.push(&two, Some("two")),
        world.push(&index, Some("all")),
    ];
    world.deliver(&pushes).await;
    world.read().await;
    let length = |bytes: &[u8]| i64::try_from(bytes.len()).unwrap();
    let size = |digest: &str| length(&world.held.lock().unwrap().manifests[digest].1);
    let config: i64 = {
        let held = world.held.lock().unwrap();
        let document: Value = serde_json::from_slice(&held.manifests[&one].1).unwrap();
        document["config"]["size"].as_i64().unwrap()
    };
    let freed = app.measure_deletion(&world.ada, world.id, "all").await.unwrap();
    // The index itself, the one image with its configuration and its own layer; the base is the other image's too.
    let expected = size(&index) + size(&one) + config + length(b"one-layer");
    assert_eq!((freed.bytes, freed.storage_bytes), (expected, expected));
    assert_eq!(freed.manifests.len(), 2);
    let none = app.measure_deletion(&world.ada, world.id, "two").await.unwrap();
    assert_eq!(none, Freed::default(), "the index leads to it as well");
    let Measure { bytes, blobs } = app.measure_repository(&world.ada, world.id).await.unwrap();
    assert!(bytes > expected && blobs == 8, "{blobs}");
    let of_namespace = app
        .measure_namespace(&world.ada, &"ada".parse().unwrap())
        .await
        .unwrap();
    assert_eq!(of_namespace, Measure { bytes, blobs });
}

#[tokio::test]
async fn odd_deliveries_are_refused_or_ignored() {
    let mut world = World::new().await;
    let app = &world.fixture.app.clone();
    for body in ["", "[]", "{\"events\": 1}"] {
        assert!(
            matches!(
                app.receive_events(body.as_bytes()).await,
                Err(AppError::Invalid(_))
            ),
            "{body}"
        );
    }
    let many = json!({"events": vec![json!({}); 1_001]}).to_string();
    assert!(matches!(
        app.receive_events(many.as_bytes()).await,
        Err(AppError::Invalid(_))
    ));
    let image = world.image(&["1"], "amd64");
    let mut elsewhere = world.push(&image, Some("v1"));
    elsewhere["target"]["repository"] = "nobody/knows".into();
    let mut blob = world.push(&image, None);
    blob["target"]["mediaType"] = "application/octet-stream".into();
    let mut nameless = world.push(&image, None);
    nameless["target"]["repository"] = "No Name".into();
    let mut broken = world.push(&image, Some("v1"));
    broken["target"]["digest"] = "sha256:short".into();
    let carried = world
        .deliver(&[elsewhere, blob, nameless, broken, json!({"action": "dance"})])
        .await;
    assert_eq!((carried.done, carried.ignored), (0, 5));
}
