//! The account's key: what it signs (RFC 7515, by ES256), and how it is named (RFC 7638).

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256};
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject as _;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::AcmeError;
use super::cache::Cache;

/// The account's key.
#[derive(Debug)]
pub(super) struct AccountKey(EcdsaKeyPair);

/// Who signs: a key that the authority shall come to know, or an account that it knows.
#[derive(Debug, Clone, Copy)]
pub(super) enum Signer<'a> {
    Key,
    Account(&'a str),
}

impl AccountKey {
    /// The one that lies in the folder, or a new one, which is put there first.
    pub(super) fn open(cache: &Cache) -> Result<Self, AcmeError> {
        let path = cache.account();
        if let Some(content) = Cache::read(&path)? {
            return Self::parse(&content).ok_or(AcmeError::AccountKey(path));
        }
        let made = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let text = zeroize::Zeroizing::new(made.serialize_pem());
        Cache::write(&path, text.as_bytes())?;
        Self::parse(text.as_bytes()).ok_or(AcmeError::Crypto)
    }

    /// From PEM: PKCS#8, or SEC 1 as `autocert` writes it.
    fn parse(pem: &[u8]) -> Option<Self> {
        let key = PrivateKeyDer::from_pem_slice(pem).ok()?;
        let pair =
            EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_FIXED_SIGNING, key.secret_der()).ok()?;
        Some(Self(pair))
    }

    fn coordinates(&self) -> (String, String) {
        // An uncompressed point: 4, and the two coordinates.
        let point = self.0.public_key().as_ref();
        let (x, y) = point[1..].split_at(point.len() / 2);
        (encode(x), encode(y))
    }

    /// The SHA-256 of what the authority expects to find for a token (RFC 8555, section 8.1).
    pub(super) fn answer_to(&self, token: &str) -> [u8; 32] {
        let (x, y) = self.coordinates();
        // The members that RFC 7638 wants, in its order.
        let members = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
        let thumbprint = encode(&Sha256::digest(members));
        Sha256::digest(format!("{token}.{thumbprint}")).into()
    }

    /// A request's body: `payload` signed for one URL, once. Without a payload it asks for what is there.
    pub(super) fn sign(
        &self,
        signer: Signer<'_>,
        url: &str,
        nonce: &str,
        payload: Option<&Value>,
    ) -> Result<String, AcmeError> {
        let mut header = json!({ "alg": "ES256", "nonce": nonce, "url": url });
        match signer {
            Signer::Account(account) => header["kid"] = json!(account),
            Signer::Key => {
                let (x, y) = self.coordinates();
                header["jwk"] = json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y });
            }
        }
        let header = encode(header.to_string().as_bytes());
        let payload = payload.map_or_else(String::new, |payload| encode(payload.to_string().as_bytes()));
        let signed = self
            .0
            .sign(&SystemRandom::new(), format!("{header}.{payload}").as_bytes())
            .map_err(|_| AcmeError::Crypto)?;
        let signature = encode(signed.as_ref());
        Ok(json!({ "protected": header, "payload": payload, "signature": signature }).to_string())
    }
}

pub(super) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};

    use super::*;

    /// Made by `openssl ecparam -name prime256v1 -genkey -noout`, the form that `autocert` writes.
    const SEC1: &str = "-----BEGIN EC PRIVATE KEY-----\n\
        MHcCAQEEIDXaJ/U0p/g6dXD4X0lxZWGg04xypDnm30i7zxKEMYdqoAoGCCqGSM49\n\
        AwEHoUQDQgAE2CQY6cetGc8uoOm5n4trtKDjrJ7Unn/yKQkfMM5tQ40VsRFRFTII\n\
        /8yM681I7yEe1oyWBqkimDFQ/COpANIhIQ==\n\
        -----END EC PRIVATE KEY-----\n";

    #[test]
    fn a_key_as_autocert_writes_it_is_taken_and_named_as_others_name_it() {
        let key = AccountKey::parse(SEC1.as_bytes()).unwrap();
        // By Python's hashlib, from what openssl says of the key.
        let expected = "3dd3ffa69fde38b05cf36940b33815a89d1b87826976abcc3a0009f3925ef29b";
        let expected: Vec<u8> = (0..32)
            .map(|at| u8::from_str_radix(&expected[2 * at..2 * at + 2], 16).unwrap())
            .collect();
        let answer = key.answer_to("a-token");
        assert_eq!(answer[..], expected);
    }

    #[test]
    fn a_key_is_made_once_and_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path()).unwrap();
        let first = AccountKey::open(&cache).unwrap();
        let second = AccountKey::open(&cache).unwrap();
        assert_eq!(first.answer_to("token"), second.answer_to("token"));
        assert_ne!(first.answer_to("token"), first.answer_to("another"));
    }

    #[test]
    fn a_damaged_key_is_named_and_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path()).unwrap();
        let damaged = SEC1.replace("MHcC", "MHcD");
        std::fs::write(cache.account(), &damaged).unwrap();
        let error = AccountKey::open(&cache).unwrap_err().to_string();
        assert!(error.contains("acme_account+key"), "{error}");
        assert_eq!(std::fs::read(cache.account()).unwrap(), damaged.as_bytes());
    }

    #[test]
    fn what_is_signed_can_be_verified_with_the_key_that_it_names() {
        let folder = tempfile::tempdir().unwrap();
        let key = AccountKey::open(&Cache::open(folder.path()).unwrap()).unwrap();
        let payload = json!({ "termsOfServiceAgreed": true });
        let body = key
            .sign(Signer::Key, "https://ca.test/new", "n1", Some(&payload))
            .unwrap();
        let body: Value = serde_json::from_str(&body).unwrap();
        let part = |name: &str| body[name].as_str().unwrap().to_owned();
        let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap();
        let header: Value = serde_json::from_slice(&decode(&part("protected"))).unwrap();
        assert_eq!(header["nonce"], "n1");
        assert_eq!(header["url"], "https://ca.test/new");
        let mut point = vec![4];
        for name in ["x", "y"] {
            point.extend(decode(header["jwk"][name].as_str().unwrap()));
        }
        let signed = format!("{}.{}", part("protected"), part("payload"));
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
            .verify(signed.as_bytes(), &decode(&part("signature")))
            .unwrap();
        let known = key
            .sign(
                Signer::Account("https://ca.test/1"),
                "https://ca.test/x",
                "n2",
                None,
            )
            .unwrap();
        let known: Value = serde_json::from_str(&known).unwrap();
        assert_eq!(known["payload"], "");
        let header: Value = serde_json::from_slice(&decode(known["protected"].as_str().unwrap())).unwrap();
        assert_eq!(
            (header["kid"].as_str(), header.get("jwk")),
            (Some("https://ca.test/1"), None)
        );
    }
}
