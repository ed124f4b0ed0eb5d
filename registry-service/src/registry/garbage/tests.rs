use super::*;
use crate::registry::TagCondition;
use crate::registry::layout;
use crate::registry::testing::{Ground, image, index, name, on_each_storage, received_as, tag, whole};
use shared::oci::{Algorithm, Reference};

const EVERYTHING: Choice = Choice {
    dry_run: false,
    delete_untagged: true,
};

/// What was told, line by line, and what came of it.
async fn collect(ground: &Ground, choice: Choice) -> (Vec<String>, Collection) {
    let mut lines = Vec::new();
    let mut tell = |finding: Finding<'_>| lines.push(finding.to_string());
    let collection = ground.registry.collect_garbage(choice, &mut tell).await.unwrap();
    (lines, collection)
}

async fn stored(ground: &Ground, digest: &Digest) -> bool {
    ground.exists(&layout::content(digest)).await
}

/// Whether a client that was not there before can pull the manifest.
async fn can_be_pulled(ground: &Ground, repository: &RepositoryName, digest: &Digest) -> bool {
    let reference = Reference::Digest(digest.clone());
    ground
        .replica()
        .get_manifest(repository, &reference)
        .await
        .is_ok()
}

on_each_storage! {
    async fn what_no_manifest_names_goes_and_what_one_names_stays(ground: &Ground) {
        let app = name("team/app");
        let kept = ground.push(&app, "kept", &["1"]).await;
        let untagged = ground.push(&app, "untagged", &[]).await;
        let loose = ground.put_blob(&app, b"loose").await;
        let (lines, collection) = collect(ground, Choice::default()).await;
        assert_eq!((collection.marked, collection.blobs, collection.bytes), (6, 1, 5));
        assert_eq!((collection.manifests, collection.links), (0, 1));
        assert!(lines.contains(&format!("blob eligible for deletion: {loose}")), "{lines:?}");
        assert!(lines.contains(&"\n6 blobs marked, 1 blobs and 0 manifests eligible for deletion".to_owned()));
        assert!(!stored(ground, &loose).await);
        assert!(ground.registry.open_blob(&app, &loose, None).await.is_err());
        for manifest in [&kept, &untagged] {
            assert!(can_be_pulled(ground, &app, manifest).await);
        }
        for content in ["kept", "untagged"] {
            let digest = Digest::of(Algorithm::Sha256, content.as_bytes());
            assert_eq!(ground.content(&app, &digest).await.unwrap(), content.as_bytes());
        }
        let (_, again) = collect(ground, Choice::default()).await;
        assert_eq!((again.marked, again.blobs, again.links), (6, 0, 0));
    }

    async fn a_dry_run_says_the_same_and_touches_nothing(ground: &Ground) {
        let app = name("app");
        let untagged = ground.push(&app, "untagged", &[]).await;
        let loose = ground.put_blob(&app, b"loose").await;
        let dry = Choice { dry_run: true, ..EVERYTHING };
        let (told, would) = collect(ground, dry).await;
        assert!(stored(ground, &loose).await && can_be_pulled(ground, &app, &untagged).await);
        let (lines, did) = collect(ground, EVERYTHING).await;
        assert_eq!((told, would), (lines, did.clone()));
        assert_eq!((did.manifests, did.blobs), (1, 4));
        assert!(!stored(ground, &loose).await && !can_be_pulled(ground, &app, &untagged).await);
    }

    async fn children_of_an_index_and_referrers_stay_with_what_they_belong_to(ground: &Ground) {
        let app = name("app");
        let (amd, arm) = (ground.push(&app, "amd", &[]).await, ground.push(&app, "arm", &[]).await);
        let both = ground.put(&app, &index(&[&amd, &arm], ""), &["latest"]).await.unwrap();
        let inner = ground.put(&app, &index(&[&both], ""), &["nested"]).await.unwrap();
        let refers = |to: &Digest| {
            format!(r#","subject":{{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{to}","size":2}}"#)
        };
        let config = ground.put_blob(&app, b"{}").await;
        let layer = ground.put_blob(&app, b"signature").await;
        let signature = ground.put(&app, &image(&config, &layer, &refers(&amd)), &[]).await.unwrap();
        let of_signature = ground.put(&app, &image(&config, &layer, &refers(&signature)), &[]).await.unwrap();
        let old = ground.push(&app, "old", &[]).await;
        let of_old = ground.put(&app, &image(&config, &layer, &refers(&old)), &[]).await.unwrap();
        let (_, collection) = collect(ground, EVERYTHING).await;
        assert_eq!(collection.manifests, 2);
        for kept in [&amd, &arm, &both, &inner, &signature, &of_signature] {
            assert!(can_be_pulled(ground, &app, kept).await, "{kept}");
        }
        for gone in [&old, &of_old] {
            assert!(!can_be_pulled(ground, &app, gone).await && !stored(ground, gone).await, "{gone}");
        }
        assert!(stored(ground, &layer).await);
    }

    async fn the_history_of_a_tag_forgets_what_went(ground: &Ground) {
        let (app, latest) = (name("app"), tag("latest"));
        let old = ground.push(&app, "old", &["latest"]).await;
        let new = ground.push(&app, "new", &["latest"]).await;
        collect(ground, EVERYTHING).await;
        assert!(!ground.exists(&layout::tag_index(&app, &latest, &old)).await);
        assert!(ground.exists(&layout::tag_index(&app, &latest, &new)).await);
        assert_eq!(ground.resolve(&app, "latest").await, Some(new));
    }

    async fn content_that_another_repository_needs_stays(ground: &Ground) {
        let (app, other) = (name("app"), name("app/other"));
        let manifest = ground.push(&app, "same", &["1"]).await;
        assert_eq!(ground.push(&other, "same", &["1"]).await, manifest);
        ground.registry.delete_manifest(&app, &manifest).await.unwrap();
        let (_, collection) = collect(ground, EVERYTHING).await;
        assert_eq!((collection.blobs, collection.links), (0, 0));
        assert!(can_be_pulled(ground, &other, &manifest).await);
        ground.registry.delete_manifest(&other, &manifest).await.unwrap();
        let (_, collection) = collect(ground, EVERYTHING).await;
        assert_eq!((collection.marked, collection.blobs, collection.links), (0, 3, 4));
        assert!(!stored(ground, &manifest).await);
    }

    async fn a_link_of_one_algorithm_to_content_of_another_keeps_it(ground: &Ground) {
        let app = name("app");
        let config = ground.put_blob(&app, b"{}").await;
        let held = ground.put_blob(&app, b"layer").await;
        let alias = Digest::of(Algorithm::Sha512, b"layer");
        ground.write(&layout::layer_link(&app, &alias), layout::link(&held)).await;
        ground.remove(&layout::layer(&app, &held)).await;
        ground.put(&app, &image(&config, &alias, ""), &["1"]).await.unwrap();
        collect(ground, EVERYTHING).await;
        assert_eq!(ground.content(&app, &alias).await.unwrap(), b"layer");
    }

    async fn content_by_sha512_is_collected_like_any_other(ground: &Ground) {
        let app = name("app");
        let digest = Digest::of(Algorithm::Sha512, b"long");
        ground.registry.put_blob(&app, &digest, None, whole(b"long")).await.unwrap();
        let config = ground.put_blob(&app, b"{}").await;
        let received = received_as(&image(&config, &digest, ""), Algorithm::Sha512);
        let manifest = received.digest().clone();
        ground.registry.put_manifest(&app, received, &[tag("1")], &TagCondition::Any).await.unwrap();
        let (_, collection) = collect(ground, EVERYTHING).await;
        assert_eq!((collection.marked, collection.blobs), (3, 0));
        ground.registry.delete_manifest(&app, &manifest).await.unwrap();
        let (_, collection) = collect(ground, Choice::default()).await;
        assert_eq!(collection.blobs, 3);
        assert!(!stored(ground, &digest).await && !stored(ground, &manifest).await);
    }

    async fn nothing_goes_while_a_manifest_cannot_be_read(ground: &Ground) {
        let app = name("app");
        let manifest = ground.push(&app, "kept", &["1"]).await;
        let loose = ground.put_blob(&app, b"loose").await;
        ground.write(&layout::content(&manifest), "torn").await;
        let (_, collection) = collect(ground, EVERYTHING).await;
        assert_eq!(collection.damaged, [(app.clone(), manifest.clone())]);
        assert!(stored(ground, &loose).await && stored(ground, &Digest::of(Algorithm::Sha256, b"kept")).await);
        ground.registry.delete_manifest(&app, &manifest).await.unwrap();
        let (_, collection) = collect(ground, EVERYTHING).await;
        assert!(collection.damaged.is_empty() && collection.blobs == 4);
    }

    async fn the_scars_of_an_old_volume_cost_nobody_their_image(ground: &Ground) {
        let app = name("app");
        // A crash while the link was written: the image is not served, but its content is all there.
        let scarred = ground.push(&app, "scarred", &["1"]).await;
        ground.write(&layout::revision_link(&app, &scarred), "").await;
        let untagged = ground.push(&app, "untagged", &[]).await;
        ground.write(&layout::revision_link(&app, &untagged), "sha256:").await;
        let layer = Digest::of(Algorithm::Sha256, b"scarred");
        ground.write(&layout::layer_link(&app, &layer), "").await;
        // A manifest whose content is lost, and a folder that the old binary leaves of a deleted one.
        let lost = ground.push(&app, "lost", &["2"]).await;
        ground.remove(&layout::content(&lost)).await;
        let deleted = ground.push(&app, "deleted", &[]).await;
        ground.remove(&layout::revision_link(&app, &deleted)).await;
        let (lines, collection) = collect(ground, EVERYTHING).await;
        assert!(collection.damaged.is_empty());
        for content in [&scarred, &untagged, &layer, &Digest::of(Algorithm::Sha256, b"untagged")] {
            assert!(stored(ground, content).await, "{content}");
        }
        assert!(ground.exists(&layout::layer_link(&app, &layer)).await);
        assert!(!stored(ground, &deleted).await);
        assert!(lines.contains(&format!("app: the content of manifest {lost} is not stored")), "{lines:?}");
    }
}
