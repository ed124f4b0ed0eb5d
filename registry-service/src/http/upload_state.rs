//! `_state` of an upload's location: a signature that binds it to its repository, upload and owner.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use shared::oci::RepositoryName;
use shared::secret::Secret;

/// Signs and checks `_state`. What is stored decides how far an upload is, so the state holds no offset and that of an
/// earlier location stays good.
pub struct UploadStates(hmac::Key);

impl UploadStates {
    /// Signs with `http.secret`, which all replicas share.
    pub fn new(secret: &Secret<Vec<u8>>) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret.expose()))
    }

    /// The state of an upload.
    pub(super) fn sign(&self, repository: &RepositoryName, id: &str, owner: &str) -> String {
        URL_SAFE_NO_PAD.encode(hmac::sign(&self.0, &message(repository, id, owner)))
    }

    /// Whether `state` is that of the upload.
    pub(super) fn verify(&self, state: &str, repository: &RepositoryName, id: &str, owner: &str) -> bool {
        URL_SAFE_NO_PAD
            .decode(state)
            .is_ok_and(|tag| hmac::verify(&self.0, &message(repository, id, owner), &tag).is_ok())
    }
}

/// Fields with their lengths, so that no two sets of fields read the same.
fn message(repository: &RepositoryName, id: &str, owner: &str) -> Vec<u8> {
    let fields = ["portolan upload location", repository.as_str(), id, owner];
    let mut message = Vec::with_capacity(fields.iter().map(|field| field.len() + 8).sum());
    for field in fields {
        message.extend((field.len() as u64).to_be_bytes());
        message.extend(field.as_bytes());
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_good_for_its_repository_upload_owner_and_secret_alone() {
        let states = UploadStates::new(&Secret::new(vec![1; 32]));
        let other = UploadStates::new(&Secret::new(vec![2; 32]));
        let name = |text: &str| text.parse::<RepositoryName>().unwrap();
        let state = states.sign(&name("a/b"), "id", "alice");
        assert!(states.verify(&state, &name("a/b"), "id", "alice"));
        assert!(!states.verify(&state, &name("a/c"), "id", "alice"));
        assert!(!states.verify(&state, &name("a/b"), "di", "alice"));
        assert!(!states.verify(&state, &name("a/b"), "id", "bob"));
        assert!(!states.verify(&state, &name("a/b"), "ida", "lice"));
        assert!(!other.verify(&state, &name("a/b"), "id", "alice"));
        for malformed in ["", "x", "%", &state[1..]] {
            assert!(!states.verify(malformed, &name("a/b"), "id", "alice"));
        }
    }
}
