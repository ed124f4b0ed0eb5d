//! end-12a and end-12b: referrers, filtered, in pages, with those that clients noted under a fallback tag.

use harness::api::Answer;
use harness::{Context as _, Result, Suite, ensure};
use serde_json::{Value, json};

use super::manifest_content::{artifact, descriptor, image, image_with, index};
use super::tag_list::next;
use super::target::{CONFIG, INDEX, MANIFEST, Target, noise, refused};

pub(super) fn add(suite: &mut Suite) {
    checks!(
        suite,
        "referrers",
        [open, open_sha512, tokens],
        end_12a_of_an_unknown_digest_is_an_empty_index,
        end_12a_of_a_manifest_without_referrers_is_an_empty_index,
        end_12a_lists_images_artifacts_and_indexes_with_type_and_annotations,
        end_12a_of_a_missing_subject_lists_its_referrers,
        end_12b_filters_by_artifact_type_and_says_so,
        a_deleted_referrer_is_gone_at_once,
        referrers_outlive_their_subject,
    );
    checks!(
        suite,
        "referrers",
        [open, tokens],
        end_12a_with_a_malformed_digest_is_400,
        a_referrer_counts_in_its_own_repository_only,
        a_referrer_pushed_twice_is_listed_once,
        an_index_without_an_artifact_type_is_listed_without_one,
        many_referrers_come_in_pages_each_once,
        a_fallback_tag_does_not_double_what_is_known,
    );
    checks!(
        suite,
        "referrers",
        [open],
        end_12a_of_an_unknown_repository_is_an_empty_index
    );
}

/// The descriptors of an answer, whose form is held to the specification.
fn listed(answer: &Answer) -> Result<Vec<Value>> {
    ensure!(answer.status == 200, "should have been 200: {answer}");
    ensure!(answer.header("content-type")? == INDEX, "another type: {answer}");
    let json = answer.json()?;
    ensure!(
        json["schemaVersion"] == 2 && json["mediaType"] == INDEX,
        "not an index: {answer}"
    );
    Ok(json["manifests"]
        .as_array()
        .with_context(|| format!("no list: {answer}"))?
        .clone())
}

/// All descriptors for a subject, through all pages.
fn referrers(target: &Target, name: &str, subject: &str) -> Result<Vec<Value>> {
    let mut all = Vec::new();
    let mut path = Some(format!("/v2/{name}/referrers/{subject}"));
    while let Some(this) = path {
        let answer = target.get(&this)?;
        all.extend(listed(&answer)?);
        path = next(&answer)?;
    }
    Ok(all)
}

/// Pushes an artifact that refers to `subject` and gives its bytes.
fn refer(target: &Target, name: &str, subject: &[u8], artifact_type: &str) -> Result<Vec<u8>> {
    let more = json!({
        "subject": descriptor(target, MANIFEST, subject),
        "annotations": { "org.example.kind": artifact_type },
    });
    let body = artifact(target, name, artifact_type, more)?;
    target.accepts(name, &target.digest(&body), MANIFEST, &body)?;
    Ok(body)
}

fn subject(target: &Target, name: &str) -> Result<Vec<u8>> {
    let body = image(target, name, 1)?;
    target.accepts(name, &target.digest(&body), MANIFEST, &body)?;
    Ok(body)
}

fn digests(descriptors: &[Value]) -> Vec<String> {
    let mut digests: Vec<String> = descriptors
        .iter()
        .map(|d| d["digest"].as_str().unwrap_or_default().to_owned())
        .collect();
    digests.sort();
    digests
}

fn sorted(mut digests: Vec<String>) -> Vec<String> {
    digests.sort();
    digests
}

fn end_12a_of_an_unknown_repository_is_an_empty_index(target: &Target) -> Result<()> {
    let path = format!(
        "/v2/{}/referrers/{}",
        target.repository(),
        target.digest(&noise(9))
    );
    ensure!(listed(&target.get(&path)?)?.is_empty(), "not empty");
    Ok(())
}

fn end_12a_of_an_unknown_digest_is_an_empty_index(target: &Target) -> Result<()> {
    let name = target.repository();
    subject(target, &name)?;
    ensure!(
        referrers(target, &name, &target.digest(&noise(9)))?.is_empty(),
        "not empty"
    );
    Ok(())
}

fn end_12a_of_a_manifest_without_referrers_is_an_empty_index(target: &Target) -> Result<()> {
    let name = target.repository();
    let body = subject(target, &name)?;
    ensure!(
        referrers(target, &name, &target.digest(&body))?.is_empty(),
        "not empty"
    );
    Ok(())
}

fn end_12a_with_a_malformed_digest_is_400(target: &Target) -> Result<()> {
    let name = target.repository();
    subject(target, &name)?;
    for digest in [
        "sha256:baddigeststring",
        "latest",
        "sha256:",
        "md5:d41d8cd98f00b204e9800998ecf8427e",
    ] {
        refused(
            &target.get(&format!("/v2/{name}/referrers/{digest}"))?,
            400,
            "DIGEST_INVALID",
        )?;
    }
    Ok(())
}

fn end_12a_lists_images_artifacts_and_indexes_with_type_and_annotations(target: &Target) -> Result<()> {
    let name = target.repository();
    let subject = subject(target, &name)?;
    let note = json!({ "org.example.note": "hello", "org.example.empty": "" });
    let link = json!({ "subject": descriptor(target, MANIFEST, &subject), "annotations": note });
    let typed = "application/vnd.example.sbom.v1";
    let mut link_and_type = link.clone();
    link_and_type["artifactType"] = typed.into();
    let pushed = [
        // An image has no artifactType: its config's media type stands for it.
        (MANIFEST, image_with(target, &name, 1, link.clone())?, CONFIG),
        (MANIFEST, artifact(target, &name, typed, link)?, typed),
        (INDEX, index(target, &[], link_and_type)?, typed),
    ];
    for (media_type, body, _) in &pushed {
        target.accepts(&name, &target.digest(body), media_type, body)?;
    }
    let found = referrers(target, &name, &target.digest(&subject))?;
    ensure!(found.len() == pushed.len(), "not {}: {found:?}", pushed.len());
    for (media_type, body, artifact_type) in &pushed {
        let digest = target.digest(body);
        let entry = found.iter().find(|entry| entry["digest"] == digest.as_str());
        let entry = entry.with_context(|| format!("{digest} is missing in {found:?}"))?;
        let right = entry["mediaType"] == *media_type
            && entry["size"] == body.len()
            && entry["artifactType"] == *artifact_type
            && entry["annotations"] == note;
        ensure!(right, "another descriptor: {entry}");
    }
    Ok(())
}

fn an_index_without_an_artifact_type_is_listed_without_one(target: &Target) -> Result<()> {
    let name = target.repository();
    let subject = subject(target, &name)?;
    let body = index(
        target,
        &[],
        json!({ "subject": descriptor(target, MANIFEST, &subject) }),
    )?;
    target.accepts(&name, &target.digest(&body), INDEX, &body)?;
    let found = referrers(target, &name, &target.digest(&subject))?;
    ensure!(
        found.len() == 1 && found[0].get("artifactType").is_none(),
        "another descriptor: {found:?}"
    );
    Ok(())
}

fn end_12a_of_a_missing_subject_lists_its_referrers(target: &Target) -> Result<()> {
    let name = target.repository();
    let missing = noise(321);
    let body = refer(target, &name, &missing, "application/vnd.example.early")?;
    let found = referrers(target, &name, &target.digest(&missing))?;
    ensure!(digests(&found) == [target.digest(&body)], "others: {found:?}");
    Ok(())
}

fn end_12b_filters_by_artifact_type_and_says_so(target: &Target) -> Result<()> {
    let name = target.repository();
    let subject = subject(target, &name)?;
    let (kind, other) = ("application/vnd.example.a+json", "application/vnd.example.b");
    let wanted = [
        refer(target, &name, &subject, kind)?,
        refer(target, &name, &subject, kind)?,
    ];
    refer(target, &name, &subject, other)?;
    let path = format!("/v2/{name}/referrers/{}", target.digest(&subject));
    let answer = target.get(&format!(
        "{path}?artifactType={}",
        kind.replace('/', "%2F").replace('+', "%2B")
    ))?;
    let applied = answer.header("oci-filters-applied")?;
    ensure!(
        applied.split(',').any(|filter| filter.trim() == "artifactType"),
        "not said: {answer}"
    );
    let found = listed(&answer)?;
    let wanted = sorted(wanted.iter().map(|body| target.digest(body)).collect());
    ensure!(digests(&found) == wanted, "others: {answer}");
    let none = target.get(&format!("{path}?artifactType=application/vnd.example.none"))?;
    ensure!(
        listed(&none)?.is_empty() && none.headers.contains_key("oci-filters-applied"),
        "not filtered: {none}"
    );
    let all = target.get(&path)?;
    ensure!(
        !all.headers.contains_key("oci-filters-applied"),
        "a filter nobody asked for: {all}"
    );
    ensure!(listed(&all)?.len() == 3, "not three: {all}");
    Ok(())
}

fn a_deleted_referrer_is_gone_at_once(target: &Target) -> Result<()> {
    let name = target.repository();
    let subject = subject(target, &name)?;
    let kind = "application/vnd.example.thing";
    let (gone, stays) = (
        refer(target, &name, &subject, kind)?,
        refer(target, &name, &subject, kind)?,
    );
    ensure!(
        referrers(target, &name, &target.digest(&subject))?.len() == 2,
        "not two"
    );
    target
        .delete(&format!("/v2/{name}/manifests/{}", target.digest(&gone)))?
        .expect(202)?;
    let found = referrers(target, &name, &target.digest(&subject))?;
    ensure!(digests(&found) == [target.digest(&stays)], "others: {found:?}");
    target.accepts(&name, &target.digest(&gone), MANIFEST, &gone)?;
    ensure!(
        referrers(target, &name, &target.digest(&subject))?.len() == 2,
        "not two again"
    );
    Ok(())
}

fn referrers_outlive_their_subject(target: &Target) -> Result<()> {
    let name = target.repository();
    let subject = subject(target, &name)?;
    let body = refer(target, &name, &subject, "application/vnd.example.thing")?;
    target
        .delete(&format!("/v2/{name}/manifests/{}", target.digest(&subject)))?
        .expect(202)?;
    let found = referrers(target, &name, &target.digest(&subject))?;
    ensure!(digests(&found) == [target.digest(&body)], "others: {found:?}");
    Ok(())
}

fn a_referrer_counts_in_its_own_repository_only(target: &Target) -> Result<()> {
    let (name, other) = (target.repository(), target.repository());
    let body = subject(target, &name)?;
    refer(target, &name, &body, "application/vnd.example.thing")?;
    subject(target, &other)?;
    ensure!(
        referrers(target, &other, &target.digest(&body))?.is_empty(),
        "seen in another repository"
    );
    Ok(())
}

fn a_referrer_pushed_twice_is_listed_once(target: &Target) -> Result<()> {
    let name = target.repository();
    let subject = subject(target, &name)?;
    let body = refer(target, &name, &subject, "application/vnd.example.thing")?;
    for reference in ["one", "two", &target.digest(&body)] {
        target.accepts(&name, reference, MANIFEST, &body)?;
    }
    ensure!(
        referrers(target, &name, &target.digest(&subject))?.len() == 1,
        "not once"
    );
    Ok(())
}

fn many_referrers_come_in_pages_each_once(target: &Target) -> Result<()> {
    let name = target.repository();
    let subject = subject(target, &name)?;
    let kind = "application/vnd.example.many";
    let first = refer(target, &name, &subject, kind)?;
    let mut wanted = vec![target.digest(&first)];
    let template: Value = serde_json::from_slice(&first)?;
    for i in 0..120 {
        let mut manifest = template.clone();
        manifest["annotations"] = json!({ "number": i.to_string() });
        let body = serde_json::to_vec(&manifest)?;
        wanted.push(target.accepts(&name, &target.digest(&body), MANIFEST, &body)?);
    }
    let path = format!("/v2/{name}/referrers/{}", target.digest(&subject));
    for query in ["", "?n=7", "?n=50&artifactType=application/vnd.example.many"] {
        let (mut all, mut pages) = (Vec::new(), 0);
        let mut next_page = Some(format!("{path}{query}"));
        while let Some(this) = next_page {
            let answer = target.get(&this)?;
            all.extend(digests(&listed(&answer)?));
            next_page = next(&answer)?;
            pages += 1;
            ensure!(pages <= wanted.len(), "the pages do not end");
            if query.contains("artifactType") {
                ensure!(
                    answer.headers.contains_key("oci-filters-applied"),
                    "a page without the filter: {answer}"
                );
            }
        }
        ensure!(
            sorted(all) == sorted(wanted.clone()),
            "{query}: not each once over {pages} pages"
        );
    }
    Ok(())
}

/// Enabling the Referrers API (distribution-spec): the index that clients kept under `<algorithm>-<hex>` before.
fn a_fallback_tag_does_not_double_what_is_known(target: &Target) -> Result<()> {
    let name = target.repository();
    let subject = subject(target, &name)?;
    let body = refer(target, &name, &subject, "application/vnd.example.thing")?;
    let tag = target.digest(&subject).replace(':', "-");
    let fallback = index(target, &[(MANIFEST, &body)], json!({}))?;
    target.accepts(&name, &tag, INDEX, &fallback)?;
    let found = referrers(target, &name, &target.digest(&subject))?;
    ensure!(digests(&found) == [target.digest(&body)], "others: {found:?}");
    // What the tag names and the repository does not hold is no referrer.
    target
        .delete(&format!("/v2/{name}/manifests/{}", target.digest(&body)))?
        .expect(202)?;
    let found = referrers(target, &name, &target.digest(&subject))?;
    ensure!(found.is_empty(), "a deleted referrer: {found:?}");
    Ok(())
}
