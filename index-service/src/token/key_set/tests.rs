use std::os::unix::fs::PermissionsExt as _;

use super::*;

fn now() -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(1_790_000_000).unwrap()
}

fn open(folder: &Path) -> Result<KeySet, KeyError> {
    KeySet::open(folder, now(), &Random::system())
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn ids(keys: &KeySet) -> Vec<&str> {
    keys.keys().iter().map(|key| key.id.as_str()).collect()
}

#[test]
fn a_second_start_finds_the_keys_of_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("keys");
    let first = open(&folder).unwrap();
    let second = open(&folder).unwrap();
    assert_eq!(first.jwks(), second.jwks());
    assert_eq!(first.authority_pem(), second.authority_pem());
    assert_eq!(first.keys()[0].leaf, second.keys()[0].leaf);
    assert_eq!(mode(&folder), 0o700);
    assert_eq!(mode(&folder.join("ca.key")), 0o600);
    assert_eq!(mode(&key_path(&folder, &first.keys()[0].id)), 0o600);
}

#[test]
fn a_start_that_was_cut_off_anywhere_is_completed_by_the_next() {
    for missing in ["current", "ca.pem", "signing"] {
        let folder = tempfile::tempdir().unwrap();
        let first = open(folder.path()).unwrap();
        let name = if missing == "signing" {
            format!("signing-{}.pem", first.keys()[0].id)
        } else {
            missing.to_owned()
        };
        fs::remove_file(folder.path().join(name)).unwrap();
        let second = open(folder.path()).unwrap();
        assert_eq!(first.jwks(), second.jwks(), "without {missing}");
    }
}

#[test]
fn a_key_file_that_others_can_read_stops_the_start() {
    for name in ["ca.key", "signing"] {
        let folder = tempfile::tempdir().unwrap();
        let keys = open(folder.path()).unwrap();
        let path = if name == "signing" {
            key_path(folder.path(), &keys.keys()[0].id)
        } else {
            folder.path().join(name)
        };
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let error = open(folder.path()).unwrap_err();
        assert!(
            matches!(error, KeyError::File(PrivateFileError::Exposed { .. })),
            "{error:?}"
        );
    }
}

#[test]
fn a_key_under_a_wrong_name_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let keys = open(folder.path()).unwrap();
    let path = key_path(folder.path(), &keys.keys()[0].id);
    fs::rename(&path, key_path(folder.path(), "else")).unwrap();
    assert!(matches!(
        open(folder.path()),
        Err(KeyError::NoCurrent(_) | KeyError::Malformed { .. })
    ));
}

#[test]
fn the_key_that_current_names_signs_and_every_key_is_published() {
    let folder = tempfile::tempdir().unwrap();
    let first = open(folder.path()).unwrap();
    let second = generate_signing_key(folder.path()).unwrap();
    let keys = open(folder.path()).unwrap();
    assert_eq!(ids(&keys), [first.keys()[0].id.as_str(), second.as_str()]);
    fs::write(folder.path().join("current"), &second).unwrap();
    let keys = open(folder.path()).unwrap();
    assert_eq!(ids(&keys), [second.as_str(), first.keys()[0].id.as_str()]);
    for key in keys.keys() {
        assert!(keys.jwks().contains(&key.id));
    }
    fs::remove_file(folder.path().join("current")).unwrap();
    assert!(matches!(open(folder.path()), Err(KeyError::NoCurrent(_))));
}

#[test]
fn two_processes_may_make_the_keys_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("keys");
    let sets: Vec<String> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| open(&folder).unwrap().jwks()))
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(sets.iter().all(|set| *set == sets[0]));
}

#[test]
fn a_certificate_near_its_end_is_issued_anew_by_the_same_authority() {
    let folder = tempfile::tempdir().unwrap();
    let first = open(folder.path()).unwrap();
    let later = now() + time::Duration::days(2 * 365 + 2);
    let second = KeySet::open(folder.path(), later, &Random::system()).unwrap();
    assert_eq!(first.jwks(), second.jwks());
    assert_eq!(first.authority_pem(), second.authority_pem());
    assert_ne!(first.keys()[0].leaf, second.keys()[0].leaf);
}

#[test]
fn the_leaf_is_issued_by_the_authority_for_ten_years() {
    let folder = tempfile::tempdir().unwrap();
    let keys = open(folder.path()).unwrap();
    let (_, authority) = x509_parser::parse_x509_certificate(keys.authority_der()).unwrap();
    let (_, leaf) = x509_parser::parse_x509_certificate(&keys.keys()[0].leaf).unwrap();
    assert!(authority.is_ca() && !leaf.is_ca());
    assert_eq!(leaf.issuer(), authority.subject());
    leaf.verify_signature(Some(authority.public_key())).unwrap();
    authority.verify_signature(None).unwrap();
    assert!(authority.validity().is_valid_at(at(3649)) && !authority.validity().is_valid_at(at(3651)));
    assert!(leaf.validity().is_valid_at(at(0)) && leaf.validity().is_valid_at(at(1000)));
}

fn at(days: i64) -> x509_parser::time::ASN1Time {
    x509_parser::time::ASN1Time::from_timestamp(now().unix_timestamp() + days * 86_400).unwrap()
}

#[test]
fn published_coordinates_are_32_bytes_without_a_leading_zero() {
    let folder = tempfile::tempdir().unwrap();
    let keys = open(folder.path()).unwrap();
    let jwks: serde_json::Value = serde_json::from_str(&keys.jwks()).unwrap();
    let key = &jwks["keys"][0];
    for coordinate in ["x", "y"] {
        let bytes = URL_SAFE_NO_PAD.decode(key[coordinate].as_str().unwrap()).unwrap();
        assert_eq!(bytes.len(), 32);
        assert_ne!(bytes[0], 0);
    }
    assert_eq!(key["kid"], keys.keys()[0].id);
    assert_eq!(key["alg"], "ES256");
}
