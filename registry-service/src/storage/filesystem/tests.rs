//! What only holds of folders: several processes, foreign files, leftovers.

mod crash;
mod order;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::{TryStreamExt as _, future};

use super::journal::Journal;
use super::{Filesystem, Options};
use crate::storage::buffer::BLOCK_LENGTH;
use crate::storage::suite::{content, guard, id, key, open_staged, promote, put, remove, staged, write};
use crate::storage::{Condition, EntryKind, PIECE_LENGTH, Step, Storage, StorageError};

fn filesystem(root: &Path) -> Filesystem {
    Filesystem::open(root, Options::default()).unwrap()
}

/// On a file system that is not known to have a journal.
fn without_journal(root: &Path) -> Filesystem {
    Filesystem::open_with(root, Options::default(), |_| None).unwrap()
}

fn with_journal(root: &Path) -> Filesystem {
    Filesystem::open_with(root, Options::default(), |root| {
        Some(Journal::with_marker(root).unwrap())
    })
    .unwrap()
}

fn open(root: &Path) -> Storage {
    Storage::Filesystem(filesystem(root))
}

fn entries(folder: PathBuf) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Waits for what happens in the background.
async fn eventually(what: &str, holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_mins(1), "{what}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[test]
fn many_processes_that_start_at_once_do_not_disturb_each_other() {
    let folder = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..60 {
                    filesystem(folder.path());
                }
            });
        }
    });
}

#[tokio::test]
async fn keys_are_paths_below_the_root_and_the_area_is_the_owners() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("not/yet/there");
    let storage = open(&root);
    put(&storage, "docker/registry/v2/x", "content").await;
    assert_eq!(fs::read(root.join("docker/registry/v2/x")).unwrap(), b"content");
    assert_eq!(
        entries(root.join("portolan")),
        ["locks", "staging", "tmp", "trash"]
    );
    assert_eq!(
        fs::metadata(root.join("portolan")).unwrap().permissions().mode() & 0o777,
        0o700
    );
    assert_eq!(entries(root.join("portolan/tmp")), [""; 0]);
    fs::write(root.join("docker/registry/v2/y"), "from elsewhere").unwrap();
    assert_eq!(
        content(&storage, "docker/registry/v2/y").await.unwrap(),
        "from elsewhere"
    );
}

#[tokio::test]
async fn the_storage_opens_again_with_all_that_it_held() {
    let folder = tempfile::tempdir().unwrap();
    let storage = open(folder.path());
    put(&storage, "a", "x").await;
    staged(&storage, "s", b"staged").await;
    let stamp = storage.stamp(&key("portolan")).await.unwrap();
    drop(storage);
    let storage = open(folder.path());
    assert_eq!(content(&storage, "a").await.unwrap(), "x");
    assert_eq!(storage.staged(&id("s")).await.unwrap().size, 6);
    assert_eq!(storage.stamp(&key("portolan")).await.unwrap(), stamp);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guards_hold_between_two_instances_on_one_folder() {
    let folder = tempfile::tempdir().unwrap();
    let storages = [open(folder.path()), open(folder.path())];
    let create = |n: usize| storages[n % 2].commit(guard("t", Condition::Absent), vec![write("t", "0")]);
    let created = future::join_all((0..20).map(create)).await;
    assert_eq!(created.iter().filter(|result| result.is_ok()).count(), 1);
    let count = async |storage: &Storage| {
        for _ in 0..25 {
            loop {
                let (now, version) = storage.read(&key("t"), 20).await.unwrap();
                let next = 1 + std::str::from_utf8(&now).unwrap().parse::<u32>().unwrap();
                let step = Step::Write {
                    key: key("t"),
                    content: next.to_string().into(),
                };
                match storage
                    .commit(guard("t", Condition::Is(version)), vec![step])
                    .await
                {
                    Ok(()) => break,
                    Err(StorageError::Conflict { .. }) => {}
                    Err(error) => panic!("{error:?}"),
                }
            }
        }
    };
    future::join_all(storages.iter().chain(&storages).map(count)).await;
    assert_eq!(content(&storages[0], "t").await.unwrap(), "100");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn numbers_are_taken_once_between_two_instances_in_the_order_of_visibility() {
    let folder = tempfile::tempdir().unwrap();
    let instances = [open(folder.path()), open(folder.path())];
    for round in 0..5 {
        let commits = (0..40).map(|n| {
            let write = Step::Write {
                key: key("tag"),
                content: n.to_string().into(),
            };
            let number = Step::Number {
                counter: key("counter"),
                stem: key("log/a"),
                content: n.to_string().into(),
            };
            instances[n % 2].commit(vec![], vec![write, number])
        });
        for result in future::join_all(commits).await {
            result.unwrap();
        }
        let taken = entries(folder.path().join("log"));
        let expected: Vec<_> = (1..=(round + 1) * 40).map(|n| format!("a-{n:020}")).collect();
        assert_eq!(taken, expected);
        let last = format!("log/{}", taken.last().unwrap());
        assert_eq!(
            content(&instances[0], &last).await,
            content(&instances[1], "tag").await
        );
    }
}

#[tokio::test]
async fn a_staged_object_has_one_writer_between_two_instances() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (open(folder.path()), open(folder.path()));
    staged(&one, "s", b"begun here").await;
    let writer = open_staged(&one, &id("s")).await;
    assert!(matches!(
        other.open_staged(&id("s")).await,
        Err(StorageError::Locked { .. })
    ));
    assert!(matches!(
        other.discard(&id("s")).await,
        Err(StorageError::Locked { .. })
    ));
    drop(writer);
    let mut writer = open_staged(&other, &id("s")).await;
    assert_eq!(writer.size(), 10);
    writer.append(b", ended there".to_vec(), |_| ()).await.unwrap();
    other
        .commit(
            vec![],
            vec![Step::Promote {
                staged: writer,
                key: key("blob"),
            }],
        )
        .await
        .unwrap();
    assert_eq!(content(&one, "blob").await.unwrap(), "begun here, ended there");
    assert!(matches!(
        one.open_staged(&id("s")).await,
        Err(StorageError::NotFound { .. })
    ));
}

#[tokio::test]
async fn a_length_that_outlived_its_content_is_not_believed() {
    let folder = tempfile::tempdir().unwrap();
    let storage = open(folder.path());
    let written = vec![7; 2 * BLOCK_LENGTH];
    staged(&storage, "s", &written).await;
    // As after a power cut between the file's new length and its content.
    let path = folder.path().join("portolan/staging/s");
    let file = fs::File::options().write(true).open(path).unwrap();
    file.set_len(9 * BLOCK_LENGTH as u64 + 1).unwrap();
    drop(file);
    let stat = storage.staged(&id("s")).await.unwrap();
    assert_eq!(stat.size, written.len() as u64);
    let mut writer = open_staged(&storage, &id("s")).await;
    assert_eq!(writer.size(), written.len() as u64);
    writer.append(b"the rest".to_vec(), |_| ()).await.unwrap();
    let key = key("blob");
    let step = Step::Promote { staged: writer, key };
    storage.commit(vec![], vec![step]).await.unwrap();
    let mut expected = written;
    expected.extend(b"the rest");
    assert!(content(&storage, "blob").await.unwrap() == expected);
}

#[tokio::test]
async fn what_was_promoted_or_staged_anew_between_opening_and_locking_is_not_written_to() {
    let folder = tempfile::tempdir().unwrap();
    let filesystem = filesystem(folder.path());
    let storage = Storage::Filesystem(filesystem.clone());
    staged(&storage, "s", b"blob").await;
    let opened = || {
        let path = folder.path().join("portolan/staging/s");
        fs::File::options().read(true).write(true).open(path).unwrap()
    };
    let (early, later) = (opened(), opened());
    let step = promote(&storage, "s", "blob").await;
    storage.commit(vec![], vec![step]).await.unwrap();
    assert!(matches!(
        filesystem.claim(&id("s"), early),
        Err(StorageError::NotFound { .. })
    ));
    staged(&storage, "s", b"another").await;
    assert!(matches!(
        filesystem.claim(&id("s"), later),
        Err(StorageError::NotFound { .. })
    ));
    assert_eq!(filesystem.claim(&id("s"), opened()).unwrap().size(), 7);
}

#[tokio::test]
async fn an_append_whose_caller_went_away_keeps_the_lock_until_it_is_done() {
    let folder = tempfile::tempdir().unwrap();
    let storage = open(folder.path());
    storage.stage(&id("s")).await.unwrap();
    let mut writer = open_staged(&storage, &id("s")).await;
    let (begun, go) = (std::sync::mpsc::channel(), std::sync::mpsc::channel::<()>());
    let observe = move |_: &[u8]| {
        begun.0.send(()).unwrap();
        go.1.recv().unwrap();
    };
    let appending = tokio::spawn(async move { writer.append(b"piece".to_vec(), observe).await.map(drop) });
    tokio::task::spawn_blocking(move || begun.1.recv().unwrap())
        .await
        .unwrap();
    appending.abort();
    assert!(appending.await.unwrap_err().is_cancelled());
    assert!(matches!(
        storage.open_staged(&id("s")).await,
        Err(StorageError::Locked { .. })
    ));
    go.0.send(()).unwrap();
    let path = folder.path().join("portolan/staging/s");
    eventually("the lock is given back", || {
        fs::File::open(&path).unwrap().try_lock().is_ok()
    })
    .await;
    assert_eq!(open_staged(&storage, &id("s")).await.size(), 5);
}

#[tokio::test]
async fn foreign_files_are_neither_served_nor_followed_nor_touched() {
    let folder = tempfile::tempdir().unwrap();
    let storage = open(folder.path());
    let outside = folder.path().join("outside");
    fs::write(&outside, "secret").unwrap();
    put(&storage, "p/object", "x").await;
    let inside = folder.path().join("p");
    symlink(&outside, inside.join("link")).unwrap();
    symlink("nowhere", inside.join("dangling")).unwrap();
    symlink(folder.path(), inside.join("loop")).unwrap();
    let _socket = UnixListener::bind(inside.join("socket")).unwrap();
    let pipe = Command::new("mkfifo").arg(inside.join("pipe")).status();
    assert!(pipe.unwrap().success());
    let not_utf8: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(b"\xff\xfe");
    fs::write(inside.join(not_utf8), "x").unwrap();
    for foreign in ["p/link", "p/dangling", "p/loop", "p/socket", "p/pipe"] {
        assert!(
            matches!(
                storage.stat(&key(foreign)).await,
                Err(StorageError::NotFound { .. })
            ),
            "{foreign}"
        );
        assert!(
            matches!(
                storage.read(&key(foreign), 99).await,
                Err(StorageError::NotFound { .. })
            ),
            "{foreign}"
        );
        assert!(
            matches!(
                storage.open(&key(foreign), None).await,
                Err(StorageError::NotFound { .. })
            ),
            "{foreign}"
        );
    }
    for foreign in ["p/loop", "p/link"] {
        assert_eq!(storage.list(&key(foreign), None, 9).await.unwrap(), []);
        assert_eq!(storage.stamp(&key(foreign)).await.unwrap(), None);
    }
    let listed = storage.list(&key("p"), None, 99).await.unwrap();
    assert_eq!(
        listed
            .iter()
            .map(|entry| (entry.name.as_str(), entry.kind))
            .collect::<Vec<_>>(),
        [("object", EntryKind::Object)]
    );
    // A write replaces the link itself, a removal takes the link itself.
    put(&storage, "p/link", "mine").await;
    storage.commit(vec![], vec![remove("p/loop")]).await.unwrap();
    eventually("the trash is empty", || {
        entries(folder.path().join("portolan/trash")).is_empty()
    })
    .await;
    assert_eq!(fs::read(&outside).unwrap(), b"secret");
    assert_eq!(content(&storage, "p/link").await.unwrap(), "mine");
    // What lies in the staging area under no valid name is nobody's staged object.
    fs::write(folder.path().join("portolan/staging/README.txt"), "x").unwrap();
    fs::create_dir(folder.path().join("portolan/staging/folder")).unwrap();
    assert_eq!(storage.list_staged(None, 9).await.unwrap(), []);
}

#[tokio::test]
async fn an_object_that_gets_shorter_while_it_is_streamed_ends_in_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let storage = open(folder.path());
    staged(&storage, "s", &vec![7; 2 * PIECE_LENGTH]).await;
    let step = promote(&storage, "s", "blob").await;
    storage.commit(vec![], vec![step]).await.unwrap();
    let reader = storage.open(&key("blob"), None).await.unwrap();
    fs::File::options()
        .write(true)
        .open(folder.path().join("blob"))
        .unwrap()
        .set_len(300_000)
        .unwrap();
    let result = reader.into_stream().try_collect::<Vec<Bytes>>().await;
    assert!(matches!(result, Err(StorageError::Corrupt { .. })), "{result:?}");
}

#[tokio::test]
async fn what_dead_processes_left_is_cleared_and_what_living_ones_use_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let living = filesystem(folder.path());
    let area = folder.path().join("portolan");
    let used = living.0.area.temporary();
    fs::write(&used, "being written").unwrap();
    for dead in ["tmp/0-0-0", "tmp/1-5-0", "tmp/17-abc-1"] {
        fs::write(area.join(dead), "left").unwrap();
    }
    fs::write(area.join("locks/slot-17"), "1").unwrap();
    fs::create_dir_all(area.join("trash/17-abc-2/deep/er")).unwrap();
    fs::write(area.join("trash/17-abc-2/deep/file"), "left").unwrap();
    drop(filesystem(folder.path()));
    drop(filesystem(folder.path()));
    eventually("the trash is swept", || entries(area.join("trash")).is_empty()).await;
    let left = entries(area.join("tmp"));
    assert!(left.contains(&used.file_name().unwrap().to_str().unwrap().to_owned()));
    assert!(
        !left
            .iter()
            .any(|name| name.starts_with("1-") || name.starts_with("17-")),
        "{left:?}"
    );
    drop(living);
    drop(filesystem(folder.path()));
    assert_eq!(entries(area.join("tmp")), [""; 0]);
}

#[tokio::test]
async fn a_removed_tree_is_deleted_after_the_commit() {
    let folder = tempfile::tempdir().unwrap();
    let storage = open(folder.path());
    for n in 0..20 {
        storage
            .note(&key(&format!("r/{n}/x")), Bytes::from_static(b"x"))
            .await
            .unwrap();
    }
    storage.commit(vec![], vec![remove("r")]).await.unwrap();
    assert!(!folder.path().join("r").exists());
    eventually("the trash is empty", || {
        entries(folder.path().join("portolan/trash")).is_empty()
    })
    .await;
}

#[tokio::test]
async fn a_folder_that_cannot_be_used_is_refused_with_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "x").unwrap();
    assert!(Filesystem::open(&folder.path().join("file"), Options::default()).is_err());
    assert!(Filesystem::open(&folder.path().join("file/below"), Options::default()).is_err());
}

#[test]
fn an_idle_storage_keeps_no_file_open_for_writing_so_that_its_disk_can_be_mounted_read_only() {
    let folder = tempfile::tempdir().unwrap();
    let storage = Filesystem::open(folder.path(), Options::default()).unwrap();
    drop(storage.0.locks.lock([&key("a/b")].into_iter()).unwrap());
    let root = folder.path().canonicalize().unwrap();
    let mut found = 0;
    for open in fs::read_dir("/proc/self/fd").unwrap().flatten() {
        let Ok(path) = fs::read_link(open.path()) else {
            continue;
        };
        if !path.starts_with(&root) {
            continue;
        }
        found += 1;
        let info = Path::new("/proc/self/fdinfo").join(open.file_name());
        let Ok(info) = fs::read_to_string(info) else {
            continue;
        };
        let flags = info.lines().find_map(|line| line.strip_prefix("flags:")).unwrap();
        let flags = u32::from_str_radix(flags.trim(), 8).unwrap();
        assert_eq!(flags & 3, 0, "{} is open for writing", path.display());
    }
    assert!(found >= 2, "the slot and a lock are open: {found}");
}
