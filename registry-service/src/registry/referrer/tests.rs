use shared::oci::{Algorithm, Descriptor, Digest, RepositoryName};

use super::super::testing::{Ground, image, index, name, on_each_storage, received};
use super::super::{Page, Registry, TagCondition, layout};

fn subject_of(subject: &Digest, artifact_type: Option<&str>, more: &str) -> String {
    let artifact_type = artifact_type
        .map(|text| format!(r#","artifactType":"{text}""#))
        .unwrap_or_default();
    format!(
        r#"{artifact_type},"subject":{{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{subject}","size":1}}{more}"#
    )
}

async fn attach(
    ground: &Ground,
    repository: &RepositoryName,
    subject: &Digest,
    artifact_type: Option<&str>,
    seed: &str,
) -> Digest {
    let blob = ground.put_blob(repository, b"{}").await;
    let more = format!(r#","annotations":{{"seed":"{seed}"}}"#);
    let body = image(&blob, &blob, &subject_of(subject, artifact_type, &more));
    ground.put(repository, &body, &[]).await.unwrap()
}

async fn referrers(registry: &Registry, repository: &RepositoryName, subject: &Digest) -> Vec<Digest> {
    let page = registry
        .list_referrers(repository, subject, None, None, 1_000)
        .await
        .unwrap();
    assert!(!page.more);
    digests(&page)
}

fn digests(page: &Page<Descriptor>) -> Vec<Digest> {
    page.items.iter().map(|it| it.digest.clone()).collect()
}

fn sorted(digests: &[&Digest]) -> Vec<Digest> {
    let mut digests: Vec<Digest> = digests.iter().map(|it| (*it).clone()).collect();
    digests.sort();
    digests
}

/// What the old binary does on a push: bytes and links straight into the tree.
async fn push_as_distribution(ground: &Ground, repository: &RepositoryName, body: &str) -> Digest {
    let digest = Digest::of(Algorithm::Sha256, body.as_bytes());
    ground.write(&layout::content(&digest), body.to_owned()).await;
    ground
        .write(&layout::revision_link(repository, &digest), digest.to_string())
        .await;
    digest
}

on_each_storage! {
    async fn unknown_repositories_and_subjects_have_no_referrers(ground: &Ground) {
        let digest = ground.push(&name("a/b"), "x", &["t"]).await;
        assert_eq!(
            ground.registry.list_referrers(&name("a/b"), &digest, None, None, 10).await.unwrap(),
            Page::empty()
        );
        assert!(referrers(&ground.registry, &name("a/c"), &digest).await.is_empty());
    }

    async fn referrers_are_described_from_their_own_content(ground: &Ground) {
        let repository = name("a/b");
        let subject = Digest::of(Algorithm::Sha256, b"need not exist");
        let typed = attach(ground, &repository, &subject, Some("a/signature"), "1").await;
        let by_config = attach(ground, &repository, &subject, None, "2").await;
        let list = index(&[], &subject_of(&subject, None, ""));
        let untyped = ground.put(&repository, &list, &[]).await.unwrap();
        let page = ground.registry.list_referrers(&repository, &subject, None, None, 10).await.unwrap();
        assert_eq!(digests(&page), sorted(&[&typed, &by_config, &untyped]));
        for (digest, media_type, artifact_type, seed) in [
            (&typed, "application/vnd.oci.image.manifest.v1+json", Some("a/signature"), Some("1")),
            (
                &by_config,
                "application/vnd.oci.image.manifest.v1+json",
                Some("application/vnd.oci.image.config.v1+json"),
                Some("2"),
            ),
            (&untyped, "application/vnd.oci.image.index.v1+json", None, None),
        ] {
            let found = page.items.iter().find(|it| it.digest == *digest).unwrap();
            let stored = ground.storage.stat(&layout::content(digest)).await.unwrap();
            assert_eq!(found.media_type, media_type);
            assert_eq!(found.artifact_type.as_deref(), artifact_type);
            assert_eq!(found.size, stored.size);
            let annotated = found.annotations.as_ref().and_then(|it| it.get("seed")).map(String::as_str);
            assert_eq!(annotated, seed);
        }
        let filtered = |wanted: &'static str| {
            let (registry, repository, subject) = (&ground.registry, &repository, &subject);
            async move {
                let page = registry.list_referrers(repository, subject, Some(wanted), None, 10).await.unwrap();
                digests(&page)
            }
        };
        assert_eq!(filtered("a/signature").await, [typed]);
        assert_eq!(filtered("application/vnd.oci.image.config.v1+json").await, [by_config]);
        assert!(filtered("a/other").await.is_empty());
        assert!(filtered("").await.is_empty());
    }

    async fn a_new_referrer_is_listed_at_once_and_a_deleted_one_no_more(ground: &Ground) {
        let repository = name("a/b");
        let subject = ground.push(&repository, "x", &["t"]).await;
        let replica = ground.replica();
        let mut attached = Vec::new();
        for seed in ["1", "2", "3"] {
            attached.push(attach(ground, &repository, &subject, None, seed).await);
            for registry in [&ground.registry, &replica] {
                let expected = sorted(&attached.iter().collect::<Vec<_>>());
                assert_eq!(referrers(registry, &repository, &subject).await, expected);
            }
            ground.age(&layout::revisions(&repository, Algorithm::Sha256));
        }
        let gone = attached.pop().unwrap();
        ground.registry.delete_manifest(&repository, &gone).await.unwrap();
        for registry in [&ground.registry, &replica] {
            let expected = sorted(&attached.iter().collect::<Vec<_>>());
            assert_eq!(referrers(registry, &repository, &subject).await, expected);
        }
        // The referrers of a deleted subject stay.
        ground.registry.delete_manifest(&repository, &subject).await.unwrap();
        assert_eq!(referrers(&replica, &repository, &subject).await.len(), 2);
    }

    async fn a_referrer_that_the_old_binary_wrote_is_noticed(ground: &Ground) {
        let repository = name("a/b");
        let subject = ground.push(&repository, "x", &["t"]).await;
        let ours = attach(ground, &repository, &subject, None, "ours").await;
        let prefix = layout::revisions(&repository, Algorithm::Sha256);
        ground.age(&prefix);
        assert_eq!(referrers(&ground.registry, &repository, &subject).await, sorted(&[&ours]));
        let blob = ground.put_blob(&repository, b"{}").await;
        let body = image(&blob, &blob, &subject_of(&subject, None, r#","annotations":{"by":"distribution"}"#));
        let theirs = push_as_distribution(ground, &repository, &body).await;
        let both = sorted(&[&ours, &theirs]);
        assert_eq!(referrers(&ground.registry, &repository, &subject).await, both);
        // It removes only the link; that shows in no stamp, and neither does writing it again.
        ground.age(&prefix);
        assert_eq!(referrers(&ground.registry, &repository, &subject).await, both);
        ground.remove(&layout::revision_link(&repository, &theirs)).await;
        ground.age(&prefix);
        assert_eq!(referrers(&ground.registry, &repository, &subject).await, [ours]);
        push_as_distribution(ground, &repository, &body).await;
        ground.age(&prefix);
        assert_eq!(referrers(&ground.registry, &repository, &subject).await, both);
    }

    async fn a_manifest_whose_content_comes_later_is_noticed(ground: &Ground) {
        let repository = name("a/b");
        let subject = ground.push(&repository, "x", &["t"]).await;
        let blob = ground.put_blob(&repository, b"{}").await;
        let body = image(&blob, &blob, &subject_of(&subject, None, ""));
        let digest = push_as_distribution(ground, &repository, &body).await;
        ground.remove(&layout::content(&digest)).await;
        ground.age(&layout::revisions(&repository, Algorithm::Sha256));
        assert!(referrers(&ground.registry, &repository, &subject).await.is_empty());
        ground.write(&layout::content(&digest), body).await;
        assert_eq!(referrers(&ground.registry, &repository, &subject).await, [digest]);
    }

    async fn referrers_come_in_pages(ground: &Ground) {
        let repository = name("a/b");
        let subject = ground.push(&repository, "x", &["t"]).await;
        let mut attached = Vec::new();
        for at in 0..25 {
            let artifact_type = if at % 2 == 0 { "a/even" } else { "a/odd" };
            attached.push(attach(ground, &repository, &subject, Some(artifact_type), &at.to_string()).await);
        }
        let all = sorted(&attached.iter().collect::<Vec<_>>());
        let odd = sorted(&attached.iter().skip(1).step_by(2).collect::<Vec<_>>());
        for (artifact_type, expected) in [(None, &all), (Some("a/odd"), &odd)] {
            for limit in [1, 2, 7, 12, 24, 25, 26] {
                let mut listed: Vec<Digest> = Vec::new();
                loop {
                    let page = ground
                        .registry
                        .list_referrers(&repository, &subject, artifact_type, listed.last(), limit)
                        .await
                        .unwrap();
                    assert!(page.items.len() <= limit);
                    listed.extend(digests(&page));
                    if !page.more {
                        break;
                    }
                    assert!(!page.items.is_empty());
                }
                assert_eq!(listed, *expected);
            }
        }
    }

    async fn a_page_ends_before_it_is_too_large_to_read(ground: &Ground) {
        let repository = name("a/b");
        let subject = ground.push(&repository, "x", &["t"]).await;
        for at in 0..5 {
            attach(ground, &repository, &subject, None, &format!("{at}{}", "x".repeat(1 << 20))).await;
        }
        let first = ground.registry.list_referrers(&repository, &subject, None, None, 100).await.unwrap();
        assert_eq!((first.items.len(), first.more), (2, true));
        let last = first.items.last().map(|it| &it.digest);
        let second = ground.registry.list_referrers(&repository, &subject, None, last, 100).await.unwrap();
        assert_eq!((second.items.len(), second.more), (2, true));
    }

    async fn the_fallback_tag_is_folded_in(ground: &Ground) {
        let repository = name("a/b");
        let subject = ground.push(&repository, "x", &["t"]).await;
        let with_subject = attach(ground, &repository, &subject, Some("a/own"), "1").await;
        let without = ground.push(&repository, "no subject", &[]).await;
        let gone = ground.push(&repository, "gone", &[]).await;
        let media_type = "application/vnd.oci.image.manifest.v1+json";
        let entry = |digest: &Digest, artifact_type: &str| {
            format!(
                r#"{{"mediaType":"{media_type}","digest":"{digest}","size":5,"artifactType":"{artifact_type}","annotations":{{"from":"tag"}}}}"#
            )
        };
        let entries = [entry(&with_subject, "a/claimed"), entry(&without, "a/listed"), entry(&gone, "a/gone")];
        let body = format!(
            r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{}]}}"#,
            entries.join(",")
        );
        let fallback = format!("sha256-{}", subject.hex());
        ground.put(&repository, &body, &[&fallback]).await.unwrap();
        ground.registry.delete_manifest(&repository, &gone).await.unwrap();
        let page = ground.registry.list_referrers(&repository, &subject, None, None, 10).await.unwrap();
        assert_eq!(digests(&page), sorted(&[&with_subject, &without]));
        for item in &page.items {
            // What a manifest says of itself counts before what the tag says of it.
            let expected = if item.digest == without { "a/listed" } else { "a/own" };
            assert_eq!(item.artifact_type.as_deref(), Some(expected));
        }
        let filtered = ground.registry.list_referrers(&repository, &subject, Some("a/listed"), None, 10).await;
        assert_eq!(digests(&filtered.unwrap()), [without]);
    }

    async fn sha512_subjects_and_referrers_are_listed(ground: &Ground) {
        let repository = name("a/b");
        let subject = Digest::of(Algorithm::Sha512, b"subject");
        let blob = ground.put_blob(&repository, b"{}").await;
        let body = image(&blob, &blob, &subject_of(&subject, None, ""));
        let manifest = super::super::testing::received_as(&body, Algorithm::Sha512);
        let digest = manifest.digest().clone();
        ground.registry.put_manifest(&repository, manifest, &[], &TagCondition::Any).await.unwrap();
        assert_eq!(referrers(&ground.registry, &repository, &subject).await, sorted(&[&digest]));
        // The same bytes by another digest are another manifest.
        let other = received(&body);
        let second = other.digest().clone();
        ground.registry.put_manifest(&repository, other, &[], &TagCondition::Any).await.unwrap();
        assert_eq!(referrers(&ground.registry, &repository, &subject).await, sorted(&[&digest, &second]));
    }

    async fn a_stored_index_is_used_and_a_damaged_one_is_made_anew(ground: &Ground) {
        let repository = name("a/b");
        let subject = ground.push(&repository, "x", &["t"]).await;
        let mut attached = Vec::new();
        for at in 0..40 {
            attached.push(attach(ground, &repository, &subject, None, &at.to_string()).await);
        }
        let expected = sorted(&attached.iter().collect::<Vec<_>>());
        ground.age(&layout::revisions(&repository, Algorithm::Sha256));
        assert_eq!(referrers(&ground.registry, &repository, &subject).await, expected);
        let key = layout::referrers(&repository);
        let (stored, _) = ground.storage.read(&key, 1 << 20).await.unwrap();
        assert_eq!(referrers(&ground.replica(), &repository, &subject).await, expected);
        for damaged in [&stored[..stored.len() / 2], b"", b"portolan referrers 1\n"] {
            ground.write(&key, damaged.to_vec()).await;
            assert_eq!(referrers(&ground.replica(), &repository, &subject).await, expected);
        }
        // Written under stamps that no longer stand, as after the old binary ran.
        ground.write(&key, stored).await;
        let late = attach(ground, &repository, &subject, None, "late").await;
        let found = referrers(&ground.replica(), &repository, &subject).await;
        assert_eq!(found.len(), 41);
        assert!(found.contains(&late));
    }
}
