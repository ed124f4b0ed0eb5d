//! What goes wrong around a store: requests that end in the middle, connections that break, a writer elsewhere.

use sqlx::{ConnectOptions as _, Executor as _};

use super::super::Pools;
use super::super::error::database;
use super::*;

contracts!(a_request_that_ends_in_the_middle_leaves_nothing_behind);

/// Adds one twice, in two settings that must stay equal.
async fn add_one(store: &Store) -> Result<(), StoreError> {
    let mut tx = store.write().await?;
    for key in ["a", "b"] {
        let count: i64 = find_setting(&mut tx, key)
            .await?
            .map_or(0, |n| n.parse().unwrap());
        put_setting(&mut tx, key, &(count + 1).to_string()).await?;
    }
    tx.commit().await
}

async fn a_request_that_ends_in_the_middle_leaves_nothing_behind(store: &Store) {
    if matches!(&store.pools, Pools::Sqlite { readers: None, .. }) {
        return; // a database in memory goes with its connection, which is closed when it is left in a transaction
    }
    for polls in 0..60 {
        // The future is dropped after so many polls, wherever it is by then: waiting for a connection, in the
        // transaction, in its commit.
        let mut request = Box::pin(add_one(store));
        for _ in 0..polls {
            let step = std::future::poll_fn(|cx| std::task::Poll::Ready(request.as_mut().poll(cx))).await;
            if step.is_ready() {
                break;
            }
            tokio::task::yield_now().await;
        }
    }
    add_one(store).await.unwrap();
    let mut tx = store.read().await.unwrap();
    let (a, b) = (
        find_setting(&mut tx, "a").await.unwrap(),
        find_setting(&mut tx, "b").await.unwrap(),
    );
    assert!(a.is_some() && a == b, "{a:?} {b:?}");
}

#[tokio::test]
async fn broken_connections_to_postgresql_are_replaced() {
    let Some(store) = postgres_server::new_store().await else {
        return;
    };
    let Pools::Postgres(pool) = &store.pools else {
        unreachable!("the address says PostgreSQL")
    };
    let mut open = store.write().await.unwrap();
    put_setting(&mut open, "k", "v").await.unwrap();
    let end_all = "select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid()";
    pool.execute(end_all).await.unwrap();
    let broken = put_setting(&mut open, "k", "w").await.unwrap_err();
    assert!(matches!(broken, StoreError::Unavailable { .. }), "{broken:?}");
    drop(open);
    store.check().await.unwrap();
    let mut tx = store.write().await.unwrap();
    assert_eq!(find_setting(&mut tx, "k").await.unwrap(), None);
    tx.commit().await.unwrap();
    store.close().await;
}

#[tokio::test]
async fn a_statement_on_postgresql_ends_in_time_and_is_then_unavailable() {
    let Some(store) = postgres_server::new_store().await else {
        return;
    };
    let Pools::Postgres(pool) = &store.pools else {
        unreachable!("the address says PostgreSQL")
    };
    let limit: String = sqlx::query_scalar("show statement_timeout")
        .fetch_one(pool)
        .await
        .unwrap();
    assert_eq!(limit, "5s");
    let mut connection = pool.acquire().await.unwrap();
    connection
        .execute("set statement_timeout = '10ms'")
        .await
        .unwrap();
    let ended = connection.execute("select pg_sleep(60)").await.unwrap_err();
    let ended = database("read", "setting", ended);
    assert!(matches!(ended, StoreError::Unavailable { .. }), "{ended:?}");
    drop(connection);
    store.close().await;
}

#[tokio::test]
async fn a_sqlite_file_that_another_process_writes_is_unavailable_and_not_broken() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index.db");
    let store = Store::open(&format!("sqlite://{}", path.display()))
        .await
        .unwrap();
    let held = store.write().await.unwrap();
    let mut other = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(&path)
        .busy_timeout(std::time::Duration::ZERO)
        .connect()
        .await
        .unwrap();
    let busy = other.execute("begin immediate").await.unwrap_err();
    let busy = database("begin", "transaction", busy);
    assert!(matches!(busy, StoreError::Unavailable { .. }), "{busy:?}");
    drop(held);
    store.check().await.unwrap();
}

#[tokio::test]
async fn a_commit_that_fails_on_the_disk_does_not_end_writing_for_good() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index.db");
    let store = Store::open(&format!("sqlite://{}", path.display()))
        .await
        .unwrap();
    let mut tx = store.write().await.unwrap();
    put_setting(&mut tx, "k", "v").await.unwrap();
    // What SQLite does by itself when the disk is full or broken, behind the driver's back.
    let Tx::Sqlite(connection) = &mut tx else {
        unreachable!("the address says SQLite")
    };
    connection.execute("rollback").await.unwrap();
    tx.commit().await.unwrap_err();
    let mut tx = store.write().await.unwrap();
    put_setting(&mut tx, "k", "w").await.unwrap();
    tx.commit().await.unwrap();
}
