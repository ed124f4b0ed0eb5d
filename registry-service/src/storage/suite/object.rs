//! Objects: reading, lists, stamps, streams.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, future};

use super::{content, key, names, pattern, promote, put, remove, staged, version, write};
use crate::storage::{EntryKind, PIECE_LENGTH, Storage, StorageError};

rules! {
    async fn what_is_absent_is_not_found_and_so_is_a_prefix(storage: &Storage) {
        put(storage, "a/b/c", "x").await;
        for absent in ["a", "a/b", "a/b/d", "a/b/c/d", "z", "z/y"] {
            assert_error!(storage.stat(&key(absent)).await, NotFound);
            assert_error!(storage.read(&key(absent), 10).await, NotFound);
            assert_error!(storage.open(&key(absent), None).await, NotFound);
        }
        assert!(storage.stat(&key("a/b/c")).await.is_ok());
    }

    async fn a_written_object_reads_back_and_is_replaced_whole(storage: &Storage) {
        put(storage, "a/b", "first content").await;
        let first = storage.stat(&key("a/b")).await.unwrap();
        assert_eq!(first.size, 13);
        assert!(first.modified_ms > 1_600_000_000_000, "milliseconds since the epoch: {}", first.modified_ms);
        let before = version(storage, "a/b").await;
        put(storage, "a/b", "second").await;
        assert_eq!(content(storage, "a/b").await.unwrap(), "second");
        assert_ne!(version(storage, "a/b").await, before);
        put(storage, "a/b", "first content").await;
        assert_eq!(version(storage, "a/b").await, before);
        put(storage, "empty", "").await;
        assert_eq!(content(storage, "empty").await.unwrap(), "");
    }

    async fn a_read_beyond_its_limit_is_refused(storage: &Storage) {
        put(storage, "a", "12345").await;
        assert_eq!(storage.read(&key("a"), 5).await.unwrap().0, "12345");
        assert_error!(storage.read(&key("a"), 4).await, Corrupt);
    }

    async fn children_are_listed_in_byte_order_page_by_page(storage: &Storage) {
        let children = ["B", "a", "a-b", "a.b", "a_b", "b/deep/er", "b0", "é"];
        for name in children {
            put(storage, &format!("p/q/{name}/x"), "").await;
        }
        put(storage, "p/q/object", "").await;
        put(storage, "p/qq/sibling", "").await;
        let expected = ["B", "a", "a-b", "a.b", "a_b", "b", "b0", "object", "é"];
        assert_eq!(names(storage, "p/q", None, 100).await, expected);
        assert_eq!(names(storage, "p/q", None, 3).await, expected[..3]);
        assert_eq!(names(storage, "p/q", Some("a-b"), 2).await, expected[3..5]);
        assert_eq!(names(storage, "p/q", Some("a-c"), 1).await, expected[3..4]);
        assert_eq!(names(storage, "p/q", Some("é"), 5).await, [""; 0]);
        assert_eq!(names(storage, "p/q", None, 0).await, [""; 0]);
        for absent in ["absent", "p/q/object", "p/q/object/below"] {
            assert_eq!(names(storage, absent, None, 5).await, [""; 0]);
        }
        let kinds = storage.list(&key("p/q"), Some("b0"), 1).await.unwrap();
        assert_eq!(kinds[0].kind, EntryKind::Object);
        let kinds = storage.list(&key("p/q"), None, 1).await.unwrap();
        assert_eq!(kinds[0].kind, EntryKind::Prefix);
    }

    async fn a_long_list_is_paged_without_loss(storage: &Storage) {
        let steps = (0..1_200).map(|n| write(&format!("p/{n:04}"), "")).collect();
        storage.commit(vec![], steps).await.unwrap();
        let mut seen = Vec::new();
        loop {
            let page = names(storage, "p", seen.last().map(String::as_str), 500).await;
            if page.is_empty() { break }
            seen.extend(page);
        }
        assert_eq!(seen, (0..1_200).map(|n| format!("{n:04}")).collect::<Vec<_>>());
    }

    async fn a_prefix_is_empty_while_it_has_no_children(storage: &Storage) {
        assert!(storage.is_empty(&key("p")).await.unwrap());
        put(storage, "p/a/b/c", "1").await;
        put(storage, "p/a/d", "1").await;
        for at in ["p", "p/a", "p/a/b"] {
            assert!(!storage.is_empty(&key(at)).await.unwrap(), "{at}");
        }
        assert!(storage.is_empty(&key("p/a/d")).await.unwrap(), "an object has no children");
        storage.commit(vec![], vec![remove("p/a/b"), remove("p/a/d")]).await.unwrap();
        assert!(storage.is_empty(&key("p/a")).await.unwrap());
    }

    async fn a_stamp_changes_with_the_set_of_children(storage: &Storage) {
        assert_eq!(storage.stamp(&key("p")).await.unwrap(), None);
        put(storage, "p/a", "1").await;
        let mut seen = vec![storage.stamp(&key("p")).await.unwrap().unwrap()];
        assert_eq!(storage.stamp(&key("p/a")).await.unwrap(), None, "an object has no children");
        content(storage, "p/a").await;
        names(storage, "p", None, 9).await;
        assert_eq!(storage.stamp(&key("p")).await.unwrap(), Some(seen[0]));
        assert_eq!(seen[0].to_string().parse(), Ok(seen[0]));
        for step in [write("p/b", "1"), remove("p/a"), write("p/a", "1"), write("p/c/d", "1"), remove("p/c")] {
            // The file system's clock ticks every few milliseconds: what `is_settled` is for.
            let mut now = storage.stamp(&key("p")).await.unwrap().unwrap();
            storage.commit(vec![], vec![step]).await.unwrap();
            for _ in 0..1_000 {
                now = storage.stamp(&key("p")).await.unwrap().unwrap();
                if !seen.contains(&now) { break }
                storage.commit(vec![], vec![write("p/tick", "")]).await.unwrap();
                storage.commit(vec![], vec![remove("p/tick")]).await.unwrap();
            }
            assert!(!seen.contains(&now), "{now} is in {seen:?}");
            seen.push(now);
        }
    }

    async fn removing_takes_an_object_or_a_whole_prefix_and_nothing_else(storage: &Storage) {
        for at in ["p/a", "p/b/1", "p/b/2/3", "p/b-", "p/b0", "p/bb", "q/x"] {
            put(storage, at, "x").await;
        }
        storage.commit(vec![], vec![remove("p/b"), remove("p/a"), remove("absent"), remove("q/x/y")]).await.unwrap();
        assert_eq!(names(storage, "p", None, 9).await, ["b-", "b0", "bb"]);
        assert_eq!(content(storage, "p/b/2/3").await, None);
        assert!(content(storage, "q/x").await.is_some());
        storage.commit(vec![], vec![remove("p/b")]).await.unwrap();
        put(storage, "p/b/1", "again").await;
        assert_eq!(names(storage, "p/b", None, 9).await, ["1"]);
    }

    async fn a_stream_gives_the_range_in_pieces_of_bounded_size(storage: &Storage) {
        let whole = pattern(2 * PIECE_LENGTH + 12_345);
        staged(storage, "s", &whole).await;
        let step = promote(storage, "s", "blob").await;
        storage.commit(vec![], vec![step]).await.unwrap();
        let end = whole.len() as u64;
        let middle = PIECE_LENGTH as u64;
        for range in [0..end, 0..0, 0..1, end - 1..end, end..end, 5..middle + 5, middle - 1..middle + 1, middle..end] {
            let reader = storage.open(&key("blob"), Some(range.clone())).await.unwrap();
            assert_eq!((reader.size(), reader.range()), (end, range.clone()));
            let pieces: Vec<Bytes> = reader.into_stream().try_collect().await.unwrap();
            assert!(pieces.iter().all(|piece| (1..=PIECE_LENGTH).contains(&piece.len())));
            let (from, to) = (usize::try_from(range.start).unwrap(), usize::try_from(range.end).unwrap());
            assert_eq!(pieces.concat(), whole[from..to], "{range:?}");
            let reader = storage.open(&key("blob"), None).await.unwrap().narrow(range.clone());
            let pieces: Vec<Bytes> = reader.into_stream().try_collect().await.unwrap();
            assert_eq!(pieces.concat(), whole[from..to], "{range:?}");
        }
        let pieces = storage.open(&key("blob"), None).await.unwrap().into_stream();
        assert_eq!(pieces.try_collect::<Vec<Bytes>>().await.unwrap().concat(), whole);
    }

    async fn a_stream_past_the_end_ends_in_an_error(storage: &Storage) {
        put(storage, "a", "12345").await;
        for range in [2..9, 5..6, 7..9] {
            let reader = storage.open(&key("a"), Some(range.clone())).await.unwrap();
            let pieces: Vec<_> = reader.into_stream().collect().await;
            let (last, before) = pieces.split_last().unwrap();
            assert!(matches!(last, Err(StorageError::Corrupt { .. })), "{range:?}: {last:?}");
            let read: Vec<Bytes> = before.iter().map(|piece| piece.as_ref().unwrap().clone()).collect();
            let expected = "12345".get(usize::try_from(range.start).unwrap()..).unwrap_or_default();
            assert_eq!(read.concat(), expected.as_bytes());
        }
    }

    async fn an_opened_object_stays_readable_when_replaced_or_removed(storage: &Storage) {
        put(storage, "a", "old").await;
        let (first, second) = (storage.open(&key("a"), None).await.unwrap(), storage.open(&key("a"), None).await.unwrap());
        put(storage, "a", "newer").await;
        storage.commit(vec![], vec![remove("a")]).await.unwrap();
        for reader in [first, second] {
            assert_eq!(reader.into_stream().try_collect::<Vec<Bytes>>().await.unwrap().concat(), b"old");
        }
    }

    async fn a_note_is_an_object_like_any_other(storage: &Storage) {
        storage.note(&key("portolan/hash/s"), Bytes::from_static(b"state")).await.unwrap();
        storage.note(&key("portolan/hash/s"), Bytes::from_static(b"newer state")).await.unwrap();
        assert_eq!(content(storage, "portolan/hash/s").await.unwrap(), "newer state");
        storage.commit(vec![], vec![remove("portolan/hash/s")]).await.unwrap();
        assert_eq!(content(storage, "portolan/hash/s").await, None);
    }

    async fn streams_from_many_tasks_do_not_mix_their_buffers(storage: &Storage) {
        let contents: Arc<Vec<Vec<u8>>> =
            Arc::new((0..8_u8).map(|n| pattern(600_000).iter().map(|byte| byte ^ n).collect()).collect());
        for (n, content) in contents.iter().enumerate() {
            staged(storage, &format!("s{n}"), content).await;
            let step = promote(storage, &format!("s{n}"), &format!("b/{n}")).await;
            storage.commit(vec![], vec![step]).await.unwrap();
        }
        let readers = (0..32).map(|n| {
            let (storage, contents) = (storage.clone(), Arc::clone(&contents));
            tokio::spawn(async move {
                let reader = storage.open(&key(&format!("b/{}", n % 8)), None).await.unwrap();
                let pieces: Vec<Bytes> = reader.into_stream().try_collect().await.unwrap();
                assert!(pieces.concat() == contents[n % 8]);
            })
        });
        for done in future::join_all(readers).await {
            done.unwrap();
        }
    }
}
