//! Tokens and keys. The first line chooses: `jwks` and a key set; `raw` and a token; `p256` or `ed25519`, which signs the
//! header of the second line and the payload of the rest, with the time and a place to damage after it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use registry_service::auth::VerifiedClaims;
use registry_service::auth::jwks::parse_jwks;
use serde_json::{Map, Value};
use shared::oci::RepositoryName;
use shared::token::{Action, Actions};

use crate::input;
use crate::key::{self, ISSUER, Kind, NOW_S, SERVICE};

/// How far clocks may be apart, in seconds.
const LEEWAY_S: i64 = 60;

pub(crate) fn run(data: &[u8]) {
    let text = input::text(data);
    let [choice, rest] = input::lines(&text);
    let mut words = choice.split(' ');
    let kind = match words.next() {
        Some("jwks") => return key_set(rest),
        Some("raw") => return judge(rest.trim_end(), NOW_S),
        Some("ed25519") => Kind::Ed25519,
        _ => Kind::P256,
    };
    let now_s = words.next().and_then(|word| word.parse().ok()).unwrap_or(NOW_S);
    let damage = words.next().and_then(|word| word.parse::<usize>().ok());
    let [header, payload] = input::lines(rest);
    let token = kind.sign(header, payload);
    judge(&token, now_s);
    complete(&token, kind, header, payload, now_s);
    if let Some(place) = damage {
        damaged(&token, place, now_s);
    }
}

/// What is believed must be good by the other reading.
fn judge(token: &str, now_s: i64) {
    let verifier = key::verifier();
    let found = verifier.verify(token, now_s);
    let again = verifier.verify(token, now_s);
    assert_eq!(found.is_ok(), again.is_ok(), "remembered otherwise");
    let Ok(found) = found else { return };
    assert!(token.len() <= 8 << 10);
    let mut parts = token
        .split('.')
        .map(|part| URL_SAFE_NO_PAD.decode(part).expect("base64url"));
    let mut object = || -> Option<Map<String, Value>> {
        let text = parts.next()?;
        assert!(
            text.trim_ascii_start().starts_with(b"{"),
            "not an object: {:?}",
            input::text(&text)
        );
        serde_json::from_slice(&text).ok()
    };
    // A number out of all range in a field that nobody reads: no second opinion on it.
    let (Some(header), Some(claims)) = (object(), object()) else {
        return;
    };
    let kind = if header.get("kid") == Some(&"p256".into()) {
        Kind::P256
    } else {
        Kind::Ed25519
    };
    assert!(
        is_good(&header, &claims, kind, now_s),
        "believed: {header:?} {claims:?}"
    );
    reach(&found, &claims);
}

/// What is good must be believed.
fn complete(token: &str, kind: Kind, header: &str, payload: &str, now_s: i64) {
    let parse = |text: &str| serde_json::from_str::<Map<String, Value>>(text).ok();
    let (Some(header_map), Some(claims)) = (parse(header), parse(payload)) else {
        return;
    };
    // A key that stands twice is nothing that can be agreed on.
    let is_plain = |text: &str, map: &Map<String, Value>| {
        let held: usize = map.values().map(input::keys_in).sum();
        input::keys_of(text) == map.len() + held
    };
    if !is_plain(header, &header_map) || !is_plain(payload, &claims) || token.len() > 8 << 10 {
        return;
    }
    if is_good(&header_map, &claims, kind, now_s) {
        let found = key::verifier().verify(token, now_s);
        assert!(found.is_ok(), "refused as {found:?}: {header} {payload}");
    }
}

fn is_good(header: &Map<String, Value>, claims: &Map<String, Value>, kind: Kind, now_s: i64) -> bool {
    let (kid, alg) = kind.names();
    let is_text = |value: Option<&Value>, wanted: &str| value.and_then(Value::as_str) == Some(wanted);
    let is_jwt = match header.get("typ") {
        None | Some(Value::Null) => true,
        Some(typ) => typ.as_str().is_some_and(|typ| typ.eq_ignore_ascii_case("jwt")),
    };
    let brings = ["jwk", "jku", "x5u", "crit"]
        .iter()
        .any(|field| header.contains_key(*field));
    let chain = match header.get("x5c") {
        None | Some(Value::Null) => true,
        Some(chain) => chain
            .as_array()
            .is_some_and(|chain| chain.iter().all(Value::is_string)),
    };
    let is_header =
        is_text(header.get("alg"), alg) && is_text(header.get("kid"), kid) && is_jwt && !brings && chain;
    let aud = match claims.get("aud") {
        Some(Value::Array(list)) if list.len() == 1 => list.first(),
        other => other,
    };
    let texts = ["sub", "jti"]
        .iter()
        .all(|claim| claims.get(*claim).is_some_and(Value::is_string));
    let act = claims
        .get("act")
        .is_none_or(|act| act.is_null() || act.is_string());
    let access = claims
        .get("access")
        .is_some_and(|access| access.is_null() || access.is_array());
    let time = |claim: &str| claims.get(claim).and_then(Value::as_i64);
    let (Some(exp), Some(nbf), Some(iat)) = (time("exp"), time("nbf"), time("iat")) else {
        return false;
    };
    let now_s = i128::from(now_s);
    let leeway = i128::from(LEEWAY_S);
    let saturated = |time: i128| time.clamp(i64::MIN.into(), i64::MAX.into());
    is_header
        && is_text(claims.get("iss"), ISSUER)
        && is_text(aud, SERVICE)
        && texts
        && act
        && access
        && now_s < saturated(i128::from(exp) + leeway)
        && now_s >= saturated(i128::from(nbf) - leeway)
        && now_s >= saturated(i128::from(iat) - leeway)
}

/// What a token allows is what its entries say, read another way.
fn reach(found: &VerifiedClaims, claims: &Map<String, Value>) {
    let none = Vec::new();
    let entries = claims.get("access").and_then(Value::as_array).unwrap_or(&none);
    for name in ["a/b", "c", "library/c"] {
        let name: RepositoryName = name.parse().expect("a name");
        let mut allowed = Vec::new();
        let mut places = Vec::new();
        for entry in entries {
            let (Some(entry), Some(actions)) =
                (entry.as_object(), entry.get("actions").and_then(Value::as_array))
            else {
                continue;
            };
            let place = match entry.get("stored_as") {
                None | Some(Value::Null) => name.as_str(),
                Some(place) => match place.as_str().filter(|place| crate::grammar::is_name(place)) {
                    Some(place) => place,
                    None => continue,
                },
            };
            let is_it = entry.get("type").and_then(Value::as_str) == Some("repository")
                && entry.get("name").and_then(Value::as_str) == Some(name.as_str());
            if is_it && actions.iter().all(Value::is_string) {
                allowed.extend(actions.iter().filter_map(Value::as_str).filter_map(Action::find));
                places.push(place);
            }
        }
        places.sort_unstable();
        places.dedup();
        let expected = match places.as_slice() {
            [place] => Some((allowed.into_iter().collect::<Actions>(), *place)),
            _ => None,
        };
        let found = found.find_access(&name);
        assert_eq!(
            found.map(|(actions, place)| (actions, place.as_str())),
            expected,
            "{entries:?}"
        );
    }
}

/// No byte of a token can be another.
fn damaged(token: &str, place: usize, now_s: i64) {
    let mut bytes = token.as_bytes().to_vec();
    let at = place % bytes.len();
    for other in [b'A', b'B', b'.', b'=', b'-', 0] {
        let own = std::mem::replace(&mut bytes[at], other);
        if own != other {
            let text = input::text(&bytes).into_owned();
            assert!(
                key::verifier().verify(&text, now_s).is_err(),
                "{text}: damaged at {at}"
            );
        }
        bytes[at] = own;
    }
}

/// A key set that is taken has 1 to 16 keys with different ids, and none of them private.
fn key_set(document: &str) {
    let Ok(keys) = parse_jwks(document.as_bytes()) else {
        return;
    };
    assert!((1..=16).contains(&keys.len()) && document.len() <= 64 << 10);
    for (at, (id, key)) in keys.iter().enumerate() {
        assert!(keys[..at].iter().all(|(other, _)| other != id), "{id:?} twice");
        assert_eq!(key.thumbprint().len(), 43);
        for algorithm in key.algorithms() {
            let is_signed = key.verifies(algorithm, b"message", &[0; 64]);
            assert!(!is_signed, "zeros are a signature");
        }
    }
    let Ok(value) = serde_json::from_str::<Value>(document) else {
        return;
    };
    let set = value.as_object().expect("a key set is an object");
    for key in set.get("keys").and_then(Value::as_array).expect("keys") {
        let key = key.as_object().expect("a key is an object");
        assert!(
            key.get("d").is_none_or(Value::is_null) && key.get("k").is_none_or(Value::is_null),
            "private"
        );
    }
}
