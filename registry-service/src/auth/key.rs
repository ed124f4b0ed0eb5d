//! Public keys that tokens may be signed with. The algorithm is a property of the key, never of the token
//! (RFC 8725, section 3.1).

use std::sync::atomic::{AtomicBool, Ordering};

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256,
    RsaPublicKeyComponents,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use shared::token::key_id::{libtrust_fingerprint, p256_thumbprint};

/// Most keys of one set.
pub const MAX_KEYS: usize = 16;
/// Largest key set document in bytes.
pub const MAX_DOCUMENT: usize = 64 << 10;

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
    #[error("there is no P-256, P-384, Ed25519 or RSA key (2048 bits or more) to verify tokens with")]
    Empty,
    /// Coordinates, modulus or point are malformed.
    #[error("a key is malformed")]
    Malformed,
}

/// How the signatures of a key are made; the key's kind decides (RFC 7518, section 3.1; RFC 8037).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureAlgorithm {
    /// P-256 with SHA-256.
    Es256,
    /// P-384 with SHA-384.
    Es384,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// Ed25519.
    EdDsa,
}

impl SignatureAlgorithm {
    /// The value of `alg`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Rs256 => "RS256",
            Self::EdDsa => "EdDSA",
        }
    }
}

/// A public key in use. It knows when it was taken out of use, so that whatever was verified with it falls with it.
#[derive(Debug)]
pub struct Key {
    algorithm: SignatureAlgorithm,
    public: ParsedPublicKey,
    fingerprint: [u8; 32],
    thumbprint: String,
    libtrust: String,
    retired: AtomicBool,
}

impl Key {
    /// The key of an uncompressed point (SEC 1, section 2.3.3).
    pub fn from_point(point: &[u8]) -> Result<Self, InvalidKey> {
        let base64 = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        match point {
            [4, xy @ ..] if xy.len() == 64 => {
                let (x, y) = xy.split_at(32);
                let coordinate = |half: &[u8]| <[u8; 32]>::try_from(half).map_err(|_| InvalidKey::Malformed);
                let thumbprint = p256_thumbprint(&coordinate(x)?, &coordinate(y)?);
                let public = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
                Self::new(SignatureAlgorithm::Es256, public.ok(), thumbprint)
            }
            [4, xy @ ..] if xy.len() == 96 => {
                let (x, y) = xy.split_at(48);
                let canonical = format!(
                    r#"{{"crv":"P-384","kty":"EC","x":"{}","y":"{}"}}"#,
                    base64(x),
                    base64(y)
                );
                let public = ParsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, point);
                Self::new(SignatureAlgorithm::Es384, public.ok(), thumbprint(&canonical))
            }
            _ => Err(InvalidKey::Malformed),
        }
    }

    /// The RSA key of a modulus and an exponent, big-endian. Below 2048 bits it is refused.
    pub fn from_rsa(modulus: &[u8], exponent: &[u8]) -> Result<Self, InvalidKey> {
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
        let public = RsaPublicKeyComponents { n, e }.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256);
        Self::new(SignatureAlgorithm::Rs256, public.ok(), thumbprint(&canonical))
    }

    /// The Ed25519 key of its 32 bytes.
    pub fn from_ed25519(bytes: &[u8]) -> Result<Self, InvalidKey> {
        if bytes.len() != 32 {
            return Err(InvalidKey::Malformed);
        }
        let canonical = format!(
            r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#,
            URL_SAFE_NO_PAD.encode(bytes)
        );
        let public = ParsedPublicKey::new(&ED25519, bytes);
        Self::new(SignatureAlgorithm::EdDsa, public.ok(), thumbprint(&canonical))
    }

    fn new(
        algorithm: SignatureAlgorithm,
        public: Option<ParsedPublicKey>,
        thumbprint: String,
    ) -> Result<Self, InvalidKey> {
        let public = public.ok_or(InvalidKey::Malformed)?;
        let der = public.as_der().map_err(|_| InvalidKey::Malformed)?;
        Ok(Self {
            algorithm,
            fingerprint: Sha256::digest(der.as_ref()).into(),
            libtrust: libtrust_fingerprint(der.as_ref()),
            thumbprint,
            public,
            retired: AtomicBool::new(false),
        })
    }

    /// How its signatures are made.
    pub fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    /// Whether `signature` over `message` was made with it.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.public.verify_sig(message, signature).is_ok()
    }

    /// SHA-256 of its SubjectPublicKeyInfo: two keys are the same exactly when this is.
    pub fn fingerprint(&self) -> &[u8; 32] {
        &self.fingerprint
    }

    /// Its RFC 7638 thumbprint: how distribution 3 names the key of a certificate.
    pub fn thumbprint(&self) -> &str {
        &self.thumbprint
    }

    /// How distribution 2.8 names it.
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
