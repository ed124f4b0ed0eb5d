//! Every endpoint × every access set, and every endpoint × every token that must not be believed.

use http::Method;
use serde_json::{Value, json};

use super::test_token::{NOW_S, Signer, authenticator, repository};
use super::{Authenticator, Authorized, Caller, Denial, Refusal, mutations};
use crate::endpoint::Endpoint;

const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// Method, path, the actions on `a/b` that are needed, and the scope of the challenge: written from the specification
/// and from distribution, not from the code.
const ENDPOINTS: [(&str, &str, &str, &str); 25] = [
    ("GET", "/v2/", "any", ""),
    ("HEAD", "/v2/", "any", ""),
    ("GET", "/v2/_catalog", "catalog", "registry:catalog:*"),
    ("HEAD", "/v2/_catalog", "catalog", "registry:catalog:*"),
    ("GET", "/v2/a/b/tags/list", "pull", "repository:a/b:pull"),
    ("HEAD", "/v2/a/b/tags/list", "pull", "repository:a/b:pull"),
    ("GET", "/v2/a/b/manifests/t", "pull", "repository:a/b:pull"),
    ("HEAD", "/v2/a/b/manifests/t", "pull", "repository:a/b:pull"),
    (
        "PUT",
        "/v2/a/b/manifests/t",
        "pull push",
        "repository:a/b:pull,push",
    ),
    ("DELETE", "/v2/a/b/manifests/t", "delete", "repository:a/b:delete"),
    (
        "DELETE",
        "/v2/a/b/manifests/DIGEST",
        "delete",
        "repository:a/b:delete",
    ),
    ("GET", "/v2/a/b/blobs/DIGEST", "pull", "repository:a/b:pull"),
    ("HEAD", "/v2/a/b/blobs/DIGEST", "pull", "repository:a/b:pull"),
    (
        "DELETE",
        "/v2/a/b/blobs/DIGEST",
        "delete",
        "repository:a/b:delete",
    ),
    (
        "POST",
        "/v2/a/b/blobs/uploads/",
        "pull push",
        "repository:a/b:pull,push",
    ),
    (
        "POST",
        "/v2/a/b/blobs/uploads/?digest=DIGEST",
        "pull push",
        "repository:a/b:pull,push",
    ),
    (
        "POST",
        "/v2/a/b/blobs/uploads/?mount=DIGEST&from=c/d",
        "pull push",
        "repository:a/b:pull,push repository:c/d:pull",
    ),
    (
        "POST",
        "/v2/a/b/blobs/uploads/?mount=DIGEST",
        "pull push",
        "repository:a/b:pull,push",
    ),
    ("GET", "/v2/a/b/blobs/uploads/u", "push", "repository:a/b:push"),
    ("HEAD", "/v2/a/b/blobs/uploads/u", "push", "repository:a/b:push"),
    (
        "PATCH",
        "/v2/a/b/blobs/uploads/u",
        "pull push",
        "repository:a/b:pull,push",
    ),
    (
        "PUT",
        "/v2/a/b/blobs/uploads/u",
        "pull push",
        "repository:a/b:pull,push",
    ),
    ("DELETE", "/v2/a/b/blobs/uploads/u", "push", "repository:a/b:push"),
    ("GET", "/v2/a/b/referrers/DIGEST", "pull", "repository:a/b:pull"),
    ("DELETE", "/v2/a/b/_portolan/content", "all", "repository:a/b:*"),
];

fn endpoint(method: &str, path: &str) -> Endpoint {
    let path = path.replace("DIGEST", DIGEST);
    let (path, query) = path
        .split_once('?')
        .map_or((path.as_str(), None), |(path, query)| (path, Some(query)));
    Endpoint::parse(&method.parse::<Method>().unwrap(), path, query).unwrap()
}

/// Access sets with the words that they hold for `a/b`; `catalog` for the list of repositories.
fn access_sets() -> Vec<(Value, &'static str)> {
    let own = |actions: &[&str]| repository("a/b", actions);
    vec![
        (json!([]), ""),
        (json!(null), ""),
        (json!([own(&[])]), "some"),
        (json!([own(&["pull"])]), "some pull"),
        (json!([own(&["push"])]), "some push"),
        (json!([own(&["pull", "push"])]), "some pull push"),
        (json!([own(&["push", "pull", "push"])]), "some pull push"),
        (json!([own(&["pull"]), own(&["push"])]), "some pull push"),
        (json!([own(&["delete"])]), "some delete"),
        (json!([own(&["pull", "push", "delete"])]), "some pull push delete"),
        (json!([own(&["*"])]), "some pull push delete all"),
        (
            json!([own(&["PULL", "Push", "pull ", "admin", "metadata_read"])]),
            "some",
        ),
        (
            json!([
                repository("a", &["*"]),
                repository("a/b/c", &["*"]),
                repository("A/b", &["*"])
            ]),
            "some",
        ),
        (
            json!([
                repository("a/*", &["*"]),
                repository("*", &["*"]),
                repository("a/b ", &["*"])
            ]),
            "",
        ),
        (
            json!([{"type": "registry", "name": "catalog", "actions": ["*"]}]),
            "some catalog",
        ),
        (
            json!([{"type": "registry", "name": "catalog", "actions": ["search"]}]),
            "some",
        ),
        (json!([{"type": "registry", "name": "a/b", "actions": ["*"]}]), ""),
        (
            json!([{"type": "repository(plugin)", "name": "a/b", "actions": ["*"]}]),
            "",
        ),
        (json!([{"type": "repository", "name": "a/b", "actions": "*"}]), ""),
        (
            json!([{"type": "repository", "name": "a/b"}, "pull", 1, null, own(&["pull"])]),
            "some pull",
        ),
        (
            json!([{"type": "repository", "name": "a/b", "actions": ["pull"], "stored_as": "x/1"}, {"type": "repository", "name": "a/b", "actions": ["push"], "stored_as": "x/2"}]),
            "some",
        ),
    ]
}

async fn ask(authenticator: &Authenticator, endpoint: &Endpoint, token: &str) -> Result<Authorized, Refusal> {
    let value = format!("Bearer {token}");
    let asked = authenticator.authorize(endpoint.clone(), Some(value.as_bytes()), NOW_S);
    asked.await.map_err(refused)
}

fn refused(denial: Denial) -> Refusal {
    let Denial::Refused(refusal) = denial else {
        unreachable!("no password is verified")
    };
    *refusal
}

#[tokio::test]
async fn each_access_set_opens_exactly_the_endpoints_whose_actions_it_holds() {
    let signer = Signer::es256();
    let authenticator = authenticator(&signer);
    let mut asked = 0;
    for (access, held) in access_sets() {
        let token = signer.token(access.clone());
        let held: Vec<&str> = held.split(' ').collect();
        for (method, path, needed, scope) in ENDPOINTS {
            let expected = match needed {
                "any" => true,
                // Whoever may see anything may ask what it is; who may see nothing can ask for more.
                "catalog" => held.contains(&"some"),
                actions => actions.split(' ').all(|action| held.contains(&action)),
            };
            // Two entries of one name that are stored under different names allow nothing together.
            let answer = ask(&authenticator, &endpoint(method, path), &token).await;
            assert_eq!(answer.is_ok(), expected, "{method} {path} with {access}");
            if let Err(refusal) = answer {
                let parameter = if scope.is_empty() {
                    String::new()
                } else {
                    format!(",scope=\"{scope}\"")
                };
                assert_eq!(
                    refusal.challenge,
                    format!(
                        "Bearer realm=\"https://registry.example/token\",service=\"registry.example\"{parameter},error=\"insufficient_scope\""
                    )
                );
            }
            asked += 1;
        }
    }
    assert_eq!(asked, access_sets().len() * ENDPOINTS.len());
}

#[tokio::test]
async fn no_token_that_must_not_be_believed_opens_any_endpoint() {
    let signer = Signer::es256();
    let authenticator = authenticator(&signer);
    let access = json!([repository("a/b", &["*"]), repository("c/d", &["*"]), {"type": "registry", "name": "catalog", "actions": ["*"]}]);
    let tokens = mutations::all(&signer, &access);
    assert!(tokens.len() > 180, "{} mutations", tokens.len());
    for (method, path, _, scope) in ENDPOINTS {
        let endpoint = endpoint(method, path);
        let good = signer.token(access.clone());
        assert!(
            ask(&authenticator, &endpoint, &good).await.is_ok(),
            "{method} {path}"
        );
        for (mutation, token) in &tokens {
            let refusal = ask(&authenticator, &endpoint, token).await.expect_err(mutation);
            assert!(refusal.token.is_some(), "{mutation} at {method} {path}");
            assert!(
                refusal.challenge.ends_with(",error=\"invalid_token\""),
                "{mutation}: {}",
                refusal.challenge
            );
            assert!(scope.is_empty() || refusal.challenge.contains(&format!("scope=\"{scope}\"")));
        }
        // What was refused leaves the good token good.
        let again = ask(&authenticator, &endpoint, &good).await;
        assert!(again.is_ok(), "{method} {path}: {again:?}");
    }
}

#[tokio::test]
async fn without_a_bearer_token_every_endpoint_challenges_without_an_error() {
    let signer = Signer::es256();
    let authenticator = authenticator(&signer);
    let good = signer.token(json!([repository("a/b", &["*"])]));
    for authorization in [
        None,
        Some(String::new()),
        Some("Bearer".to_owned()),
        Some("Bearer ".to_owned()),
        Some("Basic YWxpY2U6cGFzc3dvcmQ=".to_owned()),
        Some("Digest x".to_owned()),
        Some(good.clone()),
        Some(format!("Bearer{good}")),
        Some(format!("Token {good}")),
    ] {
        for (method, path, _, scope) in ENDPOINTS {
            let value = authorization.as_ref().map(String::as_bytes);
            let asked = authenticator.authorize(endpoint(method, path), value, NOW_S);
            let refusal = refused(asked.await.unwrap_err());
            assert_eq!(
                (refusal.token, refusal.insufficient),
                (None, false),
                "{authorization:?}"
            );
            assert!(!refusal.challenge.contains("error="), "{}", refusal.challenge);
            assert_eq!(refusal.challenge.contains("scope="), !scope.is_empty());
        }
    }
    for scheme in ["bearer", "BEARER", "Bearer "] {
        let value = format!("{scheme} {good}");
        let asked = authenticator.authorize(
            endpoint("GET", "/v2/a/b/tags/list"),
            Some(value.as_bytes()),
            NOW_S,
        );
        assert!(asked.await.is_ok(), "{scheme}");
    }
    assert!(
        authenticator
            .authorize(endpoint("GET", "/"), Caller::default(), NOW_S)
            .await
            .is_ok(),
        "the probe needs nothing"
    );
}
