use super::*;
use crate::domain::content::{Description, Part, Role};
use crate::domain::quota::{Decided, NamespaceQuota, PerResource, Resource, Usage};
use crate::store::quota::*;
use crate::store::quota_hold::*;
use crate::store::{manifest, tag};

contracts!(
    a_quota_is_kept_changed_and_forgotten,
    quotas_are_listed_page_by_page,
    usage_counts_what_repositories_share_once_and_for_each,
    a_step_is_remembered_for_each_resource,
    what_is_held_counts_until_the_projection_knows_it,
);

const EVERYTHING: PerResource<bool> = PerResource {
    bytes: true,
    storage_bytes: true,
    repositories: true,
    tags: true,
};

fn at_most(bytes: u64) -> NamespaceQuota {
    NamespaceQuota {
        decided: PerResource {
            bytes: Decided::AtMost(bytes),
            tags: Decided::Unlimited,
            ..PerResource::default()
        },
        is_strict: Some(true),
    }
}

async fn a_quota_is_kept_changed_and_forgotten(store: &Store) {
    let mut tx = store.write().await.unwrap();
    account(&mut tx, 1, "ada", false).await;
    let id = NamespaceId::from_i64(1001);
    assert_eq!(find_quota(&mut tx, id).await.unwrap(), NamespaceQuota::default());
    for quota in [at_most(5), at_most(1 << 62), NamespaceQuota::default()] {
        put_quota(&mut tx, id, &quota).await.unwrap();
        assert_eq!(find_quota(&mut tx, id).await.unwrap(), quota);
        let found = crate::store::terms::find_terms(&mut tx, id, None).await.unwrap();
        assert_eq!(found.quota, quota);
    }
    assert!(list_quotas(&mut tx, 0, 9).await.unwrap().is_empty());
}

async fn quotas_are_listed_page_by_page(store: &Store) {
    let mut tx = store.write().await.unwrap();
    for (id, name) in [(1, "ada"), (2, "bob"), (3, "cyd")] {
        account(&mut tx, id, name, false).await;
        put_quota(&mut tx, NamespaceId::from_i64(1000 + id), &at_most(7))
            .await
            .unwrap();
    }
    let first = list_quotas(&mut tx, 0, 2).await.unwrap();
    let last = first.last().unwrap().namespace_id.as_i64();
    let second = list_quotas(&mut tx, last, 2).await.unwrap();
    let names: Vec<_> = first
        .iter()
        .chain(&second)
        .map(|listed| listed.name.to_string())
        .collect();
    assert_eq!(names, ["ada", "bob", "cyd"]);
}

/// A manifest of 10 bytes with layers of these digests, each of 100 bytes.
async fn push(tx: &mut Tx, repository: &RepositoryFacts, digest: &str, layers: &[&str], name: &str) {
    let id = repository.repository_id;
    manifest::add_manifest(tx, id, digest, "application/vnd.oci.image.manifest.v1+json", 10)
        .await
        .unwrap();
    let description = Description {
        media_type: "application/vnd.oci.image.manifest.v1+json".to_owned(),
        size: 10,
        content_size: None,
        artifact_type: None,
        subject: None,
        platform: None,
        config: None,
        annotations: None,
        parts: layers
            .iter()
            .map(|layer| Part {
                role: Role::Layer,
                digest: (*layer).to_owned(),
                media_type: "layer".to_owned(),
                size: 100,
                platform: None,
                command: None,
            })
            .collect(),
    };
    manifest::describe_manifest(tx, id, digest, &description, NOW)
        .await
        .unwrap();
    tag::put_tag(tx, id, name, digest, NOW).await.unwrap();
}

async fn usage_counts_what_repositories_share_once_and_for_each(store: &Store) {
    let mut tx = store.write().await.unwrap();
    account(&mut tx, 1, "ada", false).await;
    account(&mut tx, 2, "eve", false).await;
    let id = NamespaceId::from_i64(1001);
    let app = repository(&mut tx, 7, "ada/app", Visibility::Private).await;
    let web = repository(&mut tx, 8, "ada/web", Visibility::Private).await;
    let other = repository(&mut tx, 9, "eve/app", Visibility::Private).await;
    push(&mut tx, &app, "sha256:a", &["sha256:x", "sha256:y"], "one").await;
    push(&mut tx, &web, "sha256:b", &["sha256:x"], "one").await;
    push(&mut tx, &web, "sha256:b", &["sha256:x"], "two").await;
    push(&mut tx, &other, "sha256:c", &["sha256:z"], "one").await;
    let usage = measure_usage(&mut tx, id, EVERYTHING).await.unwrap();
    assert_eq!(
        usage,
        Usage {
            bytes: 10 + 200 + 10 + 100,
            storage_bytes: 10 + 200 + 10,
            repositories: 2,
            tags: 3,
        }
    );
    assert_eq!(
        measure_usage(&mut tx, id, PerResource::default()).await.unwrap(),
        Usage::default(),
        "what nobody wants is not counted"
    );
    assert_eq!(
        find_namespace_of(&mut tx, web.repository_id).await.unwrap(),
        Some(id)
    );
}

async fn a_step_is_remembered_for_each_resource(store: &Store) {
    let mut tx = store.write().await.unwrap();
    account(&mut tx, 1, "ada", false).await;
    let id = NamespaceId::from_i64(1001);
    for percent in [80, 100, 0] {
        put_mark(&mut tx, id, Resource::Bytes, percent, NOW)
            .await
            .unwrap();
        assert_eq!(find_mark(&mut tx, id, Resource::Bytes).await.unwrap(), percent);
        assert_eq!(find_mark(&mut tx, id, Resource::Tags).await.unwrap(), 0);
    }
}

async fn what_is_held_counts_until_the_projection_knows_it(store: &Store) {
    let mut tx = store.write().await.unwrap();
    account(&mut tx, 1, "ada", false).await;
    let id = NamespaceId::from_i64(1001);
    let app = repository(&mut tx, 7, "ada/app", Visibility::Private).await;
    let web = repository(&mut tx, 8, "ada/web", Visibility::Private).await;
    let (of_app, of_web) = ((id, app.repository_id), (id, web.repository_id));
    for (place, item, size) in [
        (of_app, "sha256:a", 10),
        (of_app, "sha256:x", 100),
        (of_web, "sha256:x", 100),
        (of_app, "tag:one", 0),
    ] {
        hold(&mut tx, place, item, size, NOW).await.unwrap();
    }
    assert_eq!(has_blob(&mut tx, of_app, "sha256:a").await.unwrap(), (true, true));
    assert_eq!(
        has_blob(&mut tx, of_web, "sha256:a").await.unwrap(),
        (false, true)
    );
    assert_eq!(
        has_blob(&mut tx, of_web, "sha256:q").await.unwrap(),
        (false, false)
    );
    assert!(has_tag(&mut tx, of_app, "one").await.unwrap());
    assert!(!has_tag(&mut tx, of_web, "one").await.unwrap());
    let held = |bytes, storage_bytes, tags| Usage {
        bytes,
        storage_bytes,
        repositories: 0,
        tags,
    };
    assert_eq!(measure_holds(&mut tx, id).await.unwrap(), held(210, 110, 1));

    push(&mut tx, &app, "sha256:a", &["sha256:x"], "one").await;
    settle_holds(&mut tx, id, NOW).await.unwrap();
    assert_eq!(
        measure_holds(&mut tx, id).await.unwrap(),
        held(100, 0, 0),
        "web's is told yet"
    );
    settle_holds(&mut tx, id, NOW + 1).await.unwrap();
    assert_eq!(
        measure_holds(&mut tx, id).await.unwrap(),
        held(0, 0, 0),
        "too old"
    );
}
