use super::super::work::*;
use super::content::repositories;
use super::*;
use crate::domain::work::{LongWork, WorkKind, WorkOutcome, WorkPhase, WorkPlace, WorkProgress, WorkUnit};
use crate::store::retention_policy::Place;
use crate::store::retention_run::{add_run, claim_run, end_run, go_on_with_run};

contracts!(
    work_is_told_of_once_for_each_number_until_it_ends,
    works_are_listed_by_their_newest_and_those_that_go_on_apart,
    all_but_the_newest_works_are_forgotten,
    runs_of_retention_are_shown_as_work,
);

fn progress(done: i64, outcome: Option<WorkOutcome>) -> WorkProgress {
    WorkProgress {
        phase: WorkPhase::Sweeping,
        unit: WorkUnit::Blobs,
        done,
        total: Some(9),
        bytes: None,
        outcome,
        message: "一".to_owned(),
    }
}

fn new_work(id: i64, kind: WorkKind, by: &str) -> LongWork {
    LongWork {
        work_id: WorkId::from_i64(id),
        kind,
        place: None,
        subject: "harbor.example".to_owned(),
        began_by: by.to_owned(),
        began_at: NOW - 5,
        told_at: NOW,
        ended_at: None,
        is_rehearsal: true,
        progress: progress(1, None),
    }
}

fn all() -> WorkId {
    WorkId::from_i64(i64::MAX)
}

async fn work_is_told_of_once_for_each_number_until_it_ends(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let (one, _) = repositories(&mut tx).await;
    let mut expected = new_work(7, WorkKind::Import, "ada");
    expected.place = Some((WorkPlace::Repository(one), None));
    assert_eq!(find_work_owner(&mut tx, "a").await.unwrap(), None);
    add_work(&mut tx, "a", 3, &expected).await.unwrap();
    let again = new_work(8, WorkKind::GarbageCollection, "");
    add_work(&mut tx, "a", 9, &again).await.unwrap();
    let owner = find_work_owner(&mut tx, "a").await.unwrap();
    assert_eq!(owner, Some((WorkKind::Import, "ada".to_owned())));
    expected.place = Some((WorkPlace::Repository(one), Some("ada/one".to_owned())));
    assert_eq!(list_work(&mut tx, all(), 9).await.unwrap(), [expected.clone()]);
    for (sequence, is_news) in [(3, false), (2, false), (4, true), (4, false)] {
        let noted = note_work(&mut tx, "a", sequence, &progress(sequence, None), NOW + 1)
            .await
            .unwrap();
        assert_eq!(noted, is_news, "{sequence}");
    }
    assert!(
        !note_work(&mut tx, "b", 99, &progress(1, None), NOW)
            .await
            .unwrap()
    );
    let ended = progress(9, Some(WorkOutcome::Done));
    assert!(note_work(&mut tx, "a", 5, &ended, NOW + 2).await.unwrap());
    assert!(
        !note_work(&mut tx, "a", 6, &progress(1, None), NOW + 3)
            .await
            .unwrap(),
        "it has ended"
    );
    tx.commit().await.unwrap();
    let mut tx = store.read().await.unwrap();
    expected.progress = ended;
    (expected.told_at, expected.ended_at) = (NOW + 2, Some(NOW + 2));
    assert_eq!(list_work(&mut tx, all(), 9).await.unwrap(), [expected]);
    let subject = find_last_subject(&mut tx, WorkKind::Import).await.unwrap();
    assert_eq!(subject.as_deref(), Some("harbor.example"));
    assert_eq!(
        find_last_subject(&mut tx, WorkKind::GarbageCollection)
            .await
            .unwrap(),
        None
    );
}

async fn works_are_listed_by_their_newest_and_those_that_go_on_apart(store: &Store) {
    let mut tx = store.write().await.unwrap();
    for id in 1..=4 {
        let mut new = new_work(id, WorkKind::GarbageCollection, "");
        new.told_at = NOW + id;
        add_work(&mut tx, &format!("run {id}"), 1, &new).await.unwrap();
    }
    let ended = progress(1, Some(WorkOutcome::Stopped));
    assert!(note_work(&mut tx, "run 3", 2, &ended, NOW + 3).await.unwrap());
    tx.commit().await.unwrap();
    let mut tx = store.read().await.unwrap();
    let ids = |works: Vec<LongWork>| works.iter().map(|one| one.work_id.as_i64()).collect::<Vec<_>>();
    assert_eq!(ids(list_work(&mut tx, all(), 9).await.unwrap()), [4, 3, 2, 1]);
    assert_eq!(
        ids(list_work(&mut tx, WorkId::from_i64(4), 2).await.unwrap()),
        [3, 2]
    );
    assert_eq!(ids(list_live_work(&mut tx, NOW + 1, 9).await.unwrap()), [4, 2]);
    assert_eq!(ids(list_live_work(&mut tx, NOW, 1).await.unwrap()), [4]);
}

async fn all_but_the_newest_works_are_forgotten(store: &Store) {
    let mut tx = store.write().await.unwrap();
    for id in 1..=6 {
        let by = if id % 2 == 0 { "ada" } else { "eve" };
        add_work(
            &mut tx,
            &format!("import {id}"),
            1,
            &new_work(id, WorkKind::Import, by),
        )
        .await
        .unwrap();
        let id = id + 10;
        let other = new_work(id, WorkKind::GarbageCollection, "");
        add_work(&mut tx, &format!("garbage {id}"), 1, &other)
            .await
            .unwrap();
    }
    prune_work_of(&mut tx, WorkKind::Import, "ada", 1).await.unwrap();
    prune_work_of(&mut tx, WorkKind::Import, "eve", 9).await.unwrap();
    prune_work(&mut tx, WorkKind::GarbageCollection, 2).await.unwrap();
    let left = list_work(&mut tx, all(), 99).await.unwrap();
    let ids: Vec<i64> = left.iter().map(|one| one.work_id.as_i64()).collect();
    assert_eq!(ids, [16, 15, 6, 5, 3, 1]);
}

async fn runs_of_retention_are_shown_as_work(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let (one, _) = repositories(&mut tx).await;
    let of = (PolicyId::from_i64(1), Place::Repository(one));
    add_run(&mut tx, RunId::from_i64(7), of, Some("ada"), NOW)
        .await
        .unwrap();
    let waiting = list_live_retention(&mut tx, 9).await.unwrap().remove(0);
    assert_eq!(
        (waiting.progress.phase, waiting.progress.total),
        (WorkPhase::Waiting, None)
    );
    let mut run = claim_run(&mut tx, NOW + 10, NOW).await.unwrap().unwrap();
    (run.tags, run.manifests, run.failures, run.planned) = (3, 2, 1, Some(8));
    assert!(go_on_with_run(&mut tx, &run, NOW + 30).await.unwrap());
    run.claim = Some(NOW + 30);
    let running = list_live_retention(&mut tx, 9).await.unwrap().remove(0);
    assert_eq!(
        (running.progress.phase, running.told_at),
        (WorkPhase::Deleting, NOW + 30)
    );
    assert_eq!((running.progress.done, running.progress.total), (6, Some(8)));
    assert_eq!(
        (running.kind, running.began_by.as_str()),
        (WorkKind::Retention, "ada")
    );
    assert_eq!(
        running.place,
        Some((WorkPlace::Repository(one), Some("ada/one".to_owned())))
    );
    end_run(&mut tx, &run, "failed", Some("away"), NOW + 40)
        .await
        .unwrap();
    assert!(list_live_retention(&mut tx, 9).await.unwrap().is_empty());
    let ended = list_retention_work(&mut tx, all(), 9).await.unwrap().remove(0);
    assert_eq!(ended.progress.outcome, Some(WorkOutcome::Failed));
    assert_eq!(
        (ended.progress.message.as_str(), ended.ended_at),
        ("away", Some(NOW + 40))
    );
    assert!(
        list_retention_work(&mut tx, WorkId::from_i64(7), 9)
            .await
            .unwrap()
            .is_empty()
    );
}
