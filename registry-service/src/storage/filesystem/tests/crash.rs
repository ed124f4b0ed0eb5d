//! Processes that end, and writes that fail, in the middle.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use futures_util::future;

use super::{entries, open};
use crate::storage::suite::{content, guard, id, key, open_staged, write};
use crate::storage::{Condition, Key, Step, StorageError};

/// The steps of one push as the registry makes them; the tag last.
fn push(n: usize) -> Vec<Step> {
    let step = |at: String| Step::Write {
        key: Key::parse(&at).unwrap(),
        content: format!("content {n}").into(),
    };
    vec![
        step(format!("blobs/{n}/data")),
        step(format!("repository/revisions/{n}/link")),
        step(format!("repository/tags/t{}/index/{n}/link", n % 3)),
        step(format!("repository/tags/t{}/current/link", n % 3)),
    ]
}

/// Not a test by itself: commits without end in a folder given by the environment, until it is killed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run as a child by a_killed_process_leaves_a_prefix_of_each_commit"]
#[expect(clippy::disallowed_methods, reason = "the parent says where")]
async fn commits_until_killed() {
    let Some(root) = std::env::var_os("PORTOLAN_TEST_ROOT") else {
        return;
    };
    let storage = open(Path::new(&root));
    let work = (0..4).map(async |worker| {
        for n in (worker..).step_by(4) {
            let staged_id = id(&format!("upload-{n}"));
            storage.stage(&staged_id).await.unwrap();
            let mut writer = open_staged(&storage, &staged_id).await;
            writer
                .append(format!("content {n}").into_bytes(), |_| ())
                .await
                .unwrap();
            let mut steps = push(n);
            let Step::Write { key, .. } = steps.remove(0) else {
                panic!()
            };
            steps.insert(0, Step::Promote { staged: writer, key });
            storage
                .commit(
                    guard(&format!("repository/tags/t{}", n % 3), Condition::Any),
                    steps,
                )
                .await
                .unwrap();
            let mut out = std::io::stdout().lock();
            writeln!(out, "acknowledged {n}").unwrap();
            out.flush().unwrap();
        }
    });
    future::join_all(work).await;
}

#[tokio::test]
async fn a_killed_process_leaves_a_prefix_of_each_commit() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = 0;
    for round in 0..3 {
        let root = folder.path().join(round.to_string());
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "storage::filesystem::tests::crash::commits_until_killed",
                "--ignored",
                "--nocapture",
            ])
            .env("PORTOLAN_TEST_ROOT", &root)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut acknowledged = Vec::new();
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            if let Some((_, number)) = line.split_once("acknowledged ") {
                acknowledged.push(number.parse::<usize>().unwrap());
                if acknowledged.len() == 20 + 7 * round {
                    child.kill().unwrap();
                }
            }
        }
        assert!(!child.wait().unwrap().success());
        assert!(acknowledged.len() >= 20, "{acknowledged:?}");
        first += acknowledged.len();
        let storage = open(&root);
        assert_eq!(entries(root.join("portolan/tmp")), [""; 0]);
        for n in 0..first + 100 {
            let mut visible = Vec::new();
            for step in push(n) {
                let Step::Write {
                    key,
                    content: expected,
                } = step
                else {
                    panic!()
                };
                let now = content(&storage, key.as_str()).await;
                let is_tag = key.as_str().ends_with("current/link");
                if let (Some(now), false) = (&now, is_tag) {
                    assert_eq!(*now, expected, "{key} is whole");
                }
                visible.push(if is_tag {
                    now == Some(expected)
                } else {
                    now.is_some()
                });
            }
            let [blob, revision, index, tag] = visible[..] else {
                panic!()
            };
            assert!(
                blob >= revision && revision >= index && index >= tag,
                "{n}: {visible:?}"
            );
            assert!(
                index || !acknowledged.contains(&n),
                "{n} was acknowledged: {visible:?}"
            );
            if blob {
                assert!(storage.staged(&id(&format!("upload-{n}"))).await.is_err());
            }
        }
        // What was being uploaded goes on.
        for (left, stat) in storage.list_staged(None, 99).await.unwrap() {
            assert_eq!(open_staged(&storage, &left).await.size(), stat.size);
        }
    }
}

/// Not a test by itself: its parent limits the length of its files.
#[tokio::test]
#[ignore = "run as a child by a_piece_that_does_not_fit_is_taken_back"]
#[expect(clippy::disallowed_methods, reason = "the parent says where")]
async fn appends_beyond_the_limit() {
    let Some(root) = std::env::var_os("PORTOLAN_TEST_ROOT") else {
        return;
    };
    let storage = open(Path::new(&root));
    storage.stage(&id("s")).await.unwrap();
    let mut writer = open_staged(&storage, &id("s")).await;
    writer.append(vec![1; 700_000], |_| ()).await.unwrap();
    let refused = writer
        .append(vec![2; 700_000], |_| {
            panic!("what was not written is not observed")
        })
        .await;
    assert!(
        matches!(refused, Err(StorageError::Full { .. })),
        "{:?}",
        refused.map(drop)
    );
    assert_eq!(
        storage.staged(&id("s")).await.unwrap().size,
        700_000,
        "cut back at once"
    );
    assert!(
        writer.append(vec![3; 10], |_| ()).await.is_err(),
        "the writer is spent"
    );
    let step = Step::Promote {
        staged: writer,
        key: key("blob"),
    };
    assert!(storage.commit(vec![], vec![step]).await.is_err());
    let large = Step::Write {
        key: key("large"),
        content: vec![4; 2_000_000].into(),
    };
    let result = storage.commit(vec![], vec![write("before", "x"), large]).await;
    assert!(matches!(result, Err(StorageError::Full { .. })), "{result:?}");
    for absent in ["before", "large", "blob"] {
        assert_eq!(content(&storage, absent).await, None);
    }
    assert_eq!(
        entries(Path::new(&root).join("portolan/tmp")),
        [""; 0],
        "the space is given back"
    );
    let mut writer = open_staged(&storage, &id("s")).await;
    assert_eq!(writer.size(), 700_000);
    writer.append(vec![5; 10], |_| ()).await.unwrap();
    storage
        .commit(
            vec![],
            vec![Step::Promote {
                staged: writer,
                key: key("blob"),
            }],
        )
        .await
        .unwrap();
    assert_eq!(storage.stat(&key("blob")).await.unwrap().size, 700_010);
}

#[test]
fn a_piece_that_does_not_fit_is_taken_back() {
    let folder = tempfile::tempdir().unwrap();
    // The shell limits files to 1 MiB (in blocks of 512 bytes) and makes the signal an error.
    let child = Command::new("sh")
        .args(["-c", "trap '' XFSZ && ulimit -f 2048 && exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "storage::filesystem::tests::crash::appends_beyond_the_limit",
            "--ignored",
        ])
        .env("PORTOLAN_TEST_ROOT", folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success() && said.contains("1 passed"), "{said}");
}
