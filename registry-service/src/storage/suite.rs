//! The rules of storage, each a test on every backend. A rule that is not here does not exist.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use bytes::Bytes;
use futures_util::{FutureExt as _, StreamExt as _, TryStreamExt as _, future};

use super::{
    Condition, EntryKind, Filesystem, Guard, Key, Memory, Options, PIECE_LENGTH, StagedId, Step, Storage,
    StorageError, Version,
};

/// A storage for one test; the folder lives as long as this.
struct Ground {
    storage: Storage,
    _folder: Option<tempfile::TempDir>,
}

fn on_memory() -> Ground {
    let clock = AtomicI64::new(1_700_000_000_000);
    let memory = Memory::new(move || clock.fetch_add(1, Ordering::Relaxed));
    Ground {
        storage: Storage::Memory(memory),
        _folder: None,
    }
}

fn on_filesystem() -> Ground {
    let folder = tempfile::tempdir().unwrap();
    let filesystem = Filesystem::open(folder.path(), Options::default()).unwrap();
    Ground {
        storage: Storage::Filesystem(filesystem),
        _folder: Some(folder),
    }
}

/// Declares each rule as a test per backend.
macro_rules! rules {
    ($($(#[$attribute:meta])* async fn $name:ident($storage:ident: &Storage) $body:block)+) => {
        $($(#[$attribute])* async fn $name($storage: &Storage) $body)+
        mod memory {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() { super::$name(&super::on_memory().storage).await })+
        }
        mod filesystem {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() { super::$name(&super::on_filesystem().storage).await })+
        }
    };
}

pub(super) fn key(text: &str) -> Key {
    Key::parse(text).unwrap()
}

pub(super) fn id(text: &str) -> StagedId {
    StagedId::parse(text).unwrap()
}

pub(super) fn write(at: &str, content: &'static str) -> Step {
    Step::Write {
        key: key(at),
        content: Bytes::from_static(content.as_bytes()),
    }
}

pub(super) fn remove(at: &str) -> Step {
    Step::Remove { key: key(at) }
}

pub(super) fn guard(at: &str, condition: Condition) -> Vec<Guard> {
    vec![Guard {
        key: key(at),
        condition,
    }]
}

pub(super) async fn put(storage: &Storage, at: &str, content: &'static str) {
    storage.commit(vec![], vec![write(at, content)]).await.unwrap();
}

/// The content under a key; `None` if it is absent.
pub(super) async fn content(storage: &Storage, at: &str) -> Option<Bytes> {
    match storage.read(&key(at), 1 << 20).await {
        Ok((content, _)) => Some(content),
        Err(StorageError::NotFound { .. }) => None,
        Err(error) => panic!("{error:?}"),
    }
}

async fn version(storage: &Storage, at: &str) -> Version {
    storage.read(&key(at), 1 << 20).await.unwrap().1
}

/// A staged object with content, closed.
pub(super) async fn staged(storage: &Storage, name: &str, content: &[u8]) {
    storage.stage(&id(name)).await.unwrap();
    let mut writer = storage.open_staged(&id(name)).await.unwrap();
    writer.append(content.to_vec(), |_| ()).await.unwrap();
}

pub(super) async fn promote(storage: &Storage, name: &str, at: &str) -> Step {
    Step::Promote {
        staged: storage.open_staged(&id(name)).await.unwrap(),
        key: key(at),
    }
}

async fn names(storage: &Storage, prefix: &str, after: Option<&str>, limit: usize) -> Vec<String> {
    let entries = storage.list(&key(prefix), after, limit).await.unwrap();
    entries.into_iter().map(|entry| entry.name).collect()
}

/// Bytes that differ from piece to piece.
fn pattern(length: usize) -> Vec<u8> {
    (0_u32..)
        .flat_map(|number| number.wrapping_mul(2_654_435_761).to_be_bytes())
        .take(length)
        .collect()
}

macro_rules! assert_error {
    ($result:expr, $variant:ident) => {
        match $result {
            Err(StorageError::$variant { .. }) => {}
            other => panic!("expected {}, got {other:?}", stringify!($variant)),
        }
    };
}

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

    async fn a_guard_that_does_not_hold_leaves_nothing_visible(storage: &Storage) {
        put(storage, "tag", "one").await;
        let one = version(storage, "tag").await;
        staged(storage, "s", b"blob").await;
        for condition in [Condition::Absent, Condition::Is(Version::of(b"two"))] {
            let steps = vec![
                write("other", "x"), promote(storage, "s", "blob").await, write("tag", "two"), remove("tag"),
            ];
            assert_error!(storage.commit(guard("tag", condition), steps).await, Conflict);
            assert_eq!(content(storage, "tag").await.unwrap(), "one");
            assert_eq!(content(storage, "other").await, None);
            assert_eq!(content(storage, "blob").await, None);
            assert_eq!(storage.staged(&id("s")).await.unwrap().size, 4, "still staged");
        }
        assert_error!(storage.commit(guard("absent", Condition::Is(one.clone())), vec![]).await, Conflict);
        storage.commit(guard("tag", Condition::Is(one)), vec![write("tag", "two")]).await.unwrap();
        storage.commit(guard("new", Condition::Absent), vec![write("new", "x")]).await.unwrap();
        storage.commit(guard("new", Condition::Any), vec![write("new", "y")]).await.unwrap();
        storage.commit(guard("tag/below", Condition::Absent), vec![]).await.unwrap();
        assert_eq!(content(storage, "tag").await.unwrap(), "two");
        assert_eq!(content(storage, "new").await.unwrap(), "y");
    }

    async fn of_many_who_create_or_replace_one_object_exactly_one_wins(storage: &Storage) {
        let create = |_| storage.commit(guard("t", Condition::Absent), vec![write("t", "0")]);
        let created = future::join_all((0..16).map(create)).await;
        assert_eq!(created.iter().filter(|result| result.is_ok()).count(), 1);
        let count = async || {
            for _ in 0..5 {
                loop {
                    let (now, version) = storage.read(&key("t"), 20).await.unwrap();
                    let next = 1 + std::str::from_utf8(&now).unwrap().parse::<u32>().unwrap();
                    let step = Step::Write { key: key("t"), content: next.to_string().into() };
                    match storage.commit(guard("t", Condition::Is(version)), vec![step]).await {
                        Ok(()) => break,
                        Err(StorageError::Conflict { .. }) => {}
                        Err(error) => panic!("{error:?}"),
                    }
                }
            }
        };
        future::join_all((0..6).map(|_| count())).await;
        assert_eq!(content(storage, "t").await.unwrap(), "30");
    }

    async fn guards_on_many_keys_in_any_order_never_block_each_other(storage: &Storage) {
        let commit = |n: usize| {
            let mut guards: Vec<_> =
                (0..100).flat_map(|k| guard(&format!("k/{}", (k * 7 + n * 13) % 100), Condition::Any)).collect();
            if n.is_multiple_of(2) { guards.reverse() }
            storage.commit(guards, vec![write(&format!("done/{n}"), "")])
        };
        for result in future::join_all((0..20).map(commit)).await {
            result.unwrap();
        }
        assert_eq!(names(storage, "done", None, 100).await.len(), 20);
    }

    async fn steps_become_visible_in_order_up_to_one_that_fails(storage: &Storage) {
        put(storage, "object", "x").await;
        put(storage, "prefix/child", "x").await;
        for refused in ["object/below", "prefix"] {
            let first = format!("before/{refused}");
            let steps = vec![write(&first, "1"), write(refused, "2"), write("after", "3")];
            assert_error!(storage.commit(vec![], steps).await, Corrupt);
            assert_eq!(content(storage, &first).await.unwrap(), "1");
            assert_eq!(content(storage, "after").await, None);
        }
        let steps = vec![write("a", "1"), remove("a"), write("b", "1"), write("b", "2"), remove("c"), write("c", "3")];
        storage.commit(vec![], steps).await.unwrap();
        assert_eq!(content(storage, "a").await, None);
        assert_eq!(content(storage, "b").await.unwrap(), "2");
        assert_eq!(content(storage, "c").await.unwrap(), "3");
    }

    async fn many_commits_at_once_in_new_and_shared_prefixes_all_succeed(storage: &Storage) {
        let commit = |n: u32| {
            let steps = vec![
                write(&format!("blobs/{:02}/{n}/data", n % 7), "x"),
                write(&format!("repository/{n}/link"), "y"),
                write("repository/shared", "z"),
            ];
            storage.commit(vec![], steps)
        };
        for result in future::join_all((0..100).map(commit)).await {
            result.unwrap();
        }
        assert_eq!(names(storage, "repository", None, 1_000).await.len(), 101);
        assert_eq!(names(storage, "blobs", None, 1_000).await.len(), 7);
    }

    async fn writing_and_removing_one_tree_at_once_ends_in_one_of_both(storage: &Storage) {
        let writes = (0..30).map(|_| storage.commit(vec![], vec![write("r/a/b/c/d", "x")]));
        let removals = (0..30).map(|_| storage.commit(vec![], vec![remove("r")]));
        let (writes, removals) = future::join(future::join_all(writes), future::join_all(removals)).await;
        writes.into_iter().chain(removals).for_each(|result| result.unwrap());
        assert!(content(storage, "r/a/b/c/d").await.is_none_or(|content| content == "x"));
        put(storage, "r/a/b/c/d", "last").await;
        assert_eq!(content(storage, "r/a/b/c/d").await.unwrap(), "last");
    }

    async fn a_commit_goes_on_without_its_caller(storage: &Storage) {
        let steps = (0..20).map(|n| write(&format!("p/{n}"), "x")).collect();
        let mut commit = Box::pin(storage.commit(vec![], steps));
        let begun = commit.as_mut().now_or_never();
        drop(commit);
        if begun.is_none() {
            while names(storage, "p", None, 100).await.len() < 20 {
                tokio::task::yield_now().await;
            }
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
        let writer = storage.open_staged(&id("s")).await.unwrap();
        assert_error!(storage.open_staged(&id("s")).await, Locked);
        assert_error!(storage.discard(&id("s")).await, Locked);
        assert!(storage.staged(&id("s")).await.is_ok());
        drop(writer);
        let writer = storage.open_staged(&id("s")).await.unwrap();
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
        let mut writer = storage.open_staged(&id("s")).await.unwrap();
        assert_eq!(writer.size(), 0);
        let mut buffer = Vec::with_capacity(PIECE_LENGTH);
        for piece in first.chunks(100_000) {
            buffer.extend_from_slice(piece);
            let (returned, seen) = writer.append(buffer, <[u8]>::to_vec).await.unwrap();
            assert_eq!(seen, piece);
            assert!(returned.is_empty() && returned.capacity() >= PIECE_LENGTH, "the buffer is used again");
            buffer = returned;
        }
        writer.sync().await.unwrap();
        writer.sync().await.unwrap();
        drop(writer);
        let mut writer = storage.open_staged(&id("s")).await.unwrap();
        assert_eq!(writer.size(), first.len() as u64);
        writer.append(second.to_vec(), |_| ()).await.unwrap();
        for from in [0, 7, first.len(), whole.len()] {
            let read = writer.read_back(from as u64, Vec::new(), |all: &mut Vec<u8>, piece| {
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

    async fn an_empty_commit_does_nothing(storage: &Storage) {
        storage.commit(vec![], vec![]).await.unwrap();
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
