use time::OffsetDateTime;

use super::*;
use crate::random::Random;
use crate::token::MasterKey;

fn now() -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(1_790_000_000).unwrap()
}

fn material(master: Option<&MasterKey>) -> (AuthorityMaterial, KeyMaterial) {
    let random = Random::system();
    let authority = AuthorityMaterial::generate(master, now(), &random).unwrap();
    let key = KeyMaterial::generate(&authority, master, now(), &random).unwrap();
    (authority, key)
}

fn master(byte: u8) -> MasterKey {
    MasterKey::parse(&shared::secret::Secret::new(format!("{byte:02x}").repeat(32))).unwrap()
}

#[test]
fn sealed_keys_are_read_with_the_master_key_alone_and_sealed_anew() {
    let (one, two, random) = (master(1), master(2), Random::system());
    let (authority, key) = material(Some(&one));
    assert!(!key.private_key.contains("PRIVATE KEY"));
    KeySet::read(&authority, std::slice::from_ref(&key), Some(&one)).unwrap();
    for wrong in [None, Some(&two)] {
        let refused = KeySet::read(&authority, std::slice::from_ref(&key), wrong).unwrap_err();
        assert!(matches!(refused, KeyError::Sealed { .. }), "{refused:?}");
        assert!(refused.to_string().contains(one.id()), "{refused}");
    }
    let resealed = key.reseal(Some(&one), &two, &random).unwrap();
    // Done twice, as after a command that was cut off, it is the same.
    let again = resealed.reseal(Some(&one), &two, &random).unwrap();
    let authority = authority.reseal(Some(&one), &two, &random).unwrap();
    KeySet::read(&authority, &[again], Some(&two)).unwrap();
    let (_, plain) = material(None);
    assert!(plain.reseal(None, &two, &random).is_ok());
    assert!(key.reseal(None, &two, &random).is_err());
}

#[test]
fn a_key_under_another_id_is_refused() {
    let (authority, key) = material(None);
    let other = KeyMaterial {
        key_id: "else".to_owned(),
        ..key
    };
    let refused = KeySet::read(&authority, &[other], None);
    assert!(matches!(refused, Err(KeyError::Stored(_))), "{refused:?}");
}

#[test]
fn a_certificate_near_its_end_is_issued_anew_by_the_same_authority() {
    let (authority, key) = material(None);
    let random = Random::system();
    let renewed = |days| {
        let later = now() + time::Duration::days(days);
        key.renewed(&authority, None, later, &random).unwrap()
    };
    assert!(renewed(2 * 365 - 2).is_none());
    let second = renewed(2 * 365 + 2).unwrap();
    assert_eq!(second.key_id, key.key_id);
    assert_ne!(second.certificate, key.certificate);
}

#[test]
fn the_leaf_is_issued_by_the_authority_for_ten_years() {
    let (authority, key) = material(None);
    let keys = KeySet::read(&authority, &[key], None).unwrap();
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
    let (authority, key) = material(None);
    let keys = KeySet::read(&authority, &[key], None).unwrap();
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
