//! Mutations of how a token is signed and by whom.

use anyhow::Result;
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};

use super::oracle::judge;
use super::signer::{Signer, unsigned};
use super::{Case, Keys, claim};

/// Values of header fields, as JSON.
fn values(own: &Value, keys: &Keys) -> Vec<Value> {
    let mut values = vec![
        json!(null),
        json!(true),
        json!(0),
        json!(1.5),
        json!(""),
        json!("x"),
        json!("x".repeat(2_000)),
        json!([]),
        json!([own]),
        json!([own, own]),
        json!({}),
        json!({"a": own}),
        own.clone(),
        json!("none"),
        json!("None"),
        json!("HS256"),
        json!("HS512"),
        json!("PS256"),
        json!("RS512"),
        json!("ES256K"),
        json!("ES512"),
        json!("JWT"),
        json!("jwt"),
        json!("at+jwt"),
        json!("JWE"),
        json!("application/jwt"),
        json!("exp"),
        json!(["exp"]),
        json!(["b64"]),
        json!(["kid"]),
        json!(false),
        json!("https://attacker.example/keys.json"),
        json!("http://127.0.0.1:1/keys.json"),
        json!("file:///etc/passwd"),
        json!("../../keys"),
        json!("key' OR '1'='1"),
        json!("dir"),
        json!("A128KW"),
        json!("DEF"),
    ];
    for signer in keys.known.iter().chain(&keys.strange) {
        values.extend([json!(signer.kid), json!(signer.alg()), signer.jwk()]);
    }
    if let Some(own) = own.as_str() {
        values.extend([
            json!(own.to_lowercase()),
            json!(own.to_uppercase()),
            json!(format!("{own}\0")),
            json!(format!(" {own}")),
        ]);
    }
    values
}

const FIELDS: [&str; 17] = [
    "alg", "kid", "typ", "crit", "jwk", "jku", "x5u", "x5c", "x5t", "x5t#S256", "cty", "b64", "zip", "enc",
    "epk", "apu", "iss",
];

/// Whether a header is that of a token which this key has signed well.
fn is_good(header: &Map<String, Value>, signer: &Signer) -> bool {
    let is_text = |field: &str, wanted: &str| header.get(field).and_then(Value::as_str) == Some(wanted);
    let is_jwt = header
        .get("typ")
        .is_none_or(|typ| typ.is_null() || typ.as_str().is_some_and(|typ| typ.eq_ignore_ascii_case("JWT")));
    let brings = ["jwk", "jku", "x5u", "crit"]
        .iter()
        .any(|field| header.contains_key(*field));
    let chain = header.get("x5c").is_none_or(|chain| {
        chain.is_null()
            || chain
                .as_array()
                .is_some_and(|chain| chain.iter().all(Value::is_string))
    });
    is_text("alg", signer.alg()) && is_text("kid", &signer.kid) && is_jwt && !brings && chain
}

pub(super) fn cases(signer: &Signer, keys: &Keys, now_s: i64, cases: &mut Vec<Case>) -> Result<()> {
    let claims = claim::good(now_s);
    let held = judge(&claims, now_s);
    let payload = Value::Object(claims).to_string();
    let Value::Object(good) = json!({"alg": signer.alg(), "typ": "JWT", "kid": signer.kid}) else {
        return Ok(());
    };
    let mut add = |name: String, token: String, is_good: bool| {
        let outcome = if is_good { held.clone() } else { None };
        cases.push(Case {
            name: format!("{} {name}", signer.alg()),
            token,
            outcome,
        });
    };
    for field in FIELDS {
        let mut without = good.clone();
        without.remove(field);
        let text = Value::Object(without.clone()).to_string();
        add(
            format!("no {field}"),
            signer.token(&text, &payload)?,
            is_good(&without, signer),
        );
        let own = good.get(field).cloned().unwrap_or_else(|| json!("x"));
        for value in values(&own, keys) {
            let mut header = without.clone();
            header.insert(field.to_owned(), value.clone());
            let shown: String = value.to_string().chars().take(50).collect();
            let text = Value::Object(header.clone()).to_string();
            add(
                format!("{field} = {shown}"),
                signer.token(&text, &payload)?,
                is_good(&header, signer),
            );
        }
        if ["alg", "kid", "typ", "x5c"].contains(&field) {
            for (first, second) in [
                (own.clone(), json!("none")),
                (json!("none"), own.clone()),
                (own.clone(), own.clone()),
            ] {
                let twice = text.replacen('{', &format!("{{\"{field}\":{first},\"{field}\":{second},"), 1);
                add(
                    format!("{field} twice: {first} {second}"),
                    signer.token(&twice, &payload)?,
                    false,
                );
            }
        }
    }
    others(signer, keys, &payload, &mut add)?;
    signatures(
        signer,
        keys,
        &Value::Object(good.clone()).to_string(),
        &payload,
        &mut add,
    )?;
    forms(signer, &Value::Object(good).to_string(), &payload, &mut add)
}

type Add<'a> = dyn FnMut(String, String, bool) + 'a;

/// Every other key under every name, with every `alg`: believed only as itself.
fn others(signer: &Signer, keys: &Keys, payload: &str, add: &mut Add<'_>) -> Result<()> {
    for other in keys.known.iter().chain(&keys.strange) {
        for alg in ["ES256", "ES384", "EdDSA", "RS256", "none", "HS256"] {
            for more in [
                json!({}),
                json!({"jwk": other.jwk()}),
                json!({"x5c": [keys.stray_certificate]}),
            ] {
                let mut header = json!({"alg": alg, "typ": "JWT", "kid": signer.kid});
                let is_bare = more == json!({});
                for (field, value) in more.as_object().into_iter().flatten() {
                    header[field] = value.clone();
                }
                let is_own = other.kid == signer.kid && alg == signer.alg() && header.get("jwk").is_none();
                let token = other.token(&header.to_string(), payload)?;
                add(
                    format!("signed by {} as {alg}, bare: {is_bare}", other.kid),
                    token,
                    is_own,
                );
            }
        }
    }
    Ok(())
}

fn signatures(signer: &Signer, keys: &Keys, header: &str, payload: &str, add: &mut Add<'_>) -> Result<()> {
    let signed = unsigned(header, payload);
    let raw = signer.sign(signed.as_bytes())?;
    let mut all = vec![
        ("empty".to_owned(), Vec::new()),
        ("zeros".to_owned(), vec![0; raw.len()]),
        ("ones".to_owned(), vec![255; raw.len()]),
        ("longer".to_owned(), [raw.as_slice(), b"\0"].concat()),
        ("shifted".to_owned(), [b"\0", raw.as_slice()].concat()),
        ("twice".to_owned(), raw.repeat(2)),
        (
            "halves exchanged".to_owned(),
            [&raw[raw.len() / 2..], &raw[..raw.len() / 2]].concat(),
        ),
        (
            "of other claims".to_owned(),
            signer.sign(unsigned(header, "{}").as_bytes())?,
        ),
        ("of the payload".to_owned(), signer.sign(payload.as_bytes())?),
    ];
    all.extend(
        (0..raw.len())
            .step_by(raw.len() / 16)
            .map(|length| (format!("cut to {length}"), raw[..length].to_vec())),
    );
    all.extend((0..16).map(|part| {
        let mut damaged = raw.clone();
        damaged[part * raw.len() / 16] ^= 1 << (part % 8);
        (format!("damaged in part {part}"), damaged)
    }));
    if let Some(other) = signer.sign_otherwise(signed.as_bytes())? {
        all.push(("in another encoding".to_owned(), other));
    }
    for (name, signature) in all {
        add(
            format!("signature {name}"),
            format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)),
            false,
        );
    }
    // The public half as a secret: the oldest confusion of all.
    let public = signer.public_bytes();
    let jwk = signer.jwk().to_string();
    for secret in [
        public.as_slice(),
        URL_SAFE_NO_PAD.encode(&public).as_bytes(),
        STANDARD.encode(&public).as_bytes(),
        jwk.as_bytes(),
        keys.stray_certificate.as_bytes(),
        b"",
        b"secret",
    ] {
        for (alg, algorithm) in [
            ("HS256", hmac::HMAC_SHA256),
            ("HS384", hmac::HMAC_SHA384),
            ("HS512", hmac::HMAC_SHA512),
        ] {
            let header = json!({"alg": alg, "typ": "JWT", "kid": signer.kid}).to_string();
            let signed = unsigned(&header, payload);
            let tag = hmac::sign(&hmac::Key::new(algorithm, secret), signed.as_bytes());
            add(
                format!("{alg} with a public secret"),
                format!("{signed}.{}", URL_SAFE_NO_PAD.encode(tag)),
                false,
            );
        }
    }
    Ok(())
}

/// Texts that are not, or not quite, three parts of base64url with two objects.
fn forms(signer: &Signer, header: &str, payload: &str, add: &mut Add<'_>) -> Result<()> {
    let good = signer.token(header, payload)?;
    let parts: Vec<&str> = good.split('.').collect();
    let (first, second, third) = (parts[0], parts[1], parts[2]);
    let listed = format!(r#"["{}","JWT","{}"]"#, signer.alg(), signer.kid);
    let json_form =
        json!({"payload": second, "signatures": [{"protected": first, "signature": third}]}).to_string();
    for (name, token) in [
        ("one part", first.to_owned()),
        ("two parts", format!("{first}.{second}")),
        ("no signature", format!("{first}.{second}.")),
        ("four parts", format!("{good}.{third}")),
        (
            "five parts",
            format!("{first}.{second}.{second}.{second}.{third}"),
        ),
        ("dot before", format!(".{good}")),
        ("dot after", format!("{good}.")),
        ("two dots", good.replacen('.', "..", 1)),
        ("dots", ".".repeat(4_000)),
        ("too long", format!("{first}.{}.{third}", "A".repeat(8_192))),
        ("padded", format!("{good}=")),
        ("padded header", format!("{first}==.{second}.{third}")),
        ("space", good.replacen('.', " .", 1)),
        ("comma", format!("{good},{good}")),
        ("JSON", json_form),
        ("a word", "token".to_owned()),
        ("exchanged", format!("{second}.{first}.{third}")),
        ("header cut", signer.token(&header[..header.len() - 1], payload)?),
        ("header and more", signer.token(&format!("{header}x"), payload)?),
        ("header a list", signer.token(&listed, payload)?),
        ("header null", signer.token("null", payload)?),
        ("header empty", signer.token("", payload)?),
        (
            "payload cut",
            signer.token(header, &payload[..payload.len() - 1])?,
        ),
        (
            "payload and more",
            signer.token(header, &format!("{payload}{payload}"))?,
        ),
        (
            "payload a text",
            signer.token(header, &json!(payload).to_string())?,
        ),
        (
            "payload in a list",
            signer.token(header, &format!("[{payload}]"))?,
        ),
        ("payload null", signer.token(header, "null")?),
        ("payload empty", signer.token(header, "")?),
        ("payload deep", signer.token(header, &"[".repeat(2_000))?),
        (
            "payload with a byte order mark",
            signer.token(header, &format!("\u{feff}{payload}"))?,
        ),
    ] {
        add(format!("form {name}"), token, false);
    }
    // White space is part of JSON.
    add(
        "spaces in JSON".to_owned(),
        signer.token(&format!(" {header}\n"), &format!("\t{payload}\r\n"))?,
        true,
    );
    Ok(())
}
