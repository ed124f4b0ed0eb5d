//! Content that is not what its digest says: refused in every style of upload, and nothing of it is seen.

use harness::{Result, Suite, ensure};
use http::Method;

use super::manifest_content::image;
use super::target::{MANIFEST, OCTETS, Target, noise, refused, refused_with_one_of, with_query};

pub(super) fn add(suite: &mut Suite) {
    checks!(
        suite,
        "wrong_digest",
        [open, open_sha512, tokens],
        in_a_single_post_is_400,
        in_a_put_after_a_post_is_400,
        in_an_empty_put_after_chunks_is_400,
        in_a_put_with_the_last_chunk_is_400,
        in_an_empty_put_after_a_stream_is_400,
        of_a_manifest_is_400,
    );
    checks!(
        suite,
        "wrong_digest",
        [open, tokens],
        in_the_form_of_no_digest_is_refused_for_manifests
    );
}

/// Content, and the digest of other content.
fn pair(target: &Target) -> (Vec<u8>, String) {
    let claimed = noise(3 * 1024 - 5);
    let mut sent = claimed.clone();
    sent.extend_from_slice(b"oh no");
    (sent, target.digest(&claimed))
}

/// That neither what was claimed nor what was sent can be seen.
fn nothing_came(target: &Target, name: &str, sent: &[u8], claimed: &str) -> Result<()> {
    target.lacks(name, claimed)?;
    target.lacks(name, &target.digest(sent))
}

fn in_a_single_post_is_400(target: &Target) -> Result<()> {
    let name = target.repository();
    let (sent, claimed) = pair(target);
    let path = format!("/v2/{name}/blobs/uploads/?digest={claimed}");
    refused(
        &target.send(Method::POST, &path, &[OCTETS], &sent)?,
        400,
        "DIGEST_INVALID",
    )?;
    nothing_came(target, &name, &sent, &claimed)
}

fn in_a_put_after_a_post_is_400(target: &Target) -> Result<()> {
    let name = target.repository();
    let (sent, claimed) = pair(target);
    refused(
        &target.finish(&target.begin(&name)?, &claimed, &sent)?,
        400,
        "DIGEST_INVALID",
    )?;
    nothing_came(target, &name, &sent, &claimed)
}

fn in_an_empty_put_after_chunks_is_400(target: &Target) -> Result<()> {
    let name = target.repository();
    let (sent, claimed) = pair(target);
    let location = target.begin(&name)?;
    let location = target
        .chunk(&location, 0, &sent[..1024])?
        .expect(202)?
        .header("location")?
        .to_owned();
    let location = target
        .chunk(&location, 1024, &sent[1024..])?
        .expect(202)?
        .header("location")?
        .to_owned();
    refused(&target.finish(&location, &claimed, b"")?, 400, "DIGEST_INVALID")?;
    nothing_came(target, &name, &sent, &claimed)
}

fn in_a_put_with_the_last_chunk_is_400(target: &Target) -> Result<()> {
    let name = target.repository();
    let (sent, claimed) = pair(target);
    let location = target.begin(&name)?;
    let location = target
        .chunk(&location, 0, &sent[..1024])?
        .expect(202)?
        .header("location")?
        .to_owned();
    let path = with_query(&location, &format!("digest={claimed}"));
    let range = format!("1024-{}", sent.len() - 1);
    let answer = target.send(
        Method::PUT,
        &path,
        &[OCTETS, ("content-range", &range)],
        &sent[1024..],
    )?;
    refused(&answer, 400, "DIGEST_INVALID")?;
    nothing_came(target, &name, &sent, &claimed)
}

fn in_an_empty_put_after_a_stream_is_400(target: &Target) -> Result<()> {
    let name = target.repository();
    let (sent, claimed) = pair(target);
    let location = target.begin(&name)?;
    let location = target
        .send(Method::PATCH, &location, &[OCTETS], &sent)?
        .expect(202)?
        .header("location")?
        .to_owned();
    refused(&target.finish(&location, &claimed, b"")?, 400, "DIGEST_INVALID")?;
    nothing_came(target, &name, &sent, &claimed)
}

fn of_a_manifest_is_400(target: &Target) -> Result<()> {
    let name = target.repository();
    let mut body = image(target, &name, 1)?;
    let claimed = target.digest(&body);
    // Legal JSON of the same meaning, but other bytes.
    body.extend_from_slice(b"  ");
    refused(
        &target.put(&name, &claimed, MANIFEST, &body)?,
        400,
        "DIGEST_INVALID",
    )?;
    for digest in [&claimed, &target.digest(&body)] {
        target.manifest(Method::HEAD, &name, digest)?.expect(404)?;
    }
    Ok(())
}

fn in_the_form_of_no_digest_is_refused_for_manifests(target: &Target) -> Result<()> {
    let name = target.repository();
    let body = image(target, &name, 1)?;
    refused(
        &target.put(&name, "sha256:baddigeststring", MANIFEST, &body)?,
        400,
        "DIGEST_INVALID",
    )?;
    let answer = target.manifest(Method::GET, &name, "sha256:baddigeststring")?;
    refused_with_one_of(&answer, &[400, 404], &["DIGEST_INVALID", "MANIFEST_UNKNOWN"])?;
    let head = target.manifest(Method::HEAD, &name, "sha256:baddigeststring")?;
    ensure!(
        [400, 404].contains(&head.status),
        "should have been refused: {head}"
    );
    Ok(())
}
