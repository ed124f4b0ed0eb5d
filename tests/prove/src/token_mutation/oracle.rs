//! Whether a token is good, by the rules of `docs` and the RFCs and none of the registry's code.

use serde_json::{Map, Value};

pub(super) const ISSUER: &str = "the issuer of the proof";
pub(super) const SERVICE: &str = "registry.example";
/// How far clocks may be apart, in seconds.
pub(super) const LEEWAY_S: i64 = 60;

/// What must come of a token: refused, or believed with these words for `a/b` (`some`: anything at all).
pub(super) type Outcome = Option<Vec<String>>;

/// The outcome of claims that were signed well, at a time in seconds since the epoch.
pub(super) fn judge(claims: &Map<String, Value>, now_s: i64) -> Outcome {
    let text = |claim: &str| claims.get(claim).and_then(Value::as_str);
    let time = |claim: &str| claims.get(claim).and_then(Value::as_i64).map(i128::from);
    // As distribution has it: what may be absent may not be something else.
    let absent = |claim: &str| claims.get(claim).is_none_or(Value::is_null);
    let is_for_us = match claims.get("aud")? {
        Value::Array(list) => {
            list.iter().all(Value::is_string) && list.iter().any(|one| one.as_str() == Some(SERVICE))
        }
        other => other.as_str()? == SERVICE,
    };
    for claim in ["sub", "jti"] {
        if !absent(claim) {
            text(claim)?;
        }
    }
    let (now, leeway) = (i128::from(now_s), i128::from(LEEWAY_S));
    let since = |claim: &str| if absent(claim) { Some(0) } else { time(claim) };
    let (exp, nbf, iat) = (time("exp")?, since("nbf")?, since("iat")?);
    let is_current = now < exp + leeway && now >= nbf - leeway && now >= iat - leeway;
    let held = match claims.get("access") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(entries)) => held(entries),
        Some(_) => return None,
    };
    (text("iss")? == ISSUER && is_for_us && is_current).then_some(held)
}

/// What the entries allow on `a/b`.
fn held(entries: &[Value]) -> Vec<String> {
    let mut held = Vec::new();
    let mut places = Vec::new();
    let mut actions = Vec::new();
    for entry in entries.iter().filter_map(Value::as_object) {
        let field = |name: &str| entry.get(name).and_then(Value::as_str);
        let words = entry.get("actions").and_then(Value::as_array);
        let words = words.and_then(|words| words.iter().map(Value::as_str).collect::<Option<Vec<_>>>());
        let Some(words) = words else { continue };
        let place = match entry.get("stored_as") {
            None | Some(Value::Null) => field("name"),
            Some(place) => place.as_str().filter(|place| is_name(place)),
        };
        let (Some(name), Some(place)) = (field("name"), place) else {
            continue;
        };
        match field("type") {
            Some("registry") if name == "catalog" => held.push("some".to_owned()),
            Some("repository") if is_name(name) => {
                held.push("some".to_owned());
                if name == "a/b" {
                    places.push(place.to_owned());
                    actions.extend(words.into_iter().map(str::to_owned));
                }
            }
            _ => {}
        }
    }
    // Entries that disagree on where the repository lies allow nothing.
    if places.windows(2).all(|two| two[0] == two[1]) {
        if actions.iter().any(|action| action == "*") {
            actions.extend(["pull", "push", "delete"].map(str::to_owned));
        }
        held.extend(actions.into_iter().filter(|action| action != "some"));
    }
    held
}

/// Repository names as far as this proof uses them.
fn is_name(text: &str) -> bool {
    let is_part =
        |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    text.split('/').all(is_part)
}
