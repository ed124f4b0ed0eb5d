//! Copies between databases of all kinds, and backups.

use std::os::unix::fs::PermissionsExt as _;

use super::super::backup::{BackupError, back_up, restore, verify};
use super::super::copy::{CopyError, TableSummary, copy, describe};
use super::super::signing_key::{KeptKey, create_authority};
use super::*;

async fn files(folder: &tempfile::TempDir, name: &str) -> Store {
    let address = format!("sqlite://{}/{name}.db", folder.path().display());
    Store::open(&address).await.unwrap()
}

/// Something of most kinds of columns.
async fn fill(store: &Store) {
    let mut tx = store.write().await.unwrap();
    for id in 1..=450 {
        let name = format!("user{id}");
        super::account(&mut tx, id, &name, id % 2 == 0).await;
        repository(&mut tx, id + 5000, &format!("{name}/app"), Visibility::Internal).await;
    }
    put_setting(&mut tx, "k", "一 'quoted' \u{1F600}\n")
        .await
        .unwrap();
    let kept = KeptKey {
        private_key: "private".to_owned(),
        certificate: "certificate".to_owned(),
    };
    create_authority(&mut tx, &kept, NOW).await.unwrap();
    tx.commit().await.unwrap();
}

fn of<'a>(summaries: &'a [TableSummary], table: &str) -> &'a TableSummary {
    summaries.iter().find(|summary| summary.table == table).unwrap()
}

#[tokio::test]
async fn a_database_is_the_same_after_every_way_there_and_back() {
    let folder = tempfile::tempdir().unwrap();
    let first = files(&folder, "first").await;
    fill(&first).await;
    let mut told = 0;
    let second = files(&folder, "second").await;
    let there = copy(&first, &second, |progress| {
        assert!(progress.done <= progress.of);
        told += 1;
    })
    .await
    .unwrap();
    assert_eq!(
        (of(&there, "account").rows, of(&there, "namespace").rows),
        (450, 451)
    );
    assert!(told > there.len());
    if let Some(postgres) = postgres_server::new_store().await {
        assert_eq!(copy(&second, &postgres, |_| {}).await.unwrap(), there);
        let back = files(&folder, "back").await;
        assert_eq!(copy(&postgres, &back, |_| {}).await.unwrap(), there);
        let mut tx = back.read().await.unwrap();
        let setting = find_setting(&mut tx, "k").await.unwrap();
        assert_eq!(setting.as_deref(), Some("一 'quoted' \u{1F600}\n"));
        drop(tx);
        postgres.close().await;
    }
}

#[tokio::test]
async fn a_target_that_is_not_empty_is_left_as_it_is() {
    let (from, to) = (
        Store::open("sqlite::memory:").await.unwrap(),
        Store::open("sqlite::memory:").await.unwrap(),
    );
    fill(&from).await;
    let mut tx = to.write().await.unwrap();
    put_setting(&mut tx, "mine", "1").await.unwrap();
    tx.commit().await.unwrap();
    let refused = copy(&from, &to, |_| {}).await.unwrap_err();
    assert!(
        matches!(&refused, CopyError::NotEmpty(table) if table == "setting"),
        "{refused:?}"
    );
    let mut tx = to.read().await.unwrap();
    assert_eq!(find_setting(&mut tx, "mine").await.unwrap().as_deref(), Some("1"));
    assert!(list_accounts(&mut tx, "", 1).await.unwrap().is_empty());
}

#[tokio::test]
async fn every_table_of_the_schema_is_copied_and_what_it_refers_to_before_it() {
    let store = Store::open("sqlite::memory:").await.unwrap();
    let mut tx = store.read().await.unwrap();
    let tables = describe(&mut tx).await.unwrap();
    let place = |name: &str| tables.iter().position(|table| table.name == name).unwrap();
    assert!(place("account") < place("namespace") && place("namespace") < place("repository"));
    assert!(place("token_authority") < tables.len() && place("audit_event") < tables.len());
    drop(tx);
    let super::super::Pools::Sqlite { writer, .. } = &store.pools else {
        unreachable!("the address says SQLite")
    };
    let count: i64 = sqlx::query_scalar("select count(*) from pragma_table_list where type = 'table' and schema = 'main' and name not like 'sqlite_%'")
        .fetch_one(writer)
        .await
        .unwrap();
    // Each database has a history of its own.
    assert_eq!(i64::try_from(tables.len()).unwrap(), count - 1);
}

#[tokio::test]
async fn a_backup_is_one_private_file_that_restores_to_the_same_rows_on_either_database() {
    let folder = tempfile::tempdir().unwrap();
    let live = files(&folder, "live").await;
    fill(&live).await;
    let file = folder.path().join("backup");
    // Somebody writes meanwhile: what was begun is seen by nobody.
    let mut writing = live.write().await.unwrap();
    put_setting(&mut writing, "later", "1").await.unwrap();
    let made = back_up(&live, &file, |_| {}).await.unwrap();
    writing.commit().await.unwrap();
    assert_eq!(
        std::fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let beside: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("backup"))
        .collect();
    assert_eq!(beside, ["backup"]);
    let sort = |mut summaries: Vec<TableSummary>| {
        summaries.sort_by(|a, b| a.table.cmp(&b.table));
        summaries
    };
    let made = sort(made);
    assert_eq!(sort(verify(&file).await.unwrap()), made);
    let mut targets = vec![files(&folder, "restored").await];
    targets.extend(postgres_server::new_store().await);
    for target in targets {
        assert_eq!(sort(restore(&file, &target, |_| {}).await.unwrap()), made);
        let mut tx = target.read().await.unwrap();
        assert_eq!(find_setting(&mut tx, "later").await.unwrap(), None);
        drop(tx);
        assert!(matches!(
            restore(&file, &target, |_| {}).await,
            Err(BackupError::Copy(CopyError::NotEmpty(_)))
        ));
        target.close().await;
    }
    assert!(matches!(
        back_up(&live, &file, |_| {}).await,
        Err(BackupError::Exists(_))
    ));
}

#[tokio::test]
async fn a_backup_that_was_changed_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let live = files(&folder, "live").await;
    fill(&live).await;
    let file = folder.path().join("backup");
    back_up(&live, &file, |_| {}).await.unwrap();
    let whole = std::fs::read(&file).unwrap();
    let change = |text: &str| {
        std::fs::write(&file, &whole).unwrap();
        let connection = rusqlite::Connection::open(&file).unwrap();
        connection.execute_batch(text).unwrap();
    };
    for text in [
        "update account set is_admin = 1 where account_id = 1",
        "delete from setting where key = 'k'",
        "drop table audit_event",
        "create table more (id integer primary key)",
        "drop table backup_manifest",
    ] {
        change(text);
        let refused = verify(&file).await.unwrap_err();
        assert!(
            matches!(refused, BackupError::Damaged { .. }),
            "{text}: {refused:?}"
        );
    }
    std::fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    assert!(verify(&file).await.is_err());
    std::fs::write(&file, b"not a database, but long enough to be looked at").unwrap();
    assert!(verify(&file).await.is_err());
    std::fs::write(&file, &whole).unwrap();
    verify(&file).await.unwrap();
}
