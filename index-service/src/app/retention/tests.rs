use std::time::Duration;

use serde_json::json;

use super::*;
use crate::app::content::testing::{INDEX, MANIFEST, World, digest_of};
use crate::app::content_deletion::shown::DeletionState;
use crate::domain::retention::RuleForm;

fn days(number: u64) -> Duration {
    Duration::from_hours(24 * number)
}

fn wish(rules: serde_json::Value, untagged_days: Option<u32>) -> PolicyWish {
    let rules: Vec<RuleForm> = serde_json::from_value(rules).unwrap();
    PolicyWish {
        is_enabled: true,
        rules,
        untagged_days,
        every_days: Some(1),
        at_hour: 3,
    }
}

fn place(world: &World) -> RetentionPlace {
    RetentionPlace::Repository(world.id)
}

/// Two indexes that share an image, each with a signature; a third image without a tag.
struct Shelf {
    world: World,
    old: String,
    new: String,
    shared: String,
    only_old: String,
    signature: String,
}

async fn shelf() -> Shelf {
    let mut world = World::new().await;
    let (shared, only_old, only_new) = (
        world.image(&["base", "amd"], "amd64"),
        world.image(&["base", "old"], "arm64"),
        world.image(&["base", "new"], "arm64"),
    );
    let index = |world: &World, of: [&str; 2]| {
        let manifests: Vec<_> = of.iter().map(|digest| world.descriptor(digest)).collect();
        world.manifest(
            INDEX,
            &json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests}),
        )
    };
    let old = index(&world, [&shared, &only_old]);
    let new = index(&world, [&shared, &only_new]);
    let signature = world.manifest(
        MANIFEST,
        &json!({"schemaVersion": 2, "mediaType": MANIFEST, "artifactType": "text/signature", "layers": [],
            "config": {"mediaType": "application/vnd.oci.empty.v1+json", "digest": digest_of(b"{}"), "size": 2},
            "subject": {"mediaType": INDEX, "digest": old, "size": 1}}),
    );
    let fallback = world.image(&["signature of old"], "unknown");
    let events = [
        world.push(&shared, None),
        world.push(&only_old, None),
        world.push(&only_new, None),
        world.push(&old, Some("dev-1")),
        world.push(&new, Some("v1")),
        world.push(&signature, None),
        world.push(&fallback, Some(&format!("{}.sig", old.replace(':', "-")))),
    ];
    world.deliver(&events).await;
    world.read().await;
    Shelf {
        world,
        old,
        new,
        shared,
        only_old,
        signature,
    }
}

#[tokio::test]
async fn a_rehearsal_says_what_would_go_and_changes_nothing() {
    let Shelf { world, old, .. } = shelf().await;
    let app = &world.fixture.app;
    world.fixture.clock.advance(days(40));
    let rules = json!([{"action": "delete", "tags": ["dev-*"], "not_pushed_for_days": 30}]);
    let found = app
        .simulate_retention(&world.ada, &place(&world), wish(rules, None), "")
        .await
        .unwrap();
    let one = &found.repositories[0];
    assert_eq!((one.tag_count, one.kept_count), (2, 1), "{one:?}");
    assert_eq!((one.tags[0].name.as_str(), one.tags[0].rule), ("dev-1", Some(1)));
    assert_eq!(
        (&one.tags[0].digest, one.tags[1].rule),
        (&old, None),
        "the signature's tag goes with it"
    );
    // The index, its own image with layer and configuration, two signatures; what is shared stays.
    assert!(one.freed.bytes > 0 && one.freed.bytes == one.freed.storage_bytes);
    assert_eq!(one.freed.manifests.len(), 4, "{:?}", one.freed);
    let of_namespace = RetentionPlace::Namespace("ada".parse().unwrap());
    let all = json!([{"action": "delete"}]);
    let found = app
        .simulate_retention(&world.ada, &of_namespace, wish(all, None), "")
        .await
        .unwrap();
    assert_eq!(found.repositories[0].tag_count, 3);
    assert_eq!(world.held.lock().unwrap().tags.len(), 3, "nothing went");
}

#[tokio::test]
async fn what_goes_can_be_restored_and_then_only_what_nothing_leads_to_is_removed() {
    let Shelf {
        world,
        old,
        new,
        shared,
        only_old,
        signature,
    } = shelf().await;
    let app = &world.fixture.app;
    let rules = json!([{"action": "delete", "tags": ["dev-*"], "not_pushed_for_days": 30}]);
    app.put_retention(&world.ada, &place(&world), wish(rules, None))
        .await
        .unwrap();
    assert_eq!(app.queue_retention().await.unwrap(), 0);
    world.fixture.clock.advance(days(40));
    assert_eq!(app.queue_retention().await.unwrap(), 1);
    assert_eq!(app.queue_retention().await.unwrap(), 0, "once");
    assert!(app.carry_out_retention().await.unwrap());
    assert!(!app.carry_out_retention().await.unwrap());
    let follower = format!("{}.sig", old.replace(':', "-"));
    let tags = || world.held.lock().unwrap().tags.clone();
    assert_eq!(tags().into_keys().collect::<Vec<_>>(), ["v1"]);
    let before = RunId::from_i64(i64::MAX);
    let runs = app
        .list_retention_runs(&world.ada, &place(&world), before, 9)
        .await
        .unwrap();
    assert_eq!(
        (runs[0].state.as_str(), runs[0].tags, runs[0].failures),
        ("done", 2, 0)
    );
    assert!(
        runs[0].planned.is_some_and(|planned| planned >= 2),
        "{:?}",
        runs[0]
    );
    let log = app
        .list_deletions_of_run(&world.ada, runs[0].run_id, DeletionId::from_i64(0), 9)
        .await
        .unwrap();
    // What was wanted in the same millisecond has no order among itself.
    let mut told: Vec<_> = log.iter().map(|one| (one.tag.as_deref(), one.rule)).collect();
    told.sort_unstable();
    assert_eq!(told, [(Some("dev-1"), Some(1)), (Some(follower.as_str()), None)]);
    world.told_of_deleted_tags(&["dev-1", &follower]).await;
    // Restored with its signature, to the same digest.
    let restored = app
        .restore_tag(&world.ada, world.id, "dev-1", None)
        .await
        .unwrap();
    assert_eq!(
        (&restored.digest, &restored.with),
        (&old, &vec![follower.clone()])
    );
    assert_eq!(tags()["dev-1"], old);
    let newest = DeletionId::from_i64(i64::MAX);
    assert!(
        app.list_deleted_tags(&world.ada, world.id, newest, 9)
            .await
            .unwrap()
            .is_empty()
    );
    world.told_of_pushed_tags().await;
    // Deleted by hand, and never restored.
    for name in ["dev-1", &follower] {
        let deleted = app.delete_tag(&world.ada, world.id, name, None).await.unwrap();
        assert_eq!(
            (deleted.state, deleted.deleted_by.as_deref()),
            (DeletionState::Deleted, Some("ada"))
        );
    }
    world.told_of_deleted_tags(&["dev-1", &follower]).await;
    world.fixture.clock.advance(days(6));
    assert_eq!(app.purge_deleted_tags().await.unwrap(), 0);
    world.fixture.clock.advance(days(2));
    assert_eq!(app.purge_deleted_tags().await.unwrap(), 2);
    let manifests = world.held.lock().unwrap().manifests.clone();
    for gone in [&old, &only_old, &signature] {
        assert!(!manifests.contains_key(gone), "{gone}");
    }
    for kept in [&new, &shared] {
        assert!(manifests.contains_key(kept), "{kept}");
    }
    let late = app.restore_tag(&world.ada, world.id, "dev-1", None).await;
    assert!(matches!(late, Err(AppError::Conflict(_))), "{late:?}");
    assert_eq!(app.purge_deleted_tags().await.unwrap(), 0);
}

#[tokio::test]
async fn manifests_that_nothing_leads_to_go_by_their_age_and_others_stay() {
    let mut shelf = shelf().await;
    let lost = shelf.world.image(&["lost"], "amd64");
    let pushed = shelf.world.push(&lost, None);
    shelf.world.deliver(&[pushed]).await;
    shelf.world.read().await;
    let world = &shelf.world;
    let app = &world.fixture.app;
    app.put_retention(&world.ada, &place(world), wish(json!([]), Some(7)))
        .await
        .unwrap();
    let before = world.held.lock().unwrap().manifests.len();
    let run = app.start_retention(&world.ada, &place(world)).await.unwrap();
    let same = app.start_retention(&world.ada, &place(world)).await.unwrap();
    assert_eq!(run.run_id, same.run_id);
    assert!(app.carry_out_retention().await.unwrap());
    assert_eq!(
        world.held.lock().unwrap().manifests.len(),
        before,
        "it is too young"
    );
    world.fixture.clock.advance(days(8));
    app.start_retention(&world.ada, &place(world)).await.unwrap();
    assert!(app.carry_out_retention().await.unwrap());
    let manifests = world.held.lock().unwrap().manifests.clone();
    assert_eq!(manifests.len(), before - 1);
    assert!(!manifests.contains_key(&lost));
}

#[tokio::test]
async fn a_registry_that_is_away_and_a_process_that_is_killed_delay_a_run() {
    let Shelf { world, old, .. } = shelf().await;
    let app = &world.fixture.app;
    let rules = json!([{"action": "delete", "tags": ["dev-*"]}]);
    app.put_retention(&world.ada, &place(&world), wish(rules, None))
        .await
        .unwrap();
    let run = app.start_retention(&world.ada, &place(&world)).await.unwrap();
    world.held.lock().unwrap().is_away = true;
    assert!(app.carry_out_retention().await.unwrap());
    let delayed = app.show_retention_run(&world.ada, run.run_id).await.unwrap();
    assert_eq!((delayed.state.as_str(), delayed.tags), ("running", 0));
    assert!(delayed.message.is_some());
    // The registry had done it, and the answer was lost.
    world.held.lock().unwrap().is_away = false;
    world.held.lock().unwrap().tags.remove("dev-1");
    world.fixture.clock.advance(Duration::from_mins(1));
    assert!(app.carry_out_retention().await.unwrap());
    let ended = app.show_retention_run(&world.ada, run.run_id).await.unwrap();
    assert_eq!((ended.state.as_str(), ended.tags), ("done", 2), "{ended:?}");
    let log = app
        .list_deletions_of_run(&world.ada, run.run_id, DeletionId::from_i64(0), 9)
        .await
        .unwrap();
    let deleted = log.iter().filter(|one| one.state == DeletionState::Deleted);
    let digests: Vec<_> = deleted
        .map(|one| (one.tag.clone().unwrap(), one.digest.clone()))
        .collect();
    assert_eq!(digests[0], ("dev-1".to_owned(), old));
    assert_eq!(digests.len(), 2);
}

#[tokio::test]
async fn a_tag_that_moved_meanwhile_stays_and_nothing_is_decided_by_a_clock_that_is_wrong() {
    let Shelf { world, new, .. } = shelf().await;
    let app = &world.fixture.app;
    let rules = json!([{"action": "delete", "tags": ["dev-*"]}]);
    app.put_retention(&world.ada, &place(&world), wish(rules.clone(), None))
        .await
        .unwrap();
    // Somebody pushed, and the index has not heard of it yet.
    world
        .held
        .lock()
        .unwrap()
        .tags
        .insert("dev-1".to_owned(), new.clone());
    app.start_retention(&world.ada, &place(&world)).await.unwrap();
    assert!(app.carry_out_retention().await.unwrap());
    assert_eq!(world.held.lock().unwrap().tags["dev-1"], new);
    world
        .fixture
        .clock
        .set(crate::app::fixture::NOW_MS - 2 * 86_400_000);
    let found = app
        .simulate_retention(&world.ada, &place(&world), wish(rules, None), "")
        .await;
    assert!(matches!(found, Err(AppError::Conflict(_))), "{found:?}");
}

#[tokio::test]
async fn an_immutable_tag_stays_and_the_rehearsal_says_what_keeps_it() {
    let Shelf { world, old, .. } = shelf().await;
    let app = &world.fixture.app;
    let patterns = vec!["dev-*".parse().unwrap()];
    let tags = shared::token::ImmutableTags::new(patterns, Vec::new()).unwrap();
    app.set_immutable_tags(&world.ada, world.id, tags).await.unwrap();
    let wished = || wish(json!([{"action": "delete"}]), Some(1));
    let found = app
        .simulate_retention(&world.ada, &place(&world), wished(), "")
        .await
        .unwrap();
    let one = &found.repositories[0];
    let going: Vec<_> = one.tags.iter().map(|tag| tag.name.as_str()).collect();
    assert_eq!((going, one.tag_count, one.kept_count), (vec!["v1"], 1, 2));
    let kept: Vec<_> = one
        .immutable
        .iter()
        .map(|tag| (tag.name.as_str(), tag.rule, tag.kept_by.as_str()))
        .collect();
    assert_eq!(kept, [("dev-1", Some(1), "the rule dev-* of the repository")]);
    assert_eq!(one.immutable_count, 1);
    // What it leads to stays, and its signature with it.
    assert!(!one.freed.manifests.contains(&old), "{:?}", one.freed);
    app.put_retention(&world.ada, &place(&world), wished())
        .await
        .unwrap();
    let run = app.start_retention(&world.ada, &place(&world)).await.unwrap();
    assert!(app.carry_out_retention().await.unwrap());
    let ended = app.show_retention_run(&world.ada, run.run_id).await.unwrap();
    assert_eq!((ended.state.as_str(), ended.tags, ended.failures), ("done", 1, 0));
    let follower = format!("{}.sig", old.replace(':', "-"));
    let tags = world.held.lock().unwrap().tags.clone();
    assert_eq!(tags.into_keys().collect::<Vec<_>>(), ["dev-1", &follower]);
}
