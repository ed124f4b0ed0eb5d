//! JSON Web Key Sets (RFC 7517).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use shared::oci::Object;

use super::key::{InvalidKey, Key, MAX_DOCUMENT, MAX_KEYS};

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
    k: Option<String>,
}

/// Where a set comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// Somebody publishes it: a secret in it is one no more.
    Published,
    /// A file of this registry's own, which may hold secrets that it shares with the token server.
    OwnFile,
}

/// The keys of a published JSON Web Key Set, each with its `kid`, or its thumbprint when it has none. Keys of kinds that are not
/// supported are left out; a set with none left is refused.
pub fn parse_jwks(document: &[u8]) -> Result<Vec<(String, Key)>, InvalidKey> {
    parse_jwks_of(Origin::Published, document)
}

/// The same of a set from elsewhere.
pub(super) fn parse_jwks_of(origin: Origin, document: &[u8]) -> Result<Vec<(String, Key)>, InvalidKey> {
    #[derive(Deserialize)]
    struct Set {
        keys: Vec<Object<Jwk>>,
    }
    if document.len() > MAX_DOCUMENT {
        return Err(InvalidKey::TooLarge);
    }
    let Object(set): Object<Set> =
        serde_json::from_slice(document).map_err(|e| InvalidKey::Json(e.to_string()))?;
    if set.keys.len() > MAX_KEYS {
        return Err(InvalidKey::TooLarge);
    }
    let mut keys: Vec<(String, Key)> = Vec::new();
    for Object(jwk) in set.keys {
        let Some(key) = jwk.key(origin)? else { continue };
        let id = jwk.kid.unwrap_or_else(|| key.thumbprint().to_owned());
        match keys.iter().find(|(known, _)| *known == id) {
            Some((_, same)) if same.fingerprint() == key.fingerprint() => {}
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
    fn key(&self, origin: Origin) -> Result<Option<Key>, InvalidKey> {
        if self.d.is_some() || (self.k.is_some() && origin == Origin::Published) {
            return Err(InvalidKey::Private);
        }
        if self.usage.as_deref().is_some_and(|usage| usage != "sig") {
            return Ok(None);
        }
        let key = match (self.kty.as_str(), self.crv.as_deref()) {
            ("EC", Some("P-256")) => Key::from_point(&self.point(32)?)?,
            ("EC", Some("P-384")) => Key::from_point(&self.point(48)?)?,
            ("EC", Some("P-521")) => Key::from_point(&self.point(66)?)?,
            ("oct", _) => Key::from_secret(&decode(self.k.as_deref())?)?,
            ("OKP", Some("Ed25519")) => Key::from_ed25519(&decode(self.x.as_deref())?)?,
            ("RSA", _) => Key::from_rsa(&decode(self.n.as_deref())?, &decode(self.e.as_deref())?)?,
            _ => return Ok(None),
        };
        Ok(match self.alg.as_deref() {
            Some(alg) => key.only(alg),
            None => Some(key),
        })
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
    use crate::auth::key::SignatureAlgorithm;

    /// RFC 7517, appendix A.1; the thumbprint of its EC key computed with Python's hashlib.
    const EC: &str = r#"{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
        "y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","use":"sig","kid":"1"}"#;
    /// RFC 7638, section 3.1, whose thumbprint the RFC gives.
    const RSA: &str = r#"{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}"#;
    /// RFC 8037, appendix A.2 and A.3.
    const OKP: &str = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

    fn parse(keys: &[&str]) -> Result<Vec<(String, Key)>, InvalidKey> {
        parse_from(Origin::Published, keys)
    }

    fn parse_from(origin: Origin, keys: &[&str]) -> Result<Vec<(String, Key)>, InvalidKey> {
        parse_jwks_of(origin, format!(r#"{{"keys":[{}]}}"#, keys.join(",")).as_bytes())
    }

    #[test]
    fn keys_of_every_kind_are_read_with_the_thumbprints_of_the_rfcs() {
        let keys = parse(&[EC, RSA, OKP]).unwrap();
        let rows: Vec<_> = keys
            .iter()
            .map(|(id, key)| (id.as_str(), key.algorithms().collect::<Vec<_>>()))
            .collect();
        assert_eq!(
            rows,
            [
                ("1", vec![SignatureAlgorithm::Es256]),
                ("2011-04-29", vec![SignatureAlgorithm::Rs256]),
                (
                    "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
                    vec![SignatureAlgorithm::EdDsa]
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
        // A list of the fields in their order is no object.
        let listed = r#"["OKP",null,null,null,"Ed25519","11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"]"#;
        assert!(matches!(parse(&[listed]), Err(InvalidKey::Json(_))));
        for document in ["[]".to_owned(), format!("[[{OKP}]]")] {
            assert!(matches!(
                parse_jwks(document.as_bytes()),
                Err(InvalidKey::Json(_))
            ));
        }
        assert_eq!(
            parse_jwks(&vec![b' '; MAX_DOCUMENT + 1]).map(|_| ()),
            Err(InvalidKey::TooLarge)
        );
    }

    #[test]
    fn keys_for_something_else_are_left_out() {
        let encryption = OKP.replace("\"kty\"", "\"use\":\"enc\",\"kty\"");
        let other_algorithm = RSA.replace("RS256", "RSA-OAEP");
        let unknown = r#"{"kty":"EC","crv":"secp256k1","x":"AA","y":"AA"}"#;
        let keys = parse(&[EC, &encryption, &other_algorithm, unknown]).unwrap();
        assert_eq!(keys.len(), 1);
    }

    #[test]
    fn a_key_without_an_algorithm_has_those_of_its_kind_and_no_others() {
        use SignatureAlgorithm as A;
        let any = RSA.replace(r#","alg":"RS256""#, "");
        let keys = parse(&[&any]).unwrap();
        let algorithms: Vec<_> = keys[0].1.algorithms().collect();
        assert_eq!(
            algorithms,
            [A::Rs256, A::Rs384, A::Rs512, A::Ps256, A::Ps384, A::Ps512]
        );
        let one = RSA.replace("RS256", "PS512");
        let keys = parse(&[&one]).unwrap();
        assert_eq!(keys[0].1.algorithms().collect::<Vec<_>>(), [A::Ps512]);
    }

    #[test]
    fn a_secret_counts_in_a_file_of_our_own_alone_and_must_be_long_enough() {
        use SignatureAlgorithm as A;
        let secret = |bytes: usize| {
            format!(
                r#"{{"kty":"oct","kid":"s","k":"{}"}}"#,
                URL_SAFE_NO_PAD.encode(vec![7; bytes])
            )
        };
        let parse = |origin, bytes| {
            parse_from(origin, &[&secret(bytes)]).map(|keys| keys[0].1.algorithms().collect::<Vec<_>>())
        };
        assert_eq!(parse(Origin::OwnFile, 32), Ok(vec![A::Hs256, A::Hs384, A::Hs512]));
        assert_eq!(parse(Origin::OwnFile, 31), Err(InvalidKey::ShortSecret));
        assert_eq!(parse(Origin::Published, 32), Err(InvalidKey::Private));
        let private = OKP.replace("\"x\"", "\"d\":\"AA\",\"x\"");
        assert_eq!(
            parse_from(Origin::OwnFile, &[&private]).map(|_| ()),
            Err(InvalidKey::Private)
        );
    }
}
