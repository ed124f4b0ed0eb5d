//! Tokens that must not be believed, each one change away from a good one.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::test_token::{ISSUER, KID, NOW_S, SERVICE, Signer, claims};

/// Every one of them: what was changed, and the token. `access` is what the good token allows.
pub(super) fn all(signer: &Signer, access: &Value) -> Vec<(String, String)> {
    let mut tokens = Vec::new();
    headers(signer, access, &mut tokens);
    signatures(signer, access, &mut tokens);
    forms(signer, access, &mut tokens);
    claim_types(signer, access, &mut tokens);
    claim_values(signer, access, &mut tokens);
    tokens
}

fn headers(signer: &Signer, access: &Value, tokens: &mut Vec<(String, String)>) {
    let attacker = Signer::es256();
    let attacker_kid = "attacker";
    let mut with = |name: &str, signer: &Signer, change: &dyn Fn(&mut Value)| {
        let mut header = signer.header();
        change(&mut header);
        tokens.push((
            format!("header: {name}"),
            signer.sign(&header, &claims(access.clone())),
        ));
    };
    for alg in [
        "none", "None", "HS256", "RS256", "ES384", "PS256", "EdDSA", "es256", "",
    ] {
        with(&format!("alg {alg}"), signer, &|header| {
            header["alg"] = json!(alg);
        });
    }
    for wrong in [json!(null), json!(1), json!([]), json!({}), json!(["ES256"])] {
        with(&format!("alg {wrong}"), signer, &|header| {
            header["alg"] = wrong.clone();
        });
    }
    with("no alg", signer, &|header| {
        drop(header.as_object_mut().unwrap().remove("alg"));
    });
    for kid in [
        json!("unknown"),
        json!(""),
        json!(null),
        json!(1),
        json!([KID]),
        json!("../key-1"),
        json!("KEY-1"),
    ] {
        with(&format!("kid {kid}"), signer, &|header| {
            header["kid"] = kid.clone();
        });
    }
    with("no kid", signer, &|header| {
        drop(header.as_object_mut().unwrap().remove("kid"));
    });
    for typ in [json!("at+jwt"), json!("JWE"), json!(1), json!("")] {
        with(&format!("typ {typ}"), signer, &|header| {
            header["typ"] = typ.clone();
        });
    }
    for crit in [
        json!([]),
        json!(["exp"]),
        json!(["b64"]),
        json!(null),
        json!("exp"),
    ] {
        with(&format!("crit {crit}"), signer, &|header| {
            header["crit"] = crit.clone();
        });
    }
    // Keys that a token brings along, with its own kid, with the good one, and signed well all the same.
    for (name, value) in [
        ("jwk", attacker.jwk(attacker_kid)),
        ("jwk", json!(null)),
        ("jku", json!("https://attacker.example/jwks.json")),
        ("x5u", json!("https://attacker.example/chain.pem")),
    ] {
        with(&format!("{name} of good key"), signer, &|header| {
            header[name] = value.clone();
        });
        with(&format!("{name} with good kid"), &attacker, &|header| {
            header[name] = value.clone();
        });
        with(&format!("{name} with its kid"), &attacker, &|header| {
            header[name] = value.clone();
            header["kid"] = json!(attacker_kid);
        });
    }
    let own = certificate(&attacker);
    for chain in [
        json!([own]),
        json!([]),
        json!([""]),
        json!(["%"]),
        json!(own),
        json!(vec!["AA"; 100]),
    ] {
        with(
            &format!("x5c {}", chain.to_string().len()),
            &attacker,
            &|header| {
                header["x5c"] = chain.clone();
                header["kid"] = json!(attacker_kid);
            },
        );
    }
}

fn certificate(signer: &Signer) -> String {
    let key = rcgen::KeyPair::try_from(signer.pkcs8()).unwrap();
    let params = rcgen::CertificateParams::new(vec!["index.example".to_owned()]).unwrap();
    STANDARD.encode(params.self_signed(&key).unwrap().der())
}

fn signatures(signer: &Signer, access: &Value, tokens: &mut Vec<(String, String)>) {
    let good = signer.token(access.clone());
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let raw = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let mut add = |name: &str, signature: &[u8]| {
        tokens.push((
            format!("signature: {name}"),
            format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)),
        ));
    };
    add("empty", b"");
    add("zeros", &vec![0; raw.len()]);
    add("ones", &vec![255; raw.len()]);
    add("cut", &raw[..raw.len() - 1]);
    add("longer", &[raw.as_slice(), b"\0"].concat());
    add("twice", &[raw.as_slice(), &raw].concat());
    for at in [0, raw.len() / 2, raw.len() - 1] {
        let mut flipped = raw.clone();
        flipped[at] ^= 1;
        add(&format!("bit of byte {at}"), &flipped);
    }
    add("DER", &signer.signing_in_der().signature(signed.as_bytes()));
    add("another key", &Signer::es256().signature(signed.as_bytes()));
    let other = signer.token(json!([{"type": "repository", "name": "x/y", "actions": ["*"]}]));
    let (_, other) = other.rsplit_once('.').unwrap();
    add("another token", &URL_SAFE_NO_PAD.decode(other).unwrap());
    // The public key as the secret of a MAC: the classic confusion of algorithms.
    for secret in [signer.public_bytes().to_vec(), signer.jwks(KID)] {
        let mut header = signer.header();
        header["alg"] = json!("HS256");
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&header), part(&claims(access.clone())));
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &secret), signed.as_bytes());
        tokens.push((
            "signature: HS256 by the public key".into(),
            format!("{signed}.{}", URL_SAFE_NO_PAD.encode(tag)),
        ));
    }
}

fn forms(signer: &Signer, access: &Value, tokens: &mut Vec<(String, String)>) {
    let good = signer.token(access.clone());
    let parts: Vec<&str> = good.split('.').collect();
    let [header, payload, signature] = parts.as_slice() else {
        panic!("{good}")
    };
    let padded = |part: &str| URL_SAFE.encode(URL_SAFE_NO_PAD.decode(part).unwrap());
    let standard = |part: &str| STANDARD.encode(URL_SAFE_NO_PAD.decode(part).unwrap());
    for (name, token) in [
        ("one part", (*header).to_owned()),
        ("two parts", format!("{header}.{payload}")),
        ("no header", format!(".{payload}.{signature}")),
        ("no payload", format!("{header}..{signature}")),
        ("no signature", format!("{header}.{payload}.")),
        ("four parts", format!("{good}.{signature}")),
        (
            "five parts",
            format!("{header}.{signature}.{payload}.{signature}.{signature}"),
        ),
        ("dots", ".".repeat(8_000)),
        ("too long", format!("{header}.{}.{signature}", "A".repeat(8_192))),
        (
            "padding",
            format!("{}.{}.{}=", header, padded(payload), signature),
        ),
        (
            "standard alphabet",
            format!("{header}.{payload}.{}", standard(signature)),
        ),
        ("space inside", good.replacen('.', " .", 1)),
        ("control inside", good.replacen('.', ".\t", 1)),
        (
            "JSON form",
            json!({"payload": payload, "signatures": [{"protected": header, "signature": signature}]})
                .to_string(),
        ),
        ("not ASCII", good.replacen('.', ".ü", 1)),
    ] {
        tokens.push((format!("form: {name}"), token));
    }
    let text = signer.header().to_string();
    let payload = claims(access.clone()).to_string();
    for (name, header, payload) in [
        ("header no JSON", "x", payload.as_str()),
        ("header an array", "[]", &payload),
        ("header cut", &text[..text.len() - 1], &payload),
        (
            "header twice alg",
            &text.replacen('{', "{\"alg\":\"none\",", 1),
            &payload,
        ),
        (
            "header twice kid",
            &text.replacen('{', "{\"kid\":\"x\",", 1),
            &payload,
        ),
        (
            "header a list of its fields",
            &format!(r#"["{}","JWT","{KID}",null]"#, signer.alg()),
            &payload,
        ),
        (
            "payload a list of its claims",
            &text,
            &format!(
                r#"["{ISSUER}","alice","{SERVICE}",{},{NOW_S},{NOW_S},"t1",{access},null]"#,
                NOW_S + 300
            ),
        ),
        ("payload no JSON", &text, "x"),
        ("payload an array", &text, "[]"),
        ("payload null", &text, "null"),
        ("payload a string", &text, "\"x\""),
        ("payload cut", &text, &payload[..payload.len() - 1]),
        ("payload and more", &text, &format!("{payload}{{}}")),
        ("payload deep", &text, &"[".repeat(3_000)),
    ] {
        tokens.push((format!("form: {name}"), signer.sign_texts(header, payload)));
    }
}

fn claim_types(signer: &Signer, access: &Value, tokens: &mut Vec<(String, String)>) {
    let header = signer.header().to_string();
    for claim in ["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "access"] {
        let good = claims(access.clone());
        let mut without = good.clone();
        without.as_object_mut().unwrap().remove(claim);
        tokens.push((
            format!("claim: no {claim}"),
            signer.sign_texts(&header, &without.to_string()),
        ));
        let twice = good
            .to_string()
            .replacen('{', &format!("{{\"{claim}\":{},", good[claim]), 1);
        tokens.push((
            format!("claim: {claim} twice"),
            signer.sign_texts(&header, &twice),
        ));
        for wrong in [
            "null",
            "1.5",
            "1e300",
            "true",
            "{}",
            "[1]",
            "-1",
            "\"1\"",
            "99999999999999999999",
        ] {
            let is_good = match claim {
                // A text is what these want, and a negative time long ago is a time.
                "sub" | "jti" => wrong == "\"1\"",
                "nbf" | "iat" => wrong == "-1",
                // No access at all is a token that allows nothing, which other tests see to.
                "access" => matches!(wrong, "null" | "[1]"),
                _ => false,
            };
            if is_good {
                continue;
            }
            let mut with = good.clone();
            with[claim] = json!("THE WRONG ONE");
            let payload = with.to_string().replace("\"THE WRONG ONE\"", wrong);
            tokens.push((
                format!("claim: {claim} {wrong}"),
                signer.sign_texts(&header, &payload),
            ));
        }
    }
}

fn claim_values(signer: &Signer, access: &Value, tokens: &mut Vec<(String, String)>) {
    for (claim, value) in [
        ("iss", json!("https://other.example")),
        ("iss", json!(format!("{ISSUER}/"))),
        ("iss", json!(ISSUER.to_uppercase())),
        ("iss", json!("")),
        ("aud", json!("other.example")),
        ("aud", json!(format!("{SERVICE}:443"))),
        ("aud", json!(format!(" {SERVICE}"))),
        ("aud", json!("")),
        ("aud", json!([])),
        ("aud", json!(["other.example"])),
        ("aud", json!([SERVICE, "other.example"])),
        ("aud", json!(["other.example", SERVICE])),
        ("aud", json!([[SERVICE]])),
        ("aud", json!({SERVICE: true})),
        ("exp", json!(NOW_S - 60)),
        ("exp", json!(0)),
        ("exp", json!(i64::MIN)),
        ("nbf", json!(NOW_S + 61)),
        ("nbf", json!(i64::MAX)),
        ("iat", json!(NOW_S + 61)),
        ("iat", json!(i64::MAX)),
    ] {
        let mut claims = claims(access.clone());
        claims[claim] = value.clone();
        tokens.push((
            format!("claim: {claim} {value}"),
            signer.sign(&signer.header(), &claims),
        ));
    }
}
