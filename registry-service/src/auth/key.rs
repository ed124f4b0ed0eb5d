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
use serde::Deserialize;
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

/// A JSON Web Key as far as it is read (RFC 7517, section 4).
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
    n: Option<String>,
    e: Option<String>,
    d: Option<serde::de::IgnoredAny>,
    k: Option<serde::de::IgnoredAny>,
}

/// The keys of a JSON Web Key Set, each with its `kid`, or its thumbprint when it has none. Keys of kinds that are not
/// supported are left out; a set with none left is refused.
pub fn parse_jwks(document: &[u8]) -> Result<Vec<(String, Key)>, InvalidKey> {
    #[derive(Deserialize)]
    struct Set {
        keys: Vec<Jwk>,
    }
    if document.len() > MAX_DOCUMENT {
        return Err(InvalidKey::TooLarge);
    }
    let set: Set = serde_json::from_slice(document).map_err(|e| InvalidKey::Json(e.to_string()))?;
    if set.keys.len() > MAX_KEYS {
        return Err(InvalidKey::TooLarge);
    }
    let mut keys: Vec<(String, Key)> = Vec::new();
    for jwk in set.keys {
        let Some(key) = jwk.key()? else { continue };
        let id = jwk.kid.unwrap_or_else(|| key.thumbprint().to_owned());
        match keys.iter().find(|(known, _)| *known == id) {
            Some((_, same)) if same.fingerprint == key.fingerprint => {}
            Some(_) => return Err(InvalidKey::DuplicateId(id)),
            None => keys.push((id, key)),
        }
    }
    if keys.is_empty() {
        return Err(InvalidKey::Empty);
    }
    Ok(keys)
}

impl Jwk {
    /// `None` for a key that is not for us: another use, another algorithm, another kind.
    fn key(&self) -> Result<Option<Key>, InvalidKey> {
        if self.d.is_some() || self.k.is_some() {
            return Err(InvalidKey::Private);
        }
        if self.usage.as_deref().is_some_and(|usage| usage != "sig") {
            return Ok(None);
        }
        let key = match (self.kty.as_str(), self.crv.as_deref()) {
            ("EC", Some("P-256")) => Key::from_point(&self.point(32)?)?,
            ("EC", Some("P-384")) => Key::from_point(&self.point(48)?)?,
            ("OKP", Some("Ed25519")) => Key::from_ed25519(&decode(self.x.as_deref())?)?,
            ("RSA", _) => Key::from_rsa(&decode(self.n.as_deref())?, &decode(self.e.as_deref())?)?,
            _ => return Ok(None),
        };
        let algorithm_fits = self
            .alg
            .as_deref()
            .is_none_or(|alg| alg == key.algorithm.as_str());
        Ok(algorithm_fits.then_some(key))
    }

    fn point(&self, length: usize) -> Result<Vec<u8>, InvalidKey> {
        let mut point = vec![4];
        for coordinate in [&self.x, &self.y] {
            let bytes = decode(coordinate.as_deref())?;
            // RFC 7518, section 6.2.1.2: as long as the curve's coordinates, zeros in front kept.
            if bytes.len() != length {
                return Err(InvalidKey::Malformed);
            }
            point.extend(bytes);
        }
        Ok(point)
    }
}

fn decode(text: Option<&str>) -> Result<Vec<u8>, InvalidKey> {
    URL_SAFE_NO_PAD
        .decode(text.unwrap_or_default())
        .map_err(|_| InvalidKey::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7517, appendix A.1; the thumbprint of its EC key computed with Python's hashlib.
    const EC: &str = r#"{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
        "y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","use":"sig","kid":"1"}"#;
    /// RFC 7638, section 3.1, whose thumbprint the RFC gives.
    const RSA: &str = r#"{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}"#;
    /// RFC 8037, appendix A.2 and A.3.
    const OKP: &str = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

    fn parse(keys: &[&str]) -> Result<Vec<(String, Key)>, InvalidKey> {
        parse_jwks(format!(r#"{{"keys":[{}]}}"#, keys.join(",")).as_bytes())
    }

    #[test]
    fn keys_of_every_kind_are_read_with_the_thumbprints_of_the_rfcs() {
        let keys = parse(&[EC, RSA, OKP]).unwrap();
        let rows: Vec<_> = keys
            .iter()
            .map(|(id, key)| (id.as_str(), key.algorithm()))
            .collect();
        assert_eq!(
            rows,
            [
                ("1", SignatureAlgorithm::Es256),
                ("2011-04-29", SignatureAlgorithm::Rs256),
                (
                    "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
                    SignatureAlgorithm::EdDsa
                ),
            ]
        );
        assert_eq!(
            keys[1].1.thumbprint(),
            "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
        );
        assert_eq!(keys[0].1.libtrust().len(), 59);
    }

    #[test]
    fn sets_that_cannot_be_trusted_are_refused() {
        let other = EC.replace("\"kid\":\"1\"", "\"kid\":\"2011-04-29\"");
        let private = OKP.replace("\"x\"", "\"d\":\"AA\",\"x\"");
        let short = EC.replace("MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", "AQAB");
        let off_curve = EC.replace("4Etl", "5Etl");
        for (keys, reason) in [
            (vec![], InvalidKey::Empty),
            (vec![r#"{"kty":"oct","k":"AA"}"#], InvalidKey::Private),
            (vec![private.as_str()], InvalidKey::Private),
            (
                vec![RSA, other.as_str()],
                InvalidKey::DuplicateId("2011-04-29".into()),
            ),
            (vec![short.as_str()], InvalidKey::Malformed),
            (vec![off_curve.as_str()], InvalidKey::Malformed),
            (
                vec![r#"{"kty":"RSA","n":"0vx7","e":"AQAB"}"#],
                InvalidKey::Malformed,
            ),
            (vec![EC; 17], InvalidKey::TooLarge),
        ] {
            assert_eq!(parse(&keys).map(|_| ()), Err(reason), "{keys:?}");
        }
        assert!(matches!(parse_jwks(b"[]"), Err(InvalidKey::Json(_))));
        assert_eq!(
            parse_jwks(&vec![b' '; MAX_DOCUMENT + 1]).map(|_| ()),
            Err(InvalidKey::TooLarge)
        );
    }

    #[test]
    fn keys_for_something_else_are_left_out() {
        let encryption = OKP.replace("\"kty\"", "\"use\":\"enc\",\"kty\"");
        let other_algorithm = RSA.replace("RS256", "PS512");
        let unknown = r#"{"kty":"EC","crv":"secp256k1","x":"AA","y":"AA"}"#;
        let keys = parse(&[EC, &encryption, &other_algorithm, unknown]).unwrap();
        assert_eq!(keys.len(), 1);
    }
}
