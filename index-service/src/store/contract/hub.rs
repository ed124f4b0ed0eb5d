use serde_json::json;

use super::super::search::{Wanted, search};
use super::*;
use crate::domain::content::{Description, Dimension, Part, Role};
use crate::store::content_count::{Count, Counter, add_count};
use crate::store::hub::{find_details, find_tags, list_images};
use crate::store::manifest::{add_manifest, describe_manifest};
use crate::store::posting::{list_stale, refresh};
use crate::store::repository_profile::{RepositoryProfile, put_profile};
use crate::store::showcase::{find_newest_tag, find_showcase, put_showcase};
use crate::store::tag::put_tag;

contracts!(
    repositories_are_told_with_what_was_said_and_counted,
    tags_are_told_with_the_images_of_their_indexes,
    a_showcase_is_put_changed_and_removed_and_what_it_says_is_found,
    pulls_lift_a_repository_with_each_doubling,
);

async fn pull(tx: &mut Tx, id: RepositoryId, dimension: Dimension, value: &str, pulls: i64) {
    let counter = Counter {
        repository_id: id,
        dimension,
        value: value.to_owned(),
        day: 1,
    };
    let count = Count {
        pulls,
        last_pulled_at: Some(NOW),
        ..Count::default()
    };
    add_count(tx, &counter, &count).await.unwrap();
}

async fn repositories_are_told_with_what_was_said_and_counted(store: &Store) {
    let mut tx = store.write().await.unwrap();
    account(&mut tx, 1, "ada", false).await;
    let mut ids = Vec::new();
    for id in 10..50 {
        let name = format!("ada/r{id}");
        ids.push(
            repository(&mut tx, id, &name, Visibility::Private)
                .await
                .repository_id,
        );
    }
    let profile = RepositoryProfile {
        summary: "one".to_owned(),
        description: "# One".to_owned(),
        ..RepositoryProfile::default()
    };
    put_profile(&mut tx, ids[39], &profile, None, NOW + 7)
        .await
        .unwrap();
    pull(&mut tx, ids[39], Dimension::Repository, "", 5).await;
    pull(&mut tx, ids[39], Dimension::Tag, "v1", 3).await;
    tx.commit().await.unwrap();
    let mut tx = store.read().await.unwrap();
    let found = find_details(&mut tx, &ids).await.unwrap();
    assert_eq!(found.len(), 40);
    let (silent, spoken) = (&found[&10], &found[&49]);
    assert_eq!(
        (silent.summary.as_str(), silent.pull_count, silent.last_updated()),
        ("", 0, NOW)
    );
    assert_eq!(
        (
            spoken.summary.as_str(),
            spoken.description.as_str(),
            spoken.pull_count,
            spoken.last_updated()
        ),
        ("one", "# One", 5, NOW + 7)
    );
    assert!(find_details(&mut tx, &[]).await.unwrap().is_empty());
}

fn image(platform: &str, size: i64) -> Description {
    Description {
        media_type: "application/vnd.oci.image.manifest.v1+json".to_owned(),
        size,
        content_size: Some(size * 10),
        artifact_type: None,
        subject: None,
        platform: Some(platform.to_owned()),
        config: None,
        annotations: None,
        parts: Vec::new(),
    }
}

fn child(digest: &str, platform: Option<&str>) -> Part {
    Part {
        role: Role::Manifest,
        digest: digest.to_owned(),
        media_type: "application/vnd.oci.image.manifest.v1+json".to_owned(),
        size: 7,
        platform: platform.map(str::to_owned),
        command: None,
    }
}

async fn put(tx: &mut Tx, id: RepositoryId, digest: &str, description: &Description) {
    add_manifest(tx, id, digest, &description.media_type, 1)
        .await
        .unwrap();
    assert!(describe_manifest(tx, id, digest, description, NOW).await.unwrap());
}

async fn tags_are_told_with_the_images_of_their_indexes(store: &Store) {
    let mut tx = store.write().await.unwrap();
    account(&mut tx, 1, "ada", false).await;
    let id = repository(&mut tx, 10, "ada/app", Visibility::Private)
        .await
        .repository_id;
    put(&mut tx, id, "sha256:b", &image("linux/arm64", 20)).await;
    let index = Description {
        content_size: None,
        platform: None,
        // The second is not there; the first says its platform itself.
        parts: vec![child("sha256:c", Some("linux/amd64")), child("sha256:b", None)],
        ..image("", 1)
    };
    put(&mut tx, id, "sha256:i", &index).await;
    for n in 0..40 {
        put_tag(&mut tx, id, &format!("t{n:02}"), "sha256:i", NOW + n)
            .await
            .unwrap();
    }
    put_tag(&mut tx, id, "one", "sha256:b", NOW).await.unwrap();
    pull(&mut tx, id, Dimension::Digest, "sha256:b", 2).await;
    tx.commit().await.unwrap();
    let mut tx = store.read().await.unwrap();
    let mut names: Vec<String> = (0..40).map(|n| format!("t{n:02}")).collect();
    names.extend(["one".to_owned(), "none".to_owned()]);
    let tags = find_tags(&mut tx, id, &names).await.unwrap();
    assert_eq!(tags.len(), 41);
    assert_eq!(
        (
            tags["t07"].children_size,
            tags["t07"].content_size,
            tags["t07"].updated_at
        ),
        (Some(200), None, NOW + 7)
    );
    assert_eq!(
        (tags["one"].content_size, tags["one"].platform.as_deref()),
        (Some(200), Some("linux/arm64"))
    );
    let images = list_images(&mut tx, id, &["sha256:i".to_owned(), "sha256:b".to_owned()])
        .await
        .unwrap();
    assert_eq!(images.len(), 1);
    let shown: Vec<_> = images["sha256:i"]
        .iter()
        .map(|image| {
            (
                image.digest.as_str(),
                image.platform.as_deref(),
                image.size,
                image.last_pulled_at,
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            ("sha256:c", Some("linux/amd64"), 7, None),
            ("sha256:b", Some("linux/arm64"), 200, Some(NOW)),
        ]
    );
    let newest = find_newest_tag(&mut tx, id).await.unwrap().unwrap();
    assert_eq!(newest.name, "t39");
}

async fn found_with(tx: &mut Tx, filter: SearchFilter) -> Vec<(String, String)> {
    let wanted = Wanted {
        terms: &[],
        filter: &filter,
        offset: 0,
        limit: 10,
    };
    let found = search(tx, &Principal::Anonymous, &wanted, NOW).await.unwrap();
    let shown = found
        .hits
        .into_iter()
        .map(|hit| (hit.facts.name.to_string(), hit.summary));
    shown.collect()
}

async fn a_showcase_is_put_changed_and_removed_and_what_it_says_is_found(store: &Store) {
    let mut tx = store.write().await.unwrap();
    account(&mut tx, 1, "ada", false).await;
    let id = repository(&mut tx, 10, "ada/app", Visibility::Public)
        .await
        .repository_id;
    repository(&mut tx, 11, "ada/other", Visibility::Public).await;
    let showcase = Showcase {
        tag: "latest".to_owned(),
        summary: "镜像 of \"mine\"".to_owned(),
        sayings: json!({"title": "T"}).as_object().unwrap().clone(),
        platforms: vec!["linux/arm64/v8".to_owned()],
        labels: vec!["team=web".to_owned(), "x=ä_b".to_owned()],
    };
    put_showcase(&mut tx, id, Some(&showcase)).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = store.write().await.unwrap();
    assert_eq!(find_showcase(&mut tx, id).await.unwrap(), Some(showcase.clone()));
    let platform = |text: &str| SearchFilter {
        platform: Some(text.to_owned()),
        ..SearchFilter::default()
    };
    let label = |text: &str| SearchFilter {
        label: Some(text.to_owned()),
        ..SearchFilter::default()
    };
    let own = vec![("ada/app".to_owned(), showcase.summary.clone())];
    for filter in [
        platform("linux/arm64/v8"),
        platform("linux/arm64"),
        platform("arm64"),
        platform("linux"),
        label("team"),
        label("team=web"),
        label("x=ä b"),
    ] {
        assert_eq!(found_with(&mut tx, filter.clone()).await, own, "{filter:?}");
    }
    for filter in [
        platform("amd64"),
        platform("arm"),
        label("web"),
        label("team=we"),
        label("%"),
        platform("' or 1=1"),
    ] {
        assert_eq!(found_with(&mut tx, filter.clone()).await, vec![], "{filter:?}");
    }
    // What people write takes the place of what the image says.
    let profile = RepositoryProfile {
        summary: "written".to_owned(),
        ..RepositoryProfile::default()
    };
    put_profile(&mut tx, id, &profile, None, NOW).await.unwrap();
    assert_eq!(found_with(&mut tx, label("team")).await[0].1, "written");
    let later = Showcase {
        labels: vec!["team=ops".to_owned()],
        ..showcase
    };
    put_showcase(&mut tx, id, Some(&later)).await.unwrap();
    assert!(found_with(&mut tx, label("team=web")).await.is_empty());
    assert_eq!(found_with(&mut tx, label("team=ops")).await.len(), 1);
    put_showcase(&mut tx, id, None).await.unwrap();
    assert_eq!(find_showcase(&mut tx, id).await.unwrap(), None);
    assert!(found_with(&mut tx, platform("linux")).await.is_empty());
    let stale = list_stale(&mut tx, RepositoryId::from_i64(0), 100).await.unwrap();
    assert!(stale.repositories.is_empty());
}

async fn pulls_lift_a_repository_with_each_doubling(store: &Store) {
    let mut tx = store.write().await.unwrap();
    account(&mut tx, 1, "ada", false).await;
    let a = repository(&mut tx, 10, "ada/app-a", Visibility::Public)
        .await
        .repository_id;
    let b = repository(&mut tx, 11, "ada/app-b", Visibility::Public)
        .await
        .repository_id;
    let first = |found: Vec<(String, String)>| found[0].0.clone();
    assert_eq!(
        first(found_with(&mut tx, SearchFilter::default()).await),
        "ada/app-a"
    );
    pull(&mut tx, b, Dimension::Repository, "", 40).await;
    // The walk in the background finds it, and so does whoever counted.
    let stale = list_stale(&mut tx, RepositoryId::from_i64(0), 100).await.unwrap();
    assert_eq!(stale.repositories, [b]);
    refresh(&mut tx, b).await.unwrap();
    assert_eq!(
        first(found_with(&mut tx, SearchFilter::default()).await),
        "ada/app-b"
    );
    pull(&mut tx, b, Dimension::Repository, "", 20).await;
    let stale = list_stale(&mut tx, RepositoryId::from_i64(0), 100).await.unwrap();
    assert!(stale.repositories.is_empty(), "60 are not twice as many as 40");
    pull(&mut tx, a, Dimension::Repository, "", 1_000).await;
    refresh(&mut tx, a).await.unwrap();
    assert_eq!(
        first(found_with(&mut tx, SearchFilter::default()).await),
        "ada/app-a"
    );
}
