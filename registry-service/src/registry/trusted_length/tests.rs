use bytes::Bytes;
use shared::oci::{Algorithm, Digest, RepositoryName};

use super::super::testing::{Ground, OWNER, chunk, name, noise, on_each_storage, whole};
use super::super::{Chunk, RegistryError, UploadId, layout};

const MIB: usize = 1 << 20;
/// Where the second request of a session begins, in the middle of a block: sessions whose content is synced before their
/// state is stored, and shorter ones.
const BEGINNINGS: [usize; 3] = [1_000, MIB - 1, MIB + 100];

/// A session of two requests, which hold so much.
async fn session(ground: &Ground, repository: &RepositoryName, content: &[u8], first: usize) -> UploadId {
    let id = ground.start(repository).await;
    for part in [&content[..first], &content[first..]] {
        ground
            .registry
            .append_upload(repository, OWNER, &id, chunk(part))
            .await
            .unwrap();
    }
    id
}

/// What the disk holds after a power cut, or a request that a crash ended had written.
async fn leave(ground: &Ground, repository: &RepositoryName, id: &UploadId, length: usize, more: Vec<u8>) {
    let staged = id.staged(repository, OWNER);
    let mut writer = ground.storage.open_staged(&staged).await.unwrap();
    writer.cut(length as u64).await.unwrap();
    writer.append(more, |_| ()).await.unwrap();
}

on_each_storage! {
    async fn what_a_power_cut_took_from_the_block_of_a_requests_beginning_is_sent_again(ground: &Ground) {
        let repository = name("a/b");
        for first in BEGINNINGS {
            let content = noise(first + 70_000, first as u64);
            let end = first + 500;
            let digest = Digest::of(Algorithm::Sha256, &content);
            let id = session(ground, &repository, &content[..end], first).await;
            leave(ground, &repository, &id, end, vec![0; 4_096 - end % 4_096]).await;
            let replica = ground.replica();
            assert_eq!(replica.upload_status(&repository, OWNER, &id).await.unwrap(), end as u64);
            let rest = Chunk { room: None, offset: Some(end as u64), length: None, body: whole(&content[end..]) };
            replica.finish_upload(&repository, OWNER, &id, rest, &digest).await.unwrap();
            assert_eq!(ground.content(&repository, &digest).await.unwrap(), content);
            assert!(!ground.exists(&layout::hash_state(&id.staged(&repository, OWNER))).await);
        }
    }

    async fn what_a_killed_process_wrote_is_kept(ground: &Ground) {
        let repository = name("a/b");
        for first in BEGINNINGS {
            let content = noise(first + 70_000, first as u64);
            let (end, further) = (first + 500, first + 60_000);
            let digest = Digest::of(Algorithm::Sha256, &content);
            let id = session(ground, &repository, &content[..end], first).await;
            leave(ground, &repository, &id, end, content[end..further].to_vec()).await;
            let replica = ground.replica();
            let stored = replica.upload_status(&repository, OWNER, &id).await.unwrap();
            assert_eq!(stored, further as u64);
            replica.finish_upload(&repository, OWNER, &id, chunk(&content[further..]), &digest).await.unwrap();
        }
    }

    async fn zeros_that_were_acknowledged_are_kept(ground: &Ground) {
        let repository = name("a/b");
        for first in BEGINNINGS {
            let mut content = noise(first, first as u64);
            content.resize(first + 100_000, 0);
            let digest = Digest::of(Algorithm::Sha256, &content);
            let id = session(ground, &repository, &content, first).await;
            let replica = ground.replica();
            let stored = replica.upload_status(&repository, OWNER, &id).await.unwrap();
            assert_eq!(stored, content.len() as u64);
            replica.finish_upload(&repository, OWNER, &id, chunk(b""), &digest).await.unwrap();
        }
    }

    async fn a_session_that_lost_what_was_acknowledged_is_gone(ground: &Ground) {
        let repository = name("a/b");
        for first in BEGINNINGS {
            let content = noise(first + 70_000, first as u64);
            let end = first + 500;
            let digest = Digest::of(Algorithm::Sha256, &content);
            for loss in ["the end", "a middle", "the state"] {
                if loss == "a middle" && end >= MIB {
                    // It was synced before the state was stored.
                    continue;
                }
                let id = session(ground, &repository, &content[..end], first).await;
                match loss {
                    "the end" => leave(ground, &repository, &id, first - 1, vec![]).await,
                    "a middle" => leave(ground, &repository, &id, first, vec![0; 500]).await,
                    _ => ground.write(&layout::hash_state(&id.staged(&repository, OWNER)), Bytes::new()).await,
                }
                let replica = ground.replica();
                // A client that does not ask is told as well.
                let gone = replica.finish_upload(&repository, OWNER, &id, chunk(&content[end..]), &digest).await;
                assert!(matches!(gone, Err(RegistryError::BlobUploadUnknown)), "{first}, {loss}: {gone:?}");
                let gone = replica.upload_status(&repository, OWNER, &id).await;
                assert!(matches!(gone, Err(RegistryError::BlobUploadUnknown)), "{first}, {loss}: {gone:?}");
                assert!(ground.storage.list_staged(None, 10).await.unwrap().is_empty());
            }
        }
    }

    async fn a_short_session_of_one_request_stores_no_state(ground: &Ground) {
        let repository = name("a/b");
        let content = noise(5_000, 1);
        let digest = Digest::of(Algorithm::Sha256, &content);
        let id = ground.start(&repository).await;
        ground.registry.append_upload(&repository, OWNER, &id, chunk(&content)).await.unwrap();
        let state = layout::hash_state(&id.staged(&repository, OWNER));
        assert!(!ground.exists(&state).await);
        ground.registry.finish_upload(&repository, OWNER, &id, chunk(b""), &digest).await.unwrap();
        assert!(!ground.exists(&state).await);
    }
}
