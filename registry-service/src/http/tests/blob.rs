use super::*;

#[tokio::test]
async fn the_base_answers_an_empty_object_and_the_root_a_load_balancer() {
    let rig = Rig::open();
    let base = rig.get("/v2/").await;
    assert_eq!((base.status.as_u16(), base.body.as_slice()), (200, &b"{}"[..]));
    assert_eq!(base.header("content-type"), "application/json");
    let head = rig.head("/v2/").await;
    assert_eq!((head.status.as_u16(), head.header("content-length")), (200, "2"));
    let root = rig.get("/").await;
    assert_eq!(
        (root.status.as_u16(), root.header("cache-control")),
        (200, "no-cache")
    );
}

#[tokio::test]
async fn head_and_get_of_a_blob_tell_the_same_for_each_algorithm_and_for_no_bytes() {
    let rig = Rig::open();
    for algorithm in Algorithm::ALL {
        for content in [&b""[..], b"{}", b"0123456789"] {
            let digest = rig.push_blob("a/b", algorithm, content).await;
            let target = format!("/v2/a/b/blobs/{digest}");
            let (head, get) = (rig.head(&target).await, rig.get(&target).await);
            assert_eq!(get.body, content);
            for answer in [&head, &get] {
                assert_eq!(answer.status, 200);
                assert_eq!(answer.header("content-length"), content.len().to_string());
                assert_eq!(answer.header("docker-content-digest"), digest.to_string());
                assert_eq!(answer.header("etag"), format!("\"{digest}\""));
                assert_eq!(answer.header("accept-ranges"), "bytes");
                assert_eq!(answer.header("content-type"), "application/octet-stream");
                assert_eq!(answer.header("cache-control"), "max-age=31536000");
            }
        }
    }
}

#[tokio::test]
async fn an_escaped_colon_in_a_digest_finds_the_same_blob() {
    let rig = Rig::open();
    let digest = rig.push_blob("a/b", Algorithm::Sha256, b"x").await.to_string();
    let target = format!("/v2/a/b/blobs/{}", digest.replace(':', "%3A"));
    assert_eq!(rig.get(&target).await.body, b"x");
}

#[tokio::test]
async fn ranges_give_exact_parts_and_416_beyond() {
    let rig = Rig::open();
    let digest = rig.push_blob("a/b", Algorithm::Sha256, b"0123456789").await;
    let target = format!("/v2/a/b/blobs/{digest}");
    for (range, part, content_range) in [
        ("bytes=0-3", "0123", "bytes 0-3/10"),
        ("bytes=4-", "456789", "bytes 4-9/10"),
        ("bytes=-2", "89", "bytes 8-9/10"),
        ("bytes=-20", "0123456789", "bytes 0-9/10"),
        ("bytes=8-100", "89", "bytes 8-9/10"),
    ] {
        let answer = rig
            .send("GET", &target, &[&format!("Range: {range}")], Body::empty())
            .await;
        assert_eq!(answer.status, 206, "{range}");
        assert_eq!(answer.body, part.as_bytes(), "{range}");
        assert_eq!(answer.header("content-range"), content_range);
        assert_eq!(answer.header("docker-content-digest"), digest.to_string());
    }
    for range in [
        "bytes=500-0",
        "bytes=10-",
        "bytes=5000-10000",
        "bytes=-0",
        "bytes=x",
    ] {
        let answer = rig
            .send("GET", &target, &[&format!("Range: {range}")], Body::empty())
            .await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (416, "RANGE_INVALID"),
            "{range}"
        );
        assert_eq!(answer.header("content-range"), "bytes */10");
    }
    let several = rig
        .send("GET", &target, &["Range: bytes=0-1,5-6"], Body::empty())
        .await;
    assert_eq!((several.status.as_u16(), several.body.len()), (200, 10));
}

#[tokio::test]
async fn a_range_that_depends_on_another_version_gets_the_whole_blob() {
    let rig = Rig::open();
    let digest = rig.push_blob("a/b", Algorithm::Sha256, b"0123456789").await;
    let target = format!("/v2/a/b/blobs/{digest}");
    for (if_range, status) in [
        (format!("\"{digest}\""), 206),
        ("\"sha256:other\"".to_owned(), 200),
        ("Sat, 29 Oct 1994 19:43:31 GMT".to_owned(), 200),
    ] {
        let headers = ["Range: bytes=0-1", &format!("If-Range: {if_range}")];
        let answer = rig.send("GET", &target, &headers, Body::empty()).await;
        assert_eq!(answer.status, status, "{if_range}");
    }
}

#[tokio::test]
async fn a_client_that_has_the_content_gets_304_from_blobs_and_manifests() {
    let rig = Rig::open();
    let blob = rig.push_blob("a/b", Algorithm::Sha256, b"0123456789").await;
    let manifest = rig.push_image("a/b", "1", "layer").await;
    for (target, digest) in [
        (format!("/v2/a/b/blobs/{blob}"), &blob),
        ("/v2/a/b/manifests/1".to_owned(), &manifest),
        (format!("/v2/a/b/manifests/{manifest}"), &manifest),
    ] {
        for method in ["GET", "HEAD"] {
            let known = format!("If-None-Match: \"{digest}\"");
            let answer = rig.send(method, &target, &[&known], Body::empty()).await;
            assert_eq!(answer.status, 304, "{method} {target}");
            assert_eq!(answer.header("etag"), format!("\"{digest}\""));
            let other = "If-None-Match: \"sha256:0\"";
            let answer = rig.send(method, &target, &[other], Body::empty()).await;
            assert_eq!(answer.status, 200, "{method} {target}");
        }
    }
}

#[tokio::test]
async fn a_deleted_blob_is_gone_at_once_and_from_its_repository_alone() {
    let rig = Rig::open();
    for name in ["a/b", "c/d"] {
        rig.push_blob(name, Algorithm::Sha256, b"x").await;
    }
    let digest = Digest::of(Algorithm::Sha256, b"x");
    let target = format!("/v2/a/b/blobs/{digest}");
    assert_eq!(rig.delete(&target).await.status, 202);
    assert_eq!(rig.head(&target).await.status, 404);
    let gone = rig.get(&target).await;
    assert_eq!(
        (gone.status.as_u16(), gone.code().as_str()),
        (404, "BLOB_UNKNOWN")
    );
    assert_eq!(rig.delete(&target).await.status, 404);
    assert_eq!(rig.get(&format!("/v2/c/d/blobs/{digest}")).await.status, 200);
}

#[tokio::test]
async fn a_manifest_is_no_blob() {
    let rig = Rig::open();
    let manifest = rig.push_image("a/b", "1", "layer").await;
    let answer = rig.get(&format!("/v2/a/b/blobs/{manifest}")).await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (404, "BLOB_UNKNOWN")
    );
}
