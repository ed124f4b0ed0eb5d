//! In which order the disk is asked, and what a refusal means.

use std::fs;
use std::path::Path;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use futures_util::future;

use super::super::sync::merged;
use super::super::trail::Event;
use super::{entries, filesystem, with_journal, without_journal};
use crate::storage::suite::{content, id, key, open_staged, promote, put, remove, staged, write};
use crate::storage::{Durability, Filesystem, Options, Step, Storage, StorageError};

#[test]
fn the_order_of_a_round_contains_the_order_of_each_commit() {
    let lists = [
        vec!["a", "b", "c"],
        vec!["a", "c"],
        vec!["c", "a"],
        vec!["b", "d", "a"],
        vec![],
    ];
    let lists = lists.map(|list| list.into_iter().map(Into::into).collect::<Vec<_>>());
    let order = merged(lists.iter().map(Vec::as_slice));
    assert_eq!(order, ["a", "b", "c", "a", "d", "a"].map(Path::new));
    for list in &lists {
        let mut left = order.iter();
        assert!(
            list.iter().all(|path| left.any(|next| next == path)),
            "{list:?} in {order:?}"
        );
    }
}

#[tokio::test]
async fn content_is_synced_before_it_is_visible_and_directories_after() {
    let folder = tempfile::tempdir().unwrap();
    let filesystem = without_journal(folder.path());
    let storage = Storage::Filesystem(filesystem.clone());
    let root = filesystem.0.root.clone();
    let directories = |paths: &[&str]| -> Vec<_> {
        let mut paths: Vec<_> = paths.iter().map(|path| root.join(path)).collect();
        paths.sort();
        paths
    };
    let synced = |events: &[Event]| -> Vec<_> {
        let mut paths: Vec<_> = events
            .iter()
            .map(|event| {
                if let Event::Directory(path) = event {
                    path.clone()
                } else {
                    panic!("{event:?}")
                }
            })
            .collect();
        paths.sort();
        paths
    };
    staged(&storage, "s", b"blob").await;
    let steps = |blob: Step| vec![blob, write("r/a/link", "x"), write("r/b/link", "y")];
    let visible = ["blobs/1/data", "r/a/link", "r/b/link"].map(|key| Event::Visible(key.to_owned()));
    storage
        .commit(vec![], steps(promote(&storage, "s", "blobs/1/data").await))
        .await
        .unwrap();
    let events = filesystem.0.trail.take();
    assert_eq!(events[..3], [Event::Data, Event::Data, Event::Data]);
    assert_eq!(events[3..6], visible);
    assert_eq!(
        synced(&events[6..]),
        directories(&["", "blobs", "blobs/1", "r", "r/a", "r/b"])
    );

    // Now all ancestors are known: only the directories that changed.
    staged(&storage, "s", b"blob").await;
    storage
        .commit(vec![], steps(promote(&storage, "s", "blobs/1/data").await))
        .await
        .unwrap();
    let events = filesystem.0.trail.take();
    assert_eq!(synced(&events[6..]), directories(&["blobs/1", "r/a", "r/b"]));

    // A removal: the parent. Another process made a directory anew: its ancestors are unknown again.
    storage.commit(vec![], vec![remove("r")]).await.unwrap();
    assert_eq!(synced(&filesystem.0.trail.take()), directories(&[""]));
    fs::create_dir_all(root.join("r/a")).unwrap();
    put(&storage, "r/a/link", "x").await;
    let events = filesystem.0.trail.take();
    assert_eq!(synced(&events[2..]), directories(&["", "r", "r/a"]));

    // What is absent already may have been removed by somebody who did not come to the sync.
    storage
        .commit(vec![], vec![remove("r/a/absent"), remove("absent/absent")])
        .await
        .unwrap();
    assert_eq!(synced(&filesystem.0.trail.take()), directories(&["", "r/a"]));

    // Only what was synced already is not synced again.
    storage.stage(&id("s")).await.unwrap();
    let mut writer = open_staged(&storage, &id("s")).await;
    writer.append(b"x".to_vec(), |_| ()).await.unwrap();
    writer.sync().await.unwrap();
    storage
        .commit(
            vec![],
            vec![Step::Promote {
                staged: writer,
                key: key("r/a/data"),
            }],
        )
        .await
        .unwrap();
    let events = filesystem.0.trail.take();
    assert_eq!(events.iter().filter(|event| **event == Event::Data).count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commits_that_wait_together_share_their_syncs() {
    let folder = tempfile::tempdir().unwrap();
    let filesystem = without_journal(folder.path());
    let storage = Storage::Filesystem(filesystem.clone());
    put(&storage, "p/first", "x").await;
    filesystem.0.trail.take();
    let commits = (0..200).map(|n| {
        storage.commit(
            vec![],
            vec![Step::Write {
                key: key(&format!("p/{n}")),
                content: Bytes::new(),
            }],
        )
    });
    for result in future::join_all(commits).await {
        result.unwrap();
    }
    let synced = filesystem
        .0
        .trail
        .take()
        .iter()
        .filter(|event| matches!(event, Event::Directory(_)))
        .count();
    assert!(
        (1..200).contains(&synced),
        "{synced} directory syncs for 200 commits into one directory"
    );
}

#[tokio::test]
async fn a_journal_is_synced_once_when_all_is_visible() {
    let folder = tempfile::tempdir().unwrap();
    let filesystem = with_journal(folder.path());
    let storage = Storage::Filesystem(filesystem.clone());
    staged(&storage, "s", b"blob").await;
    let blob = promote(&storage, "s", "blobs/1/data").await;
    storage
        .commit(vec![], vec![blob, write("r/a/link", "x"), remove("r/b")])
        .await
        .unwrap();
    let visible = ["blobs/1/data", "r/a/link"].map(|key| Event::Visible(key.to_owned()));
    let events = filesystem.0.trail.take();
    assert_eq!(events[..2], [Event::Data, Event::Data]);
    assert_eq!(events[2..4], visible);
    assert_eq!(events[4..], [Event::Journal]);
    storage.commit(vec![], vec![remove("absent")]).await.unwrap();
    assert_eq!(filesystem.0.trail.take(), [Event::Journal]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commits_that_wait_together_share_the_sync_of_a_journal() {
    let folder = tempfile::tempdir().unwrap();
    let filesystem = with_journal(folder.path());
    let storage = Storage::Filesystem(filesystem.clone());
    let first = std::sync::Barrier::new(2);
    let first = std::sync::Arc::new(first);
    // The first round waits until others wait too.
    *filesystem.0.trail.pause.lock().unwrap() = Some(std::sync::Arc::clone(&first));
    let begin = |n: usize| {
        let storage = storage.clone();
        let key = format!("p/{n}");
        tokio::spawn(async move { storage.commit(vec![], vec![write(&key, "x")]).await })
    };
    let mut commits = vec![begin(0)];
    let visible = |wanted: usize| {
        let visible = |event: &&Event| matches!(event, Event::Visible(_));
        filesystem.0.trail.seen().iter().filter(visible).count() >= wanted
    };
    super::eventually("the first is visible", || visible(1)).await;
    super::eventually("its round has begun", || {
        filesystem.0.trail.seen().contains(&Event::Journal)
    })
    .await;
    commits.extend((1..20).map(begin));
    super::eventually("all are visible", || visible(20)).await;
    super::eventually("all wait", || filesystem.0.rounds.waiting() == 19).await;
    first.wait();
    for commit in commits {
        commit.await.unwrap().unwrap();
    }
    let events = filesystem.0.trail.take();
    let journal = events.iter().filter(|event| **event == Event::Journal).count();
    assert_eq!(journal, 2, "one for the first, one for all others");
}

#[tokio::test]
async fn a_failed_sync_of_a_journal_is_no_success() {
    let folder = tempfile::tempdir().unwrap();
    let filesystem = with_journal(folder.path());
    let storage = Storage::Filesystem(filesystem.clone());
    filesystem.0.trail.fail_directories.store(true, Ordering::Relaxed);
    let result = storage.commit(vec![], vec![write("a/b", "x")]).await;
    assert!(
        matches!(result, Err(StorageError::Unavailable { .. })),
        "{result:?}"
    );
    assert_eq!(filesystem.failed_syncs(), 1);
    filesystem
        .0
        .trail
        .fail_directories
        .store(false, Ordering::Relaxed);
    put(&storage, "a/b", "x").await;
}

#[tokio::test]
async fn without_durability_nothing_is_synced() {
    let folder = tempfile::tempdir().unwrap();
    let filesystem = Filesystem::open(
        folder.path(),
        Options {
            durability: Durability::None,
        },
    )
    .unwrap();
    let storage = Storage::Filesystem(filesystem.clone());
    staged(&storage, "s", b"blob").await;
    let step = promote(&storage, "s", "blob").await;
    storage
        .commit(vec![], vec![step, write("a/b", "x")])
        .await
        .unwrap();
    assert!(
        filesystem
            .0
            .trail
            .take()
            .iter()
            .all(|event| matches!(event, Event::Visible(_)))
    );
}

#[tokio::test]
async fn a_failed_sync_of_content_is_final_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let filesystem = filesystem(folder.path());
    let storage = Storage::Filesystem(filesystem.clone());
    staged(&storage, "s", b"blob").await;
    let step = promote(&storage, "s", "blob").await;
    filesystem.0.trail.fail_data.store(true, Ordering::Relaxed);
    let result = storage.commit(vec![], vec![step, write("after", "x")]).await;
    assert!(
        matches!(result, Err(StorageError::Unavailable { .. })),
        "{result:?}"
    );
    staged(&storage, "t", b"blob").await;
    let mut writer = open_staged(&storage, &id("t")).await;
    assert!(writer.sync().await.is_err());
    let asked = filesystem
        .0
        .trail
        .take()
        .iter()
        .filter(|event| **event == Event::Data)
        .count();
    filesystem.0.trail.fail_data.store(false, Ordering::Relaxed);
    assert!(writer.sync().await.is_err(), "never synced again");
    assert!(writer.append(b"more".to_vec(), |_| ()).await.is_err());
    assert!(
        storage
            .commit(
                vec![],
                vec![Step::Promote {
                    staged: writer,
                    key: key("blob")
                }]
            )
            .await
            .is_err()
    );
    assert_eq!(filesystem.0.trail.take(), []);
    assert_eq!(filesystem.failed_syncs(), asked as u64);
    for absent in ["after", "blob"] {
        assert_eq!(content(&storage, absent).await, None);
    }
    assert_eq!(
        storage.list_staged(None, 9).await.unwrap(),
        [],
        "what failed to sync is given up"
    );
    assert_eq!(entries(folder.path().join("portolan/tmp")), [""; 0]);
    put(&storage, "before", "x").await;
}

#[tokio::test]
async fn a_failed_sync_of_a_directory_is_no_success_and_teaches_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let filesystem = without_journal(folder.path());
    let storage = Storage::Filesystem(filesystem.clone());
    filesystem.0.trail.fail_directories.store(true, Ordering::Relaxed);
    let result = storage.commit(vec![], vec![write("a/b", "x")]).await;
    assert!(
        matches!(result, Err(StorageError::Unavailable { .. })),
        "{result:?}"
    );
    assert_eq!(filesystem.failed_syncs(), 1);
    filesystem
        .0
        .trail
        .fail_directories
        .store(false, Ordering::Relaxed);
    filesystem.0.trail.take();
    put(&storage, "a/b", "x").await;
    let events = filesystem.0.trail.take();
    assert!(
        events.contains(&Event::Directory(filesystem.0.root.clone())),
        "the ancestors are still unknown: {events:?}"
    );
}
