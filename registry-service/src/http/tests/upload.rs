use super::*;

/// Begins an upload and gives its location.
async fn begin(rig: &Rig, name: &str) -> String {
    let answer = rig.post(&format!("/v2/{name}/blobs/uploads/")).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    assert_eq!(answer.header("range"), "0-0");
    assert_eq!(answer.header("content-length"), "0");
    let location = answer.header("location").to_owned();
    assert!(location.starts_with(&format!(
        "/v2/{name}/blobs/uploads/{}?_state=",
        answer.header("docker-upload-uuid")
    )));
    location
}

async fn patch(rig: &Rig, location: &str, range: &str, content: &str) -> Answer {
    let range = format!("Content-Range: {range}");
    let headers = if range.ends_with(' ') {
        vec![]
    } else {
        vec![range.as_str()]
    };
    rig.send("PATCH", location, &headers, content.to_owned()).await
}

fn digest_of(content: &str) -> Digest {
    Digest::of(Algorithm::Sha256, content.as_bytes())
}

#[tokio::test]
async fn a_blob_is_pushed_in_one_post_whatever_its_algorithm() {
    let rig = Rig::open();
    for algorithm in Algorithm::ALL {
        let digest = Digest::of(algorithm, b"content");
        let target = format!("/v2/a/b/blobs/uploads/?digest={digest}");
        let answer = rig.send("POST", &target, &[], "content").await;
        assert_eq!(answer.status, 201);
        assert_eq!(answer.header("location"), format!("/v2/a/b/blobs/{digest}"));
        assert_eq!(answer.header("docker-content-digest"), digest.to_string());
        assert_eq!(rig.get(answer.header("location")).await.body, b"content");
    }
}

#[tokio::test]
async fn a_blob_is_pushed_by_post_and_put_and_by_post_patch_put() {
    let rig = Rig::open();
    for algorithm in Algorithm::ALL {
        for (patched, put) in [("", "content"), ("content", ""), ("con", "tent")] {
            let mut location = begin(&rig, "a/b").await;
            if !patched.is_empty() {
                let answer = patch(&rig, &location, "", patched).await;
                assert_eq!(answer.status, 202);
                assert_eq!(answer.header("range"), format!("0-{}", patched.len() - 1));
                answer.header("location").clone_into(&mut location);
            }
            let digest = Digest::of(algorithm, b"content");
            let answer = rig
                .send("PUT", &format!("{location}&digest={digest}"), &[], put)
                .await;
            assert_eq!(answer.status, 201, "{answer:?}");
            assert_eq!(answer.header("docker-content-digest"), digest.to_string());
            assert_eq!(rig.get(answer.header("location")).await.body, b"content");
        }
    }
}

#[tokio::test]
async fn a_hint_of_the_algorithm_is_accepted_and_an_unknown_one_refused() {
    let rig = Rig::open();
    let answer = rig.post("/v2/a/b/blobs/uploads/?digest-algorithm=sha512").await;
    assert_eq!(answer.status, 202);
    let digest = Digest::of(Algorithm::Sha512, b"x");
    let put = format!("{}&digest={digest}", answer.header("location"));
    assert_eq!(rig.send("PUT", &put, &[], "x").await.status, 201);
    let answer = rig.post("/v2/a/b/blobs/uploads/?digest-algorithm=md5").await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (400, "DIGEST_INVALID")
    );
}

#[tokio::test]
async fn a_wrong_digest_is_refused_in_every_style_and_leaves_nothing() {
    let rig = Rig::open();
    let wrong = digest_of("other");
    let answer = rig
        .send(
            "POST",
            &format!("/v2/a/b/blobs/uploads/?digest={wrong}"),
            &[],
            "content",
        )
        .await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (400, "DIGEST_INVALID")
    );
    for patched in ["", "content"] {
        let location = begin(&rig, "a/b").await;
        if !patched.is_empty() {
            assert_eq!(patch(&rig, &location, "", patched).await.status, 202);
        }
        let put = format!("{location}&digest={wrong}");
        let rest = if patched.is_empty() { "content" } else { "" };
        let answer = rig.send("PUT", &put, &[], rest).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (400, "DIGEST_INVALID")
        );
        assert_eq!(rig.get(&location).await.status, 404, "the session is gone");
    }
    for digest in [wrong, digest_of("content")] {
        assert_eq!(rig.head(&format!("/v2/a/b/blobs/{digest}")).await.status, 404);
    }
}

#[tokio::test]
async fn a_chunk_out_of_order_is_refused_and_the_upload_goes_on() {
    let rig = Rig::open();
    let first = begin(&rig, "a/b").await;
    let answer = patch(&rig, &first, "0-2", "abc").await;
    assert_eq!((answer.status.as_u16(), answer.header("range")), (202, "0-2"));
    let second = answer.header("location").to_owned();
    for range in ["0-2", "4-6", "2-4"] {
        let answer = patch(&rig, &first, range, "def").await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (416, "RANGE_INVALID")
        );
        for location in [&first, &second] {
            let status = rig.get(location).await;
            assert_eq!((status.status.as_u16(), status.header("range")), (204, "0-2"));
            assert!(status.header("location").contains("/blobs/uploads/"));
        }
    }
    let answer = patch(&rig, &second, "3-5", "def").await;
    assert_eq!((answer.status.as_u16(), answer.header("range")), (202, "0-5"));
    let digest = digest_of("abcdefghi");
    let put = format!("{second}&digest={digest}");
    for range in ["0-2", "7-9"] {
        let answer = rig
            .send("PUT", &put, &[&format!("Content-Range: {range}")], "ghi")
            .await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (416, "RANGE_INVALID")
        );
    }
    let answer = rig.send("PUT", &put, &["Content-Range: 6-8"], "ghi").await;
    assert_eq!(answer.status, 201, "{answer:?}");
}

#[tokio::test]
async fn a_chunk_that_is_not_as_long_as_it_says_is_refused() {
    let rig = Rig::open();
    let location = begin(&rig, "a/b").await;
    let answer = patch(&rig, &location, "0-9", "abc").await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (400, "SIZE_INVALID")
    );
    let both = ["Content-Range: 0-2", "Content-Length: 7"];
    let answer = rig.send("PATCH", &location, &both, "abc").await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (400, "SIZE_INVALID")
    );
    for range in ["2-1", "x", "-", "0-99999999999999999999999"] {
        let answer = patch(&rig, &location, range, "abc").await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (416, "RANGE_INVALID"),
            "{range}"
        );
    }
}

#[tokio::test]
async fn a_cancelled_upload_is_gone() {
    let rig = Rig::open();
    let location = begin(&rig, "a/b").await;
    let answer = rig.delete(&location).await;
    assert_eq!(answer.status, 204);
    for method in ["GET", "PATCH", "DELETE"] {
        let answer = rig.send(method, &location, &[], Body::empty()).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (404, "BLOB_UPLOAD_UNKNOWN"),
            "{method}"
        );
    }
}

#[tokio::test]
async fn a_location_belongs_to_its_repository_and_its_state_to_its_upload() {
    let rig = Rig::open();
    let location = begin(&rig, "a/b").await;
    let other = begin(&rig, "a/b").await;
    let (path, state) = location.split_once("?_state=").unwrap();
    let (_, other_state) = other.split_once("?_state=").unwrap();
    let moved = location.replace("/v2/a/b/", "/v2/c/d/");
    let swapped = format!("{path}?_state={other_state}");
    let forged = format!("{path}?_state={}A", &state[..state.len() - 1]);
    for target in [moved, swapped, forged, format!("{path}?_state=")] {
        for method in ["PATCH", "PUT", "DELETE"] {
            let answer = rig.send(method, &target, &[], Body::empty()).await;
            assert_eq!(
                (answer.status.as_u16(), answer.code().as_str()),
                (404, "BLOB_UPLOAD_UNKNOWN"),
                "{method} {target}"
            );
        }
    }
    assert_eq!(rig.get(path).await.status, 204, "status needs no state");
    assert_eq!(patch(&rig, path, "", "x").await.status, 202);
}

#[tokio::test]
async fn a_put_without_a_digest_or_with_a_malformed_one_is_refused_and_the_upload_goes_on() {
    let rig = Rig::open();
    let location = begin(&rig, "a/b").await;
    for query in ["", "&digest=", "&digest=sha256:x", "&digest=md5:00", "&digest=%"] {
        let answer = rig.send("PUT", &format!("{location}{query}"), &[], "x").await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (400, "DIGEST_INVALID"),
            "{query}"
        );
    }
    let put = format!("{location}&digest={}", digest_of("x"));
    assert_eq!(rig.send("PUT", &put, &[], "x").await.status, 201);
}

#[tokio::test]
async fn a_blob_is_mounted_from_another_repository_for_each_algorithm() {
    let rig = Rig::open();
    for algorithm in Algorithm::ALL {
        let digest = rig.push_blob("a/b", algorithm, b"x").await;
        let answer = rig
            .post(&format!(
                "/v2/c/d/blobs/uploads/?mount={digest}&from=a/b&origin=h"
            ))
            .await;
        assert_eq!(answer.status, 201);
        assert_eq!(answer.header("docker-content-digest"), digest.to_string());
        assert_eq!(rig.get(answer.header("location")).await.body, b"x");
    }
}

#[tokio::test]
async fn a_mount_that_finds_nothing_begins_an_upload() {
    let rig = Rig::open();
    let digest = rig.push_blob("a/b", Algorithm::Sha256, b"x").await;
    let unknown = digest_of("y");
    for query in [
        format!("mount={unknown}&from=a/b"),
        format!("mount={digest}&from=no/body"),
        format!("mount={digest}"),
    ] {
        let answer = rig.post(&format!("/v2/c/d/blobs/uploads/?{query}")).await;
        assert_eq!(answer.status, 202, "{query}");
        assert!(answer.header("location").contains("_state="));
    }
    let again = rig.post(&format!("/v2/a/b/blobs/uploads/?mount={digest}")).await;
    assert_eq!(again.status, 201, "the repository holds it already");
}

#[tokio::test]
async fn a_blob_over_the_limit_is_refused() {
    let rig = Rig::with(|builder| builder.max_blob_size = 4);
    let target = format!("/v2/a/b/blobs/uploads/?digest={}", digest_of("12345"));
    let answer = rig.send("POST", &target, &[], "12345").await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (413, "SIZE_INVALID")
    );
}

#[tokio::test]
async fn locations_are_absolute_when_the_external_url_is_configured_and_never_by_a_header() {
    let rig = Rig::with(|builder| "https://r.example/x".clone_into(&mut builder.http.base_url));
    let answer = rig.post("/v2/a/b/blobs/uploads/").await;
    assert!(
        answer
            .header("location")
            .starts_with("https://r.example/x/v2/a/b/blobs/uploads/")
    );
    let rig = Rig::open();
    let forged = [
        "Host: evil.example",
        "X-Forwarded-Host: evil.example",
        "X-Forwarded-Proto: https",
        "Forwarded: host=evil.example",
    ];
    let answer = rig
        .send("POST", "/v2/a/b/blobs/uploads/", &forged, Body::empty())
        .await;
    assert!(answer.header("location").starts_with("/v2/a/b/blobs/uploads/"));
}
