use std::os::unix::fs::PermissionsExt as _;

use shared::runtime::private_file::{PrivateFileError, write_private};

use super::*;
use crate::token::KeySet;

fn now() -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(1_790_000_000).unwrap()
}

/// A folder with an authority and `count` signing keys as they lay there, and their ids; the first is current.
fn folder(count: usize) -> (tempfile::TempDir, Vec<String>) {
    let (folder, random) = (tempfile::tempdir().unwrap(), Random::system());
    let write = |name: &str, text: &str| write_private(&folder.path().join(name), text.as_bytes()).unwrap();
    let authority = AuthorityMaterial::generate(None, now(), &random).unwrap();
    write("ca.key", &authority.private_key);
    write("ca.pem", &authority.certificate);
    let mut ids = Vec::new();
    for _ in 0..count {
        let key = KeyMaterial::generate(&authority, None, now(), &random).unwrap();
        write(&format!("signing-{}.key", key.key_id), &key.private_key);
        write(&format!("signing-{}.pem", key.key_id), &key.certificate);
        ids.push(key.key_id);
    }
    if let Some(first) = ids.first() {
        write("current", first);
    }
    (folder, ids)
}

fn read(folder: &Path) -> Result<Option<KeyFolder>, KeyError> {
    read_folder(folder, None, now(), &Random::system())
}

#[test]
fn the_key_that_current_names_comes_first_with_its_certificate() {
    let (folder, ids) = folder(3);
    let found = read(folder.path()).unwrap().unwrap();
    assert_eq!(found.keys.len(), 3);
    assert_eq!(found.keys[0].key_id, ids[0]);
    let kept = fs::read_to_string(folder.path().join(format!("signing-{}.pem", ids[0]))).unwrap();
    assert_eq!(found.keys[0].certificate, kept);
    let set = KeySet::read(&found.authority, &found.keys, None).unwrap();
    assert!(ids.iter().all(|id| set.jwks().contains(id)));
    assert_eq!(
        set.authority_pem(),
        fs::read_to_string(folder.path().join("ca.pem")).unwrap()
    );
}

#[test]
fn what_a_start_that_was_cut_off_left_out_is_made_anew() {
    let (cut, ids) = folder(1);
    for name in ["current", "ca.pem", &format!("signing-{}.pem", ids[0])] {
        fs::remove_file(cut.path().join(name)).unwrap();
        let found = read(cut.path()).unwrap().unwrap();
        assert_eq!(found.keys[0].key_id, ids[0], "without {name}");
        KeySet::read(&found.authority, &found.keys, None).unwrap();
    }
    let (without_keys, _) = folder(0);
    assert!(read(without_keys.path()).unwrap().unwrap().keys.is_empty());
    let empty = tempfile::tempdir().unwrap();
    assert!(read(empty.path()).unwrap().is_none());
    assert!(read(&empty.path().join("missing")).unwrap().is_none());
}

#[test]
fn several_keys_without_a_word_about_which_signs_are_refused() {
    let (folder, _) = folder(2);
    fs::remove_file(folder.path().join("current")).unwrap();
    assert!(matches!(read(folder.path()), Err(KeyError::NoCurrent(_))));
    fs::write(folder.path().join("current"), "another").unwrap();
    assert!(matches!(read(folder.path()), Err(KeyError::NoCurrent(_))));
}

#[test]
fn a_key_file_that_others_can_read_is_refused() {
    let (folder, ids) = folder(1);
    for name in ["ca.key".to_owned(), format!("signing-{}.key", ids[0])] {
        let path = folder.path().join(name);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(
            read(folder.path()),
            Err(KeyError::File(PrivateFileError::Exposed { .. }))
        ));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }
}

#[test]
fn a_key_under_a_wrong_name_is_refused() {
    let (folder, ids) = folder(1);
    fs::remove_file(folder.path().join("current")).unwrap();
    fs::rename(key_path(folder.path(), &ids[0]), key_path(folder.path(), "else")).unwrap();
    assert!(matches!(read(folder.path()), Err(KeyError::Malformed { .. })));
}

#[test]
fn the_certificate_is_written_once_and_replaced_when_it_is_another() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("keys");
    for text in ["one", "one", "two"] {
        write_certificate(&folder, text).unwrap();
        assert_eq!(fs::read_to_string(folder.join("ca.pem")).unwrap(), text);
    }
    assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
}
