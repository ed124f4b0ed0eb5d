//! end-7b: one push by digest under several tags (`?tag=a&tag=b`), answered with `OCI-Tag`.

use std::collections::BTreeSet;

use harness::api::Answer;
use harness::{Result, Suite, ensure};
use http::Method;
use serde_json::json;

use super::manifest_content::{image, index};
use super::target::{INDEX, MANIFEST, Target, refused_with_one_of};

pub(super) fn add(suite: &mut Suite) {
    checks!(
        suite,
        "multi_tag",
        [open, open_sha512, tokens],
        end_7b_names_every_tag_in_oci_tag,
        end_7b_takes_ten_tags_and_more,
        an_index_is_tagged_so_too,
    );
    checks!(
        suite,
        "multi_tag",
        [open, tokens],
        one_malformed_tag_refuses_the_whole_push,
        no_oci_tag_without_the_parameter,
        tags_of_a_push_by_digest_move,
    );
}

/// The tags in `OCI-Tag` headers, whether one list or many headers.
fn named(answer: &Answer) -> BTreeSet<String> {
    let headers = answer.headers.get_all("oci-tag").iter();
    headers
        .flat_map(|value| {
            String::from_utf8_lossy(value.as_bytes())
                .split(',')
                .map(|t| t.trim().to_owned())
                .collect::<Vec<_>>()
        })
        .collect()
}

fn push(target: &Target, name: &str, media_type: &str, body: &[u8], tags: &[String]) -> Result<Answer> {
    let query: Vec<String> = tags.iter().map(|tag| format!("tag={tag}")).collect();
    target.put(
        name,
        &format!("{}?{}", target.digest(body), query.join("&")),
        media_type,
        body,
    )
}

fn tagged(target: &Target, name: &str, media_type: &str, body: &[u8], tags: &[String]) -> Result<()> {
    let answer = push(target, name, media_type, body, tags)?.expect(201)?;
    ensure!(
        answer.header("docker-content-digest")? == target.digest(body),
        "wrong digest: {answer}"
    );
    let wanted: BTreeSet<String> = tags.iter().cloned().collect();
    ensure!(named(&answer) == wanted, "should have named {wanted:?}: {answer}");
    for tag in tags {
        target.shows(name, tag, media_type, body)?;
        let head = target.manifest(Method::HEAD, name, tag)?;
        ensure!(
            head.header("docker-content-digest")? == target.digest(body),
            "another digest: {head}"
        );
    }
    target.shows(name, &target.digest(body), media_type, body)
}

fn end_7b_names_every_tag_in_oci_tag(target: &Target) -> Result<()> {
    let name = target.repository();
    let body = image(target, &name, 1)?;
    tagged(target, &name, MANIFEST, &body, &["a".to_owned(), "b".to_owned()])
}

fn end_7b_takes_ten_tags_and_more(target: &Target) -> Result<()> {
    let name = target.repository();
    let body = image(target, &name, 1)?;
    let tags: Vec<String> = (0..16).map(|i| format!("v1.{i:02}")).collect();
    tagged(target, &name, MANIFEST, &body, &tags)?;
    ensure!(target.tags(&name)? == tags, "other tags");
    Ok(())
}

fn an_index_is_tagged_so_too(target: &Target) -> Result<()> {
    let name = target.repository();
    let child = image(target, &name, 1)?;
    tagged(target, &name, MANIFEST, &child, &["child".to_owned()])?;
    let body = index(target, &[(MANIFEST, &child)], json!({}))?;
    tagged(
        target,
        &name,
        INDEX,
        &body,
        &["all".to_owned(), "latest".to_owned()],
    )
}

fn one_malformed_tag_refuses_the_whole_push(target: &Target) -> Result<()> {
    let name = target.repository();
    let body = image(target, &name, 1)?;
    for bad in ["", ".dot", "a%2Fb", "a%0Ab"] {
        let answer = push(
            target,
            &name,
            MANIFEST,
            &body,
            &["good".to_owned(), bad.to_owned()],
        )?;
        refused_with_one_of(&answer, &[400], &["TAG_INVALID", "MANIFEST_INVALID"])?;
    }
    target.manifest(Method::HEAD, &name, "good")?.expect(404)?;
    target
        .manifest(Method::HEAD, &name, &target.digest(&body))?
        .expect(404)
        .map(drop)
}

fn no_oci_tag_without_the_parameter(target: &Target) -> Result<()> {
    let name = target.repository();
    let body = image(target, &name, 1)?;
    let answer = target
        .put(&name, &target.digest(&body), MANIFEST, &body)?
        .expect(201)?;
    ensure!(named(&answer).is_empty(), "a tag: {answer}");
    Ok(())
}

fn tags_of_a_push_by_digest_move(target: &Target) -> Result<()> {
    let name = target.repository();
    let (old, new) = (image(target, &name, 1)?, image(target, &name, 1)?);
    target.accepts(&name, "stays", MANIFEST, &old)?;
    target.accepts(&name, "moves", MANIFEST, &old)?;
    tagged(
        target,
        &name,
        MANIFEST,
        &new,
        &["moves".to_owned(), "comes".to_owned()],
    )?;
    target.shows(&name, "stays", MANIFEST, &old)?;
    ensure!(target.tags(&name)? == ["comes", "moves", "stays"], "other tags");
    Ok(())
}
