use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use shared::token::Actions;
use shared::token::access::Resource;
use time::OffsetDateTime;

use super::*;
use crate::random::Random;
use crate::token::{AuthorityMaterial, KeyMaterial};

const NOW: i64 = 1_790_000_000;

fn signer() -> Signer {
    let (now, random) = (
        OffsetDateTime::from_unix_timestamp(NOW).unwrap(),
        Random::system(),
    );
    let authority = AuthorityMaterial::generate(None, now, &random).unwrap();
    let key = KeyMaterial::generate(&authority, None, now, &random).unwrap();
    let keys = KeySet::read(&authority, &[key], None).unwrap();
    Signer::new(keys, "portolan".to_owned()).unwrap()
}

fn entry(name: &str) -> AccessEntry {
    AccessEntry::new(Resource::Repository(name.parse().unwrap()), Actions::PULL_PUSH)
}

fn claims(access: Vec<AccessEntry>) -> Claims {
    Claims {
        iss: "portolan".to_owned(),
        sub: "alice".to_owned(),
        aud: "localhost:5000".to_owned(),
        exp: NOW + 300,
        nbf: NOW - 10,
        iat: NOW,
        jti: "j".to_owned(),
        access,
        act: Some("password:1".to_owned()),
        why: Vec::new(),
        rates: None,
    }
}

#[test]
fn an_independent_implementation_verifies_the_token_with_the_published_key() {
    let signer = signer();
    let wanted = claims(vec![entry("a/b")]);
    let signed = signer.sign(wanted.clone(), Recipient::Own).unwrap();
    let header = jsonwebtoken::decode_header(&signed.token).unwrap();
    assert_eq!(header.typ.as_deref(), Some("JWT"));
    assert_eq!(header.alg, Algorithm::ES256);
    assert!(header.x5c.is_none());
    let jwks: JwkSet = serde_json::from_str(&signer.keys().jwks()).unwrap();
    let jwk = jwks.find(&header.kid.unwrap()).unwrap();
    let mut validation = Validation::new(Algorithm::ES256);
    validation.validate_exp = false;
    validation.set_audience(&["localhost:5000"]);
    validation.set_issuer(&["portolan"]);
    let key = DecodingKey::from_jwk(jwk).unwrap();
    let read = jsonwebtoken::decode::<Claims>(&signed.token, &key, &validation).unwrap();
    assert_eq!(read.claims, wanted);
}

#[test]
fn the_audience_is_a_plain_string() {
    let token = signer().sign(claims(vec![]), Recipient::Own).unwrap().token;
    let payload = token.split('.').nth(1).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
    assert_eq!(json["aud"], "localhost:5000");
    assert_eq!(json["access"], serde_json::json!([]));
}

#[test]
fn only_a_foreign_recipient_gets_the_certificates_leaf_first() {
    let signer = signer();
    let token = signer.sign(claims(vec![]), Recipient::Foreign).unwrap().token;
    let chain = jsonwebtoken::decode_header(&token).unwrap().x5c.unwrap();
    let chain: Vec<Vec<u8>> = chain.iter().map(|der| STANDARD.decode(der).unwrap()).collect();
    assert_eq!(chain.len(), 2);
    let (_, leaf) = x509_parser::parse_x509_certificate(&chain[0]).unwrap();
    let (_, authority) = x509_parser::parse_x509_certificate(&chain[1]).unwrap();
    leaf.verify_signature(Some(authority.public_key())).unwrap();
    assert_eq!(chain[1], signer.keys().authority_der());
    // The key of the leaf is the key that signed.
    let (signed, signature) = token.rsplit_once('.').unwrap();
    UnparsedPublicKey::new(
        &ECDSA_P256_SHA256_FIXED,
        leaf.public_key().subject_public_key.data.as_ref(),
    )
    .verify(signed.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap())
    .unwrap();
}

#[test]
fn a_token_stays_within_six_kib_and_keeps_what_was_asked_for_first() {
    let signer = signer();
    let access: Vec<AccessEntry> = (0..50)
        .map(|i| entry(&format!("team/{i}-{}", "x".repeat(200))))
        .collect();
    for recipient in [Recipient::Own, Recipient::Foreign] {
        let signed = signer.sign(claims(access.clone()), recipient).unwrap();
        assert!(signed.token.len() <= MAX_TOKEN_BYTES, "{}", signed.token.len());
        assert!(signed.access.len() >= 10, "{}", signed.access.len());
        assert_eq!(signed.access, access[..signed.access.len()]);
        assert_eq!(signer.verify(&signed.token, NOW).unwrap().access, signed.access);
    }
}

#[test]
fn a_token_is_valid_from_a_minute_before_to_a_minute_after_its_time() {
    let signer = signer();
    let token = signer.sign(claims(vec![]), Recipient::Own).unwrap().token;
    for (now, valid) in [
        (NOW, true),
        (NOW + 359, true),
        (NOW + 360, false),
        (NOW - 60, true),
        (NOW - 61, false),
        (i64::MAX, false),
        (i64::MIN, false),
    ] {
        assert_eq!(signer.verify(&token, now).is_some(), valid, "{now}");
    }
}

#[test]
fn a_token_of_another_issuer_key_or_algorithm_is_refused() {
    let (ours, theirs) = (signer(), signer());
    let foreign_issuer = Claims {
        iss: "else".to_owned(),
        ..claims(vec![])
    };
    let token = ours.sign(foreign_issuer, Recipient::Own).unwrap().token;
    assert!(ours.verify(&token, NOW).is_none(), "issuer");
    let token = theirs.sign(claims(vec![]), Recipient::Own).unwrap().token;
    assert!(ours.verify(&token, NOW).is_none(), "key");

    let good = ours
        .sign(claims(vec![entry("a/b")]), Recipient::Own)
        .unwrap()
        .token;
    let [header, payload, signature] = good.split('.').collect::<Vec<_>>()[..] else {
        panic!("three parts")
    };
    let kid = jsonwebtoken::decode_header(&good).unwrap().kid.unwrap();
    let other_header = |json: serde_json::Value| URL_SAFE_NO_PAD.encode(json.to_string());
    for forged in [
        String::new(),
        "..".to_owned(),
        ".".repeat(1 << 20),
        good.replace('.', ""),
        format!("{header}.{payload}."),
        format!("{header}.{payload}"),
        format!("{good}.{signature}"),
        format!("{header}.{}.{signature}", URL_SAFE_NO_PAD.encode("{}")),
        format!(
            "{}.{payload}.{signature}",
            other_header(serde_json::json!({"alg": "none", "kid": kid}))
        ),
        format!(
            "{}.{payload}.",
            other_header(serde_json::json!({"alg": "none", "kid": kid}))
        ),
        format!(
            "{}.{payload}.{signature}",
            other_header(serde_json::json!({"alg": "HS256", "kid": kid}))
        ),
        format!(
            "{}.{payload}.{signature}",
            other_header(serde_json::json!({"alg": "ES256"}))
        ),
    ] {
        assert!(ours.verify(&forged, NOW).is_none(), "{forged:.80}");
    }
    assert!(ours.verify(&good, NOW).is_some());
}

#[test]
fn a_header_that_brings_its_own_key_or_extension_is_refused_although_we_signed_it() {
    let signer = signer();
    let key = &signer.keys().keys()[0];
    let signed_with = |more: serde_json::Value| {
        let mut header = serde_json::json!({"alg": "ES256", "kid": key.id});
        header
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let payload = serde_json::to_vec(&claims(vec![])).unwrap();
        let signed = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header.to_string()),
            URL_SAFE_NO_PAD.encode(payload)
        );
        let signature = key.pair.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
    };
    assert!(
        signer
            .verify(&signed_with(serde_json::json!({"typ": "JWT"})), NOW)
            .is_some()
    );
    for more in [
        serde_json::json!({"crit": ["exp"]}),
        serde_json::json!({"crit": null}),
        serde_json::json!({"jwk": {"kty": "EC"}}),
        serde_json::json!({"jku": "https://evil.example/"}),
        serde_json::json!({"x5u": "https://evil.example/"}),
    ] {
        assert!(signer.verify(&signed_with(more.clone()), NOW).is_none(), "{more}");
    }
}
