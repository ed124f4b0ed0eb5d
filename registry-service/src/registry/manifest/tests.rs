use futures_util::future;
use shared::oci::{Algorithm, Digest, MediaType, Reference};

use super::super::testing::{
    Ground, image, index, name, on_each_storage, options, received, received_as, tag,
};
use super::super::{Children, Options, RegistryError, Rules, TagCondition, layout};
use super::MAX_MISSING;

fn by_digest(digest: &Digest) -> Reference {
    Reference::Digest(digest.clone())
}

fn by_tag(text: &str) -> Reference {
    Reference::Tag(tag(text))
}

on_each_storage! {
    async fn a_manifest_is_read_back_as_it_was_received(ground: &Ground) {
        let repository = name("a/b");
        let config = ground.put_blob(&repository, b"{}").await;
        let layer = ground.put_blob(&repository, b"layer").await;
        let body = image(&config, &layer, "  ,\n \"unknown\" : {\"kept\": [1.50]}");
        let digest = ground.put(&repository, &body, &["latest"]).await.unwrap();
        assert_eq!(digest, Digest::of(Algorithm::Sha256, body.as_bytes()));
        for registry in [ground.registry.clone(), ground.replica()] {
            for reference in [by_digest(&digest), by_tag("latest")] {
                // The second time from memory.
                for _ in 0..2 {
                    let stored = registry.get_manifest(&repository, &reference).await.unwrap();
                    assert_eq!(stored.bytes, body);
                    assert_eq!(stored.digest, digest);
                    assert_eq!(stored.media_type, MediaType::OciManifest);
                }
            }
            for (repository, reference) in [
                (name("a/c"), by_digest(&digest)),
                (name("a/c"), by_tag("latest")),
                (name("a/b"), by_tag("other")),
                (name("a/b"), by_digest(&config)),
            ] {
                let refused = registry.get_manifest(&repository, &reference).await;
                assert!(matches!(refused, Err(RegistryError::ManifestUnknown { .. })), "{refused:?}");
            }
        }
        // A manifest is no blob of the repository.
        let refused = ground.registry.stat_blob(&repository, &digest).await;
        assert!(matches!(refused, Err(RegistryError::BlobUnknown { .. })), "{refused:?}");
    }

    async fn a_manifest_that_names_missing_blobs_is_refused_with_their_list(ground: &Ground) {
        let repository = name("a/b");
        let here = ground.put_blob(&repository, b"here").await;
        let elsewhere = ground.put_blob(&name("a/c"), b"elsewhere").await;
        let nowhere = Digest::of(Algorithm::Sha256, b"nowhere");
        let content_gone = ground.put_blob(&repository, b"content gone").await;
        ground.remove(&layout::content(&content_gone)).await;
        for (config, layer, expected) in [
            (&here, &nowhere, vec![nowhere.clone()]),
            (&nowhere, &elsewhere, vec![nowhere.clone(), elsewhere.clone()]),
            (&nowhere, &nowhere, vec![nowhere.clone()]),
            (&content_gone, &here, vec![content_gone.clone()]),
        ] {
            match ground.put(&repository, &image(config, layer, ""), &["latest"]).await {
                Err(RegistryError::ManifestBlobUnknown { missing }) => assert_eq!(missing, expected),
                other => panic!("{other:?}"),
            }
        }
        assert!(ground.resolve(&repository, "latest").await.is_none());
        assert!(matches!(
            ground.registry.list_tags(&repository, None, 10).await,
            Err(RegistryError::NameUnknown)
        ));
        ground.put(&repository, &image(&here, &here, ""), &["latest"]).await.unwrap();
    }

    async fn the_list_of_missing_blobs_is_bounded(ground: &Ground) {
        let missing: Vec<_> = (0..100).map(|at| Digest::of(Algorithm::Sha256, &[at])).collect();
        match ground.put(&name("a/b"), &index(&missing.iter().collect::<Vec<_>>(), ""), &[]).await {
            Err(RegistryError::ManifestBlobUnknown { missing: listed }) => {
                assert_eq!(listed, missing[..MAX_MISSING]);
            }
            other => panic!("{other:?}"),
        }
    }

    async fn an_index_needs_its_manifests_unless_it_may_be_sparse(ground: &Ground) {
        let repository = name("a/b");
        let child = ground.push(&repository, "child", &[]).await;
        let foreign = ground.push(&name("a/c"), "foreign", &[]).await;
        let blob = ground.put_blob(&repository, b"a blob beside manifests").await;
        let digest = ground.put(&repository, &index(&[&child, &blob], ""), &["multi"]).await.unwrap();
        // An index of indexes.
        ground.put(&repository, &index(&[&digest], ""), &["nested"]).await.unwrap();
        let stored = ground.registry.get_manifest(&repository, &by_tag("multi")).await.unwrap();
        assert_eq!(stored.media_type, MediaType::OciIndex);
        let sparse = index(&[&child, &foreign], "");
        match ground.put(&repository, &sparse, &[]).await {
            Err(RegistryError::ManifestBlobUnknown { missing }) => assert_eq!(missing, [foreign]),
            other => panic!("{other:?}"),
        }
        let lenient = ground.replica_with(Options {
            rules: Rules {
                children: Children::None,
                ..Rules::default()
            },
            ..options()
        });
        lenient.put_manifest(&repository, received(&sparse), &[], &TagCondition::Any).await.unwrap();
    }

    async fn a_subject_and_layers_that_lie_elsewhere_need_not_be_there(ground: &Ground) {
        let repository = name("a/b");
        let blob = ground.put_blob(&repository, b"{}").await;
        let nowhere = Digest::of(Algorithm::Sha256, b"nowhere");
        let subject = format!(
            r#","subject":{{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{nowhere}","size":1}}"#
        );
        ground.put(&repository, &image(&blob, &blob, &subject), &[]).await.unwrap();
        let foreign = image(&blob, &nowhere, "").replace("layer.v1.tar", "layer.nondistributable.v1.tar");
        ground.put(&repository, &foreign, &[]).await.unwrap();
    }

    async fn sha512_manifests_are_kept_under_their_own_digest(ground: &Ground) {
        let repository = name("a/b");
        let blob = ground.put_blob(&repository, b"{}").await;
        let body = image(&blob, &blob, "");
        let manifest = received_as(&body, Algorithm::Sha512);
        let digest = manifest.digest().clone();
        ground.registry.put_manifest(&repository, manifest, &[tag("big")], &TagCondition::Any).await.unwrap();
        for reference in [by_digest(&digest), by_tag("big")] {
            let stored = ground.registry.get_manifest(&repository, &reference).await.unwrap();
            assert_eq!((stored.digest, stored.bytes), (digest.clone(), body.clone().into()));
        }
        let sha256 = Digest::of(Algorithm::Sha256, body.as_bytes());
        assert!(ground.registry.get_manifest(&repository, &by_digest(&sha256)).await.is_err());
        ground.put(&repository, &index(&[&digest], ""), &[]).await.unwrap();
        ground.registry.delete_manifest(&repository, &digest).await.unwrap();
        assert!(ground.resolve(&repository, "big").await.is_none());
    }

    async fn a_deleted_manifest_and_its_tags_are_gone_at_once_everywhere(ground: &Ground) {
        let repository = name("a/b");
        let replica = ground.replica();
        let first = ground.push(&repository, "first", &["one", "two", "moved"]).await;
        let second = ground.push(&repository, "second", &["moved", "three"]).await;
        replica.get_manifest(&repository, &by_tag("one")).await.unwrap();
        replica.list_tags(&repository, None, 10).await.unwrap();
        ground.registry.delete_manifest(&repository, &first).await.unwrap();
        for registry in [&ground.registry, &replica] {
            for reference in [by_digest(&first), by_tag("one"), by_tag("two")] {
                let refused = registry.get_manifest(&repository, &reference).await;
                assert!(matches!(refused, Err(RegistryError::ManifestUnknown { .. })), "{refused:?}");
            }
            let tags = registry.list_tags(&repository, None, 10).await.unwrap().items;
            assert_eq!(tags, [tag("moved"), tag("three")]);
            let refused = registry.delete_manifest(&repository, &first).await;
            assert!(matches!(refused, Err(RegistryError::ManifestUnknown { .. })), "{refused:?}");
        }
        assert_eq!(ground.resolve(&repository, "moved").await, Some(second));
        // The same manifest pushed again is there again.
        assert_eq!(ground.push(&repository, "first", &["one"]).await, first);
        assert_eq!(ground.resolve(&repository, "one").await, Some(first));
    }

    async fn a_deleted_manifest_stays_in_other_repositories(ground: &Ground) {
        let digest = ground.push(&name("a/b"), "same", &["latest"]).await;
        ground.push(&name("a/c"), "same", &["latest"]).await;
        ground.registry.delete_manifest(&name("a/b"), &digest).await.unwrap();
        assert_eq!(ground.resolve(&name("a/c"), "latest").await, Some(digest));
    }

    async fn a_manifest_whose_content_is_damaged_is_never_served(ground: &Ground) {
        let repository = name("a/b");
        let digest = ground.push(&repository, "good", &["latest"]).await;
        let (good, _) = ground.storage.read(&layout::content(&digest), 1 << 20).await.unwrap();
        // Still a manifest, but not this one.
        let altered = [&good[..], b"\n"].concat();
        for damaged in [&altered[..], &good[..good.len() - 1], b""] {
            ground.write(&layout::content(&digest), damaged.to_vec()).await;
            for reference in [by_tag("latest"), by_digest(&digest)] {
                let refused = ground.replica().get_manifest(&repository, &reference).await;
                assert!(matches!(refused, Err(RegistryError::ManifestUnknown { .. })), "{refused:?}");
            }
        }
        // The next push heals it.
        ground.push(&repository, "good", &[]).await;
        let stored = ground.replica().get_manifest(&repository, &by_tag("latest")).await.unwrap();
        assert_eq!(stored.bytes, good);
    }

    async fn empty_and_partial_links_of_manifests_and_tags_count_as_absent(ground: &Ground) {
        let repository = name("a/b");
        let digest = ground.push(&repository, "good", &["latest"]).await;
        let revision = layout::revision_link(&repository, &digest);
        let current = layout::tag_current(&repository, &tag("latest"));
        for text in ["", "sha256:", &digest.to_string()[..30], "latest"] {
            ground.write(&current, text.to_owned()).await;
            assert_eq!(ground.resolve(&repository, "latest").await, None, "{text}");
            let refused = ground.registry.delete_tag(&repository, &tag("latest"), &TagCondition::Any).await;
            assert!(matches!(refused, Err(RegistryError::ManifestUnknown { .. })), "{refused:?}");
            assert!(ground.registry.get_manifest(&repository, &by_digest(&digest)).await.is_ok());
            // It may be created anew, as if it were absent.
            let (bytes, _) = ground.storage.read(&layout::content(&digest), 1 << 20).await.unwrap();
            let body = std::str::from_utf8(&bytes).unwrap();
            let created = ground
                .registry
                .put_manifest(&repository, received(body), &[tag("latest")], &TagCondition::Absent)
                .await;
            created.unwrap();
            assert_eq!(ground.resolve(&repository, "latest").await, Some(digest.clone()));
        }
        ground.write(&revision, "").await;
        assert_eq!(ground.resolve(&repository, "latest").await, None);
        assert!(ground.registry.get_manifest(&repository, &by_digest(&digest)).await.is_err());
    }

    async fn content_of_distribution_without_a_media_type_is_typed_by_its_fields(ground: &Ground) {
        let repository = name("a/b");
        let odd = r#"{"schemaVersion":2,"config":{"a":1,"a":2},"layers":"unreadable for us, but stored"}"#;
        let list = r#"{"schemaVersion":2,"manifests":[]}"#;
        let docker = r#"{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json"}"#;
        for (body, media_type) in [
            (odd, Some(MediaType::OciManifest)),
            (list, Some(MediaType::OciIndex)),
            (docker, Some(MediaType::DockerManifest)),
            (r#"{"schemaVersion":1,"name":"old"}"#, None),
            (r#"{"schemaVersion":2,"mediaType":"text/plain"}"#, None),
            ("not JSON", None),
        ] {
            let digest = Digest::of(Algorithm::Sha256, body.as_bytes());
            ground.write(&layout::content(&digest), body.to_owned()).await;
            ground.write(&layout::revision_link(&repository, &digest), digest.to_string()).await;
            let stored = ground.registry.get_manifest(&repository, &by_digest(&digest)).await;
            assert_eq!(stored.ok().map(|stored| stored.media_type), media_type, "{body}");
        }
    }

    async fn a_tag_moves_only_under_its_condition(ground: &Ground) {
        let repository = name("a/b");
        let first = ground.push(&repository, "first", &[]).await;
        let second = ground.push(&repository, "second", &[]).await;
        let put = |digest: Digest, condition: TagCondition| {
            let repository = repository.clone();
            async move {
                let (bytes, _) = ground.storage.read(&layout::content(&digest), 1 << 20).await.unwrap();
                let body = received(std::str::from_utf8(&bytes).unwrap());
                ground.registry.put_manifest(&repository, body, &[tag("t")], &condition).await
            }
        };
        let refused = put(first.clone(), TagCondition::Is(first.clone())).await;
        assert!(matches!(refused, Err(RegistryError::TagConflict)), "{refused:?}");
        put(first.clone(), TagCondition::Absent).await.unwrap();
        for condition in [TagCondition::Absent, TagCondition::Is(second.clone())] {
            let refused = put(second.clone(), condition).await;
            assert!(matches!(refused, Err(RegistryError::TagConflict)), "{refused:?}");
            assert_eq!(ground.resolve(&repository, "t").await, Some(first.clone()));
        }
        put(second.clone(), TagCondition::Is(first.clone())).await.unwrap();
        assert_eq!(ground.resolve(&repository, "t").await, Some(second.clone()));
        put(first.clone(), TagCondition::Any).await.unwrap();
        assert_eq!(ground.resolve(&repository, "t").await, Some(first));
    }

    async fn of_many_creations_of_one_tag_exactly_one_succeeds(ground: &Ground) {
        let repository = name("a/b");
        let blob = ground.put_blob(&repository, b"{}").await;
        let replicas = [ground.replica(), ground.replica()];
        let creations = (0..16).map(|at| {
            let (repository, blob, registry) = (&repository, &blob, &replicas[at % 2]);
            async move {
                let manifest = received(&image(blob, blob, &format!(r#","annotations":{{"n":"{at}"}}"#)));
                let digest = manifest.digest().clone();
                let put = registry.put_manifest(repository, manifest, &[tag("t")], &TagCondition::Absent).await;
                match put {
                    Ok(()) => Some(digest),
                    Err(RegistryError::TagConflict) => None,
                    Err(error) => panic!("{error:?}"),
                }
            }
        });
        let won: Vec<_> = future::join_all(creations).await.into_iter().flatten().collect();
        assert_eq!(won.len(), 1);
        assert_eq!(ground.resolve(&repository, "t").await, won.into_iter().next());
    }

    async fn a_delete_against_pushes_leaves_no_tag_that_points_to_nothing(ground: &Ground) {
        let repository = name("a/b");
        let digest = ground.push(&repository, "contested", &["t0"]).await;
        for round in 0..20 {
            let push = async { ground.push(&repository, "contested", &["t1", "t2"]).await };
            let delete = async {
                match ground.registry.delete_manifest(&repository, &digest).await {
                    Ok(()) | Err(RegistryError::ManifestUnknown { .. }) => {}
                    Err(error) => panic!("{error:?}"),
                }
            };
            future::join(push, delete).await;
            let is_there = ground.registry.get_manifest(&repository, &by_digest(&digest)).await.is_ok();
            for text in ["t1", "t2"] {
                let key = layout::tag_current(&repository, &tag(text));
                let has_tag = ground.exists(&key).await;
                assert!(is_there || !has_tag, "round {round}: {text} points to nothing");
            }
        }
    }
}

#[tokio::test]
async fn a_push_that_comes_between_the_steps_of_a_delete_leaves_no_tag_that_points_to_nothing() {
    let ground = Ground::filesystem();
    let repository = name("a/b");
    let digest = ground.push(&repository, "contested", &[]).await;
    let other = ground.push(&repository, "other", &[]).await;
    let (bytes, _) = ground
        .storage
        .read(&layout::content(&digest), 1 << 20)
        .await
        .unwrap();
    let body = std::str::from_utf8(&bytes).unwrap();
    // So many that looking through them takes longer than the push, whose tag stands before all of them.
    for at in 0..3_000 {
        let current = ground
            .path(&layout::tag_current(&repository, &tag(&format!("t{at}"))))
            .unwrap();
        std::fs::create_dir_all(current.parent().unwrap()).unwrap();
        std::fs::write(current, other.to_string()).unwrap();
    }
    let contested = tag("a");
    for _ in 0..5 {
        let delete = ground.registry.delete_manifest(&repository, &digest);
        let push = ground.put(&repository, body, &["a"]);
        let (deleted, pushed) = future::join(delete, push).await;
        deleted.unwrap();
        pushed.unwrap();
        let is_there = ground
            .registry
            .get_manifest(&repository, &by_digest(&digest))
            .await
            .is_ok();
        let has_tag = ground.exists(&layout::tag_current(&repository, &contested)).await;
        assert_eq!(is_there, has_tag);
        ground.put(&repository, body, &[]).await.unwrap();
    }
}
