use super::content::{image, part, put, repositories};
use super::*;
use crate::domain::content::{Dimension, Role};
use crate::domain::retention::{RetentionAction, RetentionRules, RuleForm, Schedule};
use crate::store::content_count::{Count, Counter, add_count};
use crate::store::content_deletion::*;
use crate::store::content_feed::{TagChange, add_tag_change};
use crate::store::manifest::add_manifest;
use crate::store::retained::*;
use crate::store::retention_policy::*;
use crate::store::retention_run::*;
use crate::store::tag::put_tag;

contracts!(
    a_policy_is_put_changed_found_when_its_time_has_come_and_removed,
    a_run_is_claimed_by_one_goes_on_and_ends,
    deletions_are_written_down_listed_held_and_claimed,
    tags_and_manifests_are_told_with_their_last_uses,
    repositories_of_a_namespace_come_one_by_one,
);

fn policy(id: i64, place: Place, next_run_at: Option<i64>) -> Policy {
    let form = RuleForm {
        action: RetentionAction::Delete,
        repositories: None,
        tags: vec!["dev-*".to_owned()],
        except: Vec::new(),
        newest: None,
        pushed_within_days: None,
        pulled_within_days: None,
        not_pushed_for_days: Some(30),
        not_pulled_for_days: None,
    };
    Policy {
        policy_id: PolicyId::from_i64(id),
        place,
        is_enabled: true,
        rules: RetentionRules::new(vec![form], Some(7), false).unwrap(),
        schedule: Schedule::new(Some(1), 3).unwrap(),
        next_run_at,
        changed_at: NOW,
        changed_by: "ada".to_owned(),
    }
}

async fn a_policy_is_put_changed_found_when_its_time_has_come_and_removed(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let (one, two) = repositories(&mut tx).await;
    let namespace = Place::Namespace(NamespaceId::from_i64(1001));
    let mut of_one = policy(1, Place::Repository(one), Some(NOW));
    add_policy(&mut tx, &of_one).await.unwrap();
    add_policy(&mut tx, &policy(2, namespace, Some(NOW + 1)))
        .await
        .unwrap();
    add_policy(&mut tx, &policy(3, Place::Repository(two), None))
        .await
        .unwrap();
    let found = find_policy_of(&mut tx, Place::Repository(one)).await.unwrap();
    assert_eq!(found.as_ref(), Some(&of_one));
    assert_eq!(
        find_policy_of(&mut tx, namespace)
            .await
            .unwrap()
            .unwrap()
            .policy_id,
        PolicyId::from_i64(2)
    );
    let due = list_due_policies(&mut tx, NOW, 9).await.unwrap();
    assert_eq!(due, [of_one.clone()]);
    assert!(
        pass_policy(&mut tx, of_one.policy_id, NOW, Some(NOW + 5))
            .await
            .unwrap()
    );
    assert!(
        !pass_policy(&mut tx, of_one.policy_id, NOW, Some(NOW + 5))
            .await
            .unwrap()
    );
    of_one.is_enabled = false;
    of_one.next_run_at = None;
    of_one.rules = RetentionRules::new(Vec::new(), None, false).unwrap();
    of_one.schedule = Schedule::new(None, 23).unwrap();
    change_policy(&mut tx, &of_one).await.unwrap();
    assert_eq!(
        find_policy(&mut tx, of_one.policy_id).await.unwrap().unwrap(),
        of_one
    );
    remove_policy(&mut tx, of_one.policy_id).await.unwrap();
    assert_eq!(find_policy(&mut tx, of_one.policy_id).await.unwrap(), None);
    tx.commit().await.unwrap();
    let mut tx = store.write().await.unwrap();
    let again = add_policy(&mut tx, &policy(4, namespace, None)).await;
    assert!(matches!(again, Err(StoreError::Conflict(_))), "{again:?}");
}

async fn a_run_is_claimed_by_one_goes_on_and_ends(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let (one, _) = repositories(&mut tx).await;
    let (place, id) = (Place::Repository(one), RunId::from_i64(7));
    let of = (PolicyId::from_i64(1), place);
    add_run(&mut tx, id, of, Some("ada"), NOW).await.unwrap();
    assert_eq!(claim_run(&mut tx, NOW + 10, NOW - 1).await.unwrap(), None);
    let mut run = claim_run(&mut tx, NOW + 10, NOW).await.unwrap().unwrap();
    assert_eq!(
        (run.claim, run.attempts, run.started_at),
        (Some(NOW + 10), 1, Some(NOW))
    );
    assert_eq!((run.state.as_str(), run.place), ("running", Some(place)));
    assert_eq!(claim_run(&mut tx, NOW + 20, NOW).await.unwrap(), None);
    run.tags = 3;
    run.planned = Some(8);
    run.after_name = "ada/one".to_owned();
    assert!(go_on_with_run(&mut tx, &run, NOW + 30).await.unwrap());
    assert!(
        !go_on_with_run(&mut tx, &run, NOW + 30).await.unwrap(),
        "that claim is over"
    );
    let again = claim_run(&mut tx, NOW + 60, NOW + 30).await.unwrap().unwrap();
    assert_eq!(
        (
            again.tags,
            again.planned,
            again.after_name.as_str(),
            again.attempts
        ),
        (3, Some(8), "ada/one", 1)
    );
    delay_run(&mut tx, &again, NOW + 90, "away").await.unwrap();
    let open = find_open_run(&mut tx, of.0).await.unwrap().unwrap();
    assert_eq!(open.message.as_deref(), Some("away"));
    let last = claim_run(&mut tx, NOW + 100, NOW + 90).await.unwrap().unwrap();
    end_run(&mut tx, &last, "done", None, NOW + 95).await.unwrap();
    assert_eq!(find_open_run(&mut tx, of.0).await.unwrap(), None);
    let ended = find_run(&mut tx, id).await.unwrap().unwrap();
    assert_eq!(
        (ended.state.as_str(), ended.ended_at, ended.claim),
        ("done", Some(NOW + 95), None)
    );
    add_run(&mut tx, RunId::from_i64(8), of, None, NOW).await.unwrap();
    let listed = list_runs(&mut tx, place, RunId::from_i64(i64::MAX), 9)
        .await
        .unwrap();
    assert_eq!(
        listed.iter().map(|run| run.run_id.as_i64()).collect::<Vec<_>>(),
        [8, 7]
    );
    let namespace = Place::Namespace(NamespaceId::from_i64(1001));
    assert_eq!(list_runs(&mut tx, namespace, id, 9).await.unwrap(), []);
}

fn deletion(
    id: i64,
    repository_id: RepositoryId,
    tag: Option<&str>,
    state: DeletionState,
) -> ContentDeletion {
    ContentDeletion {
        deletion_id: DeletionId::from_i64(id),
        repository_id,
        tag: tag.map(str::to_owned),
        digest: format!("sha256:{id}"),
        state,
        deleted_at: NOW,
        deleted_by: None,
        run_id: Some(RunId::from_i64(7)),
        rule: Some(2),
        pushed_at: Some(NOW - 5),
        pulled_at: None,
        purge_after: (state == DeletionState::Deleted).then_some(NOW + id),
    }
}

async fn deletions_are_written_down_listed_held_and_claimed(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let (one, two) = repositories(&mut tx).await;
    let (deleted, pending) = (DeletionState::Deleted, DeletionState::Pending);
    let all = [
        deletion(1, one, Some("v1"), deleted),
        deletion(2, one, Some("v1"), deleted),
        deletion(3, one, Some("v1.1"), pending),
        deletion(4, one, None, DeletionState::Purged),
        deletion(5, two, Some("v1"), deleted),
    ];
    for one in &all {
        add_deletion(&mut tx, one).await.unwrap();
    }
    let ids = |found: &[ContentDeletion]| -> Vec<i64> {
        found.iter().map(|one| one.deletion_id.as_i64()).collect()
    };
    let newest = DeletionId::from_i64(i64::MAX);
    let listed = list_deleted_tags(&mut tx, one, newest, 9).await.unwrap();
    assert_eq!(listed, [all[1].clone(), all[0].clone()]);
    let run = RunId::from_i64(7);
    assert_eq!(ids(&list_pending_of_run(&mut tx, run, 9).await.unwrap()), [3]);
    let oldest = DeletionId::from_i64(1);
    assert_eq!(
        ids(&list_deletions_of_run(&mut tx, run, oldest, 2).await.unwrap()),
        [2, 3]
    );
    let of_tag = list_deletions_of_tags(&mut tx, one, ("v1", "v1\u{1}"), 9)
        .await
        .unwrap();
    assert_eq!(ids(&of_tag), [2, 1]);
    let held = list_held(&mut tx, one, 9).await.unwrap();
    assert_eq!(
        held.iter().map(|(id, _)| id.as_i64()).collect::<Vec<_>>(),
        [1, 2, 3]
    );
    let due = list_due_deletions(&mut tx, NOW + 2, 9).await.unwrap();
    assert_eq!(ids(&due), [1, 2]);
    assert!(claim_deletion(&mut tx, &due[0], NOW + 100).await.unwrap());
    assert!(!claim_deletion(&mut tx, &due[0], NOW + 100).await.unwrap());
    set_state(&mut tx, due[1].deletion_id, DeletionState::Restored, None)
        .await
        .unwrap();
    assert_eq!(
        ids(&list_due_deletions(&mut tx, NOW + 2, 9).await.unwrap()),
        [0; 0]
    );
    assert_eq!(
        ids(&list_deleted_tags(&mut tx, one, newest, 9).await.unwrap()),
        [1]
    );
}

async fn tags_and_manifests_are_told_with_their_last_uses(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let (one, _) = repositories(&mut tx).await;
    put(
        &mut tx,
        one,
        "sha256:a",
        &image(vec![part(Role::Layer, "sha256:l", 3)]),
    )
    .await;
    add_manifest(&mut tx, one, "sha256:b", "m/t", 1).await.unwrap();
    put_tag(&mut tx, one, "v1", "sha256:a", NOW).await.unwrap();
    put_tag(&mut tx, one, "v2", "sha256:b", NOW + 1).await.unwrap();
    for (dimension, value, at, by) in [
        (Dimension::Tag, "v1", NOW + 5, Some("eve")),
        (Dimension::Tag, "v1", NOW + 3, Some("bob")),
        (Dimension::Digest, "sha256:a", NOW + 9, None),
    ] {
        let counter = Counter {
            repository_id: one,
            dimension,
            value: value.to_owned(),
            day: 1,
        };
        let count = Count {
            pulls: 1,
            last_pulled_at: Some(at),
            last_pulled_by: by.map(str::to_owned),
            ..Count::default()
        };
        add_count(&mut tx, &counter, &count).await.unwrap();
    }
    let change = TagChange {
        sequence: 1,
        tag: "v1".to_owned(),
        digest_before: Some("sha256:b".to_owned()),
        digest_after: Some("sha256:a".to_owned()),
        changed_at: NOW + 7,
        changed_by: None,
        client: None,
    };
    add_tag_change(&mut tx, one, &change).await.unwrap();
    let tags = list_retained_tags(&mut tx, one, "", 9).await.unwrap();
    assert_eq!(tags.len(), 2);
    let v1 = &tags[0];
    assert_eq!(
        (v1.last_pulled_at, v1.digest_pulled_at),
        (Some(NOW + 5), Some(NOW + 9))
    );
    assert_eq!(
        v1.last_pulled_by.as_deref(),
        Some("eve"),
        "the last, not the last that was told"
    );
    assert_eq!(
        list_retained_tags(&mut tx, one, "v1", 9).await.unwrap(),
        tags[1..]
    );
    let manifests = list_retained_manifests(&mut tx, one, "", 9).await.unwrap();
    assert_eq!((manifests[0].left_at, manifests[0].read_at), (None, Some(NOW)));
    assert_eq!(
        (manifests[1].left_at, manifests[1].read_at),
        (Some(NOW + 7), None)
    );
}

async fn repositories_of_a_namespace_come_one_by_one(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let (one, two) = repositories(&mut tx).await;
    let namespace = NamespaceId::from_i64(1001);
    assert_eq!(next_repository(&mut tx, namespace, "").await.unwrap(), Some(one));
    assert_eq!(
        next_repository(&mut tx, namespace, "ada/one").await.unwrap(),
        Some(two)
    );
    assert_eq!(
        next_repository(&mut tx, namespace, "ada/two").await.unwrap(),
        None
    );
}
