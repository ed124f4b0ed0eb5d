//! end-9 and end-10: deletes, visible at once.

use harness::{Result, Suite, ensure};
use http::Method;
use serde_json::json;

use super::manifest_content::{image, index};
use super::target::{INDEX, MANIFEST, Target, noise, refused};

pub(super) fn add(suite: &mut Suite) {
    checks!(
        suite,
        "delete",
        [open, open_sha512, tokens],
        end_9_of_a_manifest_is_202_and_seen_at_once,
        end_10_of_a_blob_is_202_and_seen_at_once,
        end_10_in_one_repository_leaves_the_other_its_blob,
        what_was_deleted_may_be_pushed_again,
    );
    checks!(
        suite,
        "delete",
        [open, tokens],
        end_9_of_a_tag_is_202_and_seen_at_once,
        end_9_of_a_tag_leaves_the_manifest_and_its_other_tags,
        end_9_of_a_manifest_takes_every_tag_of_it_along,
        end_9_of_what_is_not_there_is_404,
        end_10_of_what_is_not_there_is_404,
        a_child_of_an_index_may_be_deleted_after_it,
    );
}

fn delete_manifest(target: &Target, name: &str, reference: &str) -> Result<()> {
    target
        .delete(&format!("/v2/{name}/manifests/{reference}"))?
        .expect(202)?;
    for _ in 0..2 {
        target.manifest(Method::HEAD, name, reference)?.expect(404)?;
        refused(
            &target.manifest(Method::GET, name, reference)?,
            404,
            "MANIFEST_UNKNOWN",
        )?;
    }
    refused(
        &target.delete(&format!("/v2/{name}/manifests/{reference}"))?,
        404,
        "MANIFEST_UNKNOWN",
    )
}

fn end_9_of_a_tag_is_202_and_seen_at_once(target: &Target) -> Result<()> {
    let name = target.repository();
    target.accepts(&name, "gone", MANIFEST, &image(target, &name, 1)?)?;
    delete_manifest(target, &name, "gone")?;
    ensure!(target.tags(&name)?.is_empty(), "still listed");
    Ok(())
}

fn end_9_of_a_tag_leaves_the_manifest_and_its_other_tags(target: &Target) -> Result<()> {
    let name = target.repository();
    let body = image(target, &name, 1)?;
    for tag in ["gone", "stays"] {
        target.accepts(&name, tag, MANIFEST, &body)?;
    }
    delete_manifest(target, &name, "gone")?;
    target.shows(&name, "stays", MANIFEST, &body)?;
    target.shows(&name, &target.digest(&body), MANIFEST, &body)?;
    ensure!(target.tags(&name)? == ["stays"], "other tags");
    Ok(())
}

fn end_9_of_a_manifest_is_202_and_seen_at_once(target: &Target) -> Result<()> {
    let name = target.repository();
    let (body, other) = (image(target, &name, 1)?, image(target, &name, 1)?);
    target.accepts(&name, &target.digest(&body), MANIFEST, &body)?;
    target.accepts(&name, &target.digest(&other), MANIFEST, &other)?;
    delete_manifest(target, &name, &target.digest(&body))?;
    target.shows(&name, &target.digest(&other), MANIFEST, &other)
}

fn end_9_of_a_manifest_takes_every_tag_of_it_along(target: &Target) -> Result<()> {
    let name = target.repository();
    let (body, other) = (image(target, &name, 1)?, image(target, &name, 1)?);
    for tag in ["a", "b", "c"] {
        target.accepts(&name, tag, MANIFEST, &body)?;
    }
    target.accepts(&name, "b", MANIFEST, &other)?;
    delete_manifest(target, &name, &target.digest(&body))?;
    for tag in ["a", "c"] {
        target.manifest(Method::HEAD, &name, tag)?.expect(404)?;
    }
    target.shows(&name, "b", MANIFEST, &other)?;
    ensure!(target.tags(&name)? == ["b"], "other tags");
    Ok(())
}

fn end_9_of_what_is_not_there_is_404(target: &Target) -> Result<()> {
    let name = target.repository();
    target.accepts(&name, "here", MANIFEST, &image(target, &name, 1)?)?;
    refused(
        &target.delete(&format!("/v2/{name}/manifests/missing"))?,
        404,
        "MANIFEST_UNKNOWN",
    )?;
    let digest = target.digest(&noise(20));
    refused(
        &target.delete(&format!("/v2/{name}/manifests/{digest}"))?,
        404,
        "MANIFEST_UNKNOWN",
    )?;
    ensure!(target.tags(&name)? == ["here"], "other tags");
    Ok(())
}

fn end_10_of_a_blob_is_202_and_seen_at_once(target: &Target) -> Result<()> {
    let (name, bytes) = (target.repository(), noise(600));
    let digest = target.push(&name, &bytes)?;
    target.holds(&name, &digest, &bytes)?;
    target
        .delete(&format!("/v2/{name}/blobs/{digest}"))?
        .expect(202)?;
    target.lacks(&name, &digest)?;
    target.lacks(&name, &digest)
}

fn end_10_of_what_is_not_there_is_404(target: &Target) -> Result<()> {
    let (name, bytes) = (target.repository(), noise(600));
    let digest = target.push(&name, &bytes)?;
    target
        .delete(&format!("/v2/{name}/blobs/{digest}"))?
        .expect(202)?;
    refused(
        &target.delete(&format!("/v2/{name}/blobs/{digest}"))?,
        404,
        "BLOB_UNKNOWN",
    )?;
    let never = target.digest(&noise(20));
    refused(
        &target.delete(&format!("/v2/{name}/blobs/{never}"))?,
        404,
        "BLOB_UNKNOWN",
    )
}

fn end_10_in_one_repository_leaves_the_other_its_blob(target: &Target) -> Result<()> {
    let (name, other, bytes) = (target.repository(), target.repository(), noise(600));
    let digest = target.push(&name, &bytes)?;
    target.push(&other, &bytes)?;
    target
        .delete(&format!("/v2/{name}/blobs/{digest}"))?
        .expect(202)?;
    target.holds(&other, &digest, &bytes)?;
    target.lacks(&name, &digest)
}

fn what_was_deleted_may_be_pushed_again(target: &Target) -> Result<()> {
    let (name, bytes) = (target.repository(), noise(600));
    let digest = target.push(&name, &bytes)?;
    target
        .delete(&format!("/v2/{name}/blobs/{digest}"))?
        .expect(202)?;
    target.push(&name, &bytes)?;
    target.holds(&name, &digest, &bytes)?;
    let body = image(target, &name, 1)?;
    let digest = target.digest(&body);
    target.accepts(&name, &digest, MANIFEST, &body)?;
    delete_manifest(target, &name, &digest)?;
    target.accepts(&name, &digest, MANIFEST, &body)?;
    target.accepts(&name, "again", MANIFEST, &body)?;
    target.shows(&name, "again", MANIFEST, &body)?;
    target.shows(&name, &digest, MANIFEST, &body)
}

fn a_child_of_an_index_may_be_deleted_after_it(target: &Target) -> Result<()> {
    let name = target.repository();
    let child = image(target, &name, 1)?;
    target.accepts(&name, &target.digest(&child), MANIFEST, &child)?;
    let parent = index(target, &[(MANIFEST, &child)], json!({}))?;
    target.accepts(&name, "parent", INDEX, &parent)?;
    delete_manifest(target, &name, "parent")?;
    delete_manifest(target, &name, &target.digest(&parent))?;
    delete_manifest(target, &name, &target.digest(&child))
}
