use shared::oci::{Algorithm, Digest};
use shared::secret::Secret;

use super::super::hash_state::{HashState, Hasher, SEALED_LIMIT};
use super::super::testing::{Ground, OWNER, chunk, name, noise, on_each_storage, options, whole};
use super::super::{Chunk, layout};

const MIB: usize = 1 << 20;

on_each_storage! {
    async fn another_replica_goes_on_from_a_state_older_than_the_content(ground: &Ground) {
        let repository = name("a/b");
        let content = noise(4 * MIB, 13);
        let id = ground.start(&repository).await;
        ground.registry.append_upload(&repository, OWNER, &id, chunk(&content[..2 * MIB])).await.unwrap();
        // What a process writes that is killed before it stores the state.
        let mut writer = ground.storage.open_staged(&id.staged(&repository, OWNER)).await.unwrap();
        writer.append(content[2 * MIB..3 * MIB].to_vec(), |_| ()).await.unwrap();
        drop(writer);
        let replica = ground.replica();
        let status = replica.upload_status(&repository, OWNER, &id).await.unwrap();
        assert_eq!(status, 3 * MIB as u64);
        let digest = Digest::of(Algorithm::Sha256, &content);
        let rest = Chunk {
            room: None,
            offset: Some(status),
            length: None,
            body: whole(&content[3 * MIB..]),
        };
        replica.finish_upload(&repository, OWNER, &id, rest, &digest).await.unwrap();
        assert_eq!(ground.content(&repository, &digest).await.unwrap(), content);
    }

    async fn a_hash_state_that_is_not_ours_is_refused(ground: &Ground) {
        let repository = name("a/b");
        let content = noise(2 * MIB, 15);
        let digest = Digest::of(Algorithm::Sha256, &content);
        let secret = options().upload_secret;
        let other_secret = Secret::new(b"guessed".to_vec());
        // Believed, each of these would make the digest come out wrong.
        let wrong = HashState {
            offset: 2 * MIB as u64,
            hasher: Hasher::new(Algorithm::Sha256),
        };
        for forgery in 0..4 {
            let id = ground.start(&repository).await;
            let staged = id.staged(&repository, OWNER);
            ground.registry.append_upload(&repository, OWNER, &id, chunk(&content)).await.unwrap();
            let key = layout::hash_state(&staged);
            let (ours, _) = ground.storage.read(&key, SEALED_LIMIT).await.unwrap();
            assert!(HashState::open(&ours, &secret, &staged).is_some());
            let forged = match forgery {
                0 => wrong.seal(&other_secret, &staged),
                1 => wrong.seal(&secret, &ground.start(&repository).await.staged(&repository, OWNER)),
                2 => ours.slice(..ours.len() - 1),
                _ => {
                    let mut altered = ours.to_vec();
                    altered[20] ^= 1;
                    altered.into()
                }
            };
            ground.write(&key, forged).await;
            ground.replica().finish_upload(&repository, OWNER, &id, chunk(b""), &digest).await.unwrap();
        }
    }

    async fn a_state_that_says_more_than_is_stored_is_refused(ground: &Ground) {
        let repository = name("a/b");
        let content = noise(2 * MIB, 17);
        let id = ground.start(&repository).await;
        let staged = id.staged(&repository, OWNER);
        ground.registry.append_upload(&repository, OWNER, &id, chunk(&content)).await.unwrap();
        let ahead = HashState {
            offset: 3 * MIB as u64,
            hasher: Hasher::new(Algorithm::Sha256),
        };
        ground.write(&layout::hash_state(&staged), ahead.seal(&options().upload_secret, &staged)).await;
        let digest = Digest::of(Algorithm::Sha256, &content);
        ground.replica().finish_upload(&repository, OWNER, &id, chunk(b""), &digest).await.unwrap();
    }
}

#[tokio::test]
async fn a_commit_never_reads_the_blob_again() {
    let ground = Ground::filesystem();
    let repository = name("a/b");
    let content = noise(2 * MIB, 21);
    let id = ground.start(&repository).await;
    ground
        .registry
        .append_upload(&repository, OWNER, &id, chunk(&content))
        .await
        .unwrap();
    let staging = ground.folder.as_ref().unwrap().path().join("portolan/staging");
    let staged = staging.join(id.staged(&repository, OWNER).as_str());
    // Were the bytes read again, the digest would come out wrong.
    let zeroes = vec![0; 2 * MIB];
    std::fs::write(staged, zeroes).unwrap();
    let digest = Digest::of(Algorithm::Sha256, &content);
    ground
        .replica()
        .finish_upload(&repository, OWNER, &id, chunk(b""), &digest)
        .await
        .unwrap();
}
