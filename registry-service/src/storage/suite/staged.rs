//! Staged objects: one writer, pieces, promotion.

use futures_util::future;

use super::{content, id, key, open_staged, pattern, promote, staged, write};
use crate::storage::{PIECE_LENGTH, Step, Storage, StorageError};

rules! {
    async fn a_staged_object_is_under_no_key_until_it_is_promoted(storage: &Storage) {
        staged(storage, "s-1", b"hello").await;
        assert_error!(storage.stat(&key("s-1")).await, NotFound);
        assert_eq!(storage.staged(&id("s-1")).await.unwrap().size, 5);
        let step = promote(storage, "s-1", "a/b/c").await;
        storage.commit(vec![], vec![step, write("link", "x")]).await.unwrap();
        assert_eq!(content(storage, "a/b/c").await.unwrap(), "hello");
        assert_error!(storage.staged(&id("s-1")).await, NotFound);
        assert_error!(storage.open_staged(&id("s-1")).await, NotFound);
        staged(storage, "s-1", b"healed").await;
        let step = promote(storage, "s-1", "a/b/c").await;
        storage.commit(vec![], vec![step]).await.unwrap();
        assert_eq!(content(storage, "a/b/c").await.unwrap(), "healed");
        storage.stage(&id("empty")).await.unwrap();
        let step = promote(storage, "empty", "a/empty").await;
        storage.commit(vec![], vec![step]).await.unwrap();
        assert_eq!(storage.stat(&key("a/empty")).await.unwrap().size, 0);
    }

    async fn many_who_promote_equal_content_to_one_key_all_succeed(storage: &Storage) {
        for n in 0..20 {
            staged(storage, &format!("s-{n}"), &pattern(100_000)).await;
        }
        let promoted = future::join_all((0..20).map(async |n| {
            let step = promote(storage, &format!("s-{n}"), "blobs/ab/data").await;
            storage.commit(vec![], vec![step, write(&format!("links/{n}"), "x")]).await
        }));
        for result in promoted.await {
            result.unwrap();
        }
        assert_eq!(content(storage, "blobs/ab/data").await.unwrap(), pattern(100_000));
        assert_eq!(storage.list_staged(None, 100).await.unwrap(), []);
    }

    async fn a_staged_object_has_one_writer_at_a_time(storage: &Storage) {
        storage.stage(&id("s")).await.unwrap();
        assert_error!(storage.stage(&id("s")).await, Conflict);
        let writer = open_staged(storage, &id("s")).await;
        assert_error!(storage.open_staged(&id("s")).await, Locked);
        assert_error!(storage.discard(&id("s")).await, Locked);
        assert!(storage.staged(&id("s")).await.is_ok());
        drop(writer);
        let writer = open_staged(storage, &id("s")).await;
        writer.discard().await.unwrap();
        assert_error!(storage.staged(&id("s")).await, NotFound);
        assert_error!(storage.open_staged(&id("s")).await, NotFound);
        storage.discard(&id("s")).await.unwrap();
        storage.stage(&id("s")).await.unwrap();
        storage.discard(&id("s")).await.unwrap();
        assert_error!(storage.staged(&id("s")).await, NotFound);
    }

    async fn pieces_are_appended_in_order_and_found_by_the_next_writer(storage: &Storage) {
        storage.stage(&id("s")).await.unwrap();
        let whole = pattern(3 * PIECE_LENGTH + 17);
        let (first, second) = whole.split_at(PIECE_LENGTH + 5);
        let mut writer = open_staged(storage, &id("s")).await;
        assert_eq!(writer.size(), 0);
        let mut buffer = Vec::with_capacity(PIECE_LENGTH);
        for piece in first.chunks(100_000) {
            buffer.extend_from_slice(piece);
            let (returned, seen) = writer.append(buffer, <[u8]>::to_vec).await.unwrap();
            assert_eq!(seen, piece);
            buffer = returned;
            assert_eq!(buffer, piece, "the piece is given back");
            buffer.clear();
        }
        writer.sync().await.unwrap();
        writer.sync().await.unwrap();
        drop(writer);
        let mut writer = open_staged(storage, &id("s")).await;
        assert_eq!(writer.size(), first.len() as u64);
        writer.append(second.to_vec(), |_| ()).await.unwrap();
        for from in [0, 7, first.len(), whole.len()] {
            let read = writer.read_back(from as u64..writer.size(), Vec::new(), |all: &mut Vec<u8>, piece| {
                assert!(piece.len() <= PIECE_LENGTH);
                all.extend_from_slice(piece);
            });
            assert_eq!(read.await.unwrap(), whole[from..]);
        }
        storage.commit(vec![], vec![Step::Promote { staged: writer, key: key("blob") }]).await.unwrap();
        assert_eq!(content(storage, "blob").await.unwrap(), whole);
    }

    async fn staged_objects_are_listed_by_name_page_by_page(storage: &Storage) {
        for name in ["b", "a-1", "a", "c"] {
            staged(storage, name, name.as_bytes()).await;
        }
        let listed = storage.list_staged(None, 2).await.unwrap();
        assert_eq!(listed.iter().map(|(id, stat)| (id.as_str(), stat.size)).collect::<Vec<_>>(), [("a", 1), ("a-1", 3)]);
        let listed = storage.list_staged(Some("a-1"), 9).await.unwrap();
        assert_eq!(listed.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>(), ["b", "c"]);
        assert!(listed[0].1.modified_ms > 1_600_000_000_000);
    }
}
