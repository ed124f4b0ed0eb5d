use super::*;
use crate::auth::test_token::{self, Signer, repository};

const NAME: &str = "a/b";

struct Bounded {
    signer: Signer,
    rig: Rig,
}

impl Bounded {
    fn new() -> Self {
        let signer = Signer::es256();
        let rig = Rig::with(|builder| builder.authenticator = test_token::authenticator(&signer));
        Self { signer, rig }
    }

    fn bearer(&self, access: &Value) -> String {
        format!("Authorization: Bearer {}", self.signer.token(access.clone()))
    }

    /// A token whose entry for the repository has more in it.
    fn with(&self, more: &Value) -> String {
        let mut entry = repository(NAME, &["pull", "push", "delete"]);
        entry
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        self.bearer(&json!([entry]))
    }

    fn unbound(&self) -> String {
        self.with(&json!({}))
    }

    async fn put(&self, token: &str, reference: &str, body: &[u8]) -> Answer {
        let target = format!("/v2/{NAME}/manifests/{reference}");
        let content_type = format!("Content-Type: {OCI_MANIFEST}");
        self.rig
            .send("PUT", &target, &[&content_type, token], body.to_vec())
            .await
    }

    async fn delete(&self, token: &str, path: &str) -> Answer {
        let target = format!("/v2/{NAME}/{path}");
        self.rig.send("DELETE", &target, &[token], Body::empty()).await
    }

    async fn has(&self, reference: &str) -> bool {
        let target = format!("/v2/{NAME}/manifests/{reference}");
        let token = self.unbound();
        self.rig
            .send("HEAD", &target, &[&token], Body::empty())
            .await
            .status
            == 200
    }

    /// A manifest whose blob is there already.
    async fn manifest(&self, seed: &str) -> (Vec<u8>, Digest) {
        let config = Digest::of(Algorithm::Sha256, b"{}");
        let target = format!("/v2/{NAME}/blobs/uploads/?digest={config}");
        let token = self.unbound();
        let pushed = self.rig.send("POST", &target, &[&token], "{}").await;
        assert_eq!(pushed.status, 201, "{pushed:?}");
        let body = image(&config, 2, &[], &json!({"annotations": {"seed": seed}}));
        let digest = Digest::of(Algorithm::Sha256, &body);
        (body, digest)
    }
}

fn refused(answer: &Answer, text: &str) {
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (403, "DENIED"),
        "{answer:?}"
    );
    let message = answer.json()["errors"][0]["message"].as_str().unwrap().to_owned();
    assert!(message.contains(text), "{message}");
}

#[tokio::test]
async fn a_tag_is_pushed_only_where_each_bound_lets_it_through() {
    let bounded = Bounded::new();
    let (body, digest) = bounded.manifest("x").await;
    let token = bounded.with(&json!({"push_tags": [["v*", "main"], ["*-dev", "main"]]}));
    for (tag, pushed) in [
        ("main", true),
        ("v1-dev", true),
        ("v1", false),
        ("x-dev", false),
        ("Main", false),
        ("latest", false),
    ] {
        let answer = bounded.put(&token, tag, &body).await;
        assert_eq!(answer.status == 201, pushed, "{tag}: {answer:?}");
        assert_eq!(bounded.has(tag).await, pushed, "{tag}");
        if !pushed {
            refused(&answer, "v* or main, and *-dev or main");
        }
    }
    // What has no tag is bound by none: the parts of an index are pushed so.
    assert_eq!(bounded.put(&token, &digest.to_string(), &body).await.status, 201);
    // Tags beside a digest are tags.
    let both = bounded
        .put(&token, &format!("{digest}?tag=main&tag=latest"), &body)
        .await;
    refused(&both, "latest");
    assert!(!bounded.has("latest").await);
}

#[tokio::test]
async fn entries_of_one_repository_add_up_and_each_binds_its_own_actions() {
    let bounded = Bounded::new();
    let (body, _) = bounded.manifest("x").await;
    let entry = |actions: &[&str], more: Value| {
        let mut entry = repository(NAME, actions);
        entry
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        entry
    };
    let token = bounded.bearer(&json!([
        entry(&["pull"], json!({})),
        entry(&["push"], json!({"push_tags": [["a*"]]})),
        entry(&["push"], json!({"push_tags": [["b*"]]})),
        entry(&["delete"], json!({"push_tags": [["c*"]]})),
    ]));
    for (tag, status) in [("a1", 201), ("b1", 201), ("c1", 403)] {
        assert_eq!(bounded.put(&token, tag, &body).await.status, status, "{tag}");
    }
    assert_eq!(bounded.delete(&token, "manifests/a1").await.status, 202);
}

#[tokio::test]
async fn bounds_that_cannot_be_read_allow_nothing() {
    let bounded = Bounded::new();
    let (body, digest) = bounded.manifest("x").await;
    assert_eq!(bounded.put(&bounded.unbound(), "main", &body).await.status, 201);
    for bounds in [
        json!(null),
        json!([]),
        json!("v*"),
        json!([["v?"]]),
        json!([7]),
        json!({}),
    ] {
        for kind in ["push_tags", "delete_tags"] {
            let token = bounded.with(&json!({kind: bounds}));
            assert_eq!(
                bounded.put(&token, "main", &body).await.status,
                401,
                "{kind} {bounds}"
            );
            for reference in ["main", &digest.to_string()] {
                let answer = bounded.delete(&token, &format!("manifests/{reference}")).await;
                assert_eq!(answer.status, 401, "{kind} {bounds}");
            }
        }
    }
}

#[tokio::test]
async fn what_is_bound_to_tags_deletes_those_and_what_they_alone_hold() {
    let bounded = Bounded::new();
    let all = bounded.unbound();
    let token = bounded.with(&json!({"delete_tags": [["*-dev"]]}));
    let (body, digest) = bounded.manifest("x").await;
    for tag in ["1-dev", "2-dev", "main"] {
        assert_eq!(bounded.put(&all, tag, &body).await.status, 201);
    }
    assert_eq!(bounded.delete(&token, "manifests/1-dev").await.status, 202);
    refused(&bounded.delete(&token, "manifests/main").await, "*-dev");
    refused(
        &bounded.delete(&token, &format!("manifests/{digest}")).await,
        "main",
    );
    let blob = Digest::of(Algorithm::Sha256, b"{}");
    refused(
        &bounded.delete(&token, &format!("blobs/{blob}")).await,
        "only tags",
    );
    for reference in ["2-dev", "main"] {
        assert!(bounded.has(reference).await, "{reference}");
    }
    assert_eq!(bounded.delete(&all, "manifests/main").await.status, 202);
    assert_eq!(
        bounded
            .delete(&token, &format!("manifests/{digest}"))
            .await
            .status,
        202
    );
    assert!(!bounded.has("2-dev").await && !bounded.has(&digest.to_string()).await);
}

#[tokio::test]
async fn content_is_purged_by_a_token_for_everything_alone() {
    let bounded = Bounded::new();
    let (body, digest) = bounded.manifest("x").await;
    let all = bounded.unbound();
    assert_eq!(bounded.put(&all, "main", &body).await.status, 201);
    let refused_before = bounded.delete(&all, "_portolan/content").await;
    assert_eq!(refused_before.status, 401, "{refused_before:?}");
    let mut entry = repository(NAME, &["*"]);
    entry["delete_tags"] = json!([["main"]]);
    refused(
        &bounded
            .delete(&bounded.bearer(&json!([entry])), "_portolan/content")
            .await,
        "only tags",
    );
    assert!(bounded.has("main").await);
    let own = bounded.bearer(&json!([repository(NAME, &["*"])]));
    for _ in 0..2 {
        assert_eq!(bounded.delete(&own, "_portolan/content").await.status, 202);
        assert!(!bounded.has("main").await && !bounded.has(&digest.to_string()).await);
    }
}

#[tokio::test]
async fn a_refusal_says_what_the_index_noted_about_it() {
    let bounded = Bounded::new();
    let mut claims = test_token::claims(json!([repository(NAME, &["pull"])]));
    claims["why"] = json!([
        {"name": "a/c", "text": "another"},
        {"name": NAME, "text": "signed in as alice, \"pull only\""},
    ]);
    let token = format!(
        "Authorization: Bearer {}",
        bounded.signer.sign(&bounded.signer.header(), &claims)
    );
    let answer = bounded.put(&token, "main", b"{}").await;
    assert_eq!(answer.status, 401);
    let expected = "requested access to the resource is denied: signed in as alice, \"pull only\"";
    assert_eq!(answer.json()["errors"][0]["message"], expected);
    let quoted = expected.replace('"', "\\\"");
    assert!(
        answer.header("www-authenticate").ends_with(&format!(
            ",error=\"insufficient_scope\",error_description=\"{quoted}\""
        )),
        "{answer:?}"
    );
}
