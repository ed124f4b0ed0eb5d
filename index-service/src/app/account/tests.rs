use std::os::unix::fs::PermissionsExt as _;

use super::*;
use crate::app::fixture::Fixture;
use crate::domain::{Ceiling, NamespaceOwner, SecretHash};
use crate::store::device;

const PASSWORD: &str = "correct horse battery";

fn secret(text: &str) -> Secret<String> {
    Secret::new(text.to_owned())
}

#[tokio::test]
async fn a_new_account_owns_the_namespace_of_its_name() {
    let fixture = Fixture::new().await;
    let ada = fixture.app.create_account("Ada", secret(PASSWORD)).await.unwrap();
    assert!(!ada.is_admin);
    let mut tx = fixture.store.read().await.unwrap();
    let stored = account::find_account(&mut tx, &"ada".parse().unwrap())
        .await
        .unwrap();
    assert_eq!(stored.as_ref(), Some(&ada));
    let owned = namespace::find_namespace(&mut tx, &"ada".parse().unwrap())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(owned.owner, NamespaceOwner::Account(ada.account_id));
}

#[tokio::test]
async fn a_name_is_given_once_in_whatever_case() {
    let fixture = Fixture::new().await;
    fixture.app.create_account("ada", secret(PASSWORD)).await.unwrap();
    let again = fixture
        .app
        .create_account("ADA", secret("another good one"))
        .await
        .unwrap_err();
    assert!(matches!(again, AppError::Conflict(_)), "{again:?}");
    assert_eq!(again.to_string(), "the account exists already");
}

#[tokio::test]
async fn names_and_passwords_outside_the_rules_are_refused_with_the_rule() {
    let fixture = Fixture::new().await;
    let long = "a".repeat(257);
    for (name, password, says) in [
        ("users", PASSWORD, "reserved"),
        ("a/b", PASSWORD, "letters a to z"),
        ("", PASSWORD, "1 to 64"),
        ("ada", "short", "12 to 256"),
        ("ada", "elevenchars", "12 to 256"),
        ("ada", long.as_str(), "12 to 256"),
        ("ada", "with a \u{7} bell in it", "control"),
        ("ada", "ptl_pat_0123456789", "access token"),
        ("ada-lovelace", "Ada-Lovelace", "user name"),
        ("ada-lovelace", "ada-lovelace1", "too easy to guess"),
        ("ada", "password1234", "too easy to guess"),
    ] {
        let refused = fixture
            .app
            .create_account(name, secret(password))
            .await
            .unwrap_err();
        assert!(
            matches!(&refused, AppError::Invalid(text) if text.contains(says)),
            "{name} {password}: {refused:?}"
        );
    }
    for (name, password) in [
        ("eve", "我们的仓库在云上面呢吧啊"),
        ("bob", format!("violet harbour {}", "a".repeat(241)).as_str()),
    ] {
        fixture.app.create_account(name, secret(password)).await.unwrap();
    }
}

#[tokio::test]
async fn a_reset_password_voids_the_old_one_and_its_devices() {
    let fixture = Fixture::new().await;
    let ada = fixture.app.create_account("ada", secret(PASSWORD)).await.unwrap();
    let mut tx = fixture.store.write().await.unwrap();
    let new = device::NewDevice {
        device_id: crate::domain::DeviceId::from_i64(1),
        account_id: ada.account_id,
        secret_hash: SecretHash::new([1; 32]),
        client_id: "docker",
        user_agent: "",
        password_version: 1,
        ceiling: &Ceiling::Full,
        address: None,
        expires_at: i64::MAX,
        confirmed_until: None,
    };
    device::create_device(&mut tx, &new, fixture.app.clock.now_ms())
        .await
        .unwrap();
    tx.commit().await.unwrap();

    fixture
        .app
        .reset_password("ADA", secret("another good one"))
        .await
        .unwrap();
    let mut tx = fixture.store.read().await.unwrap();
    let (device, after) = device::find_device(&mut tx, SecretHash::new([1; 32]))
        .await
        .unwrap()
        .unwrap();
    drop(tx);
    assert!(device.revoked_at.is_some());
    assert_eq!(after.password_version, 2);
    assert_ne!(after.password_hash, ada.password_hash);
    let missing = fixture
        .app
        .reset_password("eve", secret(PASSWORD))
        .await
        .unwrap_err();
    assert!(matches!(missing, AppError::NotFound(_)), "{missing:?}");
}

#[tokio::test]
async fn the_first_start_makes_admin_with_a_random_password_that_is_kept_until_it_is_changed() {
    let fixture = Fixture::new().await;
    let path = fixture.initial_password_file();
    // Left over from a start that crashed before the account was there.
    std::fs::write(&path, "stale").unwrap();
    let password = fixture.app.ensure_admin().await.unwrap().unwrap();
    assert!(password.expose().len() == 24 && password.expose().is_ascii());
    assert_eq!(
        std::fs::read_to_string(&path).unwrap(),
        format!("{}\n", password.expose())
    );
    assert_eq!(
        std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let mut tx = fixture.store.read().await.unwrap();
    let admin = account::find_account(&mut tx, &"admin".parse().unwrap())
        .await
        .unwrap()
        .unwrap();
    drop(tx);
    assert!(admin.is_admin);

    assert!(
        fixture.app.ensure_admin().await.unwrap().is_none(),
        "a second start finds it again"
    );
    assert!(path.exists());
    fixture.app.create_account("ada", secret(PASSWORD)).await.unwrap();
    fixture
        .app
        .reset_password("ada", secret("another good one"))
        .await
        .unwrap();
    assert!(path.exists(), "the password of another account was changed");
    fixture
        .app
        .reset_password("admin", secret("another good one"))
        .await
        .unwrap();
    assert!(!path.exists());
    fixture
        .app
        .reset_password("admin", secret("yet another good one"))
        .await
        .unwrap();
}

#[tokio::test]
async fn many_first_starts_at_once_make_one_admin_whose_password_is_in_the_file() {
    let fixture = Fixture::new().await;
    let starts = (0..4).map(|_| {
        let app = std::sync::Arc::clone(&fixture.app);
        tokio::spawn(async move { app.ensure_admin().await.unwrap() })
    });
    let mut shown = Vec::new();
    for start in starts.collect::<Vec<_>>() {
        shown.extend(start.await.unwrap());
    }
    assert_eq!(shown.len(), 1);
    let kept = std::fs::read_to_string(fixture.initial_password_file()).unwrap();
    assert_eq!(kept.trim_end(), shown[0].expose());
}
