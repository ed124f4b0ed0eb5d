//! What every function of the store promises, run on both databases.

use shared::oci::RepositoryName;
use shared::token::{Action, Actions, TagSet};

use super::access::find_known;
use super::access_token::*;
use super::account::*;
use super::deletion::*;
use super::device::*;
use super::listing::*;
use super::member::*;
use super::namespace::*;
use super::organisation::*;
use super::password_reset::*;
use super::repository::*;
use super::robot::*;
use super::rule::*;
use super::secret::*;
use super::setting::*;
use super::team::*;
use super::wrong_secret::*;
use super::{Store, StoreError, Tx, postgres_server};
use crate::domain::rule::ListedRule;
use crate::domain::*;

mod access_token;
mod account;
mod announcement;
mod audit;
mod comment;
mod content;
mod copy;
mod deletion;
mod departure;
mod device;
mod family;
mod faults;
mod files;
mod hub;
mod idempotency;
mod immutability;
mod invitation;
mod lineage;
mod listing;
mod notice;
mod organisation;
mod overview;
mod password_reset;
mod profile;
mod quota;
mod repository;
mod retention;
mod robot;
mod rule;
mod search;
mod secret;
mod sign_up;
mod signing_key;
mod team;
mod webhook;
mod work;
mod wrong_secret;

/// Names contracts and runs each on both databases, on SQLite in memory and in a file, which is read differently.
macro_rules! contracts {
    ($($name:ident),* $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test]
            async fn $name() {
                let store = crate::store::Store::open("sqlite::memory:").await.unwrap();
                super::$name(&store).await;
            })*
        }
        mod on_a_sqlite_file {
            $(#[tokio::test]
            async fn $name() {
                let folder = tempfile::tempdir().unwrap();
                let address = format!("sqlite://{}/index.db", folder.path().display());
                let store = crate::store::Store::open(&address).await.unwrap();
                super::$name(&store).await;
                store.close().await;
            })*
        }
        mod on_postgresql {
            $(#[tokio::test]
            async fn $name() {
                if let Some(store) = crate::store::postgres_server::new_store().await {
                    super::$name(&store).await;
                    store.close().await;
                }
            })*
        }
    };
}
use contracts;

const NOW: i64 = 1_800_000_000_000;
const HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA";

contracts!(
    settings_are_kept,
    settings_are_listed_by_how_they_begin_and_removed,
    what_is_not_committed_is_gone,
    a_snapshot_does_not_move,
    the_database_answers
);

async fn settings_are_kept(store: &Store) {
    let mut tx = store.write().await.unwrap();
    assert_eq!(find_setting(&mut tx, "k").await.unwrap(), None);
    put_setting(&mut tx, "k", "一").await.unwrap();
    put_setting(&mut tx, "k", "二").await.unwrap();
    assert_eq!(find_setting(&mut tx, "k").await.unwrap().as_deref(), Some("二"));
    tx.commit().await.unwrap();
    let mut tx = store.read().await.unwrap();
    assert_eq!(find_setting(&mut tx, "k").await.unwrap().as_deref(), Some("二"));
}

async fn settings_are_listed_by_how_they_begin_and_removed(store: &Store) {
    let mut tx = store.write().await.unwrap();
    for (key, value) in [("a:2", "二"), ("a:1", "1"), ("a", "x"), ("ab", "x"), ("b:1", "x")] {
        put_setting(&mut tx, key, value).await.unwrap();
    }
    tx.commit().await.unwrap();
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    let mut tx = store.read().await.unwrap();
    let listed = list_settings(&mut tx, "a:", 10).await.unwrap();
    assert_eq!(listed, [pair("a:1", "1"), pair("a:2", "二")]);
    assert_eq!(list_settings(&mut tx, "a:", 1).await.unwrap().len(), 1);
    assert!(list_settings(&mut tx, "c:", 10).await.unwrap().is_empty());
    drop(tx);
    let mut tx = store.write().await.unwrap();
    for _ in 0..2 {
        remove_setting(&mut tx, "a:1").await.unwrap();
    }
    let listed = list_settings(&mut tx, "a:", 10).await.unwrap();
    assert_eq!(listed, [pair("a:2", "二")]);
}

async fn what_is_not_committed_is_gone(store: &Store) {
    let mut tx = store.write().await.unwrap();
    put_setting(&mut tx, "k", "v").await.unwrap();
    drop(tx);
    let mut tx = store.read().await.unwrap();
    assert_eq!(find_setting(&mut tx, "k").await.unwrap(), None);
}

async fn a_snapshot_does_not_move(store: &Store) {
    if matches!(&store.pools, super::Pools::Sqlite { readers: None, .. }) {
        return; // in memory there is one connection
    }
    let mut before = store.read().await.unwrap();
    assert_eq!(find_setting(&mut before, "k").await.unwrap(), None);
    let mut tx = store.write().await.unwrap();
    put_setting(&mut tx, "k", "v").await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(find_setting(&mut before, "k").await.unwrap(), None);
    assert!(
        put_setting(&mut before, "k", "v").await.is_err(),
        "a reading transaction writes nothing"
    );
}

async fn the_database_answers(store: &Store) {
    store.check().await.unwrap();
    store.close().await;
    assert!(matches!(store.check().await, Err(StoreError::Unavailable { .. })));
}

/// An account with the namespace of its name.
async fn account(tx: &mut Tx, id: i64, name: &str, is_admin: bool) -> Account {
    let username: Username = name.parse().unwrap();
    let new = NewAccount {
        account_id: AccountId::from_i64(id),
        username: &username,
        password_hash: &HASH.parse().unwrap(),
        is_admin,
    };
    create_account(tx, &new, NOW).await.unwrap();
    let namespace = NamespaceName::from(&username);
    create_namespace(
        tx,
        NamespaceId::from_i64(id + 1000),
        &namespace,
        new.account_id,
        NOW,
    )
    .await
    .unwrap();
    find_account(tx, &username).await.unwrap().unwrap()
}

/// An organisation with the namespace of its name, and its owner.
async fn organisation(tx: &mut Tx, id: i64, name: &str, owner: &Account) -> OrganisationId {
    let organisation_id = OrganisationId::from_i64(id);
    let name: NamespaceName = name.parse().unwrap();
    create_organisation(
        tx,
        organisation_id,
        &name,
        name.as_str(),
        Some(owner.account_id),
        NOW,
    )
    .await
    .unwrap();
    create_organisation_namespace(tx, NamespaceId::from_i64(id + 1000), &name, organisation_id, NOW)
        .await
        .unwrap();
    join(tx, organisation_id, owner, OrganisationRole::Owner, None).await;
    organisation_id
}

async fn join(
    tx: &mut Tx,
    organisation_id: OrganisationId,
    account: &Account,
    role: OrganisationRole,
    end: Option<i64>,
) {
    put_member(tx, organisation_id, account.account_id, role, end, NOW)
        .await
        .unwrap();
}

/// An active repository in a namespace that exists.
async fn repository(tx: &mut Tx, id: i64, name: &str, visibility: Visibility) -> RepositoryFacts {
    let name: RepositoryName = name.parse().unwrap();
    let namespace = find_namespace(tx, &NamespaceName::from(&name))
        .await
        .unwrap()
        .unwrap();
    let new = NewRepository {
        repository_id: RepositoryId::from_i64(id),
        namespace_id: namespace.namespace_id,
        name: &name,
        stored_as: &name,
        visibility: Visibility::Private,
        created_by: None,
    };
    create_active_repository(tx, &new, NOW).await.unwrap();
    assert!(set_visibility(tx, new.repository_id, visibility).await.unwrap());
    find_repository(tx, &name).await.unwrap().unwrap()
}

fn limited(actions: Actions, pattern: &str) -> Ceiling {
    Ceiling::limited(Rights::of_actions(actions), pattern.parse().unwrap())
}

fn secret(byte: u8) -> SecretHash {
    SecretHash::new([byte; 32])
}
