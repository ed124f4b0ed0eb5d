//! The rules of storage, each a test on every backend. A rule that is not here does not exist.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use bytes::Bytes;

use super::{
    Condition, Filesystem, Guard, Key, Memory, Options, StagedId, StagedWriter, Step, Storage, StorageError,
    Version,
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
            async fn $name() { super::$name(&crate::storage::suite::on_memory().storage).await })+
        }
        mod filesystem {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() { super::$name(&crate::storage::suite::on_filesystem().storage).await })+
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

pub(super) fn number(stem: &str, content: &'static str) -> Step {
    Step::Number {
        counter: key(&format!("counter/{stem}")),
        stem: key(stem),
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

/// Opens a staged object that no writer has. A child process that another test starts at this moment holds its lock until that
/// has become another program.
pub(super) async fn open_staged(storage: &Storage, id: &StagedId) -> StagedWriter {
    for _ in 0..10_000 {
        match storage.open_staged(id).await {
            Err(StorageError::Locked { .. }) => tokio::time::sleep(Duration::from_millis(1)).await,
            opened => return opened.unwrap(),
        }
    }
    panic!("{id} stays locked");
}

/// A staged object with content, closed.
pub(super) async fn staged(storage: &Storage, name: &str, content: &[u8]) {
    storage.stage(&id(name)).await.unwrap();
    let mut writer = open_staged(storage, &id(name)).await;
    writer.append(content.to_vec(), |_| ()).await.unwrap();
}

pub(super) async fn promote(storage: &Storage, name: &str, at: &str) -> Step {
    Step::Promote {
        staged: open_staged(storage, &id(name)).await,
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

mod commit;
mod object;
mod staged;
