use super::*;

const LIMIT: usize = 4 << 20;

async fn config(rig: &Rig) -> Digest {
    rig.push_blob("a/b", Algorithm::Sha256, b"{}").await
}

#[tokio::test]
async fn a_manifest_is_answered_as_it_was_pushed_by_tag_and_by_digest() {
    let rig = Rig::open();
    let config = config(&rig).await;
    // White space and unknown fields are kept byte for byte.
    let mut body = image(&config, 2, &[], &json!({"io.example.unknown": {"z": 1, "a": 2}}));
    body.push(b'\n');
    for (reference, algorithm) in [("1".to_owned(), Algorithm::Sha256)]
        .into_iter()
        .chain(Algorithm::ALL.map(|algorithm| (Digest::of(algorithm, &body).to_string(), algorithm)))
    {
        let digest = Digest::of(algorithm, &body);
        let put = rig.put_manifest("a/b", &reference, OCI_MANIFEST, &body).await;
        assert_eq!(put.status, 201, "{put:?}");
        assert_eq!(put.header("location"), format!("/v2/a/b/manifests/{digest}"));
        assert_eq!(put.header("docker-content-digest"), digest.to_string());
        for target in [
            format!("/v2/a/b/manifests/{reference}"),
            put.header("location").to_owned(),
        ] {
            let (head, get) = (rig.head(&target).await, rig.get(&target).await);
            assert_eq!(get.body, body);
            for answer in [&head, &get] {
                assert_eq!(answer.status, 200);
                assert_eq!(answer.header("content-type"), OCI_MANIFEST);
                assert_eq!(answer.header("content-length"), body.len().to_string());
                assert_eq!(answer.header("docker-content-digest"), digest.to_string());
                assert_eq!(answer.header("etag"), format!("\"{digest}\""));
            }
        }
    }
}

#[tokio::test]
async fn each_media_type_is_accepted_and_answered() {
    let rig = Rig::open();
    let config = config(&rig).await;
    let child = rig.push_image("a/b", "child", "layer").await;
    let docker_list = "application/vnd.docker.distribution.manifest.list.v2+json";
    let docker_manifest = "application/vnd.docker.distribution.manifest.v2+json";
    let index = |media_type: &str| {
        let size = 400;
        json!({"schemaVersion": 2, "mediaType": media_type, "manifests": [{"mediaType": OCI_MANIFEST, "digest": child, "size": size}]})
    };
    for (media_type, body) in [
        (OCI_MANIFEST, image(&config, 2, &[], &json!({}))),
        (
            docker_manifest,
            image(&config, 2, &[], &json!({"mediaType": docker_manifest})),
        ),
        (OCI_INDEX, serde_json::to_vec(&index(OCI_INDEX)).unwrap()),
        (docker_list, serde_json::to_vec(&index(docker_list)).unwrap()),
    ] {
        assert_eq!(
            rig.put_manifest("a/b", "t", media_type, &body).await.status,
            201,
            "{media_type}"
        );
        assert_eq!(
            rig.head("/v2/a/b/manifests/t").await.header("content-type"),
            media_type
        );
    }
}

#[tokio::test]
async fn one_push_by_digest_sets_many_tags() {
    let rig = Rig::open();
    let body = image(&config(&rig).await, 2, &[], &json!({}));
    let digest = Digest::of(Algorithm::Sha256, &body);
    let tags: Vec<String> = (0..12).map(|i| format!("v{i:02}")).collect();
    let reference = format!("{digest}?tag={}&tag=v00", tags.join("&tag="));
    let put = rig.put_manifest("a/b", &reference, OCI_MANIFEST, &body).await;
    assert_eq!(put.status, 201);
    let told: Vec<_> = put.headers.get_all("oci-tag").iter().cloned().collect();
    assert_eq!(told, tags);
    assert_eq!(rig.get("/v2/a/b/tags/list").await.json()["tags"], json!(tags));
    let many: Vec<String> = (0..65).map(|i| format!("t{i}")).collect();
    for (reference, code) in [
        (format!("{digest}?tag=.x"), "TAG_INVALID"),
        (format!("{digest}?tag="), "TAG_INVALID"),
        (format!("{digest}?tag={}", many.join("&tag=")), "TAG_INVALID"),
        ("t?tag=u".to_owned(), "TAG_INVALID"),
    ] {
        let put = rig.put_manifest("a/b", &reference, OCI_MANIFEST, &body).await;
        assert_eq!(
            (put.status.as_u16(), put.code().as_str()),
            (400, code),
            "{reference}"
        );
    }
}

#[tokio::test]
async fn a_subject_is_told_whether_it_exists_or_not() {
    let rig = Rig::open();
    let subject = Digest::of(Algorithm::Sha256, b"not there");
    let more = json!({"subject": {"mediaType": OCI_MANIFEST, "digest": subject, "size": 9}});
    let body = image(&config(&rig).await, 2, &[], &more);
    let put = rig.put_manifest("a/b", "t", OCI_MANIFEST, &body).await;
    assert_eq!(put.status, 201);
    assert_eq!(put.header("oci-subject"), subject.to_string());
}

#[tokio::test]
async fn layers_that_may_lie_elsewhere_are_not_asked_for_and_missing_ones_are_named() {
    let rig = Rig::open();
    let config = config(&rig).await;
    let missing = Digest::of(Algorithm::Sha256, b"missing");
    let layer = json!({"mediaType": "application/vnd.oci.image.layer.nondistributable.v1.tar", "digest": missing, "size": 7, "urls": ["https://x.example/l"]});
    let body = image(&config, 2, &[], &json!({"layers": [layer]}));
    assert_eq!(
        rig.put_manifest("a/b", "t", OCI_MANIFEST, &body).await.status,
        201
    );
    let body = image(&config, 2, &[(&missing, 7)], &json!({}));
    let put = rig.put_manifest("a/b", "t", OCI_MANIFEST, &body).await;
    assert_eq!(
        (put.status.as_u16(), put.code().as_str()),
        (400, "MANIFEST_BLOB_UNKNOWN")
    );
    assert_eq!(put.json()["errors"][0]["detail"]["digest"], json!(missing));
}

#[tokio::test]
async fn a_manifest_of_another_digest_than_its_path_is_refused() {
    let rig = Rig::open();
    let body = image(&config(&rig).await, 2, &[], &json!({}));
    for algorithm in Algorithm::ALL {
        let other = Digest::of(algorithm, b"other").to_string();
        let put = rig.put_manifest("a/b", &other, OCI_MANIFEST, &body).await;
        assert_eq!(
            (put.status.as_u16(), put.code().as_str()),
            (400, "DIGEST_INVALID")
        );
        assert_eq!(rig.get(&format!("/v2/a/b/manifests/{other}")).await.status, 404);
    }
    let put = rig
        .put_manifest("a/b", "sha256:baddigeststring", OCI_MANIFEST, &body)
        .await;
    assert_eq!(
        (put.status.as_u16(), put.code().as_str()),
        (400, "DIGEST_INVALID")
    );
    assert_eq!(
        rig.get("/v2/a/b/manifests/sha256:baddigeststring").await.status,
        400
    );
}

#[tokio::test]
async fn a_manifest_of_the_limit_is_accepted_and_one_byte_more_is_413() {
    let rig = Rig::open();
    let config = config(&rig).await;
    let bare = image(&config, 2, &[], &json!({"annotations": {"x": ""}})).len();
    let padded = |length: usize| {
        image(
            &config,
            2,
            &[],
            &json!({"annotations": {"x": "a".repeat(length - bare)}}),
        )
    };
    let full = padded(LIMIT);
    assert_eq!(full.len(), LIMIT);
    assert_eq!(
        rig.put_manifest("a/b", "t", OCI_MANIFEST, &full).await.status,
        201
    );
    assert_eq!(rig.get("/v2/a/b/manifests/t").await.body, full);
    let over = padded(LIMIT + 1);
    let put = rig.put_manifest("a/b", "u", OCI_MANIFEST, &over).await;
    assert_eq!((put.status.as_u16(), put.code().as_str()), (413, "SIZE_INVALID"));
    // The same in pieces, without a length said before.
    let pieces = futures_util::stream::iter(
        over.chunks(65_536)
            .map(|piece| Ok::<_, std::io::Error>(piece.to_vec()))
            .collect::<Vec<_>>(),
    );
    let put = rig
        .send("PUT", "/v2/a/b/manifests/u", &[], Body::from_stream(pieces))
        .await;
    assert_eq!((put.status.as_u16(), put.code().as_str()), (413, "SIZE_INVALID"));
    let early = ["Content-Length: 99999999999"];
    let put = rig
        .send("PUT", "/v2/a/b/manifests/u", &early, Body::empty())
        .await;
    assert_eq!(put.status, 413, "before a byte of it came");
    assert_eq!(rig.get("/v2/a/b/manifests/u").await.status, 404);
}

#[tokio::test]
async fn malformed_manifests_are_refused() {
    let rig = Rig::open();
    let config = config(&rig).await;
    let good = image(&config, 2, &[], &json!({}));
    let deep = "[".repeat(100_000);
    let deeper = format!(r#"{{"schemaVersion":2,"config":{deep}"#);
    for (media_type, body) in [
        (OCI_MANIFEST, &b""[..]),
        (OCI_MANIFEST, b"null"),
        (OCI_MANIFEST, b"[]"),
        (OCI_MANIFEST, &good[..good.len() - 1]),
        (OCI_MANIFEST, deep.as_bytes()),
        (OCI_MANIFEST, deeper.as_bytes()),
        (OCI_INDEX, &good),
        ("application/vnd.docker.distribution.manifest.v1+prettyjws", &good),
        (OCI_MANIFEST, b"\xff\xfe{}"),
    ] {
        let put = rig.put_manifest("a/b", "t", media_type, body).await;
        assert_eq!(
            (put.status.as_u16(), put.code().as_str()),
            (400, "MANIFEST_INVALID"),
            "{media_type}"
        );
    }
    assert_eq!(rig.get("/v2/a/b/manifests/t").await.status, 404);
}

#[tokio::test]
async fn a_tag_is_deleted_alone_and_a_manifest_with_its_tags() {
    let rig = Rig::open();
    let digest = rig.push_image("a/b", "one", "layer").await;
    rig.push_image("a/b", "two", "layer").await;
    assert_eq!(rig.delete("/v2/a/b/manifests/one").await.status, 202);
    let gone = rig.get("/v2/a/b/manifests/one").await;
    assert_eq!(
        (gone.status.as_u16(), gone.code().as_str()),
        (404, "MANIFEST_UNKNOWN")
    );
    assert_eq!(rig.get("/v2/a/b/manifests/two").await.status, 200);
    assert_eq!(
        rig.delete(&format!("/v2/a/b/manifests/{digest}")).await.status,
        202
    );
    for reference in ["two", &digest.to_string()] {
        assert_eq!(
            rig.head(&format!("/v2/a/b/manifests/{reference}")).await.status,
            404
        );
        assert_eq!(
            rig.delete(&format!("/v2/a/b/manifests/{reference}")).await.status,
            404
        );
    }
}

#[tokio::test]
async fn deletes_are_refused_when_they_are_switched_off_and_all_writing_when_read_only() {
    let rig = Rig::with(|builder| builder.policy.delete_enabled = false);
    let digest = rig.push_image("a/b", "t", "layer").await;
    for target in [
        "/v2/a/b/manifests/t".to_owned(),
        format!("/v2/a/b/manifests/{digest}"),
        format!("/v2/a/b/blobs/{digest}"),
    ] {
        let answer = rig.delete(&target).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (405, "UNSUPPORTED")
        );
        assert!(!answer.header("allow").is_empty());
    }
    let rig = Rig::with(|builder| builder.policy.read_only = true);
    let answer = rig.post("/v2/a/b/blobs/uploads/").await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (405, "UNSUPPORTED")
    );
}

#[tokio::test]
async fn a_tag_is_deleted_only_while_it_points_where_it_should() {
    let rig = Rig::open();
    let first = rig.push_image("a/b", "t", "one").await;
    let second = rig.push_image("a/b", "t", "two").await;
    let delete = async |digest: &str| {
        let condition = format!("If-Match: \"{digest}\"");
        rig.send(
            "DELETE",
            "/v2/a/b/manifests/t",
            &[condition.as_str()],
            Body::empty(),
        )
        .await
    };
    assert_eq!(delete(&first.to_string()).await.status, 412);
    assert_eq!(delete("x").await.status, 400);
    assert_eq!(rig.head("/v2/a/b/manifests/t").await.status, 200);
    assert_eq!(delete(&second.to_string()).await.status, 202);
    assert_eq!(rig.head("/v2/a/b/manifests/t").await.status, 404);
    assert_eq!(rig.head(&format!("/v2/a/b/manifests/{second}")).await.status, 200);
    assert_eq!(delete(&second.to_string()).await.status, 404);
}

#[tokio::test]
async fn a_tag_moves_only_under_its_condition() {
    let rig = Rig::open();
    let config = config(&rig).await;
    let (first, second) = (
        image(&config, 2, &[], &json!({})),
        image(&config, 2, &[], &json!({"annotations": {"n": "2"}})),
    );
    let (first_digest, second_digest) = (
        Digest::of(Algorithm::Sha256, &first),
        Digest::of(Algorithm::Sha256, &second),
    );
    let put = async |header: &str, body: &[u8]| {
        rig.send("PUT", "/v2/a/b/manifests/t", &[header], body.to_vec())
            .await
    };
    assert_eq!(put("If-None-Match: *", &first).await.status, 201);
    let refused = put("If-None-Match: *", &second).await;
    assert_eq!(
        (refused.status.as_u16(), refused.code().as_str()),
        (412, "TAG_INVALID")
    );
    assert_eq!(
        put(&format!("If-Match: \"{second_digest}\""), &second)
            .await
            .status,
        412
    );
    assert_eq!(
        put(&format!("If-Match: \"{first_digest}\""), &second)
            .await
            .status,
        201
    );
    assert_eq!(rig.get("/v2/a/b/manifests/t").await.body, second);
    for malformed in ["If-Match: x", "If-None-Match: \"x\"", "If-Match: *"] {
        assert_eq!(put(malformed, &first).await.status, 400, "{malformed}");
    }
}

#[tokio::test]
async fn a_stored_manifest_is_told_before_the_push_is_answered() {
    let told = Arc::new(std::sync::Mutex::new(Vec::new()));
    let sink = Arc::clone(&told);
    let rig = Rig::with(move |builder| {
        builder.on_manifest_pushed = Some(Arc::new(move |pushed| {
            let sink = Arc::clone(&sink);
            Box::pin(async move {
                sink.lock().unwrap().push(pushed);
                Ok(())
            })
        }));
    });
    let digest = rig.push_image("a/b", "t", "layer").await;
    let told = told.lock().unwrap();
    let [pushed] = told.as_slice() else {
        panic!("{told:?}")
    };
    assert_eq!(
        (
            pushed.repository.as_str(),
            &pushed.digest,
            pushed.subject.as_str()
        ),
        ("a/b", &digest, "")
    );
    assert_eq!(pushed.tags, ["t".parse().unwrap()]);
}

#[tokio::test]
async fn a_push_that_nobody_could_be_told_of_fails_and_can_be_repeated() {
    let told = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let count = Arc::clone(&told);
    let rig = Rig::with(move |builder| {
        builder.on_manifest_pushed = Some(Arc::new(move |_| {
            let is_first = count.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 0;
            Box::pin(async move {
                if is_first {
                    Err("the index has no room".into())
                } else {
                    Ok(())
                }
            })
        }));
    });
    let config = rig.push_blob("a/b", Algorithm::Sha256, b"{}").await;
    let manifest = image(&config, 2, &[], &json!({}));
    let first = rig.put_manifest("a/b", "t", OCI_MANIFEST, &manifest).await;
    assert_eq!(first.status, 503);
    assert_eq!(
        (first.header("retry-after"), first.code().as_str()),
        ("5", "UNAVAILABLE")
    );
    let second = rig.put_manifest("a/b", "t", OCI_MANIFEST, &manifest).await;
    assert_eq!(second.status, 201);
}
