use std::time::Duration;

use serde_json::{Value, json};
use shared::secret::Secret;

use super::*;
use crate::app::fixture::{Fixture, NOW_MS};
use crate::domain::RepositoryId;
use crate::domain::work::WorkState;

/// The use cases with the administrator `admin`, the account `ada` and her repository `ada/app`.
struct World {
    fixture: Fixture,
    admin: Caller,
    ada: Caller,
}

impl World {
    async fn new() -> Self {
        let fixture = Fixture::new().await;
        let app = &fixture.app;
        app.ensure_admin().await.unwrap();
        for account in ["ada", "eve"] {
            app.create_account(account, Secret::new("correct horse battery".to_owned()))
                .await
                .unwrap();
        }
        app.confirm_pushed(&"ada/app".parse().unwrap()).await.unwrap();
        Self {
            admin: app.operator("admin").await.unwrap(),
            ada: app.operator("ada").await.unwrap(),
            fixture,
        }
    }

    async fn collecting(&self, run: char, sequence: i64, more: Value) -> Result<bool, AppError> {
        let mut report = json!({"run": run.to_string().repeat(32), "sequence": sequence, "kind": "garbage_collection",
            "elapsed_ms": 2_000, "subject": "/etc/distribution/config.yml", "phase": "marking", "unit": "manifests",
            "done": 5});
        if let Some(more) = more.as_object() {
            for (key, value) in more {
                report[key] = value.clone();
            }
        }
        self.fixture.app.receive_work(report.to_string().as_bytes()).await
    }

    async fn all(&self) -> Vec<LongWork> {
        let before = WorkId::from_i64(i64::MAX);
        self.fixture
            .app
            .list_work(&self.admin, before, 200)
            .await
            .unwrap()
    }

    async fn live(&self) -> Vec<LongWork> {
        self.fixture.app.list_live_work(&self.admin).await.unwrap()
    }
}

fn import(run: char, sequence: i64) -> WorkReport {
    WorkReport {
        run: run.to_string().repeat(32),
        sequence,
        kind: "import".to_owned(),
        subject: "harbor.example".to_owned(),
        phase: "copying".to_owned(),
        unit: "repositories".to_owned(),
        total: Some(4),
        ..WorkReport::default()
    }
}

#[tokio::test]
async fn a_collection_of_garbage_is_followed_from_its_beginning_to_its_end() {
    let world = World::new().await;
    assert!(world.collecting('a', 1, json!({})).await.unwrap());
    let live = world.live().await;
    assert_eq!(live.len(), 1);
    let begun = &live[0];
    assert_eq!((begun.began_at, begun.told_at), (NOW_MS - 2_000, NOW_MS));
    assert_eq!((begun.progress.done, begun.progress.total), (5, None));
    assert_eq!(begun.began_by, "");
    let sweeping = json!({"phase": "sweeping", "unit": "blobs", "done": 1, "total": 7});
    assert!(world.collecting('a', 2, sweeping).await.unwrap());
    assert_eq!(world.live().await[0].progress.total, Some(7));
    let ended = json!({"phase": "sweeping", "unit": "blobs", "done": 7, "total": 7, "bytes": 1_234, "outcome": "done"});
    assert!(world.collecting('a', 3, ended).await.unwrap());
    assert!(world.live().await.is_empty());
    let all = world.all().await;
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].state(NOW_MS), WorkState::Done);
    assert_eq!(
        (all[0].progress.bytes, all[0].ended_at),
        (Some(1_234), Some(NOW_MS))
    );
    let path = world.fixture.app.last_collected(&world.admin).await.unwrap();
    assert_eq!(path.as_deref(), Some("/etc/distribution/config.yml"));
}

#[tokio::test]
async fn a_report_that_is_old_or_comes_again_changes_nothing() {
    let world = World::new().await;
    assert!(world.collecting('a', 5, json!({"done": 50})).await.unwrap());
    for sequence in [5, 4, 0] {
        assert!(!world.collecting('a', sequence, json!({"done": 1})).await.unwrap());
    }
    assert_eq!(world.all().await[0].progress.done, 50);
    assert!(
        world
            .collecting('a', 6, json!({"outcome": "failed", "message": "a\nb"}))
            .await
            .unwrap()
    );
    assert!(
        !world.collecting('a', 7, json!({"done": 99})).await.unwrap(),
        "it has ended"
    );
    let all = world.all().await;
    assert_eq!((all.len(), all[0].state(NOW_MS)), (1, WorkState::Failed));
    assert_eq!(all[0].progress.message, "a b");
}

#[tokio::test]
async fn what_is_no_report_is_refused() {
    let world = World::new().await;
    for wrong in [
        json!({"run": "A".repeat(32)}),
        json!({"run": "a".repeat(31)}),
        json!({"sequence": -1}),
        json!({"done": -1}),
        json!({"total": i64::MAX}),
        json!({"elapsed_ms": -1}),
        json!({"phase": "dancing"}),
        json!({"unit": "apples"}),
        json!({"outcome": "perhaps"}),
        json!({"kind": "import"}),
        json!({"kind": "retention"}),
        json!({"done": "5"}),
    ] {
        let refused = world.collecting('a', 1, wrong.clone()).await;
        assert!(
            matches!(refused, Err(AppError::Invalid(_))),
            "{wrong}: {refused:?}"
        );
    }
    let app = &world.fixture.app;
    assert!(matches!(app.receive_work(b"[]").await, Err(AppError::Invalid(_))));
    assert!(world.all().await.is_empty());
    let long = "长".repeat(1_000);
    world
        .collecting('a', 1, json!({"message": long, "subject": "x\u{0}"}))
        .await
        .unwrap();
    let kept = world.all().await.remove(0);
    assert!(kept.progress.message.len() <= LONGEST_TEXT && kept.progress.message.starts_with('长'));
    assert!(!kept.subject.contains('\0'));
}

#[tokio::test]
async fn who_is_silent_for_five_minutes_is_not_shown_as_going_on_until_heard_of_again() {
    let world = World::new().await;
    world.collecting('a', 1, json!({})).await.unwrap();
    world.fixture.clock.advance(Duration::from_mins(5));
    assert!(world.live().await.is_empty());
    let now = NOW_MS + 300_000;
    assert_eq!(world.all().await[0].state(now), WorkState::Lost);
    assert!(world.collecting('a', 2, json!({})).await.unwrap());
    assert_eq!(world.live().await.len(), 1);
}

#[tokio::test]
async fn an_import_that_was_killed_is_lost_after_five_minutes_and_its_repetition_is_another_one() {
    let world = World::new().await;
    let app = &world.fixture.app;
    let adopting = WorkReport {
        phase: "adopting".to_owned(),
        subject: "/srv/volume".to_owned(),
        ..import('b', 1)
    };
    app.report_import(&world.ada, &import('a', 1)).await.unwrap();
    assert!(app.report_adoption(&adopting).await.unwrap());
    let last = Duration::from_mins(5) - Duration::from_millis(1);
    world.fixture.clock.advance(last);
    assert_eq!(world.live().await.len(), 2);
    world.fixture.clock.advance(Duration::from_millis(1));
    assert!(world.live().await.is_empty());
    for work in world.all().await {
        assert_eq!((work.state(app.now_ms()), work.ended_at), (WorkState::Lost, None));
    }
    app.report_import(&world.ada, &import('c', 1)).await.unwrap();
    assert_eq!((world.live().await.len(), world.all().await.len()), (1, 3));
}

#[tokio::test]
async fn adopting_is_the_machines_own_and_no_accounts() {
    let world = World::new().await;
    let app = &world.fixture.app;
    let report = |sequence| WorkReport {
        phase: "adopting".to_owned(),
        about: Some("ada".to_owned()),
        ..import('a', sequence)
    };
    assert!(app.report_adoption(&report(1)).await.unwrap());
    let foreign = app.report_import(&world.ada, &report(2)).await;
    assert!(matches!(foreign, Err(AppError::NotFound(_))), "{foreign:?}");
    let ended = WorkReport {
        outcome: Some("done".to_owned()),
        done: 4,
        ..report(2)
    };
    assert!(app.report_adoption(&ended).await.unwrap());
    let adopted = world.all().await.remove(0);
    assert_eq!((adopted.kind, adopted.began_by.as_str()), (WorkKind::Import, ""));
    assert_eq!(
        (
            adopted.state(NOW_MS),
            adopted.progress.phase,
            adopted.progress.done
        ),
        (WorkState::Done, WorkPhase::Adopting, 4)
    );
    let (place, name) = adopted.place.unwrap();
    assert!(matches!(place, WorkPlace::Namespace(_)) && name.as_deref() == Some("ada"));
}

#[tokio::test]
async fn an_import_is_its_own_accounts_and_names_what_it_is_about() {
    let world = World::new().await;
    let app = &world.fixture.app;
    let eve = app.operator("eve").await.unwrap();
    let report = WorkReport {
        about: Some("ada/app".to_owned()),
        ..import('b', 1)
    };
    assert!(app.report_import(&world.ada, &report).await.unwrap());
    let foreign = app.report_import(&eve, &import('b', 2)).await;
    assert!(matches!(foreign, Err(AppError::NotFound(_))), "{foreign:?}");
    assert!(
        world.collecting('b', 9, json!({})).await.is_err(),
        "of another kind"
    );
    let posing = WorkReport {
        kind: "garbage_collection".to_owned(),
        ..import('c', 1)
    };
    assert!(app.report_import(&world.ada, &posing).await.is_err());
    let all = world.all().await;
    assert_eq!((all.len(), all[0].began_by.as_str()), (1, "ada"));
    let (place, name) = all[0].place.clone().unwrap();
    assert!(matches!(place, WorkPlace::Repository(id) if id != RepositoryId::from_i64(0)));
    assert_eq!(name.as_deref(), Some("ada/app"));
    for about in ["ada", "nobody", "no/such", "?", "a//b"] {
        let report = WorkReport {
            about: Some(about.to_owned()),
            ..import('d', 1)
        };
        app.report_import(&world.ada, &report).await.unwrap();
    }
}

#[tokio::test]
async fn nobody_pushes_out_what_others_import_and_old_work_is_forgotten() {
    let world = World::new().await;
    let app = &world.fixture.app;
    let eve = app.operator("eve").await.unwrap();
    app.report_import(&eve, &import('e', 1)).await.unwrap();
    for number in 0..KEPT + 10 {
        world.fixture.clock.advance(Duration::from_millis(1));
        let report = WorkReport {
            run: format!("{number:032x}"),
            ..import('a', 1)
        };
        app.report_import(&world.ada, &report).await.unwrap();
        let body = json!({"run": format!("{:032x}", 1_000 + number), "sequence": 1, "kind": "garbage_collection",
            "phase": "marking", "unit": "manifests"});
        app.receive_work(body.to_string().as_bytes()).await.unwrap();
    }
    let mut tx = world.fixture.store.read().await.unwrap();
    let all = work::list_work(&mut tx, WorkId::from_i64(i64::MAX), 1_000)
        .await
        .unwrap();
    let count = |kind: WorkKind, by: &str| {
        all.iter()
            .filter(|one| one.kind == kind && one.began_by == by)
            .count()
    };
    assert_eq!(count(WorkKind::Import, "ada"), KEPT_OF_ONE as usize);
    assert_eq!(count(WorkKind::Import, "eve"), 1);
    assert_eq!(count(WorkKind::GarbageCollection, ""), KEPT as usize);
}

#[tokio::test]
async fn administrators_alone_see_long_work_and_all_kinds_of_it_in_pages() {
    let world = World::new().await;
    let app = &world.fixture.app;
    app.reindex_all(&world.admin).await.unwrap();
    world.fixture.clock.advance(Duration::from_millis(1));
    world.collecting('a', 1, json!({})).await.unwrap();
    world.fixture.clock.advance(Duration::from_millis(1));
    app.report_import(&world.ada, &import('b', 1)).await.unwrap();
    let kinds = |works: &[LongWork]| works.iter().map(|one| one.kind).collect::<Vec<_>>();
    let expected = [WorkKind::Import, WorkKind::GarbageCollection, WorkKind::Reindex];
    assert_eq!(kinds(&world.live().await), expected);
    assert_eq!(kinds(&world.all().await), expected);
    let mut before = WorkId::from_i64(i64::MAX);
    let mut seen = Vec::new();
    while let Some(one) = app.list_work(&world.admin, before, 1).await.unwrap().pop() {
        before = one.work_id;
        seen.push(one.kind);
    }
    assert_eq!(seen, expected);
    let all = WorkId::from_i64(i64::MAX);
    assert!(matches!(
        app.list_work(&world.ada, all, 9).await,
        Err(AppError::Forbidden(_))
    ));
    assert!(matches!(
        app.list_live_work(&world.ada).await,
        Err(AppError::Forbidden(_))
    ));
    assert!(matches!(
        app.last_collected(&world.ada).await,
        Err(AppError::Forbidden(_))
    ));
}
