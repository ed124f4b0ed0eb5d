//! Tags that stay what they are, by what a token says.

use super::*;
use crate::auth::test_token::{self, Signer};

struct Bound {
    rig: Rig,
    signer: Signer,
}

impl Bound {
    fn new() -> Self {
        let signer = Signer::es256();
        let rig = Rig::with(|builder| builder.authenticator = test_token::authenticator(&signer));
        Self { rig, signer }
    }

    fn token(&self, entry: &Value) -> String {
        format!("Authorization: Bearer {}", self.signer.token(json!([entry])))
    }

    /// With these terms beside every right.
    fn with(&self, terms: &Value) -> String {
        self.token(&json!({"type": "repository", "name": "a/b", "actions": ["pull", "push", "delete"], "terms": terms}))
    }

    fn free(&self) -> String {
        self.token(&json!({"type": "repository", "name": "a/b", "actions": ["pull", "push", "delete"]}))
    }

    async fn blob(&self, content: &[u8]) -> Digest {
        let digest = Digest::of(Algorithm::Sha256, content);
        let target = format!("/v2/a/b/blobs/uploads/?digest={digest}");
        let sent = self
            .rig
            .send("POST", &target, &[&self.free()], content.to_vec())
            .await;
        assert_eq!(sent.status, 201, "{sent:?}");
        digest
    }

    async fn push(&self, token: &str, tag: &str, seed: &str) -> (Digest, Answer) {
        let config = self.blob(b"{}").await;
        let layer = self.blob(seed.as_bytes()).await;
        let body = image(&config, 2, &[(&layer, seed.len())], &json!({}));
        let media_type = format!("Content-Type: {OCI_MANIFEST}");
        let target = format!("/v2/a/b/manifests/{tag}");
        let answer = self
            .rig
            .send("PUT", &target, &[token, &media_type], body.clone())
            .await;
        (Digest::of(Algorithm::Sha256, &body), answer)
    }

    async fn delete(&self, token: &str, path: &str) -> Answer {
        self.rig
            .send("DELETE", &format!("/v2/a/b/{path}"), &[token], Body::empty())
            .await
    }
}

fn said(answer: &Answer) -> String {
    answer.json()["errors"][0]["message"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_immutable_tag_is_pushed_once_and_again_with_the_same_digest_alone() {
    let bound = Bound::new();
    let token = bound.with(&json!({"v": 1, "repository": {"tags": ["v*"], "except": ["v0*"]}}));
    let (first, pushed) = bound.push(&token, "v1", "first").await;
    assert_eq!(pushed.status, 201);
    assert_eq!(bound.push(&token, "v1", "first").await.1.status, 201);
    let (_, refused) = bound.push(&token, "v1", "second").await;
    assert_eq!(
        (refused.status.as_u16(), refused.code().as_str()),
        (403, "DENIED")
    );
    let text = said(&refused);
    assert!(
        text.contains("the tag v1 is immutable by the rule v* of the repository")
            && text.contains(&first.to_string()),
        "{text}"
    );
    for (tag, seed) in [("v0.1", "x"), ("v0.1", "y"), ("latest", "x"), ("latest", "y")] {
        assert_eq!(bound.push(&token, tag, seed).await.1.status, 201, "{tag} {seed}");
    }
    // Without the rule it moves.
    assert_eq!(bound.push(&bound.free(), "v1", "second").await.1.status, 201);
}

#[tokio::test]
async fn an_immutable_tag_is_not_deleted_and_nor_is_what_it_needs() {
    let bound = Bound::new();
    let token = bound.with(&json!({"v": 1, "namespace": {"tags": ["v*"]}}));
    let (digest, _) = bound.push(&token, "v1", "kept").await;
    let (other, _) = bound.push(&token, "dev", "free").await;
    let layer = Digest::of(Algorithm::Sha256, b"kept");
    for path in [
        "manifests/v1".to_owned(),
        format!("manifests/{digest}"),
        format!("blobs/{layer}"),
    ] {
        let refused = bound.delete(&token, &path).await;
        assert_eq!(
            (refused.status.as_u16(), refused.code().as_str()),
            (403, "DENIED"),
            "{path}"
        );
        assert!(said(&refused).contains("the rule v* of the namespace"), "{path}");
    }
    for path in [
        format!("manifests/{other}"),
        format!("blobs/{}", Digest::of(Algorithm::Sha256, b"free")),
    ] {
        assert_eq!(bound.delete(&token, &path).await.status, 202, "{path}");
    }
    for path in [
        "manifests/v1".to_owned(),
        format!("manifests/{digest}"),
        format!("blobs/{layer}"),
    ] {
        assert_eq!(bound.delete(&bound.free(), &path).await.status, 202, "{path}");
    }
}

#[tokio::test]
async fn of_two_entries_of_a_token_each_holds() {
    let bound = Bound::new();
    let entry = json!({"type": "repository", "name": "a/b", "actions": ["pull", "push"]});
    let mut kept = entry.clone();
    kept["terms"] = json!({"v": 1, "repository": {"tags": ["v*"]}});
    for entries in [json!([entry, kept]), json!([kept, entry])] {
        let token = format!("Authorization: Bearer {}", bound.signer.token(entries));
        bound.push(&bound.free(), "v1", "first").await;
        assert_eq!(bound.push(&token, "v1", "second").await.1.status, 403);
    }
}

#[tokio::test]
async fn terms_that_are_not_understood_allow_nothing() {
    let bound = Bound::new();
    for terms in [
        json!(null),
        json!([]),
        json!({}),
        json!({"v": 2}),
        json!({"v": 1, "licence": "none"}),
        json!({"v": 1, "repository": {"tags": ["v?"]}}),
        json!({"v": 1, "quota": {"of": 1}}),
    ] {
        let (_, refused) = bound.push(&bound.with(&terms), "v1", "x").await;
        assert_eq!(refused.status, 401, "{terms}");
    }
}

fn quota(more: &Value) -> Value {
    let mut quota = json!({"of": 7, "at": NOW_S * 1_000, "warn": 80});
    quota
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    json!({"v": 1, "quota": quota})
}

#[tokio::test]
async fn bytes_beyond_a_quota_are_refused_with_the_figures_however_they_come() {
    let bound = Bound::new();
    let token = bound.with(&quota(&json!({"bytes": [900, 1000]})));
    let digest = Digest::of(Algorithm::Sha256, &[7; 200]);
    let whole = format!("/v2/a/b/blobs/uploads/?digest={digest}");
    let refused = bound.rig.send("POST", &whole, &[&token], vec![7; 200]).await;
    assert_eq!(
        (refused.status.as_u16(), refused.code().as_str()),
        (403, "DENIED")
    );
    assert!(
        said(&refused).contains("the namespace holds 900 bytes of its quota of 1.0 kB, and this push adds 1"),
        "{}",
        said(&refused)
    );
    let begin = || async {
        let target = "/v2/a/b/blobs/uploads/";
        bound.rig.send("POST", target, &[&token], Body::empty()).await
    };
    let session = begin().await.header("location").to_owned();
    let patched = bound.rig.send("PATCH", &session, &[&token], vec![7; 200]).await;
    assert_eq!(patched.status, 403, "in a chunk");
    let session = begin().await.header("location").to_owned();
    let finish = format!("{session}&digest={digest}");
    let put = bound.rig.send("PUT", &finish, &[&token], vec![7; 200]).await;
    assert_eq!(put.status, 403, "with the end");
    // Two chunks that fit each for itself.
    let session = begin().await.header("location").to_owned();
    for status in [202, 403] {
        let patched = bound.rig.send("PATCH", &session, &[&token], vec![7; 100]).await;
        assert_eq!(patched.status, status);
    }
    let fits = Digest::of(Algorithm::Sha256, &[7; 100]);
    let whole = format!("/v2/a/b/blobs/uploads/?digest={fits}");
    for _ in 0..2 {
        let lines = [token.as_str(), "Content-Length: 100"];
        let sent = bound.rig.send("POST", &whole, &lines, vec![7; 100]).await;
        assert_eq!(sent.status, 201, "what is there already adds nothing");
    }
    assert_eq!(begin().await.status, 403, "nothing is left");
    assert_eq!(
        bound
            .rig
            .send("POST", &whole, &[&bound.free()], vec![7; 100])
            .await
            .status,
        201
    );
}

#[tokio::test]
async fn tags_are_counted_and_a_limit_that_is_near_is_told() {
    let bound = Bound::new();
    let token = bound.with(&quota(&json!({"tags": [2, 5]})));
    for (tag, status, warning) in [
        ("one", 201, ""),
        ("one", 201, ""),
        ("two", 201, "4 tags of its quota of 5"),
        ("three", 201, "5 tags of its quota of 5"),
        ("four", 403, ""),
        ("three", 201, "5 tags of its quota of 5"),
    ] {
        let (_, answer) = bound.push(&token, tag, "x").await;
        assert_eq!(answer.status, status, "{tag}");
        assert!(answer.header("warning").contains(warning), "{tag} {answer:?}");
        assert!(
            status == 403 || !warning.is_empty() || answer.header("warning").is_empty(),
            "{tag}"
        );
    }
}

#[tokio::test]
async fn a_manifest_that_lies_about_sizes_is_not_taken_where_they_count() {
    let bound = Bound::new();
    let config = bound.blob(b"{}").await;
    let layer = bound.blob(b"a layer").await;
    let body = image(&config, 2, &[(&layer, 1)], &json!({}));
    let media_type = format!("Content-Type: {OCI_MANIFEST}");
    let token = bound.with(&quota(&json!({"bytes": [0, 1_000_000]})));
    for (token, status) in [(token, 400), (bound.free(), 201)] {
        let answer = bound
            .rig
            .send("PUT", "/v2/a/b/manifests/t", &[&token, &media_type], body.clone())
            .await;
        assert_eq!(answer.status, status);
    }
}

#[tokio::test]
async fn under_a_strict_quota_the_index_is_asked_and_without_it_nothing_is_stored() {
    use crate::permit::{Permit, Permits};
    use std::sync::Mutex;

    let alone = Bound::new();
    let strict = quota(&json!({"bytes": [0, 1_000_000], "strict": true}));
    let (_, answer) = alone.push(&alone.with(&strict), "t", "x").await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (503, "UNAVAILABLE")
    );
    assert!(!answer.header("retry-after").is_empty());

    let signer = Signer::es256();
    let asked: Arc<Mutex<Vec<Value>>> = Arc::default();
    let seen = Arc::clone(&asked);
    let permits = Permits::new(move |body| {
        let question: Value = serde_json::from_slice(&body).unwrap();
        let refusal = (question["tags"][0] == "full").then(|| "there is no room".to_owned());
        seen.lock().unwrap().push(question);
        Box::pin(async move { Ok(Permit { refusal }) })
    });
    let rig = Rig::with(|builder| {
        builder.authenticator = test_token::authenticator(&signer);
        builder.permits = Some(permits);
    });
    let bound = Bound { rig, signer };
    let (digest, answer) = bound.push(&bound.with(&strict), "t", "x").await;
    assert_eq!(answer.status, 201);
    let question = asked.lock().unwrap()[0].clone();
    assert_eq!(
        (&question["stored_as"], &question["tags"]),
        (&json!("a/b"), &json!(["t"]))
    );
    assert_eq!(question["blobs"][0][0], json!(digest));
    assert_eq!(question["blobs"].as_array().unwrap().len(), 3);
    let (_, refused) = bound.push(&bound.with(&strict), "full", "y").await;
    assert_eq!(
        (refused.status.as_u16(), refused.code().as_str()),
        (403, "DENIED")
    );
    assert!(said(&refused).contains("there is no room"));
}

/// A token with rates.
fn rated(bound: &Bound, rates: &Value) -> String {
    let entry = json!([{"type": "repository", "name": "a/b", "actions": ["pull"]}]);
    let mut claims = test_token::claims(entry);
    claims["portolan_rates"] = rates.clone();
    format!(
        "Authorization: Bearer {}",
        bound.signer.sign(&bound.signer.header(), &claims)
    )
}

#[tokio::test]
async fn pulls_are_counted_by_their_key_and_told_as_docker_hub_does() {
    let bound = Bound::new();
    bound.push(&bound.free(), "t", "x").await;
    let rates = json!({"v": 1, "source": "192.0.2.7", "of": [["n:192.0.2.7/32", "pulls", 2, 21600]]});
    let token = rated(&bound, &rates);
    let ask = |method: &'static str, token: String| {
        let rig = bound.rig.clone();
        async move {
            rig.send(method, "/v2/a/b/manifests/t", &[&token], Body::empty())
                .await
        }
    };
    for (method, status, remaining) in [
        ("HEAD", 200, "2;w=21600"),
        ("GET", 200, "1;w=21600"),
        ("GET", 200, "0;w=21600"),
        ("GET", 429, "0;w=21600"),
        ("HEAD", 200, "0;w=21600"),
    ] {
        let answer = ask(method, token.clone()).await;
        assert_eq!(answer.status, status, "{method}");
        assert_eq!(answer.header("ratelimit-limit"), "2;w=21600");
        assert_eq!(answer.header("ratelimit-remaining"), remaining, "{method}");
        assert_eq!(answer.header("docker-ratelimit-source"), "192.0.2.7");
    }
    let refused = ask("GET", token).await;
    assert_eq!(refused.code(), "TOOMANYREQUESTS");
    assert_eq!(refused.header("retry-after"), "21600");
    assert!(
        said(&refused).contains("the limit of 2 pulls in 6h is reached for 192.0.2.7"),
        "{refused:?}"
    );
    let other = json!({"v": 1, "source": "ada", "of": [["a:1", "pulls", 2, 21600]]});
    assert_eq!(ask("GET", rated(&bound, &other)).await.status, 200);
    let free = ask("GET", bound.free()).await;
    assert!(free.status == 200 && free.header("ratelimit-limit").is_empty());
    let later = json!({"v": 2, "source": "x", "of": []});
    assert_eq!(
        ask("GET", rated(&bound, &later)).await.status,
        401,
        "what is not understood is refused"
    );
}

#[tokio::test]
async fn requests_of_any_kind_are_counted() {
    let bound = Bound::new();
    bound.push(&bound.free(), "t", "x").await;
    let rates = json!({"v": 1, "source": "x", "of": [["a:1", "requests", 3, 60]]});
    let token = rated(&bound, &rates);
    for (path, status) in [
        ("/v2/", 200),
        ("/v2/a/b/tags/list", 200),
        ("/v2/a/b/manifests/t", 200),
        ("/v2/", 429),
        ("/v2/a/b/manifests/t", 429),
    ] {
        let answer = bound.rig.send("GET", path, &[&token], Body::empty()).await;
        assert_eq!(answer.status, status, "{path}");
    }
}
