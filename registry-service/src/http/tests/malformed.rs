use shared::runtime::serve::{Readiness, ReadyState};

use super::*;
use crate::storage::{Filesystem, Options as FilesystemOptions};

#[tokio::test]
async fn malformed_requests_get_their_code() {
    let rig = Rig::open();
    for (method, target, status, code) in [
        ("GET", "/v2/A/tags/list", 400, "NAME_INVALID"),
        ("GET", "/v2/a%2Fb/tags/list", 400, "NAME_INVALID"),
        ("GET", "/v2/a/%2e%2e/b/tags/list", 400, "NAME_INVALID"),
        ("GET", "/v2/a/../b/tags/list", 400, "NAME_INVALID"),
        ("GET", "/v2/a//tags/list", 400, "NAME_INVALID"),
        ("GET", "/v2/a/blobs/sha256:0", 400, "DIGEST_INVALID"),
        (
            "GET",
            "/v2/a/manifests/.INVALID_MANIFEST_NAME",
            404,
            "MANIFEST_UNKNOWN",
        ),
        ("PUT", "/v2/a/manifests/.x", 400, "TAG_INVALID"),
        (
            "PATCH",
            "/v2/a/blobs/uploads/not-an-id",
            404,
            "BLOB_UPLOAD_UNKNOWN",
        ),
        (
            "GET",
            "/v2/a/blobs/uploads/00000000-0000-4000-8000-000000000000",
            404,
            "BLOB_UPLOAD_UNKNOWN",
        ),
        (
            "POST",
            "/v2/a/blobs/uploads/?mount=x&from=b",
            400,
            "DIGEST_INVALID",
        ),
        ("POST", "/v2/a/blobs/uploads/?digest=x", 400, "DIGEST_INVALID"),
        ("GET", "/v2/nothing", 404, "UNSUPPORTED"),
        ("GET", "/v1/search", 404, "UNSUPPORTED"),
        ("PUT", "/v2/", 405, "UNSUPPORTED"),
        ("OPTIONS", "/v2/a/tags/list", 405, "UNSUPPORTED"),
        ("GET", "/v2/a/blobs/uploads/", 405, "UNSUPPORTED"),
    ] {
        let answer = rig.send(method, target, &[], Body::empty()).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (status, code),
            "{method} {target}"
        );
        assert_eq!(
            answer.header("allow").is_empty(),
            status != 405,
            "{method} {target}"
        );
    }
}

#[tokio::test]
async fn configured_headers_and_a_notice_are_on_every_answer() {
    let rig = Rig::with(|builder| {
        builder.http.headers = [("x-a", "b"), ("x-a", "c"), ("x-content-type-options", "nosniff")]
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .into();
        builder.http.warning = Some(crate::http::warning("storage is degraded"));
    });
    for target in ["/v2/", "/v2/nothing", "/v2/A/tags/list"] {
        let answer = rig.get(target).await;
        let all = |name| answer.headers.get_all(name).iter().collect::<Vec<_>>();
        assert_eq!(all("x-a"), ["b", "c"]);
        assert_eq!(
            all("x-content-type-options"),
            ["nosniff"],
            "once, instead of ours"
        );
        assert_eq!(answer.header("warning"), "299 - \"storage is degraded\"");
    }
}

#[tokio::test]
async fn every_answer_warns_once_the_disk_has_failed_to_write() {
    let folder = tempfile::tempdir().unwrap();
    let filesystem = Filesystem::open(folder.path(), FilesystemOptions::default()).unwrap();
    let broken = filesystem.clone();
    let rig = Rig::with(|builder| builder.storage = Storage::Filesystem(filesystem));
    assert_eq!(rig.get("/v2/").await.header("warning"), "");
    broken.fail_syncs();
    let digest = Digest::of(Algorithm::Sha256, b"content");
    let target = format!("/v2/a/b/blobs/uploads/?digest={digest}");
    let answer = rig.send("POST", &target, &[], "content").await;
    assert_eq!(answer.status, 503);
    let warning = rig.get("/v2/").await.header("warning").to_owned();
    assert!(
        warning.starts_with("299 - \"the storage of this registry"),
        "{warning}"
    );
}

#[tokio::test]
async fn a_registry_is_unready_after_three_failed_syncs() {
    let folder = tempfile::tempdir().unwrap();
    let filesystem = Filesystem::open(folder.path(), FilesystemOptions::default()).unwrap();
    let (broken, readiness) = (filesystem.clone(), Readiness::default());
    let rig = Rig::with(|builder| {
        builder.storage = Storage::Filesystem(filesystem);
        builder.readiness = readiness.clone();
    });
    broken.fail_syncs();
    let digest = Digest::of(Algorithm::Sha256, b"content");
    let target = format!("/v2/a/b/blobs/uploads/?digest={digest}");
    assert_eq!(readiness.state(), ReadyState::Ready);
    // The link and the content of each are synced at the same time.
    for _ in 0..3 {
        rig.send("POST", &target, &[], "content").await;
    }
    let expected = ReadyState::Unready("the storage fails to write");
    assert_eq!(readiness.state(), expected);
}

#[tokio::test]
async fn a_body_that_breaks_off_is_no_fault_of_ours() {
    let rig = Rig::open();
    let broken = || {
        let pieces = [Ok("abc".to_owned()), Err(std::io::Error::other("gone"))];
        Body::from_stream(futures_util::stream::iter(pieces))
    };
    let put = rig.send("PUT", "/v2/a/b/manifests/t", &[], broken()).await;
    assert_eq!((put.status.as_u16(), put.code().as_str()), (400, "SIZE_INVALID"));
    let begun = rig.post("/v2/a/b/blobs/uploads/").await;
    let location = begun.header("location");
    let patch = rig.send("PATCH", location, &[], broken()).await;
    assert_eq!(
        (patch.status.as_u16(), patch.code().as_str()),
        (400, "SIZE_INVALID")
    );
    let status = rig.get(location).await;
    assert_eq!(
        (status.status.as_u16(), status.header("range")),
        (204, "0-2"),
        "what came is kept"
    );
}
