//! The keys of the targets, the same in every run: that of RFC 7515, appendix A.3, and an Ed25519 key of a fixed seed.

use std::sync::LazyLock;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use registry_service::auth::{Authenticator, KeyRing, KeySource, Realm, TokenAuthority, Verifier};

pub(crate) const ISSUER: &str = "portolan";
pub(crate) const SERVICE: &str = "registry.example";
/// The time at which tokens are shown, unless an input says otherwise, in seconds since the epoch.
pub(crate) const NOW_S: i64 = 1_800_000_000;

const X: &str = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
const Y: &str = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";
const D: &str = "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI";

static P256: LazyLock<EcdsaKeyPair> = LazyLock::new(|| {
    let decode = |text| URL_SAFE_NO_PAD.decode(text).expect("base64url");
    let point = [vec![4], decode(X), decode(Y)].concat();
    EcdsaKeyPair::from_private_key_and_public_key(&ECDSA_P256_SHA256_FIXED_SIGNING, &decode(D), &point)
        .expect("the key of RFC 7515")
});

static ED25519: LazyLock<Ed25519KeyPair> =
    LazyLock::new(|| Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("any seed is a key"));

/// The key set that verifiers believe: `p256` and `ed25519`.
static JWKS: LazyLock<String> = LazyLock::new(|| {
    let ed25519 = URL_SAFE_NO_PAD.encode(ED25519.public_key());
    format!(
        r#"{{"keys":[{{"kid":"p256","kty":"EC","crv":"P-256","x":"{X}","y":"{Y}"}},
        {{"kid":"ed25519","kty":"OKP","crv":"Ed25519","x":"{ed25519}"}}]}}"#
    )
});

/// Which key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    P256,
    Ed25519,
}

impl Kind {
    /// Its `kid` and its `alg`.
    pub(crate) fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::P256 => ("p256", "ES256"),
            Self::Ed25519 => ("ed25519", "EdDSA"),
        }
    }

    /// A token of these texts.
    pub(crate) fn sign(self, header: &str, payload: &str) -> String {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let signed = format!("{}.{}", encode(header.as_bytes()), encode(payload.as_bytes()));
        let signature = match self {
            Self::P256 => {
                let random = SystemRandom::new();
                let made = P256.sign(&random, signed.as_bytes()).expect("a signature");
                encode(made.as_ref())
            }
            Self::Ed25519 => encode(ED25519.sign(signed.as_bytes()).as_ref()),
        };
        format!("{signed}.{signature}")
    }
}

fn ring() -> KeyRing {
    KeyRing::from_jwks(JWKS.as_bytes()).expect("a good key set")
}

/// A verifier that remembers no token of an earlier input.
pub(crate) fn verifier() -> Verifier {
    Verifier::new(ISSUER, SERVICE, ring())
}

/// An authenticator whose challenge names this realm and service.
pub(crate) fn authenticator(realm: &str, service: &str) -> Authenticator {
    let ring = ring();
    Authenticator::Token(TokenAuthority {
        realm: Realm::fixed(realm),
        verifier: Verifier::new(ISSUER, service, ring.clone()),
        source: KeySource::fixed(ring),
    })
}
