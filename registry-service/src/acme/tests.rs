use std::time::Duration;

use shared::runtime::clock::Clock;
use shared::runtime::tls::self_signed;

use super::cache::Cache;
use super::order::answer_to_validation;
use super::renewal::{due, pause_after};
use super::source::{Certificates, Validity, check};
use super::*;

const DAY: i64 = 24 * 60 * 60;

#[test]
fn a_certificate_is_due_when_a_third_of_its_life_is_left_or_a_little_earlier() {
    let begins = 1_800_000_000;
    let of = |life: i64| Validity {
        begins,
        ends: begins + life,
    };
    for (life, earlier, expected) in [
        (90 * DAY, 0.0, 60 * DAY),
        (90 * DAY, 1.0, 57 * DAY),
        (90 * DAY, 7.0, 57 * DAY),
        (6 * DAY, 0.0, 4 * DAY),
        (30, 0.0, 20),
        (0, 1.0, 0),
        (-5, 0.5, -5),
    ] {
        assert_eq!(due(of(life), earlier) - begins, expected, "{life} {earlier}");
    }
}

#[test]
fn after_failures_the_pause_grows_to_a_bound_and_is_never_shorter_than_the_authority_wants() {
    let refused = |retry_after| AcmeError::Refused {
        status: 429,
        kind: "urn:ietf:params:acme:error:rateLimited".to_owned(),
        detail: "too many".to_owned(),
        retry_after,
    };
    let seconds = |failures, random| pause_after(&refused(None), failures, random).as_secs();
    assert_eq!(
        [1, 2, 3, 4, 20].map(|failures| seconds(failures, 0.0)),
        [60, 120, 240, 480, 4 * 3600]
    );
    assert_eq!(seconds(1, 1.0), 75);
    let wanted = Duration::from_hours(2);
    assert_eq!(pause_after(&refused(Some(wanted)), 1, 0.0), wanted);
    let week = Duration::from_hours(7 * 24);
    assert_eq!(
        pause_after(&refused(Some(week)), 1, 0.0),
        Duration::from_hours(24)
    );
}

#[test]
fn what_lies_in_the_folder_is_taken_and_what_is_damaged_there_is_as_good_as_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::open(folder.path()).unwrap();
    let hosts = ["a.test".to_owned(), "b.test".to_owned()];
    std::fs::write(cache.certificate("b.test"), "not a certificate").unwrap();
    let certificates = Certificates::read(cache.clone(), &hosts).unwrap();
    assert_eq!(certificates.validity("a.test"), None);
    assert_eq!(certificates.validity("b.test"), None);

    let now = Clock::system().now();
    let (certificate, key) = self_signed(&hosts[..1], now).unwrap();
    let text = format!("{}{certificate}", *key);
    Cache::write(&cache.certificate("a.test"), text.as_bytes()).unwrap();
    certificates.look("a.test");
    let validity = certificates.validity("a.test").unwrap();
    assert!(validity.begins < now.unix_timestamp() && validity.ends > now.unix_timestamp());
    // A bad one beside it changes nothing.
    Cache::write(&cache.certificate("a.test"), b"damaged").unwrap();
    certificates.look("a.test");
    assert_eq!(certificates.validity("a.test"), Some(validity));
    assert!(check(&cache.certificate("a.test")).is_err());
}

#[test]
fn one_process_orders_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (
        Cache::open(folder.path()).unwrap(),
        Cache::open(folder.path()).unwrap(),
    );
    let held = one.begin_ordering().unwrap();
    assert!(held.is_some());
    assert!(two.begin_ordering().unwrap().is_none());
    drop(held);
    assert!(two.begin_ordering().unwrap().is_some());
}

#[test]
fn the_answer_to_a_validation_names_the_host_and_carries_the_hash_as_critical() {
    use rustls_pki_types::CertificateDer;
    use rustls_pki_types::pem::PemObject as _;
    use x509_parser::prelude::{FromDer as _, X509Certificate};
    let text = answer_to_validation("a.test", &[7; 32]).unwrap();
    let der = CertificateDer::from_pem_slice(text.as_bytes()).unwrap();
    let (_, certificate) = X509Certificate::from_der(&der).unwrap();
    let names = certificate.subject_alternative_name().unwrap().unwrap();
    assert_eq!(names.value.general_names.len(), 1);
    let id = x509_parser::oid_registry::asn1_rs::oid!(1.3.6.1.5.5.7.1.31);
    let extension = certificate
        .extensions()
        .iter()
        .find(|extension| extension.oid == id)
        .unwrap();
    assert!(extension.critical);
    assert_eq!(extension.value, [&[4, 32][..], &[7; 32]].concat());
}

#[test]
fn a_folder_that_cannot_be_used_is_named_with_its_key() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let settings = Settings {
        folder: file.join("below"),
        email: None,
        hosts: vec!["a.test".to_owned()],
        directory: LETS_ENCRYPT.parse().unwrap(),
        authorities: None,
    };
    let error = Acme::open(settings).unwrap_err().to_string();
    assert!(
        error.contains("letsencrypt.cachefile") && error.contains("below"),
        "{error}"
    );
}
