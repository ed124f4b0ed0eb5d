//! Tokens that must not be believed, at the registry and at the index: their signatures and keys.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use harness::{Journey, Need, Result, Suite, ensure};
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};

use super::forgery::{Forgery, sign, unsigned};
use harness::bad_request::Ground;
use harness::bad_request::Request;

pub(super) fn add(suite: &mut Suite) {
    let needs = [Need::Portolan, Need::Sqlite];
    suite.add(
        "bad_input::forged_token",
        "an_unsigned_token_is_refused",
        &needs,
        unsigned_tokens,
    );
    suite.add(
        "bad_input::forged_token",
        "a_token_signed_by_hmac_with_the_public_key_is_refused",
        &needs,
        hmac,
    );
    suite.add(
        "bad_input::forged_token",
        "a_token_signed_by_another_key_is_refused",
        &needs,
        another_key,
    );
    suite.add(
        "bad_input::forged_token",
        "a_token_that_carries_its_own_key_is_refused",
        &needs,
        own_key,
    );
    suite.add(
        "bad_input::forged_token",
        "a_token_that_was_changed_is_refused",
        &needs,
        changed,
    );
    suite.add(
        "bad_input::forged_token",
        "what_is_no_token_is_refused",
        &needs,
        no_token,
    );
}

/// That neither service believes the token, and that nothing is done on its word.
pub(super) fn refused(ground: &Ground, what: &str, token: &str) -> Result<()> {
    let name = ground.repository();
    let requests = [
        Request::new("GET", "/v2/"),
        Request::new("GET", format!("/v2/{name}/manifests/good")),
        Request::new("GET", format!("/v2/{name}/blobs/{}", ground.layer)),
        Request::new("GET", format!("/v2/{name}/tags/list")),
        Request::new("POST", format!("/v2/{name}/blobs/uploads/")),
        Request::new("PUT", format!("/v2/{name}/manifests/forged")).body("{}"),
        Request::new("DELETE", format!("/v2/{name}/manifests/good")),
        Request::new("DELETE", format!("/v2/{name}/blobs/{}", ground.layer)),
        Request::new("GET", "/v2/_catalog"),
    ];
    for request in requests {
        let target = request.target.clone();
        let reply = request.bearer(token).send(ground.server.port())?;
        let context = || format!("{what}: {target}");
        reply
            .refuses(&[401], &["UNAUTHORIZED"])
            .map_err(|error| error.context(context()))?;
        let challenge = reply.header("www-authenticate").unwrap_or_default();
        ensure!(
            challenge.starts_with("Bearer realm="),
            "{}: no challenge: {reply}",
            context()
        );
        ensure!(
            challenge.contains("error=\"invalid_token\""),
            "{}: not said to be invalid: {reply}",
            context()
        );
    }
    Ok(())
}

/// The tools, after the control: a genuine token made with them is believed.
pub(super) fn begin(journey: &Journey) -> Result<(Ground, Forgery)> {
    let ground = Ground::prepare(journey)?;
    let forgery = Forgery::begin(&ground)?;
    let genuine = forgery.genuine(
        &forgery.header,
        &forgery.claims_with(json!({ "jti": "made by hand" })),
    )?;
    let request = Request::new("GET", format!("/v2/{}/manifests/good", ground.repository()));
    let reply = request
        .header("Accept", "*/*")
        .bearer(&genuine)
        .send(ground.server.port())?;
    ensure!(
        reply.status == 200,
        "a genuine token should have been believed: {reply}"
    );
    Ok((ground, forgery))
}

fn unsigned_tokens(journey: &Journey) -> Result<()> {
    let (ground, forgery) = begin(journey)?;
    let signature = ground.token.rsplit('.').next().unwrap_or_default();
    for algorithm in ["none", "None", "NONE", "nOnE", "", "null", "plain"] {
        let message = unsigned(&forgery.header_with(json!({ "alg": algorithm })), &forgery.claims);
        for end in ["", signature, "e30", "AA"] {
            refused(&ground, algorithm, &format!("{message}.{end}"))?;
        }
    }
    let message = unsigned(&forgery.header, &forgery.claims);
    // A signature of nothing but zeros, which a careless verifier of ECDSA takes for any key (CVE-2022-21449).
    let zeros = URL_SAFE_NO_PAD.encode([0; 64]);
    for end in [
        String::new(),
        zeros,
        URL_SAFE_NO_PAD.encode([0xff; 64]),
        "AAAA".to_owned(),
        "A".repeat(2000),
    ] {
        refused(&ground, "signed with nothing", &format!("{message}.{end}"))?;
    }
    ground.is_unharmed()
}

fn hmac(journey: &Journey) -> Result<()> {
    let (ground, forgery) = begin(journey)?;
    let algorithms = [
        (Algorithm::HS256, "HS256"),
        (Algorithm::HS384, "HS384"),
        (Algorithm::HS512, "HS512"),
    ];
    for secret in forgery.public_secrets(&ground)? {
        for (algorithm, name) in algorithms {
            let header = forgery.header_with(json!({ "alg": name }));
            let token = sign(
                &header,
                &forgery.claims,
                &EncodingKey::from_secret(&secret),
                algorithm,
            )?;
            refused(&ground, name, &token)?;
        }
    }
    ground.is_unharmed()
}

fn another_key(journey: &Journey) -> Result<()> {
    let (ground, forgery) = begin(journey)?;
    for more in [
        json!({}),
        json!({ "kid": null }),
        json!({ "kid": "stranger" }),
        json!({ "kid": "" }),
        json!({ "kid": "../../../../dev/null" }),
        json!({ "kid": "' or 1=1 --" }),
        json!({ "kid": "x".repeat(2000) }),
        json!({ "kid": 1 }),
        json!({ "kid": [forgery.header["kid"]] }),
    ] {
        let token = forgery.strange(&forgery.header_with(more.clone()), &forgery.claims)?;
        refused(&ground, &more.to_string(), &token)?;
    }
    // The right key under another algorithm than its own.
    for algorithm in [
        "ES384", "ES512", "RS256", "PS256", "EdDSA", "ES256K", "es256", "HS256",
    ] {
        let header = forgery.header_with(json!({ "alg": algorithm }));
        refused(&ground, algorithm, &forgery.genuine(&header, &forgery.claims)?)?;
    }
    ground.is_unharmed()
}

fn own_key(journey: &Journey) -> Result<()> {
    let (ground, forgery) = begin(journey)?;
    let (jwk, certificate) = (forgery.strange_jwk(), forgery.strange_certificate()?);
    let set = json!({ "keys": [jwk] });
    for kid in [forgery.header["kid"].clone(), json!("stranger"), Value::Null] {
        for more in [
            json!({ "jwk": jwk, "kid": kid }),
            json!({ "jwk": jwk.to_string(), "kid": kid }),
            json!({ "jwks": set, "kid": kid }),
            json!({ "jku": "https://evil.example/jwks.json", "kid": kid }),
            json!({ "jku": "http://127.0.0.1:1/jwks.json", "kid": kid }),
            json!({ "jku": format!("{}/.well-known/jwks.json", ground.server.url()), "kid": kid }),
            json!({ "x5u": "https://evil.example/chain.pem", "kid": kid }),
            json!({ "x5c": [certificate], "kid": kid }),
            json!({ "x5c": [certificate, certificate], "kid": kid }),
            json!({ "x5c": certificate, "kid": kid }),
            json!({ "x5c": [], "kid": kid }),
            json!({ "x5c": ["%%%"], "kid": kid }),
            json!({ "x5t": "AAAA", "x5t#S256": "AAAA", "kid": kid }),
        ] {
            let token = forgery.strange(&forgery.header_with(more.clone()), &forgery.claims)?;
            refused(&ground, &more.to_string(), &token)?;
        }
    }
    // Also where the signature is right: a header that names a key of its own is no header of ours.
    for more in [
        json!({ "jwk": jwk }),
        json!({ "jku": "https://evil.example/" }),
        json!({ "x5u": "https://evil.example/" }),
    ] {
        let token = forgery.genuine(&forgery.header_with(more.clone()), &forgery.claims)?;
        refused(&ground, &more.to_string(), &token)?;
    }
    for more in [
        json!({ "crit": ["b64"], "b64": false }),
        json!({ "crit": ["exp"] }),
        json!({ "crit": [] }),
    ] {
        let token = forgery.genuine(&forgery.header_with(more.clone()), &forgery.claims)?;
        refused(&ground, &more.to_string(), &token)?;
    }
    ground.is_unharmed()
}

fn changed(journey: &Journey) -> Result<()> {
    let (ground, forgery) = begin(journey)?;
    let parts: Vec<&str> = ground.token.split('.').collect();
    let [header, _, signature] = parts[..] else {
        harness::bail!("not a token")
    };
    let admin = URL_SAFE_NO_PAD.encode(forgery.claims_with(json!({ "sub": "admin" })).to_string());
    refused(
        &ground,
        "another subject",
        &format!("{header}.{admin}.{signature}"),
    )?;
    let longer = URL_SAFE_NO_PAD.encode(
        forgery
            .claims_with(json!({ "exp": 9_999_999_999_i64 }))
            .to_string(),
    );
    refused(
        &ground,
        "a longer life",
        &format!("{header}.{longer}.{signature}"),
    )?;
    // One letter at a time, across the whole token; padding bits of the last letter say nothing and are left out.
    let letters = ground.token.as_bytes();
    for place in (0..letters.len()).step_by(7) {
        let last_of_part = letters.get(place + 1).is_none_or(|next| *next == b'.');
        if letters[place] == b'.' || last_of_part {
            continue;
        }
        let mut forged = letters.to_vec();
        forged[place] = if letters[place] == b'A' { b'Q' } else { b'A' };
        let forged = String::from_utf8(forged)?;
        let reply = Request::new("GET", "/v2/")
            .bearer(&forged)
            .send(ground.server.port())?;
        reply
            .refuses(&[401], &["UNAUTHORIZED"])
            .map_err(|error| error.context(format!("letter {place}")))?;
    }
    ground.is_unharmed()
}

fn no_token(journey: &Journey) -> Result<()> {
    let ground = Ground::prepare(journey)?;
    let token = &ground.token;
    let parts: Vec<&str> = token.split('.').collect();
    let texts = [
        ".".to_owned(),
        "..".to_owned(),
        "...".to_owned(),
        "x".to_owned(),
        "null".to_owned(),
        "%%%.%%%.%%%".to_owned(),
        parts[0].to_owned(),
        format!("{}.{}", parts[0], parts[1]),
        format!("{token}."),
        format!("{token}.{}", parts[2]),
        format!(".{token}"),
        format!("{}..{}", parts[0], parts[2]),
        format!(".{}.{}", parts[1], parts[2]),
        format!("{}=.{}.{}", parts[0], parts[1], parts[2]),
        format!("e30.e30.{}", parts[2]),
        format!("bnVsbA.bnVsbA.{}", parts[2]),
        format!("W10.W10.{}", parts[2]),
        format!("{}.{}", "x".repeat(3000), "y".repeat(3000)),
        token.replace('.', ","),
        token.to_uppercase(),
        format!("{token} {token}"),
        // An encrypted token has five parts (RFC 7516).
        "e30.e30.e30.e30.e30".to_owned(),
    ];
    for text in texts {
        refused(&ground, &text, &text)?;
    }
    let other = [
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        token.clone(),
        format!("Token {token}"),
        format!("Basic {token}"),
        format!("Bearer,{token}"),
        format!("BearerX {token}"),
    ];
    for value in other {
        let request = Request::new("GET", format!("/v2/{}/tags/list", ground.repository()));
        let reply = request
            .header("Authorization", &value)
            .send(ground.server.port())?;
        reply
            .refuses(&[400, 401], &["UNAUTHORIZED"])
            .map_err(|error| error.context(value))?;
    }
    // In the query or a form instead of the header (RFC 6750, sections 2.2 and 2.3), it is nothing.
    let target = format!(
        "/v2/{}/tags/list?access_token={token}&token={token}",
        ground.repository()
    );
    Request::new("GET", target)
        .send(ground.server.port())?
        .refuses(&[401], &["UNAUTHORIZED"])?;
    ground.is_unharmed()
}
