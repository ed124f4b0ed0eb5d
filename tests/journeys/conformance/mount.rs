//! end-11: blobs mounted from another repository.

use harness::api::Answer;
use harness::{Journey, Need, Result, Server, Suite, ensure};

use super::target::{Target, noise, refused, refused_with_one_of};

pub(super) fn add(suite: &mut Suite) {
    checks!(
        suite,
        "mount",
        [open, open_sha512, tokens],
        end_11_with_from_is_201_and_the_blob_is_there,
        end_11_without_from_mounts_or_begins_an_upload,
        end_11_of_a_missing_blob_begins_an_upload,
        a_mounted_blob_outlives_its_source,
    );
    checks!(
        suite,
        "mount",
        [open, tokens],
        end_11_from_a_repository_that_is_not_there_begins_an_upload,
        a_blob_deleted_at_the_source_is_not_mounted_from_there,
        a_malformed_digest_is_refused,
        a_malformed_source_is_refused,
    );
    suite.add(
        "conformance::tokens::mount",
        "a_blob_that_the_caller_may_not_pull_is_not_mounted",
        &[Need::Portolan],
        foreign_blob,
    );
}

fn mount(target: &Target, name: &str, query: &str) -> Result<Answer> {
    target.post(&format!("/v2/{name}/blobs/uploads/?{query}"))
}

/// That a mount was not done but an upload session begun, and that the session works.
fn session(target: &Target, answer: Answer, name: &str, bytes: &[u8]) -> Result<()> {
    let answer = answer.expect(202)?;
    let digest = target.digest(bytes);
    target.lacks(name, &digest)?;
    target
        .finish(answer.header("location")?, &digest, bytes)?
        .expect(201)?;
    target.holds(name, &digest, bytes)
}

fn mounted(target: &Target, answer: Answer, name: &str, bytes: &[u8]) -> Result<()> {
    let answer = answer.expect(201)?;
    ensure!(
        answer.header("docker-content-digest")? == target.digest(bytes),
        "wrong digest: {answer}"
    );
    let got = target.get(answer.header("location")?)?.expect(200)?;
    ensure!(got.body == bytes, "other bytes at the location: {got}");
    target.holds(name, &target.digest(bytes), bytes)
}

fn end_11_with_from_is_201_and_the_blob_is_there(target: &Target) -> Result<()> {
    let (name, source, bytes) = (target.repository(), target.repository(), noise(512));
    let digest = target.push(&source, &bytes)?;
    let answer = mount(target, &name, &format!("mount={digest}&from={source}"))?;
    mounted(target, answer, &name, &bytes)?;
    // As Go's clients write it, and with what crane adds.
    let (name, from) = (target.repository(), source.replace('/', "%2F"));
    let query = format!(
        "from={from}&mount={}&origin=registry.example",
        digest.replace(':', "%3A")
    );
    let answer = mount(target, &name, &query)?;
    mounted(target, answer, &name, &bytes)
}

fn end_11_without_from_mounts_or_begins_an_upload(target: &Target) -> Result<()> {
    let (name, source, bytes) = (target.repository(), target.repository(), noise(512));
    let digest = target.push(&source, &bytes)?;
    let answer = mount(target, &name, &format!("mount={digest}"))?;
    if answer.status == 201 {
        mounted(target, answer, &name, &bytes)
    } else {
        session(target, answer, &name, &bytes)
    }
}

fn end_11_of_a_missing_blob_begins_an_upload(target: &Target) -> Result<()> {
    let (name, source, bytes) = (target.repository(), target.repository(), noise(512));
    target.push(&source, &noise(10))?;
    let answer = mount(
        target,
        &name,
        &format!("mount={}&from={source}", target.digest(&bytes)),
    )?;
    session(target, answer, &name, &bytes)
}

fn end_11_from_a_repository_that_is_not_there_begins_an_upload(target: &Target) -> Result<()> {
    let (name, source, bytes) = (target.repository(), target.repository(), noise(512));
    let answer = mount(
        target,
        &name,
        &format!("mount={}&from={source}", target.digest(&bytes)),
    )?;
    session(target, answer, &name, &bytes)
}

fn a_mounted_blob_outlives_its_source(target: &Target) -> Result<()> {
    let (name, source, bytes) = (target.repository(), target.repository(), noise(512));
    let digest = target.push(&source, &bytes)?;
    mount(target, &name, &format!("mount={digest}&from={source}"))?.expect(201)?;
    target
        .delete(&format!("/v2/{source}/blobs/{digest}"))?
        .expect(202)?;
    target.lacks(&source, &digest)?;
    target.holds(&name, &digest, &bytes)
}

fn a_blob_deleted_at_the_source_is_not_mounted_from_there(target: &Target) -> Result<()> {
    let (name, source, other) = (target.repository(), target.repository(), target.repository());
    let bytes = noise(512);
    let digest = target.push(&source, &bytes)?;
    target.push(&other, &bytes)?;
    target.holds(&source, &digest, &bytes)?;
    target
        .delete(&format!("/v2/{source}/blobs/{digest}"))?
        .expect(202)?;
    // A look at the other holder must not bring it back (CVE-2026-35172).
    target.holds(&other, &digest, &bytes)?;
    target.lacks(&source, &digest)?;
    let answer = mount(target, &name, &format!("mount={digest}&from={source}"))?;
    session(target, answer, &name, &bytes)
}

fn a_malformed_digest_is_refused(target: &Target) -> Result<()> {
    let (name, source) = (target.repository(), target.repository());
    refused(
        &mount(
            target,
            &name,
            &format!("mount=sha256:baddigeststring&from={source}"),
        )?,
        400,
        "DIGEST_INVALID",
    )
}

fn a_malformed_source_is_refused(target: &Target) -> Result<()> {
    let (name, digest) = (target.repository(), target.digest(b"any"));
    let answer = mount(target, &name, &format!("mount={digest}&from=../UPPER"))?;
    refused_with_one_of(&answer, &[400], &["NAME_INVALID"])
}

/// A digest is not a permission (CVE-2024-39897): what another account holds privately looks absent.
fn foreign_blob(journey: &Journey) -> Result<()> {
    let owner = Target::tokens(journey)?;
    let (source, bytes) = (owner.repository(), noise(512));
    let digest = owner.push(&source, &bytes)?;
    let server = Server::shared(journey)?;
    let stranger = server.account(journey, "stranger")?;
    let api = server.api(&stranger)?;
    for query in [format!("mount={digest}&from={source}"), format!("mount={digest}")] {
        let name = format!("{}/copy", stranger.name);
        let path = format!("/v2/{name}/blobs/uploads/?{query}");
        let answer = api.send(
            http::Method::POST,
            &path,
            &[("content-length", "0")],
            bytes::Bytes::new(),
        )?;
        let answer = answer.expect(202)?;
        api.head(&format!("/v2/{name}/blobs/{digest}"))?.expect(404)?;
        api.delete(answer.header("location")?)?.expect(204)?;
    }
    Ok(())
}
