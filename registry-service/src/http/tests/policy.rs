//! What the operator does not let in, and where clients are sent.

use super::*;
use crate::redirect::{Choice, Redirects};
use crate::registry::{Children, Class, ForeignUrls, Platform, Rules};

fn with_rules(rules: Rules) -> Rig {
    Rig::with(|builder| builder.rules = rules)
}

async fn config(rig: &Rig) -> Digest {
    rig.push_blob("a/b", Algorithm::Sha256, b"{}").await
}

#[tokio::test]
async fn a_manifest_that_sends_clients_elsewhere_is_refused_with_a_sentence_and_kept_without_its_urls() {
    let rig = with_rules(Rules {
        urls: ForeignUrls::None,
        ..Rules::default()
    });
    let config = config(&rig).await;
    let missing = Digest::of(Algorithm::Sha256, b"missing");
    let layer = json!({"mediaType": "application/vnd.oci.image.layer.nondistributable.v1.tar", "digest": missing, "size": 7, "urls": ["https://x.example/l"]});
    let body = image(&config, 2, &[], &json!({"layers": [layer]}));
    let put = rig.put_manifest("a/b", "t", OCI_MANIFEST, &body).await;
    assert_eq!(
        (put.status.as_u16(), put.code().as_str()),
        (400, "MANIFEST_INVALID")
    );
    let message = put.json()["errors"][0]["message"].to_string();
    assert!(
        message.contains("validation.manifests.urls") && message.contains(&missing.to_string()),
        "{message}"
    );
    assert_eq!(rig.get("/v2/a/b/manifests/t").await.status, 404);
    let body = image(&config, 2, &[], &json!({}));
    assert_eq!(
        rig.put_manifest("a/b", "t", OCI_MANIFEST, &body).await.status,
        201
    );
}

#[tokio::test]
async fn an_index_may_lack_platforms_that_are_not_listed() {
    let linux = Platform {
        os: "linux".to_owned(),
        architecture: "amd64".to_owned(),
    };
    let rig = with_rules(Rules {
        children: Children::Of(vec![linux]),
        ..Rules::default()
    });
    let here = rig.push_image("a/b", "here", "a layer").await;
    let missing = Digest::of(Algorithm::Sha256, b"missing");
    let index = |amd64: &Digest, arm64: &Digest| {
        let child = |digest: &Digest, architecture| json!({"mediaType": OCI_MANIFEST, "digest": digest, "size": 7, "platform": {"os": "linux", "architecture": architecture}});
        let index = json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [child(amd64, "amd64"), child(arm64, "arm64")]});
        serde_json::to_vec(&index).unwrap()
    };
    let put = rig
        .put_manifest("a/b", "t", OCI_INDEX, &index(&missing, &here))
        .await;
    assert_eq!(
        (put.status.as_u16(), put.code().as_str()),
        (400, "MANIFEST_BLOB_UNKNOWN")
    );
    let put = rig
        .put_manifest("a/b", "t", OCI_INDEX, &index(&here, &missing))
        .await;
    assert_eq!(put.status, 201);
}

#[tokio::test]
async fn a_class_that_is_not_allowed_is_denied_with_a_sentence() {
    let rig = with_rules(Rules {
        classes: Some(vec![Class::Plugin]),
        ..Rules::default()
    });
    let config = config(&rig).await;
    let body = image(&config, 2, &[], &json!({}));
    let put = rig.put_manifest("a/b", "t", OCI_MANIFEST, &body).await;
    assert_eq!((put.status.as_u16(), put.code().as_str()), (403, "DENIED"));
    let message = put.json()["errors"][0]["message"].to_string();
    assert!(
        message.contains("policy.repository.classes") && message.contains("image"),
        "{message}"
    );
    let docker = "application/vnd.docker.distribution.manifest.v2+json";
    let plugin = json!({"mediaType": docker, "config": {"mediaType": "application/vnd.docker.plugin.v1+json", "digest": config, "size": 2}});
    let body = image(&config, 2, &[], &plugin);
    assert_eq!(rig.put_manifest("a/b", "t", docker, &body).await.status, 201);
}

#[tokio::test]
async fn a_manifest_over_the_configured_limits_is_refused() {
    let rig = with_rules(Rules {
        max_references: Some(2),
        max_length: 2_000,
        ..Rules::default()
    });
    let config = config(&rig).await;
    let two = [(&config, 2), (&config, 2)];
    let body = image(&config, 2, &two, &json!({}));
    let put = rig.put_manifest("a/b", "t", OCI_MANIFEST, &body).await;
    assert_eq!(
        (put.status.as_u16(), put.code().as_str()),
        (400, "MANIFEST_INVALID")
    );
    let body = image(&config, 2, &two[..1], &json!({}));
    assert_eq!(
        rig.put_manifest("a/b", "t", OCI_MANIFEST, &body).await.status,
        201
    );
    let long = json!({"annotations": {"a": "x".repeat(2_000)}});
    let put = rig
        .put_manifest("a/b", "t", OCI_MANIFEST, &image(&config, 2, &[], &long))
        .await;
    assert_eq!((put.status.as_u16(), put.code().as_str()), (413, "SIZE_INVALID"));
}

fn sending_to(base: &str) -> Rig {
    let choices = [Choice::Redirect(base.parse().unwrap())];
    Rig::with(|builder| builder.redirects = Some(Redirects::open(&choices).unwrap()))
}

#[tokio::test]
async fn a_blob_is_fetched_elsewhere_and_nothing_else_is() {
    let rig = sending_to("https://cdn.example/files/");
    rig.push_image("a/b", "t", "a layer").await;
    let digest = Digest::of(Algorithm::Sha256, b"a layer");
    let target = format!("/v2/a/b/blobs/{digest}");
    let hex = digest.hex();
    let url = format!(
        "https://cdn.example/files/docker/registry/v2/blobs/sha256/{}/{hex}/data",
        &hex[..2]
    );
    for headers in [
        &[][..],
        &["Range: bytes=0-1"],
        &["Range: bytes=100-"],
        &["If-None-Match: \"other\""],
    ] {
        let answer = rig.send("GET", &target, headers, Body::empty()).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("location")),
            (307, url.as_str())
        );
        assert_eq!(answer.header("docker-content-digest"), digest.to_string());
        assert_eq!(answer.body, b"");
    }
    let with_source = rig.get(&format!("{target}?ns=docker.io")).await;
    assert_eq!(with_source.header("location"), url);
    let head = rig.head(&target).await;
    assert_eq!((head.status.as_u16(), head.header("content-length")), (200, "7"));
    let known = format!("If-None-Match: \"{digest}\"");
    assert_eq!(
        rig.send("GET", &target, &[&known], Body::empty()).await.status,
        304
    );
    assert_eq!(rig.get("/v2/a/b/manifests/t").await.status, 200);
    let foreign = rig.get(&format!("/v2/a/c/blobs/{digest}")).await;
    assert_eq!(foreign.status, 404, "another repository's blob");
    rig.delete(&target).await;
    assert_eq!(rig.get(&target).await.status, 404);
}

#[tokio::test]
async fn who_may_not_pull_is_told_nowhere_to_fetch() {
    let choices = [Choice::Redirect("https://cdn.example".parse().unwrap())];
    let rig = Rig::with(|builder| {
        builder.redirects = Some(Redirects::open(&choices).unwrap());
        builder.authenticator = crate::auth::Authenticator::Silly {
            realm: "r".to_owned(),
            service: "s".to_owned(),
        };
    });
    let digest = Digest::of(Algorithm::Sha256, b"x");
    let answer = rig.get(&format!("/v2/a/b/blobs/{digest}")).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (401, ""));
}
