//! Any sequence of operations has the same results on every backend.

use std::ops::Range;

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use proptest::prelude::*;

use super::suite::{id, key};
use super::{
    Condition, Durability, EntryKind, Filesystem, Guard, Memory, Options, Step, Storage, StorageError,
};

/// Few keys, so that operations meet. `x` and `y` are objects, `p` and `q` prefixes: a folder may keep an empty
/// prefix, which is no object's place.
const KEYS: [&str; 6] = ["x", "y", "p/x", "p/q/x", "p/q/y", "q/x"];
const PREFIXES: [&str; 3] = ["p", "q", "p/q"];
const STAGED: [&str; 2] = ["s", "t"];

#[derive(Debug, Clone)]
enum Operation {
    Commit(Vec<(usize, Expected)>, Vec<Change>),
    Note(usize, u8),
    Stage(usize),
    Append(usize, u8),
    Discard(usize),
    Stream(usize, Range<u64>),
    List(usize, Option<String>),
}

#[derive(Debug, Clone)]
enum Expected {
    Any,
    Absent,
    /// As it is now, or absent.
    Current,
    /// As this key is.
    Of(usize),
}

#[derive(Debug, Clone)]
enum Change {
    Write(usize, u8),
    Promote(usize, usize),
    Remove(usize),
    RemovePrefix(usize),
    Number(u8),
}

fn operations() -> impl Strategy<Value = Vec<Operation>> {
    let at = || 0..KEYS.len();
    let staged = || 0..STAGED.len();
    let expected = prop_oneof![
        Just(Expected::Any),
        Just(Expected::Absent),
        Just(Expected::Current),
        at().prop_map(Expected::Of),
    ];
    let change = prop_oneof![
        4 => (at(), any::<u8>()).prop_map(|(at, content)| Change::Write(at, content)),
        2 => (staged(), at()).prop_map(|(staged, at)| Change::Promote(staged, at)),
        1 => at().prop_map(Change::Remove),
        1 => (0..PREFIXES.len()).prop_map(Change::RemovePrefix),
        1 => any::<u8>().prop_map(Change::Number),
    ];
    let guards = prop::collection::vec((at(), expected), 0..3);
    let operation = prop_oneof![
        4 => (guards, prop::collection::vec(change, 0..4)).prop_map(|(guards, steps)| Operation::Commit(guards, steps)),
        1 => (at(), any::<u8>()).prop_map(|(at, content)| Operation::Note(at, content)),
        2 => staged().prop_map(Operation::Stage),
        2 => (staged(), any::<u8>()).prop_map(|(staged, content)| Operation::Append(staged, content)),
        1 => staged().prop_map(Operation::Discard),
        1 => (at(), 0..9_u64, 0..9_u64).prop_map(|(at, from, to)| Operation::Stream(at, from..to)),
        1 => (0..PREFIXES.len(), prop::option::of("[p-y]"))
            .prop_map(|(prefix, after)| Operation::List(prefix, after)),
    ];
    prop::collection::vec(operation, 1..30)
}

/// What a caller can tell a result by.
fn told<T: std::fmt::Debug>(result: Result<T, StorageError>) -> String {
    match result {
        Ok(value) => format!("{value:?}"),
        Err(error) => format!("{error:?}")
            .split_whitespace()
            .next()
            .unwrap_or_default()
            .to_owned(),
    }
}

fn bytes(content: u8) -> Bytes {
    vec![content; usize::from(content) % 8].into()
}

async fn run(storage: &Storage, operation: &Operation) -> String {
    match operation {
        Operation::Commit(guards, changes) => {
            let mut checked = Vec::new();
            for (at, expected) in guards {
                let of = async |at: usize| storage.read(&key(KEYS[at]), 100).await;
                let current = match expected {
                    Expected::Current => Some(of(*at).await),
                    Expected::Of(other) => Some(of(*other).await),
                    Expected::Any | Expected::Absent => None,
                };
                let condition = match (expected, current) {
                    (Expected::Any, _) => Condition::Any,
                    (_, Some(Ok((_, version)))) => Condition::Is(version),
                    _ => Condition::Absent,
                };
                checked.push(Guard {
                    key: key(KEYS[*at]),
                    condition,
                });
            }
            let mut steps = Vec::new();
            for change in changes {
                steps.push(match change {
                    Change::Write(at, content) => Step::Write {
                        key: key(KEYS[*at]),
                        content: bytes(*content),
                    },
                    Change::Remove(at) => Step::Remove { key: key(KEYS[*at]) },
                    Change::RemovePrefix(prefix) => Step::Remove {
                        key: key(PREFIXES[*prefix]),
                    },
                    Change::Number(content) => Step::Number {
                        counter: key("counter"),
                        stem: key("q/n"),
                        content: bytes(*content),
                    },
                    Change::Promote(staged, at) => match storage.open_staged(&id(STAGED[*staged])).await {
                        Ok(staged) => Step::Promote {
                            staged,
                            key: key(KEYS[*at]),
                        },
                        // Not staged, or in an earlier step of this commit.
                        Err(error) => return told::<()>(Err(error)),
                    },
                });
            }
            told(storage.commit(checked, steps).await)
        }
        Operation::Note(at, content) => told(storage.note(&key(KEYS[*at]), bytes(*content)).await),
        Operation::Stage(staged) => told(storage.stage(&id(STAGED[*staged])).await),
        Operation::Append(staged, content) => match storage.open_staged(&id(STAGED[*staged])).await {
            Ok(mut writer) => told(writer.append(bytes(*content).to_vec(), <[u8]>::to_vec).await),
            Err(error) => told::<()>(Err(error)),
        },
        Operation::Discard(staged) => told(storage.discard(&id(STAGED[*staged])).await),
        Operation::Stream(at, range) => match storage.open(&key(KEYS[*at]), Some(range.clone())).await {
            Ok(reader) => told(reader.into_stream().try_collect::<Vec<Bytes>>().await),
            Err(error) => told::<()>(Err(error)),
        },
        Operation::List(prefix, after) => {
            // A folder may keep an empty prefix.
            let mut listed = storage
                .list(&key(PREFIXES[*prefix]), after.as_deref(), 9)
                .await
                .unwrap();
            listed.retain(|entry| entry.kind == EntryKind::Object);
            format!("{listed:?}")
        }
    }
}

/// Everything that is there.
async fn state(storage: &Storage) -> Vec<String> {
    let mut state = Vec::new();
    for at in KEYS {
        let read = storage.read(&key(at), 100).await;
        let size = storage.stat(&key(at)).await.map(|stat| stat.size);
        state.push(format!("{at}: {} {}", told(read), told(size)));
    }
    // Numbers, and the one that was taken last.
    for prefix in ["q", "counter"] {
        let mut listed = storage.list(&key(prefix), None, 99).await.unwrap();
        listed.retain(|entry| entry.kind == EntryKind::Object);
        state.push(format!("{listed:?}"));
    }
    for (staged, stat) in storage.list_staged(None, 9).await.unwrap() {
        state.push(format!("{staged}: {}", stat.size));
    }
    state
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]
    #[test]
    fn any_sequence_of_operations_has_the_same_results_on_every_backend(operations in operations()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let options = Options { durability: Durability::None };
        let filesystem = Storage::Filesystem(Filesystem::open(folder.path(), options).unwrap());
        let memory = Storage::Memory(Memory::new(|| 0));
        runtime.block_on(async {
            for operation in &operations {
                assert_eq!(run(&filesystem, operation).await, run(&memory, operation).await, "{operation:?}");
                assert_eq!(state(&filesystem).await, state(&memory).await, "after {operation:?}");
            }
        });
    }
}
