//! end-7: manifests put under tags and digests.

use harness::{Result, Suite, ensure};
use http::Method;
use serde_json::json;

use super::manifest_content::{artifact, image, image_with, index};
use super::target::{INDEX, MANIFEST, Target, error_code, noise, refused, refused_with_one_of};

pub(super) fn add(suite: &mut Suite) {
    checks!(
        suite,
        "push_manifest",
        [open, open_sha512, tokens],
        end_7_by_digest_is_201_with_a_location_and_the_digest,
        oci_subject_answers_a_manifest_with_a_subject,
        oci_subject_answers_also_when_the_subject_is_missing,
        no_oci_subject_without_a_subject,
    );
    checks!(
        suite,
        "push_manifest",
        [open, tokens],
        end_7_by_tag_is_201_with_a_location_and_the_digest,
        a_tag_moves_and_the_old_manifest_stays,
        a_manifest_may_be_put_again,
        a_manifest_over_the_limit_is_413,
        a_manifest_of_the_limit_is_read,
        the_parameters_of_a_content_type_are_ignored,
        a_content_type_other_than_the_media_type_is_refused,
        an_image_that_is_also_an_index_is_refused,
        duplicate_keys_are_refused,
        schema_version_1_is_refused,
        a_media_type_that_is_no_manifest_is_refused,
        a_malformed_tag_is_refused,
        a_tag_of_128_characters_is_accepted_and_of_129_refused,
        if_none_match_star_creates_and_does_not_move_a_tag,
        if_match_moves_a_tag_only_from_what_it_was,
    );
}

fn put_answers(target: &Target, reference: Option<&str>) -> Result<()> {
    let name = target.repository();
    let body = image(target, &name, 1)?;
    let digest = target.digest(&body);
    let answer = target
        .put(&name, reference.unwrap_or(&digest), MANIFEST, &body)?
        .expect(201)?;
    ensure!(
        answer.header("docker-content-digest")? == digest,
        "wrong digest: {answer}"
    );
    ensure!(answer.header("content-length")? == "0", "a body: {answer}");
    let path = answer.header("location")?;
    let got = target
        .send(Method::GET, path, &[("accept", MANIFEST)], &[])?
        .expect(200)?;
    ensure!(got.body == body, "other bytes at the location: {got}");
    Ok(())
}

fn end_7_by_tag_is_201_with_a_location_and_the_digest(target: &Target) -> Result<()> {
    put_answers(target, Some("latest"))
}

fn end_7_by_digest_is_201_with_a_location_and_the_digest(target: &Target) -> Result<()> {
    put_answers(target, None)
}

fn oci_subject_answers_a_manifest_with_a_subject(target: &Target) -> Result<()> {
    let name = target.repository();
    let subject = image(target, &name, 1)?;
    target.accepts(&name, &target.digest(&subject), MANIFEST, &subject)?;
    for body in subject_holders(target, &name, &subject)? {
        let media_type = if body.windows(11).any(|w| w == b"\"manifests\"") {
            INDEX
        } else {
            MANIFEST
        };
        let answer = target
            .put(&name, &target.digest(&body), media_type, &body)?
            .expect(201)?;
        ensure!(
            answer.header("oci-subject")? == target.digest(&subject),
            "another subject: {answer}"
        );
    }
    Ok(())
}

/// An image, an artifact and an index that refer to a manifest.
fn subject_holders(target: &Target, name: &str, subject: &[u8]) -> Result<[Vec<u8>; 3]> {
    let link = json!({ "subject": super::manifest_content::descriptor(target, MANIFEST, subject) });
    Ok([
        image_with(target, name, 1, link.clone())?,
        artifact(target, name, "application/vnd.example.thing", link.clone())?,
        index(target, &[], link)?,
    ])
}

fn oci_subject_answers_also_when_the_subject_is_missing(target: &Target) -> Result<()> {
    let name = target.repository();
    let missing = noise(123);
    for (place, body) in subject_holders(target, &name, &missing)?.iter().enumerate() {
        let media_type = if place == 2 { INDEX } else { MANIFEST };
        let answer = target
            .put(&name, &format!("t{place}"), media_type, body)?
            .expect(201)?;
        ensure!(
            answer.header("oci-subject")? == target.digest(&missing),
            "another subject: {answer}"
        );
    }
    Ok(())
}

fn no_oci_subject_without_a_subject(target: &Target) -> Result<()> {
    let name = target.repository();
    let body = image(target, &name, 1)?;
    let answer = target
        .put(&name, &target.digest(&body), MANIFEST, &body)?
        .expect(201)?;
    ensure!(answer.headers.get("oci-subject").is_none(), "a subject: {answer}");
    Ok(())
}

fn a_tag_moves_and_the_old_manifest_stays(target: &Target) -> Result<()> {
    let name = target.repository();
    let (old, new) = (image(target, &name, 1)?, image(target, &name, 1)?);
    target.accepts(&name, "moving", MANIFEST, &old)?;
    target.shows(&name, "moving", MANIFEST, &old)?;
    target.accepts(&name, "moving", MANIFEST, &new)?;
    target.shows(&name, "moving", MANIFEST, &new)?;
    target.shows(&name, &target.digest(&old), MANIFEST, &old)?;
    ensure!(target.tags(&name)? == ["moving"], "other tags");
    Ok(())
}

fn a_manifest_may_be_put_again(target: &Target) -> Result<()> {
    let name = target.repository();
    let body = image(target, &name, 1)?;
    for reference in ["again", &target.digest(&body), "again", "another"] {
        target.accepts(&name, reference, MANIFEST, &body)?;
        target.shows(&name, reference, MANIFEST, &body)?;
    }
    Ok(())
}

const LIMIT: usize = 4 * 1024 * 1024;

/// An image manifest padded with blanks to this length.
fn padded(target: &Target, name: &str, length: usize) -> Result<Vec<u8>> {
    let mut body = image(target, name, 1)?;
    body.resize(length, b' ');
    Ok(body)
}

fn a_manifest_over_the_limit_is_413(target: &Target) -> Result<()> {
    let name = target.repository();
    let body = padded(target, &name, LIMIT + 1)?;
    let answer = target.put(&name, "huge", MANIFEST, &body)?;
    ensure!(answer.status == 413, "should have been 413: {answer}");
    error_code(&answer)?;
    target
        .manifest(Method::HEAD, &name, "huge")?
        .expect(404)
        .map(drop)
}

fn a_manifest_of_the_limit_is_read(target: &Target) -> Result<()> {
    let name = target.repository();
    let body = padded(target, &name, LIMIT)?;
    target.accepts(&name, "large", MANIFEST, &body)?;
    target.shows(&name, "large", MANIFEST, &body)
}

fn the_parameters_of_a_content_type_are_ignored(target: &Target) -> Result<()> {
    let name = target.repository();
    let body = image(target, &name, 1)?;
    target.accepts(&name, "parameters", &format!("{MANIFEST}; charset=utf-8"), &body)?;
    target.shows(&name, "parameters", MANIFEST, &body)
}

fn invalid(target: &Target, media_type: &str, body: &[u8], name: &str) -> Result<()> {
    refused(
        &target.put(name, "invalid", media_type, body)?,
        400,
        "MANIFEST_INVALID",
    )?;
    target.manifest(Method::HEAD, name, "invalid")?.expect(404)?;
    target
        .manifest(Method::HEAD, name, &target.digest(body))?
        .expect(404)
        .map(drop)
}

fn a_content_type_other_than_the_media_type_is_refused(target: &Target) -> Result<()> {
    let name = target.repository();
    invalid(target, INDEX, &image(target, &name, 1)?, &name)?;
    let docker = "application/vnd.docker.distribution.manifest.v2+json";
    invalid(target, docker, &image(target, &name, 1)?, &name)
}

/// One byte string, two documents (GHSA-qq97-vm5h-rrhg).
fn an_image_that_is_also_an_index_is_refused(target: &Target) -> Result<()> {
    let name = target.repository();
    let body = image_with(target, &name, 1, json!({ "manifests": [] }))?;
    invalid(target, MANIFEST, &body, &name)?;
    let text = String::from_utf8_lossy(&body).replace(MANIFEST, INDEX);
    invalid(target, INDEX, text.as_bytes(), &name)
}

fn duplicate_keys_are_refused(target: &Target) -> Result<()> {
    let name = target.repository();
    let text = String::from_utf8_lossy(&image(target, &name, 1)?).into_owned();
    for double in [
        "\"layers\":[],",
        "\"schemaVersion\":2,",
        "\"x\":{\"y\":1,\"y\":2},",
    ] {
        invalid(
            target,
            MANIFEST,
            format!("{{{double}{}", &text[1..]).as_bytes(),
            &name,
        )?;
    }
    Ok(())
}

fn schema_version_1_is_refused(target: &Target) -> Result<()> {
    let name = target.repository();
    target.push(&name, &noise(10))?;
    let body = json!({ "schemaVersion": 1, "name": name, "tag": "invalid", "architecture": "amd64",
        "fsLayers": [], "history": [], "signatures": [] });
    for media_type in [
        "application/vnd.docker.distribution.manifest.v1+prettyjws",
        "application/vnd.docker.distribution.manifest.v1+json",
    ] {
        invalid(target, media_type, body.to_string().as_bytes(), &name)?;
    }
    invalid(
        target,
        MANIFEST,
        &image_with(target, &name, 0, json!({ "schemaVersion": 3 }))?,
        &name,
    )
}

fn a_media_type_that_is_no_manifest_is_refused(target: &Target) -> Result<()> {
    let name = target.repository();
    let body = image_with(target, &name, 0, json!({ "mediaType": "text/html" }))?;
    invalid(target, "text/html", &body, &name)
}

fn a_malformed_tag_is_refused(target: &Target) -> Result<()> {
    let name = target.repository();
    let body = image(target, &name, 1)?;
    for tag in [".hidden", "-dash", "a+b", "a~b", "a:b", "a@b"] {
        let answer = target.put(&name, tag, MANIFEST, &body)?;
        refused_with_one_of(
            &answer,
            &[400],
            &[
                "TAG_INVALID",
                "MANIFEST_INVALID",
                "NAME_INVALID",
                "DIGEST_INVALID",
            ],
        )?;
    }
    target
        .manifest(Method::HEAD, &name, &target.digest(&body))?
        .expect(404)
        .map(drop)
}

fn a_tag_of_128_characters_is_accepted_and_of_129_refused(target: &Target) -> Result<()> {
    let name = target.repository();
    let body = image(target, &name, 1)?;
    let tag = "t".repeat(128);
    target.accepts(&name, &tag, MANIFEST, &body)?;
    target.shows(&name, &tag, MANIFEST, &body)?;
    let answer = target.put(&name, &"t".repeat(129), MANIFEST, &body)?;
    refused_with_one_of(&answer, &[400], &["TAG_INVALID", "MANIFEST_INVALID"])
}

fn conditional(target: &Target, name: &str, tag: &str, condition: (&str, &str), body: &[u8]) -> Result<u16> {
    let path = format!("/v2/{name}/manifests/{tag}");
    let answer = target.send(Method::PUT, &path, &[("content-type", MANIFEST), condition], body)?;
    if answer.status != 201 {
        error_code(&answer)?;
    }
    Ok(answer.status)
}

fn if_none_match_star_creates_and_does_not_move_a_tag(target: &Target) -> Result<()> {
    let name = target.repository();
    let (first, second) = (image(target, &name, 1)?, image(target, &name, 1)?);
    let create_only = ("if-none-match", "*");
    ensure!(
        conditional(target, &name, "once", create_only, &first)? == 201,
        "not created"
    );
    ensure!(
        conditional(target, &name, "once", create_only, &second)? == 412,
        "moved"
    );
    target.shows(&name, "once", MANIFEST, &first)
}

fn if_match_moves_a_tag_only_from_what_it_was(target: &Target) -> Result<()> {
    let name = target.repository();
    let bodies = [
        image(target, &name, 1)?,
        image(target, &name, 1)?,
        image(target, &name, 1)?,
    ];
    let etags = bodies
        .each_ref()
        .map(|body| format!("\"{}\"", target.digest(body)));
    ensure!(
        conditional(target, &name, "cas", ("if-match", &etags[0]), &bodies[0])? == 412,
        "created"
    );
    target.accepts(&name, "cas", MANIFEST, &bodies[0])?;
    ensure!(
        conditional(target, &name, "cas", ("if-match", &etags[0]), &bodies[1])? == 201,
        "not moved"
    );
    ensure!(
        conditional(target, &name, "cas", ("if-match", &etags[0]), &bodies[2])? == 412,
        "moved from another"
    );
    target.shows(&name, "cas", MANIFEST, &bodies[1])
}
