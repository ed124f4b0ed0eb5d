//! Tokens that the server itself signed and that must not be believed all the same: their claims.

use harness::{Journey, Need, Result, Suite, ensure};
use serde_json::{Value, json};

use super::forged_token::{begin, refused};
use super::forgery::Forgery;
use harness::bad_request::Ground;
use harness::bad_request::Request;

pub(super) fn add(suite: &mut Suite) {
    let needs = [Need::Portolan, Need::Sqlite];
    suite.add(
        "bad_input::forged_claims",
        "a_token_outside_its_time_is_refused",
        &needs,
        time,
    );
    suite.add(
        "bad_input::forged_claims",
        "a_token_for_another_service_or_of_another_issuer_is_refused",
        &needs,
        elsewhere,
    );
    suite.add(
        "bad_input::forged_claims",
        "a_token_for_another_repository_is_not_enough",
        &needs,
        other_repository,
    );
    suite.add(
        "bad_input::forged_claims",
        "claims_of_a_wrong_type_are_refused",
        &needs,
        claim_types,
    );
}

/// Each set of claims, signed by the server's own key, is refused.
fn all_refused(ground: &Ground, forgery: &Forgery, claims: &[Value]) -> Result<()> {
    for more in claims {
        let token = forgery.genuine(&forgery.header, &forgery.claims_with(more.clone()))?;
        refused(ground, &more.to_string(), &token)?;
    }
    ground.is_unharmed()
}

fn time(journey: &Journey) -> Result<()> {
    let (ground, forgery) = begin(journey)?;
    let now = forgery.claims["iat"].as_i64().unwrap_or_default();
    let claims = [
        json!({ "exp": now - 3600, "nbf": now - 7200, "iat": now - 7200 }),
        json!({ "exp": now - 120 }),
        json!({ "nbf": now + 3600, "exp": now + 7200 }),
        json!({ "iat": now + 3600 }),
        json!({ "exp": 0 }),
        json!({ "exp": -1 }),
        json!({ "exp": i64::MIN }),
        json!({ "nbf": i64::MAX }),
        json!({ "iat": i64::MAX }),
    ];
    all_refused(&ground, &forgery, &claims)
}

fn elsewhere(journey: &Journey) -> Result<()> {
    let (ground, forgery) = begin(journey)?;
    let (host, issuer) = (ground.server.host(), forgery.claims["iss"].clone());
    let claims = [
        json!({ "aud": "other.example" }),
        json!({ "aud": "" }),
        json!({ "aud": null }),
        json!({ "aud": ["other.example"] }),
        json!({ "aud": [host, "other.example"] }),
        json!({ "aud": [] }),
        json!({ "aud": format!("{host}.evil.example") }),
        json!({ "aud": format!("{host} ") }),
        json!({ "aud": host.to_uppercase() }),
        json!({ "iss": "other.example" }),
        json!({ "iss": "" }),
        json!({ "iss": null }),
        json!({ "iss": [issuer] }),
        json!({ "iss": format!("{}/", issuer.as_str().unwrap_or_default()) }),
    ];
    all_refused(&ground, &forgery, &claims)
}

/// Genuine tokens whose access does not reach: 401 again, so that a client may fetch a better one, and nothing done.
fn other_repository(journey: &Journey) -> Result<()> {
    let (ground, forgery) = begin(journey)?;
    let (name, own) = (ground.repository(), &ground.account.name);
    let entry =
        |name: &str, actions: Value| json!({ "type": "repository", "name": name, "actions": actions });
    let all = json!(["pull", "push", "delete"]);
    let accesses = [
        json!([]),
        json!([entry(&format!("{own}/other"), all.clone())]),
        json!([entry(&format!("{name}/below"), all.clone())]),
        json!([entry(own, all.clone())]),
        json!([entry(&format!("{own}/*"), all.clone())]),
        json!([entry("*", all.clone())]),
        json!([entry(&format!("{own}/kep"), all.clone())]),
        json!([entry(&name.to_uppercase(), all.clone())]),
        json!([entry(&format!("{name}/"), all.clone())]),
        json!([entry(&format!("/{name}"), all.clone())]),
        json!([entry(&name, json!([]))]),
        json!([entry(&name, json!(["PULL", "PUSH", "DELETE"]))]),
        json!([entry(&name, json!(["pull,push,delete"]))]),
        json!([{ "type": "registry", "name": name, "actions": all }]),
        json!([{ "type": "Repository", "name": name, "actions": all }]),
        json!([{ "type": "repository", "name": [name], "actions": all }]),
        json!([{ "type": "repository", "name": name, "actions": "pull" }]),
        json!([{ "name": name, "actions": all }]),
        json!([[name, "pull"], "pull", 1, null]),
    ];
    let requests = [
        Request::new("GET", format!("/v2/{name}/manifests/good")),
        Request::new("GET", format!("/v2/{name}/blobs/{}", ground.layer)),
        Request::new("GET", format!("/v2/{name}/tags/list")),
        Request::new("GET", format!("/v2/{name}/referrers/{}", ground.layer)),
        Request::new("POST", format!("/v2/{name}/blobs/uploads/")),
        Request::new("PUT", format!("/v2/{name}/manifests/forged")).body("{}"),
        Request::new("DELETE", format!("/v2/{name}/manifests/good")),
        Request::new("DELETE", format!("/v2/{name}/blobs/{}", ground.layer)),
    ];
    for access in accesses {
        let token = forgery.genuine(&forgery.header, &forgery.claims_with(json!({ "access": access })))?;
        for request in &requests {
            insufficient(&ground, request, &token, &access)?;
        }
    }
    for (actions, allowed) in [
        (json!(["pull"]), 0..4),
        (json!(["push"]), 4..4),
        (json!(["delete"]), 6..8),
    ] {
        let access = json!([entry(&name, actions)]);
        let token = forgery.genuine(&forgery.header, &forgery.claims_with(json!({ "access": access })))?;
        for (place, request) in requests.iter().enumerate() {
            if !allowed.contains(&place) {
                insufficient(&ground, request, &token, &access)?;
            }
        }
    }
    ground.is_unharmed()
}

fn insufficient(ground: &Ground, request: &Request, token: &str, access: &Value) -> Result<()> {
    let reply = request.clone().bearer(token).send(ground.server.port())?;
    let context = || format!("{access}: {} {}", request.method, request.target);
    reply
        .refuses(&[401], &["UNAUTHORIZED"])
        .map_err(|error| error.context(context()))?;
    let challenge = reply.header("www-authenticate").unwrap_or_default();
    let said =
        challenge.contains("error=\"insufficient_scope\"") || challenge.contains("error=\"invalid_token\"");
    ensure!(said, "{}: why is not said: {reply}", context());
    let scope = format!("scope=\"repository:{}:", ground.repository());
    ensure!(
        challenge.contains(&scope),
        "{}: the scope is not said: {reply}",
        context()
    );
    Ok(())
}

fn claim_types(journey: &Journey) -> Result<()> {
    let (ground, forgery) = begin(journey)?;
    let mut claims = Vec::new();
    for name in ["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "access"] {
        for wrong in [json!({}), json!(true), json!(1.5), json!({ "a": [1, 2] })] {
            claims.push(json!({ name: wrong }));
        }
        claims.push(json!({ name: null }));
    }
    let now = forgery.claims["iat"].as_i64().unwrap_or_default();
    claims.extend([
        json!({ "exp": (now + 300).to_string() }),
        json!({ "exp": format!("{}", i64::MAX) }),
        json!({ "exp": 1e300 }),
        json!({ "exp": [now + 300] }),
        json!({ "exp": u64::MAX }),
        json!({ "nbf": now.to_string() }),
        json!({ "iat": now.to_string() }),
        json!({ "sub": 7 }),
        json!({ "sub": ["admin"] }),
        json!({ "access": "repository:x:pull" }),
        json!({ "access": { "type": "repository" } }),
    ]);
    all_refused(&ground, &forgery, &claims)
}
