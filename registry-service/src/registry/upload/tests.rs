use std::collections::BTreeMap;
use std::path::Path;

use bytes::Bytes;
use futures_util::{FutureExt as _, StreamExt as _, future, stream};
use shared::oci::{Algorithm, Digest};

use super::super::testing::{Ground, OWNER, chunk, image, name, noise, on_each_storage, options, tag, whole};
use super::super::{Chunk, Options, RegistryError, TagCondition, layout};
use crate::storage::Key;

const MIB: usize = 1 << 20;

type Body = stream::BoxStream<'static, Result<Bytes, std::io::Error>>;

fn broken_after(content: &[u8]) -> Chunk<Body> {
    let broken = stream::iter([Err(std::io::Error::other("the connection is gone"))]);
    Chunk {
        room: None,
        offset: None,
        length: None,
        body: whole(content).chain(broken).boxed(),
    }
}

fn endless_after(content: &[u8]) -> Chunk<Body> {
    Chunk {
        room: None,
        offset: None,
        length: None,
        body: whole(content).chain(stream::pending()).boxed(),
    }
}

/// All files below a folder except our own area, with their contents.
fn tree(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let below = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            if path.is_dir() && below != "portolan" {
                folders.push(path);
            } else if path.is_file() {
                files.insert(below, std::fs::read(path).unwrap());
            }
        }
    }
    files
}

#[tokio::test]
async fn the_tree_is_that_of_distribution_byte_for_byte() {
    let ground = Ground::filesystem();
    let repository = name("library/app");
    let config = ground.put_blob(&repository, b"{}").await;
    let id = ground.start(&repository).await;
    ground
        .registry
        .append_upload(&repository, OWNER, &id, chunk(&noise(2 * MIB, 1)))
        .await
        .unwrap();
    let layer = Digest::of(Algorithm::Sha256, &noise(2 * MIB, 1));
    ground
        .registry
        .finish_upload(&repository, OWNER, &id, chunk(b""), &layer)
        .await
        .unwrap();
    let body = image(&config, &layer, "");
    let first = ground.put(&repository, &body, &["latest"]).await.unwrap();
    let moved_body = image(&config, &layer, r#","annotations":{}"#);
    let second = ground
        .put(&repository, &moved_body, &["latest", "v2"])
        .await
        .unwrap();

    let v2 = "docker/registry/v2";
    let mut expected = BTreeMap::new();
    for (digest, content) in [
        (&config, b"{}".to_vec()),
        (&layer, noise(2 * MIB, 1)),
        (&first, body.into_bytes()),
        (&second, moved_body.into_bytes()),
    ] {
        let hex = digest.hex();
        expected.insert(format!("{v2}/blobs/sha256/{}/{hex}/data", &hex[..2]), content);
    }
    let below = format!("{v2}/repositories/library/app");
    let mut link = |path: String, digest: &Digest| {
        expected.insert(format!("{below}/{path}/link"), digest.to_string().into_bytes());
    };
    link(format!("_layers/sha256/{}", config.hex()), &config);
    link(format!("_layers/sha256/{}", layer.hex()), &layer);
    link(format!("_manifests/revisions/sha256/{}", first.hex()), &first);
    link(format!("_manifests/revisions/sha256/{}", second.hex()), &second);
    link(
        format!("_manifests/tags/latest/index/sha256/{}", first.hex()),
        &first,
    );
    link(
        format!("_manifests/tags/latest/index/sha256/{}", second.hex()),
        &second,
    );
    link("_manifests/tags/latest/current".to_owned(), &second);
    link(
        format!("_manifests/tags/v2/index/sha256/{}", second.hex()),
        &second,
    );
    link("_manifests/tags/v2/current".to_owned(), &second);
    let root = ground.folder.as_ref().unwrap().path();
    let found = tree(root);
    assert_eq!(
        found.keys().collect::<Vec<_>>(),
        expected.keys().collect::<Vec<_>>()
    );
    assert_eq!(found, expected);
    // Nothing of the finished session is left beside the tree.
    assert_eq!(
        std::fs::read_dir(root.join("portolan/staging")).unwrap().count(),
        0
    );
    assert_eq!(
        std::fs::read_dir(root.join("portolan/uploads")).unwrap().count(),
        0
    );
}

on_each_storage! {
    async fn a_blob_arrives_in_chunks_and_is_read_back(ground: &Ground) {
        let repository = name("a/b");
        let content = noise(3 * MIB + 17, 3);
        let id = ground.start(&repository).await;
        let mut offset = 0;
        for part in content.chunks(700_001) {
            assert_eq!(ground.registry.upload_status(&repository, OWNER, &id).await.unwrap(), offset);
            let part = Chunk {
                room: None,
                offset: Some(offset),
                length: Some(part.len() as u64),
                body: whole(part),
            };
            offset = ground.registry.append_upload(&repository, OWNER, &id, part).await.unwrap();
        }
        let digest = Digest::of(Algorithm::Sha256, &content);
        assert!(matches!(
            ground.registry.stat_blob(&repository, &digest).await,
            Err(RegistryError::BlobUnknown { .. })
        ));
        let size = ground.registry.finish_upload(&repository, OWNER, &id, chunk(b""), &digest).await.unwrap();
        assert_eq!(size, content.len() as u64);
        assert_eq!(ground.registry.stat_blob(&repository, &digest).await.unwrap(), size);
        assert_eq!(ground.content(&repository, &digest).await.unwrap(), content);
        assert!(matches!(
            ground.registry.upload_status(&repository, OWNER, &id).await,
            Err(RegistryError::BlobUploadUnknown)
        ));
    }

    async fn content_with_another_digest_leaves_nothing_behind(ground: &Ground) {
        let repository = name("a/b");
        let said = Digest::of(Algorithm::Sha256, b"something else");
        let id = ground.start(&repository).await;
        ground.registry.append_upload(&repository, OWNER, &id, chunk(&noise(2 * MIB, 1))).await.unwrap();
        let staged = id.staged(&repository, OWNER);
        assert!(ground.exists(&layout::hash_state(&staged)).await);
        let refused = ground.registry.finish_upload(&repository, OWNER, &id, chunk(b"!"), &said).await;
        assert!(matches!(refused, Err(RegistryError::DigestInvalid { .. })), "{refused:?}");
        let refused = ground.registry.put_blob(&repository, &said, None, whole(b"x")).await;
        assert!(matches!(refused, Err(RegistryError::DigestInvalid { .. })), "{refused:?}");
        assert!(ground.storage.list_staged(None, 10).await.unwrap().is_empty());
        assert!(!ground.exists(&layout::hash_state(&staged)).await);
        assert!(!ground.exists(&layout::content(&said)).await);
        assert!(!ground.exists(&layout::layer_link(&repository, &said)).await);
    }

    async fn a_chunk_out_of_order_is_refused_and_the_session_goes_on(ground: &Ground) {
        let repository = name("a/b");
        let id = ground.start(&repository).await;
        ground.registry.append_upload(&repository, OWNER, &id, chunk(b"0123")).await.unwrap();
        for offset in [0, 3, 5, u64::MAX] {
            let misplaced = || Chunk {
                room: None,
                offset: Some(offset),
                length: Some(2),
                body: whole(b"xx"),
            };
            let refused = ground.registry.append_upload(&repository, OWNER, &id, misplaced()).await;
            assert!(matches!(refused, Err(RegistryError::RangeInvalid { offset: 4 })), "{refused:?}");
            let digest = Digest::of(Algorithm::Sha256, b"0123");
            let refused = ground.registry.finish_upload(&repository, OWNER, &id, misplaced(), &digest).await;
            assert!(matches!(refused, Err(RegistryError::RangeInvalid { offset: 4 })), "{refused:?}");
        }
        assert_eq!(ground.registry.upload_status(&repository, OWNER, &id).await.unwrap(), 4);
        let last = Chunk {
            room: None,
            offset: Some(4),
            length: Some(1),
            body: whole(b"4"),
        };
        let digest = Digest::of(Algorithm::Sha256, b"01234");
        assert_eq!(ground.registry.finish_upload(&repository, OWNER, &id, last, &digest).await.unwrap(), 5);
    }

    async fn a_chunk_that_is_not_as_long_as_it_says_is_refused(ground: &Ground) {
        let repository = name("a/b");
        for (said, content) in [(1, b"xy".as_slice()), (3, b"xy"), (0, b"x")] {
            let id = ground.start(&repository).await;
            let wrong = Chunk {
                room: None,
                offset: None,
                length: Some(said),
                body: whole(content),
            };
            let refused = ground.registry.append_upload(&repository, OWNER, &id, wrong).await;
            assert!(
                matches!(refused, Err(RegistryError::SizeInvalid { expected, .. }) if expected == said),
                "{refused:?}"
            );
        }
    }

    async fn a_blob_over_the_limit_is_refused_while_it_arrives(ground: &Ground) {
        let repository = name("a/b");
        let limited = ground.replica_with(Options {
            max_blob_size: 10,
            ..options()
        });
        let id = limited.start_upload(&repository, OWNER, Algorithm::Sha256).await.unwrap();
        limited.append_upload(&repository, OWNER, &id, chunk(b"12345")).await.unwrap();
        for length in [None, Some(6)] {
            let long = Chunk {
                room: None,
                offset: None,
                length,
                body: whole(b"123456"),
            };
            let refused = limited.append_upload(&repository, OWNER, &id, long).await;
            assert!(matches!(refused, Err(RegistryError::BlobTooLarge { limit: 10 })), "{refused:?}");
        }
        let digest = Digest::of(Algorithm::Sha256, b"1234512345");
        assert_eq!(limited.finish_upload(&repository, OWNER, &id, chunk(b"12345"), &digest).await.unwrap(), 10);
    }

    async fn a_session_is_found_only_by_its_owner_in_its_repository(ground: &Ground) {
        let repository = name("a/b");
        let id = ground.start(&repository).await;
        ground.registry.append_upload(&repository, OWNER, &id, chunk(b"mine")).await.unwrap();
        let digest = Digest::of(Algorithm::Sha256, b"mine");
        for (repository, owner) in [(name("a/c"), OWNER), (name("a/b"), "mallory"), (name("a/b"), "")] {
            let registry = &ground.registry;
            let status = registry.upload_status(&repository, owner, &id).await.err();
            let append = registry.append_upload(&repository, owner, &id, chunk(b"!")).await.err();
            let finish = registry.finish_upload(&repository, owner, &id, chunk(b""), &digest).await.err();
            let cancel = registry.cancel_upload(&repository, owner, &id).await.err();
            for refused in [status, append, finish, cancel] {
                assert!(matches!(refused, Some(RegistryError::BlobUploadUnknown)), "{refused:?}");
            }
        }
        ground.registry.finish_upload(&repository, OWNER, &id, chunk(b""), &digest).await.unwrap();
    }

    async fn a_body_that_breaks_off_keeps_what_came(ground: &Ground) {
        let repository = name("a/b");
        let content = noise(3 * MIB, 7);
        let id = ground.start(&repository).await;
        let (came, rest) = content.split_at(2 * MIB + 5);
        let broken = ground.registry.append_upload(&repository, OWNER, &id, broken_after(came)).await;
        assert!(matches!(broken, Err(RegistryError::BodyInterrupted(_))), "{broken:?}");
        let stored = ground.registry.upload_status(&repository, OWNER, &id).await.unwrap();
        assert_eq!(stored, came.len() as u64);
        assert!(ground.exists(&layout::hash_state(&id.staged(&repository, OWNER))).await);
        let digest = Digest::of(Algorithm::Sha256, &content);
        ground.replica().finish_upload(&repository, OWNER, &id, chunk(rest), &digest).await.unwrap();
    }

    async fn a_request_that_is_dropped_keeps_what_it_wrote_and_frees_the_session(ground: &Ground) {
        let repository = name("a/b");
        let content = noise(MIB, 9);
        let id = ground.start(&repository).await;
        {
            let request = ground.registry.append_upload(&repository, OWNER, &id, endless_after(&content));
            let mut request = std::pin::pin!(request);
            loop {
                assert!(request.as_mut().now_or_never().is_none());
                let stored = ground.registry.upload_status(&repository, OWNER, &id).await.unwrap();
                if stored == MIB as u64 {
                    break;
                }
                tokio::task::yield_now().await;
            }
            let busy = ground.registry.append_upload(&repository, OWNER, &id, chunk(b"!")).await;
            assert!(matches!(busy, Err(RegistryError::BlobUploadInvalid)), "{busy:?}");
        }
        let digest = Digest::of(Algorithm::Sha256, &content);
        ground.registry.finish_upload(&repository, OWNER, &id, chunk(b""), &digest).await.unwrap();
    }

    async fn equal_uploads_at_once_all_succeed(ground: &Ground) {
        let content = noise(MIB, 11);
        let digest = Digest::of(Algorithm::Sha256, &content);
        let uploads = (0..16).map(|at| {
            let (content, digest) = (&content, &digest);
            let repository = name(&format!("a/r{}", at % 3));
            async move {
                let id = ground.start(&repository).await;
                ground.registry.append_upload(&repository, OWNER, &id, chunk(content)).await?;
                ground.registry.finish_upload(&repository, OWNER, &id, chunk(b""), digest).await?;
                assert_eq!(ground.content(&repository, digest).await?, *content);
                Ok::<_, RegistryError>(())
            }
        });
        for result in future::join_all(uploads).await {
            result.unwrap();
        }
        assert!(ground.storage.list_staged(None, 10).await.unwrap().is_empty());
    }

    async fn sha512_is_a_digest_like_any_other(ground: &Ground) {
        let repository = name("a/b");
        let content = noise(2 * MIB, 19);
        // The algorithm as said at the start, or only by the digest at the end.
        for (at_start, at_end) in [
            (Algorithm::Sha512, Algorithm::Sha512),
            (Algorithm::Sha256, Algorithm::Sha512),
            (Algorithm::Sha512, Algorithm::Sha256),
        ] {
            let digest = Digest::of(at_end, &content);
            let id = ground.registry.start_upload(&repository, OWNER, at_start).await.unwrap();
            ground.registry.append_upload(&repository, OWNER, &id, chunk(&content[..=MIB])).await.unwrap();
            let rest = chunk(&content[MIB + 1..]);
            ground.replica().finish_upload(&repository, OWNER, &id, rest, &digest).await.unwrap();
            assert_eq!(ground.content(&repository, &digest).await.unwrap(), content);
            let (link, _) = ground.storage.read(&layout::layer_link(&repository, &digest), 200).await.unwrap();
            assert_eq!(link, digest.to_string());
            assert!(ground.exists(&layout::content(&digest)).await);
            ground.registry.delete_blob(&repository, &digest).await.unwrap();
        }
    }

    async fn an_empty_blob_is_a_blob(ground: &Ground) {
        let repository = name("a/b");
        let digest = Digest::of(Algorithm::Sha256, b"");
        let id = ground.start(&repository).await;
        assert_eq!(ground.registry.finish_upload(&repository, OWNER, &id, chunk(b""), &digest).await.unwrap(), 0);
        assert_eq!(ground.registry.stat_blob(&repository, &digest).await.unwrap(), 0);
        assert!(ground.content(&repository, &digest).await.unwrap().is_empty());
    }

    async fn a_last_request_that_is_repeated_succeeds_again(ground: &Ground) {
        let repository = name("a/b");
        let digest = Digest::of(Algorithm::Sha256, b"content");
        let id = ground.start(&repository).await;
        let registry = &ground.registry;
        registry.finish_upload(&repository, OWNER, &id, chunk(b"content"), &digest).await.unwrap();
        let empty = || Chunk {
            room: None,
            offset: None,
            length: None,
            body: stream::empty::<Result<Bytes, std::io::Error>>(),
        };
        assert_eq!(registry.finish_upload(&repository, OWNER, &id, empty(), &digest).await.unwrap(), 7);
        let elsewhere = registry.finish_upload(&name("a/c"), OWNER, &id, empty(), &digest).await;
        assert!(matches!(elsewhere, Err(RegistryError::BlobUploadUnknown)), "{elsewhere:?}");
        let with_body = registry.finish_upload(&repository, OWNER, &id, chunk(b"content"), &digest).await;
        assert!(matches!(with_body, Err(RegistryError::BlobUploadUnknown)), "{with_body:?}");
    }

    async fn a_commit_that_fails_leaves_a_session_that_can_go_on(ground: &Ground) {
        let repository = name("a/b");
        let content = noise(2 * MIB, 23);
        let digest = Digest::of(Algorithm::Sha256, &content);
        let id = ground.start(&repository).await;
        ground.registry.append_upload(&repository, OWNER, &id, chunk(&content)).await.unwrap();
        // Something stands where the folder of links must be, then where the folder of content must be.
        let link = layout::repositories("a/b").join("_layers").unwrap();
        let hex = digest.hex();
        let data: Key = format!("docker/registry/v2/blobs/sha256/{}", &hex[..2]).parse().unwrap();
        for obstacle in [link, data] {
            ground.write(&obstacle, "in the way").await;
            let failed = ground.registry.finish_upload(&repository, OWNER, &id, chunk(b""), &digest).await;
            assert!(matches!(failed, Err(RegistryError::Storage(_))), "{failed:?}");
            let unknown = ground.registry.stat_blob(&repository, &digest).await;
            assert!(unknown.is_err(), "{unknown:?}");
            ground.remove(&obstacle).await;
        }
        ground.replica().finish_upload(&repository, OWNER, &id, chunk(b""), &digest).await.unwrap();
        assert_eq!(ground.content(&repository, &digest).await.unwrap(), content);
    }

    async fn a_cancelled_session_is_gone(ground: &Ground) {
        let repository = name("a/b");
        let id = ground.start(&repository).await;
        ground.registry.append_upload(&repository, OWNER, &id, chunk(&noise(2 * MIB, 1))).await.unwrap();
        ground.registry.cancel_upload(&repository, OWNER, &id).await.unwrap();
        for result in [
            ground.registry.upload_status(&repository, OWNER, &id).await,
            ground.registry.append_upload(&repository, OWNER, &id, chunk(b"x")).await,
            ground.registry.cancel_upload(&repository, OWNER, &id).await.map(|()| 0),
        ] {
            assert!(matches!(result, Err(RegistryError::BlobUploadUnknown)), "{result:?}");
        }
        assert!(!ground.exists(&layout::hash_state(&id.staged(&repository, OWNER))).await);
    }

    async fn abandoned_sessions_are_purged_and_young_ones_stay(ground: &Ground) {
        let repository = name("a/b");
        let old = ground.start(&repository).await;
        ground.registry.append_upload(&repository, OWNER, &old, chunk(&noise(2 * MIB, 1))).await.unwrap();
        let orphan = layout::hash_state(&ground.start(&repository).await.staged(&name("a/c"), OWNER));
        ground.write(&orphan, "left by a crash").await;
        let busy = ground.storage.open_staged(&ground.start(&repository).await.staged(&repository, OWNER)).await;
        // On a file system the time of a file is the system's, so ages are counted from there.
        let written = ground.storage.staged(&old.staged(&repository, OWNER)).await.unwrap().modified_ms;
        ground.hands.set(written + 60_000);
        assert_eq!(ground.registry.purge_uploads(120_000).await.unwrap(), 0);
        assert_eq!(ground.registry.upload_status(&repository, OWNER, &old).await.unwrap(), 2 * MIB as u64);
        ground.hands.set(written + 1_000_000);
        assert_eq!(ground.registry.purge_uploads(120_000).await.unwrap(), 2);
        let gone = ground.registry.upload_status(&repository, OWNER, &old).await;
        assert!(matches!(gone, Err(RegistryError::BlobUploadUnknown)), "{gone:?}");
        assert!(!ground.exists(&orphan).await);
        assert!(!ground.exists(&layout::hash_state(&old.staged(&repository, OWNER))).await);
        assert_eq!(ground.storage.list_staged(None, 10).await.unwrap().len(), 1, "the one being written");
        drop(busy);
    }
}

#[tokio::test]
async fn operations_can_run_on_any_thread() {
    fn is_send<T: Send>(_: &T) {}
    let ground = Ground::memory();
    let (registry, repository) = (ground.registry.clone(), name("a/b"));
    let digest = Digest::of(Algorithm::Sha256, b"");
    let id = ground.start(&repository).await;
    is_send(&registry.append_upload(&repository, OWNER, &id, chunk(b"")));
    is_send(&registry.finish_upload(&repository, OWNER, &id, chunk(b""), &digest));
    is_send(&registry.put_blob(&repository, &digest, None, whole(b"")));
    is_send(&registry.purge_uploads(0));
    is_send(&registry.mount_blob(&repository, &[], &digest));
    is_send(&registry.delete_manifest(&repository, &digest));
    is_send(&registry.list_referrers(&repository, &digest, None, None, 1));
    is_send(&registry.list_repositories(None, 1));
    is_send(&registry.list_tags(&repository, None, 1));
    is_send(&registry.delete_tag(&repository, &tag("x"), &TagCondition::Any));
}
