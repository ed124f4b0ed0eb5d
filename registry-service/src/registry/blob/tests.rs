use shared::oci::{Algorithm, Digest};

use super::super::testing::{Ground, name, noise, on_each_storage, whole};
use super::super::{RegistryError, layout};

on_each_storage! {
    async fn a_blob_is_held_by_the_repository_it_was_pushed_to_and_no_other(ground: &Ground) {
        let digest = ground.put_blob(&name("a/b"), b"content").await;
        assert_eq!(ground.registry.stat_blob(&name("a/b"), &digest).await.unwrap(), 7);
        for other in ["a/c", "a", "a/b/c"] {
            let refused = ground.registry.stat_blob(&name(other), &digest).await;
            assert!(matches!(refused, Err(RegistryError::BlobUnknown { .. })), "{refused:?}");
            let refused = ground.registry.open_blob(&name(other), &digest, None).await;
            assert!(matches!(refused, Err(RegistryError::BlobUnknown { .. })), "{refused:?}");
        }
    }

    async fn a_range_is_read_exactly(ground: &Ground) {
        use futures_util::TryStreamExt as _;
        let content = noise(600_000, 1);
        let digest = ground.put_blob(&name("a/b"), &content).await;
        for range in [0..1, 0..600_000, 299_999..300_001, 599_999..600_000] {
            let opened = ground.registry.open_blob(&name("a/b"), &digest, Some(range.clone())).await;
            let opened = opened.unwrap();
            assert_eq!(opened.size(), 600_000);
            let pieces: Vec<_> = opened.into_stream().try_collect().await.unwrap();
            let (start, end) = (usize::try_from(range.start).unwrap(), usize::try_from(range.end).unwrap());
            assert_eq!(pieces.concat(), content[start..end]);
        }
        let backwards = std::ops::Range { start: 5, end: 3 };
        for range in [0..600_001, 600_000..600_001, 5..5, backwards, u64::MAX - 1..u64::MAX] {
            let refused = ground.registry.open_blob(&name("a/b"), &digest, Some(range)).await.err();
            assert!(matches!(refused, Some(RegistryError::RangeInvalid { offset: 600_000 })), "{refused:?}");
        }
    }

    async fn mounting_needs_the_link_of_the_source(ground: &Ground) {
        let digest = ground.put_blob(&name("a/secret"), b"content").await;
        let to = name("b/target");
        // Stored, but not held by any repository that may be read.
        assert!(!ground.registry.mount_blob(&to, &[], &digest).await.unwrap());
        assert!(!ground.registry.mount_blob(&to, &[name("a/other")], &digest).await.unwrap());
        let refused = ground.registry.stat_blob(&to, &digest).await;
        assert!(matches!(refused, Err(RegistryError::BlobUnknown { .. })), "{refused:?}");
        let sources = [name("a/other"), name("a/secret")];
        assert!(ground.registry.mount_blob(&to, &sources, &digest).await.unwrap());
        assert_eq!(ground.content(&to, &digest).await.unwrap(), b"content");
        // Held already, wherever it is to come from.
        assert!(ground.registry.mount_blob(&to, &[], &digest).await.unwrap());
    }

    async fn a_link_without_content_is_no_blob(ground: &Ground) {
        let digest = ground.put_blob(&name("a/b"), b"content").await;
        ground.remove(&layout::content(&digest)).await;
        let refused = ground.registry.stat_blob(&name("a/b"), &digest).await;
        assert!(matches!(refused, Err(RegistryError::BlobUnknown { .. })), "{refused:?}");
        let refused = ground.registry.open_blob(&name("a/b"), &digest, None).await;
        assert!(matches!(refused, Err(RegistryError::BlobUnknown { .. })), "{refused:?}");
        assert!(!ground.registry.mount_blob(&name("a/c"), &[name("a/b")], &digest).await.unwrap());
        // Pushing it again heals it.
        ground.put_blob(&name("a/b"), b"content").await;
        assert_eq!(ground.content(&name("a/b"), &digest).await.unwrap(), b"content");
    }

    async fn damaged_content_is_healed_by_the_next_push(ground: &Ground) {
        let digest = ground.put_blob(&name("a/b"), b"content").await;
        ground.write(&layout::content(&digest), "c").await;
        ground.put_blob(&name("a/c"), b"content").await;
        assert_eq!(ground.content(&name("a/b"), &digest).await.unwrap(), b"content");
    }

    async fn empty_and_partial_links_count_as_absent(ground: &Ground) {
        let digest = ground.put_blob(&name("a/b"), b"content").await;
        let whole_link = digest.to_string();
        let key = layout::layer_link(&name("a/b"), &digest);
        let long = "x".repeat(10_000);
        let with_newline = format!("{whole_link}\n");
        let texts: [&[u8]; 7] = [
            b"", &whole_link.as_bytes()[..40], b"sha256:", b"\0\0\0\0", b"\xff\xfe", long.as_bytes(),
            with_newline.as_bytes(),
        ];
        for text in texts {
            ground.write(&key, text.to_vec()).await;
            let refused = ground.registry.stat_blob(&name("a/b"), &digest).await;
            assert!(matches!(refused, Err(RegistryError::BlobUnknown { .. })), "{text:?}: {refused:?}");
            let refused = ground.registry.delete_blob(&name("a/b"), &digest).await;
            assert!(matches!(refused, Err(RegistryError::BlobUnknown { .. })), "{text:?}: {refused:?}");
        }
        ground.put_blob(&name("a/b"), b"content").await;
        assert_eq!(ground.registry.stat_blob(&name("a/b"), &digest).await.unwrap(), 7);
    }

    async fn a_link_may_name_the_content_by_another_digest(ground: &Ground) {
        // Distribution keeps a blob that was pushed by sha512 under its sha256, with a link from the sha512.
        let stored = ground.put_blob(&name("a/b"), b"content").await;
        let sha512 = Digest::of(Algorithm::Sha512, b"content");
        ground.write(&layout::layer_link(&name("a/b"), &sha512), stored.to_string()).await;
        assert_eq!(ground.registry.stat_blob(&name("a/b"), &sha512).await.unwrap(), 7);
        assert_eq!(ground.content(&name("a/b"), &sha512).await.unwrap(), b"content");
        assert!(ground.registry.mount_blob(&name("a/c"), &[name("a/b")], &sha512).await.unwrap());
        assert_eq!(ground.content(&name("a/c"), &sha512).await.unwrap(), b"content");
    }

    async fn a_deleted_blob_is_gone_at_once_from_its_repository_only(ground: &Ground) {
        let digest = ground.put_blob(&name("a/b"), b"content").await;
        ground.put_blob(&name("a/c"), b"content").await;
        ground.registry.delete_blob(&name("a/b"), &digest).await.unwrap();
        for registry in [ground.registry.clone(), ground.replica()] {
            for refused in [
                registry.stat_blob(&name("a/b"), &digest).await.err(),
                registry.open_blob(&name("a/b"), &digest, None).await.err(),
                registry.delete_blob(&name("a/b"), &digest).await.err(),
            ] {
                assert!(matches!(refused, Some(RegistryError::BlobUnknown { .. })), "{refused:?}");
            }
        }
        assert_eq!(ground.registry.stat_blob(&name("a/c"), &digest).await.unwrap(), 7);
    }

    async fn one_request_uploads_a_blob(ground: &Ground) {
        let digest = Digest::of(Algorithm::Sha512, b"content");
        let put = ground.registry.put_blob(&name("a/b"), &digest, Some(7), whole(b"content")).await;
        assert_eq!(put.unwrap(), 7);
        assert_eq!(ground.content(&name("a/b"), &digest).await.unwrap(), b"content");
        let short = ground.registry.put_blob(&name("a/b"), &digest, Some(8), whole(b"content")).await;
        assert!(matches!(short, Err(RegistryError::SizeInvalid { expected: 8, received: 7 })), "{short:?}");
        assert!(ground.storage.list_staged(None, 10).await.unwrap().is_empty());
    }
}
