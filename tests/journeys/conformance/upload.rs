//! end-4a, end-4b, end-6, end-13 and end-14: uploads in one piece, their status, their end.

use bytes::Bytes;
use harness::api::Answer;
use harness::{Result, Suite, ensure};
use http::Method;

use super::target::{OCTETS, Target, noise, refused, refused_with_one_of, with_query};

pub(super) fn add(suite: &mut Suite) {
    checks!(
        suite,
        "upload",
        [open, open_sha512, tokens],
        end_4a_post_answers_202_with_a_location_that_tells_its_status,
        end_4a_post_and_end_6_put_store_a_blob,
        end_4b_a_single_post_stores_a_blob_at_once,
        an_empty_blob_is_stored,
        an_empty_json_object_is_stored,
        a_streamed_patch_and_an_empty_put_store_a_blob,
        a_201_names_a_location_with_the_same_bytes,
    );
    checks!(
        suite,
        "upload",
        [open, tokens],
        end_4c_the_algorithm_may_be_named_beforehand,
        end_13_the_status_is_told_to_get_and_head,
        end_14_delete_cancels_a_running_upload,
        end_6_put_without_a_digest_is_refused,
        an_unknown_upload_is_404_for_every_method,
        an_upload_of_one_repository_is_unknown_in_another,
        a_session_that_was_closed_is_unknown,
        the_same_blob_may_be_pushed_again,
        two_uploads_of_one_blob_at_once_both_succeed,
        an_upload_without_a_content_type_is_accepted,
        a_location_without_its_query_still_tells_the_status,
    );
}

fn end_4a_post_answers_202_with_a_location_that_tells_its_status(target: &Target) -> Result<()> {
    let name = target.repository();
    let answer = target.post(&format!("/v2/{name}/blobs/uploads/"))?.expect(202)?;
    ensure!(answer.header("content-length")? == "0", "a body: {answer}");
    ensure!(
        !answer.header("docker-upload-uuid")?.is_empty(),
        "no id: {answer}"
    );
    ensure!(answer.header("range")?.starts_with("0-"), "no range: {answer}");
    let status = target.get(answer.header("location")?)?.expect(204)?;
    ensure!(status.header("range")?.starts_with("0-"), "no range: {status}");
    target.get(status.header("location")?)?.expect(204).map(drop)
}

fn end_4a_post_and_end_6_put_store_a_blob(target: &Target) -> Result<()> {
    let (name, bytes) = (target.repository(), noise(512));
    let digest = target.digest(&bytes);
    let answer = target.finish(&target.begin(&name)?, &digest, &bytes)?;
    stored(target, answer, &name, &bytes)
}

/// That a 201 says what it must and that its content is there.
fn stored(target: &Target, answer: Answer, name: &str, bytes: &[u8]) -> Result<()> {
    let answer = answer.expect(201)?;
    let digest = target.digest(bytes);
    ensure!(
        answer.header("docker-content-digest")? == digest,
        "wrong digest: {answer}"
    );
    let got = target.get(answer.header("location")?)?.expect(200)?;
    ensure!(got.body == bytes, "other bytes at the location: {got}");
    target.holds(name, &digest, bytes)
}

fn end_4b_a_single_post_stores_a_blob_at_once(target: &Target) -> Result<()> {
    let (name, bytes) = (target.repository(), noise(512));
    let path = format!("/v2/{name}/blobs/uploads/?digest={}", target.digest(&bytes));
    let answer = target.send(Method::POST, &path, &[OCTETS], &bytes)?;
    stored(target, answer, &name, &bytes)
}

fn end_4c_the_algorithm_may_be_named_beforehand(target: &Target) -> Result<()> {
    let name = target.repository();
    for algorithm in [super::target::Algorithm::Sha256, super::target::Algorithm::Sha512] {
        let bytes = noise(512);
        let path = format!("/v2/{name}/blobs/uploads/?digest-algorithm={}", algorithm.name());
        let location = target.post(&path)?.expect(202)?.header("location")?.to_owned();
        let location = target
            .chunk(&location, 0, &bytes)?
            .expect(202)?
            .header("location")?
            .to_owned();
        let digest = algorithm.of(&bytes);
        target.finish(&location, &digest, b"")?.expect(201)?;
        target.holds(&name, &digest, &bytes)?;
    }
    // What was announced binds nobody: the digest of the closing PUT decides.
    let bytes = noise(512);
    let path = format!("/v2/{name}/blobs/uploads/?digest-algorithm=sha512");
    let location = target.post(&path)?.expect(202)?.header("location")?.to_owned();
    let location = target
        .chunk(&location, 0, &bytes)?
        .expect(202)?
        .header("location")?
        .to_owned();
    let digest = super::target::Algorithm::Sha256.of(&bytes);
    target.finish(&location, &digest, b"")?.expect(201)?;
    target.holds(&name, &digest, &bytes)?;
    let unknown = target.post(&format!("/v2/{name}/blobs/uploads/?digest-algorithm=md5"))?;
    refused_with_one_of(&unknown, &[400], &["DIGEST_INVALID", "UNSUPPORTED"])
}

fn an_empty_blob_is_stored(target: &Target) -> Result<()> {
    let name = target.repository();
    let digest = target.push(&name, b"")?;
    target.holds(&name, &digest, b"")?;
    let name = target.repository();
    let path = format!("/v2/{name}/blobs/uploads/?digest={digest}");
    let answer = target.send(Method::POST, &path, &[OCTETS, ("content-length", "0")], b"")?;
    if answer.status == 202 {
        // A POST without a body may also be read as the beginning of a session.
        target
            .finish(answer.header("location")?, &digest, b"")?
            .expect(201)?;
    } else {
        answer.expect(201)?;
    }
    target.holds(&name, &digest, b"")
}

fn an_empty_json_object_is_stored(target: &Target) -> Result<()> {
    let name = target.repository();
    let digest = target.push(&name, b"{}")?;
    target.holds(&name, &digest, b"{}")
}

fn a_streamed_patch_and_an_empty_put_store_a_blob(target: &Target) -> Result<()> {
    let (name, bytes) = (target.repository(), noise(300_000));
    let location = target.begin(&name)?;
    // As dockerd sends it: Transfer-Encoding chunked, no Content-Type, no Content-Range.
    let pieces: Vec<std::io::Result<Bytes>> = bytes
        .chunks(7_001)
        .map(|c| Ok(Bytes::copy_from_slice(c)))
        .collect();
    let body = reqwest::Body::wrap_stream(futures_util::stream::iter(pieces));
    let mut request = target.api.http().patch(target.api.url(&location)).body(body);
    if let Ok(authorization) = target
        .api
        .authorization_for(&format!("repository:{name}:pull,push"))
    {
        request = request.header("authorization", authorization);
    }
    let answer = harness::command::RUNTIME.block_on(async { request.send().await })?;
    ensure!(answer.status() == 202, "should have been 202: {answer:?}");
    let header = |name: &str| {
        answer
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    };
    ensure!(header("range") == "0-299999", "wrong range: {answer:?}");
    let finished = target.finish(header("location"), &target.digest(&bytes), b"")?;
    stored(target, finished, &name, &bytes)
}

fn a_201_names_a_location_with_the_same_bytes(target: &Target) -> Result<()> {
    let (name, bytes) = (target.repository(), noise(64));
    let location = target.begin(&name)?;
    let location = target
        .chunk(&location, 0, &bytes)?
        .expect(202)?
        .header("location")?
        .to_owned();
    let answer = target.finish(&location, &target.digest(&bytes), b"")?;
    stored(target, answer, &name, &bytes)
}

fn end_13_the_status_is_told_to_get_and_head(target: &Target) -> Result<()> {
    let name = target.repository();
    let location = target.begin(&name)?;
    let location = target
        .chunk(&location, 0, &noise(100))?
        .expect(202)?
        .header("location")?
        .to_owned();
    for method in [Method::GET, Method::HEAD] {
        let status = target.send(method, &location, &[], &[])?.expect(204)?;
        ensure!(status.header("range")? == "0-99", "wrong range: {status}");
        ensure!(
            !status.header("docker-upload-uuid")?.is_empty(),
            "no id: {status}"
        );
        ensure!(!status.header("location")?.is_empty(), "no location: {status}");
    }
    Ok(())
}

fn end_14_delete_cancels_a_running_upload(target: &Target) -> Result<()> {
    let name = target.repository();
    let begun = target.begin(&name)?;
    let location = target
        .chunk(&begun, 0, &noise(100))?
        .expect(202)?
        .header("location")?
        .to_owned();
    let answer = target
        .send(Method::DELETE, &location, &[("content-length", "0")], &[])?
        .expect(204)?;
    ensure!(answer.body.is_empty(), "a body in a 204: {answer}");
    refused(&target.get(&location)?, 404, "BLOB_UPLOAD_UNKNOWN")?;
    refused(
        &target.chunk(&location, 100, b"more")?,
        404,
        "BLOB_UPLOAD_UNKNOWN",
    )?;
    refused(
        &target.finish(&location, &target.digest(b"more"), b"more")?,
        404,
        "BLOB_UPLOAD_UNKNOWN",
    )?;
    refused(&target.delete(&location)?, 404, "BLOB_UPLOAD_UNKNOWN")
}

fn end_6_put_without_a_digest_is_refused(target: &Target) -> Result<()> {
    let (name, bytes) = (target.repository(), noise(10));
    let location = target.begin(&name)?;
    refused(
        &target.send(Method::PUT, &location, &[OCTETS], &bytes)?,
        400,
        "DIGEST_INVALID",
    )?;
    let malformed = with_query(&location, "digest=sha256:baddigeststring");
    refused(
        &target.send(Method::PUT, &malformed, &[OCTETS], &bytes)?,
        400,
        "DIGEST_INVALID",
    )
}

fn an_unknown_upload_is_404_for_every_method(target: &Target) -> Result<()> {
    let name = target.repository();
    target.push(&name, &noise(10))?;
    let path = format!("/v2/{name}/blobs/uploads/7f4d9b6e-0000-4000-8000-0123456789ab");
    refused(&target.get(&path)?, 404, "BLOB_UPLOAD_UNKNOWN")?;
    refused(&target.delete(&path)?, 404, "BLOB_UPLOAD_UNKNOWN")?;
    refused(&target.chunk(&path, 0, b"bytes")?, 404, "BLOB_UPLOAD_UNKNOWN")?;
    refused(
        &target.finish(&path, &target.digest(b"bytes"), b"bytes")?,
        404,
        "BLOB_UPLOAD_UNKNOWN",
    )
}

fn an_upload_of_one_repository_is_unknown_in_another(target: &Target) -> Result<()> {
    let (name, other) = (target.repository(), target.repository());
    target.push(&other, &noise(10))?;
    let location = target.begin(&name)?;
    let elsewhere = location.replacen(&name, &other, 1);
    ensure!(
        elsewhere != location,
        "the location does not name its repository: {location}"
    );
    refused(&target.get(&elsewhere)?, 404, "BLOB_UPLOAD_UNKNOWN")?;
    refused(
        &target.chunk(&elsewhere, 0, b"bytes")?,
        404,
        "BLOB_UPLOAD_UNKNOWN",
    )?;
    refused(
        &target.finish(&elsewhere, &target.digest(b"bytes"), b"bytes")?,
        404,
        "BLOB_UPLOAD_UNKNOWN",
    )?;
    refused(&target.delete(&elsewhere)?, 404, "BLOB_UPLOAD_UNKNOWN")?;
    target.get(&location)?.expect(204).map(drop)
}

fn a_session_that_was_closed_is_unknown(target: &Target) -> Result<()> {
    let (name, bytes) = (target.repository(), noise(10));
    let location = target.begin(&name)?;
    target
        .finish(&location, &target.digest(&bytes), &bytes)?
        .expect(201)?;
    refused(&target.get(&location)?, 404, "BLOB_UPLOAD_UNKNOWN")?;
    refused(
        &target.finish(&location, &target.digest(&bytes), &bytes)?,
        404,
        "BLOB_UPLOAD_UNKNOWN",
    )
}

fn the_same_blob_may_be_pushed_again(target: &Target) -> Result<()> {
    let (name, bytes) = (target.repository(), noise(100));
    let digest = target.push(&name, &bytes)?;
    ensure!(target.push(&name, &bytes)? == digest);
    target.holds(&name, &digest, &bytes)
}

fn two_uploads_of_one_blob_at_once_both_succeed(target: &Target) -> Result<()> {
    let (name, bytes) = (target.repository(), noise(200_000));
    let (first, second) = (target.begin(&name)?, target.begin(&name)?);
    let digest = target.digest(&bytes);
    let answers = std::thread::scope(|scope| {
        let threads = [first, second].map(|location| {
            scope.spawn({
                let (digest, bytes) = (&digest, &bytes);
                move || target.finish(&location, digest, bytes)
            })
        });
        threads.map(|thread| {
            thread
                .join()
                .unwrap_or_else(|_| Err(harness::anyhow!("panicked")))
        })
    });
    for answer in answers {
        answer?.expect(201)?;
    }
    target.holds(&name, &digest, &bytes)
}

fn an_upload_without_a_content_type_is_accepted(target: &Target) -> Result<()> {
    let (name, bytes) = (target.repository(), noise(100));
    let location = target.begin(&name)?;
    let location = target
        .send(Method::PATCH, &location, &[], &bytes)?
        .expect(202)?
        .header("location")?
        .to_owned();
    let path = with_query(&location, &format!("digest={}", target.digest(&bytes)));
    let answer = target.send(Method::PUT, &path, &[], &[])?;
    stored(target, answer, &name, &bytes)
}

fn a_location_without_its_query_still_tells_the_status(target: &Target) -> Result<()> {
    let name = target.repository();
    let location = target.begin(&name)?;
    let bare = location.split('?').next().unwrap_or_default();
    target.get(bare)?.expect(204).map(drop)
}
