//! Commits: guards, order, all at once.

use futures_util::{FutureExt as _, future};

use super::{content, guard, id, key, names, number, promote, put, remove, staged, version, write};
use crate::storage::{Condition, Step, Storage, StorageError, Version};

rules! {
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

    async fn a_moved_object_lies_under_its_new_key_alone(storage: &Storage) {
        put(storage, "a/one", "1").await;
        put(storage, "b/two/three", "old").await;
        let move_to = |from: &str, to: &str| Step::Move { from: key(from), to: key(to) };
        storage.commit(vec![], vec![move_to("a/one", "b/two/three")]).await.unwrap();
        assert_eq!(content(storage, "b/two/three").await.unwrap(), "1");
        assert_eq!(content(storage, "a/one").await, None);
        assert_error!(storage.commit(vec![], vec![move_to("a/one", "c")]).await, NotFound);
        assert_error!(storage.commit(vec![], vec![move_to("b/two", "c")]).await, NotFound);
        assert_eq!(content(storage, "b/two/three").await.unwrap(), "1");
    }

    async fn an_object_is_untouched_until_it_is_written_again_even_alike(storage: &Storage) {
        assert_eq!(storage.object_stamp(&key("p/a")).await.unwrap(), None);
        put(storage, "p/a", "1").await;
        assert_eq!(storage.object_stamp(&key("p")).await.unwrap(), None, "a prefix is no object");
        let stamp = storage.object_stamp(&key("p/a")).await.unwrap().unwrap();
        content(storage, "p/a").await;
        put(storage, "p/b", "1").await;
        let untouched = || guard("p/a", Condition::Untouched(stamp));
        storage.commit(untouched(), vec![]).await.unwrap();
        // The file system's clock ticks every few milliseconds, and may give an inode again: what `is_settled` is for.
        let mut touched = false;
        for _ in 0..1_000 {
            put(storage, "p/a", "1").await;
            touched = storage.object_stamp(&key("p/a")).await.unwrap() != Some(stamp);
            if touched { break }
        }
        assert!(touched);
        assert_error!(storage.commit(untouched(), vec![remove("p/b")]).await, Conflict);
        assert!(content(storage, "p/b").await.is_some());
        storage.commit(vec![], vec![remove("p/a")]).await.unwrap();
        assert_error!(storage.commit(untouched(), vec![]).await, Conflict);
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

    async fn numbers_of_a_series_go_on_though_its_objects_are_gone(storage: &Storage) {
        storage.commit(vec![], vec![number("log/a", "one"), number("log/a", "two"), number("log/b", "of b")]).await.unwrap();
        let digits = |number: u32| format!("{number:020}");
        assert_eq!(names(storage, "log", None, 9).await, [
            format!("a-{}", digits(1)), format!("a-{}", digits(2)), format!("b-{}", digits(1)),
        ]);
        assert_eq!(content(storage, &format!("log/a-{}", digits(2))).await.unwrap(), "two");
        storage.commit(vec![], vec![remove("log")]).await.unwrap();
        storage.commit(vec![], vec![number("log/a", "three")]).await.unwrap();
        assert_eq!(names(storage, "log", None, 9).await, [format!("a-{}", digits(3))]);
        assert_eq!(names(storage, "counter/log/a", None, 9).await, [digits(3)], "the last number and nothing else");
        // Without its counter a series begins anew, and replaces nothing that stands in it.
        storage.commit(vec![], vec![remove("counter")]).await.unwrap();
        put(storage, &format!("log/a-{}", digits(1)), "foreign").await;
        storage.commit(vec![], vec![number("log/a", "again")]).await.unwrap();
        assert_eq!(content(storage, &format!("log/a-{}", digits(2))).await.unwrap(), "again");
        assert_eq!(content(storage, &format!("log/a-{}", digits(1))).await.unwrap(), "foreign");
    }

    async fn a_commit_whose_guard_does_not_hold_takes_no_number(storage: &Storage) {
        put(storage, "tag", "x").await;
        let steps = || vec![write("tag", "y"), number("log/a", "event")];
        assert_error!(storage.commit(guard("tag", Condition::Absent), steps()).await, Conflict);
        assert_eq!(names(storage, "log", None, 9).await, [""; 0]);
        storage.commit(guard("tag", Condition::Any), steps()).await.unwrap();
        assert_eq!(names(storage, "log", None, 9).await, [format!("a-{:020}", 1)]);
    }

    async fn the_order_of_numbers_is_the_order_of_visibility(storage: &Storage) {
        for _ in 0..10 {
            let commit = |n: u32| {
                let write = Step::Write { key: key("tag"), content: n.to_string().into() };
                let number = Step::Number { counter: key("counter"), stem: key("log/a"), content: n.to_string().into() };
                storage.commit(vec![], vec![write, number])
            };
            for result in future::join_all((0..20).map(commit)).await {
                result.unwrap();
            }
            let last = names(storage, "log", None, 1_000).await.pop().unwrap();
            assert_eq!(content(storage, &format!("log/{last}")).await, content(storage, "tag").await);
        }
        let expected: Vec<_> = (1..=200).map(|number| format!("a-{number:020}")).collect();
        assert_eq!(names(storage, "log", None, 1_000).await, expected);
    }

    async fn an_empty_commit_does_nothing(storage: &Storage) {
        storage.commit(vec![], vec![]).await.unwrap();
    }
}
