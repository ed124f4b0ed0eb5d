use super::*;
use crate::domain::Topic;
use crate::domain::content::{Description, Dimension, Part, Role};
use crate::store::bookmark::{add_bookmark, has_bookmark};
use crate::store::content_count::{Count, Counter, add_count, find_total, list_days};
use crate::store::content_feed::{
    TagChange, add_tag_change, enter_feed, find_feed, find_stored_repository, hold_feed, leave_feed,
    list_changes, list_tag_changes,
};
use crate::store::manifest::*;
use crate::store::manifest_work::*;
use crate::store::tag::*;

contracts!(
    a_manifest_is_added_described_replaced_and_removed_with_what_it_needs,
    blobs_count_once_in_a_repository_and_once_in_a_namespace,
    tags_are_listed_by_name_and_by_time_with_their_counts,
    the_history_of_a_tag_is_added_to_and_read_backwards,
    events_of_a_repository_are_entered_by_one_and_remembered,
    counts_add_up_by_day_and_in_all,
    work_is_claimed_by_one_and_wanted_anew_it_is_not_ended,
    the_storage_name_leads_to_the_repository_whatever_became_of_it,
    a_bookmark_is_found_on_its_list_by_whoever_made_it,
);

pub(super) fn part(role: Role, digest: &str, size: i64) -> Part {
    Part {
        role,
        digest: digest.to_owned(),
        media_type: "application/octet-stream".to_owned(),
        size,
        platform: (role == Role::Manifest).then(|| "linux/amd64".to_owned()),
        command: (role == Role::Layer).then(|| "RUN make".to_owned()),
    }
}

pub(super) fn image(parts: Vec<Part>) -> Description {
    let content = parts.iter().map(|part| part.size).sum::<i64>() + 10;
    Description {
        media_type: "application/vnd.oci.image.manifest.v1+json".to_owned(),
        size: 10,
        content_size: Some(content),
        artifact_type: None,
        subject: None,
        platform: Some("linux/amd64".to_owned()),
        config: Some("{}".to_owned()),
        annotations: None,
        parts,
    }
}

/// Two repositories of one namespace.
pub(super) async fn repositories(tx: &mut Tx) -> (RepositoryId, RepositoryId) {
    account(tx, 1, "ada", false).await;
    let one = repository(tx, 1, "ada/one", Visibility::Private).await;
    let two = repository(tx, 2, "ada/two", Visibility::Private).await;
    (one.repository_id, two.repository_id)
}

pub(super) async fn put(tx: &mut Tx, id: RepositoryId, digest: &str, description: &Description) {
    add_manifest(tx, id, digest, &description.media_type, description.size)
        .await
        .unwrap();
    assert!(describe_manifest(tx, id, digest, description, NOW).await.unwrap());
}

async fn a_manifest_is_added_described_replaced_and_removed_with_what_it_needs(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let (one, _) = repositories(&mut tx).await;
    assert!(add_manifest(&mut tx, one, "sha256:a", "m/t", 10).await.unwrap());
    assert!(!add_manifest(&mut tx, one, "sha256:a", "m/t", 10).await.unwrap());
    let known = find_manifest(&mut tx, one, "sha256:a").await.unwrap().unwrap();
    assert!(!known.is_read && known.description.parts.is_empty());
    let mut first = image(vec![
        part(Role::Config, "sha256:c", 5),
        part(Role::Layer, "sha256:l", 30),
    ]);
    first.subject = Some("sha256:s".to_owned());
    assert!(
        describe_manifest(&mut tx, one, "sha256:a", &first, NOW)
            .await
            .unwrap()
    );
    assert!(
        !describe_manifest(&mut tx, one, "sha256:b", &first, NOW)
            .await
            .unwrap()
    );
    let mut known = find_manifest(&mut tx, one, "sha256:a").await.unwrap().unwrap();
    known.description.parts = list_parts(&mut tx, one, "sha256:a").await.unwrap();
    assert!(known.is_read);
    assert_eq!(known.description, first);
    assert_eq!(
        measure_repository(&mut tx, one).await.unwrap(),
        Measure { bytes: 45, blobs: 3 }
    );
    // Described anew it needs what it needs now, and nothing twice.
    let second = image(vec![
        part(Role::Config, "sha256:c", 5),
        part(Role::Layer, "sha256:k", 7),
    ]);
    assert!(
        describe_manifest(&mut tx, one, "sha256:a", &second, NOW)
            .await
            .unwrap()
    );
    assert_eq!(
        measure_repository(&mut tx, one).await.unwrap(),
        Measure { bytes: 22, blobs: 3 }
    );
    let index = Description {
        content_size: None,
        ..image(vec![part(Role::Manifest, "sha256:a", 10)])
    };
    put(&mut tx, one, "sha256:i", &index).await;
    assert_eq!(
        list_parents(&mut tx, one, "sha256:a", 9).await.unwrap(),
        ["sha256:i"]
    );
    let between = list_manifests_between(&mut tx, one, ("sha256:", "sha256:g"), 9)
        .await
        .unwrap();
    assert_eq!(between.len(), 1);
    assert!(remove_manifest(&mut tx, one, "sha256:a").await.unwrap());
    assert!(!remove_manifest(&mut tx, one, "sha256:a").await.unwrap());
    assert_eq!(list_parts(&mut tx, one, "sha256:a").await.unwrap(), []);
    assert_eq!(
        measure_repository(&mut tx, one).await.unwrap(),
        Measure { bytes: 10, blobs: 1 }
    );
    put(&mut tx, one, "sha256:r", &first).await;
    let referrers = list_referrers(&mut tx, one, "sha256:s", 9).await.unwrap();
    assert_eq!((referrers.len(), referrers[0].digest.as_str()), (1, "sha256:r"));
}

async fn blobs_count_once_in_a_repository_and_once_in_a_namespace(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let (one, two) = repositories(&mut tx).await;
    let foreign = Part {
        media_type: "application/vnd.oci.image.layer.nondistributable.v1.tar".to_owned(),
        ..part(Role::Layer, "sha256:f", 9_000)
    };
    // A layer that a manifest names twice is one blob.
    let shared = [
        part(Role::Layer, "sha256:l", 100),
        part(Role::Layer, "sha256:l", 100),
        foreign,
    ];
    put(&mut tx, one, "sha256:a", &image(shared.to_vec())).await;
    put(
        &mut tx,
        one,
        "sha256:b",
        &image(vec![part(Role::Layer, "sha256:l", 100)]),
    )
    .await;
    put(&mut tx, two, "sha256:a", &image(shared.to_vec())).await;
    assert_eq!(
        measure_repository(&mut tx, one).await.unwrap(),
        Measure { bytes: 120, blobs: 3 }
    );
    assert_eq!(
        measure_repository(&mut tx, two).await.unwrap(),
        Measure { bytes: 110, blobs: 2 }
    );
    let namespace = NamespaceId::from_i64(1001);
    assert_eq!(
        measure_namespace(&mut tx, namespace).await.unwrap(),
        Measure { bytes: 120, blobs: 3 }
    );
    assert_eq!(count_uses(&mut tx, one, "sha256:l").await.unwrap(), 2);
    assert_eq!(count_uses(&mut tx, two, "sha256:none").await.unwrap(), 0);
    assert!(is_needed_elsewhere(&mut tx, one, "sha256:l").await.unwrap());
    assert!(!is_needed_elsewhere(&mut tx, one, "sha256:b").await.unwrap());
    remove_manifest(&mut tx, one, "sha256:a").await.unwrap();
    assert_eq!(
        measure_repository(&mut tx, one).await.unwrap(),
        Measure { bytes: 110, blobs: 2 }
    );
    assert_eq!(
        measure_namespace(&mut tx, NamespaceId::from_i64(7))
            .await
            .unwrap(),
        Measure::default()
    );
}

async fn tags_are_listed_by_name_and_by_time_with_their_counts(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let (one, _) = repositories(&mut tx).await;
    put(
        &mut tx,
        one,
        "sha256:a",
        &image(vec![part(Role::Layer, "sha256:l", 30)]),
    )
    .await;
    let index = Description {
        content_size: None,
        ..image(vec![
            part(Role::Manifest, "sha256:a", 10),
            part(Role::Manifest, "sha256:gone", 10),
        ])
    };
    put(&mut tx, one, "sha256:i", &index).await;
    for (name, digest, at) in [
        ("b", "sha256:a", 5),
        ("a", "sha256:i", 5),
        ("Z", "sha256:x", 9),
        ("b", "sha256:a", 6),
    ] {
        put_tag(&mut tx, one, name, digest, at).await.unwrap();
    }
    assert_eq!(count_tags(&mut tx, one).await.unwrap(), 3);
    let count = Count {
        pulls: 3,
        pushes: 1,
        last_pulled_at: Some(NOW),
        ..Count::default()
    };
    let counter = Counter {
        repository_id: one,
        dimension: Dimension::Tag,
        value: "a".to_owned(),
        day: 1,
    };
    add_count(&mut tx, &counter, &count).await.unwrap();
    let names = |tags: &[KnownTag]| tags.iter().map(|tag| tag.name.clone()).collect::<Vec<_>>();
    let by_name = list_tags(&mut tx, one, "", 9).await.unwrap();
    assert_eq!(names(&by_name), ["Z", "a", "b"]);
    let sizes: Vec<_> = by_name
        .iter()
        .map(|tag| (tag.content_size, tag.children_size, tag.pull_count))
        .collect();
    assert_eq!(
        sizes,
        [
            (None, None, None),
            (None, Some(40), Some(3)),
            (Some(40), None, None)
        ]
    );
    assert_eq!(names(&list_tags(&mut tx, one, "a", 9).await.unwrap()), ["b"]);
    let by_time = list_tags_by_time(&mut tx, one, (i64::MAX, ""), 2).await.unwrap();
    assert_eq!(names(&by_time), ["Z", "b"]);
    let rest = list_tags_by_time(&mut tx, one, (6, "b"), 9).await.unwrap();
    assert_eq!(names(&rest), ["a"]);
    assert_eq!(find_tag(&mut tx, one, "a").await.unwrap().unwrap(), by_name[1]);
    assert_eq!(find_tag(&mut tx, one, "none").await.unwrap(), None);
    let pointers = list_pointers(&mut tx, one, "", 9).await.unwrap();
    assert_eq!((pointers.len(), pointers[2].updated_at), (3, 6));
    assert_eq!(
        list_tags_of_digest(&mut tx, one, "sha256:a", 9).await.unwrap(),
        [pointers[2].clone()]
    );
    assert!(remove_tag(&mut tx, one, "b").await.unwrap());
    assert!(!remove_tag(&mut tx, one, "b").await.unwrap());
    assert_eq!(find_pointer(&mut tx, one, "b").await.unwrap(), None);
}

async fn the_history_of_a_tag_is_added_to_and_read_backwards(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let (one, two) = repositories(&mut tx).await;
    let change = |sequence, tag: &str, after: Option<&str>| TagChange {
        sequence,
        tag: tag.to_owned(),
        digest_before: None,
        digest_after: after.map(str::to_owned),
        changed_at: NOW,
        changed_by: Some("ada".to_owned()),
        client: None,
    };
    let changes = [
        change(1, "v1", Some("sha256:a")),
        change(2, "v2", Some("sha256:a")),
        change(3, "v1", None),
    ];
    for change in &changes {
        add_tag_change(&mut tx, one, change).await.unwrap();
    }
    let found = list_tag_changes(&mut tx, one, "v1", i64::MAX, 9).await.unwrap();
    assert_eq!(found, [changes[2].clone(), changes[0].clone()]);
    assert_eq!(
        list_tag_changes(&mut tx, one, "v1", 3, 9).await.unwrap(),
        [changes[0].clone()]
    );
    assert_eq!(
        list_tag_changes(&mut tx, two, "v1", i64::MAX, 9).await.unwrap(),
        []
    );
    let found = list_changes(&mut tx, one, i64::MAX, 2).await.unwrap();
    assert_eq!(found, [changes[2].clone(), changes[1].clone()]);
    assert_eq!(
        list_changes(&mut tx, one, 2, 9).await.unwrap(),
        [changes[0].clone()]
    );
    assert_eq!(list_changes(&mut tx, two, i64::MAX, 9).await.unwrap(), []);
}

async fn events_of_a_repository_are_entered_by_one_and_remembered(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let (one, _) = repositories(&mut tx).await;
    assert_eq!(find_feed(&mut tx, one).await.unwrap().version, 0);
    assert!(!hold_feed(&mut tx, one, 0).await.unwrap());
    let mut feed = enter_feed(&mut tx, one, NOW).await.unwrap();
    assert_eq!((feed.version, feed.changes, feed.recent.len()), (1, 0, 0));
    feed.changes = 4;
    feed.recent = vec!["e1".to_owned(), "e2".to_owned()];
    leave_feed(&mut tx, one, &feed).await.unwrap();
    assert!(hold_feed(&mut tx, one, 1).await.unwrap());
    feed.version = 2;
    assert_eq!(enter_feed(&mut tx, one, NOW).await.unwrap(), feed);
    assert!(!hold_feed(&mut tx, one, 1).await.unwrap());
    assert_eq!(find_feed(&mut tx, one).await.unwrap(), feed);
}

async fn counts_add_up_by_day_and_in_all(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let (one, _) = repositories(&mut tx).await;
    let counter = |day, value: &str| Counter {
        repository_id: one,
        dimension: Dimension::Client,
        value: value.to_owned(),
        day,
    };
    let pull = |at| Count {
        pulls: 2,
        last_pulled_at: Some(at),
        ..Count::default()
    };
    let push = |at, by: &str| Count {
        pushes: 1,
        last_pushed_at: Some(at),
        last_pushed_by: Some(by.to_owned()),
        ..Count::default()
    };
    for (counter, count) in [
        (counter(10, "docker"), pull(50)),
        (counter(11, "docker"), pull(70)),
        (counter(11, "docker"), pull(60)),
        (counter(11, "docker"), push(80, "ada")),
        (counter(11, "docker"), push(90, "eve")),
        (counter(11, "skopeo"), pull(60)),
        // Only that it was asked for is no pull, and no line of a day.
        (
            counter(12, "skopeo"),
            Count {
                last_pulled_at: Some(99),
                ..Count::default()
            },
        ),
    ] {
        add_count(&mut tx, &counter, &count).await.unwrap();
    }
    let total = find_total(&mut tx, one, Dimension::Client, "docker")
        .await
        .unwrap()
        .unwrap();
    assert_eq!((total.pull_count, total.push_count), (6, 2));
    assert_eq!((total.last_pulled_at, total.last_pushed_at), (Some(70), Some(90)));
    assert_eq!(total.last_pushed_by.as_deref(), Some("eve"));
    let skopeo = find_total(&mut tx, one, Dimension::Client, "skopeo")
        .await
        .unwrap()
        .unwrap();
    assert_eq!((skopeo.pull_count, skopeo.last_pulled_at), (2, Some(99)));
    assert_eq!(
        find_total(&mut tx, one, Dimension::Tag, "docker").await.unwrap(),
        None
    );
    let days = list_days(&mut tx, one, Dimension::Client, (11, 12), 9)
        .await
        .unwrap();
    let days: Vec<_> = days
        .iter()
        .map(|day| (day.day, day.value.as_str(), day.pull_count, day.push_count))
        .collect();
    assert_eq!(days, [(11, "docker", 4, 2), (11, "skopeo", 2, 0)]);
    assert_eq!(
        list_days(&mut tx, one, Dimension::Client, (0, 99), 1)
            .await
            .unwrap()[0]
            .day,
        10
    );
}

async fn work_is_claimed_by_one_and_wanted_anew_it_is_not_ended(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let (one, two) = repositories(&mut tx).await;
    assert!(!is_work_due(&mut tx, NOW).await.unwrap());
    add_work(&mut tx, one, Some("sha256:a"), NOW).await.unwrap();
    add_work(&mut tx, two, None, NOW + 1).await.unwrap();
    assert!(is_work_due(&mut tx, NOW).await.unwrap());
    let claimed = claim_work(&mut tx, NOW + 100, NOW, 9).await.unwrap();
    assert_eq!((claimed.len(), claimed[0].attempts), (1, 1));
    assert_eq!(claimed[0].digest.as_deref(), Some("sha256:a"));
    assert_eq!(claim_work(&mut tx, NOW + 100, NOW, 9).await.unwrap(), []);
    // Pushed again while it was read: what was read does not end it.
    add_work(&mut tx, one, Some("sha256:a"), NOW + 5).await.unwrap();
    assert!(!end_work(&mut tx, &claimed[0]).await.unwrap());
    let claimed = claim_work(&mut tx, NOW + 200, NOW + 5, 9).await.unwrap();
    assert_eq!(claimed.len(), 2);
    let whole = claimed.iter().find(|work| work.digest.is_none()).unwrap();
    delay_work(&mut tx, whole, NOW + 300).await.unwrap();
    let part = claimed.iter().find(|work| work.digest.is_some()).unwrap();
    assert!(end_work(&mut tx, part).await.unwrap());
    assert_eq!(list_work(&mut tx, one, 9).await.unwrap(), []);
    assert_eq!(claim_work(&mut tx, NOW + 400, NOW + 299, 9).await.unwrap(), []);
    assert_eq!(
        claim_work(&mut tx, NOW + 400, NOW + 300, 9).await.unwrap()[0].attempts,
        2
    );
    add_work(&mut tx, one, Some("sha256:c"), NOW + 500).await.unwrap();
    add_work(&mut tx, one, Some("sha256:d"), NOW + 501).await.unwrap();
    hasten_work(&mut tx, NOW + 500, NOW).await.unwrap();
    let hastened = claim_work(&mut tx, NOW + 600, NOW, 9).await.unwrap();
    assert_eq!(
        hastened.len(),
        1,
        "what may be claimed is left alone, and so are repositories"
    );
    assert_eq!(hastened[0].digest.as_deref(), Some("sha256:d"));
    for digest in ["sha256:c", "sha256:d"] {
        drop_work(&mut tx, one, digest).await.unwrap();
    }
    assert_eq!(add_work_for_all(&mut tx, NOW).await.unwrap(), 2);
    assert_eq!(claim_work(&mut tx, NOW + 1, NOW, 1).await.unwrap().len(), 1);
    add_work(&mut tx, one, Some("sha256:b"), NOW).await.unwrap();
    drop_work(&mut tx, one, "sha256:b").await.unwrap();
    assert_eq!(list_work(&mut tx, one, 9).await.unwrap().len(), 1);
}

async fn the_storage_name_leads_to_the_repository_whatever_became_of_it(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let (one, _) = repositories(&mut tx).await;
    let stored_as: RepositoryName = "ada/one".parse().unwrap();
    let renamed: RepositoryName = "ada/other".parse().unwrap();
    rename_repository(&mut tx, one, &renamed, NamespaceId::from_i64(1001))
        .await
        .unwrap();
    let found = find_stored_repository(&mut tx, &stored_as)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((found.repository_id, found.name), (one, renamed));
    assert!(found.is_active && !found.is_pending);
    let end = Deletion {
        by: None,
        at: NOW,
        purge_after: NOW,
    };
    delete_repository(&mut tx, one, &end).await.unwrap();
    let found = find_stored_repository(&mut tx, &stored_as)
        .await
        .unwrap()
        .unwrap();
    assert!(!found.is_active && !found.is_pending);
    let other: RepositoryName = "ada/none".parse().unwrap();
    assert_eq!(find_stored_repository(&mut tx, &other).await.unwrap(), None);
}

async fn a_bookmark_is_found_on_its_list_by_whoever_made_it(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let (one, two) = repositories(&mut tx).await;
    let ada = AccountId::from_i64(1);
    let (list, other): (Topic, Topic) = ("kept".parse().unwrap(), "other".parse().unwrap());
    add_bookmark(&mut tx, ada, &list, one, NOW).await.unwrap();
    for (account, shelf, id, expected) in [
        (1, &list, one, true),
        (1, &list, two, false),
        (1, &other, one, false),
        (2, &list, one, false),
    ] {
        let account = AccountId::from_i64(account);
        let found = has_bookmark(&mut tx, account, shelf.as_str(), id).await.unwrap();
        assert_eq!(found, expected, "{account} {shelf}");
    }
}
