//! end-1, the form of errors, and what every answer carries.

use harness::{Journey, Need, Result, Suite, ensure};
use http::Method;

use super::target::{Target, error_code, noise, refused};

pub(super) fn add(suite: &mut Suite) {
    checks!(
        suite,
        "base",
        [open, tokens],
        end_1_answers_200_with_an_empty_json_object,
        end_1_answers_head_like_get,
        every_answer_names_the_version_of_the_interface,
        every_refusal_has_an_error_body_in_the_form_of_the_specification,
        a_method_that_a_route_lacks_is_answered_405_with_those_it_has,
        a_path_that_is_no_route_is_answered_404,
        answers_are_never_compressed_by_the_registry,
    );
    suite.add(
        "conformance::tokens::base",
        "end_1_without_a_token_answers_401_with_a_challenge",
        &[Need::Portolan],
        challenge,
    );
}

fn end_1_answers_200_with_an_empty_json_object(target: &Target) -> Result<()> {
    let answer = target.get("/v2/")?.expect(200)?;
    ensure!(answer.body == "{}"[..], "not an empty object: {answer}");
    ensure!(
        answer.header("content-type")?.starts_with("application/json"),
        "not JSON: {answer}"
    );
    ensure!(answer.header("content-length")? == "2", "not 2 bytes: {answer}");
    Ok(())
}

fn end_1_answers_head_like_get(target: &Target) -> Result<()> {
    let answer = target.head("/v2/")?.expect(200)?;
    ensure!(answer.body.is_empty(), "a body in the answer to HEAD: {answer}");
    Ok(())
}

fn every_answer_names_the_version_of_the_interface(target: &Target) -> Result<()> {
    let name = target.repository();
    let bytes = noise(10);
    let digest = target.push(&name, &bytes)?;
    let answers = [
        target.get("/v2/")?,
        target.get(&format!("/v2/{name}/blobs/{digest}"))?,
        target.head(&format!("/v2/{name}/blobs/{digest}"))?,
        target.post(&format!("/v2/{name}/blobs/uploads/"))?,
        target.get(&format!("/v2/{name}/manifests/missing"))?,
        target.get(&format!("/v2/{name}/referrers/{digest}"))?,
        target.get(&format!("/v2/{name}/tags/list"))?,
        target.get(&format!("/v2/{name}/manifests/sha256:short"))?,
    ];
    for answer in answers {
        let version = answer.header("docker-distribution-api-version")?;
        ensure!(version == "registry/2.0", "another version: {answer}");
    }
    Ok(())
}

fn every_refusal_has_an_error_body_in_the_form_of_the_specification(target: &Target) -> Result<()> {
    let name = target.repository();
    target.push(&name, &noise(9))?;
    let absent = target.digest(&noise(8));
    let cases = [
        (Method::GET, format!("blobs/{absent}"), 404, "BLOB_UNKNOWN"),
        (Method::DELETE, format!("blobs/{absent}"), 404, "BLOB_UNKNOWN"),
        (
            Method::GET,
            "blobs/sha256:baddigeststring".into(),
            400,
            "DIGEST_INVALID",
        ),
        (
            Method::GET,
            "referrers/sha256:baddigeststring".into(),
            400,
            "DIGEST_INVALID",
        ),
        (
            Method::GET,
            format!("manifests/{absent}"),
            404,
            "MANIFEST_UNKNOWN",
        ),
        (
            Method::DELETE,
            format!("manifests/{absent}"),
            404,
            "MANIFEST_UNKNOWN",
        ),
        (
            Method::PUT,
            "manifests/sha256:baddigeststring".into(),
            400,
            "DIGEST_INVALID",
        ),
        (Method::PUT, "manifests/latest".into(), 400, "MANIFEST_INVALID"),
        (
            Method::PATCH,
            "blobs/uploads/no-such-upload".into(),
            404,
            "BLOB_UPLOAD_UNKNOWN",
        ),
        (
            Method::GET,
            "blobs/uploads/no-such-upload".into(),
            404,
            "BLOB_UPLOAD_UNKNOWN",
        ),
        (
            Method::DELETE,
            "blobs/uploads/no-such-upload".into(),
            404,
            "BLOB_UPLOAD_UNKNOWN",
        ),
    ];
    for (method, rest, status, code) in cases {
        refused(
            &target.send(method, &format!("/v2/{name}/{rest}"), &[], &[])?,
            status,
            code,
        )?;
    }
    Ok(())
}

fn a_method_that_a_route_lacks_is_answered_405_with_those_it_has(target: &Target) -> Result<()> {
    let name = target.repository();
    let digest = target.digest(b"any");
    let cases = [
        (Method::PATCH, format!("manifests/{digest}")),
        (Method::POST, format!("blobs/{digest}")),
        (Method::PUT, format!("blobs/{digest}")),
        (Method::DELETE, "tags/list".to_owned()),
        (Method::POST, format!("referrers/{digest}")),
        (Method::GET, "blobs/uploads/".to_owned()),
    ];
    for (method, rest) in cases {
        let answer = target.send(method, &format!("/v2/{name}/{rest}"), &[], &[])?;
        // RFC 9110, section 15.5.6: the answer must name the methods that the resource has.
        ensure!(
            !answer.header("allow")?.is_empty(),
            "no method in Allow: {answer}"
        );
        refused(&answer, 405, "UNSUPPORTED")?;
    }
    Ok(())
}

fn a_path_that_is_no_route_is_answered_404(target: &Target) -> Result<()> {
    let name = target.repository();
    for path in [
        format!("/v2/{name}"),
        format!("/v2/{name}/nothing"),
        format!("/v2/{name}/tags"),
        "/v2/_nothing".into(),
    ] {
        let answer = target.get(&path)?;
        ensure!(answer.status == 404, "should have been 404: {answer}");
        error_code(&answer)?;
    }
    Ok(())
}

fn answers_are_never_compressed_by_the_registry(target: &Target) -> Result<()> {
    let name = target.repository();
    let digest = target.push(&name, &[b'a'; 4096])?;
    let path = format!("/v2/{name}/blobs/{digest}");
    let answer = target
        .send(Method::GET, &path, &[("accept-encoding", "gzip")], &[])?
        .expect(200)?;
    ensure!(
        answer.headers.get("content-encoding").is_none(),
        "compressed: {answer}"
    );
    ensure!(answer.body == [b'a'; 4096][..], "other bytes");
    Ok(())
}

fn challenge(journey: &Journey) -> Result<()> {
    let server = harness::Server::shared(journey)?;
    let anonymous = server.anonymous()?;
    let path = "/v2/";
    let answer = anonymous.http().get(anonymous.url(path));
    let answer = harness::command::RUNTIME.block_on(async { answer.send().await })?;
    ensure!(answer.status() == 401, "should have been 401: {answer:?}");
    let challenge = answer
        .headers()
        .get("www-authenticate")
        .and_then(|value| value.to_str().ok());
    let challenge = challenge.unwrap_or_default().to_owned();
    let realm = format!("realm=\"{}/token\"", server.url());
    let service = format!("service=\"{}\"", server.host());
    let right =
        challenge.starts_with("Bearer ") && challenge.contains(&realm) && challenge.contains(&service);
    ensure!(right, "not the challenge: {challenge}");
    let body: serde_json::Value = harness::command::RUNTIME.block_on(async { answer.json().await })?;
    ensure!(
        body["errors"][0]["code"] == "UNAUTHORIZED",
        "not the error: {body}"
    );
    Ok(())
}
