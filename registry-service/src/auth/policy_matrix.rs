//! Accounts, everybody and token holders × endpoints × a policy: the whole table.

use std::fmt::Write as _;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use serde_json::json;
use shared::secret::Secret;
use shared::token::{Action, Actions};

use super::policy::{Rule, Users};
use super::test_token::{NOW_S, REALM, Signer, repository};
use super::{AccessPolicy, Authenticator, Caller, Chain, Denial, Htpasswd, Listed, OwnTokens};
use crate::endpoint::Endpoint;

const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// Method, path below the repository, and the actions that are needed.
const OPERATIONS: [(&str, &str, &[&str]); 13] = [
    ("GET", "tags/list", &["pull"]),
    ("GET", "manifests/t", &["pull"]),
    ("HEAD", "manifests/t", &["pull"]),
    ("PUT", "manifests/t", &["pull", "push"]),
    ("DELETE", "manifests/t", &["delete"]),
    ("GET", "blobs/DIGEST", &["pull"]),
    ("DELETE", "blobs/DIGEST", &["delete"]),
    ("POST", "blobs/uploads/", &["pull", "push"]),
    (
        "POST",
        "blobs/uploads/?mount=DIGEST&from=public/x",
        &["pull", "push"],
    ),
    ("GET", "blobs/uploads/u", &["push"]),
    ("PATCH", "blobs/uploads/u", &["pull", "push"]),
    ("DELETE", "blobs/uploads/u", &["push"]),
    ("GET", "referrers/DIGEST", &["pull"]),
];

const REPOSITORIES: [&str; 5] = ["public/x", "team/app", "team/deep/app", "private/x", "publicx"];

/// What the policy below gives, written out by hand: who, where, what.
fn expected(who: &str, repository: &str) -> &'static [&'static str] {
    match (who, repository) {
        ("root", _) => &["pull", "push", "delete"],
        ("ci-1", "team/app" | "team/deep/app") | ("alice" | "ci-1", "public/x") => &["pull", "push"],
        ("alice", "team/app") | (_, "public/x") => &["pull"],
        _ => &[],
    }
}

fn policy() -> AccessPolicy {
    let rule = |users: &[&str], repositories: &[&str], actions: Actions| Rule {
        users: users
            .iter()
            .map(|users| match *users {
                "anonymous" => Users::Anybody,
                names => Users::Accounts(names.parse().unwrap()),
            })
            .collect(),
        repositories: repositories.iter().map(|glob| glob.parse().unwrap()).collect(),
        actions,
    };
    let push = Actions::NONE.with(Action::Push);
    AccessPolicy {
        rules: vec![
            rule(&["anonymous"], &["public/*"], Actions::PULL),
            rule(&["alice", "ci-*"], &["public/*"], push),
            rule(&["ci-?"], &["team/**"], Actions::PULL_PUSH),
            rule(&["alice"], &["team/*"], Actions::PULL),
            rule(&["root"], &["**"], Actions::NONE.with(Action::All)),
        ],
    }
}

fn basic(name: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{name}:{password}")))
}

/// Accounts `root`, `alice`, `ci-1` and `bob`, each with its name as password.
fn accounts(folder: &tempfile::TempDir) -> Htpasswd {
    let file = folder.path().join("accounts");
    let mut text = String::new();
    for name in ["root", "alice", "ci-1", "bob"] {
        writeln!(text, "{name}:{}", bcrypt::hash(name, 4).unwrap()).unwrap();
    }
    std::fs::write(&file, text).unwrap();
    Htpasswd::open("test".to_owned(), file, &|| [7; 16]).unwrap()
}

fn chain(folder: &tempfile::TempDir, change: impl FnOnce(&mut Chain)) -> Authenticator {
    let mut chain = Chain {
        accounts: Some(accounts(folder)),
        tokens: None,
        policy: Some(Arc::new(policy())),
        own: Some(OwnTokens::new(
            &Secret::new(b"secret".to_vec()),
            "https://r.example",
        )),
        prefers_tokens: false,
    };
    change(&mut chain);
    Authenticator::Chain(Box::new(chain))
}

fn endpoint(method: &str, path: &str) -> Endpoint {
    let path = path.replace("DIGEST", DIGEST);
    let (path, query) = path
        .split_once('?')
        .map_or((path.as_str(), None), |(path, query)| (path, Some(query)));
    Endpoint::parse(&method.parse::<Method>().unwrap(), path, query).unwrap()
}

async fn status(chain: &Authenticator, authorization: Option<&str>, method: &str, path: &str) -> u16 {
    let asked = chain.authorize(endpoint(method, path), authorization.map(str::as_bytes), NOW_S);
    match asked.await {
        Ok(_) => 200,
        Err(Denial::Refused(_)) => 401,
        Err(Denial::Forbidden) => 403,
        Err(Denial::TooManyLogins) => 429,
    }
}

async fn own_token(chain: &Authenticator, authorization: Option<&str>) -> String {
    let caller = Caller::from(authorization.map(str::as_bytes));
    let issued = chain.issue(&caller, NOW_S).await.unwrap().unwrap();
    format!("Bearer {}", issued.token)
}

#[tokio::test]
async fn whoever_may_by_the_policy_is_let_in_and_nobody_else() {
    let folder = tempfile::tempdir().unwrap();
    let chain = chain(&folder, |_| {});
    let mut cells = 0;
    for who in ["", "root", "alice", "ci-1", "bob"] {
        let shown = (!who.is_empty()).then(|| basic(who, who));
        let token = own_token(&chain, shown.as_deref()).await;
        for repository in REPOSITORIES {
            for (method, path, needed) in OPERATIONS {
                let path = format!("/v2/{repository}/{path}");
                let held = expected(who, repository);
                let is_good = needed.iter().all(|action| held.contains(action));
                // Whoever is known is told that they may not; the others are asked who they are.
                let otherwise = if who.is_empty() { 401 } else { 403 };
                let expected = if is_good { 200 } else { otherwise };
                for shown in [shown.as_deref(), Some(token.as_str())] {
                    let status = status(&chain, shown, method, &path).await;
                    assert_eq!(status, expected, "{who:?} {method} {path}");
                    cells += 1;
                }
            }
        }
    }
    assert_eq!(cells, 5 * 5 * 13 * 2);
}

#[tokio::test]
async fn a_base_request_asks_who_shows_nothing_and_nobodys_token_is_enough() {
    let folder = tempfile::tempdir().unwrap();
    let chain = chain(&folder, |_| {});
    let nobody = own_token(&chain, None).await;
    let empty = basic("", "");
    for (shown, expected) in [
        (None, 401),
        (Some(empty.as_str()), 401),
        (Some(nobody.as_str()), 200),
        (Some(basic("bob", "bob").as_str()), 200),
        (Some(basic("bob", "guess").as_str()), 401),
        (Some("Bearer ptr_AAAA"), 401),
        (Some("Digest x"), 401),
    ] {
        assert_eq!(status(&chain, shown, "GET", "/v2/").await, expected, "{shown:?}");
    }
    let wrong = chain
        .issue(&Caller::from(Some(basic("bob", "guess").as_bytes())), NOW_S)
        .await;
    assert!(matches!(wrong, Err(Denial::Refused(_))));
}

#[tokio::test]
async fn the_catalog_shows_each_what_they_may_pull() {
    let folder = tempfile::tempdir().unwrap();
    let chain = chain(&folder, |_| {});
    for who in ["", "root", "alice", "ci-1", "bob"] {
        let shown = own_token(&chain, (!who.is_empty()).then(|| basic(who, who)).as_deref()).await;
        let asked = chain.authorize(endpoint("GET", "/v2/_catalog"), Some(shown.as_bytes()), NOW_S);
        let Listed::ByPolicy(pullable) = asked.await.unwrap().listed() else {
            panic!("the policy decides")
        };
        for repository in REPOSITORIES {
            let is_listed = pullable.holds(&repository.parse().unwrap());
            assert_eq!(
                is_listed,
                expected(who, repository).contains(&"pull"),
                "{who} {repository}"
            );
        }
    }
}

#[tokio::test]
async fn a_mount_takes_only_what_may_be_pulled() {
    let folder = tempfile::tempdir().unwrap();
    let chain = chain(&folder, |_| {});
    for (from, sources) in [
        ("public/x", vec!["public/x", "team/app"]),
        ("private/x", vec!["team/app"]),
        ("team/app", vec!["team/app"]),
    ] {
        let path = format!("/v2/team/app/blobs/uploads/?mount=DIGEST&from={from}");
        let shown = basic("ci-1", "ci-1");
        let asked = chain.authorize(endpoint("POST", &path), Some(shown.as_bytes()), NOW_S);
        let authorized = asked.await.unwrap();
        let found: Vec<_> = authorized
            .mount_sources()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(found, sources, "{from}");
    }
}

/// Tokens of a token server in a chain.
fn authority(signer: &Signer) -> super::TokenAuthority {
    let Authenticator::Token(authority) = super::test_token::authenticator(signer) else {
        panic!("a token authority")
    };
    authority
}

#[tokio::test]
async fn a_chain_takes_passwords_and_tokens_and_asks_for_the_one_that_was_tried() {
    let folder = tempfile::tempdir().unwrap();
    let signer = Signer::es256();
    let challenge = async |chain: &Authenticator, shown: Option<&str>| {
        let asked = chain.authorize(
            endpoint("GET", "/v2/private/x/tags/list"),
            shown.map(str::as_bytes),
            NOW_S,
        );
        match asked.await {
            Err(Denial::Refused(refusal)) => refusal.challenge,
            other => panic!("{other:?}"),
        }
    };
    let token = |name: &str| format!("Bearer {}", signer.token(json!([repository(name, &["pull"])])));
    let of_server = format!("Bearer realm=\"{REALM}\"");
    for prefers_tokens in [true, false] {
        let chain = chain(&folder, |chain| {
            chain.tokens = Some(authority(&signer));
            chain.policy = None;
            chain.own = None;
            chain.prefers_tokens = prefers_tokens;
        });
        let path = "/v2/private/x/tags/list";
        // Without a policy an account may do everything, and a token what it holds.
        for (shown, expected) in [
            (None, 401),
            (Some(basic("bob", "bob")), 200),
            (Some(basic("bob", "guess")), 401),
            (Some(token("private/x")), 200),
            (Some(token("public/x")), 401),
            (Some("Bearer x".to_owned()), 401),
        ] {
            assert_eq!(
                status(&chain, shown.as_deref(), "GET", path).await,
                expected,
                "{shown:?}"
            );
        }
        let first = challenge(&chain, None).await;
        assert_eq!(first.starts_with(&of_server), prefers_tokens, "{first}");
        assert!(prefers_tokens || first == "Basic realm=\"test\"");
        let wrong = challenge(&chain, Some(&basic("bob", "guess"))).await;
        assert_eq!(wrong, "Basic realm=\"test\"");
        let invalid = challenge(&chain, Some("Bearer x")).await;
        assert!(invalid.starts_with(&of_server) && invalid.contains("invalid_token"));
        let small = challenge(&chain, Some(&token("public/x"))).await;
        assert!(small.starts_with(&of_server) && small.contains("insufficient_scope"));
    }
}

#[tokio::test]
async fn whoever_holds_a_token_may_also_what_everybody_may() {
    let folder = tempfile::tempdir().unwrap();
    let signer = Signer::es256();
    let chain = chain(&folder, |chain| chain.tokens = Some(authority(&signer)));
    let token = format!(
        "Bearer {}",
        signer.token(json!([repository("private/x", &["pull"])]))
    );
    for (path, expected) in [
        ("/v2/private/x/tags/list", 200),
        ("/v2/public/x/tags/list", 200),
        // The subject of the token is alice; her account is another matter.
        ("/v2/team/app/tags/list", 401),
    ] {
        assert_eq!(
            status(&chain, Some(&token), "GET", path).await,
            expected,
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_token_of_our_own_falls_with_the_account_and_its_password() {
    let folder = tempfile::tempdir().unwrap();
    let chain = chain(&folder, |_| {});
    let shown = own_token(&chain, Some(&basic("alice", "alice"))).await;
    let path = "/v2/team/app/tags/list";
    assert_eq!(status(&chain, Some(&shown), "GET", path).await, 200);
    let file = folder.path().join("accounts");
    let draft = folder.path().join("draft");
    std::fs::write(
        &draft,
        format!("alice:{}\nx:y\n", bcrypt::hash("other", 4).unwrap()),
    )
    .unwrap();
    std::fs::rename(draft, file).unwrap();
    let asked = chain.authorize(endpoint("GET", path), Some(shown.as_bytes()), NOW_S + 1);
    let Err(Denial::Refused(refusal)) = asked.await else {
        panic!("a token outlived its password")
    };
    assert!(
        refusal
            .challenge
            .starts_with("Bearer realm=\"https://r.example/v2/_portolan/token\"")
    );
    assert!(refusal.challenge.contains("invalid_token"));
}
