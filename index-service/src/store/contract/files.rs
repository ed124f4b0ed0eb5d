//! What only files and servers show: modes, two processes on one database, migrations at once, a schema of others.

use std::os::unix::fs::PermissionsExt as _;

use super::*;

fn url(folder: &tempfile::TempDir) -> String {
    format!("sqlite://{}/index.db", folder.path().display())
}

#[tokio::test]
async fn a_sqlite_file_is_its_owners_alone_durable_and_found_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&url(&folder)).await.unwrap();
    let mut tx = store.write().await.unwrap();
    put_setting(&mut tx, "k", "v").await.unwrap();
    tx.commit().await.unwrap();
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", entry.path().display());
    }
    let super::super::Pools::Sqlite { writer, .. } = &store.pools else {
        unreachable!("the address says SQLite")
    };
    for (pragma, value) in [
        ("synchronous", "2"),
        ("foreign_keys", "1"),
        ("busy_timeout", "5000"),
        ("trusted_schema", "0"),
    ] {
        let set: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(format!("pragma {pragma}")))
            .fetch_one(writer)
            .await
            .unwrap();
        assert_eq!(set.to_string(), value, "{pragma}");
    }
    let mode: String = sqlx::query_scalar("pragma journal_mode")
        .fetch_one(writer)
        .await
        .unwrap();
    assert_eq!(mode, "wal");
    store.close().await;
    let left: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    assert_eq!(left, ["index.db"], "the log is tidied away");
    let store = Store::open(&url(&folder)).await.unwrap();
    let mut tx = store.read().await.unwrap();
    assert_eq!(find_setting(&mut tx, "k").await.unwrap().as_deref(), Some("v"));
}

#[tokio::test]
async fn a_reader_of_a_file_neither_writes_nor_sees_later_writes_nor_waits_for_the_writer() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&url(&folder)).await.unwrap();
    let mut before = store.read().await.unwrap();
    assert_eq!(find_setting(&mut before, "k").await.unwrap(), None);
    let mut tx = store.write().await.unwrap();
    put_setting(&mut tx, "k", "v").await.unwrap();
    store.check().await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(find_setting(&mut before, "k").await.unwrap(), None);
    assert!(put_setting(&mut before, "k", "w").await.is_err());
}

/// Does as whoever is told to try again: on a busy machine the turn of one comes later than all of them may wait.
macro_rules! patiently {
    ($attempt:expr) => {{
        let mut attempts_left = 20;
        loop {
            match $attempt.await {
                Err(StoreError::Unavailable { .. }) if attempts_left > 0 => attempts_left -= 1,
                answered => break answered.unwrap(),
            }
        }
    }};
}

/// Opens the same database many times at once, as replicas and commands do, and counts together.
async fn open_and_count_at_once(address: &str) {
    const OPENERS: i64 = 6;
    const STEPS: i64 = 10;
    let openers: Vec<_> = (0..OPENERS)
        .map(|opener| {
            let address = address.to_owned();
            tokio::spawn(async move {
                let store = patiently!(Store::open(&address));
                for _ in 0..STEPS {
                    let mut tx = patiently!(store.write());
                    // A row to lock, made by whoever comes first.
                    let name: Username = "counter".parse().unwrap();
                    let new = NewAccount {
                        account_id: AccountId::from_i64(opener + 1),
                        username: &name,
                        password_hash: &HASH.parse().unwrap(),
                        is_admin: false,
                    };
                    match create_account(&mut tx, &new, NOW).await {
                        Ok(()) | Err(StoreError::Conflict(_)) => {}
                        Err(error) => panic!("{error:?}"),
                    }
                    let account = find_account(&mut tx, &name).await.unwrap().unwrap();
                    lock_account(&mut tx, account.account_id).await.unwrap();
                    let count: i64 = find_setting(&mut tx, "n")
                        .await
                        .unwrap()
                        .map_or(0, |n| n.parse().unwrap());
                    put_setting(&mut tx, "n", &(count + 1).to_string()).await.unwrap();
                    tx.commit().await.unwrap();
                }
                store.close().await;
            })
        })
        .collect();
    for opener in openers {
        opener.await.unwrap();
    }
    let store = Store::open(address).await.unwrap();
    let mut tx = store.read().await.unwrap();
    let count = find_setting(&mut tx, "n").await.unwrap();
    assert_eq!(count, Some((OPENERS * STEPS).to_string()));
    drop(tx);
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_processes_open_one_new_sqlite_file_and_lose_no_write() {
    let folder = tempfile::tempdir().unwrap();
    open_and_count_at_once(&url(&folder)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_processes_open_one_new_postgresql_database_and_lose_no_write() {
    if let Some(address) = postgres_server::new_database().await {
        open_and_count_at_once(&address).await;
    }
}

#[tokio::test]
async fn a_schema_that_another_program_made_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut addresses = vec![url(&folder)];
    addresses.extend(postgres_server::new_database().await);
    for address in addresses {
        let store = Store::open(&address).await.unwrap();
        let mut tx = store.write().await.unwrap();
        let change = "update schema_migration set checksum = 'x' where version = 2";
        super::super::dialect::on!(&mut tx, c => sqlx::query(change).execute(c).await.map(drop)).unwrap();
        tx.commit().await.unwrap();
        store.close().await;
        let refused = Store::open(&address).await.unwrap_err();
        let cause = std::error::Error::source(&refused).unwrap().to_string();
        assert!(cause.contains("0002_repositories"), "{cause}");
    }
}

#[tokio::test]
async fn a_database_that_is_away_is_unavailable() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let refused = Store::open(&format!("postgres://x@{closed}/x?sslmode=disable")).await;
    assert!(
        matches!(refused, Err(StoreError::Unavailable { .. })),
        "{refused:?}"
    );
    let refused = Store::open("sqlite:///nonexistent/folder/x.db").await;
    assert!(
        matches!(refused, Err(StoreError::Unavailable { .. })),
        "{refused:?}"
    );
}

#[tokio::test]
async fn an_address_of_another_kind_is_refused_without_repeating_it() {
    for address in ["mysql://u:canary@h/d", "", "sqlite://", "/var/lib/x.db"] {
        let refused = Store::open(address).await.unwrap_err();
        assert!(matches!(refused, StoreError::Address(_)), "{refused:?}");
        assert!(!format!("{refused} {refused:?}").contains("canary"));
    }
}
