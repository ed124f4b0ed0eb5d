//! Hash states and what else of an upload comes back to us. Lines: algorithm, a place to damage, an owner, an upload id;
//! then content, a piece of which arrives later.

use bytes::Bytes;
use registry_service::http::UploadStates;
use registry_service::http::fuzzing::{is_signed_upload, sign_upload};
use registry_service::registry::UploadId;
use registry_service::registry::fuzzing::{resume, seal, seal_any, staged};
use shared::oci::{Algorithm, Digest, RepositoryName};
use shared::secret::Secret;

use crate::input;

pub(crate) fn run(data: &[u8]) {
    let [algorithm, place, owner, id, content] = input::byte_lines(data);
    let algorithm = if algorithm.first().is_some_and(|byte| byte % 2 == 1) {
        Algorithm::Sha512
    } else {
        Algorithm::Sha256
    };
    let place = input::text(place).parse::<usize>().unwrap_or(place.len());
    let (owner, id) = (input::text(owner), input::text(id));
    ids(&id);
    let own = UploadId::from_random(
        std::array::from_fn(|at| content.get(at).copied().unwrap_or(7)),
        algorithm,
    );
    states(algorithm, place, &owner, &own, content);
    locations(&owner, &id, &own);
}

/// An id reads back what it prints, and is no other text.
fn ids(text: &str) {
    if let Ok(id) = text.parse::<UploadId>() {
        assert_eq!(id.to_string(), text);
        let repository = repository("a/b");
        assert!(staged(&id, &repository, "x").as_str().starts_with(text));
        assert_ne!(staged(&id, &repository, "x"), staged(&id, &repository, "y"));
    }
}

fn repository(text: &str) -> RepositoryName {
    text.parse().expect("a name")
}

/// A state that was kept goes on to the digest of the whole; what is not wholly our own is not believed.
fn states(algorithm: Algorithm, place: usize, owner: &str, id: &UploadId, content: &[u8]) {
    let name = staged(id, &repository("a/b"), owner);
    let secret = Secret::new(vec![1; 32]);
    let (before, after) = content.split_at(place.min(content.len()));
    let sealed = seal(algorithm, before, &secret, &name);
    let (offset, digest) = resume(&sealed, &secret, &name, after).expect("our own state");
    assert_eq!(offset, before.len() as u64);
    assert_eq!(digest, Digest::of(algorithm, content));
    assert!(sealed.len() <= 1_024);

    assert_eq!(resume(&sealed, &Secret::new(vec![2; 32]), &name, after), None);
    let other = staged(id, &repository("a/c"), owner);
    assert_eq!(resume(&sealed, &secret, &other, after), None);
    let mut damaged = sealed.to_vec();
    let at = place % damaged.len();
    damaged[at] ^= 1 << (place / damaged.len() % 8);
    assert_eq!(resume(&damaged, &secret, &name, after), None, "damaged at {at}");
    assert_eq!(resume(&sealed[..at], &secret, &name, after), None, "cut at {at}");
    assert_eq!(resume(content, &secret, &name, after), None, "not sealed at all");
    // What is sealed well and makes no sense is refused, or it is a state: never a panic.
    // (Only the words of the hash can be others than ours: how much was hashed is checked.)
    let foreign: Bytes = seal_any(content, &secret, &name);
    let _ = resume(&foreign, &secret, &name, after);
    let mut changed = sealed[..sealed.len() - 32].to_vec();
    let end = changed.len();
    for (own, other) in changed[at.min(end)..].iter_mut().zip(content) {
        *own = *other;
    }
    let _ = resume(&seal_any(&changed, &secret, &name), &secret, &name, after);
}

/// A location is good for its upload alone.
fn locations(owner: &str, text: &str, id: &UploadId) {
    let states = UploadStates::new(&Secret::new(vec![3; 32]));
    let (own, other) = (repository("a/b"), repository("a/c"));
    let id = id.to_string();
    let state = sign_upload(&states, &own, &id, owner);
    assert!(is_signed_upload(&states, &state, &own, &id, owner));
    assert!(!is_signed_upload(&states, &state, &other, &id, owner));
    assert!(!is_signed_upload(
        &states,
        &state,
        &own,
        &id,
        &format!("{owner}x")
    ));
    assert!(text == id || !is_signed_upload(&states, &state, &own, text, owner));
    assert!(
        text == state || !is_signed_upload(&states, text, &own, &id, owner),
        "forged: {text:?}"
    );
}
