use super::content::{image, part, put, repositories};
use super::*;
use crate::domain::content::{Description, Dimension, Role};
use crate::store::content_count::{
    Count, Counter, Day, add_count, find_total, list_days_of, list_days_of_each,
};
use crate::store::family::{list_children, list_followers, list_parts_of};
use crate::store::manifest::{find_manifest, list_parts, list_referrers};
use crate::store::tag::{list_pointers_by_time, list_tags_by_time, put_tag};

contracts!(
    an_index_is_read_with_all_that_is_known_of_its_manifests_as_each_is_alone,
    the_days_of_many_repositories_are_read_at_once,
    pointers_are_walked_by_time_as_tags_are,
);

/// An index of 80 manifests, of which the repository has seven in eight; one is named twice.
async fn index(tx: &mut Tx, id: RepositoryId) -> Vec<String> {
    let digest = |n: usize| format!("sha256:c{n:02}");
    let mut named: Vec<String> = (0..80).map(digest).collect();
    named.push(digest(1));
    let children = named.iter().map(|one| part(Role::Manifest, one, 10)).collect();
    put(tx, id, "sha256:index", &image(children)).await;
    for (n, one) in named
        .iter()
        .take(80)
        .enumerate()
        .filter(|(n, _)| !n.is_multiple_of(8))
    {
        let size = i64::try_from(n).unwrap();
        let parts = vec![
            part(Role::Config, "sha256:config", 1),
            part(Role::Layer, &format!("sha256:l{n}"), size),
        ];
        put(tx, id, one, &image(parts)).await;
    }
    named
}

async fn an_index_is_read_with_all_that_is_known_of_its_manifests_as_each_is_alone(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let (one, other) = repositories(&mut tx).await;
    let named = index(&mut tx, one).await;
    index(&mut tx, other).await;
    let sbom = |subject: &str| Description {
        subject: Some(subject.to_owned()),
        ..image(vec![part(Role::Layer, "sha256:text", 5)])
    };
    for (digest, subject) in [
        ("sha256:s1", &named[1]),
        ("sha256:s2", &named[1]),
        ("sha256:s3", &named[9]),
        ("sha256:s4", &"sha256:index".to_owned()),
    ] {
        put(&mut tx, one, digest, &sbom(subject)).await;
    }
    for tag in [
        "sha256-c01.sig",
        "sha256-c01.att",
        "sha256-c01",
        "sha256-c01-x",
        "sha256-c011.sig",
        "sha256-c02.sig",
        "sha256-index.sig",
    ] {
        put_tag(&mut tx, one, tag, "sha256:s1", NOW).await.unwrap();
    }
    put_tag(&mut tx, one, "sha256-c03.sig", "sha256:unheard-of", NOW)
        .await
        .unwrap();
    let counter = Counter {
        repository_id: one,
        dimension: Dimension::Digest,
        value: named[2].clone(),
        day: 3,
    };
    let count = Count {
        pulls: 7,
        ..Count::default()
    };
    add_count(&mut tx, &counter, &count).await.unwrap();
    let children = list_children(&mut tx, one, "sha256:index", 200).await.unwrap();
    let expected: Vec<&String> = named
        .iter()
        .enumerate()
        .filter(|(n, _)| !n.is_multiple_of(8) || *n == 80)
        .map(|(_, digest)| digest)
        .collect();
    let found: Vec<&String> = children.iter().map(|child| &child.manifest.digest).collect();
    assert_eq!(found, expected);
    for child in &children {
        let digest = &child.manifest.digest;
        let mut alone = find_manifest(&mut tx, one, digest).await.unwrap().unwrap();
        alone.description.parts = list_parts(&mut tx, one, digest).await.unwrap();
        assert_eq!(child.manifest, alone);
        let total = find_total(&mut tx, one, Dimension::Digest, digest).await.unwrap();
        assert_eq!(child.total, total, "{digest}");
        let mut referrers = list_referrers(&mut tx, one, digest, 200).await.unwrap();
        referrers.sort_by(|a, b| a.digest.cmp(&b.digest));
        assert_eq!(child.referrers, referrers, "{digest}");
        let followers = list_followers(&mut tx, one, digest).await.unwrap();
        assert_eq!(child.followers, followers, "{digest}");
    }
    let of_first = &children[0];
    let tags: Vec<&str> = of_first.followers.iter().map(|(tag, _)| tag.as_str()).collect();
    assert_eq!(tags, ["sha256-c01.att", "sha256-c01.sig"]);
    assert_eq!(of_first.referrers.len(), 2);
    assert_eq!(children[1].total.as_ref().unwrap().pull_count, 7);
    assert_eq!(
        list_followers(&mut tx, one, "sha256:index").await.unwrap().len(),
        1
    );
    let few = list_children(&mut tx, one, "sha256:index", 3).await.unwrap();
    assert_eq!(few.len(), 3);
    assert!(
        list_children(&mut tx, one, "sha256:c01", 9)
            .await
            .unwrap()
            .is_empty()
    );
    // Whatever their number.
    let parts = list_parts_of(&mut tx, one, &named).await.unwrap();
    assert_eq!(parts.len(), 70);
    for (digest, parts) in &parts {
        assert_eq!(
            *parts,
            list_parts(&mut tx, one, digest).await.unwrap(),
            "{digest}"
        );
    }
}

async fn the_days_of_many_repositories_are_read_at_once(store: &Store) {
    let mut tx = store.write().await.unwrap();
    account(&mut tx, 1, "ada", false).await;
    let mut ids = Vec::new();
    for number in 1..=40_i64 {
        let name = format!("ada/r{number}");
        let made = repository(&mut tx, number, &name, Visibility::Private).await;
        ids.push(made.repository_id);
        for (day, value, dimension) in [
            (number + 1, "", Dimension::Repository),
            (number, "", Dimension::Repository),
            (number, "v1", Dimension::Tag),
        ] {
            let counter = Counter {
                repository_id: made.repository_id,
                dimension,
                value: value.to_owned(),
                day,
            };
            let count = Count {
                pulls: day,
                pushes: 1,
                ..Count::default()
            };
            add_count(&mut tx, &counter, &count).await.unwrap();
        }
    }
    let found = list_days_of_each(&mut tx, &ids, (11, 40)).await.unwrap();
    for id in &ids {
        let alone = list_days_of(&mut tx, *id, (Dimension::Repository, ""), (11, 40))
            .await
            .unwrap();
        let at_once: &[Day] = found.get(id).map(Vec::as_slice).unwrap_or_default();
        assert_eq!(at_once, alone, "{id}");
    }
    assert_eq!(found.len(), 31, "from the tenth to the last");
    assert!(list_days_of_each(&mut tx, &[], (1, 9)).await.unwrap().is_empty());
}

async fn pointers_are_walked_by_time_as_tags_are(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let (one, other) = repositories(&mut tx).await;
    for (tag, at) in [("a", 5), ("b", 7), ("c", 5), ("d", 9)] {
        put_tag(&mut tx, one, tag, "sha256:a", at).await.unwrap();
        put_tag(&mut tx, other, tag, "sha256:b", 10 - at).await.unwrap();
    }
    for before in [(i64::MAX, ""), (9, "d"), (5, "c"), (5, "a"), (5, "b")] {
        let tags = list_tags_by_time(&mut tx, one, before, 3).await.unwrap();
        let pointers = list_pointers_by_time(&mut tx, one, before, 3).await.unwrap();
        let (tags, pointers): (Vec<_>, Vec<_>) = (
            tags.iter().map(|tag| (&tag.name, tag.updated_at)).collect(),
            pointers.iter().map(|one| (&one.name, one.updated_at)).collect(),
        );
        assert_eq!(tags, pointers, "{before:?}");
    }
}
