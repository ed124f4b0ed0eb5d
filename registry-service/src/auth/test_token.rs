//! Tokens for tests: an index in small.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING,
    EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::{Authenticator, KeyRing, KeySource, Realm, TokenAuthority, Verifier};

pub(crate) const ISSUER: &str = "https://index.example";
pub(crate) const SERVICE: &str = "registry.example";
pub(crate) const REALM: &str = "https://registry.example/token";
pub(crate) const NOW_S: i64 = 1_800_000_000;
pub(crate) const KID: &str = "key-1";

/// A key that signs.
pub(crate) enum Signer {
    Es256(EcdsaKeyPair),
    Es384(EcdsaKeyPair),
    EdDsa(Ed25519KeyPair),
    Rs256(RsaKeyPair),
}

impl Signer {
    pub(crate) fn es256() -> Self {
        Self::Es256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
    }

    pub(crate) fn every_kind() -> [Self; 4] {
        [
            Self::es256(),
            Self::Es384(EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap()),
            Self::EdDsa(Ed25519KeyPair::generate().unwrap()),
            Self::Rs256(RsaKeyPair::generate(KeySize::Rsa2048).unwrap()),
        ]
    }

    /// The same P-256 key, signing in another encoding.
    pub(crate) fn signing_in_der(&self) -> Self {
        self.again(&ECDSA_P256_SHA256_ASN1_SIGNING)
    }

    fn again(&self, algorithm: &'static EcdsaSigningAlgorithm) -> Self {
        Self::Es256(EcdsaKeyPair::from_pkcs8(algorithm, &self.pkcs8()).unwrap())
    }

    pub(crate) fn alg(&self) -> &'static str {
        match self {
            Self::Es256(_) => "ES256",
            Self::Es384(_) => "ES384",
            Self::EdDsa(_) => "EdDSA",
            Self::Rs256(_) => "RS256",
        }
    }

    pub(crate) fn pkcs8(&self) -> Vec<u8> {
        let document = match self {
            Self::Es256(pair) | Self::Es384(pair) => pair.to_pkcs8v1().unwrap(),
            Self::EdDsa(pair) => pair.to_pkcs8().unwrap(),
            Self::Rs256(_) => panic!("RSA keys are not asked for their PKCS #8"),
        };
        document.as_ref().to_vec()
    }

    pub(crate) fn public_bytes(&self) -> &[u8] {
        match self {
            Self::Es256(pair) | Self::Es384(pair) => pair.public_key().as_ref(),
            Self::EdDsa(pair) => pair.public_key().as_ref(),
            Self::Rs256(pair) => pair.public_key().as_ref(),
        }
    }

    pub(crate) fn jwk(&self, kid: &str) -> Value {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let point = self.public_bytes();
        match self {
            Self::Es256(_) => {
                json!({"kid": kid, "kty": "EC", "crv": "P-256", "x": text(&point[1..33]), "y": text(&point[33..])})
            }
            Self::Es384(_) => {
                json!({"kid": kid, "kty": "EC", "crv": "P-384", "x": text(&point[1..49]), "y": text(&point[49..])})
            }
            Self::EdDsa(_) => json!({"kid": kid, "kty": "OKP", "crv": "Ed25519", "x": text(point)}),
            Self::Rs256(pair) => {
                let public = pair.public_key();
                let (n, e) = (public.modulus(), public.exponent());
                json!({"kid": kid, "kty": "RSA",
                    "n": text(n.big_endian_without_leading_zero()), "e": text(e.big_endian_without_leading_zero())})
            }
        }
    }

    pub(crate) fn jwks(&self, kid: &str) -> Vec<u8> {
        serde_json::to_vec(&json!({"keys": [self.jwk(kid)]})).unwrap()
    }

    pub(crate) fn signature(&self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Es256(pair) | Self::Es384(pair) => pair
                .sign(&SystemRandom::new(), message)
                .unwrap()
                .as_ref()
                .to_vec(),
            Self::EdDsa(pair) => pair.sign(message).as_ref().to_vec(),
            Self::Rs256(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
                    .unwrap();
                signature
            }
        }
    }

    /// A token of texts that need be no JSON.
    pub(crate) fn sign_texts(&self, header: &str, payload: &str) -> String {
        let signed = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header),
            URL_SAFE_NO_PAD.encode(payload)
        );
        let signature = URL_SAFE_NO_PAD.encode(self.signature(signed.as_bytes()));
        format!("{signed}.{signature}")
    }

    pub(crate) fn sign(&self, header: &Value, claims: &Value) -> String {
        self.sign_texts(&header.to_string(), &claims.to_string())
    }

    /// A good token.
    pub(crate) fn token(&self, access: Value) -> String {
        self.sign(&self.header(), &claims(access))
    }

    pub(crate) fn header(&self) -> Value {
        json!({"alg": self.alg(), "typ": "JWT", "kid": KID})
    }
}

/// Good claims of alice.
pub(crate) fn claims(access: impl Into<Value>) -> Value {
    json!({"iss": ISSUER, "sub": "alice", "aud": SERVICE, "exp": NOW_S + 300, "nbf": NOW_S - 10, "iat": NOW_S,
        "jti": "t1", "access": access.into()})
}

/// An access entry for a repository.
pub(crate) fn repository(name: &str, actions: &[&str]) -> Value {
    json!({"type": "repository", "name": name, "actions": actions})
}

pub(crate) fn verifier(ring: &KeyRing) -> Verifier {
    Verifier::new(ISSUER, SERVICE, ring.clone())
}

/// An authenticator that believes one key.
pub(crate) fn authenticator(signer: &Signer) -> Authenticator {
    let ring = KeyRing::from_jwks(&signer.jwks(KID)).unwrap();
    Authenticator::Token(TokenAuthority {
        realm: Realm::fixed(REALM),
        verifier: verifier(&ring),
        source: KeySource::fixed(ring),
    })
}
