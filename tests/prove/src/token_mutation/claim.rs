//! Mutations of what a token says.

use anyhow::Result;
use serde_json::{Map, Value, json};

use super::Case;
use super::oracle::{ISSUER, LEEWAY_S, SERVICE, judge};
use super::signer::Signer;

/// Room for a slow machine between the making of a token and its check, in seconds.
const SLOW_S: i64 = 240;

/// Claims that open every endpoint.
pub(super) fn good(now_s: i64) -> Map<String, Value> {
    let Value::Object(claims) = json!({
        "iss": ISSUER, "sub": "alice", "aud": SERVICE, "exp": now_s + 3_600, "nbf": now_s - 10, "iat": now_s, "jti": "t",
        "access": [entry("a/b", &["*"]), entry("c/d", &["pull"]), {"type": "registry", "name": "catalog", "actions": ["*"]}],
    }) else {
        return Map::new();
    };
    claims
}

fn entry(name: &str, actions: &[&str]) -> Value {
    json!({"type": "repository", "name": name, "actions": actions})
}

/// Texts of JSON in a claim's place; `GOOD` is the good value.
const VALUES: [&str; 44] = [
    "null",
    "true",
    "false",
    "0",
    "1",
    "-1",
    "-0",
    "1.5",
    "-1.5",
    "1800000000.0",
    "1e3",
    "1e300",
    "-1e300",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "-9223372036854775809",
    "18446744073709551615",
    "18446744073709551616",
    "123456789012345678901234567890",
    "\"\"",
    "\"x\"",
    "\"1\"",
    "\"1800000000\"",
    "\"null\"",
    "\"9223372036854775807\"",
    "\"\\u0000\"",
    "\"\\ud83d\\ude00\"",
    "\"HUGE\"",
    "[]",
    "[null]",
    "[GOOD]",
    "[GOOD,GOOD]",
    "[GOOD,null]",
    "[GOOD,\"x\"]",
    "[\"x\",GOOD]",
    "[[GOOD]]",
    "{}",
    "{\"a\":GOOD}",
    "{\"0\":GOOD}",
    "[\"HUGE\"]",
    "[{}]",
    "[1,2]",
    "{\"$date\":GOOD}",
];

/// Claims with one value instead of another.
pub(super) fn cases(signer: &Signer, now_s: i64, cases: &mut Vec<Case>) -> Result<()> {
    let header = json!({"alg": signer.alg(), "typ": "JWT", "kid": signer.kid}).to_string();
    let good = good(now_s);
    let whole = Value::Object(good.clone()).to_string();
    let mut add = |name: String, payload: &str, outcome| -> Result<()> {
        let token = signer.token(&header, payload)?;
        cases.push(Case {
            name: format!("{} {name}", signer.alg()),
            token,
            outcome,
        });
        Ok(())
    };
    add("good".to_owned(), &whole, judge(&good, now_s))?;
    for claim in ["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "access", "act"] {
        let own = good.get(claim).cloned().unwrap_or_else(|| json!("pat:1"));
        let mut without = good.clone();
        without.remove(claim);
        add(
            format!("no {claim}"),
            &Value::Object(without.clone()).to_string(),
            judge(&without, now_s),
        )?;
        for value in VALUES {
            let text = value
                .replace("GOOD", &own.to_string())
                .replace("HUGE", &"x".repeat(2_000));
            with(claim, &text, &without, now_s, &mut add)?;
        }
        for text in texts(&own) {
            with(claim, &json!(text).to_string(), &without, now_s, &mut add)?;
        }
        // Another case is another claim.
        let mut other = without.clone();
        other.insert(claim.to_uppercase(), own.clone());
        add(
            format!("{claim} in capitals"),
            &Value::Object(other.clone()).to_string(),
            judge(&other, now_s),
        )?;
        let rest = Value::Object(without).to_string();
        for (first, second) in [
            (own.to_string(), own.to_string()),
            (own.to_string(), "\"x\"".to_owned()),
            ("\"x\"".to_owned(), own.to_string()),
        ] {
            let twice = rest.replacen('{', &format!("{{\"{claim}\":{first},\"{claim}\":{second},"), 1);
            add(format!("{claim} twice: {first} {second}"), &twice, None)?;
            let escaped = format!("\\u{:04x}{}", u32::from(claim.as_bytes()[0]), &claim[1..]);
            let twice = rest.replacen('{', &format!("{{\"{claim}\":{first},\"{escaped}\":{second},"), 1);
            add(format!("{claim} twice, escaped: {first} {second}"), &twice, None)?;
        }
    }
    times(&good, now_s, &mut add)?;
    accesses(&good, now_s, &mut add)
}

type Add<'a> = dyn FnMut(String, &str, super::Outcome) -> Result<()> + 'a;

/// The claim with this JSON, and the rest as it was.
fn with(claim: &str, value: &str, rest: &Map<String, Value>, now_s: i64, add: &mut Add<'_>) -> Result<()> {
    let text = Value::Object(rest.clone()).to_string();
    let payload = text.replacen('{', &format!("{{\"{claim}\":{value},"), 1);
    let claims: Map<String, Value> = serde_json::from_str(&payload)?;
    let shown: String = value.chars().take(60).collect();
    add(format!("{claim} = {shown}"), &payload, judge(&claims, now_s))
}

/// Texts near a good one.
fn texts(good: &Value) -> Vec<String> {
    let Some(good) = good.as_str() else {
        return Vec::new();
    };
    vec![
        good.to_uppercase(),
        format!(" {good}"),
        format!("{good} "),
        format!("{good}\0"),
        format!("{good}/"),
        format!("{good}:443"),
        format!("{good}."),
        format!("x.{good}"),
        format!("{good},x"),
        good.chars().rev().collect(),
        good.chars().skip(1).collect(),
        good.replace('e', "\u{435}"),
    ]
}

/// Times on both sides of each edge, as near as a run on a slow machine can tell them.
fn times(good: &Map<String, Value>, now_s: i64, add: &mut Add<'_>) -> Result<()> {
    for (claim, offset) in [
        ("exp", -LEEWAY_S),
        ("exp", -LEEWAY_S - 1),
        ("exp", -3_600),
        ("exp", SLOW_S),
        ("exp", 0 - now_s),
        ("exp", i64::MAX - now_s),
        ("nbf", LEEWAY_S),
        ("nbf", 0),
        ("nbf", LEEWAY_S + SLOW_S),
        ("nbf", 3_600),
        ("nbf", 0 - now_s),
        ("nbf", 86_400_000),
        ("iat", LEEWAY_S),
        ("iat", 0),
        ("iat", LEEWAY_S + SLOW_S),
        ("iat", 3_600),
        ("iat", 0 - now_s),
        ("iat", 86_400_000),
    ] {
        let mut claims = good.clone();
        claims.insert(claim.to_owned(), json!(now_s + offset));
        add(
            format!("{claim} {offset:+} s"),
            &Value::Object(claims.clone()).to_string(),
            judge(&claims, now_s),
        )?;
    }
    Ok(())
}

/// Access sets: what opens which endpoint.
fn accesses(good: &Map<String, Value>, now_s: i64, add: &mut Add<'_>) -> Result<()> {
    let own = |actions: &[&str]| entry("a/b", actions);
    let kept = |actions: &[&str], place: &str| json!({"type": "repository", "name": "a/b", "actions": actions, "stored_as": place});
    for access in [
        json!([]),
        json!([own(&[])]),
        json!([own(&["pull"])]),
        json!([own(&["push"])]),
        json!([own(&["delete"])]),
        json!([own(&["pull", "push"])]),
        json!([own(&["push", "delete"])]),
        json!([own(&["pull", "push", "delete"])]),
        json!([own(&["pull"]), own(&["push"])]),
        json!([own(&[
            "PULL",
            "Push",
            "pull ",
            " push",
            "admin",
            "metadata_read",
            "pull,push",
            ""
        ])]),
        json!([
            entry("a", &["*"]),
            entry("a/b/c", &["*"]),
            entry("b", &["*"]),
            entry("c/d", &["*"])
        ]),
        json!([
            entry("A/b", &["*"]),
            entry("a/*", &["*"]),
            entry("*", &["*"]),
            entry("a/b ", &["*"]),
            entry("a//b", &["*"])
        ]),
        json!([
            entry("", &["*"]),
            entry("a/b/", &["*"]),
            entry("/a/b", &["*"]),
            entry("a/../a/b", &["*"])
        ]),
        json!([{"type": "registry", "name": "catalog", "actions": ["*"]}]),
        json!([{"type": "registry", "name": "catalog", "actions": ["search"]}]),
        json!([{"type": "registry", "name": "a/b", "actions": ["*"]}]),
        json!([{"type": "repository(plugin)", "name": "a/b", "actions": ["*"]}, {"type": "Repository", "name": "a/b", "actions": ["*"]}]),
        json!([{"type": "repository", "name": "a/b", "actions": "*"}, {"type": "repository", "name": "a/b"}]),
        json!([{"type": "repository", "name": "a/b", "actions": ["*", 1]}, {"type": "repository", "name": "a/b", "actions": null}]),
        json!([{"name": "a/b", "actions": ["*"]}, {"type": "repository", "actions": ["*"]}, ["repository", "a/b", ["*"]]]),
        json!([
            ["repository", "a/b", ["*"], null],
            "repository:a/b:*",
            1,
            null,
            own(&["pull"])
        ]),
        json!({"type": "repository", "name": "a/b", "actions": ["*"]}),
        json!([kept(&["*"], "x/1")]),
        json!([kept(&["pull"], "x/1"), kept(&["push"], "x/1")]),
        json!([kept(&["pull"], "x/1"), kept(&["push"], "x/2")]),
        json!([kept(&["pull"], "x/1"), own(&["push"])]),
        json!([kept(&["*"], "../x"), own(&["pull"])]),
        json!([kept(&["*"], "")]),
    ] {
        let mut claims = good.clone();
        claims.insert("access".to_owned(), access.clone());
        add(
            format!("access {access}"),
            &Value::Object(claims.clone()).to_string(),
            judge(&claims, now_s),
        )?;
    }
    Ok(())
}
