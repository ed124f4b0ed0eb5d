//! Keys that tokens may be signed with. Which algorithms are possible is a property of the key, never of the token
//! (RFC 8725, section 3.1): each kind of key has its own, and no two kinds share one.

use std::sync::atomic::{AtomicBool, Ordering};

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::hmac;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED, ED25519, ParsedPublicKey,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512,
    RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, RsaPublicKeyComponents,
    VerificationAlgorithm,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use shared::token::key_id::libtrust_fingerprint;

pub use super::algorithm::SignatureAlgorithm;

/// Most keys of one set.
pub const MAX_KEYS: usize = 16;
/// Largest key set document in bytes.
pub const MAX_DOCUMENT: usize = 64 << 10;
/// Shortest shared secret in bytes.
const MIN_SECRET: usize = 32;

/// Why a key, or a set of keys, cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKey {
    /// Not a JSON Web Key Set.
    #[error("not a JSON Web Key Set: {0}")]
    Json(String),
    /// Over [`MAX_DOCUMENT`] or [`MAX_KEYS`].
    #[error("the key set is larger than 64 KiB or has more than 16 keys")]
    TooLarge,
    /// Not PEM, or a block is not a certificate.
    #[error("not a bundle of PEM certificates")]
    Pem,
    /// A private key stands where a public one belongs.
    #[error("the key set holds a private key; publish public keys alone")]
    Private,
    /// Two different keys have one id.
    #[error("two keys have the id {0:?}")]
    DuplicateId(String),
    /// No key of a supported kind is left.
    #[error("there is no P-256, P-384, P-521, Ed25519 or RSA key (2048 bits or more) to verify tokens with")]
    Empty,
    /// A shared secret is shorter than 32 bytes.
    #[error("a shared secret is shorter than 32 bytes")]
    ShortSecret,
    /// Coordinates, modulus or point are malformed.
    #[error("a key is malformed")]
    Malformed,
}

/// A public key in use, or a shared secret. It knows when it was taken out of use, so that whatever was verified with it
/// falls with it.
#[derive(Debug)]
pub struct Key {
    checks: Vec<(SignatureAlgorithm, Check)>,
    fingerprint: [u8; 32],
    thumbprint: String,
    libtrust: String,
    retired: AtomicBool,
}

#[derive(Debug)]
enum Check {
    Public(ParsedPublicKey),
    Mac(Box<hmac::Key>),
}

impl Key {
    /// The key of an uncompressed point (SEC 1, section 2.3.3) of P-256, P-384 or P-521.
    pub fn from_point(point: &[u8]) -> Result<Self, InvalidKey> {
        let [4, xy @ ..] = point else {
            return Err(InvalidKey::Malformed);
        };
        let (x, y) = xy.split_at(xy.len() / 2);
        let (curve, algorithm): (_, &'static dyn VerificationAlgorithm) = match xy.len() {
            64 => ("P-256", &ECDSA_P256_SHA256_FIXED),
            96 => ("P-384", &ECDSA_P384_SHA384_FIXED),
            132 => ("P-521", &ECDSA_P521_SHA512_FIXED),
            _ => return Err(InvalidKey::Malformed),
        };
        let name = match curve {
            "P-256" => SignatureAlgorithm::Es256,
            "P-384" => SignatureAlgorithm::Es384,
            _ => SignatureAlgorithm::Es512,
        };
        let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
        let canonical = format!(r#"{{"crv":"{curve}","kty":"EC","x":"{x}","y":"{y}"}}"#);
        let public = ParsedPublicKey::new(algorithm, point);
        Self::public(vec![(name, public.ok())], &canonical)
    }

    /// The RSA key of a modulus and an exponent, big-endian. Below 2048 bits it is refused.
    pub fn from_rsa(modulus: &[u8], exponent: &[u8]) -> Result<Self, InvalidKey> {
        use SignatureAlgorithm as A;
        fn bare(number: &[u8]) -> &[u8] {
            let zeros = number.iter().take_while(|byte| **byte == 0).count();
            &number[zeros..]
        }
        let (n, e) = (bare(modulus), bare(exponent));
        if n.len() < 256 || n.len() > 1024 {
            return Err(InvalidKey::Malformed);
        }
        let canonical = format!(
            r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#,
            URL_SAFE_NO_PAD.encode(e),
            URL_SAFE_NO_PAD.encode(n)
        );
        let parse = |algorithm| {
            RsaPublicKeyComponents { n, e }
                .to_parsed_public_key(algorithm)
                .ok()
        };
        let checks = vec![
            (A::Rs256, parse(&RSA_PKCS1_2048_8192_SHA256)),
            (A::Rs384, parse(&RSA_PKCS1_2048_8192_SHA384)),
            (A::Rs512, parse(&RSA_PKCS1_2048_8192_SHA512)),
            (A::Ps256, parse(&RSA_PSS_2048_8192_SHA256)),
            (A::Ps384, parse(&RSA_PSS_2048_8192_SHA384)),
            (A::Ps512, parse(&RSA_PSS_2048_8192_SHA512)),
        ];
        Self::public(checks, &canonical)
    }

    /// The Ed25519 key of its 32 bytes.
    pub fn from_ed25519(bytes: &[u8]) -> Result<Self, InvalidKey> {
        if bytes.len() != 32 {
            return Err(InvalidKey::Malformed);
        }
        let x = URL_SAFE_NO_PAD.encode(bytes);
        let canonical = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
        let public = ParsedPublicKey::new(&ED25519, bytes).ok();
        Self::public(vec![(SignatureAlgorithm::EdDsa, public)], &canonical)
    }

    /// A secret that the token server and this registry share, of at least 32 bytes (RFC 7518, section 3.2).
    pub fn from_secret(secret: &[u8]) -> Result<Self, InvalidKey> {
        use SignatureAlgorithm as A;
        if secret.len() < MIN_SECRET {
            return Err(InvalidKey::ShortSecret);
        }
        let mac = |algorithm| Check::Mac(Box::new(hmac::Key::new(algorithm, secret)));
        let canonical = format!(r#"{{"k":"{}","kty":"oct"}}"#, URL_SAFE_NO_PAD.encode(secret));
        Ok(Self {
            checks: vec![
                (A::Hs256, mac(hmac::HMAC_SHA256)),
                (A::Hs384, mac(hmac::HMAC_SHA384)),
                (A::Hs512, mac(hmac::HMAC_SHA512)),
            ],
            fingerprint: Sha256::digest(canonical.as_bytes()).into(),
            thumbprint: thumbprint(&canonical),
            libtrust: String::new(),
            retired: AtomicBool::new(false),
        })
    }

    fn public(
        checks: Vec<(SignatureAlgorithm, Option<ParsedPublicKey>)>,
        canonical: &str,
    ) -> Result<Self, InvalidKey> {
        let mut der = None;
        let mut parsed = Vec::with_capacity(checks.len());
        for (algorithm, public) in checks {
            let public = public.ok_or(InvalidKey::Malformed)?;
            der = public.as_der().ok();
            parsed.push((algorithm, Check::Public(public)));
        }
        let der = der.ok_or(InvalidKey::Malformed)?;
        Ok(Self {
            checks: parsed,
            fingerprint: Sha256::digest(der.as_ref()).into(),
            libtrust: libtrust_fingerprint(der.as_ref()),
            thumbprint: thumbprint(canonical),
            retired: AtomicBool::new(false),
        })
    }

    /// The same key for one algorithm alone, as `alg` of a JSON Web Key says; `None` when its kind has no such one.
    pub(super) fn only(mut self, name: &str) -> Option<Self> {
        self.checks.retain(|(algorithm, _)| algorithm.as_str() == name);
        (!self.checks.is_empty()).then_some(self)
    }

    /// How its signatures may be made.
    pub fn algorithms(&self) -> impl Iterator<Item = SignatureAlgorithm> {
        self.checks.iter().map(|(algorithm, _)| *algorithm)
    }

    /// Whether `signature` over `message` was made with it, in the way that is called `algorithm`.
    pub fn verifies(&self, algorithm: SignatureAlgorithm, message: &[u8], signature: &[u8]) -> bool {
        let mut checks = self.checks.iter();
        let Some((_, check)) = checks.find(|(own, _)| *own == algorithm) else {
            return false;
        };
        match check {
            Check::Public(public) => public.verify_sig(message, signature).is_ok(),
            Check::Mac(key) => hmac::verify(key, message, signature).is_ok(),
        }
    }

    /// SHA-256 of its SubjectPublicKeyInfo: two keys are the same exactly when this is.
    pub fn fingerprint(&self) -> &[u8; 32] {
        &self.fingerprint
    }

    /// Its RFC 7638 thumbprint: how distribution 3 names the key of a certificate.
    pub fn thumbprint(&self) -> &str {
        &self.thumbprint
    }

    /// How distribution 2.8 names it; empty for a secret.
    pub fn libtrust(&self) -> &str {
        &self.libtrust
    }

    /// Whether it was taken out of use.
    pub fn is_retired(&self) -> bool {
        self.retired.load(Ordering::Acquire)
    }

    pub(super) fn retire(&self) {
        self.retired.store(true, Ordering::Release);
    }
}

fn thumbprint(canonical: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(canonical))
}
