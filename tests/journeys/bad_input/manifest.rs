//! JSON that is none, none that is meant, or too much of it, put as a manifest.

use harness::{Journey, Need, Result, Suite, ensure};
use serde_json::{Value, json};

use harness::bad_request::Ground;
use harness::bad_request::Request;

pub(super) fn add(suite: &mut Suite) {
    let needs = [Need::Portolan];
    suite.add(
        "bad_input::manifest",
        "truncated_json_is_refused_wherever_it_ends",
        &needs,
        truncated,
    );
    suite.add(
        "bad_input::manifest",
        "json_nested_100_000_deep_is_refused",
        &needs,
        deep,
    );
    suite.add(
        "bad_input::manifest",
        "ten_mebibytes_are_refused_with_413",
        &needs,
        large,
    );
    suite.add(
        "bad_input::manifest",
        "values_of_the_wrong_kind_are_refused",
        &needs,
        wrong_kinds,
    );
    suite.add(
        "bad_input::manifest",
        "bytes_that_are_no_json_are_refused",
        &needs,
        no_json,
    );
}

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

fn put(ground: &Ground, body: &[u8]) -> Result<harness::bad_request::Reply> {
    let target = format!("/v2/{}/manifests/bad", ground.repository());
    ground.send(
        Request::new("PUT", target)
            .header("Content-Type", MANIFEST)
            .body(body),
    )
}

fn refused(ground: &Ground, body: &[u8]) -> Result<()> {
    let shown = || String::from_utf8_lossy(&body[..body.len().min(300)]).into_owned();
    let reply = put(ground, body)?;
    reply
        .refuses(&[400], &["MANIFEST_INVALID", "DIGEST_INVALID"])
        .map_err(|error| error.context(shown()))
}

fn truncated(journey: &Journey) -> Result<()> {
    let ground = Ground::prepare(journey)?;
    let good = ground.good_manifest()?;
    for end in 0..good.len() {
        refused(&ground, &good[..end])?;
    }
    ground.is_unharmed()
}

fn deep(journey: &Journey) -> Result<()> {
    const DEPTH: usize = 100_000;
    let ground = Ground::prepare(journey)?;
    let good = String::from_utf8(ground.good_manifest()?)?;
    let nests = [
        format!("{}{}", "[".repeat(DEPTH), "]".repeat(DEPTH)),
        format!("{}1{}", "{\"a\":".repeat(DEPTH), "}".repeat(DEPTH)),
        "[".repeat(DEPTH),
        "{\"a\":".repeat(DEPTH),
        "[{\"a\":".repeat(DEPTH / 2),
    ];
    for nest in &nests {
        refused(&ground, nest.as_bytes())?;
        refused(&ground, format!("{{\"x\":{nest},{}", &good[1..]).as_bytes())?;
        refused(
            &ground,
            good.replacen("\"layers\":[", &format!("\"layers\":[{nest},"), 1)
                .as_bytes(),
        )?;
    }
    ground.is_unharmed()
}

fn large(journey: &Journey) -> Result<()> {
    const SIZE: usize = 10 * 1024 * 1024;
    let ground = Ground::prepare(journey)?;
    let mut padded = ground.good_manifest()?;
    padded.resize(SIZE, b' ');
    for body in [
        padded,
        vec![b'['; SIZE],
        vec![b' '; SIZE],
        vec![b'"'; SIZE],
        vec![0; SIZE],
    ] {
        let reply = put(&ground, &body)?;
        ensure!(reply.status == 413, "should have been 413: {reply}");
        reply.error_code()?;
    }
    // Said beforehand, the size alone decides.
    let head = format!(
        "PUT /v2/{}/manifests/bad HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Type: {MANIFEST}\r\n\
         Content-Length: 1000000000000\r\nConnection: close\r\n\r\n",
        ground.repository(),
        ground.token
    );
    let reply = harness::bad_request::exchange(ground.server.port(), head.as_bytes(), false)?;
    ensure!(
        reply.as_ref().is_some_and(|reply| reply.status == 413),
        "should have been 413: {reply:?}"
    );
    ground.is_unharmed()
}

fn wrong_kinds(journey: &Journey) -> Result<()> {
    let ground = Ground::prepare(journey)?;
    let good: Value = serde_json::from_slice(&ground.good_manifest()?)?;
    let digest = ground.layer.clone();
    let faults: Vec<(&str, Value)> = vec![
        ("/schemaVersion", json!("2")),
        ("/schemaVersion", json!(1)),
        ("/schemaVersion", json!(2.5)),
        ("/schemaVersion", Value::Null),
        ("/mediaType", json!(7)),
        ("/mediaType", json!("text/html")),
        ("/mediaType", json!("application/vnd.oci.image.index.v1+json")),
        ("/config", json!([])),
        ("/config", json!("x")),
        ("/config", Value::Null),
        ("/config", json!({})),
        ("/config/digest", json!("sha256:short")),
        ("/config/digest", json!("../../etc/passwd")),
        ("/config/digest", json!(1)),
        ("/config/digest", json!("md5:d41d8cd98f00b204e9800998ecf8427e")),
        ("/config/size", json!(-1)),
        ("/config/size", json!("2")),
        ("/config/size", json!(1.5)),
        ("/config/size", json!(1e300)),
        ("/config/size", json!(u64::MAX)),
        ("/config/mediaType", json!(false)),
        ("/layers", json!({})),
        ("/layers", json!([1])),
        ("/layers", json!([null])),
        ("/layers", json!([[]])),
        ("/layers/0/digest", json!(format!("{digest}\u{0}"))),
        ("/layers/0/digest", json!(digest.to_uppercase())),
        ("/layers/0/urls", json!("https://example.com")),
        ("/annotations", json!([])),
        ("/annotations", json!({ "a": 1 })),
        ("/subject", json!("x")),
        ("/subject", json!({ "digest": "x" })),
        ("/manifests", json!([])),
        ("/artifactType", json!(1)),
    ];
    for (pointer, wrong) in faults {
        let mut bad = good.clone();
        if let Some(place) = bad.pointer_mut(pointer) {
            *place = wrong.clone();
        } else {
            let (parent, key) = pointer.rsplit_once('/').unwrap_or_default();
            if let Some(fields) = bad.pointer_mut(parent).and_then(Value::as_object_mut) {
                fields.insert(key.to_owned(), wrong.clone());
            }
        }
        refused(&ground, &serde_json::to_vec(&bad)?)?;
    }
    ground.is_unharmed()
}

fn no_json(journey: &Journey) -> Result<()> {
    let ground = Ground::prepare(journey)?;
    let good = ground.good_manifest()?;
    let text = String::from_utf8_lossy(&good).into_owned();
    let bodies: Vec<Vec<u8>> = vec![
        b"".to_vec(),
        b"null".to_vec(),
        b"true".to_vec(),
        b"2".to_vec(),
        b"\"manifest\"".to_vec(),
        b"[]".to_vec(),
        b"{}".to_vec(),
        b"{}{}".to_vec(),
        b"<html></html>".to_vec(),
        b"\xff\xfe{\x00}\x00".to_vec(),
        [b"\xef\xbb\xbf", good.as_slice()].concat(),
        [good.as_slice(), b"}"].concat(),
        [good.as_slice(), b"\0"].concat(),
        text.replacen("\"schemaVersion\"", "\"schema\\uD800Version\"", 1)
            .into_bytes(),
        text.replacen('{', "{\"a\":\"\u{1}\",", 1).into_bytes(),
        text.replacen('{', "{\"a\":01,", 1).into_bytes(),
        text.replacen('{', "{\"a\":NaN,", 1).into_bytes(),
        text.replacen('{', "{/* comment */", 1).into_bytes(),
        text.replacen('{', "{'a':1,", 1).into_bytes(),
        text.replacen('{', "{\"a\":1,,", 1).into_bytes(),
        text.replacen('{', "{\"layers\":[],", 1).into_bytes(),
        text.replacen("\"layers\"", "\"layers\\u0022", 1).into_bytes(),
        [b"{\"a\":\"\xc3\x28\",", &good[1..]].concat(),
    ];
    for body in bodies {
        refused(&ground, &body)?;
    }
    ground.is_unharmed()
}
