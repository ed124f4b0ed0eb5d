use std::time::Duration;

use shared::secret::Secret;

use super::*;
use crate::app::fixture::{Fixture, NOW_MS};
use crate::store::postgres_server;

const HOUR: i64 = 3_600_000;
const PLAN: RotationPlan = RotationPlan {
    every: Some(24 * HOUR),
    notice: HOUR,
    overlap: HOUR / 2,
};

fn options() -> KeyOptions {
    KeyOptions {
        issuer: "portolan".to_owned(),
        folder: None,
        master: None,
        plan: PLAN,
    }
}

fn master(byte: u8) -> MasterKey {
    MasterKey::parse(&Secret::new(format!("{byte:02x}").repeat(32))).unwrap()
}

async fn memory() -> Store {
    Store::open("sqlite::memory:").await.unwrap()
}

async fn open(store: &Store, options: KeyOptions) -> Result<Keys, KeysError> {
    Keys::open(store, options, &Clock::fixed(NOW_MS).0, &Random::system()).await
}

fn signing(app: &App) -> String {
    let jwks: serde_json::Value = serde_json::from_str(&app.jwks()).unwrap();
    jwks["keys"][0]["kid"].as_str().unwrap().to_owned()
}

fn published(app: &App) -> usize {
    let jwks: serde_json::Value = serde_json::from_str(&app.jwks()).unwrap();
    jwks["keys"].as_array().unwrap().len()
}

async fn states(app: &App) -> Vec<KeyState> {
    let keys = app.list_keys(By::Machine).await.unwrap();
    keys.iter().map(|key| key.facts.state).collect()
}

#[tokio::test]
async fn a_new_database_gets_an_authority_a_key_that_signs_and_one_that_is_known_beforehand() {
    let store = memory().await;
    let fixture = Fixture::with_keys(store.clone(), options()).await;
    assert_eq!(states(&fixture.app).await, [KeyState::Next, KeyState::Current]);
    assert_eq!(published(&fixture.app), 2);
    // Another process finds the same.
    let other = open(&store, options()).await.unwrap();
    assert_eq!(other.signer().keys().jwks(), fixture.app.jwks());
    assert_eq!(other.signer().keys().authority_pem(), fixture.app.authority_pem());
}

#[tokio::test]
async fn keys_of_a_folder_are_taken_in_once_and_go_on_signing() {
    let folder = tempfile::tempdir().unwrap();
    let random = Random::system();
    let (clock, _) = Clock::fixed(NOW_MS);
    let authority = AuthorityMaterial::generate(None, clock.now(), &random).unwrap();
    let key = KeyMaterial::generate(&authority, None, clock.now(), &random).unwrap();
    let write = |name: &str, text: &str| {
        shared::runtime::private_file::write_private(&folder.path().join(name), text.as_bytes()).unwrap();
    };
    write("ca.key", &authority.private_key);
    write("ca.pem", &authority.certificate);
    write(&format!("signing-{}.key", key.key_id), &key.private_key);
    let store = memory().await;
    let with_folder = KeyOptions {
        folder: Some(folder.path().to_owned()),
        ..options()
    };
    let fixture = Fixture::with_keys(store.clone(), with_folder.clone()).await;
    assert_eq!(signing(&fixture.app), key.key_id);
    assert_eq!(fixture.app.authority_pem(), authority.certificate);
    // What lies in the folder afterwards is of no matter.
    write("signing-else.key", "garbage");
    let again = open(&store, with_folder).await.unwrap();
    assert_eq!(again.signer().keys().jwks(), fixture.app.jwks());
    let without = open(&store, options()).await.unwrap();
    assert_eq!(without.signer().keys().jwks(), fixture.app.jwks());
}

#[tokio::test]
async fn the_certificate_lies_in_the_folder_and_no_private_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys");
    let options = KeyOptions {
        folder: Some(path.clone()),
        ..options()
    };
    let keys = open(&memory().await, options).await.unwrap();
    let names: Vec<_> = std::fs::read_dir(&path)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names, ["ca.pem"]);
    let pem = std::fs::read_to_string(path.join("ca.pem")).unwrap();
    assert_eq!(pem, keys.signer().keys().authority_pem());
}

#[tokio::test]
async fn a_key_signs_when_its_turn_comes_and_the_one_before_goes_after_its_last_token() {
    let fixture = Fixture::with_keys(memory().await, options()).await;
    let app = &fixture.app;
    let mut changes = app.key_changes();
    let first = signing(app);
    app.tend_keys().await.unwrap();
    assert_eq!(signing(app), first);
    assert!(!changes.has_changed().unwrap());
    fixture.clock.advance(Duration::from_hours(24));
    app.tend_keys().await.unwrap();
    assert_ne!(signing(app), first);
    assert!(changes.has_changed().unwrap());
    changes.mark_unchanged();
    assert_eq!(
        states(app).await,
        [KeyState::Next, KeyState::Current, KeyState::Retired]
    );
    assert!(app.jwks().contains(&first), "what it signed is believed still");
    fixture.clock.advance(Duration::from_mins(29));
    app.tend_keys().await.unwrap();
    assert!(app.jwks().contains(&first));
    fixture.clock.advance(Duration::from_mins(1));
    app.tend_keys().await.unwrap();
    assert!(!app.jwks().contains(&first));
    assert_eq!(published(app), 2);
}

#[tokio::test]
async fn a_rotation_that_is_asked_for_waits_until_the_next_key_is_known_everywhere() {
    let fixture = Fixture::with_keys(memory().await, options()).await;
    let app = &fixture.app;
    let first = signing(app);
    let from = app.rotate_keys(By::Machine).await.unwrap();
    assert_eq!(from, NOW_MS + HOUR);
    assert_eq!(
        app.rotate_keys(By::Machine).await.unwrap(),
        from,
        "it is one rotation"
    );
    assert_eq!(
        app.list_keys(By::Machine).await.unwrap()[0].signs_from,
        Some(from)
    );
    assert_eq!(signing(app), first);
    fixture.clock.set(from);
    app.tend_keys().await.unwrap();
    let second = signing(app);
    assert_ne!(second, first);
    // The next but one was published just now.
    fixture.clock.advance(Duration::from_mins(59));
    app.rotate_keys(By::Machine).await.unwrap();
    assert_eq!(signing(app), second);
    fixture.clock.advance(Duration::from_mins(1));
    app.rotate_keys(By::Machine).await.unwrap();
    assert_ne!(signing(app), second);
}

#[tokio::test]
async fn of_replicas_that_find_the_same_thing_due_one_does_it_and_the_others_take_it_up() {
    for store in [Some(memory().await), postgres_server::new_store().await]
        .into_iter()
        .flatten()
    {
        let one = Fixture::with_keys(store.clone(), options()).await;
        let two = Fixture::with_keys(store.clone(), options()).await;
        let first = signing(&one.app);
        for fixture in [&one, &two] {
            fixture.clock.advance(Duration::from_hours(24));
        }
        let (a, b) = tokio::join!(one.app.tend_keys(), two.app.tend_keys());
        a.unwrap();
        b.unwrap();
        one.app.tend_keys().await.unwrap();
        two.app.tend_keys().await.unwrap();
        assert_ne!(signing(&one.app), first);
        assert_eq!(one.app.jwks(), two.app.jwks());
        assert_eq!(
            states(&one.app).await,
            [KeyState::Next, KeyState::Current, KeyState::Retired]
        );
    }
}

#[tokio::test]
async fn replicas_that_open_one_empty_database_at_once_end_with_the_same_keys() {
    if let Some(store) = postgres_server::new_store().await {
        let (a, b, c) = tokio::join!(
            open(&store, options()),
            open(&store, options()),
            open(&store, options())
        );
        let sets: Vec<_> = [a, b, c].map(|keys| keys.unwrap().signer().keys().jwks()).into();
        assert!(sets.iter().all(|set| *set == sets[0]));
        store.close().await;
    }
}

#[tokio::test]
async fn private_keys_are_encrypted_with_the_master_key_and_another_one_is_told_so() {
    let store = memory().await;
    let sealed = |byte| KeyOptions {
        master: Some(master(byte)),
        ..options()
    };
    let fixture = Fixture::with_keys(store.clone(), sealed(1)).await;
    let mut tx = store.read().await.unwrap();
    for (_, kept) in signing_key::list_signing_keys(&mut tx).await.unwrap() {
        assert_eq!(sealed_with(&kept.private_key), Some(master(1).id()));
    }
    let authority = signing_key::find_authority(&mut tx).await.unwrap().unwrap();
    assert_eq!(sealed_with(&authority.private_key), Some(master(1).id()));
    drop(tx);
    for (options, hint) in [(options(), "none was given"), (sealed(2), master(2).id())] {
        let refused = open(&store, options).await.unwrap_err().to_string();
        assert!(
            refused.contains(hint) && refused.contains(master(1).id()),
            "{refused}"
        );
    }
    assert_eq!(fixture.app.encrypt_keys(&master(2)).await.unwrap(), 3);
    let keys = open(&store, sealed(2)).await.unwrap();
    assert_eq!(keys.signer().keys().jwks(), fixture.app.jwks());
    assert!(open(&store, sealed(1)).await.is_err());
}

#[tokio::test]
async fn keys_that_lie_in_the_clear_are_encrypted_by_the_command() {
    let store = memory().await;
    let fixture = Fixture::with_keys(store.clone(), options()).await;
    fixture.app.encrypt_keys(&master(3)).await.unwrap();
    let shown = fixture.app.list_keys(By::Machine).await.unwrap();
    assert!(
        shown
            .iter()
            .all(|key| key.encrypted_with.as_deref() == Some(master(3).id()))
    );
    assert!(open(&store, options()).await.is_err());
}

#[tokio::test]
async fn a_certificate_that_ends_soon_is_issued_anew() {
    let never = RotationPlan { every: None, ..PLAN };
    let plan = KeyOptions {
        plan: never,
        ..options()
    };
    let fixture = Fixture::with_keys(memory().await, plan).await;
    let certificate = async || {
        let mut tx = fixture.store.read().await.unwrap();
        signing_key::list_signing_keys(&mut tx).await.unwrap()[0]
            .1
            .certificate
            .clone()
    };
    let before = certificate().await;
    fixture.clock.advance(Duration::from_hours(24 * (2 * 365 + 2)));
    fixture.app.tend_keys().await.unwrap();
    assert_ne!(certificate().await, before);
}

#[tokio::test]
async fn after_a_revocation_nothing_that_was_published_is_and_another_process_signs_with_the_new_key() {
    for authority in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let store = memory().await;
        let options = || KeyOptions {
            folder: Some(folder.path().to_owned()),
            ..options()
        };
        let one = Fixture::with_keys(store.clone(), options()).await;
        let two = Fixture::with_keys(store.clone(), options()).await;
        let mut changes = one.app.key_changes();
        let before: Vec<String> = one
            .app
            .list_keys(By::Machine)
            .await
            .unwrap()
            .into_iter()
            .map(|key| key.facts.key_id)
            .collect();
        let pem = one.app.authority_pem();
        assert_eq!(one.app.revoke_keys(By::Machine, authority).await.unwrap(), 2);
        assert!(changes.has_changed().unwrap());
        changes.mark_unchanged();
        two.app.tend_keys().await.unwrap();
        assert_eq!(one.app.jwks(), two.app.jwks());
        assert!(before.iter().all(|key| !one.app.jwks().contains(key)));
        assert_eq!(states(&one.app).await, [KeyState::Next, KeyState::Current]);
        assert_eq!(one.app.authority_pem() == pem, !authority);
        let written = std::fs::read_to_string(folder.path().join("ca.pem")).unwrap();
        assert_eq!(written, one.app.authority_pem());
        // What is there from now on can be opened, and signs.
        let opened = open(&store, options()).await.unwrap();
        assert_eq!(opened.signer().keys().jwks(), one.app.jwks());
    }
}
