//! end-2 and end-3: blobs and manifests by HEAD and GET.

use harness::{Result, Suite, ensure};
use http::Method;

use super::manifest_content::image;
use super::target::{INDEX, MANIFEST, Target, noise, refused, refused_with_one_of};

pub(super) fn add(suite: &mut Suite) {
    checks!(
        suite,
        "pull",
        [open, open_sha512, tokens],
        end_2_head_and_get_of_a_blob_agree_with_what_was_pushed,
        end_2_a_blob_that_was_never_pushed_is_404,
        end_2_a_blob_of_another_repository_is_404,
        end_3_head_and_get_of_a_manifest_by_digest_agree_with_what_was_pushed,
        end_3_an_unknown_digest_is_404,
        if_none_match_with_the_etag_of_a_blob_is_304,
        if_none_match_with_the_etag_of_a_manifest_is_304,
    );
    checks!(
        suite,
        "pull",
        [open, tokens],
        end_3_head_and_get_of_a_manifest_by_tag_agree_with_what_was_pushed,
        end_3_an_unknown_tag_is_404,
        end_3_a_manifest_of_an_unknown_repository_is_404,
        end_3_a_manifest_is_given_whatever_sensible_accept_header_is_sent,
        a_digest_in_capital_letters_is_refused,
        a_digest_of_an_unknown_algorithm_is_refused,
        a_digest_with_an_encoded_colon_is_understood,
    );
}

fn end_2_head_and_get_of_a_blob_agree_with_what_was_pushed(target: &Target) -> Result<()> {
    let (name, bytes) = (target.repository(), noise(2048));
    let digest = target.push(&name, &bytes)?;
    target.holds(&name, &digest, &bytes)?;
    let answer = target.blob(&name, &digest)?;
    ensure!(
        answer.header("content-type")? == "application/octet-stream",
        "wrong type: {answer}"
    );
    Ok(())
}

fn end_2_a_blob_that_was_never_pushed_is_404(target: &Target) -> Result<()> {
    let name = target.repository();
    target.push(&name, &noise(10))?;
    target.lacks(&name, &target.digest(&noise(10)))
}

fn end_2_a_blob_of_another_repository_is_404(target: &Target) -> Result<()> {
    let (name, other) = (target.repository(), target.repository());
    target.push(&other, &noise(10))?;
    let digest = target.push(&name, &noise(512))?;
    target.lacks(&other, &digest)
}

fn end_3_head_and_get_of_a_manifest_by_tag_agree_with_what_was_pushed(target: &Target) -> Result<()> {
    let name = target.repository();
    let body = image(target, &name, 2)?;
    target.accepts(&name, "v1.0_a-B", MANIFEST, &body)?;
    target.shows(&name, "v1.0_a-B", MANIFEST, &body)
}

fn end_3_head_and_get_of_a_manifest_by_digest_agree_with_what_was_pushed(target: &Target) -> Result<()> {
    let name = target.repository();
    let body = image(target, &name, 2)?;
    let digest = target.digest(&body);
    target.accepts(&name, &digest, MANIFEST, &body)?;
    target.shows(&name, &digest, MANIFEST, &body)
}

fn end_3_an_unknown_tag_is_404(target: &Target) -> Result<()> {
    let name = target.repository();
    target.accepts(&name, "here", MANIFEST, &image(target, &name, 1)?)?;
    target.manifest(Method::HEAD, &name, "missing")?.expect(404)?;
    refused(
        &target.manifest(Method::GET, &name, "missing")?,
        404,
        "MANIFEST_UNKNOWN",
    )
}

fn end_3_an_unknown_digest_is_404(target: &Target) -> Result<()> {
    let name = target.repository();
    target.accepts(&name, "here", MANIFEST, &image(target, &name, 1)?)?;
    let digest = target.digest(&noise(1024));
    target.manifest(Method::HEAD, &name, &digest)?.expect(404)?;
    refused(
        &target.manifest(Method::GET, &name, &digest)?,
        404,
        "MANIFEST_UNKNOWN",
    )
}

fn end_3_a_manifest_of_an_unknown_repository_is_404(target: &Target) -> Result<()> {
    let answer = target.manifest(Method::GET, &target.repository(), "latest")?;
    refused_with_one_of(&answer, &[404], &["NAME_UNKNOWN", "MANIFEST_UNKNOWN"])
}

fn end_3_a_manifest_is_given_whatever_sensible_accept_header_is_sent(target: &Target) -> Result<()> {
    let name = target.repository();
    let body = image(target, &name, 1)?;
    let digest = target.accepts(&name, "accept", MANIFEST, &body)?;
    let path = format!("/v2/{name}/manifests/{digest}");
    let one_line = format!("{INDEX}, {MANIFEST};q=0.9, */*;q=0.1");
    for accept in [
        "*/*",
        MANIFEST,
        &one_line,
        "application/vnd.oci.image.manifest.v1+json, application/json",
    ] {
        let answer = target
            .send(Method::GET, &path, &[("accept", accept)], &[])?
            .expect(200)?;
        ensure!(
            answer.header("content-type")? == MANIFEST && answer.body == body,
            "{accept}: {answer}"
        );
    }
    let several = [
        ("accept", "application/json"),
        ("accept", INDEX),
        ("accept", MANIFEST),
    ];
    target.send(Method::GET, &path, &several, &[])?.expect(200)?;
    target.get(&path)?.expect(200).map(drop)
}

fn if_none_match_with_the_etag_of_a_blob_is_304(target: &Target) -> Result<()> {
    let (name, bytes) = (target.repository(), noise(100));
    let digest = target.push(&name, &bytes)?;
    not_modified(target, &format!("/v2/{name}/blobs/{digest}"))
}

fn if_none_match_with_the_etag_of_a_manifest_is_304(target: &Target) -> Result<()> {
    let name = target.repository();
    let body = image(target, &name, 1)?;
    let digest = target.digest(&body);
    target.accepts(&name, &digest, MANIFEST, &body)?;
    not_modified(target, &format!("/v2/{name}/manifests/{digest}"))?;
    target.accepts(&name, "tag", MANIFEST, &body)?;
    not_modified(target, &format!("/v2/{name}/manifests/tag"))
}

/// RFC 9110, section 13.1.2, for GET and HEAD.
fn not_modified(target: &Target, path: &str) -> Result<()> {
    let etag = target.get(path)?.expect(200)?.header("etag")?.to_owned();
    ensure!(
        etag.starts_with('"') && etag.ends_with('"'),
        "not a strong entity tag: {etag}"
    );
    let (weak, list) = (format!("W/{etag}"), format!("\"other\", {etag}"));
    for method in [Method::GET, Method::HEAD] {
        for matching in [&*etag, &weak, &list, "*"] {
            let answer = target
                .send(method.clone(), path, &[("if-none-match", matching)], &[])?
                .expect(304)?;
            ensure!(answer.body.is_empty(), "a body in a 304: {answer}");
            ensure!(answer.header("etag")? == etag, "another entity tag: {answer}");
        }
        target
            .send(method, path, &[("if-none-match", "\"other\"")], &[])?
            .expect(200)?;
    }
    Ok(())
}

fn a_digest_in_capital_letters_is_refused(target: &Target) -> Result<()> {
    let name = target.repository();
    let digest = target.push(&name, &noise(10))?;
    let hex = digest
        .split_once(':')
        .map(|(_, hex)| hex.to_uppercase())
        .unwrap_or_default();
    refused(
        &target.blob(&name, &format!("sha256:{hex}"))?,
        400,
        "DIGEST_INVALID",
    )?;
    let answer = target.manifest(Method::GET, &name, &format!("sha256:{hex}"))?;
    refused_with_one_of(&answer, &[400, 404], &["DIGEST_INVALID", "MANIFEST_UNKNOWN"])
}

fn a_digest_of_an_unknown_algorithm_is_refused(target: &Target) -> Result<()> {
    let name = target.repository();
    target.push(&name, &noise(10))?;
    for digest in [
        "md5:d41d8cd98f00b204e9800998ecf8427e",
        "sha1:da39a3ee5e6b4b0d3255bfef95601890afd80709",
    ] {
        refused_with_one_of(
            &target.blob(&name, digest)?,
            &[400, 405],
            &["DIGEST_INVALID", "UNSUPPORTED"],
        )?;
    }
    Ok(())
}

fn a_digest_with_an_encoded_colon_is_understood(target: &Target) -> Result<()> {
    let (name, bytes) = (target.repository(), noise(10));
    let digest = target.push(&name, &bytes)?.replace(':', "%3A");
    let answer = target.blob(&name, &digest)?.expect(200)?;
    ensure!(answer.body == bytes, "other bytes: {answer}");
    Ok(())
}
