use super::*;
use crate::auth::test_token::{self, Signer, repository};
use crate::endpoint::Policy;

/// A registry that believes a signer.
fn rig(signer: &Signer) -> Rig {
    Rig::with(|builder| builder.authenticator = test_token::authenticator(signer))
}

fn bearer(signer: &Signer, access: &Value) -> String {
    format!("Authorization: Bearer {}", signer.token(access.clone()))
}

/// A token of somebody else.
fn bearer_of(signer: &Signer, subject: &str, access: &Value) -> String {
    let mut claims = test_token::claims(access.clone());
    claims["sub"] = json!(subject);
    format!("Authorization: Bearer {}", signer.sign(&signer.header(), &claims))
}

#[tokio::test]
async fn without_a_token_the_challenge_names_realm_service_and_scope() {
    let rig = rig(&Signer::es256());
    let base = rig.get("/v2/").await;
    assert_eq!(
        (base.status.as_u16(), base.code().as_str()),
        (401, "UNAUTHORIZED")
    );
    assert_eq!(
        base.header("www-authenticate"),
        "Bearer realm=\"https://registry.example/token\",service=\"registry.example\""
    );
    let digest = Digest::of(Algorithm::Sha256, b"x");
    let mount = rig
        .post(&format!("/v2/a/b/blobs/uploads/?mount={digest}&from=c/d"))
        .await;
    assert_eq!(
        mount.header("www-authenticate"),
        "Bearer realm=\"https://registry.example/token\",service=\"registry.example\",scope=\"repository:a/b:pull,push repository:c/d:pull\""
    );
    let wanted = json!([
        {"Type": "repository", "Class": "", "Name": "a/b", "Action": "pull"},
        {"Type": "repository", "Class": "", "Name": "a/b", "Action": "push"},
        {"Type": "repository", "Class": "", "Name": "c/d", "Action": "pull"},
    ]);
    assert_eq!(mount.json()["errors"][0]["detail"], wanted);
    assert_eq!(rig.get("/").await.status, 200, "the load balancer needs no token");
}

#[tokio::test]
async fn what_is_switched_off_is_said_to_those_who_might_ask_it() {
    let signer = Signer::es256();
    let with = |delete_enabled, read_only| {
        Rig::with(|builder| {
            builder.authenticator = test_token::authenticator(&signer);
            builder.policy = Policy {
                delete_enabled,
                read_only,
            };
        })
    };
    let may = bearer(&signer, &json!([repository("a/b", &["pull", "push", "delete"])]));
    for (rig, method, path) in [
        (with(false, false), "DELETE", "/v2/a/b/manifests/t"),
        (with(true, true), "POST", "/v2/a/b/blobs/uploads/"),
    ] {
        let answer = rig.send(method, path, &[], Body::empty()).await;
        assert_eq!(answer.status, 401, "{path}");
        assert!(
            answer
                .header("www-authenticate")
                .contains("scope=\"repository:a/b:")
        );
        assert_eq!(
            rig.send(method, path, &[&may], Body::empty()).await.status,
            405,
            "{path}"
        );
    }
}

#[tokio::test]
async fn any_good_token_opens_the_base_and_a_bad_one_is_told_so() {
    let signer = Signer::es256();
    let rig = rig(&signer);
    let good = bearer(&signer, &json!([]));
    assert_eq!(rig.send("GET", "/v2/", &[&good], Body::empty()).await.status, 200);
    let bad = bearer(&Signer::es256(), &json!([]));
    let answer = rig.send("GET", "/v2/", &[&bad], Body::empty()).await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (401, "UNAUTHORIZED")
    );
    assert!(
        answer
            .header("www-authenticate")
            .ends_with(",error=\"invalid_token\"")
    );
    let refused = rig
        .send("GET", "/v2/a/b/tags/list", &[&good], Body::empty())
        .await;
    assert_eq!(refused.status, 401, "never 403: a client can get a better token");
    assert!(
        refused
            .header("www-authenticate")
            .ends_with(",error=\"insufficient_scope\"")
    );
}

#[tokio::test]
async fn what_a_token_may_not_see_looks_the_same_whether_it_exists_or_not() {
    let signer = Signer::es256();
    let rig = rig(&signer);
    let owner = bearer(&signer, &json!([repository("a/b", &["*"])]));
    let digest = Digest::of(Algorithm::Sha256, b"x");
    let push = format!("/v2/a/b/blobs/uploads/?digest={digest}");
    assert_eq!(rig.send("POST", &push, &[&owner], "x").await.status, 201);
    let stranger = bearer_of(&signer, "mallory", &json!([repository("m/m", &["*"])]));
    for path in [
        "tags/list",
        "manifests/t",
        &format!("blobs/{digest}"),
        &format!("referrers/{digest}"),
    ] {
        let there = rig
            .send("GET", &format!("/v2/a/b/{path}"), &[&stranger], Body::empty())
            .await;
        let not_there = rig
            .send("GET", &format!("/v2/n/n/{path}"), &[&stranger], Body::empty())
            .await;
        assert_eq!(there.status, 401);
        let neutral = |answer: &Answer| {
            let text = format!("{:?} {}", answer.headers, String::from_utf8_lossy(&answer.body));
            text.replace("a/b", "NAME").replace("n/n", "NAME")
        };
        assert_eq!(neutral(&there), neutral(&not_there), "{path}");
    }
}

#[tokio::test]
async fn content_is_kept_under_the_name_that_the_token_signs() {
    let signer = Signer::es256();
    let rig = rig(&signer);
    let stored_at = |place: &str| {
        let entry = json!({"type": "repository", "name": "a/b", "actions": ["*"], "stored_as": place});
        bearer(&signer, &json!([entry]))
    };
    let (old, new) = (stored_at("s/1"), stored_at("s/2"));
    let digest = Digest::of(Algorithm::Sha256, b"{}");
    let push = format!("/v2/a/b/blobs/uploads/?digest={digest}");
    let pushed = rig.send("POST", &push, &[&old], "{}").await;
    assert_eq!(
        pushed.header("location"),
        format!("/v2/a/b/blobs/{digest}"),
        "the public name"
    );
    let body = image(&digest, 2, &[], &json!({}));
    let put = rig.send("PUT", "/v2/a/b/manifests/t", &[&old], body).await;
    assert_eq!(put.status, 201);
    let tags = rig.send("GET", "/v2/a/b/tags/list", &[&old], Body::empty()).await;
    assert_eq!(tags.json(), json!({"name": "a/b", "tags": ["t"]}));
    let start = rig
        .send("POST", "/v2/a/b/blobs/uploads/", &[&old], Body::empty())
        .await;
    assert!(start.header("location").starts_with("/v2/a/b/blobs/uploads/"));
    // The name was given away and taken again: nothing of the old is in the new, with any verb.
    for (method, target) in [
        ("GET", "/v2/a/b/tags/list".to_owned()),
        ("GET", "/v2/a/b/manifests/t".to_owned()),
        ("GET", format!("/v2/a/b/blobs/{digest}")),
        ("DELETE", "/v2/a/b/manifests/t".to_owned()),
        ("DELETE", format!("/v2/a/b/blobs/{digest}")),
        ("GET", start.header("location").to_owned()),
        ("PATCH", start.header("location").to_owned()),
        ("DELETE", start.header("location").to_owned()),
    ] {
        let answer = rig.send(method, &target, &[&new], Body::empty()).await;
        assert_eq!(answer.status, 404, "{method} {target}");
    }
    assert_eq!(
        rig.send("GET", start.header("location"), &[&old], Body::empty())
            .await
            .status,
        204
    );
}

#[tokio::test]
async fn an_upload_belongs_to_whoever_began_it() {
    let signer = Signer::es256();
    let rig = rig(&signer);
    let access = json!([repository("a/b", &["pull", "push"])]);
    let (alice, bob) = (
        bearer_of(&signer, "alice", &access),
        bearer_of(&signer, "bob", &access),
    );
    let begun = rig
        .send("POST", "/v2/a/b/blobs/uploads/", &[&alice], Body::empty())
        .await;
    let location = begun.header("location");
    let path = location.split('?').next().unwrap();
    let digest = Digest::of(Algorithm::Sha256, b"");
    for target in [location.to_owned(), path.to_owned()] {
        for method in ["GET", "HEAD", "PATCH", "DELETE"] {
            let answer = rig.send(method, &target, &[&bob], Body::empty()).await;
            assert_eq!(answer.status, 404, "{method} {target}");
        }
        let joint = if target.contains('?') { '&' } else { '?' };
        let put = format!("{target}{joint}digest={digest}");
        assert_eq!(rig.send("PUT", &put, &[&bob], "x").await.status, 404);
    }
    assert_eq!(rig.send("PATCH", location, &[&alice], "x").await.status, 202);
}

#[tokio::test]
async fn a_mount_needs_pull_of_its_source_and_is_an_upload_without() {
    let signer = Signer::es256();
    let rig = rig(&signer);
    let owner = bearer(&signer, &json!([repository("c/d", &["*"])]));
    let digest = Digest::of(Algorithm::Sha256, b"x");
    let push = format!("/v2/c/d/blobs/uploads/?digest={digest}");
    assert_eq!(rig.send("POST", &push, &[&owner], "x").await.status, 201);
    let target = repository("a/b", &["pull", "push"]);
    let mount = format!("/v2/a/b/blobs/uploads/?mount={digest}");
    for (access, query, status) in [
        (json!([target]), "&from=c/d", 202),
        (json!([target]), "", 202),
        (json!([target, repository("c/d", &["push"])]), "&from=c/d", 202),
        (json!([target, repository("c/d", &["push"])]), "", 202),
        (json!([target, repository("c/d", &["pull"])]), "&from=x/y", 202),
        (json!([target, repository("c/d", &["pull"])]), "", 201),
        (json!([target, repository("c/d", &["pull"])]), "&from=c/d", 201),
    ] {
        let token = bearer(&signer, &access);
        let blob = format!("/v2/a/b/blobs/{digest}");
        let answer = rig
            .send("POST", &format!("{mount}{query}"), &[&token], Body::empty())
            .await;
        assert_eq!(answer.status, status, "{access} {query}");
        let there = rig.send("HEAD", &blob, &[&token], Body::empty()).await;
        assert_eq!(there.status == 200, status == 201);
        let remover = bearer(&signer, &json!([repository("a/b", &["delete"])]));
        rig.send("DELETE", &blob, &[&remover], Body::empty()).await;
    }
}

#[tokio::test]
async fn the_catalog_lists_what_the_token_names_unless_it_may_list_all() {
    let signer = Signer::es256();
    let rig = rig(&signer);
    for name in ["a/b", "c/d", "e/f"] {
        let owner = bearer(&signer, &json!([repository(name, &["*"])]));
        let digest = Digest::of(Algorithm::Sha256, b"{}");
        let push = format!("/v2/{name}/blobs/uploads/?digest={digest}");
        assert_eq!(rig.send("POST", &push, &[&owner], "{}").await.status, 201);
        let body = image(&digest, 2, &[], &json!({}));
        let put = format!("/v2/{name}/manifests/t");
        assert_eq!(rig.send("PUT", &put, &[&owner], body).await.status, 201);
    }
    let some = json!([
        repository("e/f", &["pull"]),
        repository("a/b", &["pull"]),
        repository("no/body", &["pull"]),
        repository("c/d", &["push"])
    ]);
    let token = bearer(&signer, &some);
    let answer = rig.send("GET", "/v2/_catalog", &[&token], Body::empty()).await;
    assert_eq!(answer.json(), json!({"repositories": ["a/b", "e/f"]}));
    let page = rig
        .send("GET", "/v2/_catalog?n=1", &[&token], Body::empty())
        .await;
    assert_eq!(page.header("link"), "</v2/_catalog?last=a/b&n=1>; rel=\"next\"");
    let next = rig
        .send("GET", "/v2/_catalog?last=a/b&n=1", &[&token], Body::empty())
        .await;
    assert_eq!(
        (next.json(), next.header("link")),
        (json!({"repositories": ["e/f"]}), "")
    );
    let all = bearer(
        &signer,
        &json!([{"type": "registry", "name": "catalog", "actions": ["*"]}]),
    );
    let answer = rig.send("GET", "/v2/_catalog", &[&all], Body::empty()).await;
    assert_eq!(answer.json(), json!({"repositories": ["a/b", "c/d", "e/f"]}));
    let nothing = bearer(&signer, &json!([]));
    let refused = rig.send("GET", "/v2/_catalog", &[&nothing], Body::empty()).await;
    assert!(
        refused
            .header("www-authenticate")
            .contains("scope=\"registry:catalog:*\",error=\"insufficient_scope\"")
    );
}

#[tokio::test]
async fn who_pushed_a_manifest_is_told_by_the_tokens_subject_and_public_name() {
    let signer = Signer::es256();
    let told = Arc::new(std::sync::Mutex::new(Vec::new()));
    let sink = Arc::clone(&told);
    let rig = Rig::with(|builder| {
        builder.authenticator = test_token::authenticator(&signer);
        builder.on_manifest_pushed = Some(Arc::new(move |pushed| {
            let sink = Arc::clone(&sink);
            Box::pin(async move {
                sink.lock().unwrap().push(pushed);
                Ok(())
            })
        }));
    });
    let entry = json!({"type": "repository", "name": "a/b", "actions": ["*"], "stored_as": "s/1"});
    let owner = bearer(&signer, &json!([entry]));
    let digest = Digest::of(Algorithm::Sha256, b"{}");
    rig.send(
        "POST",
        &format!("/v2/a/b/blobs/uploads/?digest={digest}"),
        &[&owner],
        "{}",
    )
    .await;
    let refused = rig.send("PUT", "/v2/a/b/manifests/t", &[&owner], "{}").await;
    assert_eq!(refused.status, 400);
    assert!(told.lock().unwrap().is_empty(), "what was refused is not told");
    rig.send(
        "PUT",
        "/v2/a/b/manifests/t",
        &[&owner],
        image(&digest, 2, &[], &json!({})),
    )
    .await;
    let told = told.lock().unwrap();
    assert_eq!(
        (told[0].repository.as_str(), told[0].subject.as_str()),
        ("a/b", "alice")
    );
}

#[tokio::test]
async fn a_refused_push_is_not_read() {
    let rig = rig(&Signer::es256());
    let endless = Body::from_stream(futures_util::stream::repeat_with(|| {
        Ok::<_, std::io::Error>(vec![0; 65_536])
    }));
    let digest = Digest::of(Algorithm::Sha256, b"x");
    let push = format!("/v2/a/b/blobs/uploads/?digest={digest}");
    assert_eq!(rig.send("POST", &push, &[], endless).await.status, 401);
}
